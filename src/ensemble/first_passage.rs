//! First passage of a diffusion on the line out of an interval.
//!
//! # Formula
//! Between two steps x and x' on the same side of a level a, the path has crossed it with probability
//! ```text
//! p = exp(−(a − x)(a − x')/(D h))
//! ```
//! the law of the Brownian bridge with the diffusivity D(x) of the step. Without it, crossings between steps go
//! unseen, and the time is too long by order sqrt(h).
//!
//! # Method
//! Euler-Maruyama; the crossing time is the middle of the step. The error of the mean is of order h (Gobet 2000) when
//! drift and D are smooth near the level (−0.4 h relative in the double well at D = 0.2), sqrt(h) where they jump. Of two levels only the one more likely to have
//! been crossed is examined: the other matters only where one step spans the interval.
//!
//! A run that has not crossed by the horizon is *censored*, never dropped or averaged in: the outcome says so, and
//! the estimator of the mean must take it into account.
//!
//! # References
//! E. Gobet, Stoch. Proc. Appl. 87, 167 (2000).

use super::ito::Ito;
use super::lanes::{Walkers, in_tasks, outcomes};
use super::langevin::PathProtocol;
use super::stream::{LANES, STEP_BLOCK, StreamKey, Streams};
use crate::error::{Error, Result};
use crate::math::Instructions;
use crate::math::elementary;
use crate::statistics::{Estimate, Lifetime, censored_mean};
use pulp::NullaryFnOnce;

/// Where a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The lower end of the interval of [`first_passage`].
    Lower,
    /// The upper end.
    Upper,
    /// The target of [`super::first_passage_into`].
    Target,
    /// An absorbing face of its domain.
    Face {
        /// Axis.
        axis: usize,
        /// 0 the lower end, 1 the upper one.
        end: usize,
    },
    /// The absorbing edge of its domain's level set.
    Domain,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// It left the interval.
    Escaped {
        /// When.
        time: f64,
        /// Where.
        exit: Exit,
    },
    /// It was still inside when the simulation ended.
    Censored {
        /// The horizon.
        time: f64,
    },
}

impl Outcome {
    /// Time during which the run was observed inside.
    pub fn time(&self) -> f64 {
        match *self {
            Self::Escaped { time, .. } | Self::Censored { time } => time,
        }
    }

    /// Whether the run escaped.
    pub fn is_escaped(&self) -> bool {
        matches!(self, Self::Escaped { .. })
    }
}

/// How a crossing is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossingTest {
    /// Also between steps, by the law of the Brownian bridge.
    #[default]
    BrownianBridge,
    /// Only at the ends of steps: biased by order sqrt(h), for comparison.
    EndOfStep,
}

/// Outcomes of all runs, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Passages {
    /// One outcome a run.
    pub outcomes: Vec<Outcome>,
}

impl Passages {
    /// Number of runs that escaped.
    pub fn escaped(&self) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.is_escaped())
            .count()
    }

    /// The outcomes as censored lifetimes.
    pub fn lifetimes(&self) -> Vec<Lifetime> {
        let lifetime = |outcome: &Outcome| Lifetime {
            time: outcome.time(),
            escaped: outcome.is_escaped(),
        };
        self.outcomes.iter().map(lifetime).collect()
    }

    /// Mean first-passage time, by [`crate::statistics::censored_mean`] at the given significance.
    ///
    /// # Errors
    /// As that function: [`Error::AllCensored`] when no run ended, [`Error::AssumptionFails`] when runs are censored and the
    /// late passages are not exponential.
    pub fn mean_time(&self, significance: f64) -> Result<Estimate> {
        censored_mean(&self.lifetimes(), significance)
    }

    /// Number of runs that left by the given end.
    pub fn exits(&self, end: Exit) -> usize {
        let left = |outcome: &&Outcome| matches!(outcome, Outcome::Escaped { exit, .. } if *exit == end);
        self.outcomes.iter().filter(left).count()
    }
}

