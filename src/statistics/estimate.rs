//! A number with its standard error.

use super::Moments;
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
    /// Mean of independent samples with standard error s/√n; infinite below two samples, where the spread is unknown.
    ///
    /// The infallible twin of [`super::mean`] for samples that the program made itself; NaN samples make a NaN.
    pub fn mean(samples: impl Iterator<Item = f64>) -> Self {
        let mut moments = Moments::default();
        samples.for_each(|x| moments.push(x));
        moments.estimate()
    }

    /// Fraction of successes with the standard error of [`proportion`]; NaN for n = 0.
    pub fn proportion(successes: usize, n: usize) -> Self {
        let (k, n_real) = (successes as f64, n as f64);
        let q = (k + 2.0) / (n_real + 4.0);
        Self {
            value: k / n_real,
            standard_error: (q * (1.0 - q) / n_real).sqrt(),
            samples: n,
        }
    }

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
    Ok(Estimate::proportion(successes, samples))
}
