//! Mathematics without physics: points and tensors, quadrature, special functions, log-domain sums.

pub mod gauss_legendre;
pub mod log_domain;
pub mod special;

/// A point, drift or gradient in `D` dimensions.
pub type Point<const D: usize> = nalgebra::SVector<f64, D>;

/// A `D`×`D` matrix: Hessian, covariance or diffusion tensor.
pub type Tensor<const D: usize> = nalgebra::SMatrix<f64, D, D>;
