//! The sharpest directions of the loss in the weights of one layer.

use super::cross_entropy::Linearised;
use crate::error::Result;
use crate::linalg::{SymmetricEigenpair, largest_eigenpairs};

/// Eigenvalues that the flatness is made of.
pub const FLATNESS_EIGENVALUES: usize = 10;

/// Largest residual of an eigenpair relative to the largest eigenvalue.
const TOLERANCE: f64 = 1e-6;
/// Largest basis of the Lanczos iteration.
const BASIS: usize = 400;

/// The largest eigenvalues of the Hessian of the loss in the weights of one layer, the other parameters held.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerHessian {
    /// Layer.
    pub layer: usize,
    /// Eigenvalues with their eigenvectors, largest first.
    pub pairs: Vec<SymmetricEigenpair>,
}

impl LayerHessian {
    /// The `count` largest eigenvalues.
    ///
    /// # Method
    /// Lanczos iteration from a fixed start with products H v, no matrix being built; residuals are below 1e-6 of the largest eigenvalue.
    ///
    /// # Errors
    /// As [`largest_eigenpairs`].
    pub fn new(loss: &mut Linearised<'_>, layer: usize, count: usize) -> Result<Self> {
        let weights = loss.network().weights(layer);
        let mut direction = vec![0.0; loss.network().parameters()];
        let mut image = direction.clone();
        let start = scattered(weights.len());
        let apply = |x: &[f64], y: &mut [f64]| {
            direction[weights.clone()].copy_from_slice(x);
            loss.hessian_product(&direction, layer, &mut image);
            y.copy_from_slice(&image[weights.clone()]);
        };
        Ok(Self {
            layer,
            pairs: largest_eigenpairs(apply, &start, count, TOLERANCE, BASIS)?,
        })
    }

    /// Eigenvalues, largest first.
    pub fn values(&self) -> Vec<f64> {
        self.pairs.iter().map(|pair| pair.value).collect()
    }

    /// Flatness of these eigenvalues, see [`flatness`].
    pub fn flatness(&self) -> Option<f64> {
        flatness(&self.values())
    }
}

/// Largest eigenvalue of the Hessian in all parameters: gradient descent is stable below 2/η.
///
/// # Method
/// Lanczos iteration to a relative residual of 1e-3.
///
/// # Errors
/// As [`largest_eigenpairs`].
pub fn sharpness(loss: &mut Linearised<'_>) -> Result<f64> {
    const CLOSE: f64 = 1e-3;
    let start = scattered(loss.network().parameters());
    let pairs = largest_eigenpairs(|x, y| loss.hessian_product(x, 0, y), &start, 1, CLOSE, BASIS)?;
    Ok(pairs[0].value)
}

/// A vector as good as random, without a symmetry that an eigenvector could be orthogonal to.
fn scattered(dimension: usize) -> Vec<f64> {
    (1..=dimension).map(|k| ((k * k) as f64).sin()).collect()
}

/// Flatness of a minimum from its largest Hessian eigenvalues.
///
/// # Formula
/// F = (λ_1 ⋯ λ_10)^(−1/10); none unless the ten largest are positive.
///
/// # References
/// arXiv 2601.10962, methods.
///
/// # Examples
/// ```
/// use freezeout::network::flatness;
/// assert!((flatness(&[4.0; 10]).unwrap() - 0.25).abs() < 1e-15);
/// assert_eq!(flatness(&[4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, -1.0]), None);
/// assert_eq!(flatness(&[4.0; 9]), None);
/// ```
pub fn flatness(eigenvalues: &[f64]) -> Option<f64> {
    let ten = eigenvalues.get(..FLATNESS_EIGENVALUES)?;
    let is_positive = ten.iter().all(|value| *value > 0.0);
    is_positive.then(|| {
        let logarithms: f64 = ten.iter().map(|value| value.ln()).sum();
        (-logarithms / FLATNESS_EIGENVALUES as f64).exp()
    })
}
