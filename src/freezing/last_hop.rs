//! When the last hop happens: the freezing time and place.

use super::{HopRates, TwoState};
use crate::landscape::TwoValley;

/// When an event that may repeat happens for the last time.
#[derive(Debug, Clone, PartialEq)]
pub struct LastEvent {
    /// Pr(no event after y), at the y of the master equation.
    pub none_after: Vec<f64>,
    /// Mean y of the last event; runs without one count at y0.
    pub mean_y: f64,
    /// Error of `mean_y`: of the sums, and of the events beyond the end of the path.
    pub mean_y_error: f64,
    /// Mean time of the last event; runs without one count as zero.
    pub mean_time: f64,
    /// Error of `mean_time`, in the same way.
    pub mean_time_error: f64,
    /// Probability of an event in the last tenth of the path, beyond 0.9 y_end.
    pub late: f64,
}

impl LastEvent {
    /// Most of `late` at which the path counts as long enough.
    pub const LATE: f64 = 1e-3;

    /// Whether the events have died out before the path ends, so that the means mean something.
    pub fn has_ended(&self) -> bool {
        self.late <= Self::LATE
    }
}

/// Laws of the last hop and of the last visit to the ridge; see [`last_hop`].
#[derive(Debug, Clone, PartialEq)]
pub struct LastHop {
    /// The last hop between the valleys.
    pub hop: LastEvent,
    /// The last hop if hops were a Poisson process with the ensemble's hop flux.
    pub poisson: LastEvent,
    /// The last visit to the ridge x = 0, the diffusion limit of the last sign change of x.
    pub ridge: LastEvent,
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
/// # Errors
/// The change when every second point is left out, and the probability of an event in the last tenth of the path times its length:
/// what is beyond the end counts no more than that if events go on dying out. Where they do not, see [`LastEvent::has_ended`].
///
/// # Limitations
/// Sign changes at finite η need a step across the ridge, not a touch: the discrete last sign change comes earlier than the
/// ridge variant by O(sqrt(η)).
pub fn last_hop(model: &TwoValley, rates: &HopRates, path: &TwoState, ramp: f64) -> LastHop {
    let law = |of: &dyn Fn(&Sums) -> Vec<f64>| -> LastEvent {
        let (fine, coarse) = (Sums::new(model, path, ramp, 1), Sums::new(model, path, ramp, 2));
        let (mut event, rough) = (fine.event(of(&fine)), coarse.event(of(&coarse)));
        let [y, time] = [&fine.y, &fine.time].map(|v| v[v.len() - 1] - v[0]);
        event.mean_y_error = (event.mean_y - rough.mean_y).abs() + event.late * y;
        event.mean_time_error = (event.mean_time - rough.mean_time).abs() + event.late * time;
        event
    };
    let mixture = |flat: &dyn Fn(f64) -> f64, sharp: &dyn Fn(f64) -> f64| {
        law(&|sums| {
            sums.mixture(
                &sums.survival(&sums.per_y(flat)),
                &sums.survival(&sums.per_y(sharp)),
            )
        })
    };
    let (leave_flat, leave_sharp) = (|y| rates.flat_to_sharp(y), |y| rates.sharp_to_flat(y));
    LastHop {
        hop: mixture(&leave_flat, &leave_sharp),
        poisson: law(&|sums| {
            sums.survival(&sums.mixture(&sums.per_y(&leave_flat), &sums.per_y(&leave_sharp)))
        }),
        ridge: mixture(&|y| rates.flat_to_ridge(y), &|y| rates.sharp_to_ridge(y)),
    }
}

/// Trapezoidal sums over every so many points of the path.
struct Sums {
    y: Vec<f64>,
    time: Vec<f64>,
    p_flat: Vec<f64>,
    velocity: Vec<f64>,
}

impl Sums {
    fn new(model: &TwoValley, path: &TwoState, ramp: f64, stride: usize) -> Self {
        let some = |values: &[f64]| -> Vec<f64> { values.iter().step_by(stride).copied().collect() };
        let y = some(&path.y);
        Self {
            velocity: y.iter().map(|&y| ramp * model.floor_velocity(y)).collect(),
            time: some(&path.time),
            p_flat: some(&path.p_flat),
            y,
        }
    }

    /// A rate per unit of y.
    fn per_y(&self, rate: &dyn Fn(f64) -> f64) -> Vec<f64> {
        self.y
            .iter()
            .zip(&self.velocity)
            .map(|(&y, v)| rate(y) / v)
            .collect()
    }

    /// exp(−∫ hazard dy) from each point to the end.
    fn survival(&self, hazard: &[f64]) -> Vec<f64> {
        let mut out = vec![1.0; hazard.len()];
        let mut integral = 0.0;
        for i in (0..hazard.len() - 1).rev() {
            integral += 0.5 * (hazard[i] + hazard[i + 1]) * (self.y[i + 1] - self.y[i]);
            out[i] = (-integral).exp();
        }
        out
    }

    fn mixture(&self, flat: &[f64], sharp: &[f64]) -> Vec<f64> {
        let values = self.p_flat.iter().zip(flat).zip(sharp);
        values.map(|((p, f), s)| p * f + (1.0 - p) * s).collect()
    }

    fn event(&self, none_after: Vec<f64>) -> LastEvent {
        let end = self.y[self.y.len() - 1];
        let late = self
            .y
            .partition_point(|y| *y < 0.9 * end)
            .min(none_after.len() - 1);
        LastEvent {
            mean_y: self.y[0] + mean(&self.y, &none_after),
            mean_y_error: 0.0,
            mean_time: mean(&self.time, &none_after),
            mean_time_error: 0.0,
            late: 1.0 - none_after[late],
            none_after,
        }
    }
}

/// ∫ (1 − F) dx along increasing abscissae.
fn mean(x: &[f64], distribution: &[f64]) -> f64 {
    x.windows(2)
        .zip(distribution.windows(2))
        .map(|(x, f)| (1.0 - 0.5 * (f[0] + f[1])) * (x[1] - x[0]))
        .sum()
}
