//! The cross-entropy of a network on samples: loss, gradient, products with the Hessian, and what the network says.

use super::finite_sum::{Batch, FiniteSum};
use super::perceptron::Perceptron;
use super::samples::Samples;
use crate::error::{Error, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Mean cross-entropy of a network on samples.
///
/// # Formula
/// ℓ_n = ln Σ_c exp(z_c − z_y), z the outputs for sample n and y its class.
///
/// # Method
/// Activations of a batch are matrices with a column for each sample; products by faer in double precision on the calling thread. Derivatives by
/// back-propagation; ReLU has derivative zero at zero.
#[derive(Debug, Clone)]
pub struct CrossEntropy<'a> {
    network: &'a Perceptron,
    samples: &'a Samples,
    /// Inputs of a batch, gathered.
    inputs: Vec<f64>,
    /// Derivatives that nobody asked for.
    unused: Vec<f64>,
    pass: Pass,
}

/// What a pass through the network leaves behind: a matrix for each layer, with a column for each sample.
#[derive(Debug, Clone, Default)]
struct Pass {
    /// Outputs a_{l+1} of layer l.
    outputs: Vec<Vec<f64>>,
    /// Derivatives of the mean loss with respect to W_l a_l + b_l.
    deltas: Vec<Vec<f64>>,
}

/// How a network does on samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of samples whose class has the largest output.
    pub accuracy: f64,
    /// Class with the largest output, for each sample.
    pub predictions: Vec<u8>,
}

impl Evaluation {
    /// Which samples are misclassified, given the class of each.
    pub fn misclassified(&self, labels: &[u8]) -> Vec<bool> {
        let pairs = self.predictions.iter().zip(labels);
        pairs.map(|(said, label)| said != label).collect()
    }
}

/// C = A B, or C += A B, of matrices by columns.
fn product(c: MatMut<'_, f64>, accumulate: bool, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let accumulate = if accumulate { Accum::Add } else { Accum::Replace };
    matmul(c, accumulate, a, b, 1.0, Par::Seq);
}

fn columns(entries: &[f64], rows: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(entries, rows, entries.len() / rows)
}

fn columns_mut(entries: &mut [f64], rows: usize) -> MatMut<'_, f64> {
    let count = entries.len() / rows;
    MatMut::from_column_major_slice_mut(entries, rows, count)
}

impl Perceptron {
    fn matrix<'t>(&self, theta: &'t [f64], layer: usize) -> MatRef<'t, f64> {
        let (inputs, outputs) = (self.sizes()[layer], self.sizes()[layer + 1]);
        MatRef::from_row_major_slice(&theta[self.weights(layer)], outputs, inputs)
    }

    /// W a + b for all columns of a.
    fn affine(&self, theta: &[f64], layer: usize, a: &[f64], z: &mut Vec<f64>) {
        let (inputs, outputs) = (self.sizes()[layer], self.sizes()[layer + 1]);
        let count = a.len() / inputs;
        let biases = &theta[self.biases(layer)];
        z.clear();
        for _ in 0..count {
            z.extend_from_slice(biases);
        }
        product(
            columns_mut(z, outputs),
            true,
            self.matrix(theta, layer),
            columns(a, inputs),
        );
    }

    /// Adds Σ δ aᵀ and Σ δ, over the columns, to the entries of a layer.
    fn accumulate(&self, gradient: &mut [f64], layer: usize, delta: &[f64], a: &[f64]) {
        let (inputs, outputs) = (self.sizes()[layer], self.sizes()[layer + 1]);
        let weights = MatMut::from_row_major_slice_mut(&mut gradient[self.weights(layer)], outputs, inputs);
        product(
            weights,
            true,
            columns(delta, outputs),
            columns(a, inputs).transpose(),
        );
        let biases = &mut gradient[self.biases(layer)];
        for column in delta.chunks_exact(outputs) {
            for (bias, d) in biases.iter_mut().zip(column) {
                *bias += d;
            }
        }
    }

    /// Outputs of all layers.
    fn forward(&self, theta: &[f64], inputs: &[f64], pass: &mut Pass) {
        pass.outputs.resize_with(self.layers(), Vec::new);
        for layer in 0..self.layers() {
            let (before, rest) = pass.outputs.split_at_mut(layer);
            let a = before.last().map_or(inputs, Vec::as_slice);
            self.affine(theta, layer, a, &mut rest[0]);
            if layer + 1 < self.layers() {
                // what is not a number stays so
                for z in rest[0].iter_mut().filter(|z| **z < 0.0) {
                    *z = 0.0;
                }
            }
        }
    }

    /// Deltas of all layers from that of the last.
    fn backward(&self, theta: &[f64], pass: &mut Pass) {
        for layer in (1..self.layers()).rev() {
            let (before, rest) = pass.deltas.split_at_mut(layer);
            let (outputs, inputs) = (self.sizes()[layer + 1], self.sizes()[layer]);
            let delta = &mut before[layer - 1];
            delta.resize(rest[0].len() / outputs * inputs, 0.0);
            product(
                columns_mut(delta, inputs),
                false,
                self.matrix(theta, layer).transpose(),
                columns(&rest[0], outputs),
            );
            mask(delta, &pass.outputs[layer - 1]);
        }
    }
}

