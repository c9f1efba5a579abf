//! Ensembles of SGD runs in the two-valley landscape: which valley they end in, and when they last changed it.
//!
//! # Method
//! A run has two notions of a change of valley. A *sign change* is a step that takes x across the ridge; the paper's
//! freezing time is the last of them. A *hop* counts when the path, coming from one valley, has reached half-way
//! from the ridge to the minimum of the other; it is free of the flicker around the ridge. A run starts in the valley
//! of its starting x.
//!
//! # Limitations
//! A run that leaves the domain of the landscape (y below −min(y_f, y_b), or not finite) ends the whole ensemble with an error.

use super::noise_law::{Fresh, HeavyBall, HeavyTails, Law, NoiseLaw, Signs};
use super::stream::{LANES, STEP_BLOCK, StreamKey, Streams};
use super::two_valley::{NoiseRoot, TwoValleyStep, TwoValleyWalk, with_step};
use super::valley_outcome::{Crossing, Protocol, RunOutcome, Snapshot, ValleyEnsemble};
use crate::error::{Error, Result};
use crate::math::Instructions;
use pulp::NullaryFnOnce;
use rayon::prelude::*;

/// One ensemble of a larger job.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The walk.
    pub walk: TwoValleyWalk,
    /// What each run does.
    pub protocol: Protocol,
}

/// Simulates several ensembles at once, over all threads of the current rayon pool.
///
/// `progress` is called from the working threads with the number of steps just done, summed over runs.
///
/// # Method
/// The update rule itself, without approximation; see [`super::TwoValleyStep`] and [`NoiseLaw`]. Results do not depend on threads,
/// instruction set, or on which cells are simulated together.
///
/// # Errors
/// [`Error::EmptySet`] without starting points, [`Error::InvalidParameter`] for a protocol out of range,
/// [`Error::Unstable`] when a step is too long for the curvature, [`Error::Diverges`] when a run leaves the
/// domain of the landscape.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::ensemble::{Cell, Protocol, TwoValleyWalk, simulate};
/// use freezeout::landscape::TwoValley;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.01, 1e-9, 0.0)?; // hardly any noise
/// let walk = TwoValleyWalk::discrete(&sgd)?;
/// let protocol = Protocol {
///     starts: vec![[-0.01, 5.0], [0.01, 5.0]],
///     runs: 10,
///     steps: 100,
///     record_every: None,
///     seed: 1,
///     experiment: 0,
/// };
/// let ensembles = simulate(&[Cell { walk, protocol }], &|_| ())?;
/// assert_eq!(ensembles[0].p_flat(), 0.5);
/// assert_eq!(ensembles[0].mean_freezing_iteration(), 1.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn simulate(cells: &[Cell], progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<ValleyEnsemble>> {
    simulate_with(Instructions::Native, cells, progress)
}

