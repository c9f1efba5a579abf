//! The two valleys at fixed y with their ridge rounded.

use super::{Kink, Landscape, Side, TwoValley};
use crate::error::{Result, require, require_non_negative};
use crate::math::{Point, Tensor};

/// The slice of [`TwoValley`] at fixed y, smooth on the ridge over a width w; the slice itself at w = 0.
///
/// # Formula
/// With the distance r = sqrt(x² + w²) in place of |x|, the slopes s_i = 2 x_i*/f_i and the weights m = (1 ± x/r)/2 of the two sides,
/// ```text
/// L = L0 + Σ m_i (x²/f_i − s_i r),      H_valley = Σ m_i 2/f_i
/// ```
/// Far from the ridge L and its valleys are those of the slice, the ridge is lower by w (s_1 + s_2)/2. H_valley is the curvature of the valley
/// that one is in, which the noise of the rounded model follows: the curvature of L itself is negative on the ridge, where C ∝ H₊ vanishes and
/// nothing crosses.
///
/// # Method
/// Valleys exist for w below both distances x_i*.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, RoundedRidge, Slice, TwoValley};
/// use freezeout::math::Point;
/// let sharp = Slice::new(TwoValley::default(), 5.0)?;
/// let ridge = RoundedRidge::new(TwoValley::default(), 5.0, 1e-3)?;
/// let at = |x: f64| Point::<1>::new(x);
/// assert!((ridge.loss(&at(0.1)) - sharp.loss(&at(0.1))).abs() < 1e-5);
/// assert!(ridge.loss(&at(0.0)) < sharp.loss(&at(0.0)) && ridge.gradient(&at(0.0))[0].abs() < 0.2);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundedRidge {
    /// L0, and 1/f_i, s_i of the flat and the sharp side.
    base: f64,
    sides: [[f64; 2]; 2],
    width: f64,
}

impl RoundedRidge {
    /// The slice of `model` at y > 0 with the ridge rounded over the width w.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] unless y > 0 and 0 ≤ w < x_i*.
    pub fn new(model: TwoValley, y: f64, width: f64) -> Result<Self> {
        require("y", y, |y| y > 0.0, "y > 0 is needed: the valleys merge at 0")?;
        require_non_negative("ridge_width", width)?;
        let [flat, sharp] =
            [Side::Flat, Side::Sharp].map(|side| (model.flatness(side, y), model.minimum(side, y).abs()));
        require(
            "ridge_width",
            width,
            |w| w < flat.1 && w < sharp.1,
            "it must be below the distance of both minima from the ridge",
        )?;
        Ok(Self {
            base: model.ridge_loss(y),
            sides: [flat, sharp].map(|(f, x)| [1.0 / f, 2.0 * x / f]),
            width,
        })
    }

    /// r, and the weights of the two sides with their first and second derivatives.
    fn weights(&self, x: f64) -> (f64, [f64; 2], f64, f64) {
        let r = x.hypot(self.width);
        if r == 0.0 {
            return (0.0, [0.5, 0.5], 0.0, 0.0);
        }
        let w2 = self.width * self.width;
        let odd = 0.5 * x / r;
        (
            r,
            [0.5 + odd, 0.5 - odd],
            0.5 * w2 / r.powi(3),
            -1.5 * w2 * x / r.powi(5),
        )
    }

    /// H_valley: the curvature of the valley, blended over the ridge.
    pub fn valley_curvature(&self, x: f64) -> f64 {
        let (_, weights, ..) = self.weights(x);
        2.0 * (weights[0] * self.sides[0][0] + weights[1] * self.sides[1][0])
    }
}

impl Landscape<1> for RoundedRidge {
    fn loss(&self, theta: &Point<1>) -> f64 {
        let x = theta[0];
        let (r, weights, ..) = self.weights(x);
        let side = |k: usize| weights[k] * (x * x * self.sides[k][0] - self.sides[k][1] * r);
        self.base + side(0) + side(1)
    }
    fn gradient(&self, theta: &Point<1>) -> Point<1> {
        let x = theta[0];
        let (r, weights, slope, _) = self.weights(x);
        let direction = if r > 0.0 { x / r } else { 0.0 };
        let side = |k: usize, sign: f64| {
            let [inverse, s] = self.sides[k];
            weights[k] * (2.0 * x * inverse - s * direction) + sign * slope * (x * x * inverse - s * r)
        };
        Point::<1>::new(side(0, 1.0) + side(1, -1.0))
    }
    fn hessian(&self, theta: &Point<1>) -> Tensor<1> {
        let x = theta[0];
        let (r, weights, slope, bend) = self.weights(x);
        let (direction, turn) = match r > 0.0 {
            true => (x / r, self.width * self.width / r.powi(3)),
            false => (0.0, 0.0),
        };
        let side = |k: usize, sign: f64| {
            let [inverse, s] = self.sides[k];
            weights[k] * (2.0 * inverse - s * turn)
                + 2.0 * sign * slope * (2.0 * x * inverse - s * direction)
                + sign * bend * (x * x * inverse - s * r)
        };
        Tensor::<1>::new(side(0, 1.0) + side(1, -1.0))
    }
    fn kinks(&self) -> Vec<Kink> {
        let on_ridge = Kink {
            axis: 0,
            position: 0.0,
        };
        if self.width == 0.0 {
            vec![on_ridge]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let ridge = RoundedRidge::new(TwoValley::default(), 5.0, 0.02).unwrap();
        let at = |x: f64| Point::<1>::new(x);
        let h = 1e-5;
        for x in [-0.15, -0.03, -0.004, 0.0, 0.01, 0.05, 0.2] {
            let slope = (ridge.loss(&at(x + h)) - ridge.loss(&at(x - h))) / (2.0 * h);
            assert!((ridge.gradient(&at(x))[0] - slope).abs() < 1e-7, "{x}");
            let curvature = (ridge.gradient(&at(x + h))[0] - ridge.gradient(&at(x - h))[0]) / (2.0 * h);
            assert!(
                (ridge.hessian(&at(x))[0] - curvature).abs() < 1e-4 * curvature.abs().max(1.0),
                "{x}"
            );
        }
        assert!(ridge.hessian(&at(0.0))[0] < 0.0 && ridge.valley_curvature(0.0) > 6.0);
    }

    #[test]
    fn widths_that_leave_no_valley_are_refused() {
        let of = |width| RoundedRidge::new(TwoValley::default(), 5.0, width);
        assert!(of(0.09).is_ok() && of(0.1).is_err() && of(-1.0).is_err() && of(f64::NAN).is_err());
        assert!(RoundedRidge::new(TwoValley::default(), 0.0, 0.0).is_err());
    }
}
