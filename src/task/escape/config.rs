//! `[escape]`: keys of the task for a landscape and a noise of one's own.

use crate::diffusion::Calculus;
use crate::region::Boundary;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[escape]`: dθ = b dt + sqrt(2D) dW on grids, from a start to a target.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escape {
    /// Names of the one or two variables.
    #[serde(default = "default_variables")]
    pub variables: Vec<String>,
    /// Named numbers in formulas.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// L as a formula, b = −∇L; one of `loss`, `landscape` and `drift` is required.
    pub loss: Option<String>,
    /// A built-in landscape or a table, b = −∇L.
    pub landscape: Option<EscapeLandscape>,
    /// b as formulas, one a variable; need not be a gradient.
    pub drift: Option<Vec<String>>,
    /// The diffusion tensor D, or the gradient covariance C when `learning_rate` is given.
    pub noise: EscapeNoise,
    /// η: then D = (η/2B) C with the noise as C.
    pub learning_rate: Option<f64>,
    /// B; 1 unless given.
    pub batch_size: Option<f64>,
    /// Interpretation of a noise that depends on θ.
    #[serde(default = "default_calculus")]
    pub calculus: EscapeCalculus,
    /// Lower and upper end of each axis.
    pub domain: Vec<Vec<f64>>,
    /// Cells along each axis on the coarsest of three grids; each finer grid has twice as many.
    pub cells: Vec<usize>,
    /// Places where the cells are smaller.
    #[serde(default)]
    pub concentrate: Vec<EscapeConcentration>,
    /// What the lower and upper end of each axis do; reflecting unless given.
    pub boundaries: Option<Vec<Vec<EscapeBoundary>>>,
    /// Restricts the domain to the cells whose loss is below this value.
    pub sublevel: Option<f64>,
    /// What the edge of the sublevel set does.
    #[serde(default = "default_boundary")]
    pub sublevel_boundary: EscapeBoundary,
    /// Largest jump in cells along an axis, for tensors that are not diagonal.
    #[serde(default = "default_reach")]
    pub reach: usize,
    /// Surfaces on which a derivative of the loss or the tensor jumps.
    #[serde(default)]
    pub kinks: Vec<EscapeKink>,
    /// Where the escape begins.
    pub start: EscapeSet,
    /// Where it ends; not needed when an end of the domain absorbs.
    pub target: Option<EscapeSet>,
    /// Number of slow modes.
    #[serde(default = "default_modes")]
    pub slow_modes: usize,
    /// Times at which the distribution of the first-passage time is recorded.
    #[serde(default)]
    pub first_passage_times: Vec<f64>,
    /// Times at which the density that begins at the start is recorded.
    #[serde(default)]
    pub density_times: Vec<f64>,
    /// Path of least action and formulas for small noise; none unless given.
    pub path: Option<EscapePath>,
    /// Simulation of the same problem; none unless given.
    pub simulation: Option<EscapeSimulation>,
}

fn default_variables() -> Vec<String> {
    vec!["x".into()]
}

fn default_calculus() -> EscapeCalculus {
    EscapeCalculus::Ito
}

fn default_boundary() -> EscapeBoundary {
    EscapeBoundary::Reflecting
}

fn default_reach() -> usize {
    8
}

fn default_modes() -> usize {
    1
}

/// A built-in landscape or a table.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum EscapeLandscape {
    /// [`crate::landscape::DoubleWell`], one variable.
    DoubleWell {
        /// Barrier height.
        #[serde(default = "quarter")]
        barrier: f64,
        /// Distance of the minima from the barrier.
        #[serde(default = "one")]
        half_distance: f64,
    },
    /// L = θᵀHθ/2 about its minimum.
    Quadratic {
        /// Rows of H.
        hessian: Vec<Vec<f64>>,
        /// The minimum.
        minimum: Vec<f64>,
    },
    /// [`crate::landscape::MuellerBrown`], two variables.
    MuellerBrown {},
    /// [`crate::landscape::TiltedDoubleWell`], one variable.
    TiltedDoubleWell {
        /// Barrier height without the tilt.
        #[serde(default = "quarter")]
        barrier: f64,
        /// Distance of the minima from the barrier without the tilt.
        #[serde(default = "one")]
        half_distance: f64,
        /// Slope added to the loss.
        tilt: f64,
    },
    /// [`crate::landscape::AsymmetricDoubleWell`], one variable.
    AsymmetricDoubleWell {
        /// Barrier height above the left well, without a difference in depth.
        #[serde(default = "quarter")]
        barrier: f64,
        /// Distance of the minima from zero.
        #[serde(default = "one")]
        half_distance: f64,
        /// Curvature of the left well in units of that of the right one.
        curvature_ratio: f64,
        /// Loss of the right well, that of the left one being zero.
        #[serde(default)]
        depth_difference: f64,
    },
    /// [`crate::landscape::DegenerateValley`] L = x²/2F(y)² + confinement·y²/2, two variables (x, y).
    DegenerateValley {
        /// F as a formula in the second variable.
        width: String,
        /// Curvature along the valley.
        #[serde(default)]
        confinement: f64,
    },
    /// [`crate::landscape::TwoValley`] with the parameters of `[landscape]`, two variables (x, y).
    TwoValley {},
    /// The two-valley landscape at fixed y, one variable x.
    TwoValleySlice {
        /// y.
        y: f64,
    },
    /// A smooth spline through a table in an HDF5 file, [`crate::landscape::Tabulated`].
    Table {
        /// The file, relative to the working directory.
        file: String,
        /// Path of the loss in it, one axis a variable.
        loss: String,
        /// Paths of the positions along each axis.
        axes: Vec<String>,
    },
}

fn quarter() -> f64 {
    0.25
}

fn one() -> f64 {
    1.0
}

/// The diffusion tensor D, noise strength included; the covariance C when `learning_rate` is given.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum EscapeNoise {
    /// strength · I.
    Isotropic {
        /// Strength.
        strength: f64,
    },
    /// A constant symmetric matrix.
    Constant {
        /// Rows.
        tensor: Vec<Vec<f64>>,
    },
    /// strength · (Hess L)₊^power + floor · I.
    HessianPower {
        /// Exponent.
        power: f64,
        /// Strength.
        strength: f64,
        /// Floor.
        #[serde(default)]
        floor: f64,
    },
    /// A matrix of formulas.
    Expression {
        /// Rows.
        tensor: Vec<Vec<String>>,
    },
    /// The loss of a sample is the landscape moved by a Gaussian vector: strength · Cov ∇L(θ + ξ), and b = −E ∇L(θ + ξ).
    RandomShift {
        /// Covariance of the shift ξ, rows.
        covariance: Vec<Vec<f64>>,
        /// Gauss-Hermite points a direction: exact for polynomials of degree 2·points − 1.
        #[serde(default = "ten")]
        points: usize,
        /// Factor.
        #[serde(default = "one")]
        strength: f64,
        /// Floor, a multiple of the identity.
        #[serde(default)]
        floor: f64,
    },
    /// strength · 2(L + residual_loss) H₊ + floor · I, the noise of a mean-squared error.
    LossScaled {
        /// Added to the loss, which must not be negative.
        #[serde(default)]
        residual_loss: f64,
        /// Factor.
        #[serde(default = "one")]
        strength: f64,
        /// Floor.
        #[serde(default)]
        floor: f64,
    },
    /// Smooth splines through tables in an HDF5 file.
    Table {
        /// The file, relative to the working directory.
        file: String,
        /// Paths of the entries: xx, or xx, xy, yy.
        entries: Vec<String>,
        /// Paths of the positions along each axis.
        axes: Vec<String>,
        /// Factor.
        #[serde(default = "one")]
        strength: f64,
    },
}

fn ten() -> usize {
    10
}

/// Where in the step the noise is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscapeCalculus {
    /// Start of the step, as SGD does.
    Ito,
    /// Middle of the step.
    Stratonovich,
    /// End of the step.
    AntiIto,
}

impl EscapeCalculus {
    pub(super) fn get(self) -> Calculus {
        match self {
            Self::Ito => Calculus::Ito,
            Self::Stratonovich => Calculus::Stratonovich,
            Self::AntiIto => Calculus::AntiIto,
        }
    }
}

/// What an end of the domain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscapeBoundary {
    /// No flux.
    Reflecting,
    /// The process ends there.
    Absorbing,
    /// Glued to the other end.
    Periodic,
}

impl EscapeBoundary {
    pub(super) fn get(self) -> Boundary {
        match self {
            Self::Reflecting => Boundary::Reflecting,
            Self::Absorbing => Boundary::Absorbing,
            Self::Periodic => Boundary::Periodic,
        }
    }
}

/// Cells along `axis` are `factor` times smaller at `at` than far from it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscapeConcentration {
    /// Index of the variable, from 0.
    pub axis: usize,
    /// Centre.
    pub at: f64,
    /// Distance at which the effect has halved.
    pub width: f64,
    /// Ratio of the largest to the smallest cell, above 1.
    pub factor: f64,
}

/// The surface on which coordinate `axis` equals `position`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscapeKink {
    /// Index of the variable, from 0.
    pub axis: usize,
    /// Its value.
    pub position: f64,
}

/// A set of points.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EscapeSet {
    /// |θ − centre| < radius; radius 0 is a point, allowed as a start.
    Ball {
        /// Centre.
        centre: Vec<f64>,
        /// Radius.
        radius: f64,
    },
    /// Σ_k (e_k·(θ − centre)/semi_axes_k)² < 1 with the axes e turned by `angle`.
    Ellipse {
        /// Centre.
        centre: Vec<f64>,
        /// Semi-axes.
        semi_axes: Vec<f64>,
        /// Angle of the first axis to the first variable, radian, in the plane.
        #[serde(default)]
        angle: f64,
    },
    /// normal·θ > offset.
    HalfSpace {
        /// Normal, of any length.
        normal: Vec<f64>,
        /// Offset.
        offset: f64,
    },
    /// lower < θ < upper in every coordinate.
    Box {
        /// Lower corner.
        lower: Vec<f64>,
        /// Upper corner.
        upper: Vec<f64>,
    },
    /// Points from which the noise-free motion ends at the attractor that it reaches from `of`.
    Basin {
        /// A point of the basin.
        of: Vec<f64>,
    },
    /// Points whose loss is below a value.
    Sublevel {
        /// The value.
        below: f64,
    },
    /// Points that lie in all of these sets.
    All(Vec<EscapeSet>),
    /// A condition, `left > right` or `left < right`.
    Expression(String),
}

/// `[escape.path]`: the path of least action from the attractor of the start, and what follows from it.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EscapePath {
    /// End of the path; without it where the noise-free motion from the target's centre comes to rest. A point at rest within a thousandth of
    /// the domain is meant itself.
    pub to: Option<Vec<f64>>,
    /// Pieces of the coarsest of three paths, at least 8.
    pub points: usize,
    /// Initial paths are bent by this part of the distance to either side.
    pub bend: f64,
}

impl Default for EscapePath {
    fn default() -> Self {
        Self {
            to: None,
            points: 64,
            bend: 0.3,
        }
    }
}

/// `[escape.simulation]`: first passages simulated.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EscapeSimulation {
    /// Langevin paths or discrete SGD.
    pub method: EscapeMethod,
    /// Runs.
    pub runs: usize,
    /// Time step of the Langevin paths (the coarser of two); without it a 200th of the fastest relaxation time at the start.
    pub time_step: Option<f64>,
    /// Horizon in mean first-passage times of the grid; later escapes are censored.
    pub longest_time: f64,
}

impl Default for EscapeSimulation {
    fn default() -> Self {
        Self {
            method: EscapeMethod::Langevin,
            runs: 10_000,
            time_step: None,
            longest_time: 30.0,
        }
    }
}

/// How paths are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscapeMethod {
    /// dθ = b dt + sqrt(2D) dW with two time steps, extrapolated.
    Langevin,
    /// θ − η(∇L + ξ) with the learning rate of the task.
    Sgd,
}
