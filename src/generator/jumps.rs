//! The jumps of every state: through the faces of its cell, or along the offsets of a full tensor.

use super::cells::{Cells, Landing};
use super::discretisation::Discretisation;
use super::edges::{self, Edge};
use super::face_wise::{self, Faces};
use super::offsets::{self, Local, Offsets};
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::math::{LANES, Point, Tensor};
use rayon::prelude::*;

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
        let local = local_coefficients(diffusion, cells)?;
        let off_diagonal = |d: &Tensor<D>| (0..D).any(|r| (0..D).any(|c| r != c && d[(r, c)] != 0.0));
        let Some(state) = local.iter().position(|(_, d)| off_diagonal(d)) else {
            return Ok(Self::Faces(face_wise::assemble(
                diffusion,
                cells,
                &local,
                discretisation,
            )?));
        };
        if D != 2 || discretisation.calculus != Calculus::Ito {
            return Err(Error::OffDiagonalTensor {
                position: format!("{:?}", cells.grid.centre(cells.cell_of[state]).as_slice()),
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

/// Drift and tensor at the centre of each state, checked to be finite.
fn local_coefficients<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
) -> Result<Vec<Local<D>>> {
    let mut local = vec![(Point::zeros(), Tensor::zeros()); cells.len()];
    let blocks = local.par_chunks_mut(LANES).zip(cells.cell_of.par_chunks(LANES));
    blocks.try_for_each(|(local, block)| {
        let centres = cells.centres(block);
        let (mut drift, mut tensor) = ([[0.0; LANES]; D], [[[0.0; LANES]; D]; D]);
        diffusion.drift_block(&centres, &mut drift);
        diffusion.tensor_block(&centres, &mut tensor);
        for (lane, local) in local.iter_mut().enumerate() {
            let b = Point::<D>::from_fn(|i, _| drift[i][lane]);
            let d = Tensor::<D>::from_fn(|i, j| tensor[i][j][lane]);
            if !b.iter().chain(d.iter()).all(|v| v.is_finite()) {
                return Err(Error::NotFinite {
                    quantity: "drift or diffusion".into(),
                    reason: format!(
                        "b = {:?}, D = {:?} at {:?}",
                        b.as_slice(),
                        d.as_slice(),
                        centres.point(lane).as_slice()
                    ),
                });
            }
            *local = (b, d);
        }
        Ok(())
    })?;
    Ok(local)
}
