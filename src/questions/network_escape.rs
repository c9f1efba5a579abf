//! `[network_escape]`: sections of a network's loss between end points of gradient descent, the escape that they predict, and that of SGD started again from the same checkpoints.

use super::network_problem::{NetworkProblem, SAME_BASIN, check_time, network_keys, stream};
use crate::diffusion::{Sgd, noise_strength};
use crate::error::{Error, Result};
use crate::freezing::{
    NoiseSchedule, SectionDensity, SlowFast, ValleyPath, ValleyPathSettings, section_density,
};
use crate::network::{
    Continuation, CrossEntropy, Curve, EndPoint, SectionPoint, SectionTable, Training, border, crossing,
    distance, gradient_descent, jaccard, log_passage_rate, noise_along, parallel_sections, projection, ridge,
    tabulate, train,
};
use crate::output::{Records, ResultFile, records};
use crate::plot::{Axis, Dash, Figure, Layer, Panel, Style, TWO_COLUMNS};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::statistics::{Estimate, KaplanMeier, Lifetime, grouped_rate, mean, proportion};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use crate::{landscape, noise};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[network_escape]`: one run of SGD on a network, sections through the end points of gradient descent from its checkpoints, and many runs started again there. Batches are drawn with replacement.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkEscape {
    /// Folder with MNIST in IDX format; none trains on the embedded digits.
    pub data: Option<String>,
    /// Images of each class for training, the first ones of the file.
    pub train: usize,
    /// Images of each class for testing.
    pub test: usize,
    /// Units of the hidden layers.
    pub hidden: Vec<usize>,
    /// η.
    pub learning_rate: f64,
    /// B.
    pub batch_size: usize,
    /// Training time of the run, learning rate times iterations.
    pub time: f64,
    /// Training times of the checkpoints through whose end points sections are laid, ascending, four at least.
    pub sections: ParameterRange,
    /// Runs of SGD from each checkpoint.
    pub restarts: usize,
    /// Training time for which they are followed.
    pub horizon: f64,
    /// Times within it, equally spaced, at which gradient descent says where they are.
    pub looks: usize,
    /// Equal parts of a section between its two end points; half as many follow beyond either.
    pub parts: usize,
    /// Steps of gradient descent of the string.
    pub string_steps: usize,
}

impl Default for NetworkEscape {
    fn default() -> Self {
        Self {
            data: None,
            train: 50,
            test: 100,
            hidden: vec![30, 30],
            learning_rate: 0.1,
            batch_size: 10,
            time: 100.0,
            sections: ParameterRange::List(vec![2.0, 4.0, 8.0, 16.0, 32.0, 64.0]),
            restarts: 20,
            horizon: 20.0,
            looks: 5,
            parts: 16,
            string_steps: 100,
        }
    }
}

records! {
    /// sections of a network's loss from the end point of a checkpoint to that of the last state, the escape that SGD on such a section would make, and that of SGD itself started again from the checkpoint
    pub struct NetworkEscapeResult in "network_escape" {
        attributes {
            /// η.
            learning_rate: f64,
            /// B.
            batch_size: f64,
            /// Training time of the run.
            training_time: f64,
            /// Runs started again from each checkpoint.
            restarts: i64,
            /// Training accuracy of the last state of the run.
            last_accuracy: f64,
        }
        /// training time of the checkpoints
        checkpoint_time: Vec<f64> => [checkpoint] "1" "ηt",
        /// curve from end point to end point: the straight one, and the string that descent makes of it
        curve: Vec<String> => [curve] "text",
        /// position on a section, in units of its length: 0 at the end point of the checkpoint, 1 at that of the last state
        position: Vec<f64> => [position] "1" "ξ",
        /// training time after the checkpoint at which restarts are looked at
        look: Vec<f64> => [look] "1" "ηt",
        /// training loss at the checkpoint
        checkpoint_loss: Vec<f64> => [checkpoint] "1",
        /// distance of the two end points
        distance: Vec<f64> => [checkpoint] "1",
        /// Jaccard index of the test images that the two end points misclassify
        similarity: Vec<f64> => [checkpoint] "1" "J",
        /// sections
        section: SectionColumns => [curve, checkpoint],
        /// restarts
        restarted: RestartColumns => [checkpoint],
        /// what restarts come out of: the side of the border on the straight section, or the basin of the checkpoint
        way_out: Vec<String> => [way_out] "text",
        /// the iterations at which they do
        crossing: CrossingColumns => [way_out, checkpoint],
        /// the regime of the table of parallel sections, or why it cannot be followed
        freezing_note: Vec<String> => [note] "text",
        /// x of the parallel sections, a length along the direction from the first end point to the last
        path_x: Vec<f64> => [path_x] "1" "x",
        /// training time of the parallel sections, with seven between two checkpoints
        path_s: Vec<f64> => [path_s] "1" "s",
        /// loss on the parallel sections through the end points
        path_loss: Vec<f64> => [path_x, path_s] "1" "L",
        /// covariance of the gradient of one sample along them, at the states of training
        path_covariance: Vec<f64> => [path_x, path_s] "1" "C",
        /// valleys on the parallel sections, the most at one time
        path_valleys: Vec<u64> => [note] "1",
        /// restarts from the first checkpoint beyond the middle of the way to the last end point: by the table of sections
        predicted_beyond: Vec<f64> => [checkpoint] "1" missing "the table cannot be followed",
        /// the same of SGD, by the end points to which the restarts lead
        measured_beyond: Vec<f64> => [checkpoint] "1",
        /// standard error of measured_beyond
        measured_beyond_error: Vec<f64> => [checkpoint] "1",
        /// mean of x over the restarts by the table of sections
        predicted_x: Vec<f64> => [checkpoint] "1" missing "the table cannot be followed",
        /// the same of SGD
        measured_x: Vec<f64> => [checkpoint] "1",
        /// standard error of measured_x
        measured_x_error: Vec<f64> => [checkpoint] "1",
        /// mean training time after which no restart from the first checkpoint hops between valleys of the table
        predicted_freezing_time: f64 => [] "1" missing "there is one valley, or hops go on at the end",
        /// mean training time of the last section at which the end points of a restart from the first checkpoint change sides
        measured_freezing_time: f64 => [] "1" missing "fewer than two restarts change sides",
        /// standard error of measured_freezing_time
        measured_freezing_time_error: f64 => [] "1" missing "fewer than two restarts change sides",
    }
}

records! {
    /// A section along its curve.
    pub struct SectionColumns {
        /// arclength from end point to end point
        length: Vec<f64> => [] "1" "ℓ",
        /// position of the border: the highest point between the end points, or half-way where there is none
        border: Vec<f64> => [] "1" "ξ",
        /// height of the loss there over that of the end point of the checkpoint
        barrier: Vec<f64> => [] "1" "ΔL" missing "the loss has no maximum between the end points",
        /// log10 of the rate of passage to the border under the noise of the section itself
        log10_rate: Vec<f64> => [] "1" missing "the spline of the noise is not positive, or the wall too high",
        /// the same under the noise that training has at the checkpoint in the directions of the section
        log10_rate_training_noise: Vec<f64> => [] "1" missing "the spline of the noise is not positive, or the wall too high",
        /// training loss
        loss: Vec<f64> => [position] "1" "L",
        /// curvature of the loss in the direction of the section
        curvature: Vec<f64> => [position] "1",
        /// variance of the gradient of one sample in this direction
        noise: Vec<f64> => [position] "1" "C",
        /// share of the trace of the covariance in this direction
        noise_share: Vec<f64> => [position] "1",
        /// gradient that leads away from the section
        across: Vec<f64> => [position] "1",
        /// variance of the gradient of one sample at the checkpoint in this direction
        training_noise: Vec<f64> => [position] "1" "C",
    }
}

records! {
    /// Restarts, by the end points of gradient descent to which they lead.
    pub struct RestartColumns {
        /// rate at which restarts come to an end point beyond the border of the straight section
        side_rate: Vec<f64> => [] "1" missing "no restart or every one did at the first look",
        /// standard error of side_rate
        side_rate_error: Vec<f64> => [] "1" missing "no restart or every one did at the first look",
        /// 95 % upper bound of the rate, from the time in which no restart came beyond the border
        side_rate_bound: Vec<f64> => [] "1" missing "some did",
        /// rate at which restarts leave the basin of the checkpoint: Jaccard index of the misclassified test images below 0.9
        basin_rate: Vec<f64> => [] "1" missing "no restart or every one did at the first look",
        /// standard error of basin_rate
        basin_rate_error: Vec<f64> => [] "1" missing "no restart or every one did at the first look",
        /// 95 % upper bound of the rate, from the time in which no restart came out of the basin
        basin_rate_bound: Vec<f64> => [] "1" missing "some did",
        /// share that has not been beyond the border so far (Kaplan-Meier)
        side_survival: Vec<f64> => [look] "1" "S" missing "training had ended",
        /// standard error of side_survival
        side_survival_error: Vec<f64> => [look] "1" missing "training had ended",
        /// share that has not left the basin so far (Kaplan-Meier)
        basin_survival: Vec<f64> => [look] "1" "S" missing "training had ended",
        /// standard error of basin_survival
        basin_survival_error: Vec<f64> => [look] "1" missing "training had ended",
        /// mean position of the end points on the straight section
        mean_position: Vec<f64> => [look] "1" "ξ" missing "training had ended",
        /// mean distance of the end points from that of the checkpoint, in lengths of the section
        mean_distance: Vec<f64> => [look] "1" missing "training had ended",
        /// standard error of mean_distance
        mean_distance_error: Vec<f64> => [look] "1" missing "training had ended",
        /// mean distance of the end points after the first iteration from that of the checkpoint, in lengths of the section
        iteration_distance: Vec<f64> => [] "1",
        /// standard error of iteration_distance
        iteration_distance_error: Vec<f64> => [] "1",
    }
}

records! {
    /// The single iterations of SGD at which end points of restarts first come out: whether they hop or drift.
    pub struct CrossingColumns {
        /// restarts that come out at a look
        crossings: Vec<u64> => [] "runs",
        /// mean distance between the end points of the states before and after this iteration, in lengths of the section
        crossing_step: Vec<f64> => [] "1" missing "fewer than two restarts come out",
        /// standard error of crossing_step
        crossing_step_error: Vec<f64> => [] "1" missing "fewer than two restarts come out",
        /// largest height of the loss on the straight line between these two end points over the higher of them
        crossing_ridge: Vec<f64> => [] "1" missing "no restart comes out",
        /// share of hops: this height is at least ηC/2B, C the variance of the gradient of one sample at the state before, along the line
        hop_share: Vec<f64> => [] "1" missing "no restart comes out",
        /// standard error of hop_share
        hop_share_error: Vec<f64> => [] "1" missing "no restart comes out",
    }
}

const SECTION: &str = "network_escape";
/// Names of the curves.
const CURVES: [&str; 2] = ["line", "string"];
/// Names of what restarts come out of.
const WAYS_OUT: [&str; 2] = ["side", "basin"];

/// A task that has been checked.
struct Checked {
    problem: NetworkProblem,
    sections: Vec<f64>,
}

network_keys!(NetworkEscape);

impl NetworkEscape {
    fn check(&self) -> Result<Checked> {
        let fail = |key: &str, message: &str| Err(Error::config(&format!("{SECTION}.{key}"), message));
        check_time(SECTION, self.time, &[self.learning_rate])?;
        let sections = self.sections.positive("network_escape.sections")?;
        let ascending = sections.windows(2).all(|pair| pair[1] > pair[0]);
        if sections.len() < 4 || !ascending || sections[sections.len() - 1] >= self.time {
            return fail(
                "sections",
                "four or more ascending training times before the end are needed",
            );
        }
        let shortest = sections
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(sections[0], f64::min);
        if shortest < 2.0 * self.learning_rate {
            return fail("sections", "they must be two iterations apart at least");
        }
        if self.restarts < 2 {
            return fail("restarts", "two or more are needed");
        }
        if self.looks == 0 {
            return fail("looks", "at least one is needed");
        }
        let interval = self.horizon / self.looks as f64;
        if !(interval >= self.learning_rate && self.horizon <= self.time) {
            return fail(
                "horizon",
                "it must not exceed the training time, and reach an iteration from look to look",
            );
        }
        if !(8..=1000).contains(&self.parts) {
            return fail("parts", "8 to 1000 are possible");
        }
        if self.string_steps > 100_000 {
            return fail("string_steps", "at most 100000 are possible");
        }
        let problem = self.keys().check()?;
        self.training(self.time)
            .check(problem.train.count())
            .map_err(|e| e.at(SECTION))?;
        Ok(Checked { problem, sections })
    }

    fn training(&self, time: f64) -> Training {
        Training {
            learning_rate: self.learning_rate,
            batch_size: self.batch_size,
            momentum: 0.0,
            replacement: true,
            steps: (time / self.learning_rate).round() as u64,
            checkpoints: 2,
        }
    }

    /// States of a run between two times: the first and the last, or after `every` iteration.
    fn states_between(
        &self,
        start: &[f64],
        [from, to]: [f64; 2],
        every: bool,
        loss: &mut CrossEntropy<'_>,
        random: &mut impl rand::Rng,
    ) -> Result<Vec<Vec<f64>>> {
        let mut training = self.training(to - from);
        if every {
            training.checkpoints = training.steps as usize + 1;
        }
        let run = train(loss, start, &training, random)?;
        match run.diverged_at {
            Some(step) => {
                let step = step + (from / self.learning_rate).round() as u64;
                Err(Error::config(
                    "network_escape.learning_rate",
                    format!("training diverged at iteration {step}: lower it"),
                ))
            }
            None => Ok(run.checkpoints),
        }
    }

    /// States at these times of a run that starts at `start`.
    fn states(
        &self,
        start: &[f64],
        times: &[f64],
        loss: &mut CrossEntropy<'_>,
        random: &mut impl rand::Rng,
    ) -> Result<Vec<Vec<f64>>> {
        let mut states: Vec<Vec<f64>> = Vec::with_capacity(times.len());
        let mut before = 0.0;
        for time in times {
            let state = states.last().map_or(start, Vec::as_slice);
            let reached = self
                .states_between(state, [before, *time], false, loss, random)?
                .pop();
            states.extend(reached);
            before = *time;
        }
        Ok(states)
    }

    /// Where a state at a training time leads to.
    fn end(&self, state: &[f64], time: f64, [train, test]: [&mut CrossEntropy<'_>; 2]) -> EndPoint {
        let continuation = Continuation {
            learning_rate: self.learning_rate,
            budget: ((self.time - time) / self.learning_rate).round().max(0.0) as u64,
        };
        gradient_descent(state, &continuation, train, test)
    }

    /// What happens between the end points of two neighbouring states of training.
    fn crossing(
        &self,
        [(before, from), (_, to)]: [(usize, EndPoint); 2],
        states: &[Vec<f64>],
        length: f64,
        loss: &mut CrossEntropy<'_>,
    ) -> Result<Crossing> {
        let step = distance(&from.theta, &to.theta);
        let pairs = from.theta.iter().zip(&to.theta);
        let direction: Vec<f64> = pairs.map(|(a, b)| (b - a) / step).collect();
        let noise = noise_along(&states[before], &[direction], loss)?[0];
        let temperature = noise_strength(self.learning_rate, self.batch_size as f64)? * noise;
        let ridge = ridge(&from.theta, &to.theta, |theta| loss.evaluate(theta).loss);
        Ok(Crossing {
            step: step / length,
            ridge,
            is_hop: ridge >= temperature,
        })
    }

    fn looks(&self) -> Vec<f64> {
        (1..=self.looks)
            .map(|k| self.horizon * k as f64 / self.looks as f64)
            .collect()
    }
}

impl Task for NetworkEscape {
    const FIGURES: &'static [FigureEntry] = &[FigureEntry {
        name: "network_escape",
        description: "sections of a network's loss along training, and predicted against measured escape",
        group: SECTION,
        figure,
    }];

    const SHAPED_BY: &'static [&'static str] = &["sections", "looks", "parts"];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = NetworkEscapeResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows = Rows::along("checkpoint_time", &result.checkpoint_time);
        let (r, s) = (&result.restarted, &result.section);
        let line = |record: &[f64]| record[..result.checkpoint_time.len()].to_vec();
        let mut numbers = [
            rows.column("basin_rate", &r.basin_rate, &r.basin_rate_error),
            rows.column("side_rate", &r.side_rate, &r.side_rate_error),
            rows.column("log10_rate", &line(&s.log10_rate), &[]),
            rows.column(
                "log10_rate_training_noise",
                &line(&s.log10_rate_training_noise),
                &[],
            ),
            rows.column("barrier", &line(&s.barrier), &[]),
        ]
        .concat();
        numbers.extend(MainNumber::new(
            "measured_freezing_time",
            "",
            result.measured_freezing_time,
            result.measured_freezing_time_error,
        ));
        Ok(numbers)
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Operations a second and core.
        const SPEED: f64 = 3e10;
        /// Operations a weight and sample of a gradient.
        const GRADIENT: f64 = 5.0;
        /// Training time at which descents have settled, from wherever they start, and the shortest that one takes.
        const SETTLED: f64 = 75.0;
        const SHORTEST: f64 = 7.0;
        /// Share of the ways out of which the iteration is searched for.
        const CROSSED: f64 = 0.6;
        let (sizes, weights) = (self.keys().expected_sizes(), self.keys().expected_weights());
        let images = (self.train as f64 + 0.3 * self.test as f64) * 10.0;
        let sections = self.sections.count();
        // descents of a restart: after its first iteration, at its looks, and by halving the iterations between two looks; from the first checkpoint also at the later ones
        let (looks, ways) = (self.looks.max(1) as f64, WAYS_OUT.len() as f64);
        let searched = CROSSED * ways * (self.horizon / looks / self.learning_rate).log2().max(1.0);
        let left = |time: f64| (self.time.min(SETTLED) - time).max(SHORTEST);
        let mut time = 0.0;
        for section in self.sections.positive(SECTION).unwrap_or_default() {
            time += (2.0 + searched) * left(section) + looks * left(section + 0.5 * self.horizon);
        }
        let descents = self.restarts as f64 * time / self.learning_rate;
        let strings = sections * (self.parts * self.string_steps) as f64;
        let table = 12.0 * sections * self.parts as f64;
        Cost::default()
            .with_memory("network_escape.parts", 32.0 * weights * self.parts as f64)
            .with_memory("network_escape.restarts", 16.0 * weights * self.restarts as f64)
            .with_memory("network_escape.train", 40.0 * images * sizes.iter().sum::<f64>())
            .with_result("network_escape.parts", 200.0 * sections * self.parts as f64)
            .with_time(
                "network_escape.restarts",
                (descents + strings + table) * GRADIENT * weights * images / SPEED,
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (checked, task, seed) = (self.check()?, self.clone(), setting.seed);
        Ok(Box::new(move |progress| {
            Ok(vec![run(&task, &checked, seed, progress)?.group()?])
        }))
    }
}

/// One look at a restart.
struct Look {
    /// Training time since the checkpoint.
    time: f64,
    /// On the straight section: position, and distance from its first end.
    place: (f64, f64),
    /// Whether its end point is still in the basin of the checkpoint.
    same_basin: bool,
}

impl Look {
    /// Whether it is beyond the border, and out of the basin.
    fn is_out(&self, border: f64) -> [bool; 2] {
        [self.place.0 >= border, !self.same_basin]
    }
}

/// A restart.
struct Restart {
    looks: Vec<Look>,
    /// Distance of the end point after the first iteration from that of the checkpoint, in lengths of the section.
    iteration: f64,
    /// The iterations at which it first came beyond the border, and out of the basin.
    crossings: [Option<Crossing>; 2],
}

/// An iteration at which a restart comes out.
struct Crossing {
    /// Distance between the end points before and after, in lengths of the section.
    step: f64,
    ridge: f64,
    is_hop: bool,
}

/// A checkpoint of the run with the section through its end point.
struct Station {
    time: f64,
    state: Vec<f64>,
    end: EndPoint,
    tables: Vec<CurveTable>,
}

/// A section along one of its curves.
struct CurveTable {
    length: f64,
    position: Vec<f64>,
    points: Vec<SectionPoint>,
    training_noise: Vec<f64>,
    border: (f64, Option<f64>),
    log_rates: [Option<f64>; 2],
}

impl CurveTable {
    fn new(task: &NetworkEscape, curve: &Curve, state: &[f64], loss: &mut CrossEntropy<'_>) -> Result<Self> {
        let points = tabulate(curve, loss)?;
        let training_noise = noise_along(state, &curve.tangents(), loss)?;
        let losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
        let own: Vec<f64> = points.iter().map(|point| point.noise).collect();
        let border = border(&curve.position, &losses, curve.length);
        let sgd = [task.learning_rate, task.batch_size as f64];
        let rate = |noise: &[f64]| log_passage_rate(&curve.position, &losses, noise, sgd, border.0);
        Ok(Self {
            length: curve.length,
            position: curve.position.iter().map(|x| x / curve.length).collect(),
            border: (border.0 / curve.length, border.1),
            log_rates: [rate(&own)?, rate(&training_noise)?],
            points,
            training_noise,
        })
    }
}

fn run(
    task: &NetworkEscape,
    checked: &Checked,
    seed: u64,
    progress: &Progress,
) -> Result<NetworkEscapeResult> {
    let Checked { problem, sections } = checked;
    let losses = || -> Result<[CrossEntropy<'_>; 2]> {
        Ok([
            CrossEntropy::new(&problem.network, &problem.train)?,
            CrossEntropy::new(&problem.network, &problem.test)?,
        ])
    };
    let bar = progress.task("sections", sections.len() as u64);
    let [mut loss, mut test] = losses()?;
    let start = problem
        .network
        .initial_state(&mut stream(seed, SECTION, "start", 0));
    let times: Vec<f64> = sections.iter().copied().chain([task.time]).collect();
    let states = task.states(&start, &times, &mut loss, &mut stream(seed, SECTION, "run", 0))?;
    let last = EndPoint::at(&states[sections.len()], &mut loss, &mut test);
    let stations: Vec<Station> = (sections.par_iter().zip(&states).with_max_len(1))
        .map(|(time, state)| {
            let [mut loss, mut test] = losses()?;
            let end = task.end(state, *time, [&mut loss, &mut test]);
            let beyond = task.parts / 2;
            let curves = [
                Curve::straight(&end.theta, &last.theta, task.parts, beyond),
                Curve::string(
                    &end.theta,
                    &last.theta,
                    [task.parts, beyond],
                    task.string_steps,
                    task.learning_rate,
                    &mut loss,
                ),
            ];
            let tables = curves
                .iter()
                .map(|curve| CurveTable::new(task, curve, state, &mut loss));
            let tables = tables.collect::<Result<_>>()?;
            bar.advance(1);
            Ok(Station {
                time: *time,
                state: state.clone(),
                end,
                tables,
            })
        })
        .collect::<Result<_>>()?;
    drop(bar);
    let labels = problem.test.labels();
    let wrong = |end: &EndPoint| end.test.misclassified(labels);
    // restarts of the first checkpoint are looked at when the sections are, too
    let looks = task.looks();
    let looks_from = |k: usize| -> Vec<f64> {
        let mut all = looks.clone();
        if k == 0 {
            all.extend(times[1..].iter().map(|time| time - times[0]));
        }
        all.retain(|time| times[k] + time <= task.time * (1.0 + 1e-12));
        all.sort_by(f64::total_cmp);
        all.dedup_by(|a, b| (*a - *b).abs() < 0.5 * task.learning_rate);
        all
    };
    let jobs: Vec<(usize, usize)> = (0..stations.len())
        .flat_map(|k| (0..task.restarts).map(move |r| (k, r)))
        .collect();
    let bar = progress.task("restarts", jobs.len() as u64);
    let restarts: Vec<Restart> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|&(k, r)| {
            let mut random = stream(seed, SECTION, &format!("restart {k}"), r);
            let restarted = restart(
                task,
                &stations[k],
                &last.theta,
                &looks_from(k),
                labels,
                losses()?,
                &mut random,
            );
            bar.advance(1);
            restarted
        })
        .collect::<Result<_>>()?;
    let by_station: Vec<&[Restart]> = restarts.chunks(task.restarts).collect();
    let x = path_positions(distance(&stations[0].end.theta, &last.theta), task.parts);
    let ends: Vec<Vec<f64>> = stations.iter().map(|station| station.end.theta.clone()).collect();
    let table = parallel_sections(&states[..sections.len()], &ends, &last.theta, x, &mut loss)?;
    let (path_s, table) = refined(sections, &table);
    let first = Followed::new(by_station[0], &times)?;
    let law = follow_table(task, &table, &path_s, sections)?;
    let curves = |of: &dyn Fn(&CurveTable) -> f64| -> Vec<f64> {
        let all = (0..CURVES.len()).flat_map(|c| stations.iter().map(move |s| &s.tables[c]));
        all.map(of).collect()
    };
    let along = |of: &dyn Fn(&SectionPoint) -> f64| -> Vec<f64> {
        let all = (0..CURVES.len()).flat_map(|c| stations.iter().flat_map(move |s| &s.tables[c].points));
        all.map(of).collect()
    };
    let log10 = |rate: Option<f64>| rate.map_or(f64::NAN, |rate| rate / std::f64::consts::LN_10);
    Ok(NetworkEscapeResult {
        learning_rate: task.learning_rate,
        batch_size: task.batch_size as f64,
        training_time: task.time,
        restarts: task.restarts as i64,
        last_accuracy: last.train.accuracy,
        checkpoint_time: sections.clone(),
        curve: CURVES.map(String::from).to_vec(),
        position: stations[0].tables[0].position.clone(),
        checkpoint_loss: stations.iter().map(|s| loss.evaluate(&s.state).loss).collect(),
        distance: stations
            .iter()
            .map(|s| distance(&s.end.theta, &last.theta))
            .collect(),
        similarity: stations
            .iter()
            .map(|s| jaccard(&wrong(&s.end), &wrong(&last)))
            .collect(),
        section: SectionColumns {
            length: curves(&|c| c.length),
            border: curves(&|c| c.border.0),
            barrier: curves(&|c| c.border.1.unwrap_or(f64::NAN)),
            log10_rate: curves(&|c| log10(c.log_rates[0])),
            log10_rate_training_noise: curves(&|c| log10(c.log_rates[1])),
            loss: along(&|p| p.loss),
            curvature: along(&|p| p.curvature),
            noise: along(&|p| p.noise),
            noise_share: along(&|p| p.noise_share),
            across: along(&|p| p.across),
            training_noise: (0..CURVES.len())
                .flat_map(|c| {
                    stations
                        .iter()
                        .flat_map(move |s| s.tables[c].training_noise.clone())
                })
                .collect(),
        },
        restarted: restart_columns(&stations, &by_station, &looks)?,
        way_out: WAYS_OUT.map(String::from).to_vec(),
        crossing: crossing_columns(&by_station)?,
        look: looks,
        freezing_note: vec![law.note],
        path_x: table.x,
        path_s,
        path_loss: table.loss,
        path_covariance: table.covariance,
        path_valleys: vec![law.valleys],
        predicted_beyond: law.beyond,
        measured_beyond: first.beyond.iter().map(|e| e.value).collect(),
        measured_beyond_error: first.beyond.iter().map(|e| e.standard_error).collect(),
        predicted_x: law.x,
        measured_x: (first.x.iter())
            .map(|e| e.value * stations[0].tables[0].length)
            .collect(),
        measured_x_error: (first.x.iter())
            .map(|e| e.standard_error * stations[0].tables[0].length)
            .collect(),
        predicted_freezing_time: law.freezing_time,
        measured_freezing_time: first.freezing.map_or(f64::NAN, |e| e.value),
        measured_freezing_time_error: first.freezing.map_or(f64::NAN, |e| e.standard_error),
    })
}

/// A restart of training from a station, looked at at times after it.
fn restart<'a>(
    task: &NetworkEscape,
    station: &Station,
    last: &[f64],
    after: &[f64],
    labels: &[u8],
    [mut loss, mut test]: [CrossEntropy<'a>; 2],
    random: &mut Xoshiro256PlusPlus,
) -> Result<Restart> {
    let (home, border) = (station.end.test.misclassified(labels), station.tables[0].border.0);
    let look = |end: &EndPoint, time: f64| Look {
        time,
        place: projection(&end.theta, &station.end.theta, last),
        same_basin: jaccard(&end.test.misclassified(labels), &home) >= SAME_BASIN,
    };
    let mut end = |state: &[f64], time: f64, loss: &mut CrossEntropy<'a>| {
        task.end(state, station.time + time, [loss, &mut test])
    };
    let first = task.states_between(
        &station.state,
        [0.0, task.learning_rate],
        false,
        &mut loss,
        &mut random.clone(),
    )?;
    let iteration = look(&end(&first[1], task.learning_rate, &mut loss), task.learning_rate);
    let mut out = Restart {
        looks: Vec::with_capacity(after.len()),
        iteration: iteration.place.1,
        crossings: [None, None],
    };
    let (mut state, mut before) = (station.state.clone(), 0.0);
    for &time in after {
        let mut same = random.clone();
        let mut next = task.states_between(&state, [before, time], false, &mut loss, random)?;
        let reached = next.pop().unwrap_or_default();
        let seen = look(&end(&reached, time, &mut loss), time);
        let is_out = seen.is_out(border);
        out.looks.push(seen);
        let is_new = |way: &usize| {
            time <= task.horizon * (1.0 + 1e-12) && is_out[*way] && out.crossings[*way].is_none()
        };
        let ways: Vec<usize> = (0..WAYS_OUT.len()).filter(is_new).collect();
        if !ways.is_empty() {
            let states = task.states_between(&state, [before, time], true, &mut loss, &mut same)?;
            for way in ways {
                let at = |k: usize| before + task.learning_rate * k as f64;
                let ends = crossing(
                    states.len(),
                    |k| (k, end(&states[k], at(k), &mut loss)),
                    |(k, end)| look(end, at(*k)).is_out(border)[way],
                );
                out.crossings[way] =
                    Some(task.crossing(ends, &states, station.tables[0].length, &mut loss)?);
            }
        }
        (state, before) = (reached, time);
    }
    Ok(out)
}

/// x of the parallel sections: the way to the last end point, and once as much to either side.
fn path_positions(length: f64, parts: usize) -> Vec<f64> {
    let step = length / parts as f64;
    (0..=3 * parts)
        .map(|k| (k as f64 - parts as f64) * step)
        .collect()
}

/// The table with further times between two sections: the loss on straight lines between them, the noise geometrically. Splines through the sections alone swing
/// below zero where the noise falls by decades.
fn refined(sections: &[f64], table: &SectionTable) -> (Vec<f64>, SectionTable) {
    /// Steps from section to section.
    const STEPS: usize = 8;
    let count = sections.len();
    let fine = (count - 1) * STEPS + 1;
    let at = |k: usize| {
        let left = (k / STEPS).min(count - 2);
        (left, (k - left * STEPS) as f64 / STEPS as f64)
    };
    let s = (0..fine)
        .map(at)
        .map(|(left, share)| sections[left] + share * (sections[left + 1] - sections[left]));
    let rows = |values: &[f64], mix: &dyn Fn(f64, f64, f64) -> f64| -> Vec<f64> {
        let rows = values.chunks_exact(count);
        rows.flat_map(|row| {
            (0..fine)
                .map(at)
                .map(move |(left, share)| mix(row[left], row[left + 1], share))
                .collect::<Vec<_>>()
        })
        .collect()
    };
    let table = SectionTable {
        x: table.x.clone(),
        loss: rows(&table.loss, &|a, b, share| a + share * (b - a)),
        covariance: rows(&table.covariance, &|a, b, share| a * (b / a).powf(share)),
    };
    (s.collect(), table)
}

fn crossing_columns(restarts: &[&[Restart]]) -> Result<CrossingColumns> {
    let mut out = CrossingColumns {
        crossings: Vec::new(),
        crossing_step: Vec::new(),
        crossing_step_error: Vec::new(),
        crossing_ridge: Vec::new(),
        hop_share: Vec::new(),
        hop_share_error: Vec::new(),
    };
    for way in 0..WAYS_OUT.len() {
        for runs in restarts {
            let found: Vec<&Crossing> = runs
                .iter()
                .filter_map(|run| run.crossings[way].as_ref())
                .collect();
            let steps: Vec<f64> = found.iter().map(|crossing| crossing.step).collect();
            let step = mean(&steps).ok();
            let hops = found.iter().filter(|crossing| crossing.is_hop).count();
            let share = proportion(hops, found.len()).ok();
            out.crossings.push(found.len() as u64);
            out.crossing_step
                .push(step.as_ref().map_or(f64::NAN, |e| e.value));
            out.crossing_step_error
                .push(step.as_ref().map_or(f64::NAN, |e| e.standard_error));
            out.crossing_ridge.push(
                found
                    .iter()
                    .map(|crossing| crossing.ridge)
                    .fold(f64::NAN, f64::max),
            );
            out.hop_share.push(share.as_ref().map_or(f64::NAN, |e| e.value));
            out.hop_share_error
                .push(share.as_ref().map_or(f64::NAN, |e| e.standard_error));
        }
    }
    Ok(out)
}

fn restart_columns(stations: &[Station], restarts: &[&[Restart]], looks: &[f64]) -> Result<RestartColumns> {
    let mut out = RestartColumns {
        side_rate: Vec::new(),
        side_rate_error: Vec::new(),
        side_rate_bound: Vec::new(),
        basin_rate: Vec::new(),
        basin_rate_error: Vec::new(),
        basin_rate_bound: Vec::new(),
        side_survival: Vec::new(),
        side_survival_error: Vec::new(),
        basin_survival: Vec::new(),
        basin_survival_error: Vec::new(),
        mean_position: Vec::new(),
        mean_distance: Vec::new(),
        mean_distance_error: Vec::new(),
        iteration_distance: Vec::new(),
        iteration_distance_error: Vec::new(),
    };
    for (station, runs) in stations.iter().zip(restarts) {
        let border = station.tables[0].border.0;
        let is_look = |look: &&Look| looks.iter().any(|time| (time - look.time).abs() < 1e-9);
        let seen: Vec<Vec<&Look>> = runs
            .iter()
            .map(|run| run.looks.iter().filter(is_look).collect())
            .collect();
        let beyond = escapes(&seen, looks, |look| look.place.0 >= border)?;
        let left = escapes(&seen, looks, |look| !look.same_basin)?;
        for (found, rate, error, bound, survival, survival_error) in [
            (
                beyond,
                &mut out.side_rate,
                &mut out.side_rate_error,
                &mut out.side_rate_bound,
                &mut out.side_survival,
                &mut out.side_survival_error,
            ),
            (
                left,
                &mut out.basin_rate,
                &mut out.basin_rate_error,
                &mut out.basin_rate_bound,
                &mut out.basin_survival,
                &mut out.basin_survival_error,
            ),
        ] {
            let known = found.rate.as_ref();
            rate.push(known.map_or(f64::NAN, |rate| rate.value));
            error.push(known.map_or(f64::NAN, |rate| rate.standard_error));
            bound.push(found.bound);
            survival.extend(found.survival.iter().map(|s| s.value));
            survival_error.extend(found.survival.iter().map(|s| s.standard_error));
        }
        for k in 0..looks.len() {
            let of = |what: &dyn Fn(&Look) -> f64| -> Vec<f64> {
                seen.iter().filter_map(|run| Some(what(run.get(k)?))).collect()
            };
            let places = of(&|look| look.place.0);
            out.mean_position
                .push(places.iter().sum::<f64>() / places.len() as f64);
            let distance = mean(&of(&|look| look.place.1)).ok();
            out.mean_distance
                .push(distance.as_ref().map_or(f64::NAN, |e| e.value));
            out.mean_distance_error
                .push(distance.as_ref().map_or(f64::NAN, |e| e.standard_error));
        }
        let iteration = mean(&runs.iter().map(|run| run.iteration).collect::<Vec<f64>>())?;
        out.iteration_distance.push(iteration.value);
        out.iteration_distance_error.push(iteration.standard_error);
    }
    Ok(out)
}

/// Escapes seen at the looks.
struct Escapes {
    rate: Option<Estimate>,
    /// 95 % bound of the rate when there was no escape, else NaN.
    bound: f64,
    survival: Vec<Estimate>,
}

fn escapes(runs: &[Vec<&Look>], looks: &[f64], is_out: impl Fn(&Look) -> bool) -> Result<Escapes> {
    let mut lifetimes = Vec::with_capacity(runs.len());
    let (mut events, mut intervals) = (0, 0);
    for run in runs {
        let first = run.iter().position(|look| is_out(look));
        events += usize::from(first.is_some());
        intervals += first.map_or(run.len(), |k| k + 1);
        lifetimes.push(match first {
            Some(k) => Lifetime::escaped(run[k].time),
            None => Lifetime::censored(run.last().map_or(0.0, |look| look.time)),
        });
    }
    let curve = KaplanMeier::new(&lifetimes)?;
    let (rate, bound) = match grouped_rate(events, intervals, looks[0]) {
        Ok(rate) => (Some(rate), f64::NAN),
        Err(Error::AllCensored { bound, .. }) => (None, bound),
        Err(Error::TooFewSamples { .. }) => (None, f64::NAN),
        Err(error) => return Err(error),
    };
    // no run is watched beyond the end of training
    let watched = runs.iter().map(Vec::len).max().unwrap_or(0);
    let unknown = Estimate {
        value: f64::NAN,
        standard_error: f64::NAN,
        samples: 0,
    };
    let survival = looks.iter().enumerate().map(|(k, time)| match k < watched {
        true => curve.survival(*time * (1.0 + 1e-12)),
        false => unknown,
    });
    Ok(Escapes {
        rate,
        bound,
        survival: survival.collect(),
    })
}

/// Restarts from the first checkpoint at the times of the sections.
struct Followed {
    beyond: Vec<Estimate>,
    x: Vec<Estimate>,
    freezing: Option<Estimate>,
}

impl Followed {
    fn new(runs: &[Restart], times: &[f64]) -> Result<Self> {
        // from the first section on, where all are at the first end point
        let places: Vec<Vec<f64>> = (runs.iter())
            .map(|run| {
                let at = |time: &f64| {
                    run.looks
                        .iter()
                        .find(|look| (look.time + times[0] - time).abs() < 1e-6 * time)
                };
                let later = times[1..]
                    .iter()
                    .map(|time| at(time).map_or(f64::NAN, |look| look.place.0));
                std::iter::once(0.0).chain(later).collect()
            })
            .collect();
        let sections = times.len() - 1;
        let at = |k: usize| places.iter().map(move |run| run[k]);
        let beyond = (0..sections).map(|k| proportion(at(k).filter(|x| *x > 0.5).count(), runs.len()));
        let x = (0..sections).map(|k| mean(&at(k).collect::<Vec<f64>>()));
        let changes: Vec<f64> = (places.iter())
            .filter_map(|run| {
                let last = (1..run.len())
                    .rev()
                    .find(|k| (run[*k] > 0.5) != (run[k - 1] > 0.5))?;
                Some(times[last])
            })
            .collect();
        Ok(Self {
            beyond: beyond.collect::<Result<_>>()?,
            x: x.collect::<Result<_>>()?,
            freezing: mean(&changes).ok(),
        })
    }
}

/// What the table of parallel sections says.
struct TableLaw {
    note: String,
    valleys: u64,
    beyond: Vec<f64>,
    x: Vec<f64>,
    freezing_time: f64,
}

fn follow_table(task: &NetworkEscape, table: &SectionTable, s: &[f64], sections: &[f64]) -> Result<TableLaw> {
    /// Cells a standard deviation of a valley, and the local error of a step, of the density.
    const DENSITY: (f64, f64) = (8.0, 1e-5);
    /// Local error of a step of the master equation.
    const MASTER: f64 = 1e-9;
    /// Barrier in noise temperatures from which on a valley counts: a measured loss between six checkpoints has shallower minima that are none.
    const SHALLOWEST: f64 = 1.0;
    let axes = || [table.x.clone(), s.to_vec()];
    let nothing = vec![0.0; table.loss.len()];
    let entries = vec![table.covariance.clone(), nothing.clone(), nothing];
    let sgd = Sgd::new(
        landscape::Tabulated::<2>::new(axes(), table.loss.clone())?,
        noise::Tabulated::<2>::new(axes(), entries)?,
        task.learning_rate,
        task.batch_size as f64,
    )?;
    let (n, count) = (table.x.len(), sections.len());
    let ends = [sections[0], sections[count - 1]];
    let problem = SlowFast::new(sgd, [table.x[0], table.x[n - 1]], ends, Some(Box::new(|_| 1.0)))?;
    let schedule = NoiseSchedule::new(&[], &[1.0])?;
    let starts = [(0.0, 1.0)];
    let followed = || -> Result<TableLaw> {
        let settings = ValleyPathSettings {
            shallowest: SHALLOWEST,
            ..ValleyPathSettings::default()
        };
        let path = ValleyPath::new(&problem, &schedule, &settings)?;
        let law = path.follow(&problem, &starts, MASTER)?;
        let density = section_density(
            &problem,
            &schedule,
            &path,
            &starts,
            &sections[1..],
            DENSITY.0,
            DENSITY.1,
        )?;
        // a third of the table lies before the start, and the last end point at two thirds
        let middle = 0.5 * (table.x[n - 1] - table.x[0]) / 3.0;
        let mut out = TableLaw {
            note: path.regime().text("s"),
            valleys: path.valleys() as u64,
            beyond: vec![0.0],
            x: vec![0.0],
            freezing_time: if path.valleys() > 1 && law.last_hop.has_ended() {
                sections[0] + law.last_hop.mean_time
            } else {
                f64::NAN
            },
        };
        for snapshot in &density.snapshots[..count - 1] {
            out.beyond
                .push(SectionDensity::probabilities(snapshot, &[middle])[1]);
            let pairs = snapshot.x.iter().zip(&snapshot.probability);
            out.x.push(pairs.map(|(x, p)| x * p).sum());
        }
        Ok(out)
    };
    match followed() {
        Err(
            error @ (Error::DomainTooSmall { .. } | Error::NotPositive { .. } | Error::NotConverged { .. }),
        ) => Ok(TableLaw {
            note: format!("the table cannot be followed: {error}"),
            valleys: 0,
            beyond: vec![f64::NAN; count],
            x: vec![f64::NAN; count],
            freezing_time: f64::NAN,
        }),
        other => other,
    }
}

/// The loss along the sections, predicted against measured escape, and where restarts from the first checkpoint are along training.
///
/// # Errors
/// As [`Records::of`].
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = NetworkEscapeResult::of(file)?;
    let (s, r) = (&result.section, &result.restarted);
    let (points, count) = (result.position.len(), result.checkpoint_time.len());
    let mut losses = Panel::new(
        "straight sections",
        Axis::linear("position *ξ* from end point to end point"),
        Axis::linear("training loss × 1000"),
    );
    for (k, time) in result.checkpoint_time.iter().enumerate() {
        let loss: Vec<f64> = (s.loss[k * points..(k + 1) * points].iter())
            .map(|l| 1e3 * l)
            .collect();
        let label = format!("*ηt* = {time}");
        losses = losses.with(Layer::line(&result.position, &loss, &label, Style::nth(k)));
    }
    let log10 = |rate: &[f64]| -> Vec<f64> { rate.iter().map(|r| r.log10()).collect() };
    let relative = |value: &[f64], error: &[f64]| -> Vec<f64> {
        let pairs = value.iter().zip(error);
        pairs.map(|(v, e)| e / (v * std::f64::consts::LN_10)).collect()
    };
    let measured: Vec<f64> = (log10(&r.side_rate).into_iter().zip(log10(&r.side_rate_bound)))
        .map(|(rate, bound)| if rate.is_finite() { rate } else { bound })
        .collect();
    let predicted = [
        ("line, its own noise", &s.log10_rate[..count]),
        ("line, noise of training", &s.log10_rate_training_noise[..count]),
        ("string, its own noise", &s.log10_rate[count..]),
        ("string, noise of training", &s.log10_rate_training_noise[count..]),
    ];
    let time = &result.checkpoint_time;
    let mut rates = Panel::new(
        "rates of escape",
        Axis::log("training time *ηt* of the checkpoint"),
        Axis::linear("log_{10} of the rate, −12 or less").with_range(LOWEST, 1.0),
    )
    .with(Layer::points(
        time,
        &measured,
        &relative(&r.side_rate, &r.side_rate_error),
        "SGD, beyond the border; or bound",
        Style::reference(),
    ))
    .with(Layer::points(
        time,
        &log10(&r.basin_rate),
        &relative(&r.basin_rate, &r.basin_rate_error),
        "SGD, out of the basin",
        Style::reference().with_hollow_points(),
    ));
    let mut against = Panel::new(
        "predicted against measured",
        Axis::linear("log_{10} of the measured rate").with_range(-3.5, 0.0),
        Axis::linear("log_{10} of the predicted rate, −12 or less").with_range(LOWEST, 1.0),
    )
    .with(Layer::line(
        &[-3.5, 0.0],
        &[-3.5, 0.0],
        "equal",
        Style::reference(),
    ));
    for (k, (label, rate)) in predicted.into_iter().enumerate() {
        let style = Style::nth(k);
        let shown: Vec<f64> = rate.iter().map(|r| r.max(LOWEST)).collect();
        let lines = Layer::line(time, &shown, label, style.with_dash(Dash::Dotted));
        rates = rates
            .with(lines)
            .with(Layer::points(time, &shown, &[], "", style));
        against = against.with(Layer::points(&measured, &shown, &[], "", style));
    }
    let path = Panel::new(
        "restarts of the first checkpoint",
        Axis::linear("training time *ηt*"),
        Axis::linear("share beyond the middle").with_range(0.0, 1.0),
    )
    .with(Layer::points(
        &result.checkpoint_time,
        &result.measured_beyond,
        &result.measured_beyond_error,
        "SGD",
        Style::reference(),
    ))
    .with(Layer::line(
        &result.checkpoint_time,
        &result.predicted_beyond,
        "table of sections",
        Style::nth(1).with_dash(Dash::Dashed),
    ));
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.75,
        panels: vec![losses, rates, against, path],
    })
}

/// log10 of the rate at which figures end: what is slower stands there.
const LOWEST: f64 = -12.0;
