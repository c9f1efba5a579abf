//! Mean and variance with their standard errors, in one pass or two.

use super::Estimate;
use crate::error::{Error, Result};

/// Running count, mean and sum of squared deviations, which can be merged block by block.
///
/// # Method
/// Welford's update and Chan's merge: no cancellation however large the mean. Merging in a fixed order of blocks gives the same
/// bytes on any number of threads.
///
/// # References
/// B. P. Welford, Technometrics 4, 419 (1962); T. F. Chan, G. H. Golub and R. J. LeVeque, COMPSTAT 1982.
///
/// # Examples
/// ```
/// use freezeout::statistics::Moments;
/// let mut moments = Moments::default();
/// for x in [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0] {
///     moments.push(x);
/// }
/// assert_eq!(moments.mean()?.value, 1e9 + 2.0);
/// assert_eq!(moments.variance(), Some(1.0));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: usize,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a sample.
    #[inline]
    pub fn push(&mut self, x: f64) {
        self.count += 1;
        let before = x - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (x - self.mean);
    }

    /// Adds all samples of another accumulator.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let difference = other.mean - self.mean;
        self.count += other.count;
        self.mean += difference * m / (n + m);
        self.squares += other.squares + difference * difference * n * m / (n + m);
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Unbiased sample variance; none below two samples.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count as f64 - 1.0))
    }

    /// Mean with standard error s/sqrt(n).
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] below two samples, [`Error::NotFinite`] when a sample was not finite.
    pub fn mean(&self) -> Result<Estimate> {
        let variance = self.variance().ok_or_else(|| too_few("mean", 2, self.count))?;
        if !variance.is_finite() {
            return Err(not_finite("mean"));
        }
        Ok(Estimate {
            value: self.mean,
            standard_error: (variance / self.count as f64).sqrt(),
            samples: self.count,
        })
    }
}

/// Mean of independent samples with standard error s/sqrt(n).
///
/// # Errors
/// As [`Moments::mean`].
pub fn mean(samples: &[f64]) -> Result<Estimate> {
    let mut moments = Moments::default();
    samples.iter().for_each(|&x| moments.push(x));
    moments.mean()
}

/// Unbiased variance s² of independent samples.
///
/// # Formula
/// Standard error sqrt((m4 − s⁴ (n − 3)/(n − 1))/n) with the fourth central moment m4; s² sqrt(2/(n − 1)) for a normal law.
///
/// # Errors
/// [`Error::TooFewSamples`] below four samples, [`Error::NotFinite`] when a sample is not finite.
///
/// # Examples
/// ```
/// use freezeout::statistics::variance;
/// let v = variance(&[1.0, 2.0, 3.0, 4.0])?;
/// assert!((v.value - 5.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn variance(samples: &[f64]) -> Result<Estimate> {
    if samples.len() < 4 {
        return Err(too_few("variance", 4, samples.len()));
    }
    let n = samples.len() as f64;
    let centre = samples.iter().sum::<f64>() / n;
    let (mut second, mut fourth) = (0.0, 0.0);
    for x in samples {
        let square = (x - centre) * (x - centre);
        second += square;
        fourth += square * square;
    }
    let value = second / (n - 1.0);
    let spread = (fourth / n - value * value * (n - 3.0) / (n - 1.0)) / n;
    if !(value.is_finite() && spread.is_finite()) {
        return Err(not_finite("variance"));
    }
    Ok(Estimate {
        value,
        standard_error: spread.max(0.0).sqrt(),
        samples: samples.len(),
    })
}

fn too_few(estimator: &str, needed: usize, got: usize) -> Error {
    Error::TooFewSamples {
        estimator: estimator.into(),
        needed,
        got,
    }
}

fn not_finite(quantity: &str) -> Error {
    Error::NotFinite {
        quantity: quantity.into(),
        reason: "a sample is NaN or infinite".into(),
    }
}
