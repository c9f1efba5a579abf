//! `[rare_events]`: mean first-passage times that no direct simulation reaches, by splitting, in up to four variables.

use super::escape::MethodName;
use super::passage_sets::say_sets;
use crate::diffusion::{Calculus, batch_size, check_map_stability, noise_strength};
use crate::ensemble::CrossingTest;
use crate::ensemble::stream::experiment_number;
use crate::error::{Error, Result, require_positive};
use crate::math::Point;
use crate::output::{Estimates, Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::rare_events::{
    Chain, DiffusionChain, MeanPassage, PassageProtocol, ReactionCoordinate, mean_first_passage_time,
};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::setting::sections::{AnyDiffusion, Landscape};
use crate::setting::sets::SetKeys;
use crate::setting::sgd::SgdKeys;
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use crate::task::{Cost, FigureEntry, InAnyDimension, MainNumber, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[rare_events]`: mean first-passage times by adaptive multilevel splitting and the Hill relation, at any barrier.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RareEvents {
    /// where the escape begins: a ball of radius 0
    pub start: SetKeys,
    /// where it ends; a basin has no level function and will not do
    pub target: SetKeys,
    /// noise strengths Δ = η/2B one after another, in place of that of `[sgd]`; at a learning rate by the batch size
    #[serde(default)]
    pub noise_strength: Option<ParameterRange>,
    /// Langevin paths with two time steps, extrapolated, or SGD itself with the learning rate of `[sgd]`
    #[serde(default = "langevin")]
    pub method: MethodName,
    /// the coarser of two time steps of Langevin paths, the other being a quarter of it
    #[serde(default)]
    pub time_step: Option<f64>,
    /// momentum β of SGD, v' = βv − η(∇L + ξ), θ' = θ + v'
    #[serde(default)]
    pub momentum: f64,
    /// a formula that grows towards the target; unless given, minus the level function of the target
    #[serde(default)]
    pub reaction_coordinate: Option<String>,
    /// reaction coordinate beyond which a path is under way; any value gives the same time, and unless given it is one standard deviation beyond the start
    #[serde(default)]
    pub departure: Option<f64>,
    /// replicas of a splitting; more than the loops around the start in which it is forgotten
    #[serde(default = "default_replicas")]
    pub replicas: usize,
    /// independent repetitions, from which the errors are
    #[serde(default = "default_repetitions")]
    pub repetitions: usize,
    /// steps after which a repetition is given up
    #[serde(default = "default_most_steps")]
    pub most_steps: u64,
}

fn langevin() -> MethodName {
    MethodName::Langevin
}

fn default_replicas() -> usize {
    100
}

fn default_repetitions() -> usize {
    200
}

fn default_most_steps() -> u64 {
    100_000_000
}

records! {
    /// mean first-passage times by splitting: of Langevin paths extrapolated to time step zero, or of SGD with its own steps
    pub struct RareEventsResult in "rare_events" {
        attributes {
            /// The coarser of two time steps, or η.
            time_step: f64,
            /// Momentum of SGD.
            momentum: f64,
            /// Replicas of a splitting.
            replicas: i64,
            /// Independent repetitions.
            repetitions: i64,
        }
        /// noise strength of the problem itself, in place of which others may be given
        problem_noise_strength: Option<f64> => [] "1",
        /// what the numbers hold for, and what their errors are
        regime: Option<Vec<String>> => [note] "text",
        /// langevin or sgd
        method: Vec<String> => [note] "text",
        /// noise strength, D = Δ C
        noise_strength: Vec<f64> => [noise_strength] "1" "Δ",
        /// mean time to the target; sampling error from independent repetitions
        mean_first_passage_time: Estimates => [noise_strength] "time" "τ",
        /// what the time step may leave: the correction to the finer of both steps, zero for SGD
        mean_first_passage_time_time_step_error: Vec<f64> => [noise_strength] "time",
        /// probability that a loop around the start reaches the target, at the finer time step
        loop_probability: Estimates => [noise_strength] "1" "p",
        /// mean time of a loop around the start, at the finer time step
        loop_time: Estimates => [noise_strength] "time",
        /// reaction coordinate at which a loop ends
        return_level: Vec<f64> => [noise_strength] "1",
        /// reaction coordinate beyond which a path is under way
        departure_level: Vec<f64> => [noise_strength] "1",
        /// simulated steps of a repetition, at the finer time step
        steps_of_repetition: Vec<f64> => [noise_strength] "1",
        /// steps for a relative error of 10 % at the finer time step by splitting
        steps_by_splitting: Vec<f64> => [noise_strength] "1",
        /// steps for a relative error of 10 % at the finer time step by simulating a hundred escapes
        steps_by_brute_force: Vec<f64> => [noise_strength] "1",
    }
}

/// Ratio of the two time steps. The limit of order one has 1.4 times the error of either.
const STEP_RATIO: f64 = 4.0;
/// Relative error for which costs are compared.
const WANTED: f64 = 0.1;

impl Task for RareEvents {
    const USES: &'static [&'static str] = &["sgd"];
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "rare_events",
        description: "mean first-passage times by splitting over the noise, and what they cost beside direct simulation",
        group: "rare_events",
        figure,
    }];
    const SHAPED_BY: &'static [&'static str] = &["noise_strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = RareEventsResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("noise_strength", &result.noise_strength);
        Ok([
            rows.column(
                "mean_first_passage_time",
                &result.mean_first_passage_time.value,
                &result.errors(),
            ),
            rows.means("loop_probability", &result.loop_probability),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds of a step.
        const STEP: f64 = 2e-7;
        /// Steps of a replica at a barrier of ten noise units, on both time steps.
        const STEPS: f64 = 3e3;
        let strengths = self.noise_strength.as_ref().map_or(1.0, ParameterRange::count);
        let (replicas, repetitions) = (self.replicas as f64, self.repetitions as f64);
        Cost::default()
            .with_time(
                "rare_events.repetitions",
                STEP * STEPS * strengths * replicas * repetitions,
            )
            .with_memory("rare_events.replicas", 1e4 * replicas)
            .with_result("rare_events.noise_strength", 200.0 * strengths)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        self.work_in_its_dimension(setting)
    }
}

/// What is simulated at one noise strength.
struct Case<const D: usize> {
    strength: f64,
    diffusion: AnyDiffusion<D>,
    levels: [f64; 2],
}

/// What is found at one noise strength.
struct Row {
    time: Estimate,
    time_step_error: f64,
    probability: Estimate,
    loop_time: Estimate,
    steps: f64,
    by_splitting: f64,
    by_brute_force: f64,
}

impl InAnyDimension for RareEvents {
    fn work<const D: usize>(&self, setting: &Setting, landscape: Landscape<D>) -> Result<Work> {
        let fail = |key: &str, message: String| Error::config(&format!("rare_events.{key}"), message);
        if setting.noise()?.calculus() != Calculus::Ito {
            return Err(Error::config(
                "noise.calculus",
                "rare events are simulated in the Ito calculus",
            ));
        }
        if self.replicas < 2 || self.repetitions < 2 {
            let key = if self.replicas < 2 {
                "replicas"
            } else {
                "repetitions"
            };
            return Err(fail(key, "at least two are needed".into()));
        }
        if has_basin(&self.target) {
            return Err(fail(
                "target",
                "a basin has no level function: give another set".into(),
            ));
        }
        let sgd = setting.sgd.unwrap_or_default();
        let (time_step, crossing) = match (self.method, self.time_step, sgd.learning_rate) {
            (MethodName::Langevin, Some(step), _) => {
                let step = require_positive("time_step", step).map_err(|e| e.at("rare_events"))?;
                (step, CrossingTest::BrownianBridge)
            }
            (MethodName::Langevin, None, _) => {
                return Err(fail(
                    "time_step",
                    "this key is required by method = \"langevin\"".into(),
                ));
            }
            (MethodName::Sgd, Some(_), _) => {
                return Err(fail(
                    "time_step",
                    "the step of sgd is its learning rate: leave the key out".into(),
                ));
            }
            (MethodName::Sgd, None, Some(rate)) => (rate, CrossingTest::EndOfStep),
            (MethodName::Sgd, None, None) => {
                return Err(Error::config(
                    "sgd.learning_rate",
                    "this key is required by rare_events.method = \"sgd\"",
                ));
            }
        };
        if !(0.0..1.0).contains(&self.momentum) || (self.momentum > 0.0 && self.method != MethodName::Sgd) {
            return Err(fail(
                "momentum",
                format!(
                    "{} is not allowed: 0 <= momentum < 1 is needed, and method = \"sgd\" above 0",
                    self.momentum
                ),
            ));
        }
        let first = setting.diffusion(landscape)?;
        let everywhere = [[f64::NEG_INFINITY, f64::INFINITY]; D];
        let set = |key: &str, keys: &SetKeys| {
            let set = keys.set(&setting.landscape, &first, &everywhere);
            set.map_err(|e| e.at(&format!("rare_events.{key}")))
        };
        let target = set("target", &self.target)?;
        let start = match &self.start {
            ball @ SetKeys::Ball { .. } => set("start", ball)?.as_point().copied(),
            _ => None,
        };
        let start = start.ok_or_else(|| fail("start", "a ball of radius 0 is needed".into()))?;
        let coordinate = match &self.reaction_coordinate {
            None => ReactionCoordinate::Target,
            Some(text) => {
                let formula = setting.landscape.formula("reaction_coordinate", text);
                ReactionCoordinate::Formula(formula.map_err(|e| e.at("rare_events"))?)
            }
        };
        let strengths = match &self.noise_strength {
            None => vec![strength_of(&sgd)?],
            Some(range) => range.positive("rare_events.noise_strength")?,
        };
        let mut cases = Vec::new();
        for strength in strengths {
            let diffusion = with_noise_strength(setting, &sgd, strength).diffusion(landscape)?;
            let chain = DiffusionChain::new(&diffusion, &target, coordinate.clone(), time_step, crossing);
            let chain = chain.map_err(|e| e.at("rare_events.target"))?;
            let chain = chain.with_momentum(self.momentum)?;
            let distance = chain.distance(&start);
            if !(distance > 0.0) {
                return Err(fail("target", "the target covers the start".into()));
            }
            let key = if crossing == CrossingTest::EndOfStep {
                "sgd.learning_rate"
            } else {
                "rare_events.time_step"
            };
            // with momentum the map is stable up to ηh < 2(1 + β)
            let length = time_step / (1.0 + self.momentum);
            check_map_stability(&diffusion, length, start, distance).map_err(|e| e.at(key))?;
            let levels = self.levels(&chain, start)?;
            cases.push(Case {
                strength,
                diffusion,
                levels,
            });
        }
        let (task, seed, of_problem) = (self.clone(), setting.seed, strength_of(&sgd)?);
        Ok(Box::new(move |progress| {
            let steps = match crossing {
                CrossingTest::EndOfStep => vec![time_step],
                CrossingTest::BrownianBridge => vec![time_step, time_step / STEP_RATIO],
            };
            let all = cases.len() * steps.len() * task.repetitions;
            let bar = progress.task("rare events", all as u64);
            let mut rows = Vec::new();
            for (number, case) in cases.iter().enumerate() {
                let found = steps.iter().map(|step| {
                    let chain =
                        DiffusionChain::new(&case.diffusion, &target, coordinate.clone(), *step, crossing)?
                            .with_momentum(task.momentum)?;
                    let protocol = task.protocol(case.levels, seed, &format!("{number} {step:e}"));
                    let found = mean_first_passage_time(&chain, &chain.walker(start)?, &protocol, &|| {
                        bar.advance(1)
                    })?;
                    Ok((found.time(&chain), found, *step))
                });
                rows.push(row(&found.collect::<Result<Vec<_>>>()?, task.repetitions)?);
            }
            let column = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
            let estimates = |of: &dyn Fn(&Row) -> Estimate| rows.iter().map(of).collect::<Estimates>();
            let rarest = rows
                .iter()
                .map(|row| row.probability.value)
                .fold(f64::INFINITY, f64::min);
            let result = RareEventsResult {
                time_step,
                momentum: task.momentum,
                problem_noise_strength: Some(of_problem),
                replicas: task.replicas as i64,
                repetitions: task.repetitions as i64,
                regime: Some(vec![format!(
                    "without bias at any barrier: loops reach the target with a probability down to {:.1e}; errors are from {} repetitions, and normal for many; {}",
                    rarest,
                    task.repetitions,
                    if crossing == CrossingTest::EndOfStep {
                        "SGD with its own steps, not their limit"
                    } else {
                        "paths of two time steps, whose limit leaves an error of its own"
                    }
                )]),
                method: vec![
                    if crossing == CrossingTest::EndOfStep {
                        "sgd"
                    } else {
                        "langevin"
                    }
                    .into(),
                ],
                noise_strength: cases.iter().map(|case| case.strength).collect(),
                mean_first_passage_time: estimates(&|row| row.time),
                mean_first_passage_time_time_step_error: column(&|row| row.time_step_error),
                loop_probability: estimates(&|row| row.probability),
                loop_time: estimates(&|row| row.loop_time),
                return_level: cases.iter().map(|case| case.levels[0]).collect(),
                departure_level: cases.iter().map(|case| case.levels[1]).collect(),
                steps_of_repetition: column(&|row| row.steps),
                steps_by_splitting: column(&|row| row.by_splitting),
                steps_by_brute_force: column(&|row| row.by_brute_force),
            };
            let mut group = result.group()?;
            say_sets(&mut group, &task.start, &task.target)?;
            Ok(vec![group])
        }))
    }
}

impl RareEvents {
    /// Where loops end and begin.
    fn levels<const D: usize>(
        &self,
        chain: &DiffusionChain<'_, D, AnyDiffusion<D>>,
        start: Point<D>,
    ) -> Result<[f64; 2]> {
        let start_level = chain.level(
            &chain
                .walker(start)
                .map_err(|e| e.at("rare_events.reaction_coordinate"))?,
        );
        match (self.departure, chain.at_rest(start)) {
            (Some(departure), _) if departure > start_level && departure.is_finite() => {
                Ok([start_level, departure])
            }
            (Some(departure), _) => Err(Error::config(
                "rare_events.departure",
                format!(
                    "{departure} is not allowed: it must lie beyond the reaction coordinate {start_level} of the start"
                ),
            )),
            (None, Some((rest, deviation))) => {
                let end = start_level.max(rest);
                Ok([end, end + deviation])
            }
            (None, None) => Err(Error::config(
                "rare_events.departure",
                format!(
                    "this key is required: the motion rests nowhere near the start; a value above {start_level} is needed"
                ),
            )),
        }
    }

    fn protocol(&self, [return_level, departure_level]: [f64; 2], seed: u64, name: &str) -> PassageProtocol {
        PassageProtocol {
            return_level,
            departure_level,
            replicas: self.replicas,
            repetitions: self.repetitions,
            most_steps: self.most_steps,
            seed,
            experiment: experiment_number(&format!("rare_events {name}")),
        }
    }
}

impl RareEventsResult {
    /// Whether the times are those of SGD with its own steps.
    pub(crate) fn is_sgd(&self) -> bool {
        self.method.iter().all(|method| method == "sgd")
    }

    /// The mean time at the noise strength of the problem itself, with both errors.
    pub(crate) fn time_of_problem(&self) -> Option<Estimate> {
        let own = self.problem_noise_strength?;
        let k = self.noise_strength.iter().position(|strength| *strength == own)?;
        Some(Estimate {
            value: self.mean_first_passage_time.value[k],
            standard_error: self.errors()[k],
            samples: 1,
        })
    }

    /// The mean time of SGD with momentum at the noise strength of the problem, in the time √η a step of motion with inertia.
    pub(crate) fn time_with_inertia(&self) -> Option<Estimate> {
        if self.momentum == 0.0 {
            return None;
        }
        let time = self.time_of_problem()?;
        let unit = self.time_step.sqrt();
        Some(Estimate {
            value: time.value / unit,
            standard_error: time.standard_error / unit,
            ..time
        })
    }

    /// Both errors of the mean times.
    pub(crate) fn errors(&self) -> Vec<f64> {
        self.mean_first_passage_time
            .errors_with(&self.mean_first_passage_time_time_step_error)
    }
}

fn has_basin(keys: &SetKeys) -> bool {
    match keys {
        SetKeys::Basin { .. } => true,
        SetKeys::All(parts) => parts.iter().any(has_basin),
        _ => false,
    }
}

/// Δ of `[sgd]`.
fn strength_of(sgd: &SgdKeys) -> Result<f64> {
    match (sgd.learning_rate, sgd.noise_strength) {
        (Some(rate), _) => noise_strength(rate, sgd.batch_size.unwrap_or(1.0)),
        (None, strength) => Ok(strength.unwrap_or(1.0)),
    }
}

/// The setting with another Δ, at its learning rate.
fn with_noise_strength(setting: &Setting, sgd: &SgdKeys, strength: f64) -> Setting {
    let sgd = match sgd.learning_rate {
        Some(rate) => SgdKeys {
            batch_size: Some(batch_size(strength, rate)),
            ..*sgd
        },
        None => SgdKeys {
            noise_strength: Some(strength),
            ..*sgd
        },
    };
    Setting {
        sgd: Some(sgd),
        ..setting.clone()
    }
}

/// The limit of the times at each step, or the time at the only one.
fn row(found: &[(Estimate, MeanPassage, f64)], repetitions: usize) -> Result<Row> {
    let Some((finest, passage, step)) = found.last() else {
        return Err(Error::EmptySet {
            name: "time steps".into(),
        });
    };
    let (time, time_step_error) = match found {
        [(coarse, ..), (fine, ..)] => {
            let limit = extrapolate(coarse, fine, STEP_RATIO, 1.0)?;
            (limit.limit, limit.bias.value.abs())
        }
        _ => (*finest, 0.0),
    };
    let steps = passage.simulated_steps as f64 / repetitions as f64;
    let relative = finest.standard_error / finest.value;
    let in_time = |estimate: Estimate| Estimate {
        value: step * estimate.value,
        standard_error: step * estimate.standard_error,
        ..estimate
    };
    Ok(Row {
        time,
        time_step_error,
        probability: passage.probability,
        loop_time: in_time(passage.loop_steps),
        steps,
        by_splitting: passage.simulated_steps as f64 * (relative / WANTED).powi(2),
        by_brute_force: passage.steps.value / (WANTED * WANTED),
    })
}

/// Mean times over 1/Δ, and the steps for a relative error of 10 % by splitting and by direct simulation.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = RareEventsResult::of(file)?;
    let inverse: Vec<f64> = result
        .noise_strength
        .iter()
        .map(|strength| 1.0 / strength)
        .collect();
    let times = Panel::new(
        "",
        Axis::linear("inverse noise strength 1/*Δ*"),
        Axis::log("mean first-passage time *τ*"),
    )
    .with(Layer::points(
        &inverse,
        &result.mean_first_passage_time.value,
        &result.errors(),
        "",
        Style::nth(0),
    ));
    let mut costs = Panel::new(
        "",
        Axis::linear("inverse noise strength 1/*Δ*"),
        Axis::log("simulated steps"),
    );
    // a variance from n repetitions is known to sqrt(2/(n − 1)) of itself, the steps of direct simulation as well as the time
    let of_variance = (2.0 / (result.repetitions - 1) as f64).sqrt();
    let times_found = &result.mean_first_passage_time;
    let relative = |k: usize| times_found.standard_error[k] / times_found.value[k];
    let every = |error: &dyn Fn(usize) -> f64| (0..inverse.len()).map(error).collect::<Vec<f64>>();
    for (n, (values, errors, label, dash)) in [
        (
            &result.steps_by_splitting,
            every(&|k| of_variance * result.steps_by_splitting[k]),
            "splitting, error 10 %",
            Dash::Solid,
        ),
        (
            &result.steps_of_repetition,
            Vec::new(),
            "splitting, one repetition",
            Dash::Dotted,
        ),
        (
            &result.steps_by_brute_force,
            every(&|k| relative(k) * result.steps_by_brute_force[k]),
            "direct, error 10 %",
            Dash::Dashed,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let style = Style::nth(n);
        costs = costs
            .with(Layer::line(&inverse, values, "", style.with_dash(dash)))
            .with(Layer::points(&inverse, values, &errors, label, style));
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels: vec![times, costs],
    })
}
