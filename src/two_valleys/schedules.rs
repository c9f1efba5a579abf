//! `[schedules]`: where along training may the noise be lowered? Final P_flat against the position and the shape of the change, by every route.

use super::valley_columns::{PathCost, TimeScales, check_size};
use crate::diffusion::sigma;
use crate::ensemble::stream::experiment_number;
use crate::ensemble::{Cell, Protocol, simulate};
use crate::error::{Error, Result, require_positive, shown};
use crate::freezing::{
    DensityPathSettings, NoiseSchedule, Regime, ScheduleShape, ScheduledPath, density_path, floor_time,
    two_state_scheduled,
};
use crate::landscape::Side;
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Colour, Dash, Figure, Layer, ONE_COLUMN, Panel, Style};
use crate::setting::parameter_range::ParameterRange;
use crate::setting::two_valley::TwoValleyModel;
use crate::setting::{Lever, Setting, Shape};
use crate::statistics::proportion;
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::transfer::PathSettings;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[schedules]`: noise of strength `before` that becomes `after` along training.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedules {
    /// Δ at the start.
    pub before: f64,
    /// Δ at the end.
    pub after: f64,
    /// y at which the noise has become `after`: of the floor as η → 0, of the mean of SGD at finite η.
    pub change_y: ParameterRange,
    /// How it goes there: at once, or over the whole time until then.
    pub shape: Vec<Shape>,
    /// Times that shape "cyclic" goes back to `before`.
    pub returns: usize,
    /// Shape "table": [progress, Δ] with straight lines between, from [0, before] to [1, after]; progress is the share of the time until `change_y`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub table: Vec<[f64; 2]>,
    /// Steps of a change that is not one jump; all routes take the same ones, and `p_flat_continuous` says what infinitely many would give.
    pub pieces: usize,
    /// Starting y.
    pub start_y: f64,
    /// y at the end; hops have died out there.
    pub end_y: f64,
    /// What changes the noise: the batch size at a learning rate that stays, or the learning rate at a batch size that stays.
    pub lever: Lever,
    /// When SGD changes its noise: where its mean y has come to the position, or at the time at which the noise-free floor comes there.
    pub clock: Clock,
    /// η of SGD and of its map, where the noise is strongest.
    pub learning_rate: f64,
    /// SGD runs; 0 leaves SGD out.
    pub runs: usize,
    /// Time step of as many Langevin paths (Euler and Maruyama's scheme), which change their noise at the times of the floor; left out unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub langevin_time_step: Option<f64>,
}

/// What tells SGD to change its noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// the mean of y
    #[default]
    Position,
    /// the time t = ηk
    Time,
}

/// Steps of SGD of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Steps {
    count: u64,
    strength: f64,
    learning_rate: f64,
    /// σ, which is proportional to 1/B.
    sigma: f64,
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            before: 1e-3,
            after: 1e-4,
            change_y: ParameterRange::List(vec![1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0]),
            shape: vec![Shape::Step, Shape::Cosine],
            returns: 2,
            table: Vec::new(),
            pieces: 24,
            start_y: 1.0,
            end_y: 20.0,
            lever: Lever::BatchSize,
            clock: Clock::Position,
            learning_rate: 0.01,
            runs: 4000,
            langevin_time_step: None,
        }
    }
}

records! {
    /// final P_flat when the noise strength goes from one value to another along training
    pub struct SchedulesResult in "schedules" {
        attributes {
            /// Δ at the start.
            before: f64,
            /// Δ at the end.
            after: f64,
            /// Starting y.
            start_y: f64,
            /// η of SGD and of its map.
            learning_rate: f64,
        }
        /// what changes the noise
        lever: Vec<String> => [note] "text",
        /// whether the valleys follow y, under the schedule with the largest adiabatic parameter
        regime: Vec<String> => [note] "text",
        /// how the noise changes
        shape: Vec<String> => [shape] "text",
        /// y at which the noise has become `after`
        change_y: Vec<f64> => [change] "1" "y",
        /// final P_flat by the two-state theory, eta -> 0
        p_flat_two_state: Vec<f64> => [shape, change] "1",
        /// error of p_flat_two_state in steps and rates; that it is adiabatic is none of it
        p_flat_two_state_error: Vec<f64> => [shape, change] "1",
        /// The same where the noise changes evenly, if a shape is no jump
        continuous: Option<ContinuousColumns> => [shape, change],
        /// final P_flat by the Fokker-Planck equation along the path, eta -> 0
        p_flat_density: Vec<f64> => [shape, change] "1",
        /// discretisation error of p_flat_density, of first order at the changes of the noise
        p_flat_density_error: Vec<f64> => [shape, change] "1",
        /// final P_flat by the map of SGD, transfer operator
        p_flat_transfer: Vec<f64> => [shape, change] "1",
        /// change of p_flat_transfer with kernels kept twice as long on panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [shape, change] "1",
        /// the same after as many steps as the learning rate of the start would need for the whole time: at equal steps, not at equal time
        p_flat_transfer_equal_steps: Vec<f64> => [shape, change] "1",
        /// steps of SGD
        steps: Vec<f64> => [shape, change] "iterations",
        /// samples that SGD draws, in batches of the size at the strongest noise
        samples: Vec<f64> => [shape, change] "batches",
        /// Time scales under each schedule.
        time_scales: TimeScales => [shape, change],
        /// SGD itself, if it was wanted
        sgd: Option<SgdColumns> => [shape, change],
        /// Langevin paths, if they were wanted
        langevin: Option<LangevinColumns> => [shape, change],
        /// final P_flat without a change, at `before` and at `after`, two-state theory
        p_flat_constant: Vec<f64> => [constant] "1",
        /// error of p_flat_constant
        p_flat_constant_error: Vec<f64> => [constant] "1",
    }
}

records! {
    /// Schedules without their steps.
    pub struct ContinuousColumns {
        /// final P_flat by the two-state theory where the noise changes evenly and not in steps: from `pieces` and twice as many
        p_flat_continuous: Vec<f64> => [] "1",
        /// error of p_flat_continuous: its distance from the theory with twice as many pieces, and the errors of both
        p_flat_continuous_error: Vec<f64> => [] "1",
    }
}

records! {
    /// SGD under the schedules.
    pub struct SgdColumns {
        /// fraction of runs that end at x >= 0
        p_flat_sgd: Vec<f64> => [] "1",
        /// standard error of p_flat_sgd
        p_flat_sgd_standard_error: Vec<f64> => [] "1",
    }
}

records! {
    /// Langevin paths under the schedules.
    pub struct LangevinColumns {
        /// fraction of Langevin paths that end at x >= 0
        p_flat_langevin: Vec<f64> => [] "1",
        /// standard error of p_flat_langevin
        p_flat_langevin_standard_error: Vec<f64> => [] "1",
        /// final P_flat of their scheme at its time step without sampling noise, transfer operator
        p_flat_langevin_scheme: Vec<f64> => [] "1",
        /// time steps of a path
        steps_langevin: Vec<f64> => [] "1",
    }
}

const SECTION: &str = "schedules";
/// Where runs start, half of them on either side of the ridge, as by default the densities do.
const START_X: [f64; 2] = [-0.01, 0.01];

/// Final P_flat under one schedule by the routes without sampling noise, each with its error.
pub(super) struct Row {
    pub two_state: (f64, f64),
    pub regime: Regime,
    pub density: (f64, f64),
    pub transfer: (f64, f64),
    /// P_flat by the map of SGD after as many steps as the first learning rate would need.
    equal_steps: f64,
    /// Steps of SGD with each strength.
    pub steps: Vec<Steps>,
}

impl Row {
    fn all_steps(&self) -> f64 {
        self.steps.iter().map(|steps| steps.count as f64).sum()
    }

    fn samples(&self) -> f64 {
        let largest = self.steps.iter().map(|steps| steps.sigma).fold(0.0, f64::max);
        self.steps
            .iter()
            .map(|steps| steps.count as f64 * largest / steps.sigma)
            .sum()
    }
}

impl Schedules {
    fn schedule_shape(&self, shape: Shape) -> ScheduleShape {
        shape.with(self.returns, &self.table)
    }

    /// The strongest noise of all schedules.
    fn largest(&self) -> f64 {
        let of = |shape: &Shape| self.schedule_shape(*shape).largest([self.before, self.after]);
        self.shape
            .iter()
            .map(of)
            .fold(self.before.max(self.after), f64::max)
    }

    /// The same schedules for Langevin paths: steps of this length, the noise of each by the time.
    fn langevin(&self, time_step: f64) -> Self {
        Self {
            learning_rate: time_step,
            lever: Lever::BatchSize,
            clock: Clock::Time,
            ..self.clone()
        }
    }

    /// All schedules, those of a shape together, in so many pieces.
    fn noise_schedules(
        &self,
        model: &TwoValleyModel,
        changes: &[f64],
        pieces: usize,
    ) -> Result<Vec<NoiseSchedule>> {
        let all = self
            .shape
            .iter()
            .flat_map(|shape| changes.iter().map(move |y| (shape, y)));
        let schedule = |(shape, change): (&Shape, &f64)| {
            let (path, strengths) = ([self.start_y, *change], [self.before, self.after]);
            let shape = self.schedule_shape(*shape);
            NoiseSchedule::changing(model.landscape(), path, strengths, &shape, pieces)
        };
        all.map(schedule).collect()
    }

    /// Refuses a learning rate with which steps leave a valley under one of the schedules: η H < 2 along each of their pieces, at its own η. Steps are counted by
    /// the noise-free time along the floor.
    fn check_stability(&self, model: &TwoValleyModel, changes: &[f64]) -> Result<()> {
        let mut longest = 0.0_f64;
        let mut is_stable = true;
        for strength in [self.largest(), self.before, self.after] {
            let (learning_rate, sigma) = self.learning_rate_and_sigma(strength);
            longest = longest.max(learning_rate);
            match model.walk(learning_rate, sigma)?.check_stability(self.start_y) {
                Ok(_) => (),
                Err(Error::Unstable { .. }) => is_stable = false,
                Err(error) => return Err(error),
            }
        }
        // each step would be, wherever it is taken
        if is_stable {
            return Ok(());
        }
        let landscape = model.landscape();
        let mut steepest = Ok(());
        let mut largest = 2.0;
        for schedule in self.noise_schedules(model, changes, self.pieces)? {
            let mut steps = 0.0;
            for (from, to, strength) in schedule.pieces(self.start_y, self.end_y) {
                let learning_rate = self.learning_rate_and_sigma(strength).0;
                let in_piece = floor_time(landscape, from, to, 1.0)? / learning_rate;
                // curvatures are monotonic in y
                let ends = [(from, steps), (to, steps + in_piece)];
                for (side, (y, step)) in Side::BOTH
                    .into_iter()
                    .flat_map(|side| ends.map(|end| (side, end)))
                {
                    let product = learning_rate * 2.0 / landscape.flatness(side, y);
                    // of equal ones the first
                    if product > largest || (product == largest && steepest.is_ok()) {
                        largest = product;
                        steepest = Err(Error::Unstable {
                            product,
                            position: format!(
                                "the {} minimum at y = {}, from step {step:.0} of a schedule on, where each is {}",
                                format!("{side:?}").to_lowercase(),
                                (y * 1e4).round() / 1e4,
                                shown(learning_rate)
                            ),
                            limit: 2.0 * longest / product,
                        });
                    }
                }
                steps += in_piece;
            }
        }
        steepest
    }

    /// η and σ at a noise strength.
    fn learning_rate_and_sigma(&self, strength: f64) -> (f64, f64) {
        match self.lever {
            Lever::BatchSize => (self.learning_rate, sigma(strength, self.learning_rate)),
            Lever::LearningRate => {
                let largest = self.largest();
                let learning_rate = self.learning_rate * strength / largest;
                (learning_rate, sigma(largest, self.learning_rate))
            }
        }
    }
}

impl Task for Schedules {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "schedules",
        description: "final P_flat against the position at which the noise is lowered",
        group: "schedules",
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["change_y.points", "shape"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = SchedulesResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("shape", &result.shape).times("change_y", &result.change_y);
        let mut numbers = [
            rows.column(
                "p_flat_two_state",
                &result.p_flat_two_state,
                &result.p_flat_two_state_error,
            ),
            rows.column(
                "p_flat_density",
                &result.p_flat_density,
                &result.p_flat_density_error,
            ),
            rows.column(
                "p_flat_transfer",
                &result.p_flat_transfer,
                &result.p_flat_transfer_error,
            ),
        ]
        .concat();
        if let Some(sgd) = &result.sgd {
            numbers.extend(rows.column("p_flat_sgd", &sgd.p_flat_sgd, &sgd.p_flat_sgd_standard_error));
        }
        if let Some(paths) = &result.langevin {
            numbers.extend(rows.column(
                "p_flat_langevin",
                &paths.p_flat_langevin,
                &paths.p_flat_langevin_standard_error,
            ));
        }
        Ok(numbers)
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Seconds a piece by the routes without sampling noise.
        const PIECE: f64 = 0.8;
        let cells = self.change_y.count() * self.shape.len() as f64;
        let pieces = |shape: &Shape| {
            if *shape == Shape::Step {
                2.0
            } else {
                self.pieces as f64
            }
        };
        let all: f64 = self.shape.iter().map(pieces).sum::<f64>() * self.change_y.count();
        let weakest = match self.lever {
            Lever::BatchSize => 1.0,
            Lever::LearningRate => self.before.min(self.after) / self.largest(),
        };
        let ends = [self.start_y, self.end_y];
        let key = match PathCost::new(setting, ends, self.learning_rate).key() {
            (key, times) if times * weakest >= 1.0 || weakest == 1.0 => key,
            _ if self.after < self.before => "after",
            _ => "before",
        };
        let path = PathCost::new(setting, ends, self.learning_rate * weakest);
        let mut cost = path
            .of_runs(SECTION, key, cells, self.runs)
            .with_memory(&format!("{SECTION}.{key}"), path.law_memory(cells))
            .with_time(&format!("{SECTION}.{key}"), path.law_time(cells))
            .with_time("schedules.pieces", PIECE * all);
        if let Some(step) = self.langevin_time_step {
            const KEY: &str = "schedules.langevin_time_step";
            let path = PathCost::new(setting, ends, step);
            let runs = path.of_runs(SECTION, "langevin_time_step", cells, self.runs);
            cost = cost
                .with_memory(KEY, path.law_memory(cells))
                .with_time(KEY, path.law_time(cells) + runs.time());
        }
        cost
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        let changes = check(&model, &task)?;
        Ok(Box::new(move |progress| {
            Ok(vec![run(&model, &task, &changes, seed, progress)?.group()?])
        }))
    }
}

fn check(model: &TwoValleyModel, task: &Schedules) -> Result<Vec<f64>> {
    let fail = |key: &str, message: String| Err(Error::config(&format!("{SECTION}.{key}"), message));
    let changes = task.change_y.positive("schedules.change_y")?;
    for (key, value) in [
        ("before", task.before),
        ("after", task.after),
        ("start_y", task.start_y),
        ("end_y", task.end_y),
        ("learning_rate", task.learning_rate),
    ] {
        require_positive(key, value).map_err(|e| e.at(SECTION))?;
    }
    if let Some(y) = changes.iter().find(|y| !(**y > task.start_y && **y < task.end_y)) {
        let (start, end) = (task.start_y, task.end_y);
        return fail(
            "change_y",
            format!("{y} does not lie between start_y = {start} and end_y = {end}"),
        );
    }
    if task.shape.is_empty() || task.pieces == 0 {
        return fail("shape", "at least one shape, and one piece, are needed".into());
    }
    if task.runs == 1 {
        return fail("runs", "at least two runs are needed, or none".into());
    }
    if task.runs > 0 {
        check_size(SECTION, task.runs, 1)?;
    }
    if task.shape.contains(&Shape::Table) {
        task.schedule_shape(Shape::Table)
            .check([task.before, task.after])
            .map_err(|e| e.at(SECTION))?;
    } else if !task.table.is_empty() {
        return fail("table", "it is not used: shape does not contain \"table\"".into());
    }
    if !task.shape.contains(&Shape::Cyclic) && task.returns != Schedules::default().returns {
        return fail(
            "returns",
            "it is not used: shape does not contain \"cyclic\"".into(),
        );
    }
    let langevin = task.langevin_time_step.map(|step| task.langevin(step));
    let langevin = langevin.map(|task| ("langevin_time_step", task));
    for (key, task) in [("learning_rate", task.clone())].into_iter().chain(langevin) {
        task.check_stability(model, &changes)
            .map_err(|e| e.at(&format!("{SECTION}.{key}")))?;
    }
    for (key, strength) in [
        ("before", task.before),
        ("after", task.after),
        ("table", task.largest()),
    ] {
        model
            .check_strength(key, strength, task.end_y)
            .map_err(|e| e.at(SECTION))?;
    }
    if task.langevin_time_step.is_some() && task.runs == 0 {
        return fail("langevin_time_step", "runs = 0 leaves no paths".into());
    }
    floor_time(model.landscape(), task.start_y, task.end_y, 1.0).map_err(|e| e.at("schedules.end_y"))?;
    Ok(changes)
}

fn run(
    model: &TwoValleyModel,
    task: &Schedules,
    changes: &[f64],
    seed: u64,
    progress: &Progress,
) -> Result<SchedulesResult> {
    let finer = task.noise_schedules(model, changes, 2 * task.pieces)?;
    let schedules = task.noise_schedules(model, changes, task.pieces)?;
    let bar = progress.task("schedules", schedules.len() as u64);
    let rows: Vec<Row> = schedules
        .par_iter()
        .with_max_len(1)
        .map(|schedule| {
            let row = row(model, task, schedule);
            bar.advance(1);
            row
        })
        .collect::<Result<_>>()?;
    let continuous = match task.shape.iter().all(|shape| *shape == Shape::Step) {
        true => None,
        false => Some(continuous(model, task, &rows, &finer)?),
    };
    let constant = |strength: f64| {
        let schedule = NoiseSchedule::new(&[], &[strength])?;
        two_state(model, task, &schedule).map(|path| (path.final_p_flat(), path.p_flat_error))
    };
    let constants = [constant(task.before)?, constant(task.after)?];
    let sgd = match task.runs {
        0 => None,
        _ => {
            let bar = progress.task("SGD under schedules", schedules.len() as u64);
            let mut found = Vec::new();
            for (k, row) in rows.iter().enumerate() {
                found.push(sgd(model, task, &row.steps, seed, k)?);
                bar.advance(1);
            }
            Some(SgdColumns {
                p_flat_sgd: found.iter().map(|p| p.0).collect(),
                p_flat_sgd_standard_error: found.iter().map(|p| p.1).collect(),
            })
        }
    };
    let langevin = match task.langevin_time_step {
        None => None,
        Some(time_step) => Some(langevin(
            model,
            &task.langevin(time_step),
            &schedules,
            seed,
            progress,
        )?),
    };
    let column = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let (time_scales, regime) = TimeScales::of(rows.iter().map(|row| &row.regime));
    Ok(SchedulesResult {
        before: task.before,
        after: task.after,
        start_y: task.start_y,
        learning_rate: task.learning_rate,
        lever: vec![task.lever.name().into()],
        regime,
        shape: task.shape.iter().map(|shape| shape.name().into()).collect(),
        change_y: changes.to_vec(),
        p_flat_two_state: column(&|r| r.two_state.0),
        p_flat_two_state_error: column(&|r| r.two_state.1),
        continuous,
        p_flat_density: column(&|r| r.density.0),
        p_flat_density_error: column(&|r| r.density.1),
        p_flat_transfer: column(&|r| r.transfer.0),
        p_flat_transfer_error: column(&|r| r.transfer.1),
        p_flat_transfer_equal_steps: column(&|r| r.equal_steps),
        steps: column(&Row::all_steps),
        samples: column(&Row::samples),
        time_scales,
        sgd,
        langevin,
        p_flat_constant: constants.iter().map(|p| p.0).collect(),
        p_flat_constant_error: constants.iter().map(|p| p.1).collect(),
    })
}

/// The two-state theory of infinitely many pieces, from the `rows` and schedules with twice as many: steps are of second order.
fn continuous(
    model: &TwoValleyModel,
    task: &Schedules,
    rows: &[Row],
    finer: &[NoiseSchedule],
) -> Result<ContinuousColumns> {
    let finer = finer.par_iter().with_max_len(1);
    let finer: Vec<ScheduledPath> = finer
        .map(|schedule| two_state(model, task, schedule))
        .collect::<Result<_>>()?;
    let (p_flat_continuous, p_flat_continuous_error) = (rows.iter().zip(&finer))
        .map(|(row, finer)| {
            let ((coarse, error), fine) = (row.two_state, finer.final_p_flat());
            let left = (fine - coarse) / 3.0;
            (fine + left, left.abs() + error + finer.p_flat_error)
        })
        .unzip();
    Ok(ContinuousColumns {
        p_flat_continuous,
        p_flat_continuous_error,
    })
}

/// Langevin paths under all schedules, `task` being [`Schedules::langevin`].
fn langevin(
    model: &TwoValleyModel,
    task: &Schedules,
    schedules: &[NoiseSchedule],
    seed: u64,
    progress: &Progress,
) -> Result<LangevinColumns> {
    /// Numbers of random streams, apart from those of SGD.
    const FIRST_STREAM: usize = 1_000_000;
    let bar = progress.task("Langevin paths under schedules", schedules.len() as u64);
    let schemes: Vec<Mapped> = schedules
        .par_iter()
        .with_max_len(1)
        .map(|schedule| map_of_sgd(model, task, schedule, None))
        .collect::<Result<_>>()?;
    let mut found = Vec::new();
    for (k, scheme) in schemes.iter().enumerate() {
        found.push(sgd(model, task, &scheme.steps, seed, FIRST_STREAM + k)?);
        bar.advance(1);
    }
    let steps = |scheme: &Mapped| scheme.steps.iter().map(|steps| steps.count as f64).sum();
    Ok(LangevinColumns {
        p_flat_langevin: found.iter().map(|p| p.0).collect(),
        p_flat_langevin_standard_error: found.iter().map(|p| p.1).collect(),
        p_flat_langevin_scheme: schemes.iter().map(|scheme| scheme.p_flat).collect(),
        steps_langevin: schemes.iter().map(steps).collect(),
    })
}

fn two_state(model: &TwoValleyModel, task: &Schedules, schedule: &NoiseSchedule) -> Result<ScheduledPath> {
    let slice = |y: f64, strength: f64| model.slice(y, strength);
    two_state_scheduled(
        model.landscape(),
        slice,
        schedule,
        [task.start_y, task.end_y],
        0.5,
    )
}

/// One schedule on the path and at the learning rate of `task`.
pub(super) fn row(model: &TwoValleyModel, task: &Schedules, schedule: &NoiseSchedule) -> Result<Row> {
    let landscape = model.landscape();
    let theory = two_state(model, task, schedule)?;
    let settings = DensityPathSettings::new(task.start_y, task.end_y);
    let density = density_path(landscape, |y| model.slice(y, schedule.at(y)), &settings)?;
    // a step across a jump of the noise is of first order, and its own error at most the tolerance of a step
    let jumps = schedule.pieces(task.start_y, task.end_y).len() - 1;
    let density_error = density.p_flat_error + settings.tolerance * jumps as f64;
    let fine = map_of_sgd(model, task, schedule, None)?;
    let coarse = map_of_sgd(model, task, schedule, Some(&fine.steps))?;
    Ok(Row {
        two_state: (theory.final_p_flat(), theory.p_flat_error),
        regime: theory.regime,
        density: (density.final_p_flat(), density_error),
        transfer: (fine.p_flat, (fine.p_flat - coarse.p_flat).abs()),
        equal_steps: fine.equal_steps,
        steps: fine.steps,
    })
}

/// The law of SGD's map under a schedule.
struct Mapped {
    /// Final P_flat.
    p_flat: f64,
    /// P_flat after as many steps as the first learning rate would need for the whole time.
    equal_steps: f64,
    /// Steps with each strength.
    steps: Vec<Steps>,
}

/// The key to a law of x that does not fit the grid of its map.
fn not_held(error: Error, task: &Schedules, strength: f64) -> Error {
    let Error::DomainTooSmall {
        probability, where_, ..
    } = error
    else {
        return error;
    };
    let key = match task.before >= task.after {
        true => "schedules.before",
        false => "schedules.after",
    };
    Error::config(
        key,
        format!(
            "under a noise of {} steps of SGD leave both valleys with probability {probability:.1e} ({where_}): weaker noise or a smaller learning_rate is needed",
            shown(strength)
        ),
    )
}

/// The map of SGD, each piece of the schedule beginning with the law that the one before has left, and ending where the mean of y has come to its
/// end, which is ahead of the noise-free floor, as noise pushes y on; or after the time that the floor takes. With `steps` given the pieces have
/// these lengths instead.
fn map_of_sgd(
    model: &TwoValleyModel,
    task: &Schedules,
    schedule: &NoiseSchedule,
    steps: Option<&[Steps]>,
) -> Result<Mapped> {
    let mut settings = PathSettings {
        start_y: task.start_y,
        ..PathSettings::default()
    };
    if steps.is_some() {
        settings = settings.coarser();
    }
    let pieces = schedule.pieces(task.start_y, task.end_y);
    let mut mapped = Mapped {
        p_flat: 0.5,
        equal_steps: 0.5,
        steps: Vec::new(),
    };
    // P_flat after every step
    let mut history = vec![0.5];
    for (k, &(from, to, strength)) in pieces.iter().enumerate() {
        let (learning_rate, sigma) = task.learning_rate_and_sigma(strength);
        let law = |settings: &PathSettings| {
            let law = |settings: &PathSettings| model.path_law(learning_rate, sigma, settings);
            let mut found = law(settings);
            // the points that stronger noise has left lie further apart than steps are wide: their panels are cut until the defect is allowed
            for factor in [1.25, 1.5, 2.0, 3.0] {
                if !matches!(found, Err(Error::DomainTooSmall { .. })) {
                    break;
                }
                let mut finer = settings.clone();
                finer.resolution = settings.resolution.refined(factor);
                finer.resolution.reach *= 1.25;
                found = law(&finer);
            }
            found.map_err(|e| not_held(e, task, strength))
        };
        let count = match steps {
            Some(steps) => steps[k].count,
            None if task.clock == Clock::Time => {
                let time = floor_time(model.landscape(), from, to, 1.0)?;
                (time / learning_rate).round() as u64
            }
            // the mean has passed the end already
            None if settings.start_y >= to => 0,
            None => {
                let time = floor_time(model.landscape(), settings.start_y, to, 1.0)?;
                settings.steps = ((time / learning_rate).ceil() as usize).max(1);
                if k + 1 < pieces.len() {
                    settings.steps = law(&settings)?.y.partition_point(|y| *y < to);
                }
                settings.steps as u64
            }
        };
        mapped.steps.push(Steps {
            count,
            strength,
            learning_rate,
            sigma,
        });
        if count == 0 {
            continue;
        }
        settings.steps = count as usize;
        let law = law(&settings)?;
        mapped.p_flat = law.final_p_flat();
        history.extend(&law.p_flat[1..]);
        settings.start_y = *law.y.last().unwrap_or(&settings.start_y);
        settings.starts = law.last;
    }
    let times = mapped
        .steps
        .iter()
        .map(|steps| steps.count as f64 * steps.learning_rate);
    let equal = (times.sum::<f64>() / task.learning_rate).round() as usize;
    mapped.equal_steps = history[equal.min(history.len() - 1)];
    Ok(mapped)
}

/// Fraction of SGD runs that end flat under the same steps as its map, each piece beginning where the runs have come to.
pub(super) fn sgd(
    model: &TwoValleyModel,
    task: &Schedules,
    pieces: &[Steps],
    seed: u64,
    number: usize,
) -> Result<(f64, f64)> {
    let mut starts = START_X.map(|x| [x, task.start_y]).to_vec();
    let mut flat = 0;
    for (k, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece.count > 0) {
        let walk = model.walk(piece.learning_rate, piece.sigma)?;
        let protocol = Protocol {
            starts,
            runs: task.runs,
            steps: piece.count,
            record_every: None,
            seed,
            experiment: experiment_number(&format!(
                "{SECTION} {number} {k} {:e} {:e}",
                piece.strength, piece.learning_rate
            )),
        };
        let ensemble = simulate(&[Cell { walk, protocol }], &|_| ())?.remove(0);
        flat = ensemble.runs.iter().filter(|run| run.is_flat()).count();
        starts = ensemble.runs.iter().map(|run| [run.x, run.y]).collect();
    }
    proportion(flat, task.runs).map(|p| (p.value, p.standard_error))
}

/// Final P_flat against the position of the change, theory as lines, the map of SGD as dashed lines and SGD as points, between the two constants.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = SchedulesResult::of(file)?;
    let (y, n) = (&result.change_y, result.change_y.len());
    let lowered = if result.after < result.before {
        "lowered"
    } else {
        "raised"
    };
    let mut panel = Panel::new(
        "",
        Axis::log(&format!("position *y* at which the noise has been {lowered}")),
        Axis::linear("final *P*_{flat}"),
    );
    let grey = Style::nth(0).with_colour(Colour::GREY);
    for (p, strength, dash) in [
        (result.p_flat_constant[0], result.before, Dash::DashDot),
        (result.p_flat_constant[1], result.after, Dash::Dotted),
    ] {
        panel = panel.with(Layer::Horizontal {
            y: p,
            label: format!("constant Δ = {strength}"),
            style: grey.with_dash(dash),
        });
    }
    for (k, shape) in result.shape.iter().enumerate() {
        let part = k * n..(k + 1) * n;
        let style = Style::nth(k);
        panel = panel
            .with(Layer::line(
                y,
                &result.p_flat_two_state[part.clone()],
                &format!("{shape}, theory *η* → 0"),
                style,
            ))
            .with(Layer::line(
                y,
                &result.p_flat_transfer[part.clone()],
                "",
                style.with_dash(Dash::Dashed).with_width(0.8),
            ));
        if let Some(sgd) = &result.sgd {
            panel = panel.with(Layer::points(
                y,
                &sgd.p_flat_sgd[part.clone()],
                &sgd.p_flat_sgd_standard_error[part],
                &format!("{shape}, SGD"),
                style,
            ));
        }
    }
    let map = format!("map of SGD, *η* = {}", result.learning_rate);
    panel = panel.with(Layer::line(
        &[],
        &[],
        &map,
        grey.with_dash(Dash::Dashed).with_width(0.8),
    ));
    Ok(Figure {
        width: 1.4 * ONE_COLUMN,
        columns: 1,
        aspect: 0.62,
        panels: vec![panel],
    })
}
