//! A number with its standard error.

use crate::error::{Error, Result};
use std::fmt;

/// An estimated number.
///
/// Shown to the second digit of its error, as zero when it is less than half of that; to four digits where the error is zero, which says that none is stated.
///
/// # Examples
/// ```
/// use freezeout::statistics::Estimate;
/// let shown = |value, standard_error| Estimate { value, standard_error, samples: 1 }.to_string();
/// assert_eq!(shown(66.268626364861, 9.03e-10), "66.26862636486 ± 9.0e-10");
/// assert_eq!(shown(0.93312, 0.0056), "0.9331 ± 0.0056");
/// assert_eq!(shown(6.1512e-12, 3.2e-15), "6.1512e-12 ± 3.2e-15");
/// assert_eq!(shown(9e-39, 2e-15), "0 ± 2.0e-15");
/// assert_eq!(shown(0.125, 0.0), "0.1250");
/// assert_eq!(shown(12.0, f64::NAN), "12.00 ± ?");
/// ```
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

/// Digits of a number whose error is not stated.
const DIGITS: i32 = 4;
/// Most digits of a number: what 64 bits hold.
const MOST_DIGITS: i32 = 15;
/// Digits of an error.
const ERROR_DIGITS: i32 = 2;

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.standard_error;
        let has_error = error.is_finite() && error > 0.0;
        let first = |x: f64| {
            if x == 0.0 {
                i32::MIN
            } else {
                x.abs().log10().floor() as i32
            }
        };
        // Decimal place of the last digit shown: 10^last.
        let last = match (has_error, first(self.value)) {
            (false, i32::MIN) => 0,
            (false, first) => first + 1 - DIGITS,
            (true, own) => (first(error) + 1 - ERROR_DIGITS).max(own.saturating_add(1 - MOST_DIGITS)),
        };
        // no digits below those of the error
        let value = match has_error && self.value != 0.0 && first(self.value) < last {
            true => (self.value / 10_f64.powi(last)).round() * 10_f64.powi(last),
            false => self.value,
        };
        // zero has no sign
        let value = value + 0.0;
        let highest = first(value).max(if has_error { first(error) } else { i32::MIN });
        let is_plain = highest == i32::MIN || (-4..8).contains(&highest);
        if is_plain {
            let places = (-last).max(0) as usize;
            let shown = match last {
                // no digits below those of the error
                1.. => (value / 10_f64.powi(last)).round() * 10_f64.powi(last),
                _ => value,
            };
            write!(f, "{shown:.places$}")?;
        } else if value == 0.0 {
            write!(f, "0")?;
        } else {
            let digits = first(value).saturating_sub(last).max(0) as usize;
            write!(f, "{value:.digits$e}")?;
        }
        match has_error {
            true if is_plain && (-4..4).contains(&first(error)) => {
                let places = (-last).max(0) as usize;
                write!(f, " ± {error:.places$}")
            }
            true => write!(f, " ± {error:.1e}"),
            false if error == 0.0 => Ok(()),
            false => write!(f, " ± ?"),
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
