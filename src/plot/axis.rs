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