/// Zero where the unit is off.
fn mask(values: &mut [f64], outputs: &[f64]) {
    for (value, output) in values.iter_mut().zip(outputs) {
        if *output <= 0.0 {
            *value = 0.0;
        }
    }
}

/// ln Σ exp of the column without its largest entry taken out, the column becoming exp(z)/Σ exp(z).
fn softmax(column: &mut [f64]) -> f64 {
    let largest = column.iter().fold(f64::NEG_INFINITY, |m, z| m.max(*z));
    let mut sum = 0.0;
    for z in column.iter_mut() {
        *z = (*z - largest).exp();
        sum += *z;
    }
    for z in column.iter_mut() {
        *z /= sum;
    }
    largest + sum.ln()
}

/// Mean loss; the deltas of the last layer, (p − y)/B, replace what `delta` holds.
fn loss_and_delta(outputs: &[f64], classes: usize, labels: &[u8], delta: &mut Vec<f64>) -> f64 {
    delta.clear();
    delta.extend_from_slice(outputs);
    let weight = 1.0 / labels.len() as f64;
    let mut loss = 0.0;
    let pairs = outputs
        .chunks_exact(classes)
        .zip(delta.chunks_exact_mut(classes))
        .zip(labels);
    for ((z, p), label) in pairs {
        let class = usize::from(*label);
        loss += softmax(p) - z[class];
        p[class] -= 1.0;
        p.iter_mut().for_each(|p| *p *= weight);
    }
    loss * weight
}

impl<'a> CrossEntropy<'a> {
    /// The loss of a network on samples.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when the network takes other inputs or has fewer outputs than there are classes.
    pub fn new(network: &'a Perceptron, samples: &'a Samples) -> Result<Self> {
        let sizes = network.sizes();
        let largest = samples.labels().iter().max().map_or(0, |l| usize::from(*l) + 1);
        let last = sizes[sizes.len() - 1];
        for (name, expected, got, is_wrong) in [
            (
                "inputs of the network",
                samples.dimension(),
                sizes[0],
                samples.dimension() != sizes[0],
            ),
            ("outputs of the network", largest, last, last < largest),
        ] {
            if is_wrong {
                return Err(Error::DimensionMismatch {
                    name: name.into(),
                    expected,
                    got,
                });
            }
        }
        Ok(Self {
            network,
            samples,
            inputs: Vec::new(),
            unused: Vec::new(),
            pass: Pass::default(),
        })
    }

    /// The network.
    pub fn network(&self) -> &'a Perceptron {
        self.network
    }

    fn classes(&self) -> usize {
        self.network.sizes()[self.network.layers()]
    }

    /// Loss, accuracy and predictions on all samples.
    pub fn evaluate(&mut self, theta: &[f64]) -> Evaluation {
        let (classes, labels) = (self.classes(), self.samples.labels());
        self.network.forward(theta, self.samples.inputs(), &mut self.pass);
        let outputs = &self.pass.outputs[self.network.layers() - 1];
        let loss = loss_and_delta(outputs, classes, labels, &mut self.unused);
        let predictions: Vec<u8> = outputs
            .chunks_exact(classes)
            .map(|z| (1..classes).fold(0, |best, c| if z[c] > z[best] { c } else { best }) as u8)
            .collect();
        let hits = predictions.iter().zip(labels).filter(|(p, l)| p == l).count();
        Evaluation {
            loss,
            accuracy: hits as f64 / labels.len() as f64,
            predictions,
        }
    }

    /// The loss around θ to second order, on all samples.
    pub fn linearise(&mut self, theta: &[f64]) -> Linearised<'a> {
        let mut gradient = vec![0.0; theta.len()];
        self.gradient(theta, Batch::All, &mut gradient);
        Linearised {
            network: self.network,
            samples: self.samples,
            theta: theta.to_vec(),
            gradient,
            pass: self.pass.clone(),
            tangent: Pass::default(),
        }
    }
}

