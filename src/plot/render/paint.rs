//! Layers as shapes.

use super::canvas::{Anchor, Canvas, Fill, Item, Map, Rectangle, Stroke};
use super::contour;
use super::font::{Font, Step};
use super::ruler::Ruler;
use crate::error::{Error, Result};
use crate::plot::colour::Colour;
use crate::plot::layer::{ColourScale, Dash, Layer, Marker, Style};

/// Size of the text in legends and panels.
pub(super) const TEXT: f64 = 7.0;
/// Radius of a marker in points.
const MARKER: f64 = 2.2;
/// Distance of the samples of a line when its place is compared with that of the legend.
const SAMPLING: f64 = 2.5;

/// The axes of a panel on the page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub area: Rectangle,
    pub x: Ruler,
    pub y: Ruler,
    /// Colours of the map, if there is one.
    pub colours: Option<Ruler>,
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        self.area.left + self.x.fraction(value) * self.area.width()
    }
    fn y(&self, value: f64) -> f64 {
        self.area.bottom - self.y.fraction(value) * self.area.height()
    }
    fn points(&self, x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
        x.iter().zip(y).map(|(x, y)| (self.x(*x), self.y(*y))).collect()
    }
    /// Colour of a value, grey when there is none.
    fn colour(&self, value: f64, colours: &ColourScale) -> Colour {
        let fraction = self.colours.as_ref().map(|ruler| ruler.fraction(value));
        let known = fraction.filter(|fraction| !fraction.is_nan());
        known.map_or(Colour::MISSING, |fraction| colours.map.at(fraction))
    }
}

impl Layer {
    /// Label and style for the legend.
    pub(super) fn legend(&self) -> Option<(&str, &Style)> {
        match self {
            Self::Line { label, style, .. }
            | Self::Points { label, style, .. }
            | Self::Band { label, style, .. }
            | Self::Contour { label, style, .. }
            | Self::Horizontal { label, style, .. }
            | Self::Vertical { label, style, .. }
                if !label.is_empty() =>
            {
                Some((label, style))
            }
            _ => None,
        }
    }

    /// Checks that the arrays fit each other.
    pub(super) fn check(&self) -> Result<()> {
        let same = |name: &str, expected: usize, got: usize| {
            if expected == got {
                Ok(())
            } else {
                Err(Error::DimensionMismatch {
                    name: format!("{name} of a figure"),
                    expected,
                    got,
                })
            }
        };
        match self {
            Self::Line { x, y, .. } => same("line", x.len(), y.len()),
            Self::Points { x, y, error, .. } => {
                same("points", x.len(), y.len())?;
                if error.is_empty() {
                    Ok(())
                } else {
                    same("error bars", x.len(), error.len())
                }
            }
            Self::Band { x, low, high, .. } => {
                same("band", x.len(), low.len())?;
                same("band", x.len(), high.len())
            }
            Self::Map { x, y, values, .. } => same(
                "map",
                x.len().saturating_sub(1) * y.len().saturating_sub(1),
                values.len(),
            ),
            Self::Coloured { x, y, values, .. } => {
                same("points", x.len(), y.len())?;
                same("colours", x.len(), values.len())
            }
            Self::Contour { x, y, values, .. } => same("contour", x.len() * y.len(), values.len()),
            _ => Ok(()),
        }
    }

    /// All abscissae (`true`) or ordinates, for the range of the axis.
    pub(super) fn extent(&self, is_x: bool) -> Vec<f64> {
        match self {
            Self::Points { y, error, .. } if !is_x && !error.is_empty() => y
                .iter()
                .zip(error)
                .flat_map(|(y, e)| [*y, y - e, y + e])
                .collect(),
            Self::Line { x, y, .. }
            | Self::Points { x, y, .. }
            | Self::Map { x, y, .. }
            | Self::Coloured { x, y, .. }
            | Self::Contour { x, y, .. } => {
                if is_x {
                    x.clone()
                } else {
                    y.clone()
                }
            }
            Self::Band { x, .. } if is_x => x.clone(),
            Self::Band { low, high, .. } => low.iter().chain(high).copied().collect(),
            Self::Horizontal { y, .. } if !is_x => vec![*y],
            Self::Vertical { x, .. } if is_x => vec![*x],
            Self::Text { x, y, .. } => vec![if is_x { *x } else { *y }],
            Self::Horizontal { .. } | Self::Vertical { .. } => Vec::new(),
        }
    }
}

