//! Figures of a sweep: the main numbers of each task against the swept keys.

use super::main_numbers::main_numbers;
use crate::error::{Error, Result};
use crate::output::{Attribute, ResultFile, cells, shortest};
use crate::plot::{
    Axis, ColourMap, ColourScale, Dash, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};
use crate::task::MainNumber;

/// Keys to which the diffusion tensor is proportional: rates against their inverse are Arrhenius plots.
const NOISE_STRENGTHS: [&str; 3] = ["noise.strength", "sgd.noise_strength", "sgd.learning_rate"];
/// Lines of one panel; more of them are drawn in further panels.
const MOST_LINES: usize = 7;
/// Values of each of two keys from which on a map is drawn.
const MAP_VALUES: usize = 3;
/// Ratio of the largest to the smallest value from which on an axis is logarithmic.
const DECADES: f64 = 20.0;

/// A figure a task, named `sweep_SECTION`: a panel a quantity, in lines over one swept key or a map over two; rates over a noise strength also as an
/// Arrhenius plot, with the slope of ln k against the inverse strength.
///
/// # Errors
/// [`Error::NothingToDraw`] when nothing is swept, or no key with numbers.
pub fn sweep_figures(file: &ResultFile) -> Result<Vec<(String, Result<Figure>)>> {
    let refused = |message: &str| Error::NothingToDraw {
        message: message.into(),
    };
    let cells = cells(file).ok_or_else(|| refused("nothing is swept in it"))?;
    let first = cells.at(0);
    let numeric: Vec<&str> = (first.iter())
        .filter(|(_, value)| number(value).is_some())
        .map(|(key, _)| key.as_str())
        .collect();
    if numeric.is_empty() {
        return Err(refused("no key with numbers is swept in it, which an axis needs"));
    }
    let sizes = cells.keys();
    let is_map = numeric.len() == 2 && sizes.iter().all(|(_, size)| *size >= MAP_VALUES);
    let figures = main_numbers(file)?.into_iter().map(|(section, numbers)| {
        let figure = numbers.and_then(|numbers| match numeric.as_slice() {
            [x, y] if is_map => maps(&numbers, x, y),
            [x, ..] => lines(&numbers, x),
            [] => Err(refused("no key with numbers is swept in it")),
        });
        (format!("sweep_{section}"), figure)
    });
    Ok(figures.collect())
}

fn number(value: &Attribute) -> Option<f64> {
    match value {
        Attribute::Float(value) => Some(*value),
        Attribute::Integer(value) => Some(*value as f64),
        Attribute::Text(_) => None,
    }
}

/// The value of a parameter of a number.
fn at(of: &MainNumber, key: &str) -> Option<f64> {
    of.at
        .iter()
        .find(|(name, _)| name == key)
        .and_then(|(_, value)| number(value))
}

/// Parameters with their values.
type Place = Vec<(String, Attribute)>;

/// The parameters besides `keys` that say which number it is.
fn others(of: &MainNumber, keys: &[&str]) -> Place {
    let tells = |(name, _): &&(String, Attribute)| !keys.contains(&name.as_str()) && !of.notes.contains(name);
    of.at.iter().filter(tells).cloned().collect()
}

/// Parameters in words, for each of the `places` other ones: with as many digits as it takes to tell them apart, four at least.
fn in_words(places: &[Place]) -> Vec<String> {
    const DIGITS: std::ops::RangeInclusive<usize> = 4..=17;
    let of = |digits: usize| -> Vec<String> { places.iter().map(|at| words(at, digits)).collect() };
    let is_told_apart = |all: &Vec<String>| (1..all.len()).all(|k| !all[..k].contains(&all[k]));
    let found = DIGITS.map(of).find(is_told_apart);
    found.unwrap_or_else(|| of(*DIGITS.end()))
}

fn words(at: &[(String, Attribute)], digits: usize) -> String {
    let words = at.iter().map(|(name, value)| match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Float(value) => {
            let rounded = format!("{value:.*e}", digits - 1);
            format!("{name} = {}", shortest(rounded.parse().unwrap_or(*value)))
        }
        Attribute::Integer(value) => format!("{name} = {value}"),
    });
    plain(&words.collect::<Vec<String>>().join(", "))
}