/// First passages out of `interval`; an end may be infinite, and `protocol.steps` is the horizon.
///
/// `progress` is called from the working threads with the number of runs just finished.
///
/// # Errors
/// [`Error::EmptySet`] without starting points, [`Error::InvalidParameter`] for a protocol out of range,
/// [`Error::OverlappingSets`] when a start does not lie inside the interval, [`Error::Diverges`] when a path diverges.
///
/// # Examples
/// ```
/// use freezeout::ensemble::{CrossingTest, DoubleWellWalk, PathProtocol, first_passage};
/// let walk = DoubleWellWalk::new(0.25, 1.0, 0.2)?;
/// let protocol = PathProtocol {
///     starts: vec![[-1.0]],
///     runs: 1000,
///     steps: 100_000,
///     time_step: 0.01,
///     seed: 1,
///     experiment: 0,
/// };
/// let passages = first_passage(&walk, [f64::NEG_INFINITY, 0.0], CrossingTest::BrownianBridge, &protocol, &|_| ())?;
/// let mean = passages.mean_time(1e-3)?;
/// assert!((mean.value - 7.934).abs() < 1.5); // standard error 0.25
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn first_passage<S: Ito<1, 1>>(
    system: &S,
    interval: [f64; 2],
    crossing: CrossingTest,
    protocol: &PathProtocol<1>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Passages> {
    first_passage_with(
        Instructions::Native,
        system,
        interval,
        crossing,
        protocol,
        progress,
    )
}

/// [`first_passage`] with a chosen instruction set: for tests and measurements, the results are the same.
///
/// # Errors
/// As [`first_passage`].
pub fn first_passage_with<S: Ito<1, 1>>(
    instructions: Instructions,
    system: &S,
    interval: [f64; 2],
    crossing: CrossingTest,
    protocol: &PathProtocol<1>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Passages> {
    /// Runs of one task: enough that the last lanes of a task to finish hardly matter.
    const RUNS_PER_TASK: usize = 16 * LANES;
    protocol.check()?;
    let [lower, upper] = interval;
    let outside = protocol
        .starts
        .iter()
        .filter(|[x]| !(lower < *x && *x < upper))
        .count();
    if outside > 0 {
        return Err(Error::OverlappingSets {
            first: "start".into(),
            second: format!("target outside of ({lower}, {upper})"),
            cells: outside,
        });
    }
    let blocks = in_tasks(protocol.runs, RUNS_PER_TASK, |first, runs| {
        let mut block = PassageBlock {
            instructions,
            system,
            interval,
            crossing,
            protocol,
            lanes: PassageLanes {
                streams: Streams::unset(),
                x: [0.0; LANES],
                exit_step: [0; LANES],
                upper: [0; LANES],
            },
        };
        let key = StreamKey::new(protocol.seed, protocol.experiment);
        outcomes(&mut block, key, first, runs, progress)
    })?;
    Ok(Passages {
        outcomes: blocks.into_iter().flatten().collect(),
    })
}

/// Runs that advance together.
struct PassageBlock<'a, S> {
    instructions: Instructions,
    system: &'a S,
    interval: [f64; 2],
    crossing: CrossingTest,
    protocol: &'a PathProtocol<1>,
    lanes: PassageLanes,
}

/// Their states.
struct PassageLanes {
    streams: Streams,
    x: [f64; LANES],
    /// Step of this block at whose end the run was found outside, 0 while it is inside.
    exit_step: [u64; LANES],
    /// 1 if it left by the upper end.
    upper: [u64; LANES],
}

impl<S: Ito<1, 1>> Walkers for PassageBlock<'_, S> {
    type Outcome = Outcome;
    const STEPS: u64 = STEP_BLOCK;

    fn begin(&mut self, lane: usize, run: usize) {
        [self.lanes.x[lane]] = self.protocol.start(run);
    }

    fn set_stream(&mut self, lane: usize, state: [u64; 4]) {
        self.lanes.streams.set(lane, state);
        self.lanes.exit_step[lane] = 0;
    }

    fn advance(&mut self) -> Result<()> {
        let [lower, upper] = self.interval;
        // An infinite end must not make 0·∞: the largest number is as far away.
        let (lower, upper) = (lower.max(f64::MIN), upper.min(f64::MAX));
        let (h, system, block) = (self.protocol.time_step, *self.system, &mut self.lanes);
        match self.crossing {
            CrossingTest::BrownianBridge => self.instructions.run(AdvancePassages::<S, true> {
                block,
                system,
                lower,
                upper,
                h,
            }),
            CrossingTest::EndOfStep => self.instructions.run(AdvancePassages::<S, false> {
                block,
                system,
                lower,
                upper,
                h,
            }),
        }
        Ok(())
    }

    fn ended(&mut self, lane: usize, done: u64) -> Result<Option<Outcome>> {
        let PathProtocol { steps, time_step, .. } = *self.protocol;
        let exit_step = done + self.lanes.exit_step[lane];
        if self.lanes.exit_step[lane] > 0 && exit_step <= steps {
            return Ok(Some(Outcome::Escaped {
                time: (exit_step as f64 - 0.5) * time_step,
                exit: if self.lanes.upper[lane] == 1 {
                    Exit::Upper
                } else {
                    Exit::Lower
                },
            }));
        }
        if !self.lanes.x[lane].is_finite() {
            return Err(Error::Diverges {
                what: "a path of the ensemble".into(),
                reason: format!("the time step {time_step} is too long"),
            });
        }
        let time = steps as f64 * time_step;
        Ok((done + STEP_BLOCK >= steps).then_some(Outcome::Censored { time }))
    }
}

/// A block of steps of all lanes, compiled for each instruction set.
struct AdvancePassages<'a, S, const BRIDGE: bool> {
    block: &'a mut PassageLanes,
    system: S,
    lower: f64,
    upper: f64,
    h: f64,
}

impl<S: Ito<1, 1>, const BRIDGE: bool> NullaryFnOnce for AdvancePassages<'_, S, BRIDGE> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            block,
            system,
            lower,
            upper,
            h,
        } = self;
        let root = h.sqrt();
        for pair in 0..STEP_BLOCK / 2 {
            for lane in 0..LANES {
                let normals = block.streams.normals(lane);
                for (half, normal) in (1..).zip(normals) {
                    let x = block.x[lane];
                    let [drift] = system.drift([x]);
                    let [[noise]] = system.noise([x]);
                    let next = x + drift * h + noise * root * normal;
                    // Negative when the end lies between x and next.
                    let below = (x - lower) * (next - lower);
                    let above = (upper - x) * (upper - next);
                    let nearest = if below < above { below } else { above };
                    // u < exp(−nearest/(D h)) with 2D = noise².
                    let reach = if BRIDGE {
                        let energy = -elementary::ln(block.streams.uniform(lane));
                        0.5 * noise * noise * h * energy
                    } else {
                        0.0
                    };
                    let inside = block.exit_step[lane] == 0;
                    let left = inside & (nearest <= reach);
                    let step = 2 * pair + half;
                    block.exit_step[lane] = if left { step } else { block.exit_step[lane] };
                    let by_upper = u64::from(above < below);
                    block.upper[lane] = if left { by_upper } else { block.upper[lane] };
                    block.x[lane] = if inside { next } else { x };
                }
            }
        }
    }
}
