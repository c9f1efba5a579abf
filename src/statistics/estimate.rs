//! A number with its standard error.

use crate::error::{Error, Result};

/// An estimated number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Standard error, one standard deviation of the estimator.
    pub standard_error: f64,
    /// Independent samples that went into it.
    pub samples: usize,
}

impl Estimate {
    /// (value − reference)/standard error.
    pub fn z_score(&self, reference: f64) -> f64 {
        (self.value - reference) / self.standard_error
    }

    /// Difference of two independent estimates, errors added in quadrature.
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            value: self.value - other.value,
            standard_error: self.standard_error.hypot(other.standard_error),
            samples: self.samples.min(other.samples),
        }
    }
}

/// Probability of success from `successes` in `samples` trials.
///
/// # Formula
/// p = k/n, standard error sqrt(q(1 − q)/n) with q = (k + 2)/(n + 4).
///
/// # Method
/// The Agresti-Coull q keeps the error positive at k = 0 and k = n, where sqrt(p(1 − p)/n) would claim certainty.
///
/// # Errors
/// [`Error::TooFewSamples`] for n = 0, [`Error::DimensionMismatch`] for k > n.
///
/// # References
/// A. Agresti and B. Coull, The American Statistician 52, 119 (1998).
///
/// # Examples
/// ```
/// use freezeout::statistics::proportion;
/// let p = proportion(933, 1000)?;
/// assert_eq!(p.value, 0.933);
/// assert!((p.standard_error - 0.008).abs() < 1e-6);
/// assert!(proportion(0, 1000)?.standard_error > 0.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn proportion(successes: usize, samples: usize) -> Result<Estimate> {
    if samples == 0 {
        return Err(Error::TooFewSamples {
            estimator: "proportion".into(),
            needed: 1,
            got: 0,
        });
    }
    if successes > samples {
        return Err(Error::DimensionMismatch {
            name: "successes of a proportion".into(),
            expected: samples,
            got: successes,
        });
    }
    let n = samples as f64;
    let q = (successes as f64 + 2.0) / (n + 4.0);
    Ok(Estimate {
        value: successes as f64 / n,
        standard_error: (q * (1.0 - q) / n).sqrt(),
        samples,
    })
}
