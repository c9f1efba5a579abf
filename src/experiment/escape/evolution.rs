//! What happens in time: the law of the first-passage time, and the density that begins at the start.

use super::config::Escape;
use super::extrapolate::{Extrapolated, LEVELS};
use super::level::Level;
use super::problem::Problem;
use super::wrong;
use crate::error::Result;
use crate::observables::{first_passage_law, transient_density};
use crate::output::{Group, Record};

/// Local error of a time step of the law, relative to its maximum.
const STEP_TOLERANCE: f64 = 1e-5;
/// Error in time of a density, Σ |error| over the cells.
const DENSITY_TOLERANCE: f64 = 1e-4;

/// Checks the times.
pub(super) fn check(task: &Escape) -> Result<()> {
    for (key, times) in [
        ("first_passage_times", &task.first_passage_times),
        ("density_times", &task.density_times),
    ] {
        let increasing = times.windows(2).all(|pair| pair[1] > pair[0]);
        if !increasing || times.iter().any(|t| !(*t > 0.0 && t.is_finite())) {
            return Err(wrong(key, "positive times in increasing order are needed"));
        }
    }
    Ok(())
}

/// Adds the survival probability at `first_passage_times` and the density at `density_times`.
pub(super) fn run<const D: usize>(
    task: &Escape,
    problem: &Problem<D>,
    levels: &[Level<D>; LEVELS],
    shape: &[(&str, usize)],
    group: &mut Group,
) -> Result<()> {
    if !task.first_passage_times.is_empty() {
        law(task, problem, levels, group)?;
    }
    if task.density_times.is_empty() {
        return Ok(());
    }
    let fine = &levels[LEVELS - 1];
    let initial = fine.initial(problem);
    let (mut values, mut errors, mut negative) = (Vec::new(), Vec::new(), Vec::new());
    for &time in &task.density_times {
        let law = transient_density(&fine.generator, &initial, time, DENSITY_TOLERANCE)?;
        let density = law.probability.iter().enumerate();
        values.extend(density.map(|(cell, p)| p / fine.grid().volume(cell)));
        errors.push(law.error);
        negative.push(law.negative);
    }
    let count = task.density_times.len();
    group.push(
        Record::coordinate("density_time", "time", task.density_times.clone())?
            .with_description("time since the start, at which the density is given"),
    )?;
    let mut dimensions = vec![("density_time", count)];
    dimensions.extend(shape);
    group.push(
        Record::new("density", "1", &dimensions, values)?
            .with_symbol("p(t)")
            .with_description("density of the process that begins at the start; absorbing ends remove it, the target does not"),
    )?;
    group.push(
        Record::new("density_error", "1", &[("density_time", count)], errors)?.with_description(
            "estimated error in time, summed over the cells; that of the grid is of second order",
        ),
    )?;
    group.push(
        Record::new("density_negative", "1", &[("density_time", count)], negative)?.with_description(
            "sum of negative probabilities, an error of the time steps that density_error counts",
        ),
    )
}

fn law<const D: usize>(
    task: &Escape,
    problem: &Problem<D>,
    levels: &[Level<D>; LEVELS],
    group: &mut Group,
) -> Result<()> {
    let times = &task.first_passage_times;
    let mut laws = Vec::with_capacity(LEVELS);
    for level in levels {
        let law = first_passage_law(&level.generator, &level.target, times, STEP_TOLERANCE)?;
        let at =
            |values: &[Vec<f64>]| -> Vec<f64> { values.iter().map(|v| level.at_start(problem, v)).collect() };
        laws.push((at(&law.survival), at(&law.distribution), law.steps.error));
    }
    let smooth = problem.fitted && problem.sublevel.is_none();
    group.push(
        Record::coordinate("first_passage_time", "time", times.clone())?
            .with_description("time since the start, at which the law of the first-passage time is given"),
    )?;
    for (name, symbol, description, distribution) in [
        (
            "survival",
            "S",
            "probability that the target has not been reached yet",
            false,
        ),
        (
            "first_passage_distribution",
            "F",
            "probability that the target has been reached",
            true,
        ),
    ] {
        let results: Vec<(f64, f64)> = (0..times.len())
            .map(|k| {
                let of = |law: &(Vec<f64>, Vec<f64>, f64)| if distribution { law.1[k] } else { law.0[k] };
                let number = Extrapolated::new([of(&laws[0]), of(&laws[1]), of(&laws[2])], smooth, 0.0);
                (number.value, number.error + laws[LEVELS - 1].2)
            })
            .collect();
        let (values, errors): (Vec<f64>, Vec<f64>) = results.into_iter().unzip();
        let shape = [("first_passage_time", times.len())];
        group.push(
            Record::new(name, "1", &shape, values)?
                .with_symbol(symbol)
                .with_description(description),
        )?;
        group.push(
            Record::new(&format!("{name}_error"), "1", &shape, errors)?.with_description(
                "discretisation error from three grids, with the bound of the error in time",
            ),
        )?;
    }
    Ok(())
}
