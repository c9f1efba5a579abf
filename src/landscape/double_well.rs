//! The quartic double well, the exact twin of every escape computation.

use super::Landscape;
use crate::error::{Result, require_positive};
use crate::math::{Point, Tensor};

/// L(x) = ΔL ((x/a)² − 1)², minima at ±a, saddle at 0, barrier ΔL.
///
/// With ΔL = 1/4 and a = 1 this is x⁴/4 − x²/2 + 1/4, the standard test problem.
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, Landscape};
/// use freezeout::math::Point;
/// let well = DoubleWell::new(0.25, 1.0)?;
/// assert_eq!(well.loss(&Point::<1>::new(0.0)), 0.25);
/// assert_eq!(well.gradient(&Point::<1>::new(1.0))[0], 0.0);
/// assert_eq!(well.hessian(&Point::<1>::new(1.0))[0], 2.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleWell {
    barrier: f64,
    half_distance: f64,
}

impl DoubleWell {
    /// Double well with the given barrier ΔL > 0 and minima at ±`half_distance`.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when either is not positive and finite.
    pub fn new(barrier: f64, half_distance: f64) -> Result<Self> {
        Ok(Self {
            barrier: require_positive("barrier", barrier)?,
            half_distance: require_positive("half_distance", half_distance)?,
        })
    }
}

impl Landscape<1> for DoubleWell {
    fn loss(&self, theta: &Point<1>) -> f64 {
        let u = theta[0] / self.half_distance;
        self.barrier * (u * u - 1.0).powi(2)
    }
    fn gradient(&self, theta: &Point<1>) -> Point<1> {
        let u = theta[0] / self.half_distance;
        Point::<1>::new(4.0 * self.barrier / self.half_distance * u * (u * u - 1.0))
    }
    fn hessian(&self, theta: &Point<1>) -> Tensor<1> {
        let u = theta[0] / self.half_distance;
        Tensor::<1>::new(4.0 * self.barrier / (self.half_distance * self.half_distance) * (3.0 * u * u - 1.0))
    }
}
