//! The action of a given path.

use super::Path;
use super::segment::Metric;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require};

/// Freidlin-Wentzell action S_T of a path that passes its points at the given times.
///
/// # Formula
/// S_T = (1/4) ∫ (φ̇ − b)ᵀ D⁻¹ (φ̇ − b) dt; the probability of a tube around φ is exp(−S_T) to leading order in D.
///
/// # Units
/// Dimensionless; D as given stands in it, see [`crate::path`] for the literature's S_FW.
///
/// # Method
/// Straight pieces of constant velocity, b and D at their middles: O(Δt²).
///
/// # Errors
/// [`Error::DimensionMismatch`] unless there is a time for each point, [`Error::InvalidParameter`] for times that do not increase,
/// [`Error::NotPositive`] where D has no inverse, [`Error::NotFinite`].
///
/// # References
/// M. I. Freidlin and A. D. Wentzell, Random Perturbations of Dynamical Systems, 2nd ed. (1998), ch. 3 and 5.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::math::Point;
/// use freezeout::path::{Path, time_action};
/// // Staying at 1 for a time 2 against the drift −3: (1/4) 3²/D · 2.
/// let ou = OrnsteinUhlenbeck::new(3.0, 0.0, 0.5)?;
/// let path = Path::straight(Point::<1>::new(1.0), Point::<1>::new(1.0 + 1e-9), 1)?;
/// assert!((time_action(&ou, &path, &[0.0, 2.0])? - 9.0).abs() < 1e-7);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn time_action<const D: usize>(
    diffusion: &impl Diffusion<D>,
    path: &Path<D>,
    times: &[f64],
) -> Result<f64> {
    if times.len() != path.points().len() {
        return Err(Error::DimensionMismatch {
            name: "times of the path".into(),
            expected: path.points().len(),
            got: times.len(),
        });
    }
    let mut sum = 0.0;
    for (pair, time) in path.points().windows(2).zip(times.windows(2)) {
        let duration = require(
            "duration of a piece",
            time[1] - time[0],
            |t| t > 0.0,
            "times must increase",
        )?;
        let Metric { drift, inverse } = Metric::at(diffusion, &((pair[0] + pair[1]) * 0.5))?;
        let excess = (pair[1] - pair[0]) / duration - drift;
        sum += 0.25 * duration * excess.dot(&(inverse * excess));
    }
    Ok(sum)
}

/// Geometric action Ŝ of a path: S_T at the best times, |φ̇| = |b|.
///
/// # Formula
/// Ŝ = (1/2) ∫ (|φ'| |b| − <φ', b>) ds with <u, v> = uᵀ D⁻¹ v; independent of the parametrisation, and zero downstream.
///
/// # Units
/// Dimensionless, as [`time_action`].
///
/// # Method
/// Straight pieces with b and D at their middles: O(h²).
///
/// # Errors
/// [`Error::NotPositive`] where D has no inverse, [`Error::NotFinite`].
///
/// # References
/// M. Heymann and E. Vanden-Eijnden, Commun. Pure Appl. Math. 61, 1052 (2008).
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::math::Point;
/// use freezeout::path::{Path, geometric_action};
/// // ΔL/D with L = 3 x²/2, and nothing on the way back.
/// let ou = OrnsteinUhlenbeck::new(3.0, 0.0, 0.5)?;
/// let (low, high) = (Point::<1>::new(0.0), Point::<1>::new(2.0));
/// assert!((geometric_action(&ou, &Path::straight(low, high, 50)?)? - 12.0).abs() < 1e-12);
/// assert!(geometric_action(&ou, &Path::straight(high, low, 50)?)?.abs() < 1e-14);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn geometric_action<const D: usize>(diffusion: &impl Diffusion<D>, path: &Path<D>) -> Result<f64> {
    path.points().windows(2).try_fold(0.0, |sum, pair| {
        let Metric { drift, inverse } = Metric::at(diffusion, &((pair[0] + pair[1]) * 0.5))?;
        let delta = pair[1] - pair[0];
        let (lower_delta, lower_drift) = (inverse * delta, inverse * drift);
        let product = (delta.dot(&lower_delta) * drift.dot(&lower_drift))
            .max(0.0)
            .sqrt();
        Ok(sum + 0.5 * (product - delta.dot(&lower_drift)))
    })
}