/// A name without the underscores that would lower what follows them.
fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// A logarithmic axis where positive values span much or are spaced in equal ratios.
fn axis(label: &str, values: &[f64], is_abscissa: bool) -> Axis {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ratios: Vec<f64> = values.windows(2).map(|pair| pair[1] / pair[0]).collect();
    const SAME: f64 = 1e-6;
    let is_geometric = is_abscissa
        && ratios.len() > 1
        && ratios
            .iter()
            .all(|ratio| (ratio / ratios[0] - 1.0).abs() < SAME && (ratio - 1.0).abs() > SAME);
    match low > 0.0 && (high / low > DECADES || is_geometric) {
        true => Axis::log(label),
        false => Axis::linear(label),
    }
}

/// A curve: what the others of its parameters are, and its points.
struct Curve {
    label: String,
    x: Vec<f64>,
    y: Vec<f64>,
    error: Vec<f64>,
}

/// The curves of one quantity over a key.
fn curves(numbers: &[MainNumber], name: &str, key: &str) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    for number in numbers.iter().filter(|number| number.name == name) {
        let Some(x) = at(number, key) else { continue };
        let place = others(number, &[key]);
        let position = places.iter().position(|known| *known == place);
        let index = position.unwrap_or_else(|| {
            places.push(place);
            curves.push(Curve {
                label: String::new(),
                x: Vec::new(),
                y: Vec::new(),
                error: Vec::new(),
            });
            curves.len() - 1
        });
        let curve = &mut curves[index];
        curve.x.push(x);
        curve.y.push(number.value.value);
        let error = number.value.standard_error;
        curve.error.push(if error.is_finite() { error } else { 0.0 });
    }
    for (curve, label) in curves.iter_mut().zip(in_words(&places)) {
        curve.label = label;
    }
    curves
}

/// A title over one of the panels with the curves of a quantity, as `of` says, when they are several: which of how many stand in it.
fn title(of: &str, first: usize, count: usize, all: usize) -> String {
    let which = format!("{} to {} of {all} curves", first + 1, first + count);
    match (count == all, of.is_empty()) {
        (true, _) => of.into(),
        (false, true) => which,
        (false, false) => format!("{of}, {which}"),
    }
}

fn names(numbers: &[MainNumber]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for number in numbers {
        if !names.contains(&number.name.as_str()) {
            names.push(&number.name);
        }
    }
    names
}

fn figure(panels: Vec<Panel>) -> Result<Figure> {
    if panels.is_empty() {
        return Err(Error::NothingToDraw {
            message: "no main number of this task is known in two cells".into(),
        });
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels,
    })
}

fn lines(numbers: &[MainNumber], key: &str) -> Result<Figure> {
    let mut panels = Vec::new();
    let mut rest = numbers.to_vec();
    if NOISE_STRENGTHS.contains(&key) {
        let (plots, whole) = arrhenius(numbers, key);
        panels = plots;
        rest.retain(|number| number.unit != RATE || !whole.contains(&number.name));
    }
    for name in names(&rest) {
        let curves = curves(numbers, name, key);
        let all = |of: fn(&Curve) -> &Vec<f64>| -> Vec<f64> { curves.iter().flat_map(of).copied().collect() };
        let Some(longest) = curves.iter().max_by_key(|curve| curve.x.len()) else {
            continue;
        };
        if longest.x.len() < 2 {
            continue;
        }
        for (part, few) in curves.chunks(MOST_LINES).enumerate() {
            let mut panel = Panel::new(
                &title("", part * MOST_LINES, few.len(), curves.len()),
                axis(&plain(key), &longest.x, true),
                axis(&plain(name), &all(|curve| &curve.y), false),
            );
            for (k, curve) in few.iter().enumerate() {
                let style = Style::nth(k);
                panel = panel
                    .with(Layer::line(&curve.x, &curve.y, "", style.with_width(0.7)))
                    .with(Layer::points(
                        &curve.x,
                        &curve.y,
                        &curve.error,
                        &curve.label,
                        style,
                    ));
            }
            panels.push(panel);
        }
    }
    figure(panels)
}

