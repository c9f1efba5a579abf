//! Probability that flows between cells: out of a set, and through every cell.

use super::assembly::Generator;
use super::outside::Outside;
use crate::error::Result;
use crate::grid::CellSet;
use crate::math::Point;
use crate::region::Boundary;

impl<const D: usize> Generator<D> {
    /// Probability per time that enters each cell outside `set` from the face of the set, when the cells hold the stationary
    /// probabilities `stationary`; zero inside the set.
    ///
    /// # Formula
    /// Across the half cell next to the set the net flux is that of the whole pair of cells, and what flows back into the face is
    /// P_j k_j with the killing k of [`Generator::killing_into`]:
    /// ```text
    /// in_j = Σ_i (P_i r_ij − P_j r_ji) + P_j k_j       over the jumps i → j that begin in the set or cross it
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::DimensionMismatch`].
    pub fn injection_from(&self, set: &CellSet, stationary: &[f64]) -> Result<Vec<f64>> {
        let probability = self.gather(stationary)?;
        let all = self.rates()?;
        let outside = Outside::new(&self.cells, &self.jumps, Some(set.members()));
        // what the set stops: the rows of the whole less the rows outside, both per state of the whole
        let (mut arriving, mut leaving) = (vec![0.0; self.cells.len()], vec![0.0; self.cells.len()]);
        for state in 0..self.cells.len() {
            for (target, rate) in all.transitions_from(state) {
                arriving[target] += probability[state] * rate;
                leaving[state] += rate;
            }
        }
        for (new, &state) in outside.states.iter().enumerate() {
            for e in outside.row_starts[new]..outside.row_starts[new + 1] {
                let target = outside.states[outside.targets[e] as usize];
                arriving[target] -= probability[state] * outside.rates[e];
                leaving[state] -= outside.rates[e];
            }
        }
        let mut injection = vec![0.0; self.grid().cells()];
        for (new, &state) in outside.states.iter().enumerate() {
            let killing = outside.into_set[new];
            // a cell that no jump into the set leaves receives none from it: the differences above are rounding there
            if killing > 0.0 {
                let inward = arriving[state] + probability[state] * (killing - leaving[state]);
                injection[self.cells.cell_of[state]] = inward;
            }
        }
        Ok(injection)
    }

    /// Current density through each cell of the net flow w_i r_ij q_j − w_j r_ji q_i between cells.
    ///
    /// # Formula
    /// J_i = Σ_j (w_i r_ij q_j − w_j r_ji q_i) v_ij / 2V_i, v_ij the way from i to j in cells times the widths of cell i. With w = stationary probabilities and q = 1 it is the stationary
    /// current b p − div(D p); with w = P q⁻ and q = q⁺ the reactive current.
    ///
    /// # Method
    /// Second order inside; in cells next to a reflecting end half of the flow is missing across the face and the normal component is
    /// halved with it. Displacements across periodic ends are taken the short way.
    ///
    /// # Errors
    /// [`crate::Error::DimensionMismatch`].
    pub fn current(&self, weight: &[f64], q: &[f64]) -> Result<Vec<Point<D>>> {
        let (weight, q) = (self.gather(weight)?, self.gather(q)?);
        let rates = self.rates()?;
        let grid = self.grid();
        let mut current = vec![Point::<D>::zeros(); grid.cells()];
        for state in 0..self.cells.len() {
            let from = self.cells.cell_of[state];
            let here = grid.indices(from);
            for (target, rate) in rates.transitions_from(state) {
                let to = self.cells.cell_of[target];
                let there = grid.indices(to);
                let flow = 0.5 * weight[state] * rate * q[target];
                for (d, axis) in grid.axes().iter().enumerate() {
                    let cells = axis.cells() as i64;
                    let mut way = there[d] as i64 - here[d] as i64;
                    if way == 0 {
                        continue;
                    }
                    if self.cells.boundaries[d][0] == Boundary::Periodic && 2 * way.abs() > cells {
                        way -= cells * way.signum();
                    }
                    // half of the flow through each of the two faces of a cell, over the width of that cell
                    for (cell, index) in [(from, here[d]), (to, there[d])] {
                        current[cell][d] += flow * way as f64 * axis.width(index) / grid.volume(cell);
                    }
                }
            }
        }
        Ok(current)
    }
}
