//! `[noise_laws]`: does freezing select the flat valley when the noise is not the fresh Gaussian of the theory?

use super::network_problem::stream;
use crate::diffusion::Sgd;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{Cell, NoiseLaw, Protocol, TwoValleyWalk};
use crate::error::{Error, Result, require_positive};
use crate::landscape::Side;
use crate::network::{ShiftedValleys, Training, train};
use crate::output::{Estimates, Records, ResultFile, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS, scientific};
use crate::setting::Setting;
use crate::setting::two_valley::TwoValleyModel;
use crate::statistics::{Estimate, mean, proportion};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::PathSettings;
use crate::two_valleys::valley_columns::{TAIL, check_size, ensemble_cost, simulate_cells};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[noise_laws]`: ensembles of SGD in the two valleys under noises of equal strength and different laws.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseLaws {
    /// η; with momentum β that of a step is η(1 − β), so that runs move along the slow direction equally fast.
    pub learning_rate: f64,
    /// B, in increasing noise or decreasing; the noise strength is Δ = η/2B.
    pub batch_size: Vec<usize>,
    /// β, any number of them.
    pub momentum: Vec<f64>,
    /// α of α-stable noise, any number of them; its scale makes the law of x in a valley as wide (scale parameter) as the Gaussian one.
    pub stability: Vec<f64>,
    /// Whether to run noise of binary labels too.
    pub labels: bool,
    /// Whether to run steps along x that are divided by the rms of the noise too, as Adam takes them; they are those of plain SGD in the flat valley at the start.
    pub rms: bool,
    /// m of a finite sum, drawn with replacement and without; any number of them.
    pub samples: Vec<usize>,
    /// Runs of each ensemble.
    pub runs: usize,
    /// Steps of a run.
    pub steps: u64,
    /// Starting y.
    pub start_y: f64,
}

impl Default for NoiseLaws {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            batch_size: vec![25, 10, 5, 2],
            momentum: vec![0.5, 0.8, 0.9, 0.95, 0.98, 0.99],
            stability: vec![1.9, 1.7, 1.5],
            labels: true,
            rms: true,
            samples: vec![100, 1000],
            runs: 4000,
            steps: 100_000,
            start_y: 1.0,
        }
    }
}

records! {
    /// ensembles of SGD in the two valleys under noises of equal strength: fresh Gaussian, with momentum, alpha-stable, of labels, of steps divided by the
    /// rms of the noise, of finite sums
    pub struct NoiseLawsResult in "noise_laws" {
        attributes {
            /// η.
            learning_rate: f64,
            /// Starting y.
            start_y: f64,
            /// Runs of each ensemble.
            runs: i64,
            /// Steps of a run.
            steps: i64,
        }
        /// up to which momentum the motion in the sharp valley is damped without swinging, and what division by the rms of the noise leaves out
        regime: Vec<String> => [note] "text",
        /// the momentum above which the motion in the sharp valley swings at the start
        overdamped_momentum: f64 => [] "1" "β",
        /// what the noise is
        law: Vec<String> => [law] "text",
        /// beta of momentum, alpha of stable noise, m of finite sums
        parameter: Vec<f64> => [law] "1" missing "the law has no parameter",
        /// noise strength: learning_rate/(2 batch_size), with momentum of the learning rate of a step over 1 - beta
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// fraction of runs that end at x >= 0
        p_flat: Estimates => [law, noise_strength] "1" "P_flat",
        /// mean time, learning_rate times iterations, of the last sign change of x
        mean_freezing_time: Estimates => [law, noise_strength] "time" missing "more than one run in a thousand is not frozen at the end",
        /// fraction of runs whose last sign change falls into the final 1 % of the run: not frozen at its end
        unfrozen_fraction: Estimates => [law, noise_strength] "1",
        /// final P_flat of fresh Gaussian noise, transfer operator of the SGD map
        p_flat_transfer: Vec<f64> => [noise_strength] "1",
        /// change of p_flat_transfer with kernels kept twice as long on panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [noise_strength] "1",
        /// the same of steps divided by the rms of the noise
        p_flat_transfer_rms: Option<Vec<f64>> => [noise_strength] "1",
        /// the same of steps divided by the rms of the noise
        p_flat_transfer_rms_error: Option<Vec<f64>> => [noise_strength] "1",
        /// p_flat less p_flat_transfer
        difference: Estimates => [law, noise_strength] "1",
        /// p_flat at the strongest noise less that at the weakest
        rise: Estimates => [law] "1",
        /// mean_freezing_time at the strongest noise less that at the weakest
        delay: Estimates => [law] "time" missing "not frozen at the end",
        /// P_flat to which single jumps between the valleys lead as the noise vanishes, odds gamma^(1 + alpha p/2)
        p_flat_of_jumps: Vec<f64> => [law] "1" missing "the noise has no heavy tails",
        /// whether the flat valley is selected, whether more noise selects it more often and later, and whether the law can be told from fresh Gaussian noise
        verdict: Vec<String> => [law] "text",
    }
}

const SECTION: &str = "noise_laws";
/// Where runs start, half of them on either side of the ridge, as do those of the transfer operator.
const START_X: [f64; 2] = [-0.01, 0.01];
/// Standard errors beyond which a verdict calls a difference one: one false alarm in 16 000.
const Z: f64 = 4.0;
/// Share of runs still changing side in the last hundredth of a run up to which an ensemble is frozen. Times of freezing are not averaged above it: runs
/// that have not frozen have none.
const STILL_GOING: f64 = 1e-3;

/// What makes the steps of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    Law(NoiseLaw),
    Rms,
    Samples { count: usize, replacement: bool },
}

impl Source {
    fn name(self) -> String {
        match self {
            Self::Law(NoiseLaw::Gaussian) => "Gaussian".into(),
            Self::Law(NoiseLaw::Momentum(beta)) => format!("momentum {beta}"),
            Self::Law(NoiseLaw::Stable(alpha)) => format!("stable {alpha}"),
            Self::Law(NoiseLaw::Labels) => "labels".into(),
            Self::Rms => "divided by rms".into(),
            Self::Samples { count, replacement } => {
                let how = if replacement { "with" } else { "without" };
                format!("{count} samples {how} replacement")
            }
        }
    }

    fn parameter(self) -> f64 {
        match self {
            Self::Law(NoiseLaw::Momentum(value) | NoiseLaw::Stable(value)) => value,
            Self::Law(NoiseLaw::Gaussian | NoiseLaw::Labels) | Self::Rms => f64::NAN,
            Self::Samples { count, .. } => count as f64,
        }
    }

    /// The walk of a law at σ = 1/2B; none of a finite sum.
    fn walk(self, model: &TwoValleyModel, task: &NoiseLaws, sigma: f64) -> Result<Option<TwoValleyWalk>> {
        let learning_rate = task.learning_rate;
        let law = match self {
            Self::Samples { .. } => return Ok(None),
            Self::Rms => {
                let (power, strength) = power_of_curvature(model)?;
                let sgd =
                    Sgd::hessian_power(*model.landscape(), power, learning_rate, sigma * strength, 0.0)?;
                return TwoValleyWalk::divided_by_rms(&sgd, task.rms_reference(model, sigma)?).map(Some);
            }
            Self::Law(law) => law,
        };
        let walk = match law {
            NoiseLaw::Gaussian | NoiseLaw::Labels => model.walk(learning_rate, sigma)?,
            NoiseLaw::Momentum(beta) => model.walk(learning_rate * (1.0 - beta), sigma)?,
            NoiseLaw::Stable(alpha) => {
                let (power, strength) = power_of_curvature(model)?;
                // Gaussian noise makes x as wide as v = Δ s h^(p − 1) in a valley of curvature h, α-stable noise of step scale r as
                // (r/(αηh)^(1/α))²: r² = v (αηh)^(2/α) is 2η²σ' h^(p − 1 + 2/α).
                let factor = (alpha * learning_rate).powf(2.0 / alpha) / (2.0 * learning_rate);
                let power = power - 1.0 + 2.0 / alpha;
                let sigma = sigma * strength * factor;
                TwoValleyWalk::discrete(&Sgd::hessian_power(
                    *model.landscape(),
                    power,
                    learning_rate,
                    sigma,
                    0.0,
                )?)?
            }
        };
        walk.with_law(law).map(Some)
    }
}

fn power_of_curvature(model: &TwoValleyModel) -> Result<(f64, f64)> {
    model.power_of_curvature().ok_or_else(|| {
        let message =
            "stable noise, division by the rms and finite sums need noise that is a power of the curvature: leave the floor out";
        Error::config("noise.floor", message)
    })
}

impl NoiseLaws {
    fn sources(&self) -> Vec<Source> {
        let mut all = vec![Source::Law(NoiseLaw::Gaussian)];
        all.extend(
            self.momentum
                .iter()
                .map(|beta| Source::Law(NoiseLaw::Momentum(*beta))),
        );
        all.extend(
            self.stability
                .iter()
                .map(|alpha| Source::Law(NoiseLaw::Stable(*alpha))),
        );
        all.extend(self.labels.then_some(Source::Law(NoiseLaw::Labels)));
        all.extend(self.rms.then_some(Source::Rms));
        for &count in &self.samples {
            all.extend([true, false].map(|replacement| Source::Samples { count, replacement }));
        }
        all
    }

    /// σ = Δ/η = 1/(2B).
    fn sigma(batch_size: usize) -> Result<f64> {
        Ok(0.5 / require_positive("batch_size", batch_size as f64)?)
    }

    /// C₀ of [`TwoValleyWalk::divided_by_rms`]: the covariance across the flat valley at the start.
    fn rms_reference(&self, model: &TwoValleyModel, sigma: f64) -> Result<f64> {
        let (power, strength) = power_of_curvature(model)?;
        let curvature = 2.0 / model.landscape().flatness(Side::Flat, self.start_y);
        Ok(2.0 * sigma * strength * curvature.powf(power))
    }

    fn training(&self, batch_size: usize, replacement: bool) -> Training {
        Training {
            learning_rate: self.learning_rate,
            batch_size,
            momentum: 0.0,
            replacement,
            steps: self.steps,
            checkpoints: 2,
        }
    }

    fn check(&self, model: &TwoValleyModel) -> Result<()> {
        let fail = |key: &str, message: String| Err(Error::config(&format!("{SECTION}.{key}"), message));
        check_size(SECTION, self.runs, self.steps)?;
        if self.batch_size.is_empty() || self.batch_size.contains(&0) {
            return fail(
                "batch_size",
                "one whole number or more, all of them from 1 on, are needed".into(),
            );
        }
        if !(self.start_y.is_finite() && self.start_y >= 0.0) {
            return fail(
                "start_y",
                format!("{} is not allowed: a finite y >= 0 is needed", self.start_y),
            );
        }
        for (key, values, most) in [
            ("momentum", &self.momentum, 1.0),
            ("stability", &self.stability, 2.0),
        ] {
            if let Some(value) = values.iter().find(|value| !(**value > 0.0 && **value < most)) {
                return fail(
                    key,
                    format!("{value} is not allowed: numbers between 0 and {most} are, both excluded"),
                );
            }
        }
        for source in self.sources() {
            for &size in &self.batch_size {
                let walk = source.walk(model, self, Self::sigma(size)?);
                if let Some(walk) = walk.map_err(|e| e.at(SECTION))? {
                    walk.check_stability(self.start_y)
                        .map_err(|e| e.at("noise_laws.learning_rate"))?;
                }
                if let Source::Samples { count, replacement } = source {
                    let (power, strength) = power_of_curvature(model)?;
                    ShiftedValleys::new(*model.landscape(), power, strength, count)
                        .map_err(|e| e.at("noise_laws.samples"))?;
                    self.training(size, replacement)
                        .check(count)
                        .map_err(|e| e.at(SECTION))?;
                }
            }
        }
        Ok(())
    }
}

/// What is known of one run: whether it ends flat, and its time of freezing.
type Outcome = (bool, f64);

impl Task for NoiseLaws {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "noise_laws",
        description: "final P_flat under momentum, stable noise, labels, steps divided by the rms and finite sums, against fresh Gaussian noise",
        group: "noise_laws",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] =
        &["batch_size", "momentum", "stability", "labels", "rms", "samples"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = NoiseLawsResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("law", &result.law).times("noise_strength", &result.noise_strength);
        Ok([
            rows.means("p_flat", &result.p_flat),
            rows.means("mean_freezing_time", &result.mean_freezing_time),
            rows.means("difference", &result.difference),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds a step of a finite sum, a draw of a sample, and a step of the transfer operator; bytes of an outcome.
        const STEP: f64 = 3e-8;
        const DRAW: f64 = 3.5e-9;
        const TRANSFER: f64 = 1.2e-5;
        const OUTCOME: f64 = 16.0;
        /// Bytes of a sample in each of the runs that are under way, and of a step of two laws of the transfer operator.
        const SAMPLE: f64 = 16.0;
        const STEP_OF_LAW: f64 = 100.0;
        let strengths = self.batch_size.len() as f64;
        let (steps, runs) = (self.steps as f64, self.runs as f64);
        let walks = self.sources().len() as f64 - 2.0 * self.samples.len() as f64;
        let draws = self.batch_size.iter().map(|size| *size as f64).sum::<f64>();
        let samples = self.samples.iter().map(|count| *count as f64).fold(0.0, f64::max);
        let sums = 2.0 * self.samples.len() as f64 * runs;
        ensemble_cost(SECTION, "steps", walks * strengths, self.runs, self.steps)
            .with_memory("noise_laws.samples", OUTCOME * sums * strengths)
            .with_memory(
                "noise_laws.samples",
                SAMPLE * samples * rayon::current_num_threads() as f64,
            )
            .with_memory("noise_laws.steps", STEP_OF_LAW * steps * strengths)
            .with_time(
                "noise_laws.samples",
                sums * steps * (STEP * strengths + DRAW * draws),
            )
            .with_time(
                "noise_laws.steps",
                TRANSFER * strengths * steps * if self.rms { 2.0 } else { 1.0 },
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        task.check(&model)?;
        Ok(Box::new(move |progress| {
            let result = run(&model, &task, seed, progress)?;
            Ok(vec![result.group()?])
        }))
    }
}

fn run(model: &TwoValleyModel, task: &NoiseLaws, seed: u64, progress: &Progress) -> Result<NoiseLawsResult> {
    let (sources, sizes) = (task.sources(), &task.batch_size);
    let strengths: Vec<f64> = sizes
        .iter()
        .map(|size| Ok(task.learning_rate * NoiseLaws::sigma(*size)?))
        .collect::<Result<_>>()?;
    let name = |source: &Source, size: usize| format!("{} {size}", source.name());
    let mut cells = Vec::new();
    for source in &sources {
        for &size in sizes {
            if let Some(walk) = source.walk(model, task, NoiseLaws::sigma(size)?)? {
                let protocol = Protocol {
                    starts: START_X.map(|x| [x, task.start_y]).to_vec(),
                    runs: task.runs,
                    steps: task.steps,
                    record_every: None,
                    seed,
                    experiment: experiment_number(&format!("{SECTION} {}", name(source, size))),
                };
                cells.push(Cell { walk, protocol });
            }
        }
    }
    let ensembles = simulate_cells(&cells, "laws of the noise", progress)?;
    let mut walked = ensembles.iter().map(|ensemble| -> Vec<Outcome> {
        let runs = ensemble.runs.iter();
        runs.map(|run| (run.is_flat(), run.freezing_iteration() as f64))
            .collect()
    });
    let mut outcomes: Vec<Vec<Outcome>> = Vec::new();
    let sums = 2 * task.samples.len() * sizes.len();
    let bar = progress.task("finite sums", (sums * task.runs) as u64);
    for source in &sources {
        for &size in sizes {
            outcomes.extend(match *source {
                Source::Law(_) | Source::Rms => walked.next(),
                Source::Samples { count, replacement } => {
                    let training = task.training(size, replacement);
                    let runs = (0..task.runs).into_par_iter().map(|run| {
                        let outcome =
                            of_samples(model, task, count, &training, seed, &name(source, size), run);
                        bar.advance(1);
                        outcome
                    });
                    Some(runs.collect::<Result<_>>()?)
                }
            });
        }
    }
    let settings = PathSettings {
        steps: task.steps as usize,
        start_y: task.start_y,
        ..PathSettings::default()
    };
    let bar = progress.task(
        "transfer operator",
        sizes.len() as u64 * if task.rms { 2 } else { 1 },
    );
    let exact = |divided: bool| {
        let of = |size: &usize| {
            let sigma = NoiseLaws::sigma(*size)?;
            let settings = PathSettings {
                rms_reference: divided.then(|| task.rms_reference(model, sigma)).transpose()?,
                ..settings.clone()
            };
            let laws = model.path_laws(task.learning_rate, sigma, &settings)?;
            bar.advance(1);
            let [fine, coarse] = laws.map(|law| law.final_p_flat());
            Ok((fine, (fine - coarse).abs()))
        };
        sizes
            .par_iter()
            .with_max_len(1)
            .map(of)
            .collect::<Result<Vec<(f64, f64)>>>()
    };
    let rms = task.rms.then(|| exact(true)).transpose()?;
    result(model, task, &sources, strengths, &outcomes, &exact(false)?, rms)
}

/// One run of a finite sum of `count` samples.
fn of_samples(
    model: &TwoValleyModel,
    task: &NoiseLaws,
    count: usize,
    training: &Training,
    seed: u64,
    name: &str,
    run: usize,
) -> Result<Outcome> {
    let (power, strength) = power_of_curvature(model)?;
    let mut sum = ShiftedValleys::new(*model.landscape(), power, strength, count)?;
    let start = [START_X[run % START_X.len()], task.start_y];
    let mut random = stream(seed, SECTION, name, run);
    let trained = train(&mut sum, &start, training, &mut random)?;
    match (trained.checkpoints.last(), trained.diverged_at) {
        (Some(end), None) => Ok((end[0] >= 0.0, sum.last_sign_change().unwrap_or(1) as f64)),
        (_, at) => Err(Error::Diverges {
            what: "a run of a finite sum".into(),
            reason: format!(
                "it left every bound at step {}: the learning rate or the noise is too large",
                at.unwrap_or(0)
            ),
        }),
    }
}

fn result(
    model: &TwoValleyModel,
    task: &NoiseLaws,
    sources: &[Source],
    strengths: Vec<f64>,
    outcomes: &[Vec<Outcome>],
    exact: &[(f64, f64)],
    rms: Option<Vec<(f64, f64)>>,
) -> Result<NoiseLawsResult> {
    let p_flat = |runs: &Vec<Outcome>| proportion(runs.iter().filter(|run| run.0).count(), runs.len());
    let late = (1.0 - TAIL) * task.steps as f64;
    let unfrozen =
        |runs: &Vec<Outcome>| proportion(runs.iter().filter(|run| run.1 > late).count(), runs.len());
    let time = |runs: &Vec<Outcome>| {
        if unfrozen(runs)?.value > STILL_GOING {
            return Ok(number(f64::NAN, f64::NAN));
        }
        let times: Vec<f64> = runs.iter().map(|run| task.learning_rate * run.1).collect();
        mean(&times)
    };
    let p = outcomes.iter().map(p_flat).collect::<Result<Vec<Estimate>>>()?;
    let times = outcomes.iter().map(time).collect::<Result<Vec<Estimate>>>()?;
    let unfrozen = outcomes.iter().map(unfrozen).collect::<Result<Vec<Estimate>>>()?;
    let n = strengths.len();
    let against = |k: usize| number(exact[k % n].0, exact[k % n].1);
    let difference: Vec<Estimate> = p.iter().enumerate().map(|(k, p)| p.minus(&against(k))).collect();
    let by_strength = |k: &usize, other: &usize| strengths[*k].total_cmp(&strengths[*other]);
    let (weakest, strongest) = ((0..n).min_by(by_strength), (0..n).max_by(by_strength));
    let (weakest, strongest) = (weakest.unwrap_or(0), strongest.unwrap_or(0));
    let change =
        |values: &[Estimate], law: usize| values[law * n + strongest].minus(&values[law * n + weakest]);
    let laws = 0..sources.len();
    let rise: Vec<Estimate> = laws.clone().map(|law| change(&p, law)).collect();
    let delay: Vec<Estimate> = laws.clone().map(|law| change(&times, law)).collect();
    let verdict = |law: usize| {
        let part = law * n..(law + 1) * n;
        verdict(
            &p[part.clone()],
            &difference[part.clone()],
            &unfrozen[part],
            rise[law],
            delay[law],
        )
    };
    let landscape = model.landscape();
    let of_jumps = |source: &Source| match (source, model.power_of_curvature()) {
        (Source::Law(NoiseLaw::Stable(alpha)), Some((power, _))) => {
            1.0 / (1.0 + landscape.flatness_ratio().powf(-1.0 - 0.5 * alpha * power))
        }
        _ => f64::NAN,
    };
    let curvature = 2.0 / landscape.flatness(Side::Sharp, task.start_y);
    let product = task.learning_rate * curvature;
    let overdamped_momentum = ((1.0 - product) / (1.0 + product)).powi(2);
    Ok(NoiseLawsResult {
        learning_rate: task.learning_rate,
        start_y: task.start_y,
        runs: task.runs as i64,
        steps: task.steps as i64,
        regime: vec![
            format!(
                "momentum is equivalent to a learning rate as long as the motion is overdamped: in the sharp valley at the start, learning rate x curvature = {product:.3}, far below beta = {overdamped_momentum:.2}"
            ),
            "division by the rms of the noise is that by the exact covariance of the place, not by a running mean, along x alone, and as long as the noise is far above the gradient".into(),
        ],
        overdamped_momentum,
        law: sources.iter().map(|source| source.name()).collect(),
        parameter: sources.iter().map(|source| source.parameter()).collect(),
        noise_strength: strengths.clone(),
        verdict: laws.map(verdict).collect(),
        p_flat: p.into_iter().collect(),
        mean_freezing_time: times.into_iter().collect(),
        unfrozen_fraction: unfrozen.into_iter().collect(),
        p_flat_transfer: exact.iter().map(|exact| exact.0).collect(),
        p_flat_transfer_error: exact.iter().map(|exact| exact.1).collect(),
        p_flat_transfer_rms: rms.as_ref().map(|rms| rms.iter().map(|exact| exact.0).collect()),
        p_flat_transfer_rms_error: rms.map(|rms| rms.iter().map(|exact| exact.1).collect()),
        difference: difference.into_iter().collect(),
        rise: rise.into_iter().collect(),
        delay: delay.into_iter().collect(),
        p_flat_of_jumps: sources.iter().map(of_jumps).collect(),
    })
}

fn number(value: f64, standard_error: f64) -> Estimate {
    Estimate {
        value,
        standard_error,
        samples: 1,
    }
}

/// In words, each decided by [`Z`] standard errors: is the flat valley selected, is it more often and later under more noise, and is the law told from
/// fresh Gaussian noise?
fn verdict(
    p: &[Estimate],
    difference: &[Estimate],
    unfrozen: &[Estimate],
    rise: Estimate,
    delay: Estimate,
) -> String {
    let selected = p.iter().filter(|p| p.z_score(0.5) > Z).count();
    let more = |change: Estimate, [up, down, level]: [&str; 3]| match change.z_score(0.0) {
        _ if change.value.is_nan() => "at times that are not all known".into(),
        z if z > Z => format!("{up} ({change})"),
        z if z < -Z => format!("{down} ({change})"),
        _ => format!("{level} ({change})"),
    };
    let often = more(
        rise,
        [
            "more often",
            "less often",
            "neither more nor less often within the errors",
        ],
    );
    let late = more(
        delay,
        ["later", "earlier", "neither later nor earlier within the errors"],
    );
    let told = difference.iter().filter(|d| d.z_score(0.0).abs() > Z).count();
    let frozen = unfrozen.iter().filter(|of| of.value <= STILL_GOING).count();
    let going = unfrozen.iter().map(|of| of.value).fold(0.0, f64::max);
    format!(
        "flat valley selected at {selected} of {n} strengths; under more noise {often} and {late}; frozen at {frozen} of {n}, {:.1} % still change side at most; differs from fresh Gaussian noise at {told} of {n}",
        100.0 * going,
        n = p.len(),
    )
}

/// Final P_flat against the noise strength under each family of laws (a, c, d), and what momentum changes (b), beside the transfer operator of fresh
/// Gaussian noise and, in c, that of steps divided by the rms of the noise.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = NoiseLawsResult::of(file)?;
    let is_in = |family: &'static str| {
        let rows = result
            .law
            .iter()
            .enumerate()
            .filter(move |(_, law)| law.contains(family));
        rows.map(|(row, _)| row).collect::<Vec<usize>>()
    };
    let families = [
        is_in("momentum"),
        [is_in("stable"), is_in("labels"), is_in("rms")].concat(),
        is_in("replacement"),
    ];
    let [momentum, tails, sums] = &families;
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.72,
        panels: vec![
            of_family(&result, momentum, &|_| false),
            of_momentum(&result, momentum),
            of_family(&result, tails, &|_| false),
            of_family(&result, sums, &|row| result.law[row].contains("without")),
        ],
    })
}

/// Final P_flat against Δ for some of the laws; `is_hollow` says which have hollow points.
fn of_family(result: &NoiseLawsResult, rows: &[usize], is_hollow: &dyn Fn(usize) -> bool) -> Panel {
    let n = result.noise_strength.len();
    let mut panel = Panel::new(
        "",
        Axis::log("noise strength Δ"),
        Axis::linear("final *P*_{flat}"),
    );
    let black = Style::nth(0).with_colour(Colour::BLACK);
    panel = panel.with(Layer::line(
        &result.noise_strength,
        &result.p_flat_transfer,
        "Gaussian, transfer operator",
        black,
    ));
    let hollow = rows.iter().filter(|row| is_hollow(**row)).count();
    for (k, &row) in rows.iter().enumerate() {
        let part = row * n..(row + 1) * n;
        // Pairs of one colour where every second one has hollow points.
        let mut style = if hollow > 0 {
            Style::nth(k / 2)
        } else {
            Style::nth(k)
        };
        if is_hollow(row) {
            style = style.with_hollow_points().with_dash(Dash::Dashed);
        }
        let (p, error) = (
            &result.p_flat.value[part.clone()],
            &result.p_flat.standard_error[part],
        );
        let thin = style.with_width(0.6);
        panel = panel
            .with(Layer::line(&result.noise_strength, p, "", thin))
            .with(Layer::points(
                &result.noise_strength,
                p,
                error,
                &result.law[row],
                style,
            ));
        if result.p_flat_of_jumps[row].is_finite() {
            panel = panel.with(Layer::Horizontal {
                y: result.p_flat_of_jumps[row],
                label: String::new(),
                style: thin.with_dash(Dash::Dotted),
            });
        }
    }
    let is_divided = |row: &usize| result.law[*row].contains("rms");
    if let (Some(exact), Some(k)) = (&result.p_flat_transfer_rms, rows.iter().position(is_divided)) {
        let style = Style::nth(k).with_dash(Dash::Dashed);
        panel = panel.with(Layer::line(
            &result.noise_strength,
            exact,
            "divided by rms, transfer operator",
            style,
        ));
    }
    let jumps = |row: &usize| result.p_flat_of_jumps[*row].is_finite();
    if let Some(first) = rows.iter().position(jumps) {
        // in the colour of its law
        let style = Style::nth(first).with_width(0.6).with_dash(Dash::Dotted);
        panel = panel.with(Layer::line(&[], &[], "single jumps alone", style));
    }
    panel
}

/// What momentum changes, against 1 − β, at each noise strength.
fn of_momentum(result: &NoiseLawsResult, rows: &[usize]) -> Panel {
    let n = result.noise_strength.len();
    let damping: Vec<f64> = rows.iter().map(|row| 1.0 - result.parameter[*row]).collect();
    let mut panel = Panel::new(
        "",
        Axis::log("1 − *β*"),
        Axis::linear("*P*_{flat} − transfer operator"),
    )
    .with(Layer::Horizontal {
        y: 0.0,
        label: String::new(),
        style: Style::reference(),
    })
    .with(Layer::Vertical {
        x: 1.0 - result.overdamped_momentum,
        label: "swings to the left of this".into(),
        style: Style::reference().with_dash(Dash::Dotted),
    });
    for (k, strength) in result.noise_strength.iter().enumerate() {
        let of = |values: &[f64]| rows.iter().map(|row| values[row * n + k]).collect::<Vec<f64>>();
        let (p, error) = (
            of(&result.difference.value),
            of(&result.difference.standard_error),
        );
        let style = Style::nth(k);
        panel = panel
            .with(Layer::line(&damping, &p, "", style.with_width(0.6)))
            .with(Layer::points(
                &damping,
                &p,
                &error,
                &format!("Δ = {}", scientific(*strength)),
                style,
            ));
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64) -> Estimate {
        Estimate {
            value,
            standard_error: 0.01,
            samples: 1,
        }
    }

    #[test]
    fn every_part_of_a_verdict_can_turn_out_either_way() {
        let said = |p: [f64; 2], difference: [f64; 2], rise: f64, delay: f64| {
            let [p, difference] = [p, difference].map(|values| values.map(estimate));
            let unfrozen = [0.0, 0.1].map(estimate);
            verdict(&p, &difference, &unfrozen, estimate(rise), estimate(delay))
        };
        let good = said([0.9, 0.95], [0.0, 0.02], 0.05, 1.0);
        assert!(said([0.9, 0.95], [0.0, 0.02], 0.05, f64::NAN).contains("not all known"));
        for part in [
            "selected at 2 of 2",
            "noise more often",
            "and later",
            "frozen at 1 of 2, 10.0 %",
            "noise at 0 of 2",
        ] {
            assert!(good.contains(part), "{part}: {good}");
        }
        let bad = said([0.53, 0.4], [0.1, -0.1], -0.05, -1.0);
        for part in [
            "selected at 0 of 2",
            "noise less often",
            "and earlier",
            "noise at 2 of 2",
        ] {
            assert!(bad.contains(part), "{part}: {bad}");
        }
        let level = said([0.53, 0.6], [0.1, 0.0], 0.039, -0.039);
        for part in [
            "selected at 1 of 2",
            "neither more",
            "neither later",
            "noise at 1 of 2",
        ] {
            assert!(level.contains(part), "{part}: {level}");
        }
    }
}
