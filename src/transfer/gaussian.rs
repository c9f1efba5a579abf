//! The Gaussian of one SGD step, evaluated on contiguous nodes.

use crate::error::{Error, Result};

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

/// exp(v) for −600 ≤ v ≤ 0 within 2 units in the last place; smaller v give exp(−600), which is never zero, so
/// that a column can be normalised wherever its mean lies.
#[inline(always)]
fn exp_of_negative(v: f64) -> f64 {
    /// Adding 1.5·2⁵² rounds to an integer that stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let v = if v > -600.0 { v } else { -600.0 };
    let rounded = v * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (v - n * LN2_HIGH) - n * LN2_LOW;
    // Taylor series of degree 13: |r| <= ln(2)/2, remainder 4e-18.
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // 2^n: the low bits of `rounded` are n, the exponent field starts at bit 52.
    p * f64::from_bits((rounded.to_bits().wrapping_add(1023)) << 52)
}

#[cfg(test)]
mod tests {
    use super::exp_of_negative;

    #[test]
    fn exponential_agrees_with_the_standard_one() {
        for k in 0..7000 {
            let v = -0.1 * f64::from(k) - 1e-3 * f64::from(k % 7);
            if v > -600.0 {
                // 2 ulp, half of it from the standard library.
                assert!((exp_of_negative(v) / v.exp() - 1.0).abs() < 4.5e-16, "{v}");
            }
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
    }
}
