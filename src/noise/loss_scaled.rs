//! Noise whose covariance is the loss times its curvature: least squares.

use super::hessian_power::{PowerOfHessians, power_of_hessian};
use super::{GradientNoise, Power};
use crate::error::{Error, Result, require_finite, require_non_negative};
use crate::landscape::Landscape;
use crate::math::{Instructions, LANES, Lanes, Point, PointBlock, Tensor};

/// C(θ) = 2 (L(θ) + L₀) H₊ + ε I with H the Hessian at θ, or that of the minimum.
///
/// # Formula
/// For a mean squared loss near a minimum the gradient noise of one sample is C ≈ 2 L H. On a line with constant H = h,
/// D = (ηh/B)(L + L₀) and the stationary law of the Ito process is exactly
///
/// ```text
/// p ∝ (L + L₀)^{−φ},   φ = 1 + B/(ηh)
/// ```
///
/// for every L with H held at its minimum ([`LossScaled::at_minimum`]), and for a parabola of any L₀ > 0 with H at θ. With H(θ) of another
/// loss it holds near the minimum only.
///
/// # Method
/// Negative eigenvalues of H are clipped to zero as in [`super::HessianPower`]: with H at θ and ε = 0 there is no noise across a saddle, and
/// assembly refuses. Escape laws over a saddle need H of the minimum. The loss is not clipped: where L + L₀ < 0, C is negative and assembly
/// refuses with the place. L₀ is the loss that remains at a minimum where L = 0; without it noise vanishes there.
///
/// # References
/// T. Mori, L. Ziyin, K. Liu and M. Ueda, Power-law escape rate of SGD, ICML 2022 (arXiv 2105.09557).
///
/// # Examples
/// ```
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::{GradientNoise, LossScaled};
/// let well = DoubleWell::new(0.25, 1.0)?; // L″ = 2 at the minima, where L = 0
/// let noise = LossScaled::<_, 1>::new(well, 0.1, 0.0)?;
/// assert!((noise.covariance(&Point::<1>::new(1.0))[0] - 0.4).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScaled<L, const D: usize> {
    landscape: L,
    curvature: Option<Tensor<D>>,
    residual_loss: f64,
    floor: f64,
}

impl<const D: usize, L: Landscape<D>> LossScaled<L, D> {
    /// Noise with the Hessian at θ, `residual_loss` L₀ and floor ε ≥ 0.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(landscape: L, residual_loss: f64, floor: f64) -> Result<Self> {
        Ok(Self {
            landscape,
            curvature: None,
            residual_loss: require_finite("residual_loss", residual_loss)?,
            floor: require_non_negative("floor", floor)?,
        })
    }

    /// Noise with the Hessian held at its value in `minimum`.
    ///
    /// # Errors
    /// As [`LossScaled::new`]; [`Error::NotFinite`] when the Hessian at `minimum` is not finite.
    pub fn at_minimum(landscape: L, minimum: &Point<D>, residual_loss: f64, floor: f64) -> Result<Self> {
        let hessian = landscape.hessian(minimum);
        if !hessian.iter().all(|v| v.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "Hessian of the loss".into(),
                reason: format!("at {:?}", minimum.as_slice()),
            });
        }
        let mut noise = Self::new(landscape, residual_loss, floor)?;
        noise.curvature = Some(hessian);
        Ok(noise)
    }
}

impl<const D: usize, L: Landscape<D>> GradientNoise<D> for LossScaled<L, D> {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        let hessian = self.curvature.unwrap_or_else(|| self.landscape.hessian(theta));
        let scale = 2.0 * (self.landscape.loss(theta) + self.residual_loss);
        power_of_hessian(&hessian, Power::One, scale, self.floor)
    }
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        if D > 2 {
            return points.write_matrix(covariance, |theta| self.covariance(theta));
        }
        let mut scale = [0.0; LANES];
        self.landscape.loss_block(points, &mut scale);
        scale
            .iter_mut()
            .for_each(|loss| *loss = 2.0 * (*loss + self.residual_loss));
        match self.curvature {
            Some(hessian) => points.write_matrix(covariance, |_| hessian),
            None => self.landscape.hessian_block(points, covariance),
        }
        Instructions::Native.run(PowerOfHessians {
            matrices: covariance,
            power: Power::One,
            scale: &scale,
            floor: self.floor,
        });
    }
}
