//! Hypothesis tests with p-values: Kolmogorov-Smirnov and chi-square.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::factorial::ln_binomial;

use crate::error::{Error, Result, require, require_finite};

/// A test statistic with the probability of one at least as extreme under the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestResult {
    /// The statistic: D or χ².
    pub statistic: f64,
    /// p-value.
    pub p_value: f64,
}

/// Below this p-value twice the one-sided tail is exact to rounding.
const FAR_TAIL: f64 = 1e-5;
/// Largest sample for which the exact matrix formula is used.
const EXACT_SAMPLES: usize = 500;

/// Two-sided Kolmogorov-Smirnov test that independent `samples` follow `cdf`.
///
/// # Formula
/// D = sup |F_n − F|.
///
/// # Errors
/// [`Error::TooFewSamples`] without data; [`Error::InvalidParameter`] where `cdf` leaves [0, 1] or a sample is not finite.
///
/// # References
/// p-value as [`kolmogorov_p_value`].
pub fn ks_one_sample(samples: &[f64], cdf: impl Fn(f64) -> f64) -> Result<TestResult> {
    let sorted = sorted(samples)?;
    let n = sorted.len() as f64;
    let mut distance: f64 = 0.0;
    for (k, &x) in sorted.iter().enumerate() {
        let p = require(
            "cdf",
            cdf(x),
            |p| (0.0..=1.0).contains(&p),
            "a number in [0, 1] is needed",
        )?;
        distance = distance.max((k as f64 + 1.0) / n - p).max(p - k as f64 / n);
    }
    Ok(TestResult {
        statistic: distance,
        p_value: kolmogorov_p_value(distance, sorted.len()),
    })
}

/// Two-sided Kolmogorov-Smirnov test that two independent sets of samples follow the same law.
///
/// # Method
/// One-sample p-value at the effective size nm/(n + m), rounded: asymptotic, good from about 25 samples each.
///
/// # Errors
/// As [`ks_one_sample`].
pub fn ks_two_sample(first: &[f64], second: &[f64]) -> Result<TestResult> {
    let (a, b) = (sorted(first)?, sorted(second)?);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j) = (0, 0);
    let mut distance: f64 = 0.0;
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        while i < a.len() && a[i] <= x {
            i += 1;
        }
        while j < b.len() && b[j] <= x {
            j += 1;
        }
        distance = distance.max((i as f64 / n - j as f64 / m).abs());
    }
    let effective = (n * m / (n + m)).round().max(1.0) as usize;
    Ok(TestResult {
        statistic: distance,
        p_value: kolmogorov_p_value(distance, effective),
    })
}

/// Pr(D_n ≥ d) of the two-sided Kolmogorov statistic.
///
/// # Method
/// Small p (below 10⁻⁵): twice the exact one-sided tail. Otherwise the exact matrix formula up to 500 samples, and above the limiting series at
/// Vrbík's shifted argument, with error O(1/n).
///
/// # References
/// G. Marsaglia, W. W. Tsang and J. Wang, J. Stat. Softw. 8(18) (2003); R. Simard and P. L'Ecuyer, J. Stat. Softw. 39(11) (2011);
/// J. Vrbik, Commun. Stat. Theory Methods 47, 5105 (2018).
pub fn kolmogorov_p_value(distance: f64, samples: usize) -> f64 {
    let n = samples as f64;
    if distance >= 1.0 {
        return 0.0;
    }
    if distance <= 0.5 / n {
        return 1.0;
    }
    let tail = 2.0 * one_sided_tail(distance, samples);
    if tail < FAR_TAIL {
        return tail;
    }
    if samples <= EXACT_SAMPLES {
        return (1.0 - kolmogorov_cdf(distance, samples)).clamp(0.0, 1.0);
    }
    let x = n.sqrt() * distance;
    let shifted = x + 1.0 / (6.0 * n.sqrt()) + (x - 1.0) / (4.0 * n);
    let mut p = 0.0;
    // The terms fall faster than geometrically for the p-values below one that are wanted.
    for k in 1..=100 {
        let k = f64::from(k);
        let term = 2.0 * (-2.0 * k * k * shifted * shifted).exp();
        p += if k % 2.0 == 1.0 { term } else { -term };
        if term < f64::EPSILON {
            break;
        }
    }
    p.clamp(0.0, 1.0)
}

/// Pr(D⁺_n ≥ d) = d Σ_j C(n, j) (d + j/n)^{j−1} (1 − d − j/n)^{n−j}, exact.
fn one_sided_tail(distance: f64, samples: usize) -> f64 {
    let n = samples as f64;
    let last = (n * (1.0 - distance)).floor() as usize;
    let mut sum = 0.0;
    for j in 0..=last.min(samples) {
        let up = distance + j as f64 / n;
        let down = 1.0 - up;
        if down > 0.0 {
            let log = ln_binomial(samples as u64, j as u64)
                + (j as f64 - 1.0) * up.ln()
                + (n - j as f64) * down.ln();
            sum += log.exp();
        }
    }
    distance * sum
}

