//! Task: stationary law, escape, relaxation and transitions of a landscape and a noise of one's own, each number with its error.

mod axes;
mod basin;
pub mod config;
mod evolution;
mod extrapolate;
mod field;
mod integral;
mod least_action;
mod level;
mod on_grid;
mod problem;
mod set;
mod simulate;
mod small_noise;
mod table;
mod theory;

use super::progress::Progress;
use crate::error::{Error, Result};
use crate::landscape::TwoValley;
use crate::math::Point;
use crate::output::{Group, Record};
use crate::task::setting::Setting;
use crate::task::work::{Task, Work};
pub use config::Escape;

fn under(section: &str, error: Error) -> Error {
    error.at(section)
}

impl Task for Escape {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (*setting.two_valley()?.landscape(), self.clone(), setting.seed);
        check(&task, &model)?;
        Ok(Box::new(move |progress| run(&task, &model, seed, progress)))
    }
}

use extrapolate::{Extrapolated, LEVELS};
use level::Level;
use on_grid::parent;
use problem::Problem;

/// Meaning of NaN in fields.
const OUTSIDE: &str = "outside the sublevel of the loss, or not a finite number there";

/// Checks every key; `two_valley` is the landscape of `[landscape]`.
pub(crate) fn check(task: &Escape, two_valley: &TwoValley) -> Result<()> {
    match task.variables.len() {
        1 => check_problem(task, &Problem::new(task, two_valley, field::on_a_line)?),
        2 => check_problem(task, &Problem::new(task, two_valley, field::in_the_plane)?),
        _ => Err(dimensions(task)),
    }
}

/// `/escape`, and `/escape_path` if asked for.
pub(crate) fn run(
    task: &Escape,
    two_valley: &TwoValley,
    seed: u64,
    progress: &Progress,
) -> Result<Vec<Group>> {
    match task.variables.len() {
        1 => {
            let problem = Problem::new(task, two_valley, field::on_a_line)?;
            let mut groups = solve(task, &problem, seed, progress)?;
            if let Some(escape) = groups.first_mut() {
                integral::push(&problem, escape)?;
            }
            Ok(groups)
        }
        2 => solve(
            task,
            &Problem::new(task, two_valley, field::in_the_plane)?,
            seed,
            progress,
        ),
        _ => Err(dimensions(task)),
    }
}

fn check_problem<const D: usize>(task: &Escape, problem: &Problem<D>) -> Result<()> {
    evolution::check(task)?;
    if let Some(path) = &task.path {
        least_action::check(problem, path)?;
    }
    match &task.simulation {
        Some(simulation) => simulate::check(problem, simulation, None),
        None => Ok(()),
    }
}

fn dimensions(task: &Escape) -> Error {
    wrong(
        "variables",
        format!("one or two variables are possible, not {}", task.variables.len()),
    )
}

fn wrong(key: &str, message: impl Into<String>) -> Error {
    Error::Config {
        key: format!("escape.{key}"),
        message: message.into(),
    }
}

fn point<const D: usize>(key: &str, values: &[f64]) -> Result<Point<D>> {
    if values.len() != D || values.iter().any(|v| !v.is_finite()) {
        return Err(wrong(
            key,
            format!("{D} finite numbers are needed, one a variable"),
        ));
    }
    Ok(Point::<D>::from_column_slice(values))
}

fn solve<const D: usize>(
    task: &Escape,
    problem: &Problem<D>,
    seed: u64,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let bar = progress.task("escape", LEVELS as u64 + 1);
    let mut levels = Vec::with_capacity(LEVELS);
    for k in 0..LEVELS {
        let level = Level::new(problem, k, task.slow_modes).map_err(|e| cut(problem, e))?;
        if let (0, Some(simulation)) = (k, &task.simulation) {
            simulate::check(problem, simulation, Some(mean_time(&level)))?;
        }
        levels.push(level);
        bar.advance(1);
    }
    let levels: [Level<D>; LEVELS] = levels.try_into().map_err(|_| dimensions(task))?;
    let [coarse, middle, fine] = &levels;
    let mut group = Group::new("escape")?.with_description(
        "stationary law, escape and relaxation of dθ = b dt + sqrt(2D) dW; numbers extrapolated from three grids, fields on the finest",
    );
    group.set_attribute("calculus", format!("{:?}", problem.calculus))?;
    group.set_attribute("alpha", problem.calculus.alpha())?;
    if !fine.factorisation.is_empty() {
        group.set_attribute("factorisation_of_the_gap", fine.factorisation.as_str())?;
    }
    let shape = push_fields(&mut group, task, problem, fine)?;
    push_changes(&mut group, problem, middle, fine)?;
    evolution::run(task, problem, &levels, &shape, &mut group)?;
    bar.advance(1);
    for number in &fine.numbers {
        let at = |level: &Level<D>| {
            level
                .numbers
                .iter()
                .find(|n| n.name == number.name)
                .map(|n| n.value)
        };
        // a number that did not converge on a coarser grid is named in `left_out`
        if let (Some(first), Some(second)) = (at(coarse), at(middle)) {
            Extrapolated::new([first, second, number.value], number.smooth, number.solver).push(
                &mut group,
                &number.name,
                number.unit,
                number.description,
            )?;
        }
    }
    let left_out: Vec<&str> = levels
        .iter()
        .flat_map(|l| &l.left_out)
        .map(String::as_str)
        .collect();
    if !left_out.is_empty() {
        group.set_attribute("left_out", left_out.join("; "))?;
    }
    group.push(
        Record::scalar("slow_mode_frequency", "1/time", fine.frequency)?.with_description(
            "imaginary part of the slowest eigenvalue on the finest grid; zero with detailed balance",
        ),
    )?;
    if let Some(simulation) = &task.simulation {
        simulate::run(
            problem,
            simulation,
            fine,
            mean_time(fine),
            seed,
            progress,
            &mut group,
        )?;
    }
    let path = task
        .path
        .as_ref()
        .map(|path| theory::run(problem, path, fine, &group))
        .transpose()?;
    Ok([Some(group), path].into_iter().flatten().collect())
}

