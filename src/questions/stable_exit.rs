//! `[stable_exit]`: mean exit times of an interval under α-stable noise, which leaves it by one jump, whatever the barrier.

use crate::diffusion::{ARRIVAL, Diffusion, Equilibrium, Sgd, check_map_stability, noise_free_limit};
use crate::ensemble::stream::{StreamKey, experiment_number};
use crate::error::{Error, Result, require_positive, shown};
use crate::landscape::Landscape;
use crate::math::Point;
use crate::noise::Isotropic;
use crate::output::{Estimates, Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, ONE_COLUMN, Panel, Style};
use crate::rare_events::{StableWalk, simulated_first_passage_time};
use crate::rates::ScaleAndSpeed;
use crate::region::PointSet;
use crate::setting::Setting;
use crate::setting::landscape::AnyLandscape;
use crate::setting::parameter_range::ParameterRange;
use crate::statistics::Estimate;
use crate::statistics::convergence::extrapolate;
use crate::task::{Cost, FigureEntry, MainNumber, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma;
use std::f64::consts::PI;

/// `[stable_exit]`: exit of dx = −L' dt + ε dL from an interval, L_t α-stable with E exp(ik L_t) = exp(−t |k|^α); α = 2 is Gaussian noise with D = ε².
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StableExit {
    /// ends of the interval that is left
    pub interval: [f64; 2],
    /// where runs start
    pub start: f64,
    /// α, one or several, above 0 and at most 2
    pub stability: ParameterRange,
    /// ε, one or several
    pub strength: ParameterRange,
    /// the coarser of two time steps, the other being a quarter of it
    pub time_step: f64,
    /// runs for each α, ε and time step
    #[serde(default = "default_runs")]
    pub runs: usize,
    /// steps after which a run is given up, which is an error
    #[serde(default = "default_most_steps")]
    pub most_steps: u64,
}

fn default_runs() -> usize {
    4000
}

fn default_most_steps() -> u64 {
    100_000_000
}

records! {
    /// mean exit times of an interval under α-stable noise, extrapolated to time step zero, beside what is known of them
    pub struct StableExitResult in "stable_exit" {
        attributes {
            /// Lower end of the interval.
            lower: f64,
            /// Upper end of the interval.
            upper: f64,
            /// Where runs start.
            start: f64,
            /// The coarser of two time steps.
            time_step: f64,
            /// Runs for each α, ε and time step.
            runs: i64,
        }
        /// what the law for small noise holds for
        regime: Vec<String> => [note] "text",
        /// stability of the noise
        stability: Vec<f64> => [stability] "1" "α",
        /// strength of the noise
        strength: Vec<f64> => [strength] "1" "ε",
        /// mean time to leave the interval, simulated; standard error of the extrapolation
        mean_exit_time: Estimates => [stability, strength] "time" "τ",
        /// what the time step may leave: the correction to the finer of both steps
        mean_exit_time_time_step_error: Vec<f64> => [stability, strength] "time",
        /// closed form without a force, integral for Gaussian noise
        mean_exit_time_exact: Vec<f64> => [stability, strength] "time" missing "with a force it is known for Gaussian noise only",
        /// limit of small noise: one jump leads out of the basin of the attractor
        mean_exit_time_small_noise: Vec<f64> => [stability, strength] "time" missing "Gaussian noise does not jump, or the interval holds no single smooth attractor",
    }
}

const SECTION: &str = "stable_exit";
/// Ratio of the two time steps.
const STEP_RATIO: f64 = 4.0;

/// α/(K ε^α (a^{−α} + b^{−α})), K = Γ(1 + α) sin(πα/2)/π: an attractor at the distances a and b from the ends, ε → 0.
fn small_noise(stability: f64, strength: f64, [a, b]: [f64; 2]) -> f64 {
    let constant = gamma(1.0 + stability) * (0.5 * PI * stability).sin() / PI;
    stability / (constant * strength.powf(stability) * (a.powf(-stability) + b.powf(-stability)))
}

/// ((x − l)(u − x))^{α/2}/(Γ(1 + α) ε^α) without a force (Getoor 1961).
fn without_force(stability: f64, strength: f64, [a, b]: [f64; 2]) -> f64 {
    (a * b).powf(0.5 * stability) / (gamma(1.0 + stability) * strength.powf(stability))
}

impl Task for StableExit {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "stable_exit",
        description: "mean exit times under α-stable noise over its strength, with the law of one jump",
        group: SECTION,
        figure,
    }];
    const SHAPED_BY: &'static [&'static str] = &["stability.points", "strength.points"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = StableExitResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("stability", &result.stability).times("strength", &result.strength);
        Ok(rows.column("mean_exit_time", &result.mean_exit_time.value, &result.errors()))
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Seconds of a step.
        const STEP: f64 = 1e-7;
        // what is not allowed is refused elsewhere
        let values = |range: &ParameterRange, most: f64| {
            let values = range.positive(SECTION).unwrap_or_default();
            values
                .into_iter()
                .filter(|value| *value <= most)
                .collect::<Vec<f64>>()
        };
        let (stabilities, strengths) = (
            values(&self.stability, 2.0),
            values(&self.strength, f64::INFINITY),
        );
        let half = (0.5 * (self.interval[1] - self.interval[0])).abs();
        let time = |stability: f64, strength: f64| match stability < 2.0 {
            true => small_noise(stability, strength, [half, half]),
            false => without_force(stability, strength, [half, half]),
        };
        let times = stabilities
            .iter()
            .flat_map(|stability| strengths.iter().map(move |strength| time(*stability, *strength)));
        let steps = times.sum::<f64>() * (1.0 + STEP_RATIO) / self.time_step * self.runs as f64;
        Cost::default().with_time("stable_exit.runs", STEP * steps)
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let fail = |key: &str, message: String| Error::config(&format!("{SECTION}.{key}"), message);
        if setting.landscape.dimension().map_err(|e| e.at("landscape"))? != 1 {
            return Err(Error::config(SECTION, "a loss of one variable is needed"));
        }
        let [lower, upper] = self.interval;
        if !(lower < upper && lower.is_finite() && upper.is_finite()) {
            return Err(fail("interval", "two finite ascending ends are needed".into()));
        }
        if !(self.start > lower && self.start < upper) {
            let message = format!("{} does not lie within interval", shown(self.start));
            return Err(fail("start", message));
        }
        let stabilities = self.stability.values(
            "stable_exit.stability",
            |alpha| alpha > 0.0 && alpha <= 2.0,
            "above 0 and at most 2 is needed",
        )?;
        let strengths = self.strength.positive("stable_exit.strength")?;
        require_positive("time_step", self.time_step).map_err(|e| e.at(SECTION))?;
        if self.runs < 2 {
            return Err(fail("runs", "at least two runs are needed".into()));
        }
        let landscape: AnyLandscape<1> = setting.landscape.on_a_line().map_err(|e| e.at("landscape"))?;
        let process = Sgd::with_noise_strength(landscape, Isotropic::new(1.0)?, 1.0)?;
        let start = Point::<1>::new(self.start);
        check_map_stability(&process, self.time_step, start, upper - lower)
            .map_err(|e| e.at("stable_exit.time_step"))?;
        let (task, seed) = (self.clone(), setting.seed);
        Ok(Box::new(move |progress| {
            let bar = progress.task("stable exits", (stabilities.len() * strengths.len()) as u64);
            let outside = outside(task.interval);
            let attractor = attractor(&process, task.interval);
            let is_free = is_free(&process, task.interval);
            let (mut times, mut left) = (Vec::new(), Vec::new());
            let (mut exact, mut law) = (Vec::new(), Vec::new());
            for alpha in &stabilities {
                for strength in &strengths {
                    let (time, error) = task.exit_time(&process, &outside, *alpha, *strength, seed)?;
                    times.push(time);
                    left.push(error);
                    exact.push(task.exact(&process, is_free, *alpha, *strength)?);
                    law.push(match attractor {
                        Some(x) if *alpha < 2.0 => small_noise(*alpha, *strength, [x - lower, upper - x]),
                        _ => f64::NAN,
                    });
                    bar.advance(1);
                }
            }
            let result = StableExitResult {
                lower,
                upper,
                start: task.start,
                time_step: task.time_step,
                runs: task.runs as i64,
                regime: vec![
                    "the law for small noise holds where single jumps over the distance to an end are rarer than the relaxation within the basin; times are extrapolated from two time steps, whose passages between steps are not seen"
                        .into(),
                ],
                mean_exit_time: times.into_iter().collect(),
                mean_exit_time_time_step_error: left,
                mean_exit_time_exact: exact,
                mean_exit_time_small_noise: law,
                stability: stabilities,
                strength: strengths,
            };
            Ok(vec![result.group()?])
        }))
    }
}

