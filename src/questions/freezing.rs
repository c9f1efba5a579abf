//! `[freezing]`: valleys along a slow variable of any problem, their probabilities, and where selection freezes.

use super::freezing_design::{self, FreezingDesign, Reached};
use crate::diffusion::Diffusion;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{CrossingTest, PathProtocol, positions_at};
use crate::error::{Error, Result, require_non_negative, require_positive, shown};
use crate::freezing::{
    DensitySnapshot, NoiseSchedule, SectionDensity, SlowFast, SlowVelocity, Valley, ValleyPath,
    ValleyPathSettings, ValleyProbabilities, section_cells, section_density,
};
use crate::generator::Generator;
use crate::grid::{Axis as GridAxis, Grid};
use crate::math::{Formula, Point, Spline};
use crate::observables::effective_potential;
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::region::Domain;
use crate::setting::sections::AnyDiffusion;
use crate::setting::table::{self, Numbers};
use crate::setting::{Lever, Setting, Shape};
use crate::statistics::proportion;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[freezing]`: one variable moves slowly along the path on which the valleys of the other come, deepen and freeze. `[region] domain` bounds both.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freezing {
    /// slow position at which training starts
    pub start: f64,
    /// slow position at which it ends
    pub end: f64,
    /// where runs start across the path, in equal parts
    pub start_x: Vec<f64>,
    /// name of the slow variable; the second one unless given
    #[serde(default)]
    pub slow: Option<String>,
    /// speed of the slow variable as a formula in it, in place of minus the gradient along it in the valleys
    #[serde(default)]
    pub velocity: Option<String>,
    /// where in the valleys that gradient is taken, unless velocity or clock is given
    #[serde(default)]
    pub gradient: GradientIn,
    /// training time at slow positions as a table, in place of a velocity
    #[serde(default)]
    pub clock: Option<ClockTable>,
    /// factors on the noise from slow positions on, [[2.0, 0.1], [5.0, 0.01]]; 1 before the first
    #[serde(default)]
    pub schedule: Vec<[f64; 2]>,
    /// a change of the noise over time, in place of `schedule`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<NoiseChange>,
    /// what changes the noise of SGD: the batch size at the learning rate of `[sgd]`, or the learning rate, which is that where the noise is strongest
    #[serde(default)]
    pub lever: Lever,
    /// barrier in noise temperatures from which on a valley counts; what half of it would change is part of the errors
    #[serde(default = "default_shallowest")]
    pub shallowest: f64,
    /// slow positions at which densities and effective potentials are written; ten in equal steps unless given
    #[serde(default)]
    pub snapshots: Vec<f64>,
    /// positions along the path in the result
    #[serde(default = "default_points")]
    pub points: usize,
    /// runs of SGD itself, when `[sgd]` has a learning rate; 0 leaves them out
    #[serde(default = "default_runs")]
    pub runs: usize,
    /// time step of as many Langevin paths (Euler and Maruyama's scheme); left out unless given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub langevin_time_step: Option<f64>,
    /// the noise along the path that ends with the most runs in one valley, looked for and compared with the usual schedules
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design: Option<FreezingDesign>,
}

/// Where in a valley the gradient along the slow variable is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GradientIn {
    /// at the bottom, where it is without noise
    #[default]
    Bottom,
    /// averaged over the stationary law within the valley
    Average,
}

/// `[freezing.change]`: the noise goes from one factor to another over the time until a slow position.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseChange {
    /// slow position at which the noise has become `after`
    pub until: f64,
    /// factor on the noise from there on
    pub after: f64,
    /// factor on the noise at the start
    #[serde(default = "default_before")]
    pub before: f64,
    /// how it goes there
    #[serde(default)]
    pub shape: Shape,
    /// times that shape "cyclic" goes back to `before`
    #[serde(default = "default_returns")]
    pub returns: usize,
    /// shape "table": [progress, factor] with straight lines between, from [0, before] to [1, after]; progress is the share of the time until `until`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<[f64; 2]>,
    /// steps of a change that is not one jump, in equal times of the noise before it; all routes take the same ones, and `p_final_continuous` says what infinitely many would give
    #[serde(default = "default_pieces")]
    pub pieces: usize,
}

fn default_before() -> f64 {
    1.0
}

fn default_returns() -> usize {
    2
}

fn default_pieces() -> usize {
    24
}

/// When training comes to which slow position.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockTable {
    /// an HDF5 or npz file, relative to the working directory; none when the numbers stand here
    #[serde(default)]
    pub file: Option<String>,
    /// slow positions, ascending: path in the file, or the numbers themselves
    pub position: Numbers,
    /// times t = ηk at them, ascending: path in the file, or the numbers themselves
    pub time: Numbers,
}

fn default_shallowest() -> f64 {
    ValleyPathSettings::default().shallowest
}

fn default_points() -> usize {
    201
}

fn default_runs() -> usize {
    4000
}

records! {
    /// valleys of the fast variable along the slow one: probabilities by the master equation and by the density, last hops, time scales
    pub struct FreezingResult in "freezing" {
        attributes {
            /// Slow position at the start.
            start: f64,
            /// Slow position at the end.
            end: f64,
            /// Time t = ηk from start to end.
            duration: f64,
            /// Barrier in noise temperatures from which on a valley counts.
            shallowest: f64,
        }
        /// whether the fast variable follows the slow one
        regime: Vec<String> => [note] "text",
        /// slow positions
        s: Vec<f64> => [position] "1" "s",
        /// time since the start
        time: Vec<f64> => [position] "time" "t",
        /// number of the valley, in the order in which they come up along the path
        valley: Option<Vec<u64>> => [valley] "1",
        /// bottoms of the valleys
        valley_x: Vec<f64> => [valley, position] "1" "x" missing "the valley does not exist there",
        /// probability of the valleys, master equation
        probability: Vec<f64> => [valley, position] "1" "P",
        /// Pr(no hop after s)
        no_hop_after: Vec<f64> => [position] "1",
        /// expected number of hops of a run so far
        hops: Vec<f64> => [position] "1",
        /// slowest rate of exchange over a ridge
        exchange_rate: Vec<f64> => [position] "1/time" "λ" missing "there is one valley only",
        /// rate of change of the valleys over their relaxation rate, the largest of all
        adiabatic_parameter: Vec<f64> => [position] "1",
        /// final probability of the valleys, master equation
        p_final: Vec<f64> => [valley] "1" "P",
        /// error of p_final in time, sections, their interpolation and what counts as a valley; that it is adiabatic is none of it
        p_final_error: f64 => [] "1",
        /// final probability of the valleys, Fokker-Planck equation along the path
        p_final_density: Vec<f64> => [valley] "1",
        /// change of p_final_density on half as many cells with eight times the tolerance
        p_final_density_error: f64 => [] "1",
        /// mean slow position of the last hop
        freezing_position: f64 => [] "1" missing "hops go on at the end of the path",
        /// error of freezing_position
        freezing_position_error: f64 => [] "1" missing "hops go on at the end of the path",
        /// mean time of the last hop
        freezing_time: f64 => [] "time" missing "hops go on at the end of the path",
        /// error of freezing_time
        freezing_time_error: f64 => [] "time" missing "hops go on at the end of the path",
        /// slow position at which the exchange rate falls below its own rate of change: the freeze-out that time scales predict
        freeze_out: f64 => [] "1" missing "there is none on the path",
        /// slow positions of the snapshots
        snapshot_s: Vec<f64> => [snapshot] "1" "s",
        /// fast coordinate of the snapshots
        x: Vec<f64> => [x] "1" "x",
        /// density of the runs
        density: Vec<f64> => [snapshot, x] "1" "p",
        /// -ln of the stationary density of the section, minimum at zero
        effective_potential: Vec<f64> => [snapshot, x] "1" "Φ",
        /// probability of the valleys at the snapshots, Fokker-Planck equation
        snapshot_probability: Vec<f64> => [valley, snapshot] "1",
        /// What half of the points of a table would give, if there is one.
        tables: Option<FreezingTables> => [valley],
        /// The same where the noise changes evenly, if a change is no jump
        continuous: Option<FreezingContinuous> => [valley],
        /// SGD itself at its learning rate
        sgd: Option<FreezingSgd> => [valley],
        /// Langevin paths, if they were wanted
        langevin: Option<FreezingLangevin> => [valley],
    }
}

records! {
    /// How much hangs on the resolution of tables.
    pub struct FreezingTables {
        /// change of p_final when every second point of the tables is left out along an axis, the sum over both; of a smooth table fifteen times its error
        p_final_table_change: Vec<f64> => [] "1" missing "half of the points have other valleys, or none that can be followed",
    }
}

records! {
    /// A change of the noise without its steps.
    pub struct FreezingContinuous {
        /// final probability of the valleys by the master equation where the noise changes evenly and not in steps: from `pieces` and twice as many
        p_final_continuous: Vec<f64> => [] "1",
        /// error of p_final_continuous: its distance from the probabilities with twice as many pieces, and the errors of both
        p_final_continuous_error: Vec<f64> => [] "1",
    }
}

records! {
    /// Fractions of the runs of SGD.
    pub struct FreezingSgd {
        /// fraction of runs that end in the valley
        p_final_sgd: Vec<f64> => [] "1",
        /// standard error of p_final_sgd
        p_final_sgd_standard_error: Vec<f64> => [] "1",
    }
}

records! {
    /// Fractions of Langevin paths.
    pub struct FreezingLangevin {
        /// fraction of Langevin paths that end in the valley
        p_final_langevin: Vec<f64> => [] "1",
        /// standard error of p_final_langevin; that of the time step is none of it
        p_final_langevin_standard_error: Vec<f64> => [] "1",
    }
}

const SECTION: &str = "freezing";
/// Points of a snapshot.
const SNAPSHOT_POINTS: usize = 401;
/// Cells a standard deviation of a valley, and the local error of a step, of the density.
const DENSITY: (f64, f64) = (8.0, 1e-5);
/// Local error of a step of the master equation.
const MASTER: f64 = 1e-9;

impl Task for Freezing {
    const USES: &'static [&'static str] = &["sgd", "region"];

    const FIGURES: &'static [FigureEntry] = &[
        FigureEntry {
            name: "freezing",
            description: "valleys along the slow variable, their probabilities, and the rates of exchange",
            group: SECTION,
            figure,
        },
        FigureEntry {
            name: "freezing_design",
            description: "the noise along the path that selects one valley most often beside the usual schedules",
            group: "freezing_design",
            figure: freezing_design::figure,
        },
    ];

    const SHAPED_BY: &'static [&'static str] = &["points", "snapshots", "design.pieces", "design.factors"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = FreezingResult::find(file)? else {
            return Ok(Vec::new());
        };
        let count = result.p_final.len();
        let valleys: Vec<f64> = (1..=count).map(|k| k as f64).collect();
        // where each is, at last
        let positions = result.s.len();
        let bottom = |k: usize| {
            let along = &result.valley_x[k * positions..(k + 1) * positions];
            along.iter().rev().find(|x| x.is_finite()).copied()
        };
        let bottoms: Vec<f64> = (0..count).map(|k| bottom(k).unwrap_or(f64::NAN)).collect();
        let rows = Rows::along("valley", &valleys).with_note("x", &bottoms);
        let mut numbers = [
            rows.column("p_final", &result.p_final, &vec![result.p_final_error; count]),
            rows.column(
                "p_final_density",
                &result.p_final_density,
                &vec![result.p_final_density_error; count],
            ),
        ]
        .concat();
        if let Some(continuous) = &result.continuous {
            numbers.extend(rows.column(
                "p_final_continuous",
                &continuous.p_final_continuous,
                &continuous.p_final_continuous_error,
            ));
        }
        if let Some(sgd) = &result.sgd {
            numbers.extend(rows.column("p_final_sgd", &sgd.p_final_sgd, &sgd.p_final_sgd_standard_error));
        }
        if let Some(paths) = &result.langevin {
            numbers.extend(rows.column(
                "p_final_langevin",
                &paths.p_final_langevin,
                &paths.p_final_langevin_standard_error,
            ));
        }
        for (name, unit, value, error) in [
            (
                "freezing_position",
                "",
                result.freezing_position,
                result.freezing_position_error,
            ),
            (
                "freezing_time",
                "time",
                result.freezing_time,
                result.freezing_time_error,
            ),
        ] {
            numbers.extend(MainNumber::new(name, unit, value, error));
        }
        numbers.extend(freezing_design::main_numbers(file)?);
        Ok(numbers)
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Seconds of the sections and of the density, for a formula.
        const PATH: f64 = 2.0;
        /// Seconds of a piece of a change, with those of twice as many.
        const PIECE: f64 = 0.2;
        /// Seconds of a step of a run.
        const STEP: f64 = 4e-7;
        let rate = setting.sgd.and_then(|sgd| sgd.learning_rate);
        let time = |step: Option<f64>, lever: Lever| {
            step.map_or(0.0, |step| {
                STEP * self.expected_steps(setting, step, lever) * self.runs as f64
            })
        };
        let runs = time(rate, self.lever);
        let pieces = self.change.as_ref().map_or(0.0, |change| change.pieces as f64);
        let design = self.design.as_ref().map_or(0.0, |design| {
            PATH * design.factors as f64 + FreezingDesign::SCHEDULES * (PATH + runs)
        });
        Cost::default()
            .with_time("freezing.end", PATH)
            .with_time("freezing.change.pieces", PIECE * pieces)
            .with_time("freezing.runs", runs)
            .with_time("freezing.design", design)
            .with_time(
                "freezing.langevin_time_step",
                time(self.langevin_time_step, Lever::BatchSize),
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let fail = |key: &str, message: String| Err(Error::config(&format!("{SECTION}.{key}"), message));
        if setting.landscape.dimension().map_err(|e| e.at("landscape"))? != 2 {
            return Err(Error::config(
                SECTION,
                "two variables are needed, a fast and a slow one",
            ));
        }
        let names = setting.landscape.names::<2>();
        let axis = match &self.slow {
            None => 1,
            Some(named) => match names.iter().position(|name| name == named) {
                Some(axis) => axis,
                None => {
                    let [first, second] = names;
                    return fail(
                        "slow",
                        format!("{named} is none of the variables {first} and {second}"),
                    );
                }
            },
        };
        let slow = names[axis];
        let domain = setting.whole_domain::<2>(
            "a domain alone is needed here, wide enough for the stationary law of every section",
        )?;
        let (x, s) = (domain.bounds()[1 - axis], domain.bounds()[axis]);
        if !(self.start >= s[0] && self.end <= s[1] && self.start < self.end) {
            let starts_inside = self.start >= s[0] && self.start < s[1];
            return fail(
                if starts_inside { "end" } else { "start" },
                format!(
                    "start = {} and end = {} must ascend within region.domain, {slow} from {} to {}",
                    self.start, self.end, s[0], s[1]
                ),
            );
        }
        /// Positions written: more of them are a slip of the pen.
        const MOST_POINTS: usize = 100_000;
        if !(2..=MOST_POINTS).contains(&self.points) {
            let message = format!(
                "{} is not allowed: at least 2 and at most {MOST_POINTS} are",
                self.points
            );
            return fail("points", message);
        }
        require_non_negative("shallowest", self.shallowest).map_err(|e| e.at("freezing.shallowest"))?;
        if self.start_x.is_empty() {
            return fail("start_x", "at least one x is needed".into());
        }
        if let Some(bad) = self.start_x.iter().find(|v| !(**v > x[0] && **v < x[1])) {
            return fail("start_x", format!("{bad} does not lie within region.domain"));
        }
        if self.runs == 1 {
            return fail("runs", "at least two runs are needed, or none".into());
        }
        if let Some(step) = self.langevin_time_step {
            require_positive("langevin_time_step", step).map_err(|e| e.at(SECTION))?;
            if self.runs == 0 {
                return fail("langevin_time_step", "runs = 0 leaves no paths".into());
            }
        }
        if let Some(design) = &self.design {
            design.check(x)?;
        }
        let snapshots = self.snapshot_positions()?;
        let jumps = self.noise_schedule()?;
        let learning_rate = setting.sgd.and_then(|sgd| sgd.learning_rate);
        let problem = self.problem(setting, axis, x)?;
        self.check_noise(&problem)?;
        let thinned = [setting.with_thinned_tables(0)?, setting.with_thinned_tables(1)?];
        let thinned = thinned.into_iter().flatten();
        let tables: Vec<_> = thinned.map(|setting| self.problem(&setting, axis, x)).collect();
        if let Some(design) = &self.design {
            design.check_valley(&problem, self.shallowest)?;
        }
        // a change is told in times under the noise before it
        let at_first = match &self.change {
            Some(change) => NoiseSchedule::new(&[], &[change.before])?,
            None => jumps.clone(),
        };
        let here = |error: Error| error.at(SECTION);
        let path = ValleyPath::new(&problem, &at_first, &self.settings()).map_err(here)?;
        let (schedule, finer) = match &self.change {
            Some(change) => change.schedules(&path).map_err(here)?,
            None => (jumps, None),
        };
        self.check_learning_rate(&path, &schedule, learning_rate)?;
        self.check_time_step(&path, &schedule)?;
        let path = self.change.is_none().then_some(path);
        let task = self.clone();
        let seed = setting.seed;
        Ok(Box::new(move |progress| {
            let ensemble = Ensemble {
                problem: &problem,
                domain: &domain,
                seed,
            };
            let path = match path {
                Some(path) => path,
                None => ValleyPath::new(&problem, &schedule, &task.settings())?,
            };
            let mut result = task.run(&ensemble, path, &schedule, &snapshots, learning_rate, progress)?;
            if !tables.is_empty() {
                result.tables = Some(task.table_changes(&tables, &schedule, &result));
            }
            if let Some(finer) = finer {
                result.continuous = Some(task.continuous(&ensemble, &finer, &result)?);
            }
            let mut groups = vec![result.group()?];
            if let Some(design) = &task.design {
                let reached = |k: usize, schedule: &NoiseSchedule| {
                    let of = format!(" design {k}");
                    let path = ValleyPath::new(&problem, schedule, &task.settings())?;
                    let routes = task.routes(&ensemble, path, schedule, &[], learning_rate, &of)?;
                    routes.reached(design.valley)
                };
                let result = design.run(&problem, &task.starts(), &task.settings(), reached, progress)?;
                groups.push(result.group()?);
            }
            Ok(groups)
        }))
    }
}

impl Freezing {
    /// The slow-fast problem of a setting, x within its bounds.
    fn problem(&self, setting: &Setting, axis: usize, x: [f64; 2]) -> Result<SlowFast<AnyDiffusion<2>>> {
        let diffusion = setting.diffusion(|keys| keys.in_the_plane())?;
        let velocity = self.velocity(setting, axis)?;
        let problem = SlowFast::new(diffusion, x, [self.start, self.end], velocity);
        let problem = problem.map_err(|e| e.at(SECTION))?;
        let problem = if axis == 0 { problem.slow_first() } else { problem };
        Ok(match self.gradient {
            GradientIn::Bottom => problem,
            GradientIn::Average => problem.averaged(),
        })
    }

    /// Steps of a run, `step` long where the noise is strongest. Where the valleys say how fast the slow variable moves its time is not known before they are followed: a
    /// few hundred units.
    fn expected_steps(&self, setting: &Setting, step: f64, lever: Lever) -> f64 {
        const UNKNOWN: f64 = 300.0;
        /// Points of a piece at which the speed is asked.
        const POINTS: usize = 200;
        let known = || {
            if setting.landscape.dimension().ok()? != 2 {
                return None;
            }
            let names = setting.landscape.names::<2>();
            let axis = match &self.slow {
                None => 1,
                Some(named) => names.iter().position(|name| name == named)?,
            };
            let velocity = self.velocity(setting, axis).ok()??;
            let schedule = match &self.change {
                Some(change) => {
                    let strongest = change.before.max(change.after);
                    NoiseSchedule::new(&[change.until], &[strongest, change.after]).ok()?
                }
                None => self.noise_schedule().ok()?,
            };
            let pieces = schedule.pieces(self.start, self.end);
            let strongest = strongest(&pieces);
            let steps = pieces.iter().map(|(from, to, factor)| {
                let width = (to - from) / POINTS as f64;
                let time = |k: usize| width / velocity(from + width * (k as f64 + 0.5));
                (0..POINTS).map(time).sum::<f64>() / length(step, lever, *factor, strongest)
            });
            let steps: f64 = steps.sum();
            (steps > 0.0 && steps.is_finite()).then_some(steps)
        };
        known().unwrap_or(UNKNOWN / step)
    }

    /// Refuses a learning rate with which runs do not stay in a valley of the path.
    fn check_learning_rate(
        &self,
        path: &ValleyPath,
        schedule: &NoiseSchedule,
        learning_rate: Option<f64>,
    ) -> Result<()> {
        learning_rate.map_or(Ok(()), |step| {
            let pieces = self.in_steps(path, schedule, step, self.lever);
            check_stability(path, &pieces, "sgd.learning_rate")
        })
    }

    /// The same of the time step of Langevin paths.
    fn check_time_step(&self, path: &ValleyPath, schedule: &NoiseSchedule) -> Result<()> {
        self.langevin_time_step.map_or(Ok(()), |step| {
            let pieces = self.in_steps(path, schedule, step, Lever::BatchSize);
            check_stability(path, &pieces, "freezing.langevin_time_step")
        })
    }

    /// The pieces of a schedule, as the clock of the path has them, in steps that are `step` long where the noise is strongest.
    fn in_steps(&self, path: &ValleyPath, schedule: &NoiseSchedule, step: f64, lever: Lever) -> Vec<Stepped> {
        let (s, time) = path.clock();
        let pieces = schedule.pieces(self.start, self.end);
        let strongest = strongest(&pieces);
        let (mut reached, mut before) = (0.0, 0.0);
        let stepped = |(from, to, factor): (f64, f64, f64)| {
            let step = length(step, lever, factor, strongest);
            let steps = ((between(&s, &time, to) - reached) / step).round().max(1.0);
            let piece = Stepped {
                from,
                to,
                factor,
                step,
                steps,
                time: reached,
                before,
            };
            reached += steps * step;
            before += steps;
            piece
        };
        pieces.into_iter().map(stepped).collect()
    }

    /// Refuses noise that is no covariance: runs could not be simulated, whether they are or not.
    fn check_noise(&self, problem: &SlowFast<AnyDiffusion<2>>) -> Result<()> {
        /// Relative rounding of an eigenvalue.
        const ROUNDING: f64 = 1e-12;
        for s in [self.start, 0.5 * (self.start + self.end), self.end] {
            for x in &self.start_x {
                let tensor = problem.process(1.0).tensor(&problem.point(*x, s));
                let eigenvalues = tensor.symmetric_eigenvalues();
                if !(eigenvalues.min() >= -ROUNDING * tensor.norm()) {
                    return Err(Error::config(
                        "noise",
                        format!(
                            "the covariance at {:?} has the eigenvalues {:?}: none may be negative",
                            problem.point(*x, s).as_slice(),
                            eigenvalues.as_slice()
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// What the final probabilities change by with each of some problems in place of the own one.
    fn table_changes(
        &self,
        thinned: &[Result<SlowFast<AnyDiffusion<2>>>],
        schedule: &NoiseSchedule,
        result: &FreezingResult,
    ) -> FreezingTables {
        let own = &result.p_final;
        let follow = |problem: &SlowFast<AnyDiffusion<2>>| {
            let path = ValleyPath::new(problem, schedule, &self.settings())?;
            path.follow(problem, &self.starts(), MASTER)
        };
        let mut changes = vec![0.0; own.len()];
        for problem in thinned {
            // too few points may leave no spline, or no path that can be followed
            let law = problem.as_ref().ok().and_then(|problem| follow(problem).ok());
            let law = law.filter(|law| law.probability.len() == own.len());
            for (k, change) in changes.iter_mut().enumerate() {
                let other = law.as_ref().and_then(|law| law.probability[k].last());
                *change += other.map_or(f64::NAN, |other| (other - own[k]).abs());
            }
        }
        FreezingTables {
            p_final_table_change: changes,
        }
    }

    fn snapshot_positions(&self) -> Result<Vec<f64>> {
        /// Snapshots unless they are given.
        const SNAPSHOTS: usize = 10;
        if self.snapshots.is_empty() {
            let step = (self.end - self.start) / SNAPSHOTS as f64;
            return Ok((1..=SNAPSHOTS).map(|k| self.start + step * k as f64).collect());
        }
        let ascending = self.snapshots.windows(2).all(|pair| pair[1] > pair[0]);
        let inside = self.snapshots.iter().all(|s| *s > self.start && *s <= self.end);
        if ascending && inside {
            return Ok(self.snapshots.clone());
        }
        Err(Error::config(
            "freezing.snapshots",
            "slow positions must ascend, beyond start and up to end",
        ))
    }

    fn velocity(&self, setting: &Setting, axis: usize) -> Result<Option<SlowVelocity>> {
        if self.gradient == GradientIn::Average && (self.velocity.is_some() || self.clock.is_some()) {
            let message = "it is not used: velocity or clock says how fast the slow variable moves";
            return Err(Error::config("freezing.gradient", message));
        }
        match (&self.velocity, &self.clock) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(Error::config(
                "freezing.clock",
                "give velocity or clock: each of them says how fast the slow variable moves",
            )),
            (Some(text), None) => {
                let formula: Formula<2> = setting
                    .landscape
                    .formula("velocity", text)
                    .map_err(|e| e.at(SECTION))?;
                let names = setting.landscape.names::<2>();
                let (fast, slow) = (names[1 - axis], names[axis]);
                let at = move |s: f64| {
                    let mut point = Point::<2>::new(0.5, 0.5);
                    point[axis] = s;
                    point
                };
                if [self.start, self.end]
                    .iter()
                    .any(|s| formula.derivatives(&at(*s)).1[1 - axis] != 0.0)
                {
                    return Err(Error::config(
                        "freezing.velocity",
                        format!("it must be a formula in {slow} alone, {fast} being fast"),
                    ));
                }
                Ok(Some(Box::new(move |s| formula.value(&at(s)))))
            }
            (None, Some(ClockTable { file, position, time })) => {
                let at = |e: Error| e.at("freezing.clock");
                let file = file.as_deref();
                table::require_use(file, [position, time]).map_err(at)?;
                let (shape, positions) = position.read("position", file).map_err(at)?;
                let axes = [positions];
                let times = time.of_shape("time", file, &shape).map_err(at)?;
                if let Some(k) = (1..times.len()).find(|k| !(times[*k] > times[k - 1])) {
                    return Err(Error::config(
                        "freezing.clock",
                        format!("time must ascend, but does not at position {}", axes[0][k]),
                    ));
                }
                if !(axes[0][0] <= self.start && axes[0][axes[0].len() - 1] >= self.end) {
                    return Err(Error::config(
                        "freezing.clock",
                        format!(
                            "its positions must reach from start = {} to end = {}",
                            self.start, self.end
                        ),
                    ));
                }
                let spline = Spline::<1>::new(axes, times).map_err(at)?;
                Ok(Some(Box::new(move |s| {
                    1.0 / spline.derivatives(&Point::<1>::new(s)).1[0]
                })))
            }
        }
    }

    fn noise_schedule(&self) -> Result<NoiseSchedule> {
        if let Some(change) = &self.change {
            if !self.schedule.is_empty() {
                let message = "give schedule or change: each of them says how the noise changes";
                return Err(Error::config("freezing.change", message));
            }
            change.check([self.start, self.end])?;
        }
        let positions: Vec<f64> = self.schedule.iter().map(|change| change[0]).collect();
        let factors: Vec<f64> = [1.0]
            .into_iter()
            .chain(self.schedule.iter().map(|change| change[1]))
            .collect();
        if let Some(s) = positions.iter().find(|s| !(**s > self.start && **s < self.end)) {
            return Err(Error::config(
                "freezing.schedule",
                format!(
                    "{s} does not lie between start = {} and end = {}",
                    self.start, self.end
                ),
            ));
        }
        NoiseSchedule::new(&positions, &factors).map_err(|e| e.at("freezing.schedule"))
    }

    fn settings(&self) -> ValleyPathSettings {
        ValleyPathSettings {
            shallowest: self.shallowest,
            ..ValleyPathSettings::default()
        }
    }

    /// Where runs start across the path, with their probabilities.
    fn starts(&self) -> Vec<(f64, f64)> {
        let share = 1.0 / self.start_x.len() as f64;
        self.start_x.iter().map(|x| (*x, share)).collect()
    }

    /// The final probabilities of a change in infinitely many steps, from `result` and the schedule with twice as many: steps are of second order.
    fn continuous(
        &self,
        ensemble: &Ensemble<'_>,
        finer: &NoiseSchedule,
        result: &FreezingResult,
    ) -> Result<FreezingContinuous> {
        let (problem, coarse) = (ensemble.problem, &result.p_final);
        let path = ValleyPath::new(problem, finer, &self.settings())?;
        let law = path.follow(problem, &self.starts(), MASTER)?;
        let fine: Vec<f64> = law.probability.iter().map(|p| p[p.len() - 1]).collect();
        if fine.len() != coarse.len() {
            return Err(Error::Inconsistent {
                subject: "valleys under twice as many steps of the change".into(),
                requirement: format!(
                    "{} were found where there are {}: more pieces are needed",
                    fine.len(),
                    coarse.len()
                ),
            });
        }
        let left: Vec<f64> = fine
            .iter()
            .zip(coarse)
            .map(|(fine, coarse)| (fine - coarse) / 3.0)
            .collect();
        let errors = law.error + result.p_final_error;
        Ok(FreezingContinuous {
            p_final_continuous: fine.iter().zip(&left).map(|(fine, left)| fine + left).collect(),
            p_final_continuous_error: left.iter().map(|left| left.abs() + errors).collect(),
        })
    }

    /// Master equation, density and SGD under a schedule.
    fn routes(
        &self,
        ensemble: &Ensemble<'_>,
        path: ValleyPath,
        schedule: &NoiseSchedule,
        snapshots: &[f64],
        learning_rate: Option<f64>,
        of: &str,
    ) -> Result<Routes> {
        let (problem, starts) = (ensemble.problem, self.starts());
        self.check_learning_rate(&path, schedule, learning_rate)?;
        let mut law = path.follow(problem, &starts, MASTER)?;
        let finer = ValleyPathSettings {
            shallowest: 0.5 * self.shallowest,
            ..self.settings()
        };
        let thresholds = [self.shallowest, finer.shallowest];
        if !ValleyPath::is_the_same_from(problem, schedule, thresholds)? {
            let path_of_more = ValleyPath::new(problem, schedule, &finer)?;
            law.against(
                &path,
                &path_of_more,
                &path_of_more.follow(problem, &starts, MASTER)?,
            );
        }
        let density = section_density(problem, schedule, &path, &starts, snapshots, DENSITY.0, DENSITY.1)
            .map_err(|e| too_narrow(e, problem, schedule))?;
        let sgd = self.ends(ensemble, schedule, &path, learning_rate, self.lever, of)?;
        Ok(Routes {
            path,
            law,
            density,
            sgd,
        })
    }

    fn run(
        &self,
        ensemble: &Ensemble<'_>,
        path: ValleyPath,
        schedule: &NoiseSchedule,
        snapshots: &[f64],
        learning_rate: Option<f64>,
        progress: &Progress,
    ) -> Result<FreezingResult> {
        let problem = ensemble.problem;
        let bar = progress.task("freezing", 2);
        let routes = self.routes(ensemble, path, schedule, snapshots, learning_rate, "")?;
        bar.advance(1);
        let Routes {
            path,
            law,
            density,
            sgd,
        } = routes;
        let sgd = sgd.map(|[p, error]| FreezingSgd {
            p_final_sgd: p,
            p_final_sgd_standard_error: error,
        });
        self.check_time_step(&path, schedule)?;
        // a step of a path is one of time, whatever changes the noise
        let step = self.langevin_time_step;
        let langevin = self.ends(ensemble, schedule, &path, step, Lever::BatchSize, " langevin")?;
        let langevin = langevin.map(|[p, error]| FreezingLangevin {
            p_final_langevin: p,
            p_final_langevin_standard_error: error,
        });
        bar.advance(1);
        let n = path.valleys();
        let (s, time) = path.clock();
        let regime = path.regime();
        let wanted = |k: usize| self.start + (self.end - self.start) * k as f64 / (self.points - 1) as f64;
        let along: Vec<f64> = (0..self.points).map(wanted).collect();
        let line = |x: &[f64], y: &[f64]| -> Vec<f64> { along.iter().map(|s| between(x, y, *s)).collect() };
        let (mut valley_x, mut probability) = (Vec::new(), Vec::new());
        for k in 0..n {
            let bottoms = path.valley(k);
            let bottoms: Vec<f64> = bottoms
                .iter()
                .map(|v| v.map_or(f64::NAN, |v| v.minimum))
                .collect();
            valley_x.extend(line(&s, &bottoms));
            probability.extend(line(&s, &law.probability[k]));
        }
        let exchange: Vec<f64> = regime
            .exchange
            .iter()
            .map(|rate| rate.unwrap_or(f64::NAN))
            .collect();
        let (numbers, ridges) = path.at_end();
        let by_number = |names: &[usize], p: &[f64]| {
            let mut out = vec![0.0; n];
            names.iter().zip(p).for_each(|(k, p)| out[*k] = *p);
            out
        };
        let last = &density.snapshots[density.snapshots.len() - 1];
        let p_final_density = by_number(&numbers, &SectionDensity::probabilities(last, &ridges));
        let mut snapshot_probability = vec![0.0; n * snapshots.len()];
        let (mut densities, mut potentials) = (Vec::new(), Vec::new());
        let x = self.snapshot_x(problem);
        for (j, snapshot) in density.snapshots[..snapshots.len()].iter().enumerate() {
            let (numbers, ridges) = path.near(snapshot.y);
            let p = by_number(&numbers, &SectionDensity::probabilities(snapshot, &ridges));
            for k in 0..n {
                snapshot_probability[k * snapshots.len() + j] = p[k];
            }
            densities.extend(density_at(snapshot, &x));
            potentials.extend(section_potential(problem, schedule, snapshot.y, &x)?);
        }
        let ended = law.last_hop.has_ended();
        if !ended {
            progress.note(
                "freezing: hops go on at the end of the path, so that freezing_position and freezing_time are left out: a longer path, or weaker noise at its end, has them",
            );
        }
        let if_ended = |value: f64| if ended { value } else { f64::NAN };
        Ok(FreezingResult {
            start: self.start,
            end: self.end,
            duration: path.duration(),
            shallowest: self.shallowest,
            regime: vec![regime.text("s")],
            time: line(&s, &time),
            valley: Some((1..=n as u64).collect()),
            valley_x,
            probability,
            no_hop_after: line(&s, &law.last_hop.none_after),
            hops: line(&s, &law.hops),
            exchange_rate: line(&regime.s, &exchange),
            adiabatic_parameter: line(&regime.s, &regime.adiabatic_parameter),
            p_final: law.probability.iter().map(|p| p[p.len() - 1]).collect(),
            p_final_error: law.error,
            p_final_density,
            p_final_density_error: density.error,
            freezing_position: if_ended(law.last_hop.mean_y),
            freezing_position_error: if_ended(law.last_hop.mean_y_error),
            freezing_time: if_ended(law.last_hop.mean_time),
            freezing_time_error: if_ended(law.last_hop.mean_time_error),
            freeze_out: regime.freeze_out.unwrap_or(f64::NAN),
            snapshot_s: snapshots.to_vec(),
            x,
            density: densities,
            effective_potential: potentials,
            snapshot_probability,
            tables: None,
            continuous: None,
            sgd,
            langevin,
            s: along,
        })
    }

    /// Where the snapshots are written.
    fn snapshot_x(&self, problem: &SlowFast<AnyDiffusion<2>>) -> Vec<f64> {
        let [lower, upper] = problem.bounds();
        let step = (upper - lower) / SNAPSHOT_POINTS as f64;
        (0..SNAPSHOT_POINTS)
            .map(|k| lower + step * (k as f64 + 0.5))
            .collect()
    }

    /// Fractions of runs with steps of a length in each valley at the end, and their standard errors: the schedule by steps, as the clock of the path
    /// has them. None without a step or runs.
    fn ends(
        &self,
        ensemble: &Ensemble<'_>,
        schedule: &NoiseSchedule,
        path: &ValleyPath,
        step: Option<f64>,
        lever: Lever,
        of: &str,
    ) -> Result<Option<[Vec<f64>; 2]>> {
        let Some(step) = step.filter(|_| self.runs > 0) else {
            return Ok(None);
        };
        let problem = ensemble.problem;
        let mut starts: Vec<[f64; 2]> = self
            .start_x
            .iter()
            .map(|x| problem.point(*x, self.start).into())
            .collect();
        let pieces = self.in_steps(path, schedule, step, lever);
        for (k, piece) in pieces.into_iter().enumerate() {
            let (step, steps) = (piece.step, piece.steps as u64);
            let protocol = PathProtocol {
                starts,
                runs: self.runs,
                steps,
                time_step: step,
                seed: ensemble.seed,
                experiment: experiment_number(&format!("{SECTION}{of} {k}")),
            };
            let process = problem.process(piece.factor);
            let end = [steps as f64 * step];
            let ends = positions_at(
                &process,
                ensemble.domain,
                &end,
                CrossingTest::EndOfStep,
                &protocol,
                &|_| (),
            )?;
            starts = ends.into_iter().flatten().collect();
        }
        let (numbers, ridges) = path.at_end();
        let mut counts = vec![0; path.valleys()];
        for end in &starts {
            let x = problem.fast_coordinate(end);
            counts[numbers[ridges.partition_point(|ridge| *ridge < x)]] += 1;
        }
        let found: Vec<_> = counts
            .into_iter()
            .map(|count| proportion(count, starts.len()))
            .collect::<Result<_>>()?;
        Ok(Some([
            found.iter().map(|p| p.value).collect(),
            found.iter().map(|p| p.standard_error).collect(),
        ]))
    }
}

impl NoiseChange {
    fn check(&self, [start, end]: [f64; 2]) -> Result<()> {
        let fail =
            |key: &str, message: String| Err(Error::config(&format!("freezing.change.{key}"), message));
        if !(self.until > start && self.until < end) {
            let message = format!(
                "{} does not lie between start = {start} and end = {end}",
                self.until
            );
            return fail("until", message);
        }
        for (key, factor) in [("before", self.before), ("after", self.after)] {
            require_positive(key, factor).map_err(|e| e.at("freezing.change"))?;
        }
        /// Pieces of a change: each of them is a stretch of the path of its own.
        const MOST: usize = 1000;
        if !(1..=MOST).contains(&self.pieces) {
            return fail(
                "pieces",
                format!("{} is not allowed: from 1 to {MOST} are", self.pieces),
            );
        }
        if self.shape != Shape::Table && !self.table.is_empty() {
            return fail("table", "it is not used: shape is not \"table\"".into());
        }
        if self.shape != Shape::Cyclic && self.returns != default_returns() {
            return fail("returns", "it is not used: shape is not \"cyclic\"".into());
        }
        let shape = self.shape.with(self.returns, &self.table);
        shape
            .check([self.before, self.after])
            .map_err(|e| e.at("freezing.change"))
    }

    /// The change in its pieces, and in twice as many unless it is a jump; `path` is that under the noise before it.
    fn schedules(&self, path: &ValleyPath) -> Result<(NoiseSchedule, Option<NoiseSchedule>)> {
        let shape = self.shape.with(self.returns, &self.table);
        let of = |pieces: usize| {
            let ends = path.equal_times(self.until, pieces);
            NoiseSchedule::through(&ends[1..], [self.before, self.after], &shape)
        };
        let pieces = shape.pieces(self.pieces);
        let finer = (self.shape != Shape::Step).then(|| of(2 * pieces)).transpose()?;
        Ok((of(pieces)?, finer))
    }
}

/// What runs of the problem need.
struct Ensemble<'a> {
    problem: &'a SlowFast<AnyDiffusion<2>>,
    domain: &'a Domain<2>,
    seed: u64,
}

/// The routes to the final probabilities under one schedule.
struct Routes {
    path: ValleyPath,
    law: ValleyProbabilities,
    density: SectionDensity,
    /// Fractions in each valley and their standard errors.
    sgd: Option<[Vec<f64>; 2]>,
}

impl Routes {
    /// Final probabilities of the valley in which x lies.
    fn reached(&self, x: f64) -> Result<Reached> {
        let (numbers, ridges) = self.path.at_end();
        let place = ridges.partition_point(|ridge| *ridge < x);
        let number = numbers[place];
        let p = &self.law.probability[number];
        let last = &self.density.snapshots[self.density.snapshots.len() - 1];
        let density = SectionDensity::probabilities(last, &ridges)[place];
        Ok(Reached {
            master: (p[p.len() - 1], self.law.error),
            density: (density, self.density.error),
            sgd: self.sgd.as_ref().map(|[p, error]| (p[number], error[number])),
        })
    }
}

/// The key to a density that comes to the ends of x, and how far they must go.
fn too_narrow(error: Error, problem: &SlowFast<AnyDiffusion<2>>, schedule: &NoiseSchedule) -> Error {
    let Error::DomainTooSmall {
        probability, allowed, ..
    } = error
    else {
        return error;
    };
    /// Noise temperatures above the bottoms at which the stationary law is e^{−35} = 6e-16, and steps across x.
    const RISE: f64 = 35.0;
    const STEPS: usize = 2000;
    let [start, end] = problem.range();
    let [lower, upper] = problem.bounds();
    let reach = |s: f64, from: f64, to: f64| {
        let section = problem.section(s, schedule.at(s));
        let step = (to - from) / STEPS as f64;
        let (mut height, mut lowest) = (0.0, 0.0_f64);
        for k in 0..3 * STEPS {
            let x = Point::<1>::new(from + step * (k as f64 + 0.5));
            height -= section.drift(&x)[0] / section.tensor(&x)[0] * step;
            lowest = lowest.min(height);
            if k >= STEPS && height - lowest > RISE {
                return Some(from + step * (k + 1) as f64);
            }
        }
        // the loss does not rise enough, or falls
        None
    };
    let positions = [start, 0.5 * (start + end), end];
    let wide = positions.map(|s| reach(s, upper, lower).zip(reach(s, lower, upper)));
    let wide = wide.into_iter().try_fold([lower, upper], |[low, high], ends| {
        ends.map(|(a, b)| [low.min(a), high.max(b)])
    });
    let remedy = match wide {
        Some([low, high]) => format!("widen it to about [{low:.3}, {high:.3}], or weaken the noise"),
        None => "the loss known beyond them does not rise enough to hold it: weaken the noise".into(),
    };
    Error::config(
        "region.domain",
        format!(
            "the density puts {probability:.1e} into a cell at the ends of x, more than {allowed:.0e}: {remedy}"
        ),
    )
}

/// A piece of the path in steps of one length.
struct Stepped {
    from: f64,
    to: f64,
    /// Factor on the noise.
    factor: f64,
    /// Length of its steps, and how many there are.
    step: f64,
    steps: f64,
    /// Time and steps before it.
    time: f64,
    before: f64,
}

/// The largest factor of the pieces of a schedule.
fn strongest(pieces: &[(f64, f64, f64)]) -> f64 {
    pieces.iter().map(|(_, _, factor)| *factor).fold(0.0, f64::max)
}

/// Length of a step under a factor on the noise; it is `longest` under the strongest.
fn length(longest: f64, lever: Lever, factor: f64, strongest: f64) -> f64 {
    match lever {
        Lever::BatchSize => longest,
        Lever::LearningRate => longest * factor / strongest,
    }
}

/// Refuses steps with which runs do not stay in a valley of the path: η H < 2 at its bottom, each piece with its own η.
fn check_stability(path: &ValleyPath, pieces: &[Stepped], key: &str) -> Result<()> {
    /// Of a position, in lengths of its piece.
    const ROUNDING: f64 = 1e-9;
    let (s, time) = path.clock();
    let bottoms = (0..path.valleys()).flat_map(|valley| path.valley(valley).into_iter().enumerate());
    let bottoms: Vec<(usize, Valley)> = bottoms.filter_map(|(k, valley)| Some((k, valley?))).collect();
    let mut steepest: Option<(f64, &Stepped, usize, Valley)> = None;
    for piece in pieces {
        let slack = ROUNDING * (piece.to - piece.from);
        for (k, valley) in &bottoms {
            let product = piece.step * valley.relaxation;
            let is_within = s[*k] >= piece.from - slack && s[*k] <= piece.to + slack;
            if is_within && product >= steepest.map_or(2.0, |(known, ..)| known) {
                steepest = Some((product, piece, *k, *valley));
            }
        }
    }
    let Some((product, piece, k, valley)) = steepest else {
        return Ok(());
    };
    let longest = pieces.iter().map(|piece| piece.step).fold(0.0, f64::max);
    Err(Error::config(
        key,
        format!(
            "steps are not stable in the valley at x = {:.4}, s = {:.4} (step {:.0}, where each is {}): η H = {product:.3} must be below 2; take less than {:.3e}",
            valley.minimum,
            s[k],
            piece.before + ((time[k] - piece.time) / piece.step).max(0.0),
            shown(piece.step),
            2.0 * longest / product
        ),
    ))
}

/// y at a place between the ascending x, on a straight line.
fn between(x: &[f64], y: &[f64], at: f64) -> f64 {
    let k = x.partition_point(|x| *x <= at).clamp(1, x.len() - 1);
    let part = ((at - x[k - 1]) / (x[k] - x[k - 1])).clamp(0.0, 1.0);
    match part {
        0.0 => y[k - 1],
        1.0 => y[k],
        part => y[k - 1] + part * (y[k] - y[k - 1]),
    }
}

fn density_at(snapshot: &DensitySnapshot, x: &[f64]) -> Vec<f64> {
    let densities: Vec<f64> = snapshot
        .probability
        .iter()
        .zip(&snapshot.width)
        .map(|(p, w)| p / w)
        .collect();
    x.iter().map(|x| between(&snapshot.x, &densities, *x)).collect()
}

fn section_potential(
    problem: &SlowFast<AnyDiffusion<2>>,
    schedule: &NoiseSchedule,
    s: f64,
    x: &[f64],
) -> Result<Vec<f64>> {
    /// Cells of a section, unless its potential is steep.
    const CELLS: usize = 2400;
    let section = problem.section(s, schedule.at(s));
    let kinks: Vec<f64> = section.kinks().iter().map(|kink| kink.position).collect();
    let [lower, upper] = problem.bounds();
    let cells = section_cells(&section, problem.bounds(), CELLS)?;
    let grid = Grid::new([GridAxis::with_faces_at(lower, upper, cells, &kinks)?]);
    let potential = effective_potential(&Generator::assemble(&section, grid.clone())?)?;
    Ok(x.iter()
        .map(|x| between(grid.axes()[0].centres(), &potential, *x))
        .collect())
}

/// Valleys along the slow variable, their probabilities by every route, and the rates of exchange.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = FreezingResult::of(file)?;
    let (s, n) = (&result.s, result.s.len());
    let slow = || Axis::linear("slow position *s*");
    let mut valleys = Panel::new("valleys", slow(), Axis::linear("bottom of the valley *x*"));
    let mut odds = Panel::new(
        "selection",
        slow(),
        Axis::linear("probability *P*").with_range(0.0, 1.0),
    );
    let snapshots = result.snapshot_s.len();
    for k in 0..result.p_final.len() {
        let style = Style::nth(k);
        let row = |values: &[f64]| values[k * n..(k + 1) * n].to_vec();
        let label = format!("valley {}", k + 1);
        valleys = valleys.with(Layer::line(s, &row(&result.valley_x), &label, style));
        odds = odds.with(Layer::line(s, &row(&result.probability), &label, style));
        let points = &result.snapshot_probability[k * snapshots..(k + 1) * snapshots];
        odds = odds.with(Layer::points(
            &result.snapshot_s,
            points,
            &[],
            if k == 0 { "density" } else { "" },
            style.with_hollow_points(),
        ));
        if let Some(sgd) = &result.sgd {
            odds = odds.with(Layer::points(
                &[result.end],
                &sgd.p_final_sgd[k..=k],
                &sgd.p_final_sgd_standard_error[k..=k],
                if k == 0 { "SGD" } else { "" },
                style,
            ));
        }
    }
    let mut rates = Panel::new("time scales", slow(), Axis::log("*λ* in 1/time; parameter"))
        .with(Layer::line(
            s,
            &result.exchange_rate,
            "exchange rate *λ*",
            Style::nth(0),
        ))
        .with(Layer::line(
            s,
            &result.adiabatic_parameter,
            "adiabatic parameter",
            Style::nth(1).with_dash(Dash::Dashed),
        ));
    for (position, label) in [
        (result.freezing_position, "mean last hop"),
        (result.freeze_out, "freeze-out"),
    ] {
        if position.is_finite() {
            let style = Style::reference();
            let style = if label == "freeze-out" {
                style.with_dash(Dash::Dotted)
            } else {
                style
            };
            let line = |label: &str| Layer::Vertical {
                x: position,
                label: label.into(),
                style,
            };
            odds = odds.with(line(label));
            rates = rates.with(line(label));
        }
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 3,
        aspect: 0.9,
        panels: vec![valleys, odds, rates],
    })
}
