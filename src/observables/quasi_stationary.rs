//! The quasi-stationary law: how a process that has not yet reached a set is distributed, and its exit rate.

use crate::error::Result;
use crate::generator::{Generator, Resolvent};
use crate::grid::CellSet;
use crate::linalg::power_iteration;

/// Quasi-stationary law and exit rate; see [`quasi_stationary`].
#[derive(Debug, Clone, PartialEq)]
pub struct QuasiStationary {
    /// Cell probabilities, zero in the target.
    pub probability: Vec<f64>,
    /// Exit rate k in 1/time: survival decays as e^{−kt}.
    pub escape_rate: f64,
    /// Power iterations used.
    pub iterations: usize,
    /// Relative change of the rate in the last iteration.
    pub residual: f64,
}

/// The law ν with L*ν = −kν outside `target`, and the exit rate k.
///
/// # Method
/// Power iteration with (K − L*)⁻¹; the rate is the flux Σ ν_i K_i, a sum of positive terms, so that rates far below
/// rounding of the matrix come out with full relative accuracy. Converges like (k/λ1)ⁿ with the next eigenvalue λ1.
///
/// # Errors
/// [`crate::Error::Unreachable`], and [`crate::Error::NotConverged`] after 10 000 iterations.
///
/// # References
/// Collet, Martínez and San Martín 2013.
pub fn quasi_stationary<const D: usize>(
    generator: &Generator<D>,
    target: &CellSet,
) -> Result<QuasiStationary> {
    quasi_stationary_of(&generator.resolvent_outside(target)?)
}

/// [`quasi_stationary`] from the factorisation of the process that ends in the set, [`Generator::resolvent_outside`].
///
/// # Errors
/// As [`quasi_stationary`].
pub fn quasi_stationary_of(stopped: &Resolvent) -> Result<QuasiStationary> {
    const MOST: usize = 10_000;
    let cells = stopped.killing().len();
    // Changes below the rounding of sums over N cells cannot be told from convergence.
    let tolerance = 4.0 * f64::EPSILON * (cells as f64).sqrt();
    let share = 1.0 / stopped.cells().len() as f64;
    let mut nu = vec![0.0; cells];
    stopped.cells().iter().for_each(|&cell| nu[cell] = share);
    let found = power_iteration("quasi-stationary power iteration", nu, MOST, tolerance, |nu| {
        let mut next = stopped.solve_adjoint(nu)?;
        let mass: f64 = next.iter().sum();
        next.iter_mut().for_each(|v| *v /= mass);
        let rate = next.iter().zip(stopped.killing()).map(|(p, k)| p * k).sum();
        Ok((next, rate))
    })?;
    Ok(QuasiStationary {
        probability: found.vector,
        escape_rate: found.estimate,
        iterations: found.iterations,
        residual: found.residual,
    })
}
