//! What is drawn: filled and stroked paths, maps and text, in points from the upper left corner, y down.

use super::font::{CAPITAL_HEIGHT, Cut, Font, Glyph, Step};
use crate::plot::colour::Colour;

/// Rectangle in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rectangle {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }
    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }
    pub(super) fn contains(&self, x: f64, y: f64) -> bool {
        self.left <= x && x <= self.right && self.top <= y && y <= self.bottom
    }
    pub(super) fn steps(&self) -> Vec<Step> {
        vec![
            Step::Move(self.left, self.top),
            Step::Line(self.right, self.top),
            Step::Line(self.right, self.bottom),
            Step::Line(self.left, self.bottom),
            Step::Close,
        ]
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stroke {
    pub colour: Colour,
    pub width: f64,
    /// Lengths of strokes and gaps; empty for a full line.
    pub dash: Vec<f64>,
}

/// How an area is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    pub colour: Colour,
    pub opacity: f64,
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Coloured cells between edges along both axes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    /// Edges of the columns.
    pub x: Vec<f64>,
    /// Edges of the rows.
    pub y: Vec<f64>,
    /// Colours, row by row (x fastest).
    pub colours: Vec<Colour>,
    /// Nothing is drawn beyond it.
    pub clip: Rectangle,
}

/// One thing drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Path {
        steps: Vec<Step>,
        fill: Option<Fill>,
        stroke: Option<Stroke>,
        clip: Option<Rectangle>,
    },
    Map(Map),
    /// Glyphs with x and y from the origin along and above the base line, turned left when `upward`.
    Text {
        glyphs: Vec<Glyph>,
        x: f64,
        y: f64,
        upward: bool,
        colour: Colour,
        source: String,
    },
}

/// An ordered list of what is drawn.
pub(super) struct Canvas {
    pub width: f64,
    pub height: f64,
    pub items: Vec<Item>,
    pub font: Font,
}

impl Canvas {
    pub(super) fn stroke(&mut self, steps: Vec<Step>, stroke: Stroke, clip: Option<Rectangle>) {
        self.items.push(Item::Path {
            steps,
            fill: None,
            stroke: Some(stroke),
            clip,
        });
    }

    pub(super) fn fill(&mut self, steps: Vec<Step>, fill: Fill, clip: Option<Rectangle>) {
        self.items.push(Item::Path {
            steps,
            fill: Some(fill),
            stroke: None,
            clip,
        });
    }

    pub(super) fn segment(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, width: f64) {
        let steps = vec![Step::Move(from.0, from.1), Step::Line(to.0, to.1)];
        self.stroke(
            steps,
            Stroke {
                colour,
                width,
                dash: Vec::new(),
            },
            None,
        );
    }

    /// Horizontal text whose base line passes through (`x`, `y`).
    pub(super) fn text(&mut self, text: &str, size: f64, cut: Cut, (x, y): (f64, f64), anchor: Anchor) {
        let line = self.font.line(text, size, cut);
        let x = x - line.width * fraction(anchor);
        self.put(text, line.glyphs, x, y, false);
    }

    /// Horizontal text centred on the height `y`.
    pub(super) fn text_centred(&mut self, text: &str, size: f64, (x, y): (f64, f64), anchor: Anchor) {
        self.text(
            text,
            size,
            Cut::Upright,
            (x, y + 0.5 * CAPITAL_HEIGHT * size),
            anchor,
        );
    }

    /// Text running upward, centred on the height `y`, with its base line at `x`.
    pub(super) fn text_upward(&mut self, text: &str, size: f64, (x, y): (f64, f64)) {
        let line = self.font.line(text, size, Cut::Upright);
        self.put(text, line.glyphs, x, y + 0.5 * line.width, true);
    }

    fn put(&mut self, text: &str, glyphs: Vec<Glyph>, x: f64, y: f64, upward: bool) {
        self.items.push(Item::Text {
            glyphs,
            x,
            y,
            upward,
            colour: Colour::BLACK,
            source: text.into(),
        });
    }
}

fn fraction(anchor: Anchor) -> f64 {
    match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    }
}

/// Matrix (a, b, c, d, e, f) of a glyph: x' = a x + c y + e, y' = b x + d y + f, from font units with y up to points with y down.
pub(super) fn glyph_matrix(glyph: &Glyph, x: f64, y: f64, upward: bool) -> [f64; 6] {
    let s = glyph.scale;
    if upward {
        [0.0, -s, -s, 0.0, x - glyph.y, y - glyph.x]
    } else {
        [s, 0.0, 0.0, -s, x + glyph.x, y - glyph.y]
    }
}
