//! Task: the final P_flat and the freezing position by every density route, no sampling noise.

use super::freezing_theory::{Freezing, FreezingTheory, freezing};
use super::parameter_range::ParameterRange;
use super::progress::Progress;
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::work::{Task, Work};
use crate::error::{Error, Result};
use crate::freezing::{
    DensityLastHop, DensityPathSettings, PlanarDensity, PlanarSettings, density_last_hop, planar_density,
};
use crate::landscape::{Side, TwoValley};
use crate::output::{Group, Record};
use crate::transfer::{PathLaw, PathSettings, Start};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[final_probability]`: master equation, Fokker-Planck and transfer operator along the whole path.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FinalProbability {
    /// Δ.
    pub noise_strength: ParameterRange,
    /// η of the transfer operator.
    pub learning_rate: f64,
    /// Starting y.
    pub start_y: f64,
    /// Largest y.
    pub end_y: f64,
    /// Whether to solve the planar Fokker-Planck equation too, the slowest route.
    pub planar: bool,
}

impl Default for FinalProbability {
    fn default() -> Self {
        Self {
            noise_strength: ParameterRange::List(vec![1e-4, 3e-4, 1e-3, 3e-3]),
            learning_rate: 0.01,
            start_y: 1.0,
            end_y: 400.0,
            planar: false,
        }
    }
}

/// The runs end where fewer than this many hops per run are still to come.
const HOPS_TO_COME: f64 = 1e-4;

/// Moments at which the density along the path is kept, from the start to just before the end.
const SNAPSHOTS: usize = 6;
const LAST_SNAPSHOT: f64 = 0.99;

/// All routes at one noise strength.
struct Row {
    theory: Freezing,
    density: DensityLastHop,
    law: PathLaw,
    isotropic: DensityLastHop,
    planar: Option<PlanarDensity>,
    end: f64,
}

fn check(model: &TwoValleyModel, task: &FinalProbability) -> Result<Vec<f64>> {
    const SECTION: &str = "final_probability";
    let strengths = task.noise_strength.positive("final_probability.noise_strength")?;
    for (key, value) in [
        ("learning_rate", task.learning_rate),
        ("start_y", task.start_y),
        ("end_y", task.end_y),
    ] {
        if !(value.is_finite() && value > 0.0) {
            return Err(Error::Config {
                key: format!("{SECTION}.{key}"),
                message: format!("{value} is not allowed: a positive finite number is needed"),
            });
        }
    }
    if task.end_y <= task.start_y {
        return Err(Error::Config {
            key: format!("{SECTION}.end_y"),
            message: "it must exceed start_y".into(),
        });
    }
    model
        .walk(task.learning_rate, strengths[0] / task.learning_rate)
        .and_then(|w| w.check_stability(task.start_y))
        .map_err(|e| e.at(SECTION))?;
    Ok(strengths)
}

fn theory_settings(task: &FinalProbability) -> FreezingTheory {
    FreezingTheory {
        start_y: task.start_y,
        end_y: task.end_y,
        ..FreezingTheory::default()
    }
}

fn row(model: &TwoValleyModel, task: &FinalProbability, noise_strength: f64) -> Result<Row> {
    let theory = freezing(model, &theory_settings(task), noise_strength)?;
    let (hops, y) = (&theory.path.hops, &theory.path.y);
    let total = hops[hops.len() - 1];
    let last = hops
        .iter()
        .position(|h| total - h < HOPS_TO_COME)
        .unwrap_or(hops.len() - 1)
        .max(1);
    let (end, duration) = (y[last], theory.path.time[last]);
    let landscape = model.landscape();
    let mut settings = DensityPathSettings::new(task.start_y, end);
    settings.record = (0..SNAPSHOTS)
        .map(|k| duration * k as f64 / (SNAPSHOTS - 1) as f64 * LAST_SNAPSHOT)
        .collect();
    let density = density_last_hop(landscape, |y| model.slice(y, noise_strength), &settings)?;
    // The control starts where no barrier traps it and has the noise that the valleys' mean curvature would give at the start;
    // isotropic noise does not fall with the curvature, so that its hops last longer.
    let strength = noise_strength * mean_curvature(landscape, task.start_y);
    let control = DensityPathSettings::new(0.0, 2.0 * end);
    let isotropic = density_last_hop(landscape, |y| model.isotropic_slice(y, strength), &control)?;
    const MOST_STEPS: f64 = 1e8;
    if duration / task.learning_rate > MOST_STEPS {
        return Err(Error::Config {
            key: "final_probability.learning_rate".into(),
            message: format!(
                "{:e} is too small: the run of time {duration:.0} would take more than 1e8 steps",
                task.learning_rate
            ),
        });
    }
    let path = PathSettings {
        steps: (duration / task.learning_rate).ceil() as usize,
        starts: vec![
            Start {
                x: -0.01,
                weight: 0.5,
            },
            Start { x: 0.01, weight: 0.5 },
        ],
        start_y: task.start_y,
        ..PathSettings::default()
    };
    let law = model.path_law(task.learning_rate, noise_strength / task.learning_rate, &path)?;
    let planar = if task.planar {
        let diffusion = model.plane(noise_strength)?;
        Some(planar_density(
            landscape,
            &diffusion,
            &PlanarSettings::new(task.start_y, end),
        )?)
    } else {
        None
    };
    Ok(Row {
        theory,
        density,
        law,
        isotropic,
        planar,
        end,
    })
}

/// Geometric mean 2/sqrt(f1 f2) of the two curvatures.
pub fn mean_curvature(landscape: &TwoValley, y: f64) -> f64 {
    let product: f64 = Side::BOTH
        .iter()
        .map(|side| landscape.flatness(*side, y))
        .product();
    2.0 / product.sqrt()
}

impl Task for FinalProbability {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task) = (setting.two_valley()?, self.clone());
        let strengths = check(&model, &task)?;
        Ok(Box::new(move |progress| run(&model, &task, strengths, progress)))
    }
}

/// `/final_probability`.
fn run(
    model: &TwoValleyModel,
    task: &FinalProbability,
    strengths: Vec<f64>,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let bar = progress.task("densities along the path", strengths.len() as u64);
    let rows: Vec<Row> = strengths
        .par_iter()
        .with_max_len(1)
        .map(|&strength| {
            let row = row(model, task, strength);
            bar.advance(1);
            row
        })
        .collect::<Result<_>>()?;
    let mut group = Group::new("final_probability")?.with_description(
        "final P_flat and freezing position by the density routes: master equation and Fokker-Planck equations (eta -> 0), transfer operator of the SGD map (finite eta)",
    );
    group.set_attribute("learning_rate", task.learning_rate)?;
    group.set_attribute("start_y", task.start_y)?;
    group.push(
        Record::coordinate("noise_strength", "1", strengths.clone())?
            .with_symbol("Δ")
            .with_description("noise strength learning_rate * sigma"),
    )?;
    type Column = (&'static str, &'static str, fn(&Row) -> f64);
    let columns: [Column; 15] = [
        (
            "end_y",
            "y at the end of the run, where fewer than 1e-4 hops a run are to come",
            |r| r.end,
        ),
        (
            "p_flat_two_state",
            "final P_flat, two-state master equation, eta -> 0",
            |r| r.theory.path.final_p_flat(),
        ),
        (
            "p_flat_density",
            "final P_flat, Fokker-Planck in x with y(t) on the floor, eta -> 0",
            |r| r.density.path.final_p_flat(),
        ),
        (
            "p_flat_density_error",
            "discretisation error of p_flat_density",
            |r| r.density.path.p_flat_error,
        ),
        ("mass_error_density", "largest |mass - 1| over all steps", |r| {
            r.density.path.mass_error
        }),
        (
            "p_flat_transfer",
            "final P_flat, transfer operator of the SGD map at this learning rate",
            |r| r.law.final_p_flat(),
        ),
        (
            "defect_transfer",
            "largest probability that the discretisation put back in one step",
            |r| r.law.defect,
        ),
        (
            "p_flat_isotropic",
            "control: final P_flat under isotropic noise D = 2 Delta/sqrt(f1 f2) at start_y, from y = 0, Fokker-Planck, eta -> 0",
            |r| r.isotropic.path.final_p_flat(),
        ),
        (
            "mean_freezing_y_isotropic",
            "control: mean y of the last hop under isotropic noise",
            |r| r.isotropic.mean_y,
        ),
        (
            "mean_freezing_y_two_state",
            "mean y of the last hop, two-state theory",
            |r| r.theory.last.mean_y,
        ),
        (
            "mean_freezing_y_poisson",
            "the same by the Poisson law of the mean hop flux",
            |r| r.theory.last.mean_y_poisson,
        ),
        (
            "mean_freezing_y_density",
            "mean y of the last hop (half-way to the other minimum), Fokker-Planck",
            |r| r.density.mean_y,
        ),
        (
            "mean_freezing_y_density_error",
            "discretisation error of mean_freezing_y_density",
            |r| r.density.mean_y_error,
        ),
        (
            "mean_ridge_y_density",
            "mean y of the last visit to the ridge, Fokker-Planck",
            |r| r.density.mean_y_ridge,
        ),
        (
            "mean_freezing_y_transfer",
            "mean y of the last sign change of x, transfer operator",
            |r| r.law.mean_freezing_y(),
        ),
    ];
    let n = [("noise_strength", strengths.len())];
    let mut push = |name: &str, text: &str, values: Vec<f64>| -> Result<()> {
        group.push(Record::new(name, "1", &n, values)?.with_description(text))
    };
    for (name, text, value) in columns {
        push(name, text, rows.iter().map(value).collect())?;
    }
    if task.planar {
        let planar: Vec<&PlanarDensity> = rows.iter().filter_map(|r| r.planar.as_ref()).collect();
        push(
            "p_flat_planar",
            "final P_flat, Fokker-Planck in the plane with the full tensor, eta -> 0",
            planar.iter().map(|p| p.final_p_flat()).collect(),
        )?;
        push(
            "p_flat_planar_error",
            "discretisation error of p_flat_planar",
            planar.iter().map(|p| p.p_flat_error).collect(),
        )?;
        push(
            "mass_error_planar",
            "largest |mass - 1| over all steps",
            planar.iter().map(|p| p.mass_error).collect(),
        )?;
    }
    let mut groups = vec![group];
    for (k, (row, &strength)) in rows.iter().zip(&strengths).enumerate() {
        groups.push(density_group(k, &row.density, strength)?);
    }
    Ok(groups)
}

/// `/density_path/strength_K`: the Fokker-Planck density along the path at one noise strength, moment by moment.
fn density_group(index: usize, law: &DensityLastHop, noise_strength: f64) -> Result<Group> {
    let mut group = Group::new(&format!("density_path/strength_{index}"))?
        .with_description("Fokker-Planck density of x along the slow path (eta -> 0): moments of the run, last-hop laws, snapshots");
    group.set_attribute("noise_strength", noise_strength)?;
    let path = &law.path;
    let n = path.time.len();
    group.push(
        Record::coordinate("time", "time", path.time.clone())?
            .with_symbol("t")
            .with_description("time since the start, eta * iterations"),
    )?;
    let along: [(&str, &str, &str, &[f64]); 7] = [
        ("y", "1", "slow direction", &path.y),
        ("p_flat", "1", "probability of x > 0", &path.p_flat),
        ("mean_x", "1", "mean x", &path.mean_x),
        (
            "flat_to_sharp_flux",
            "1/time",
            "hops from the flat to the sharp valley per time and run",
            &path.flat_to_sharp_flux,
        ),
        (
            "sharp_to_flat_flux",
            "1/time",
            "hops from the sharp to the flat valley per time and run",
            &path.sharp_to_flat_flux,
        ),
        (
            "no_hop_after",
            "1",
            "probability of no valley-to-valley hop after this time",
            &law.no_hop_after,
        ),
        (
            "no_ridge_after",
            "1",
            "probability of no visit to the ridge after this time",
            &law.no_ridge_after,
        ),
    ];
    for (name, unit, text, values) in along {
        group.push(Record::new(name, unit, &[("time", n)], values.to_vec())?.with_description(text))?;
    }
    let snapshots = &path.snapshots;
    let cells = snapshots.first().map_or(0, |s| s.x.len());
    let shape = [("snapshot", snapshots.len()), ("cell", cells)];
    let times: Vec<f64> = snapshots.iter().map(|s| s.time).collect();
    group.push(
        Record::new("snapshot_time", "time", &[("snapshot", snapshots.len())], times)?
            .with_description("time of each snapshot, eta * iterations"),
    )?;
    let x: Vec<f64> = snapshots.iter().flat_map(|s| s.x.clone()).collect();
    group.push(
        Record::new("snapshot_x", "1", &shape, x)?
            .with_description("cell centres of each snapshot; the grid moves with the valleys"),
    )?;
    let density: Vec<f64> = snapshots
        .iter()
        .flat_map(|s| {
            s.probability
                .iter()
                .zip(&s.width)
                .map(|(p, w)| p / w)
                .collect::<Vec<f64>>()
        })
        .collect();
    group.push(Record::new("snapshot_density", "1", &shape, density)?.with_description("density of x"))?;
    let finite = |phi: f64| if phi.is_finite() { phi } else { f64::NAN };
    let potential: Vec<f64> = snapshots
        .iter()
        .flat_map(|s| {
            s.effective_potential()
                .into_iter()
                .map(finite)
                .collect::<Vec<f64>>()
        })
        .collect();
    group.push(
        Record::new("snapshot_effective_potential", "1", &shape, potential)?
            .with_symbol("Φ")
            .with_description("-ln density, minimum at zero")
            .with_missing("the density is below the range of numbers"),
    )?;
    Ok(group)
}
