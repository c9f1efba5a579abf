//! `/escape_path`: the path of least action and the formulas for small noise, beside the rate of the grid.

use super::config::EscapePath;
use super::least_action::{LeastAction, MOST_SADDLES};
use super::level::Level;
use super::on_grid::interpolate;
use super::problem::Problem;
use super::small_noise::{SmallNoise, limiting, small_noise_rate};
use crate::error::Result;
use crate::math::Point;
use crate::output::{Group, Record};
use crate::path::{Path, geometric_action};

/// The group; `escape` holds the numbers of the grid, `level` its finest one.
pub(super) fn run<const D: usize>(
    problem: &Problem<D>,
    keys: &EscapePath,
    level: &Level<D>,
    escape: &Group,
) -> Result<Group> {
    let mut group = Group::new("escape_path")?.with_description(
        "path of least action from the attractor of the start, and escape rates for small noise, without a grid",
    );
    let found = match LeastAction::new(problem, keys) {
        Ok(found) => found,
        Err(reason) => {
            let reason = reason.to_string();
            group.set_attribute("left_out", reason.as_str())?;
            push_formula(&mut group, &format!("none: {reason}"))?;
            return Ok(group);
        }
    };
    push_path(&mut group, problem, level, &found)?;
    push_saddles(&mut group, problem, &found)?;
    match small_noise_rate(problem, &found, keys.points) {
        Ok(rate) => push_rate(&mut group, &rate, escape)?,
        Err(reason) => {
            group.set_attribute("escape_rate_theory_left_out", reason.as_str())?;
            push_formula(&mut group, &format!("none: {reason}"))?;
        }
    }
    Ok(group)
}

fn push_formula(group: &mut Group, text: &str) -> Result<()> {
    let description = "formula of escape_rate_theory, or why there is none";
    group.push(Record::scalar("formula", "text", text)?.with_description(description))
}

fn push_path<const D: usize>(
    group: &mut Group,
    problem: &Problem<D>,
    level: &Level<D>,
    found: &LeastAction<D>,
) -> Result<()> {
    let points = found.path.points();
    let along = [("point", points.len())];
    let components: Vec<f64> = (1..=D).map(|k| k as f64).collect();
    group.push(
        Record::coordinate("component", "1", components)?.with_description("variables, counted from 1"),
    )?;
    let position: Vec<f64> = points.iter().flat_map(|theta| theta.iter().copied()).collect();
    group.push(
        Record::new("position", "1", &[along[0], ("component", D)], position)?
            .with_symbol("φ")
            .with_description("path of least action, points at equal distances"),
    )?;
    let mut push = |name: &str, symbol: &str, description: &str, values: Vec<f64>| {
        let record = Record::new(name, "1", &along, values)?.with_symbol(symbol);
        group.push(record.with_description(description).with_missing(super::OUTSIDE))
    };
    push(
        "arclength",
        "s",
        "length of the path up to the point",
        found.path.arclengths(),
    )?;
    push(
        "action",
        "S",
        "geometric action of the path up to the point; flat where the drift carries along it",
        accumulated(problem, points)?,
    )?;
    if let Some(landscape) = problem.drift.landscape() {
        let loss = points.iter().map(|theta| landscape.loss(theta)).collect();
        push("loss", "L", "loss along the path", loss)?;
    }
    if let Some(field) = level.fields.iter().find(|f| f.name == "effective_potential") {
        let potential = points
            .iter()
            .map(|theta| interpolate(level.grid(), &field.values, theta))
            .map(|value| if value.is_finite() { value } else { f64::NAN })
            .collect();
        let description = "-ln of the stationary density along the path, interpolated on the finest grid";
        push("effective_potential", "Φ", description, potential)?;
    }
    Ok(())
}

/// The action up to each point.
fn accumulated<const D: usize>(problem: &Problem<D>, points: &[Point<D>]) -> Result<Vec<f64>> {
    let (diffusion, mut sum, mut action) = (problem.ito(), 0.0, vec![0.0]);
    for pair in points.windows(2) {
        sum += geometric_action(&diffusion, &Path::new(pair.to_vec())?)?;
        action.push(sum);
    }
    Ok(action)
}

