//! `[phase_space]`: motion with inertia in one variable, underdamped Langevin paths or the limit of SGD with momentum, on a grid of position and velocity.

use super::passage_sets::{have_the_same_sets, say_sets};
use super::rare_events::RareEventsResult;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, shown};
use crate::generator::PhaseSpace;
use crate::grid::Axis as GridAxis;
use crate::landscape::{Landscape, critical_point};
use crate::math::Point;
use crate::math::gauss_legendre::GaussLegendre;
use crate::observables::{committor, mean_first_passage_time, slow_modes, stationary_probability};
use crate::output::{Records, ResultFile, records};
use crate::plot::{
    Axis, Colour, ColourMap, ColourScale, Dash, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};
use crate::rates::kramers::{depopulation_factor, turnover_rate};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::sections::AnyDiffusion;
use crate::setting::sets::SetKeys;
use crate::setting::sgd::SgdKeys;
use crate::statistics::{Estimate, Extrapolated, Range};
use crate::task::{Cost, FigureEntry, MainNumber, Rows, Task, Work};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[phase_space]`: dx = v dt, dv = −(γv + L') dt + sqrt(2γT) dW with T = D(x), the noise strength times the covariance.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpaceKeys {
    /// where the escape begins, at rest: a ball of radius 0
    pub start: SetKeys,
    /// where it ends, at any velocity
    pub target: SetKeys,
    /// friction γ, in place of `momentum`
    #[serde(default)]
    pub friction: Option<ParameterRange>,
    /// momentum β of SGD at the learning rate of `[sgd]`: γ = (1 − β)/√η, T = D/(1 − β), and a step takes the time √η
    #[serde(default)]
    pub momentum: Option<ParameterRange>,
    /// columns of x on the coarsest of four grids, which have 1, 4, 9 and 16 times as many; unless given 100, or as many as there are ways sqrt(T)/γ
    #[serde(default)]
    pub columns: Option<usize>,
    /// levels of the energy on the coarsest grid, as many times more on the others
    #[serde(default = "default_levels")]
    pub levels: usize,
}

fn default_levels() -> usize {
    10
}

records! {
    /// mean first-passage time and spectral gap of motion with inertia, from four grids in phase space, beside Kramers' turnover; stationary density and
    /// committor at the first friction
    pub struct PhaseSpaceResult in "phase_space" {
        /// what the numbers hold for, and what Kramers' turnover beside them leaves out
        regime: Option<Vec<String>> => [note] "text",
        /// friction
        friction: Vec<f64> => [friction] "1/time" "γ",
        /// momentum of SGD
        momentum: Option<Vec<f64>> => [friction] "1" "β",
        /// temperature T = D(x)/(1 − β) at the start
        temperature: Vec<f64> => [friction] "1" "T",
        /// time of a step of SGD, the square root of the learning rate
        step_time: Option<f64> => [] "time",
        /// mean first-passage time from rest
        mean_first_passage_time: Vec<f64> => [friction] "time" "τ",
        /// discretisation error of mean_first_passage_time
        mean_first_passage_time_error: Vec<f64> => [friction] "time",
        /// slowest relaxation
        spectral_gap: Vec<f64> => [friction] "1/time",
        /// discretisation error of spectral_gap
        spectral_gap_error: Vec<f64> => [friction] "1/time",
        /// inverse of Kramers' turnover rate with the depopulation factor; relative error of order T/barrier
        turnover_time: Vec<f64> => [friction] "time" missing "noise that is not constant, no smooth minimum and barrier, or no turning point beyond the minimum",
        /// stationary probability of the cells at the ends of x and under the highest level, on the coarsest grid
        cut_probability: Vec<f64> => [friction] "1",
        /// position
        x: Vec<f64> => [x] "1" "x",
        /// velocity
        v: Vec<f64> => [v] "1" "v",
        /// ln of the stationary density at the first friction
        log_density: Vec<f64> => [x, v] "1" "ln p" missing "above the highest level",
        /// probability at the first friction to come to the target before the place of the start on the other side of the barrier
        committor: Vec<f64> => [x, v] "1" "q" missing "above the highest level",
    }
}

/// One case of friction with its temperature.
struct Case {
    friction: f64,
    diffusion: AnyDiffusion<1>,
    temperature: f64,
    columns: usize,
    /// Lowest loss, barrier and highest level.
    energies: [f64; 3],
    turnover: f64,
}

/// Numbers and fields of one grid.
struct Found {
    numbers: [f64; 2],
    cut: f64,
    fields: [Vec<f64>; 2],
}

/// Points of x and v at which fields are stored.
const POINTS: [usize; 2] = [121, 81];
/// Relative rounding of a solve.
const ROUNDING: f64 = 1e-12;
/// Parts of both axes of four grids: the errors, of first order in the columns and the energies, are of second order in 1, 1/2, 1/3, 1/4.
const PARTS: [usize; 4] = [1, 4, 9, 16];
/// Energies above the lowest, in temperatures: e^-28 is 7e-13.
const WINDOW: f64 = 28.0;
/// The same above the barrier.
const ABOVE: f64 = 16.0;
/// Points at which the loss is looked at.
const SAMPLES: usize = 4096;

impl Task for PhaseSpaceKeys {
    const USES: &'static [&'static str] = &["sgd", "region"];
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "phase_space",
        description: "mean first-passage time over the friction, and density and committor over position and velocity",
        group: "phase_space",
        figure,
    }];
    const SHAPED_BY: &'static [&'static str] = &["friction.points", "momentum.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = PhaseSpaceResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("friction", &result.friction);
        Ok([
            rows.column(
                "mean_first_passage_time",
                &result.mean_first_passage_time,
                &result.mean_first_passage_time_error,
            ),
            rows.column("spectral_gap", &result.spectral_gap, &result.spectral_gap_error),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Bytes and seconds of a cell of the finest grid.
        const CELL: (f64, f64) = (3e3, 3e-5);
        let frictions = self.friction.as_ref().or(self.momentum.as_ref());
        let frictions = frictions.map_or(1.0, ParameterRange::count);
        let parts = PARTS[3] as f64;
        let cells = parts * self.columns.unwrap_or(100) as f64 * 2.0 * parts * self.levels as f64;
        Cost::default()
            .with_memory("phase_space.levels", CELL.0 * cells)
            .with_time("phase_space.levels", CELL.1 * cells * frictions)
            .with_result("phase_space.friction", 80.0 * frictions)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let fail = |key: &str, message: &str| Error::config(&format!("phase_space.{key}"), message);
        if setting.landscape.dimension().map_err(|e| e.at("landscape"))? != 1 {
            return Err(Error::config(
                "phase_space",
                "phase space is made for one variable and its velocity",
            ));
        }
        let sgd = setting.sgd(|keys| keys.on_a_line())?;
        let domain = setting.whole_domain::<1>("give phase space a domain alone, whose ends reflect")?;
        let [ends] = *domain.bounds();
        let set = |key: &str, keys: &SetKeys| {
            let set = keys.set(&setting.landscape, &sgd, domain.bounds());
            set.map_err(|e| e.at(&format!("phase_space.{key}")))
        };
        let (start, target) = (set("start", &self.start)?, set("target", &self.target)?);
        let start = start.as_point().map(|at| at[0]);
        let start = start.ok_or_else(|| fail("start", "a ball of radius 0 is needed"))?;
        if !(start > ends[0] && start < ends[1]) {
            return Err(fail("start", "it must lie within region.domain"));
        }
        let inside = |x: f64| target.contains(&[x].into(), &sgd);
        if inside(start) {
            return Err(fail("target", "the target covers the start"));
        }
        if !(2..=200).contains(&self.levels) {
            return Err(fail("levels", "between 2 and 200 are possible"));
        }
        if self
            .columns
            .is_some_and(|columns| !(8..=20_000).contains(&columns))
        {
            return Err(fail("columns", "between 8 and 20000 are possible"));
        }
        let [barrier, far] = barrier(sgd.landscape(), start, ends, &inside)
            .ok_or_else(|| fail("target", "no part of region.domain is in it"))?;
        let mut cases = Vec::new();
        for (friction, share) in self.frictions(sgd.learning_rate())? {
            // momentum raises the temperature
            let keys = SgdKeys {
                noise_strength: Some(sgd.noise_strength() / share),
                ..SgdKeys::default()
            };
            let heated = Setting {
                sgd: Some(keys),
                ..setting.clone()
            };
            let diffusion = heated.diffusion(|keys| keys.on_a_line())?;
            cases.push(self.case(diffusion, friction, start, ends, barrier)?);
        }
        let momentum = self
            .momentum
            .as_ref()
            .map(|range| range.positive("phase_space.momentum"));
        let (momentum, levels, task) = (momentum.transpose()?, self.levels, self.clone());
        let step_time = momentum.as_ref().and(sgd.learning_rate()).map(f64::sqrt);
        // edges of the target fall on faces of the columns
        let faces = target.faces(&sgd, domain.bounds()).unwrap_or_default();
        let fixed: Vec<f64> = faces.into_iter().map(|plane| plane.position).collect();
        // the side of the start and the side of the target, for the committor
        let home = move |x: f64| (x - start) * (far - start).signum() <= 0.0;
        Ok(Box::new(move |progress| {
            let bar = progress.task("phase space", (cases.len() * PARTS.len()) as u64);
            let (mut rows, mut cuts): (Vec<[Extrapolated; 2]>, Vec<f64>) = Default::default();
            let mut fields = None;
            for case in &cases {
                let on = |parts: &usize| {
                    let axis = GridAxis::with_faces_at(ends[0], ends[1], case.columns, &fixed)?;
                    let axis = divided(&axis, *parts)?;
                    let levels = PhaseSpace::levels(case.energies, case.temperature, levels * parts)?;
                    let space = PhaseSpace::new(&case.diffusion, case.friction, axis, levels)?;
                    let wants_fields = *parts == PARTS[3] && fields.is_none();
                    let found = find(
                        &space,
                        case,
                        start,
                        |x| target.contains(&[x].into(), &sgd),
                        home,
                        wants_fields,
                    )?;
                    bar.advance(1);
                    Ok(found)
                };
                let mut found = PARTS.iter().map(on).collect::<Result<Vec<Found>>>()?;
                let extrapolated = |n: usize| {
                    let values: Vec<f64> = found.iter().map(|found| found.numbers[n]).collect();
                    Extrapolated::within(
                        Range::Positive,
                        [values[0], values[1], values[2], values[3]],
                        true,
                        ROUNDING,
                    )
                };
                rows.push([extrapolated(0), extrapolated(1)]);
                // the widest outer cells hold most
                cuts.push(found[0].cut);
                fields = fields.or(found.pop().map(|found| found.fields));
            }
            let column = |n: usize| rows.iter().map(|row| row[n].value).collect::<Vec<f64>>();
            let errors = |n: usize| rows.iter().map(|row| row[n].error).collect::<Vec<f64>>();
            let of = |value: &dyn Fn(&Case) -> f64| cases.iter().map(value).collect::<Vec<f64>>();
            let [x, v] = cases
                .first()
                .map_or_else(Default::default, |case| case.points(ends));
            let [log_density, committor] = fields.unwrap_or_default();
            let barriers = cases.iter().map(|case| {
                let [lowest, barrier, _] = case.energies;
                (barrier - lowest) / case.temperature
            });
            let (low, high) = barriers.fold((f64::INFINITY, 0.0_f64), |(a, b), t| (a.min(t), b.max(t)));
            let barrier = match format!("{low:.1}") == format!("{high:.1}") {
                true => format!("{low:.1}"),
                false => format!("{low:.1} to {high:.1}"),
            };
            let result = PhaseSpaceResult {
                regime: Some(vec![format!(
                    "at any friction and barrier that the grids hold: the barrier is {barrier} noise temperatures, Kramers' turnover beside them is off by about the inverse of that, and at most {:.1e} of the stationary law lies in cells at the ends",
                    cuts.iter().copied().fold(0.0, f64::max)
                )]),
                friction: of(&|case| case.friction),
                momentum,
                temperature: of(&|case| case.temperature),
                step_time,
                mean_first_passage_time: column(0),
                mean_first_passage_time_error: errors(0),
                spectral_gap: column(1),
                spectral_gap_error: errors(1),
                turnover_time: of(&|case| case.turnover),
                cut_probability: cuts,
                x,
                v,
                log_density,
                committor,
            };
            let mut group = result.group()?;
            say_sets(&mut group, &task.start, &task.target)?;
            Ok(vec![group])
        }))
    }
}

impl PhaseSpaceKeys {
    /// γ, and 1 − β of SGD with momentum or 1.
    fn frictions(&self, learning_rate: Option<f64>) -> Result<Vec<(f64, f64)>> {
        match (&self.friction, &self.momentum) {
            (Some(range), None) => {
                /// Below, times leave the range of numbers.
                const WEAKEST: f64 = 1e-100;
                let wanted = "a friction of at least 1e-100 is needed";
                let frictions =
                    range.values("phase_space.friction", |friction| friction >= WEAKEST, wanted)?;
                Ok(frictions.into_iter().map(|friction| (friction, 1.0)).collect())
            }
            (None, Some(range)) => {
                let Some(rate) = learning_rate else {
                    return Err(Error::config(
                        "sgd.learning_rate",
                        "this key is required by phase_space.momentum",
                    ));
                };
                let in_range = |beta: f64| beta > 0.0 && beta < 1.0;
                let momenta = range.values("phase_space.momentum", in_range, "0 < momentum < 1 is needed")?;
                Ok(momenta
                    .into_iter()
                    .map(|beta| ((1.0 - beta) / rate.sqrt(), 1.0 - beta))
                    .collect())
            }
            _ => Err(Error::config(
                "phase_space.friction",
                "give friction, or momentum with sgd.learning_rate",
            )),
        }
    }

    fn case(
        &self,
        diffusion: AnyDiffusion<1>,
        friction: f64,
        start: f64,
        ends: [f64; 2],
        barrier: f64,
    ) -> Result<Case> {
        /// Columns where friction does not ask for more.
        const COLUMNS: f64 = 100.0;
        /// Most columns that are chosen without being asked for.
        const MOST_COLUMNS: f64 = 1000.0;
        /// Ways that a column of the coarsest grid may be wide: the finest has then four on a way.
        const WIDEST: f64 = 4.0;
        /// Below the lowest loss that was seen, which may be between two samples, in temperatures.
        const BELOW: f64 = 1e-3;
        let loss = |x: f64| {
            diffusion
                .landscape()
                .map_or(f64::NAN, |l| l.loss(&Point::<1>::new(x)))
        };
        let temperature = |x: f64| diffusion.tensor(&Point::<1>::new(x))[0];
        let at = |k: usize| ends[0] + (ends[1] - ends[0]) * k as f64 / SAMPLES as f64;
        let hottest = (0..=SAMPLES).map(|k| temperature(at(k))).fold(0.0, f64::max);
        let lowest = (0..=SAMPLES).map(|k| loss(at(k))).fold(f64::INFINITY, f64::min) - BELOW * hottest;
        let top = loss(barrier);
        let highest = (lowest + WINDOW * hottest).max(top + ABOVE * hottest);
        let unit = temperature(barrier);
        if !(lowest.is_finite() && highest.is_finite() && unit > 0.0) {
            return Err(Error::config(
                "region.domain",
                "loss and noise must be finite on it, and the noise positive at the barrier",
            ));
        }
        let ways = (ends[1] - ends[0]) * friction / unit.sqrt();
        let overdamped = "or leave the inertia out: [escape] with this temperature as noise has the times divided by the friction";
        if let Some(columns) = self.columns.filter(|columns| ways > WIDEST * *columns as f64) {
            return Err(Error::config(
                "phase_space.columns",
                format!(
                    "{columns} are too few at a friction of {}: a column may be {WIDEST} ways sqrt(T)/γ = {:.1e} wide, {:.1e} columns are needed; lower the friction, {overdamped}",
                    shown(friction),
                    unit.sqrt() / friction,
                    (ways / WIDEST).ceil()
                ),
            ));
        }
        if self.columns.is_none() && ways > MOST_COLUMNS {
            return Err(Error::config(
                "phase_space.friction",
                format!(
                    "{} would take {ways:.1e} columns, one a way sqrt(T)/γ: lower it, give columns, {overdamped}",
                    shown(friction)
                ),
            ));
        }
        Ok(Case {
            friction,
            turnover: turnover_time(&diffusion, friction, start, barrier).unwrap_or(f64::NAN),
            temperature: unit,
            columns: self.columns.unwrap_or(ways.max(COLUMNS).ceil() as usize),
            energies: [lowest, top, highest],
            diffusion,
        })
    }
}

impl Case {
    /// Where fields are stored: speeds up to four temperatures above the barrier.
    fn points(&self, ends: [f64; 2]) -> [Vec<f64>; 2] {
        let [lowest, top, _] = self.energies;
        let fastest = (2.0 * (top + 4.0 * self.temperature - lowest)).sqrt();
        let even = |[from, to]: [f64; 2], count: usize| {
            (0..count)
                .map(|k| from + (to - from) * (k as f64 + 0.5) / count as f64)
                .collect()
        };
        [even(ends, POINTS[0]), even([-fastest, fastest], POINTS[1])]
    }
}

/// Time, gap and what is cut on one grid, with the fields if they are wanted.
fn find(
    space: &PhaseSpace,
    case: &Case,
    start: f64,
    target: impl Fn(f64) -> bool,
    home: impl Fn(f64) -> bool,
    wants_fields: bool,
) -> Result<Found> {
    let generator = space.generator();
    let target = space.set("target", target)?;
    let times = mean_first_passage_time(generator, &target)?;
    let unknown = || Error::Inconsistent {
        subject: "start".into(),
        requirement: "it must lie within region.domain".into(),
    };
    let time = space
        .at(&case.diffusion, &times, start, 0.0)
        .ok_or_else(unknown)?;
    let gap = slow_modes(generator, 1)?
        .modes
        .first()
        .map_or(f64::NAN, |mode| -mode.eigenvalue.re);
    let probability = stationary_probability(generator)?;
    let cut = space.edge().map(|cell| probability[cell]).sum();
    let mut fields = [Vec::new(), Vec::new()];
    if wants_fields {
        let density: Vec<f64> = (0..probability.len())
            .map(|cell| (probability[cell] / space.area(cell)).ln())
            .collect();
        let reached = committor(generator, &space.set("start", home)?, &target)?;
        let grid = generator.grid();
        let axis = &grid.axes()[0];
        let [x, v] = case.points([axis.lower(), axis.upper()]);
        fields = [density, reached].map(|values| {
            let at = |(x, v): (f64, f64)| space.at(&case.diffusion, &values, x, v).unwrap_or(f64::NAN);
            let points: Vec<(f64, f64)> = x.iter().flat_map(|x| v.iter().map(move |v| (*x, *v))).collect();
            points.into_par_iter().map(at).collect()
        });
    }
    Ok(Found {
        numbers: [time, gap],
        cut,
        fields,
    })
}

/// The axis with every cell cut into `parts`.
fn divided(axis: &GridAxis, parts: usize) -> Result<GridAxis> {
    let last = axis.upper();
    let cut = axis.faces().windows(2).flat_map(|pair| {
        let (from, width) = (pair[0], pair[1] - pair[0]);
        (0..parts).map(move |k| from + width * k as f64 / parts as f64)
    });
    GridAxis::from_faces(cut.chain([last]).collect())
}

/// The lower of the highest points on the ways from `start` to the target, and where the target is met there.
fn barrier(
    loss: &impl Landscape<1>,
    start: f64,
    ends: [f64; 2],
    inside: &impl Fn(f64) -> bool,
) -> Option<[f64; 2]> {
    let way = |end: f64| {
        let mut highest = (f64::NEG_INFINITY, start);
        for k in 0..=SAMPLES {
            let x = start + (end - start) * k as f64 / SAMPLES as f64;
            if inside(x) {
                return Some((highest, x));
            }
            let height = loss.loss(&Point::<1>::new(x));
            if height > highest.0 {
                highest = (height, x);
            }
        }
        None
    };
    let ways = ends.into_iter().filter_map(way);
    let ((_, at), met) = ways.min_by(|a, b| a.0.0.total_cmp(&b.0.0))?;
    Some([at, met])
}

/// 1/(Υ k) with Kramers' rate k and the depopulation factor Υ, for constant noise, a smooth minimum and a smooth barrier.
fn turnover_time(diffusion: &impl Diffusion<1>, friction: f64, start: f64, barrier: f64) -> Option<f64> {
    let loss = diffusion.landscape()?;
    let [temperature, other] = [start, barrier].map(|x| diffusion.tensor(&Point::<1>::new(x))[0]);
    if (temperature / other - 1.0).abs() > 1e-12 {
        return None;
    }
    let [well, top] = [start, barrier].map(|x| critical_point(&loss, Point::<1>::new(x)).ok());
    let (well, top) = (well?, top?);
    if well.index != 0 || top.index != 1 {
        return None;
    }
    let height = |x: f64| top.loss - loss.loss(&Point::<1>::new(x));
    let orbit = orbit(height, top.position[0], well.position[0])?;
    let [slow, fast] = [well.eigenvalues[0], -top.eigenvalues[0]].map(f64::sqrt);
    let rate = turnover_rate(friction, slow, fast, (top.loss - well.loss) / temperature).ok()?;
    Some(1.0 / (rate * depopulation_factor(friction * orbit / temperature).ok()?))
}

/// ∮ |v| dx of the path from the barrier through the well to where the loss is as high again, and back; none where that is farther than 64 times the way to the well.
///
/// # Method
/// Gauss-Legendre panels in w, x = x_t + (x_b - x_t) w²: |v| is the root of the distance to the turning point x_t, and straight at the barrier x_b.
fn orbit(height: impl Fn(f64) -> f64, barrier: f64, well: f64) -> Option<f64> {
    const FARTHEST: usize = 64;
    const HALVINGS: usize = 100;
    const PANELS: usize = 16;
    let step = (well - barrier) / SAMPLES as f64;
    let mut samples = (SAMPLES..FARTHEST * SAMPLES).map(|k| barrier + step * k as f64);
    let mut outside = samples.find(|x| !(height(*x) > 0.0))?;
    let mut inside = outside - step;
    for _ in 0..HALVINGS {
        let middle = 0.5 * (inside + outside);
        match height(middle) > 0.0 {
            true => inside = middle,
            false => outside = middle,
        }
    }
    let rule = GaussLegendre::get();
    let speed = |w: f64| 2.0 * w * (2.0 * height(inside + (barrier - inside) * w * w).max(0.0)).sqrt();
    let panel = |k: usize| {
        let at = rule
            .nodes
            .map(|node| (k as f64 + 0.5 * (1.0 + node)) / PANELS as f64);
        0.5 * rule.integral(&at.map(speed)) / PANELS as f64
    };
    Some(2.0 * (barrier - inside).abs() * (0..PANELS).map(panel).sum::<f64>())
}

impl PhaseSpaceResult {
    /// Where the momentum is that of SGD simulated by splitting in the same file, and the time of the simulation; none where no simulation is about one of the
    /// momenta, from the same start to the same target.
    ///
    /// # Errors
    /// As [`Records::find`].
    pub(crate) fn simulated(&self, file: &ResultFile) -> Result<Option<(usize, Estimate)>> {
        if !have_the_same_sets(file, Self::GROUP, RareEventsResult::GROUP) {
            return Ok(None);
        }
        let simulation = RareEventsResult::find(file)?;
        Ok(simulation.and_then(|simulation| self.row_of_simulation(&simulation)))
    }

    fn row_of_simulation(&self, simulation: &RareEventsResult) -> Option<(usize, Estimate)> {
        let same = |beta: &f64| *beta == simulation.momentum;
        let k = self.momentum.as_ref()?.iter().position(same)?;
        let is_same_step = self.step_time == Some(simulation.time_step.sqrt());
        is_same_step.then_some((k, simulation.time_with_inertia()?))
    }
}

/// Times over the friction with Kramers' turnover and, where the file has one, the simulation of SGD with momentum by splitting; and density and committor at the first friction.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    /// Range of ln p below its largest value that is drawn.
    const DEPTH: f64 = 14.0;
    let result = PhaseSpaceResult::of(file)?;
    let mut times = Panel::new(
        "",
        Axis::log("friction *γ*"),
        Axis::log("mean first-passage time *τ*"),
    );
    let mut order: Vec<usize> = (0..result.friction.len()).collect();
    order.sort_by(|&i, &j| result.friction[i].total_cmp(&result.friction[j]));
    let sorted = |values: &[f64]| order.iter().map(|&i| values[i]).collect::<Vec<f64>>();
    times = times
        .with(Layer::line(
            &sorted(&result.friction),
            &sorted(&result.turnover_time),
            "Kramers' turnover",
            Style::reference(),
        ))
        .with(Layer::points(
            &result.friction,
            &result.mean_first_passage_time,
            &result.mean_first_passage_time_error,
            "phase space",
            Style::nth(0),
        ));
    if let Some((k, time)) = result.simulated(file)? {
        times = times.with(Layer::points(
            &[result.friction[k]],
            &[time.value],
            &[time.standard_error],
            "SGD with momentum, splitting",
            Style::nth(1).with_hollow_points(),
        ));
    }
    let (columns, rows) = (result.x.len(), result.v.len());
    let turned = |values: &[f64]| -> Vec<f64> {
        (0..rows)
            .flat_map(|j| (0..columns).map(move |i| values[i * rows + j]))
            .collect()
    };
    let (x, v) = (
        cell_edges(&result.x, Scale::Linear)?,
        cell_edges(&result.v, Scale::Linear)?,
    );
    let highest = result
        .log_density
        .iter()
        .copied()
        .filter(|p| p.is_finite())
        .fold(f64::NEG_INFINITY, f64::max);
    let axes = || {
        let range = |edges: &[f64]| (edges[0], edges[edges.len() - 1]);
        let ((left, right), (bottom, top)) = (range(&x), range(&v));
        (
            Axis::linear("*x*").with_range(left, right),
            Axis::linear("velocity *v*").with_range(bottom, top),
        )
    };
    let (across, up) = axes();
    let density = Panel::new(
        &format!("*γ* = {}", result.friction.first().copied().unwrap_or(f64::NAN)),
        across,
        up,
    )
    .with(Layer::Map {
        x: x.clone(),
        y: v.clone(),
        values: turned(&result.log_density),
        colours: ColourScale {
            map: ColourMap::Viridis,
            axis: Axis::linear("ln *p*, lines: committor .1, .5, .9").with_range(highest - DEPTH, highest),
            bar: true,
        },
    })
    .with(Layer::Contour {
        x: result.x.clone(),
        y: result.v.clone(),
        values: turned(&result.committor),
        levels: vec![0.1, 0.5, 0.9],
        label: String::new(),
        style: Style::reference()
            .with_dash(Dash::Solid)
            .with_colour(Colour::WHITE)
            .with_width(0.7),
    });
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.8,
        panels: vec![times, density],
    })
}
