//! Task: hop times, odds and spectral gap on slices of fixed y, by each route.

use super::progress::Progress;
use super::setting::Setting;
use super::two_valley::TwoValleyModel;
use super::work::{Task, Work};
use crate::diffusion::Calculus;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{CrossingTest, PathProtocol, PiecewiseLinear, first_passage};
use crate::error::{Error, Result};
use crate::freezing::{SliceRates, slice_rates};
use crate::landscape::Side;
use crate::output::{Group, Record};
use crate::rates::{ParabolicValleys, ScaleAndSpeed, confining_domain, paper};
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[slices]`: hop times, odds and gap at pairs (y, Δ).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Slices {
    /// Positions, paired with `noise_strength`.
    pub y: Vec<f64>,
    /// Δ, paired with `y`.
    pub noise_strength: Vec<f64>,
    /// Langevin walkers per slice; 0 leaves the simulation out.
    pub walkers: usize,
    /// Coarser of the two time steps of the simulation, in units of the sharp valley's relaxation time f2/2.
    pub time_step: f64,
    /// Longest simulated time in units of the mean first-passage time; later escapes are censored.
    pub longest_time: f64,
}

impl Default for Slices {
    fn default() -> Self {
        Self {
            y: vec![5.0, 5.0, 5.0, 10.0],
            noise_strength: vec![1e-3, 2e-3, 1e-2, 5e-3],
            walkers: 65_536,
            time_step: 0.01,
            longest_time: 30.0,
        }
    }
}

/// Cells of the coarsest of the three grids of route 3.
const CELLS: usize = 1000;
/// Density at which route 4 cuts the line, relative to the valley bottoms.
const CUT: f64 = 1e-20;
/// Significance of the test that late escapes are exponential, made when some are censored.
const SIGNIFICANCE: f64 = 1e-6;

impl Task for Slices {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        check(&model, &task)?;
        Ok(Box::new(move |progress| run(seed, &model, &task, progress)))
    }
}

fn check(model: &TwoValleyModel, task: &Slices) -> Result<()> {
    let fail = |key: &str, message: String| {
        Err(Error::Config {
            key: format!("slices.{key}"),
            message,
        })
    };
    if task.y.is_empty() || task.y.len() != task.noise_strength.len() {
        return fail(
            "noise_strength",
            format!(
                "y and noise_strength are paired and not empty, but have {} and {} entries",
                task.y.len(),
                task.noise_strength.len()
            ),
        );
    }
    if let Some(y) = task.y.iter().find(|y| !(y.is_finite() && **y > 0.0)) {
        return fail(
            "y",
            format!("{y} is not allowed: a positive finite number is needed"),
        );
    }
    if task.walkers == 1 || task.walkers > 10_000_000 {
        return fail(
            "walkers",
            format!(
                "{} is not allowed: 0 for none, or between 2 and 10000000",
                task.walkers
            ),
        );
    }
    if let Some(d) = task.noise_strength.iter().find(|d| !(d.is_finite() && **d > 0.0)) {
        return fail(
            "noise_strength",
            format!("{d} is not allowed: positive finite numbers are needed"),
        );
    }
    for (key, value) in [("time_step", task.time_step), ("longest_time", task.longest_time)] {
        if !(value.is_finite() && value > 0.0) {
            return fail(
                key,
                format!("{value} is not allowed: a positive finite number is needed"),
            );
        }
    }
    for (&y, &strength) in task.y.iter().zip(&task.noise_strength) {
        model.slice(y, strength).map_err(|e| e.at("slices"))?;
    }
    Ok(())
}

/// Route 4 on one slice: τ flat→sharp, τ sharp→flat, P_flat and their largest relative error.
fn quadrature(model: &TwoValleyModel, y: f64, noise_strength: f64) -> Result<([f64; 3], f64)> {
    let slice = model.slice(y, noise_strength)?;
    let (sharp, flat) = (
        model.landscape().minimum(Side::Sharp, y),
        model.landscape().minimum(Side::Flat, y),
    );
    let (lower, upper) = confining_domain(&slice, sharp, flat, CUT)?;
    let line = ScaleAndSpeed::new(&slice, lower, upper)?;
    let (fs, sf) = (
        line.first_passage(flat, sharp)?.mean,
        line.first_passage(sharp, flat)?.mean,
    );
    let p = line.probability((0.0, upper), (lower, 0.0))?;
    let error = fs.relative_error.max(sf.relative_error).max(p.relative_error);
    Ok(([fs.value, sf.value, p.value], error))
}

/// `/slices`.
fn run(seed: u64, model: &TwoValleyModel, task: &Slices, progress: &Progress) -> Result<Vec<Group>> {
    let bar = progress.task("slices", 2 * task.y.len() as u64);
    let mut grid: Vec<SliceRates> = Vec::new();
    let mut exact = Vec::new();
    for (&y, &strength) in task.y.iter().zip(&task.noise_strength) {
        grid.push(slice_rates(
            model.landscape(),
            &model.slice(y, strength)?,
            y,
            CELLS,
        )?);
        exact.push(quadrature(model, y, strength)?);
        bar.advance(1);
    }
    let mut group = Group::new("slices")?.with_description(
        "hop times between the valley bottoms, odds and spectral gap at fixed y, by independent routes",
    );
    let n = task.y.len();
    let dimensions = [("slice", n)];
    let mut push = |name: &str, unit: &str, symbol: &str, text: &str, values: Vec<f64>| -> Result<()> {
        group.push(
            Record::new(name, unit, &dimensions, values)?
                .with_symbol(symbol)
                .with_description(text),
        )
    };
    push("y", "1", "y", "slow direction", task.y.clone())?;
    push(
        "noise_strength",
        "1",
        "Δ",
        "noise strength",
        task.noise_strength.clone(),
    )?;
    type Column = (&'static str, &'static str, &'static str, fn(&SliceRates) -> f64);
    let columns: [Column; 7] = [
        (
            "flat_to_sharp_grid",
            "time",
            "mean time from the flat to the sharp bottom, Fokker-Planck grid",
            |s| s.flat_to_sharp,
        ),
        (
            "sharp_to_flat_grid",
            "time",
            "mean time from the sharp to the flat bottom, Fokker-Planck grid",
            |s| s.sharp_to_flat,
        ),
        (
            "flat_to_ridge_grid",
            "time",
            "mean time from the flat bottom to the ridge, Fokker-Planck grid",
            |s| s.flat_to_ridge,
        ),
        (
            "sharp_to_ridge_grid",
            "time",
            "mean time from the sharp bottom to the ridge, Fokker-Planck grid",
            |s| s.sharp_to_ridge,
        ),
        (
            "p_flat_grid",
            "1",
            "stationary probability of x > 0, Fokker-Planck grid",
            |s| s.p_flat,
        ),
        (
            "spectral_gap_grid",
            "1/time",
            "spectral gap, Fokker-Planck grid",
            |s| s.spectral_gap,
        ),
        (
            "relative_error_grid",
            "1",
            "largest relative discretisation error of the grid route",
            |s| s.relative_error,
        ),
    ];
    for (name, unit, text, value) in columns {
        push(name, unit, "", text, grid.iter().map(value).collect())?;
    }
    for (k, (name, unit, text)) in [
        (
            "flat_to_sharp_integral",
            "time",
            "mean time from the flat to the sharp bottom, exact Ito integral",
        ),
        (
            "sharp_to_flat_integral",
            "time",
            "mean time from the sharp to the flat bottom, exact Ito integral",
        ),
        (
            "p_flat_integral",
            "1",
            "stationary probability of x > 0, exact Ito integral",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        push(name, unit, "", text, exact.iter().map(|e| e.0[k]).collect())?;
    }
    push(
        "relative_error_integral",
        "1",
        "",
        "largest relative quadrature error of the integral route",
        exact.iter().map(|e| e.1).collect(),
    )?;
    if task.walkers > 0 {
        let mut simulated = Vec::new();
        for (k, (&y, &strength)) in task.y.iter().zip(&task.noise_strength).enumerate() {
            simulated.push(langevin(seed, model, task, y, strength, exact[k].0[1])?);
            bar.advance(1);
        }
        push(
            "sharp_to_flat_langevin",
            "time",
            "",
            "mean time from the sharp to the flat bottom, Langevin simulation, extrapolated to zero time step",
            simulated.iter().map(|e| e.value).collect(),
        )?;
        push(
            "sharp_to_flat_langevin_standard_error",
            "time",
            "",
            "standard error of sharp_to_flat_langevin over the walkers",
            simulated.iter().map(|e| e.standard_error).collect(),
        )?;
    }
    if model.has_papers_formulas() {
        let landscape = model.landscape();
        let pairs = || task.y.iter().zip(&task.noise_strength);
        let ridge = |side: Side| -> Result<Vec<f64>> {
            pairs()
                .map(|(&y, &d)| Ok(paper::log_ridge_time(landscape, side, y, d)?.exp()))
                .collect()
        };
        push(
            "flat_to_ridge_paper",
            "time",
            "",
            "the paper's erfi formula for the time to the ridge",
            ridge(Side::Flat)?,
        )?;
        push(
            "sharp_to_ridge_paper",
            "time",
            "",
            "the paper's erfi formula for the time to the ridge",
            ridge(Side::Sharp)?,
        )?;
        let p = pairs()
            .map(|(&y, &d)| paper::stationary_probability(landscape, y, d))
            .collect::<Result<Vec<f64>>>()?;
        push(
            "p_flat_paper",
            "1",
            "",
            "the paper's P_ss, from its erfi formulas without the splitting at the ridge",
            p,
        )?;
        for calculus in Calculus::ALL {
            let odds = pairs()
                .map(|(&y, &d)| {
                    Ok(ParabolicValleys::of_two_valley(landscape, y, 1.0, d)?.probability(calculus))
                })
                .collect::<Result<Vec<f64>>>()?;
            let name = format!("{calculus:?}").to_lowercase();
            push(
                &format!("p_flat_{name}"),
                "1",
                "",
                &format!("closed form of the {calculus:?} equation"),
                odds,
            )?;
        }
    }
    Ok(vec![group])
}

/// Route 2 on one slice: the mean time from the sharp to the flat bottom.
///
/// Euler-Maruyama with Brownian-bridge crossings at steps h and h/4. The jump of drift and noise at the ridge makes the error
/// of order sqrt(h), so that 2τ(h/4) − τ(h) removes its leading part.
fn langevin(
    seed: u64,
    model: &TwoValleyModel,
    task: &Slices,
    y: f64,
    noise_strength: f64,
    expected: f64,
) -> Result<Estimate> {
    let walk = PiecewiseLinear::new(&model.slice(y, noise_strength)?)?;
    let landscape = model.landscape();
    let (sharp, flat) = (
        landscape.minimum(Side::Sharp, y),
        landscape.minimum(Side::Flat, y),
    );
    let relaxation = 0.5 * landscape.flatness(Side::Sharp, y);
    let time = |divisor: f64| -> Result<Estimate> {
        let time_step = task.time_step * relaxation / divisor;
        let protocol = PathProtocol {
            starts: vec![[sharp]],
            runs: task.walkers,
            steps: (task.longest_time * expected / time_step).ceil() as u64,
            time_step,
            seed,
            experiment: experiment_number(&format!("slices {y:e} {noise_strength:e} {divisor}")),
        };
        let passages = first_passage(
            &walk,
            [f64::NEG_INFINITY, flat],
            CrossingTest::BrownianBridge,
            &protocol,
            &|_| (),
        )?;
        passages.mean_time(SIGNIFICANCE)
    };
    Ok(extrapolate(&time(1.0)?, &time(4.0)?, 4.0, 0.5)?.limit)
}
