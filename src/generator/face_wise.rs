//! Rates through the faces of the cells, for tensors that are diagonal.

use super::cells::{Cells, Landing};
use super::discretisation::Discretisation;
use super::offsets::Local;
use super::scharfetter_gummel::Halves;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::landscape::loss_jump;
use crate::math::{LANES, Point};
use rayon::prelude::*;

/// Rates of a state through its faces: to the neighbouring centre, and to the face itself if it absorbs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Faces<const D: usize> {
    /// [axis][lower, upper] to the neighbour.
    pub to_neighbour: [[f64; 2]; D],
    /// [axis][lower, upper] to the face.
    pub to_face: [[f64; 2]; D],
}

/// Rates of all states, from the `local` coefficients at their centres and those between centres and faces.
pub(super) fn assemble<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    local: &[Local<D>],
    discretisation: &Discretisation<D>,
) -> Result<Vec<Faces<D>>> {
    let mut halves = vec![[Halves::default(); D]; cells.len()];
    let blocks = halves.par_chunks_mut(LANES).zip(cells.cell_of.par_chunks(LANES));
    (blocks.zip(local.par_chunks(LANES))).try_for_each(|((halves, block), local)| {
        let centres = cells.centres(block);
        for axis in 0..D {
            let width = |cell: &usize| cells.grid.axes()[axis].width(cells.grid.indices(*cell)[axis]);
            let widths: Vec<f64> = block.iter().map(width).collect();
            let own: Vec<f64> = local.iter().map(|(_, tensor)| tensor[(axis, axis)]).collect();
            let calculus = discretisation.calculus;
            let found = Halves::of_block(diffusion, &centres, &own, axis, &widths, calculus)?;
            halves
                .iter_mut()
                .zip(found)
                .for_each(|(halves, found)| halves[axis] = found);
        }
        Ok::<(), Error>(())
    })?;
    let jumps = Jumps::new(diffusion, &cells.grid);
    let of_state = |state: usize| -> Result<Faces<D>> {
        let from = cells.grid.indices(cells.cell_of[state]);
        let own = &halves[state];
        let mut faces = Faces {
            to_neighbour: [[0.0; 2]; D],
            to_face: [[0.0; 2]; D],
        };
        for axis in 0..D {
            for side in 0..2 {
                faces.to_face[axis][side] = own[axis].rate_to_face(side);
                if let Landing::State(next) = cells.jump(from, step(axis, side), None) {
                    let jump = jumps.outward(diffusion, cells, from, axis, side)?;
                    faces.to_neighbour[axis][side] =
                        own[axis].rate_to_neighbour(side, &halves[next][axis], jump);
                }
            }
        }
        Ok(faces)
    };
    (0..cells.len()).into_par_iter().map(of_state).collect()
}

/// The faces on which the loss may jump: by axis, the indices of the declared surfaces among its faces.
struct Jumps<const D: usize>([Vec<usize>; D]);

impl<const D: usize> Jumps<D> {
    fn new(diffusion: &impl Diffusion<D>, grid: &Grid<D>) -> Self {
        let kinks = match diffusion.landscape() {
            Some(_) => diffusion.kinks(),
            None => Vec::new(),
        };
        Self(std::array::from_fn(|axis| {
            let own = kinks.iter().filter(|kink| kink.axis == axis);
            own.filter_map(|kink| grid.axes()[axis].face_at(kink.position))
                .collect()
        }))
    }

    /// ΔL/D outward through a face of a cell.
    fn outward(
        &self,
        diffusion: &impl Diffusion<D>,
        cells: &Cells<D>,
        from: [usize; D],
        axis: usize,
        side: usize,
    ) -> Result<f64> {
        let face = from[axis] + side;
        let Some(landscape) = diffusion.landscape().filter(|_| self.0[axis].contains(&face)) else {
            return Ok(0.0);
        };
        let grid_axis = &cells.grid.axes()[axis];
        let width = grid_axis.width(from[axis]);
        let theta = Point::<D>::from_fn(|d, _| match d == axis {
            true => grid_axis.faces()[face],
            false => cells.grid.axes()[d].centre(from[d]),
        });
        let jump = loss_jump(landscape, &theta, axis, width);
        if jump == 0.0 {
            return Ok(0.0);
        }
        let tensor = |sign: f64| {
            let mut beside = theta;
            beside[axis] += sign * 1e-5 * width;
            diffusion.tensor(&beside)[(axis, axis)]
        };
        let (below, above) = (tensor(-1.0), tensor(1.0));
        // the two differ by 1e-5 of what D changes over a cell where it is continuous
        if (above - below).abs() > 1e-3 * above.min(below) {
            return Err(Error::Inconsistent {
                subject: format!("loss and tensor at {:?}", theta.as_slice()),
                requirement: "both jump there, and which comes first on the way up would decide the rates"
                    .into(),
            });
        }
        let sign = if side == 0 { -1.0 } else { 1.0 };
        Ok(sign * jump / (0.5 * (above + below)))
    }
}

/// Offset of the neighbour behind the lower (0) or upper (1) face of an axis.
pub(super) fn step<const D: usize>(axis: usize, side: usize) -> [i32; D] {
    let mut offset = [0; D];
    offset[axis] = if side == 0 { -1 } else { 1 };
    offset
}

impl<const D: usize> Faces<D> {
    /// Calls `visit` with each landing beyond a face and its rate.
    pub fn jumps(
        &self,
        cells: &Cells<D>,
        from: [usize; D],
        set: Option<&[bool]>,
        mut visit: impl FnMut(Landing, f64),
    ) {
        for axis in 0..D {
            for side in 0..2 {
                let landing = cells.jump(from, step(axis, side), set);
                let rates = if matches!(landing, Landing::State(_)) {
                    self.to_neighbour
                } else {
                    self.to_face
                };
                visit(landing, rates[axis][side]);
            }
        }
    }
}
