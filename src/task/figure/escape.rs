//! A problem of one's own.

use crate::error::{Error, Result};
use crate::output::ResultFile;
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};

/// Loss, effective potential, densities, first-passage times and committor of `[escape]`: lines for one variable, maps for two.
///
/// Reads `/escape` and, for the path of least action in the plane, `/escape_path`; panels whose records are missing are left out. Potentials are shown up to 30 noise units above their minimum.
///
/// # Errors
/// [`Error::Input`] when no record can be shown, [`Error::DimensionMismatch`] when shapes do not fit.
pub fn escape(file: &ResultFile) -> Result<Figure> {
    let record = file.record("escape/mean_first_passage_time_field")?;
    let names: Vec<String> = record.dimensions().iter().map(|d| d.name.clone()).collect();
    let axes: Vec<Vec<f64>> = names
        .iter()
        .map(|name| numbers(file, &format!("escape/{name}")))
        .collect::<Result<_>>()?;
    let panels = match (names.as_slice(), axes.as_slice()) {
        ([x], [at]) => lines(file, x, at)?,
        ([x, y], [across, up]) => maps(file, [x, y], [across, up])?,
        _ => {
            return Err(Error::Input {
                path: "escape".into(),
                message: "one or two variables can be drawn".into(),
            });
        }
    };
    let aspect = if axes.len() == 1 { 0.7 } else { 0.8 };
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect,
        panels,
    })
}

/// Height above the minimum up to which potentials are shown, in units of the noise.
const HIGHEST: f64 = 30.0;

fn lines(file: &ResultFile, name: &str, x: &[f64]) -> Result<Vec<Panel>> {
    let get = |record: &str| numbers_of(file, &format!("escape/{record}"), x.len()).ok();
    let axis = || Axis::linear(&format!("*{name}*"));
    let black = Style::nth(0).with_colour(Colour::BLACK).with_dash(Dash::Dotted);
    let mut panels = Vec::new();
    if let Some(loss) = get("loss") {
        panels.push(Panel::new("", axis(), Axis::linear("loss *L*")).with(Layer::line(
            x,
            &loss,
            "",
            Style::nth(0),
        )));
    }
    if let Some(potential) = get("effective_potential") {
        let shown: Vec<f64> = potential
            .iter()
            .map(|v| if *v <= HIGHEST { *v } else { f64::NAN })
            .collect();
        panels.push(
            Panel::new("", axis(), Axis::linear("effective potential *Φ* = −ln *p*")).with(Layer::line(
                x,
                &shown,
                "",
                Style::nth(0),
            )),
        );
    }
    let mut densities = Panel::new("", axis(), Axis::linear("density"));
    for (record, label, style) in [
        ("stationary_density", "stationary", Style::nth(0)),
        (
            "quasi_stationary_density",
            "before the escape",
            Style::nth(1).with_dash(Dash::Dashed),
        ),
    ] {
        if let Some(values) = get(record) {
            densities = densities.with(Layer::line(x, &values, label, style));
        }
    }
    panels.push(densities);
    if let Some(q) = get("committor") {
        panels.push(
            Panel::new("", axis(), Axis::linear("committor *q*").with_range(0.0, 1.0))
                .with(Layer::line(x, &q, "", Style::nth(0)))
                .with(Layer::Horizontal {
                    y: 0.5,
                    label: String::new(),
                    style: Style::reference(),
                }),
        );
    }
    if let (Some(time), Some(deviation)) = (
        get("mean_first_passage_time_field"),
        get("first_passage_deviation_field"),
    ) {
        panels.push(
            Panel::new("", axis(), Axis::linear("first-passage time"))
                .with(Layer::line(x, &time, "mean *τ*", Style::nth(0)))
                .with(Layer::line(x, &deviation, "standard deviation", black)),
        );
    }
    Ok(panels)
}