/// The outside of an interval.
fn outside([lower, upper]: [f64; 2]) -> PointSet<1> {
    let (middle, half) = (0.5 * (lower + upper), 0.5 * (upper - lower));
    PointSet::of_level(move |x: &Point<1>| {
        let way = x[0] - middle;
        (half - way.abs(), Point::<1>::new(-way.signum()))
    })
}

/// Whether there is no drift at a thousand points of the interval.
fn is_free(process: &impl Diffusion<1>, [lower, upper]: [f64; 2]) -> bool {
    const POINTS: usize = 1000;
    let at = |k: usize| lower + (upper - lower) * (k as f64 + 0.5) / POINTS as f64;
    (0..POINTS).all(|k| process.drift(&Point::<1>::new(at(k)))[0] == 0.0)
}

/// The attractor to which the noise-free motion leads from both ends of the interval; none if it leads to different places or out.
fn attractor(process: &impl Diffusion<1>, [lower, upper]: [f64; 2]) -> Option<f64> {
    let size = upper - lower;
    let from = |x: f64| {
        let end = noise_free_limit(process, Point::<1>::new(x), size, &[])?;
        let rest = Equilibrium::near(process, end, size, 2.0 * ARRIVAL * size)?;
        (rest.growing_directions == 0).then_some(rest.position[0])
    };
    let (a, b) = (from(lower)?, from(upper)?);
    ((a - b).abs() <= ARRIVAL * size && a > lower && a < upper).then_some(a)
}

