//! The last hop of the diffusion itself, without rates: a backward equation along the slow path.
//!
//! ```text
//! −∂u/∂t = L_t u outside the set,   u = 0 on it,   u(x, T) = 1
//! u(x, t) = Pr(set not reached between t and T | x_t = x)
//! ```

use super::density_path::{DensityPath, DensityPathSettings, Stage, State, between, run};
use super::moving_frame::MovingFrame;
use super::slow_path::refinement_error;
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::landscape::TwoValley;
use crate::linalg::SinglyDiagonal;
use std::ops::Range;

/// Laws of the last hop and of the last ridge visit of the diffusion; see [`density_last_hop`].
#[derive(Debug, Clone, PartialEq)]
pub struct DensityLastHop {
    /// The density along the path.
    pub path: DensityPath,
    /// Pr(no hop after t) at the times of the path.
    pub no_hop_after: Vec<f64>,
    /// Pr(no visit to the ridge after t).
    pub no_ridge_after: Vec<f64>,
    /// Mean y of the last hop; runs that never hop count at the first y.
    pub mean_y: f64,
    /// Mean time of the last hop; runs that never hop count as zero.
    pub mean_time: f64,
    /// Mean y of the last visit to the ridge x = 0, the limit η → 0 of the last sign change of x.
    pub mean_y_ridge: f64,
    /// Mean time of the last visit to the ridge.
    pub mean_time_ridge: f64,
    /// Error of `mean_y` in space and time, from a run on half the cells with 8 times the tolerance.
    pub mean_y_error: f64,
    /// Error of `mean_y_ridge`, in the same way.
    pub mean_y_ridge_error: f64,
    /// Expected number of hops of a run.
    pub mean_hops: f64,
    /// Its error in space and time.
    pub mean_hops_error: f64,
}

/// Density along the slow path and the law of the last hop.
///
/// # Formula
/// A hop is a passage to half-way between the ridge and the minimum of the other valley, where the label of a
/// run changes; with the densities p_f, p_s of the two labels and the survival u_f, u_s of the label,
/// ```text
/// Pr(no hop after t) = Σ_x p_f u_f + p_s u_s,   ⟨y_last⟩ = y0 + ∫ (1 − Pr(no hop after t)) (dy/dt) dt
/// ```
/// and the same with the sides of the ridge in place of the labels for the last visit to the ridge.
///
/// # Method
/// Forward as [`super::density_path`]; backward by the transpose of the same steps, so that the pairing has no
/// error of its own; cells whose value leaves [0, 1] keep that of the stages before the extrapolation.
/// Integrals by Simpson's rule on the half steps. Hops after the end of the run are not seen: run until
/// the hop fluxes have died out.
///
/// # Errors
/// As [`super::density_path`].
pub fn density_last_hop<S: Diffusion<1>>(
    model: &TwoValley,
    slice: impl Fn(f64) -> Result<S>,
    settings: &DensityPathSettings,
) -> Result<DensityLastHop> {
    let mut fine = laws(model, &slice, settings)?;
    let coarse = laws(model, &slice, &settings.coarser())?;
    fine.path.p_flat_error = refinement_error(fine.path.final_p_flat(), coarse.path.final_p_flat());
    fine.mean_y_error = refinement_error(fine.mean_y, coarse.mean_y);
    fine.mean_y_ridge_error = refinement_error(fine.mean_y_ridge, coarse.mean_y_ridge);
    fine.mean_hops_error = refinement_error(fine.mean_hops, coarse.mean_hops);
    Ok(fine)
}

fn laws<S: Diffusion<1>>(
    model: &TwoValley,
    slice: &impl Fn(f64) -> Result<S>,
    settings: &DensityPathSettings,
) -> Result<DensityLastHop> {
    let mut states = Vec::new();
    let (path, frame) = run(model, slice, settings, |state| states.push(state.clone()))?;
    let (no_hop_after, no_ridge_after) = survival(&frame, &states)?;
    let last = |law: &[f64]| {
        (
            settings.start + path.integral(|i| (1.0 - law[i]) * path.velocity[i]),
            path.integral(|i| 1.0 - law[i]),
        )
    };
    let (mean_y, mean_time) = last(&no_hop_after);
    let (mean_y_ridge, mean_time_ridge) = last(&no_ridge_after);
    Ok(DensityLastHop {
        no_hop_after,
        no_ridge_after,
        mean_y,
        mean_time,
        mean_y_ridge,
        mean_time_ridge,
        mean_y_error: 0.0,
        mean_y_ridge_error: 0.0,
        mean_hops: path.integral(|i| path.flat_to_sharp_flux[i] + path.sharp_to_flat_flux[i]),
        mean_hops_error: 0.0,
        path,
    })
}

/// Cells on which a survival probability lives, and the rates of loss at its ends.
struct Domain {
    cells: Range<usize>,
    lower: Option<fn(&Stage) -> f64>,
    upper: Option<fn(&Stage) -> f64>,
}

impl Domain {
    fn back(&self, u: &[f64], state: &State) -> Result<Vec<f64>> {
        let (a, b) = (self.cells.start, self.cells.end);
        let killing = |stage: &Stage| {
            let mut k = vec![0.0; b - a];
            k[0] += self.lower.map_or(0.0, |rate| rate(stage));
            k[b - a - 1] += self.upper.map_or(0.0, |rate| rate(stage));
            k
        };
        let [first, second] = [&state.stages[0], &state.stages[1]];
        let chains = [between(&first.chain, a, b)?, between(&second.chain, a, b)?];
        let step = SinglyDiagonal::new(
            [&chains[0], &chains[1]],
            [&killing(first), &killing(second)],
            state.dt,
        )?;
        Ok(step.adjoint(u)?.state)
    }
}

fn survival(frame: &MovingFrame, states: &[State]) -> Result<(Vec<f64>, Vec<f64>)> {
    let (a, b, r, n) = (frame.sharp_half, frame.flat_half, frame.ridge, frame.grid.cells());
    let domains = [
        Domain {
            cells: a..n,
            lower: Some(|s| s.sharp_half_down),
            upper: None,
        },
        Domain {
            cells: 0..b,
            lower: None,
            upper: Some(|s| s.flat_half_up),
        },
        Domain {
            cells: r..n,
            lower: Some(|s| s.ridge_down),
            upper: None,
        },
        Domain {
            cells: 0..r,
            lower: None,
            upper: Some(|s| s.ridge_up),
        },
    ];
    let mut u: Vec<Vec<f64>> = domains.iter().map(|d| vec![1.0; d.cells.len()]).collect();
    let mut no_hop = vec![1.0; states.len()];
    let mut no_ridge = vec![1.0; states.len()];
    for i in (0..states.len()).rev() {
        let (p, q) = (&states[i].p, &states[i].flat_label);
        // Label flat: all cells beyond b, q between, none below a; label sharp: the rest.
        no_hop[i] = (0..n)
            .map(|k| {
                let flat = if k >= b {
                    p[k]
                } else if k >= a {
                    q[k - a]
                } else {
                    0.0
                };
                let survive_flat = if k >= a { u[0][k - a] } else { 0.0 };
                let survive_sharp = if k < b { u[1][k] } else { 0.0 };
                flat * survive_flat + (p[k] - flat) * survive_sharp
            })
            .sum();
        no_ridge[i] = (0..n)
            .map(|k| p[k] * if k >= r { u[2][k - r] } else { u[3][k] })
            .sum();
        if i > 0 {
            for (domain, u) in domains.iter().zip(&mut u) {
                *u = domain.back(u, &states[i])?;
            }
        }
    }
    Ok((no_hop, no_ridge))
}
