//! Rates through the faces of the cells, for tensors that are diagonal: every line of cells is a chain of its own.

use super::cells::{Cells, Landing};
use super::{Discretisation, scharfetter_gummel};
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::grid::Axis;
use crate::math::{Point, Tensor};
use rayon::prelude::*;

/// Rates of a state through its faces: to the neighbouring centre, and to the face itself if it absorbs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Faces<const D: usize> {
    /// [axis][lower, upper] to the neighbour.
    pub to_neighbour: [[f64; 2]; D],
    /// [axis][lower, upper] to the face.
    pub to_face: [[f64; 2]; D],
}

/// A diffusion along one axis through a fixed point.
struct Line<'a, T, const D: usize> {
    diffusion: &'a T,
    through: Point<D>,
    axis: usize,
    /// End of a periodic axis, and its period.
    period: Option<(f64, f64)>,
}

impl<T: Diffusion<D>, const D: usize> Line<'_, T, D> {
    fn point(&self, x: f64) -> Point<D> {
        let mut theta = self.through;
        theta[self.axis] = match self.period {
            Some((end, period)) if x > end => x - period,
            _ => x,
        };
        theta
    }
}

impl<T: Diffusion<D>, const D: usize> Diffusion<1> for Line<'_, T, D> {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        Point::<1>::new(self.diffusion.drift(&self.point(x[0]))[self.axis])
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.diffusion.tensor(&self.point(x[0]))[(self.axis, self.axis)])
    }
}

/// A run of neighbouring states along an axis.
struct Run {
    axis: usize,
    states: Vec<usize>,
    /// The run closes on itself.
    closed: bool,
}

pub(super) fn assemble<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    discretisation: &Discretisation<D>,
) -> Result<Vec<Faces<D>>> {
    let runs = runs(cells, discretisation);
    let results: Vec<Result<scharfetter_gummel::Rates>> = runs
        .par_iter()
        .map(|run| {
            let full = &cells.grid.axes()[run.axis];
            let first = cells.cell_of[run.states[0]];
            let start = cells.grid.indices(first)[run.axis];
            let mut faces: Vec<f64> = full.faces()[start..=start + run.states.len()].to_vec();
            if run.closed {
                faces.push(full.upper() + full.width(0));
            }
            let line = Line {
                diffusion,
                through: cells.grid.centre(first),
                axis: run.axis,
                period: run.closed.then(|| (full.upper(), full.upper() - full.lower())),
            };
            scharfetter_gummel::rates(&line, &Axis::from_faces(faces)?, discretisation.calculus)
        })
        .collect();
    let empty = Faces {
        to_neighbour: [[0.0; 2]; D],
        to_face: [[0.0; 2]; D],
    };
    let mut faces = vec![empty; cells.len()];
    for (run, rates) in runs.iter().zip(results) {
        let rates = rates?;
        let n = run.states.len();
        for (i, &state) in run.states.iter().enumerate() {
            // in a closed run the first cell appears again behind the last
            let down = if run.closed && i == 0 { n } else { i };
            faces[state].to_neighbour[run.axis] = [rates.down[down], rates.up[i]];
            faces[state].to_face[run.axis] = [rates.exit_down[i], rates.exit_up[i]];
        }
    }
    Ok(faces)
}

fn runs<const D: usize>(cells: &Cells<D>, discretisation: &Discretisation<D>) -> Vec<Run> {
    let mut runs = Vec::new();
    for axis in 0..D {
        let n = cells.grid.axes()[axis].cells();
        let stride: usize = cells.grid.axes()[axis + 1..].iter().map(Axis::cells).product();
        for line in 0..cells.grid.cells() / n {
            let first = line / stride * stride * n + line % stride;
            let mut states = Vec::new();
            for k in 0..=n {
                match (k < n).then(|| cells.state(first + k * stride)).flatten() {
                    Some(state) => states.push(state),
                    None if states.is_empty() => {}
                    None => {
                        let closed = discretisation.is_periodic(axis) && states.len() == n;
                        runs.push(Run {
                            axis,
                            states: std::mem::take(&mut states),
                            closed,
                        });
                    }
                }
            }
        }
    }
    runs
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
                let mut offset = [0; D];
                offset[axis] = if side == 0 { -1 } else { 1 };
                let landing = cells.jump(from, offset, set);
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
