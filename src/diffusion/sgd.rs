//! SGD as a diffusion: the only home of learning rate, batch size, σ and Δ.

use super::Diffusion;
use crate::error::{Error, Result, require_positive};
use crate::landscape::{Kink, Landscape};
use crate::math::{Point, Tensor};
use crate::noise::{GradientNoise, HessianPower};

/// A landscape and a gradient noise, run with a learning rate η and a batch size B.
///
/// # Formula
/// b = −∇L, D = (η/2B) C, time of step k: t = ηk.
/// One step of the discrete map is θ − η∇L(θ) + N(0, η² C(θ)/B).
///
/// # Method
/// The diffusion is the limit η → 0 at fixed η C/B (first-order weak approximation, Li, Tai and E 2017);
/// at finite η the stationary variance in a valley of curvature H is larger by 1/(1 − ηH/2).
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, Sgd};
/// use freezeout::landscape::TwoValley;
/// use freezeout::math::Point;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.1, 0.02, 0.0)?;
/// assert!((sgd.time(50) - 5.0).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd<L, N> {
    landscape: L,
    noise: N,
    learning_rate: f64,
    batch_size: f64,
}

impl<L, N> Sgd<L, N> {
    /// SGD on `landscape` with `noise`, learning rate η > 0 and batch size B > 0 (any real: only C/B matters).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(landscape: L, noise: N, learning_rate: f64, batch_size: f64) -> Result<Self> {
        Ok(Self {
            landscape,
            noise,
            learning_rate: require_positive("learning_rate", learning_rate)?,
            batch_size: require_positive("batch_size", batch_size)?,
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

    /// η.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// B.
    pub fn batch_size(&self) -> f64 {
        self.batch_size
    }

    /// Time t = ηk of step k.
    pub fn time(&self, step: u64) -> f64 {
        self.learning_rate * step as f64
    }

    /// Factor h η/B that makes the covariance C of one sample that of the noise in a step of length h; h = η is SGD itself.
    pub fn noise_factor(&self, time_step: f64) -> f64 {
        time_step * self.learning_rate / self.batch_size
    }

    /// Mean x − η `slope` and standard deviation η sqrt(`variance`/B) of x after one step along an axis on which the
    /// gradient is `slope` and one sample's noise has the variance `variance`.
    pub fn step_law(&self, x: f64, slope: f64, variance: f64) -> (f64, f64) {
        (
            x - self.learning_rate * slope,
            self.learning_rate * (variance / self.batch_size).sqrt(),
        )
    }

    /// η times the largest curvature at θ, which must stay below 2.
    ///
    /// # Errors
    /// [`Error::Unstable`] when it does not: the noise-free iteration then diverges from the valley at θ.
    pub fn check_stability<const D: usize>(&self, theta: &Point<D>) -> Result<f64>
    where
        L: Landscape<D>,
    {
        let hessian = self.landscape.hessian(theta);
        let eigenvalues =
            nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigenvalues();
        let curvature = eigenvalues.max();
        let product = self.learning_rate * curvature;
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
        Self::new(
            landscape,
            HessianPower::new(landscape, power, 2.0 * sigma, floor)?,
            learning_rate,
            1.0,
        )
    }

    /// Noise strength Δ = ησ with C/B = 2σ H₊^p, so that D = Δ H₊^p.
    pub fn noise_strength(&self) -> f64 {
        0.5 * self.learning_rate * self.noise.scale() / self.batch_size
    }
}

impl<const D: usize, L: Landscape<D>, N: GradientNoise<D>> Diffusion<D> for Sgd<L, N> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        -self.landscape.gradient(theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        self.noise.covariance(theta) * (0.5 * self.learning_rate / self.batch_size)
    }
    fn kinks(&self) -> Vec<Kink> {
        self.landscape.kinks()
    }
}
