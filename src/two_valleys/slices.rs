//! Task: hop times, odds and spectral gap on slices of fixed y, by each route.

use crate::diffusion::Calculus;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{CrossingTest, PathProtocol, PiecewiseLinear, first_passage};
use crate::error::{Error, Result, require_positive};
use crate::freezing::{SliceRates, slice_rates};
use crate::landscape::Side;
use crate::output::{Estimates, Group, ResultFile, groups, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Marker, Panel, Style, TWO_COLUMNS, scientific};
use crate::rates::{ParabolicValleys, ScaleAndSpeed, confining_domain, paper};
use crate::setting::Setting;
use crate::setting::two_valley::TwoValleyModel;
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
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

records! {
    /// slices of fixed y on which hop times between the valley bottoms, odds and spectral gap are found by independent routes, each in a group below
    pub struct SlicePositions in "slices" {
        /// slow direction
        y: Vec<f64> => [slice] "1" "y",
        /// noise strength
        noise_strength: Vec<f64> => [slice] "1" "Δ",
    }
}

records! {
    /// Fokker-Planck grid
    pub struct GridSlices in "slices/grid" {
        /// mean time from the flat to the sharp bottom
        flat_to_sharp: Vec<f64> => [slice] "time",
        /// mean time from the sharp to the flat bottom
        sharp_to_flat: Vec<f64> => [slice] "time",
        /// mean time from the flat bottom to the ridge
        flat_to_ridge: Vec<f64> => [slice] "time",
        /// mean time from the sharp bottom to the ridge
        sharp_to_ridge: Vec<f64> => [slice] "time",
        /// stationary probability of x > 0
        p_flat: Vec<f64> => [slice] "1",
        /// spectral gap
        spectral_gap: Vec<f64> => [slice] "1/time",
        /// largest relative discretisation error
        relative_error: Vec<f64> => [slice] "1",
    }
}

records! {
    /// exact integrals of the Ito equation
    pub struct IntegralSlices in "slices/integral" {
        /// mean time from the flat to the sharp bottom
        flat_to_sharp: Vec<f64> => [slice] "time",
        /// mean time from the sharp to the flat bottom
        sharp_to_flat: Vec<f64> => [slice] "time",
        /// stationary probability of x > 0
        p_flat: Vec<f64> => [slice] "1",
        /// largest relative quadrature error
        relative_error: Vec<f64> => [slice] "1",
    }
}

records! {
    /// Langevin simulation, extrapolated to zero time step
    pub struct LangevinSlices in "slices/langevin" {
        /// mean time from the sharp to the flat bottom
        sharp_to_flat: Estimates => [slice] "time",
    }
}

records! {
    /// the paper's formulas
    pub struct PaperSlices in "slices/paper" {
        /// the paper's erfi formula for the time from the flat bottom to the ridge
        flat_to_ridge: Vec<f64> => [slice] "time",
        /// the paper's erfi formula for the time from the sharp bottom to the ridge
        sharp_to_ridge: Vec<f64> => [slice] "time",
        /// the paper's P_ss, from its erfi formulas without the splitting at the ridge
        p_flat: Vec<f64> => [slice] "1",
    }
}

records! {
    /// closed forms of the stationary probability of x > 0
    pub struct ClosedFormSlices in "slices/closed_form" {
        /// Ito equation
        p_flat_ito: Vec<f64> => [slice] "1",
        /// Stratonovich equation
        p_flat_stratonovich: Vec<f64> => [slice] "1",
        /// anti-Ito (Klimontovich) equation
        p_flat_antiito: Vec<f64> => [slice] "1",
    }
}

groups! {
    /// Hop times between the valley bottoms, odds and spectral gap at fixed y.
    pub struct SlicesResult {
        /// The slices.
        slices: SlicePositions,
        /// Grid.
        grid: GridSlices,
        /// Quadrature.
        integral: IntegralSlices,
        /// Simulation, if it was wanted.
        langevin: Option<LangevinSlices>,
        /// The paper's formulas, where they apply.
        paper: Option<PaperSlices>,
        /// Closed forms, where they apply.
        closed_form: Option<ClosedFormSlices>,
    }
}

