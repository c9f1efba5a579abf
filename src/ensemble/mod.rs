//! Ensembles of simulated runs: θ_{k+1} = θ_k − η(∇L + ξ), dθ = b dt + sqrt(2D) dW, and first passages of both.
//!
//! # Method
//! Runs advance in blocks of [`stream::LANES`] walkers that the compiler turns into vector instructions, blocks are
//! spread over the threads of rayon's current pool, and every random number is a function of (seed, experiment,
//! run, step block): the results are the same bytes on any number of threads and any instruction set.
//!
//! # Limitations
//! The vectorised loops know the two-valley landscape, the double well and the Ornstein-Uhlenbeck process; a general
//! landscape is served by the grid routes.

mod discrete_sgd;
mod dispatch;
mod first_passage;
mod integrator;
mod ito;
mod langevin;
pub mod stream;
mod two_valley;
mod valley_outcome;

pub use discrete_sgd::{Cell, simulate, simulate_with};
pub use dispatch::Instructions;
pub use first_passage::{CrossingTest, Exit, Outcome, Passages, first_passage, first_passage_with};
pub use integrator::{EulerMaruyama, Integrator, Platen, ThreePoint, TimeStep};
pub use ito::{DoubleWellWalk, Ito, PiecewiseLinear};
pub use langevin::{PathProtocol, propagate, propagate_with};
pub use two_valley::{
    AlignedRoot, IsotropicRoot, NoiseRoot, PowerRoot, ShiftRoot, Stepped, TwoValleySgd, TwoValleyStep,
    TwoValleyWalk,
};
pub use valley_outcome::{Crossing, Protocol, RunOutcome, Snapshot, ValleyEnsemble};