/// Draws one layer.
pub(super) fn layer(canvas: &mut Canvas, layer: &Layer, frame: &Frame) {
    let clip = Some(frame.area);
    match layer {
        Layer::Line { x, y, style, .. } => canvas.stroke(polyline(&frame.points(x, y)), pen(style), clip),
        Layer::Points {
            x, y, error, style, ..
        } => {
            for (n, (x, value)) in x.iter().zip(y).enumerate() {
                let (px, py) = (frame.x(*x), frame.y(*value));
                if !frame.area.contains(px, py) {
                    continue;
                }
                if let Some(error) = error.get(n).filter(|e| e.is_finite()) {
                    let end = |v: f64, beyond: f64| {
                        let y = frame.y(v);
                        if y.is_nan() {
                            beyond
                        } else {
                            y.clamp(frame.area.top, frame.area.bottom)
                        }
                    };
                    // On a log axis a bar that reaches zero runs to the lower edge.
                    let ends = (
                        end(value + error, frame.area.top),
                        end(value - error, frame.area.bottom),
                    );
                    error_bar(canvas, px, ends, style);
                }
                marker(canvas, (px, py), style);
            }
        }
        Layer::Band {
            x, low, high, style, ..
        } => {
            let there = frame.points(x, high);
            let back = frame.points(x, low);
            let is_drawn = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
            let pairs = there
                .into_iter()
                .zip(back)
                .filter(|(a, b)| is_drawn(a) && is_drawn(b));
            let (there, back): (Vec<_>, Vec<_>) = pairs.unzip();
            let mut steps = polyline(
                &there
                    .into_iter()
                    .chain(back.into_iter().rev())
                    .collect::<Vec<_>>(),
            );
            steps.push(Step::Close);
            canvas.fill(steps, band_fill(style), clip);
        }
        Layer::Map {
            x,
            y,
            values,
            colours,
        } => {
            canvas.items.push(Item::Map(Map {
                x: x.iter().map(|v| frame.x(*v)).collect(),
                y: y.iter().map(|v| frame.y(*v)).collect(),
                colours: values.iter().map(|v| frame.colour(*v, colours)).collect(),
                clip: frame.area,
            }));
        }
        Layer::Coloured {
            x,
            y,
            values,
            colours,
        } => {
            for ((px, py), value) in frame.points(x, y).into_iter().zip(values) {
                if frame.area.contains(px, py) {
                    // without a rim, which would hide the colours where points are close
                    let fill = Fill {
                        colour: frame.colour(*value, colours),
                        opacity: 1.0,
                    };
                    canvas.fill(circle(px, py, MARKER), fill, None);
                }
            }
        }
        Layer::Contour {
            x,
            y,
            values,
            levels,
            style,
            ..
        } => {
            let px: Vec<f64> = x.iter().map(|v| frame.x(*v)).collect();
            let py: Vec<f64> = y.iter().map(|v| frame.y(*v)).collect();
            let segments = levels
                .iter()
                .flat_map(|level| contour::segments(&px, &py, values, *level));
            let steps = segments
                .flat_map(|[a, b]| [Step::Move(a.0, a.1), Step::Line(b.0, b.1)])
                .collect();
            canvas.stroke(steps, pen(style), clip);
        }
        Layer::Horizontal { y, style, .. } => {
            let y = frame.y(*y);
            canvas.stroke(
                polyline(&[(frame.area.left, y), (frame.area.right, y)]),
                pen(style),
                clip,
            );
        }
        Layer::Vertical { x, style, .. } => {
            let x = frame.x(*x);
            canvas.stroke(
                polyline(&[(x, frame.area.top), (x, frame.area.bottom)]),
                pen(style),
                clip,
            );
        }
        Layer::Text { x, y, text } => {
            canvas.text_centred(text, TEXT, (frame.x(*x), frame.y(*y)), Anchor::Start);
        }
    }
}

fn polyline(points: &[(f64, f64)]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(points.len());
    let mut down = false;
    for (x, y) in points {
        let is_drawn = x.is_finite() && y.is_finite();
        if is_drawn {
            steps.push(if down {
                Step::Line(*x, *y)
            } else {
                Step::Move(*x, *y)
            });
        }
        down = is_drawn;
    }
    steps
}

/// Stroke of a line, with the lengths of its dashes and gaps in points.
pub(super) fn pen(style: &Style) -> Stroke {
    Stroke {
        colour: style.colour,
        width: style.width,
        dash: match style.dash {
            Dash::Solid => Vec::new(),
            Dash::Dashed => vec![4.0, 2.0],
            Dash::Dotted => vec![1.2, 1.6],
            Dash::DashDot => vec![4.5, 1.6, 1.2, 1.6],
        },
    }
}

/// Pale area in the colour of the style.
pub(super) fn band_fill(style: &Style) -> Fill {
    Fill {
        colour: style.colour,
        opacity: 0.25,
    }
}

