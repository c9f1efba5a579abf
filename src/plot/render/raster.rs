//! A canvas as pixels, by the software renderer tiny-skia; the same picture as the SVG.

use super::canvas::{Canvas, Item, Map, Rectangle, glyph_matrix};
use super::font::Step;
use super::image;
use crate::plot::colour::Colour;
use tiny_skia::{
    Color, FillRule, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};

/// Pixels per inch of the PNG.
const RESOLUTION: f64 = 300.0;
/// Points per inch.
const POINTS: f64 = 72.0;
/// Inches per metre.
const INCHES: f64 = 1000.0 / 25.4;

/// The bytes of a PNG file.
pub(super) fn render(canvas: &Canvas) -> Result<Vec<u8>, String> {
    let scale = (RESOLUTION / POINTS) as f32;
    let size = |length: f64| (length * RESOLUTION / POINTS).ceil() as u32;
    let mut pixels = Pixmap::new(size(canvas.width), size(canvas.height))
        .ok_or("the figure has no area or is too large")?;
    pixels.fill(Color::WHITE);
    let whole = Transform::from_scale(scale, scale);
    let mut masks: Vec<(Rectangle, Mask)> = Vec::new();
    for item in &canvas.items {
        match item {
            Item::Path {
                steps,
                fill,
                stroke,
                clip,
            } => {
                let Some(path) = path(steps) else { continue };
                let mask = match clip {
                    Some(clip) => Some(mask(&mut masks, *clip, &pixels, whole)?),
                    None => None,
                };
                if let Some(fill) = fill {
                    let paint = paint(fill.colour, fill.opacity, true);
                    pixels.fill_path(&path, &paint, FillRule::Winding, whole, mask);
                }
                if let Some(stroke) = stroke {
                    let dash = stroke.dash.iter().map(|d| *d as f32).collect();
                    let style = Stroke {
                        width: stroke.width as f32,
                        line_join: LineJoin::Round,
                        dash: StrokeDash::new(dash, 0.0),
                        ..Stroke::default()
                    };
                    pixels.stroke_path(&path, &paint(stroke.colour, 1.0, true), &style, whole, mask);
                }
            }
            Item::Map(map) => {
                let mask = mask(&mut masks, map.clip, &pixels, whole)?;
                for (area, colour) in cells(map) {
                    let Some(path) = path(&area.steps()) else { continue };
                    // Edges on whole pixels, as cells touch.
                    let paint = paint(colour, 1.0, false);
                    pixels.fill_path(&path, &paint, FillRule::Winding, whole, Some(mask));
                }
            }
            Item::Text {
                glyphs,
                x,
                y,
                upward,
                colour,
                ..
            } => {
                for glyph in glyphs {
                    let Some(path) = path(&canvas.font.outline(glyph.cut, glyph.id)) else {
                        continue;
                    };
                    let [a, b, c, d, e, f] = glyph_matrix(glyph, *x, *y, *upward).map(|v| v as f32);
                    let place = Transform::from_row(a, b, c, d, e, f).post_concat(whole);
                    pixels.fill_path(&path, &paint(*colour, 1.0, true), FillRule::Winding, place, None);
                }
            }
        }
    }
    // The paper is opaque, so that every pixel is: drop the alpha channel.
    let rgb: Vec<u8> = pixels
        .data()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    let per_metre = (RESOLUTION * INCHES).round() as u32;
    image::encode(pixels.width(), pixels.height(), Some(per_metre), &rgb)
}

/// The cells as rectangles; those of one colour side by side are one.
fn cells(map: &Map) -> Vec<(Rectangle, Colour)> {
    // Cells reach a little under their right and upper neighbours, so that no seam is left.
    const OVERLAP: f64 = 0.1;
    let columns = map.x.len().saturating_sub(1).max(1);
    let mut cells = Vec::new();
    for (j, row) in map.colours.chunks_exact(columns).enumerate() {
        let mut start = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let area = Rectangle {
                left: map.x[start],
                right: map.x[start + run.len()] + OVERLAP,
                bottom: map.y[j],
                top: map.y[j + 1] - OVERLAP,
            };
            cells.push((area, run[0]));
            start += run.len();
        }
    }
    cells
}

fn mask<'a>(
    masks: &'a mut Vec<(Rectangle, Mask)>,
    clip: Rectangle,
    pixels: &Pixmap,
    whole: Transform,
) -> Result<&'a Mask, String> {
    let known = masks.iter().position(|(rectangle, _)| *rectangle == clip);
    let index = match known {
        Some(index) => index,
        None => {
            let mut mask = Mask::new(pixels.width(), pixels.height()).ok_or("the figure is too large")?;
            if let Some(path) = path(&clip.steps()) {
                mask.fill_path(&path, FillRule::Winding, true, whole);
            }
            masks.push((clip, mask));
            masks.len() - 1
        }
    };
    Ok(&masks[index].1)
}

fn paint(colour: Colour, opacity: f64, anti_alias: bool) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias,
        ..Paint::default()
    };
    paint.set_color_rgba8(colour.0, colour.1, colour.2, (255.0 * opacity).round() as u8);
    paint
}

/// None for a path without extent, such as a space.
fn path(steps: &[Step]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for step in steps {
        match *step {
            Step::Move(x, y) => builder.move_to(x as f32, y as f32),
            Step::Line(x, y) => builder.line_to(x as f32, y as f32),
            Step::Quadratic(a, b, x, y) => builder.quad_to(a as f32, b as f32, x as f32, y as f32),
            Step::Cubic(a, b, c, d, x, y) => {
                builder.cubic_to(a as f32, b as f32, c as f32, d as f32, x as f32, y as f32);
            }
            Step::Close => builder.close(),
        }
    }
    builder.finish()
}
