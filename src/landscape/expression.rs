//! A loss written as a formula.

use super::{Kink, Landscape};
use crate::error::{Error, Result};
use crate::math::formula::{Formula, Tape};
use crate::math::{Lanes, Point, PointBlock, Tensor};
use std::collections::BTreeMap;

/// L(θ) given as text in named variables and parameters.
///
/// # Method
/// Gradient and Hessian are exact derivatives of the text; the surfaces on which they jump (abs, min, max, if) are declared.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Expression, Landscape};
/// use freezeout::math::Point;
/// use std::collections::BTreeMap;
/// let parameters = BTreeMap::from([("barrier".to_string(), 0.25)]);
/// let well = Expression::<1>::new("barrier*(x^2 - 1)^2", &["x"], &parameters, vec![])?;
/// assert_eq!(well.loss(&Point::<1>::new(0.0)), 0.25);
/// assert_eq!(well.hessian(&Point::<1>::new(1.0))[0], 2.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression<const D: usize> {
    formula: Formula<D>,
    loss: Tape<D>,
    gradient: Tape<D>,
    hessian: Tape<D>,
    kinks: Vec<Kink>,
}

impl<const D: usize> Expression<D> {
    /// The loss `text` with its declared kinks.
    ///
    /// # Errors
    /// Those of [`Formula::parse`]; [`Error::InvalidParameter`] for a kink on an axis that does not exist or at a position that is not finite.
    pub fn new(
        text: &str,
        variables: &[&str; D],
        parameters: &BTreeMap<String, f64>,
        kinks: Vec<Kink>,
    ) -> Result<Self> {
        if let Some(kink) = kinks.iter().find(|k| k.axis >= D || !k.position.is_finite()) {
            return Err(Error::InvalidParameter {
                name: format!("kink on axis {}", kink.axis),
                value: kink.position,
                requirement: format!("an axis below {D} and a finite position are needed"),
            });
        }
        let formula = Formula::parse(text, variables, parameters)?;
        Ok(Self {
            loss: Tape::values([&formula]),
            gradient: Tape::gradient(&formula),
            hessian: Tape::hessian(&formula),
            formula,
            kinks,
        })
    }
}

impl<const D: usize> Landscape<D> for Expression<D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.formula.value(theta)
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.formula.gradient(theta)
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        self.formula.derivatives(theta).2
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks.clone()
    }
    fn loss_block(&self, points: &PointBlock<D>, loss: &mut Lanes) {
        self.loss.evaluate(points, [loss]);
    }
    fn gradient_block(&self, points: &PointBlock<D>, gradient: &mut [Lanes; D]) {
        self.gradient.evaluate(points, gradient);
    }
    fn hessian_block(&self, points: &PointBlock<D>, hessian: &mut [[Lanes; D]; D]) {
        self.hessian.evaluate(points, hessian.as_flattened_mut());
    }
}
