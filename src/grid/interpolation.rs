//! Functions known at cell centres, between them and on coarser grids.

use super::Grid;
use crate::math::Point;

impl<const D: usize> Grid<D> {
    /// Value at a point of a function known at cell centres: multilinear between centres and extrapolated from the two outermost cells of
    /// each axis; second order.
    ///
    /// # Examples
    /// ```
    /// use freezeout::grid::{Axis, Grid};
    /// let axis = Axis::uniform(0.0, 1.0, 4)?;
    /// let grid = Grid::new([axis.clone(), axis]);
    /// let values: Vec<f64> = (0..16).map(|cell| grid.centre(cell)[0] + 2.0 * grid.centre(cell)[1]).collect();
    /// assert!((grid.interpolate(&values, [0.9, 0.3]) - 1.5).abs() < 1e-14);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn interpolate(&self, values: &[f64], at: impl Into<Point<D>>) -> f64 {
        let around = self.shares(at);
        around.into_iter().map(|(cell, share)| share * values[cell]).sum()
    }

    /// The 2^D cells around a point with their shares in its multilinear interpolation.
    pub fn shares(&self, at: impl Into<Point<D>>) -> Vec<(usize, f64)> {
        let at = at.into();
        let (mut low, mut weight) = ([0; D], [0.0; D]);
        for (d, axis) in self.axes().iter().enumerate() {
            if axis.cells() > 1 {
                let right = axis
                    .centres()
                    .partition_point(|&c| c < at[d])
                    .clamp(1, axis.cells() - 1);
                low[d] = right - 1;
                weight[d] = (at[d] - axis.centre(right - 1)) / (axis.centre(right) - axis.centre(right - 1));
            }
        }
        (0..1_usize << D)
            .map(|corner| {
                let (mut cell, mut share) = (0, 1.0);
                for (d, axis) in self.axes().iter().enumerate() {
                    let upper = corner >> d & 1;
                    cell = cell * axis.cells() + (low[d] + upper).min(axis.cells() - 1);
                    share *= if upper == 1 { weight[d] } else { 1.0 - weight[d] };
                }
                (cell, share)
            })
            .collect()
    }

    /// The cell of `coarse` that a cell of this grid is a part of, when every cell was halved along every axis.
    pub fn parent(&self, coarse: &Self, cell: usize) -> usize {
        let halved = self.indices(cell).map(|i| i / 2);
        (0..D).fold(0, |parent, d| parent * coarse.axes()[d].cells() + halved[d])
    }
}
