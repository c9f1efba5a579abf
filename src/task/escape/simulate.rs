//! First passages of the same problem simulated, as Langevin paths or as SGD itself.

use super::config::{EscapeMethod, EscapeSimulation};
use super::level::Level;
use super::problem::Problem;
use super::under;
use super::wrong;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{CrossingTest, Domain, PathProtocol, Target, first_passage_into};
use crate::error::{Error, Result, require_positive};
use crate::math::{Point, Tensor};
use crate::output::{Group, Record};
use crate::region::Boundary;
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use crate::task::progress::Progress;
use rand::{RngExt, SeedableRng};

/// Largest number of steps of all runs: an hour on two cores.
const MOST_STEPS: f64 = 1e11;
/// Level at which late escapes that are not exponential are noticed, when a run is censored.
const SIGNIFICANCE: f64 = 1e-4;

/// Checks the keys, and from the mean first-passage time of a coarse grid that the work can be done.
pub(super) fn check<const D: usize>(
    problem: &Problem<D>,
    simulation: &EscapeSimulation,
    mean: Option<f64>,
) -> Result<()> {
    let key = |e| under("escape.simulation", e);
    if simulation.runs < 2 {
        return Err(wrong("simulation.runs", "at least two runs are needed"));
    }
    require_positive("longest_time", simulation.longest_time).map_err(key)?;
    let step = match (simulation.method, problem.learning_rate, simulation.time_step) {
        (EscapeMethod::Sgd, None, _) => {
            return Err(wrong("simulation.method", "sgd needs escape.learning_rate"));
        }
        (EscapeMethod::Sgd, Some(_), Some(_)) => {
            return Err(wrong(
                "simulation.time_step",
                "the step of sgd is escape.learning_rate",
            ));
        }
        (EscapeMethod::Sgd, Some(rate), None) => rate,
        (EscapeMethod::Langevin, _, Some(step)) => require_positive("time_step", step).map_err(key)?,
        (EscapeMethod::Langevin, _, None) => automatic_step(problem)?,
    };
    let Some(mean) = mean else { return Ok(()) };
    // both time steps of a Langevin path: three times the work of the coarser
    let levels = if simulation.method == EscapeMethod::Sgd {
        1.0
    } else {
        3.0
    };
    let steps = levels * simulation.runs as f64 * mean / step;
    if steps > MOST_STEPS {
        return Err(wrong(
            "simulation.runs",
            format!(
                "the escape takes {mean:.3e} on average, in all {steps:.1e} steps, more than {MOST_STEPS:.0e}: \
                 fewer runs, a longer time step, or no simulation"
            ),
        ));
    }
    Ok(())
}

/// A 50th of the fastest relaxation time at the start.
fn automatic_step<const D: usize>(problem: &Problem<D>) -> Result<f64> {
    const FRACTION: f64 = 0.02;
    let at = match problem.start.as_point() {
        Some(point) => *point,
        None => {
            let grid = problem.grid(0)?;
            let inside = |cell: &usize| problem.start.contains(&grid.centre(*cell), &problem.drift);
            let cells: Vec<usize> = (0..grid.cells()).filter(inside).collect();
            grid.centre(cells[cells.len() / 2])
        }
    };
    let mut jacobian = Tensor::<D>::zeros();
    for d in 0..D {
        let step = 1e-5 * (problem.bounds[d][1] - problem.bounds[d][0]);
        let (mut above, mut below) = (at, at);
        above[d] += step;
        below[d] -= step;
        let column = (problem.drift.at(&above) - problem.drift.at(&below)) / (2.0 * step);
        jacobian.set_column(d, &column);
    }
    let step = FRACTION / jacobian.norm();
    if step.is_finite() {
        return Ok(step);
    }
    Err(wrong(
        "simulation.time_step",
        "the drift has no scale at the start to choose a step from: give one",
    ))
}