/// Cells of the coarsest of the three grids of route 3.
const CELLS: usize = 1000;
/// Density at which route 4 cuts the line, relative to the valley bottoms.
const CUT: f64 = 1e-20;
/// Significance of the test that late escapes are exponential, made when some are censored.
const SIGNIFICANCE: f64 = 1e-6;

impl Task for Slices {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "slices",
        description: "hop times, odds and spectral gap at fixed y by every route",
        group: "slices",
        figure,
    }];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = SlicesResult::find(file)? else {
            return Ok(Vec::new());
        };
        let (slices, grid) = (&result.slices, &result.grid);
        let rows = Rows::along("y", &slices.y).and("noise_strength", &slices.noise_strength);
        let column = |name, values: &[f64]| {
            let errors = values.iter().zip(&grid.relative_error);
            let errors: Vec<f64> = errors.map(|(value, error)| value * error).collect();
            rows.column(name, values, &errors)
        };
        Ok([
            column("flat_to_sharp_grid", &grid.flat_to_sharp),
            column("sharp_to_flat_grid", &grid.sharp_to_flat),
            column("p_flat_grid", &grid.p_flat),
            column("spectral_gap_grid", &grid.spectral_gap),
        ]
        .concat())
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Seconds of a slice by grid and quadrature, and of one step of one walker; bytes of a walker.
        const SLICE: f64 = 0.1;
        const STEP: f64 = 6e-9;
        const WALKER: f64 = 100.0;
        /// Steps of both time steps in units of those of the coarser.
        const BOTH: f64 = 5.0;
        let walkers = self.walkers as f64;
        let steps: f64 = match setting.two_valley() {
            Ok(model) => self
                .y
                .iter()
                .zip(&self.noise_strength)
                .map(|(&y, &strength)| {
                    let relaxation = 0.5 * model.landscape().flatness(Side::Sharp, y);
                    // What cannot be judged is refused when it is checked.
                    let mean = quadrature(&model, y, strength).map_or(0.0, |(times, _)| times[1]);
                    BOTH * mean / (self.time_step * relaxation)
                })
                .sum(),
            Err(_) => 0.0,
        };
        Cost::default()
            .with_memory("slices.walkers", WALKER * walkers)
            .with_time("slices.y", SLICE * self.y.len() as f64)
            .with_time("slices.walkers", STEP * walkers * steps)
    }

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
        require_positive(key, value).map_err(|e| e.at("slices"))?;
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
    let integral = |k: usize| exact.iter().map(|e: &([f64; 3], f64)| e.0[k]).collect();
    let column = |value: fn(&SliceRates) -> f64| grid.iter().map(value).collect();
    let langevin = if task.walkers > 0 {
        let mut simulated = Vec::new();
        for (k, (&y, &strength)) in task.y.iter().zip(&task.noise_strength).enumerate() {
            simulated.push(langevin(seed, model, task, y, strength, exact[k].0[1])?);
            bar.advance(1);
        }
        Some(LangevinSlices {
            sharp_to_flat: simulated.into_iter().collect(),
        })
    } else {
        None
    };
    let (paper, closed_form) = match model.has_papers_formulas() {
        true => (Some(paper_slices(model, task)?), Some(closed_forms(model, task)?)),
        false => (None, None),
    };
    let result = SlicesResult {
        slices: SlicePositions {
            y: task.y.clone(),
            noise_strength: task.noise_strength.clone(),
        },
        grid: GridSlices {
            flat_to_sharp: column(|s| s.flat_to_sharp),
            sharp_to_flat: column(|s| s.sharp_to_flat),
            flat_to_ridge: column(|s| s.flat_to_ridge),
            sharp_to_ridge: column(|s| s.sharp_to_ridge),
            p_flat: column(|s| s.p_flat),
            spectral_gap: column(|s| s.spectral_gap),
            relative_error: column(|s| s.relative_error),
        },
        integral: IntegralSlices {
            flat_to_sharp: integral(0),
            sharp_to_flat: integral(1),
            p_flat: integral(2),
            relative_error: exact.iter().map(|e| e.1).collect(),
        },
        langevin,
        paper,
        closed_form,
    };
    result.groups()
}

