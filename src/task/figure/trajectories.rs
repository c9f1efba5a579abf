//! Single runs.

use super::{numbers, numbers_of};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Figure, Layer, Panel, Style, TWO_COLUMNS};

/// Most runs that are drawn.
const RUNS: usize = 6;
/// Most points of a line, so that the swings of a line can be told apart.
const POINTS: f64 = 1500.0;

/// Single runs of SGD: x against iterations on a log axis, and the path in the plane. Blue to green lines end in the flat valley, red to
/// purple ones in the sharp valley. A disc marks the last recorded sign change of x.
///
/// Reads `/trajectories`: `step` of k, `x` and `y` of runs × k entries. The first six runs are drawn, with at most 1500 points each, evenly
/// spread on the log axis of iterations.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn trajectories(file: &ResultFile) -> Result<Figure> {
    let step = numbers(file, "trajectories/step")?;
    let x = numbers(file, "trajectories/x")?;
    let runs = x.len() / step.len().max(1);
    let x = numbers_of(file, "trajectories/x", runs * step.len())?;
    let y = numbers_of(file, "trajectories/y", runs * step.len())?;
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
    // Blue, sky blue, green, dark blue; vermillion, orange, purple, dark red.
    let palettes = [
        [Colour::nth(0), Colour::nth(5), Colour::nth(2), Colour(0, 48, 80)],
        [Colour::nth(1), Colour::nth(4), Colour::nth(3), Colour(110, 30, 0)],
    ];
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
        let colour = palettes[side][drawn[side] % palettes[side].len()];
        drawn[side] += 1;
        let style = Style::nth(0).with_colour(colour).with_width(0.5);
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
