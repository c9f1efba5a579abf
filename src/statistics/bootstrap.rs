//! Standard errors by resampling with a fixed seed.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::Estimate;
use crate::error::{Error, Result};

/// A statistic with its bootstrap error and interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the data, with the standard deviation of the resampled values as error.
    pub estimate: Estimate,
    /// 2.5 % percentile of the resampled values.
    pub lower: f64,
    /// 97.5 % percentile of the resampled values.
    pub upper: f64,
}

/// Bootstrap of any statistic of independent samples.
///
/// # Method
/// `resamples` draws of the data with replacement from xoshiro256++ seeded with `seed`: the same call gives the same bytes. Not valid for
/// extremes (minimum, maximum) or correlated samples.
///
/// # Errors
/// [`Error::TooFewSamples`] below ten samples or a hundred resamples; [`Error::NotFinite`] when the statistic is not finite.
///
/// # References
/// B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 13.
///
/// # Examples
/// ```
/// use freezeout::statistics::bootstrap;
/// let data: Vec<f64> = (0..100).map(f64::from).collect();
/// let median = |x: &[f64]| { let mut x = x.to_vec(); x.sort_by(f64::total_cmp); x[x.len() / 2] };
/// let b = bootstrap(&data, 500, 7, median)?;
/// assert!(b.lower < 50.0 && 50.0 < b.upper);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn bootstrap<T: Copy>(
    data: &[T],
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Bootstrap> {
    for (estimator, needed, got) in [
        ("bootstrap", 10, data.len()),
        ("bootstrap (resamples)", 100, resamples),
    ] {
        if got < needed {
            return Err(Error::TooFewSamples {
                estimator: estimator.into(),
                needed,
                got,
            });
        }
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut resample = data.to_vec();
    let mut values = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        for slot in &mut resample {
            *slot = data[random.random_range(0..data.len())];
        }
        values.push(statistic(&resample));
    }
    let value = statistic(data);
    if !value.is_finite() || values.iter().any(|v| !v.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "bootstrapped statistic".into(),
            reason: "it is undefined for the data or for a resample of them".into(),
        });
    }
    let spread = super::variance(&values)?.value.sqrt();
    values.sort_by(f64::total_cmp);
    let percentile = |p: f64| values[((resamples - 1) as f64 * p).round() as usize];
    Ok(Bootstrap {
        estimate: Estimate {
            value,
            standard_error: spread,
            samples: data.len(),
        },
        lower: percentile(0.025),
        upper: percentile(0.975),
    })
}
