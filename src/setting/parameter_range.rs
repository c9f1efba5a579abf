//! A parameter that takes several values: a number, a list, or a range.

use crate::error::{Error, Result, shown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;

/// Values of a swept parameter as a configuration writes them.
///
/// ```toml
/// sigma = 0.02
/// sigma = [0.01, 0.02]
/// sigma = { from = 0.01, to = 0.1, points = 10, scale = "log" }
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a number, a list of numbers, or a range { from, to, points, scale = \"log\" | \"linear\" }"
)]
pub enum ParameterRange {
    /// One value.
    One(f64),
    /// Listed values.
    List(Vec<f64>),
    /// Equally spaced values.
    Spaced(Spaced),
}

/// `points` values from `from` to `to`, both included.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spaced {
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

/// Spacing of a [`Spaced`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// Row at which a parameter takes a value, none when it never does.
///
/// # Method
/// Values are the same when they are equal as floating-point numbers: 0.01·0.03 is 3e-4, but 0.01·0.07 rounds to another number than 7e-4 and is
/// another value. Only what was computed for the very same number is comparable.
pub(crate) fn row_of(value: f64, values: &[f64]) -> Option<usize> {
    values.iter().position(|v| *v == value)
}

impl ParameterRange {
    /// `points` values in equal ratios.
    pub fn log(from: f64, to: f64, points: usize) -> Self {
        Self::Spaced(Spaced {
            from,
            to,
            points,
            scale: Scale::Log,
        })
    }

    /// Number of values, without making them; none of a range that [`ParameterRange::values`] refuses for its length.
    pub fn count(&self) -> f64 {
        match self {
            Self::One(_) => 1.0,
            Self::List(values) => values.len() as f64,
            Self::Spaced(range) if range.points > MOST_POINTS => 0.0,
            Self::Spaced(range) => range.points as f64,
        }
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
            Self::Spaced(range) => range.values().map_err(fail)?,
        };
        if values.is_empty() {
            return Err(fail("at least one value is needed".into()));
        }
        match values.iter().find(|v| !(v.is_finite() && allowed(**v))) {
            Some(value) => Err(fail(format!("{} is not allowed: {wanted}", shown(*value)))),
            None => Ok(values),
        }
    }

    /// [`ParameterRange::values`] for positive parameters.
    ///
    /// # Errors
    /// As [`ParameterRange::values`].
    pub fn positive(&self, key: &str) -> Result<Vec<f64>> {
        self.values(key, |v| v > 0.0, "positive finite numbers are needed")
    }
}

/// `[[sweep]]`: one swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Dotted key, for example `"noise.power"`.
    pub parameter: String,
    /// The values it takes.
    pub values: SweepValues,
}

/// Values of a swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a list of values or a range { from, to, points, scale = \"log\" | \"linear\" }"
)]
pub enum SweepValues {
    /// Listed numbers, texts or truth values.
    List(#[schemars(with = "Vec<serde_json::Value>")] Vec<Value>),
    /// Equally spaced numbers.
    Spaced(Spaced),
}

/// Points of the longest range.
const MOST_POINTS: usize = 100_000;

impl Spaced {
    /// The values, or what is wrong with the range.
    ///
    /// # Errors
    /// A text for the key that the range stands under.
    pub fn values(&self) -> std::result::Result<Vec<f64>, String> {
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
    fn equal_values_are_equal_bit_by_bit() {
        let strengths: Vec<f64> = [0.01, 0.03, 0.1, 0.2].iter().map(|s| 0.01 * s).collect();
        for (k, strength) in [1e-4, 3e-4, 1e-3, 2e-3].into_iter().enumerate() {
            assert_eq!(row_of(strength, &strengths), Some(k));
        }
        assert_eq!(row_of(7e-4, &[0.01 * 0.07]), None);
    }

    #[test]
    fn ranges_hit_their_ends() {
        let values = ParameterRange::log(0.01, 0.1, 10).positive("sigma").unwrap();
        assert_eq!((values[0], values[9], values.len()), (0.01, 0.1, 10));
        // The authors' own grid.
        assert!((values[5] / 0.035_938_136_638_046_28 - 1.0).abs() < 1e-14);
        let bad = ParameterRange::List(vec![0.1, -1.0]).positive("sigma");
        assert!(matches!(bad, Err(Error::Config { key, .. }) if key == "sigma"));
    }
}
