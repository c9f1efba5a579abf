//! The product of axes: numbering, centres and volumes of its cells.

use super::axis::Axis;
use crate::math::Point;

/// Product of D axes; cells are numbered with the last axis running fastest.
///
/// # Examples
/// ```
/// use freezeout::grid::{Axis, Grid};
/// let grid = Grid::new([Axis::uniform(0.0, 1.0, 4)?]);
/// assert_eq!(grid.cells(), 4);
/// assert_eq!(grid.centre(1)[0], 0.375);
/// assert_eq!(grid.volume(1), 0.25);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid<const D: usize> {
    axes: [Axis; D],
}

impl<const D: usize> Grid<D> {
    /// Product of the given axes.
    pub fn new(axes: [Axis; D]) -> Self {
        Self { axes }
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis; D] {
        &self.axes
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.axes.iter().map(Axis::cells).product()
    }

    /// Indices along the axes of cell `cell`.
    pub fn indices(&self, cell: usize) -> [usize; D] {
        let mut rest = cell;
        let mut indices = [0; D];
        for d in (1..D).rev() {
            indices[d] = rest % self.axes[d].cells();
            rest /= self.axes[d].cells();
        }
        indices[0] = rest;
        indices
    }

    /// Centre of cell `cell`.
    pub fn centre(&self, cell: usize) -> Point<D> {
        let indices = self.indices(cell);
        Point::<D>::from_fn(|d, _| self.axes[d].centre(indices[d]))
    }

    /// Volume of cell `cell`.
    pub fn volume(&self, cell: usize) -> f64 {
        let indices = self.indices(cell);
        self.axes
            .iter()
            .zip(indices)
            .map(|(axis, i)| axis.width(i))
            .product()
    }

    /// The grid with every cell halved along every axis, for error estimates by extrapolation.
    pub fn refined(&self) -> Self {
        Self {
            axes: self.axes.each_ref().map(Axis::refined),
        }
    }
}
