//! P_flat and hops along training.

use super::freezing_line::noise_strength;
use super::{attribute, is_same, numbers, numbers_of, optional, scientific};
use crate::error::{Error, Result};
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Figure, Layer, ONE_COLUMN, Panel, Style};

/// Most noise strengths in one panel.
const LINES: usize = 4;
/// Points of one line when they are evenly spread on the log axis of y.
const POINTS: f64 = 22.0;

/// The ensemble along training, and the theory, at a few noise strengths.
struct Paths {
    step: Vec<f64>,
    runs: f64,
    /// Rows drawn: noise strength, row of the simulation, row of the theory if there is one.
    rows: Vec<(f64, usize, Option<usize>)>,
    mean_y: Vec<f64>,
    theory_y: Vec<f64>,
    /// Points of a line of the theory.
    points: usize,
}

impl Paths {
    fn new(file: &ResultFile) -> Result<Self> {
        let noise = noise_strength(file)?;
        let step = numbers(file, "freezing_line/step")?;
        let mean_y = numbers_of(file, "freezing_line/path_mean_y", noise.len() * step.len())?;
        let runs = needed(file, "runs")?;
        let (mut theory_noise, mut theory_y) = (Vec::new(), Vec::new());
        if file.group("freezing_path").is_some() {
            theory_noise = numbers(file, "freezing_path/noise_strength")?;
            theory_y = numbers(file, "freezing_path/y")?;
        }
        let points = theory_y.len() / theory_noise.len().max(1);
        if theory_y.len() != points * theory_noise.len() {
            return Err(Error::DimensionMismatch {
                name: "freezing_path/y".into(),
                expected: points * theory_noise.len(),
                got: theory_y.len(),
            });
        }
        let theory = |d: f64| theory_noise.iter().position(|t| is_same(*t, d));
        let all = noise.iter().enumerate().map(|(row, d)| (*d, row, theory(*d)));
        let mut candidates: Vec<_> = all.clone().filter(|(_, _, row)| row.is_some()).collect();
        if candidates.is_empty() {
            candidates = all.collect();
        }
        let count = candidates.len().min(LINES);
        let spread = |k: usize| k * (candidates.len() - 1) / (count - 1).max(1);
        Ok(Self {
            step,
            runs,
            rows: (0..count).map(|k| candidates[spread(k)]).collect(),
            mean_y,
            theory_y,
            points,
        })
    }

    fn row<'a>(&self, values: &'a [f64], row: usize) -> &'a [f64] {
        &values[row * self.step.len()..(row + 1) * self.step.len()]
    }

    /// Records of a row whose mean y are apart by at least one [`POINTS`]-th of the log axis.
    fn shown(&self, row: usize) -> Vec<usize> {
        let drawn = self
            .rows
            .iter()
            .flat_map(|(_, row, _)| self.row(&self.mean_y, *row));
        let (low, high) = drawn
            .filter(|y| **y > 0.0)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(y.ln()), high.max(y.ln()))
            });
        let apart = (high - low) / POINTS;
        let mut shown: Vec<usize> = Vec::new();
        let y = self.row(&self.mean_y, row);
        for k in 0..y.len() {
            if shown.last().is_none_or(|last| (y[k] / y[*last]).ln() >= apart) {
                shown.push(k);
            }
        }
        shown
    }
}

fn needed(file: &ResultFile, name: &str) -> Result<f64> {
    attribute(file, "freezing_line", name)
        .filter(|v| *v > 0.0)
        .ok_or_else(|| Error::Input {
            path: format!("freezing_line, attribute {name}"),
            message: "a positive number is needed".into(),
        })
}

fn page(panel: Panel) -> Figure {
    Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.8,
        panels: vec![panel],
    }
}

/// Adds the theory of quantity `record`, where the file has it, then calls for the points of each noise strength.
fn draw(
    file: &ResultFile,
    paths: &Paths,
    record: &str,
    mut panel: Panel,
    points: impl Fn(usize) -> (Vec<f64>, Vec<f64>, Vec<f64>),
) -> Result<Panel> {
    let theory = optional(file, &format!("freezing_path/{record}"), paths.theory_y.len())?;
    for (n, (_, _, row)) in paths.rows.iter().enumerate() {
        if let Some(row) = row.filter(|_| !theory.is_empty()) {
            let part = row * paths.points..(row + 1) * paths.points;
            panel = panel.with(Layer::line(
                &paths.theory_y[part.clone()],
                &theory[part],
                "",
                Style::nth(n),
            ));
        }
    }
    if paths.rows.iter().any(|(_, _, row)| row.is_some()) && !theory.is_empty() {
        // One grey sample explains the lines of all colours.
        let sample = Style::nth(0).with_colour(Colour::GREY);
        panel = panel.with(Layer::line(&[], &[], "two-state theory", sample));
    }
    for (n, (noise, row, _)) in paths.rows.iter().enumerate() {
        let (y, values, error) = points(*row);
        // A noise strength without a point needs no explanation.
        let label = if y.is_empty() {
            String::new()
        } else {
            format!("SGD, Δ = {}", scientific(*noise))
        };
        panel = panel.with(Layer::points(&y, &values, &error, &label, Style::nth(n)));
    }
    Ok(panel)
}

