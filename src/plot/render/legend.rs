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

/// The entries: a label, and the layers that have it, whose samples stand on each other.
fn entries(layers: &[Layer]) -> Vec<(&str, Vec<&Layer>)> {
    let mut entries: Vec<(&str, Vec<&Layer>)> = Vec::new();
    for layer in layers {
        let Some((label, _)) = layer.legend() else {
            continue;
        };
        match entries.iter_mut().find(|(known, _)| *known == label) {
            Some((_, layers)) => layers.push(layer),
            None => entries.push((label, vec![layer])),
        }
    }
    entries
}

/// Size of the box with one entry a line.
fn size(layers: &[Layer], font: &Font) -> (f64, f64) {
    let entries = entries(layers);
    let widths = entries.iter().map(|(label, _)| font.width(label, TEXT));
    (
        widths.fold(0.0, f64::max) + SAMPLE + 3.0 * GAP,
        entries.len() as f64 * LINE + GAP,
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

/// Offsets of the columns of a legend below the axes: as many columns as the width has room for.
fn columns(entries: &[(&str, Vec<&Layer>)], width: f64, font: &Font) -> Vec<f64> {
    let wanted = |(label, _): &(&str, Vec<&Layer>)| SAMPLE + GAP + font.width(label, TEXT);
    let offsets = |count: usize| {
        let widest = |column: usize| {
            entries
                .iter()
                .skip(column)
                .step_by(count)
                .map(wanted)
                .fold(0.0, f64::max)
        };
        let mut offsets = vec![0.0];
        for column in 0..count {
            offsets.push(offsets[column] + widest(column) + 2.0 * GAP);
        }
        offsets
    };
    let fits = |offsets: &Vec<f64>| offsets[offsets.len() - 1] - 2.0 * GAP <= width;
    let mut counts = (1..=entries.len()).rev().map(offsets);
    counts.find(fits).unwrap_or_else(|| offsets(1))
}

/// Height of a legend below axes of this width.
pub(super) fn height_below(layers: &[Layer], width: f64, font: &Font) -> f64 {
    let entries = entries(layers);
    let columns = columns(&entries, width, font).len() - 1;
    entries.len().div_ceil(columns) as f64 * LINE
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
            for (n, (label, layers)) in entries(layers).into_iter().enumerate() {
                let place = (area.left + GAP, area.top + 0.5 * GAP + (n as f64 + 0.5) * LINE);
                entry(canvas, label, &layers, place);
            }
        }
        Place::Below => {
            let entries = entries(layers);
            let columns = columns(&entries, frame.area.width(), &canvas.font);
            let count = columns.len() - 1;
            for (n, (label, layers)) in entries.into_iter().enumerate() {
                let place = (
                    frame.area.left + columns[n % count],
                    below + ((n / count) as f64 + 0.5) * LINE,
                );
                entry(canvas, label, &layers, place);
            }
        }
    }
}

fn entry(canvas: &mut Canvas, label: &str, layers: &[&Layer], (x, y): (f64, f64)) {
    for layer in layers {
        let Some((_, style)) = layer.legend() else {
            continue;
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
    }
    canvas.text_centred(label, TEXT, (x + SAMPLE + GAP, y), Anchor::Start);
}

fn sample(canvas: &mut Canvas, x: f64, y: f64, style: &Style) {
    let steps = vec![Step::Move(x, y), Step::Line(x + SAMPLE, y)];
    canvas.stroke(steps, paint::pen(style), None);
}
