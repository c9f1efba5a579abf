//! Multilayer perceptrons: the shape of the network and its parameters.

use crate::error::{Error, Result, require};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// A fully connected network with biases and ReLU between its layers.
///
/// # Formula
/// a_0 = x, a_{l+1} = max(0, W_l a_l + b_l), without the maximum in the last layer. The parameters are W_0 (row by row, a row for each output), b_0, W_1, b_1, ...
///
/// # Examples
/// ```
/// use freezeout::network::Perceptron;
/// let network = Perceptron::new(&[784, 50, 50, 10])?;
/// assert_eq!((network.layers(), network.parameters()), (3, 42_310));
/// assert_eq!(network.weights(1), 39_250..41_750);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perceptron {
    sizes: Vec<usize>,
}

impl Perceptron {
    /// A network with these numbers of units, from the inputs to the outputs.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] for fewer than two sizes, [`Error::InvalidParameter`] for a size of zero.
    pub fn new(sizes: &[usize]) -> Result<Self> {
        if sizes.len() < 2 {
            return Err(Error::DimensionMismatch {
                name: "sizes of the network".into(),
                expected: 2,
                got: sizes.len(),
            });
        }
        for size in sizes {
            require(
                "size",
                *size as f64,
                |v| v > 0.0,
                "at least one unit a layer is needed",
            )?;
        }
        Ok(Self {
            sizes: sizes.to_vec(),
        })
    }

    /// Numbers of units, from the inputs to the outputs.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of layers of weights.
    pub fn layers(&self) -> usize {
        self.sizes.len() - 1
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.biases(self.layers() - 1).end
    }

    /// Where W_l stands among the parameters.
    pub fn weights(&self, layer: usize) -> Range<usize> {
        let before: usize = (0..layer).map(|l| (self.sizes[l] + 1) * self.sizes[l + 1]).sum();
        before..before + self.sizes[layer] * self.sizes[layer + 1]
    }

    /// Where b_l stands among the parameters.
    pub fn biases(&self, layer: usize) -> Range<usize> {
        let weights = self.weights(layer);
        weights.end..weights.end + self.sizes[layer + 1]
    }

    /// A random state: weights normal with variance 2/(inputs of the layer), biases zero.
    ///
    /// # References
    /// K. He, X. Zhang, S. Ren and J. Sun, ICCV 2015, eq. 10.
    pub fn initial_state(&self, random: &mut impl Rng) -> Vec<f64> {
        let mut theta = vec![0.0; self.parameters()];
        for layer in 0..self.layers() {
            let deviation = (2.0 / self.sizes[layer] as f64).sqrt();
            for weight in &mut theta[self.weights(layer)] {
                let normal: f64 = StandardNormal.sample(random);
                *weight = deviation * normal;
            }
        }
        theta
    }
}
