//! The quadratic loss in any dimension, the exact twin of everything Gaussian.

use super::Landscape;
use crate::error::{Error, Result};
use crate::math::{Point, Tensor};

/// L(θ) = (θ − θ*)ᵀ H (θ − θ*)/2 with a constant symmetric Hessian H.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, Quadratic};
/// use freezeout::math::{Point, Tensor};
/// let bowl = Quadratic::<2>::new(Tensor::<2>::new(2.0, 0.5, 0.5, 1.0), Point::<2>::zeros())?;
/// assert_eq!(bowl.loss(&Point::<2>::new(1.0, 1.0)), 2.0);
/// assert_eq!(bowl.gradient(&Point::<2>::new(1.0, 0.0)), Point::<2>::new(2.0, 0.5));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quadratic<const D: usize> {
    hessian: Tensor<D>,
    minimum: Point<D>,
}

impl<const D: usize> Quadratic<D> {
    /// Quadratic loss with the given Hessian and stationary point.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when an entry is not finite or H is not symmetric.
    pub fn new(hessian: Tensor<D>, minimum: Point<D>) -> Result<Self> {
        let asymmetry = (hessian - hessian.transpose()).amax();
        if asymmetry != 0.0 || !hessian.iter().chain(minimum.iter()).all(|v| v.is_finite()) {
            return Err(Error::InvalidParameter {
                name: "hessian".into(),
                value: asymmetry,
                requirement:
                    "a finite symmetric matrix and a finite minimum are needed (the value is the asymmetry)"
                        .into(),
            });
        }
        Ok(Self { hessian, minimum })
    }
}

impl<const D: usize> Landscape<D> for Quadratic<D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        let r = theta - self.minimum;
        0.5 * r.dot(&(self.hessian * r))
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.hessian * (theta - self.minimum)
    }
    fn hessian(&self, _theta: &Point<D>) -> Tensor<D> {
        self.hessian
    }
}