/// A formula on every slice.
fn on_slices(task: &Slices, value: impl Fn(f64, f64) -> Result<f64>) -> Result<Vec<f64>> {
    let pairs = task.y.iter().zip(&task.noise_strength);
    pairs.map(|(&y, &strength)| value(y, strength)).collect()
}

fn paper_slices(model: &TwoValleyModel, task: &Slices) -> Result<PaperSlices> {
    let landscape = model.landscape();
    let ridge = |side| {
        on_slices(task, |y, d| {
            Ok(paper::log_ridge_time(landscape, side, y, d)?.exp())
        })
    };
    Ok(PaperSlices {
        flat_to_ridge: ridge(Side::Flat)?,
        sharp_to_ridge: ridge(Side::Sharp)?,
        p_flat: on_slices(task, |y, d| paper::stationary_probability(landscape, y, d))?,
    })
}

fn closed_forms(model: &TwoValleyModel, task: &Slices) -> Result<ClosedFormSlices> {
    let landscape = model.landscape();
    let p_flat = |calculus| {
        on_slices(task, |y, d| {
            Ok(ParabolicValleys::of_two_valley(landscape, y, 1.0, d)?.probability(calculus))
        })
    };
    Ok(ClosedFormSlices {
        p_flat_ito: p_flat(Calculus::Ito)?,
        p_flat_stratonovich: p_flat(Calculus::Stratonovich)?,
        p_flat_antiito: p_flat(Calculus::Klimontovich)?,
    })
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

/// Points of one route: values, standard errors if there are any, name and look.
type Route<'a> = (&'a [f64], &'a [f64], &'a str, Style);

