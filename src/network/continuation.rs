//! Continuation without noise: the basin that a state of training leads to, and how its end points differ.

use super::cross_entropy::{CrossEntropy, Evaluation};
use super::curve::between;
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
/// Looks back from the last checkpoint at every `every`-th until one is not in the basin, then at every `refine`-th between that and the last that was, whether or not `refine` divides `every`. Checkpoints that stand
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
/// // 40, 37, 34 and 31 are in the basin, and what is before 30 is not asked for
/// let all_but_30 = |k: usize| Ok(k != 30);
/// assert_eq!(freezing_checkpoint(100, 10, 3, all_but_30)?, 31);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn freezing_checkpoint(
    last: usize,
    every: usize,
    refine: usize,
    mut is_in_basin: impl FnMut(usize) -> Result<bool>,
) -> Result<usize> {
    let mut frozen = last;
    let mut outside: Option<usize> = None;
    for stride in [every, refine] {
        while frozen > 0 {
            let before = frozen.saturating_sub(stride);
            if outside.is_some_and(|outside| before <= outside) {
                break;
            }
            if !is_in_basin(before)? {
                outside = Some(before);
                break;
            }
            frozen = before;
        }
    }
    Ok(frozen)
}

/// Height of a loss on the straight line between two states over the mean of its ends, zero when none of the nine states between is higher than that; and its
/// resolution, by which a parabola through the highest of the nine and its two neighbours rises above it at most: an eighth of the second difference there.
///
/// # Examples
/// ```
/// use freezeout::network::barrier;
/// // The top, at .15, stands half-way between two of the states.
/// let hill = |x: &[f64]| 1.0 - (x[0] - 0.15).powi(2);
/// let [height, resolution] = barrier(&[0.0], &[1.0], hill);
/// let exact = 1.0 - 0.5 * (hill(&[0.0]) + hill(&[1.0]));
/// assert!((exact - height - resolution).abs() < 1e-12 && (resolution - 2.5e-3).abs() < 1e-12);
/// ```
pub fn barrier(from: &[f64], to: &[f64], loss: impl FnMut(&[f64]) -> f64) -> [f64; 2] {
    let losses = on_the_line(from, to, loss);
    let mean = 0.5 * (losses[0] + losses[PARTS]);
    let (mut highest, mut bend) = (f64::NEG_INFINITY, 0.0);
    for neighbours in losses.windows(3) {
        if neighbours[1] > highest {
            (highest, bend) = (neighbours[1], neighbours[0] - 2.0 * neighbours[1] + neighbours[2]);
        }
    }
    [(highest - mean).max(0.0), 0.125 * bend.abs()]
}

/// Height of a loss on the straight line between two states over the higher of its ends, zero when none of the nine states between is higher than that.
///
/// # Examples
/// ```
/// use freezeout::network::ridge;
/// let well = |x: &[f64]| 0.25 * (x[0] * x[0] - 1.0).powi(2);
/// assert_eq!(ridge(&[-1.0], &[1.0], well), 0.25);
/// assert_eq!(ridge(&[-1.0], &[0.0], well), 0.0);
/// ```
pub fn ridge(from: &[f64], to: &[f64], loss: impl FnMut(&[f64]) -> f64) -> f64 {
    let losses = on_the_line(from, to, loss);
    let higher = losses[0].max(losses[PARTS]);
    let between = losses[1..PARTS].iter().copied();
    (between.fold(f64::NEG_INFINITY, f64::max) - higher).max(0.0)
}

/// Parts into which the straight line between two states is cut.
const PARTS: usize = 10;

/// A loss at the two states and at those between that cut the line into parts.
fn on_the_line(from: &[f64], to: &[f64], mut loss: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let inner = (1..PARTS).map(|k| between(from, to, k as f64 / PARTS as f64));
    let states = [from.to_vec()].into_iter().chain(inner).chain([to.to_vec()]);
    states.map(|theta| loss(&theta)).collect()
}

/// The end points of two neighbouring states of training between which end points come to lie beyond a border: did the end point hop, or drift there?
///
/// # Method
/// Halves the states between the first, whose end point is taken to be within, and the last, whose end point is taken to be beyond. A hop of the end point lies between two states however near they are: the end points stay
/// apart, with a ridge between them. An end point that drifts moves as little as the state does. Of several crossings one is found.
///
/// # Examples
/// ```
/// use freezeout::network::crossing;
/// // states that move steadily from -1 to 1 over 64 steps
/// let state = |k: usize| k as f64 / 32.0 - 1.0;
/// // in two wells their end points hop from -1 to 1, on a floor without wells they go along
/// let hop = crossing(65, |k| if state(k) > 0.1 { 1.0 } else { -1.0 }, |end| *end > 0.5);
/// let drift = crossing(65, state, |end| *end > 0.5);
/// assert_eq!((hop, drift), ([-1.0, 1.0], [0.5, 0.53125]));
/// ```
pub fn crossing<E>(states: usize, mut end: impl FnMut(usize) -> E, is_beyond: impl Fn(&E) -> bool) -> [E; 2] {
    let (mut within, mut beyond) = ((0, None), (states.saturating_sub(1), None));
    while beyond.0 - within.0 > 1 {
        let middle = (within.0 + beyond.0) / 2;
        let found = end(middle);
        let side = if is_beyond(&found) {
            &mut beyond
        } else {
            &mut within
        };
        *side = (middle, Some(found));
    }
    [within, beyond].map(|(state, found)| found.unwrap_or_else(|| end(state)))
}