impl StableExit {
    /// Mean exit time, extrapolated with order 1/α, and what the time step may leave.
    fn exit_time(
        &self,
        process: &impl Diffusion<1>,
        outside: &PointSet<1>,
        stability: f64,
        strength: f64,
        seed: u64,
    ) -> Result<(Estimate, f64)> {
        let of = |step: f64| -> Result<Estimate> {
            let walk = StableWalk::new(process, outside, stability, strength, step)?;
            let start = walk.walker(Point::<1>::new(self.start))?;
            let name = format!("{SECTION} {stability:e} {strength:e} {step:e}");
            let key = StreamKey::new(seed, experiment_number(&name));
            let steps = simulated_first_passage_time(&walk, &start, self.runs, self.most_steps, &key)
                .map_err(|e| e.at("stable_exit.most_steps"))?;
            Ok(Estimate {
                value: step * steps.value,
                standard_error: step * steps.standard_error,
                ..steps
            })
        };
        let (coarse, fine) = (of(self.time_step)?, of(self.time_step / STEP_RATIO)?);
        let limit = extrapolate(&coarse, &fine, STEP_RATIO, 1.0 / stability)?;
        Ok((limit.limit, limit.bias.value.abs()))
    }

    /// The mean exit time where it is known.
    fn exact<L: Landscape<1>>(
        &self,
        process: &Sgd<L, Isotropic>,
        is_free: bool,
        stability: f64,
        strength: f64,
    ) -> Result<f64> {
        let [lower, upper] = self.interval;
        if is_free {
            let ends = [self.start - lower, upper - self.start];
            return Ok(without_force(stability, strength, ends));
        }
        if stability < 2.0 {
            return Ok(f64::NAN);
        }
        let gaussian =
            Sgd::with_noise_strength(process.landscape(), Isotropic::new(1.0)?, strength * strength)?;
        let line = ScaleAndSpeed::new(&gaussian, lower, upper)?;
        Ok(line.mean_exit_time(self.start, lower, upper)?.value)
    }
}

impl StableExitResult {
    /// Both errors of the mean exit times.
    pub fn errors(&self) -> Vec<f64> {
        self.mean_exit_time
            .errors_with(&self.mean_exit_time_time_step_error)
    }
}

/// Mean exit times over the strength of the noise, with what is known of them.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = StableExitResult::of(file)?;
    let errors = result.errors();
    let count = result.strength.len();
    let mut panel = Panel::new(
        "",
        Axis::log("strength of the noise *ε*"),
        Axis::log("mean exit time *τ*"),
    );
    for (k, alpha) in result.stability.iter().enumerate() {
        let style = Style::nth(k);
        let own = k * count..(k + 1) * count;
        panel = panel.with(Layer::points(
            &result.strength,
            &result.mean_exit_time.value[own.clone()],
            &errors[own.clone()],
            &format!("*α* = {}", shown(*alpha)),
            style,
        ));
        for (known, label, dash) in [
            (&result.mean_exit_time_exact, "exact", Dash::Solid),
            (&result.mean_exit_time_small_noise, "one jump", Dash::Dashed),
        ] {
            let values = &known[own.clone()];
            if values.iter().any(|value| value.is_finite()) {
                let is_first = !known[..own.start].iter().any(|value| value.is_finite());
                let label = if is_first { label } else { "" };
                panel = panel.with(Layer::line(
                    &result.strength,
                    values,
                    label,
                    style.with_dash(dash),
                ));
            }
        }
    }
    Ok(Figure {
        width: ONE_COLUMN,
        columns: 1,
        aspect: 0.9,
        panels: vec![panel],
    })
}
