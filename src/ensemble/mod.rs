//! Ensembles of simulated runs: θ_{k+1} = θ_k − η(∇L + ξ), dθ = b dt + sqrt(2D) dW, and first passages of both.
//!
//! # Method
//! Runs advance in blocks of [`stream::LANES`] walkers that the compiler turns into vector instructions, blocks are
//! spread over the threads of rayon's current pool, and every random number is a function of (seed, experiment,
//! run, step block): the results are the same bytes on any number of threads and any instruction set.
//!
//!
//! Any [`crate::diffusion::Diffusion`] is simulated by [`first_passage_into`] and [`positions_at`], as Langevin paths or as SGD itself, whose step is
//! Euler-Maruyama's with h = η. A diffusion that answers for blocks of points, as formulas do ([`crate::math::formula::Tape`]), takes part in the
//! vectorised loop; any other is asked point by point.
//!
//! # Limitations
//! General paths have one or two dimensions and weak order 1; the schemes of [`propagate`] know the two-valley landscape, the double well and
//! drifts that are linear on either side of a kink. Walls, windows and sets that restrict the domain are examined path by path.

mod confine;
mod discrete_sgd;
mod first_passage;
mod general;
mod integrator;
mod ito;
mod lanes;
mod langevin;
mod noise_law;
pub mod stream;
mod two_valley;
mod valley_outcome;
mod walk;

pub use crate::math::Instructions;
pub use discrete_sgd::{Cell, simulate, simulate_with};
pub use first_passage::{CrossingTest, Exit, Outcome, Passages, first_passage, first_passage_with};
pub use general::{first_passage_in, first_passage_into, positions_at};
pub use integrator::{EulerMaruyama, Integrator, Platen, ThreePoint, TimeStep};
pub use ito::{DoubleWellWalk, Ito, PiecewiseLinear};
pub use langevin::{PathProtocol, propagate, propagate_with};
pub use noise_law::NoiseLaw;
pub use two_valley::{
    AlignedRoot, IsotropicRoot, NoiseRoot, PowerRoot, RmsRoot, ShiftRoot, Stepped, TwoValleySgd,
    TwoValleyStep, TwoValleyWalk,
};
pub use valley_outcome::{Crossing, Protocol, RunOutcome, Snapshot, ValleyEnsemble};
