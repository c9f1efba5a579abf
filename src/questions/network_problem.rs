//! What a network is trained on, for all tasks about networks: images, sizes of its layers, and random numbers.

use crate::ensemble::stream::{StreamKey, experiment_number};
use crate::error::{Error, Result};
use crate::network::{CLASSES, Images, Perceptron, Samples, image_files, split};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::path::{Path, PathBuf};

/// A network with the samples on which it is trained and tested.
pub(super) struct NetworkProblem {
    pub(super) network: Perceptron,
    pub(super) train: Samples,
    pub(super) test: Samples,
}

/// The keys that say so, of any section.
#[derive(Clone, Copy)]
pub(super) struct NetworkKeys<'a> {
    pub(super) section: &'static str,
    pub(super) data: Option<&'a str>,
    pub(super) train: usize,
    pub(super) test: usize,
    pub(super) hidden: &'a [usize],
}

/// Gives the keys of a section about networks, which all name them alike, their common meaning; `SECTION` names it.
macro_rules! network_keys {
    ($keys:ty) => {
        impl $keys {
            /// Files that the images are read from.
            pub fn files(&self) -> Vec<std::path::PathBuf> {
                $crate::questions::network_problem::files(self.data.as_deref())
            }

            fn keys(&self) -> $crate::questions::network_problem::NetworkKeys<'_> {
                $crate::questions::network_problem::NetworkKeys {
                    section: SECTION,
                    data: self.data.as_deref(),
                    train: self.train,
                    test: self.test,
                    hidden: &self.hidden,
                }
            }
        }
    };
}
pub(super) use network_keys;

/// Jaccard index from which on two end points are of one basin.
pub(super) const SAME_BASIN: f64 = 0.9;
/// Sets of images in a folder.
const SETS: [&str; 2] = ["train", "t10k"];
/// Units of the widest layer, and hidden layers.
const MOST_UNITS: usize = 10_000;
const MOST_LAYERS: usize = 20;

/// Files that the images in a folder are read from.
pub(super) fn files(data: Option<&str>) -> Vec<PathBuf> {
    let Some(folder) = data.map(Path::new) else {
        return Vec::new();
    };
    let sets = SETS.iter().flat_map(|set| image_files(folder, set));
    sets.filter(|file| file.exists()).collect()
}

impl NetworkKeys<'_> {
    /// Inputs of the network, as far as they are known before the data are read.
    pub(super) fn expected_sizes(&self) -> Vec<f64> {
        let inputs = if self.data.is_some() { 784.0 } else { 64.0 };
        let hidden = self.hidden.iter().map(|units| *units as f64);
        std::iter::once(inputs)
            .chain(hidden)
            .chain([CLASSES as f64])
            .collect()
    }

    /// Weights of the network, as far as they are known before the data are read.
    pub(super) fn expected_weights(&self) -> f64 {
        self.expected_sizes()
            .windows(2)
            .map(|pair| pair[0] * pair[1])
            .sum()
    }

    fn samples(&self) -> Result<(Samples, Samples)> {
        let Some(folder) = self.data else {
            return split(&Images::digits()?, self.train, self.test).map_err(|e| e.at(self.section));
        };
        let path = Path::new(folder);
        let is_there = |set: &str| image_files(path, set).iter().any(|file| file.exists());
        let failed = |e: Error| match e {
            Error::Config { message, .. } => Error::Input {
                path: folder.into(),
                message,
            },
            other => other,
        };
        match SETS.map(is_there) {
            [true, true] => {
                let [train, test] = SETS.map(|set| Images::read(path, set));
                Ok((
                    Samples::choose(&train?, 0, self.train).map_err(failed)?,
                    Samples::choose(&test?, 0, self.test).map_err(failed)?,
                ))
            }
            [false, true] => split(&Images::read(path, SETS[1])?, self.train, self.test).map_err(failed),
            // says which file is missing when there is none
            _ => split(&Images::read(path, SETS[0])?, self.train, self.test).map_err(failed),
        }
    }

    /// Refuses keys that are out of range, before any file is read.
    pub(super) fn check_ranges(&self) -> Result<()> {
        let fail =
            |key: &str, message: String| Err(Error::config(&format!("{}.{key}", self.section), message));
        for (key, value) in [("train", self.train), ("test", self.test)] {
            if value == 0 {
                return fail(key, "0 is not allowed: at least one is needed".into());
            }
        }
        if self.hidden.is_empty()
            || self.hidden.len() > MOST_LAYERS
            || self.hidden.iter().any(|units| !(1..=MOST_UNITS).contains(units))
        {
            return fail(
                "hidden",
                format!("1 to {MOST_LAYERS} hidden layers are possible, each of 1 to {MOST_UNITS} units"),
            );
        }
        Ok(())
    }

    /// The network and its samples.
    pub(super) fn check(&self) -> Result<NetworkProblem> {
        self.check_ranges()?;
        let (train, test) = self.samples()?;
        if train.dimension() != test.dimension() {
            return Err(Error::config(
                &format!("{}.data", self.section),
                "training and test images have different sizes",
            ));
        }
        let sizes = [&[train.dimension()], self.hidden, &[CLASSES]].concat();
        Ok(NetworkProblem {
            network: Perceptron::new(&sizes)?,
            train,
            test,
        })
    }
}

/// Refuses a training time or a learning rate that is not positive, or a time that takes too many iterations.
pub(super) fn check_time(section: &str, time: f64, rates: &[f64]) -> Result<()> {
    /// Iterations of the longest run.
    const MOST_STEPS: f64 = 1e9;
    let fail = |key: &str, message: String| Err(Error::config(&format!("{section}.{key}"), message));
    if !(time.is_finite() && time > 0.0) {
        return fail(
            "time",
            format!("{time} is not allowed: a positive finite number is needed"),
        );
    }
    if rates.iter().any(|rate| !(rate.is_finite() && *rate > 0.0)) {
        return fail("learning_rate", "a positive finite number is needed".into());
    }
    match rates.iter().find(|rate| time / **rate > MOST_STEPS) {
        Some(rate) => fail(
            "learning_rate",
            format!("{rate} needs more than {MOST_STEPS:e} iterations"),
        ),
        None => Ok(()),
    }
}

/// The random numbers of a run, a function of seed, section, name of the setting and number of the run.
pub(super) fn stream(seed: u64, section: &str, name: &str, run: usize) -> Xoshiro256PlusPlus {
    let key = StreamKey::new(seed, experiment_number(&format!("{section} {name}")));
    let mut bytes = [0_u8; 32];
    for (part, word) in bytes.chunks_exact_mut(8).zip(key.state(run as u64, 0)) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    Xoshiro256PlusPlus::from_seed(bytes)
}
