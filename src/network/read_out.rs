//! One run of training read out: losses along it, where its checkpoints lead to, and when it froze.

use super::continuation::{Continuation, EndPoint, barrier, freezing_checkpoint, gradient_descent, jaccard};
use super::cross_entropy::{CrossEntropy, Evaluation};
use super::flatness::{LayerHessian, scaled_sharpness, sharpness};
use super::gradient_noise::{NoiseShape, noise_exponent, noise_shape};
use super::principal_components::PrincipalComponents;
use super::training::{Run, Training};
use super::variance_flatness::variance_flatness;
use crate::error::{Error, Result, require};
use rand::Rng;
use std::collections::BTreeMap;

/// Layer whose weights flatness and noise are about: the second.
const LAYER: usize = 1;

/// What is looked at along a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadOut {
    /// Checkpoints between two that are continued.
    pub every: usize,
    /// Checkpoints between two that are continued where a run freezes.
    pub refine: usize,
    /// Eigenvectors in which the noise is measured.
    pub directions: usize,
}

impl ReadOut {
    /// Refuses what is not possible for runs with these checkpoints, the layer having `weights` weights.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`].
    pub fn check(&self, checkpoints: usize, weights: usize) -> Result<()> {
        let divides = |v: f64| v >= 1.0 && ((checkpoints - 1) as f64 % v) == 0.0;
        let wanted = format!(
            "a divisor of the {} steps between checkpoints is needed",
            checkpoints - 1
        );
        require("scan_every", self.every as f64, divides, &wanted)?;
        let within = |v: f64| v >= 1.0 && v <= self.every as f64;
        require(
            "refine_every",
            self.refine as f64,
            within,
            "from 1 to scan_every is possible",
        )?;
        let enough = |v: f64| v >= 10.0 && v <= weights as f64;
        let wanted = format!("from 10 to the number of weights of the second layer, {weights}, are possible");
        require("directions", self.directions as f64, enough, &wanted)?;
        Ok(())
    }

    /// The checkpoints that are continued, the last included.
    pub fn scanned(&self, checkpoints: usize) -> Vec<usize> {
        (0..checkpoints).step_by(self.every).collect()
    }
}

/// A checkpoint that was continued.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanPoint {
    /// Flatness at the checkpoint itself, none where one of the ten largest eigenvalues is not positive.
    pub flatness: Option<f64>,
    /// Largest eigenvalue of the whole Hessian at the checkpoint, and the residual of its eigenpair in units of it.
    pub sharpness: [f64; 2],
    /// Exponent of the noise there, with its error; none where a curvature is not positive.
    pub noise_exponent: Option<[f64; 2]>,
    /// Largest residual of the Hessian's eigenpairs there and at the end point, in units of the largest eigenvalue.
    pub residual: [f64; 2],
    /// Sharpness in directions as long as the weights, there and at the end point.
    pub scaled_sharpness: [f64; 2],
    /// Shape of the noise of a batch there; none where a direction has no noise.
    pub shape: Option<NoiseShape>,
    /// Flatness at the end point.
    pub end_flatness: Option<f64>,
    /// Training loss at the end point.
    pub end_train_loss: f64,
    /// Test loss at the end point.
    pub end_test_loss: f64,
    /// Test accuracy at the end point.
    pub end_test_accuracy: f64,
    /// Jaccard index of the misclassified test samples of the end point and of the last state of the run.
    pub similarity: f64,
    /// Members of either set: the index has a resolution of one over this.
    pub misclassified: usize,
    /// Share of test samples on which both say the same.
    pub agreement: f64,
    /// Height of the training loss between them on the straight line, and its resolution.
    pub barrier: [f64; 2],
}

/// When a run froze, as checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freezing {
    /// All later end points misclassify the same test samples as the last state, Jaccard index at least .9, .95 and .99.
    pub basin: [usize; 3],
    /// All later end points say the same as the last state on at least 99 % of the test samples.
    pub agreement: usize,
    /// The training loss is at most 0.1 for the first time, none if never at a checkpoint.
    pub loss: Option<usize>,
}

