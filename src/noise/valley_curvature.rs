//! Noise that follows the curvature of the valley that one is in, over a rounded ridge.

use super::GradientNoise;
use crate::error::{Result, require_non_negative, require_positive};
use crate::landscape::RoundedRidge;
use crate::math::{Point, Tensor};

/// C = scale · H_valley^p with [`RoundedRidge::valley_curvature`]: positive on the ridge, where the curvature of the loss is not.
///
/// # Examples
/// ```
/// use freezeout::landscape::{RoundedRidge, TwoValley};
/// use freezeout::math::Point;
/// use freezeout::noise::{GradientNoise, ValleyCurvature};
/// let ridge = RoundedRidge::new(TwoValley::default(), 5.0, 0.01)?;
/// let noise = ValleyCurvature::new(ridge, 1.0, 2.0)?;
/// assert!((noise.covariance(&Point::<1>::new(1.0))[0] - 2.0 * 6.125).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValleyCurvature {
    landscape: RoundedRidge,
    power: f64,
    scale: f64,
}

impl ValleyCurvature {
    /// The noise of power p ≥ 0 and scale > 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for a parameter out of range.
    pub fn new(landscape: RoundedRidge, power: f64, scale: f64) -> Result<Self> {
        Ok(Self {
            landscape,
            power: require_non_negative("power", power)?,
            scale: require_positive("scale", scale)?,
        })
    }
}

impl GradientNoise<1> for ValleyCurvature {
    fn covariance(&self, theta: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.scale * self.landscape.valley_curvature(theta[0]).powf(self.power))
    }
}
