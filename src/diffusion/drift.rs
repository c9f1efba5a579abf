//! Drifts that are given as functions or as formulas.

use crate::error::Result;
use crate::math::formula::{Formula, Tape};
use crate::math::{Lanes, Point, PointBlock};
use std::collections::BTreeMap;

/// A drift b(θ); every function of a point is one.
pub trait Drift<const D: usize>: Sync {
    /// b(θ).
    fn at(&self, theta: &Point<D>) -> Point<D>;
    /// b at the active points of a block, component by component; it may differ from that at single points in the last bits.
    fn at_block(&self, points: &PointBlock<D>, drift: &mut [Lanes; D]) {
        points.write(drift, |theta| self.at(theta));
    }
}

impl<const D: usize, F: Fn(&Point<D>) -> Point<D> + Sync> Drift<D> for F {
    fn at(&self, theta: &Point<D>) -> Point<D> {
        self(theta)
    }
}

/// A drift with each component given as text.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Drift, DriftExpression};
/// use freezeout::math::Point;
/// use std::collections::BTreeMap;
/// let swirl = DriftExpression::<2>::new(&["-x - y", "x - y"], &["x", "y"], &BTreeMap::new())?;
/// assert_eq!(swirl.at(&Point::<2>::new(1.0, 0.0)), Point::<2>::new(-1.0, 1.0));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DriftExpression<const D: usize> {
    components: Vec<Formula<D>>,
    tape: Tape<D>,
}

impl<const D: usize> DriftExpression<D> {
    /// The drift whose components are `texts`.
    ///
    /// # Errors
    /// Those of [`Formula::parse`].
    pub fn new(texts: &[&str; D], variables: &[&str; D], parameters: &BTreeMap<String, f64>) -> Result<Self> {
        let parse = |text: &&str| Formula::parse(text, variables, parameters);
        let components: Vec<Formula<D>> = texts.iter().map(parse).collect::<Result<_>>()?;
        Ok(Self {
            tape: Tape::values(&components),
            components,
        })
    }
}

impl<const D: usize> Drift<D> for DriftExpression<D> {
    fn at(&self, theta: &Point<D>) -> Point<D> {
        Point::<D>::from_fn(|d, _| self.components[d].value(theta))
    }
    fn at_block(&self, points: &PointBlock<D>, drift: &mut [Lanes; D]) {
        self.tape.evaluate(points, drift);
    }
}
