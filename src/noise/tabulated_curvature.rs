//! Noise that follows a curvature known at the points of a table.

use super::GradientNoise;
use crate::error::{Result, require_non_negative, require_positive};
use crate::landscape::Kink;
use crate::math::{Point, Spline, Tensor};

/// C(θ) = s h₊(θ)^p + ε along the first variable, h the curvature ∂²L/∂x² by a C² cubic spline through its table; no noise along the others.
///
/// # Method
/// See [`Spline`]; NaN outside the table. The spline is clipped, not the table: h changes its sign between points, where a spline through
/// clipped values would ring.
///
/// # Examples
/// ```
/// use freezeout::math::Point;
/// use freezeout::noise::{GradientNoise, TabulatedCurvature};
/// let x: Vec<f64> = (-4..5).map(f64::from).collect();
/// let h: Vec<f64> = x.iter().map(|x| 3.0 * x * x - 1.0).collect();
/// let noise = TabulatedCurvature::<1>::new([x], h, 1.0, 2.0, 0.1)?;
/// let at = |x: f64| noise.covariance(&Point::<1>::new(x))[0];
/// assert!((at(0.7) - (2.0 * (3.0 * 0.49 - 1.0) + 0.1)).abs() < 1e-13);
/// assert_eq!(at(0.5), 0.1);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TabulatedCurvature<const D: usize> {
    curvature: Spline<D>,
    power: f64,
    strength: f64,
    floor: f64,
}

impl<const D: usize> TabulatedCurvature<D> {
    /// Noise of the `curvature` h at the points of the axes, the last running fastest, with exponent p ≥ 0, factor s > 0 and floor ε ≥ 0.
    ///
    /// # Errors
    /// Those of [`Spline::new`]; [`crate::Error::InvalidParameter`] naming the number that is out of range.
    pub fn new(
        axes: [Vec<f64>; D],
        curvature: Vec<f64>,
        power: f64,
        strength: f64,
        floor: f64,
    ) -> Result<Self> {
        Self::with_kinks(axes, curvature, [power, strength, floor], &[])
    }

    /// The same from exponent, factor and floor, with kinks of the loss, on which the curvature may jump: splines on either side. What the
    /// table says on a kink itself is not used.
    ///
    /// # Errors
    /// Those of [`TabulatedCurvature::new`] and [`Spline::jumping_at`].
    pub fn with_kinks(
        axes: [Vec<f64>; D],
        curvature: Vec<f64>,
        [power, strength, floor]: [f64; 3],
        kinks: &[Kink],
    ) -> Result<Self> {
        Ok(Self {
            curvature: Spline::jumping_at(Kink::by_axis(kinks), axes, curvature)?,
            power: require_non_negative("power", power)?,
            strength: require_positive("strength", strength)?,
            floor: require_non_negative("floor", floor)?,
        })
    }
}

impl<const D: usize> GradientNoise<D> for TabulatedCurvature<D> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        let h = self.curvature.value(theta);
        // max would make a number of NaN
        let clipped = if h < 0.0 { 0.0 } else { h };
        let mut covariance = Tensor::<D>::zeros();
        covariance[(0, 0)] = self.strength * clipped.powf(self.power) + self.floor;
        covariance
    }
}
