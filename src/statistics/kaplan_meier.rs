//! Survival curve without assumption about its shape.

use super::survival::sorted;
use super::{Estimate, Lifetime};
use crate::error::{Result, require};

/// Survival just after an escape time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalStep {
    /// Time of the escape(s).
    pub time: f64,
    /// Observed until just before.
    pub at_risk: usize,
    /// Escapes at this time.
    pub escapes: usize,
    /// S(time).
    pub survival: f64,
    /// Greenwood's standard error of S; zero once S is zero.
    pub standard_error: f64,
}

/// The Kaplan-Meier estimate of S(t) = Pr(no escape before t).
///
/// # Formula
/// S(t) = Π_{t_i ≤ t} (1 − d_i/n_i), Var S = S² Σ d_i/(n_i (n_i − d_i)).
///
/// # Method
/// Censoring must be independent of the escape (a fixed observation time is). No extrapolation beyond the last observation.
///
/// # References
/// E. L. Kaplan and P. Meier, J. Am. Stat. Assoc. 53, 457 (1958).
///
/// # Examples
/// ```
/// use freezeout::statistics::{KaplanMeier, Lifetime};
/// let curve = KaplanMeier::new(&[Lifetime::escaped(1.0), Lifetime::censored(2.0), Lifetime::escaped(3.0), Lifetime::censored(4.0)])?;
/// assert_eq!(curve.survival(2.5).value, 0.75);
/// assert_eq!(curve.survival(3.0).value, 0.375);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<SurvivalStep>,
    last: f64,
    samples: usize,
}

impl KaplanMeier {
    /// The curve of the given lifetimes; flat at one when all are censored.
    ///
    /// # Errors
    /// [`crate::Error::TooFewSamples`] without data, [`crate::Error::InvalidParameter`] for a bad time.
    pub fn new(lifetimes: &[Lifetime]) -> Result<Self> {
        let sorted = sorted(lifetimes, "Kaplan-Meier curve")?;
        let (mut survival, mut greenwood) = (1.0, 0.0);
        let mut steps = Vec::new();
        let mut k = 0;
        while k < sorted.len() {
            let time = sorted[k].time;
            let at_risk = sorted.len() - k;
            let tied = sorted[k..].iter().take_while(|l| l.time == time);
            let (all, escapes) = tied.fold((0, 0), |(n, d), l| (n + 1, d + usize::from(l.escaped)));
            if escapes > 0 {
                let (n, d) = (at_risk as f64, escapes as f64);
                survival *= 1.0 - d / n;
                greenwood += d / (n * (n - d));
                steps.push(SurvivalStep {
                    time,
                    at_risk,
                    escapes,
                    survival,
                    standard_error: if survival > 0.0 {
                        survival * f64::sqrt(greenwood)
                    } else {
                        0.0
                    },
                });
            }
            k += all;
        }
        Ok(Self {
            steps,
            last: sorted[sorted.len() - 1].time,
            samples: lifetimes.len(),
        })
    }

    /// The steps in order of time.
    pub fn steps(&self) -> &[SurvivalStep] {
        &self.steps
    }

    /// S(t), right-continuous.
    pub fn survival(&self, time: f64) -> Estimate {
        let passed = self.steps.partition_point(|step| step.time <= time);
        let (value, standard_error) = match passed {
            0 => (1.0, 0.0),
            k => (self.steps[k - 1].survival, self.steps[k - 1].standard_error),
        };
        Estimate {
            value,
            standard_error,
            samples: self.samples,
        }
    }

    /// Restricted mean lifetime ∫_0^horizon S dt.
    ///
    /// # Formula
    /// Variance Σ (∫_{t_i}^{horizon} S)² d_i/(n_i (n_i − d_i)) over the steps before the horizon.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for a horizon beyond the last observation.
    pub fn restricted_mean(&self, horizon: f64) -> Result<Estimate> {
        require(
            "horizon",
            horizon,
            |t| t > 0.0 && t <= self.last,
            &format!(
                "a time in (0, {}], the range of the observations, is needed",
                self.last
            ),
        )?;
        let before: Vec<&SurvivalStep> = self.steps.iter().take_while(|step| step.time < horizon).collect();
        let (mut area, mut variance, mut end) = (0.0, 0.0, horizon);
        for step in before.iter().rev() {
            area += step.survival * (end - step.time);
            end = step.time;
            let (n, d) = (step.at_risk as f64, step.escapes as f64);
            if n > d {
                variance += area * area * d / (n * (n - d));
            }
        }
        Ok(Estimate {
            value: area + end,
            standard_error: f64::sqrt(variance),
            samples: self.samples,
        })
    }
}
