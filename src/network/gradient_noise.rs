//! The covariance of the gradients of single samples in the directions of the Hessian's eigenvectors.

use super::cross_entropy::Linearised;
use super::flatness::LayerHessian;
use crate::error::{Error, Result};
use crate::statistics::{Estimate, bootstrap, variance};

/// How the noise follows the curvature.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseExponent {
    /// g of C_ii ∝ H_ii^g, with its bootstrap error over the directions.
    pub exponent: Estimate,
    /// H_ii, largest first.
    pub curvature: Vec<f64>,
    /// C_ii, variance of the gradient of one sample in these directions.
    pub covariance: Vec<f64>,
}

/// Resamples of the bootstrap.
const RESAMPLES: usize = 400;

/// Exponent g with which the noise of the gradient follows the curvature.
///
/// # Formula
/// C_ii = Var_n(v_i·∇ℓ_n), H_ii = λ_i; g is the slope of the least-squares line through (ln H_ii, ln C_ii).
///
/// # Method
/// The error is that of a bootstrap over the directions, which have equal weights: the scatter about the power law, not that of the samples, which are all
/// there are.
///
/// # Errors
/// [`Error::NotFinite`] when a curvature or a variance is not positive, [`Error::TooFewSamples`] for fewer than ten directions.
///
/// # References
/// arXiv 2602.05600: 1 <= g <= 2.
pub fn noise_exponent(loss: &Linearised<'_>, hessian: &LayerHessian, seed: u64) -> Result<NoiseExponent> {
    let curvature = hessian.values();
    let covariance: Vec<f64> = (hessian.pairs.iter())
        .map(|pair| {
            let along = loss.sample_gradients_along(hessian.layer, &pair.vector);
            variance(&along).map(|v| v.value)
        })
        .collect::<Result<_>>()?;
    Ok(NoiseExponent {
        exponent: power(&curvature, &covariance, seed)?,
        curvature,
        covariance,
    })
}

fn power(curvature: &[f64], covariance: &[f64], seed: u64) -> Result<Estimate> {
    let pairs: Vec<(f64, f64)> = curvature
        .iter()
        .zip(covariance)
        .map(|(h, c)| (h.ln(), c.ln()))
        .collect();
    if !pairs.iter().all(|(h, c)| h.is_finite() && c.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "the exponent of the noise".into(),
            reason: "a curvature or a variance is not positive".into(),
        });
    }
    Ok(bootstrap(&pairs, RESAMPLES, seed, slope)?.estimate)
}

/// Slope of the least-squares line.
fn slope(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let along: f64 = pairs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    along / pairs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_and_a_shuffled_one_is_not() {
        let curvature: Vec<f64> = (1..=20).map(|k| 10.0 / f64::from(k)).collect();
        // scatter of some per cent about g = 1.5
        let covariance: Vec<f64> = (curvature.iter().enumerate())
            .map(|(k, h)| h.powf(1.5) * (0.1 * (k as f64).sin()).exp())
            .collect();
        let found = power(&curvature, &covariance, 1).unwrap();
        assert!(
            found.z_score(1.5).abs() < 4.0 && found.standard_error < 0.1,
            "{found:?}"
        );
        let shuffled: Vec<f64> = (0..20).map(|k| covariance[(7 * k + 3) % 20]).collect();
        let none = power(&curvature, &shuffled, 1).unwrap();
        assert!(none.z_score(1.5) < -4.0, "{none:?}");
        assert!(power(&[1.0; 10], &[0.0; 10], 1).is_err());
        assert!(power(&curvature[..9], &covariance[..9], 1).is_err());
    }
}
