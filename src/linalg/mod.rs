//! Linear algebra of Markov generators: rates without a diagonal, eliminated without subtraction.
//!
//! A generator has rows that sum to minus the killing rate. Storing its diagonal throws the small killing
//! rates away by rounding, and every escape time above a barrier of 30 kT with them. Keeping off-diagonal
//! rates and killing apart, and rebuilding each pivot as a sum of non-negative numbers (Grassmann, Taksar and
//! Heyman 1985), keeps full relative accuracy at any barrier.
//!
//! Layouts: along a line ([`Chain`], also many side by side), and any graph ([`SparseRates`] on sprs, with
//! [`NestedDissection`] and [`Elimination`]).
//! [`DetailedBalance`] finds the weights of a reversible chain without elimination, and [`Cholesky`] is the plain
//! factorisation for such a chain, where it is accurate enough; [`Selling`] makes non-negative stencils of anisotropic tensors.

mod alternating_directions;
mod chain;
mod chain_rows;
mod cholesky;
mod detailed_balance;
mod eigen;
mod elimination;
mod front;
mod lanczos;
mod nested_dissection;
mod power_iteration;
mod selling;
mod singly_diagonal;
mod sparse_rates;

pub use alternating_directions::{AlternatingDirections, AxisRates};
pub use chain::{Chain, ChainElimination};
pub use chain_rows::solve_adjoint_rows;
pub use cholesky::Cholesky;
pub use detailed_balance::DetailedBalance;
pub use eigen::{Arnoldi, Eigenpair, Eigenpairs, dominant_eigenpairs};
pub use elimination::Elimination;
pub use lanczos::{SymmetricEigenpair, largest_eigenpairs};
pub use nested_dissection::NestedDissection;
pub(crate) use power_iteration::{
    PowerIteration, most_probable, normalise, power_iteration, remove_mean, weighted_inner,
};
pub use selling::Selling;
pub use singly_diagonal::{Advanced, FIRST_STAGE, SinglyDiagonal};
pub(crate) use singly_diagonal::{
    bounded_extrapolation, conservative_extrapolation, extrapolated, fed, free_extrapolation, stage_rate,
    two_stages,
};
pub use sparse_rates::{CompressedRows, Restriction, SparseRates};
