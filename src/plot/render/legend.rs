//! The legend: in a place where it covers no data, else below the axes.

use super::canvas::{Anchor, Canvas, Fill, Rectangle};
use super::font::{Font, Step};
use super::paint::{self, Frame, TEXT};
use crate::plot::colour::Colour;
use crate::plot::layer::{Layer, Style};

/// Height of a line.
const LINE: f64 = 10.0;
/// Length of the sample of a line.
const SAMPLE: f64 = 17.0;
/// Between sample and text, and around.
const GAP: f64 = 4.0;

/// Where the legend of a panel stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// Nothing to explain.
    None,
    /// Inside, with these fractions of the free width and height to its left and above it.
    Inside(f64, f64),
    /// Below the label of the horizontal axis.
    Below,
}

/// Corners first, then the middles of the sides.
const PLACES: [(f64, f64); 8] = [
    (1.0, 0.0),
    (0.0, 0.0),
    (1.0, 1.0),
    (0.0, 1.0),
    (0.5, 0.0),
    (0.5, 1.0),
    (1.0, 0.5),
    (0.0, 0.5),
];

/// Size of the box with one entry a line.
fn size(layers: &[Layer], font: &Font) -> (f64, f64) {
    let entries = layers.iter().filter_map(Layer::legend);
    let widths = entries.map(|(label, _)| font.width(label, TEXT));
    let count = widths.clone().count();
    (
        widths.fold(0.0, f64::max) + SAMPLE + 3.0 * GAP,
        count as f64 * LINE + GAP,
    )
}

fn inside(frame: &Rectangle, (width, height): (f64, f64), (right, down): (f64, f64)) -> Rectangle {
    const MARGIN: f64 = 3.0;
    let left = frame.left + MARGIN + right * (frame.width() - width - 2.0 * MARGIN);
    let top = frame.top + MARGIN + down * (frame.height() - height - 2.0 * MARGIN);
    Rectangle {
        left,
        top,
        right: left + width,
        bottom: top + height,
    }
}

/// The first place inside where no data would be covered, else below.
pub(super) fn place(layers: &[Layer], frame: &Frame, font: &Font) -> Place {
    if layers.iter().filter_map(Layer::legend).next().is_none() {
        return Place::None;
    }
    let size = size(layers, font);
    if size.0 > 0.8 * frame.area.width() || size.1 > 0.8 * frame.area.height() {
        return Place::Below;
    }
    let occupied: Vec<(f64, f64)> = layers
        .iter()
        .flat_map(|layer| paint::footprint(layer, frame, font))
        .collect();
    let free = PLACES.into_iter().find(|place| {
        let area = inside(&frame.area, size, *place);
        !occupied.iter().any(|(x, y)| area.contains(*x, *y))
    });
    free.map_or(Place::Below, |(right, down)| Place::Inside(right, down))
}

/// Entries of a legend below the axes, with the line and the offset of each.
fn rows<'a>(layers: &'a [Layer], width: f64, font: &Font) -> Vec<(usize, f64, &'a Layer)> {
    let (mut row, mut used) = (0, 0.0);
    let mut entries = Vec::new();
    for layer in layers {
        let Some((label, _)) = layer.legend() else {
            continue;
        };
        let wanted = SAMPLE + GAP + font.width(label, TEXT);
        if used > 0.0 && used + wanted > width {
            row += 1;
            used = 0.0;
        }
        entries.push((row, used, layer));
        used += wanted + 2.0 * GAP;
    }
    entries
}

/// Height of a legend below axes of this width.
pub(super) fn height_below(layers: &[Layer], width: f64, font: &Font) -> f64 {
    rows(layers, width, font)
        .last()
        .map_or(0.0, |(row, _, _)| (row + 1) as f64 * LINE)
}

/// Draws the legend; `below` is the height from which it stands below the axes.
pub(super) fn draw(canvas: &mut Canvas, layers: &[Layer], frame: &Frame, place: Place, below: f64) {
    match place {
        Place::None => {}
        Place::Inside(right, down) => {
            let area = inside(&frame.area, size(layers, &canvas.font), (right, down));
            canvas.fill(
                area.steps(),
                Fill {
                    colour: Colour::WHITE,
                    opacity: 0.85,
                },
                None,
            );
            let entries = layers.iter().filter(|layer| layer.legend().is_some());
            for (n, layer) in entries.enumerate() {
                entry(
                    canvas,
                    layer,
                    area.left + GAP,
                    area.top + 0.5 * GAP + (n as f64 + 0.5) * LINE,
                );
            }
        }
        Place::Below => {
            for (row, x, layer) in rows(layers, frame.area.width(), &canvas.font) {
                entry(
                    canvas,
                    layer,
                    frame.area.left + x,
                    below + (row as f64 + 0.5) * LINE,
                );
            }
        }
    }
}

fn entry(canvas: &mut Canvas, layer: &Layer, x: f64, y: f64) {
    let Some((label, style)) = layer.legend() else {
        return;
    };
    match layer {
        Layer::Points { error, .. } => {
            if !error.is_empty() {
                paint::error_bar(canvas, x + 0.5 * SAMPLE, (y - 3.6, y + 3.6), style);
            }
            paint::marker(canvas, (x + 0.5 * SAMPLE, y), style);
        }
        Layer::Band { .. } => {
            let area = Rectangle {
                left: x,
                top: y - 3.0,
                right: x + SAMPLE,
                bottom: y + 3.0,
            };
            canvas.fill(area.steps(), paint::band_fill(style), None);
        }
        _ => sample(canvas, x, y, style),
    }
    canvas.text_centred(label, TEXT, (x + SAMPLE + GAP, y), Anchor::Start);
}

fn sample(canvas: &mut Canvas, x: f64, y: f64, style: &Style) {
    let steps = vec![Step::Move(x, y), Step::Line(x + SAMPLE, y)];
    canvas.stroke(steps, paint::pen(style), None);
}
