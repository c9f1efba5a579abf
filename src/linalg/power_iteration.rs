//! Power iteration, inverse iteration included: x ← A x/|A x| until the estimate of the eigenvalue stands still.

use crate::error::{Error, Result};

/// Result of [`power_iteration`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PowerIteration {
    /// Last estimate of the eigenvalue.
    pub estimate: f64,
    /// Last vector.
    pub vector: Vec<f64>,
    /// Steps done.
    pub iterations: usize,
    /// Relative change of the estimate in the last step.
    pub residual: f64,
    /// Relative error that is left: the rest of a sum of changes with the ratio r of the last two, the last one times r/(1 - r).
    pub remaining: f64,
}

/// Repeats `step`, which returns the next normalised vector and its estimate of the eigenvalue, until two estimates agree
/// within the relative `tolerance`.
///
/// # Errors
/// [`Error::NotConverged`] naming `method` after `most` steps; errors of `step`.
pub(crate) fn power_iteration(
    method: &str,
    start: Vec<f64>,
    most: usize,
    tolerance: f64,
    mut step: impl FnMut(&[f64]) -> Result<(Vec<f64>, f64)>,
) -> Result<PowerIteration> {
    let (mut vector, mut estimate, mut residual) = (start, f64::INFINITY, f64::INFINITY);
    for iterations in 1..=most {
        let (next, now) = step(&vector)?;
        vector = next;
        let before = residual;
        residual = (now / estimate - 1.0).abs();
        estimate = now;
        if residual < tolerance {
            let ratio = residual / before;
            // changes that no longer fall are rounding
            let left = if ratio < 1.0 { ratio / (1.0 - ratio) } else { 1.0 };
            return Ok(PowerIteration {
                estimate,
                vector,
                iterations,
                residual,
                remaining: residual * left,
            });
        }
    }
    Err(Error::NotConverged {
        method: method.into(),
        iterations: most,
        residual,
        tolerance,
    })
}

/// Σ w_i a_i b_i.
pub(crate) fn weighted_inner(a: &[f64], b: &[f64], weight: &[f64]) -> f64 {
    a.iter().zip(b).zip(weight).map(|((a, b), w)| a * b * w).sum()
}

/// Subtracts the mean Σ w_i f_i, for weights that sum to one.
pub(crate) fn remove_mean(f: &mut [f64], weight: &[f64]) {
    let mean: f64 = f.iter().zip(weight).map(|(f, w)| f * w).sum();
    f.iter_mut().for_each(|v| *v -= mean);
}

/// Divides f by its weighted norm, which is returned.
pub(crate) fn normalise(f: &mut [f64], weight: &[f64]) -> f64 {
    let norm = weighted_inner(f, f, weight).sqrt();
    f.iter_mut().for_each(|v| *v /= norm);
    norm
}

/// The state of largest weight (or of its logarithm): where pinning a function to zero loses no digits.
pub(crate) fn most_probable(weight: &[f64]) -> usize {
    (0..weight.len())
        .max_by(|&a, &b| weight[a].total_cmp(&weight[b]))
        .unwrap_or(0)
}
