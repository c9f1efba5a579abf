//! SGD as a diffusion: the only home of learning rate, batch size, σ and Δ.

use super::Diffusion;
use crate::error::{Error, Result, require_positive};
use crate::landscape::{Kink, Landscape};
use crate::math::{Lanes, Point, PointBlock, Tensor};
use crate::noise::{GradientNoise, HessianPower, Isotropic};

/// Δ = η/(2B), the noise strength of steps of learning rate η and batch size B; at η = 1 the paper's noise amplitude σ.
///
/// # Errors
/// [`Error::InvalidParameter`] unless both are positive and finite.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{batch_size, noise_strength};
/// assert_eq!(noise_strength(0.1, 50.0)?, 1e-3);
/// assert_eq!(batch_size(1e-3, 0.1), 50.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn noise_strength(learning_rate: f64, batch_size: f64) -> Result<f64> {
    let learning_rate = require_positive("learning_rate", learning_rate)?;
    Ok(0.5 * learning_rate / require_positive("batch_size", batch_size)?)
}

/// B = η/(2Δ), the batch size that gives the noise strength Δ at learning rate η.
pub fn batch_size(noise_strength: f64, learning_rate: f64) -> f64 {
    learning_rate / (2.0 * noise_strength)
}

/// σ = Δ/η, the paper's noise amplitude that gives the noise strength Δ = ησ at learning rate η.
pub fn sigma(noise_strength: f64, learning_rate: f64) -> f64 {
    noise_strength / learning_rate
}

/// A landscape and a gradient noise, run with a learning rate η and a batch size B, or in the limit of small steps with Δ = η/(2B).
///
/// # Formula
/// b = −∇L, D = (η/2B) C = Δ C, time of step k: t = ηk.
/// One step of the discrete map is θ − η∇L(θ) + N(0, η² C(θ)/B).
///
/// # Method
/// The diffusion is the limit η → 0 at fixed η C/B (first-order weak approximation, Li, Tai and E 2017);
/// at finite η the stationary variance in a valley of curvature H is larger by 1/(1 − ηH/2).
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, Sgd};
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// let (well, noise) = (DoubleWell::new(0.25, 1.0)?, Isotropic::new(4.0)?);
/// let sgd = Sgd::new(well, noise, 0.1, 32.0)?;
/// let limit = Sgd::with_noise_strength(well, noise, sgd.noise_strength())?;
/// let theta = Point::<1>::new(0.5);
/// assert_eq!(limit.tensor(&theta), sgd.tensor(&theta));
/// assert!(sgd.learning_rate() == Some(0.1) && limit.learning_rate().is_none());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd<L, N> {
    landscape: L,
    noise: N,
    /// η and B; none in the limit of small steps.
    steps: Option<(f64, f64)>,
    /// D = factor · C.
    factor: f64,
    noise_strength: f64,
}

