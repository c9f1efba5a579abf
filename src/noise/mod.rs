//! Gradient noise: the covariance C(θ) of the gradient of ONE sample.
//!
//! The batch size and the learning rate are not here; they enter in [`crate::diffusion::Sgd`] and nowhere else.

mod hessian_power;
mod isotropic;

pub use hessian_power::{HessianPower, Power, power_covariance, power_root};
pub use isotropic::Isotropic;

use crate::math::{Point, Tensor};

/// Covariance of the gradient noise of one sample.
///
/// # Units
/// (loss/θ)².
pub trait GradientNoise<const D: usize>: Sync {
    /// C(θ), symmetric positive semi-definite.
    fn covariance(&self, theta: &Point<D>) -> Tensor<D>;
}

impl<const D: usize, N: GradientNoise<D>> GradientNoise<D> for &N {
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        (**self).covariance(theta)
    }
}
