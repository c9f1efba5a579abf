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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::critical_point;

    #[test]
    fn five_dimensions_have_their_five_curvatures() {
        let curvatures = [0.5, 1.0, 2.0, 3.0, 7.0];
        let axis = Point::<5>::new(1.0, -1.0, 2.0, 0.5, 0.25).normalize();
        // A reflection is its own inverse and orthogonal.
        let turn = Tensor::<5>::identity() - axis * axis.transpose() * 2.0;
        let turned = turn * Tensor::<5>::from_diagonal(&Point::<5>::from(curvatures)) * turn;
        let hessian = (turned + turned.transpose()) * 0.5;
        let minimum = Point::<5>::new(0.1, 0.2, 0.3, 0.4, 0.5);
        let bowl = Quadratic::<5>::new(hessian, minimum).unwrap();
        let found = critical_point(&bowl, Point::<5>::zeros()).unwrap();
        // Rounding of a dozen operations of order ten.
        assert!((found.position - minimum).amax() < 1e-13);
        for (got, expected) in found.eigenvalues.iter().zip(curvatures) {
            assert!((got - expected).abs() < 1e-13);
        }
        let theta = minimum + turn.column(4);
        assert!((bowl.loss(&theta) - 3.5).abs() < 1e-13);
        assert!((bowl.gradient(&theta) - turn.column(4) * 7.0).amax() < 1e-13);
    }

    #[test]
    fn asymmetric_and_infinite_matrices_are_refused() {
        let zero = Point::<2>::zeros();
        assert!(Quadratic::new(Tensor::<2>::new(1.0, 0.1, 0.0, 1.0), zero).is_err());
        assert!(Quadratic::new(Tensor::<2>::new(f64::NAN, 0.0, 0.0, 1.0), zero).is_err());
        assert!(Quadratic::new(Tensor::<2>::identity(), Point::<2>::new(f64::INFINITY, 0.0)).is_err());
    }
}
