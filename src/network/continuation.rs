//! Continuation without noise: the basin that a state of training leads to.

use super::cross_entropy::{CrossEntropy, Evaluation};
use super::finite_sum::{Batch, FiniteSum};
use crate::error::Result;

/// Full-batch gradient descent from a checkpoint.
///
/// # Method
/// At most `budget` steps. Every max(10, 1/η) steps from max(100, 5/η) on it is looked whether the training loss is at most 5e-3 and all training samples are right; three times in a row
/// end it early.
///
/// # References
/// Protocol of arXiv 2601.10962.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continuation {
    /// η.
    pub learning_rate: f64,
    /// Largest number of steps.
    pub budget: u64,
}

/// Training loss at which a continuation may end.
const SETTLED: f64 = 5e-3;
/// Looks in a row at which it must be settled.
const LOOKS: usize = 3;

/// Where a continuation ends.
#[derive(Debug, Clone, PartialEq)]
pub struct EndPoint {
    /// State.
    pub theta: Vec<f64>,
    /// Steps that were taken.
    pub steps: u64,
    /// On the training samples.
    pub train: Evaluation,
    /// On the test samples.
    pub test: Evaluation,
}

impl EndPoint {
    /// A state as the end of a continuation of no steps.
    pub fn at(theta: &[f64], train: &mut CrossEntropy<'_>, test: &mut CrossEntropy<'_>) -> Self {
        Self {
            theta: theta.to_vec(),
            steps: 0,
            train: train.evaluate(theta),
            test: test.evaluate(theta),
        }
    }
}

/// One continuation.
pub fn gradient_descent(
    from: &[f64],
    continuation: &Continuation,
    train: &mut CrossEntropy<'_>,
    test: &mut CrossEntropy<'_>,
) -> EndPoint {
    let time = |least: f64, multiple: f64| least.max((multiple / continuation.learning_rate).round()) as u64;
    let (every, least) = (time(10.0, 1.0), time(100.0, 5.0));
    let mut theta = from.to_vec();
    let mut gradient = vec![0.0; theta.len()];
    let mut settled = 0;
    let mut steps = 0;
    while steps < continuation.budget && settled < LOOKS {
        train.gradient(&theta, Batch::All, &mut gradient);
        for (t, g) in theta.iter_mut().zip(&gradient) {
            *t -= continuation.learning_rate * g;
        }
        steps += 1;
        if steps >= least && steps.is_multiple_of(every) {
            let now = train.evaluate(&theta);
            settled = match now.loss <= SETTLED && now.accuracy == 1.0 {
                true => settled + 1,
                false => 0,
            };
        }
    }
    EndPoint {
        steps,
        ..EndPoint::at(&theta, train, test)
    }
}

/// Jaccard index of two sets, given by their members among the same elements: common members over all members, 1 when there are none.
///
/// # Examples
/// ```
/// use freezeout::network::jaccard;
/// assert_eq!(jaccard(&[true, true, false], &[true, false, false]), 0.5);
/// assert_eq!(jaccard(&[false; 3], &[false; 3]), 1.0);
/// ```
pub fn jaccard(first: &[bool], second: &[bool]) -> f64 {
    let count = |is_in: fn(bool, bool) -> bool| {
        let pairs = first.iter().zip(second);
        pairs.filter(|(a, b)| is_in(**a, **b)).count()
    };
    match count(|a, b| a || b) {
        0 => 1.0,
        all => count(|a, b| a && b) as f64 / all as f64,
    }
}

/// The first checkpoint from which on all that were looked at are in the basin of the last, none when the one before the last is not.
///
/// # Method
/// Looks back from the last checkpoint at every `every`-th until one is not in the basin, then at every `refine`-th between that and the last that was. Checkpoints that stand
/// between two that are in the basin are taken to be in it too.
///
/// # Errors
/// Those of `is_in_basin`.
///
/// # Examples
/// ```
/// use freezeout::network::freezing_checkpoint;
/// let frozen_from_37 = |k: usize| Ok(k >= 37);
/// assert_eq!(freezing_checkpoint(100, 10, 1, frozen_from_37)?, 37);
/// assert_eq!(freezing_checkpoint(100, 10, 5, frozen_from_37)?, 40);
/// assert_eq!(freezing_checkpoint(100, 10, 1, |_| Ok(true))?, 0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn freezing_checkpoint(
    last: usize,
    every: usize,
    refine: usize,
    mut is_in_basin: impl FnMut(usize) -> Result<bool>,
) -> Result<usize> {
    let mut frozen = last;
    for stride in [every, refine] {
        while frozen > 0 && is_in_basin(frozen.saturating_sub(stride))? {
            frozen = frozen.saturating_sub(stride);
        }
    }
    Ok(frozen)
}

/// Height of the loss on the straight line between two states over the mean of its ends, zero when none of the nine states between is higher than that.
pub fn barrier(from: &[f64], to: &[f64], train: &mut CrossEntropy<'_>) -> f64 {
    const PARTS: usize = 10;
    let mut loss_at = |share: f64| {
        let theta: Vec<f64> = from.iter().zip(to).map(|(a, b)| a + share * (b - a)).collect();
        train.evaluate(&theta).loss
    };
    let mean = 0.5 * (loss_at(0.0) + loss_at(1.0));
    (1..PARTS).fold(0.0_f64, |most, k| {
        most.max(loss_at(k as f64 / PARTS as f64) - mean)
    })
}
