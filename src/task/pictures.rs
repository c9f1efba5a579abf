//! Tasks that only show: the landscape and single runs.

use super::parameter_range::{ParameterRange, Scale, Spaced};
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::work::{Task, Work};
use crate::ensemble::stream::{self, Polar};
use crate::error::{Error, Result};
use crate::landscape::{Landscape, Side};
use crate::math::Point;
use crate::output::{Group, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[surface]`: the loss in the plane, for a picture.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Surface {
    /// x of the picture.
    pub x: ParameterRange,
    /// y of the picture.
    pub y: ParameterRange,
}

impl Default for Surface {
    fn default() -> Self {
        Self {
            x: ParameterRange::Spaced(Spaced {
                from: -0.9,
                to: 1.1,
                points: 121,
                scale: Scale::Linear,
            }),
            y: ParameterRange::Spaced(Spaced {
                from: 0.0,
                to: 100.0,
                points: 101,
                scale: Scale::Linear,
            }),
        }
    }
}

impl Task for Surface {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let (x, y) = check_surface(self)?;
        Ok(Box::new(move |_| surface(&model, x, y)))
    }
}

fn check_surface(task: &Surface) -> Result<(Vec<f64>, Vec<f64>)> {
    let finite = "finite numbers are needed";
    let x = task.x.values("surface.x", |_| true, finite)?;
    let y = task
        .y
        .values("surface.y", |y| y >= 0.0, "finite numbers >= 0 are needed")?;
    Ok((x, y))
}

/// `/landscape`: the loss in the plane and its valley floors.
fn surface(model: &TwoValleyModel, x: Vec<f64>, y: Vec<f64>) -> Result<Vec<Group>> {
    let landscape = model.landscape();
    let mut group =
        Group::new("landscape")?.with_description("the loss in the plane and the floors of its valleys");
    group.push(
        Record::coordinate("x", "1", x.clone())?
            .with_symbol("x")
            .with_description("transverse direction"),
    )?;
    group.push(
        Record::coordinate("y", "1", y.clone())?
            .with_symbol("y")
            .with_description("slow training direction"),
    )?;
    let loss: Vec<f64> = y
        .iter()
        .flat_map(|&y| x.iter().map(move |&x| landscape.loss(&Point::<2>::new(x, y))))
        .collect();
    group.push(
        Record::new("loss", "loss", &[("y", y.len()), ("x", x.len())], loss)?
            .with_symbol("L")
            .with_description("loss"),
    )?;
    for (name, side) in [("minimum_flat", Side::Flat), ("minimum_sharp", Side::Sharp)] {
        let floor: Vec<f64> = y.iter().map(|&y| landscape.minimum(side, y)).collect();
        group.push(
            Record::new(name, "1", &[("y", y.len())], floor)?.with_description("x of the valley floor"),
        )?;
    }
    Ok(vec![group])
}

/// `[trajectories]`: a few runs, step by step.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Trajectories {
    /// η.
    pub learning_rate: f64,
    /// σ.
    pub sigma: f64,
    /// Runs.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Every how many steps x and y are kept.
    pub record_every: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
}

impl Default for Trajectories {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            sigma: 0.05,
            runs: 4,
            steps: 40_000,
            record_every: 20,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
        }
    }
}

impl Task for Trajectories {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        check_trajectories(&model, &task)?;
        Ok(Box::new(move |_| trajectories(seed, &model, &task)))
    }
}

fn check_trajectories(model: &TwoValleyModel, task: &Trajectories) -> Result<()> {
    let fail = |key: &str, message: &str| {
        Err(Error::Config {
            key: format!("trajectories.{key}"),
            message: message.into(),
        })
    };
    if task.runs == 0 || task.steps == 0 || task.record_every == 0 || task.record_every > task.steps {
        return fail(
            "record_every",
            "runs, steps and record_every are at least 1, and record_every at most steps",
        );
    }
    const MOST: u64 = 100_000_000;
    if (task.runs as u64).saturating_mul(task.steps) > MOST {
        return fail(
            "steps",
            "runs * steps is limited to 1e8: these are pictures of a few runs",
        );
    }
    if task.start_x.is_empty() || !task.start_x.iter().all(|x| x.is_finite()) {
        return fail("start_x", "at least one finite x is needed");
    }
    if !(task.start_y.is_finite() && task.start_y >= 0.0) {
        return fail("start_y", "a finite y >= 0 is needed");
    }
    model
        .walk(task.learning_rate, task.sigma)
        .and_then(|w| w.check_stability(task.start_y))
        .map(|_| ())
        .map_err(|e| e.at("trajectories"))
}

/// `/trajectories`: a few runs of discrete SGD, step by step.
fn trajectories(seed: u64, model: &TwoValleyModel, task: &Trajectories) -> Result<Vec<Group>> {
    let walk = model.walk(task.learning_rate, task.sigma)?;
    let experiment =
        stream::experiment_number(&format!("trajectories {:e} {:e}", task.learning_rate, task.sigma));
    let key = stream::StreamKey::new(seed, experiment);
    let records = task.steps / task.record_every + 1;
    let (mut all_x, mut all_y) = (Vec::new(), Vec::new());
    for run in 0..task.runs {
        let (mut x, mut y) = (task.start_x[run % task.start_x.len()], task.start_y);
        let mut streams = stream::Streams::unset();
        for k in 0..task.steps {
            if k % task.record_every == 0 {
                all_x.push(x);
                all_y.push(y);
            }
            if k % stream::STEP_BLOCK == 0 {
                streams.set(0, key.state(run as u64, k / stream::STEP_BLOCK));
            }
            let noise: Polar = streams.polar(0);
            let next = walk.step(x, y, noise);
            (x, y) = (next.x, next.y);
        }
        if task.steps.is_multiple_of(task.record_every) {
            all_x.push(x);
            all_y.push(y);
        }
    }
    let records = records as usize;
    let steps: Vec<u64> = (0..records as u64).map(|k| k * task.record_every).collect();
    let mut group = Group::new("trajectories")?.with_description("single runs of discrete SGD");
    group.set_attribute("learning_rate", task.learning_rate)?;
    group.set_attribute("sigma", task.sigma)?;
    group.push(
        Record::coordinate("step", "iterations", steps)?
            .with_symbol("k")
            .with_description("iterations done"),
    )?;
    let shape = [("run", task.runs), ("step", records)];
    group.push(
        Record::new("x", "1", &shape, all_x)?
            .with_symbol("x")
            .with_description("transverse direction"),
    )?;
    group.push(
        Record::new("y", "1", &shape, all_y)?
            .with_symbol("y")
            .with_description("slow direction"),
    )?;
    Ok(vec![group])
}
