//! Rare events by sampling, in any dimension: probabilities by adaptive multilevel splitting, mean first-passage times by the Hill relation.
//!
//! # Method
//! A [`Chain`] is a Markov chain with a reaction coordinate, infinite in the target. [`split`] estimates, without bias at any number of replicas, how
//! likely a path reaches the target before it falls back. [`mean_first_passage_time`] multiplies the mean length of loops around the start, which is
//! simulated directly, by their number 1/p. [`DiffusionChain`] is the chain of a diffusion: Langevin paths of a time step, or SGD itself, with momentum
//! or without; [`StableWalk`] one with heavy tails.
//!
//! # Limitations
//! The reaction coordinate moves no mean, only the spread: one that does not tell the channels of a transition apart makes rare outliers of large
//! weight, and error bars too small until they are seen. Between start and target there must be no other well where paths stay for long.

mod chain;
mod diffusion_chain;
mod passage;
mod splitting;
mod stable_walk;

pub use chain::{Chain, Random};
pub use diffusion_chain::{DiffusionChain, ReactionCoordinate, Walker};
pub use passage::{MeanPassage, PassageProtocol, mean_first_passage_time, simulated_first_passage_time};
pub use splitting::{Splitting, split};
pub use stable_walk::StableWalk;
