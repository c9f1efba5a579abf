//! The spectral gap: the slowest relaxation rate of a reversible generator.

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
}

/// Smallest non-zero eigenvalue of −L for a chain in detailed balance.
///
/// # Method
/// Inverse iteration on functions of zero stationary mean: one cell (the most probable) is pinned to zero, the
/// pinned operator is eliminated without subtraction, and the mean is projected out. The Rayleigh quotient in the
/// stationary inner product converges like (λ1/λ2)²ⁿ.
///
/// # Errors
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
    const MOST: usize = 500;
    // Rounding of sums over N cells; the quotient's own error at that change is far smaller.
    let tolerance = 4.0 * f64::EPSILON * (generator.grid().cells() as f64).sqrt();
    let log = log_stationary_probability(generator)?;
    let pin = (0..log.len())
        .max_by(|&a, &b| log[a].total_cmp(&log[b]))
        .unwrap_or(0);
    let pi: Vec<f64> = log.iter().map(|l| l.exp()).collect();
    let pinned = generator.resolvent_without(pin)?;
    let mut f: Vec<f64> = (0..pi.len()).map(|i| generator.grid().centre(i)[0]).collect();
    normalise(&mut f, &pi);
    let (mut rate, mut residual) = (f64::INFINITY, f64::INFINITY);
    for iterations in 1..=MOST {
        let mut next = pinned.solve(&f)?;
        project(&mut next, &pi);
        let (overlap, norm) = (inner(&next, &f, &pi), inner(&next, &next, &pi));
        let estimate = overlap / norm;
        f = next;
        normalise(&mut f, &pi);
        residual = (estimate / rate - 1.0).abs();
        rate = estimate;
        if residual < tolerance {
            return Ok(SpectralGap {
                rate,
                eigenfunction: f,
                iterations,
                residual,
            });
        }
    }
    Err(Error::NotConverged {
        method: "inverse iteration".into(),
        iterations: MOST,
        residual,
        tolerance,
    })
}

fn inner(a: &[f64], b: &[f64], pi: &[f64]) -> f64 {
    a.iter().zip(b).zip(pi).map(|((a, b), p)| a * b * p).sum()
}

fn project(f: &mut [f64], pi: &[f64]) {
    let mean: f64 = f.iter().zip(pi).map(|(f, p)| f * p).sum();
    f.iter_mut().for_each(|v| *v -= mean);
}

fn normalise(f: &mut [f64], pi: &[f64]) {
    project(f, pi);
    let norm = inner(f, f, pi).sqrt();
    f.iter_mut().for_each(|v| *v /= norm);
}
