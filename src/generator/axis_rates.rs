//! The rates along the axes of a plane, for time steps by alternating directions.

use super::assembly::Generator;
use super::cells::Landing;
use super::face_wise::step;
use super::jumps::Jumps;
use crate::linalg::AxisRates;

impl<const D: usize> Generator<D> {
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