impl FiniteSum for CrossEntropy<'_> {
    fn dimension(&self) -> usize {
        self.network.parameters()
    }

    fn samples(&self) -> usize {
        self.samples.count()
    }

    fn gradient(&mut self, theta: &[f64], batch: Batch<'_>, gradient: &mut [f64]) -> f64 {
        let (network, last, classes) = (self.network, self.network.layers() - 1, self.classes());
        let mut labels: Vec<u8> = Vec::new();
        let (inputs, labels) = match batch {
            Batch::All => (self.samples.inputs(), self.samples.labels()),
            Batch::Some(chosen) => {
                self.inputs.clear();
                for &n in chosen {
                    self.inputs.extend_from_slice(self.samples.input(n));
                    labels.push(self.samples.labels()[n]);
                }
                (self.inputs.as_slice(), labels.as_slice())
            }
        };
        let pass = &mut self.pass;
        network.forward(theta, inputs, pass);
        pass.deltas.resize_with(network.layers(), Vec::new);
        let loss = loss_and_delta(&pass.outputs[last], classes, labels, &mut pass.deltas[last]);
        network.backward(theta, pass);
        gradient.fill(0.0);
        for layer in 0..network.layers() {
            let a = match layer {
                0 => inputs,
                _ => &pass.outputs[layer - 1],
            };
            network.accumulate(gradient, layer, &pass.deltas[layer], a);
        }
        loss
    }
}

/// The loss around one state to second order.
#[derive(Debug, Clone)]
pub struct Linearised<'a> {
    network: &'a Perceptron,
    samples: &'a Samples,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    pass: Pass,
    tangent: Pass,
}

