//! The sharpest directions of the loss in the weights of one layer.

use super::cross_entropy::{CrossEntropy, Linearised};
use crate::error::Result;
use crate::linalg::{SymmetricEigenpair, largest_eigenpairs};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

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

    /// Largest residual |H v − λ v| of an eigenpair over the largest eigenvalue.
    pub fn relative_residual(&self) -> f64 {
        let largest = self.pairs.first().map_or(f64::NAN, |pair| pair.value.abs());
        self.pairs
            .iter()
            .map(|pair| pair.residual / largest)
            .fold(0.0, f64::max)
    }

    /// Flatness of these eigenvalues, see [`flatness`].
    pub fn flatness(&self) -> Option<f64> {
        flatness(&self.values())
    }
}

/// Mean rise of the loss along random directions that are as long as the weights they change: what a rescaling of units cannot alter.
///
/// # Formula
/// ⟨max(0, L(θ + ρ d) − L(θ))⟩ over 20 directions d in the weights of one layer, each row of which (the weights into one unit) is uniform in direction and as long as that row; ρ = .05.
///
/// # Method
/// Multiplying the weights into a unit, its bias and the inverse of the weights out of it leaves a network with ReLU as it is, and changes curvatures at will; here the directions change along. Invariant when units of this layer are
/// rescaled, or all of the layer before by one number; not when those are rescaled one by one.
///
/// # References
/// L. Dinh, R. Pascanu, S. Bengio and Y. Bengio, ICML 2017 (rescaling); H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, NeurIPS 2018 (directions).
pub fn scaled_sharpness(loss: &mut CrossEntropy<'_>, theta: &[f64], layer: usize, seed: u64) -> f64 {
    const RADIUS: f64 = 0.05;
    const DIRECTIONS: usize = 20;
    let (weights, inputs) = (loss.network().weights(layer), loss.network().sizes()[layer]);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let here = loss.evaluate(theta).loss;
    let norm = |row: &[f64]| row.iter().map(|w| w * w).sum::<f64>().sqrt();
    let mut rise = 0.0;
    for _ in 0..DIRECTIONS {
        let mut moved = theta.to_vec();
        for row in moved[weights.clone()].chunks_exact_mut(inputs) {
            let direction: Vec<f64> = (0..inputs).map(|_| StandardNormal.sample(&mut random)).collect();
            let scale = RADIUS * norm(row) / norm(&direction);
            row.iter_mut().zip(&direction).for_each(|(w, d)| *w += scale * d);
        }
        rise += (loss.evaluate(&moved).loss - here).max(0.0);
    }
    rise / DIRECTIONS as f64
}

/// Largest eigenvalue of the Hessian in all parameters, below 2/η of which gradient descent is stable, and the residual of its eigenpair in units of it.
///
/// # Method
/// Lanczos iteration to a relative residual of 1e-3.
///
/// # Errors
/// As [`largest_eigenpairs`].
pub fn sharpness(loss: &mut Linearised<'_>) -> Result<[f64; 2]> {
    const CLOSE: f64 = 1e-3;
    let start = scattered(loss.network().parameters());
    let pairs = largest_eigenpairs(|x, y| loss.hessian_product(x, 0, y), &start, 1, CLOSE, BASIS)?;
    let largest = &pairs[0];
    Ok([largest.value, largest.residual / largest.value.abs()])
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