fn maps(file: &ResultFile, names: [&str; 2], axes: [&[f64]; 2]) -> Result<Vec<Panel>> {
    let [x, y] = axes;
    // records run along the last variable first, maps along the first
    let get = |record: &str| {
        let values = numbers_of(file, &format!("escape/{record}"), x.len() * y.len()).ok()?;
        Some(
            (0..y.len())
                .flat_map(|j| (0..x.len()).map(move |i| (i, j)))
                .map(|(i, j)| values[i * y.len() + j])
                .collect::<Vec<f64>>(),
        )
    };
    let (x_edges, y_edges) = (cell_edges(x, Scale::Linear)?, cell_edges(y, Scale::Linear)?);
    let mut panels = Vec::new();
    for (record, title, colours, highest, contours) in [
        ("loss", "loss *L*", ColourMap::Viridis, Limit::Potential, 12),
        (
            "effective_potential",
            "effective potential *Φ* = −ln *p*",
            ColourMap::Viridis,
            Limit::Potential,
            12,
        ),
        (
            "mean_first_passage_time_field",
            "mean first-passage time *τ*",
            ColourMap::Cividis,
            Limit::None,
            0,
        ),
        (
            "target_probability_field",
            "probability to reach the target",
            ColourMap::Cividis,
            Limit::Unit,
            10,
        ),
        ("committor", "committor *q*", ColourMap::Cividis, Limit::Unit, 10),
        (
            "reactive_density",
            "density of transitions",
            ColourMap::Viridis,
            Limit::None,
            0,
        ),
        (
            "quasi_stationary_density",
            "density before the escape",
            ColourMap::Viridis,
            Limit::None,
            0,
        ),
    ] {
        let Some(mut values) = get(record) else {
            continue;
        };
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let lowest = finite().fold(f64::INFINITY, f64::min);
        let mut highest_shown = finite().fold(f64::NEG_INFINITY, f64::max);
        if !(highest_shown > lowest) {
            continue;
        }
        let mut bar = Axis::linear(title);
        match highest {
            Limit::Potential => {
                // the valleys, not the walls: a third of the cells, or what the noise can climb
                let cut = if record == "loss" {
                    quantile(&values, 0.6)
                } else {
                    lowest + HIGHEST
                };
                highest_shown = highest_shown.min(cut);
                values.iter_mut().for_each(|v| {
                    if *v > highest_shown {
                        *v = f64::NAN;
                    }
                });
                bar = bar.with_range(lowest, highest_shown);
            }
            Limit::Unit => bar = bar.with_range(0.0, 1.0),
            Limit::None => bar = bar.with_range(lowest, highest_shown),
        }
        let mut panel = Panel::new(
            "",
            Axis::linear(&format!("*{}*", names[0])).with_range(x_edges[0], x_edges[x.len()]),
            Axis::linear(&format!("*{}*", names[1])).with_range(y_edges[0], y_edges[y.len()]),
        )
        .with(Layer::Map {
            x: x_edges.clone(),
            y: y_edges.clone(),
            values: values.clone(),
            colours: ColourScale {
                map: colours,
                axis: bar,
                bar: true,
            },
        });
        if contours > 0 {
            let step = (highest_shown - lowest) / f64::from(contours);
            panel = panel.with(Layer::Contour {
                x: x.to_vec(),
                y: y.to_vec(),
                values,
                levels: (1..contours).map(|k| lowest + step * f64::from(k)).collect(),
                label: String::new(),
                style: Style::reference()
                    .with_dash(Dash::Solid)
                    .with_colour(Colour::WHITE)
                    .with_width(0.4),
            });
        }
        if record == "loss" || record == "effective_potential" {
            panel = path(file).into_iter().fold(panel, Panel::with);
        }
        panels.push(panel);
    }
    Ok(panels)
}

/// The path of least action, if there is one: white under black can be seen on any colour.
fn path(file: &ResultFile) -> Vec<Layer> {
    let Ok(points) = numbers(file, "escape_path/position") else {
        return Vec::new();
    };
    let along =
        |component: usize| -> Vec<f64> { points.iter().skip(component).step_by(2).copied().collect() };
    let (x, y) = (along(0), along(1));
    let rim = Style::nth(0).with_colour(Colour::WHITE).with_width(2.4);
    [rim, rim.with_colour(Colour::BLACK).with_width(1.2)]
        .map(|style| Layer::line(&x, &y, "", style))
        .into()
}

/// How far a colour scale reaches.
#[derive(Clone, Copy)]
enum Limit {
    /// Over all values.
    None,
    /// From 0 to 1.
    Unit,
    /// From the minimum to where the noise hardly gets.
    Potential,
}

/// The value below which a share of the finite values lies.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((share * last as f64) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// The numbers at `group/record`.
fn numbers(file: &ResultFile, path: &str) -> Result<Vec<f64>> {
    file.record(path)?.numbers().ok_or_else(|| Error::Input {
        path: path.into(),
        message: "numbers are needed".into(),
    })
}

/// The numbers at `group/record`, which must have as many as `expected`.
fn numbers_of(file: &ResultFile, path: &str, expected: usize) -> Result<Vec<f64>> {
    let values = numbers(file, path)?;
    if values.len() == expected {
        Ok(values)
    } else {
        Err(Error::DimensionMismatch {
            name: path.into(),
            expected,
            got: values.len(),
        })
    }
}
