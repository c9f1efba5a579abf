//! Where panels, labels, colour bars and legends stand on the page.

use super::canvas::{Anchor, Canvas, Fill, Item, Map, Rectangle, Stroke};
use super::font::{CAPITAL_HEIGHT, Cut, Font, Step};
use super::legend::{self, Place};
use super::paint::{self, Frame};
use super::ruler::Ruler;
use crate::error::{Error, Result, require};
use crate::plot::colour::Colour;
use crate::plot::figure::{Figure, Panel};
use crate::plot::layer::{ColourScale, Layer};

/// Sizes of text in points.
const LABEL: f64 = 8.0;
const TICK: f64 = 7.0;
const TITLE: f64 = 8.0;
/// Lengths in points.
const TICK_LENGTH: f64 = 3.0;
const MINOR_LENGTH: f64 = 1.6;
const GAP: f64 = 2.0;
const BAR: f64 = 7.0;
const EDGE: f64 = 3.0;
const COLUMN_GAP: f64 = 6.0;
const LINE_WIDTH: f64 = 0.6;
const POINTS_PER_INCH: f64 = 72.0;
/// Share of the range of the data that is left free on either side.
const MARGIN: f64 = 0.04;

/// Space around the axes of a panel.
#[derive(Debug, Clone, Copy, Default)]
struct Margins {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Everything about a figure that is drawn, in points.
pub(super) fn canvas(figure: &Figure) -> Result<Canvas> {
    let font = Font::new()?;
    require(
        "figure width",
        figure.width,
        |w| w > 0.5 && w < 100.0,
        "inches between 0.5 and 100 are needed",
    )?;
    require(
        "figure aspect",
        figure.aspect,
        |a| a > 0.01 && a < 100.0,
        "a ratio between 0.01 and 100 is needed",
    )?;
    if figure.panels.is_empty() || figure.columns == 0 {
        return Err(Error::TooFewSamples {
            estimator: "a figure".into(),
            needed: 1,
            got: 0,
        });
    }
    for layer in figure.panels.iter().flat_map(|p| &p.layers) {
        layer.check()?;
    }
    let columns = figure.columns.min(figure.panels.len());
    let rows = figure.panels.len().div_ceil(columns);
    let width = figure.width * POINTS_PER_INCH;
    let mut places = vec![Place::None; figure.panels.len()];
    let mut axes = (
        0.7 * width / columns as f64,
        0.7 * width / columns as f64 * figure.aspect,
    );
    let (mut across, mut down) = (Vec::new(), Vec::new());
    let mut frames = Vec::new();
    // Ticks depend on the size of the axes and the size on the ticks: three rounds settle both, the last with the legends.
    for round in 0..4 {
        let area = Rectangle {
            left: 0.0,
            top: 0.0,
            right: axes.0,
            bottom: axes.1,
        };
        frames = figure
            .panels
            .iter()
            .map(|p| frame(p, area, &font))
            .collect::<Result<Vec<_>>>()?;
        if round == 2 {
            for ((place, panel), frame) in places.iter_mut().zip(&figure.panels).zip(&frames) {
                *place = legend::place(&panel.layers, frame, &font);
            }
        }
        across = vec![Margins::default(); columns];
        down = vec![Margins::default(); rows];
        for (n, (panel, frame)) in figure.panels.iter().zip(&frames).enumerate() {
            let m = margins(panel, frame, places[n], letter(figure, n).is_some(), &font);
            let (column, row) = (&mut across[n % columns], &mut down[n / columns]);
            column.left = column.left.max(m.left);
            column.right = column.right.max(m.right);
            row.top = row.top.max(m.top);
            row.bottom = row.bottom.max(m.bottom);
        }
        for column in across.iter_mut().skip(1) {
            column.left += COLUMN_GAP;
        }
        let used: f64 = across.iter().map(|m| m.left + m.right).sum::<f64>() + 2.0 * EDGE;
        axes.0 = (width - used) / columns as f64;
        require(
            "figure width",
            figure.width,
            |_| axes.0 > 10.0,
            "the labels leave no room for the axes: widen the figure",
        )?;
        axes.1 = axes.0 * figure.aspect;
    }
    let used: f64 = down.iter().map(|m| m.top + m.bottom + axes.1).sum();
    let mut canvas = Canvas {
        width,
        height: used + 2.0 * EDGE,
        items: Vec::new(),
        font,
    };
    let mut top = EDGE;
    for (row, below) in down.iter().enumerate() {
        top += below.top;
        let mut left = EDGE;
        for (column, beside) in across.iter().enumerate() {
            left += beside.left;
            let n = row * columns + column;
            if let (Some(panel), Some(mut frame)) = (figure.panels.get(n), frames.get(n).cloned()) {
                frame.area = Rectangle {
                    left,
                    top,
                    right: left + axes.0,
                    bottom: top + axes.1,
                };
                draw_panel(
                    &mut canvas,
                    panel,
                    &frame,
                    places[n],
                    letter(figure, n),
                    beside.left - if column > 0 { COLUMN_GAP } else { 0.0 },
                );
            }
            left += axes.0 + beside.right;
        }
        top += axes.1 + below.bottom;
    }
    Ok(canvas)
}

/// (a), (b), ... where there is more than one panel.
fn letter(figure: &Figure, n: usize) -> Option<String> {
    let has_title = !figure.panels[n].title.is_empty();
    if figure.panels.len() > 1 {
        let letter = char::from(b'a' + (n % 26) as u8);
        Some(format!("({letter})"))
    } else {
        has_title.then(String::new)
    }
}

fn colour_scale(panel: &Panel) -> Option<(&ColourScale, &[f64])> {
    panel.layers.iter().find_map(|layer| match layer {
        Layer::Map { colours, values, .. } | Layer::Coloured { colours, values, .. } => {
            Some((colours, values.as_slice()))
        }
        _ => None,
    })
}

fn frame(panel: &Panel, area: Rectangle, font: &Font) -> Result<Frame> {
    let is_map = |layer: &Layer| matches!(layer, Layer::Map { .. });
    let margin = if panel.layers.iter().any(is_map) {
        0.0
    } else {
        MARGIN
    };
    let range = |is_x: bool| {
        let axis = if is_x { &panel.x } else { &panel.y };
        axis.resolve(panel.layers.iter().flat_map(|layer| layer.extent(is_x)), margin)
    };
    let apart = |length: f64, placed: &[(f64, &str)], extent: &dyn Fn(&str) -> f64| {
        let free = |w: &[(f64, &str)]| (w[1].0 - w[0].0) * length - 0.5 * (extent(w[0].1) + extent(w[1].1));
        placed.windows(2).all(|w| free(w) >= 0.8 * TICK)
    };
    let upward = |placed: &[(f64, &str)]| apart(area.height(), placed, &|_| TICK);
    let most = |length: f64, one: f64| ((length / one) as usize).clamp(2, 8);
    let x = match &panel.x.names {
        Some(names) => Ruler::named(range(true)?, names),
        None => Ruler::new(panel.x.scale, range(true)?, most(area.width(), 30.0), |placed| {
            apart(area.width(), placed, &|text| font.width(text, TICK))
        }),
    };
    let y = match &panel.y.names {
        Some(names) => Ruler::named(range(false)?, names),
        None => Ruler::new(panel.y.scale, range(false)?, most(area.height(), 19.0), upward),
    };
    let colours = match colour_scale(panel) {
        Some((scale, values)) => {
            let range = scale.axis.resolve(values.iter().copied(), 0.0)?;
            Some(Ruler::new(
                scale.axis.scale,
                range,
                most(area.height(), 19.0),
                upward,
            ))
        }
        None => None,
    };
    Ok(Frame { area, x, y, colours })
}

fn widest(ruler: &Ruler, font: &Font) -> f64 {
    ruler
        .ticks
        .iter()
        .map(|(_, text)| font.width(text, TICK))
        .fold(0.0, f64::max)
}

fn margins(panel: &Panel, frame: &Frame, place: Place, has_title: bool, font: &Font) -> Margins {
    let label = |text: &str| if text.is_empty() { 0.0 } else { LABEL + 2.0 * GAP };
    let ticks = TICK_LENGTH + GAP;
    let y_ticks = if panel.y.tick_labels {
        widest(&frame.y, font)
    } else {
        0.0
    };

    let bar = match (colour_scale(panel), &frame.colours) {
        (Some((scale, _)), Some(ruler)) if scale.bar => {
            3.0 * GAP + BAR + ticks + widest(ruler, font) + label(&scale.axis.label) + GAP
        }
        _ => 0.0,
    };
    let legend = match place {
        Place::Below => legend::height_below(&panel.layers, frame.area.width(), font) + GAP,
        _ => 0.0,
    };
    let title = if has_title { TITLE + 2.0 * GAP } else { 2.0 * GAP };
    let last = frame.x.ticks.last().map_or(0.0, |(v, text)| {
        let beyond = 0.5 * font.width(text, TICK) - (1.0 - frame.x.fraction(*v)) * frame.area.width();
        if panel.x.tick_labels { beyond } else { 0.0 }
    });
    Margins {
        left: ticks + y_ticks + label(&panel.y.label) + GAP,
        right: last.max(2.0 * GAP).max(bar),
        top: title,
        bottom: below_axes(panel) + legend + GAP,
    }
}

/// Height of ticks, tick labels and label below the axes.
fn below_axes(panel: &Panel) -> f64 {
    let labels = if panel.x.tick_labels { TICK } else { 0.0 };
    let label = if panel.x.label.is_empty() {
        0.0
    } else {
        LABEL + 2.0 * GAP
    };
    TICK_LENGTH + GAP + labels + label + GAP
}

/// `left` is the margin of the column, where the labels of all its panels stand.
fn draw_panel(
    canvas: &mut Canvas,
    panel: &Panel,
    frame: &Frame,
    place: Place,
    letter: Option<String>,
    left: f64,
) {
    let area = frame.area;
    for layer in &panel.layers {
        paint::layer(canvas, layer, frame);
    }
    outline(canvas, area);

    for (value, text) in &frame.x.ticks {
        let x = area.left + frame.x.fraction(*value) * area.width();
        canvas.segment(
            (x, area.bottom),
            (x, area.bottom + TICK_LENGTH),
            Colour::BLACK,
            LINE_WIDTH,
        );
        if panel.x.tick_labels {
            let base = area.bottom + TICK_LENGTH + GAP + TICK;
            canvas.text(text, TICK, Cut::Upright, (x, base), Anchor::Middle);
        }
    }
    for value in &frame.x.minor {
        let x = area.left + frame.x.fraction(*value) * area.width();
        canvas.segment(
            (x, area.bottom),
            (x, area.bottom + MINOR_LENGTH),
            Colour::BLACK,
            0.7 * LINE_WIDTH,
        );
    }
    vertical_ticks(canvas, &frame.y, area, -1.0, panel.y.tick_labels);
    let middle = 0.5 * (area.left + area.right);
    if !panel.x.label.is_empty() {
        let ticks = if panel.x.tick_labels { TICK } else { 0.0 };
        let base = area.bottom + TICK_LENGTH + GAP + ticks + 2.0 * GAP + CAPITAL_HEIGHT * LABEL;
        canvas.text(
            &panel.x.label,
            LABEL,
            Cut::Upright,
            (middle, base),
            Anchor::Middle,
        );
    }
    let centre = 0.5 * (area.top + area.bottom);
    if !panel.y.label.is_empty() {
        let base = area.left - left + GAP + CAPITAL_HEIGHT * LABEL;

        canvas.text_upward(&panel.y.label, LABEL, (base, centre));
    }
    if let (Some((scale, values)), Some(ruler)) = (colour_scale(panel), &frame.colours)
        && scale.bar
    {
        colour_bar(canvas, scale, ruler, area);
        colour_bar_tips(canvas, scale, values, ruler, area);
    }
    if let Some(letter) = letter {
        let base = area.top - 2.0 * GAP - 0.1 * TITLE;
        canvas.text(&letter, TITLE, Cut::Bold, (area.left, base), Anchor::Start);
        let letter_width = canvas.font.line(&letter, TITLE, Cut::Bold).width;
        let gap = if letter.is_empty() { 0.0 } else { 2.0 * GAP };
        canvas.text(
            &panel.title,
            TITLE,
            Cut::Upright,
            (area.left + letter_width + gap, base),
            Anchor::Start,
        );
    }
    legend::draw(
        canvas,
        &panel.layers,
        frame,
        place,
        area.bottom + below_axes(panel),
    );
}

fn outline(canvas: &mut Canvas, area: Rectangle) {
    canvas.stroke(
        area.steps(),
        Stroke {
            colour: Colour::BLACK,
            width: LINE_WIDTH,
            dash: Vec::new(),
        },
        None,
    );
}

/// Ticks on the left (`side` = -1) or right (1) side of an area.
fn vertical_ticks(canvas: &mut Canvas, ruler: &Ruler, area: Rectangle, side: f64, labels: bool) {
    let (from, anchor) = if side < 0.0 {
        (area.left, Anchor::End)
    } else {
        (area.right, Anchor::Start)
    };
    let place = |value: f64| area.bottom - ruler.fraction(value) * area.height();
    for (value, text) in &ruler.ticks {
        let y = place(*value);
        canvas.segment(
            (from, y),
            (from + side * TICK_LENGTH, y),
            Colour::BLACK,
            LINE_WIDTH,
        );
        if labels {
            canvas.text_centred(text, TICK, (from + side * (TICK_LENGTH + GAP), y), anchor);
        }
    }
    for value in &ruler.minor {
        let y = place(*value);
        canvas.segment(
            (from, y),
            (from + side * MINOR_LENGTH, y),
            Colour::BLACK,
            0.7 * LINE_WIDTH,
        );
    }
}

fn colour_bar(canvas: &mut Canvas, scale: &ColourScale, ruler: &Ruler, axes: Rectangle) {
    const STRIPES: usize = 128;
    let left = axes.right + 3.0 * GAP;
    let bar = Rectangle {
        left,
        right: left + BAR,
        ..axes
    };
    let step = bar.height() / STRIPES as f64;
    canvas.items.push(Item::Map(Map {
        x: vec![bar.left, bar.right],
        y: (0..=STRIPES).map(|n| bar.bottom - n as f64 * step).collect(),
        colours: (0..STRIPES)
            .map(|n| scale.map.at((n as f64 + 0.5) / STRIPES as f64))
            .collect(),
        clip: bar,
    }));
    outline(canvas, bar);
    vertical_ticks(canvas, ruler, bar, 1.0, true);
    if !scale.axis.label.is_empty() {
        let base =
            bar.right + TICK_LENGTH + GAP + widest(ruler, &canvas.font) + 2.0 * GAP + CAPITAL_HEIGHT * LABEL;
        canvas.text_upward(&scale.axis.label, LABEL, (base, 0.5 * (bar.top + bar.bottom)));
    }
}

/// Tips above and below a colour bar where values go beyond its range.
fn colour_bar_tips(canvas: &mut Canvas, scale: &ColourScale, values: &[f64], ruler: &Ruler, axes: Rectangle) {
    /// Height over the width of the bar.
    const HEIGHT: f64 = 0.6;
    /// Part of the range that counts as rounding.
    const ROUNDING: f64 = 1e-9;
    let left = axes.right + 3.0 * GAP;
    let fractions = || {
        values
            .iter()
            .map(|v| ruler.fraction(*v))
            .filter(|f| f.is_finite())
    };
    let tips = [
        (fractions().any(|f| f > 1.0 + ROUNDING), axes.top, -1.0, 1.0),
        (fractions().any(|f| f < -ROUNDING), axes.bottom, 1.0, 0.0),
    ];
    for (_, base, direction, fraction) in tips.into_iter().filter(|(is_beyond, ..)| *is_beyond) {
        let tip = vec![
            Step::Move(left, base),
            Step::Line(left + BAR, base),
            Step::Line(left + 0.5 * BAR, base + direction * HEIGHT * BAR),
            Step::Close,
        ];
        let colour = scale.map.at(fraction);
        canvas.fill(tip, Fill { colour, opacity: 1.0 }, None);
    }
}
