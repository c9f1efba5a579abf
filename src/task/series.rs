//! A parameter that takes several values: a number, a list, or a range.

use crate::error::{Error, Result};
use serde::Deserialize;
use toml::Value;

/// Values of a swept parameter as a configuration writes them.
///
/// ```toml
/// sigma = 0.02
/// sigma = [0.01, 0.02]
/// sigma = { from = 0.01, to = 0.1, points = 10, scale = "log" }
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, a list of numbers, or a range { from, to, points, scale = \"log\" | \"linear\" }"
)]
pub enum Series {
    /// One value.
    One(f64),
    /// Listed values.
    List(Vec<f64>),
    /// Equally spaced values.
    Range(Range),
}

/// `points` values from `from` to `to`, both included.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// First value.
    pub from: f64,
    /// Last value.
    pub to: f64,
    /// Number of values.
    pub points: usize,
    /// Spacing.
    #[serde(default)]
    pub scale: Scale,
}

/// Spacing of a [`Range`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

impl Series {
    /// `points` values in equal ratios.
    pub fn log(from: f64, to: f64, points: usize) -> Self {
        Self::Range(Range {
            from,
            to,
            points,
            scale: Scale::Log,
        })
    }

    /// The values, each checked by `allowed`.
    ///
    /// # Errors
    /// [`Error::Config`] naming `key` when there is no value or one is not allowed.
    pub fn values(&self, key: &str, allowed: impl Fn(f64) -> bool, wanted: &str) -> Result<Vec<f64>> {
        let fail = |message: String| Error::Config {
            key: key.into(),
            message,
        };
        let values = match self {
            Self::One(value) => vec![*value],
            Self::List(values) => values.clone(),
            Self::Range(range) => range.values().map_err(fail)?,
        };
        if values.is_empty() {
            return Err(fail("at least one value is needed".into()));
        }
        match values.iter().find(|v| !(v.is_finite() && allowed(**v))) {
            Some(value) => Err(fail(format!("{value} is not allowed: {wanted}"))),
            None => Ok(values),
        }
    }

    /// [`Series::values`] for positive parameters.
    ///
    /// # Errors
    /// As [`Series::values`].
    pub fn positive(&self, key: &str) -> Result<Vec<f64>> {
        self.values(key, |v| v > 0.0, "positive finite numbers are needed")
    }
}

/// `[[sweep]]`: one swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Dotted key, for example `"noise.power"`.
    pub parameter: String,
    /// The values it takes.
    pub values: SweepValues,
}

/// Values of a swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of values or a range { from, to, points, scale = \"log\" | \"linear\" }"
)]
pub enum SweepValues {
    /// Listed numbers, texts or truth values.
    List(Vec<Value>),
    /// Equally spaced numbers.
    Range(Range),
}

/// Points of the longest range.
const MOST_POINTS: usize = 100_000;

impl Range {
    pub(crate) fn values(&self) -> std::result::Result<Vec<f64>, String> {
        let Self {
            from,
            to,
            points,
            scale,
        } = *self;
        if !(1..=MOST_POINTS).contains(&points) {
            return Err(format!(
                "points = {points} is not allowed: between 1 and {MOST_POINTS} are"
            ));
        }
        if scale == Scale::Log && !(from > 0.0 && to > 0.0) {
            return Err(format!("a log range needs positive ends, got {from} and {to}"));
        }
        Ok((0..points)
            .map(|k| {
                if k == 0 {
                    return from;
                }
                if k + 1 == points {
                    return to;
                }
                let share = k as f64 / (points - 1) as f64;
                match scale {
                    Scale::Linear => from + (to - from) * share,
                    // Powers of ten are exact where the exponents are.
                    Scale::Log => 10f64.powf(from.log10() + (to.log10() - from.log10()) * share),
                }
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hit_their_ends() {
        let values = Series::log(0.01, 0.1, 10).positive("sigma").unwrap();
        assert_eq!((values[0], values[9], values.len()), (0.01, 0.1, 10));
        // The authors' own grid.
        assert!((values[5] / 0.035_938_136_638_046_28 - 1.0).abs() < 1e-14);
        let bad = Series::List(vec![0.1, -1.0]).positive("sigma");
        assert!(matches!(bad, Err(Error::Config { key, .. }) if key == "sigma"));
    }
}
