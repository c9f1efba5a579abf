//! Task: which cause does the work? Discrete SGD with one ingredient of the model changed at a time.

use super::config::{Ablations, Config, NoiseConfig, NoiseModel};
use super::final_probability::mean_curvature;
use super::model::{Model, under};
use super::progress::Progress;
use super::simulate::{Columns, check_size, starts};
use crate::ensemble::{Cell, Protocol, simulate, stream::experiment_number};
use crate::error::{Error, Result};
use crate::output::{Group, Record};

/// One changed ingredient.
struct Variant {
    name: &'static str,
    model: Model,
    ramp: f64,
    hold_y: bool,
}

fn variants(model: &Model, task: &Ablations) -> Result<Vec<Variant>> {
    let plain = |name, model| Variant {
        name,
        model,
        ramp: 1.0,
        hold_y: false,
    };
    let landscape = *model.landscape();
    let curvature = mean_curvature(&landscape, task.start_y);
    let noise = |model_name: NoiseModel, power: f64| {
        model.with_noise(NoiseConfig {
            model: model_name,
            power,
            curvature,
            ..NoiseConfig::default()
        })
    };
    Ok(vec![
        plain("full model", model.clone()),
        plain(
            "barrier held",
            model.with_landscape(landscape.with_barrier_at(task.start_y)?),
        ),
        plain(
            "flatness held",
            model.with_landscape(landscape.with_flatness_at(task.start_y)?),
        ),
        Variant {
            ramp: 2.0,
            ..plain("ramp x 2", model.clone())
        },
        Variant {
            ramp: 0.5,
            ..plain("ramp / 2", model.clone())
        },
        Variant {
            hold_y: true,
            ..plain("y held", model.clone())
        },
        plain("isotropic noise", noise(NoiseModel::Isotropic, 1.0)),
        plain("p = 1.5", noise(NoiseModel::HessianPower, 1.5)),
        plain("p = 2", noise(NoiseModel::HessianPower, 2.0)),
    ])
}

/// The cells of all variants, variant by variant, checked.
fn cells(
    config: &Config,
    model: &Model,
    task: &Ablations,
) -> Result<(Vec<&'static str>, Vec<f64>, Vec<Cell>)> {
    const SECTION: &str = "ablations";
    let strengths = task.noise_strength.positive("ablations.noise_strength")?;
    check_size(SECTION, task.runs, task.steps)?;
    let starts = starts(SECTION, &task.start_x, task.start_y)?;
    if task.start_y <= 0.0 {
        return Err(Error::Config {
            key: "ablations.start_y".into(),
            message: "a positive y is needed to hold a barrier".into(),
        });
    }
    if !(task.learning_rate.is_finite() && task.learning_rate > 0.0) {
        return Err(Error::Config {
            key: "ablations.learning_rate".into(),
            message: format!(
                "{} is not allowed: a positive finite number is needed",
                task.learning_rate
            ),
        });
    }
    let variants = variants(model, task).map_err(|e| under(SECTION, e))?;
    let mut cells = Vec::new();
    for variant in &variants {
        for &strength in &strengths {
            let mut walk = variant
                .model
                .walk(task.learning_rate, strength / task.learning_rate)
                .and_then(|w| w.with_ramp(variant.ramp))
                .map_err(|e| under(SECTION, e))?;
            if variant.hold_y {
                walk = walk.with_y_held();
            }
            walk.check_stability(task.start_y)
                .map_err(|e| under("ablations.learning_rate", e))?;
            let protocol = Protocol {
                starts: starts.clone(),
                runs: task.runs,
                steps: task.steps,
                record_every: None,
                seed: config.seed,
                experiment: experiment_number(&format!("{SECTION} {} {strength:e}", variant.name)),
            };
            cells.push(Cell { walk, protocol });
        }
    }
    Ok((variants.iter().map(|v| v.name).collect(), strengths, cells))
}

pub(crate) fn check(config: &Config, model: &Model, task: &Ablations) -> Result<()> {
    cells(config, model, task).map(|_| ())
}

/// `/ablations`.
pub(crate) fn run(
    config: &Config,
    model: &Model,
    task: &Ablations,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let (names, strengths, cells) = cells(config, model, task)?;
    let total = cells
        .iter()
        .map(|c| c.protocol.runs as u64 * c.protocol.steps)
        .sum();
    let bar = progress.task("ablations", total);
    let ensembles = simulate(&cells, &|steps| bar.advance(steps))?;
    let mut group = Group::new("ablations")?.with_description(
        "discrete SGD with one ingredient changed: barrier or flatness held at its value at the start, slow motion sped up, slowed or stopped, other noise",
    );
    group.set_attribute("learning_rate", task.learning_rate)?;
    group.set_attribute("start_y", task.start_y)?;
    group.set_attribute("runs", task.runs as i64)?;
    group.set_attribute("steps", task.steps as i64)?;
    group.push(
        Record::coordinate(
            "variant",
            "text",
            names.iter().map(|n| (*n).to_string()).collect::<Vec<String>>(),
        )?
        .with_description("the changed ingredient"),
    )?;
    group.push(
        Record::coordinate("noise_strength", "1", strengths.clone())?
            .with_symbol("Δ")
            .with_description("noise strength learning_rate * sigma"),
    )?;
    for record in
        Columns::new(&ensembles)?.records(&[("variant", names.len()), ("noise_strength", strengths.len())])?
    {
        group.push(record)?;
    }
    Ok(vec![group])
}
