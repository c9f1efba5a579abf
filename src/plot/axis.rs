//! Axes: label, scale and range.

/// How values are placed along an axis or a colour bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart; values that are not positive are not drawn.
    Log,
}

impl Scale {
    /// The coordinate in which the scale is linear; NaN where it is not defined.
    pub(super) fn coordinate(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log if value > 0.0 => value.log10(),
            Self::Log => f64::NAN,
        }
    }

    /// Inverse of [`Scale::coordinate`].
    pub(super) fn value(self, coordinate: f64) -> f64 {
        match self {
            Self::Linear => coordinate,
            Self::Log => 10_f64.powf(coordinate),
        }
    }
}

/// An axis: label, scale and, where wanted, range.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub(super) label: String,
    pub(super) scale: Scale,
    pub(super) range: Option<(f64, f64)>,
    pub(super) tick_labels: bool,
    /// Names at 0, 1, 2, … in place of numbers.
    pub(super) names: Option<Vec<String>>,
}

impl Axis {
    /// Linear axis; the range follows the data.
    pub fn linear(label: &str) -> Self {
        Self {
            label: label.into(),
            scale: Scale::Linear,
            range: None,
            tick_labels: true,
            names: None,
        }
    }

    /// Linear axis with names at 0, 1, 2, … in place of numbers.
    pub fn named(names: &[String]) -> Self {
        Self {
            names: Some(names.to_vec()),
            ..Self::linear("")
        }
    }

    /// Logarithmic axis; the range follows the data.
    pub fn log(label: &str) -> Self {
        Self {
            scale: Scale::Log,
            ..Self::linear(label)
        }
    }

    /// Sets the range.
    #[must_use]
    pub fn with_range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Leaves out label and tick labels, for a panel whose neighbour has the same axis.
    #[must_use]
    pub fn without_labels(mut self) -> Self {
        self.label.clear();
        self.tick_labels = false;
        self
    }
}

/// The next 1, 2 or 5 times a power of ten.
pub(crate) fn round_step(step: f64) -> f64 {
    /// A step that is smaller by this factor will do.
    const NEAR: f64 = 0.8;
    let power = step.log10().floor() as i32;
    // A quotient of whole numbers is printed without rounding.
    let of = |digit: f64| {
        if power < 0 {
            digit / 10_f64.powi(-power)
        } else {
            digit * 10_f64.powi(power)
        }
    };
    [1.0, 2.0, 5.0]
        .map(of)
        .into_iter()
        .find(|round| *round >= NEAR * step)
        .unwrap_or(of(10.0))
}

/// A value as 2×10^{−4}, to two digits.
pub(crate) fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.trim_end_matches(".0");
            format!("{mantissa}×10^{{{}}}", exponent.replace('-', "−"))
        }
        None => text,
    }
}
