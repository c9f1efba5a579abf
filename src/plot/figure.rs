//! Panels and figures: what is to be drawn.

use super::axis::Axis;
use super::layer::Layer;

/// Width of one column of a journal in inches.
pub const ONE_COLUMN: f64 = 3.4;
/// Width of two columns in inches.
pub const TWO_COLUMNS: f64 = 7.0;

/// One pair of axes with its layers, drawn in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Words beside the letter.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub layers: Vec<Layer>,
}

impl Panel {
    /// Empty panel.
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self {
            title: title.into(),
            x,
            y,
            layers: Vec::new(),
        }
    }

    /// Adds a layer.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }
}

/// A grid of panels, filled row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Width in inches.
    pub width: f64,
    /// Number of panels side by side.
    pub columns: usize,
    /// Height of the axes divided by their width.
    pub aspect: f64,
    /// Panels.
    pub panels: Vec<Panel>,
}

/// Narrowest panel whose labels are read.
const NARROWEST: f64 = 2.4;

impl Figure {
    /// The same at another width; in one that is smaller with fewer panels side by side, if they would be narrower than 2.4 inches.
    #[must_use]
    pub fn at_width(self, width: f64) -> Self {
        let columns = match width < self.width {
            true => self.columns.min(((width / NARROWEST) as usize).max(1)),
            false => self.columns,
        };
        Self {
            width,
            columns,
            ..self
        }
    }
}
