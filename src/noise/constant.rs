//! Noise that does not depend on the place.

use super::{GradientNoise, require_positive_semidefinite};
use crate::error::{Error, Result};
use crate::math::{LANES, Lanes, Point, PointBlock, Tensor};

/// C a constant matrix.
///
/// # Examples
/// ```
/// use freezeout::math::{Point, Tensor};
/// use freezeout::noise::{Constant, GradientNoise};
/// let noise = Constant::new(Tensor::<2>::new(2.0, 0.5, 0.5, 1.0))?;
/// assert_eq!(noise.covariance(&Point::<2>::zeros())[(0, 1)], 0.5);
/// assert!(Constant::new(Tensor::<2>::new(1.0, 2.0, 2.0, 1.0)).is_err()); // an eigenvalue is −1
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant<const D: usize> {
    covariance: Tensor<D>,
}

impl<const D: usize> Constant<D> {
    /// Noise of this covariance everywhere.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when C is not finite and symmetric, [`Error::NotPositive`] when it has a negative eigenvalue.
    pub fn new(covariance: Tensor<D>) -> Result<Self> {
        let asymmetry = (covariance - covariance.transpose()).amax();
        if asymmetry != 0.0 || !covariance.iter().all(|v| v.is_finite()) {
            return Err(Error::InvalidParameter {
                name: "covariance".into(),
                value: asymmetry,
                requirement: "a finite symmetric matrix is needed (the value is the asymmetry)".into(),
            });
        }
        require_positive_semidefinite(&covariance, "every θ")?;
        Ok(Self { covariance })
    }
}

impl<const D: usize> GradientNoise<D> for Constant<D> {
    fn covariance(&self, _theta: &Point<D>) -> Tensor<D> {
        self.covariance
    }
    fn covariance_block(&self, _points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        for r in 0..D {
            for c in 0..D {
                covariance[r][c] = [self.covariance[(r, c)]; LANES];
            }
        }
    }
}