/// Vertical bar with short ends.
pub(super) fn error_bar(canvas: &mut Canvas, x: f64, (top, bottom): (f64, f64), style: &Style) {
    const WIDTH: f64 = 0.8;
    const END: f64 = 1.6;
    canvas.segment((x, top), (x, bottom), style.colour, WIDTH);
    for y in [top, bottom] {
        canvas.segment((x - END, y), (x + END, y), style.colour, WIDTH);
    }
}

/// Marker: filled with a thin white rim, so that neighbours stay apart, or white with a coloured rim.
pub(super) fn marker(canvas: &mut Canvas, (x, y): (f64, f64), style: &Style) {
    let r = MARKER;
    let closed = |points: &[(f64, f64)]| {
        let mut steps = polyline(
            &points
                .iter()
                .map(|(u, v)| (x + u * r, y + v * r))
                .collect::<Vec<_>>(),
        );
        steps.push(Step::Close);
        steps
    };
    let steps = match style.marker {
        Marker::Circle => circle(x, y, r),
        Marker::Square => closed(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
        Marker::Triangle => closed(&[(0.0, -1.25), (1.15, 0.8), (-1.15, 0.8)]),
        Marker::Diamond => closed(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
    };
    let (inside, rim, width) = if style.hollow {
        (Colour::WHITE, style.colour, 0.8)
    } else {
        (style.colour, Colour::WHITE, 0.3)
    };
    canvas.fill(
        steps.clone(),
        Fill {
            colour: inside,
            opacity: 1.0,
        },
        None,
    );
    canvas.stroke(
        steps,
        Stroke {
            colour: rim,
            width,
            dash: Vec::new(),
        },
        None,
    );
}

/// Four cubic arcs; their radius is right to 3e-4.
fn circle(x: f64, y: f64, r: f64) -> Vec<Step> {
    let k = 0.552_284_75 * r;
    vec![
        Step::Move(x + r, y),
        Step::Cubic(x + r, y + k, x + k, y + r, x, y + r),
        Step::Cubic(x - k, y + r, x - r, y + k, x - r, y),
        Step::Cubic(x - r, y - k, x - k, y - r, x, y - r),
        Step::Cubic(x + k, y - r, x + r, y - k, x + r, y),
        Step::Close,
    ]
}

/// Points on the page that a legend must not cover.
pub(super) fn footprint(layer: &Layer, frame: &Frame, font: &Font) -> Vec<(f64, f64)> {
    match layer {
        Layer::Line { x, y, .. } => along(&frame.points(x, y)),
        Layer::Points { x, y, error, .. } => {
            let mut points = frame.points(x, y);
            for (n, e) in error.iter().enumerate() {
                points.extend(along(&[
                    (frame.x(x[n]), frame.y(y[n] - e)),
                    (frame.x(x[n]), frame.y(y[n] + e)),
                ]));
            }
            around(&points)
        }
        Layer::Coloured { x, y, .. } => around(&frame.points(x, y)),
        Layer::Band { x, low, high, .. } => {
            let ends = frame.points(x, low).into_iter().zip(frame.points(x, high));
            ends.flat_map(|(a, b)| along(&[a, b])).collect()
        }
        Layer::Horizontal { y, .. } => {
            along(&[(frame.area.left, frame.y(*y)), (frame.area.right, frame.y(*y))])
        }
        Layer::Vertical { x, .. } => {
            along(&[(frame.x(*x), frame.area.top), (frame.x(*x), frame.area.bottom)])
        }
        Layer::Text { x, y, text } => {
            let (x, y) = (frame.x(*x), frame.y(*y));
            along(&[(x, y), (x + font.width(text, TEXT), y)])
        }
        Layer::Contour {
            x, y, values, levels, ..
        } => {
            let px: Vec<f64> = x.iter().map(|v| frame.x(*v)).collect();
            let py: Vec<f64> = y.iter().map(|v| frame.y(*v)).collect();
            levels
                .iter()
                .flat_map(|level| contour::segments(&px, &py, values, *level))
                .flatten()
                .collect()
        }
        Layer::Map { .. } => Vec::new(),
    }
}

/// Corners of the squares that markers fill.
fn around(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let corners = [
        (-MARKER, -MARKER),
        (MARKER, -MARKER),
        (MARKER, MARKER),
        (-MARKER, MARKER),
    ];
    (points.iter())
        .flat_map(|(x, y)| corners.map(|(u, v)| (x + u, y + v)))
        .collect()
}

/// Samples along a polygon line.
fn along(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut samples = points.to_vec();
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        if length.is_finite() {
            // Far outside the page nothing needs to be sampled finely.
            let count = (length / SAMPLING).min(2000.0) as usize;
            samples.extend((1..count).map(|k| {
                let t = k as f64 / count as f64;
                (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
            }));
        }
    }
    samples
}
