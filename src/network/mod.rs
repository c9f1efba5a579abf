//! Neural networks: training by SGD, the basin that a state of training leads to, the curvature there, and the noise of the gradient.
//!
//! ```text
//! L(θ) = (1/m) Σ_n ℓ_n(θ),   θ_{k+1} = θ_k − (η/B) Σ_{n in batch k} ∇ℓ_n(θ_k)
//! ```
//!
//! with ℓ_n the cross-entropy of image n. Full-batch gradient descent with the same η, started at a checkpoint, is the *continuation* of training without its noise: its end point names the
//! basin in which training is at that time, and training is frozen from the time on after which all end points are in the basin of the last state.
//!
//! # Limitations
//! Fully connected networks with ReLU. Products are those of the faer library, which chooses its instructions by processor: the same bytes on any number of threads of one machine, but not
//! between processors with and without fused multiplication, as training amplifies roundings.

mod continuation;
mod cross_entropy;
mod curve;
mod finite_sum;
mod flatness;
mod gradient_noise;
mod idx;
mod images;
mod perceptron;
mod principal_components;
mod read_out;
mod samples;
mod section;
mod shifted_valleys;
mod training;
mod variance_flatness;

pub use continuation::{
    Continuation, EndPoint, barrier, crossing, freezing_checkpoint, gradient_descent, jaccard, ridge,
};
pub use cross_entropy::{CrossEntropy, Evaluation, Linearised};
pub use curve::{Curve, distance};
pub use finite_sum::{Batch, FiniteSum};
pub use flatness::{FLATNESS_EIGENVALUES, LayerHessian, flatness, scaled_sharpness, sharpness};
pub use gradient_noise::{NoiseExponent, NoiseShape, noise_exponent, noise_shape};
pub use idx::{Idx, read_idx};
pub use images::{CLASSES, Images, image_files};
pub use perceptron::Perceptron;
pub use principal_components::PrincipalComponents;
pub use read_out::{Continued, Followed, Freezing, ReadOut, ScanPoint, follow};
pub use samples::{Samples, split};
pub use section::{
    SectionPoint, SectionTable, border, log_passage_rate, noise_along, parallel_sections, projection,
    tabulate,
};
pub use shifted_valleys::ShiftedValleys;
pub use training::{Run, Training, train};
pub use variance_flatness::{VarianceFlatness, variance_flatness};
