//! Mathematics without physics: points and tensors, quadrature, interpolation, special functions, log-domain sums.

mod chebyshev;
pub(crate) mod elementary;
pub mod formula;
pub mod gauss_legendre;
pub mod log_domain;
mod relative_exponential;
mod remap;
pub mod special;

pub use chebyshev::Chebyshev;
pub use formula::Formula;
pub use relative_exponential::relative_exponential;
pub use remap::remap;

/// A point, drift or gradient in `D` dimensions.
pub type Point<const D: usize> = nalgebra::SVector<f64, D>;

/// A `D`×`D` matrix: Hessian, covariance or diffusion tensor.
pub type Tensor<const D: usize> = nalgebra::SMatrix<f64, D, D>;
