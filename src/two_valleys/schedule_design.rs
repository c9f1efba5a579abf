//! `[schedule_design]`: the schedule of the noise after which most runs are in the flat valley, and what it gains over the usual ones.

use super::schedules::{Row, Schedules, SgdColumns, row, sgd};
use super::valley_columns::{PathCost, TimeScales, check_size};
use crate::diffusion::sigma;
use crate::error::{Error, Result, require_positive};
use crate::freezing::{NamedSchedule, ScheduleDesign, compared_schedules, floor_time};
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::Setting;
use crate::setting::two_valley::TwoValleyModel;
use crate::task::{Compared, Cost, FigureEntry, MainNumber, Progress, Rows, SgdGains, Task, Work, gains};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[schedule_design]`: noise strengths between two bounds, constant over pieces of equal time, at equal steps of SGD.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleDesignKeys {
    /// weakest noise that may be used
    pub weakest: f64,
    /// strongest noise that may be used
    pub strongest: f64,
    /// pieces of the free schedule
    pub pieces: usize,
    /// budget of samples: batches of the size at the strongest noise that a step may draw on average, 1 or more; steps alone count unless given
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches_a_step: Option<f64>,
    /// starting y
    pub start_y: f64,
    /// y at the end of the budget
    pub end_y: f64,
    /// η of SGD and of its map
    pub learning_rate: f64,
    /// SGD runs of each schedule; 0 leaves SGD out
    pub runs: usize,
}

impl Default for ScheduleDesignKeys {
    fn default() -> Self {
        Self {
            weakest: 1e-4,
            strongest: 3e-3,
            pieces: 24,
            batches_a_step: None,
            start_y: 1.0,
            end_y: 20.0,
            learning_rate: 0.01,
            runs: 20_000,
        }
    }
}

records! {
    /// the schedule with the largest final P_flat between two bounds of the noise, its neighbours, and the best of the usual families
    pub struct ScheduleDesignResult in "schedule_design" {
        attributes {
            /// Weakest Δ allowed.
            weakest: f64,
            /// Strongest Δ allowed.
            strongest: f64,
            /// Starting y.
            start_y: f64,
            /// y at the end of the budget.
            end_y: f64,
            /// η of SGD and of its map.
            learning_rate: f64,
        }
        /// whether the valleys follow y, under the schedule with the largest adiabatic parameter
        regime: Vec<String> => [note] "text",
        /// Time scales under each schedule.
        time_scales: TimeScales => [schedule],
        /// y at the ends of the steps of the theory
        y: Vec<f64> => [step] "1" "y",
        /// names of the schedules
        schedule: Vec<String> => [schedule] "text",
        /// no schedule of the free pieces within the budget ends above this in the theory of the design
        p_flat_bound: f64 => [] "1",
        /// batches of the size at the strongest noise that a step draws on average
        batches_a_step: Vec<f64> => [schedule] "batches",
        /// noise strength of each schedule
        noise_strength: Vec<f64> => [schedule, step] "1" "Δ",
        /// final P_flat in the theory of the design, with which the best was found
        p_flat_design: Vec<f64> => [schedule] "1",
        /// final P_flat by the two-state theory with slices of each schedule's own, eta -> 0
        p_flat_two_state: Vec<f64> => [schedule] "1",
        /// error of p_flat_two_state in steps and rates; that it is adiabatic is none of it
        p_flat_two_state_error: Vec<f64> => [schedule] "1",
        /// final P_flat by the Fokker-Planck equation along the path, eta -> 0
        p_flat_density: Vec<f64> => [schedule] "1",
        /// discretisation error of p_flat_density
        p_flat_density_error: Vec<f64> => [schedule] "1",
        /// final P_flat by the map of SGD, transfer operator
        p_flat_transfer: Vec<f64> => [schedule] "1",
        /// change of p_flat_transfer with kernels kept twice as long on panels longer by a quarter
        p_flat_transfer_error: Vec<f64> => [schedule] "1",
        /// what the best gains
        gains: Option<DesignGains> => [schedule],
        /// SGD itself, if it was wanted
        sgd: Option<SgdColumns> => [schedule],
        /// what the best gains by SGD
        sgd_gains: Option<SgdGains> => [schedule],
        /// derivative of the final P_flat of the best schedule by ln of the noise strength of each piece, adjoint
        sensitivity: Vec<f64> => [piece] "1" "∂P/∂ln Δ",
        /// relaxation rate between the valleys under the best schedule
        exchange_rate: Vec<f64> => [rate] "1/time" "λ" missing "hops have died out",
        /// |d ln λ/dt| there
        change_of_rate: Vec<f64> => [rate] "1/time" missing "hops have died out",
        /// stationary P_flat under the best schedule
        p_flat_stationary: Vec<f64> => [rate] "1" missing "hops have died out",
    }
}

records! {
    /// Final P_flat under the best schedule less that under each.
    pub struct DesignGains {
        /// p_flat_two_state of the best schedule less that of each
        gain_two_state: Vec<f64> => [] "1",
        /// error of gain_two_state, the sum of both
        gain_two_state_error: Vec<f64> => [] "1",
        /// p_flat_transfer of the best schedule less that of each
        gain_transfer: Vec<f64> => [] "1",
        /// error of gain_transfer, the sum of both
        gain_transfer_error: Vec<f64> => [] "1",
    }
}

const SECTION: &str = "schedule_design";
/// Steps of the path, and noise strengths between the bounds.
const STEPS: usize = 480;
const STRENGTHS: usize = 25;
/// Half of the runs start on either side.
const INITIAL: f64 = 0.5;

impl Task for ScheduleDesignKeys {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "schedule_design",
        description: "the schedule that selects the flat valley most often beside the usual ones",
        group: SECTION,
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["pieces"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = ScheduleDesignResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("schedule", &result.schedule);
        let mut numbers = [
            rows.column(
                "p_flat_two_state",
                &result.p_flat_two_state,
                &result.p_flat_two_state_error,
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
        if let Some(gains) = &result.gains {
            numbers.extend(rows.column("gain_transfer", &gains.gain_transfer, &gains.gain_transfer_error));
        }
        if let Some(sgd) = &result.sgd_gains {
            numbers.extend(rows.column("gain_sgd", &sgd.gain_sgd, &sgd.gain_sgd_standard_error));
        }
        numbers.extend(rows.column("batches_a_step", &result.batches_a_step, &[]));
        Ok(numbers)
    }

    fn cost(&self, setting: &Setting) -> Cost {
        /// Seconds of the slices and of the schedules without sampling noise, for each factor e between the bounds.
        const THEORY: f64 = 35.0;
        /// Schedules that are simulated.
        const SCHEDULES: f64 = 10.0;
        let path = PathCost::new(setting, [self.start_y, self.end_y], self.learning_rate);
        let (name, _) = path.key();
        let key = format!("{SECTION}.{name}");
        path.of_runs(SECTION, name, SCHEDULES, self.runs)
            .with_memory(&key, path.law_memory(SCHEDULES))
            .with_time(&key, path.law_time(SCHEDULES))
            .with_time(
                "schedule_design.weakest",
                THEORY * (self.strongest / self.weakest).ln(),
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (model, task, seed) = (setting.two_valley()?, self.clone(), setting.seed);
        check(&model, &task)?;
        Ok(Box::new(move |progress| {
            Ok(vec![run(&model, &task, seed, progress)?.group()?])
        }))
    }
}

fn check(model: &TwoValleyModel, task: &ScheduleDesignKeys) -> Result<()> {
    let fail = |key: &str, message: String| Err(Error::config(&format!("{SECTION}.{key}"), message));
    for (key, value) in [
        ("weakest", task.weakest),
        ("strongest", task.strongest),
        ("start_y", task.start_y),
        ("end_y", task.end_y),
        ("learning_rate", task.learning_rate),
    ] {
        require_positive(key, value).map_err(|e| e.at(SECTION))?;
    }
    if task.strongest <= task.weakest {
        return fail("strongest", format!("it must exceed weakest = {}", task.weakest));
    }
    if task.end_y <= task.start_y {
        return fail("end_y", format!("it must exceed start_y = {}", task.start_y));
    }
    if task.pieces < 2 || task.pieces > STEPS / 4 {
        return fail("pieces", format!("from 2 to {} are possible", STEPS / 4));
    }
    if let Some(budget) = task.batches_a_step
        && !(budget >= 1.0 && budget.is_finite())
    {
        return fail(
            "batches_a_step",
            format!("{budget} is not allowed: the strongest noise needs one batch a step"),
        );
    }
    if task.runs == 1 {
        return fail("runs", "at least two runs are needed, or none".into());
    }
    if task.runs > 0 {
        check_size(SECTION, task.runs, 1)?;
    }
    let walk = model.walk(task.learning_rate, sigma(task.strongest, task.learning_rate));
    let walk = walk.map_err(|e| e.at(SECTION))?;
    walk.check_stability(task.start_y)
        .map_err(|e| e.at("schedule_design.learning_rate"))?;
    for (key, strength) in [("weakest", task.weakest), ("strongest", task.strongest)] {
        model
            .check_strength(key, strength, task.end_y)
            .map_err(|e| e.at(SECTION))?;
    }
    floor_time(model.landscape(), task.start_y, task.end_y, 1.0)
        .map(|_| ())
        .map_err(|e| e.at("schedule_design.end_y"))
}

/// The schedules that are compared, and what none ends above.
fn candidates(design: &ScheduleDesign, task: &ScheduleDesignKeys) -> Result<(Vec<NamedSchedule>, f64)> {
    let (best, bound) = match task.batches_a_step {
        Some(budget) => design.best_within(INITIAL, task.pieces, budget)?,
        None => {
            let best = design.best(INITIAL, task.pieces)?;
            let reached = design.final_p_flat(INITIAL, &best)?;
            (best, reached)
        }
    };
    let value = |strengths: &[f64]| {
        let batches = design.batches_a_step(strengths);
        match task.batches_a_step.is_some_and(|budget| batches > budget) {
            // below all within the budget
            true => Ok(-batches),
            false => design.final_p_flat(INITIAL, strengths),
        }
    };
    let bounds = [task.weakest, task.strongest];
    let mut all = compared_schedules(&best, bounds, |strength| strength, value)?;
    // what the best family member or neighbour needs may be more than is there
    const ROUNDING: f64 = 1e-9;
    for named in &mut all {
        let batches = design.batches_a_step(&named.strengths);
        if task
            .batches_a_step
            .is_some_and(|budget| batches > budget * (1.0 + ROUNDING))
        {
            named.name.push_str(" (over the budget)");
        }
    }
    Ok((all, bound))
}

fn run(
    model: &TwoValleyModel,
    task: &ScheduleDesignKeys,
    seed: u64,
    progress: &Progress,
) -> Result<ScheduleDesignResult> {
    let bounds = [task.weakest, task.strongest];
    let path = [task.start_y, task.end_y];
    let bar = progress.task("rates for the design", (STEPS * STRENGTHS) as u64);
    let slice = |y: f64, strength: f64| {
        bar.advance(1);
        model.slice(y, strength)
    };
    let design = ScheduleDesign::new(model.landscape(), slice, path, bounds, STEPS, STRENGTHS)?;
    drop(bar);
    let (candidates, bound) = candidates(&design, task)?;
    let same_path = Schedules {
        start_y: task.start_y,
        end_y: task.end_y,
        learning_rate: task.learning_rate,
        runs: task.runs,
        ..Schedules::default()
    };
    let bar = progress.task("schedules", candidates.len() as u64);
    let rows: Vec<Row> = candidates
        .par_iter()
        .with_max_len(1)
        .map(|candidate| {
            let found = row(model, &same_path, &design.schedule(&candidate.strengths)?);
            bar.advance(1);
            found
        })
        .collect::<Result<_>>()?;
    let sgd = match task.runs {
        0 => None,
        _ => {
            /// Numbers of random streams, apart from those of `[schedules]`.
            const FIRST_STREAM: usize = 100_000;
            let bar = progress.task("SGD under schedules", rows.len() as u64);
            let mut found = Vec::new();
            for (k, row) in rows.iter().enumerate() {
                found.push(sgd(model, &same_path, &row.steps, seed, FIRST_STREAM + k)?);
                bar.advance(1);
            }
            let (p_flat_sgd, p_flat_sgd_standard_error): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
            let gains = SgdGains::new(&p_flat_sgd, &p_flat_sgd_standard_error);
            let reached = SgdColumns {
                p_flat_sgd,
                p_flat_sgd_standard_error,
            };
            Some((reached, gains))
        }
    };
    let (sgd, sgd_gains) = sgd.unzip();
    let best = &candidates[0].strengths;
    let rates = design.rates(best);
    let of_rates = |of: &dyn Fn((f64, f64)) -> f64| rates.iter().map(|r| r.map_or(f64::NAN, of)).collect();
    let column = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let gained = |of: &dyn Fn(&Row) -> (f64, f64)| {
        let (p, errors): (Vec<f64>, Vec<f64>) = rows.iter().map(of).unzip();
        gains(&p, &errors, |best, other| best + other)
    };
    let (gain_two_state, gain_two_state_error) = gained(&|r| r.two_state);
    let (gain_transfer, gain_transfer_error) = gained(&|r| r.transfer);
    let (time_scales, regime) = TimeScales::of(rows.iter().map(|row| &row.regime));
    let steps = design.y().len() - 1;
    let strengths = candidates.iter().flat_map(|candidate| {
        // at the end of each step that of the step, at the start that of the first
        let of = |k: usize| candidate.strengths[k.saturating_sub(1) * task.pieces / steps];
        (0..=steps).map(of).collect::<Vec<f64>>()
    });
    Ok(ScheduleDesignResult {
        weakest: task.weakest,
        strongest: task.strongest,
        start_y: task.start_y,
        end_y: task.end_y,
        learning_rate: task.learning_rate,
        regime,
        time_scales,
        y: design.y().to_vec(),
        schedule: candidates
            .iter()
            .map(|candidate| candidate.name.clone())
            .collect(),
        p_flat_bound: bound,
        batches_a_step: candidates
            .iter()
            .map(|candidate| design.batches_a_step(&candidate.strengths))
            .collect(),
        noise_strength: strengths.collect(),
        p_flat_design: candidates
            .iter()
            .map(|candidate| design.final_p_flat(INITIAL, &candidate.strengths))
            .collect::<Result<_>>()?,
        p_flat_two_state: column(&|r| r.two_state.0),
        p_flat_two_state_error: column(&|r| r.two_state.1),
        p_flat_density: column(&|r| r.density.0),
        p_flat_density_error: column(&|r| r.density.1),
        p_flat_transfer: column(&|r| r.transfer.0),
        p_flat_transfer_error: column(&|r| r.transfer.1),
        gains: Some(DesignGains {
            gain_two_state,
            gain_two_state_error,
            gain_transfer,
            gain_transfer_error,
        }),
        sgd,
        sgd_gains,
        sensitivity: design.gradient(INITIAL, best)?,
        exchange_rate: of_rates(&|(gap, _)| gap),
        change_of_rate: change_of_rate(&rates, design.step(), task.pieces),
        p_flat_stationary: of_rates(&|(_, p)| p),
    })
}

/// |d ln λ/dt| in each step, by differences over the two beside it in the same piece of the schedule.
fn change_of_rate(rates: &[Option<(f64, f64)>], step: f64, pieces: usize) -> Vec<f64> {
    let last = rates.len() - 1;
    let piece = |k: usize| k * pieces / rates.len();
    (0..=last)
        .map(|k| {
            let beside = |other: usize| if piece(other) == piece(k) { other } else { k };
            let (a, b) = (beside(k.saturating_sub(1)), beside((k + 1).min(last)));
            match (rates[a], rates[b]) {
                (Some(before), Some(after)) if b > a => {
                    (after.0 / before.0).ln().abs() / (step * (b - a) as f64)
                }
                _ => f64::NAN,
            }
        })
        .collect()
}

/// The best schedule beside the usual ones, what all of them reach, and the rates under the best.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = ScheduleDesignResult::of(file)?;
    let y = &result.y;
    let slow = || Axis::log("position *y*");
    let [noise, reached] = Compared {
        names: &result.schedule,
        at: y,
        strength: &result.noise_strength,
        full: &result.p_flat_two_state,
        open: &result.p_flat_transfer,
        runs: result
            .sgd
            .as_ref()
            .map(|sgd| [&sgd.p_flat_sgd[..], &sgd.p_flat_sgd_standard_error]),
    }
    .panels(
        Panel::new("schedules", slow(), Axis::log("noise strength Δ")),
        "*η* → 0 ●, map ○",
        "final *P*_{flat}",
    );
    let middle: Vec<f64> = y.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    let rates = Panel::new("time scales of the best", slow(), Axis::log("rate"))
        .with(Layer::line(
            &middle,
            &result.exchange_rate,
            "exchange *λ*",
            Style::nth(0),
        ))
        .with(Layer::line(
            &middle,
            &result.change_of_rate,
            "|d ln *λ*/d*t*|",
            Style::nth(1).with_dash(Dash::Dashed),
        ));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 3,
        aspect: 1.0,
        panels: vec![noise, reached, rates],
    })
}
