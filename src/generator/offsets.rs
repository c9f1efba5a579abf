//! Rates along Selling offsets, for full tensors: jumps i → i ± v_k in the Ito generator.
//!
//! ```text
//! D(θ_i) = Σ_k w_k v_k v_kᵀ,   b(θ_i) = Σ_k w_k z_k v_k,   z_k = v_k · D⁻¹ b      (in cells)
//! (Lf)_i = Σ_k w_k [B(−z_k⁺) (f(i + v_k) − f_i) + B(z_k⁻) (f(i − v_k) − f_i)],   B(z) = z/(e^z − 1)
//! z_k^± = z_k by [`JumpDrift::Centre`];   by [`JumpDrift::Integral`] the integral of D⁻¹ b · v_k along ±v_k
//! ```
//!
//! B(−z) − B(z) = z reproduces the drift exactly where z⁺ = z⁻, B(−z) + B(z) = 2 + z²/6 + … the tensor to second order, and both are
//! positive at any z.

use super::cells::{Cells, Landing};
use super::discretisation::JumpDrift;
use super::local::Local;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::grid::Axis;
use crate::linalg::Selling;
use crate::math::{Point, Tensor, relative_exponential};
use rayon::prelude::*;

/// The jumps of one state.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Offsets {
    pub weights: [f64; 3],
    /// z_k⁺ and z_k⁻.
    bias: [[f64; 2]; 3],
    pub offsets: [[i32; 2]; 3],
    /// D⁻¹ b in cells.
    pub slope: [f64; 2],
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
            // B(|z|), mostly the same both ways
            let against = |z: f64| self.weights[k] / relative_exponential(z.abs());
            let [forth, back] = self.bias[k];
            let first = against(forth);
            let second = if back == forth { first } else { against(back) };
            for (sign, z, against) in [(1, forth, first), (-1, back, second)] {
                let offset = std::array::from_fn(|d| if d < 2 { sign * self.offsets[k][d] } else { 0 });
                let landing = cells.jump(from, offset, set);
                let z = f64::from(sign) * z;
                // a jump cut short at fraction t of its way comes 1/t times as often
                let rate = match landing {
                    Landing::Absorbed(t) | Landing::Set(t) => {
                        self.weights[k] / (t * relative_exponential(-z * t))
                    }
                    // B(−z) = B(z) + z
                    Landing::State(_) | Landing::Reflected => against + self.weights[k] * z.max(0.0),
                };
                visit(landing, rate);
            }
        }
    }
}

/// Jumps of every state of a plane; `D` must be 2.
pub(super) fn assemble<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    local: &[Local<D>],
    periodic: [bool; D],
    (reach, jump_drift): (usize, JumpDrift),
) -> Result<Vec<Offsets>> {
    let uniform: [bool; D] = cells.grid.axes().each_ref().map(is_uniform);
    let mut rows = vec![Offsets::default(); cells.len()];
    rows.par_iter_mut().enumerate().try_for_each(|(state, row)| {
        let (b, d) = &local[state];
        let cell = cells.cell_of[state];
        let indices = cells.grid.indices(cell);
        let widths: [f64; 2] = std::array::from_fn(|a| cells.grid.axes()[a].width(indices[a]));
        let scaled = Tensor::<2>::from_fn(|r, c| d[(r, c)] / (widths[r] * widths[c]));
        let parts =
            Selling::decompose(&scaled, reach).map_err(|e| at_position(e, &cells.grid.centre(cell), d))?;
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
        let mut slope = [0.0; 2];
        for k in 0..3 {
            for l in 0..3 {
                let area = cross(vectors[l], vectors[k]);
                if l < k {
                    determinant += w[k] * w[l] * area * area;
                }
                bias[k] += w[l] * area * cross(vectors[l], drift);
            }
        }
        for (&weight, u) in w.iter().zip(&vectors) {
            let share = weight * cross(*u, drift) / determinant;
            slope[0] -= share * u[1];
            slope[1] += share * u[0];
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
        let mut along = bias.map(|z| [z / determinant; 2]);
        let wanted = |k: &usize| jump_drift.is_integral(v[*k]) && w[*k] > 0.0;
        for (k, along) in along.iter_mut().enumerate().filter(|(k, _)| wanted(k)) {
            for (along, sign) in along.iter_mut().zip([1, -1]) {
                let jump = v[k].map(|n| sign * n);
                let further = beyond_the_slope(diffusion, cells, state, &local[state], jump, periodic)?;
                // in the sense of +v
                *along += f64::from(sign) * further;
            }
        }
        *row = Offsets {
            weights: w,
            bias: along,
            offsets: v,
            slope,
        };
        Ok(())
    })?;
    Ok(rows)
}

/// ∫ (D⁻¹ b along the jump − D⁻¹ b at the centre) · v ds over a jump by v; zero where it leads out of the states.
///
/// # Method
/// Two Gauss nodes on each cell of its length, mirrored in the reverse jump, so that the two are inverse to rounding.
pub(super) fn beyond_the_slope<const D: usize>(
    diffusion: &impl Diffusion<D>,
    cells: &Cells<D>,
    state: usize,
    (drift, tensor): &Local<D>,
    offset: [i32; 2],
    periodic: [bool; D],
) -> Result<f64> {
    const NODES: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];
    let jump = std::array::from_fn(|a| if a < 2 { offset[a] } else { 0 });
    let cell = cells.cell_of[state];
    let (from, start) = (cells.grid.indices(cell), cells.grid.centre(cell));
    if !matches!(cells.jump(from, jump, None), Landing::State(_)) {
        return Ok(0.0);
    }
    let way = Point::<D>::from_fn(|a, _| {
        centre(
            &cells.grid.axes()[a],
            from[a] as i64 + i64::from(jump[a]),
            periodic[a],
        ) - start[a]
    });
    // D⁻¹ b · way in the plane
    let along = |b: &Point<D>, d: &Tensor<D>| {
        let determinant = d[(0, 0)] * d[(1, 1)] - d[(0, 1)] * d[(1, 0)];
        let first = d[(1, 1)] * b[0] - d[(0, 1)] * b[1];
        let second = d[(0, 0)] * b[1] - d[(1, 0)] * b[0];
        (first * way[0] + second * way[1]) / determinant
    };
    let pieces = offset[0].abs().max(offset[1].abs());
    let mut sum = 0.0;
    for piece in 0..pieces {
        for node in NODES {
            let mut at = start + way * ((f64::from(piece) + node) / f64::from(pieces));
            for a in (0..D).filter(|a| periodic[*a]) {
                let axis = &cells.grid.axes()[a];
                at[a] = axis.lower() + (at[a] - axis.lower()).rem_euclid(axis.upper() - axis.lower());
            }
            sum += along(&diffusion.drift(&at), &diffusion.tensor(&at));
        }
    }
    let mean = sum / f64::from(2 * pieces);
    let further = mean - along(drift, tensor);
    if !further.is_finite() {
        return Err(Error::NotFinite {
            quantity: "drift or diffusion".into(),
            reason: format!("along the jump from {}", position(&start)),
        });
    }
    Ok(further)
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
