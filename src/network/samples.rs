//! Samples: inputs of a network with their classes, chosen from images.

use super::images::{CLASSES, Images};
use crate::error::{Error, Result};

/// Inputs with their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    dimension: usize,
    inputs: Vec<f64>,
    labels: Vec<u8>,
}

impl Samples {
    /// Samples of `dimension` inputs each.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when there are not `dimension` inputs a label, [`Error::InvalidParameter`] for a class out of range or an input that is not finite.
    pub fn new(dimension: usize, inputs: Vec<f64>, labels: Vec<u8>) -> Result<Self> {
        if inputs.len() != dimension * labels.len() || labels.is_empty() {
            return Err(Error::DimensionMismatch {
                name: "inputs of the samples".into(),
                expected: dimension * labels.len().max(1),
                got: inputs.len(),
            });
        }
        for label in &labels {
            crate::error::require("label", f64::from(*label), |v| v < CLASSES as f64, "0 to 9 are")?;
        }
        for input in &inputs {
            crate::error::require_finite("input", *input)?;
        }
        Ok(Self {
            dimension,
            inputs,
            labels,
        })
    }

    /// Inputs a sample.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// All inputs, sample after sample.
    pub fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    /// The inputs of one sample.
    pub fn input(&self, sample: usize) -> &[f64] {
        &self.inputs[sample * self.dimension..(sample + 1) * self.dimension]
    }

    /// Class of each sample.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The same inputs with other labels.
    ///
    /// # Errors
    /// As [`Samples::new`].
    pub fn with_labels(self, labels: Vec<u8>) -> Result<Self> {
        Self::new(self.dimension, self.inputs, labels)
    }

    /// `count` images of each class in the order of the file, after the first `skip` of the class; pixels p of 0 to 1 become (p − 1/2)/(1/2).
    ///
    /// # Errors
    /// [`Error::Config`] when a class has too few.
    pub fn choose(images: &Images, skip: usize, count: usize) -> Result<Self> {
        let wanted = skip.saturating_add(count);
        let mut seen = [0_usize; CLASSES];
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for (pixels, label) in images.bytes.chunks_exact(images.pixels).zip(&images.labels) {
            let place = &mut seen[usize::from(*label)];
            *place += 1;
            if *place > skip && *place <= wanted {
                let scaled = pixels
                    .iter()
                    .map(|p| 2.0 * f64::from(*p) / images.brightest - 1.0);
                inputs.extend(scaled);
                labels.push(*label);
            }
        }
        match seen.iter().position(|seen| *seen < wanted) {
            Some(class) => Err(Error::config(
                "train",
                format!("class {class} has {} images, {} are needed", seen[class], wanted),
            )),
            None => Self::new(images.pixels, inputs, labels),
        }
    }
}

/// Samples for training and for testing: the first `train` images of each class, and the next `test` of them.
///
/// # Errors
/// As [`Samples::choose`].
///
/// # Examples
/// ```
/// use freezeout::network::{Images, split};
/// let (train, test) = split(&Images::digits()?, 50, 100)?;
/// assert_eq!((train.count(), test.count()), (500, 1000));
/// assert!(train.inputs().iter().all(|v| (-1.0..=1.0).contains(v)));
/// assert!(split(&Images::digits()?, 100, 100).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn split(images: &Images, train: usize, test: usize) -> Result<(Samples, Samples)> {
    Ok((
        Samples::choose(images, 0, train)?,
        Samples::choose(images, train, test)?,
    ))
}
