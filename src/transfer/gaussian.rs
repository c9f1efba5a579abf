//! The Gaussian of one SGD step, evaluated on contiguous nodes.

use crate::error::{Error, Result};
use crate::math::elementary::exp_of_negative;

/// Law of x_{k+1} given x_k: N(mean, standard_deviation²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// x − η L'(x).
    pub mean: f64,
    /// η sqrt(C(x)/B).
    pub standard_deviation: f64,
}

impl Gaussian {
    /// The step from `x`, checked.
    pub(super) fn new(x: f64, mean: f64, standard_deviation: f64) -> Result<Self> {
        if !mean.is_finite() {
            return Err(Error::NotFinite {
                quantity: "gradient".into(),
                reason: format!("at x = {x}"),
            });
        }
        if standard_deviation > 0.0 && standard_deviation.is_finite() {
            return Ok(Self {
                mean,
                standard_deviation,
            });
        }
        Err(Error::InvalidParameter {
            name: "standard deviation of a step".into(),
            value: standard_deviation,
            requirement: format!(
                "it must be positive and finite at x = {x}: give noise that vanishes there a floor"
            ),
        })
    }
}

/// Writes weights[j] · exp(−(nodes[j] − mean)²/2s²) to `out`.
///
/// Straight-line arithmetic without fused operations: the compiler vectorises it to whatever width the
/// dispatch allows, and every width gives the same bits.
#[inline(always)]
pub(super) fn weighted_gaussian(gaussian: Gaussian, nodes: &[f64], weights: &[f64], out: &mut [f64]) {
    let Gaussian {
        mean,
        standard_deviation,
    } = gaussian;
    let scale = std::f64::consts::FRAC_1_SQRT_2 / standard_deviation;
    for ((out, &node), &weight) in out.iter_mut().zip(nodes).zip(weights) {
        let z = (node - mean) * scale;
        *out = weight * exp_of_negative(-z * z);
    }
}
