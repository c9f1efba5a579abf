//! `[network_schedules]`: does it matter to a network when along training the noise is lowered? Equal numbers of iterations, early against late, beside noise that stays.

use super::network_problem::{NetworkProblem, SAME_BASIN, check_time, network_keys, stream};
use crate::error::{Error, Result};
use crate::network::{
    Continuation, CrossEntropy, EndPoint, FLATNESS_EIGENVALUES, LayerHessian, Training, barrier,
    freezing_checkpoint, gradient_descent, jaccard, scaled_sharpness, train,
};
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::parameter_range::ParameterRange;
use crate::setting::{Lever, Setting};
use crate::statistics::{Estimate, mean};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[network_schedules]`: SGD on a network whose noise is lowered once, at several times along training.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSchedules {
    /// Folder with MNIST in IDX format; none trains on the embedded digits.
    pub data: Option<String>,
    /// Images of each class for training, the first ones of the file.
    pub train: usize,
    /// Images of each class for testing.
    pub test: usize,
    /// Units of the hidden layers, two at least.
    pub hidden: Vec<usize>,
    /// η at the start.
    pub learning_rate: f64,
    /// B at the start.
    pub batch_size: usize,
    /// Number of iterations times the learning rate at the start, the same for all.
    pub time: f64,
    /// What lowers the noise: the batch size becomes `factor` times as large, or the learning rate as many times smaller.
    pub lever: Lever,
    /// By how much.
    pub factor: usize,
    /// Iterations, times the learning rate at the start, after which it is lowered. Noise that is low from the start and noise that stays are added.
    pub change: ParameterRange,
    /// Runs of each, all from one initial state.
    pub repeats: usize,
}

impl Default for NetworkSchedules {
    fn default() -> Self {
        Self {
            data: None,
            train: 50,
            test: 100,
            hidden: vec![30, 30],
            learning_rate: 0.1,
            batch_size: 10,
            time: 100.0,
            lever: Lever::BatchSize,
            factor: 10,
            change: ParameterRange::List(vec![2.0, 5.0, 10.0, 20.0, 50.0]),
            repeats: 16,
        }
    }
}

records! {
    /// a network trained with noise that is lowered once: end points of gradient descent from the last states, against the time of the change
    pub struct NetworkSchedulesResult in "network_schedules" {
        attributes {
            /// η at the start.
            learning_rate: f64,
            /// B at the start.
            batch_size: f64,
            /// By how much the noise is lowered.
            factor: f64,
            /// Iterations times the learning rate at the start.
            training_time: f64,
        }
        /// what lowers the noise
        lever: Vec<String> => [lever] "text",
        /// iterations, times the learning rate at the start, after which the noise is lowered: 0 for noise that is low from the start, the whole time for noise that stays
        change: Vec<f64> => [change] "1" "ηt",
        /// means over the runs
        means: MeanColumns => [change],
        /// inverse geometric mean of the ten largest Hessian eigenvalues of the second layer at the end point
        flatness: Vec<f64> => [change, repeat] "1" "F" missing "an eigenvalue is not positive",
        /// mean rise of the loss along directions as long as the weights, at the end point
        scaled_sharpness: Vec<f64> => [change, repeat] "1",
        /// training loss at the end point
        train_loss: Vec<f64> => [change, repeat] "1",
        /// test loss at the end point
        test_loss: Vec<f64> => [change, repeat] "1",
        /// test accuracy at the end point
        test_accuracy: Vec<f64> => [change, repeat] "1",
        /// height of the training loss on the line from the end point of a run to that of the next
        barrier: Vec<f64> => [change, repeat] "1",
        /// time from which on all end points misclassify the same test images as the last state, Jaccard index at least 0.9, by tenths of training
        freezing_time: Vec<f64> => [change, repeat] "1" "ηt_f",
        /// 1 for a last state with all training images right
        converged: Vec<u64> => [change, repeat] "1",
    }
}

records! {
    /// Means over the runs with standard errors.
    pub struct MeanColumns {
        /// mean of flatness
        mean_flatness: Vec<f64> => [] "1" "⟨F⟩" missing "fewer than two runs",
        /// standard error of mean_flatness
        mean_flatness_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of mean_flatness less the lower of those of the two constant strengths: a dip is below zero
        flatness_dip: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of flatness_dip
        flatness_dip_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of scaled_sharpness
        mean_scaled_sharpness: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of mean_scaled_sharpness
        mean_scaled_sharpness_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of test_loss
        mean_test_loss: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of mean_test_loss
        mean_test_loss_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// higher of the two constant strengths' mean_test_loss less that of the schedule: a schedule worse than both is below zero
        test_loss_dip: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of test_loss_dip
        test_loss_dip_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of test_accuracy
        mean_test_accuracy: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of mean_test_accuracy
        mean_test_accuracy_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of barrier
        mean_barrier: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of mean_barrier, of runs in a circle whose neighbours share an end point
        mean_barrier_error: Vec<f64> => [] "1" missing "fewer than two runs",
        /// mean of freezing_time
        mean_freezing_time: Vec<f64> => [] "1" missing "fewer than two runs",
        /// standard error of mean_freezing_time
        mean_freezing_time_error: Vec<f64> => [] "1" missing "fewer than two runs",
    }
}

const SECTION: &str = "network_schedules";
/// Layer whose weights flatness is about: the second.
const LAYER: usize = 1;
/// Checkpoints after the first, by which freezing times are known.
const TENTHS: usize = 10;

struct Checked {
    problem: NetworkProblem,
    changes: Vec<f64>,
}

network_keys!(NetworkSchedules);

impl NetworkSchedules {
    fn check(&self) -> Result<Checked> {
        let fail = |key: &str, message: &str| Err(Error::config(&format!("{SECTION}.{key}"), message));
        check_time(SECTION, self.time, &[self.learning_rate])?;
        let mut changes = self.change.positive("network_schedules.change")?;
        let ascending = changes.windows(2).all(|pair| pair[1] > pair[0]);
        if !ascending || changes.iter().any(|t| *t >= self.time) {
            return fail("change", "ascending times before the end are needed");
        }
        if self.steps(self.time) < TENTHS as u64 {
            return fail("time", "ten iterations at least are needed");
        }
        if self.repeats < 2 {
            return fail("repeats", "two or more are needed");
        }
        if self.factor < 2 {
            return fail("factor", "2 or more is needed: the noise is divided by it");
        }
        if self.hidden.len() < 2 || self.hidden[0].saturating_mul(self.hidden[1]) < FLATNESS_EIGENVALUES {
            return fail(
                "hidden",
                "two hidden layers with ten weights between them are needed",
            );
        }
        let problem = self.keys().check()?;
        for is_low in [false, true] {
            self.training(is_low, self.steps(self.time))
                .check(problem.train.count())
                .map_err(|e| e.at(SECTION))?;
        }
        changes.insert(0, 0.0);
        changes.push(self.time);
        Ok(Checked { problem, changes })
    }

    fn steps(&self, time: f64) -> u64 {
        (time / self.learning_rate).round() as u64
    }

    fn training(&self, is_low: bool, steps: u64) -> Training {
        let (rate, batch) = match (is_low, self.lever) {
            (false, _) => (self.learning_rate, self.batch_size),
            (true, Lever::BatchSize) => (self.learning_rate, self.batch_size.saturating_mul(self.factor)),
            (true, Lever::LearningRate) => (self.learning_rate / self.factor as f64, self.batch_size),
        };
        Training {
            learning_rate: rate,
            batch_size: batch,
            momentum: 0.0,
            replacement: false,
            steps,
            checkpoints: 2,
        }
    }

    /// States of a run after every tenth of its iterations, from the start on.
    fn states(
        &self,
        start: &[f64],
        change: f64,
        loss: &mut CrossEntropy<'_>,
        random: &mut impl rand::Rng,
    ) -> Result<Vec<Vec<f64>>> {
        let (change, total) = (self.steps(change), self.steps(self.time));
        let (mut states, mut now, mut state) = (vec![start.to_vec()], 0, start.to_vec());
        for tenth in 1..=TENTHS as u64 {
            let stop = total * tenth / TENTHS as u64;
            for to in [change.clamp(now, stop), stop] {
                if to == now {
                    continue;
                }
                let mut run = train(loss, &state, &self.training(now >= change, to - now), random)?;
                if let Some(step) = run.diverged_at {
                    return Err(Error::config(
                        "network_schedules.learning_rate",
                        format!("training diverged at iteration {}: lower it", now + step),
                    ));
                }
                state = run.checkpoints.pop().unwrap_or_default();
                now = to;
            }
            states.push(state.clone());
        }
        Ok(states)
    }
}

/// One run with what is known of its end.
struct Ended {
    end: EndPoint,
    flatness: Option<f64>,
    sharpness: f64,
    freezing_time: f64,
    converged: bool,
}

impl Task for NetworkSchedules {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "network_schedules",
        description: "end points of a network against the time at which the noise of its training is lowered",
        group: SECTION,
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["change", "repeats"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = NetworkSchedulesResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("change", &result.change);
        let m = &result.means;
        Ok([
            rows.column("mean_flatness", &m.mean_flatness, &m.mean_flatness_error),
            rows.column("mean_test_loss", &m.mean_test_loss, &m.mean_test_loss_error),
            rows.column("mean_barrier", &m.mean_barrier, &m.mean_barrier_error),
            rows.column(
                "mean_freezing_time",
                &m.mean_freezing_time,
                &m.mean_freezing_time_error,
            ),
            rows.column("flatness_dip", &m.flatness_dip, &m.flatness_dip_error),
            rows.column("test_loss_dip", &m.test_loss_dip, &m.test_loss_dip_error),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Operations a second and core.
        const SPEED: f64 = 3e10;
        /// Operations a weight and sample of a gradient.
        const GRADIENT: f64 = 5.0;
        /// Descents over the whole time that a run is worth.
        const DESCENTS: f64 = 3.0;
        let (sizes, weights) = (self.keys().expected_sizes(), self.keys().expected_weights());
        let images = (self.train as f64 + 0.3 * self.test as f64) * 10.0;
        let runs = (self.change.count() + 2.0) * self.repeats as f64;
        Cost::default()
            .with_memory(
                "network_schedules.repeats",
                12.0 * 8.0 * weights + 8.0 * weights * runs,
            )
            .with_memory(
                "network_schedules.train",
                40.0 * images * sizes.iter().sum::<f64>(),
            )
            .with_result("network_schedules.repeats", 64.0 * runs)
            .with_time(
                "network_schedules.repeats",
                DESCENTS * runs * self.time / self.learning_rate * GRADIENT * weights * images / SPEED,
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (checked, task, seed) = (self.check()?, self.clone(), setting.seed);
        Ok(Box::new(move |progress| {
            Ok(vec![run(&task, &checked, seed, progress)?.group()?])
        }))
    }
}

fn run(
    task: &NetworkSchedules,
    checked: &Checked,
    seed: u64,
    progress: &Progress,
) -> Result<NetworkSchedulesResult> {
    let Checked { problem, changes } = checked;
    let start = problem
        .network
        .initial_state(&mut stream(seed, SECTION, "start", 0));
    let jobs: Vec<(f64, usize)> = changes
        .iter()
        .flat_map(|change| (0..task.repeats).map(move |repeat| (*change, repeat)))
        .collect();
    let bar = progress.task("schedules", jobs.len() as u64);
    let wrong = |end: &EndPoint| end.test.misclassified(problem.test.labels());
    let runs: Vec<Ended> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|&(change, repeat)| {
            let mut loss = CrossEntropy::new(&problem.network, &problem.train)?;
            let mut test = CrossEntropy::new(&problem.network, &problem.test)?;
            let mut random = stream(seed, SECTION, &format!("{change:e}"), repeat);
            let states = task.states(&start, change, &mut loss, &mut random)?;
            let total = task.steps(task.time);
            let mut descend = |state: &[f64], budget: u64| {
                let learning_rate = task.learning_rate;
                gradient_descent(
                    state,
                    &Continuation {
                        learning_rate,
                        budget,
                    },
                    &mut loss,
                    &mut test,
                )
            };
            // as far as all need to the loss at which a descent may end
            let end = descend(&states[TENTHS], total);
            let reference = wrong(&descend(&states[TENTHS], 0));
            let frozen = freezing_checkpoint(TENTHS, 1, 1, |k| {
                let there = descend(&states[k], total - total * k as u64 / TENTHS as u64);
                Ok(jaccard(&wrong(&there), &reference) >= SAME_BASIN)
            })?;
            let mut there = loss.linearise(&end.theta);
            let ended = Ended {
                flatness: LayerHessian::new(&mut there, LAYER, FLATNESS_EIGENVALUES)?.flatness(),
                sharpness: scaled_sharpness(&mut loss, &end.theta, LAYER, seed),
                freezing_time: task.time * frozen as f64 / TENTHS as f64,
                converged: loss.evaluate(&states[TENTHS]).accuracy == 1.0,
                end,
            };
            bar.advance(1);
            Ok(ended)
        })
        .collect::<Result<_>>()?;
    let mut loss = CrossEntropy::new(&problem.network, &problem.train)?;
    let mut barriers = Vec::with_capacity(runs.len());
    for group in runs.chunks(task.repeats) {
        for (k, run) in group.iter().enumerate() {
            let next = &group[(k + 1) % group.len()];
            let loss_at = |theta: &[f64]| loss.evaluate(theta).loss;
            barriers.push(barrier(&run.end.theta, &next.end.theta, loss_at)[0]);
        }
    }
    let of = |what: &dyn Fn(&Ended) -> f64| -> Vec<f64> { runs.iter().map(what).collect() };
    let flatness = of(&|run| run.flatness.unwrap_or(f64::NAN));
    let sharpness = of(&|run| run.sharpness);
    let test_loss = of(&|run| run.end.test.loss);
    let test_accuracy = of(&|run| run.end.test.accuracy);
    let freezing_time = of(&|run| run.freezing_time);
    let means = |values: &[f64]| Means::new(values, task.repeats);
    let [flat, sharp, tested, right, high, frozen] = [
        &flatness,
        &sharpness,
        &test_loss,
        &test_accuracy,
        &barriers,
        &freezing_time,
    ]
    .map(|v| means(v));
    let (flat_dip, test_dip) = (flat.dip(1.0), tested.dip(-1.0));
    // the barriers of neighbours are not independent: as if there were half as many
    let root = std::f64::consts::SQRT_2;
    Ok(NetworkSchedulesResult {
        learning_rate: task.learning_rate,
        batch_size: task.batch_size as f64,
        factor: task.factor as f64,
        lever: vec![task.lever.name().into()],
        training_time: task.time,
        change: changes.clone(),
        means: MeanColumns {
            mean_flatness: flat.value,
            mean_flatness_error: flat.error,
            flatness_dip: flat_dip.value,
            flatness_dip_error: flat_dip.error,
            mean_scaled_sharpness: sharp.value,
            mean_scaled_sharpness_error: sharp.error,
            mean_test_loss: tested.value,
            mean_test_loss_error: tested.error,
            test_loss_dip: test_dip.value,
            test_loss_dip_error: test_dip.error,
            mean_test_accuracy: right.value,
            mean_test_accuracy_error: right.error,
            mean_barrier: high.value,
            mean_barrier_error: high.error.into_iter().map(|e| root * e).collect(),
            mean_freezing_time: frozen.value,
            mean_freezing_time_error: frozen.error,
        },
        flatness,
        scaled_sharpness: sharpness,
        train_loss: of(&|run| run.end.train.loss),
        test_loss,
        test_accuracy,
        barrier: barriers,
        freezing_time,
        converged: runs.iter().map(|run| u64::from(run.converged)).collect(),
    })
}

/// Means with standard errors, one a schedule.
struct Means {
    value: Vec<f64>,
    error: Vec<f64>,
}

impl Means {
    fn new(values: &[f64], repeats: usize) -> Self {
        let of = |runs: &[f64]| -> Option<Estimate> {
            let known: Vec<f64> = runs.iter().copied().filter(|v| v.is_finite()).collect();
            mean(&known).ok()
        };
        let all = values.chunks(repeats).map(of);
        let (value, error) = all
            .map(|e| e.map_or((f64::NAN, f64::NAN), |e| (e.value, e.standard_error)))
            .unzip();
        Self { value, error }
    }

    /// sign · mean of each less the lower of those of the first and the last.
    fn dip(&self, sign: f64) -> Self {
        let last = self.value.len() - 1;
        let lower = if sign * self.value[0] < sign * self.value[last] {
            0
        } else {
            last
        };
        let difference = |k: usize| sign * (self.value[k] - self.value[lower]);
        let error = |k: usize| match k == lower {
            true => 0.0,
            false => self.error[k].hypot(self.error[lower]),
        };
        Self {
            value: (0..=last).map(difference).collect(),
            error: (0..=last).map(error).collect(),
        }
    }
}

/// Flatness, test loss, barrier and freezing time against the time at which the noise is lowered; first and last point are noise that does not change.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = NetworkSchedulesResult::of(file)?;
    let m = &result.means;
    let panels = [
        (
            "flatness *F* of the end point",
            &m.mean_flatness,
            &m.mean_flatness_error,
        ),
        (
            "test loss of the end point",
            &m.mean_test_loss,
            &m.mean_test_loss_error,
        ),
        (
            "barrier between end points",
            &m.mean_barrier,
            &m.mean_barrier_error,
        ),
        (
            "freezing time *ηt*_f",
            &m.mean_freezing_time,
            &m.mean_freezing_time_error,
        ),
    ];
    let last = result.change.len() - 1;
    let panel = |(label, value, error): (&str, &Vec<f64>, &Vec<f64>)| {
        let mut panel = Panel::new(
            "",
            Axis::linear("time *ηt* at which the noise is lowered"),
            Axis::linear(label),
        );
        for (k, name) in [(0, "low noise"), (last, "high noise")] {
            let style = Style::nth(k.min(1) + 1).with_width(0.8);
            let ends = [result.change[0], result.change[last]];
            panel = panel.with(Layer::line(&ends, &[value[k]; 2], name, style));
        }
        panel.with(Layer::points(
            &result.change,
            value,
            error,
            "lowered once",
            Style::nth(0),
        ))
    };
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.6,
        panels: panels.into_iter().map(panel).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dip_is_what_lies_below_both_constant_strengths() {
        let means = Means::new(&[2.0, 2.2, 1.0, 1.2, 3.0, 3.2], 2);
        let dip = means.dip(1.0);
        assert!((dip.value[1] + 1.0).abs() < 1e-12 && dip.value[0] == 0.0 && dip.error[0] == 0.0);
        assert!((dip.error[1] - 0.1 * 2.0_f64.sqrt()).abs() < 1e-12);
        // of a loss, which should be low, the schedule between is the best
        let rise = means.dip(-1.0);
        assert!(
            (rise.value[1] - 2.0).abs() < 1e-12 && rise.value[2] == 0.0,
            "{:?}",
            rise.value
        );
    }
}
