//! The mean of a loss over random displacements.

use super::{Kink, Landscape};
use crate::error::Result;
use crate::math::{GaussHermite, LANES, Lanes, Point, PointBlock, Tensor};

/// E L(θ + ξ) with ξ ~ N(0, S): the loss whose samples are displaced copies of L.
///
/// # Formula
/// The mean, its gradient E ∇L(θ + ξ) and its Hessian E Hess L(θ + ξ) by [`GaussHermite`]; for small S, L + S : Hess L/2.
///
/// # Method
/// With n points along a direction exact for polynomials L of degree 2n − 1. Across a kink of L the rule converges slowly (the mean itself is
/// smooth, the rule has kinks at the displaced positions, which are declared).
///
/// Belongs to [`crate::noise::RandomShift`]: noise and drift of the same samples.
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, Landscape, SmoothedLandscape};
/// use freezeout::math::{Point, Tensor};
/// // L = (x² − 1)²/4: E L = L + (3x² − 1) s/2 + 3 s²/4.
/// let mean = SmoothedLandscape::new(DoubleWell::new(0.25, 1.0)?, &Tensor::<1>::new(0.1), 4)?;
/// assert!((mean.gradient(&Point::<1>::new(0.5))[0] - (0.5_f64.powi(3) - 0.5 + 0.3 * 0.5)).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothedLandscape<L, const D: usize> {
    landscape: L,
    rule: GaussHermite<D>,
}

impl<const D: usize, L: Landscape<D>> SmoothedLandscape<L, D> {
    /// Mean over displacements of covariance S, with `points` = n along each principal axis of S.
    ///
    /// # Errors
    /// Those of [`GaussHermite::new`].
    pub fn new(landscape: L, covariance: &Tensor<D>, points: usize) -> Result<Self> {
        Ok(Self {
            landscape,
            rule: GaussHermite::new(covariance, points)?,
        })
    }
}

impl<const D: usize, L: Landscape<D>> Landscape<D> for SmoothedLandscape<L, D> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.rule
            .nodes()
            .map(|(xi, w)| w * self.landscape.loss(&(theta + xi)))
            .sum()
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.rule
            .nodes()
            .map(|(xi, w)| self.landscape.gradient(&(theta + xi)) * w)
            .sum()
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        self.rule
            .nodes()
            .map(|(xi, w)| self.landscape.hessian(&(theta + xi)) * w)
            .sum()
    }
    fn loss_block(&self, points: &PointBlock<D>, loss: &mut Lanes) {
        let mut at_node = [0.0; LANES];
        *loss = at_node;
        for (xi, weight) in self.rule.nodes() {
            self.landscape.loss_block(&points.displaced(xi), &mut at_node);
            add(loss, &at_node, weight);
        }
    }
    fn gradient_block(&self, points: &PointBlock<D>, gradient: &mut [Lanes; D]) {
        let mut at_node = [[0.0; LANES]; D];
        *gradient = at_node;
        for (xi, weight) in self.rule.nodes() {
            self.landscape.gradient_block(&points.displaced(xi), &mut at_node);
            add(gradient.as_flattened_mut(), at_node.as_flattened(), weight);
        }
    }
    fn hessian_block(&self, points: &PointBlock<D>, hessian: &mut [[Lanes; D]; D]) {
        let mut at_node = [[[0.0; LANES]; D]; D];
        *hessian = at_node;
        for (xi, weight) in self.rule.nodes() {
            self.landscape.hessian_block(&points.displaced(xi), &mut at_node);
            let sums = hessian.as_flattened_mut().as_flattened_mut();
            add(sums, at_node.as_flattened().as_flattened(), weight);
        }
    }
    fn kinks(&self) -> Vec<Kink> {
        let displaced = |kink: Kink| {
            self.rule.nodes().map(move |(xi, _)| Kink {
                axis: kink.axis,
                position: kink.position - xi[kink.axis],
            })
        };
        self.landscape.kinks().into_iter().flat_map(displaced).collect()
    }
}
/// sums += weight · values.
fn add(sums: &mut [f64], values: &[f64], weight: f64) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value * weight;
    }
}