/// [`simulate`] with a chosen instruction set: for tests and measurements, the results are the same.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_with(
    instructions: Instructions,
    cells: &[Cell],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<ValleyEnsemble>> {
    let mut tasks = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        cell.protocol.check()?;
        for start in &cell.protocol.starts {
            cell.walk.check_stability(start[1])?;
        }
        tasks.extend(
            (0..cell.protocol.runs)
                .step_by(LANES)
                .map(|first_run| (index, first_run)),
        );
    }
    let blocks = tasks
        .par_iter()
        .with_max_len(1)
        .map(|&(index, first_run)| {
            let Cell { walk, protocol } = &cells[index];
            let job = BlockJob {
                protocol,
                first_run,
                progress,
                instructions,
            };
            let outcome = with_step!(&walk.step, step => match walk.law {
                NoiseLaw::Gaussian => job.run(step, Fresh),
                NoiseLaw::Momentum(momentum) => job.run(step, HeavyBall { momentum, change: [[0.0; LANES]; 2] }),
                NoiseLaw::Stable(stability) => job.run(step, HeavyTails { index: 0.5 * stability }),
                NoiseLaw::Labels => job.run(step, Signs),
            });
            Ok((index, outcome?))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut ensembles: Vec<_> = cells
        .iter()
        .map(|cell| (Vec::with_capacity(cell.protocol.runs), Vec::<Tally>::new()))
        .collect();
    for (index, (outcomes, tallies)) in blocks {
        let (runs, sums) = &mut ensembles[index];
        runs.extend(outcomes);
        if sums.is_empty() {
            *sums = tallies;
        } else {
            sums.iter_mut()
                .zip(&tallies)
                .for_each(|(sum, tally)| sum.add(tally));
        }
    }
    Ok(ensembles
        .into_iter()
        .zip(cells)
        .map(|((runs, tallies), cell)| ValleyEnsemble {
            runs,
            snapshots: tallies.iter().map(Tally::snapshot).collect(),
            time_step: cell.walk.time_step(),
            steps: cell.protocol.steps,
        })
        .collect())
}

/// Sums over runs in fixed point, so that they do not depend on the order of summation.
#[derive(Debug, Clone, Copy)]
struct Tally {
    step: u64,
    flat: u64,
    hops: u64,
    y: i128,
    y_squared: i128,
}

impl Tally {
    /// Units of 2^-60: every y of more than 2^-8 is represented exactly.
    const UNIT: f64 = (1_u64 << 60) as f64;

    fn include(&mut self, x: f64, y: f64, hops: u64) {
        self.flat += u64::from(x >= 0.0);
        self.hops += hops;
        self.y += (y * Self::UNIT) as i128;
        self.y_squared += (y * y * Self::UNIT) as i128;
    }

    fn add(&mut self, other: &Self) {
        self.flat += other.flat;
        self.hops += other.hops;
        self.y += other.y;
        self.y_squared += other.y_squared;
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            step: self.step,
            flat: self.flat,
            sum_y: self.y as f64 / Self::UNIT,
            sum_y_squared: self.y_squared as f64 / Self::UNIT,
            hops: self.hops,
        }
    }
}

/// State of the runs that advance together. A step of 0 stands for "never".
struct Block {
    streams: Streams,
    x: [f64; LANES],
    y: [f64; LANES],
    sign_changes: [u64; LANES],
    sign_step: [u64; LANES],
    sign_y: [f64; LANES],
    /// +1 in the flat valley, −1 in the sharp one, in the sense of hops.
    valley: [f64; LANES],
    hops: [u64; LANES],
    hop_step: [u64; LANES],
    hop_y: [f64; LANES],
}

/// A number of steps of all lanes in one call, compiled for each instruction set.
struct Advance<'a, N, L> {
    block: &'a mut Block,
    step: TwoValleyStep<N>,
    law: &'a mut L,
    from: u64,
    to: u64,
}

impl<N: NoiseRoot, L: Law> NullaryFnOnce for Advance<'_, N, L> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            block,
            step,
            law,
            from,
            to,
        } = self;
        // a copy, which the compiler knows to be apart from the block: it makes no vectors otherwise
        let mut own = law.clone();
        for k in from..to {
            for lane in 0..LANES {
                let noise = own.draw(&mut block.streams, lane);
                let (x, y) = (block.x[lane], block.y[lane]);
                let next = step.step(x, y, noise);
                let [next_x, next_y] = own.moved(lane, [x, y], [next.x, next.y]);
                block.x[lane] = next_x;
                block.y[lane] = next_y;
                let crossed = (x >= 0.0) != (next_x >= 0.0);
                block.sign_changes[lane] += u64::from(crossed);
                block.sign_step[lane] = if crossed { k + 1 } else { block.sign_step[lane] };
                block.sign_y[lane] = if crossed { next_y } else { block.sign_y[lane] };
                // Hops are detected for the old state, whose depth the step has worked out.
                let side = if x >= 0.0 { 1.0 } else { -1.0 };
                let hopped = (next.depth > 0.0) & (side != block.valley[lane]);
                block.valley[lane] = if hopped { side } else { block.valley[lane] };
                block.hops[lane] += u64::from(hopped);
                block.hop_step[lane] = if hopped { k } else { block.hop_step[lane] };
                block.hop_y[lane] = if hopped { y } else { block.hop_y[lane] };
            }
        }
        *law = own;
    }
}

struct BlockJob<'a> {
    protocol: &'a Protocol,
    first_run: usize,
    progress: &'a (dyn Fn(u64) + Sync),
    instructions: Instructions,
}

