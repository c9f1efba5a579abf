//! Grids of cells, and sets of cells.

mod axis;
mod cell_set;
mod product;

pub use axis::Axis;
pub use cell_set::CellSet;
pub use product::Grid;
