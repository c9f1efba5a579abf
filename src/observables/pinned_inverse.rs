//! The inverse of −L on functions of zero stationary mean.

use super::stationary::log_stationary_probability;
use crate::error::Result;
use crate::generator::{Generator, Resolvent};
use crate::linalg::{most_probable, remove_mean};

/// (−L)⁻¹ on functions of zero stationary mean: pinned to zero in the most probable cell, the mean projected out.
pub(super) struct PinnedInverse {
    pinned: Resolvent,
    /// Stationary probability of each cell.
    pub probability: Vec<f64>,
}

impl PinnedInverse {
    pub fn new<const D: usize>(generator: &Generator<D>) -> Result<Self> {
        let log = log_stationary_probability(generator)?;
        Ok(Self {
            pinned: generator.resolvent_without(most_probable(&log))?,
            probability: log.into_iter().map(f64::exp).collect(),
        })
    }

    pub fn apply(&self, f: &[f64]) -> Result<Vec<f64>> {
        let mut next = self.pinned.solve(f)?;
        remove_mean(&mut next, &self.probability);
        Ok(next)
    }
}
