//! A diffusion whose drift need not be a gradient.

use super::{Diffusion, Drift, sgd};
use crate::error::{Result, require_positive};
use crate::landscape::Kink;
use crate::math::{Lanes, Point, PointBlock, Tensor};
use crate::noise::GradientNoise;

/// A drift b(θ) with a noise of strength Δ, no loss: D = Δ C(θ), or D = (η/2B) C(θ) as the limit of a map with steps.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, DriftDiffusion};
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// let swirl = |theta: &Point<2>| Point::<2>::new(-theta[0] - theta[1], theta[0] - theta[1]);
/// let process = DriftDiffusion::new(swirl, Isotropic::new(1.0)?, 0.1)?;
/// assert_eq!(process.drift(&Point::<2>::new(1.0, 0.0))[1], 1.0);
/// assert!(process.landscape().is_none());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DriftDiffusion<B, N> {
    drift: B,
    noise: N,
    learning_rate: Option<f64>,
    noise_strength: f64,
    kinks: Vec<Kink>,
}

impl<B, N> DriftDiffusion<B, N> {
    /// The diffusion with drift `drift` and D = Δ C, Δ > 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when Δ is not positive and finite.
    pub fn new(drift: B, noise: N, noise_strength: f64) -> Result<Self> {
        Ok(Self {
            drift,
            noise,
            learning_rate: None,
            noise_strength: require_positive("noise_strength", noise_strength)?,
            kinks: Vec::new(),
        })
    }

    /// The limit of the map θ + ηb(θ) + N(0, η² C(θ)/B).
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when η or B is not positive and finite.
    pub fn of_map(drift: B, noise: N, learning_rate: f64, batch_size: f64) -> Result<Self> {
        let noise_strength = sgd::noise_strength(learning_rate, batch_size)?;
        Ok(Self {
            learning_rate: Some(learning_rate),
            ..Self::new(drift, noise, noise_strength)?
        })
    }

    /// With surfaces on which drift, noise or a derivative of them jumps.
    #[must_use]
    pub fn with_kinks(mut self, kinks: Vec<Kink>) -> Self {
        self.kinks = kinks;
        self
    }
}

impl<const D: usize, B, N> Diffusion<D> for DriftDiffusion<B, N>
where
    B: Drift<D>,
    N: GradientNoise<D>,
{
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        self.drift.at(theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        self.noise.covariance(theta) * self.noise_strength
    }
    fn drift_block(&self, points: &PointBlock<D>, drift: &mut [Lanes; D]) {
        self.drift.at_block(points, drift);
    }
    fn tensor_block(&self, points: &PointBlock<D>, tensor: &mut [[Lanes; D]; D]) {
        self.noise.covariance_block(points, tensor);
        let entries = tensor.as_flattened_mut().as_flattened_mut();
        entries.iter_mut().for_each(|entry| *entry *= self.noise_strength);
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks.clone()
    }
    fn learning_rate(&self) -> Option<f64> {
        self.learning_rate
    }
}
