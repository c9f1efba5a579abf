//! The cells that carry a state, and what a jump from one of them meets.

use super::discretisation::Discretisation;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::math::{LANES, Point, PointBlock};
use crate::region::Boundary;

/// Marks a cell without a state.
const NONE: u32 = u32::MAX;

/// The states of a generator: the cells of its domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells<const D: usize> {
    pub grid: Grid<D>,
    pub boundaries: [[Boundary; 2]; D],
    domain_boundary: Boundary,
    /// See [`Discretisation::window`].
    window: Option<Vec<[[bool; 2]; D]>>,
    extents: [i64; D],
    /// Cell of each state, ascending.
    pub cell_of: Vec<usize>,
    state_of: Vec<u32>,
}

/// The end of a jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Landing {
    /// The state it reaches.
    State(usize),
    /// It meets an absorbing face after this fraction of its way.
    Absorbed(f64),
    /// It meets a cell of the set after this fraction of its way.
    Set(f64),
    /// It meets a reflecting face and does not happen.
    Reflected,
}

impl<const D: usize> Cells<D> {
    pub fn new(grid: Grid<D>, discretisation: &Discretisation<D>) -> Result<Self> {
        discretisation.check(&grid)?;
        let inside = |cell: &usize| discretisation.domain.as_ref().is_none_or(|d| d.contains(*cell));
        let cell_of: Vec<usize> = (0..grid.cells()).filter(inside).collect();
        if cell_of.len() >= NONE as usize {
            return Err(Error::InvalidParameter {
                name: "cells".into(),
                value: cell_of.len() as f64,
                requirement: "fewer than 2^32 - 1 cells".into(),
            });
        }
        let mut state_of = vec![NONE; grid.cells()];
        for (state, &cell) in cell_of.iter().enumerate() {
            state_of[cell] = state as u32;
        }
        Ok(Self {
            extents: grid.axes().each_ref().map(|a| a.cells() as i64),
            boundaries: discretisation.boundaries,
            domain_boundary: discretisation.domain_boundary,
            window: discretisation.window.clone(),
            grid,
            cell_of,
            state_of,
        })
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        self.cell_of.len()
    }

    /// Indices of at most [`LANES`] cells, in the first lanes.
    pub fn indices(&self, cells: &[usize]) -> [[usize; D]; LANES] {
        let mut indices = [[0; D]; LANES];
        let last = D - 1;
        for (lane, &cell) in cells.iter().enumerate() {
            // mostly the next in the same row
            let next = lane > 0 && cell == cells[lane - 1] + 1;
            if next && indices[lane - 1][last] + 1 < self.grid.axes()[last].cells() {
                indices[lane] = indices[lane - 1];
                indices[lane][last] += 1;
            } else {
                indices[lane] = self.grid.indices(cell);
            }
        }
        indices
    }

    /// Centres of the cells with these indices.
    pub fn centres(&self, indices: &[[usize; D]]) -> PointBlock<D> {
        let mut block = PointBlock::idle();
        for (lane, own) in indices.iter().enumerate() {
            let centre = Point::<D>::from_fn(|d, _| self.grid.axes()[d].centre(own[d]));
            block.set(lane, &centre);
        }
        block
    }

    /// Whether every cell is a state.
    pub fn is_full(&self) -> bool {
        self.len() == self.state_of.len()
    }

    /// State of a cell, if it has one.
    pub fn state(&self, cell: usize) -> Option<usize> {
        (self.state_of[cell] != NONE).then_some(self.state_of[cell] as usize)
    }

    /// Whether the face of a cell absorbs where it would reflect.
    pub fn is_window(&self, cell: usize, axis: usize, side: usize) -> bool {
        self.window
            .as_ref()
            .is_some_and(|window| window[cell][axis][side])
    }

    /// The jump from the cell with these indices by `offset` cells; `set` marks cells that stop it.
    ///
    /// The way is the straight segment between the centres; it stops at the first face behind which there
    /// is no state, or a cell of the set.
    pub fn jump(&self, from: [usize; D], offset: [i32; D], set: Option<&[bool]>) -> Landing {
        // to a neighbour, or with no set and no state missing, nothing is in the way but the ends of the axes
        let is_neighbour = offset.iter().map(|o| o.abs()).sum::<i32>() == 1;
        if is_neighbour || (set.is_none() && self.is_full()) {
            let (mut inside, mut cell) = (true, 0);
            for d in 0..D {
                let index = from[d] as i64 + i64::from(offset[d]);
                inside &= (0..self.extents[d]).contains(&index);
                cell = cell * self.extents[d] + index;
            }
            if inside && self.state_of[cell as usize] != NONE {
                return match set.is_some_and(|set| set[cell as usize]) {
                    // at the face between the two
                    true => Landing::Set(0.5),
                    false => Landing::State(self.state_of[cell as usize] as usize),
                };
            }
        }
        let mut step = [0i64; D];
        let mut landing = Landing::Reflected;
        let mut last = (0..D).fold(0, |cell, d| cell * self.extents[d] as usize + from[d]);
        loop {
            // the next face met, at fraction t of the way: axis d meets its m-th face at (m + 1/2)/|v_d|
            let meets = |d: usize| {
                let v = f64::from(offset[d].abs());
                if step[d] < i64::from(offset[d].abs()) {
                    (step[d] as f64 + 0.5) / v
                } else {
                    f64::INFINITY
                }
            };
            let t = (0..D).map(meets).fold(f64::INFINITY, f64::min);
            if t == f64::INFINITY {
                return landing;
            }
            // faces met together are a corner
            let crossing: [bool; D] = std::array::from_fn(|d| meets(d) <= t * (1.0 + 1e-12));
            let mut cell = 0;
            let mut outer = None;
            for d in 0..D {
                step[d] += i64::from(crossing[d]);
                let mut index = from[d] as i64 + step[d] * i64::from(offset[d].signum());
                if !(0..self.extents[d]).contains(&index) {
                    let side = self.boundaries[d][usize::from(index >= 0)];
                    match side {
                        Boundary::Periodic => index = index.rem_euclid(self.extents[d]),
                        // at a corner, an absorbing face wins
                        _ if outer == Some(Boundary::Absorbing) => {}
                        _ => outer = Some(side),
                    }
                }
                cell = cell * self.extents[d] + index;
            }
            let edge = match outer {
                Some(boundary) => Some(boundary),
                None if self.state_of[cell as usize] == NONE => Some(self.domain_boundary),
                None => None,
            };
            let side = |d: usize| usize::from(offset[d] > 0);
            match edge {
                Some(Boundary::Absorbing) => return Landing::Absorbed(t),
                Some(_) if (0..D).any(|d| crossing[d] && self.is_window(last, d, side(d))) => {
                    return Landing::Absorbed(t);
                }
                Some(_) => return Landing::Reflected,
                None if set.is_some_and(|s| s[cell as usize]) => return Landing::Set(t),
                None => landing = Landing::State(self.state_of[cell as usize] as usize),
            }
            last = cell as usize;
        }
    }
}
