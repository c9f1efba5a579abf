//! Task: which cause does the work? Discrete SGD with one ingredient of the model changed at a time.

use super::final_probability::mean_curvature;
use super::parameter_range::ParameterRange;
use super::progress::Progress;
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::two_valley::TwoValleyNoise;
use super::valley_columns::{ValleyColumns, check_size, simulate_cells, starts};
use super::work::{Task, Work};
use crate::ensemble::{Cell, Protocol, stream::experiment_number};
use crate::error::{Error, Result};
use crate::output::{Group, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[ablations]`: one ingredient changed at a time.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ablations {
    /// Δ.
    pub noise_strength: ParameterRange,
    /// η.
    pub learning_rate: f64,
    /// Runs per variant and noise strength.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y, at which barrier or flatness are held.
    pub start_y: f64,
}

impl Default for Ablations {
    fn default() -> Self {
        Self {
            noise_strength: ParameterRange::List(vec![1e-4, 2e-4, 5e-4, 1e-3]),
            learning_rate: 0.01,
            runs: 1000,
            steps: 50_000,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
        }
    }
}

/// One changed ingredient.
struct Variant {
    name: &'static str,
    model: TwoValleyModel,
    ramp: f64,
    hold_y: bool,
}

fn variants(model: &TwoValleyModel, task: &Ablations) -> Result<Vec<Variant>> {
    let plain = |name, model| Variant {
        name,
        model,
        ramp: 1.0,
        hold_y: false,
    };
    let landscape = *model.landscape();
    let curvature = mean_curvature(&landscape, task.start_y);
    let power = |power: f64| {
        model.with_noise(TwoValleyNoise::HessianPower {
            power,
            strength: 1.0,
            floor: 1e-8,
        })
    };
    Ok(vec![
        plain("full model", *model),
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
            ..plain("ramp x 2", *model)
        },
        Variant {
            ramp: 0.5,
            ..plain("ramp / 2", *model)
        },
        Variant {
            hold_y: true,
            ..plain("y held", *model)
        },
        plain(
            "isotropic noise",
            model.with_noise(TwoValleyNoise::Isotropic { strength: curvature }),
        ),
        plain("p = 1.5", power(1.5)),
        plain("p = 2", power(2.0)),
    ])
}

/// The cells of all variants, variant by variant, checked.
fn cells(
    seed: u64,
    model: &TwoValleyModel,
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
    let variants = variants(model, task).map_err(|e| e.at(SECTION))?;
    let mut cells = Vec::new();
    for variant in &variants {
        for &strength in &strengths {
            let mut walk = variant
                .model
                .walk(task.learning_rate, strength / task.learning_rate)
                .and_then(|w| w.with_ramp(variant.ramp))
                .map_err(|e| e.at(SECTION))?;
            if variant.hold_y {
                walk = walk.with_y_held();
            }
            walk.check_stability(task.start_y)
                .map_err(|e| e.at("ablations.learning_rate"))?;
            let protocol = Protocol {
                starts: starts.clone(),
                runs: task.runs,
                steps: task.steps,
                record_every: None,
                seed: seed,
                experiment: experiment_number(&format!("{SECTION} {} {strength:e}", variant.name)),
            };
            cells.push(Cell { walk, protocol });
        }
    }
    Ok((variants.iter().map(|v| v.name).collect(), strengths, cells))
}

impl Task for Ablations {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (names, strengths, cells) = cells(setting.seed, &setting.two_valley()?, self)?;
        let task = self.clone();
        Ok(Box::new(move |progress| {
            run(&task, &names, strengths, &cells, progress)
        }))
    }
}

/// `/ablations`.
fn run(
    task: &Ablations,
    names: &[&'static str],
    strengths: Vec<f64>,
    cells: &[Cell],
    progress: &Progress,
) -> Result<Vec<Group>> {
    let ensembles = simulate_cells(cells, "ablations", progress)?;
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
    for record in ValleyColumns::new(&ensembles)?
        .records(&[("variant", names.len()), ("noise_strength", strengths.len())])?
    {
        group.push(record)?;
    }
    Ok(vec![group])
}
