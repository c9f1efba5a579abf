//! Markov chains with a reaction coordinate, and the random numbers of their steps.

use crate::ensemble::stream::StreamKey;
use crate::error::Result;
use crate::math::elementary;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A Markov chain in discrete time with a reaction coordinate ξ, which says how far a state has come.
pub trait Chain: Sync {
    /// A state, with all that the next step depends on.
    type State: Clone + Send + Sync;
    /// ξ of a state: finite outside of the target, +∞ in it.
    fn level(&self, state: &Self::State) -> f64;
    /// Replaces a state outside of the target by the next.
    ///
    /// # Errors
    /// What stops the chain from being one, a state that is not finite say.
    fn step(&self, state: &mut Self::State, random: &mut Random) -> Result<()>;
}

/// Random numbers of one repetition, a function of the key and the repetition's number alone.
#[derive(Debug, Clone)]
pub struct Random {
    generator: Xoshiro256PlusPlus,
    spare: Option<f64>,
}

impl Random {
    /// The numbers of repetition `run`.
    pub fn new(key: &StreamKey, run: u64) -> Self {
        let mut seed = [0_u8; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(key.state(run, 0)) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self {
            generator: Xoshiro256PlusPlus::from_seed(seed),
            spare: None,
        }
    }

    /// Uniform in (0, 1), never 0 or 1: a multiple of 2^-54 at least.
    pub fn uniform(&mut self) -> f64 {
        elementary::open_unit(self.generator.next_u64())
    }

    /// A standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * elementary::ln(self.uniform())).sqrt();
        let (sine, cosine) = elementary::sin_cos_turns(self.uniform());
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// A symmetric α-stable number, E exp(ikS) = exp(−|k|^α), 0 < α ≤ 2 (Chambers, Mallows and Stuck 1976).
    pub fn stable(&mut self, alpha: f64) -> f64 {
        let angle = std::f64::consts::PI * (self.uniform() - 0.5);
        let energy = -elementary::ln(self.uniform());
        let tail = ((1.0 - alpha) * angle).cos() / energy;
        (alpha * angle).sin() / angle.cos().powf(1.0 / alpha) * tail.powf((1.0 - alpha) / alpha)
    }

    /// One of 0, …, count − 1, each as likely as the others up to 2^-54.
    pub fn index(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }
}
