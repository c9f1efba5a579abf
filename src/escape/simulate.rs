//! First passages of the same problem simulated, as Langevin paths or as SGD itself.

use super::level::Level;
use super::problem::Problem;
use super::quantity::Quantity;
use crate::diffusion::{check_map_stability, drift_jacobian};
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{CrossingTest, PathProtocol, first_passage_in};
use crate::error::{Error, Result, require_positive};
use crate::math::Point;
use crate::region::{Boundary, Domain};
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use rand::{RngExt, SeedableRng};

/// Largest number of steps of all runs: an hour on two cores.
const MOST_STEPS: f64 = 1e11;
/// Level at which late escapes that are not exponential are noticed, when a run is censored.
const SIGNIFICANCE: f64 = 1e-4;

/// How paths are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulationMethod {
    /// dθ = b dt + sqrt(2D) dW with two time steps, extrapolated.
    Langevin,
    /// θ + ηb + N(0, 2ηD) with the learning rate of the diffusion.
    Sgd,
}

/// A simulation of first passages; see [`simulate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Langevin paths or SGD itself.
    pub method: SimulationMethod,
    /// Runs.
    pub runs: usize,
    /// Time step of the Langevin paths, the coarser of two; without it a 50th of the fastest relaxation time at the start.
    pub time_step: Option<f64>,
    /// Horizon in mean first-passage times of the grid; later escapes are censored.
    pub longest_time: f64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            method: SimulationMethod::Langevin,
            runs: 10_000,
            time_step: None,
            longest_time: 30.0,
        }
    }
}

impl Simulation {
    /// Checks the choices, and returns the time step: the coarser of two for Langevin paths, η for SGD.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::InvalidParameter`] naming `runs`, `longest_time`, `method` or `time_step`.
    pub fn check<const D: usize>(&self, problem: &Problem<D>) -> Result<f64> {
        if self.runs < 2 {
            return Err(Error::config("runs", "at least two runs are needed"));
        }
        require_positive("longest_time", self.longest_time)?;
        problem.require_no_jump("a simulation")?;
        if !problem.ends() {
            let message = "there is nothing to reach: give a target, or an end that absorbs";
            return Err(Error::config("runs", message));
        }
        if self.method == SimulationMethod::Sgd && problem.domain().window().is_some() {
            let message = "sgd knows no walls, and no window in them: simulate langevin paths";
            return Err(Error::config("method", message));
        }
        match (self.method, problem.diffusion().learning_rate(), self.time_step) {
            (SimulationMethod::Sgd, None, _) => Err(Error::config("method", "sgd needs a learning rate")),
            (SimulationMethod::Sgd, Some(_), Some(_)) => {
                Err(Error::config("time_step", "the step of sgd is its learning rate"))
            }
            (SimulationMethod::Sgd, Some(rate), None) => {
                if let Some(start) = problem.start().centre() {
                    check_map_stability(problem.diffusion(), rate, start, problem.domain().size())?;
                }
                Ok(rate)
            }
            (SimulationMethod::Langevin, _, Some(step)) => {
                require_positive("time_step", step)?;
                let start = match problem.start().centre() {
                    Some(centre) => centre,
                    None => middle_of_start(problem)?,
                };
                check_map_stability(problem.diffusion(), step, start, problem.domain().size())
                    .map_err(|e| e.at("time_step"))?;
                Ok(step)
            }
            (SimulationMethod::Langevin, _, None) => automatic_step(problem),
        }
    }

    /// Refuses a simulation of more than 1e11 steps, judged by the mean first-passage time of a level.
    ///
    /// # Errors
    /// Those of [`Simulation::check`]; [`Error::Config`] about `runs`.
    pub fn check_work<const D: usize>(&self, problem: &Problem<D>, level: &Level<D>) -> Result<()> {
        let (step, mean) = (self.check(problem)?, mean_time(level));
        // both time steps of a Langevin path: three times the work of the coarser
        let levels = match self.method {
            SimulationMethod::Sgd => 1.0,
            SimulationMethod::Langevin => 3.0,
        };
        let steps = levels * self.runs as f64 * mean / step;
        if steps > MOST_STEPS {
            return Err(Error::config(
                "runs",
                format!(
                    "the escape takes {mean:.3e} on average, in all {steps:.1e} steps, more than {MOST_STEPS:.0e}: \
                     fewer runs, a longer time step, or no simulation"
                ),
            ));
        }
        Ok(())
    }

