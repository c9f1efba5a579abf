//! Tasks that only show: the landscape and single runs.

use super::config::{Config, Surface, Trajectories};
use super::model::{Model, under};
use crate::ensemble::stream::{self, Polar};
use crate::error::{Error, Result};
use crate::landscape::{Landscape, Side};
use crate::math::Point;
use crate::output::{Group, Record};

pub(crate) fn check_surface(task: &Surface) -> Result<(Vec<f64>, Vec<f64>)> {
    let finite = "finite numbers are needed";
    let x = task.x.values("surface.x", |_| true, finite)?;
    let y = task
        .y
        .values("surface.y", |y| y >= 0.0, "finite numbers >= 0 are needed")?;
    Ok((x, y))
}

/// `/landscape`: the loss in the plane and its valley floors.
pub(crate) fn surface(model: &Model, task: &Surface) -> Result<Vec<Group>> {
    let (x, y) = check_surface(task)?;
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

pub(crate) fn check_trajectories(model: &Model, task: &Trajectories) -> Result<()> {
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
        .map_err(|e| under("trajectories", e))
}

/// `/trajectories`: a few runs of discrete SGD, step by step.
pub(crate) fn trajectories(config: &Config, model: &Model, task: &Trajectories) -> Result<Vec<Group>> {
    check_trajectories(model, task)?;
    let walk = model.walk(task.learning_rate, task.sigma)?;
    let experiment =
        stream::experiment_number(&format!("trajectories {:e} {:e}", task.learning_rate, task.sigma));
    let key = stream::StreamKey::new(config.seed, experiment);
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
