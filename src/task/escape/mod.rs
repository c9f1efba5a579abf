//! Task: stationary law, escape, relaxation and transitions of a landscape and a noise of one's own, each number with its error.

pub mod config;
mod model;
mod records;

use super::progress::Progress;
use crate::error::{Error, Result};
use crate::escape::{
    LEVELS, LeastActionSettings, Problem, Settings, Simulation, SimulationMethod, least_action,
    mean_first_passage_time_integral, simulate, small_noise_rate, why_no_integral,
};
use crate::landscape::TwoValley;
use crate::output::Group;
use config::{Escape, EscapeMethod, EscapePath, EscapeSimulation};

/// A checked problem of `[escape]`.
pub(crate) enum Prepared {
    /// Of one variable.
    Line(Box<Problem<1>>),
    /// Of two variables.
    Plane(Box<Problem<2>>),
}

/// Checks every key and builds the problem; `two_valley` is the landscape of `[landscape]`.
pub(crate) fn prepare(task: &Escape, two_valley: &TwoValley) -> Result<Prepared> {
    let prepared = match task.variables.len() {
        1 => model::problem(task, two_valley, model::on_a_line)
            .and_then(|problem| check(task, problem).map(Prepared::Line)),
        2 => model::problem(task, two_valley, model::in_the_plane)
            .and_then(|problem| check(task, problem).map(Prepared::Plane)),
        n => Err(Error::config(
            "variables",
            format!("one or two variables are possible, not {n}"),
        )),
    };
    prepared.map_err(|e| e.at("escape"))
}

/// `/escape`, and `/escape_path` if asked for.
pub(crate) fn run(task: &Escape, prepared: &Prepared, seed: u64, progress: &Progress) -> Result<Vec<Group>> {
    let groups = match prepared {
        Prepared::Line(problem) => solve(task, problem, seed, progress).and_then(|mut groups| {
            if let Some(escape) = groups.first_mut() {
                let found = match why_no_integral(problem) {
                    Some(reason) => Err(reason.to_string()),
                    None => mean_first_passage_time_integral(problem).map_err(|e| e.to_string()),
                };
                records::push_integral(escape, found)?;
            }
            Ok(groups)
        }),
        Prepared::Plane(problem) => solve(task, problem, seed, progress),
    };
    groups.map_err(|e| e.at("escape"))
}

fn check<const D: usize>(task: &Escape, problem: Problem<D>) -> Result<Box<Problem<D>>> {
    settings(task).check()?;
    if let Some(keys) = &task.path {
        path_settings(keys)
            .and_then(|settings| settings.check(&problem))
            .map_err(|e| e.at("path"))?;
    }
    if let Some(keys) = &task.simulation {
        simulation(keys).check(&problem).map_err(|e| e.at("simulation"))?;
    }
    Ok(Box::new(problem))
}

fn settings(task: &Escape) -> Settings {
    Settings {
        slow_modes: task.slow_modes,
        first_passage_times: task.first_passage_times.clone(),
        density_times: task.density_times.clone(),
    }
}

fn path_settings<const D: usize>(keys: &EscapePath) -> Result<LeastActionSettings<D>> {
    let to = keys.to.as_ref().map(|to| model::point("to", to)).transpose()?;
    Ok(LeastActionSettings {
        to,
        pieces: keys.points,
        bend: keys.bend,
    })
}

fn simulation(keys: &EscapeSimulation) -> Simulation {
    Simulation {
        method: match keys.method {
            EscapeMethod::Langevin => SimulationMethod::Langevin,
            EscapeMethod::Sgd => SimulationMethod::Sgd,
        },
        runs: keys.runs,
        time_step: keys.time_step,
        longest_time: keys.longest_time,
    }
}

fn solve<const D: usize>(
    task: &Escape,
    problem: &Problem<D>,
    seed: u64,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let bar = progress.task("escape", LEVELS as u64 + 1);
    let simulation = task.simulation.as_ref().map(simulation);
    let result = problem.solve(&settings(task), &|level| {
        bar.advance(1);
        match &simulation {
            Some(simulation) => {
                let checked = simulation.check_work(problem, level);
                checked.map_err(|e| e.at("simulation"))
            }
            None => Ok(()),
        }
    })?;
    bar.advance(1);
    let mut group = records::group(&task.variables, task.slow_modes, problem, &result)?;
    if let Some(simulation) = &simulation {
        let bar = progress.task("simulation", simulation.paths() as u64);
        let advance = |n| bar.advance(n);
        let passage = simulate(problem, simulation, result.finest(), seed, &advance);
        let passage = passage.map_err(|e| e.at("simulation"))?;
        records::push_simulation(&mut group, simulation.method, &passage)?;
    }
    let mut groups = vec![group];
    if let Some(keys) = &task.path {
        let settings = path_settings(keys)?;
        let found = least_action(problem, &settings);
        let rate = found
            .as_ref()
            .ok()
            .map(|found| small_noise_rate(problem, found, settings.pieces));
        groups.push(records::path_group(problem, &result, &found, rate.as_ref())?);
    }
    Ok(groups)
}