    /// Number of paths, those of both time steps.
    pub fn paths(&self) -> usize {
        match self.method {
            SimulationMethod::Sgd => self.runs,
            SimulationMethod::Langevin => 2 * self.runs,
        }
    }
}

fn mean_time<const D: usize>(level: &Level<D>) -> f64 {
    level.value(Quantity::MeanFirstPassageTime).unwrap_or(f64::NAN)
}

/// First passages of simulated paths; see [`simulate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedPassage {
    /// Mean first-passage time with its standard error.
    pub mean: Estimate,
    /// The time step, the coarser of two for Langevin paths.
    pub time_step: f64,
    /// Bias of the finer time step, taken off; none for SGD itself.
    pub bias: Option<Estimate>,
    /// Runs that had not escaped by the end.
    pub censored: usize,
}

/// First passages of the problem simulated, the horizon and the weights of a start set taken from `level`.
///
/// `progress` is called from the working threads with the number of runs just finished.
///
/// # Method
/// Langevin paths with two time steps, extrapolated with order 1, or 1/2 at kinks, with a window and at targets without a level function; what
/// the next order leaves is part of the error, the whole bias where it is more than a tenth. SGD step by step.
///
/// # Errors
/// Those of [`Simulation::check`] and [`first_passage_in`]; [`Error::EmptySet`] for a start set without a stationary law.
pub fn simulate<const D: usize>(
    problem: &Problem<D>,
    simulation: &Simulation,
    level: &Level<D>,
    seed: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<SimulatedPassage> {
    let (time_step, mean) = (simulation.check(problem)?, mean_time(level));
    let starts = starts(problem, level, simulation.runs, seed)?;
    let estimate = |time_step: f64, name: &str| {
        let protocol = PathProtocol {
            starts: starts.clone(),
            runs: simulation.runs,
            steps: (simulation.longest_time * mean / time_step).ceil() as u64,
            time_step,
            seed,
            experiment: experiment_number(&format!("escape {name}")),
        };
        passages(problem, simulation.method, &protocol, progress)
    };
    let (mean, bias, censored) = match simulation.method {
        SimulationMethod::Sgd => {
            let (mean, censored) = estimate(time_step, "sgd")?;
            (mean, None, censored)
        }
        SimulationMethod::Langevin => {
            let (coarse, first) = estimate(time_step, "coarse")?;
            let (fine, second) = estimate(0.5 * time_step, "fine")?;
            let has_level = problem.target().is_none_or(|target| target.has_level());
            let is_smooth = !problem.has_kinks() && problem.domain().window().is_none();
            let order = if has_level && is_smooth { 1.0 } else { 0.5 };
            let unbiased = extrapolate(&coarse, &fine, 2.0, order)?;
            let mut limit = unbiased.limit;
            let left = left_by_steps(unbiased.bias.value, limit.value);
            limit.standard_error = limit.standard_error.hypot(left);
            (limit, Some(unbiased.bias), first + second)
        }
    };
    Ok(SimulatedPassage {
        mean,
        time_step,
        bias,
        censored,
    })
}

/// What extrapolation from two steps may leave: the square of the relative bias, which is the size of the next order; the whole bias where it is more than a
/// tenth, as the order is not to be seen then.
fn left_by_steps(bias: f64, limit: f64) -> f64 {
    const LARGEST: f64 = 0.1;
    let relative = (bias / limit).abs();
    match relative <= LARGEST {
        true => relative * bias.abs(),
        false => bias.abs(),
    }
}

/// The middle one of the cells of the start set.
fn middle_of_start<const D: usize>(problem: &Problem<D>) -> Result<Point<D>> {
    let grid = problem.grid(1)?;
    let inside = |cell: &usize| problem.in_start(&grid.centre(*cell));
    let cells: Vec<usize> = (0..grid.cells()).filter(inside).collect();
    let middle = cells
        .get(cells.len() / 2)
        .ok_or_else(|| Error::EmptySet { name: "start".into() })?;
    Ok(grid.centre(*middle))
}

/// A 50th of the fastest relaxation time at the start.
fn automatic_step<const D: usize>(problem: &Problem<D>) -> Result<f64> {
    const FRACTION: f64 = 0.02;
    let at = match problem.start().as_point() {
        Some(point) => *point,
        None => middle_of_start(problem)?,
    };
    let bounds = problem.domain().bounds();
    let width = Point::<D>::from_fn(|d, _| 1e-5 * (bounds[d][1] - bounds[d][0]));
    let jacobian = drift_jacobian(problem.diffusion(), &at, &width);
    let step = FRACTION / jacobian.norm();
    if step.is_finite() {
        return Ok(step);
    }
    Err(Error::config(
        "time_step",
        "the drift has no scale at the start to choose a step from: give one",
    ))
}

/// Mean first-passage time of one ensemble and the number of its censored runs.
fn passages<const D: usize>(
    problem: &Problem<D>,
    method: SimulationMethod,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Estimate, usize)> {
    let region = problem.domain();
    let (domain, crossing) = match method {
        SimulationMethod::Langevin => (region.clone(), CrossingTest::BrownianBridge),
        SimulationMethod::Sgd => {
            // SGD knows no walls: the reflecting ends of the grid only say where it stops looking
            let mut bounds = *region.bounds();
            for (ends, boundaries) in bounds.iter_mut().zip(region.boundaries()) {
                for side in 0..2 {
                    if boundaries[side] == Boundary::Reflecting {
                        ends[side] = [f64::NEG_INFINITY, f64::INFINITY][side];
                    }
                }
            }
            let mut domain = Domain::new(bounds)?.with_boundaries(*region.boundaries())?;
            if let Some((set, Boundary::Absorbing)) = region.restriction() {
                domain = domain.restricted_to(set.clone(), Boundary::Absorbing)?;
            }
            (domain, CrossingTest::EndOfStep)
        }
    };
    let target = problem.target();
    let (calculus, diffusion) = (problem.calculus(), problem.diffusion());
    let passages = first_passage_in(calculus, diffusion, &domain, target, crossing, protocol, progress)?;
    let censored = protocol.runs - passages.escaped();
    Ok((passages.mean_time(SIGNIFICANCE)?, censored))
}

/// The start point, or points of the start set drawn from the stationary law of the finest grid.
fn starts<const D: usize>(
    problem: &Problem<D>,
    level: &Level<D>,
    runs: usize,
    seed: u64,
) -> Result<Vec<[f64; D]>> {
    if let Some(at) = problem.start().as_point() {
        return Ok(vec![std::array::from_fn(|d| at[d])]);
    }
    let empty = || Error::EmptySet { name: "start".into() };
    let weights = level.start_weights().ok_or_else(empty)?;
    let mut sums: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, w| {
            *sum += w;
            Some(*sum)
        })
        .collect();
    let total = sums.last().copied().ok_or_else(empty)?;
    sums.iter_mut().for_each(|s| *s /= total);
    let mut random =
        rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(seed ^ experiment_number("escape starts"));
    let grid = level.grid();
    let mut points = Vec::with_capacity(runs);
    while points.len() < runs {
        let cell = sums
            .partition_point(|s| *s < random.random::<f64>())
            .min(sums.len() - 1);
        let indices = grid.indices(cell);
        let theta = Point::<D>::from_fn(|d, _| {
            let axis = &grid.axes()[d];
            axis.faces()[indices[d]] + axis.width(indices[d]) * random.random::<f64>()
        });
        // a cell belongs to the set by its centre; what of it lies outside is drawn again
        if problem.in_start(&theta) && problem.in_domain(&theta) && !problem.in_target(&theta) {
            points.push(std::array::from_fn(|d| theta[d]));
        }
    }
    Ok(points)
}
