//! The discrete generator: jump rates between the cells of a grid, and killing.
//!
//! ```text
//! (Lf)_i = Σ_j r_ij (f_j − f_i) − k_i f_i          backward, on functions
//! (L*P)_j = Σ_i P_i r_ij − P_j (Σ_k r_jk + k_j)     forward, on cell probabilities P_i = p_i V_i
//! ```
//!
//! One object answers many questions; each is a short function in [`crate::observables`]. The diagonal is never
//! stored, see [`crate::linalg`]. Killing k is the rate through absorbing boundaries.
//!
//! Where the tensor is diagonal in every cell, rates are face-wise Scharfetter-Gummel rates, which keep detailed
//! balance; in the plane, other tensors are decomposed cell by cell into jumps along at most three lattice
//! directions, with non-negative rates for any tensor.
//!
//! # Limitations
//! Full tensors in the plane only. Cells outside the domain hold zero in every array over cells. First order only
//! where a full tensor meets the staircase edge of a domain, or a kink that is crossed by offsets longer than one
//! cell. Where the drift over one jump exceeds the diffusion (|z| well above 2, likely at high anisotropy with
//! a drift across the strong direction) the scheme turns upwind and first order until the grid resolves it.

mod assembly;
mod axis_rates;
mod cells;
mod discretisation;
mod edges;
mod face_wise;
mod flux;
mod jumps;
mod local;
mod offsets;
mod outside;
mod remembered;
mod resolvent;
mod scharfetter_gummel;
mod underdamped;

pub use assembly::Generator;
pub use discretisation::{Discretisation, JumpDrift};
pub use resolvent::Resolvent;
pub use underdamped::PhaseSpace;
