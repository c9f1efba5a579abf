//! Text in an embedded font, so that a figure looks the same on a machine without fonts.
//!
//! Markup: `*η*` is slanted, `x_{i}` and `10^{-3}` are lowered and raised (braces may be left out around one character), and a
//! backslash takes the next character as it is.

use crate::error::{Error, Result};
use std::iter::Peekable;
use std::str::Chars;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Height of capitals, as a fraction of the size.
pub(super) const CAPITAL_HEIGHT: f64 = 0.73;
/// Size of raised and lowered text relative to the text around it.
const SCRIPT_SIZE: f64 = 0.7;
/// Height of raised text above the line, as a fraction of the size.
const RAISED: f64 = 0.36;
/// Depth of lowered text below the line, as a fraction of the size.
const LOWERED: f64 = 0.16;

/// Cut of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cut {
    Upright,
    Slanted,
    Bold,
}

/// Step of an outline or path, in points or font units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Move(f64, f64),
    Line(f64, f64),
    Quadratic(f64, f64, f64, f64),
    Cubic(f64, f64, f64, f64, f64, f64),
    Close,
}

/// One character of a laid out line of text: which outline, where, and how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glyph {
    pub character: char,
    pub cut: Cut,
    pub id: u16,
    pub x: f64,
    pub y: f64,
    /// Points per font unit.
    pub scale: f64,
}

/// A laid out line of text; y points up from the base line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub glyphs: Vec<Glyph>,
    pub width: f64,
}

/// DejaVu Sans, upright, slanted and bold.
pub(super) struct Font {
    upright: Face<'static>,
    slanted: Face<'static>,
    bold: Face<'static>,
}

impl Font {
    /// The embedded font.
    pub(super) fn new() -> Result<Self> {
        let parse = |bytes: &'static [u8]| {
            Face::parse(bytes, 0).map_err(|e| Error::Input {
                path: "the embedded font".into(),
                message: e.to_string(),
            })
        };
        Ok(Self {
            upright: parse(dejavu::sans::regular())?,
            slanted: parse(dejavu::sans::oblique())?,
            bold: parse(dejavu::sans::bold())?,
        })
    }

    pub(super) fn face(&self, cut: Cut) -> &Face<'static> {
        match cut {
            Cut::Upright => &self.upright,
            Cut::Slanted => &self.slanted,
            Cut::Bold => &self.bold,
        }
    }

    /// Lays out marked-up text of the given size in points.
    pub(super) fn line(&self, text: &str, size: f64, cut: Cut) -> Line {
        let mut pen = Pen {
            font: self,
            cut,
            line: Line {
                glyphs: Vec::new(),
                width: 0.0,
            },
        };
        pen.write(&mut text.chars().peekable(), size, 0.0, false);
        pen.line
    }

    /// Width of marked-up text.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        self.line(text, size, Cut::Upright).width
    }

    /// Outline of a glyph in font units, y up.
    pub(super) fn outline(&self, cut: Cut, id: u16) -> Vec<Step> {
        let mut outline = Outline(Vec::new());
        self.face(cut).outline_glyph(GlyphId(id), &mut outline);
        outline.0
    }
}

struct Pen<'a> {
    font: &'a Font,
    cut: Cut,
    line: Line,
}

impl Pen<'_> {
    /// Writes up to the end, or up to the closing brace of a group.
    fn write(&mut self, text: &mut Peekable<Chars>, size: f64, y: f64, in_group: bool) {
        while let Some(character) = text.next() {
            match character {
                '}' if in_group => return,
                '*' => {
                    self.cut = if self.cut == Cut::Slanted {
                        Cut::Upright
                    } else {
                        Cut::Slanted
                    }
                }
                '_' => self.script(text, size, y - LOWERED * size),
                '^' => self.script(text, size, y + RAISED * size),
                '\\' => {
                    if let Some(character) = text.next() {
                        self.put(character, size, y);
                    }
                }
                other => self.put(other, size, y),
            }
        }
    }

    fn script(&mut self, text: &mut Peekable<Chars>, size: f64, y: f64) {
        match text.next() {
            Some('{') => self.write(text, size * SCRIPT_SIZE, y, true),
            Some(single) => self.put(single, size * SCRIPT_SIZE, y),
            None => {}
        }
    }

    fn put(&mut self, character: char, size: f64, y: f64) {
        let face = self.font.face(self.cut);
        // Glyph 0 is the box of an unknown character.
        let id = face.glyph_index(character).unwrap_or(GlyphId(0));
        let scale = size / f64::from(face.units_per_em());
        self.line.glyphs.push(Glyph {
            character,
            cut: self.cut,
            id: id.0,
            x: self.line.width,
            y,
            scale,
        });
        self.line.width += scale * f64::from(face.glyph_hor_advance(id).unwrap_or(0));
    }
}

struct Outline(Vec<Step>);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.push(Step::Move(x.into(), y.into()));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.push(Step::Line(x.into(), y.into()));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0
            .push(Step::Quadratic(x1.into(), y1.into(), x.into(), y.into()));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.push(Step::Cubic(
            x1.into(),
            y1.into(),
            x2.into(),
            y2.into(),
            x.into(),
            y.into(),
        ));
    }
    fn close(&mut self) {
        self.0.push(Step::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_of_the_labels_has_an_outline() {
        let font = Font::new().unwrap();
        for cut in [Cut::Upright, Cut::Slanted, Cut::Bold] {
            let line = font.line("ηθσΔτλΦγκε⟨y⟩−×±≤≥∞∂√²³₀·…", 8.0, cut);
            assert!(
                line.glyphs.iter().all(|g| g.id != 0),
                "{cut:?}: {:?}",
                line.glyphs
            );
        }
        // Negative control: an unknown character is seen as such.
        assert_eq!(font.line("\u{10ffff}", 8.0, Cut::Upright).glyphs[0].id, 0);
    }

    #[test]
    fn markup_raises_lowers_and_slants() {
        let font = Font::new().unwrap();
        let line = font.line("10^{-3}*x*_0\\*", 10.0, Cut::Upright);
        let heights: Vec<f64> = line.glyphs.iter().map(|g| g.y).collect();
        let (raised, lowered) = (RAISED * 10.0, -LOWERED * 10.0);
        assert_eq!(heights, [0.0, 0.0, raised, raised, 0.0, lowered, 0.0]);
        assert_eq!(line.glyphs[4].cut, Cut::Slanted);
        assert_eq!(line.glyphs[5].cut, Cut::Upright);
        assert!(line.glyphs[2].scale < line.glyphs[0].scale);
        let widths: f64 = ["10", "*x*", "\\*"].iter().map(|t| font.width(t, 10.0)).sum();
        assert!(line.width > widths && line.width < font.width("10-3x0\\*", 10.0));
    }
}
