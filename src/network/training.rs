//! Training by SGD.

use super::finite_sum::{Batch, FiniteSum};
use crate::error::{Error, Result, require, require_positive};
use rand::Rng;
use rand::seq::SliceRandom;

/// How a network is trained.
///
/// # Formula
/// u_{k+1} = β u_k + g_k, θ_{k+1} = θ_k − η u_{k+1}, with g_k the mean gradient of batch k and β the momentum.
///
/// # Method
/// Without replacement every epoch is a new shuffle of the samples cut into batches, the last of which is shorter when B does not divide m. With replacement every
/// sample of every batch is drawn anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// η.
    pub learning_rate: f64,
    /// B.
    pub batch_size: usize,
    /// β.
    pub momentum: f64,
    /// Whether batches are drawn with replacement.
    pub replacement: bool,
    /// Number of steps.
    pub steps: u64,
    /// Number of states that are kept, equally spaced from the first to the last.
    pub checkpoints: usize,
}

/// What training leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// States at the checkpoints; fewer than were wanted when it diverged.
    pub checkpoints: Vec<Vec<f64>>,
    /// Step at which it diverged.
    pub diverged_at: Option<u64>,
}

impl Training {
    /// Step at which a checkpoint is taken.
    pub fn step(&self, checkpoint: usize) -> u64 {
        let share = checkpoint as f64 / (self.checkpoints - 1) as f64;
        (share * self.steps as f64).round() as u64
    }

    /// Refuses what is not defined for `samples` samples.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`].
    pub fn check(&self, samples: usize) -> Result<()> {
        require_positive("learning_rate", self.learning_rate)?;
        let size = self.batch_size as f64;
        let is_possible = |b: f64| b >= 1.0 && b <= samples as f64;
        let wanted = format!("from 1 to the number of training samples, {samples}, are possible");
        require("batch_size", size, is_possible, &wanted)?;
        require(
            "momentum",
            self.momentum,
            |b| (0.0..1.0).contains(&b),
            "0 <= momentum < 1 is needed",
        )?;
        let enough = |c: f64| c >= 2.0 && c <= self.steps as f64 + 1.0;
        require(
            "checkpoints",
            self.checkpoints as f64,
            enough,
            "at least 2 are needed, and at most one a step",
        )?;
        Ok(())
    }
}

/// Multiple of the first loss at which a run counts as diverged: rectified units die of large steps, so that losses may stay finite.
const DIVERGED: f64 = 1e3;

/// Trains from `start`.
///
/// A batch whose loss is not finite, or a thousand times that of the first, ends the run, which then says at which step.
///
/// # Errors
/// As [`Training::check`]; [`Error::DimensionMismatch`] for a start of another dimension.
pub fn train(
    sum: &mut impl FiniteSum,
    start: &[f64],
    training: &Training,
    random: &mut impl Rng,
) -> Result<Run> {
    let (m, n) = (sum.samples(), sum.dimension());
    training.check(m)?;
    if start.len() != n {
        return Err(Error::DimensionMismatch {
            name: "the start of training".into(),
            expected: n,
            got: start.len(),
        });
    }
    let (mut theta, mut gradient, mut velocity) = (start.to_vec(), vec![0.0; n], vec![0.0; n]);
    let mut order: Vec<usize> = (0..m).collect();
    let mut drawn: Vec<usize> = Vec::new();
    let mut done = m;
    let mut first: Option<f64> = None;
    let mut run = Run {
        checkpoints: vec![theta.clone()],
        diverged_at: None,
    };
    for step in 1..=training.steps {
        let batch = if training.replacement {
            drawn.clear();
            drawn.extend((0..training.batch_size).map(|_| rand::RngExt::random_range(random, 0..m)));
            &drawn
        } else {
            if done == m {
                order.shuffle(random);
                done = 0;
            }
            let end = (done + training.batch_size).min(m);
            let batch = &order[done..end];
            done = end;
            batch
        };
        let loss = sum.gradient(&theta, Batch::Some(batch), &mut gradient);
        first.get_or_insert(loss);
        if !loss.is_finite() || first.is_some_and(|first| loss > DIVERGED * first) {
            run.diverged_at = Some(step);
            return Ok(run);
        }
        if training.momentum > 0.0 {
            for (u, g) in velocity.iter_mut().zip(&mut gradient) {
                *u = training.momentum * *u + *g;
                *g = *u;
            }
        }
        for (t, g) in theta.iter_mut().zip(&gradient) {
            *t -= training.learning_rate * g;
        }
        if step == training.step(run.checkpoints.len()) {
            run.checkpoints.push(theta.clone());
        }
    }
    Ok(run)
}