impl<L, N> Sgd<L, N> {
    /// SGD on `landscape` with `noise`, learning rate η > 0 and batch size B > 0 (any real: only C/B matters).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(landscape: L, noise: N, learning_rate: f64, batch_size: f64) -> Result<Self> {
        let factor = noise_strength(learning_rate, batch_size)?;
        Ok(Self {
            landscape,
            noise,
            steps: Some((learning_rate, batch_size)),
            factor,
            noise_strength: factor,
        })
    }

    /// The limit of small steps with noise strength Δ > 0: D = Δ C, no learning rate.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when Δ is not positive and finite.
    pub fn with_noise_strength(landscape: L, noise: N, noise_strength: f64) -> Result<Self> {
        let noise_strength = require_positive("noise_strength", noise_strength)?;
        Ok(Self {
            landscape,
            noise,
            steps: None,
            factor: noise_strength,
            noise_strength,
        })
    }

    /// The landscape L.
    pub fn landscape(&self) -> &L {
        &self.landscape
    }

    /// The noise of one sample.
    pub fn noise(&self) -> &N {
        &self.noise
    }

    /// Δ: η/(2B) or as given, so that D = Δ C; ησ for [`Sgd::hessian_power`], so that D = Δ H₊^p.
    pub fn noise_strength(&self) -> f64 {
        self.noise_strength
    }

    /// η; none in the limit of small steps.
    pub fn learning_rate(&self) -> Option<f64> {
        self.steps.map(|(learning_rate, _)| learning_rate)
    }

    /// η and B, for what concerns the steps themselves.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] in the limit of small steps, where neither is known.
    pub fn learning_rate_and_batch_size(&self) -> Result<(f64, f64)> {
        self.steps.ok_or_else(|| Error::Inconsistent {
            subject: "SGD without a learning rate".into(),
            requirement: "its steps need one: the noise strength alone gives their limit".into(),
        })
    }

    /// Factor h η/B that makes the covariance C of one sample that of the noise in a step of length h; h = η is SGD itself.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] without a learning rate.
    pub fn noise_factor(&self, time_step: f64) -> Result<f64> {
        let (learning_rate, batch_size) = self.learning_rate_and_batch_size()?;
        Ok(time_step * learning_rate / batch_size)
    }

    /// Mean x − η `slope` and standard deviation η sqrt(`variance`/B) of x after one step along an axis on which the
    /// gradient is `slope` and one sample's noise has the variance `variance`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] without a learning rate.
    pub fn step_law(&self, x: f64, slope: f64, variance: f64) -> Result<(f64, f64)> {
        let (learning_rate, batch_size) = self.learning_rate_and_batch_size()?;
        Ok((
            x - learning_rate * slope,
            learning_rate * (variance / batch_size).sqrt(),
        ))
    }

    /// η times the largest curvature at θ, which must stay below 2.
    ///
    /// # Errors
    /// [`Error::Unstable`] when it does not: the noise-free iteration then diverges from the valley at θ; [`Error::Inconsistent`] without a
    /// learning rate.
    pub fn check_stability<const D: usize>(&self, theta: &Point<D>) -> Result<f64>
    where
        L: Landscape<D>,
    {
        let (learning_rate, _) = self.learning_rate_and_batch_size()?;
        let hessian = self.landscape.hessian(theta);
        let eigenvalues =
            nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigenvalues();
        let curvature = eigenvalues.max();
        let product = learning_rate * curvature;
        if product < 2.0 {
            return Ok(product);
        }
        let position = theta
            .iter()
            .map(|v| format!("{v:.4}"))
            .collect::<Vec<_>>()
            .join(", ");
        Err(Error::Unstable {
            product,
            position: format!("({position})"),
            limit: 2.0 / curvature,
        })
    }
}

impl<L> Sgd<L, Isotropic> {
    /// SGD with the same noise everywhere: C/B = 2σ I at B = 1, so that D = Δ I with Δ = ησ.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn isotropic(landscape: L, learning_rate: f64, sigma: f64) -> Result<Self> {
        require_positive("sigma", sigma)?;
        Ok(Self {
            noise_strength: learning_rate * sigma,
            ..Self::new(landscape, Isotropic::new(2.0 * sigma)?, learning_rate, 1.0)?
        })
    }
}

impl<L: Copy> Sgd<L, HessianPower<L>> {
    /// SGD with the paper's noise: C/B = 2σ H₊^p + ε I at B = 1.
    ///
    /// For p = 1, D = Δ H₊ with the noise strength Δ = ησ.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn hessian_power(
        landscape: L,
        power: f64,
        learning_rate: f64,
        sigma: f64,
        floor: f64,
    ) -> Result<Self> {
        require_positive("sigma", sigma)?;
        let noise = HessianPower::new(landscape, power, 2.0 * sigma, floor)?;
        Ok(Self {
            noise_strength: learning_rate * sigma,
            ..Self::new(landscape, noise, learning_rate, 1.0)?
        })
    }
}

impl<const D: usize, L: Landscape<D>, N: GradientNoise<D>> Diffusion<D> for Sgd<L, N> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        -self.landscape.gradient(theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        self.noise.covariance(theta) * self.factor
    }
    fn drift_block(&self, points: &PointBlock<D>, drift: &mut [Lanes; D]) {
        self.landscape.gradient_block(points, drift);
        drift.as_flattened_mut().iter_mut().for_each(|b| *b = -*b);
    }
    fn tensor_block(&self, points: &PointBlock<D>, tensor: &mut [[Lanes; D]; D]) {
        self.noise.covariance_block(points, tensor);
        let entries = tensor.as_flattened_mut().as_flattened_mut();
        entries.iter_mut().for_each(|entry| *entry *= self.factor);
    }
    fn kinks(&self) -> Vec<Kink> {
        self.landscape.kinks()
    }
    fn landscape(&self) -> Option<&dyn Landscape<D>> {
        Some(&self.landscape)
    }
    fn learning_rate(&self) -> Option<f64> {
        self.learning_rate()
    }
}