/// Adds the simulated mean first-passage time to `group`.
pub(super) fn run<const D: usize>(
    problem: &Problem<D>,
    simulation: &EscapeSimulation,
    level: &Level<D>,
    mean: f64,
    seed: u64,
    progress: &Progress,
    group: &mut Group,
) -> Result<()> {
    let starts = starts(problem, level, simulation.runs, seed)?;
    let step = match problem.learning_rate {
        Some(rate) if simulation.method == EscapeMethod::Sgd => rate,
        _ => simulation.time_step.map_or_else(|| automatic_step(problem), Ok)?,
    };
    let count = if simulation.method == EscapeMethod::Sgd {
        1
    } else {
        2
    };
    let bar = progress.task("simulation", (count * simulation.runs) as u64);
    let estimate = |time_step: f64, name: &str| {
        let protocol = PathProtocol {
            starts: starts.clone(),
            runs: simulation.runs,
            steps: (simulation.longest_time * mean / time_step).ceil() as u64,
            time_step,
            seed,
            experiment: experiment_number(&format!("escape {name}")),
        };
        passages(problem, simulation.method, &protocol, &|n| bar.advance(n))
    };
    let (value, censored) = match simulation.method {
        EscapeMethod::Sgd => estimate(step, "sgd")?,
        EscapeMethod::Langevin => {
            let (coarse, first) = estimate(step, "coarse")?;
            let (fine, second) = estimate(0.5 * step, "fine")?;
            let has_level = problem.target.as_ref().is_none_or(|target| target.has_level());
            let order = if has_level && !problem.has_kinks() {
                1.0
            } else {
                0.5
            };
            let unbiased = extrapolate(&coarse, &fine, 2.0, order)?;
            group.push(
                Record::scalar("simulated_time_step_bias", "time", unbiased.bias.value)?.with_description(
                    "error of the finer time step, taken off by extrapolation; of order 1, or 1/2 at kinks and basins",
                ),
            )?;
            (unbiased.limit, first + second)
        }
    };
    let method = match simulation.method {
        EscapeMethod::Sgd => "SGD itself, time = learning rate times iterations",
        EscapeMethod::Langevin => "Langevin paths, two time steps extrapolated",
    };
    group.set_attribute("simulation", method)?;
    let name = "simulated_mean_first_passage_time";
    for (name, unit, value, description) in [
        (name.to_string(), "time", value.value, method),
        (
            format!("{name}_standard_error"),
            "time",
            value.standard_error,
            "standard error",
        ),
        (
            "simulated_time_step".into(),
            "time",
            step,
            "time step, the coarser of two for Langevin paths",
        ),
        (
            "simulated_censored".into(),
            "1",
            censored as f64,
            "runs that had not escaped by the end",
        ),
    ] {
        group.push(Record::scalar(&name, unit, value)?.with_description(description))?;
    }
    Ok(())
}

/// Mean first-passage time of one ensemble and the number of its censored runs.
fn passages<const D: usize>(
    problem: &Problem<D>,
    method: EscapeMethod,
    protocol: &PathProtocol<D>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Estimate, usize)> {
    let edge = |theta: &Point<D>| match problem
        .target
        .as_ref()
        .and_then(|t| t.level(theta, &problem.drift))
    {
        Some(level) => level,
        None => (f64::NAN, Point::<D>::zeros()),
    };
    let members = |theta: &Point<D>| problem.in_target(theta);
    let inside = |theta: &Point<D>| match (problem.sublevel, problem.drift.landscape()) {
        (Some(level), Some(landscape)) => (level - landscape.loss(theta), -landscape.gradient(theta)),
        _ => (1.0, Point::<D>::zeros()),
    };
    let target = match &problem.target {
        Some(target) if target.has_level() => Target::Level(&edge),
        _ => Target::Members(&members),
    };
    let mut domain = Domain {
        ends: problem.bounds,
        boundaries: *problem.boundaries(),
        level: None,
        level_boundary: problem.sublevel_boundary(),
    };
    let crossing = match method {
        EscapeMethod::Langevin => CrossingTest::BrownianBridge,
        EscapeMethod::Sgd => {
            // SGD knows no walls: the reflecting ends of the grid only say where it stops looking
            for d in 0..D {
                for side in 0..2 {
                    if domain.boundaries[d][side] == Boundary::Reflecting {
                        domain.ends[d][side] = [f64::NEG_INFINITY, f64::INFINITY][side];
                    }
                }
            }
            CrossingTest::EndOfStep
        }
    };
    let restricts = method == EscapeMethod::Langevin || problem.sublevel_boundary() == Boundary::Absorbing;
    if problem.sublevel.is_some() && restricts {
        domain.level = Some(&inside);
    }
    let passages = first_passage_into(&problem.ito(), &domain, &target, crossing, protocol, progress)?;
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
    if let Some(at) = problem.start.as_point() {
        return Ok(vec![std::array::from_fn(|d| at[d])]);
    }
    let empty = || Error::EmptySet { name: "start".into() };
    let weights = level.start.as_ref().ok_or_else(empty)?;
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
        if problem.start.contains(&theta, &problem.drift)
            && problem.in_domain(&theta)
            && !problem.in_target(&theta)
        {
            points.push(std::array::from_fn(|d| theta[d]));
        }
    }
    Ok(points)
}
