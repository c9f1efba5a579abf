//! Stationary law L*P = 0 and effective potential Φ = −ln p.

use crate::error::Result;
use crate::generator::Generator;

/// ln P_i of the stationary cell probabilities, normalised.
///
/// # Method
/// Detailed balance along the chain; logarithms, because weights below e^−745 underflow.
///
/// # Errors
/// As [`crate::linalg::Chain::log_stationary`].
pub fn log_stationary_probability<const D: usize>(generator: &Generator<D>) -> Result<Vec<f64>> {
    generator.log_stationary()
}

/// Stationary probability of each cell; cells below 1e-308 are zero.
///
/// # Errors
/// As [`log_stationary_probability`].
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::stationary_probability;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-8.0, 8.0, 400)?]))?;
/// let p = stationary_probability(&generator)?;
/// let variance: f64 = p.iter().enumerate().map(|(i, p)| p * generator.grid().centre(i)[0].powi(2)).sum();
/// assert!((variance - 1.0).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn stationary_probability<const D: usize>(generator: &Generator<D>) -> Result<Vec<f64>> {
    Ok(log_stationary_probability(generator)?
        .into_iter()
        .map(f64::exp)
        .collect())
}

/// Φ_i = −ln p_i of the stationary density, with min Φ = 0.
///
/// # Units
/// In units of the effective temperature: a landscape under isotropic noise D = T has Φ = L/T + const.
///
/// # Errors
/// As [`log_stationary_probability`].
pub fn effective_potential<const D: usize>(generator: &Generator<D>) -> Result<Vec<f64>> {
    let mut phi: Vec<f64> = log_stationary_probability(generator)?
        .into_iter()
        .enumerate()
        .map(|(i, log)| generator.grid().volume(i).ln() - log)
        .collect();
    let lowest = phi.iter().copied().fold(f64::INFINITY, f64::min);
    phi.iter_mut().for_each(|v| *v -= lowest);
    Ok(phi)
}
