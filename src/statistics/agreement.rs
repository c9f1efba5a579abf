//! Whether two routes to the same number agree, at a stated rate of false alarms.

use super::{Estimate, normal_quantile};
use crate::error::{Error, Result, require, require_finite, require_non_negative};

/// Outcome of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No difference beyond the errors.
    Agree,
    /// A difference that chance produces more rarely than the budget allows.
    Disagree,
}

/// Two-sided threshold on |z| for `checks` comparisons that together raise a false alarm with probability at most `budget`.
///
/// # Formula
/// z = −Φ⁻¹(budget/(2 checks)) (Bonferroni).
///
/// # Errors
/// [`Error::InvalidParameter`] for a budget outside (0, 1) or no checks.
///
/// # Examples
/// ```
/// use freezeout::statistics::agreement::threshold;
/// assert!((threshold(0.05, 1)? - 1.959_963_984_540_054).abs() < 1e-14);
/// assert!((threshold(1e-6, 1000)? - 6.109_410_2).abs() < 1e-6);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn threshold(budget: f64, checks: usize) -> Result<f64> {
    require(
        "budget",
        budget,
        |b| b > 0.0 && b < 1.0,
        "a probability in (0, 1) is needed",
    )?;
    require("checks", checks as f64, |c| c >= 1.0, "at least one is needed")?;
    Ok(-normal_quantile(0.5 * budget / checks as f64)?)
}

/// z-score of a difference between two routes, allowing for a known bias bound.
///
/// # Formula
/// z = sign(d) max(|d| − bias, 0)/sqrt(se_a² + se_b²), d = a − b. The bias bound is the sum of what is not random: discretisation, step size,
/// truncation. Two numbers without any random error give z = 0 within the bound and ±∞ beyond it.
///
/// # Errors
/// [`Error::InvalidParameter`] for a value that is not finite or a negative error or bias.
pub fn z_score(first: &Estimate, second: &Estimate, bias: f64) -> Result<f64> {
    let difference =
        require_finite("first value", first.value)? - require_finite("second value", second.value)?;
    let error = require_non_negative("first standard error", first.standard_error)?.hypot(
        require_non_negative("second standard error", second.standard_error)?,
    );
    let excess = difference.abs() - require_non_negative("bias", bias)?;
    Ok(if excess <= 0.0 {
        0.0
    } else {
        (excess / error).copysign(difference)
    })
}

/// Agreement of two routes over many cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Root mean square of the z-scores; one for independent cells with right errors.
    pub rms_z: f64,
    /// Largest |z|.
    pub max_z: f64,
    /// Cell of the largest |z|.
    pub worst: usize,
    /// Cells compared.
    pub cells: usize,
    /// Threshold on the largest |z| that the verdict used.
    pub threshold: f64,
    /// Verdict on the largest |z|.
    pub verdict: Verdict,
}

/// Compares z-scores of many cells with the threshold of a false-alarm `budget`.
///
/// # Method
/// The verdict looks at the largest |z| only, by [`threshold`]; `rms_z` well above one tells of a small difference everywhere, well
/// below one of errors stated too large.
///
/// # Errors
/// [`Error::TooFewSamples`] without cells, [`Error::InvalidParameter`] for a NaN or a bad budget.
pub fn agreement(z_scores: &[f64], budget: f64) -> Result<Agreement> {
    if z_scores.is_empty() {
        return Err(Error::TooFewSamples {
            estimator: "agreement".into(),
            needed: 1,
            got: 0,
        });
    }
    let threshold = threshold(budget, z_scores.len())?;
    let (mut squares, mut max_z, mut worst) = (0.0, 0.0, 0);
    for (cell, &z) in z_scores.iter().enumerate() {
        if z.is_nan() {
            return Err(Error::InvalidParameter {
                name: format!("z-score of cell {cell}"),
                value: z,
                requirement: "a number is needed".into(),
            });
        }
        squares += z * z;
        if z.abs() > max_z {
            (max_z, worst) = (z.abs(), cell);
        }
    }
    Ok(Agreement {
        rms_z: (squares / z_scores.len() as f64).sqrt(),
        max_z,
        worst,
        cells: z_scores.len(),
        threshold,
        verdict: if max_z <= threshold {
            Verdict::Agree
        } else {
            Verdict::Disagree
        },
    })
}
