//! Jumps along a reflecting face that make up for those that the face stops.
//!
//! A jump that would cross the face does not happen, which keeps the normal flux zero but takes part of the
//! motion along the face with it. With the offsets v turned outward (n, t: components across and along the face, in
//! cells) and m = D_nt/D_nn, summing the rows of the strip for functions with D_nn ∂_n f + D_nt ∂_t f = 0 on the face
//! shows what is missing per cell of the face:
//!
//! ```text
//! tangential diffusion  S/2,   S = Σ_k w_k n_k (t_k − m n_k)² ≥ 0
//! tangential drift      (S/2) t·D⁻¹b + Σ_d Σ_{n_k > d} w_k(d) (t_k − m n_k) − ½ ∂_t m Σ_k w_k n_k² t_k
//! ```
//!
//! (d = depth of the row below the face). Both are given back as jumps between neighbours along the face; without
//! them the scheme is of first order only at a reflecting face with a full tensor.

use super::cells::{Cells, Landing};
use super::discretisation::Discretisation;
use super::local::Local;
use super::offsets::{Offsets, beyond_the_slope};
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::math::relative_exponential;
use crate::region::Boundary;

/// Jumps of one cell along a reflecting face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// The axis along the face.
    axis: usize,
    weight: f64,
    /// Upwards and downwards, see [`super::offsets`].
    bias: [f64; 2],
    /// Further drift, taken upwind.
    shift: f64,
}

impl Edge {
    pub fn jumps<const D: usize>(
        &self,
        cells: &Cells<D>,
        from: [usize; D],
        set: Option<&[bool]>,
        visit: &mut impl FnMut(Landing, f64),
    ) {
        for (sign, bias) in [1, -1].into_iter().zip(self.bias) {
            let mut offset = [0; D];
            offset[self.axis] = sign;
            let landing = cells.jump(from, offset, set);
            let s = f64::from(sign);
            let t = if matches!(landing, Landing::State(_)) {
                1.0
            } else {
                0.5
            };
            let rate = self.weight / (t * relative_exponential(-s * bias * t)) + (s * self.shift).max(0.0);
            visit(landing, rate);
        }
    }
}

/// Offset turned outward.
struct Outward {
    weight: f64,
    across: f64,
    along: f64,
}

/// The edges of every state that lies on a reflecting face of the grid, by state.
pub(super) fn assemble<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    local: &[Local<D>],
    rows: &[Offsets],
    discretisation: &Discretisation<D>,
) -> Result<Vec<(usize, Edge)>> {
    let periodic = std::array::from_fn(|axis| discretisation.is_periodic(axis));
    let mut edges = Vec::new();
    for normal in 0..2 {
        let tangent = 1 - normal;
        let depths = cells.grid.axes()[normal].cells();
        let length = cells.grid.axes()[tangent].cells();
        for side in 0..2 {
            if discretisation.boundaries[normal][side] != Boundary::Reflecting || depths < 2 {
                continue;
            }
            let outward = if side == 0 { -1.0 } else { 1.0 };
            let state = |depth: usize, along: usize| {
                let mut indices = [0; D];
                indices[normal] = if side == 0 { depth } else { depths - 1 - depth };
                indices[tangent] = along;
                cells.state(
                    indices
                        .iter()
                        .zip(cells.grid.axes())
                        .fold(0, |cell, (i, a)| cell * a.cells() + i),
                )
            };
            let turned = |row: &Offsets| -> Vec<Outward> {
                (0..3)
                    .filter(|&k| row.weights[k] > 0.0)
                    .map(|k| {
                        let (n, t) = (
                            f64::from(row.offsets[k][normal]),
                            f64::from(row.offsets[k][tangent]),
                        );
                        let s = if n * outward < 0.0 { -1.0 } else { 1.0 };
                        Outward {
                            weight: row.weights[k],
                            across: s * n * outward,
                            along: s * t,
                        }
                    })
                    .collect()
            };
            // D_nt/D_nn of a row
            let slope = |row: &Offsets| {
                let parts = turned(row);
                let sum = |f: &dyn Fn(&Outward) -> f64| parts.iter().map(f).sum::<f64>();
                sum(&|v| v.weight * v.across * v.along) / sum(&|v| v.weight * v.across * v.across)
            };
            // on the face, from the two rows next to it
            let on_face: Vec<Option<f64>> = (0..length)
                .map(|j| Some(1.5 * slope(&rows[state(0, j)?]) - 0.5 * slope(&rows[state(1, j)?])))
                .collect();
            for j in 0..length {
                let (Some(here), Some(m)) = (state(0, j), on_face[j]) else {
                    continue;
                };
                if cells.is_window(cells.cell_of[here], normal, side) {
                    continue;
                }
                let at = |i: usize| on_face.get(i).copied().flatten();
                let change = match (j.checked_sub(1).and_then(at), at(j + 1)) {
                    (Some(a), Some(b)) => 0.5 * (b - a),
                    (Some(a), None) => m - a,
                    (None, Some(b)) => b - m,
                    (None, None) => 0.0,
                };
                let row = &rows[here];
                let parts = turned(row);
                let spread: f64 = parts
                    .iter()
                    .map(|v| v.weight * v.across * (v.along - m * v.across).powi(2))
                    .sum();
                let mut shift: f64 = parts
                    .iter()
                    .map(|v| -0.5 * change * v.weight * v.across * v.across * v.along)
                    .sum();
                for depth in 0..depths {
                    let Some(below) = state(depth, j) else { break };
                    let stopped = turned(&rows[below])
                        .into_iter()
                        .filter(|v| v.across > depth as f64 + 0.5);
                    let lost: Vec<f64> = stopped.map(|v| v.weight * (v.along - m * v.across)).collect();
                    if lost.is_empty() {
                        break;
                    }
                    shift += lost.iter().sum::<f64>();
                }
                let mut bias = [row.slope[tangent]; 2];
                for (bias, sign) in bias.iter_mut().zip([1, -1]) {
                    let mut jump = [0; 2];
                    jump[tangent] = sign;
                    if !discretisation.jump_drift.is_integral(jump) {
                        continue;
                    }
                    let further = beyond_the_slope(diffusion, cells, here, &local[here], jump, periodic)?;
                    *bias += f64::from(sign) * further;
                }
                edges.push((
                    here,
                    Edge {
                        axis: tangent,
                        weight: 0.5 * spread,
                        bias,
                        shift,
                    },
                ));
            }
        }
    }
    Ok(edges)
}
