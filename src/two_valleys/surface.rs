//! `[surface]`: the loss in the plane, for a picture.

use crate::error::Result;
use crate::landscape::{Landscape, Side};
use crate::math::Point;
use crate::output::{Records, ResultFile, records};
use crate::plot::{
    self, Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, ONE_COLUMN, Panel, Style, cell_edges,
    round_step,
};
use crate::setting::Setting;
use crate::setting::parameter_range::{ParameterRange, Scale, Spaced};
use crate::task::{Cost, FigureEntry, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[surface]`: the loss in the plane, for a picture.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Surface {
    /// x of the picture.
    pub x: ParameterRange,
    /// y of the picture.
    pub y: ParameterRange,
}

impl Default for Surface {
    fn default() -> Self {
        Self {
            x: ParameterRange::Spaced(Spaced {
                from: -0.9,
                to: 1.1,
                points: 121,
                scale: Scale::Linear,
            }),
            y: ParameterRange::Spaced(Spaced {
                from: 0.0,
                to: 100.0,
                points: 101,
                scale: Scale::Linear,
            }),
        }
    }
}

records! {
    /// the loss in the plane and the floors of its valleys
    pub struct SurfaceResult in "landscape" {
        /// transverse direction
        x: Vec<f64> => [x] "1" "x",
        /// slow training direction
        y: Vec<f64> => [y] "1" "y",
        /// loss
        loss: Vec<f64> => [y, x] "loss" "L",
        /// x of the valley floor
        minimum_flat: Vec<f64> => [y] "1",
        /// x of the valley floor
        minimum_sharp: Vec<f64> => [y] "1",
    }
}

impl Task for Surface {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "landscape",
        description: "the loss in the plane with contours and the floors of its valleys",
        group: "landscape",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["x.points", "y.points"];

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Bytes of a point while it is computed, and seconds.
        const POINT: (f64, f64) = (8.0, 2e-7);
        let (x, y) = (self.x.count(), self.y.count());
        let key = if x >= y { "surface.x" } else { "surface.y" };
        Cost::default()
            .with_memory(key, POINT.0 * x * y)
            .with_result(key, 8.0 * x * y)
            .with_time(key, POINT.1 * x * y)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let landscape = *setting.two_valley()?.landscape();
        let x = self
            .x
            .values("surface.x", |_| true, "finite numbers are needed")?;
        let y = self
            .y
            .values("surface.y", |y| y >= 0.0, "finite numbers >= 0 are needed")?;
        Ok(Box::new(move |_| {
            let floor = |side| y.iter().map(|&y| landscape.minimum(side, y)).collect();
            let row = |y: f64| x.iter().map(move |&x| landscape.loss(&Point::<2>::new(x, y)));
            let result = SurfaceResult {
                loss: y.iter().flat_map(|&y| row(y)).collect(),
                minimum_flat: floor(Side::Flat),
                minimum_sharp: floor(Side::Sharp),
                x,
                y,
            };
            Ok(vec![result.group()?])
        }))
    }
}

/// Map of the loss over x and y with contours and the floors of the two valleys.
///
/// Colours end a little above the highest loss between the two floors, so that the valleys can be seen; higher walls have the last colour
/// and no contours.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    /// About so many contours within the range of colours.
    const CONTOURS: f64 = 14.0;
    let SurfaceResult {
        x,
        y,
        loss,
        minimum_flat: flat,
        minimum_sharp: sharp,
    } = Records::of(file)?;
    let (x_edges, y_edges) = (
        cell_edges(&x, plot::Scale::Linear)?,
        cell_edges(&y, plot::Scale::Linear)?,
    );
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
        let step = round_step((high - low) / CONTOURS);
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        levels = (first..=last).map(|k| k as f64 * step).collect();
        axis = Axis::linear(&format!("loss *L*, lines every {step}")).with_range(low, high);
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
