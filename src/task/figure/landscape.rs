//! The loss in the plane.

use super::{numbers, numbers_of};
use crate::error::Result;
use crate::output::ResultFile;
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, ONE_COLUMN, Panel, Scale, Style, cell_edges,
};

/// Map of the loss over x and y with contours and the floors of the two valleys.
///
/// Reads `/landscape`: `x` of n, `y` of m, `loss` of m × n, `minimum_flat` and `minimum_sharp` of m entries. Colours end a little above the
/// highest loss between the two floors, so that the valleys can be seen; higher walls have the last colour and no contours.
///
/// # Errors
/// [`crate::Error::Input`] when a record is missing, [`crate::Error::DimensionMismatch`] when shapes do not fit.
pub fn landscape(file: &ResultFile) -> Result<Figure> {
    /// Contours within the range of colours.
    const CONTOURS: usize = 14;
    let x = numbers(file, "landscape/x")?;
    let y = numbers(file, "landscape/y")?;
    let loss = numbers_of(file, "landscape/loss", x.len() * y.len())?;
    let flat = numbers_of(file, "landscape/minimum_flat", y.len())?;
    let sharp = numbers_of(file, "landscape/minimum_sharp", y.len())?;
    let (x_edges, y_edges) = (cell_edges(&x, Scale::Linear)?, cell_edges(&y, Scale::Linear)?);
    let (left, right) = (x_edges[0], x_edges[x.len()]);
    let (bottom, top) = (y_edges[0], y_edges[y.len()]);
    let mut panel = Panel::new(
        "",
        Axis::linear("*x*").with_range(left, right),
        Axis::linear("*y*").with_range(bottom, top),
    );
    let mut axis = Axis::linear("loss *L*");
    let mut levels = Vec::new();
    if let Some((low, high)) = range(&x, &loss, &flat, &sharp) {
        axis = axis.with_range(low, high);
        levels = (1..=CONTOURS)
            .map(|k| low + (high - low) * k as f64 / (CONTOURS + 1) as f64)
            .collect();
    }
    panel = panel.with(Layer::Map {
        x: x_edges,
        y: y_edges,
        values: loss.clone(),
        colours: ColourScale {
            map: ColourMap::Viridis,
            axis,
            bar: true,
        },
    });
    panel = panel.with(Layer::Contour {
        x,
        y: y.clone(),
        values: loss,
        levels,
        label: String::new(),
        style: Style::reference()
            .with_dash(Dash::Solid)
            .with_colour(Colour::WHITE)
            .with_width(0.35),
    });
    let floor = Style::nth(4).with_width(1.5);
    panel = panel.with(Layer::line(&flat, &y, "flat valley", floor));
    let floor = Style::nth(1).with_width(1.5).with_dash(Dash::Dashed);
    panel = panel.with(Layer::line(&sharp, &y, "sharp valley", floor));
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.9,
        panels: vec![panel],
    })
}

/// From the lowest loss to a little above the highest between the floors; none when that is no range.
fn range(x: &[f64], loss: &[f64], flat: &[f64], sharp: &[f64]) -> Option<(f64, f64)> {
    /// Height above the highest ridge, as a fraction of the range below it.
    const ABOVE: f64 = 0.15;
    let low = loss.iter().copied().fold(f64::INFINITY, f64::min);
    let mut ridge = f64::NEG_INFINITY;
    for (row, (a, b)) in loss.chunks_exact(x.len()).zip(flat.iter().zip(sharp)) {
        let between = |x: f64| x >= a.min(*b) && x <= a.max(*b);
        let inner = x.iter().zip(row).filter(|(x, _)| between(**x));
        ridge = inner.map(|(_, l)| *l).fold(ridge, f64::max);
    }
    let high = ridge + ABOVE * (ridge - low);
    (low.is_finite() && high > low).then_some((low, high))
}
