//! Figures from result files, as SVG, PNG and PDF of one description.
//!
//! ```text
//! ResultFile --config::figures--> Figure { panels { axes, layers } } --layout--> shapes in points --> SVG, PNG, PDF
//! ```
//!
//! A [`Figure`] is a grid of [`Panel`]s lettered (a), (b), ...; a panel has two axes and [`Layer`]s: lines, points with error
//! bars, bands, maps with colour bars, contours, reference lines, text. Sizes are those of the printed page: text of 7 to 8.5 points
//! at any width, 3.4 inches for one column of a journal and 7 for two; the PNG has 300 pixels per inch. Text is set in the
//! embedded font DejaVu Sans, so that nothing depends on the fonts of the machine: as outlines in SVG and PNG, as text in PDF. All formats show the same
//! shapes, and the same figure gives the same bytes. Maps are images in SVG and PDF, whose edges are exact for regular grids and within 1/1200 inch for others. Labels take a small markup: `*η*` slanted, `x_0` lowered, `10^{-3}` raised.
//!
//! The description needs no feature but `config`; drawing it needs `figures`.
//!
//! [`crate::config::figures`] maps names of figures to the records they need; nothing here computes physics.
//!
//! # Limitations
//!
//! Text can be selected in the PDF only; in the SVG its words stand in `aria-label`. Raised and lowered text is copied without its height. A map has constant colour in each cell.

mod axis;
mod colour;
mod figure;
mod format;
mod layer;
#[cfg(feature = "figures")]
mod render;

pub use axis::{Axis, Scale};
pub(crate) use axis::{round_step, scientific};
pub use colour::{Colour, ColourMap};
pub use figure::{Figure, ONE_COLUMN, Panel, TWO_COLUMNS};
pub use format::Format;
pub use layer::{ColourScale, Dash, Layer, Marker, Style, cell_edges};
#[cfg(feature = "figures")]
pub use render::{draw, svg};
