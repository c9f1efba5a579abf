//! Mathematics without physics: points and tensors, quadrature, interpolation and splines, special functions, log-domain sums.

mod block;
mod chebyshev;
pub(crate) mod elementary;
mod even_limit;
pub mod formula;
mod gauss_hermite;
pub mod gauss_legendre;
mod instructions;
pub mod log_domain;
mod natural_quintic;
mod relative_exponential;
mod remap;
pub mod special;
mod spline;
mod sylvester;
mod symmetric_root;

pub use block::{LANES, Lanes, PointBlock};
pub use chebyshev::Chebyshev;
pub(crate) use even_limit::even_limit;
pub use formula::Formula;
pub use gauss_hermite::GaussHermite;
pub use instructions::Instructions;
pub(crate) use natural_quintic::NaturalQuintic;
pub use relative_exponential::relative_exponential;
pub use remap::remap;
pub use spline::Spline;
pub(crate) use sylvester::{singular_sylvester, sylvester};
pub(crate) use symmetric_root::planar_root;
pub use symmetric_root::symmetric_root;

/// A point, drift or gradient in `D` dimensions.
pub type Point<const D: usize> = nalgebra::SVector<f64, D>;

/// A `D`×`D` matrix: Hessian, covariance or diffusion tensor.
pub type Tensor<const D: usize> = nalgebra::SMatrix<f64, D, D>;
