//! Escape rates by formulas and quadrature, without a grid.
//!
//! The mean first-passage time of a one-dimensional Ito diffusion solves b τ' + D τ'' = −1 and is a double
//! integral of its scale and speed densities, [`ScaleAndSpeed`]; everything else here is an approximation or a
//! special case of it, each with the regime in which it holds.
//!
//! | item | what it is | regime |
//! |---|---|---|
//! | [`ScaleAndSpeed`] | exact first passage, committor, odds on a line | any noise |
//! | [`ParabolicValleys`] | exact odds of two parabolic valleys, any calculus | any noise |
//! | [`kramers`] | smooth and cusp barriers, turnover | barrier/noise → ∞ |
//! | [`SaddlePassage`] | Eyring-Kramers-Langer in many dimensions | barrier/noise → ∞ |
//! | [`first_correction`] | and its first correction in T | barrier/noise → ∞ |
//! | [`NonquadraticPassage`] | cusps, quartic wells and saddles | barrier/noise → ∞ |
//! | [`LossInTemperatures`] | the same where the noise grows with the loss | barrier/noise → ∞ |
//! | [`BarrierGraph`] | minima, saddles, rates between them | barrier/noise → ∞ |
//! | [`paper`] | the formulas of arXiv 2601.10962 | as stated there |
//! | [`literature`] | other published laws of SGD | as stated there |
//!
//! # Limitations
//! One fast coordinate, reflecting or natural ends. Irreversible diffusions in more dimensions need the path and grid
//! modules.

mod barrier_graph;
mod cusp_correction;
mod domain;
mod eyring_kramers;
mod first_correction;
mod first_passage_integral;
pub mod kramers;
pub mod literature;
mod loss_temperature;
mod nested_quadrature;
mod nonquadratic;
mod odds;
mod panel;
pub mod paper;
mod point_correction;
mod quartic_correction;
mod smooth_correction;

pub use barrier_graph::{BarrierGraph, Saddle};
pub use domain::confining_domain;
pub use eyring_kramers::SaddlePassage;
pub use first_correction::{FirstCorrection, first_correction};
pub use first_passage_integral::{Determined, FirstPassage, ScaleAndSpeed, first_passage_integral};
pub use loss_temperature::LossInTemperatures;
pub use nonquadratic::{NonquadraticPassage, PowerLaw};
pub use odds::{ParabolicValley, ParabolicValleys, width_probability};
pub use point_correction::PointCorrection;
