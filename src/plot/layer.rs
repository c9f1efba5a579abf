//! What can stand in a panel.

use super::axis::{Axis, Scale};
use super::colour::{Colour, ColourMap};
use crate::error::{Error, Result};

/// Pattern of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    /// Full line.
    Solid,
    /// Long strokes.
    Dashed,
    /// Dots.
    Dotted,
    /// Strokes and dots in turn.
    DashDot,
}

/// Shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// Disc.
    Circle,
    /// Square.
    Square,
    /// Triangle with a tip upward.
    Triangle,
    /// Square on its corner.
    Diamond,
}

/// Colour, line and marker of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Colour of line, marker and band.
    pub colour: Colour,
    /// Width of the line in points.
    pub width: f64,
    /// Pattern of the line.
    pub dash: Dash,
    /// Shape of points.
    pub marker: Marker,
    /// Whether points are outlines only.
    pub hollow: bool,
}

impl Style {
    /// Full line in the n-th colour, and the n-th marker.
    pub fn nth(n: usize) -> Self {
        let markers = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond];
        Self {
            colour: Colour::nth(n),
            width: 1.2,
            dash: Dash::Solid,
            marker: markers[n % markers.len()],
            hollow: false,
        }
    }

    /// Thin dashed grey line, for references.
    pub fn reference() -> Self {
        Self {
            colour: Colour::GREY,
            width: 0.7,
            dash: Dash::Dashed,
            marker: Marker::Circle,
            hollow: false,
        }
    }

    /// The same with another pattern.
    #[must_use]
    pub fn with_dash(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }

    /// The same in another colour.
    #[must_use]
    pub fn with_colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// The same with a line of another width in points.
    #[must_use]
    pub fn with_width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// The same with another shape of points.
    #[must_use]
    pub fn with_marker(mut self, marker: Marker) -> Self {
        self.marker = marker;
        self
    }

    /// The same with points that are outlines only.
    #[must_use]
    pub fn with_hollow_points(mut self) -> Self {
        self.hollow = true;
        self
    }
}

/// Colours of a map and their bar.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourScale {
    /// Range of colours.
    pub map: ColourMap,
    /// Label, scale and range of the bar.
    pub axis: Axis,
    /// Whether this panel shows the bar; panels side by side with the same range share one.
    pub bar: bool,
}

/// One layer of a panel. Entries that are NaN are not drawn and interrupt lines; values of cells and points that are NaN are grey. The colour bar of a panel is that of the first of its layers with colours.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// Polygon line.
    Line {
        /// Abscissae.
        x: Vec<f64>,
        /// Ordinates.
        y: Vec<f64>,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Points with error bars.
    Points {
        /// Abscissae.
        x: Vec<f64>,
        /// Ordinates.
        y: Vec<f64>,
        /// Half lengths of the error bars, or nothing.
        error: Vec<f64>,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Area between two lines.
    Band {
        /// Abscissae.
        x: Vec<f64>,
        /// Lower line.
        low: Vec<f64>,
        /// Upper line.
        high: Vec<f64>,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Coloured cells.
    Map {
        /// Edges of the columns, one more than columns; see [`cell_edges`].
        x: Vec<f64>,
        /// Edges of the rows, one more than rows.
        y: Vec<f64>,
        /// Values, row by row (x fastest).
        values: Vec<f64>,
        /// Colours.
        colours: ColourScale,
    },
    /// Points in colours of their values.
    Coloured {
        /// Abscissae.
        x: Vec<f64>,
        /// Ordinates.
        y: Vec<f64>,
        /// Values.
        values: Vec<f64>,
        /// Colours.
        colours: ColourScale,
    },
    /// Lines on which an interpolated field has given values.
    Contour {
        /// Abscissae of the columns.
        x: Vec<f64>,
        /// Ordinates of the rows.
        y: Vec<f64>,
        /// Values, row by row (x fastest).
        values: Vec<f64>,
        /// Values of the lines.
        levels: Vec<f64>,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Line across the panel at an ordinate.
    Horizontal {
        /// Ordinate.
        y: f64,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Line up the panel at an abscissa.
    Vertical {
        /// Abscissa.
        x: f64,
        /// Entry of the legend, none when empty.
        label: String,
        /// Look.
        style: Style,
    },
    /// Text that starts at a point.
    Text {
        /// Abscissa.
        x: f64,
        /// Ordinate.
        y: f64,
        /// Marked-up text.
        text: String,
    },
}

impl Layer {
    /// [`Layer::Line`].
    pub fn line(x: &[f64], y: &[f64], label: &str, style: Style) -> Self {
        Self::Line {
            x: x.to_vec(),
            y: y.to_vec(),
            label: label.into(),
            style,
        }
    }

    /// [`Layer::Points`] without error bars when `error` is empty.
    pub fn points(x: &[f64], y: &[f64], error: &[f64], label: &str, style: Style) -> Self {
        Self::Points {
            x: x.to_vec(),
            y: y.to_vec(),
            error: error.to_vec(),
            label: label.into(),
            style,
        }
    }
}

/// Edges of cells around `centres`: half-way between neighbours on the scale, and as far beyond the outer ones.
///
/// # Errors
/// [`Error::TooFewSamples`] for fewer than two centres, which say nothing about the width of a cell.
///
/// # Examples
/// ```
/// use freezeout::plot::{Scale, cell_edges};
/// assert_eq!(cell_edges(&[1.0, 2.0, 4.0], Scale::Linear)?, [0.5, 1.5, 3.0, 5.0]);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn cell_edges(centres: &[f64], scale: Scale) -> Result<Vec<f64>> {
    let c: Vec<f64> = centres.iter().map(|v| scale.coordinate(*v)).collect();
    let n = c.len();
    if n < 2 {
        return Err(Error::TooFewSamples {
            estimator: "edges of map cells".into(),
            needed: 2,
            got: n,
        });
    }
    let inner = c.windows(2).map(|w| 0.5 * (w[0] + w[1]));
    let all = [1.5 * c[0] - 0.5 * c[1]]
        .into_iter()
        .chain(inner)
        .chain([1.5 * c[n - 1] - 0.5 * c[n - 2]]);
    Ok(all.map(|v| scale.value(v)).collect())
}
