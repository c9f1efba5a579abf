//! The jumps of every state: through the faces of its cell, or along the offsets of a full tensor.

use super::cells::{Cells, Landing};
use super::discretisation::Discretisation;
use super::edges::{self, Edge};
use super::face_wise::{self, Faces};
use super::local::{is_off_diagonal, local_coefficients};
use super::offsets::{self, Offsets};
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};

/// Where the rates come from, to find those into a set.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Jumps<const D: usize> {
    Faces(Vec<Faces<D>>),
    /// With the jumps along reflecting faces, ascending by state.
    Offsets(Vec<Offsets>, Vec<(usize, Edge)>),
    /// Through faces, and to the cell mirrored at the middle of the last axis.
    Mirrored(Vec<Faces<D>>, Vec<f64>),
}

impl<const D: usize> Jumps<D> {
    pub fn assemble(
        diffusion: &impl Diffusion<D>,
        cells: &Cells<D>,
        discretisation: &Discretisation<D>,
    ) -> Result<Self> {
        if let Some(faces) = face_wise::assemble(diffusion, cells, discretisation)? {
            return Ok(Self::Faces(faces));
        }
        let local = local_coefficients(diffusion, cells)?;
        if D != 2 || discretisation.calculus != Calculus::Ito {
            let first = local.iter().position(|(_, d)| is_off_diagonal(d));
            let position = first.map(|state| cells.grid.centre(cells.cell_of[state]));
            return Err(Error::OffDiagonalTensor {
                position: position.map_or(String::new(), |centre| format!("{:?}", centre.as_slice())),
                requirement: "off-diagonal entries are treated in two dimensions and the Ito sense only"
                    .into(),
            });
        }
        let periodic = std::array::from_fn(|axis| discretisation.is_periodic(axis));
        let rows = offsets::assemble(
            diffusion,
            cells,
            &local,
            periodic,
            (discretisation.reach, discretisation.jump_drift),
        )?;
        let mut edges = edges::assemble(diffusion, cells, &local, &rows, discretisation)?;
        edges.sort_by_key(|&(state, _)| state);
        Ok(Self::Offsets(rows, edges))
    }

    /// Calls `visit` with each landing of a jump of `state`, stopped by the cells marked in `set`, and its rate.
    pub fn of_state(
        &self,
        state: usize,
        cells: &Cells<D>,
        set: Option<&[bool]>,
        mut visit: impl FnMut(Landing, f64),
    ) {
        let from = cells.grid.indices(cells.cell_of[state]);
        match self {
            Self::Faces(faces) => faces[state].jumps(cells, from, set, visit),
            Self::Mirrored(faces, mirror) => {
                faces[state].jumps(cells, from, set, &mut visit);
                let last = D - 1;
                let mirrored = cells.grid.axes()[last].cells() - 1 - from[last];
                let cell = cells.cell_of[state] + mirrored - from[last];
                if set.is_some_and(|set| set[cell]) {
                    visit(Landing::Set(0.5), mirror[state]);
                } else if let Some(target) = cells.state(cell) {
                    visit(Landing::State(target), mirror[state]);
                }
            }
            Self::Offsets(offsets, edges) => {
                offsets[state].jumps(cells, from, set, &mut visit);
                let first = edges.partition_point(|&(s, _)| s < state);
                for (_, edge) in edges[first..].iter().take_while(|(s, _)| *s == state) {
                    edge.jumps(cells, from, set, &mut visit);
                }
            }
        }
    }
}
