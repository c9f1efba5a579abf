//! Noise of equal strength in all directions.

use super::GradientNoise;
use crate::error::{Result, require_non_negative};
use crate::math::{LANES, Lanes, Point, PointBlock, Tensor};

/// C = c I.
///
/// # Examples
/// ```
/// use freezeout::math::{Point, Tensor};
/// use freezeout::noise::{GradientNoise, Isotropic};
/// let noise = Isotropic::new(0.5)?;
/// assert_eq!(noise.covariance(&Point::<2>::zeros()), Tensor::<2>::identity() * 0.5);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Isotropic {
    variance: f64,
}

impl Isotropic {
    /// Isotropic noise with variance c ≥ 0 per component.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when c is negative or not finite.
    pub fn new(variance: f64) -> Result<Self> {
        Ok(Self {
            variance: require_non_negative("variance", variance)?,
        })
    }
}

impl<const D: usize> GradientNoise<D> for Isotropic {
    fn covariance(&self, _theta: &Point<D>) -> Tensor<D> {
        Tensor::<D>::identity() * self.variance
    }
    fn covariance_block(&self, _points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        for r in 0..D {
            for c in 0..D {
                covariance[r][c] = [if r == c { self.variance } else { 0.0 }; LANES];
            }
        }
    }
}
