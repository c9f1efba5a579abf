//! Task: the final P_flat and the freezing position by every density route, no sampling noise.

use super::freezing_line::FreezingLineResult;
use super::freezing_theory::{Freezing, FreezingTheory, freezing, settled};
use super::valley_columns::TimeScales;
use crate::diffusion::sigma;
use crate::error::{Error, Result, require_positive};
use crate::freezing::{
    DensityLastHop, DensityPathSettings, PlanarDensity, PlanarSettings, density_last_hop, planar_density,
};
use crate::landscape::{Side, TwoValley};
use crate::output::{Group, Records, ResultFile, groups, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Marker, ONE_COLUMN, Panel, Style};
use crate::setting::Setting;
use crate::setting::parameter_range::{ParameterRange, row_of};
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::{PathLaw, PathSettings};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[final_probability]`: master equation, Fokker-Planck and transfer operator along the whole path.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FinalProbability {
    /// Δ.
    pub noise_strength: ParameterRange,
    /// η of the transfer operator.
    pub learning_rate: f64,
    /// Starting y.
    pub start_y: f64,
    /// Largest y.
    pub end_y: f64,
    /// Whether to solve the planar Fokker-Planck equation too, the slowest route.
    pub planar: bool,
}

impl Default for FinalProbability {
    fn default() -> Self {
        Self {
            noise_strength: ParameterRange::List(vec![1e-4, 3e-4, 1e-3, 3e-3]),
            learning_rate: 0.01,
            start_y: 1.0,
            end_y: 400.0,
            planar: false,
        }
    }
}

records! {
    /// final P_flat and freezing position by the density routes, each in a group below: master equation and Fokker-Planck equations (eta -> 0),
    /// transfer operator of the SGD map (finite eta)
    pub struct FinalProbabilityRuns in "final_probability" {
        attributes {
            /// η of the transfer operator.
            learning_rate: f64,
            /// Starting y.
            start_y: f64,
        }
        /// whether the valleys follow y, at the noise strength with the largest adiabatic parameter
        regime: Vec<String> => [note] "text",
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// Time scales at each noise strength.
        time_scales: TimeScales => [noise_strength],
        /// y at the end of the run, where fewer than 1e-8 hops a run are to come
        end_y: Vec<f64> => [noise_strength] "1",
    }
}

records! {
    /// two-state master equation, eta -> 0
    pub struct TwoStateRoute in "final_probability/two_state" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final P_flat
        p_flat: Vec<f64> => [noise_strength] "1",
        /// error of p_flat in the step and in the rates; that it is adiabatic is none of it
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// mean y of the last hop
        mean_freezing_y: Vec<f64> => [noise_strength] "1" missing "hops go on at the end of the path",
        /// error of mean_freezing_y; that hops begin from rest is none of it
        mean_freezing_y_error: Vec<f64> => [noise_strength] "1" missing "hops go on at the end of the path",
        /// mean y of the last hop by the Poisson law of the mean hop flux
        mean_freezing_y_poisson: Vec<f64> => [noise_strength] "1" missing "hops go on at the end of the path",
        /// expected number of hops of a run
        mean_hops: Vec<f64> => [noise_strength] "1",
        /// error of mean_hops in the step and in the rates
        mean_hops_error: Vec<f64> => [noise_strength] "1",
    }
}

records! {
    /// Fokker-Planck equation in x with y(t) on the floor, eta -> 0
    pub struct DensityRoute in "final_probability/density" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final P_flat
        p_flat: Vec<f64> => [noise_strength] "1",
        /// error of p_flat: discretisation, and the hops to come
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// largest |mass - 1| over all steps
        mass_error: Vec<f64> => [noise_strength] "1",
        /// mean y of the last hop (half-way to the other minimum)
        mean_freezing_y: Vec<f64> => [noise_strength] "1",
        /// discretisation error of mean_freezing_y
        mean_freezing_y_error: Vec<f64> => [noise_strength] "1",
        /// mean y of the last visit to the ridge
        mean_ridge_y: Vec<f64> => [noise_strength] "1",
        /// expected number of hops of a run (half-way to the other minimum)
        mean_hops: Vec<f64> => [noise_strength] "1",
        /// discretisation error of mean_hops
        mean_hops_error: Vec<f64> => [noise_strength] "1",
    }
}

records! {
    /// transfer operator of the SGD map at the learning rate
    pub struct TransferRoute in "final_probability/transfer" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final P_flat
        p_flat: Vec<f64> => [noise_strength] "1",
        /// change of p_flat with kernels kept twice as long on panels longer by a quarter, and the hops to come
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// largest probability that the discretisation put back in one step
        defect: Vec<f64> => [noise_strength] "1",
        /// mean y of the last sign change of x
        mean_freezing_y: Vec<f64> => [noise_strength] "1",
        /// change of mean_freezing_y with kernels kept twice as long on panels longer by a quarter
        mean_freezing_y_error: Vec<f64> => [noise_strength] "1",
    }
}

records! {
    /// control: isotropic noise D = 2 Delta/sqrt(f1 f2) at start_y, from y = 0, Fokker-Planck, eta -> 0
    pub struct IsotropicControl in "final_probability/isotropic" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final P_flat
        p_flat: Vec<f64> => [noise_strength] "1",
        /// discretisation error of p_flat
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// mean y of the last hop
        mean_freezing_y: Vec<f64> => [noise_strength] "1",
    }
}

records! {
    /// Fokker-Planck equation in the plane with the full tensor, eta -> 0
    pub struct PlanarRoute in "final_probability/planar" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final P_flat
        p_flat: Vec<f64> => [noise_strength] "1",
        /// error of p_flat: discretisation, and the hops to come
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// largest |mass - 1| over all steps
        mass_error: Vec<f64> => [noise_strength] "1",
    }
}

groups! {
    /// Final P_flat and freezing position by the density routes.
    pub struct FinalProbabilityResult {
        /// What all routes have in common.
        runs: FinalProbabilityRuns,
        /// Master equation.
        two_state: TwoStateRoute,
        /// Fokker-Planck equation along the path.
        density: DensityRoute,
        /// Transfer operator of SGD.
        transfer: TransferRoute,
        /// Control under isotropic noise.
        isotropic: IsotropicControl,
        /// Fokker-Planck equation in the plane, where it was solved.
        planar: Option<PlanarRoute>,
    }
}

records! {
    /// Fokker-Planck density of x along the slow path (eta -> 0): moments of the run, last-hop laws, snapshots
    pub struct DensityPathResult in "density_path" {
        attributes {
            /// Δ.
            noise_strength: f64,
        }
        /// time since the start, eta * iterations
        time: Vec<f64> => [time] "time" "t",
        /// slow direction
        y: Vec<f64> => [time] "1",
        /// probability of x > 0
        p_flat: Vec<f64> => [time] "1",
        /// mean x
        mean_x: Vec<f64> => [time] "1",
        /// hops from the flat to the sharp valley per time and run
        flat_to_sharp_flux: Vec<f64> => [time] "1/time",
        /// hops from the sharp to the flat valley per time and run
        sharp_to_flat_flux: Vec<f64> => [time] "1/time",
        /// probability of no valley-to-valley hop after this time
        no_hop_after: Vec<f64> => [time] "1",
        /// probability of no visit to the ridge after this time
        no_ridge_after: Vec<f64> => [time] "1",
        /// time of each snapshot, eta * iterations
        snapshot_time: Vec<f64> => [snapshot] "time",
        /// cell centres of each snapshot; the grid moves with the valleys
        snapshot_x: Vec<f64> => [snapshot, cell] "1",
        /// density of x
        snapshot_density: Vec<f64> => [snapshot, cell] "1",
        /// -ln density, minimum at zero
        snapshot_effective_potential: Vec<f64> => [snapshot, cell] "1" "Φ" missing "the density is below the range of numbers",
    }
}

/// The runs end where fewer than this many hops per run are still to come, which is the most that they change P by.
const HOPS_TO_COME: f64 = 1e-8;

/// Moments at which the density along the path is kept, from the start to just before the end.
const SNAPSHOTS: usize = 6;
const LAST_SNAPSHOT: f64 = 0.99;

/// All routes at one noise strength.
struct Row {
    theory: Freezing,
    density: DensityLastHop,
    law: PathLaw,
    /// The same with kernels kept twice as long on coarser panels.
    coarse_law: PathLaw,
    isotropic: DensityLastHop,
    planar: Option<PlanarDensity>,
    end: f64,
    /// Hops a run that are still to come at the end, of the master equation.
    hops_to_come: f64,
}

fn check(model: &TwoValleyModel, task: &FinalProbability) -> Result<Vec<f64>> {
    const SECTION: &str = "final_probability";
    let strengths = task.noise_strength.positive("final_probability.noise_strength")?;
    for (key, value) in [
        ("learning_rate", task.learning_rate),
        ("start_y", task.start_y),
        ("end_y", task.end_y),
    ] {
        require_positive(key, value).map_err(|e| e.at(SECTION))?;
    }
    if task.end_y <= task.start_y {
        return Err(Error::Config {
            key: format!("{SECTION}.end_y"),
            message: "it must exceed start_y".into(),
        });
    }
    model
        .walk(task.learning_rate, sigma(strengths[0], task.learning_rate))
        .and_then(|w| w.check_stability(task.start_y))
        .map_err(|e| e.at(SECTION))?;
    for strength in &strengths {
        model
            .check_strength("noise_strength", *strength, task.end_y)
            .map_err(|e| e.at("final_probability"))?;
    }
    Ok(strengths)
}

fn theory_settings(task: &FinalProbability) -> FreezingTheory {
    FreezingTheory {
        start_y: task.start_y,
        end_y: task.end_y,
        ..FreezingTheory::default()
    }
}

fn row(model: &TwoValleyModel, task: &FinalProbability, noise_strength: f64) -> Result<Row> {
    let theory = freezing(model, &theory_settings(task), noise_strength)?;
    let (hops, y) = (&theory.path.hops, &theory.path.y);
    let total = hops[hops.len() - 1];
    let last = hops
        .iter()
        .position(|h| total - h < HOPS_TO_COME)
        .unwrap_or(hops.len() - 1)
        .max(1);
    let (end, duration, hops_to_come) = (y[last], theory.path.time[last], total - hops[last]);
    let landscape = model.landscape();
    let mut settings = DensityPathSettings::new(task.start_y, end);
    settings.record = (0..SNAPSHOTS)
        .map(|k| duration * k as f64 / (SNAPSHOTS - 1) as f64 * LAST_SNAPSHOT)
        .collect();
    let density = density_last_hop(landscape, |y| model.slice(y, noise_strength), &settings)?;
    // The control starts where no barrier traps it and has the noise that the valleys' mean curvature would give at the start;
    // isotropic noise does not fall with the curvature, so that its hops last longer.
    let strength = noise_strength * mean_curvature(landscape, task.start_y);
    let control = DensityPathSettings::new(0.0, 2.0 * end);
    let isotropic = density_last_hop(landscape, |y| model.isotropic_slice(y, strength), &control)?;
    const MOST_STEPS: f64 = 1e8;
    let steps = duration / task.learning_rate;
    if steps > MOST_STEPS {
        return Err(Error::Config {
            key: "final_probability.learning_rate".into(),
            message: format!(
                "{:e} is too small: the run of time {duration:.0} would take more than 1e8 steps",
                task.learning_rate
            ),
        });
    }
    let path = PathSettings {
        steps: steps.ceil() as usize,
        start_y: task.start_y,
        ..PathSettings::default()
    };
    let sigma = sigma(noise_strength, task.learning_rate);
    let [law, coarse_law] = model.path_laws(task.learning_rate, sigma, &path)?;
    let planar = if task.planar {
        let diffusion = model.plane(noise_strength)?;
        Some(planar_density(
            landscape,
            &diffusion,
            &PlanarSettings::new(task.start_y, end),
        )?)
    } else {
        None
    };
    Ok(Row {
        theory,
        density,
        law,
        coarse_law,
        isotropic,
        planar,
        end,
        hops_to_come,
    })
}

/// Geometric mean 2/sqrt(f1 f2) of the two curvatures.
pub(crate) fn mean_curvature(landscape: &TwoValley, y: f64) -> f64 {
    let product: f64 = Side::BOTH
        .iter()
        .map(|side| landscape.flatness(*side, y))
        .product();
    2.0 / product.sqrt()
}

impl Task for FinalProbability {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "final_probability",
        description: "final P_flat against noise strength by every route",
        group: "final_probability",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["noise_strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = FinalProbabilityResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("noise_strength", &result.runs.noise_strength);
        let (two_state, density, transfer) = (&result.two_state, &result.density, &result.transfer);
        Ok([
            rows.column("p_flat_two_state", &two_state.p_flat, &two_state.p_flat_error),
            rows.column("p_flat_density", &density.p_flat, &density.p_flat_error),
            rows.column("p_flat_transfer", &transfer.p_flat, &transfer.p_flat_error),
            rows.column(
                "mean_freezing_y_density",
                &density.mean_freezing_y,
                &density.mean_freezing_y_error,
            ),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds of one noise strength by the densities, and in the plane; bytes.
        const STRENGTH: f64 = 3.0;
        const PLANAR: f64 = 25.0;
        const BYTES: f64 = 1e8;
        const PLANAR_BYTES: f64 = 1e8;
        let strengths = self.noise_strength.count();
        let cost = Cost::default()
            .with_memory("final_probability.noise_strength", BYTES)
            .with_result("final_probability.noise_strength", 1e6 * strengths)
            .with_time("final_probability.noise_strength", STRENGTH * strengths);
        if self.planar {
            return cost
                .with_memory("final_probability.planar", PLANAR_BYTES)
                .with_time("final_probability.planar", PLANAR * strengths);
        }
        cost
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task) = (setting.two_valley()?, self.clone());
        let strengths = check(&model, &task)?;
        Ok(Box::new(move |progress| run(&model, &task, strengths, progress)))
    }
}

/// `/final_probability`.
fn run(
    model: &TwoValleyModel,
    task: &FinalProbability,
    strengths: Vec<f64>,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let bar = progress.task("densities along the path", strengths.len() as u64);
    let rows: Vec<Row> = strengths
        .par_iter()
        .with_max_len(1)
        .map(|&strength| {
            let row = row(model, task, strength);
            bar.advance(1);
            row
        })
        .collect::<Result<_>>()?;
    let column = |value: &dyn Fn(&Row) -> f64| rows.iter().map(value).collect::<Vec<f64>>();
    let (time_scales, regime) = TimeScales::of(rows.iter().map(|row| &row.theory.regime));
    let planar: Vec<&PlanarDensity> = rows.iter().filter_map(|r| r.planar.as_ref()).collect();
    let result = FinalProbabilityResult {
        two_state: TwoStateRoute {
            noise_strength: strengths.clone(),
            p_flat: column(&|r| r.theory.path.final_p_flat()),
            p_flat_error: column(&|r| r.theory.path.p_flat_error + r.theory.rate_error),
            mean_freezing_y: column(&|r| settled(&r.theory.last.hop).0),
            mean_freezing_y_error: column(&|r| r.theory.last_hop_y_error()),
            mean_freezing_y_poisson: column(&|r| settled(&r.theory.last.poisson).0),
            mean_hops: column(&|r| r.theory.path.total_hops()),
            mean_hops_error: column(&|r| {
                r.theory.path.hops_error + r.theory.path.total_hops() * r.theory.rate_error
            }),
        },
        density: DensityRoute {
            noise_strength: strengths.clone(),
            p_flat: column(&|r| r.density.path.final_p_flat()),
            p_flat_error: column(&|r| r.density.path.p_flat_error + r.hops_to_come),
            mass_error: column(&|r| r.density.path.mass_error),
            mean_freezing_y: column(&|r| r.density.mean_y),
            mean_freezing_y_error: column(&|r| r.density.mean_y_error),
            mean_ridge_y: column(&|r| r.density.mean_y_ridge),
            mean_hops: column(&|r| r.density.mean_hops),
            mean_hops_error: column(&|r| r.density.mean_hops_error),
        },
        transfer: TransferRoute {
            noise_strength: strengths.clone(),
            p_flat: column(&|r| r.law.final_p_flat()),
            p_flat_error: column(&|r| {
                (r.law.final_p_flat() - r.coarse_law.final_p_flat()).abs() + r.hops_to_come
            }),
            defect: column(&|r| r.law.defect),
            mean_freezing_y: column(&|r| r.law.mean_freezing_y()),
            mean_freezing_y_error: column(&|r| {
                (r.law.mean_freezing_y() - r.coarse_law.mean_freezing_y()).abs()
            }),
        },
        isotropic: IsotropicControl {
            noise_strength: strengths.clone(),
            p_flat: column(&|r| r.isotropic.path.final_p_flat()),
            p_flat_error: column(&|r| r.isotropic.path.p_flat_error),
            mean_freezing_y: column(&|r| r.isotropic.mean_y),
        },
        planar: task.planar.then(|| PlanarRoute {
            noise_strength: strengths.clone(),
            p_flat: planar.iter().map(|p| p.final_p_flat()).collect(),
            p_flat_error: rows
                .iter()
                .filter_map(|r| Some(r.planar.as_ref()?.p_flat_error + r.hops_to_come))
                .collect(),
            mass_error: planar.iter().map(|p| p.mass_error).collect(),
        }),
        runs: FinalProbabilityRuns {
            learning_rate: task.learning_rate,
            start_y: task.start_y,
            regime,
            time_scales,
            end_y: column(&|r| r.end),
            noise_strength: strengths,
        },
    };
    let mut groups = result.groups()?;
    for (k, (row, strength)) in rows.iter().zip(result.runs.noise_strength).enumerate() {
        let path = density_path(&row.density, strength);
        groups.push(path.group_named(&format!("{}/strength_{k}", DensityPathResult::GROUP))?);
    }
    Ok(groups)
}

/// The Fokker-Planck density along the path at one noise strength, moment by moment.
fn density_path(law: &DensityLastHop, noise_strength: f64) -> DensityPathResult {
    let path = &law.path;
    let snapshots = &path.snapshots;
    let finite = |phi: f64| if phi.is_finite() { phi } else { f64::NAN };
    DensityPathResult {
        noise_strength,
        time: path.time.clone(),
        y: path.y.clone(),
        p_flat: path.p_flat.clone(),
        mean_x: path.mean_x.clone(),
        flat_to_sharp_flux: path.flat_to_sharp_flux.clone(),
        sharp_to_flat_flux: path.sharp_to_flat_flux.clone(),
        no_hop_after: law.no_hop_after.clone(),
        no_ridge_after: law.no_ridge_after.clone(),
        snapshot_time: snapshots.iter().map(|s| s.time).collect(),
        snapshot_x: snapshots.iter().flat_map(|s| s.x.iter().copied()).collect(),
        snapshot_density: snapshots
            .iter()
            .flat_map(|s| s.probability.iter().zip(&s.width).map(|(p, w)| p / w))
            .collect(),
        snapshot_effective_potential: snapshots
            .iter()
            .flat_map(|s| s.effective_potential().into_iter().map(finite))
            .collect(),
    }
}

/// Points of one route.
struct Route {
    label: String,
    noise: Vec<f64>,
    p: Vec<f64>,
    error: Vec<f64>,
    style: Style,
    /// Factor on the abscissa, so that points of routes that agree stand side by side.
    shift: f64,
}

/// Final P_flat against noise strength by every route (a), and what each differs from the two-state master equation (b).
///
/// The points of SGD are `p_flat` of `/freezing_line` at the same noise strengths, if that group has the same learning rate. Points are
/// moved sideways by some per cent.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = FinalProbabilityResult::of(file)?;
    let (noise, two_state) = (&result.runs.noise_strength, &result.two_state.p_flat);
    let routes = routes(&result, FreezingLineResult::find(file)?);
    let axis = Axis::log("noise strength Δ = *ησ* (markers set apart)");
    let mut level = Panel::new(
        "",
        axis.clone().without_labels(),
        Axis::linear("final *P*_{flat}"),
    );
    let line = Style::nth(0);
    level = level.with(Layer::line(noise, two_state, "two-state theory, *η* → 0", line));
    let style = Style::nth(6).with_colour(Colour::GREY).with_dash(Dash::DashDot);
    // on an axis of its own, which would hide the rise of the others
    let control = Panel::new(
        "",
        Axis::log("noise strength Δ = *ησ*"),
        Axis::linear("final *P*_{flat}").with_range(0.5, 0.6),
    )
    .with(Layer::line(
        noise,
        &result.isotropic.p_flat,
        "control: isotropic noise",
        style,
    ));
    let mut difference = Panel::new("", axis, Axis::linear("*P*_{flat} − two-state theory"));
    difference = difference.with(Layer::Horizontal {
        y: 0.0,
        label: String::new(),
        style: line,
    });
    for route in routes {
        let x: Vec<f64> = route.noise.iter().map(|d| d * route.shift).collect();
        level = level.with(Layer::points(
            &x,
            &route.p,
            &route.error,
            &route.label,
            route.style,
        ));
        let theory = |d: &f64| row_of(*d, noise).map(|k| two_state[k]);
        let rest: Vec<f64> = (route.p.iter().zip(&route.noise))
            .map(|(p, d)| theory(d).map_or(f64::NAN, |t| p - t))
            .collect();
        difference = difference.with(Layer::points(&x, &rest, &route.error, "", route.style));
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.66,
        panels: vec![level, difference, control],
    })
}

fn routes(result: &FinalProbabilityResult, line: Option<FreezingLineResult>) -> Vec<Route> {
    let (noise, learning_rate) = (&result.runs.noise_strength, result.runs.learning_rate);
    let finite = format!(", *η* = {learning_rate}");
    let route = |label: &str, p: &[f64], error: &[f64], style, shift| Route {
        label: label.into(),
        noise: noise.clone(),
        p: p.to_vec(),
        error: error.to_vec(),
        style,
        shift,
    };
    let mut routes = vec![route(
        "Fokker–Planck in *x*, *η* → 0",
        &result.density.p_flat,
        &result.density.p_flat_error,
        Style::nth(2).with_marker(Marker::Square),
        0.91,
    )];
    if let Some(planar) = &result.planar {
        routes.push(route(
            "Fokker–Planck in (*x*, *y*), *η* → 0",
            &planar.p_flat,
            &planar.p_flat_error,
            Style::nth(3).with_marker(Marker::Diamond),
            0.97,
        ));
    }
    routes.push(route(
        &format!("transfer operator{finite}"),
        &result.transfer.p_flat,
        &[],
        Style::nth(1).with_marker(Marker::Triangle),
        1.03,
    ));
    if let Some(line) = line.filter(|line| line.learning_rate == learning_rate) {
        let is_shown = |k: &usize| row_of(line.noise_strength[*k], noise).is_some();
        let shown: Vec<usize> = (0..line.noise_strength.len()).filter(is_shown).collect();
        let pick = |values: &[f64]| -> Vec<f64> { shown.iter().map(|k| values[*k]).collect() };
        if !shown.is_empty() {
            routes.push(Route {
                label: format!("SGD{finite}"),
                p: pick(&line.means.p_flat.value),
                error: pick(&line.means.p_flat.standard_error),
                noise: pick(&line.noise_strength),
                style: Style::nth(0).with_colour(Colour::BLACK),
                shift: 1.09,
            });
        }
    }
    routes
}
