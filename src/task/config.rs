//! The configuration file, key by key.
//!
//! A configuration names the model once and then lists tasks; each task writes one group of the result file.
//! Every key has the default documented here; unknown keys are errors.

pub use super::ablations::Ablations;
pub use super::effective_potential::EffectivePotential;
use super::escape::config::Escape;
use super::series::{Series, Sweep};
pub use super::stationary_map::StationaryMap;
pub use super::surface::Surface;
pub use super::trajectories::Trajectories;
use crate::landscape::TwoValleyParameters;
use serde::Deserialize;

/// A whole configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the experiment: letters, digits, `_` and `-`; also the default name of the result file.
    pub name: String,
    /// Seed of all random streams.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The loss landscape.
    #[serde(default)]
    pub landscape: LandscapeConfig,
    /// The gradient noise.
    #[serde(default)]
    pub noise: NoiseConfig,
    /// Task: SGD ensembles over learning rate and σ.
    pub phase_diagram: Option<PhaseDiagram>,
    /// Task: SGD ensembles from the start of training to the end, over σ.
    pub freezing_line: Option<FreezingLine>,
    /// Task: the freezing theory over the noise strength.
    pub freezing_theory: Option<FreezingTheory>,
    /// Task: escape times on slices of fixed y, by every route.
    pub slices: Option<Slices>,
    /// Task: loss and effective potential on slices.
    pub effective_potential: Option<EffectivePotential>,
    /// Task: final P_flat and freezing position by the density routes.
    pub final_probability: Option<FinalProbability>,
    /// Task: stationary P_flat over y and the noise strength.
    pub stationary_map: Option<StationaryMap>,
    /// Task: discrete SGD with one ingredient of the model changed at a time.
    pub ablations: Option<Ablations>,
    /// Task: the loss in the plane.
    pub surface: Option<Surface>,
    /// Task: single runs of discrete SGD.
    pub trajectories: Option<Trajectories>,
    /// Task: escape in a landscape of one's own.
    pub escape: Option<Escape>,
    /// Parameters over which all tasks are repeated, at most two.
    #[serde(default)]
    pub sweep: Vec<Sweep>,
}

fn default_seed() -> u64 {
    20_260_110
}

/// `[landscape]`: the two-valley model; defaults are the paper's parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LandscapeConfig {
    /// `"two_valley"`.
    pub model: LandscapeModel,
    /// Flatness scale.
    pub f0: f64,
    /// Width scale.
    pub x0: f64,
    /// Asymptotic position of the flat minimum.
    pub x1: f64,
    /// Asymptotic distance of the sharp minimum.
    pub x2: f64,
    /// y_f.
    pub y_f: f64,
    /// y_b.
    pub y_b: f64,
    /// Decay length of the driving loss.
    pub y_d: f64,
    /// Amplitude of the driving loss.
    pub l_d: f64,
    /// Ablation: the barrier keeps its value at this y.
    pub barrier_at: Option<f64>,
    /// Ablation: the flatness keeps its value at this y.
    pub flatness_at: Option<f64>,
}

impl Default for LandscapeConfig {
    fn default() -> Self {
        let p = TwoValleyParameters::default();
        Self {
            model: LandscapeModel::TwoValley,
            f0: p.f0,
            x0: p.x0,
            x1: p.x1,
            x2: p.x2,
            y_f: p.y_f,
            y_b: p.y_b,
            y_d: p.y_d,
            l_d: p.l_d,
            barrier_at: None,
            flatness_at: None,
        }
    }
}

/// Names of landscapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LandscapeModel {
    /// [`crate::landscape::TwoValley`].
    TwoValley,
}

/// `[noise]`: C/B = 2σ H₊^p + floor, or 2σ·curvature·I.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseConfig {
    /// `"hessian_power"` or `"isotropic"`.
    pub model: NoiseModel,
    /// Exponent p of `hessian_power`.
    pub power: f64,
    /// Floor added to the covariance of `hessian_power`.
    pub floor: f64,
    /// Curvature h of `isotropic`: C/B = 2σ h I.
    pub curvature: f64,
}

