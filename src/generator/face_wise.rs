//! Rates through the faces of the cells, for tensors that are diagonal.

use super::cells::{Cells, Landing};
use super::discretisation::Discretisation;
use super::local::{at_centres, is_off_diagonal};
use super::scharfetter_gummel::Halves;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::grid::Grid;
use crate::landscape::loss_jump;
use crate::math::{LANES, Lanes, Point, PointBlock, Tensor};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rates of a state through its faces: to the neighbouring centre, and to the face itself if it absorbs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Faces<const D: usize> {
    /// [axis][lower, upper] to the neighbour.
    pub to_neighbour: [[f64; 2]; D],
    /// [axis][lower, upper] to the face.
    pub to_face: [[f64; 2]; D],
}

/// Rates of all states; none where the tensor is not diagonal in every cell.
pub(super) fn assemble<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    discretisation: &Discretisation<D>,
) -> Result<Option<Vec<Faces<D>>>> {
    let first = &cells.cell_of[..cells.len().min(LANES)];
    if diagonal(
        diffusion,
        &cells.centres(&cells.indices(first)[..first.len()]),
        first.len(),
    )?
    .is_none()
    {
        return Ok(None);
    }
    let mut halves = vec![[Halves::default(); D]; cells.len()];
    let off_diagonal = AtomicBool::new(false);
    let blocks = halves.par_chunks_mut(LANES).zip(cells.cell_of.par_chunks(LANES));
    let of_block = |(halves, block): (&mut [[Halves; D]], &[usize])| {
        if off_diagonal.load(Ordering::Relaxed) {
            return Ok(());
        }
        let indices = cells.indices(block);
        let indices = &indices[..block.len()];
        let centres = cells.centres(indices);
        let Some(own) = diagonal(diffusion, &centres, block.len())? else {
            off_diagonal.store(true, Ordering::Relaxed);
            return Ok(());
        };
        for axis in 0..D {
            let mut widths = [0.0; LANES];
            for (width, indices) in widths.iter_mut().zip(indices) {
                *width = cells.grid.axes()[axis].width(indices[axis]);
            }
            Halves::of_block(
                diffusion,
                &centres,
                axis,
                &own[axis],
                &widths,
                discretisation.calculus,
                halves,
            )?;
        }
        Ok(())
    };
    // the first error in the order of the cells, and only where all tensors are diagonal
    let found = blocks.map(of_block).reduce(|| Ok(()), Result::and);
    if off_diagonal.into_inner() {
        return Ok(None);
    }
    found?;
    let of_state = |state: usize| {
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
                    faces.to_neighbour[axis][side] =
                        own[axis].rate_to_neighbour(side, &halves[next][axis], 0.0);
                }
            }
        }
        faces
    };
    let mut faces: Vec<Faces<D>> = (0..cells.len()).into_par_iter().map(of_state).collect();
    let jumps = Jumps::new(diffusion, &cells.grid);
    if jumps.any() {
        (faces.par_iter_mut().enumerate()).try_for_each(|(state, faces)| {
            let from = cells.grid.indices(cells.cell_of[state]);
            for (axis, side) in (0..D).flat_map(|axis| [(axis, 0), (axis, 1)]) {
                let jump = jumps.outward(diffusion, cells, from, axis, side)?;
                match cells.jump(from, step(axis, side), None) {
                    Landing::State(next) if jump != 0.0 => {
                        faces.to_neighbour[axis][side] =
                            halves[state][axis].rate_to_neighbour(side, &halves[next][axis], jump);
                    }
                    _ => {}
                }
            }
            Ok::<(), Error>(())
        })?;
    }
    Ok(Some(faces))
}

/// The diagonal of the tensor at the first `cells` centres; none where it is not diagonal at all of them.
fn diagonal<const D: usize>(
    diffusion: &impl Diffusion<D>,
    centres: &PointBlock<D>,
    cells: usize,
) -> Result<Option<[Lanes; D]>> {
    let mut local = [(Point::zeros(), Tensor::zeros()); LANES];
    at_centres(diffusion, centres, &mut local[..cells])?;
    let mut diagonal = [[0.0; LANES]; D];
    for (lane, (_, tensor)) in local[..cells].iter().enumerate() {
        if is_off_diagonal(tensor) {
            return Ok(None);
        }
        for axis in 0..D {
            diagonal[axis][lane] = tensor[(axis, axis)];
        }
    }
    Ok(Some(diagonal))
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

    fn any(&self) -> bool {
        self.0.iter().any(|faces| !faces.is_empty())
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
