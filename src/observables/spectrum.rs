//! The spectral gap: the slowest relaxation rate of a reversible generator.

use super::plain_gap::{Factorisation, Refusal, plain_gap};
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::observables::log_stationary_probability;

/// Gap λ1 with its eigenfunction; see [`spectral_gap`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralGap {
    /// λ1 in 1/time.
    pub rate: f64,
    /// Right eigenfunction f with ⟨f⟩ = 0 and ⟨f²⟩ = 1 under the stationary law.
    pub eigenfunction: Vec<f64>,
    /// Inverse iterations used.
    pub iterations: usize,
    /// Relative change of the rate in the last iteration.
    pub residual: f64,
    /// How the pinned operator was factorised, with the numbers of the test that decided it.
    pub factorisation: Factorisation,
}

/// Smallest non-zero eigenvalue of −L for a chain in detailed balance.
///
/// # Method
/// Inverse iteration on functions of zero stationary mean: one cell (the most probable) is pinned to zero, the
/// pinned operator is factorised, and the mean is projected out. The Rayleigh quotient in the stationary inner product
/// converges like (λ1/λ2)²ⁿ. In the plane the plain Cholesky factorisation is used where it passes the test of
/// [`Factorisation`]; otherwise, and always on a line, elimination without subtraction, right at any barrier.
///
/// # Errors
/// [`Error::InvalidParameter`] named [`IMBALANCE`] without detailed balance, and named "killing" where a boundary absorbs;
/// [`Error::Unreachable`] for a reducible chain, [`Error::NotConverged`] after 500 iterations.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::spectral_gap;
/// let ou = OrnsteinUhlenbeck::new(3.0, 0.0, 1.0)?;
/// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-5.0, 5.0, 1000)?]))?;
/// assert!((spectral_gap(&generator)?.rate - 3.0).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn spectral_gap<const D: usize>(generator: &Generator<D>) -> Result<SpectralGap> {
    match plain_gap(generator)? {
        Ok(gap) => Ok(gap),
        Err(Refusal::Imbalance(value)) => Err(Error::InvalidParameter {
            name: IMBALANCE.into(),
            value,
            requirement: "this gap is defined for detailed balance; slow_modes serves any generator".into(),
        }),
        Err(refusal) => subtraction_free(generator, Factorisation::SubtractionFree(refusal)),
    }
}

/// Name of the quantity with which [`spectral_gap`] refuses a generator: max |ln(P_i r_ij) − ln(P_j r_ji)|.
pub const IMBALANCE: &str = "imbalance of the rates";

fn subtraction_free<const D: usize>(
    generator: &Generator<D>,
    factorisation: Factorisation,
) -> Result<SpectralGap> {
    let log = log_stationary_probability(generator)?;
    let pi: Vec<f64> = log.iter().map(|l| l.exp()).collect();
    let pinned = generator.resolvent_without(most_probable(&log))?;
    let start: Vec<f64> = (0..pi.len()).map(|i| generator.grid().centre(i)[0]).collect();
    let step = |f: &[f64]| {
        let mut next = pinned.solve(f)?;
        project(&mut next, &pi);
        let estimate = inner(&next, f, &pi) / inner(&next, &next, &pi);
        Ok((next, estimate))
    };
    let (rate, eigenfunction, iterations, residual) = inverse_iteration(start, &pi, step)?;
    Ok(SpectralGap {
        rate,
        eigenfunction,
        iterations,
        residual,
        factorisation,
    })
}

/// Iterates `step`, which returns the next function and its estimate of the rate, until the rate stands still.
pub(super) fn inverse_iteration(
    start: Vec<f64>,
    pi: &[f64],
    mut step: impl FnMut(&[f64]) -> Result<(Vec<f64>, f64)>,
) -> Result<(f64, Vec<f64>, usize, f64)> {
    const MOST: usize = 500;
    // Rounding of sums over N cells; the quotient's own error at that change is far smaller.
    let tolerance = 4.0 * f64::EPSILON * (pi.len() as f64).sqrt();
    let mut f = start;
    normalise(&mut f, pi);
    let (mut rate, mut residual) = (f64::INFINITY, f64::INFINITY);
    for iterations in 1..=MOST {
        let (next, estimate) = step(&f)?;
        f = next;
        normalise(&mut f, pi);
        residual = (estimate / rate - 1.0).abs();
        rate = estimate;
        if residual < tolerance {
            return Ok((rate, f, iterations, residual));
        }
    }
    Err(Error::NotConverged {
        method: "inverse iteration".into(),
        iterations: MOST,
        residual,
        tolerance,
    })
}

pub(super) fn most_probable(log: &[f64]) -> usize {
    (0..log.len())
        .max_by(|&a, &b| log[a].total_cmp(&log[b]))
        .unwrap_or(0)
}

pub(super) fn inner(a: &[f64], b: &[f64], pi: &[f64]) -> f64 {
    a.iter().zip(b).zip(pi).map(|((a, b), p)| a * b * p).sum()
}

pub(super) fn project(f: &mut [f64], pi: &[f64]) {
    let mean: f64 = f.iter().zip(pi).map(|(f, p)| f * p).sum();
    f.iter_mut().for_each(|v| *v -= mean);
}

fn normalise(f: &mut [f64], pi: &[f64]) {
    project(f, pi);
    let norm = inner(f, f, pi).sqrt();
    f.iter_mut().for_each(|v| *v /= norm);
}
