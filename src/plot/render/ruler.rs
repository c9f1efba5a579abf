//! Resolved axes: the range drawn, ticks and their labels.

use crate::error::{Error, Result};
use crate::plot::axis::{Axis, Scale};

impl Axis {
    /// The range to draw: the one set, or that of the data with a margin on either side.
    pub(super) fn resolve(&self, data: impl Iterator<Item = f64>, margin: f64) -> Result<(f64, f64)> {
        if let Some((low, high)) = self.range {
            let (a, b) = (self.scale.coordinate(low), self.scale.coordinate(high));
            if !(a.is_finite() && b.is_finite() && a < b) {
                return Err(Error::InvalidParameter {
                    name: format!("range of the axis {:?}", self.label),
                    value: low,
                    requirement: format!(
                        "a lower limit below the upper one, {high}, is needed (positive on a log axis)"
                    ),
                });
            }
            return Ok((low, high));
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for coordinate in data.map(|v| self.scale.coordinate(v)).filter(|c| c.is_finite()) {
            low = low.min(coordinate);
            high = high.max(coordinate);
        }
        if low > high {
            return Err(Error::NotFinite {
                quantity: format!("axis {:?} of the figure", self.label),
                reason: "it has no value that can be drawn".into(),
            });
        }
        // A single value gets a range around it.
        let width = if high > low {
            margin * (high - low)
        } else if self.scale == Scale::Linear && low != 0.0 {
            0.1 * low.abs()
        } else {
            0.5
        };
        Ok((self.scale.value(low - width), self.scale.value(high + width)))
    }
}

/// A resolved axis: range and ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ruler {
    scale: Scale,
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<(f64, String)>,
    pub minor: Vec<f64>,
}

impl Ruler {
    /// Ruler with as many labelled ticks as fit, at most `most`: `fits` judges the labels at their fractions of the length.
    pub(super) fn new(
        scale: Scale,
        (low, high): (f64, f64),
        most: usize,
        fits: impl Fn(&[(f64, &str)]) -> bool,
    ) -> Self {
        let mut ruler = Self {
            scale,
            low,
            high,
            ticks: Vec::new(),
            minor: Vec::new(),
        };
        for wanted in (1..=most.max(2)).rev() {
            (ruler.ticks, ruler.minor) = match scale {
                Scale::Linear => linear_ticks(low, high, wanted),
                Scale::Log => log_ticks(low, high, wanted),
            };
            let placed: Vec<(f64, &str)> = ruler
                .ticks
                .iter()
                .map(|(v, t)| (ruler.fraction(*v), t.as_str()))
                .collect();
            if fits(&placed) {
                break;
            }
        }
        ruler
    }

    /// Ruler with the names of an axis at 0, 1, 2, … .
    pub(super) fn named((low, high): (f64, f64), names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(k, name)| (k as f64, name.clone()));
        Self {
            scale: Scale::Linear,
            low,
            high,
            ticks: ticks.collect(),
            minor: Vec::new(),
        }
    }

    /// Place of a value, 0 at the low and 1 at the high end; NaN when it has none.
    pub(super) fn fraction(&self, value: f64) -> f64 {
        let c = |v| self.scale.coordinate(v);
        (c(value) - c(self.low)) / (c(self.high) - c(self.low))
    }
}

type Ticks = (Vec<(f64, String)>, Vec<f64>);

/// Slack for a tick at the very end of the range, as a fraction of the step: far below what can be seen.
const SLACK: f64 = 1e-6;

fn linear_ticks(low: f64, high: f64, wanted: usize) -> Ticks {
    let raw = (high - low) / wanted as f64;
    let magnitude = 10_f64.powf(raw.log10().floor());
    let (factor, parts) = [(1.0, 5.0), (2.0, 4.0), (5.0, 5.0), (10.0, 5.0)]
        .into_iter()
        .find(|(factor, _)| factor * magnitude >= raw * (1.0 - SLACK))
        .unwrap_or((10.0, 5.0));
    let step = factor * magnitude;
    let multiples = |step: f64| {
        let first = (low / step - SLACK).ceil() as i64;
        let last = (high / step + SLACK).floor() as i64;
        (first..=last).map(move |k| k as f64 * step)
    };
    let largest = low.abs().max(high.abs());
    let exponent = largest.log10().floor() as i32;
    // Powers of ten where plain numbers would be long.
    let exponent = if (-3..5).contains(&exponent) { 0 } else { exponent };
    let unit = 10_f64.powi(exponent);
    let decimals = (-((step / unit).log10() + SLACK).floor()).max(0.0) as usize;
    let label = |value: f64| {
        let number = format!("{:.decimals$}", value / unit).replace('-', "−");
        match (exponent, value == 0.0) {
            (_, true) => "0".into(),
            (0, false) => number,
            (power, false) => format!("{number}×{}", power_of_ten(power)),
        }
    };
    (
        multiples(step).map(|v| (v, label(v))).collect(),
        multiples(step / parts).collect(),
    )
}

