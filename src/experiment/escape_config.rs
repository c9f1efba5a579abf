//! `[escape]`: keys of the task for a landscape and a noise of one's own.

use serde::Deserialize;
use std::collections::BTreeMap;

/// `[escape]`: escape of dθ = −∇L dt + sqrt(2D) dW from a start to a target, on grids.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escape {
    /// L as a formula; either this or `model`.
    pub loss: Option<String>,
    /// A built-in landscape.
    pub model: Option<EscapeModel>,
    /// Named numbers in formulas.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
    /// Names of the one or two variables.
    #[serde(default = "default_variables")]
    pub variables: Vec<String>,
    /// The diffusion tensor D (Ito).
    pub noise: EscapeNoise,
    /// Lower and upper end of each axis; both reflect.
    pub domain: Vec<[f64; 2]>,
    /// Cells along each axis on the coarsest of three grids; each finer grid has twice as many.
    pub cells: Vec<usize>,
    /// Restricts the domain to the cells whose loss is below this value; their edge reflects.
    pub sublevel: Option<f64>,
    /// Surfaces on which a derivative of the loss or the tensor jumps.
    #[serde(default)]
    pub kinks: Vec<EscapeKink>,
    /// Where the escape begins.
    pub start: EscapeSet,
    /// Where it ends.
    pub target: EscapeSet,
}

fn default_variables() -> Vec<String> {
    vec!["x".into()]
}

/// Names of built-in landscapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscapeModel {
    /// [`crate::landscape::MuellerBrown`], two variables.
    MuellerBrown,
}

/// The diffusion tensor, noise strength included.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum EscapeNoise {
    /// D = strength · I.
    Isotropic {
        /// Strength.
        strength: f64,
    },
    /// A constant symmetric matrix.
    Constant {
        /// Rows of D.
        tensor: Vec<Vec<f64>>,
    },
    /// D = strength · (Hess L)₊^power + floor · I.
    HessianPower {
        /// Exponent.
        power: f64,
        /// Strength.
        strength: f64,
        /// Floor.
        floor: f64,
    },
    /// A matrix of formulas.
    Expression {
        /// Rows of D.
        tensor: Vec<Vec<String>>,
    },
}

/// The surface on which coordinate `axis` equals `position`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscapeKink {
    /// Index of the variable, from 0.
    pub axis: usize,
    /// Its value.
    pub position: f64,
}

/// A set of points.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EscapeSet {
    /// |θ − centre| < radius; radius 0 is a point, allowed as a start.
    Ball {
        /// Centre.
        centre: Vec<f64>,
        /// Radius.
        radius: f64,
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
    /// A condition, `left > right` or `left < right`.
    Expression(String),
}
