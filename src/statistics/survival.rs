//! Escape rates from times that may be censored.

use super::Estimate;
use super::hypothesis::ks_one_sample;
use crate::error::{Error, Result, require};

/// Time until an escape, or until the observation ended without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lifetime {
    /// Observed time.
    pub time: f64,
    /// Whether the escape was seen at that time; otherwise it is known only to be later (censored).
    pub escaped: bool,
}

impl Lifetime {
    /// An observed escape.
    pub fn escaped(time: f64) -> Self {
        Self { time, escaped: true }
    }

    /// An observation that ended before the escape.
    pub fn censored(time: f64) -> Self {
        Self { time, escaped: false }
    }
}

/// An exponential law fitted to lifetimes, with the test that allowed it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialFit {
    /// Escape rate.
    pub rate: Estimate,
    /// p-value of exponentiality.
    pub p_value: f64,
}

/// Factor of the 95 % upper bound of a rate without any event, −ln 0.05.
const NO_EVENT_BOUND: f64 = 2.995_732_273_553_991;

/// Maximum-likelihood rate of exponential lifetimes with censoring.
///
/// # Formula
/// k = events/(total observed time), standard error k/sqrt(events). Averaging the escape times alone, or counting censored ones
/// as escapes, is biased.
///
/// # Method
/// Does not test whether the times are exponential: use [`exponential_fit`] on data that were not checked otherwise.
///
/// # Errors
/// [`Error::TooFewSamples`] without data, [`Error::InvalidParameter`] for a time that is negative or not finite,
/// [`Error::AllCensored`] with the 95 % bound 3.0/(total time) when no escape was seen.
///
/// # Examples
/// ```
/// use freezeout::statistics::{Lifetime, exponential_rate};
/// let rate = exponential_rate(&[Lifetime::escaped(1.0), Lifetime::escaped(3.0), Lifetime::censored(4.0)])?;
/// assert_eq!(rate.value, 0.25);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn exponential_rate(lifetimes: &[Lifetime]) -> Result<Estimate> {
    let sorted = sorted(lifetimes, "exponential rate")?;
    let total: f64 = sorted.iter().map(|l| l.time).sum();
    let events = sorted.iter().filter(|l| l.escaped).count();
    if events == 0 {
        return Err(Error::AllCensored {
            samples: lifetimes.len(),
            time: sorted.last().map_or(0.0, |l| l.time),
            bound: NO_EVENT_BOUND / total,
        });
    }
    let value = events as f64 / total;
    Ok(Estimate {
        value,
        standard_error: value / (events as f64).sqrt(),
        samples: lifetimes.len(),
    })
}

/// Maximum-likelihood rate of exponential lifetimes that are looked at after equal intervals only.
///
/// # Formula
/// An observation that has not ended ends within an interval with probability p = events/intervals, the intervals of all observations counted up to and including the one of the event; k = −ln(1 − p)/interval, standard
/// error sqrt(p/((1 − p) intervals))/interval. [`exponential_rate`] of times rounded up to the looks is too small.
///
/// # Errors
/// [`Error::InvalidParameter`] for an interval that is not positive; [`Error::AllCensored`] with the 95 % bound when there was no event; [`Error::TooFewSamples`] when every observation ended in its first interval, where any
/// large rate is as likely.
///
/// # Examples
/// ```
/// use freezeout::statistics::grouped_rate;
/// let rate = grouped_rate(50, 100, 2.0)?;
/// assert!((rate.value - 0.5 * 2.0_f64.ln()).abs() < 1e-15 && (rate.standard_error - 0.05).abs() < 1e-15);
/// assert!(grouped_rate(0, 100, 2.0).is_err() && grouped_rate(7, 7, 2.0).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn grouped_rate(events: usize, intervals: usize, interval: f64) -> Result<Estimate> {
    require("interval", interval, |t| t > 0.0, "a positive time is needed")?;
    if events == 0 {
        return Err(Error::AllCensored {
            samples: intervals,
            time: interval,
            bound: NO_EVENT_BOUND / (intervals as f64 * interval),
        });
    }
    if events >= intervals {
        return Err(Error::TooFewSamples {
            estimator: "rate from equal intervals (intervals without an event)".into(),
            needed: 1,
            got: 0,
        });
    }
    let (n, p) = (intervals as f64, events as f64 / intervals as f64);
    Ok(Estimate {
        value: -(-p).ln_1p() / interval,
        standard_error: (p / ((1.0 - p) * n)).sqrt() / interval,
        samples: intervals,
    })
}