/// A row for each slice: times between the valley bottoms (a) and from them to the ridge (b), P_flat (c) and the spectral gap (d), each by every route
/// that the file has.
///
/// Routes that agree stand above each other within the row, in the order of the legend.
///
/// # Errors
/// As [`SlicesResult::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = SlicesResult::of(file)?;
    let (grid, integral) = (&result.grid, &result.integral);
    let slices = result.slices.y.iter().zip(&result.slices.noise_strength);
    let names: Vec<String> = slices
        .map(|(y, d)| format!("*y* = {y}, Δ = {}", scientific(*d)))
        .collect();
    let panel = |axis: Axis, routes: &[Route]| {
        let last = names.len() as f64 - 1.0;
        let upward: Vec<String> = names.iter().rev().cloned().collect();
        let rows = Axis::named(&upward).with_range(-0.6, last + 0.6);
        // The routes of a row fill most of its height.
        let apart = 0.7 / (routes.len() - 1).max(1) as f64;
        let between = (1..names.len()).map(|row| Layer::Horizontal {
            y: row as f64 - 0.5,
            label: String::new(),
            style: Style::reference().with_dash(Dash::Dotted),
        });
        routes.iter().enumerate().fold(
            between.fold(Panel::new("", axis, rows), Panel::with),
            |panel, (k, (values, error, label, style))| {
                let shift = apart * (0.5 * (routes.len() - 1) as f64 - k as f64);
                let place: Vec<f64> = (0..values.len()).map(|row| last - row as f64 + shift).collect();
                let spread = error.iter().zip(values.iter().zip(&place));
                let bars = spread.fold(panel, |panel, (error, (value, place))| {
                    let (x, y) = ([value - error, value + error], [*place; 2]);
                    panel.with(Layer::line(&x, &y, "", style.with_width(0.8)))
                });
                bars.with(Layer::points(values, &place, &[], label, *style))
            },
        )
    };
    let (flat, sharp) = (Style::nth(0), Style::nth(1));
    let look = |style: Style, marker| style.with_marker(marker);
    let hollow = |style: Style, marker| style.with_marker(marker).with_hollow_points();
    let mut hops: Vec<Route> = vec![
        (
            &grid.flat_to_sharp,
            &[],
            "flat → sharp, grid",
            look(flat, Marker::Circle),
        ),
        (
            &integral.flat_to_sharp,
            &[],
            "flat → sharp, integral",
            hollow(flat, Marker::Square),
        ),
        (
            &grid.sharp_to_flat,
            &[],
            "sharp → flat, grid",
            look(sharp, Marker::Circle),
        ),
        (
            &integral.sharp_to_flat,
            &[],
            "sharp → flat, integral",
            hollow(sharp, Marker::Square),
        ),
    ];
    if let Some(langevin) = &result.langevin {
        let Estimates {
            value,
            standard_error,
        } = &langevin.sharp_to_flat;
        hops.push((
            value,
            standard_error,
            "sharp → flat, simulation",
            look(sharp, Marker::Diamond),
        ));
    }
    let mut ridge: Vec<Route> = vec![
        (
            &grid.flat_to_ridge,
            &[],
            "flat → ridge, grid",
            look(flat, Marker::Circle),
        ),
        (
            &grid.sharp_to_ridge,
            &[],
            "sharp → ridge, grid",
            look(sharp, Marker::Circle),
        ),
    ];
    let black = Style::nth(0).with_colour(Colour::BLACK);
    let mut odds: Vec<Route> = vec![
        (&grid.p_flat, &[], "grid", look(black, Marker::Circle)),
        (&integral.p_flat, &[], "integral", hollow(black, Marker::Square)),
    ];
    if let Some(closed) = &result.closed_form {
        odds.extend([
            (
                &closed.p_flat_ito[..],
                &[][..],
                "closed form, Ito",
                hollow(Style::nth(0), Marker::Diamond),
            ),
            (
                &closed.p_flat_stratonovich,
                &[],
                "Stratonovich",
                hollow(Style::nth(2), Marker::Diamond),
            ),
            (
                &closed.p_flat_antiito,
                &[],
                "anti-Ito",
                hollow(Style::nth(3), Marker::Diamond),
            ),
        ]);
    }
    if let Some(paper) = &result.paper {
        let formula = |style| hollow(style, Marker::Triangle);
        ridge.insert(
            1,
            (
                &paper.flat_to_ridge,
                &[],
                "flat → ridge, paper's formula",
                formula(flat),
            ),
        );
        ridge.push((
            &paper.sharp_to_ridge,
            &[],
            "sharp → ridge, paper's formula",
            formula(sharp),
        ));
        odds.push((&paper.p_flat, &[], "paper's formula", formula(sharp)));
    }
    let exchange: Vec<f64> = (grid.flat_to_sharp.iter().zip(&grid.sharp_to_flat))
        .map(|(there, back)| 1.0 / there + 1.0 / back)
        .collect();
    let gap: [Route; 2] = [
        (
            &grid.spectral_gap,
            &[],
            "*λ*_{1}, grid",
            look(black, Marker::Circle),
        ),
        (
            &exchange,
            &[],
            "sum of both hop rates 1/*τ*, grid",
            hollow(flat, Marker::Square),
        ),
    ];
    // Room for the legends, and for the rows of many slices.
    let aspect = (0.18 * names.len() as f64).max(0.6);
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect,
        panels: vec![
            panel(Axis::log("mean time between the bottoms *τ*"), &hops),
            panel(Axis::log("mean time to the ridge *τ*"), &ridge),
            panel(Axis::linear("*P*_{flat}"), &odds),
            panel(Axis::log("spectral gap *λ*_{1}"), &gap),
        ],
    })
}
