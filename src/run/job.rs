//! Runs the tasks of a configuration and collects their groups.

use super::sweep;
use crate::error::{Error, Result};
use crate::judgement::{agreement, claims};
use crate::output::{Group, ResultFile, sha256};
use crate::task::config::Config;
use crate::task::model::Model;
use crate::task::progress::Progress;
use crate::task::{
    ablations, effective_potential, escape, final_probability, freezing_theory, simulate, slices,
    stationary_map, surface, trajectories,
};
use std::path::Path;

/// Checks a configuration, whose text is `text`, completely without running anything.
///
/// # Errors
/// [`Error::Config`] naming the first key that is out of range.
pub fn check(config: &Config, text: &str) -> Result<()> {
    if config.sweep.is_empty() {
        validate(config)
    } else {
        sweep::check(config, text)
    }
}

/// [`check`] for a configuration without a sweep.
pub(super) fn validate(config: &Config) -> Result<()> {
    Prepared::new(config).map(|_| ())
}

/// Everything that can be refused before the work begins.
struct Prepared {
    model: Model,
    phase_diagram: Option<simulate::Job>,
    freezing_line: Option<simulate::Job>,
}

impl Prepared {
    fn new(config: &Config) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if config.name.is_empty() || !config.name.chars().all(allowed) {
            return Err(Error::Config {
                key: "name".into(),
                message: format!("{:?} is not allowed: letters, digits, _ and - are", config.name),
            });
        }
        if i64::try_from(config.seed).is_err() {
            return Err(Error::Config {
                key: "seed".into(),
                message: format!("at most {} is possible", i64::MAX),
            });
        }
        let model = Model::new(config)?;
        let tasks = [
            config.phase_diagram.is_some(),
            config.freezing_line.is_some(),
            config.freezing_theory.is_some(),
            config.slices.is_some(),
            config.effective_potential.is_some(),
            config.final_probability.is_some(),
            config.stationary_map.is_some(),
            config.ablations.is_some(),
            config.surface.is_some(),
            config.trajectories.is_some(),
            config.escape.is_some(),
        ];
        if !tasks.contains(&true) {
            return Err(Error::Config {
                key: "configuration".into(),
                message: "there is no task; freezeout list names them".into(),
            });
        }
        if let Some(task) = &config.freezing_theory {
            freezing_theory::check(&model, task)?;
        }
        if let Some(task) = &config.slices {
            slices::check(&model, task)?;
        }
        if let Some(task) = &config.effective_potential {
            effective_potential::check(&model, task)?;
        }
        if let Some(task) = &config.final_probability {
            final_probability::check(&model, task)?;
        }
        if let Some(task) = &config.stationary_map {
            stationary_map::check(&model, task)?;
        }
        if let Some(task) = &config.ablations {
            ablations::check(config, &model, task)?;
        }
        if let Some(task) = &config.surface {
            surface::check(task)?;
        }
        if let Some(task) = &config.trajectories {
            trajectories::check(&model, task)?;
        }
        if let Some(task) = &config.escape {
            escape::check(task, model.landscape())?;
        }
        let phase_diagram = config
            .phase_diagram
            .as_ref()
            .map(|task| simulate::phase_diagram_job(config, &model, task))
            .transpose()?;
        let freezing_line = config
            .freezing_line
            .as_ref()
            .map(|task| simulate::freezing_line_job(config, &model, task))
            .transpose()?;
        Ok(Self {
            model,
            phase_diagram,
            freezing_line,
        })
    }
}