/// p-value of the hypothesis that the lifetimes are exponential, censoring included.
///
/// # Formula
/// With Y(t) the number still observed at t, the escapes of an exponential law form a homogeneous Poisson process in the total time on
/// test T(t) = ∫_0^t Y; hence T(t_i)/T(t_r), i < r, are uniform order statistics for r escapes.
///
/// # Method
/// Kolmogorov-Smirnov test of these r − 1 numbers. Sensitive to a dead time before the first escape and to a rate that
/// changes with age. Times recorded on a coarse grid (ties) lower the p-value: record them finer than the mean time/sqrt(r).
///
/// # Errors
/// [`Error::TooFewSamples`] below five escapes, [`Error::InvalidParameter`] for bad times.
///
/// # References
/// R. E. Barlow and R. Campo, Total time on test processes, in Reliability and Fault Tree Analysis, SIAM 1975.
pub fn exponentiality_p_value(lifetimes: &[Lifetime]) -> Result<f64> {
    const FEWEST: usize = 5;
    let sorted = sorted(lifetimes, "exponentiality test")?;
    let (mut at_risk, mut last, mut on_test) = (sorted.len() as f64, 0.0, 0.0);
    let mut marks = Vec::new();
    for lifetime in &sorted {
        on_test += at_risk * (lifetime.time - last);
        last = lifetime.time;
        at_risk -= 1.0;
        if lifetime.escaped {
            marks.push(on_test);
        }
    }
    if marks.len() < FEWEST {
        return Err(Error::TooFewSamples {
            estimator: "exponentiality test (escapes)".into(),
            needed: FEWEST,
            got: marks.len(),
        });
    }
    let end = marks.pop().unwrap_or(1.0);
    let uniform: Vec<f64> = marks.iter().map(|mark| mark / end).collect();
    ks_one_sample(&uniform, |u| u).map(|test| test.p_value)
}

/// [`exponential_rate`] that refuses when [`exponentiality_p_value`] is rejected at `significance`.
///
/// # Errors
/// [`Error::AssumptionFails`] for data that are not exponential, and those of the two functions.
pub fn exponential_fit(lifetimes: &[Lifetime], significance: f64) -> Result<ExponentialFit> {
    require(
        "significance",
        significance,
        |s| s > 0.0 && s < 1.0,
        "a number in (0, 1) is needed",
    )?;
    let rate = exponential_rate(lifetimes)?;
    let p_value = exponentiality_p_value(lifetimes)?;
    if p_value < significance {
        return Err(Error::AssumptionFails {
            estimator: "the exponential escape rate".into(),
            p_value,
            significance,
            hint: "use the Kaplan-Meier curve, or start from the quasi-stationary state".into(),
        });
    }
    Ok(ExponentialFit { rate, p_value })
}

/// The lifetimes in ascending order, escapes before censorings at equal times.
pub(super) fn sorted(lifetimes: &[Lifetime], estimator: &str) -> Result<Vec<Lifetime>> {
    if lifetimes.is_empty() {
        return Err(Error::TooFewSamples {
            estimator: estimator.into(),
            needed: 1,
            got: 0,
        });
    }
    for lifetime in lifetimes {
        require(
            "lifetime",
            lifetime.time,
            |t| t >= 0.0,
            "a finite time >= 0 is needed",
        )?;
    }
    let mut sorted = lifetimes.to_vec();
    sorted.sort_by(|a, b| a.time.total_cmp(&b.time).then(b.escaped.cmp(&a.escaped)));
    Ok(sorted)
}