/// Says what may have cut the domain when some cells cannot be reached, or weights leave the range of numbers.
fn cut<const D: usize>(problem: &Problem<D>, error: Error) -> Error {
    let advice = if problem.sublevel.is_some() {
        "the part of the domain below escape.sublevel may fall apart"
    } else {
        "escape.domain may reach where the noise never gets (walls above about 700 in units of the noise), or the cells may be too few for its strength"
    };
    match error {
        Error::Unreachable { target, reason } => Error::Unreachable {
            target,
            reason: format!("{reason}; {advice}"),
        },
        Error::NotFinite { quantity, reason } => Error::NotFinite {
            quantity,
            reason: format!("{reason}; {advice}"),
        },
        other => other,
    }
}

fn mean_time<const D: usize>(level: &Level<D>) -> f64 {
    let number = level.numbers.iter().find(|n| n.name == "mean_first_passage_time");
    number.map_or(f64::NAN, |n| n.value)
}

/// How far the fields of the finest grid, averaged over the cells of the middle one, are from those of the middle one.
fn push_changes<const D: usize>(
    group: &mut Group,
    problem: &Problem<D>,
    middle: &Level<D>,
    fine: &Level<D>,
) -> Result<()> {
    let grid = middle.grid();
    for field in &fine.fields {
        let Some(coarse) = middle.fields.iter().find(|f| f.name == field.name) else {
            continue;
        };
        let width = field.entries.map_or(1, |(_, n)| n);
        let mut averages = vec![0.0; coarse.values.len()];
        for (k, value) in field.values.iter().enumerate() {
            averages[parent(fine.grid(), grid, k / width) * width + k % width] += value / f64::from(1 << D);
        }
        let (mut change, mut largest) = (0.0_f64, 0.0_f64);
        for (k, (a, b)) in coarse.values.iter().zip(&averages).enumerate() {
            if a.is_finite() && b.is_finite() && problem.in_domain(&grid.centre(k / width)) {
                change = change.max((a - b).abs());
                largest = largest.max(b.abs());
            }
        }
        // a field that is zero everywhere has not changed
        let relative = if change == 0.0 { 0.0 } else { change / largest };
        group.push(
            Record::scalar(&format!("{}_change", field.name), "1", relative)?.with_description(
                "largest change from the middle to the finest grid over the largest value; the error left is a third of it at order 2",
            ),
        )?;
    }
    Ok(())
}

/// Writes the fields and returns the dimensions of those with one entry a cell.
fn push_fields<'a, const D: usize>(
    group: &mut Group,
    task: &'a Escape,
    problem: &Problem<D>,
    level: &Level<D>,
) -> Result<Vec<(&'a str, usize)>> {
    let grid = level.grid();
    let mut shape: Vec<(&str, usize)> = Vec::new();
    for (name, axis) in task.variables.iter().zip(grid.axes()) {
        group
            .push(Record::coordinate(name, "1", axis.centres().to_vec())?.with_description("cell centres"))?;
        shape.push((name, axis.cells()));
        let faces = Record::coordinate(&format!("{name}_face"), "1", axis.faces().to_vec())?;
        group.push(faces.with_description("faces of the cells, one more than there are cells"))?;
    }
    for (name, count) in [("component", D), ("mode", task.slow_modes)] {
        if level.fields.iter().any(|f| f.entries == Some((name, count))) {
            let numbers: Vec<f64> = (1..=count).map(|k| k as f64).collect();
            group.push(Record::coordinate(name, "1", numbers)?.with_description("counted from 1"))?;
        }
    }
    let inside: Vec<bool> = (0..grid.cells())
        .map(|i| problem.in_domain(&grid.centre(i)))
        .collect();
    for field in &level.fields {
        let width = field.entries.map_or(1, |(_, n)| n);
        let values: Vec<f64> = field
            .values
            .iter()
            .enumerate()
            .map(|(k, v)| if inside[k / width] { *v } else { f64::NAN })
            .collect();
        let mut shape = shape.clone();
        shape.extend(field.entries);
        group.push(
            Record::new(field.name, field.unit, &shape, values)?
                .with_symbol(field.symbol)
                .with_description(field.description)
                .with_missing(OUTSIDE),
        )?;
    }
    Ok(shape)
}