/// A run read out.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// On the training samples, at each checkpoint.
    pub train: Vec<Evaluation>,
    /// On the test samples, at each checkpoint.
    pub test: Vec<Evaluation>,
    /// Step at which it diverged.
    pub diverged_at: Option<u64>,
    /// Last state.
    pub last: Vec<f64>,
    /// What the continuations say, if the last state has all training samples right.
    pub continued: Option<Continued>,
}

/// What the continuations of a run say.
#[derive(Debug, Clone, PartialEq)]
pub struct Continued {
    /// The checkpoints that were continued.
    pub points: Vec<ScanPoint>,
    /// When the run froze.
    pub freezing: Freezing,
    /// Jaccard indices between the end points of all of them.
    pub similarity: Vec<f64>,
    /// All checkpoints and the end points on the two principal components of them all: one list a component.
    pub trajectory: [Vec<f64>; 2],
    /// The end points there.
    pub ends: [Vec<f64>; 2],
    /// Share of their variance in the two components.
    pub explained: f64,
    /// ψ of the variance of the weights against the flatness after the last state, with its error; none where it is not defined.
    pub variance_exponent: Option<[f64; 2]>,
}

impl Followed {
    /// Whether the run ended with all training samples right.
    pub fn is_converged(&self) -> bool {
        self.continued.is_some()
    }
}

/// The end points of a run that were asked for.
struct EndPoints<'a> {
    run: &'a Run,
    training: &'a Training,
    known: BTreeMap<usize, EndPoint>,
}

impl EndPoints<'_> {
    /// Where a checkpoint leads to in the steps that were left.
    fn at(
        &mut self,
        checkpoint: usize,
        train: &mut CrossEntropy<'_>,
        test: &mut CrossEntropy<'_>,
    ) -> &EndPoint {
        let continuation = Continuation {
            learning_rate: self.training.learning_rate,
            budget: self.training.steps - self.training.step(checkpoint),
        };
        let from = &self.run.checkpoints[checkpoint];
        let known = self.known.entry(checkpoint);
        known.or_insert_with(|| gradient_descent(from, &continuation, train, test))
    }
}

/// Jaccard indices from which on two states count as of one basin.
const SAME_BASIN: [f64; 3] = [0.9, 0.95, 0.99];
/// Share of equal predictions from which on they do by the other definition.
const SAME_PREDICTIONS: f64 = 0.99;
/// Training loss of the third definition.
const LOW_LOSS: f64 = 0.1;

