//! When the last hop happens: the freezing time and place.

use super::{HopRates, TwoState};
use crate::landscape::TwoValley;

/// Laws of the last hop and of the last visit to the ridge; see [`last_hop`].
#[derive(Debug, Clone, PartialEq)]
pub struct LastHop {
    /// Pr(no hop after y), at the y of the master equation.
    pub no_hop_after: Vec<f64>,
    /// Mean y of the last valley-to-valley hop; runs that never hop count at y0.
    pub mean_y: f64,
    /// Mean time of the last hop; runs that never hop count as zero.
    pub mean_time: f64,
    /// The same mean y if hops were a Poisson process with the ensemble's hop flux.
    pub mean_y_poisson: f64,
    /// Mean y of the last visit to the ridge x = 0, the diffusion limit of the last sign change of x.
    pub mean_y_ridge: f64,
    /// Mean time of the last visit to the ridge.
    pub mean_time_ridge: f64,
}

/// The last-hop law that follows from the master equation, with no fitted constant.
///
/// # Formula
/// A run in valley i at y has no later hop with probability S_i(y) = exp(−∫_y^∞ k_i dy′/v), hence
/// ```text
/// Pr(no hop after y) = P_f S_f + P_s S_s,     ⟨y_last⟩ = y0 + ∫ (1 − Pr(no hop after y)) dy
/// ```
/// The Poisson variant replaces this by exp(−∫ h dt) with the mean flux h = k_sf P_s + k_fs P_f. It ignores that a
/// hop into the sharp valley is soon followed by one back, and lies a few per cent higher. The ridge
/// variant has the rates of reaching x = 0 in place of the hop rates.
///
/// # Method
/// Trapezoidal sums on the grid of the master equation.
///
/// # Limitations
/// Sign changes at finite η need a step across the ridge, not a touch: the discrete last sign change comes earlier than the
/// ridge variant by O(sqrt(η)).
pub fn last_hop(model: &TwoValley, rates: &HopRates, path: &TwoState, ramp: f64) -> LastHop {
    let n = path.y.len();
    let per_y = |k: &dyn Fn(f64) -> f64| -> Vec<f64> {
        path.y
            .iter()
            .map(|&y| k(y) / (ramp * model.floor_velocity(y)))
            .collect()
    };
    let survive = |hazard: &[f64]| -> Vec<f64> {
        let mut out = vec![1.0; n];
        let mut integral = 0.0;
        for i in (0..n - 1).rev() {
            integral += 0.5 * (hazard[i] + hazard[i + 1]) * (path.y[i + 1] - path.y[i]);
            out[i] = (-integral).exp();
        }
        out
    };
    let mixture = |flat: &[f64], sharp: &[f64]| -> Vec<f64> {
        (0..n)
            .map(|i| path.p_flat[i] * flat[i] + (1.0 - path.p_flat[i]) * sharp[i])
            .collect()
    };
    let leave_flat = per_y(&|y| rates.flat_to_sharp(y));
    let leave_sharp = per_y(&|y| rates.sharp_to_flat(y));
    let no_hop_after = mixture(&survive(&leave_flat), &survive(&leave_sharp));
    let ridge = mixture(
        &survive(&per_y(&|y| rates.flat_to_ridge(y))),
        &survive(&per_y(&|y| rates.sharp_to_ridge(y))),
    );
    let flux = mixture(&leave_flat, &leave_sharp);
    LastHop {
        mean_y: path.y[0] + mean(&path.y, &no_hop_after),
        mean_time: mean(&path.time, &no_hop_after),
        mean_y_poisson: path.y[0] + mean(&path.y, &survive(&flux)),
        mean_y_ridge: path.y[0] + mean(&path.y, &ridge),
        mean_time_ridge: mean(&path.time, &ridge),
        no_hop_after,
    }
}

/// ∫ (1 − F) dx along increasing abscissae.
fn mean(x: &[f64], distribution: &[f64]) -> f64 {
    x.windows(2)
        .zip(distribution.windows(2))
        .map(|(x, f)| (1.0 - 0.5 * (f[0] + f[1])) * (x[1] - x[0]))
        .sum()
}
