//! Ensembles of diffusion paths dθ = b dt + sqrt(2D) dW, from starting points to a final time.

use super::integrator::{Integrator, TimeStep};
use super::ito::Ito;
use super::lanes::in_tasks;
use super::stream::{LANES, STEP_BLOCK, StreamKey, Streams};
use crate::error::{Error, Result, require, require_finite, require_positive};
use crate::math::Instructions;
use pulp::NullaryFnOnce;
use std::marker::PhantomData;

/// What every path of an ensemble does.
#[derive(Debug, Clone, PartialEq)]
pub struct PathProtocol<const D: usize> {
    /// Starting points; run r starts from `starts[r % starts.len()]`.
    pub starts: Vec<[f64; D]>,
    /// Number of runs.
    pub runs: usize,
    /// Time steps of each run.
    pub steps: u64,
    /// Time step h.
    pub time_step: f64,
    /// Seed of the random streams.
    pub seed: u64,
    /// Number of the experiment; see [`super::stream::experiment_number`].
    pub experiment: u64,
}

impl<const D: usize> PathProtocol<D> {
    pub(super) fn check(&self) -> Result<()> {
        if self.starts.is_empty() {
            return Err(Error::EmptySet { name: "start".into() });
        }
        for value in self.starts.iter().flatten() {
            require_finite("starts", *value)?;
        }
        require(
            "runs",
            self.runs as f64,
            |v| v >= 1.0,
            "at least one run is needed",
        )?;
        require_positive("time_step", self.time_step)?;
        Ok(())
    }

    pub(super) fn start(&self, run: usize) -> [f64; D] {
        self.starts[run % self.starts.len()]
    }
}

/// Final points of an ensemble of paths, in the order of the runs.
///
/// `progress` is called from the working threads with the number of steps just done, summed over runs.
///
/// # Method
/// The scheme `I`, with its weak order in the time step; sampling error 1/sqrt(runs).
///
/// # Errors
/// [`Error::EmptySet`] without starting points, [`Error::InvalidParameter`] for a protocol out of range,
/// [`Error::Diverges`] when a path diverges: the time step is too long.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::ensemble::{EulerMaruyama, PathProtocol, PiecewiseLinear, propagate};
/// let walk = PiecewiseLinear::new(&OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?)?;
/// let protocol = PathProtocol {
///     starts: vec![[0.0]],
///     runs: 10_000,
///     steps: 500,
///     time_step: 0.01,
///     seed: 1,
///     experiment: 0,
/// };
/// let ends = propagate(EulerMaruyama, &walk, &protocol, &|_| ())?;
/// let variance = ends.iter().map(|[x]| x * x).sum::<f64>() / 1e4;
/// assert!((variance - 0.5).abs() < 0.05); // 0.5025 is the scheme's, 0.007 its standard error
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn propagate<const D: usize, const M: usize, S: Ito<D, M>, I: Integrator<M>>(
    integrator: I,
    system: &S,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<[f64; D]>> {
    propagate_with(Instructions::Native, integrator, system, protocol, progress)
}

/// [`propagate`] with a chosen instruction set: for tests and measurements, the results are the same.
///
/// # Errors
/// As [`propagate`].
pub fn propagate_with<const D: usize, const M: usize, S: Ito<D, M>, I: Integrator<M>>(
    instructions: Instructions,
    _integrator: I,
    system: &S,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<[f64; D]>> {
    protocol.check()?;
    let key = StreamKey::new(protocol.seed, protocol.experiment);
    let blocks = in_tasks(protocol.runs, LANES, |first_run, lanes| {
        let mut block = PathBlock {
            streams: Streams::unset(),
            theta: [[0.0; LANES]; D],
        };
        for lane in 0..LANES {
            block.store(lane, protocol.start(first_run + lane));
        }
        let mut k = 0;
        while k < protocol.steps {
            block.streams.set_block(&key, first_run, k / STEP_BLOCK);
            let steps = STEP_BLOCK.min(protocol.steps - k);
            instructions.run(AdvancePaths::<D, M, S, I> {
                block: &mut block,
                system: *system,
                time_step: TimeStep::new(protocol.time_step),
                steps,
                integrator: PhantomData,
            });
            k += steps;
            progress(steps * lanes as u64);
        }
        let ends: Vec<[f64; D]> = (0..lanes).map(|lane| block.load(lane)).collect();
        match ends.iter().flatten().find(|value| !value.is_finite()) {
            None => Ok(ends),
            Some(value) => Err(Error::Diverges {
                what: "a path of the ensemble".into(),
                reason: format!(
                    "it reached {value}; the time step {} is too long",
                    protocol.time_step
                ),
            }),
        }
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

/// Paths that advance together.
struct PathBlock<const D: usize> {
    streams: Streams,
    theta: [[f64; LANES]; D],
}

impl<const D: usize> PathBlock<D> {
    #[inline(always)]
    fn load(&self, lane: usize) -> [f64; D] {
        let mut theta = [0.0; D];
        for (value, row) in theta.iter_mut().zip(&self.theta) {
            *value = row[lane];
        }
        theta
    }

    #[inline(always)]
    fn store(&mut self, lane: usize, theta: [f64; D]) {
        for (row, value) in self.theta.iter_mut().zip(theta) {
            row[lane] = value;
        }
    }
}

/// At most a block of steps of all lanes, compiled for each instruction set.
struct AdvancePaths<'a, const D: usize, const M: usize, S, I> {
    block: &'a mut PathBlock<D>,
    system: S,
    time_step: TimeStep,
    steps: u64,
    integrator: PhantomData<I>,
}

impl<const D: usize, const M: usize, S: Ito<D, M>, I: Integrator<M>> NullaryFnOnce
    for AdvancePaths<'_, D, M, S, I>
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            block,
            system,
            time_step,
            steps,
            ..
        } = self;
        for _ in 0..steps / 2 {
            for lane in 0..LANES {
                let [first, second] = I::draw_pair(&mut block.streams, lane);
                let theta = I::step(&system, block.load(lane), time_step, first);
                block.store(lane, I::step(&system, theta, time_step, second));
            }
        }
        if steps % 2 == 1 {
            for lane in 0..LANES {
                let [first, _] = I::draw_pair(&mut block.streams, lane);
                block.store(lane, I::step(&system, block.load(lane), time_step, first));
            }
        }
    }
}
