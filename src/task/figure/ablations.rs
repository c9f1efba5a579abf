//! One ingredient of the model changed at a time.

use super::{numbers, numbers_of, optional, text};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};

/// Share of runs not frozen at the end from which a point is drawn hollow.
const UNFROZEN: f64 = 0.01;

/// Mean freezing position (a) and P_flat (b) against noise strength, one colour and marker for each variant of the model; the first
/// variant, the full model, is black. Hollow points: more than 1 % of the runs still hop at the end, so that the position is that of the
/// end of the run.
///
/// Reads `/ablations`: `variant` of v texts, `noise_strength` of n, `mean_freezing_y`, `p_flat`, `unfrozen_fraction` of v × n entries, the
/// first two with `_standard_error` where the file has it.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn ablations(file: &ResultFile) -> Result<Figure> {
    let variants = text(file, "ablations/variant")?;
    let noise = numbers(file, "ablations/noise_strength")?;
    let n = noise.len();
    let unfrozen = numbers_of(file, "ablations/unfrozen_fraction", variants.len() * n)?;
    let mut panels = Vec::new();
    for (quantity, axis) in [
        ("mean_freezing_y", Axis::log("⟨*y*_{freeze}⟩")),
        ("p_flat", Axis::linear("*P*_{flat}")),
    ] {
        let size = variants.len() * n;
        let values = numbers_of(file, &format!("ablations/{quantity}"), size)?;
        let error = optional(file, &format!("ablations/{quantity}_standard_error"), size)?;
        let mut panel = Panel::new("", Axis::log("noise strength Δ = *ησ*"), axis);
        // The full model last, on top of the others; one legend serves both panels.
        for v in (0..variants.len()).rev() {
            let part = v * n..(v + 1) * n;
            let style = style(v);
            panel = panel.with(Layer::line(
                &noise,
                &values[part.clone()],
                "",
                style.with_width(0.8),
            ));
            for hollow in [false, true] {
                let is_shown = |k: &usize| (unfrozen[v * n + k] > UNFROZEN) == hollow;
                let shown: Vec<usize> = (0..n).filter(is_shown).collect();
                let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
                let error = error.get(part.clone()).map_or_else(Vec::new, pick);
                let style = if hollow { style.with_hollow_points() } else { style };
                panel = panel.with(Layer::points(
                    &pick(&noise),
                    &pick(&values[part.clone()]),
                    &error,
                    "",
                    style,
                ));
            }
        }
        if quantity == "mean_freezing_y" {
            for (v, name) in variants.iter().enumerate() {
                panel = panel.with(Layer::points(&[], &[], &[], name, style(v)));
            }
            let hollow = Style::nth(0).with_colour(Colour::GREY).with_hollow_points();
            panel = panel.with(Layer::points(&[], &[], &[], "not frozen at the end", hollow));
        }
        panels.push(panel);
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.72,
        panels,
    })
}

/// Black for the full model; then six colours, full and then dashed, each time with other markers.
fn style(variant: usize) -> Style {
    const COLOURS: usize = 6;
    match variant.checked_sub(1) {
        None => Style::nth(0).with_colour(Colour::BLACK),
        Some(k) => {
            let style = Style::nth(k + 1).with_colour(Colour::nth(k % COLOURS));
            if k < COLOURS {
                style
            } else {
                style.with_dash(Dash::Dashed)
            }
        }
    }
}