/// Runs all tasks of `config`, whose text is `text`, and returns the result file.
///
/// A sweep keeps its finished cells in the folder `unfinished`, if one is given, and resumes from there; the caller removes the
/// folder when the result is safe. The numbers depend on the configuration only, not on the number of threads of the current
/// rayon pool or on interruptions.
///
/// # Errors
/// [`Error::Config`] before anything runs; errors of the routes.
pub fn run(
    config: &Config,
    text: &str,
    unfinished: Option<&Path>,
    progress: &Progress,
) -> Result<ResultFile> {
    if !config.sweep.is_empty() {
        return sweep::run(config, text, unfinished, progress);
    }
    let mut file = ResultFile::new();
    provenance(&mut file, config, text)?;
    for group in cell_groups(config, progress)? {
        file.push(group)?;
    }
    let rows = agreement::comparisons(&file)?;
    if !rows.is_empty() {
        file.push(agreement::group(&rows)?)?;
    }
    let claims = claims::claims(&file, config)?;
    if !claims.is_empty() {
        file.push(claims::group(&claims)?)?;
    }
    Ok(file)
}

/// The groups of all tasks of a configuration without its sweep.
pub(super) fn cell_groups(config: &Config, progress: &Progress) -> Result<Vec<Group>> {
    let prepared = Prepared::new(config)?;
    let model = &prepared.model;
    let mut groups: Vec<Group> = Vec::new();
    if let Some(task) = &config.escape {
        groups.extend(escape::run(task, model.landscape(), config.seed, progress)?);
    }
    if let Some(task) = &config.effective_potential {
        groups.extend(effective_potential::run(model, task).map_err(|e| in_task("effective_potential", e))?);
    }
    if let Some(task) = &config.slices {
        groups.extend(slices::run(config, model, task, progress).map_err(|e| in_task("slices", e))?);
    }
    if let Some(task) = &config.surface {
        groups.extend(surface::run(model, task).map_err(|e| in_task("surface", e))?);
    }
    if let Some(task) = &config.trajectories {
        groups.extend(trajectories::run(config, model, task).map_err(|e| in_task("trajectories", e))?);
    }
    if let Some(task) = &config.stationary_map {
        groups.extend(stationary_map::run(model, task, progress).map_err(|e| in_task("stationary_map", e))?);
    }
    if let Some(task) = &config.freezing_theory {
        groups
            .extend(freezing_theory::run(model, task, progress).map_err(|e| in_task("freezing_theory", e))?);
    }
    if let Some(task) = &config.final_probability {
        groups.extend(
            final_probability::run(model, task, progress).map_err(|e| in_task("final_probability", e))?,
        );
    }
    if let Some(task) = &config.ablations {
        groups.extend(ablations::run(config, model, task, progress).map_err(|e| in_task("ablations", e))?);
    }
    if let (Some(task), Some(job)) = (&config.freezing_line, &prepared.freezing_line) {
        groups.extend(simulate::freezing_line(job, task, progress).map_err(|e| in_task("freezing_line", e))?);
    }
    if let (Some(task), Some(job)) = (&config.phase_diagram, &prepared.phase_diagram) {
        groups.extend(
            simulate::phase_diagram(job, model, task, progress).map_err(|e| in_task("phase_diagram", e))?,
        );
    }
    Ok(groups)
}

/// Names the task in which a computation failed for the parameters given.
fn in_task(section: &str, error: Error) -> Error {
    match error {
        Error::Config { .. } | Error::Output { .. } | Error::NotConverged { .. } => error,
        other => Error::Config {
            key: section.into(),
            message: format!("these parameters cannot be computed: {other}"),
        },
    }
}

/// Root attributes: what made the file.
pub(super) fn provenance(file: &mut ResultFile, config: &Config, text: &str) -> Result<()> {
    for (name, value) in [
        ("name", config.name.as_str()),
        ("config", text),
        ("config_hash", &sha256(text)),
        ("crate_version", env!("CARGO_PKG_VERSION")),
        ("commit", env!("FREEZEOUT_COMMIT")),
        ("compiler", env!("FREEZEOUT_COMPILER")),
    ] {
        file.set_attribute(name, value)?;
    }
    // TOML integers are signed, so that the seed fits.
    file.set_attribute("seed", config.seed as i64)
}

/// The configuration of the main job.
pub const REPRODUCE: &str = include_str!("../../paper/experiments/reproduce.toml");

/// A commented configuration to start from.
pub const EXAMPLE: &str = include_str!("../../paper/experiments/example.toml");
