//! The noise-free motion dθ/dt = b(θ).

use super::{Diffusion, Equilibrium, drift_jacobian};
use crate::error::{Error, Result};
use crate::math::Point;

/// Distance to an attractor at which the motion has arrived, in units of the size of the domain.
pub const ARRIVAL: f64 = 1e-3;

/// Where dθ/dt = b comes to rest, or arrives near one of the known `attractors`; none if it does neither.
///
/// `size` is the scale of the domain: the motion has arrived within [`ARRIVAL`] of it, and is lost a thousand sizes away.
///
/// # Method
/// Bogacki-Shampine steps of order 3(2), each accurate to 1e-5 of the size of the domain: an error that moves the edge of a basin by less.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Sgd, noise_free_limit};
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 0.1)?;
/// let end = noise_free_limit(&sgd, Point::<1>::new(0.2), 3.0, &[]);
/// assert!(end.is_some_and(|theta| (theta[0] - 1.0).abs() < 1e-3));
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn noise_free_limit<const D: usize>(
    diffusion: &(impl Diffusion<D> + ?Sized),
    start: Point<D>,
    size: f64,
    attractors: &[Point<D>],
) -> Option<Point<D>> {
    const MOST: usize = 50_000;
    /// Steps, each up to four times as long as the one before, that a path cannot spend in a small ball unless it rests there.
    const RESTING: usize = 400;
    let tolerance = 1e-5 * size;
    let mut theta = start;
    let mut slope = diffusion.drift(&theta);
    let fastest = slope.norm();
    if fastest == 0.0 {
        return Some(theta);
    }
    // near an equilibrium the drift, which may be rounding, says nothing about how long a step may be
    let rate = drift_jacobian(diffusion, &start, &Point::<D>::repeat(1e-5 * size)).norm();
    let longest = if rate > 0.0 { 1.0 / rate } else { f64::INFINITY };
    let mut dt = (1e-2 * size / fastest).min(longest);
    let (mut resting, mut anchor) = (0, theta);
    for _ in 0..MOST {
        if attractors.iter().any(|a| (theta - a).norm() <= ARRIVAL * size) {
            return Some(theta);
        }
        let second = diffusion.drift(&(theta + slope * (0.5 * dt)));
        let third = diffusion.drift(&(theta + second * (0.75 * dt)));
        let next = theta + (slope * 2.0 + second * 3.0 + third * 4.0) * (dt / 9.0);
        let fourth = diffusion.drift(&next);
        let error = (slope * (-5.0 / 72.0) + second / 12.0 + third / 9.0 - fourth / 8.0).norm() * dt;
        if !error.is_finite() {
            if dt < 1e-12 * (size / fastest).min(longest) {
                return None;
            }
            dt *= 0.1;
            continue;
        }
        let factor = (0.9 * (tolerance / error.max(f64::MIN_POSITIVE)).cbrt()).clamp(0.2, 4.0);
        if error <= tolerance {
            theta = next;
            slope = fourth;
            resting += 1;
            if (theta - anchor).norm() > ARRIVAL * size {
                (resting, anchor) = (0, theta);
            }
            if resting >= RESTING || slope.norm() == 0.0 {
                return Some(theta);
            }
            if (theta - start).norm() > 1e3 * size {
                return None;
            }
        }
        dt *= factor;
    }
    None
}

/// Checks that the map θ + ηb(θ) comes to rest at the attractor towards which the noise-free motion goes from `start`.
///
/// `size` is the scale of the domain. Where the motion comes to rest nowhere there is nothing to check.
///
/// # Formula
/// |1 + ηλ| < 1 for every eigenvalue λ of ∂b there; ηH < 2 for a loss.
///
/// # Errors
/// [`Error::Unstable`] when the iteration diverges from the attractor.
pub fn check_map_stability<const D: usize>(
    diffusion: &(impl Diffusion<D> + ?Sized),
    learning_rate: f64,
    start: Point<D>,
    size: f64,
) -> Result<()> {
    let Some(rest) = noise_free_limit(diffusion, start, size, &[]) else {
        return Ok(());
    };
    let Some(attractor) = Equilibrium::near(diffusion, rest, size, 0.1 * size) else {
        return Ok(());
    };
    let rates = attractor.rates();
    let diverges =
        // |1 + ηλ| ≥ 1 without the 1, beside which short steps would be lost
        |rate: &&nalgebra::Complex<f64>| learning_rate * rate.norm_sqr() >= -2.0 * rate.re && rate.re < 0.0;
    let Some(rate) = rates.iter().find(diverges) else {
        return Ok(());
    };
    let position: Vec<String> = attractor.position.iter().map(|v| format!("{v:.4}")).collect();
    Err(Error::Unstable {
        product: learning_rate * rate.norm(),
        position: format!("({})", position.join(", ")),
        // |1 + ηλ| = 1 at η = −2 Re λ/|λ|²
        limit: -2.0 * rate.re / rate.norm_sqr(),
    })
}
