//! Task: loss and effective potential on slices of fixed y.

use super::parameter_range::ParameterRange;
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::work::{Task, Work};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::{Axis, Grid};
use crate::landscape::{Landscape, Side, TwoValley};
use crate::math::Point;
use crate::observables::effective_potential;
use crate::output::{Group, Record};
use crate::rates::{ScaleAndSpeed, confining_domain, paper};
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

impl Task for EffectivePotential {
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
    let mut group = Group::new("effective_potential")?.with_description(
        "loss and effective potential on slices of fixed y, both relative to the bottom of the flat valley",
    );
    group.set_attribute("noise_strength", task.noise_strength)?;
    let (lower, upper) = domain(model, task, &positions)?;
    let grid = Grid::new([Axis::with_faces_at(lower, upper, task.cells, &[0.0])?]);
    let x = grid.axes()[0].centres().to_vec();
    let n = x.len();
    let (mut loss, mut numerical, mut temperature) = (Vec::new(), Vec::new(), Vec::new());
    for &y in &positions {
        let slice = model.slice(y, task.noise_strength)?;
        let bottom = landscape.loss(&Point::<2>::new(landscape.minimum(Side::Flat, y), y));
        loss.extend(x.iter().map(|&x| landscape.loss(&Point::<2>::new(x, y)) - bottom));
        // Geometric mean of the two valleys' D: the paper's effective temperature 2Δ/sqrt(f1 f2) for p = 1.
        let d = Side::BOTH.map(|side| slice.tensor(&Point::<1>::new(landscape.minimum(side, y)))[0]);
        let t = (d[0] * d[1]).sqrt();
        temperature.push(t);
        let phi = effective_potential(&Generator::assemble(&slice, grid.clone())?)?;
        numerical.extend(phi.iter().map(|phi| t * phi));
    }
    group.push(
        Record::coordinate("x", "1", x)?
            .with_symbol("x")
            .with_description("transverse direction"),
    )?;
    group.push(
        Record::coordinate("y", "1", positions.clone())?
            .with_symbol("y")
            .with_description("slow direction"),
    )?;
    let shape = [("y", positions.len()), ("x", n)];
    group.push(
        Record::new(
            "effective_temperature",
            "loss",
            &[("y", positions.len())],
            temperature,
        )?
        .with_symbol("T_eff")
        .with_description("geometric mean of the diffusivities of the two valleys"),
    )?;
    group.push(
        Record::new("loss", "loss", &shape, loss)?
            .with_symbol("L")
            .with_description("loss above the bottom of the flat valley"),
    )?;
    group.push(
        Record::new("effective_potential", "loss", &shape, numerical)?
            .with_symbol("T_eff Φ")
            .with_description("-T_eff ln p of the stationary density (Ito), minimum at zero"),
    )?;
    if model.has_papers_formulas() {
        for (name, text, ito) in [
            (
                "paper_effective_potential",
                "the paper's L_eff, continuous at the ridge (anti-Ito)",
                false,
            ),
            (
                "paper_effective_potential_ito",
                "the paper's L_eff with the Ito jump T_eff ln gamma at the ridge",
                true,
            ),
        ] {
            let values: Vec<f64> = positions
                .iter()
                .flat_map(|&y| {
                    grid.axes()[0]
                        .centres()
                        .iter()
                        .map(move |&x| papers(landscape, x, y, task.noise_strength, ito))
                })
                .collect();
            group.push(
                Record::new(name, "loss", &shape, values)?
                    .with_symbol("L_eff")
                    .with_description(text),
            )?;
        }
    }
    Ok(vec![group])
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
