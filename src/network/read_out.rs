//! One run of training read out: losses along it, where its checkpoints lead to, and when it froze.

use super::continuation::{Continuation, EndPoint, barrier, freezing_checkpoint, gradient_descent, jaccard};
use super::cross_entropy::{CrossEntropy, Evaluation};
use super::flatness::{LayerHessian, sharpness};
use super::gradient_noise::noise_exponent;
use super::training::{Run, Training};
use crate::error::{Error, Result, require};
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
    /// Largest eigenvalue of the whole Hessian at the checkpoint.
    pub sharpness: f64,
    /// Exponent of the noise there, with its error; none where a curvature is not positive.
    pub noise_exponent: Option<[f64; 2]>,
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
    /// Height of the training loss between them on the straight line.
    pub barrier: f64,
}

/// When a run froze, as checkpoints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freezing {
    /// All later end points misclassify the same test samples as the last state, Jaccard index at least 0.9.
    pub basin: usize,
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
    pub continued: Option<(Vec<ScanPoint>, Freezing)>,
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

/// Jaccard index from which on two states count as of one basin.
const SAME_BASIN: f64 = 0.9;
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
/// # References
/// arXiv 2601.10962, methods.
pub fn follow(
    run: &Run,
    training: &Training,
    read_out: &ReadOut,
    [train, test]: [&mut CrossEntropy<'_>; 2],
    labels: &[u8],
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
    let wrong = |of: &Evaluation| -> Vec<bool> {
        let pairs = of.predictions.iter().zip(labels);
        pairs.map(|(said, label)| said != label).collect()
    };
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
    let freezing = Freezing {
        basin: freezing_checkpoint(last, read_out.every, read_out.refine, |k| {
            Ok(similarity(ends.at(k, train, test)) >= SAME_BASIN)
        })?,
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
        let mut there = train.linearise(&end.theta);
        let either = wrong(&end.test)
            .iter()
            .zip(&reference_wrong)
            .filter(|(a, b)| **a || **b)
            .count();
        points.push(ScanPoint {
            flatness: hessian.flatness(),
            sharpness: sharpness(&mut here)?,
            noise_exponent: exponent,
            end_flatness: LayerHessian::new(&mut there, LAYER, read_out.directions)?.flatness(),
            end_train_loss: end.train.loss,
            end_test_loss: end.test.loss,
            end_test_accuracy: end.test.accuracy,
            similarity: similarity(end),
            misclassified: either,
            agreement: agreement(end),
            barrier: barrier(&end.theta, &followed.last, train),
        });
    }
    followed.continued = Some((points, freezing));
    Ok(followed)
}
