//! Paths of least action: how noise carries θ against the drift.
//!
//! For dθ = b dt + sqrt(2D) dW with small D the probability to follow a path φ is exp(−S),
//!
//! ```text
//! S_T[φ] = (1/4) ∫_0^T (φ̇ − b)ᵀ D⁻¹ (φ̇ − b) dt            at given times
//! Ŝ[φ]  = (1/2) ∫ (|φ'| |b| − <φ', b>) ds                  at the best times, <u, v> = uᵀ D⁻¹ v
//! V(a → b) = inf Ŝ over the paths from a to b               quasi-potential
//! ```
//!
//! # Normalisation
//! D stands in S as given, and V is the exponent itself: for b = −∇L and D = T·I the quasi-potential from a minimum to a point of
//! its basin is ΔL/T; with the noise T factored out, T·V = ΔL. The literature writes dθ = b dt + sqrt(ε) dW with
//! S_FW = (1/2) ∫ |φ̇ − b|² dt and probability exp(−S_FW/ε); that is D = (ε/2) I here, and S = S_FW/ε. Set D = I/2 to obtain S_FW.
//!
//! | item | what it is |
//! |---|---|
//! | [`Path`] | points of a curve, equal arclength |
//! | [`time_action`], [`geometric_action`] | the two actions of a given path |
//! | [`minimum_energy_path`] | string method: the path over the lowest saddles of a landscape |
//! | [`minimum_action_path`] | a local minimiser of Ŝ, with the error of its action |
//! | [`quasi_potential`] | the lowest of several local minimisers |
//! | [`instanton_rate`] | escape rate with the prefactor along the instanton |
//!
//! # Limitations
//! The tensor must be positive definite along the path. No path may cross a surface on which b or D jumps (a cusp has no saddle: ∇L
//! does not vanish there); it may end on one. All minimisers are local: actions found are upper bounds of V.

mod action;
mod geometric_action;
mod newton;
mod points;
mod prefactor;
mod quasi_potential;
mod segment;
mod string_method;

pub use action::{geometric_action, time_action};
pub use geometric_action::{MinimumAction, minimum_action_path};
pub use points::Path;
pub use prefactor::{InstantonRate, instanton_rate};
pub use quasi_potential::{QuasiPotential, quasi_potential};
pub use string_method::{MinimumEnergyPath, minimum_energy_path};
