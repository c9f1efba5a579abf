//! `[freezing_line]`: SGD ensembles from the start of training to the end, over σ.

use super::freezing_theory::{FreezingCurveResult, FreezingPathResult};
use super::valley_columns::{
    ValleyMeans, check_size, ensemble_cost, ensemble_regime, simulate_cells, starts,
};
use crate::ensemble::{
    Cell, Protocol, Snapshot,
    stream::{LANES, experiment_number},
};
use crate::error::{Error, Result};
use crate::output::{Estimates, Records, ResultFile, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Marker, ONE_COLUMN, Panel, Style, scientific};
use crate::setting::Setting;
use crate::setting::parameter_range::{ParameterRange, row_of};
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::{PathLaw, PathSettings, Start};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[freezing_line]`: one learning rate, many σ, from early training to the end. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FreezingLine {
    /// η.
    pub learning_rate: f64,
    /// σ.
    pub sigma: ParameterRange,
    /// Runs per σ.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Number of moments of the run at which P_flat, mean y and hops are recorded.
    pub records: usize,
    /// Factor on the slow drift of y.
    pub ramp: f64,
    /// Whether the transfer operator solves the runs too, without sampling noise.
    pub transfer: bool,
}

impl Default for FreezingLine {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            sigma: ParameterRange::List(vec![
                0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2,
            ]),
            runs: 500,
            steps: 100_000,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
            records: 200,
            ramp: 1.0,
            transfer: false,
        }
    }
}

records! {
    /// ensembles of discrete SGD from early training to the end, over sigma at one learning rate
    pub struct FreezingLineResult in "freezing_line" {
        attributes {
            /// η.
            learning_rate: f64,
            /// Starting y.
            start_y: f64,
            /// Factor on the slow drift of y.
            ramp: f64,
            /// Runs per σ.
            runs: i64,
            /// Steps per run.
            steps: i64,
        }
        /// how far from the limit of small steps the runs are, and whether they are frozen at their end
        regime: Option<Vec<String>> => [note] "text",
        /// noise amplitude, C/B = 2 sigma H^p
        sigma: Vec<f64> => [sigma] "1" "σ",
        /// learning_rate * sigma
        noise_strength: Vec<f64> => [sigma] "1" "Δ",
        /// Means of the runs.
        means: ValleyMeans => [sigma],
        /// The transfer operator, if it was wanted.
        transfer: Option<LineTransfer> => [sigma],
        /// iterations done
        step: Vec<u64> => [step] "iterations" "k",
        /// fraction of runs at x >= 0 at each recorded step
        path_p_flat: Vec<f64> => [sigma, step] "1",
        /// mean y at each recorded step
        path_mean_y: Vec<f64> => [sigma, step] "1",
        /// mean number of valley-to-valley hops of a run up to each recorded step
        path_hops: Vec<f64> => [sigma, step] "1",
    }
}

records! {
    /// The same runs by the transfer operator of the SGD map, y on its mean path.
    pub struct LineTransfer {
        /// fraction of runs that end at x >= 0
        p_flat_transfer: Vec<f64> => [] "1",
        /// change of p_flat_transfer with kernels kept twice as long on panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [] "1",
        /// mean y of the last sign change of x
        mean_freezing_y_transfer: Vec<f64> => [] "1",
        /// change of mean_freezing_y_transfer as of p_flat_transfer
        mean_freezing_y_transfer_error: Vec<f64> => [] "1",
    }
}

impl LineTransfer {
    fn new(task: &FreezingLine, model: &TwoValleyModel, sigmas: &[f64], progress: &Progress) -> Result<Self> {
        let bar = progress.task("transfer operator", sigmas.len() as u64);
        let settings = PathSettings {
            steps: task.steps as usize,
            starts: Start::in_equal_parts(&task.start_x),
            start_y: task.start_y,
            ramp: task.ramp,
            ..PathSettings::default()
        };
        let laws: Vec<[PathLaw; 2]> = sigmas
            .par_iter()
            .with_max_len(1)
            .map(|&sigma| {
                let laws = model.path_laws(task.learning_rate, sigma, &settings)?;
                bar.advance(1);
                Ok(laws)
            })
            .collect::<Result<_>>()?;
        let value = |of: fn(&PathLaw) -> f64| laws.iter().map(|[law, _]| of(law)).collect();
        let change = |of: fn(&PathLaw) -> f64| {
            let both = laws.iter().map(|[law, coarse]| (of(law) - of(coarse)).abs());
            both.collect()
        };
        Ok(Self {
            p_flat_transfer: value(PathLaw::final_p_flat),
            p_flat_transfer_error: change(PathLaw::final_p_flat),
            mean_freezing_y_transfer: value(PathLaw::mean_freezing_y),
            mean_freezing_y_transfer_error: change(PathLaw::mean_freezing_y),
        })
    }
}

const SECTION: &str = "freezing_line";

impl Task for FreezingLine {
    const FIGURES: &'static [FigureEntry] = &[
        FigureEntry {
            name: "freezing_line",
            description: "freezing height and P_flat against noise strength, simulation and theory",
            group: "freezing_line",
            figure,
        },
        FigureEntry {
            name: "p_flat_path",
            description: "P_flat along training, simulation and theory",
            group: "freezing_line",
            figure: p_flat_path,
        },
        FigureEntry {
            name: "hop_rate",
            description: "rate of hops between the valleys along training",
            group: "freezing_line",
            figure: hop_rate,
        },
    ];

    const SHAPED_BY: &'static [&'static str] = &["sigma.points", "records", "steps"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = FreezingLineResult::find(file)? else {
            return Ok(Vec::new());
        };
        let (rows, means) = (Rows::along("sigma", &result.sigma), &result.means);
        Ok([
            rows.means("p_flat", &means.p_flat),
            rows.means("mean_freezing_y", &means.mean_freezing_y),
            rows.means("mean_last_hop_y", &means.mean_last_hop_y),
            rows.means("mean_hops", &means.mean_hops),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Bytes of a snapshot of the runs that are simulated together.
        const SNAPSHOT: f64 = 40.0;
        let snapshots = self.sigma.count() * (self.records as f64).min(self.steps as f64);
        let blocks = (self.runs as f64 / LANES as f64).ceil();
        /// Seconds of a step of the transfer operator.
        const TRANSFER: f64 = 3e-5;
        let cost = ensemble_cost(SECTION, "steps", self.sigma.count(), self.runs, self.steps)
            .with_memory("freezing_line.records", SNAPSHOT * snapshots * blocks)
            .with_result("freezing_line.records", SNAPSHOT * snapshots);
        match self.transfer {
            true => cost.with_time(
                "freezing_line.transfer",
                TRANSFER * self.sigma.count() * self.steps as f64,
            ),
            false => cost,
        }
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let sigmas = self.sigma.positive("freezing_line.sigma")?;
        check_size(SECTION, self.runs, self.steps)?;
        let starts = starts(SECTION, &self.start_x, self.start_y)?;
        if self.records == 0 || self.records as u64 > self.steps {
            return Err(Error::config(
                "freezing_line.records",
                format!("between 1 and steps = {} records are possible", self.steps),
            ));
        }
        let (mut cells, mut strengths) = (Vec::new(), Vec::new());
        for &sigma in &sigmas {
            let walk = model
                .walk(self.learning_rate, sigma)
                .and_then(|w| w.with_ramp(self.ramp));
            let walk = walk.map_err(|e| e.at(SECTION))?;
            walk.check_stability(self.start_y)
                .map_err(|e| e.at("freezing_line.learning_rate"))?;
            strengths.push(model.noise_strength(self.learning_rate, sigma)?);
            let protocol = Protocol {
                starts: starts.clone(),
                runs: self.runs,
                steps: self.steps,
                record_every: Some(self.steps / self.records as u64),
                seed: setting.seed,
                experiment: experiment_number(&format!("{SECTION} {:e} {sigma:e}", self.learning_rate)),
            };
            cells.push(Cell { walk, protocol });
        }
        let task = self.clone();
        Ok(Box::new(move |progress| {
            let ensembles = simulate_cells(&cells, "freezing line", progress)?;
            let runs = task.runs as f64;
            let along = |value: &dyn Fn(&Snapshot) -> f64| -> Vec<f64> {
                let snapshots = ensembles.iter().flat_map(|e| &e.snapshots);
                snapshots.map(value).collect()
            };
            let transfer = match task.transfer {
                true => Some(LineTransfer::new(&task, &model, &sigmas, progress)?),
                false => None,
            };
            let means = ValleyMeans::new(&ensembles)?;
            let result = FreezingLineResult {
                regime: Some(ensemble_regime(&cells, &means.unfrozen_fraction)?),
                learning_rate: task.learning_rate,
                start_y: task.start_y,
                ramp: task.ramp,
                runs: task.runs as i64,
                steps: task.steps as i64,
                sigma: sigmas,
                noise_strength: strengths,
                means,
                transfer,
                step: ensembles[0].snapshots.iter().map(|s| s.step).collect(),
                path_p_flat: along(&|s| s.flat as f64 / runs),
                path_mean_y: along(&|s| s.sum_y / runs),
                path_hops: along(&|s| s.hops as f64 / runs),
            };
            Ok(vec![result.group()?])
        }))
    }
}

/// Freezing position and P_flat against the noise strength Δ = ησ: simulation with standard errors, our theory, the paper's.
///
/// (a) The last sign change of x (filled) with the theory of the last visit to the ridge, and the last hop between the valleys (open) with
/// its theory; (b) the final P_flat. The transfer operator, if it was wanted, at the learning rate of the runs. Where a theory is NaN its line is
/// interrupted.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = FreezingLineResult::of(file)?;
    let (noise, means) = (&result.noise_strength, &result.means);
    let theory = Style::nth(0);
    let paper = Style::nth(1).with_dash(Dash::Dotted);
    let filled = Style::nth(0).with_colour(Colour::BLACK);
    let points =
        |e: &Estimates, label, style| Layer::points(noise, &e.value, &e.standard_error, label, style);
    let axis = Axis::log("noise strength Δ = *ησ*");
    let mut position = Panel::new("", axis.clone().without_labels(), Axis::linear("⟨*y*_{freeze}⟩"));
    let mut probability = Panel::new("", axis, Axis::linear("*P*_{flat}"));
    if let Some(curve) = FreezingCurveResult::of_file(file)? {
        let line = |values: &[f64], label, style| Layer::line(&curve.noise_strength, values, label, style);
        if let Some(papers) = &curve.papers {
            position = position.with(line(
                &papers.paper_mean_freezing_y,
                "paper's formula, fitted factor",
                paper,
            ));
            probability = probability.with(line(&papers.paper_p_flat, "", paper));
        }
        let ridge = "theory *η* → 0, last visit to the ridge";
        let dashed = theory.with_dash(Dash::Dashed);
        position = position
            .with(line(&curve.mean_freezing_y_ridge, ridge, theory))
            .with(line(&curve.mean_freezing_y, "theory *η* → 0, last hop", dashed));
        probability = probability.with(line(&curve.p_flat, "", theory));
    }
    if let Some(transfer) = &result.transfer {
        let style = Style::nth(2);
        let label = format!("transfer operator, *η* = {}", result.learning_rate);
        position = position.with(Layer::line(
            noise,
            &transfer.mean_freezing_y_transfer,
            &label,
            style,
        ));
        probability = probability.with(Layer::line(noise, &transfer.p_flat_transfer, "", style));
    }
    // Open under filled, so that neither hides the other.
    position = position
        .with(points(
            &means.mean_last_hop_y,
            "SGD, last hop",
            filled.with_marker(Marker::Square).with_hollow_points(),
        ))
        .with(points(
            &means.mean_freezing_y,
            "SGD, last sign change of *x*",
            filled,
        ));
    probability = probability.with(points(&means.p_flat, "", filled));
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.66,
        panels: vec![position, probability],
    })
}

/// Most noise strengths in one panel.
const LINES: usize = 4;
/// Points of one line when they are evenly spread on the log axis of y.
const POINTS: f64 = 22.0;

/// The ensemble along training, and the theory, at a few noise strengths.
struct Paths {
    line: FreezingLineResult,
    runs: f64,
    theory: Option<FreezingPathResult>,
    /// Rows drawn: noise strength, row of the simulation, row of the theory if there is one.
    rows: Vec<(f64, usize, Option<usize>)>,
}

impl Paths {
    fn new(file: &ResultFile) -> Result<Self> {
        let line = FreezingLineResult::of(file)?;
        let path = FreezingPathResult::find(file)?;
        let noise = &line.noise_strength;
        let theory_noise = path.as_ref().map_or(&[][..], |path| &path.noise_strength);
        let theory = |d: f64| row_of(d, theory_noise);
        let all = noise.iter().enumerate().map(|(row, d)| (*d, row, theory(*d)));
        let mut candidates: Vec<_> = all.clone().filter(|(_, _, row)| row.is_some()).collect();
        if candidates.is_empty() {
            candidates = all.collect();
        }
        let count = candidates.len().min(LINES);
        let spread = |k: usize| k * (candidates.len() - 1) / (count - 1).max(1);
        Ok(Self {
            rows: (0..count).map(|k| candidates[spread(k)]).collect(),
            runs: line.runs as f64,
            theory: path,
            line,
        })
    }

    fn row<'a>(&self, values: &'a [f64], row: usize) -> &'a [f64] {
        &values[row * self.line.step.len()..(row + 1) * self.line.step.len()]
    }

    /// Records of a row whose mean y are apart by at least one [`POINTS`]-th of the log axis.
    fn shown(&self, row: usize) -> Vec<usize> {
        let drawn = self
            .rows
            .iter()
            .flat_map(|(_, row, _)| self.row(&self.line.path_mean_y, *row));
        let (low, high) = drawn
            .filter(|y| **y > 0.0)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(y.ln()), high.max(y.ln()))
            });
        let apart = (high - low) / POINTS;
        let mut shown: Vec<usize> = Vec::new();
        let y = self.row(&self.line.path_mean_y, row);
        for k in 0..y.len() {
            if shown.last().is_none_or(|last| (y[k] / y[*last]).ln() >= apart) {
                shown.push(k);
            }
        }
        shown
    }
}

fn page(panel: Panel) -> Figure {
    Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.8,
        panels: vec![panel],
    }
}

/// Adds a quantity of the theory, if there is one, and the points of each noise strength, in one colour.
fn draw(
    paths: &Paths,
    quantity: fn(&FreezingPathResult) -> &[f64],
    mut panel: Panel,
    points: impl Fn(usize) -> (Vec<f64>, Vec<f64>, Vec<f64>),
) -> Panel {
    panel.title = "points: SGD".into();
    for (n, (noise, row, theory_row)) in paths.rows.iter().enumerate() {
        let label = format!("Δ = {}", scientific(*noise));
        if let (Some(theory), Some(row)) = (&paths.theory, theory_row) {
            let length = theory.y.len() / theory.noise_strength.len().max(1);
            let part = row * length..(row + 1) * length;
            let (y, values) = (&theory.y[part.clone()], &quantity(theory)[part]);
            panel = panel.with(Layer::line(y, values, &label, Style::nth(n)));
            panel.title = "points: SGD, lines: two-state theory".into();
        }
        let (y, values, error) = points(*row);
        // The legend shows what is there: a line, points, or both on each other.
        let label = if y.is_empty() { String::new() } else { label };
        panel = panel.with(Layer::points(&y, &values, &error, &label, Style::nth(n)));
    }
    panel
}

/// P_flat against mean y along training at four noise strengths at most: SGD with standard errors √(P(1 − P)/runs), two-state theory as lines.
///
/// Noise strengths that have a theory are preferred. Of many records only some are drawn, evenly spread on the axis.
///
/// # Errors
/// As [`Records::of`].
pub fn p_flat_path(file: &ResultFile) -> Result<Figure> {
    let paths = Paths::new(file)?;
    let panel = Panel::new("", Axis::log("mean position ⟨*y*⟩"), Axis::linear("*P*_{flat}"));
    let panel = draw(
        &paths,
        |theory| &theory.p_flat,
        panel,
        |row| {
            let shown = paths.shown(row);
            let (y, p) = (
                paths.row(&paths.line.path_mean_y, row),
                paths.row(&paths.line.path_p_flat, row),
            );
            let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
            let p = pick(p);
            let error = p.iter().map(|p| (p * (1.0 - p) / paths.runs).sqrt()).collect();
            (pick(y), p, error)
        },
    );
    Ok(page(panel))
}

/// Hops between the valleys of a run per unit of time t = ηk, against mean y along training, at the noise strengths of [`p_flat_path`].
///
/// A rate belongs to the interval between two drawn records and is shown at the geometric mean of their y; intervals without a hop are not
/// shown. Error bars are √count, which takes hops of a run for independent.
///
/// # Errors
/// As [`Records::of`].
pub fn hop_rate(file: &ResultFile) -> Result<Figure> {
    /// Factor by which the axis goes beyond the rates of the simulation.
    const BEYOND: f64 = 4.0;
    /// The same for the first and the last position.
    const BEFORE: f64 = 1.1;
    const BEHIND: f64 = 1.5;
    let paths = Paths::new(file)?;
    let line = &paths.line;
    let points = |row: usize| {
        let (y, hops) = (paths.row(&line.path_mean_y, row), paths.row(&line.path_hops, row));
        let (mut at, mut rate, mut error) = (Vec::new(), Vec::new(), Vec::new());
        for pair in paths.shown(row).windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let time = line.learning_rate * (line.step[b] - line.step[a]) as f64;
            let count = hops[b] - hops[a];
            if count > 0.0 {
                at.push((y[a] * y[b]).sqrt());
                rate.push(count / time);
                error.push((count / paths.runs).sqrt() / time);
            }
        }
        (at, rate, error)
    };
    let mut axis = Axis::log("hops of a run per unit of time *t* = *ηk*");
    // The theory falls by hundreds of decades: the axis follows the simulation.
    let mut position = Axis::log("mean position ⟨*y*⟩");
    let bounds = |values: &[f64]| {
        (
            values.iter().copied().fold(f64::INFINITY, f64::min),
            values.iter().copied().fold(0.0, f64::max),
        )
    };
    let drawn = paths.rows.iter().map(|(_, row, _)| points(*row));
    let (y, rates): (Vec<_>, Vec<_>) = drawn.map(|(y, rate, _)| (y, rate)).unzip();
    let (first, last) = bounds(&y.concat());
    let (low, high) = bounds(&rates.concat());
    if low <= high {
        axis = axis.with_range(low / BEYOND, high * BEYOND);
        let theory_y = paths.theory.iter().flat_map(|theory| &theory.y);
        let start = theory_y.copied().fold(first, f64::min);
        if start > 0.0 {
            position = position.with_range(start / BEFORE, last * BEHIND);
        }
    }
    if low > high && paths.theory.is_none() {
        // Nothing to draw is a result, too: say it.
        let panel = Panel::new("", position.with_range(1.0, 10.0), axis.with_range(1e-4, 1.0));
        return Ok(page(panel.with(Layer::Text {
            x: 1.3,
            y: 1e-2,
            text: "no hop between the first and the last record".into(),
        })));
    }
    let panel = Panel::new("", position, axis);
    Ok(page(draw(&paths, |theory| &theory.hop_rate, panel, points)))
}
