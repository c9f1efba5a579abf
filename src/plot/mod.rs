//! Figures from result files, as SVG and PNG of one description.
//!
//! ```text
//! ResultFile --task::figures--> Figure { panels { axes, layers } } --layout--> shapes in points --> SVG, PNG
//! ```
//!
//! A [`Figure`] is a grid of [`Panel`]s lettered (a), (b), ...; a panel has two axes and [`Layer`]s: lines, points with error
//! bars, bands, maps with colour bars, contours, reference lines, text. Sizes are those of the printed page: text of 7 to 8.5 points
//! at any width, 3.4 inches for one column of a journal and 7 for two; the PNG has 300 pixels per inch. Text is drawn as outlines of the
//! embedded font DejaVu Sans, so that nothing depends on the fonts of the machine; SVG and PNG show the same shapes, and the same figure
//! gives the same bytes. Labels take a small markup: `*η*` slanted, `x_0` lowered, `10^{-3}` raised.
//!
//! The description needs no feature but `config`; drawing it needs `figures`.
//!
//! [`crate::task::figures`] maps names of figures to the records they need; nothing here computes physics.
//!
//! # Limitations
//!
//! Text in the SVG cannot be selected (its words stand in `aria-label`). A map has constant colour in each cell.

mod axis;
mod colour;
mod figure;
mod format;
mod layer;
#[cfg(feature = "figures")]
mod render;

pub use axis::{Axis, Scale};
pub use colour::{Colour, ColourMap};
pub use figure::{Figure, ONE_COLUMN, Panel, TWO_COLUMNS};
pub use format::Format;
pub use layer::{ColourScale, Dash, Layer, Marker, Style, cell_edges};
#[cfg(feature = "figures")]
pub use render::{draw, svg};
