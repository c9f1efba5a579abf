//! freezeout computes how the noise of stochastic gradient descent (SGD) reshapes a loss landscape:
//! effective potentials, escape rates from sharp valleys, and the moment when training freezes into one
//! valley.
//!
//! # The equation
//!
//! SGD with learning rate η and batch size B on a loss L with gradient-noise covariance C(θ) of one sample,
//!
//! ```text
//! θ_{k+1} = θ_k − η (∇L(θ_k) + ξ_k),   E ξ = 0,   Cov ξ = C(θ_k)/B,
//! ```
//!
//! is approximated for small η, in the time t = ηk, by the **Ito** diffusion
//!
//! ```text
//! dθ = b dt + sqrt(2 D) dW,   b = −∇L,   D(θ) = (η/2B) C(θ)
//! Lf  = b·∇f + D : Hess f                  (generator, backward)
//! L*p = −div(b p) + Σ_ij ∂i∂j (D_ij p)      (Fokker-Planck, forward)
//! ```
//!
//! The noise is evaluated before the step, hence Ito; other calculi enter only as explicit comparisons.
//!
//! # Conventions
//!
//! | symbol | name here | meaning |
//! |---|---|---|
//! | θ | `theta` | parameters, a [`math::Point`] |
//! | L | `loss` | landscape |
//! | η | `learning_rate` | step size |
//! | B | `batch_size` | samples per step |
//! | t = ηk, k | `time`, `step` | never mixed |
//! | C | `covariance` | gradient noise of ONE sample |
//! | D | `tensor` | diffusion tensor (η/2B) C |
//! | Δ = ησ | `noise_strength` | with C/B = 2σ H: D = Δ H |
//! | Lf | `Generator::apply` | backward operator |
//! | τ | `mean_first_passage_time` | |
//! | Φ | `effective_potential` | −ln p |
//!
//! # Features
//!
//! None is on by default: the library computes, and reads and writes nothing but what it is told to: images in IDX format (`network::read_idx`) and rates in Matrix Market
//! format (`linalg::SparseRates`). `config` adds problems in TOML, run in memory; `files` result files and
//! tables in HDF5; `figures` drawing; `cli`, which is all of these, the program `freezeout`.
//!
//! # Modules, in dependency order
//!
//! A module uses only what stands before it, and no file uses itself through others; a test enforces both.

// Blank lines keep rustfmt from sorting: the order is the architecture.
pub mod error;

pub mod math;

pub mod linalg;

pub mod statistics;

pub mod landscape;

pub mod noise;

pub mod diffusion;

pub mod region;

pub mod grid;

pub mod generator;

pub mod transfer;

pub mod observables;

pub mod rates;

pub mod path;

pub mod ensemble;

pub mod escape;

pub mod freezing;

pub mod rare_events;

pub mod network;

#[cfg(feature = "config")]
pub mod output;

#[cfg(feature = "config")]
pub mod plot;

#[cfg(feature = "config")]
pub mod setting;

#[cfg(feature = "config")]
pub mod task;

#[cfg(feature = "config")]
pub mod two_valleys;

#[cfg(feature = "config")]
pub mod questions;

#[cfg(feature = "config")]
pub mod config;

#[cfg(feature = "config")]
pub mod judgement;

#[cfg(feature = "config")]
pub mod run;

pub use error::{Error, Result};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