/// Reads out a run.
///
/// # Method
/// The published protocol: every checkpoint of the scan, and more where the run freezes, is continued by full-batch gradient descent at the learning rate of the run over the steps that were left
/// to it. Runs that have not all training samples right at their end have no basin and are not continued.
///
/// # Errors
/// As [`LayerHessian::new`].
///
/// `random` draws the batches of the steps that follow the last state.
///
/// # References
/// arXiv 2601.10962, methods.
pub fn follow(
    run: &Run,
    training: &Training,
    read_out: &ReadOut,
    [train, test]: [&mut CrossEntropy<'_>; 2],
    labels: &[u8],
    random: &mut impl Rng,
    seed: u64,
) -> Result<Followed> {
    let trained: Vec<Evaluation> = run
        .checkpoints
        .iter()
        .map(|theta| train.evaluate(theta))
        .collect();
    let tested: Vec<Evaluation> = run.checkpoints.iter().map(|theta| test.evaluate(theta)).collect();
    let (count, last) = (run.checkpoints.len(), run.checkpoints.len() - 1);
    let is_converged = run.diverged_at.is_none() && trained[last].accuracy == 1.0;
    let mut followed = Followed {
        train: trained,
        test: tested,
        diverged_at: run.diverged_at,
        last: run.checkpoints[last].clone(),
        continued: None,
    };
    if !is_converged {
        return Ok(followed);
    }
    let wrong = |of: &Evaluation| of.misclassified(labels);
    let reference = followed.test[last].clone();
    let reference_wrong = wrong(&reference);
    let similarity = |end: &EndPoint| jaccard(&wrong(&end.test), &reference_wrong);
    let agreement = |end: &EndPoint| {
        let pairs = end.test.predictions.iter().zip(&reference.predictions);
        pairs.filter(|(a, b)| a == b).count() as f64 / reference.predictions.len() as f64
    };
    let mut ends = EndPoints {
        run,
        training,
        known: BTreeMap::new(),
    };
    let mut basin = [0; 3];
    for (basin, threshold) in basin.iter_mut().zip(SAME_BASIN) {
        *basin = freezing_checkpoint(last, read_out.every, read_out.refine, |k| {
            Ok(similarity(ends.at(k, train, test)) >= threshold)
        })?;
    }
    let freezing = Freezing {
        basin,
        agreement: freezing_checkpoint(last, read_out.every, read_out.refine, |k| {
            Ok(agreement(ends.at(k, train, test)) >= SAME_PREDICTIONS)
        })?,
        loss: followed.train.iter().position(|e| e.loss <= LOW_LOSS),
    };
    let mut points = Vec::new();
    for k in read_out.scanned(count) {
        let end = ends.at(k, train, test);
        let mut here = train.linearise(&run.checkpoints[k]);
        let hessian = LayerHessian::new(&mut here, LAYER, read_out.directions)?;
        let exponent = match noise_exponent(&here, &hessian, seed) {
            Ok(noise) => Some([noise.exponent.value, noise.exponent.standard_error]),
            Err(Error::NotFinite { .. }) => None,
            Err(error) => return Err(error),
        };
        let shape = match noise_shape(&here, &hessian, training.batch_size, seed) {
            Ok(shape) => Some(shape),
            Err(Error::NotFinite { .. }) => None,
            Err(error) => return Err(error),
        };
        let scaled = [&run.checkpoints[k], &end.theta].map(|at| scaled_sharpness(train, at, LAYER, seed));
        let mut there = train.linearise(&end.theta);
        let end_hessian = LayerHessian::new(&mut there, LAYER, read_out.directions)?;
        let either = wrong(&end.test)
            .iter()
            .zip(&reference_wrong)
            .filter(|(a, b)| **a || **b)
            .count();
        points.push(ScanPoint {
            flatness: hessian.flatness(),
            sharpness: sharpness(&mut here)?,
            noise_exponent: exponent,
            residual: [&hessian, &end_hessian].map(LayerHessian::relative_residual),
            scaled_sharpness: scaled,
            shape,
            end_flatness: end_hessian.flatness(),
            end_train_loss: end.train.loss,
            end_test_loss: end.test.loss,
            end_test_accuracy: end.test.accuracy,
            similarity: similarity(end),
            misclassified: either,
            agreement: agreement(end),
            barrier: barrier(&end.theta, &followed.last, |theta| train.evaluate(theta).loss),
        });
    }
    let scanned = read_out.scanned(count);
    let errors: Vec<Vec<bool>> = (scanned.iter())
        .map(|k| wrong(&ends.at(*k, train, test).test))
        .collect();
    let states = (run.checkpoints.iter()).chain(scanned.iter().map(|k| &ends.known[k].theta));
    let states: Vec<Vec<f64>> = states.cloned().collect();
    let components = PrincipalComponents::new(&states, 2);
    let coordinate = |k: usize| {
        components
            .coordinates
            .get(k)
            .cloned()
            .unwrap_or_else(|| vec![0.0; states.len()])
    };
    let (mut trajectory, mut targets) = ([coordinate(0), coordinate(1)], [Vec::new(), Vec::new()]);
    for (path, targets) in trajectory.iter_mut().zip(&mut targets) {
        *targets = path.split_off(count);
    }
    let psi = variance_flatness(train, &run.checkpoints[last], training, LAYER, random, seed);
    followed.continued = Some(Continued {
        points,
        freezing,
        similarity: (errors.iter())
            .flat_map(|a| errors.iter().map(|b| jaccard(a, b)))
            .collect(),
        trajectory,
        ends: targets,
        explained: components.variance.iter().sum::<f64>() / components.total,
        variance_exponent: match psi {
            Ok(found) => Some([found.exponent.value, found.exponent.standard_error]),
            Err(Error::NotFinite { .. } | Error::TooFewSamples { .. }) => None,
            Err(error) => return Err(error),
        },
    });
    Ok(followed)
}
