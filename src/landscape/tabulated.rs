//! A loss known at the points of a table.

use super::{Kink, Landscape};
use crate::error::Result;
use crate::math::{Point, Spline, Tensor};

/// L(θ) by the C² cubic spline through a table; gradient and Hessian are exact derivatives of that spline.
///
/// # Method
/// See [`Spline`]: the loss has order 4 in the distance of the points, the gradient 3, the Hessian 2. Outside the table loss,
/// gradient and Hessian are NaN, so that a computation that leaves it ends with [`crate::Error::NotFinite`].
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, Tabulated};
/// use freezeout::math::Point;
/// let x: Vec<f64> = (0..=40).map(|k| -2.0 + 0.1 * f64::from(k)).collect();
/// let loss = x.iter().map(|x| 0.25 * (x * x - 1.0).powi(2)).collect();
/// let well = Tabulated::<1>::new([x], loss)?;
/// assert!((well.gradient(&Point::<1>::new(0.55))[0] - 0.55 * (0.55 * 0.55 - 1.0)).abs() < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tabulated<const D: usize> {
    spline: Spline<D>,
    kinks: Vec<Kink>,
}

impl<const D: usize> Tabulated<D> {
    /// The loss `values`, the last axis running fastest, at the points of `axes`.
    ///
    /// # Errors
    /// Those of [`Spline::new`].
    pub fn new(axes: [Vec<f64>; D], values: Vec<f64>) -> Result<Self> {
        Self::with_kinks(axes, values, Vec::new())
    }

    /// The same with kinks, on each of which the table has a point: a spline on either side, of the same orders as without.
    ///
    /// # Errors
    /// Those of [`Spline::meeting_at`].
    pub fn with_kinks(axes: [Vec<f64>; D], values: Vec<f64>, kinks: Vec<Kink>) -> Result<Self> {
        Ok(Self {
            spline: Spline::meeting_at(Kink::by_axis(&kinks), axes, values)?,
            kinks,
        })
    }
}

impl<const D: usize> Landscape<D> for Tabulated<D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.spline.value(theta)
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.spline.gradient(theta)
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        self.spline.derivatives(theta).2
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks.clone()
    }
}
