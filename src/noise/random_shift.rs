//! Noise of samples that are displaced copies of one landscape.

use super::GradientNoise;
use crate::error::{Result, require_non_negative};
use crate::landscape::Landscape;
use crate::math::{GaussHermite, LANES, Lanes, Point, PointBlock, Tensor};

/// C(θ) = Cov ∇L(θ + ξ) + ε I with ξ ~ N(0, S): the loss of a sample is L displaced by a Gaussian vector.
///
/// # Formula
/// C = E (g − E g)(g − E g)ᵀ + ε I, g = ∇L(θ + ξ). For small S this is H S H + ε I, for S = s I [`super::HessianPower`] with p = 2.
///
/// # Method
/// The mean gradient of such samples is E g, not ∇L: the drift belongs to [`crate::landscape::SmoothedLandscape`] with the same S and n, and
/// `Sgd<SmoothedLandscape<L, D>, RandomShift<L, D>>` is consistent. [`GaussHermite`] with n points along a direction is exact for polynomials L of
/// degree n, as g gᵀ has degree 2n − 2; the result is positive semi-definite for any n. Across a kink of L the rule converges slowly.
///
/// # References
/// N. Yang, C. Tang and Y. Tu, Phys. Rev. Lett. 130, 237101 (2023).
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, Sgd};
/// use freezeout::landscape::{DoubleWell, SmoothedLandscape};
/// use freezeout::math::{Point, Tensor};
/// use freezeout::noise::RandomShift;
/// let (well, shift) = (DoubleWell::new(0.25, 1.0)?, Tensor::<1>::new(0.01));
/// let sgd = Sgd::new(SmoothedLandscape::new(well, &shift, 4)?, RandomShift::new(well, &shift, 4, 0.0)?, 0.1, 1.0)?;
/// // At the minimum of L the mean loss rises by (3x) s: the wells move inwards.
/// assert!((sgd.drift(&Point::<1>::new(1.0))[0] + 0.03).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RandomShift<L, const D: usize> {
    landscape: L,
    rule: GaussHermite<D>,
    floor: f64,
}

impl<const D: usize, L: Landscape<D>> RandomShift<L, D> {
    /// Noise of displacements of covariance S, with `points` = n along each principal axis of S and floor ε ≥ 0.
    ///
    /// # Errors
    /// Those of [`GaussHermite::new`]; [`crate::Error::InvalidParameter`] for a floor that is negative or not finite.
    pub fn new(landscape: L, covariance: &Tensor<D>, points: usize, floor: f64) -> Result<Self> {
        Ok(Self {
            landscape,
            rule: GaussHermite::new(covariance, points)?,
            floor: require_non_negative("floor", floor)?,
        })
    }
}

impl<const D: usize, L: Landscape<D>> GradientNoise<D> for RandomShift<L, D> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        // Running weighted mean and sum of squares: one evaluation a node, no cancellation, positive term by term.
        let (mut total, mut mean) = (0.0, Point::<D>::zeros());
        let mut covariance = Tensor::<D>::identity() * self.floor;
        for (xi, weight) in self.rule.nodes() {
            let before = total;
            total += weight;
            let deviation = self.landscape.gradient(&(theta + xi)) - mean;
            mean += deviation * (weight / total);
            covariance += deviation * deviation.transpose() * (weight * (before / total));
        }
        covariance
    }
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        let (mut total, mut mean, mut gradient) = (0.0, [[0.0; LANES]; D], [[0.0; LANES]; D]);
        for r in 0..D {
            for c in 0..D {
                covariance[r][c] = [if r == c { self.floor } else { 0.0 }; LANES];
            }
        }
        for (xi, weight) in self.rule.nodes() {
            let before = total;
            total += weight;
            self.landscape
                .gradient_block(&points.displaced(xi), &mut gradient);
            for d in 0..D {
                for lane in 0..LANES {
                    // the deviation, from here on
                    gradient[d][lane] -= mean[d][lane];
                    mean[d][lane] += gradient[d][lane] * (weight / total);
                }
            }
            let factor = weight * (before / total);
            for r in 0..D {
                for c in 0..D {
                    for lane in 0..LANES {
                        covariance[r][c][lane] += gradient[r][lane] * gradient[c][lane] * factor;
                    }
                }
            }
        }
    }
}
