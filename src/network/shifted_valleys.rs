//! A finite sum whose samples are the two valleys, displaced.

use super::finite_sum::{Batch, FiniteSum};
use crate::error::{Result, require};
use crate::landscape::TwoValley;
use crate::noise::HessianPower;

/// Losses ℓ_n(x, y) = L(x, y) + a_n φ(x, y) of m samples, L the two-valley loss.
///
/// # Formula
/// φ = sqrt(s) (2/f_i)^{p/2} x, a_n = (2n − m + 1) sqrt(3/(m² − 1)) for n = 0, …, m − 1: mean 0, variance 1. Each ℓ_n is the two-valley loss with the
/// minima displaced by −a_n sqrt(s) (2/f_i)^{p/2 − 1}; the mean of all is L, and the covariance of the gradient of one sample is ∇φ ∇φᵀ, along x
/// s (∂²L/∂x²)^p. The same along x as [`crate::noise::HessianPower`]; along y, where noise hardly matters, the two differ.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, TwoValley};
/// use freezeout::math::Point;
/// use freezeout::network::{Batch, FiniteSum, ShiftedValleys};
/// let model = TwoValley::default();
/// let mut sum = ShiftedValleys::new(model, 1.0, 1.0, 10)?;
/// let mut gradient = [0.0; 2];
/// sum.gradient(&[0.1, 5.0], Batch::All, &mut gradient);
/// let of_mean = model.gradient(&Point::<2>::new(0.1, 5.0));
/// assert!((gradient[0] - of_mean[0]).abs() < 1e-14 && (gradient[1] - of_mean[1]).abs() < 1e-14);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftedValleys {
    model: TwoValley,
    noise: HessianPower<TwoValley>,
    /// a_n.
    displacements: Vec<f64>,
    /// Gradients asked for.
    asked: u64,
    /// Sign of x when the last was, and the number of those before the last change of it.
    side: Option<bool>,
    last_sign_change: Option<u64>,
}

impl ShiftedValleys {
    /// m = `samples` losses with noise s (∂²L/∂x²)^p, p = `power` and s = `strength`.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for a negative power, a strength that is not positive, or fewer than two samples.
    pub fn new(model: TwoValley, power: f64, strength: f64, samples: usize) -> Result<Self> {
        let m = require("samples", samples as f64, |m| m >= 2.0, "at least 2 are needed")?;
        let unit = (3.0 / (m * m - 1.0)).sqrt();
        Ok(Self {
            model,
            noise: HessianPower::new(model, power, strength, 0.0)?,
            displacements: (0..samples).map(|n| (2.0 * n as f64 - m + 1.0) * unit).collect(),
            asked: 0,
            side: None,
            last_sign_change: None,
        })
    }

    /// Step of a training run at which the sign of x changed last, as far as gradients have been asked for; none if it never did.
    pub fn last_sign_change(&self) -> Option<u64> {
        self.last_sign_change
    }
}

impl FiniteSum for ShiftedValleys {
    fn dimension(&self) -> usize {
        2
    }

    fn samples(&self) -> usize {
        self.displacements.len()
    }

    fn gradient(&mut self, theta: &[f64], batch: Batch<'_>, gradient: &mut [f64]) -> f64 {
        let (x, y) = (theta[0], theta[1]);
        let is_flat = x >= 0.0;
        if self.side.is_some_and(|side| side != is_flat) {
            self.last_sign_change = Some(self.asked);
        }
        self.side = Some(is_flat);
        self.asked += 1;
        let mean = match batch {
            Batch::All => 0.0,
            Batch::Some(batch) => {
                batch.iter().map(|n| self.displacements[*n]).sum::<f64>() / batch.len() as f64
            }
        };
        let parameters = self.model.parameters();
        let ramp = (-y / parameters.y_d).exp();
        let d = self.model.derivatives(x, y, ramp);
        let power = self.noise.power();
        let slope = (self.noise.scale() * power.of(d.xx)).sqrt();
        gradient[0] = d.x + mean * slope;
        gradient[1] = d.y - mean * slope * x * 0.5 * power.value() * self.model.log_flatness_slope(y);
        // parabolas that meet on the ridge
        let ridge = parameters.l_d * ramp + parameters.x0.powi(2) / parameters.f0;
        ridge + x * (d.x - 0.5 * d.xx * x + mean * slope)
    }
}
