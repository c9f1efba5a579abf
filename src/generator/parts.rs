//! What special solvers take from a generator: the chain of its states, and where the states lie.

use super::cells::Landing;
use super::face_wise::step;
use super::{Generator, Jumps, Rates};
use crate::error::{Error, Result};
use crate::linalg::{AxisRates, NestedDissection, SparseRates};

impl<const D: usize> Generator<D> {
    /// The rates among the states, in the order of [`Generator::states`]; none for a birth-death chain.
    pub fn sparse(&self) -> Option<&SparseRates> {
        match &self.rates {
            Rates::Chain(_) => None,
            Rates::Sparse(rates) => Some(rates),
        }
    }

    /// Cell of each state, ascending.
    pub fn states(&self) -> &[usize] {
        &self.cells.cell_of
    }

    /// Whether probability can leave through an absorbing boundary.
    pub fn is_absorbing(&self) -> bool {
        self.killing.iter().any(|&k| k > 0.0)
    }

    /// Checks that no boundary absorbs.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`].
    pub(crate) fn require_no_absorption(&self) -> Result<()> {
        match self.killing.iter().find(|k| **k > 0.0) {
            None => Ok(()),
            Some(&value) => Err(Error::InvalidParameter {
                name: "killing".into(),
                value,
                requirement: "a process with an absorbing boundary has no stationary law".into(),
            }),
        }
    }

    /// Fill-reducing order of elimination of all states.
    pub(crate) fn elimination_order(&self, rates: &SparseRates) -> Result<NestedDissection> {
        self.ordering(rates, &(0..self.cells.len()).collect::<Vec<_>>())
    }

    /// Values of the states as values on the cells, `elsewhere` outside the domain.
    pub(crate) fn on_cells(&self, values: Vec<f64>, elsewhere: f64) -> Vec<f64> {
        self.scatter(values, elsewhere)
    }

    /// The rates along each axis on all cells of a plane; none where jumps do not follow the axes, or an axis is
    /// periodic.
    pub(crate) fn axis_rates(&self) -> Option<[AxisRates; 2]> {
        let Jumps::Faces(faces) = &self.jumps else {
            return None;
        };
        if D != 2 {
            return None;
        }
        let cells = self.grid().cells();
        let none = || AxisRates {
            up: vec![0.0; cells],
            down: vec![0.0; cells],
            killing: vec![0.0; cells],
        };
        let mut rates = [none(), none()];
        for (state, faces) in faces.iter().enumerate() {
            let cell = self.cells.cell_of[state];
            let from = self.cells.grid.indices(cell);
            for axis in 0..2 {
                for side in 0..2 {
                    let own = &mut rates[axis];
                    match self.cells.jump(from, step(axis, side), None) {
                        Landing::State(target) => {
                            let target = self.cells.cell_of[target];
                            let next = if side == 0 { target < cell } else { target > cell };
                            if !next {
                                return None;
                            }
                            let along = if side == 0 { &mut own.down } else { &mut own.up };
                            along[cell] = faces.to_neighbour[axis][side];
                        }
                        Landing::Absorbed(_) | Landing::Set(_) => {
                            own.killing[cell] += faces.to_face[axis][side]
                        }
                        Landing::Reflected => {}
                    }
                }
            }
        }
        Some(rates)
    }
}
