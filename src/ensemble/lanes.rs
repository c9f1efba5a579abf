//! Runs handed out to threads and lanes.

use super::stream::{LANES, STEP_BLOCK, StreamKey};
use crate::error::Result;
use rayon::prelude::*;

/// The results of `work(first, number)` on consecutive runs, at most `most` in a task, in the order of the runs.
pub(super) fn in_tasks<T: Send>(
    runs: usize,
    most: usize,
    work: impl Fn(usize, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let first_runs: Vec<usize> = (0..runs).step_by(most).collect();
    first_runs
        .par_iter()
        .with_max_len(1)
        .map(|&first| work(first, most.min(runs - first)))
        .collect()
}

/// Walkers that advance together, each on a run of its own.
pub(super) trait Walkers {
    /// How a run ends.
    type Outcome;

    /// Puts the walker of a lane at the start of a run.
    fn begin(&mut self, lane: usize, run: usize);

    /// Gives a lane the state of its stream for the next block.
    fn set_stream(&mut self, lane: usize, state: [u64; 4]);

    /// At most a block of steps of all lanes. A lane without work goes on with an old stream and is not looked at.
    fn advance(&mut self) -> Result<()>;

    /// How the run of a lane ended in the block before which it had done `done` steps; None: it goes on.
    fn ended(&mut self, lane: usize, done: u64) -> Result<Option<Self::Outcome>>;
}

/// Outcomes of `runs` runs from `first` on: a lane whose run has ended takes the next one at the next block.
pub(super) fn outcomes<W: Walkers>(
    walkers: &mut W,
    key: StreamKey,
    first: usize,
    runs: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<W::Outcome>> {
    let mut queue = first..first + runs;
    let mut ended = Vec::with_capacity(runs);
    // the run of each lane, and the blocks that it has done
    let mut assigned: [Option<(usize, u64)>; LANES] = [None; LANES];
    loop {
        for (lane, slot) in assigned.iter_mut().enumerate() {
            if slot.is_none()
                && let Some(run) = queue.next()
            {
                *slot = Some((run, 0));
                walkers.begin(lane, run);
            }
            if let Some((run, block)) = slot {
                walkers.set_stream(lane, key.state(*run as u64, *block));
            }
        }
        if assigned.iter().all(Option::is_none) {
            ended.sort_by_key(|(run, _)| *run);
            return Ok(ended.into_iter().map(|(_, outcome)| outcome).collect());
        }
        walkers.advance()?;
        for (lane, slot) in assigned.iter_mut().enumerate() {
            let Some((run, block)) = slot else { continue };
            let outcome = walkers.ended(lane, *block * STEP_BLOCK)?;
            *block += 1;
            if let Some(outcome) = outcome {
                ended.push((*run, outcome));
                *slot = None;
                progress(1);
            }
        }
    }
}
