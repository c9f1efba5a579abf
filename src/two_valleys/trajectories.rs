//! `[trajectories]`: single runs of discrete SGD, step by step, for a picture.

use super::valley_columns::regime_of_steps;
use crate::ensemble::stream::{self, Polar};
use crate::error::{Error, Result};
use crate::output::{Group, Records, ResultFile, records};
use crate::plot::{Axis, Colour, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::Setting;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

records! {
    /// single runs of discrete SGD
    pub struct TrajectoriesResult in "trajectories" {
        attributes {
            /// η.
            learning_rate: f64,
            /// σ.
            sigma: f64,
        }
        /// how far from the limit of small steps the runs are
        regime: Option<Vec<String>> => [note] "text",
        /// iterations done
        step: Vec<u64> => [step] "iterations" "k",
        /// transverse direction
        x: Vec<f64> => [run, step] "1" "x",
        /// slow direction
        y: Vec<f64> => [run, step] "1" "y",
    }
}

impl Task for Trajectories {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "trajectories",
        description: "single runs of SGD, against iterations and in the plane",
        group: "trajectories",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["runs", "steps", "record_every"];

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a step; bytes of a recorded position, twice while it is written.
        const STEP: f64 = 1e-7;
        const POSITION: f64 = 16.0;
        let (runs, steps) = (self.runs as f64, self.steps as f64);
        let positions = runs * (steps / (self.record_every as f64).max(1.0) + 1.0);
        Cost::default()
            .with_memory("trajectories.record_every", POSITION * positions)
            .with_result("trajectories.record_every", POSITION * positions)
            .with_time("trajectories.steps", STEP * runs * steps)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        check(&model, &task)?;
        Ok(Box::new(move |_| run(seed, &model, &task)))
    }
}

fn check(model: &TwoValleyModel, task: &Trajectories) -> Result<()> {
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
fn run(seed: u64, model: &TwoValleyModel, task: &Trajectories) -> Result<Vec<Group>> {
    let walk = model.walk(task.learning_rate, task.sigma)?;
    let experiment =
        stream::experiment_number(&format!("trajectories {:e} {:e}", task.learning_rate, task.sigma));
    let key = stream::StreamKey::new(seed, experiment);
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
    let result = TrajectoriesResult {
        regime: Some(vec![regime_of_steps(walk.check_stability(task.start_y)?)]),
        learning_rate: task.learning_rate,
        sigma: task.sigma,
        step: (0..=task.steps / task.record_every)
            .map(|k| k * task.record_every)
            .collect(),
        x: all_x,
        y: all_y,
    };
    Ok(vec![result.group()?])
}

/// Most runs that are drawn.
const RUNS: usize = 6;
/// Most points of a line, so that the swings of a line can be told apart.
const POINTS: f64 = 1500.0;

/// Single runs of SGD: x against iterations on a log axis, and the path in the plane. Blue to green lines end in the flat valley, red to
/// purple ones in the sharp valley. A disc marks the last recorded sign change of x.
///
/// The first six runs are drawn, with at most 1500 points each, evenly spread on the log axis of iterations.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let TrajectoriesResult { step, x, y, .. } = Records::of(file)?;
    let step: Vec<f64> = step.into_iter().map(|k| k as f64).collect();
    let shown = spread(&step);
    let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
    let mut time = Panel::new("", Axis::log("iterations *k*"), Axis::linear("*x*"));
    let mut plane = Panel::new("", Axis::linear("*x*"), Axis::log("*y*"));
    let zero = Style::reference();
    time = time.with(Layer::Horizontal {
        y: 0.0,
        label: String::new(),
        style: zero,
    });
    plane = plane.with(Layer::Vertical {
        x: 0.0,
        label: String::new(),
        style: zero,
    });
    // One colour for each end, as the legend says.
    let colours = [Colour::nth(0), Colour::nth(1)];
    let mut drawn = [0, 0];
    let mut freezing = Vec::new();
    let pairs = x
        .chunks_exact(step.len().max(1))
        .zip(y.chunks_exact(step.len().max(1)));
    for (x, y) in pairs.take(RUNS) {
        let side = usize::from(x.last().is_some_and(|x| *x < 0.0));
        let label = match (drawn[side], side) {
            (0, 0) => "ends in the flat valley",
            (0, _) => "ends in the sharp valley",
            _ => "",
        };
        let colour = colours[side];
        drawn[side] += 1;
        let style = Style::nth(0).with_colour(colour).with_width(0.35);
        if let Some(k) = (1..x.len()).rfind(|k| (x[*k] >= 0.0) != (x[*k - 1] >= 0.0)) {
            freezing.push((step[k], y[k], style));
        }
        let (x, y) = (pick(x), pick(y));
        time = time.with(Layer::line(&pick(&step), &x, label, style));
        plane = plane.with(Layer::line(&x, &y, "", style));
    }
    for (n, (step, y, style)) in freezing.into_iter().enumerate() {
        let label = if n == 0 { "last sign change of *x*" } else { "" };
        time = time.with(Layer::points(&[step], &[0.0], &[], label, style));
        plane = plane.with(Layer::points(&[0.0], &[y], &[], "", style));
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.68,
        panels: vec![time, plane],
    })
}

/// Indices of records at least one [`POINTS`]-th of the log axis apart; always the first and the last.
fn spread(step: &[f64]) -> Vec<usize> {
    let logs: Vec<f64> = step.iter().map(|k| k.max(1.0).ln()).collect();
    let apart = logs.last().map_or(0.0, |last| (last - logs[0]) / POINTS);
    let mut shown: Vec<usize> = Vec::new();
    for (k, log) in logs.iter().enumerate() {
        let is_next = shown.last().is_none_or(|last| log - logs[*last] >= apart);
        if is_next || k + 1 == logs.len() {
            shown.push(k);
        }
    }
    shown
}
