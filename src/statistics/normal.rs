//! The standard normal law with full double accuracy.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use statrs::distribution::{ContinuousCDF, Normal};

use crate::error::{Result, require};

/// Φ(z) of the standard normal distribution, accurate in both tails.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The z with Φ(z) = p.
///
/// # Method
/// The quantile of `statrs` polished by two Newton steps on Φ in the nearer tail; relative error of a few ε of the tail.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] unless 0 < p < 1.
///
/// # Examples
/// ```
/// use freezeout::statistics::normal_quantile;
/// assert!((normal_quantile(0.975)? - 1.959_963_984_540_054).abs() < 1e-14);
/// assert!((normal_quantile(1e-20)? + 9.262_340_089_798_408).abs() < 1e-13);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn normal_quantile(probability: f64) -> Result<f64> {
    require(
        "probability",
        probability,
        |p| p > 0.0 && p < 1.0,
        "a number in (0, 1) is needed",
    )?;
    // In the upper half 1 − p is exact enough: it is what p itself resolves.
    let (sign, tail) = if probability > 0.5 {
        (-1.0, 1.0 - probability)
    } else {
        (1.0, probability)
    };
    let mut z = Normal::standard().inverse_cdf(tail);
    for _ in 0..2 {
        let density = (-0.5 * z * z).exp() / TAU.sqrt();
        z -= (normal_cdf(z) - tail) / density;
    }
    Ok(sign * z)
}