impl BlockJob<'_> {
    fn start(&self, lane: usize) -> [f64; 2] {
        let starts = &self.protocol.starts;
        starts[(self.first_run + lane) % starts.len()]
    }

    fn run<N: NoiseRoot>(
        &self,
        step: &TwoValleyStep<N>,
        mut law: impl Law,
    ) -> Result<(Vec<RunOutcome>, Vec<Tally>)> {
        let protocol = self.protocol;
        let key = StreamKey::new(protocol.seed, protocol.experiment);
        let lanes = LANES.min(protocol.runs - self.first_run);
        let x = std::array::from_fn(|lane| self.start(lane)[0]);
        let y = std::array::from_fn(|lane| self.start(lane)[1]);
        let mut block = Block {
            streams: Streams::unset(),
            x,
            y,
            sign_changes: [0; LANES],
            sign_step: [0; LANES],
            sign_y: y,
            valley: x.map(|x| if x >= 0.0 { 1.0 } else { -1.0 }),
            hops: [0; LANES],
            hop_step: [0; LANES],
            hop_y: y,
        };
        let mut tallies = Vec::new();
        let mut k = 0;
        loop {
            if let Some(every) = protocol.record_every
                && k % every == 0
            {
                block.settle_hops(step, k);
                tallies.push(block.tally(k, lanes));
            }
            if k >= protocol.steps {
                break;
            }
            if k % STEP_BLOCK == 0 {
                block.streams.set_block(&key, self.first_run, k / STEP_BLOCK);
            }
            let mut to = (k - k % STEP_BLOCK + STEP_BLOCK).min(protocol.steps);
            if let Some(every) = protocol.record_every {
                to = to.min(k - k % every + every);
            }
            let advance = Advance {
                block: &mut block,
                step: *step,
                law: &mut law,
                from: k,
                to,
            };
            self.instructions.run(advance);
            block.check(step, lanes, to)?;
            (self.progress)((to - k) * lanes as u64);
            k = to;
        }
        block.settle_hops(step, k);
        let outcomes = (0..lanes)
            .map(|lane| block.outcome(lane, self.start(lane)[1]))
            .collect();
        Ok((outcomes, tallies))
    }
}

impl Block {
    /// Brings the hops up to the present state `k`: the loop lags by one step, and doing this twice changes nothing.
    fn settle_hops<N: NoiseRoot>(&mut self, step: &TwoValleyStep<N>, k: u64) {
        for lane in 0..LANES {
            let (x, y) = (self.x[lane], self.y[lane]);
            let side = if x >= 0.0 { 1.0 } else { -1.0 };
            if side != self.valley[lane] && step.is_deep(x, y) {
                self.valley[lane] = side;
                self.hops[lane] += 1;
                self.hop_step[lane] = k;
                self.hop_y[lane] = y;
            }
        }
    }

    fn tally(&self, step: u64, lanes: usize) -> Tally {
        let mut tally = Tally {
            step,
            flat: 0,
            hops: 0,
            y: 0,
            y_squared: 0,
        };
        for lane in 0..lanes {
            tally.include(self.x[lane], self.y[lane], self.hops[lane]);
        }
        tally
    }

    fn check<N: NoiseRoot>(&self, step: &TwoValleyStep<N>, lanes: usize, k: u64) -> Result<()> {
        let lowest = step.lowest_y();
        for lane in 0..lanes {
            let (x, y) = (self.x[lane], self.y[lane]);
            if !(x.is_finite() && y.is_finite() && y > lowest) {
                return Err(Error::Diverges {
                    what: "a run of the ensemble".into(),
                    reason: format!(
                        "it left the landscape's domain y > {lowest} before step {k}: x = {x}, y = {y}; the learning rate, the noise or the distance of start_x is too large"
                    ),
                });
            }
        }
        Ok(())
    }

    fn outcome(&self, lane: usize, start_y: f64) -> RunOutcome {
        let crossing = |step: u64, y: f64| (step > 0).then_some(Crossing { step, y });
        RunOutcome {
            start_y,
            x: self.x[lane],
            y: self.y[lane],
            sign_changes: self.sign_changes[lane],
            last_sign_change: crossing(self.sign_step[lane], self.sign_y[lane]),
            hops: self.hops[lane],
            last_hop: crossing(self.hop_step[lane], self.hop_y[lane]),
        }
    }
}
