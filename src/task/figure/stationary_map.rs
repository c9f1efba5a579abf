//! The static picture.

use super::{numbers, numbers_of};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, ONE_COLUMN, Panel, Scale, Style, cell_edges,
};

/// Map of the stationary P_flat at fixed y over noise strength and y, with the line of the mean freezing position.
///
/// Reads `/stationary_map`: `y` of m, `noise_strength` of n, `p_flat` of m × n, `freezing_y` of n entries. The axis of y is
/// logarithmic when its spacing grows. Thin lines are contours of P_flat at multiples of 0.1.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn stationary_map(file: &ResultFile) -> Result<Figure> {
    let y = numbers(file, "stationary_map/y")?;
    let noise = numbers(file, "stationary_map/noise_strength")?;
    let p = numbers_of(file, "stationary_map/p_flat", y.len() * noise.len())?;
    let line = numbers_of(file, "stationary_map/freezing_y", noise.len())?;
    let scale = spacing(&y);
    let (x_edges, y_edges) = (cell_edges(&noise, Scale::Log)?, cell_edges(&y, scale)?);
    let vertical = match scale {
        Scale::Log => Axis::log("*y*"),
        Scale::Linear => Axis::linear("*y*"),
    };
    let panel = Panel::new(
        "",
        Axis::log("noise strength Δ = *ησ*").with_range(x_edges[0], x_edges[noise.len()]),
        vertical.with_range(y_edges[0], y_edges[y.len()]),
    );
    let contours = Style::reference()
        .with_dash(Dash::Solid)
        .with_colour(Colour::WHITE)
        .with_width(0.4);
    // White under black can be seen on any colour.
    let rim = Style::nth(0).with_colour(Colour::WHITE).with_width(3.0);
    let black = rim.with_colour(Colour::BLACK).with_width(1.5);
    let panel = panel
        .with(Layer::Map {
            x: x_edges,
            y: y_edges,
            values: p.clone(),
            colours: ColourScale {
                map: ColourMap::Cividis,
                axis: Axis::linear("stationary *P*_{flat} at fixed *y*"),
                bar: true,
            },
        })
        .with(Layer::Contour {
            x: noise.clone(),
            y,
            values: p,
            levels: (1..10).map(|k| f64::from(k) * 0.1).collect(),
            label: String::new(),
            style: contours,
        })
        .with(Layer::line(&noise, &line, "", rim))
        .with(Layer::line(
            &noise,
            &line,
            "mean freezing position ⟨*y*_{freeze}⟩",
            black,
        ));
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.9,
        panels: vec![panel],
    })
}

/// The scale on which positive values are closer to evenly spaced.
fn spacing(values: &[f64]) -> Scale {
    /// Last step over first from which the axis is logarithmic.
    const GROWTH: f64 = 3.0;
    match values {
        [a, b, .., c, d] if *a > 0.0 && (d - c) > GROWTH * (b - a) => Scale::Log,
        _ => Scale::Linear,
    }
}
