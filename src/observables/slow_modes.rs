//! The slowest modes of any generator, with or without detailed balance.

use super::pinned_inverse::PinnedInverse;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::linalg::{Arnoldi, Eigenpair, dominant_eigenpairs, remove_mean};
use nalgebra::Complex;

/// A mode f of L f = λ f; see [`slow_modes`].
#[derive(Debug, Clone, PartialEq)]
pub struct SlowMode {
    /// λ in 1/time; its real part is negative.
    pub eigenvalue: Complex<f64>,
    /// f on the cells, with ⟨f⟩ = 0 and ⟨|f|²⟩ = 1 under the stationary law.
    pub eigenfunction: Vec<Complex<f64>>,
    /// Relative residual of the inverse problem in the stationary norm.
    pub residual: f64,
}

/// What [`slow_modes`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowModes {
    /// Slowest first; fewer than were wanted where the others did not converge.
    pub modes: Vec<SlowMode>,
    /// Why there are no more, where an iteration ended without a further mode.
    pub unconverged: Option<Error>,
}

/// The `count` non-zero eigenvalues of L closest to zero, complex ones included.
///
/// # Method
/// Arnoldi iteration with the inverse of L on functions of zero stationary mean: one cell (the most probable) is
/// pinned to zero, the pinned operator is eliminated without subtraction, and the mean is projected out. No shift
/// enters, so that a gap far below rounding of L keeps its relative accuracy. A conjugate pair is never cut; of a
/// degenerate eigenvalue one mode is found. What has converged stands where faster modes do not converge.
///
/// # Errors
/// [`Error::InvalidParameter`] for count = 0 or as many modes as cells, [`Error::Unreachable`] for a reducible chain, [`Error::NotConverged`]
/// when no mode has converged after 40 + 8 count iterations.
///
/// # References
/// Y. Saad, Numerical Methods for Large Eigenvalue Problems, 2011, ch. 8 (shift and invert).
pub fn slow_modes<const D: usize>(generator: &Generator<D>, count: usize) -> Result<SlowModes> {
    if count == 0 {
        return Err(Error::InvalidParameter {
            name: "count".into(),
            value: 0.0,
            requirement: "at least one mode".into(),
        });
    }
    let cells = generator.grid().cells();
    if count >= cells {
        return Err(Error::InvalidParameter {
            name: "count".into(),
            value: count as f64,
            requirement: format!("fewer than the {cells} cells, of whose modes one is stationary"),
        });
    }
    let inverse = PinnedInverse::new(generator)?;
    let probability = &inverse.probability;
    // overlaps with every mode: no symmetry of the problem is one of the golden sequence
    let mut start: Vec<f64> = (0..probability.len())
        .map(|i| (i as f64 * 0.618_033_988_749_894_9).fract() - 0.5)
        .collect();
    for (d, axis) in generator.grid().axes().iter().enumerate() {
        let width = axis.upper() - axis.lower();
        for (i, s) in start.iter_mut().enumerate() {
            let x = (generator.grid().centre(i)[d] - axis.lower()) / width;
            *s += (d as f64 + 1.3) * x + x * x;
        }
    }
    remove_mean(&mut start, probability);
    let options = Arnoldi {
        count,
        tolerance: RESIDUAL,
        dimension: 40 + 8 * count,
    };
    let found = dominant_eigenpairs(|f| inverse.apply(f), &start, probability, &options)?;
    let mode = |pair: Eigenpair| SlowMode {
        eigenvalue: -pair.value.inv(),
        eigenfunction: pair.vector,
        residual: pair.residual,
    };
    Ok(SlowModes {
        modes: found.pairs.into_iter().map(mode).collect(),
        unconverged: found.unconverged,
    })
}

/// Relative residual of a mode; an eigenvalue of a reversible chain is then exact to its square.
const RESIDUAL: f64 = 1e-10;
