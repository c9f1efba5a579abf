//! Task: loss and effective potential on slices of fixed y.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::{Axis, Grid};
use crate::landscape::{Landscape, Side, TwoValley};
use crate::math::Point;
use crate::observables::effective_potential;
use crate::output::{Group, Records, ResultFile, records};
use crate::plot::{self, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::rates::{ScaleAndSpeed, confining_domain, paper};
use crate::region::Domain;
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[effective_potential]`: loss, paper's and numerical effective potential on slices.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EffectivePotential {
    /// Positions.
    pub y: ParameterRange,
    /// Δ.
    pub noise_strength: f64,
    /// Cells of the grid.
    pub cells: usize,
    /// Ends of the x axis, the same for all slices; without them, where the density has fallen to 1e-12 of its maximum.
    pub domain: Option<Vec<f64>>,
}

impl Default for EffectivePotential {
    fn default() -> Self {
        Self {
            y: ParameterRange::List(vec![5.0, 40.0]),
            noise_strength: 1e-3,
            cells: 800,
            domain: None,
        }
    }
}

records! {
    /// loss and effective potential on slices of fixed y, both relative to the bottom of the flat valley
    pub struct EffectivePotentialResult in "effective_potential" {
        attributes {
            /// Δ.
            noise_strength: f64,
        }
        /// transverse direction
        x: Vec<f64> => [x] "1" "x",
        /// slow direction
        y: Vec<f64> => [y] "1" "y",
        /// geometric mean of the diffusivities of the two valleys
        effective_temperature: Vec<f64> => [y] "loss" "T_eff",
        /// loss above the bottom of the flat valley
        loss: Vec<f64> => [y, x] "loss" "L",
        /// -T_eff ln p of the stationary density (Ito), minimum at zero
        effective_potential: Vec<f64> => [y, x] "loss" "T_eff Φ",
        /// The paper's formulas, where they apply.
        papers: Option<PapersPotential> => [y, x],
    }
}

records! {
    /// The paper's effective potential.
    pub struct PapersPotential {
        /// the paper's L_eff, continuous at the ridge (anti-Ito)
        paper_effective_potential: Vec<f64> => [] "loss" "L_eff",
        /// the paper's L_eff with the Ito jump T_eff ln gamma at the ridge
        paper_effective_potential_ito: Vec<f64> => [] "loss" "L_eff",
    }
}

impl Task for EffectivePotential {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "effective_potential",
        description: "loss and effective potential on slices of the valley",
        group: "effective_potential",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["cells", "y.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = EffectivePotentialResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("y", &result.y);
        Ok(rows.column("effective_temperature", &result.effective_temperature, &[]))
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a cell of one slice; bytes while it is solved, and of its four numbers.
        const SECONDS: f64 = 1.5e-6;
        const BYTES: f64 = 300.0;
        const NUMBERS: f64 = 32.0;
        let cells = self.cells as f64 * self.y.count();
        Cost::default()
            .with_memory("effective_potential.cells", BYTES * self.cells as f64)
            .with_result("effective_potential.cells", NUMBERS * cells)
            .with_time("effective_potential.cells", SECONDS * cells)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task) = (setting.two_valley()?, self.clone());
        let positions = check(&model, &task)?;
        Ok(Box::new(move |_| run(&model, &task, positions)))
    }
}

fn check(model: &TwoValleyModel, task: &EffectivePotential) -> Result<Vec<f64>> {
    let y = task.y.positive("effective_potential.y")?;
    if !(task.noise_strength.is_finite() && task.noise_strength > 0.0) {
        return Err(Error::Config {
            key: "effective_potential.noise_strength".into(),
            message: format!(
                "{} is not allowed: a positive finite number is needed",
                task.noise_strength
            ),
        });
    }
    if !(8..=1_000_000).contains(&task.cells) {
        return Err(Error::Config {
            key: "effective_potential.cells".into(),
            message: "between 8 and 1000000 cells are supported".into(),
        });
    }
    model
        .slice(y[0], task.noise_strength)
        .map_err(|e| e.at("effective_potential"))?;
    domain(model, task, &y)?;
    Ok(y)
}

/// Relative density at which a domain chosen by the program ends.
const EDGE_DENSITY: f64 = 1e-12;
/// Relative density beyond which nothing is counted when a given domain is judged.
const NEGLIGIBLE_DENSITY: f64 = 1e-25;
/// Probability that a given domain may cut off.
const ALLOWED_CUT: f64 = 1e-6;

/// The x axis of the effective potential: the given one, if it holds enough probability, or one that fits.
fn domain(model: &TwoValleyModel, task: &EffectivePotential, positions: &[f64]) -> Result<(f64, f64)> {
    let bottoms = |y: f64| Side::BOTH.map(|side| model.landscape().minimum(side, y));
    let Some(ends) = &task.domain else {
        let mut ends = (0.0_f64, 0.0_f64);
        for &y in positions {
            let [flat, sharp] = bottoms(y);
            let slice = model.slice(y, task.noise_strength)?;
            let (low, high) = confining_domain(&slice, sharp, flat, EDGE_DENSITY)?;
            ends = (ends.0.min(low), ends.1.max(high));
        }
        return Ok(ends);
    };
    let &[lower, upper] = ends.as_slice() else {
        return Err(Error::Config {
            key: "effective_potential.domain".into(),
            message: format!("two ends are needed, not {}", ends.len()),
        });
    };
    if !(lower.is_finite() && upper.is_finite() && lower < 0.0 && upper > 0.0) {
        return Err(Error::Config {
            key: "effective_potential.domain".into(),
            message: "two finite ends on either side of the ridge x = 0 are needed".into(),
        });
    }
    Domain::new([[lower, upper]]).map_err(|e| e.at("effective_potential"))?;
    for &y in positions {
        let [flat, sharp] = bottoms(y);
        let slice = model.slice(y, task.noise_strength)?;
        let (low, high) = confining_domain(&slice, sharp, flat, NEGLIGIBLE_DENSITY)?;
        let line = ScaleAndSpeed::new(&slice, low.min(lower), high.max(upper))?;
        let mut cut = 0.0;
        if low < lower {
            cut += line.probability((low, lower), (lower, high.max(upper)))?.value;
        }
        if high > upper {
            cut += line.probability((upper, high), (low.min(lower), upper))?.value;
        }
        if cut > ALLOWED_CUT {
            return Err(Error::Config {
                key: "effective_potential.domain".into(),
                message: format!(
                    "it cuts off probability {cut:.3e} of the slice at y = {y}, more than {ALLOWED_CUT:e}; [{low:.3}, {high:.3}] would hold it"
                ),
            });
        }
    }
    Ok((lower, upper))
}

/// `/effective_potential`: loss and effective potential on slices, in units of the loss.
fn run(model: &TwoValleyModel, task: &EffectivePotential, positions: Vec<f64>) -> Result<Vec<Group>> {
    let landscape = model.landscape();
    let (lower, upper) = domain(model, task, &positions)?;
    let grid = Grid::new([Axis::with_faces_at(lower, upper, task.cells, &[0.0])?]);
    let x = grid.axes()[0].centres().to_vec();
    let (mut loss, mut potential, mut temperature) = (Vec::new(), Vec::new(), Vec::new());
    for &y in &positions {
        let slice = model.slice(y, task.noise_strength)?;
        let bottom = landscape.loss(&Point::<2>::new(landscape.minimum(Side::Flat, y), y));
        loss.extend(x.iter().map(|&x| landscape.loss(&Point::<2>::new(x, y)) - bottom));
        // Geometric mean of the two valleys' D: the paper's effective temperature 2Δ/sqrt(f1 f2) for p = 1.
        let d = Side::BOTH.map(|side| slice.tensor(&Point::<1>::new(landscape.minimum(side, y)))[0]);
        let t = (d[0] * d[1]).sqrt();
        temperature.push(t);
        let phi = effective_potential(&Generator::assemble(&slice, grid.clone())?)?;
        potential.extend(phi.iter().map(|phi| t * phi));
    }
    let papers = |ito: bool| {
        let at = |y: f64| {
            x.iter()
                .map(move |&x| papers(landscape, x, y, task.noise_strength, ito))
        };
        positions.iter().flat_map(|&y| at(y)).collect()
    };
    let result = EffectivePotentialResult {
        noise_strength: task.noise_strength,
        effective_temperature: temperature,
        loss,
        effective_potential: potential,
        papers: model.has_papers_formulas().then(|| PapersPotential {
            paper_effective_potential: papers(false),
            paper_effective_potential_ito: papers(true),
        }),
        x,
        y: positions,
    };
    Ok(vec![result.group()?])
}

/// The paper's effective potential above the bottom of its flat valley.
fn papers(landscape: &TwoValley, x: f64, y: f64, noise_strength: f64, ito: bool) -> f64 {
    let side = if x >= 0.0 { Side::Flat } else { Side::Sharp };
    let jump = if ito {
        paper::ridge_jump(landscape, y, noise_strength)
    } else {
        0.0
    };
    // The jump lowers the flat branch; relative to its bottom it raises the sharp one.
    let raise = if side == Side::Sharp { jump } else { 0.0 };
    let bottom = landscape.ridge_loss(y) - paper::effective_depth(landscape, Side::Flat, y);
    paper::effective_loss(landscape, side, y, landscape.loss(&Point::<2>::new(x, y))) - bottom + raise
}

/// Loss, effective potential and the paper's effective potential on slices across the valleys, a row a slice; on the right what the noise adds to the
/// loss, L_SGD = L_eff − L.
///
/// Each curve is shown from its value on the flat side of the ridge, because a potential has no zero: there all meet, and those that jump on the
/// ridge go on elsewhere on its sharp side. It is shown where the loss is at most twice as high as the ridge between the valleys.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = EffectivePotentialResult::of(file)?;
    let (x, slices) = (&result.x, &result.y);
    let black = Style::nth(0).with_colour(Colour::BLACK);
    let mut potentials = vec![(
        "*L*_{eff}, exact (Ito)",
        &result.effective_potential,
        Style::nth(5).with_width(3.0),
    )];
    if let Some(papers) = &result.papers {
        let style = |n, dash| Style::nth(n).with_dash(dash);
        potentials.extend([
            (
                "paper's formula with the Ito jump",
                &papers.paper_effective_potential_ito,
                style(0, Dash::Solid).with_width(0.8),
            ),
            (
                "paper's formula",
                &papers.paper_effective_potential,
                style(1, Dash::Dashed),
            ),
        ]);
    }
    let flat_side = x.iter().position(|x| *x > 0.0).unwrap_or(0);
    let mut panels = Vec::new();
    for (slice, y) in slices.iter().enumerate() {
        let row = |values: &[f64]| -> Vec<f64> {
            let row = &values[slice * x.len()..(slice + 1) * x.len()];
            row.iter().map(|v| v - row[flat_side]).collect()
        };
        let loss = row(&result.loss);
        let shown = window(&loss);
        let line = |values: &[f64], label: &str, style| {
            // One legend serves all panels.
            let label = if panels.is_empty() { label } else { "" };
            Layer::line(&x[shown.clone()], &values[shown.clone()], label, style)
        };
        let panel = |label| {
            Panel::new(
                &format!("*y* = {y}"),
                plot::Axis::linear("*x*"),
                plot::Axis::linear(label),
            )
        };
        let mut heights =
            panel("height above the ridge").with(line(&loss, "loss *L*", black.with_dash(Dash::Dotted)));
        let mut added = panel("*L*_{SGD} = *L*_{eff} − *L*");
        for (label, values, style) in &potentials {
            let values = row(values);
            let difference: Vec<f64> = values.iter().zip(&loss).map(|(v, loss)| v - loss).collect();
            heights = heights.with(line(&values, label, *style));
            added = added.with(line(&difference, "", *style));
        }
        panels.extend([heights, added]);
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.62,
        panels,
    })
}

/// The part of a slice on which the loss is at most [`WALLS`] barriers high, so that the valleys fill the panel; all of it when there is
/// no barrier between two valleys.
fn window(loss: &[f64]) -> std::ops::Range<usize> {
    /// Height of the outer walls that is shown, in barriers.
    const WALLS: f64 = 2.0;
    let lowest = loss.iter().copied().fold(f64::INFINITY, f64::min);
    let is_minimum = |i: &usize| loss[*i] <= loss[*i - 1] && loss[*i] < loss[*i + 1];
    let mut minima = (1..loss.len().saturating_sub(1)).filter(is_minimum);
    if let (Some(first), Some(last)) = (minima.next(), minima.next_back()) {
        let ridge = loss[first..=last].iter().copied().fold(lowest, f64::max);
        let is_shown = |v: &f64| *v - lowest <= WALLS * (ridge - lowest);
        if let (Some(start), Some(end)) = (loss.iter().position(is_shown), loss.iter().rposition(is_shown)) {
            return start..end + 1;
        }
    }
    0..loss.len()
}
