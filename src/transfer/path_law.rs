//! What a propagation along the slow path returns.

use super::slow_motion::Start;

/// Law of x along the slow path, step by step.
///
/// # Units
/// Arrays are indexed by the step k (time t = ηk); x and y in units of θ.
#[derive(Debug, Clone, PartialEq)]
pub struct PathLaw {
    /// y_k, k = 0..=steps.
    pub y: Vec<f64>,
    /// Pr(x_k ≥ 0), k = 0..=steps.
    pub p_flat: Vec<f64>,
    /// E x_k, k = 0..=steps.
    pub mean_x: Vec<f64>,
    /// Pr(x_k and x_{k+1} lie on different sides), k = 0..steps: expected number of sign changes in that step.
    pub sign_changes: Vec<f64>,
    /// Pr(the last sign change of the run is the one between x_k and x_{k+1}), k = 0..steps.
    pub last_sign_change: Vec<f64>,
    /// Pr(x never changes sign).
    pub no_sign_change: f64,
    /// Nodes that carry the law of x after the last step, and their masses: with these as starts another run goes on.
    pub last: Vec<Start>,
    /// Largest probability that the discretisation put back in one step.
    pub defect: f64,
    /// Largest |Σ mass − 1| over all steps: rounding.
    pub mass_error: f64,
    /// Kernels built.
    pub kernels: usize,
    /// Grids used.
    pub grids: usize,
    /// Nodes of the largest grid.
    pub nodes: usize,
}

impl PathLaw {
    /// P_flat at the end of the run.
    pub fn final_p_flat(&self) -> f64 {
        self.p_flat.last().copied().unwrap_or(f64::NAN)
    }

    /// Mean iteration of the last sign change, counted like the stored data of the paper: the start is iteration
    /// 1, a change between x_k and x_{k+1} is iteration k + 2, and a run without a change counts as 1.
    pub fn mean_freezing_iteration(&self) -> f64 {
        1.0 + self.freezing_moment(1)
    }

    /// Standard deviation of that iteration over runs.
    pub fn freezing_iteration_deviation(&self) -> f64 {
        let mean = self.freezing_moment(1);
        (self.freezing_moment(2) - mean * mean).max(0.0).sqrt()
    }

    fn freezing_moment(&self, power: i32) -> f64 {
        self.last_sign_change
            .iter()
            .enumerate()
            .map(|(k, p)| p * (k as f64 + 1.0).powi(power))
            .sum()
    }

    /// Mean of y just after the last sign change (y_0 for runs without one), on the mean path.
    pub fn mean_freezing_y(&self) -> f64 {
        let moved: f64 = self
            .last_sign_change
            .iter()
            .zip(&self.y[1..])
            .map(|(p, y)| p * (y - self.y[0]))
            .sum();
        self.y[0] + moved
    }

    /// Pr(the last sign change falls into this last share of the run).
    pub fn last_sign_change_within(&self, share: f64) -> f64 {
        let from = ((1.0 - share) * self.last_sign_change.len() as f64) as usize;
        self.last_sign_change[from..].iter().sum()
    }

    /// Expected number of sign changes in the whole run.
    pub fn expected_sign_changes(&self) -> f64 {
        self.sign_changes.iter().sum()
    }

    /// Pr(no sign change after step k), k = 0..=steps.
    pub fn no_later_sign_change(&self) -> Vec<f64> {
        let mut survival = vec![self.no_sign_change; self.y.len()];
        for (k, p) in self.last_sign_change.iter().enumerate() {
            survival[k + 1] = survival[k] + p;
        }
        survival
    }
}
