//! Freezing against noise strength.

use super::{attribute, numbers, numbers_of, optional};
use crate::error::{Error, Result};
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Dash, Figure, Layer, ONE_COLUMN, Panel, Style};

/// Freezing position and P_flat against the noise strength Δ = ησ: simulation with standard errors, our theory, the paper's.
///
/// (a) The last sign change of x (filled) with the theory of the last visit to the ridge, and the last hop between the valleys (open) with
/// its theory; (b) the final P_flat.
///
/// Reads `/freezing_line`: `noise_strength` (or `sigma` with the scalar record or attribute `learning_rate`), `mean_freezing_y`,
/// `p_flat`, if present `mean_last_hop_y`, and each with `_standard_error` where the file has it; and, if it exists, `/freezing_theory`:
/// `noise_strength` with any of `mean_freezing_y` (last hop), `mean_freezing_y_ridge`, `p_flat`, `paper_mean_freezing_y`, `paper_p_flat`.
/// Where a theory is NaN its line is interrupted.
///
/// # Errors
/// [`Error::Input`] when a record is missing, [`Error::DimensionMismatch`] when shapes do not fit.
pub fn freezing_line(file: &ResultFile) -> Result<Figure> {
    let noise = noise_strength(file)?;
    let theory_noise = if file.group("freezing_theory").is_some() {
        numbers(file, "freezing_theory/noise_strength")?
    } else {
        Vec::new()
    };
    let theory = Style::nth(0);
    let paper = Style::nth(1).with_dash(Dash::Dotted);
    let filled = Style::nth(0).with_colour(Colour::BLACK);
    let line = |panel: Panel, record: &str, label: &str, style: Style| -> Result<Panel> {
        let values = optional(file, &format!("freezing_theory/{record}"), theory_noise.len())?;
        Ok(if values.is_empty() {
            panel
        } else {
            panel.with(Layer::line(&theory_noise, &values, label, style))
        })
    };
    let points = |panel: Panel, record: &str, label: &str, style: Style| -> Result<Panel> {
        let values = numbers_of(file, &format!("freezing_line/{record}"), noise.len())?;
        let error = optional(
            file,
            &format!("freezing_line/{record}_standard_error"),
            noise.len(),
        )?;
        Ok(panel.with(Layer::points(&noise, &values, &error, label, style)))
    };
    let axis = Axis::log("noise strength Δ = *ησ*");
    let mut position = Panel::new("", axis.clone().without_labels(), Axis::linear("⟨*y*_{freeze}⟩"));
    position = line(position, "paper_mean_freezing_y", "paper's formula", paper)?;
    let ridge = "theory, last visit to the ridge";
    position = line(position, "mean_freezing_y_ridge", ridge, theory)?;
    let dashed = theory.with_dash(Dash::Dashed);
    position = line(position, "mean_freezing_y", "theory, last hop", dashed)?;
    position = points(
        position,
        "mean_freezing_y",
        "SGD, last sign change of *x*",
        filled,
    )?;
    if file.record("freezing_line/mean_last_hop_y").is_ok() {
        let hollow = filled.with_hollow_points();
        position = points(position, "mean_last_hop_y", "SGD, last hop", hollow)?;
    }
    let mut probability = Panel::new("", axis, Axis::linear("*P*_{flat}"));
    probability = line(probability, "paper_p_flat", "", paper)?;
    probability = line(probability, "p_flat", "", theory)?;
    probability = points(probability, "p_flat", "", filled)?;
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.66,
        panels: vec![position, probability],
    })
}

/// Noise strengths of `/freezing_line`.
pub(super) fn noise_strength(file: &ResultFile) -> Result<Vec<f64>> {
    if file.record("freezing_line/noise_strength").is_ok() {
        return numbers(file, "freezing_line/noise_strength");
    }
    let scalar = numbers(file, "freezing_line/learning_rate")
        .ok()
        .filter(|v| v.len() == 1)
        .map(|v| v[0]);
    let learning_rate = scalar.or_else(|| attribute(file, "freezing_line", "learning_rate"));
    let learning_rate = learning_rate.ok_or_else(|| Error::Input {
        path: "freezing_line/noise_strength".into(),
        message: "neither this record nor sigma with one learning_rate is in the result file".into(),
    })?;
    Ok(numbers(file, "freezing_line/sigma")?
        .into_iter()
        .map(|sigma| learning_rate * sigma)
        .collect())
}