fn log_ticks(low: f64, high: f64, wanted: usize) -> Ticks {
    let first = (low.log10() - SLACK).ceil() as i32;
    let last = (high.log10() + SLACK).floor() as i32;
    let decades = (last - first + 1).max(0) as usize;
    let inside = |v: &f64| *v >= low * (1.0 - SLACK) && *v <= high * (1.0 + SLACK);
    let between = |digits: &[u32]| -> Vec<f64> {
        let digits: Vec<f64> = digits.iter().map(|d| f64::from(*d)).collect();
        (first - 1..=last)
            .flat_map(|k| digits.iter().map(move |d| d * 10_f64.powi(k)))
            .filter(inside)
            .collect()
    };
    if decades >= 3 {
        let every = decades.div_ceil(wanted).max(1);
        let powers: Vec<i32> = (first..=last).collect();
        let plain = first >= -2 && last <= 3;
        let label = |k: i32| {
            if plain {
                format!("{}", 10_f64.powi(k))
            } else {
                power_of_ten(k)
            }
        };
        let labelled = powers.iter().copied().filter(|k| k.rem_euclid(every as i32) == 0);
        let ticks = labelled.map(|k| (10_f64.powi(k), label(k))).collect();
        let minor = match every {
            1 => between(&[2, 3, 4, 5, 6, 7, 8, 9]),
            _ => powers.iter().map(|k| 10_f64.powi(*k)).collect(),
        };
        return (ticks, minor);
    }
    // About one decade: digits between the powers, as many as are wanted.
    let powers_alone = (decades == 2).then(|| vec![1]);
    let chosen = [vec![1, 2, 3, 5, 7], vec![1, 2, 5], vec![1, 3]]
        .into_iter()
        .chain(powers_alone)
        .map(|digits| between(&digits));
    let ticks = chosen.clone().find(|ticks| (2..=wanted).contains(&ticks.len()));
    match ticks.or_else(|| chosen.min_by_key(Vec::len).filter(|ticks| ticks.len() >= 2)) {
        Some(ticks) => {
            let exponent = low.log10().floor() as i32;
            let label = |v: f64| {
                if (-3..4).contains(&exponent) {
                    // Rounded to the digits that it has.
                    format!("{v:.6}")
                        .trim_end_matches('0')
                        .trim_end_matches('.')
                        .to_string()
                } else {
                    let power = (v.log10() + SLACK).floor() as i32;
                    match (v / 10_f64.powi(power)).round() {
                        1.0 => power_of_ten(power),
                        digit => format!("{digit}×{}", power_of_ten(power)),
                    }
                }
            };
            (
                ticks.into_iter().map(|v| (v, label(v))).collect(),
                between(&[1, 2, 3, 4, 5, 6, 7, 8, 9]),
            )
        }
        None => linear_ticks(low, high, wanted),
    }
}

fn power_of_ten(power: i32) -> String {
    format!("10^{{{power}}}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64, most: usize) -> Vec<String> {
        let ruler = Ruler::new(scale, (low, high), most, |_| true);
        ruler.ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(Scale::Linear, -0.3, 1.04, 4),
            ["0.0", "0.5", "1.0"].map(|t| if t == "0.0" { "0" } else { t })
        );
        assert_eq!(labels(Scale::Linear, -21.0, 41.0, 4), ["−20", "0", "20", "40"]);
        assert_eq!(
            labels(Scale::Linear, 0.0, 4.1e-5, 4),
            ["0", "2×10^{−5}", "4×10^{−5}"]
        );
        assert_eq!(
            labels(Scale::Log, 1e-4, 1e-1, 5),
            ["10^{−4}", "10^{−3}", "10^{−2}", "10^{−1}"]
        );
        assert_eq!(labels(Scale::Log, 0.01, 0.1, 5), ["0.01", "0.02", "0.05", "0.1"]);
        assert_eq!(labels(Scale::Log, 0.01, 0.1, 2), ["0.01", "0.1"]);
        assert_eq!(labels(Scale::Log, 1e-5, 3e-4, 3), ["10^{−5}", "10^{−4}"]);
        assert_eq!(
            labels(Scale::Log, 0.015, 0.09, 5),
            ["0.02", "0.03", "0.05", "0.07"]
        );
        // Every seventh of 25 decades.
        assert_eq!(
            labels(Scale::Log, 1e-20, 1e4, 4),
            ["10^{−14}", "10^{−7}", "10^{0}"]
        );
    }

    #[test]
    fn fewer_ticks_are_taken_when_labels_do_not_fit() {
        let fits = |placed: &[(f64, &str)]| placed.windows(2).all(|w| w[1].0 - w[0].0 > 0.3);
        let ruler = Ruler::new(Scale::Linear, (0.0, 1.0), 10, fits);
        assert_eq!(ruler.ticks.len(), 3);
    }

    #[test]
    fn ranges_follow_the_data_or_are_checked() {
        let axis = Axis::log("x");
        let data = [0.0, f64::NAN, 1e-2, 1.0];
        assert_eq!(axis.resolve(data.into_iter(), 0.0), Ok((1e-2, 1.0)));
        assert!(axis.resolve([0.0, -1.0].into_iter(), 0.0).is_err());
        assert!(
            axis.clone()
                .with_range(0.0, 1.0)
                .resolve(data.into_iter(), 0.0)
                .is_err()
        );
        assert!(
            Axis::linear("x")
                .with_range(1.0, 1.0)
                .resolve(data.into_iter(), 0.0)
                .is_err()
        );
        assert_eq!(Axis::linear("x").resolve([2.0].into_iter(), 0.05), Ok((1.8, 2.2)));
    }
}
