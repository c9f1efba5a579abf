//! The SGD map itself, without the diffusion limit: exact one-step laws at finite learning rate.
//!
//! One step in one dimension is the Chapman-Kolmogorov equation
//!
//! ```text
//! p_{k+1}(x') = ∫ p_k(x) N(x'; x − η L'(x), η² C(x)/B) dx
//! ```
//!
//! discretised by Gauss-Legendre panels whose length follows the standard deviation of the step, with panel
//! edges on the kinks of the landscape ([`Resolution`]). A law is a vector of masses on the nodes; the
//! operator is a banded stochastic matrix, so that laws stay positive and keep their mass to rounding.
//! What quadrature and the ends of the domain would have lost is put back by normalising each column, and is
//! reported as a defect that must stay below [`Resolution::allowed_defect`].
//!
//! * [`TransferOperator`]: a fixed slice. Stationary law, spectral gap, mean exit times.
//! * [`propagate`]: x with y on its mean path; the law forward, the law of the last sign change backward.
//!
//! # Limitations
//! One fast coordinate; Gaussian steps; a step of positive standard deviation everywhere (give clipped noise a
//! floor). Probabilities far below erfc(reach/√2) per step are those of the cut kernel.

mod crossing;
mod elimination;
mod gaussian;
mod kernel;
mod operator;
mod panels;
mod path_law;
mod propagate;
mod schedule;
mod slow_motion;
mod spectrum;

pub use gaussian::Gaussian;
pub use operator::{StationaryLaw, TransferOperator};
pub use panels::{PanelGrid, Resolution};
pub use path_law::PathLaw;
pub use propagate::propagate;
pub use slow_motion::{PathSettings, SlowMotion, Start};
pub use spectrum::SpectralGap;
