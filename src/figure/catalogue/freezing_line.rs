//! Freezing against noise strength.

use super::{numbers, numbers_of, optional};
use crate::error::{Error, Result};
use crate::figure::{Axis, Dash, Figure, Layer, ONE_COLUMN, Panel, Style};
use crate::output::{Attribute, ResultFile};

/// Mean freezing height and P_flat against the noise strength Δ = ησ: simulation with standard errors, our theory, the paper's.
///
/// Reads `/freezing_line`: `noise_strength` (or `sigma` with the scalar record or attribute `learning_rate`), `mean_freezing_y`,
/// `p_flat`, and each with `_standard_error` where the file has it; and, if it exists, `/freezing_theory`: `noise_strength` with any of
/// `mean_freezing_y`, `p_flat`, `paper_mean_freezing_y`, `paper_p_flat`.
///
/// # Errors
/// [`Error::Input`] when a record is missing, [`Error::DimensionMismatch`] when shapes do not fit.
pub fn freezing_line(file: &ResultFile) -> Result<Figure> {
    let noise = noise_strength(file)?;
    let has_theory = file.group("freezing_theory").is_some();
    let theory_noise = if has_theory {
        numbers(file, "freezing_theory/noise_strength")?
    } else {
        Vec::new()
    };
    let quantities = [("mean_freezing_y", "⟨*y*_{freeze}⟩"), ("p_flat", "*P*_{flat}")];
    let mut panels = Vec::new();
    for (n, (quantity, symbol)) in quantities.into_iter().enumerate() {
        let mut x = Axis::log("noise strength Δ = *ησ*");
        if n + 1 < quantities.len() {
            x = x.without_labels();
        }
        let mut panel = Panel::new("", x, Axis::linear(symbol));
        // One legend serves both panels.
        let label = |text: &'static str| if n == 0 { text } else { "" };
        for (prefix, text, style) in [
            ("paper_", "paper's formula", Style::nth(1).with_dash(Dash::Dashed)),
            ("", "theory, nothing fitted", Style::nth(0)),
        ] {
            let line = optional(
                file,
                &format!("freezing_theory/{prefix}{quantity}"),
                theory_noise.len(),
            )?;
            if !line.is_empty() {
                panel = panel.with(Layer::line(&theory_noise, &line, label(text), style));
            }
        }
        let values = numbers_of(file, &format!("freezing_line/{quantity}"), noise.len())?;
        let error = optional(
            file,
            &format!("freezing_line/{quantity}_standard_error"),
            noise.len(),
        )?;
        let black = Style {
            colour: crate::figure::Colour::BLACK,
            ..Style::nth(0)
        };
        panels.push(panel.with(Layer::points(
            &noise,
            &values,
            &error,
            label("SGD, ± standard error"),
            black,
        )));
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.6,
        panels,
    })
}

fn noise_strength(file: &ResultFile) -> Result<Vec<f64>> {
    if file.record("freezing_line/noise_strength").is_ok() {
        return numbers(file, "freezing_line/noise_strength");
    }
    let scalar = numbers(file, "freezing_line/learning_rate")
        .ok()
        .filter(|v| v.len() == 1)
        .map(|v| v[0]);
    let attribute =
        file.group("freezing_line")
            .and_then(|group| match group.attributes().get("learning_rate") {
                Some(Attribute::Float(value)) => Some(*value),
                _ => None,
            });
    let learning_rate = scalar.or(attribute).ok_or_else(|| Error::Input {
        path: "freezing_line/noise_strength".into(),
        message: "neither this record nor sigma with one learning_rate is in the result file".into(),
    })?;
    Ok(numbers(file, "freezing_line/sigma")?
        .into_iter()
        .map(|sigma| learning_rate * sigma)
        .collect())
}
