//! A covariance written as formulas.

use super::{GradientNoise, require_upper_triangle, symmetric};
use crate::error::Result;
use crate::math::formula::{Formula, Tape};
use crate::math::{Lanes, Point, PointBlock, Tensor};
use std::collections::BTreeMap;

/// C(θ) with each entry given as text.
///
/// # Method
/// The upper triangle is given, so that C is symmetric. Whether C is positive is known only where it is evaluated: assembly refuses a
/// place where it is not. Surfaces on which an entry jumps (abs, min, max, if) must be declared with the landscape.
///
/// # Examples
/// ```
/// use freezeout::math::Point;
/// use freezeout::noise::{Expression, GradientNoise};
/// use std::collections::BTreeMap;
/// let parameters = BTreeMap::from([("c".to_string(), 0.5)]);
/// let noise = Expression::<2>::new(&["1 + x^2", "c*x*y", "1 + y^2"], &["x", "y"], &parameters)?;
/// assert_eq!(noise.covariance(&Point::<2>::new(2.0, 3.0))[(1, 0)], 3.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression<const D: usize> {
    entries: Vec<Formula<D>>,
    /// All D² entries.
    matrix: Tape<D>,
}

impl<const D: usize> Expression<D> {
    /// The covariance whose upper triangle, row by row (C_xx, C_xy, C_yy in the plane), is `texts`.
    ///
    /// # Errors
    /// [`crate::Error::DimensionMismatch`] unless there are D(D + 1)/2 texts; those of [`Formula::parse`].
    pub fn new(texts: &[&str], variables: &[&str; D], parameters: &BTreeMap<String, f64>) -> Result<Self> {
        require_upper_triangle::<D>(texts.len())?;
        let entries: Vec<Formula<D>> = texts
            .iter()
            .map(|text| Formula::parse(text, variables, parameters))
            .collect::<Result<_>>()?;
        // row r of the triangle begins with its entry on the diagonal
        let place = |r: usize, c: usize| r * D - r * (r + 1) / 2 + c;
        let places = (0..D).flat_map(|r| (0..D).map(move |c| place(r.min(c), r.max(c))));
        let matrix = Tape::values(places.map(|place| &entries[place]));
        Ok(Self { entries, matrix })
    }
}

impl<const D: usize> GradientNoise<D> for Expression<D> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        symmetric(self.entries.iter().map(|entry| entry.value(theta)))
    }
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        self.matrix.evaluate(points, covariance.as_flattened_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_is_read_row_by_row_and_its_length_checked() {
        let none = BTreeMap::new();
        let names = ["x", "y", "z"];
        let noise = Expression::<3>::new(&["1", "2", "3", "4", "5", "6*x"], &names, &none).unwrap();
        let expected = Tensor::<3>::new(1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 12.0);
        assert_eq!(noise.covariance(&Point::<3>::new(2.0, 0.0, 0.0)), expected);
        assert!(Expression::<3>::new(&["1", "2"], &names, &none).is_err());
        let typo = Expression::<1>::new(&["1 + q"], &["x"], &none).unwrap_err();
        assert!(typo.to_string().contains("character 5"), "{typo}");
    }
}
