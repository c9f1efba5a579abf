//! `[network]`: training of neural networks by SGD, the basins that their checkpoints lead to, and when they freeze.

use super::network_problem::{NetworkProblem, check_time, network_keys, stream};
use crate::diffusion::noise_strength;
use crate::error::{Error, Result};
use crate::network::{
    CLASSES, Continued, CrossEntropy, Followed, ReadOut, ScanPoint, Training, follow, train,
};
use crate::output::{Records, ResultFile, WARNING, records};
use crate::plot::{
    Axis, ColourMap, ColourScale, Dash, Figure, Layer, Panel, Scale, Style, TWO_COLUMNS, cell_edges,
};
use crate::setting::Setting;
use crate::setting::parameter_range::ParameterRange;
use crate::statistics::{Estimate, mean};
use crate::task::{Cost, FigureEntry, MainNumber, Progress, Rows, Task, Work};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[network]`: SGD on a network over learning rate and batch size, and gradient descent from its checkpoints.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Folder with MNIST in IDX format, plain or gzip: train-* and t10k-*, or one of them; none trains on the embedded digits.
    pub data: Option<String>,
    /// Images of each class for training, the first ones of the file.
    pub train: usize,
    /// Images of each class for testing: the first of t10k-* when both sets are there, else those that follow the training images.
    pub test: usize,
    /// Control: whether the labels of the training images are shuffled.
    pub shuffle_labels: bool,
    /// Units of the hidden layers.
    pub hidden: Vec<usize>,
    /// η, rows.
    pub learning_rate: ParameterRange,
    /// B, columns.
    pub batch_size: ParameterRange,
    /// Runs of each setting, all from one initial state.
    pub repeats: usize,
    /// Training time, learning rate times iterations.
    pub time: f64,
    /// States of a run that are kept, the first and the last included.
    pub checkpoints: usize,
    /// Momentum.
    pub momentum: f64,
    /// Whether batches are drawn with replacement.
    pub replacement: bool,
    /// Checkpoints between two from which gradient descent starts.
    pub scan_every: usize,
    /// The same where a run freezes.
    pub refine_every: usize,
    /// Eigenvectors of the Hessian along which the noise is measured.
    pub directions: usize,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            data: None,
            train: 50,
            test: 100,
            shuffle_labels: false,
            hidden: vec![30, 30],
            learning_rate: ParameterRange::List(vec![0.02, 0.05, 0.1]),
            batch_size: ParameterRange::List(vec![10.0, 50.0, 250.0]),
            repeats: 5,
            time: 100.0,
            checkpoints: 101,
            momentum: 0.0,
            replacement: false,
            scan_every: 10,
            refine_every: 1,
            directions: 20,
        }
    }
}

records! {
    /// training of a network by SGD over learning rate and batch size, and gradient descent from its checkpoints; only runs that end with all training images right are converged
    pub struct NetworkResult in "network" {
        attributes {
            /// Images for training.
            training_images: i64,
            /// Images for testing.
            test_images: i64,
            /// Parameters of the network.
            parameters: i64,
            /// Training time, learning rate times iterations.
            training_time: f64,
        }
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// batch size
        batch_size: Vec<f64> => [batch_size] "samples" "B",
        /// training time of the checkpoints, learning rate times iterations
        time: Vec<f64> => [time] "1" "ηt",
        /// training time of the checkpoints from which gradient descent starts
        continuation_time: Vec<f64> => [continuation_time] "1" "ηt_c",
        /// runs that end with all training images right
        converged_runs: Vec<u64> => [learning_rate, batch_size] "runs",
        /// root mean square distance of the last states of the converged runs from their mean
        spread: Vec<f64> => [learning_rate, batch_size] "1" "r_θ" missing "fewer than two converged runs",
        /// 1 for a run that ends with all training images right
        converged: Vec<u64> => [learning_rate, batch_size, repeat] "1",
        /// iteration at which the loss of a batch was not finite, or a thousand times that of the first
        diverged_at: Vec<f64> => [learning_rate, batch_size, repeat] "iterations" missing "the run did not diverge",
        /// training time from which on all end points misclassify the same test images as the last state, Jaccard index at least 0.9
        freezing_time: Vec<f64> => [learning_rate, batch_size, repeat] "1" "ηt_f" missing "the run has not converged",
        /// the same with a Jaccard index of at least 0.95
        freezing_time_95: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged",
        /// the same with a Jaccard index of at least 0.99
        freezing_time_99: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged",
        /// exponent psi of the variance of the weights of the second layer against the width of the loss, along principal components of the steps after the last state
        variance_exponent: Vec<f64> => [learning_rate, batch_size, repeat] "1" "ψ" missing "the run has not converged, or the loss does not rise e-fold",
        /// bootstrap error of variance_exponent over the components
        variance_exponent_error: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged, or the loss does not rise e-fold",
        /// share of the variance of checkpoints and end points that lies in their two principal components
        explained: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged",
        /// training time from which on all end points agree with the last state on 99 % of the test images
        agreement_time: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged",
        /// training time of the first checkpoint with a training loss of at most 0.1
        low_loss_time: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged, or has no such checkpoint",
        /// resolution of low_loss_time: training time since the checkpoint before, whose loss is above 0.1
        low_loss_time_resolution: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged, or has no such checkpoint after its first",
        /// resolution of the agreement of two end points: one of the test images
        agreement_resolution: f64 => [] "1",
        /// distance of the last state from the mean of the converged runs of the setting
        distance: Vec<f64> => [learning_rate, batch_size, repeat] "1" missing "the run has not converged, or is alone",
        /// mean cross-entropy of the training images
        train_loss: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run had diverged",
        /// mean cross-entropy of the test images
        test_loss: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run had diverged",
        /// share of training images that are right
        train_accuracy: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run had diverged",
        /// share of test images that are right
        test_accuracy: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run had diverged",
        /// checkpoints on the first principal component of checkpoints and end points of the run
        component_1: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run has not converged",
        /// checkpoints on the second principal component
        component_2: Vec<f64> => [learning_rate, batch_size, repeat, time] "1" missing "the run has not converged",
        /// Jaccard index of the test images that the end points of two checkpoints misclassify
        pair_similarity: Vec<f64> => [learning_rate, batch_size, repeat, continuation_time, other_time] "1" "J" missing "the run has not converged",
        /// what the continuations say
        continued: ContinuedColumns => [learning_rate, batch_size, repeat, continuation_time],
    }
}

records! {
    /// Checkpoints and the end points that gradient descent at the same learning rate reaches from them in the time that is left.
    pub struct ContinuedColumns {
        /// inverse geometric mean of the ten largest Hessian eigenvalues of the second layer, at the checkpoint
        flatness: Vec<f64> => [] "1" "F" missing "the run has not converged, or an eigenvalue is not positive",
        /// learning rate times the largest eigenvalue of the whole Hessian, at the checkpoint; gradient descent is stable below 2
        stability: Vec<f64> => [] "1" "ηλ_max" missing "the run has not converged",
        /// residual of this eigenpair over the eigenvalue
        stability_residual: Vec<f64> => [] "1" missing "the run has not converged",
        /// exponent g of the variance of the gradient of one sample against the curvature, along eigenvectors of the second layer, at the checkpoint
        noise_exponent: Vec<f64> => [] "1" "g" missing "the run has not converged, or a curvature is not positive",
        /// bootstrap error of noise_exponent over the eigenvectors
        noise_exponent_error: Vec<f64> => [] "1" missing "the run has not converged, or a curvature is not positive",
        /// largest residual of these eigenpairs over the largest eigenvalue
        residual: Vec<f64> => [] "1" missing "the run has not converged",
        /// mean rise of the loss along directions as long as the weights of the second layer, row by row, at the checkpoint: no rescaling of units of this layer alters it
        scaled_sharpness: Vec<f64> => [] "1" missing "the run has not converged",
        /// the same at the end point
        end_scaled_sharpness: Vec<f64> => [] "1" missing "the run has not converged",
        /// excess kurtosis of the gradient of one sample, mean over the eigenvectors; of a batch it is this over B
        excess_kurtosis: Vec<f64> => [] "1" missing "the run has not converged, or a direction has no noise",
        /// standard error of excess_kurtosis by the scatter of the eigenvectors
        excess_kurtosis_error: Vec<f64> => [] "1" missing "the run has not converged, or a direction has no noise",
        /// Hill's tail index of the noise of a batch along the eigenvectors, from the largest twentieth
        tail_index: Vec<f64> => [] "1" "α" missing "the run has not converged, or a direction has no noise",
        /// standard error of tail_index
        tail_index_error: Vec<f64> => [] "1" missing "the run has not converged, or a direction has no noise",
        /// Hill's tail index of as many normal numbers
        normal_tail_index: Vec<f64> => [] "1" missing "the run has not converged, or a direction has no noise",
        /// end point on the first principal component of checkpoints and end points of the run
        end_component_1: Vec<f64> => [] "1" missing "the run has not converged",
        /// end point on the second principal component
        end_component_2: Vec<f64> => [] "1" missing "the run has not converged",
        /// flatness at the end point
        end_flatness: Vec<f64> => [] "1" "F" missing "the run has not converged, or an eigenvalue is not positive",
        /// largest residual of the eigenpairs there over the largest eigenvalue
        end_residual: Vec<f64> => [] "1" missing "the run has not converged",
        /// training loss at the end point
        end_train_loss: Vec<f64> => [] "1" missing "the run has not converged",
        /// test loss at the end point
        end_test_loss: Vec<f64> => [] "1" missing "the run has not converged",
        /// test accuracy at the end point
        end_test_accuracy: Vec<f64> => [] "1" missing "the run has not converged",
        /// Jaccard index of the misclassified test images of the end point and of the last state
        similarity: Vec<f64> => [] "1" "J" missing "the run has not converged",
        /// test images that either misclassifies; one image changes the index by about one over this
        misclassified: Vec<f64> => [] "images" missing "the run has not converged",
        /// resolution of similarity, one of these images: by this it falls when one that both misclassify is right at the end point
        similarity_resolution: Vec<f64> => [] "1" missing "the run has not converged, or neither misclassifies an image",
        /// share of test images on which end point and last state agree
        agreement: Vec<f64> => [] "1" missing "the run has not converged",
        /// height of the training loss on the straight line from end point to last state over the mean of its ends
        barrier: Vec<f64> => [] "1" missing "the run has not converged",
        /// resolution of barrier: by this a parabola through the highest of the nine states on the line and its neighbours rises above it at most
        barrier_resolution: Vec<f64> => [] "1" missing "the run has not converged",
    }
}

const SECTION: &str = "network";

/// A task that has been checked.
struct Checked {
    problem: NetworkProblem,
    rates: Vec<f64>,
    batches: Vec<f64>,
}

network_keys!(Network);

impl Network {
    fn training(&self, learning_rate: f64, batch_size: f64) -> Training {
        Training {
            learning_rate,
            batch_size: batch_size as usize,
            momentum: self.momentum,
            replacement: self.replacement,
            steps: (self.time / learning_rate).round() as u64,
            checkpoints: self.checkpoints,
        }
    }

    fn read_out(&self) -> ReadOut {
        ReadOut {
            every: self.scan_every,
            refine: self.refine_every,
            directions: self.directions,
        }
    }

    fn check(&self, setting: &Setting) -> Result<Checked> {
        self.keys().check_ranges()?;
        if self.repeats == 0 {
            return Err(Error::config(
                "network.repeats",
                "0 is not allowed: at least one is needed",
            ));
        }
        let rates = self.learning_rate.positive("network.learning_rate")?;
        check_time(SECTION, self.time, &rates)?;
        let whole = |b: f64| b >= 1.0 && b.fract() == 0.0;
        let batches =
            (self.batch_size).values("network.batch_size", whole, "whole numbers from 1 on are needed")?;
        let samples = self.train.saturating_mul(CLASSES);
        for (rate, batch) in rates.iter().flat_map(|r| batches.iter().map(move |b| (*r, *b))) {
            self.training(rate, batch)
                .check(samples)
                .map_err(|e| e.at(SECTION))?;
        }
        let weights = self.hidden[0] * self.hidden.get(1).unwrap_or(&CLASSES);
        self.read_out()
            .check(self.checkpoints, weights)
            .map_err(|e| e.at(SECTION))?;
        let mut problem = self.keys().check()?;
        if self.shuffle_labels {
            let mut labels = problem.train.labels().to_vec();
            labels.shuffle(&mut stream(setting.seed, SECTION, "labels", 0));
            problem.train = problem.train.with_labels(labels)?;
        }
        Ok(Checked {
            problem,
            rates,
            batches,
        })
    }
}

impl Task for Network {
    const FIGURES: &'static [FigureEntry] = &[
        FigureEntry {
            name: "network_continuation",
            description: "losses along training of a network, and where its checkpoints lead to, with the band of freezing times",
            group: SECTION,
            figure,
        },
        FigureEntry {
            name: "network_maps",
            description: "freezing time, spread, flatness and test accuracy of networks over learning rate and batch size",
            group: SECTION,
            figure: maps,
        },
        FigureEntry {
            name: "network_trajectories",
            description: "a run of training, coloured by the loss, and the end points of its checkpoints in two principal components, and the similarity of the end points",
            group: SECTION,
            figure: trajectories,
        },
    ];

    const SHAPED_BY: &'static [&'static str] = &[
        "learning_rate.points",
        "batch_size.points",
        "repeats",
        "checkpoints",
        "scan_every",
    ];

    fn main_numbers(file: &ResultFile) -> Result<Vec<MainNumber>> {
        let Some(result) = NetworkResult::find(file)? else {
            return Ok(Vec::new());
        };
        let rows =
            Rows::along("learning_rate", &result.learning_rate).times("batch_size", &result.batch_size);
        let converged: Vec<f64> = result.converged_runs.iter().map(|runs| *runs as f64).collect();
        let settings = converged.len().max(1);
        // means over the runs that have converged, where there are two
        let over_runs = |values: &[f64]| -> Vec<Option<Estimate>> {
            let of = |runs: &[f64]| {
                let known: Vec<f64> = runs.iter().copied().filter(|t| t.is_finite()).collect();
                mean(&known).ok()
            };
            values.chunks((values.len() / settings).max(1)).map(of).collect()
        };
        let freezing = over_runs(&result.freezing_time);
        let column = |of: &dyn Fn(&Estimate) -> f64| -> Vec<f64> {
            freezing.iter().map(|e| e.as_ref().map_or(f64::NAN, of)).collect()
        };
        Ok([
            rows.column("converged_runs", &converged, &[]),
            rows.column(
                "freezing_time",
                &column(&|e| e.value),
                &column(&|e| e.standard_error),
            ),
            rows.column("spread", &result.spread, &[]),
        ]
        .concat())
    }

    fn cost(&self, _setting: &Setting) -> Cost {
        /// Operations a second and core.
        const SPEED: f64 = 3e10;
        /// Operations a weight and sample of a gradient.
        const GRADIENT: f64 = 5.0;
        /// Scans of the whole training time by gradient descent that a run is worth, with its refinement and Hessians.
        const SCANS: f64 = 1.2;
        /// What an image of the test costs beside one that is trained on.
        const TEST: f64 = 0.3;
        let (sizes, weights) = (self.keys().expected_sizes(), self.keys().expected_weights());
        let images = (self.train as f64 + TEST * self.test as f64) * CLASSES as f64;
        let memory = |images: f64| 40.0 * images * CLASSES as f64 * sizes.iter().sum::<f64>();
        let mut inverse_rate = 0.0;
        let rates = self.learning_rate.positive(SECTION).unwrap_or_default();
        for rate in &rates {
            inverse_rate += 1.0 / rate;
        }
        let scans = (self.checkpoints as f64 / self.scan_every.max(1) as f64) * 0.5 + 5.0;
        let steps = self.time * inverse_rate * self.batch_size.count() * self.repeats as f64;
        let runs = rates.len() as f64 * self.batch_size.count() * self.repeats as f64;
        let state = 8.0 * weights;
        Cost::default()
            .with_memory("network.checkpoints", 4.0 * state * self.checkpoints as f64)
            .with_memory("network.repeats", 2.0 * state * runs)
            .with_memory("network.train", memory(self.train as f64))
            .with_memory("network.test", memory(TEST * self.test as f64))
            .with_result(
                "network.repeats",
                runs * 8.0 * (8.0 + 5.0 * self.checkpoints as f64),
            )
            .with_time(
                "network.repeats",
                SCANS * scans * steps * GRADIENT * weights * images / SPEED,
            )
    }

    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let (checked, task, seed) = (self.check(setting)?, self.clone(), setting.seed);
        Ok(Box::new(move |progress| {
            let result = run(&task, &checked, seed, progress)?;
            let mut group = result.group()?;
            if let Some(text) = result.diverged() {
                group.set_attribute(WARNING, text)?;
            }
            Ok(vec![group])
        }))
    }
}

fn run(task: &Network, checked: &Checked, seed: u64, progress: &Progress) -> Result<NetworkResult> {
    let Checked {
        problem,
        rates,
        batches,
    } = checked;
    let (network, train_samples, test_samples) = (&problem.network, &problem.train, &problem.test);
    let start = network.initial_state(&mut stream(seed, SECTION, "start", 0));
    let pairs = rates
        .iter()
        .flat_map(|rate| batches.iter().map(move |batch| (*rate, *batch)));
    let jobs: Vec<(f64, f64, usize)> = pairs
        .flat_map(|(rate, batch)| (0..task.repeats).map(move |repeat| (rate, batch, repeat)))
        .collect();
    let bar = progress.task("training and continuation", jobs.len() as u64);
    let runs: Vec<Followed> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|&(rate, batch, repeat)| {
            let training = task.training(rate, batch);
            let mut train_loss = CrossEntropy::new(network, train_samples)?;
            let mut test_loss = CrossEntropy::new(network, test_samples)?;
            let mut random = stream(seed, SECTION, &format!("{rate:e} {batch:e}"), repeat);
            let run = train(&mut train_loss, &start, &training, &mut random)?;
            let followed = follow(
                &run,
                &training,
                &task.read_out(),
                [&mut train_loss, &mut test_loss],
                test_samples.labels(),
                &mut random,
                seed,
            );
            bar.advance(1);
            followed
        })
        .collect::<Result<_>>()?;
    let spreads: Vec<Spread> = runs.chunks(task.repeats).map(Spread::new).collect();
    let interval = task.time / (task.checkpoints - 1) as f64;
    let scanned = task.read_out().scanned(task.checkpoints);
    let of_run = |of: &dyn Fn(&Followed) -> Option<f64>| -> Vec<f64> {
        runs.iter().map(|run| of(run).unwrap_or(f64::NAN)).collect()
    };
    let frozen = |of: &dyn Fn(&crate::network::Freezing) -> Option<usize>| {
        of_run(&|run| Some(interval * of(&run.continued.as_ref()?.freezing)? as f64))
    };
    let along = |of: &dyn Fn(&Followed, usize) -> Option<f64>| -> Vec<f64> {
        let entries = runs
            .iter()
            .flat_map(|run| (0..task.checkpoints).map(move |k| of(run, k)));
        entries
            .map(|value| value.filter(|v| v.is_finite()).unwrap_or(f64::NAN))
            .collect()
    };
    let at_scan = |of: &dyn Fn(&ScanPoint) -> Option<f64>| -> Vec<f64> {
        let value = |run: &Followed, k: usize| of(run.continued.as_ref()?.points.get(k)?);
        let entries = runs
            .iter()
            .flat_map(|run| (0..scanned.len()).map(move |k| value(run, k)));
        entries.map(|value| value.unwrap_or(f64::NAN)).collect()
    };
    // numbers of a run at each of `count` places
    let listed = |count: usize, of: &dyn Fn(&Continued) -> &[f64]| -> Vec<f64> {
        let list = |run: &Followed| {
            run.continued
                .as_ref()
                .map_or(vec![f64::NAN; count], |c| of(c).to_vec())
        };
        runs.iter().flat_map(list).collect()
    };
    let rate_of_scan = |k: usize| jobs[k / scanned.len()].0;
    let sharpness = at_scan(&|p| Some(p.sharpness[0]));
    Ok(NetworkResult {
        training_images: train_samples.count() as i64,
        test_images: test_samples.count() as i64,
        parameters: network.parameters() as i64,
        training_time: task.time,
        learning_rate: rates.clone(),
        batch_size: batches.clone(),
        time: (0..task.checkpoints).map(|k| interval * k as f64).collect(),
        continuation_time: scanned.iter().map(|k| interval * *k as f64).collect(),
        converged_runs: runs
            .chunks(task.repeats)
            .map(|runs| runs.iter().filter(|run| run.is_converged()).count() as u64)
            .collect(),
        spread: spreads.iter().map(|spread| spread.radius).collect(),
        converged: runs.iter().map(|run| u64::from(run.is_converged())).collect(),
        diverged_at: of_run(&|run| run.diverged_at.map(|step| step as f64)),
        freezing_time: frozen(&|freezing| Some(freezing.basin[0])),
        freezing_time_95: frozen(&|freezing| Some(freezing.basin[1])),
        freezing_time_99: frozen(&|freezing| Some(freezing.basin[2])),
        variance_exponent: of_run(&|run| run.continued.as_ref()?.variance_exponent.map(|psi| psi[0])),
        variance_exponent_error: of_run(&|run| run.continued.as_ref()?.variance_exponent.map(|psi| psi[1])),
        explained: of_run(&|run| Some(run.continued.as_ref()?.explained)),
        agreement_time: frozen(&|freezing| Some(freezing.agreement)),
        low_loss_time: frozen(&|freezing| freezing.loss),
        low_loss_time_resolution: of_run(&|run| {
            let first = run.continued.as_ref()?.freezing.loss?;
            let before = first.checked_sub(1)?;
            Some(interval * first as f64 - interval * before as f64)
        }),
        agreement_resolution: 1.0 / test_samples.count() as f64,
        distance: spreads.into_iter().flat_map(|spread| spread.distances).collect(),
        train_loss: along(&|run, k| run.train.get(k).map(|e| e.loss)),
        test_loss: along(&|run, k| run.test.get(k).map(|e| e.loss)),
        train_accuracy: along(&|run, k| run.train.get(k).map(|e| e.accuracy)),
        test_accuracy: along(&|run, k| run.test.get(k).map(|e| e.accuracy)),
        component_1: listed(task.checkpoints, &|c| &c.trajectory[0]),
        component_2: listed(task.checkpoints, &|c| &c.trajectory[1]),
        pair_similarity: listed(scanned.len() * scanned.len(), &|c| &c.similarity),
        continued: ContinuedColumns {
            residual: at_scan(&|p| Some(p.residual[0])),
            scaled_sharpness: at_scan(&|p| Some(p.scaled_sharpness[0])),
            end_scaled_sharpness: at_scan(&|p| Some(p.scaled_sharpness[1])),
            excess_kurtosis: at_scan(&|p| p.shape.as_ref().map(|s| s.excess_kurtosis.value)),
            excess_kurtosis_error: at_scan(&|p| p.shape.as_ref().map(|s| s.excess_kurtosis.standard_error)),
            tail_index: at_scan(&|p| p.shape.as_ref().map(|s| s.tail_index.value)),
            tail_index_error: at_scan(&|p| p.shape.as_ref().map(|s| s.tail_index.standard_error)),
            normal_tail_index: at_scan(&|p| p.shape.as_ref().map(|s| s.normal_tail_index.value)),
            end_component_1: listed(scanned.len(), &|c| &c.ends[0]),
            end_component_2: listed(scanned.len(), &|c| &c.ends[1]),
            flatness: at_scan(&|p| p.flatness),
            stability: sharpness
                .iter()
                .enumerate()
                .map(|(k, s)| rate_of_scan(k) * s)
                .collect(),
            stability_residual: at_scan(&|p| Some(p.sharpness[1])),
            noise_exponent: at_scan(&|p| p.noise_exponent.map(|g| g[0])),
            noise_exponent_error: at_scan(&|p| p.noise_exponent.map(|g| g[1])),
            end_flatness: at_scan(&|p| p.end_flatness),
            end_residual: at_scan(&|p| Some(p.residual[1])),
            end_train_loss: at_scan(&|p| Some(p.end_train_loss)),
            end_test_loss: at_scan(&|p| Some(p.end_test_loss)),
            end_test_accuracy: at_scan(&|p| Some(p.end_test_accuracy)),
            similarity: at_scan(&|p| Some(p.similarity)),
            misclassified: at_scan(&|p| Some(p.misclassified as f64)),
            similarity_resolution: at_scan(&|p| (p.misclassified > 0).then(|| 1.0 / p.misclassified as f64)),
            agreement: at_scan(&|p| Some(p.agreement)),
            barrier: at_scan(&|p| Some(p.barrier[0])),
            barrier_resolution: at_scan(&|p| Some(p.barrier[1])),
        },
    })
}

/// How far apart the last states of the converged runs of a setting are.
struct Spread {
    /// Of each run from the mean, NaN for runs that have not converged.
    distances: Vec<f64>,
    /// Root mean square distance.
    radius: f64,
}

impl Spread {
    fn new(runs: &[Followed]) -> Self {
        let converged: Vec<&[f64]> = runs
            .iter()
            .filter(|run| run.is_converged())
            .map(|run| run.last.as_slice())
            .collect();
        let count = converged.len() as f64;
        if converged.len() < 2 {
            return Self {
                distances: vec![f64::NAN; runs.len()],
                radius: f64::NAN,
            };
        }
        let parameters = converged[0].len();
        let mean: Vec<f64> = (0..parameters)
            .map(|k| converged.iter().map(|theta| theta[k]).sum::<f64>() / count)
            .collect();
        let square = |theta: &[f64]| -> f64 { theta.iter().zip(&mean).map(|(t, m)| (t - m).powi(2)).sum() };
        let distance = |run: &Followed| match run.is_converged() {
            true => square(&run.last).sqrt(),
            false => f64::NAN,
        };
        Self {
            distances: runs.iter().map(distance).collect(),
            radius: (converged.iter().map(|theta| square(theta)).sum::<f64>() / count).sqrt(),
        }
    }
}

impl NetworkResult {
    /// How many runs diverged, and when the first of them did; none when none did.
    fn diverged(&self) -> Option<String> {
        let steps: Vec<f64> = (self.diverged_at.iter().copied())
            .filter(|step| step.is_finite())
            .collect();
        let first = steps.iter().copied().reduce(f64::min)?;
        Some(format!(
            "training diverged in {} of {} runs, first at iteration {first}, see diverged_at; a lower network.learning_rate mends it",
            steps.len(),
            self.diverged_at.len()
        ))
    }

    /// Runs of a setting.
    pub fn repeats(&self) -> usize {
        self.converged.len() / self.converged_runs.len()
    }

    /// Numbers of the converged runs, in the order of the records.
    pub fn converged_numbers(&self) -> Vec<usize> {
        (0..self.converged.len())
            .filter(|run| self.converged[*run] == 1)
            .collect()
    }

    /// Those of them that began at the state of the first: all, but in a sweep without `shared_seed`, whose cells have initial states of their own.
    pub fn comparable_numbers(&self) -> Vec<usize> {
        let mut numbers = self.converged_numbers();
        let first = |run: usize| self.of_run(&self.train_loss, run)[0];
        if let Some(start) = numbers.first().map(|run| first(*run)) {
            numbers.retain(|run| first(*run) == start);
        }
        numbers
    }

    /// η and B of a run.
    pub fn setting_of(&self, run: usize) -> (f64, f64) {
        let setting = run / self.repeats();
        let columns = self.batch_size.len();
        (
            self.learning_rate[setting / columns],
            self.batch_size[setting % columns],
        )
    }

    /// Δ = η/(2B) of a run; missing when they are not positive.
    pub fn noise_strength(&self, run: usize) -> f64 {
        let (rate, batch) = self.setting_of(run);
        noise_strength(rate, batch).unwrap_or(f64::NAN)
    }

    /// The part of a record along training or along the continuations that belongs to a run.
    pub fn of_run<'a>(&self, record: &'a [f64], run: usize) -> &'a [f64] {
        let length = record.len() / self.converged.len();
        &record[run * length..(run + 1) * length]
    }

    /// Mean and standard error over some runs of the entries of a record along training or along the continuations; entries that are missing are left out,
    /// and a single one has no error.
    fn means(&self, record: &[f64], runs: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let length = record.len() / self.converged.len();
        let at = |k: usize| {
            let there = runs.iter().map(|run| self.of_run(record, *run)[k]);
            let there: Vec<f64> = there.filter(|v| v.is_finite()).collect();
            let single = there.first().copied().unwrap_or(f64::NAN);
            mean(&there).map_or((single, f64::NAN), |m| (m.value, m.standard_error))
        };
        (0..length).map(at).unzip()
    }

    /// Mean over the converged runs of each setting of one number a run; missing where there is none.
    fn setting_means(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let repeats = self.repeats();
        let settings = (0..self.converged_runs.len()).map(|s| s * repeats..(s + 1) * repeats);
        settings
            .map(|runs| {
                let values: Vec<f64> = runs.filter(|r| self.converged[*r] == 1).map(&of).collect();
                values.iter().sum::<f64>() / values.len() as f64
            })
            .collect()
    }

    /// The setting for a figure of single runs: of those with the most converged runs the one with the largest η/B.
    fn shown_setting(&self) -> usize {
        let noise = |s: usize| self.noise_strength(s * self.repeats());
        let settings = 0..self.converged_runs.len();
        let rank = |s: &usize| (self.converged_runs[*s], noise(*s));
        settings
            .max_by(|a, b| rank(a).0.cmp(&rank(b).0).then(rank(a).1.total_cmp(&rank(b).1)))
            .unwrap_or(0)
    }
}

/// Losses along training, and quality and similarity of the end points against the time of the checkpoint, for one setting; the band spans the freezing times of
/// its runs.
///
/// # Errors
/// As [`Records::of`]; [`Error::TooFewSamples`] when no run has converged.
pub fn figure(file: &ResultFile) -> Result<Figure> {
    let result = NetworkResult::of(file)?;
    let setting = result.shown_setting();
    let repeats = result.repeats();
    let runs: Vec<usize> = (setting * repeats..(setting + 1) * repeats)
        .filter(|run| result.converged[*run] == 1)
        .collect();
    if runs.is_empty() {
        return Err(Error::TooFewSamples {
            estimator: "the figure of the continuations (converged runs)".into(),
            needed: 1,
            got: 0,
        });
    }
    let (rate, batch) = result.setting_of(runs[0]);
    let frozen: Vec<f64> = runs.iter().map(|run| result.freezing_time[*run]).collect();
    let [first, last] = frozen
        .iter()
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], t| {
            [l.min(*t), h.max(*t)]
        });
    let (time, scan, c) = (&result.time, &result.continuation_time, &result.continued);
    let x = || Axis::linear("training time *ηt*");
    let x_c = || Axis::linear("start of the continuation *ηt*_c").with_range(0.0, result.training_time);
    let band = |low: f64, high: f64, label: &str| Layer::Band {
        x: vec![first, last],
        low: vec![low; 2],
        high: vec![high; 2],
        label: label.into(),
        style: Style::nth(4),
    };
    let lines = |mut panel: Panel, records: &[(&[f64], &str)]| {
        for (k, (record, label)) in records.iter().enumerate() {
            let (mean, _) = result.means(record, &runs);
            panel = panel.with(Layer::line(time, &mean, label, Style::nth(k)));
        }
        panel
    };
    let losses = Panel::new(
        &format!("*η* = {rate}, *B* = {batch}"),
        x(),
        Axis::log("loss along training"),
    );
    let accuracies = Panel::new("", x(), Axis::linear("accuracy along training"));
    let quality = |record: &[f64], axis: &str, label: &str| {
        let mut values: Vec<f64> = runs
            .iter()
            .flat_map(|run| result.of_run(record, *run).to_vec())
            .collect();
        values.retain(|v| v.is_finite());
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(*v), h.max(*v))
            });
        let room = 0.08 * (high - low).max(1e-6 * high.abs());
        let (low, high) = (low - room, high + room);
        let mut panel =
            Panel::new("", x_c(), Axis::linear(axis).with_range(low, high)).with(band(low, high, label));
        let pale = Style::nth(0).with_width(0.5);
        for run in &runs {
            panel = panel.with(Layer::line(scan, result.of_run(record, *run), "", pale));
        }
        let (mean, error) = result.means(record, &runs);
        panel.with(Layer::points(scan, &mean, &error, "", Style::nth(0)))
    };
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.6,
        panels: vec![
            lines(
                losses,
                &[(&result.train_loss, "training"), (&result.test_loss, "test")],
            ),
            lines(
                accuracies,
                &[
                    (&result.train_accuracy, "training"),
                    (&result.test_accuracy, "test"),
                ],
            ),
            quality(
                &c.end_flatness,
                "flatness *F* at the end point",
                "freezing times of the runs",
            ),
            quality(&c.end_test_loss, "test loss at the end point", ""),
            quality(&c.similarity, "similarity *J* to the last state", ""),
            quality(&c.noise_exponent, "noise exponent *g* at the checkpoint", ""),
        ],
    })
}

/// Maps over η and B of the mean freezing time, the spread, the flatness and the test accuracy of the last states of the converged runs; settings without any are
/// grey.
///
/// # Errors
/// As [`Records::of`]; [`Error::TooFewSamples`] for fewer than two learning rates or batch sizes.
pub fn maps(file: &ResultFile) -> Result<Figure> {
    let result = NetworkResult::of(file)?;
    let (rows, columns) = (result.learning_rate.len(), result.batch_size.len());
    let c = &result.continued;
    let last = |record: &[f64], run: usize| result.of_run(record, run).last().copied().unwrap_or(f64::NAN);
    let tables = [
        ("⟨*ηt*_f⟩", result.setting_means(|run| result.freezing_time[run])),
        ("spread *r*_θ", result.spread.clone()),
        (
            "flatness *F*",
            result.setting_means(|run| last(&c.end_flatness, run)),
        ),
        (
            "test accuracy",
            result.setting_means(|run| last(&result.test_accuracy, run)),
        ),
    ];
    let is_drawn = |(_, table): &(&str, Vec<f64>)| table.iter().any(|v| v.is_finite());
    let mut panels = Vec::new();
    for (k, (label, table)) in tables.into_iter().filter(is_drawn).enumerate() {
        let (mut x, mut y) = (Axis::log("learning rate *η*"), Axis::log("batch size *B*"));
        if k < 2 {
            x = x.without_labels();
        }
        if k % 2 == 1 {
            y = y.without_labels();
        }
        let transposed = (0..columns).flat_map(|j| (0..rows).map(move |i| i * columns + j));
        panels.push(Panel::new(label, x, y).with(Layer::Map {
            x: cell_edges(&result.learning_rate, Scale::Log)?,
            y: cell_edges(&result.batch_size, Scale::Log)?,
            values: transposed.map(|entry| table[entry]).collect(),
            colours: ColourScale {
                map: ColourMap::Viridis,
                axis: Axis::linear(""),
                bar: true,
            },
        }));
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.7,
        panels,
    })
}

/// One run in the two principal components of its checkpoints and end points, its checkpoints coloured by their training loss, and the similarity of the end points to each other: the first converged
/// run of the setting with most noise and of that with least. The colours of both runs have one range.
///
/// # Errors
/// As [`Records::of`]; [`Error::TooFewSamples`] when no run has converged.
pub fn trajectories(file: &ResultFile) -> Result<Figure> {
    let result = NetworkResult::of(file)?;
    let converged = result.converged_numbers();
    let noise = |run: usize| result.noise_strength(run);
    let noisiest = converged
        .iter()
        .copied()
        .max_by(|a, b| noise(*a).total_cmp(&noise(*b)).then(b.cmp(a)));
    let quietest = converged
        .iter()
        .copied()
        .min_by(|a, b| noise(*a).total_cmp(&noise(*b)).then(a.cmp(b)));
    let (Some(noisiest), Some(quietest)) = (noisiest, quietest) else {
        return Err(Error::TooFewSamples {
            estimator: "the figure of trajectories (converged runs)".into(),
            needed: 1,
            got: 0,
        });
    };
    let losses = [noisiest, quietest].map(|run| result.of_run(&result.train_loss, run).to_vec());
    let (low, high) = losses
        .iter()
        .flatten()
        .filter(|v| **v > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
    let mut panels = Vec::new();
    let c = &result.continued;
    let middles = &result.continuation_time;
    for (run, loss) in [noisiest, quietest].into_iter().zip(losses) {
        let (rate, batch) = result.setting_of(run);
        let of = |record: &[f64]| result.of_run(record, run).to_vec();
        let (x, y) = (of(&result.component_1), of(&result.component_2));
        let (end_x, end_y) = (of(&c.end_component_1), of(&c.end_component_2));
        let mut plane = Panel::new(
            &format!("*η* = {rate}, *B* = {batch}"),
            Axis::linear("first principal component"),
            Axis::linear("second principal component"),
        )
        .with(Layer::line(&x, &y, "", Style::reference().with_dash(Dash::Solid)));
        let stride = (x.len() - 1) / (end_x.len() - 1).max(1);
        for (k, (to_x, to_y)) in end_x.iter().zip(&end_y).enumerate() {
            let (from_x, from_y) = (x[k * stride], y[k * stride]);
            let label = if k == 0 { "descent" } else { "" };
            let style = Style::reference().with_width(0.5).with_dash(Dash::Dotted);
            plane = plane.with(Layer::line(&[from_x, *to_x], &[from_y, *to_y], label, style));
        }
        let ends = Style::nth(1).with_hollow_points();
        panels.push(
            plane
                .with(Layer::Coloured {
                    x,
                    y,
                    values: loss,
                    colours: ColourScale {
                        map: ColourMap::Viridis,
                        axis: Axis::log("training loss of the checkpoints").with_range(low, high),
                        bar: true,
                    },
                })
                .with(Layer::points(&end_x, &end_y, &[], "end points", ends)),
        );
        let edges = cell_edges(middles, Scale::Linear)?;
        panels.push(
            Panel::new(
                "similarity *J* of end points",
                Axis::linear("start of a continuation *ηt*_c"),
                Axis::linear("start of another"),
            )
            .with(Layer::Map {
                x: edges.clone(),
                y: edges,
                values: of(&result.pair_similarity),
                colours: ColourScale {
                    map: ColourMap::Viridis,
                    axis: Axis::linear("").with_range(0.0, 1.0),
                    bar: true,
                },
            }),
        );
    }
    Ok(Figure {
        width: TWO_COLUMNS,
        columns: 2,
        aspect: 0.8,
        panels,
    })
}
