//! Loss and effective potential across the valleys.

use super::{numbers, numbers_of, optional};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};

/// Loss, effective potential and the paper's effective potential on slices across the valleys, one panel a slice.
///
/// Reads `/effective_potential`: `x` of n, `y` of m, `loss`, `effective_potential` and, if present, `paper_effective_potential`
/// and `paper_effective_potential_ito` of m × n entries, all in units of the loss. Each curve is shown from its lowest value, because a potential has no zero,
/// and where the loss is at most twice as high as the ridge between the valleys.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn effective_potential(file: &ResultFile) -> Result<Figure> {
    let x = numbers(file, "effective_potential/x")?;
    let slices = numbers(file, "effective_potential/y")?;
    let size = x.len() * slices.len();
    let curves = [
        (
            "loss *L*",
            numbers_of(file, "effective_potential/loss", size)?,
            Style {
                colour: Colour::BLACK,
                ..Style::nth(0).with_dash(Dash::Dotted)
            },
        ),
        (
            "*L*_{SGD}, exact (Ito)",
            numbers_of(file, "effective_potential/effective_potential", size)?,
            Style {
                width: 1.6,
                ..Style::nth(0)
            },
        ),
        (
            "*L*_{eff}, paper's formula",
            optional(file, "effective_potential/paper_effective_potential", size)?,
            Style::nth(1).with_dash(Dash::Dashed),
        ),
        (
            "the same with the Ito jump",
            optional(file, "effective_potential/paper_effective_potential_ito", size)?,
            Style::nth(2).with_dash(Dash::Dotted),
        ),
    ];
    let mut panels = Vec::new();
    for (slice, y) in slices.iter().enumerate() {
        let vertical = Axis::linear(if slice == 0 { "height above minimum" } else { "" });
        let mut panel = Panel::new(&format!("*y* = {y}"), Axis::linear("*x*"), vertical);
        let shown = window(&curves[0].1[slice * x.len()..(slice + 1) * x.len()]);
        for (label, values, style) in &curves {
            if let Some(row) = values.get(slice * x.len()..(slice + 1) * x.len()) {
                let row = &row[shown.clone()];
                let finite = row.iter().copied().filter(|v| v.is_finite());
                let lowest = finite.fold(f64::INFINITY, f64::min);
                let shifted: Vec<f64> = row.iter().map(|v| v - lowest).collect();
                // One legend serves all panels.
                let label = if slice == 0 { label } else { "" };
                panel = panel.with(Layer::line(&x[shown.clone()], &shifted, label, *style));
            }
        }
        panels.push(panel);
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.62,
        panels,
    })
}

/// The part of a slice on which the loss is at most [`WALLS`] barriers high, so that the valleys fill the panel; all of it when there is
/// no barrier between two valleys.
fn window(loss: &[f64]) -> std::ops::Range<usize> {
    /// Height of the outer walls that is shown, in barriers.
    const WALLS: f64 = 2.0;
    let lowest = loss.iter().copied().fold(f64::INFINITY, f64::min);
    let is_minimum = |i: &usize| loss[*i] <= loss[*i - 1] && loss[*i] < loss[*i + 1];
    let mut minima = (1..loss.len().saturating_sub(1)).filter(is_minimum);
    if let (Some(first), Some(last)) = (minima.next(), minima.next_back()) {
        let ridge = loss[first..=last].iter().copied().fold(lowest, f64::max);
        let is_shown = |v: &f64| *v - lowest <= WALLS * (ridge - lowest);
        if let (Some(start), Some(end)) = (loss.iter().position(is_shown), loss.iter().rposition(is_shown)) {
            return start..end + 1;
        }
    }
    0..loss.len()
}
