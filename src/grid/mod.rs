//! Grids of cells, and sets of cells.

mod axis;
mod cell_set;
mod interpolation;
mod mapped_axes;
mod mapping;
mod product;

pub use axis::Axis;
pub use cell_set::CellSet;
pub use mapped_axes::{Concentration, MappedAxes};
pub use product::Grid;
