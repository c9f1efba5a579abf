//! Rates along Selling offsets, for full tensors: jumps i → i ± v_k in the Ito generator.
//!
//! ```text
//! D(θ_i) = Σ_k w_k v_k v_kᵀ,   b(θ_i) = Σ_k w_k z_k v_k,   z_k = v_k · D⁻¹ b      (in cells)
//! (Lf)_i = Σ_k w_k [B(−z_k) (f(i + v_k) − f_i) + B(z_k) (f(i − v_k) − f_i)],   B(z) = z/(e^z − 1)
//! ```
//!
//! B(−z) − B(z) = z reproduces the drift exactly, B(−z) + B(z) = 2 + z²/6 + … the tensor to second order, and
//! both are positive at any z.

use super::cells::{Cells, Landing};
use crate::error::{Error, Result};
use crate::grid::Axis;
use crate::linalg::Selling;
use crate::math::{Point, Tensor, relative_exponential};
use rayon::prelude::*;

/// The jumps of one state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Offsets {
    weights: [f64; 3],
    /// z_k, the logarithm of the ratio of the rates along +v_k and −v_k.
    bias: [f64; 3],
    offsets: [[i32; 2]; 3],
}

impl Offsets {
    /// Calls `visit` with each landing and its rate.
    pub fn jumps<const D: usize>(
        &self,
        cells: &Cells<D>,
        from: [usize; D],
        set: Option<&[bool]>,
        mut visit: impl FnMut(Landing, f64),
    ) {
        for k in 0..3 {
            if self.weights[k] == 0.0 {
                continue;
            }
            for sign in [1, -1] {
                let offset = std::array::from_fn(|d| if d < 2 { sign * self.offsets[k][d] } else { 0 });
                let landing = cells.jump(from, offset, set);
                let z = f64::from(sign) * self.bias[k];
                // a jump cut short at fraction t of its way comes 1/t times as often
                let t = match landing {
                    Landing::Absorbed(t) | Landing::Set(t) => t,
                    Landing::State(_) | Landing::Reflected => 1.0,
                };
                visit(landing, self.weights[k] / (t * relative_exponential(-z * t)));
            }
        }
    }
}

/// Drift and tensor at a cell centre.
pub(super) type Local<const D: usize> = (Point<D>, Tensor<D>);

/// Jumps of every state of a plane; `D` must be 2.
pub(super) fn assemble<const D: usize>(
    cells: &Cells<D>,
    local: &[Local<D>],
    periodic: [bool; D],
    reach: usize,
) -> Result<Vec<Offsets>> {
    let uniform: [bool; D] = cells.grid.axes().each_ref().map(is_uniform);
    (0..cells.len())
        .into_par_iter()
        .map(|state| {
            let (b, d) = &local[state];
            let cell = cells.cell_of[state];
            let indices = cells.grid.indices(cell);
            let widths: [f64; 2] = std::array::from_fn(|a| cells.grid.axes()[a].width(indices[a]));
            let scaled = Tensor::<2>::from_fn(|r, c| d[(r, c)] / (widths[r] * widths[c]));
            let parts = Selling::decompose(&scaled, reach)
                .map_err(|e| at_position(e, &cells.grid.centre(cell), d))?;
            let (w, v) = (parts.weights, parts.offsets);
            let mut drift: [f64; 2] = std::array::from_fn(|a| b[a] / widths[a]);
            for a in 0..2 {
                if !uniform[a] {
                    // centres of unequal cells: ±v_k do not cancel in the mean
                    let axis = &cells.grid.axes()[a];
                    let i = indices[a] as i64;
                    for k in 0..3 {
                        let shift = i64::from(v[k][a]);
                        let mean = centre(axis, i + shift, periodic[a]) - 2.0 * axis.centre(indices[a])
                            + centre(axis, i - shift, periodic[a]);
                        drift[a] -= w[k] * mean / widths[a];
                    }
                }
            }
            // D⁻¹ from the decomposition: det = Σ w_k w_l (v_k × v_l)², adj = Σ w_k v_k⊥ v_k⊥ᵀ; nothing cancels
            let cross = |p: [f64; 2], q: [f64; 2]| p[0] * q[1] - p[1] * q[0];
            let vectors = v.map(|o| o.map(f64::from));
            let mut determinant = 0.0;
            let mut bias = [0.0; 3];
            for k in 0..3 {
                for l in 0..3 {
                    let area = cross(vectors[l], vectors[k]);
                    if l < k {
                        determinant += w[k] * w[l] * area * area;
                    }
                    bias[k] += w[l] * area * cross(vectors[l], drift);
                }
            }
            if determinant <= 0.0 {
                return Err(Error::NotPositive {
                    name: "diffusion tensor".into(),
                    position: position(&cells.grid.centre(cell)),
                    eigenvalues: format!(
                        "{} (a strictly positive tensor is needed; give the noise a floor)",
                        eigenvalues(d)
                    ),
                });
            }
            Ok(Offsets {
                weights: w,
                bias: bias.map(|z| z / determinant),
                offsets: v,
            })
        })
        .collect()
}

/// Relative spread of widths below which an axis counts as uniform: rounding of its faces.
const UNIFORM: f64 = 1e-9;

fn is_uniform(axis: &Axis) -> bool {
    let mean = (axis.upper() - axis.lower()) / axis.cells() as f64;
    (0..axis.cells()).all(|i| (axis.width(i) / mean - 1.0).abs() < UNIFORM)
}

/// Centre of cell `i`, the axis continued beyond its ends by its period or by its outermost width.
fn centre(axis: &Axis, i: i64, periodic: bool) -> f64 {
    let n = axis.cells() as i64;
    if periodic {
        return axis.centre(i.rem_euclid(n) as usize)
            + i.div_euclid(n) as f64 * (axis.upper() - axis.lower());
    }
    let inside = i.clamp(0, n - 1);
    axis.centre(inside as usize) + (i - inside) as f64 * axis.width(inside as usize)
}

fn position<const D: usize>(theta: &Point<D>) -> String {
    format!("({}, {})", theta[0], theta[1])
}

fn eigenvalues<const D: usize>(d: &Tensor<D>) -> String {
    let (mean, half) = (
        0.5 * (d[(0, 0)] + d[(1, 1)]),
        (0.5 * (d[(0, 0)] - d[(1, 1)])).hypot(d[(0, 1)]),
    );
    format!("{:e}, {:e}", mean - half, mean + half)
}

/// Replaces the place in an error of the decomposition by a position in the plane.
fn at_position<const D: usize>(error: Error, theta: &Point<D>, d: &Tensor<D>) -> Error {
    match error {
        Error::TooAnisotropic {
            anisotropy,
            reach,
            allowed,
            ..
        } => Error::TooAnisotropic {
            position: position(theta),
            anisotropy,
            reach,
            allowed,
        },
        Error::NotPositive { name, .. } => Error::NotPositive {
            name,
            position: position(theta),
            eigenvalues: eigenvalues(d),
        },
        other => other,
    }
}
