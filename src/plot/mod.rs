//! Figures from result files, as SVG and PNG of one description.
//!
//! ```text
//! ResultFile --task::figure--> Figure { panels { axes, layers } } --layout--> shapes in points --> SVG, PNG
//! ```
//!
//! A [`Figure`] is a grid of [`Panel`]s lettered (a), (b), ...; a panel has two axes and [`Layer`]s: lines, points with error
//! bars, bands, maps with colour bars, contours, reference lines, text. Sizes are those of the printed page: text of 7 to 8.5 points
//! at any width, 3.4 inches for one column of a journal and 7 for two; the PNG has 300 pixels per inch. Text is drawn as outlines of the
//! embedded font DejaVu Sans, so that nothing depends on the fonts of the machine; SVG and PNG show the same shapes, and the same figure
//! gives the same bytes. Labels take a small markup: `*η*` slanted, `x_0` lowered, `10^{-3}` raised.
//!
//! [`crate::task::figure`] maps names of figures to the records they need; nothing here computes physics.
//!
//! # Limitations
//!
//! Text in the SVG cannot be selected (its words stand in `aria-label`). A map has constant colour in each cell.

mod axis;
mod canvas;
mod colour;
mod contour;
mod figure;
mod font;
mod layer;
mod layout;
mod legend;
mod paint;
mod raster;
mod svg;

pub use axis::{Axis, Scale};
pub use colour::{Colour, ColourMap};
pub use figure::{Figure, ONE_COLUMN, Panel, TWO_COLUMNS};
pub use layer::{ColourScale, Dash, Layer, Marker, Style, cell_edges};

use crate::error::Result;
use crate::output::atomically;
use std::path::Path;

/// The figure as an SVG document.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] when arrays of a layer do not fit, [`crate::Error::NotFinite`] when an axis has nothing to
/// show, [`crate::Error::InvalidParameter`] for an impossible range, width, aspect or number of columns.
pub fn svg(figure: &Figure) -> Result<String> {
    Ok(svg::render(&layout::canvas(figure)?))
}

/// Writes `stem`.svg and `stem`.png, each whole or not at all.
///
/// # Errors
/// As [`svg`], and [`crate::Error::Output`] when a file cannot be written.
///
/// # Examples
/// ```
/// use freezeout::plot::{Axis, Figure, Layer, ONE_COLUMN, Panel, Style, draw};
/// let x: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.1).collect();
/// let y: Vec<f64> = x.iter().map(|x| (-x).exp()).collect();
/// let panel = Panel::new("decay", Axis::linear("time *t*"), Axis::log("*p*"))
///     .with(Layer::line(&x, &y, "exp(−*t*)", Style::nth(0)));
/// let figure = Figure { width: ONE_COLUMN, columns: 1, aspect: 0.7, panels: vec![panel] };
/// let stem = std::env::temp_dir().join(format!("freezeout-decay-{}", std::process::id()));
/// draw(&figure, &stem)?;
/// # for end in ["svg", "png"] { std::fs::remove_file(stem.with_extension(end)).unwrap(); }
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn draw(figure: &Figure, stem: impl AsRef<Path>) -> Result<()> {
    let canvas = layout::canvas(figure)?;
    let path = |extension: &str| {
        let mut name = stem.as_ref().as_os_str().to_owned();
        name.push(extension);
        std::path::PathBuf::from(name)
    };
    atomically(&path(".svg"), |to| {
        std::fs::write(to, svg::render(&canvas)).map_err(|e| e.to_string())
    })?;
    atomically(&path(".png"), |to| {
        raster::render(&canvas).and_then(|b| std::fs::write(to, b).map_err(|e| e.to_string()))
    })
}