/// P_flat against mean y along training at four noise strengths at most: SGD with standard errors √(P(1 − P)/runs), two-state theory as lines.
///
/// Reads `/freezing_line`: `noise_strength` (or `sigma` and `learning_rate`) of n, `step` of k, `path_p_flat` and `path_mean_y` of n × k
/// entries and the attribute `runs`; and, if it exists, `/freezing_path`: `noise_strength` of j, `y` and `p_flat` of j × q entries. Noise
/// strengths that have a theory are preferred. Of many records only some are drawn, evenly spread on the axis.
///
/// # Errors
/// [`Error::Input`] when a record is missing, [`Error::DimensionMismatch`] when shapes do not fit.
pub fn p_flat_path(file: &ResultFile) -> Result<Figure> {
    let paths = Paths::new(file)?;
    let p = numbers_of(file, "freezing_line/path_p_flat", paths.mean_y.len())?;
    let panel = Panel::new("", Axis::log("mean position ⟨*y*⟩"), Axis::linear("*P*_{flat}"));
    let panel = draw(file, &paths, "p_flat", panel, |row| {
        let shown = paths.shown(row);
        let (y, p) = (paths.row(&paths.mean_y, row), paths.row(&p, row));
        let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
        let p = pick(p);
        let error = p.iter().map(|p| (p * (1.0 - p) / paths.runs).sqrt()).collect();
        (pick(y), p, error)
    })?;
    Ok(page(panel))
}

/// Hops between the valleys of a run per unit of time t = ηk, against mean y along training, at the noise strengths of [`p_flat_path`].
///
/// Reads `/freezing_line` as [`p_flat_path`] with `path_hops` of n × k entries (cumulative mean hops of a run) and the attribute
/// `learning_rate`; and, if present, `/freezing_path` with `hop_rate` of j × q entries. A rate belongs to the interval between two drawn
/// records and is shown at the geometric mean of their y; intervals without a hop are not shown. Error bars are √count, which takes hops
/// of a run for independent.
///
/// # Errors
/// [`Error::Input`] when a record is missing, [`Error::DimensionMismatch`] when shapes do not fit.
pub fn hop_rate(file: &ResultFile) -> Result<Figure> {
    /// Factor by which the axis goes beyond the rates of the simulation.
    const BEYOND: f64 = 4.0;
    /// The same for the first and the last position.
    const BEFORE: f64 = 1.1;
    const BEHIND: f64 = 1.5;
    let paths = Paths::new(file)?;
    let hops = numbers_of(file, "freezing_line/path_hops", paths.mean_y.len())?;
    let learning_rate = needed(file, "learning_rate")?;
    let points = |row: usize| {
        let (y, hops) = (paths.row(&paths.mean_y, row), paths.row(&hops, row));
        let (mut at, mut rate, mut error) = (Vec::new(), Vec::new(), Vec::new());
        for pair in paths.shown(row).windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let (time, count) = (learning_rate * (paths.step[b] - paths.step[a]), hops[b] - hops[a]);
            if count > 0.0 {
                at.push((y[a] * y[b]).sqrt());
                rate.push(count / time);
                error.push((count / paths.runs).sqrt() / time);
            }
        }
        (at, rate, error)
    };
    let mut axis = Axis::log("hops of a run per unit of time *ηk*");
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
        let start = paths.theory_y.iter().copied().fold(first, f64::min);
        if start > 0.0 {
            position = position.with_range(start / BEFORE, last * BEHIND);
        }
    }
    if low > high && file.record("freezing_path/hop_rate").is_err() {
        // Nothing to draw is a result, too: say it.
        let panel = Panel::new("", position.with_range(1.0, 10.0), axis.with_range(1e-4, 1.0));
        return Ok(page(panel.with(Layer::Text {
            x: 1.3,
            y: 1e-2,
            text: "no hop between the first and the last record".into(),
        })));
    }
    let panel = Panel::new("", position, axis);
    Ok(page(draw(file, &paths, "hop_rate", panel, points)?))
}