impl Default for NoiseConfig {
    fn default() -> Self {
        Self {
            model: NoiseModel::HessianPower,
            power: 1.0,
            floor: 1e-8,
            curvature: 1.0,
        }
    }
}

/// Names of noises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseModel {
    /// [`crate::noise::HessianPower`].
    HessianPower,
    /// [`crate::noise::Isotropic`].
    Isotropic,
}

/// `[phase_diagram]`: P_flat and freezing over a grid of learning rate and σ. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhaseDiagram {
    /// η, rows.
    pub learning_rate: Series,
    /// σ, columns.
    pub sigma: Series,
    /// Runs per cell.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Control: y stays at its start.
    pub hold_y: bool,
    /// Factor on the slow drift of y.
    pub ramp: f64,
}

impl Default for PhaseDiagram {
    fn default() -> Self {
        Self {
            learning_rate: Series::log(0.01, 0.1, 10),
            sigma: Series::log(0.01, 0.1, 10),
            runs: 2000,
            steps: 20_000,
            start_x: vec![-0.01, 0.01],
            start_y: 5.0,
            hold_y: false,
            ramp: 1.0,
        }
    }
}

/// `[freezing_line]`: one learning rate, many σ, from early training to the end. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FreezingLine {
    /// η.
    pub learning_rate: f64,
    /// σ.
    pub sigma: Series,
    /// Runs per σ.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Number of moments of the run at which P_flat, mean y and hops are recorded.
    pub records: usize,
    /// Factor on the slow drift of y.
    pub ramp: f64,
}

impl Default for FreezingLine {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            sigma: Series::List(vec![
                0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2,
            ]),
            runs: 500,
            steps: 100_000,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
            records: 200,
            ramp: 1.0,
        }
    }
}

/// `[freezing_theory]`: master equation along the slow path, over the noise strength Δ = ησ.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FreezingTheory {
    /// Δ.
    pub noise_strength: Series,
    /// Starting y; 0 means the quasi-stationary start at a vanishing barrier.
    pub start_y: f64,
    /// Initial P_flat.
    pub start_p_flat: f64,
    /// End of the path.
    pub end_y: f64,
    /// Slices at which rates are computed.
    pub nodes: usize,
    /// Factor on the slow drift of y.
    pub ramp: f64,
}

impl Default for FreezingTheory {
    fn default() -> Self {
        Self {
            noise_strength: Series::List(vec![
                5e-5, 7e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3,
            ]),
            start_y: 1.0,
            start_p_flat: 0.5,
            end_y: 400.0,
            nodes: 40,
            ramp: 1.0,
        }
    }
}

/// `[slices]`: hop times, odds and gap at pairs (y, Δ).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slices {
    /// Positions, paired with `noise_strength`.
    pub y: Vec<f64>,
    /// Δ, paired with `y`.
    pub noise_strength: Vec<f64>,
    /// Langevin walkers per slice; 0 leaves the simulation out.
    pub walkers: usize,
    /// Coarser of the two time steps of the simulation, in units of the sharp valley's relaxation time f2/2.
    pub time_step: f64,
    /// Longest simulated time in units of the mean first-passage time; later escapes are censored.
    pub longest_time: f64,
}

impl Default for Slices {
    fn default() -> Self {
        Self {
            y: vec![5.0, 5.0, 5.0, 10.0],
            noise_strength: vec![1e-3, 2e-3, 1e-2, 5e-3],
            walkers: 65_536,
            time_step: 0.01,
            longest_time: 30.0,
        }
    }
}

/// `[final_probability]`: master equation, Fokker-Planck and transfer operator along the whole path.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FinalProbability {
    /// Δ.
    pub noise_strength: Series,
    /// η of the transfer operator.
    pub learning_rate: f64,
    /// Starting y.
    pub start_y: f64,
    /// Largest y.
    pub end_y: f64,
    /// Whether to solve the planar Fokker-Planck equation too, the slowest route.
    pub planar: bool,
}

impl Default for FinalProbability {
    fn default() -> Self {
        Self {
            noise_strength: Series::List(vec![1e-4, 3e-4, 1e-3, 3e-3]),
            learning_rate: 0.01,
            start_y: 1.0,
            end_y: 400.0,
            planar: false,
        }
    }
}
