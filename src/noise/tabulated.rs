//! A covariance known at the points of a table.

use super::{GradientNoise, require_positive_semidefinite, require_upper_triangle, symmetric};
use crate::error::Result;
use crate::landscape::Kink;
use crate::math::{Point, Spline, Tensor};

/// C(θ) by C² cubic splines through tables of its entries.
///
/// # Method
/// See [`Spline`]: order 4 in the distance of the points, NaN outside the table. C must be positive semi-definite at every point of the
/// table; between points a spline may fall below its data where these vary within a cell, and assembly refuses such a place.
///
/// # Examples
/// ```
/// use freezeout::math::Point;
/// use freezeout::noise::{GradientNoise, Tabulated};
/// let x = vec![0.0, 1.0, 2.0, 3.0];
/// let noise = Tabulated::<1>::new([x], vec![vec![1.0, 2.0, 5.0, 10.0]])?; // 1 + x²
/// assert!((noise.covariance(&Point::<1>::new(1.5))[0] - 3.25).abs() < 1e-14);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tabulated<const D: usize> {
    entries: Vec<Spline<D>>,
}

impl<const D: usize> Tabulated<D> {
    /// The covariance whose upper triangle, row by row (C_xx, C_xy, C_yy in the plane), is tabulated in `entries`, each with the last axis
    /// running fastest.
    ///
    /// # Errors
    /// [`crate::Error::DimensionMismatch`] unless there are D(D + 1)/2 tables; those of [`Spline::new`];
    /// [`crate::Error::NotPositive`] naming the first point of the table at which C has a negative eigenvalue.
    pub fn new(axes: [Vec<f64>; D], entries: Vec<Vec<f64>>) -> Result<Self> {
        Self::with_kinks(axes, entries, &[])
    }

    /// The same with kinks of the loss, on which the covariance may jump: splines on either side, of the same order as without. What the
    /// tables say on a kink itself is not used.
    ///
    /// # Errors
    /// Those of [`Tabulated::new`] and [`Spline::jumping_at`].
    pub fn with_kinks(axes: [Vec<f64>; D], entries: Vec<Vec<f64>>, kinks: &[Kink]) -> Result<Self> {
        require_upper_triangle::<D>(entries.len())?;
        let entries: Vec<Spline<D>> = entries
            .into_iter()
            .map(|values| Spline::jumping_at(Kink::by_axis(kinks), axes.clone(), values))
            .collect::<Result<_>>()?;
        let noise = Self { entries };
        let points: usize = axes.iter().map(Vec::len).product();
        for entry in 0..points {
            let mut rest = entry;
            let mut theta = Point::<D>::zeros();
            for (d, axis) in axes.iter().enumerate().rev() {
                theta[d] = axis[rest % axis.len()];
                rest /= axis.len();
            }
            require_positive_semidefinite(&noise.covariance(&theta), &format!("{:?}", theta.as_slice()))?;
        }
        Ok(noise)
    }
}

impl<const D: usize> GradientNoise<D> for Tabulated<D> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        symmetric(self.entries.iter().map(|entry| entry.value(theta)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_not_positive_names_the_point() {
        let axes = [vec![0.0, 1.0, 2.0, 3.0], vec![0.0, 1.0, 2.0, 3.0]];
        let (ones, mut cross) = (vec![1.0; 16], vec![0.5; 16]);
        let noise =
            Tabulated::<2>::new(axes.clone(), vec![ones.clone(), cross.clone(), ones.clone()]).unwrap();
        let expected = Tensor::<2>::new(1.0, 0.5, 0.5, 1.0);
        let inside = noise.covariance(&Point::<2>::new(0.3, 2.9));
        assert!((inside - expected).amax() < 1e-15);
        assert!(noise.covariance(&Point::<2>::new(0.3, 3.1))[0].is_nan());
        cross[6] = 1.5;
        let error = Tabulated::<2>::new(axes.clone(), vec![ones.clone(), cross, ones.clone()]).unwrap_err();
        assert!(error.to_string().contains("[1.0, 2.0]"), "{error}");
        assert!(Tabulated::<2>::new(axes, vec![ones.clone(), ones]).is_err());
    }
}
