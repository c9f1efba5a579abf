//! Mean lifetime when observations end at a common horizon.

use super::survival::exponential_fit;
use super::{Estimate, Lifetime, mean};
use crate::error::{Error, Result};

/// Mean lifetime from observations that all end at the same horizon T, if they have not ended before.
///
/// # Formula
/// E τ = E min(τ, T) + S(T)/k, with the rate k of the escapes after T/2. The standard error is that of the mean of
/// ```text
/// min(τ_i, T) + c_i/k − (p/k²) (d_i − k w_i)/⟨w⟩,   p = ⟨c⟩,
/// ```
/// c_i, d_i telling whether run i is censored and whether it escaped after T/2, w_i = max(0, min(τ_i, T) − T/2): the
/// estimator linearised in the law of a sample (the delta method). Without censoring it is the sample mean.
///
/// # Method
/// Assumes only that the escapes late in the observation are exponential, as they are once the survivors are
/// quasi-stationary; the first half may be anything. The assumption is tested at `significance` when a run is censored.
///
/// # Errors
/// [`Error::TooFewSamples`] below two samples or five escapes after T/2, [`Error::AllCensored`] when no escape was seen,
/// [`Error::AssumptionFails`] when the late escapes are not exponential, [`Error::InvalidParameter`] for a bad time or
/// observations that end at different times or before an escape.
///
/// # Examples
/// ```
/// use freezeout::statistics::{Lifetime, censored_mean};
/// let times = [1.0, 2.0, 6.0].map(Lifetime::escaped);
/// assert_eq!(censored_mean(&times, 1e-3)?.value, 3.0);
/// // Quantiles of an exponential law with mean 1, observed until t = 1.5.
/// let cut: Vec<_> = (0..1000)
///     .map(|i| -((i as f64 + 0.5) / 1000.0).ln())
///     .map(|t| if t < 1.5 { Lifetime::escaped(t) } else { Lifetime::censored(1.5) })
///     .collect();
/// let mean = censored_mean(&cut, 1e-3)?;
/// assert!((mean.value - 1.0).abs() < 0.01 && mean.standard_error < 0.05);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn censored_mean(lifetimes: &[Lifetime], significance: f64) -> Result<Estimate> {
    let times: Vec<f64> = lifetimes.iter().map(|l| l.time).collect();
    let Some(horizon) = lifetimes.iter().find(|l| !l.escaped).map(|l| l.time) else {
        return mean(&times);
    };
    let wrong = |l: &&Lifetime| {
        if l.escaped {
            !(l.time <= horizon)
        } else {
            l.time != horizon
        }
    };
    if let Some(lifetime) = lifetimes.iter().find(wrong) {
        return Err(Error::InvalidParameter {
            name: "lifetime".into(),
            value: lifetime.time,
            requirement: format!("censored times must all be the horizon {horizon}, and no escape later"),
        });
    }
    let half = 0.5 * horizon;
    let is_late = |l: &&Lifetime| l.time > half;
    let late: Vec<Lifetime> = lifetimes
        .iter()
        .filter(is_late)
        .map(|l| Lifetime {
            time: l.time - half,
            ..*l
        })
        .collect();
    let rate = if lifetimes.iter().any(|l| l.escaped) {
        exponential_fit(&late, significance)?.rate.value
    } else {
        // The bound of all the observed time.
        super::exponential_rate(lifetimes)?.value
    };
    let n = lifetimes.len() as f64;
    let censored = lifetimes.iter().filter(|l| !l.escaped).count() as f64 / n;
    let at_risk = late.iter().map(|l| l.time).sum::<f64>() / n;
    let linearised: Vec<f64> = lifetimes
        .iter()
        .map(|l| {
            let escaped_late = f64::from(l.escaped && l.time > half);
            let watched = (l.time - half).max(0.0);
            let rate_error = (escaped_late - rate * watched) / at_risk;
            l.time + f64::from(!l.escaped) / rate - censored / (rate * rate) * rate_error
        })
        .collect();
    // The terms in the error of the rate sum to zero: the mean of these is the estimate itself.
    mean(&linearised)
}
