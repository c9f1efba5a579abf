//! `[static_odds]`: the stationary odds of the two valleys at fixed y, which tell the calculus of SGD apart, and what of them belongs to the cusp.

use super::final_probability::mean_curvature;
use crate::diffusion::{Calculus, Diffusion, Sgd, sigma};
use crate::ensemble::stream::{LANES, experiment_number};
use crate::ensemble::{Cell, CrossingTest, PathProtocol, Protocol, positions_at, simulate};
use crate::error::{Error, Result, require_positive};
use crate::freezing::slice_rates;
use crate::generator::{Discretisation, Generator};
use crate::grid::{Concentration, Grid, MappedAxes};
use crate::landscape::{Kink, Landscape, RoundedRidge, Side};
use crate::math::Point;
use crate::noise::ValleyCurvature;
use crate::observables::{spectral_gap, stationary_probability};
use crate::output::{ResultFile, groups, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::rates::{ParabolicValley, ParabolicValleys, ScaleAndSpeed, confining_domain, width_probability};
use crate::region::Domain;
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::{TwoValleyModel, TwoValleyNoise};
use crate::statistics::convergence::extrapolated;
use crate::statistics::proportion;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::{
    PathLaw, PathSettings, Resolution, SlowMotion, Start, TransferOperator as StepOperator,
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[static_odds]`: odds flat : sharp with y held.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StaticOdds {
    /// Positions, paired with `noise_strength`.
    pub y: Vec<f64>,
    /// Δ, paired with `y`.
    pub noise_strength: Vec<f64>,
    /// η.
    pub learning_rate: ParameterRange,
    /// Positions of SGD behind each point, apart by five relaxation times.
    pub samples: usize,
    /// Position at which the ridge is rounded.
    pub ridge_y: f64,
    /// Δ there.
    pub ridge_noise_strength: f64,
    /// Widths of the rounded ridge in units of sqrt(Δ); none leaves it out.
    pub ridge_width: Vec<f64>,
    /// η at which SGD runs over the rounded ridge.
    pub ridge_learning_rate: f64,
}

impl Default for StaticOdds {
    fn default() -> Self {
        Self {
            y: vec![5.0, 10.0, 5.0],
            noise_strength: vec![2e-3, 5e-3, 1e-2],
            learning_rate: ParameterRange::log(1e-3, 0.1, 7),
            samples: 20_000,
            ridge_y: 5.0,
            ridge_noise_strength: 1e-3,
            ridge_width: vec![0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0],
            ridge_learning_rate: 0.01,
        }
    }
}

records! {
    /// stationary odds of the flat to the sharp valley at fixed y, over R, the odds of a potential that is continuous on the ridge
    pub struct OddsOverContinuous in "static_odds" {
        attributes {
            /// γ = f1/f2.
            flatness_ratio: f64,
            /// Position of the rounded ridge.
            ridge_y: f64,
            /// Δ there.
            ridge_noise_strength: f64,
            /// η there.
            ridge_learning_rate: f64,
        }
        /// position
        y: Vec<f64> => [problem] "1" "y",
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [problem] "1" "Δ",
        /// R: odds of the anti-Ito equation, closed form
        odds_continuous: Vec<f64> => [problem] "1" "R",
        /// odds of the Stratonovich equation over R, closed form
        ratio_stratonovich: Vec<f64> => [problem] "1",
        /// odds of the Ito equation over R, closed form
        ratio_ito: Vec<f64> => [problem] "1",
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// odds of SGD over R
        ratio_sgd: Vec<f64> => [problem, learning_rate] "1",
        /// standard error of ratio_sgd
        ratio_sgd_standard_error: Vec<f64> => [problem, learning_rate] "1",
        /// odds of the map of SGD over R, transfer operator
        ratio_transfer: Vec<f64> => [problem, learning_rate] "1",
        /// change of ratio_transfer with panels longer by a quarter
        ratio_transfer_error: Vec<f64> => [problem, learning_rate] "1",
    }
}

records! {
    /// control: probability of the flat valley under isotropic noise of the valleys' mean strength
    pub struct IsotropicControl in "static_odds/isotropic" {
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// SGD
        p_flat_sgd: Vec<f64> => [problem, learning_rate] "1",
        /// standard error of p_flat_sgd
        p_flat_sgd_standard_error: Vec<f64> => [problem, learning_rate] "1",
        /// transfer operator
        p_flat_transfer: Vec<f64> => [problem, learning_rate] "1",
        /// change of p_flat_transfer with panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [problem, learning_rate] "1",
    }
}

records! {
    /// the slice at ridge_y with its ridge rounded over a width, the noise following the curvature of the valleys
    pub struct RoundedRidgeOdds in "static_odds/rounded_ridge" {
        /// width of the ridge over sqrt(noise strength)
        ridge_width: Vec<f64> => [ridge_width] "1" "w/sqrt(Δ)",
        /// stationary odds, Ito integral, eta -> 0
        odds_integral: Vec<f64> => [ridge_width] "1",
        /// quadrature error of odds_integral
        odds_integral_error: Vec<f64> => [ridge_width] "1",
        /// stationary odds, Fokker-Planck grid, eta -> 0
        odds_grid: Vec<f64> => [ridge_width] "1",
        /// discretisation error of odds_grid
        odds_grid_error: Vec<f64> => [ridge_width] "1",
        /// odds of a potential that is continuous on the ridge, with the depths of the rounded landscape
        odds_continuous: Vec<f64> => [ridge_width] "1",
        /// odds of SGD at ridge_learning_rate
        odds_sgd: Vec<f64> => [ridge_width] "1",
        /// standard error of odds_sgd
        odds_sgd_standard_error: Vec<f64> => [ridge_width] "1",
        /// odds of the map of SGD at ridge_learning_rate, transfer operator
        odds_transfer: Vec<f64> => [ridge_width] "1",
        /// change of odds_transfer with panels longer by a quarter
        odds_transfer_error: Vec<f64> => [ridge_width] "1",
        /// odds of the map at a quarter of ridge_learning_rate, transfer operator
        odds_transfer_quarter: Vec<f64> => [ridge_width] "1",
        /// probability to reach the bottom of the flat valley first from the top of the ridge, eta -> 0
        splitting: Vec<f64> => [ridge_width] "1",
        /// spectral gap, Fokker-Planck grid
        spectral_gap: Vec<f64> => [ridge_width] "1/time",
    }
}

groups! {
    /// Stationary odds of the two valleys.
    pub struct StaticOddsResult {
        /// Odds over R.
        odds: OddsOverContinuous,
        /// Control under isotropic noise.
        isotropic: IsotropicControl,
        /// The rounded ridge, if it was wanted.
        ridge: Option<RoundedRidgeOdds>,
    }
}

const SECTION: &str = "static_odds";
/// Relaxation times between two positions of a run that count as independent: e^-5 of a correlation is left.
const APART: f64 = 5.0;
/// Positions of a run.
const POSITIONS: usize = 40;
/// Positions left out at the start.
const BURN_IN: usize = 2;
/// Relaxation times after which the map is stationary to 2e-9.
const SETTLED: f64 = 20.0;

/// One pair (y, Δ).
#[derive(Debug, Clone, Copy)]
struct Static {
    y: f64,
    noise_strength: f64,
}

impl Task for StaticOdds {
    const FIGURES: &'static [FigureEntry] = &[
        FigureEntry {
            name: "static_odds",
            description: "measured odds over those of a continuous potential against learning rate, with the isotropic control",
            group: "static_odds",
            figure,
        },
        FigureEntry {
            name: "rounded_ridge",
            description: "odds and splitting against the width of a rounded ridge",
            group: "static_odds",
            figure: ridge_figure,
        },
    ];

    const SHAPED_BY: &'static [&'static str] = &["learning_rate.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = StaticOddsResult::find(file)? else {
            return Ok(Vec::new());
        };
        let odds = &result.odds;
        let rows = Rows::along("y", &odds.y)
            .and("noise_strength", &odds.noise_strength)
            .times("learning_rate", &odds.learning_rate);
        let mut numbers = [
            rows.column("ratio_sgd", &odds.ratio_sgd, &odds.ratio_sgd_standard_error),
            rows.column("ratio_transfer", &odds.ratio_transfer, &odds.ratio_transfer_error),
        ]
        .concat();
        if let Some(ridge) = &result.ridge {
            let rows = Rows::along("ridge_width", &ridge.ridge_width);
            numbers.extend(rows.column("odds_grid", &ridge.odds_grid, &ridge.odds_grid_error));
            numbers.extend(rows.column("odds_sgd", &ridge.odds_sgd, &ridge.odds_sgd_standard_error));
        }
        Ok(numbers)
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a sample of a point at the slowest relaxation of the defaults, and of the map.
        const SAMPLE: f64 = 6e-5;
        const MAP: f64 = 1.0;
        let points = self.y.len() as f64 * self.learning_rate.count();
        let samples = self.samples as f64;
        Cost::default()
            .with_memory("static_odds.samples", 100.0 * samples)
            .with_time(
                "static_odds.samples",
                SAMPLE * samples * (points + self.ridge_width.len() as f64),
            )
            .with_time("static_odds.learning_rate", MAP * points)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        let rates = check(&model, &task)?;
        Ok(Box::new(move |progress| {
            run(&model, &task, &rates, seed, progress)?.groups()
        }))
    }
}

fn check(model: &TwoValleyModel, task: &StaticOdds) -> Result<Vec<f64>> {
    let fail = |key: &str, message: &str| Err(Error::config(&format!("{SECTION}.{key}"), message));
    if task.y.is_empty() || task.y.len() != task.noise_strength.len() {
        return fail(
            "y",
            "as many positions as noise strengths are needed, at least one",
        );
    }
    if !task
        .y
        .iter()
        .chain(&task.noise_strength)
        .all(|v| v.is_finite() && *v > 0.0)
    {
        return fail("y", "positions and noise strengths are positive and finite");
    }
    if task.samples < 1000 {
        return fail(
            "samples",
            "at least 1000 positions are needed for an error of the odds",
        );
    }
    let rates = task.learning_rate.positive("static_odds.learning_rate")?;
    for (y, strength) in task.y.iter().zip(&task.noise_strength) {
        if model.parabolic_valleys(*y, *strength)?.is_none() {
            return Err(Error::config(
                "noise.floor",
                "static_odds compares with closed forms, which need noise that is a power of the curvature, without a floor",
            ));
        }
        for eta in &rates {
            let walk = model
                .walk(*eta, sigma(*strength, *eta))
                .map_err(|e| e.at(SECTION))?;
            walk.check_stability(*y)
                .map_err(|e| e.at("static_odds.learning_rate"))?;
        }
    }
    if !(task.ridge_noise_strength.is_finite() && task.ridge_noise_strength > 0.0) {
        return fail("ridge_noise_strength", "a positive finite number is needed");
    }
    let ridge_eta = require_positive("ridge_learning_rate", task.ridge_learning_rate);
    let ridge_eta = ridge_eta.map_err(|e| e.at(SECTION))?;
    let ridge = model
        .walk(ridge_eta, sigma(task.ridge_noise_strength, ridge_eta))
        .map_err(|e| e.at(SECTION))?;
    ridge
        .check_stability(task.ridge_y)
        .map_err(|e| e.at("static_odds.ridge_learning_rate"))?;
    let unit = task.ridge_noise_strength.sqrt();
    for width in &task.ridge_width {
        RoundedRidge::new(*model.landscape(), task.ridge_y, width * unit).map_err(|e| e.at(SECTION))?;
    }
    Ok(rates)
}

/// A fraction of independent trials with its standard error.
fn fraction(hits: usize, trials: usize) -> Result<(f64, f64)> {
    proportion(hits, trials).map(|p| (p.value, p.standard_error))
}

/// A probability with its standard error as odds with theirs.
fn odds((p, error): (f64, f64)) -> (f64, f64) {
    (p / (1.0 - p), error / (1.0 - p).powi(2))
}

fn run(
    model: &TwoValleyModel,
    task: &StaticOdds,
    rates: &[f64],
    seed: u64,
    progress: &Progress,
) -> Result<StaticOddsResult> {
    let problems: Vec<Static> = (task.y.iter().zip(&task.noise_strength))
        .map(|(&y, &noise_strength)| Static { y, noise_strength })
        .collect();
    let closed: Vec<ParabolicValleys> = problems
        .iter()
        .filter_map(|p| model.parabolic_valleys(p.y, p.noise_strength).transpose())
        .collect::<Result<_>>()?;
    let ratio = |valleys: &ParabolicValleys, calculus: Calculus| {
        (valleys.log_odds(calculus) - valleys.log_odds(Calculus::Klimontovich)).exp()
    };
    let continuous: Vec<f64> = closed
        .iter()
        .map(|v| v.log_odds(Calculus::Klimontovich).exp())
        .collect();
    let bar = progress.task("static odds", (2 * problems.len() * rates.len()) as u64);
    let (mut sgd, mut transfer, mut isotropic_sgd, mut isotropic_transfer) = (vec![], vec![], vec![], vec![]);
    for (problem, continuous) in problems.iter().zip(&continuous) {
        let strength = mean_curvature(model.landscape(), problem.y);
        let control = model.with_noise(TwoValleyNoise::Isotropic { strength });
        for (name, model, scale, measured, exact) in [
            ("sgd", model, Some(*continuous), &mut sgd, &mut transfer),
            (
                "isotropic",
                &control,
                None,
                &mut isotropic_sgd,
                &mut isotropic_transfer,
            ),
        ] {
            let gap = slice_rates(
                model.landscape(),
                &model.slice(problem.y, problem.noise_strength)?,
                problem.y,
                500,
            )?
            .spectral_gap;
            let of = |p: (f64, f64)| match scale {
                Some(scale) => {
                    let (odds, error) = odds(p);
                    (odds / scale, error / scale)
                }
                None => p,
            };
            let laws: Vec<(f64, f64)> = rates
                .par_iter()
                .map(|eta| map_probability(model, *problem, *eta, gap))
                .collect::<Result<_>>()?;
            exact.extend(laws.into_iter().map(of));
            for &eta in rates {
                measured.push(of(sgd_probability(
                    name,
                    model,
                    *problem,
                    eta,
                    gap,
                    task.samples,
                    seed,
                )?));
                bar.advance(1);
            }
        }
    }
    let first = |values: &[(f64, f64)]| values.iter().map(|v| v.0).collect::<Vec<f64>>();
    let second = |values: &[(f64, f64)]| values.iter().map(|v| v.1).collect::<Vec<f64>>();
    Ok(StaticOddsResult {
        odds: OddsOverContinuous {
            flatness_ratio: model.landscape().flatness_ratio(),
            ridge_y: task.ridge_y,
            ridge_noise_strength: task.ridge_noise_strength,
            ridge_learning_rate: task.ridge_learning_rate,
            y: task.y.clone(),
            noise_strength: task.noise_strength.clone(),
            ratio_stratonovich: closed.iter().map(|v| ratio(v, Calculus::Stratonovich)).collect(),
            ratio_ito: closed.iter().map(|v| ratio(v, Calculus::Ito)).collect(),
            odds_continuous: continuous,
            learning_rate: rates.to_vec(),
            ratio_sgd: first(&sgd),
            ratio_sgd_standard_error: second(&sgd),
            ratio_transfer: first(&transfer),
            ratio_transfer_error: second(&transfer),
        },
        isotropic: IsotropicControl {
            learning_rate: rates.to_vec(),
            p_flat_sgd: first(&isotropic_sgd),
            p_flat_sgd_standard_error: second(&isotropic_sgd),
            p_flat_transfer: first(&isotropic_transfer),
            p_flat_transfer_error: second(&isotropic_transfer),
        },
        ridge: match task.ridge_width.is_empty() {
            true => None,
            false => Some(ridge(model, task, seed, progress)?),
        },
    })
}

/// P_flat of SGD with y held, and its standard error.
fn sgd_probability(
    name: &str,
    model: &TwoValleyModel,
    problem: Static,
    eta: f64,
    gap: f64,
    samples: usize,
    seed: u64,
) -> Result<(f64, f64)> {
    let Static { y, noise_strength } = problem;
    let spacing = (APART / (gap * eta)).ceil() as u64;
    let runs = samples.div_ceil(POSITIONS).next_multiple_of(2 * LANES);
    let walk = model.walk(eta, sigma(noise_strength, eta))?.with_y_held();
    let starts = Side::BOTH.map(|side| [model.landscape().minimum(side, y), y]);
    let protocol = Protocol {
        starts: starts.to_vec(),
        runs,
        steps: spacing * (POSITIONS + BURN_IN) as u64,
        record_every: Some(spacing),
        seed,
        experiment: experiment_number(&format!("{SECTION} {name} {y:e} {noise_strength:e} {eta:e}")),
    };
    let ensemble = simulate(&[Cell { walk, protocol }], &|_| ())?.remove(0);
    let counted = ensemble.snapshots.iter().rev().take(POSITIONS);
    let flat: u64 = counted.map(|snapshot| snapshot.flat).sum();
    fraction(flat as usize, runs * POSITIONS)
}

/// P_flat of the map of SGD with y held, and the change with longer panels.
fn map_probability(model: &TwoValleyModel, problem: Static, eta: f64, gap: f64) -> Result<(f64, f64)> {
    let Static { y, noise_strength } = problem;
    let settings = PathSettings {
        steps: (SETTLED / (gap * eta)).ceil() as usize,
        starts: Start::in_equal_parts(&Side::BOTH.map(|side| model.landscape().minimum(side, y))),
        start_y: y,
        motion: SlowMotion::Fixed,
        ..PathSettings::default()
    };
    let laws = model.path_laws(eta, sigma(noise_strength, eta), &settings)?;
    let [fine, coarse] = laws.each_ref().map(PathLaw::final_p_flat);
    Ok((fine, (fine - coarse).abs()))
}

/// The slice at `ridge_y` over a rounded ridge.
fn ridge(
    model: &TwoValleyModel,
    task: &StaticOdds,
    seed: u64,
    progress: &Progress,
) -> Result<RoundedRidgeOdds> {
    let problem = Static {
        y: task.ridge_y,
        noise_strength: task.ridge_noise_strength,
    };
    let bar = progress.task("rounded ridge", task.ridge_width.len() as u64);
    let rows: Vec<RidgeRow> = task
        .ridge_width
        .iter()
        .map(|width| {
            let row = RidgeRow::new(model, task, problem, *width, seed);
            bar.advance(1);
            row
        })
        .collect::<Result<_>>()?;
    let column = |of: &dyn Fn(&RidgeRow) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    Ok(RoundedRidgeOdds {
        ridge_width: task.ridge_width.clone(),
        odds_integral: column(&|r| r.integral.0),
        odds_integral_error: column(&|r| r.integral.1),
        odds_grid: column(&|r| r.grid.0),
        odds_grid_error: column(&|r| r.grid.1),
        odds_continuous: column(&|r| r.continuous),
        odds_sgd: column(&|r| r.sgd.0),
        odds_sgd_standard_error: column(&|r| r.sgd.1),
        odds_transfer: column(&|r| r.transfer.0),
        odds_transfer_error: column(&|r| r.transfer.1),
        odds_transfer_quarter: column(&|r| r.quarter),
        splitting: column(&|r| r.splitting),
        spectral_gap: column(&|r| r.gap),
    })
}

/// Odds over a ridge of one width, each with its error.
struct RidgeRow {
    integral: (f64, f64),
    grid: (f64, f64),
    continuous: f64,
    sgd: (f64, f64),
    transfer: (f64, f64),
    quarter: f64,
    splitting: f64,
    gap: f64,
}

impl RidgeRow {
    fn new(
        model: &TwoValleyModel,
        task: &StaticOdds,
        problem: Static,
        width: f64,
        seed: u64,
    ) -> Result<Self> {
        /// Probability beyond the ends of the line.
        const CUT: f64 = 1e-18;
        /// Length of the panels of the coarser of two operators in those of the finer one.
        const FINER: f64 = 1.25;
        let Static { y, noise_strength } = problem;
        let landscape = RoundedRidge::new(*model.landscape(), y, width * noise_strength.sqrt())?;
        let (power, strength) = model.power_of_curvature().unwrap_or((1.0, 1.0));
        let limit = Sgd::with_noise_strength(
            landscape,
            ValleyCurvature::new(landscape, power, strength)?,
            noise_strength,
        )?;
        let [flat, sharp] = [Side::Flat, Side::Sharp].map(|side| model.landscape().minimum(side, y));
        let (lower, upper) = confining_domain(&limit, sharp, flat, CUT)?;
        let line = ScaleAndSpeed::new(&limit, lower, upper)?;
        let exact = line.odds((0.0, upper), (lower, 0.0))?;
        let at = |eta: f64| {
            let scale = 2.0 * sigma(noise_strength, eta) * strength;
            Sgd::new(
                landscape,
                ValleyCurvature::new(landscape, power, scale)?,
                eta,
                1.0,
            )
        };
        // on a cusp the top is the ridge itself
        let top = if width > 0.0 {
            flat_point(&landscape, 0.0)
        } else {
            0.0
        };
        let axes = ridge_axes(lower, upper, width * noise_strength.sqrt())?;
        let [coarse, middle, fine] =
            [1, 2, 4].map(|parts| axes.divided(parts).and_then(|grid| grid_odds(&limit, grid)));
        let ((coarse, _), (middle, _), (fine, gap)) = (coarse?, middle?, fine?);
        let (first, best) = (
            extrapolated(coarse, middle, 2.0, 2.0),
            extrapolated(middle, fine, 2.0, 2.0),
        );
        let transfer = |eta: f64, resolution: Resolution| -> Result<f64> {
            let operator = StepOperator::new(&at(eta)?, [lower, upper], &[0.0], resolution)?;
            let mass = operator.stationary()?.mass;
            let nodes = operator.grid().nodes();
            let flat: f64 = mass
                .iter()
                .zip(nodes)
                .filter(|(_, x)| **x > 0.0)
                .map(|(m, _)| m)
                .sum();
            Ok(flat / (1.0 - flat))
        };
        let (eta, resolution) = (task.ridge_learning_rate, Resolution::default());
        let mapped = transfer(eta, resolution.refined(FINER))?;
        Ok(Self {
            integral: (exact.value, exact.value * exact.relative_error),
            grid: (best, (best - first).abs().max(1e-12 * best)),
            continuous: continuous_odds(&limit, [sharp, flat], top)?,
            sgd: sgd_odds(&at(eta)?, [sharp, flat], gap, task.samples, seed, width)?,
            transfer: (mapped, (mapped - transfer(eta, resolution)?).abs()),
            quarter: transfer(0.25 * eta, resolution.refined(FINER))?,
            splitting: line.committor(top, sharp, flat)?.value,
            gap,
        })
    }
}

type RidgeSgd = Sgd<RoundedRidge, ValleyCurvature>;

/// Axes with a face on the ridge, and cells fine enough for its width about it.
fn ridge_axes(lower: f64, upper: f64, width: f64) -> Result<MappedAxes<1>> {
    const CELLS: usize = 600;
    /// Cells of the coarsest grid in the width of the ridge.
    const RESOLVED: f64 = 8.0;
    let finer = RESOLVED * (upper - lower) / (CELLS as f64 * width);
    let concentrations: Vec<Concentration> = match width > 0.0 && finer > 1.0 {
        true => vec![Concentration::new(0, 0.0, RESOLVED * width, finer)?],
        false => Vec::new(),
    };
    let on_ridge = Kink {
        axis: 0,
        position: 0.0,
    };
    MappedAxes::new(&[[lower, upper]], &[CELLS], &concentrations, &[on_ridge], [false])
}

/// Odds and spectral gap on a grid with a face on the ridge.
fn grid_odds(sgd: &RidgeSgd, grid: Grid<1>) -> Result<(f64, f64)> {
    let generator = Generator::assemble_with(sgd, grid, &Discretisation::default())?;
    let p = stationary_probability(&generator)?;
    let is_flat = |cell: &usize| generator.grid().centre(*cell)[0] > 0.0;
    let flat: f64 = (0..p.len()).filter(is_flat).map(|cell| p[cell]).sum();
    let sharp: f64 = (0..p.len())
        .filter(|cell| !is_flat(cell))
        .map(|cell| p[cell])
        .sum();
    Ok((flat / sharp, spectral_gap(&generator)?.rate))
}

/// Where the slope of the loss vanishes, by Newton's method from x.
fn flat_point(landscape: &RoundedRidge, mut x: f64) -> f64 {
    for _ in 0..50 {
        let at = Point::<1>::new(x);
        x -= landscape.gradient(&at)[0] / landscape.hessian(&at)[0];
    }
    x
}

/// R with the depths of the rounded valleys: e^{E1 − E2} N(√2E1)/N(√2E2), E_i the depth over the noise in the valley.
fn continuous_odds(sgd: &RidgeSgd, [sharp, flat]: [f64; 2], top: f64) -> Result<f64> {
    let landscape = sgd.landscape();
    let loss = |x: f64| landscape.loss(&Point::<1>::new(x));
    let log_mass = |x: f64| {
        let bottom = flat_point(landscape, x);
        let noise = sgd.tensor(&Point::<1>::new(bottom))[0];
        let valley = ParabolicValley::new(
            loss(top) - loss(bottom),
            2.0 / landscape.valley_curvature(bottom),
            noise,
        )?;
        Ok(valley.log_mass(Calculus::Klimontovich))
    };
    let difference: Result<f64> = log_mass(flat).and_then(|flat| Ok(flat - log_mass(sharp)?));
    Ok(difference?.exp())
}

/// Odds of SGD itself over the ridge, from runs that start in equal parts in both valleys, and their standard error.
fn sgd_odds(
    sgd: &RidgeSgd,
    minima: [f64; 2],
    gap: f64,
    samples: usize,
    seed: u64,
    width: f64,
) -> Result<(f64, f64)> {
    /// Times at which positions of a run are taken.
    const TIMES: usize = 4;
    let eta = sgd.learning_rate().unwrap_or(f64::NAN);
    let spacing = (APART / (gap * eta)).ceil();
    let times: Vec<f64> = (BURN_IN..BURN_IN + TIMES)
        .map(|k| k as f64 * spacing * eta)
        .collect();
    let protocol = PathProtocol {
        starts: minima.map(|x| [x]).to_vec(),
        runs: samples.div_ceil(TIMES),
        steps: spacing as u64 * (BURN_IN + TIMES) as u64,
        time_step: eta,
        seed,
        experiment: experiment_number(&format!("{SECTION} ridge {width:e} {eta:e}")),
    };
    let lists = positions_at(
        sgd,
        &Domain::unbounded(),
        &times,
        CrossingTest::EndOfStep,
        &protocol,
        &|_| (),
    )?;
    let all = lists.iter().flatten();
    let flat = all.clone().filter(|[x]| *x >= 0.0).count();
    fraction(flat, all.count()).map(odds)
}

/// Measured odds over R against η (a), and P_flat under isotropic noise (b).
///
/// # Errors
/// As [`StaticOddsResult::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = StaticOddsResult::of(file)?;
    let (odds, isotropic) = (&result.odds, &result.isotropic);
    let (eta, n) = (&odds.learning_rate, odds.learning_rate.len());
    let axis = || Axis::log("learning rate *η*");
    let mut ratio = Panel::new("", axis(), Axis::linear("odds/*R*(*y*, Δ)"));
    let mut control = Panel::new("", axis(), Axis::linear("*P*_{flat}, isotropic noise"));
    let horizontal = |y: f64, label: String, dash: Dash| Layer::Horizontal {
        y,
        label,
        style: Style::nth(0)
            .with_colour(Colour::GREY)
            .with_width(0.9)
            .with_dash(dash),
    };
    let gamma = odds.flatness_ratio;
    ratio = ratio
        .with(horizontal(1.0, "paper's equation: 1".into(), Dash::Dotted))
        .with(horizontal(
            odds.ratio_stratonovich[0],
            format!("Stratonovich: {:.3}", odds.ratio_stratonovich[0]),
            Dash::Dashed,
        ))
        .with(horizontal(
            odds.ratio_ito[0],
            format!("Itô: {:.3}", odds.ratio_ito[0]),
            Dash::Solid,
        ));
    let widths = width_probability(gamma);
    let stated = gamma / (1.0 + gamma);
    control = control
        .with(horizontal(
            stated,
            format!("stated, *γ*/(1 + *γ*) = {stated:.4}"),
            Dash::Dotted,
        ))
        .with(horizontal(
            widths,
            format!("exact, *x*_1/(*x*_1 + *x*_2) = {widths:.4}"),
            Dash::Solid,
        ));
    for k in 0..odds.y.len() {
        let part = k * n..(k + 1) * n;
        let style = Style::nth(k);
        let label =
            format!("*y* = {}, Δ = {:.0e}", odds.y[k], odds.noise_strength[k]).replace("e-", "×10^{−") + "}";
        let pick = |values: &[f64]| values[part.clone()].to_vec();
        ratio = ratio
            .with(Layer::line(eta, &pick(&odds.ratio_transfer), "", style))
            .with(Layer::points(
                eta,
                &pick(&odds.ratio_sgd),
                &pick(&odds.ratio_sgd_standard_error),
                &label,
                style,
            ));
        control = control
            .with(Layer::line(eta, &pick(&isotropic.p_flat_transfer), "", style))
            .with(Layer::points(
                eta,
                &pick(&isotropic.p_flat_sgd),
                &pick(&isotropic.p_flat_sgd_standard_error),
                "",
                style,
            ));
    }
    let sample = Style::nth(0).with_colour(Colour::GREY);
    ratio = ratio.with(Layer::line(
        &[],
        &[],
        "transfer operator (lines), SGD (points)",
        sample,
    ));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.8,
        panels: vec![ratio, control],
    })
}

