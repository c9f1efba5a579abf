//! Gradient noise: the covariance C(θ) of the gradient of ONE sample.
//!
//! One model a file. The batch size and the learning rate are not here; they enter in [`crate::diffusion::Sgd`] and nowhere else.

mod constant;
mod expression;
mod hessian_power;
mod isotropic;
mod loss_scaled;
mod random_shift;
mod tabulated;
mod tabulated_curvature;
mod valley_curvature;

pub use constant::Constant;
pub use expression::Expression;
pub use hessian_power::{HessianPower, Power, power_covariance, power_root};
pub use isotropic::Isotropic;
pub use loss_scaled::LossScaled;
pub use random_shift::RandomShift;
pub use tabulated::Tabulated;
pub use tabulated_curvature::TabulatedCurvature;
pub use valley_curvature::ValleyCurvature;

use crate::error::{Error, Result};
use crate::math::{Lanes, Point, PointBlock, Tensor};
use auto_impl::auto_impl;

/// Covariance of the gradient noise of one sample.
///
/// # Units
/// (loss/θ)².
#[auto_impl(&, Box)]
pub trait GradientNoise<const D: usize>: Sync {
    /// C(θ), symmetric positive semi-definite.
    fn covariance(&self, theta: &Point<D>) -> Tensor<D>;
    /// C at the active points of a block, row by row; it may differ from that at single points in the last bits.
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        points.write_matrix(covariance, |theta| self.covariance(theta));
    }
}

/// Positions of the upper triangle of a D×D matrix, row by row: the order in which entries are listed.
fn upper_triangle<const D: usize>() -> impl Iterator<Item = (usize, usize)> {
    (0..D).flat_map(|r| (r..D).map(move |c| (r, c)))
}

/// The symmetric matrix with these entries on and above the diagonal.
fn symmetric<const D: usize>(entries: impl Iterator<Item = f64>) -> Tensor<D> {
    let mut matrix = Tensor::<D>::zeros();
    for ((r, c), value) in upper_triangle::<D>().zip(entries) {
        matrix[(r, c)] = value;
        matrix[(c, r)] = value;
    }
    matrix
}

/// Refuses a number of entries other than D(D + 1)/2.
fn require_upper_triangle<const D: usize>(entries: usize) -> Result<()> {
    let expected = D * (D + 1) / 2;
    if entries == expected {
        return Ok(());
    }
    Err(Error::DimensionMismatch {
        name: "upper triangle of the covariance".into(),
        expected,
        got: entries,
    })
}

/// Refuses a finite symmetric matrix with an eigenvalue below zero by more than rounding.
fn require_positive_semidefinite<const D: usize>(matrix: &Tensor<D>, position: &str) -> Result<()> {
    let eigenvalues = nalgebra::DMatrix::from_iterator(D, D, matrix.iter().copied()).symmetric_eigenvalues();
    // Eigenvalues are good to a few roundings of the largest.
    let rounding = 8.0 * D as f64 * f64::EPSILON * eigenvalues.amax();
    if eigenvalues.min() >= -rounding {
        return Ok(());
    }
    Err(Error::NotPositive {
        name: "covariance of the gradient noise".into(),
        position: position.into(),
        eigenvalues: format!("{:?}", eigenvalues.as_slice()),
    })
}
