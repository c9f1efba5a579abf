//! A canvas as SVG; text is drawn as outlines, with the words kept as labels, and maps as embedded images.

use super::canvas::{Canvas, Item, Rectangle, glyph_matrix};
use super::font::{Cut, Step};
use super::image::image;
use crate::plot::colour::Colour;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The SVG document.
pub(super) fn render(canvas: &Canvas) -> Result<String, String> {
    let mut glyphs: BTreeMap<(Cut, u16), usize> = BTreeMap::new();
    let mut clips: Vec<Rectangle> = Vec::new();
    let mut body = String::new();
    for item in &canvas.items {
        match item {
            Item::Path {
                steps,
                fill,
                stroke,
                clip,
            } => {
                let mut style = match fill {
                    Some(fill) if fill.opacity < 1.0 => {
                        format!(
                            " fill=\"{}\" fill-opacity=\"{}\"",
                            hex(fill.colour),
                            number(fill.opacity)
                        )
                    }
                    Some(fill) => format!(" fill=\"{}\"", hex(fill.colour)),
                    None => " fill=\"none\"".into(),
                };
                if let Some(stroke) = stroke {
                    let width = number(stroke.width);
                    style += &format!(
                        " stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"",
                        hex(stroke.colour)
                    );
                    if !stroke.dash.is_empty() {
                        let dash: Vec<String> = stroke.dash.iter().map(|d| number(*d)).collect();
                        style += &format!(" stroke-dasharray=\"{}\"", dash.join(","));
                    }
                }
                if let Some(clip) = clip {
                    let id = clips.iter().position(|c| c == clip).unwrap_or_else(|| {
                        clips.push(*clip);
                        clips.len() - 1
                    });
                    style += &format!(" clip-path=\"url(#c{id})\"");
                }
                add(&mut body, format_args!("<path d=\"{}\"{style}/>\n", path(steps)));
            }
            Item::Map(map) => {
                let Some(image) = image(map)? else { continue };
                let place = &image.place;
                let [x, y, width, height] =
                    [place.left, place.top, place.width(), place.height()].map(number);
                // The style is for programs that know CSS, the attribute for others.
                add(
                    &mut body,
                    format_args!(
                        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                         preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\" \
                         xlink:href=\"data:image/png;base64,{}\"/>\n",
                        STANDARD.encode(&image.png)
                    ),
                );
            }
            Item::Text {
                glyphs: line,
                x,
                y,
                upward,
                colour,
                source,
            } => {
                let label = source
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('"', "&quot;");
                add(
                    &mut body,
                    format_args!("<g aria-label=\"{label}\" fill=\"{}\">\n", hex(*colour)),
                );
                for glyph in line {
                    let next = glyphs.len();
                    let id = glyphs.entry((glyph.cut, glyph.id)).or_insert(next);
                    let [a, b, c, d, e, f] = glyph_matrix(glyph, *x, *y, *upward);
                    let (a, b, c, d) = (scale(a), scale(b), scale(c), scale(d));
                    let (e, f) = (number(e), number(f));
                    add(
                        &mut body,
                        format_args!(
                            "<use xlink:href=\"#g{id}\" transform=\"matrix({a},{b},{c},{d},{e},{f})\"/>\n"
                        ),
                    );
                }
                body += "</g>\n";
            }
        }
    }
    let (width, height) = (number(canvas.width), number(canvas.height));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    add(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
             width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\">\n<defs>\n"
        ),
    );
    for ((cut, id), number) in &glyphs {
        let outline = path(&canvas.font.outline(*cut, *id));
        add(
            &mut out,
            format_args!("<path id=\"g{number}\" d=\"{outline}\"/>\n"),
        );
    }
    for (id, clip) in clips.iter().enumerate() {
        let outline = path(&clip.steps());
        add(
            &mut out,
            format_args!("<clipPath id=\"c{id}\"><path d=\"{outline}\"/></clipPath>\n"),
        );
    }
    add(
        &mut out,
        format_args!(
            "</defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        ),
    );
    Ok(out)
}

fn path(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match *step {
            Step::Move(x, y) => add(&mut out, format_args!("M{} {}", number(x), number(y))),
            Step::Line(x, y) => add(&mut out, format_args!("L{} {}", number(x), number(y))),
            Step::Quadratic(a, b, x, y) => {
                add(
                    &mut out,
                    format_args!("Q{} {} {} {}", number(a), number(b), number(x), number(y)),
                );
            }
            Step::Cubic(a, b, c, d, x, y) => add(
                &mut out,
                format_args!(
                    "C{} {} {} {} {} {}",
                    number(a),
                    number(b),
                    number(c),
                    number(d),
                    number(x),
                    number(y)
                ),
            ),
            Step::Close => out.push('Z'),
        }
    }
    out
}

/// Formatting into a String cannot fail.
fn add(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).ok();
}

/// A length to 1/1000 point.
fn number(x: f64) -> String {
    let rounded = (x * 1000.0).round() / 1000.0;
    if rounded == 0.0 {
        "0".into()
    } else {
        format!("{rounded}")
    }
}

/// A factor of a glyph matrix, which multiplies thousands of font units.
fn scale(x: f64) -> String {
    if x == 0.0 { "0".into() } else { format!("{x:.6}") }
}

fn hex(colour: Colour) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}