/// Pr(D_n < d): n!/nⁿ times the central entry of the n-th power of the Marsaglia-Tsang-Wang matrix.
fn kolmogorov_cdf(distance: f64, samples: usize) -> f64 {
    let n = samples as f64;
    let k = (n * distance).floor() as usize + 1;
    let size = 2 * k - 1;
    let h = k as f64 - n * distance;
    let mut matrix = nalgebra::DMatrix::<f64>::from_fn(size, size, |i, j| if i + 1 < j { 0.0 } else { 1.0 });
    for i in 0..size {
        matrix[(i, 0)] -= h.powi(i as i32 + 1);
        matrix[(size - 1, i)] -= h.powi((size - i) as i32);
    }
    if 2.0 * h > 1.0 {
        matrix[(size - 1, 0)] += (2.0 * h - 1.0).powi(size as i32);
    }
    for i in 0..size {
        for j in 0..=(i + 1).min(size - 1) {
            for g in 1..=(i + 1 - j) {
                matrix[(i, j)] /= g as f64;
            }
        }
    }
    // Power by squaring with a separate exponent against overflow.
    let (mut power, mut power_log) = (nalgebra::DMatrix::<f64>::identity(size, size), 0.0);
    let (mut square, mut square_log) = (matrix, 0.0);
    let mut rest = samples;
    while rest > 0 {
        if rest % 2 == 1 {
            power = &power * &square;
            power_log += square_log;
            let scale = power.amax();
            power /= scale;
            power_log += scale.ln();
        }
        square = &square * &square;
        let scale = square.amax();
        square /= scale;
        square_log = 2.0 * square_log + scale.ln();
        rest /= 2;
    }
    let log_factor = statrs::function::factorial::ln_factorial(samples as u64) - n * n.ln();
    power[(k - 1, k - 1)] * (power_log + log_factor).exp()
}

/// Pearson's chi-square test of counts against expected counts.
///
/// # Formula
/// χ² = Σ (O − E)²/E with cells − 1 − `fitted` degrees of freedom, `fitted` the number of parameters estimated from the counts.
///
/// # Errors
/// [`Error::DimensionMismatch`] for unequal lengths, [`Error::TooFewSamples`] without degrees of freedom, [`Error::InvalidParameter`] for an
/// expected count below 5, where the limit law is unreliable: merge cells.
///
/// # Examples
/// ```
/// use freezeout::statistics::hypothesis::chi_square;
/// let test = chi_square(&[16.0, 18.0, 16.0, 14.0, 12.0, 12.0], &[88.0 / 6.0; 6], 0)?;
/// assert!((test.statistic - 2.0).abs() < 1e-12 && (test.p_value - 0.849_145_036).abs() < 1e-8);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn chi_square(observed: &[f64], expected: &[f64], fitted: usize) -> Result<TestResult> {
    const SMALLEST_EXPECTED: f64 = 5.0;
    if observed.len() != expected.len() {
        return Err(Error::DimensionMismatch {
            name: "expected counts".into(),
            expected: observed.len(),
            got: expected.len(),
        });
    }
    if observed.len() < fitted + 2 {
        return Err(Error::TooFewSamples {
            estimator: "chi-square test (cells)".into(),
            needed: fitted + 2,
            got: observed.len(),
        });
    }
    let mut statistic = 0.0;
    for (&o, &e) in observed.iter().zip(expected) {
        require("observed count", o, |v| v >= 0.0, "a finite count >= 0 is needed")?;
        require(
            "expected count",
            e,
            |v| v >= SMALLEST_EXPECTED,
            "at least 5 is needed: merge cells",
        )?;
        statistic += (o - e) * (o - e) / e;
    }
    let freedom = (observed.len() - 1 - fitted) as f64;
    let law = ChiSquared::new(freedom).map_err(|_| Error::InvalidParameter {
        name: "degrees of freedom".into(),
        value: freedom,
        requirement: "a positive number is needed".into(),
    })?;
    Ok(TestResult {
        statistic,
        p_value: law.sf(statistic),
    })
}

fn sorted(samples: &[f64]) -> Result<Vec<f64>> {
    if samples.is_empty() {
        return Err(Error::TooFewSamples {
            estimator: "Kolmogorov-Smirnov test".into(),
            needed: 1,
            got: 0,
        });
    }
    for &x in samples {
        require_finite("sample", x)?;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted)
}