fn push_saddles<const D: usize>(
    group: &mut Group,
    problem: &Problem<D>,
    found: &LeastAction<D>,
) -> Result<()> {
    const NO_MORE: &str = "the path passes no further saddle";
    // of one size for all paths, so that those of a sweep can be stacked
    let padded = |values: Vec<f64>, size: usize| {
        let missing = size - values.len();
        values
            .into_iter()
            .chain(std::iter::repeat_n(f64::NAN, missing))
            .collect::<Vec<f64>>()
    };
    let positions = found
        .saddles
        .iter()
        .flat_map(|s| s.position.iter().copied())
        .collect();
    let shape = [("saddle", MOST_SADDLES), ("component", D)];
    group.push(
        Record::new(
            "saddle_position",
            "1",
            &shape,
            padded(positions, MOST_SADDLES * D),
        )?
        .with_description("saddles on the path in order, by Newton's method")
        .with_missing(NO_MORE),
    )?;
    if let Some(landscape) = problem.drift.landscape() {
        let losses = found
            .saddles
            .iter()
            .map(|s| landscape.loss(&s.position))
            .collect();
        group.push(
            Record::new(
                "saddle_loss",
                "1",
                &[("saddle", MOST_SADDLES)],
                padded(losses, MOST_SADDLES),
            )?
            .with_description("loss at the saddles")
            .with_missing(NO_MORE),
        )?;
        if let Some(saddle) = limiting(problem, found) {
            let barrier = landscape.loss(&saddle.position) - landscape.loss(&found.path.start());
            group.push(
                Record::scalar("loss_barrier", "1", barrier)?
                    .with_symbol("ΔL")
                    .with_description("loss of the highest saddle less that of the attractor of the start"),
            )?;
        }
    }
    let instanton = match &found.instanton {
        Ok(instanton) => instanton,
        Err(reason) => return group.set_attribute("exponent_left_out", reason.as_str()),
    };
    group.push(Record::scalar("exponent", "1", instanton.action)?.with_symbol("V").with_description(
        "quasi-potential of the first saddle, or of the end of a path without one: an upper bound, the lowest of several local minima",
    ))?;
    group.push(
        Record::scalar("exponent_error", "1", instanton.error)?
            .with_description("discretisation error of exponent; a path of another shape may be lower"),
    )
}

fn push_rate(group: &mut Group, rate: &SmallNoise, escape: &Group) -> Result<()> {
    let name = "escape_rate_theory";
    let value = rate.log_rate.exp();
    push_formula(group, rate.formula)?;
    let regime = format!("{}: {}", rate.formula, rate.regime);
    for (name, unit, value, description) in [
        (name.to_string(), "1/time", value, regime.as_str()),
        (
            format!("{name}_error"),
            "1/time",
            value * rate.error,
            "discretisation error of what enters the formula; the formula itself is uncertain by escape_rate_theory_expected_deviation",
        ),
        (
            format!("{name}_expected_deviation"),
            "1",
            rate.deviation,
            "scale of the relative error of the formula: 1/exponent, noise over barrier",
        ),
        (
            format!("{name}_log"),
            "1",
            rate.log_rate,
            "natural logarithm of escape_rate_theory, below the smallest number too",
        ),
    ] {
        group.push(Record::scalar(&name, unit, value)?.with_description(description))?;
    }
    if let Some(barrier) = rate.reduced_barrier {
        for (name, value, description) in [
            (
                "reduced_barrier",
                barrier,
                "loss barrier over T, by Newton's method; exponent must be the same",
            ),
            (
                "reduced_barrier_error",
                barrier * rate.error,
                "bound of its error",
            ),
        ] {
            group.push(Record::scalar(name, "1", value)?.with_description(description))?;
        }
    }
    let number = |name: &str| escape.record(name).and_then(Record::numbers).map(|v| v[0]);
    let (Some(grid), Some(error)) = (number("escape_rate"), number("escape_rate_error")) else {
        return Ok(());
    };
    for (name, value, description) in [
        ("escape_rate", grid, "rate of the grid, as in /escape"),
        ("escape_rate_error", error, "its discretisation error"),
    ] {
        group.push(Record::scalar(name, "1/time", value)?.with_description(description))?;
    }
    if let Some(reason) = rate.incomparable {
        return group.set_attribute("not_compared", reason);
    }
    if value > 0.0 && grid > 0.0 {
        let description =
            "rate of the grid over escape_rate_theory: 1 up to escape_rate_theory_expected_deviation";
        group.push(Record::scalar("escape_rate_ratio", "1", grid / value)?.with_description(description))?;
    }
    Ok(())
}
