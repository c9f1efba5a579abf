//! Small questions to a grid: signs of modes, cells at its ends, values between cell centres.

use super::problem::Problem;
use crate::grid::Grid;
use crate::math::Point;
use crate::region::Boundary;

/// With the sign that makes it grow along the variables, the first before the second; even functions curve upward.
pub(super) fn oriented<const D: usize>(grid: &Grid<D>, mut values: Vec<f64>) -> Vec<f64> {
    let slope = |cell: usize| -> f64 {
        grid.axes()
            .iter()
            .zip(grid.indices(cell))
            .zip([1.0, 0.3])
            .map(|((axis, i), share)| {
                // -1/2 to 1/2 along the axis
                let u = (i as f64 + 0.5) / axis.cells() as f64 - 0.5;
                share * (u + 0.1 * u * u)
            })
            .sum()
    };
    let along: f64 = values.iter().enumerate().map(|(cell, v)| v * slope(cell)).sum();
    if along < 0.0 {
        values.iter_mut().for_each(|v| *v = -*v);
    }
    values
}

/// Cells at the reflecting ends of the axes.
pub(super) fn end_cells<const D: usize>(grid: &Grid<D>, problem: &Problem<D>) -> Vec<usize> {
    let reflects = |d: usize, side: usize| problem.boundaries()[d][side] == Boundary::Reflecting;
    (0..grid.cells())
        .filter(|&cell| {
            let indices = grid.indices(cell);
            (0..D).any(|d| {
                let last = grid.axes()[d].cells() - 1;
                (indices[d] == 0 && reflects(d, 0)) || (indices[d] == last && reflects(d, 1))
            })
        })
        .collect()
}

/// Multilinear interpolation between cell centres, second order.
pub(super) fn interpolate<const D: usize>(grid: &Grid<D>, values: &[f64], at: &Point<D>) -> f64 {
    let around = shares(grid, at);
    around.into_iter().map(|(cell, share)| share * values[cell]).sum()
}

/// Cells around a point with their shares in its multilinear interpolation, second order.
pub(super) fn shares<const D: usize>(grid: &Grid<D>, at: &Point<D>) -> Vec<(usize, f64)> {
    let (mut low, mut weight) = ([0; D], [0.0; D]);
    for (d, axis) in grid.axes().iter().enumerate() {
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
            for (d, axis) in grid.axes().iter().enumerate() {
                let upper = corner >> d & 1;
                cell = cell * axis.cells() + (low[d] + upper).min(axis.cells() - 1);
                share *= if upper == 1 { weight[d] } else { 1.0 - weight[d] };
            }
            (cell, share)
        })
        .collect()
}

/// The cell of `coarse` that a cell of `fine` is a part of, when every cell was halved along every axis.
pub(super) fn parent<const D: usize>(fine: &Grid<D>, coarse: &Grid<D>, cell: usize) -> usize {
    let halved = fine.indices(cell).map(|i| i / 2);
    (0..D).fold(0, |parent, d| parent * coarse.axes()[d].cells() + halved[d])
}