/// Odds against the width of the ridge (a), and the splitting on it (b).
///
/// # Errors
/// As [`StaticOddsResult::of`]; [`Error::NothingToDraw`] where no width was asked for.
pub fn ridge_figure(file: &ResultFile) -> Result<Figure> {
    let result = StaticOddsResult::of(file)?;
    let Some(ridge) = &result.ridge else {
        return Err(Error::NothingToDraw {
            message: "ridge_width was empty, so that there is no rounded ridge to draw".into(),
        });
    };
    let width = &ridge.ridge_width;
    let axis = || Axis::log("width of the ridge *w*/Δ^{1/2}");
    let grey = Style::nth(0).with_colour(Colour::GREY);
    let over = |odds: &[f64]| -> Vec<f64> {
        odds.iter()
            .zip(&ridge.odds_continuous)
            .map(|(odds, r)| odds / r)
            .collect()
    };
    let mut level = Panel::new("", axis(), Axis::linear("odds/*R*"));
    level = level
        .with(Layer::Horizontal {
            y: result.odds.ratio_ito[0],
            label: "cusp, *γ*".into(),
            style: grey.with_dash(Dash::Dashed),
        })
        .with(Layer::Horizontal {
            y: 1.0,
            label: "paper's equation".into(),
            style: grey.with_dash(Dash::Dotted),
        })
        .with(Layer::line(
            width,
            &over(&ridge.odds_integral),
            "*η* → 0, integral",
            Style::nth(0),
        ))
        .with(Layer::points(
            width,
            &over(&ridge.odds_grid),
            &over(&ridge.odds_grid_error),
            "*η* → 0, grid",
            Style::nth(0).with_hollow_points(),
        ))
        .with(Layer::line(
            width,
            &over(&ridge.odds_transfer),
            "map of SGD",
            Style::nth(1),
        ))
        .with(Layer::points(
            width,
            &over(&ridge.odds_sgd),
            &over(&ridge.odds_sgd_standard_error),
            "SGD",
            Style::nth(1),
        ));
    let gamma = result.odds.flatness_ratio;
    let widths = width_probability(gamma);
    let mut splitting = Panel::new("", axis(), Axis::linear("probability to go flat from the ridge"));
    splitting = splitting
        .with(Layer::Horizontal {
            y: widths,
            label: "high cusp, *x*_1/(*x*_1 + *x*_2)".into(),
            style: grey.with_dash(Dash::Dashed),
        })
        .with(Layer::Horizontal {
            y: 0.5,
            label: "smooth, 1/2".into(),
            style: grey.with_dash(Dash::Dotted),
        })
        .with(Layer::line(
            width,
            &ridge.splitting,
            "committor, *η* → 0",
            Style::nth(0),
        ));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.8,
        panels: vec![level, splitting],
    })
}
