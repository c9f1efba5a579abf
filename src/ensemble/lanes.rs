//! Runs handed out to threads and lanes.

use super::stream::{LANES, STEP_BLOCK, StreamKey};
use crate::error::Result;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Steps after which lanes whose runs have ended take new ones; a part of [`STEP_BLOCK`].
    const STEPS: u64;

    /// Puts the walker of a lane at the start of a run.
    fn begin(&mut self, lane: usize, run: usize);

    /// Gives a lane the state of its stream for the next block.
    fn set_stream(&mut self, lane: usize, state: [u64; 4]);

    /// At most [`Walkers::STEPS`] steps of all lanes. A lane without work goes on with an old stream and is not looked at.
    fn advance(&mut self) -> Result<()>;

    /// How the run of a lane ended in the steps before which it had done `done` others; None: it goes on.
    fn ended(&mut self, lane: usize, done: u64) -> Result<Option<Self::Outcome>>;
}

/// Outcomes of `runs` runs, in their order, on as many sets of walkers as there are threads, which share the runs among them.
pub(super) fn shared_outcomes<W: Walkers>(
    walkers: impl Fn() -> W + Sync,
    key: StreamKey,
    runs: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<W::Outcome>>
where
    W::Outcome: Send,
{
    let next = AtomicUsize::new(0);
    let sets = rayon::current_num_threads().min(runs.div_ceil(LANES));
    let parts = in_tasks(sets, 1, |_, _| {
        let take = || next.fetch_add(1, Ordering::Relaxed);
        let queue = std::iter::from_fn(|| Some(take())).take_while(|run| *run < runs);
        numbered_outcomes(&mut walkers(), key, queue.fuse(), progress)
    })?;
    let mut all: Vec<_> = parts.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(run, _)| *run);
    Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Outcomes of `runs` runs from `first` on, in their order.
pub(super) fn outcomes<W: Walkers>(
    walkers: &mut W,
    key: StreamKey,
    first: usize,
    runs: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<W::Outcome>> {
    let mut ended = numbered_outcomes(walkers, key, first..first + runs, progress)?;
    ended.sort_unstable_by_key(|(run, _)| *run);
    Ok(ended.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Outcomes of the runs of a queue with their numbers, as they end: a lane whose run has ended takes the next one before the next steps.
fn numbered_outcomes<W: Walkers>(
    walkers: &mut W,
    key: StreamKey,
    mut queue: impl Iterator<Item = usize>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<(usize, W::Outcome)>> {
    let mut ended = Vec::new();
    // the run of each lane, and the steps that it has done
    let mut assigned: [Option<(usize, u64)>; LANES] = [None; LANES];
    loop {
        for (lane, slot) in assigned.iter_mut().enumerate() {
            if slot.is_none()
                && let Some(run) = queue.next()
            {
                *slot = Some((run, 0));
                walkers.begin(lane, run);
            }
            if let Some((run, done)) = slot
                && *done % STEP_BLOCK == 0
            {
                walkers.set_stream(lane, key.state(*run as u64, *done / STEP_BLOCK));
            }
        }
        if assigned.iter().all(Option::is_none) {
            return Ok(ended);
        }
        walkers.advance()?;
        for (lane, slot) in assigned.iter_mut().enumerate() {
            let Some((run, done)) = slot else { continue };
            let outcome = walkers.ended(lane, *done)?;
            *done += W::STEPS;
            if let Some(outcome) = outcome {
                ended.push((*run, outcome));
                *slot = None;
                progress(1);
            }
        }
    }
}