impl Linearised<'_> {
    /// ∇L.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// The network.
    pub fn network(&self) -> &Perceptron {
        self.network
    }

    fn input(&self, layer: usize) -> &[f64] {
        match layer {
            0 => self.samples.inputs(),
            _ => &self.pass.outputs[layer - 1],
        }
    }

    /// H v for a direction v that moves layer `first` and those after it only; entries of the layers before are not looked at, and those of the product are
    /// zero.
    ///
    /// # Method
    /// Pearlmutter's operator: the derivative of the whole back-propagation along v. Of ReLU the second derivative is taken as zero: away from the states at which a unit
    /// switches for some sample, this is the Hessian.
    ///
    /// # References
    /// B. A. Pearlmutter, Neural Computation 6 (1994) 147.
    pub fn hessian_product(&mut self, direction: &[f64], first: usize, image: &mut [f64]) {
        let network = self.network;
        let (layers, sizes) = (network.layers(), network.sizes());
        let (last, count) = (layers - 1, self.samples.count());
        let mut tangent = std::mem::take(&mut self.tangent);
        tangent.outputs.resize_with(layers, Vec::new);
        tangent.deltas.resize_with(layers, Vec::new);
        for layer in first..layers {
            let (before, rest) = tangent.outputs.split_at_mut(layer);
            let moved = &mut rest[0];
            network.affine(direction, layer, self.input(layer), moved);
            if layer > first {
                product(
                    columns_mut(moved, sizes[layer + 1]),
                    true,
                    network.matrix(&self.theta, layer),
                    columns(&before[layer - 1], sizes[layer]),
                );
            }
            if layer < last {
                mask(moved, &self.pass.outputs[layer]);
            }
        }
        // (diag p − p pᵀ) ż / m
        let classes = sizes[layers];
        let delta = &mut tangent.deltas[last];
        delta.clear();
        delta.extend_from_slice(&self.pass.outputs[last]);
        for (p, z) in (delta.chunks_exact_mut(classes)).zip(tangent.outputs[last].chunks_exact(classes)) {
            softmax(p);
            let mean: f64 = p.iter().zip(z).map(|(p, z)| p * z).sum();
            p.iter_mut()
                .zip(z)
                .for_each(|(p, z)| *p *= (z - mean) / count as f64);
        }
        for layer in (first + 1..layers).rev() {
            let (before, rest) = tangent.deltas.split_at_mut(layer);
            let delta = &mut before[layer - 1];
            delta.resize(count * sizes[layer], 0.0);
            let (inner, outer) = (sizes[layer], sizes[layer + 1]);
            for (weights, deltas, is_second) in [
                (direction, &self.pass.deltas[layer], false),
                (&self.theta[..], &rest[0], true),
            ] {
                product(
                    columns_mut(delta, inner),
                    is_second,
                    network.matrix(weights, layer).transpose(),
                    columns(deltas, outer),
                );
            }
            mask(delta, &self.pass.outputs[layer - 1]);
        }
        image.fill(0.0);
        for layer in first..layers {
            network.accumulate(image, layer, &tangent.deltas[layer], self.input(layer));
            if layer > first {
                // the biases take no part in δ ȧᵀ
                let entries = &mut image[network.weights(layer)];
                product(
                    MatMut::from_row_major_slice_mut(entries, sizes[layer + 1], sizes[layer]),
                    true,
                    columns(&self.pass.deltas[layer], sizes[layer + 1]),
                    columns(&tangent.outputs[layer - 1], sizes[layer]).transpose(),
                );
            }
        }
        self.tangent = tangent;
    }

    /// v · ∇ℓ_n of every sample n, for a direction v in all parameters.
    pub fn sample_gradients(&self, direction: &[f64]) -> Vec<f64> {
        let count = self.samples.count();
        let mut along = vec![0.0; count];
        let mut moved = Vec::new();
        for (layer, deltas) in self.pass.deltas.iter().enumerate() {
            let outputs = self.network.sizes()[layer + 1];
            self.network
                .affine(direction, layer, self.input(layer), &mut moved);
            let pairs = moved.chunks_exact(outputs).zip(deltas.chunks_exact(outputs));
            for (along, (v, delta)) in along.iter_mut().zip(pairs) {
                // the deltas are those of the mean
                *along += count as f64 * v.iter().zip(delta).map(|(v, d)| v * d).sum::<f64>();
            }
        }
        along
    }

    /// Trace of the covariance of the gradients of single samples, Σ_n |∇ℓ_n − ∇L|²/(m − 1).
    pub fn noise_trace(&self) -> f64 {
        let count = self.samples.count() as f64;
        let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
        let mut squares = 0.0;
        for (layer, deltas) in self.pass.deltas.iter().enumerate() {
            let (inputs, outputs) = (self.network.sizes()[layer], self.network.sizes()[layer + 1]);
            let pairs = self
                .input(layer)
                .chunks_exact(inputs)
                .zip(deltas.chunks_exact(outputs));
            // |δ aᵀ|² and the biases, the deltas being those of the mean
            squares += pairs
                .map(|(a, delta)| (square(a) + 1.0) * square(delta))
                .sum::<f64>();
        }
        count * (count * squares - square(&self.gradient)) / (count - 1.0)
    }

    /// v · ∇ℓ_n of every sample n, for a direction v in the weights of one layer, row by row.
    pub fn sample_gradients_along(&self, layer: usize, direction: &[f64]) -> Vec<f64> {
        let (inputs, outputs) = (self.network.sizes()[layer], self.network.sizes()[layer + 1]);
        let count = self.samples.count();
        let mut moved = vec![0.0; outputs * count];
        product(
            columns_mut(&mut moved, outputs),
            false,
            MatRef::from_row_major_slice(direction, outputs, inputs),
            columns(self.input(layer), inputs),
        );
        // the deltas are those of the mean
        let pairs = moved
            .chunks_exact(outputs)
            .zip(self.pass.deltas[layer].chunks_exact(outputs));
        pairs
            .map(|(v, delta)| count as f64 * v.iter().zip(delta).map(|(v, d)| v * d).sum::<f64>())
            .collect()
    }
}
