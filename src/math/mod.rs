//! Mathematics without physics: points, tensors and the functions that schemes need.

mod chebyshev;
mod relative_exponential;
mod remap;

pub use chebyshev::Chebyshev;
pub use relative_exponential::relative_exponential;
pub use remap::remap;

/// A point, drift or gradient in `D` dimensions.
pub type Point<const D: usize> = nalgebra::SVector<f64, D>;

/// A `D`×`D` matrix: Hessian, covariance or diffusion tensor.
pub type Tensor<const D: usize> = nalgebra::SMatrix<f64, D, D>;
