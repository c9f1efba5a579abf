//! Task: stationary law, escape time, escape rate, gap and committor of a landscape and a noise of one's own, each with its error.

use super::escape_config::Escape;
use super::escape_problem::{Problem, expression, planar};
use super::progress::Progress;
use crate::error::{Error, Result};
use crate::generator::{Discretisation, Generator};
use crate::grid::Grid;
use crate::math::Point;
use crate::observables::{
    committor, effective_potential, log_stationary_probability, mean_first_passage_time, quasi_stationary,
    slow_modes, spectral_gap,
};
use crate::output::{Group, Record};
use crate::statistics::convergence::{observed_order, richardson};

/// Grids of successively halved cells.
const LEVELS: usize = 3;
/// Meaning of NaN in fields.
const OUTSIDE: &str = "outside the sublevel of the loss, or not a finite number there";

pub(super) fn check(task: &Escape) -> Result<()> {
    match task.variables.len() {
        1 => Problem::<1>::new(task, expression(task)?).map(|_| ()),
        2 => Problem::<2>::new(task, planar(task)?).map(|_| ()),
        _ => Err(dimensions(task)),
    }
}

/// `/escape`.
pub(super) fn run(task: &Escape, progress: &Progress) -> Result<Vec<Group>> {
    match task.variables.len() {
        1 => solve(task, &Problem::<1>::new(task, expression(task)?)?, progress),
        2 => solve(task, &Problem::<2>::new(task, planar(task)?)?, progress),
        _ => Err(dimensions(task)),
    }
}

fn dimensions(task: &Escape) -> Error {
    Error::Config {
        key: "escape.variables".into(),
        message: format!("one or two variables are possible, not {}", task.variables.len()),
    }
}

/// Results on one grid.
struct Level<const D: usize> {
    grid: Grid<D>,
    log_probability: Vec<f64>,
    potential: Vec<f64>,
    first_passage: Vec<f64>,
    committor: Option<Vec<f64>>,
    mean_first_passage: f64,
    escape_rate: f64,
    gap: f64,
    oscillation: f64,
}

/// A number of three grids with its error.
struct Extrapolated {
    value: f64,
    error: f64,
    order: f64,
}

/// Second order where it is expected and observed; else an observed order of at most 2.5, as more is an accident; else the finest grid with the largest change
/// between grids as error. Edges of sets that cut through cells move with the grid, so that nothing is extrapolated then.
fn extrapolate(levels: [f64; LEVELS], smooth: bool) -> Extrapolated {
    let order = observed_order(levels, 2.0).unwrap_or(f64::NAN);
    let changes = [levels[1] - levels[0], levels[2] - levels[1]].map(f64::abs);
    let second = smooth.then(|| richardson(&levels, 2.0, Some(2.0)).ok()).flatten();
    let observed = (smooth && (0.5..2.5).contains(&order))
        .then(|| richardson(&levels, 2.0, None).ok())
        .flatten();
    // Sums over the cells of positive terms: their rounding bounds what any grid can know.
    let rounding = 1e-13 * levels[2].abs();
    match second.or(observed) {
        Some(limit) => Extrapolated {
            value: limit.limit,
            error: limit.error + rounding,
            order,
        },
        None => Extrapolated {
            value: levels[2],
            error: changes[0].max(changes[1]) + rounding,
            order,
        },
    }
}

/// Multilinear interpolation between cell centres, second order.
fn interpolate<const D: usize>(grid: &Grid<D>, values: &[f64], at: &Point<D>) -> f64 {
    let (mut low, mut weight) = ([0; D], [0.0; D]);
    for (d, axis) in grid.axes().iter().enumerate() {
        if axis.cells() > 1 {
            let right = axis
                .centres()
                .partition_point(|&c| c < at[d])
                .clamp(1, axis.cells() - 1);
            low[d] = right - 1;
            weight[d] = (at[d] - axis.centre(right - 1)) / (axis.centre(right) - axis.centre(right - 1));
        }
    }
    (0..1_usize << D)
        .map(|corner| {
            let (mut cell, mut share) = (0, 1.0);
            for (d, axis) in grid.axes().iter().enumerate() {
                let upper = corner >> d & 1;
                cell = cell * axis.cells() + (low[d] + upper).min(axis.cells() - 1);
                share *= if upper == 1 { weight[d] } else { 1.0 - weight[d] };
            }
            share * values[cell]
        })
        .sum()
}

fn level<const D: usize>(problem: &Problem<D>, grid: Grid<D>) -> Result<Level<D>> {
    let (start, target) = problem.sets(&grid)?;
    let discretisation = Discretisation {
        domain: problem.domain(&grid)?,
        ..Discretisation::default()
    };
    let generator = Generator::assemble_with(problem, grid, &discretisation)?;
    let grid = generator.grid().clone();
    let log_probability = log_stationary_probability(&generator)?;
    let first_passage = mean_first_passage_time(&generator, &target)?;
    let mean_first_passage = match (&start, problem.start.as_point()) {
        (Some(start), _) => {
            let inside: Vec<usize> = (0..grid.cells()).filter(|&i| start.contains(i)).collect();
            let most = inside
                .iter()
                .map(|&i| log_probability[i])
                .fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = inside
                .iter()
                .map(|&i| (log_probability[i] - most).exp())
                .collect();
            let sum: f64 = inside
                .iter()
                .zip(&weights)
                .map(|(&i, w)| w * first_passage[i])
                .sum();
            sum / weights.iter().sum::<f64>()
        }
        (None, Some(at)) => interpolate(&grid, &first_passage, at),
        (None, None) => f64::NAN,
    };
    let (gap, oscillation) = if D == 1 {
        (spectral_gap(&generator)?.rate, 0.0)
    } else {
        let modes = slow_modes(&generator, 1)?;
        let slowest = modes
            .first()
            .map_or((f64::NAN, f64::NAN), |m| (m.eigenvalue.re, m.eigenvalue.im));
        (-slowest.0, slowest.1.abs())
    };
    Ok(Level {
        potential: effective_potential(&generator)?,
        committor: start
            .map(|start| committor(&generator, &start, &target))
            .transpose()?,
        escape_rate: quasi_stationary(&generator, &target)?.escape_rate,
        grid,
        log_probability,
        first_passage,
        mean_first_passage,
        gap,
        oscillation,
    })
}

