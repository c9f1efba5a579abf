//! What happens in time: the law of the first-passage time, and the density that begins at the start.

use super::config::Escape;
use super::extrapolate::{Extrapolated, LEVELS};
use super::level::Level;
use super::on_grid::parent;
use super::problem::Problem;
use super::wrong;
use crate::error::Result;
use crate::observables::{first_passage_law, transient_density};
use crate::output::{Group, Record};

/// Local error of a time step of the law, relative to its maximum: on a line, where steps are cheap, and in the plane.
const STEP_TOLERANCE: [f64; 2] = [1e-8, 1e-5];
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
    let [_, middle, fine] = levels;
    let (from_middle, initial) = (middle.initial(problem), fine.initial(problem));
    let (mut values, mut errors, mut negative) = (Vec::new(), Vec::new(), Vec::new());
    for &time in &task.density_times {
        let coarse = transient_density(&middle.generator, &from_middle, time, DENSITY_TOLERANCE)?;
        let law = transient_density(&fine.generator, &initial, time, DENSITY_TOLERANCE)?;
        let mut change = coarse.probability;
        for (cell, p) in law.probability.iter().enumerate() {
            change[parent(fine.grid(), middle.grid(), cell)] -= p;
        }
        let density = law.probability.iter().enumerate();
        values.extend(density.map(|(cell, p)| p / fine.grid().volume(cell)));
        errors.push(law.error + change.iter().map(|c| c.abs()).sum::<f64>());
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
    let law = |level: &Level<D>, tolerance: f64| -> Result<[Vec<f64>; 2]> {
        let law = first_passage_law(&level.generator, &level.target, times, tolerance)?;
        let at =
            |values: &[Vec<f64>]| -> Vec<f64> { values.iter().map(|v| level.at_start(problem, v)).collect() };
        Ok([at(&law.survival), at(&law.distribution)])
    };
    let tolerance = STEP_TOLERANCE[usize::from(D > 1)];
    let laws = [
        law(&levels[0], tolerance)?,
        law(&levels[1], tolerance)?,
        law(&levels[2], tolerance)?,
    ];
    // an eighth of the tolerance halves the steps: at order 2 the difference is three quarters of the error in time
    let halved = law(&levels[0], tolerance / 8.0)?;
    let smooth = problem.fitted && problem.sublevel.is_none();
    group.push(
        Record::coordinate("first_passage_time", "time", times.clone())?
            .with_description("time since the start, at which the law of the first-passage time is given"),
    )?;
    for (k, name, symbol, description) in [
        (
            0,
            "survival",
            "S",
            "probability that the target has not been reached yet",
        ),
        (
            1,
            "first_passage_distribution",
            "F",
            "probability that the target has been reached",
        ),
    ] {
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for t in 0..times.len() {
            let number = Extrapolated::new([laws[0][k][t], laws[1][k][t], laws[2][k][t]], smooth, 0.0);
            let in_time = (laws[0][k][t] - halved[k][t]).abs() * 4.0 / 3.0;
            values.push(number.value);
            errors.push(number.error + in_time);
        }
        let shape = [("first_passage_time", times.len())];
        group.push(
            Record::new(name, "1", &shape, values)?
                .with_symbol(symbol)
                .with_description(description),
        )?;
        group.push(
            Record::new(&format!("{name}_error"), "1", &shape, errors)?.with_description(
                "discretisation error from three grids, with the error in time from halved steps",
            ),
        )?;
    }
    Ok(())
}