/// Rates against the inverse noise strength with straight lines through them, and the names of those all of whose curves are drawn: those of positive rates.
fn arrhenius(numbers: &[MainNumber], key: &str) -> (Vec<Panel>, Vec<String>) {
    let rates: Vec<MainNumber> = numbers
        .iter()
        .filter(|number| number.unit == RATE)
        .cloned()
        .collect();
    let (mut drawn, mut whole) = (Vec::new(), Vec::new());
    for name in names(&rates) {
        let curves = curves(&rates, name, key);
        let all = curves.len();
        let is_positive = |curve: &Curve| curve.y.iter().chain(&curve.x).all(|v| *v > 0.0);
        let positive: Vec<(&str, Curve)> = curves
            .into_iter()
            .filter(|curve| curve.y.len() > 1 && is_positive(curve))
            .map(|curve| (name, curve))
            .collect();
        if positive.len() == all {
            whole.push(name.to_string());
        }
        drawn.extend(positive);
    }
    let mut panels = Vec::new();
    for (part, few) in drawn.chunks(MOST_LINES).enumerate() {
        let mut panel = Panel::new(
            &title("Arrhenius plot", part * MOST_LINES, few.len(), drawn.len()),
            Axis::linear(&format!("1/({})", plain(key))),
            Axis::log("rate"),
        );
        for (k, (name, curve)) in few.iter().enumerate() {
            let inverse: Vec<f64> = curve.x.iter().map(|x| 1.0 / x).collect();
            let style = Style::nth(k);
            let logs: Vec<f64> = curve.y.iter().map(|rate| rate.ln()).collect();
            let (slope, height) = straight(&inverse, &logs);
            let fitted: Vec<f64> = inverse.iter().map(|x| (height + slope * x).exp()).collect();
            let words: Vec<String> = [plain(name), curve.label.clone()]
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect();
            let label = format!("{}, slope {slope:.3}", words.join(", ")).replace('-', "−");
            panel = panel
                .with(Layer::line(
                    &inverse,
                    &fitted,
                    "",
                    style.with_dash(Dash::Dashed).with_width(0.7),
                ))
                .with(Layer::points(&inverse, &curve.y, &curve.error, &label, style));
        }
        panels.push(panel);
    }
    (panels, whole)
}

/// Unit of a rate.
const RATE: &str = "1/time";

/// Slope and height at zero of the straight line of least squares.
fn straight(x: &[f64], y: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (centre, level) = (mean(x), mean(y));
    let across: f64 = x.iter().map(|x| (x - centre).powi(2)).sum();
    let both: f64 = x.iter().zip(y).map(|(x, y)| (x - centre) * (y - level)).sum();
    let slope = both / across;
    (slope, level - slope * centre)
}

fn maps(numbers: &[MainNumber], x_key: &str, y_key: &str) -> Result<Figure> {
    let values = |key: &str| {
        let mut values: Vec<f64> = numbers.iter().filter_map(|number| at(number, key)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let (x, y) = (values(x_key), values(y_key));
    let (x_axis, y_axis) = (axis(&plain(x_key), &x, true), axis(&plain(y_key), &y, true));
    let scale = |values: &[f64]| match axis("", values, true) == Axis::log("") {
        true => Scale::Log,
        false => Scale::Linear,
    };
    let (x_edges, y_edges) = (cell_edges(&x, scale(&x))?, cell_edges(&y, scale(&y))?);
    let mut panels = Vec::new();
    for name in names(numbers) {
        // One map each for the other parameters of a number.
        let mut kinds: Vec<Place> = Vec::new();
        let inner = |number: &MainNumber| others(number, &[x_key, y_key]);
        let of: Vec<&MainNumber> = numbers.iter().filter(|number| number.name == name).collect();
        for number in &of {
            if !kinds.contains(&inner(number)) {
                kinds.push(inner(number));
            }
        }
        for (kind, told) in kinds.iter().zip(in_words(&kinds)) {
            let mut values = vec![f64::NAN; x.len() * y.len()];
            for number in of.iter().filter(|number| inner(number) == *kind) {
                let place = |key: &str, among: &[f64]| {
                    at(number, key).and_then(|v| among.iter().position(|w| *w == v))
                };
                if let (Some(i), Some(j)) = (place(x_key, &x), place(y_key, &y)) {
                    values[j * x.len() + i] = number.value.value;
                }
            }
            let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
            let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
            let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if !(high > low) {
                continue;
            }
            let title = match kind.is_empty() {
                true => plain(name),
                false => format!("{}, {told}", plain(name)),
            };
            panels.push(
                Panel::new(&title, x_axis.clone(), y_axis.clone()).with(Layer::Map {
                    x: x_edges.clone(),
                    y: y_edges.clone(),
                    values,
                    colours: ColourScale {
                        map: ColourMap::Viridis,
                        axis: axis(&plain(name), &finite, false).with_range(low, high),
                        bar: true,
                    },
                }),
            );
        }
    }
    figure(panels)
}
