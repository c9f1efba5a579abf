//! Task: the freezing theory, without simulation.

use super::valley_columns::TimeScales;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::freezing::{
    HopRates, LastEvent, LastHop, Regime, TwoState, last_hop, two_state, two_valley_regime,
};
use crate::landscape::Side;
use crate::math::Point;
use crate::output::{Group, Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS, scientific};
use crate::rates::paper::FreezingLine;
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[freezing_theory]`: master equation along the slow path, over the noise strength Δ = ησ.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FreezingTheory {
    /// Δ.
    pub noise_strength: ParameterRange,
    /// Starting y; 0 means the quasi-stationary start at a vanishing barrier.
    pub start_y: f64,
    /// Initial P_flat.
    pub start_p_flat: f64,
    /// End of the path.
    pub end_y: f64,
    /// Slices at which rates are computed, at least: more are added until they lie on the interpolant.
    pub nodes: usize,
    /// Factor on the slow drift of y.
    pub ramp: f64,
    /// Noise strengths of a curve for the figures, in equal ratios from the least to the largest of `noise_strength`; 0 for no curve.
    pub curve: usize,
}

impl Default for FreezingTheory {
    fn default() -> Self {
        Self {
            noise_strength: ParameterRange::List(vec![
                5e-5, 7e-5, 1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3,
            ]),
            start_y: 1.0,
            start_p_flat: 0.5,
            end_y: 400.0,
            nodes: 16,
            ramp: 1.0,
            curve: 0,
        }
    }
}

records! {
    /// two-state master equation along the slow path with exact slice rates, no fitted constant; eta -> 0
    pub struct FreezingTheoryResult in "freezing_theory" {
        attributes {
            /// Starting y.
            start_y: f64,
            /// Initial P_flat.
            start_p_flat: f64,
            /// Factor on the slow drift of y.
            ramp: f64,
        }
        /// whether the valleys follow y, at the noise strength with the largest adiabatic parameter
        regime: Vec<String> => [note] "text",
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// Time scales at each noise strength.
        time_scales: TimeScales => [noise_strength],
        /// final probability of the flat valley
        p_flat: Vec<f64> => [noise_strength] "1" "P_flat",
        /// change of p_flat when the step of the master equation is halved, plus the errors of the slices and of the interpolation between them
        p_flat_error: Vec<f64> => [noise_strength] "1",
        /// mean y of the last valley-to-valley hop, exact last-hop law
        mean_freezing_y: Vec<f64> => [noise_strength] "1" "⟨y⟩" missing "hops go on at the end of the path",
        /// error of mean_freezing_y: of the sums, and of hops beyond the end of the path
        mean_freezing_y_error: Vec<f64> => [noise_strength] "1" missing "hops go on at the end of the path",
        /// the same if hops were a Poisson process with the mean hop flux (approximation)
        mean_freezing_y_poisson: Vec<f64> => [noise_strength] "1" "⟨y⟩_P" missing "hops go on at the end of the path",
        /// mean y of the last visit to the ridge, the diffusion limit of the last sign change of x
        mean_freezing_y_ridge: Vec<f64> => [noise_strength] "1" "⟨y⟩_r" missing "visits to the ridge go on at the end of the path",
        /// mean time of the last hop
        mean_freezing_time: Vec<f64> => [noise_strength] "time (eta * iterations)" "⟨t⟩" missing "hops go on at the end of the path",
        /// mean time of the last visit to the ridge
        mean_freezing_time_ridge: Vec<f64> => [noise_strength] "time (eta * iterations)" "⟨t⟩_r" missing "visits to the ridge go on at the end of the path",
        /// expected number of valley-to-valley hops along the path
        mean_hops: Vec<f64> => [noise_strength] "1",
        /// probability of a hop in the last tenth of the path: freezing has ended where it is small
        late_hop_probability: Vec<f64> => [noise_strength] "1",
        /// The paper's line, where its formulas apply.
        papers: Option<PapersFreezingLine> => [noise_strength],
    }
}

records! {
    /// The paper's freezing line.
    pub struct PapersFreezingLine {
        /// the paper's y_freeze with the constant fitted by its authors (epsilon c = 30)
        paper_mean_freezing_y: Vec<f64> => [] "1" "y_freeze" missing "the paper's formula is undefined at this noise strength",
        /// the paper's final P_flat with the same fitted constant
        paper_p_flat: Vec<f64> => [] "1" "P_flat" missing "the paper's formula is undefined for these valleys",
    }
}

records! {
    /// final P_flat and mean freezing position on a curve through the noise strengths of the theory
    pub struct FreezingCurveResult in "freezing_curve" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// final probability of the flat valley
        p_flat: Vec<f64> => [noise_strength] "1" "P_flat",
        /// mean y of the last valley-to-valley hop, exact last-hop law
        mean_freezing_y: Vec<f64> => [noise_strength] "1" "⟨y⟩" missing "hops go on at the end of the path",
        /// mean y of the last visit to the ridge, the diffusion limit of the last sign change of x
        mean_freezing_y_ridge: Vec<f64> => [noise_strength] "1" "⟨y⟩_r" missing "visits to the ridge go on at the end of the path",
        /// The paper's line, where its formulas apply.
        papers: Option<PapersFreezingLine> => [noise_strength],
    }
}

impl FreezingCurveResult {
    /// The curve of a file, or the line through the noise strengths of its theory; none without a theory.
    pub(crate) fn of_file(file: &ResultFile) -> Result<Option<Self>> {
        if let Some(curve) = Self::find(file)? {
            return Ok(Some(curve));
        }
        Ok(FreezingTheoryResult::find(file)?.map(|theory| Self {
            noise_strength: theory.noise_strength,
            p_flat: theory.p_flat,
            mean_freezing_y: theory.mean_freezing_y,
            mean_freezing_y_ridge: theory.mean_freezing_y_ridge,
            papers: theory.papers,
        }))
    }
}

records! {
    /// P_flat along the slow path, two-state theory
    pub struct FreezingPathResult in "freezing_path" {
        /// noise strength learning_rate * sigma
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// slow direction
        y: Vec<f64> => [noise_strength, point] "1" "y",
        /// time since the start
        time: Vec<f64> => [noise_strength, point] "time (eta * iterations)" "t",
        /// expected valley-to-valley hops of a run per unit time
        hop_rate: Vec<f64> => [noise_strength, point] "1/time",
        /// probability of the flat valley
        p_flat: Vec<f64> => [noise_strength, point] "1" "P_flat",
    }
}

/// Intervals of the coarser of the two integrations of the master equation.
const STEPS: usize = 1000;
/// A path that starts at y0 = 0 begins where the barrier is this many noise temperatures: there it is still in the
/// stationary state of the slice.
const VANISHING_BARRIER: f64 = 0.02;

/// The freezing theory at one noise strength.
pub(crate) struct Freezing {
    pub path: TwoState,
    pub last: LastHop,
    pub regime: Regime,
    /// Error of the logarithms of the rates: of the slices, and between them.
    pub rate_error: f64,
}

impl Freezing {
    /// Error of the mean y of the last hop; NaN where hops go on at the end of the path.
    pub(crate) fn last_hop_y_error(&self) -> f64 {
        match self.last.hop.has_ended() {
            true => self.last.hop.mean_y_error + self.last.hop.mean_y * self.rate_error,
            false => f64::NAN,
        }
    }
}

/// Mean y and mean time of the last event; NaN where such events go on at the end of the path.
pub(crate) fn settled(event: &LastEvent) -> (f64, f64) {
    if event.has_ended() {
        (event.mean_y, event.mean_time)
    } else {
        (f64::NAN, f64::NAN)
    }
}

/// Solves the freezing theory at one noise strength.
pub(crate) fn freezing(
    model: &TwoValleyModel,
    task: &FreezingTheory,
    noise_strength: f64,
) -> Result<Freezing> {
    let landscape = model.landscape();
    let slice = |y: f64| model.slice(y, noise_strength);
    let start = if task.start_y > 0.0 {
        task.start_y
    } else {
        vanishing_barrier(model, noise_strength, task.end_y)?
    };
    let rates = HopRates::new(landscape, slice, start, task.end_y, task.nodes)?;
    let initial = if task.start_y > 0.0 {
        task.start_p_flat
    } else {
        rates.stationary_p_flat(start)
    };
    let path = two_state(landscape, &rates, initial, task.ramp, STEPS)?;
    let last = last_hop(landscape, &rates, &path, task.ramp);
    Ok(Freezing {
        regime: two_valley_regime(landscape, slice, &rates, task.ramp)?,
        path,
        last,
        rate_error: rates.relative_error() + rates.interpolation_error(),
    })
}

fn vanishing_barrier(model: &TwoValleyModel, noise_strength: f64, end: f64) -> Result<f64> {
    let exponent = |y: f64| -> Result<f64> {
        let x = model.landscape().minimum(Side::Flat, y);
        Ok(model.landscape().barrier(y) / model.slice(y, noise_strength)?.tensor(&Point::<1>::new(x))[0])
    };
    let mut y = end;
    while exponent(y)? > VANISHING_BARRIER {
        y *= 0.9;
        if y < 1e-12 {
            return Err(Error::Config {
                key: "freezing_theory.start_y".into(),
                message: "0 needs a barrier that vanishes at y = 0, and this one does not".into(),
            });
        }
    }
    Ok(y)
}

fn check(model: &TwoValleyModel, task: &FreezingTheory) -> Result<Vec<f64>> {
    let fail = |key: &str, message: &str| {
        Err(Error::Config {
            key: format!("freezing_theory.{key}"),
            message: message.into(),
        })
    };
    let strengths = task.noise_strength.positive("freezing_theory.noise_strength")?;
    if !(task.start_y.is_finite()
        && task.start_y >= 0.0
        && task.end_y.is_finite()
        && task.end_y > task.start_y)
    {
        return fail("end_y", "0 <= start_y < end_y are needed, both finite");
    }
    if !(0.0..=1.0).contains(&task.start_p_flat) {
        return fail("start_p_flat", "a probability between 0 and 1 is needed");
    }
    if !(8..=400).contains(&task.nodes) {
        return fail("nodes", "between 8 and 400 slices to begin with are supported");
    }
    if !(task.ramp.is_finite() && task.ramp > 0.0) {
        return fail("ramp", "a positive finite factor is needed");
    }
    if task.curve == 1 || task.curve > 1000 {
        return fail("curve", "0 for none, or between 2 and 1000 noise strengths");
    }
    model
        .slice(task.start_y.max(1.0), strengths[0])
        .map_err(|e| e.at("freezing_theory"))?;
    for strength in &strengths {
        model
            .check_strength("noise_strength", *strength, task.end_y)
            .map_err(|e| e.at("freezing_theory"))?;
    }
    Ok(strengths)
}

impl Task for FreezingTheory {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "freezing_theory",
        description: "freezing position and P_flat against noise strength and along training, by the theory alone",
        group: "freezing_theory",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["noise_strength.points", "curve"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = FreezingTheoryResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("noise_strength", &result.noise_strength);
        Ok([
            rows.column("p_flat", &result.p_flat, &result.p_flat_error),
            rows.column(
                "mean_freezing_y",
                &result.mean_freezing_y,
                &result.mean_freezing_y_error,
            ),
            rows.column("mean_hops", &result.mean_hops, &[]),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a node of one noise strength; bytes of the path.
        const NODE: f64 = 1.5e-3;
        const PATH: f64 = 1e5;
        let strengths = self.noise_strength.count();
        Cost::default()
            .with_result("freezing_theory.noise_strength", PATH * strengths)
            .with_time("freezing_theory.nodes", NODE * strengths * self.nodes as f64)
            .with_time(
                "freezing_theory.curve",
                NODE * self.curve as f64 * self.nodes as f64,
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task) = (setting.two_valley()?, self.clone());
        let strengths = check(&model, &task)?;
        Ok(Box::new(move |progress| run(&model, &task, strengths, progress)))
    }
}

/// `/freezing_theory`: final P_flat and the mean freezing position and time against the noise strength.
fn run(
    model: &TwoValleyModel,
    task: &FreezingTheory,
    strengths: Vec<f64>,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let between = in_equal_ratios(&strengths, task.curve);
    let bar = progress.task("freezing theory", (strengths.len() + between.len()) as u64);
    let solve = |strengths: &[f64]| -> Result<Vec<Freezing>> {
        let solved = strengths.iter().map(|&strength| {
            let solved = freezing(model, task, strength)?;
            bar.advance(1);
            Ok(solved)
        });
        solved.collect()
    };
    let results = solve(&strengths)?;
    let column = |value: fn(&Freezing) -> f64| -> Vec<f64> { results.iter().map(value).collect() };
    let papers = |strengths: &[f64]| model.has_papers_formulas().then(|| papers_line(model, strengths));
    let (time_scales, regime) = TimeScales::of(results.iter().map(|r| &r.regime));
    let result = FreezingTheoryResult {
        regime,
        time_scales,
        start_y: task.start_y,
        start_p_flat: task.start_p_flat,
        ramp: task.ramp,
        p_flat: column(|r| r.path.final_p_flat()),
        p_flat_error: column(|r| r.path.p_flat_error + r.rate_error),
        mean_freezing_y: column(|r| settled(&r.last.hop).0),
        mean_freezing_y_error: column(Freezing::last_hop_y_error),
        mean_freezing_y_poisson: column(|r| settled(&r.last.poisson).0),
        mean_freezing_y_ridge: column(|r| settled(&r.last.ridge).0),
        mean_freezing_time: column(|r| settled(&r.last.hop).1),
        mean_freezing_time_ridge: column(|r| settled(&r.last.ridge).1),
        late_hop_probability: column(|r| r.last.hop.late),
        mean_hops: column(|r| r.path.total_hops()),
        papers: papers(&strengths),
        noise_strength: strengths.clone(),
    };
    let mut groups = vec![result.group()?, paths(strengths, &results).group()?];
    if !between.is_empty() {
        let curve = solve(&between)?;
        let column = |value: fn(&Freezing) -> f64| curve.iter().map(value).collect();
        let curve = FreezingCurveResult {
            p_flat: column(|r| r.path.final_p_flat()),
            mean_freezing_y: column(|r| settled(&r.last.hop).0),
            mean_freezing_y_ridge: column(|r| settled(&r.last.ridge).0),
            papers: papers(&between),
            noise_strength: between,
        };
        groups.push(curve.group()?);
    }
    Ok(groups)
}

/// So many values in equal ratios from the least to the largest.
fn in_equal_ratios(values: &[f64], count: usize) -> Vec<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let place = |k: usize| k as f64 / (count - 1) as f64;
    (0..count)
        .map(|k| least.powf(1.0 - place(k)) * largest.powf(place(k)))
        .collect()
}

/// P_flat along the path, at as many points for each noise strength.
fn paths(noise_strength: Vec<f64>, results: &[Freezing]) -> FreezingPathResult {
    const POINTS: usize = 101;
    let every = |values: fn(&TwoState) -> &[f64]| -> Vec<f64> {
        let pick = |r: &Freezing| -> Vec<f64> {
            let v = values(&r.path);
            (0..POINTS).map(|k| v[k * (v.len() - 1) / (POINTS - 1)]).collect()
        };
        results.iter().flat_map(pick).collect()
    };
    let hop_rate = results.iter().flat_map(|r| {
        let (time, hops) = (&r.path.time, &r.path.hops);
        // Mean rate over the interval around each point; one-sided at the ends.
        (0..POINTS).map(move |k| {
            let at = k * (time.len() - 1) / (POINTS - 1);
            let (from, to) = (at.saturating_sub(1), (at + 1).min(time.len() - 1));
            (hops[to] - hops[from]) / (time[to] - time[from])
        })
    });
    FreezingPathResult {
        noise_strength,
        y: every(|p| &p.y),
        time: every(|p| &p.time),
        hop_rate: hop_rate.collect(),
        p_flat: every(|p| &p.p_flat),
    }
}

/// The paper's freezing line, with its fitted constant.
fn papers_line(model: &TwoValleyModel, strengths: &[f64]) -> PapersFreezingLine {
    let (line, landscape) = (FreezingLine::AUTHORS, model.landscape());
    // The formulas exist for x1 > x2 only, and y_freeze on an interval of noise strengths: what they do not say is no failure of ours.
    let known = |value: Result<f64>| value.ok().filter(|v| v.is_finite()).unwrap_or(f64::NAN);
    let y = strengths.iter().map(|&s| known(line.y_freeze(landscape, s)));
    let p = strengths
        .iter()
        .map(|&s| known(line.final_probability(landscape, s)));
    PapersFreezingLine {
        paper_mean_freezing_y: y.collect(),
        paper_p_flat: p.collect(),
    }
}

/// The theory alone: mean freezing position (a) and final P_flat (b) against the noise strength; the rate of hops (c) and P_flat (d) along the slow
/// path at four noise strengths at most. With one noise strength there is nothing but (c) and (d).
///
/// Rates are shown down to 1e-8 of the largest, and both paths as far as some rate is shown.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let theory = FreezingTheoryResult::of(file)?;
    let mut panels = Vec::new();
    if theory.noise_strength.len() > 1
        && let Some(curve) = FreezingCurveResult::of_file(file)?
    {
        panels.extend(against_noise(&theory, &curve));
    }
    panels.extend(along_path(&FreezingPathResult::of(file)?));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels,
    })
}

fn against_noise(theory: &FreezingTheoryResult, curve: &FreezingCurveResult) -> [Panel; 2] {
    let noise = &curve.noise_strength;
    let axis = || Axis::log("noise strength Δ = *ησ*");
    let paper = Style::nth(1).with_dash(Dash::Dotted);
    let mut position = Panel::new("", axis(), Axis::linear("⟨*y*_{freeze}⟩"));
    let mut probability = Panel::new("", axis(), Axis::linear("*P*_{flat}"));
    if let Some(papers) = &curve.papers {
        let label = "paper's formula, fitted factor";
        position = position.with(Layer::line(noise, &papers.paper_mean_freezing_y, label, paper));
        probability = probability.with(Layer::line(noise, &papers.paper_p_flat, label, paper));
    }
    let lines = [
        (
            noise,
            &curve.mean_freezing_y_ridge,
            "last visit to the ridge",
            Dash::Solid,
        ),
        (noise, &curve.mean_freezing_y, "last hop", Dash::Dashed),
        (
            &theory.noise_strength,
            &theory.mean_freezing_y_poisson,
            "last hop, if hops were a Poisson process",
            Dash::DashDot,
        ),
    ];
    for (k, (noise, values, label, dash)) in lines.into_iter().enumerate() {
        let style = Style::nth([0, 0, 2][k]).with_dash(dash);
        position = position.with(Layer::line(noise, values, label, style));
    }
    probability = probability.with(Layer::line(
        noise,
        &curve.p_flat,
        "two-state theory",
        Style::nth(0),
    ));
    [position, probability]
}

fn along_path(path: &FreezingPathResult) -> [Panel; 2] {
    /// Most noise strengths drawn, and the least rate in units of the largest.
    const LINES: usize = 4;
    const LEAST: f64 = 1e-8;
    let rows = path.noise_strength.len();
    let (length, count) = (path.y.len() / rows.max(1), rows.min(LINES));
    let largest = path.hop_rate.iter().copied().fold(0.0, f64::max);
    let is_shown = |k: usize| path.hop_rate[k] >= LEAST * largest;
    let drawn: Vec<usize> = (0..count).map(|n| n * (rows - 1) / (count - 1).max(1)).collect();
    let all = || drawn.iter().flat_map(|row| row * length..(row + 1) * length);
    let first = all().map(|k| path.y[k]).fold(f64::INFINITY, f64::min);
    let last = all()
        .filter(|k| is_shown(*k))
        .map(|k| path.y[k])
        .fold(first, f64::max);
    let position = || Axis::log("*y*").with_range(first, last);
    let mut rates = Panel::new(
        "",
        position(),
        Axis::log("hops of a run per unit of time *t* = *ηk*").with_range(LEAST * largest, 2.0 * largest),
    );
    let mut probability = Panel::new("", position(), Axis::linear("*P*_{flat}"));
    for (n, row) in drawn.iter().enumerate() {
        let part = row * length..(row + 1) * length;
        let (y, label) = (
            &path.y[part.clone()],
            format!("Δ = {}", scientific(path.noise_strength[*row])),
        );
        // One legend serves both panels.
        rates = rates.with(Layer::line(y, &path.hop_rate[part.clone()], "", Style::nth(n)));
        probability = probability.with(Layer::line(y, &path.p_flat[part], &label, Style::nth(n)));
    }
    [rates, probability]
}