fn solve<const D: usize>(task: &Escape, problem: &Problem<D>, progress: &Progress) -> Result<Vec<Group>> {
    let bar = progress.task("escape", LEVELS as u64);
    let mut grid = problem.grid.clone();
    let mut levels = Vec::with_capacity(LEVELS);
    for _ in 0..LEVELS {
        let finer = grid.refined();
        levels.push(level(problem, grid)?);
        grid = finer;
        bar.advance(1);
    }
    let [coarse, middle, fine] = levels.as_slice() else {
        return Err(dimensions(task));
    };
    let scalar =
        |of: fn(&Level<D>) -> f64, smooth: bool| extrapolate([of(coarse), of(middle), of(fine)], smooth);
    let mut group = Group::new("escape")?.with_description(
        "stationary law, escape and relaxation of dθ = -∇L dt + sqrt(2D) dW (Ito, reflecting ends); fields on the finest of three grids",
    );
    let names: Vec<&str> = task.variables.iter().map(String::as_str).collect();
    for (name, axis) in names.iter().zip(fine.grid.axes()) {
        group
            .push(Record::coordinate(name, "1", axis.centres().to_vec())?.with_description("cell centres"))?;
    }
    let shape: Vec<(&str, usize)> = names
        .iter()
        .zip(fine.grid.axes())
        .map(|(name, axis)| (*name, axis.cells()))
        .collect();
    let cells = fine.grid.cells();
    let loss: Vec<f64> = (0..cells).map(|i| problem.loss(&fine.grid.centre(i))).collect();
    let density: Vec<f64> = (0..cells)
        .map(|i| (fine.log_probability[i] - fine.grid.volume(i).ln()).exp())
        .collect();
    let domain = problem.domain(&fine.grid)?;
    let inside: Vec<bool> = (0..cells)
        .map(|i| domain.as_ref().is_none_or(|d| d.contains(i)))
        .collect();
    let mut field = |name: &str, unit: &str, symbol: &str, description: &str, values: Vec<f64>| {
        let values: Vec<f64> = values
            .into_iter()
            .zip(&inside)
            .map(|(v, inside)| if *inside { v } else { f64::NAN })
            .collect();
        group.push(
            Record::new(name, unit, &shape, values)?
                .with_symbol(symbol)
                .with_description(description)
                .with_missing(OUTSIDE),
        )
    };
    field("loss", "1", "L", "loss at the cell centres", loss)?;
    field("stationary_density", "1", "p", "stationary density", density)?;
    field(
        "effective_potential",
        "1",
        "Φ",
        "-ln p, zero at its minimum",
        fine.potential.clone(),
    )?;
    field(
        "mean_first_passage_time_field",
        "time",
        "τ",
        "mean time to reach the target from the cell centre; zero inside the target",
        fine.first_passage.clone(),
    )?;
    if let Some(q) = &fine.committor {
        field(
            "committor",
            "1",
            "q",
            "probability to reach the target before the start",
            q.clone(),
        )?;
    }
    let mut number = |name: &str, unit: &str, description: &str, of: fn(&Level<D>) -> f64, smooth: bool| {
        let result = scalar(of, smooth);
        group.push(Record::scalar(name, unit, result.value)?.with_description(description))?;
        group.push(
            Record::scalar(&format!("{name}_error"), unit, result.error)?
                .with_description("discretisation error from three grids"),
        )?;
        group.push(
            Record::scalar(&format!("{name}_order"), "1", result.order)?
                .with_description("observed order of convergence; extrapolated only near the order expected")
                .with_missing("the changes between grids do not shrink with one sign"),
        )
    };
    let smooth = problem.fitted && problem.fitted_domain;
    number(
        "mean_first_passage_time",
        "time",
        "from the start point, or averaged over the start set with the stationary weights",
        |l| l.mean_first_passage,
        smooth,
    )?;
    number(
        "escape_rate",
        "1/time",
        "quasi-stationary rate into the target",
        |l| l.escape_rate,
        smooth,
    )?;
    number(
        "spectral_gap",
        "1/time",
        "slowest relaxation rate, no sets involved",
        |l| l.gap,
        problem.fitted_domain,
    )?;
    group.push(
        Record::scalar("slow_mode_frequency", "1/time", fine.oscillation)?.with_description(
            "imaginary part of the slowest eigenvalue on the finest grid; zero with detailed balance",
        ),
    )?;
    Ok(vec![group])
}
