//! Final P_flat by every route.

use super::freezing_line::noise_strength;
use super::{attribute, is_same, numbers, numbers_of, optional};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Marker, ONE_COLUMN, Panel, Style};

/// Points of one route.
struct Route {
    label: String,
    noise: Vec<f64>,
    p: Vec<f64>,
    error: Vec<f64>,
    style: Style,
    /// Factor on the abscissa, so that points of routes that agree stand side by side.
    shift: f64,
}

/// Final P_flat against noise strength by every route (a), and what each differs from the two-state master equation (b).
///
/// Reads `/final_probability`: `noise_strength`, `p_flat_two_state`, and what there is of `p_flat_density`, `p_flat_planar`,
/// `p_flat_transfer`, `p_flat_isotropic` (each with `_error`), `p_flat_sgd` with `p_flat_sgd_standard_error`. Without `p_flat_sgd` the
/// points are `p_flat` of `/freezing_line` at the same noise strengths, if that group has the same learning rate. Points are moved
/// sideways by some per cent.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn final_probability(file: &ResultFile) -> Result<Figure> {
    let noise = numbers(file, "final_probability/noise_strength")?;
    let n = noise.len();
    let two_state = numbers_of(file, "final_probability/p_flat_two_state", n)?;
    let routes = routes(file, &noise)?;
    let axis = Axis::log("noise strength Δ = *ησ*");
    let mut level = Panel::new(
        "",
        axis.clone().without_labels(),
        Axis::linear("final *P*_{flat}"),
    );
    let line = Style::nth(0);
    level = level.with(Layer::line(&noise, &two_state, "two-state theory, *η* → 0", line));
    let isotropic = optional(file, "final_probability/p_flat_isotropic", n)?;
    if !isotropic.is_empty() {
        let style = Style::nth(6).with_colour(Colour::GREY).with_dash(Dash::DashDot);
        level = level.with(Layer::line(&noise, &isotropic, "control: isotropic noise", style));
    }
    let mut difference = Panel::new("", axis, Axis::linear("*P*_{flat} − two-state theory"));
    difference = difference.with(Layer::Horizontal {
        y: 0.0,
        label: String::new(),
        style: line,
    });
    for route in routes {
        let x: Vec<f64> = route.noise.iter().map(|d| d * route.shift).collect();
        level = level.with(Layer::points(
            &x,
            &route.p,
            &route.error,
            &route.label,
            route.style,
        ));
        let theory = |d: &f64| noise.iter().position(|t| is_same(*t, *d)).map(|k| two_state[k]);
        let rest: Vec<f64> = (route.p.iter().zip(&route.noise))
            .map(|(p, d)| theory(d).map_or(f64::NAN, |t| p - t))
            .collect();
        difference = difference.with(Layer::points(&x, &rest, &route.error, "", route.style));
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.66,
        panels: vec![level, difference],
    })
}

fn routes(file: &ResultFile, noise: &[f64]) -> Result<Vec<Route>> {
    let learning_rate = attribute(file, "final_probability", "learning_rate");
    let finite = learning_rate.map_or_else(String::new, |eta| format!(", *η* = {eta}"));
    let mut routes = Vec::new();
    for (record, label, style, shift) in [
        (
            "density",
            "Fokker–Planck in *x*, *η* → 0".to_string(),
            Style::nth(2).with_marker(Marker::Square),
            0.91,
        ),
        (
            "planar",
            "Fokker–Planck in (*x*, *y*), *η* → 0".to_string(),
            Style::nth(3).with_marker(Marker::Diamond),
            0.97,
        ),
        (
            "transfer",
            format!("transfer operator{finite}"),
            Style::nth(1).with_marker(Marker::Triangle),
            1.03,
        ),
    ] {
        let p = optional(file, &format!("final_probability/p_flat_{record}"), noise.len())?;
        if !p.is_empty() {
            let error = format!("final_probability/p_flat_{record}_error");
            routes.push(Route {
                label,
                noise: noise.to_vec(),
                p,
                error: optional(file, &error, noise.len())?,
                style,
                shift,
            });
        }
    }
    let is_comparable =
        learning_rate.is_some() && learning_rate == attribute(file, "freezing_line", "learning_rate");
    let source = if file.record("final_probability/p_flat_sgd").is_ok() {
        Some(("final_probability/p_flat_sgd", noise.to_vec()))
    } else if is_comparable {
        Some(("freezing_line/p_flat", noise_strength(file)?))
    } else {
        None
    };
    if let Some((path, from)) = source {
        let shown: Vec<usize> = (0..from.len())
            .filter(|k| noise.iter().any(|d| is_same(*d, from[*k])))
            .collect();
        let pick = |values: Vec<f64>| -> Vec<f64> {
            let shown = shown.iter().filter_map(|k| values.get(*k));
            shown.copied().collect()
        };
        if !shown.is_empty() {
            routes.push(Route {
                label: format!("SGD{finite}"),
                p: pick(numbers_of(file, path, from.len())?),
                error: pick(optional(file, &format!("{path}_standard_error"), from.len())?),
                noise: pick(from),
                style: Style::nth(0).with_colour(Colour::BLACK),
                shift: 1.09,
            });
        }
    }
    Ok(routes)
}
