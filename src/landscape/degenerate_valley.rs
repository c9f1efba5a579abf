//! A valley whose floor is flat and whose width changes along it.

use super::Landscape;
use crate::error::{Result, require_non_negative};
use crate::math::{Formula, Point, Tensor};

/// L(x, y) = x²/(2 F(y)²) + k y²/2: a continuous line of minima x = 0 of curvature 1/F² (for k = 0).
///
/// # Formula
/// With D = diag(D_xx(y), D_yy(y)) the fast x is N(0, D_xx F²), its mean force along y is D_xx F'/F, and in the Ito sense
///
/// ```text
/// dy = (D_xx F'/F − k y) dt + sqrt(2 D_yy) dW,
/// P(y) ∝ D_yy⁻¹ exp ∫ (D_xx F'/F − k y)/D_yy dy.
/// ```
///
/// For constant C = diag(κ, 1)·c and k = 0 this is P(y) ∝ F(y)^κ; isotropic noise (κ = 1) gives the Gibbs law P ∝ F at any
/// strength. For Hessian-aligned noise with a floor, D_xx ≈ Δ/F² ≫ D_yy = ε, P ∝ exp(−Δ/(2εF²)).
///
/// # Method
/// The law is the limit of a fast x: D_xx F'² ≪ 1, with corrections of first order in it; x relaxes within F², y needs
/// (F/F')²/D_yy. For k > 0 also k F² ≪ 1.
///
/// F is a formula in y, positive where it is used: at a zero of F the loss is not finite, and assembly refuses it.
///
/// # References
/// N. Yang, C. Tang and Y. Tu, Phys. Rev. Lett. 130, 237101 (2023).
///
/// # Examples
/// ```
/// use freezeout::landscape::{DegenerateValley, Landscape};
/// use freezeout::math::{Formula, Point};
/// use std::collections::BTreeMap;
/// let width = Formula::<1>::parse("1 + y^2", &["y"], &BTreeMap::new())?;
/// let valley = DegenerateValley::new(width, 0.0)?;
/// assert_eq!(valley.loss(&Point::<2>::new(2.0, 1.0)), 0.5);
/// assert_eq!(valley.hessian(&Point::<2>::new(0.0, 1.0))[(0, 0)], 0.25);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DegenerateValley {
    width: Formula<1>,
    confinement: f64,
}

impl DegenerateValley {
    /// Valley of the given `width` F(y) and `confinement` k ≥ 0 along y.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when k is negative or not finite.
    pub fn new(width: Formula<1>, confinement: f64) -> Result<Self> {
        Ok(Self {
            width,
            confinement: require_non_negative("confinement", confinement)?,
        })
    }

    /// 1/(2F²) and its two derivatives in y.
    fn half_curvature(&self, y: f64) -> [f64; 3] {
        let (f, first, second) = self.width.derivatives(&Point::<1>::new(y));
        let (first, second) = (first[0], second[0]);
        let square = f * f;
        [
            0.5 / square,
            -first / (square * f),
            (3.0 * first * first / f - second) / (square * f),
        ]
    }
}

impl Landscape<2> for DegenerateValley {
    fn loss(&self, theta: &Point<2>) -> f64 {
        let u = theta[0] / self.width.value(&Point::<1>::new(theta[1]));
        0.5 * u * u + 0.5 * self.confinement * theta[1] * theta[1]
    }
    fn gradient(&self, theta: &Point<2>) -> Point<2> {
        let (x, y) = (theta[0], theta[1]);
        let [g, first, _] = self.half_curvature(y);
        Point::<2>::new(2.0 * x * g, x * x * first + self.confinement * y)
    }
    fn hessian(&self, theta: &Point<2>) -> Tensor<2> {
        let (x, y) = (theta[0], theta[1]);
        let [g, first, second] = self.half_curvature(y);
        let cross = 2.0 * x * first;
        Tensor::<2>::new(2.0 * g, cross, cross, x * x * second + self.confinement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Expression;
    use std::collections::BTreeMap;

    #[test]
    fn derivatives_are_those_of_the_same_loss_written_out() {
        let none = BTreeMap::new();
        let width = Formula::<1>::parse("1 + 0.4*sin(y)", &["y"], &none).unwrap();
        let valley = DegenerateValley::new(width, 0.3).unwrap();
        let text = "x^2/(2*(1 + 0.4*sin(y))^2) + 0.15*y^2";
        let written = Expression::<2>::new(text, &["x", "y"], &none, vec![]).unwrap();
        for (x, y) in [(0.0, 0.0), (0.7, -1.1), (-2.0, 2.5)] {
            let theta = Point::<2>::new(x, y);
            // Two orders of the same dozen operations on numbers up to 30.
            assert!((valley.loss(&theta) - written.loss(&theta)).abs() < 1e-13);
            assert!((valley.gradient(&theta) - written.gradient(&theta)).amax() < 1e-12);
            assert!((valley.hessian(&theta) - written.hessian(&theta)).amax() < 1e-12);
        }
    }

    #[test]
    fn a_zero_of_the_width_is_not_finite() {
        let width = Formula::<1>::parse("y", &["y"], &BTreeMap::new()).unwrap();
        let valley = DegenerateValley::new(width.clone(), 0.0).unwrap();
        assert!(!valley.loss(&Point::<2>::new(0.1, 0.0)).is_finite());
        assert!(DegenerateValley::new(width, -1.0).is_err());
    }
}
