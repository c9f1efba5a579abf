//! The noise-free motion dθ/dt = b(θ).

use super::Diffusion;
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
    let mut dt = 1e-2 * size / fastest;
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
            if dt < 1e-12 * size / fastest {
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
