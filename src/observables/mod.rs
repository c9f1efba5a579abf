//! What a generator can be asked: one quantity a file, each a short function of [`crate::generator::Generator`].
//!
//! | quantity | equation | direction |
//! |---|---|---|
//! | [`stationary_probability`] | L*P = 0 | forward |
//! | [`effective_potential`] | −ln p | |
//! | [`mean_first_passage_time`] | (K − L) τ = 1 | backward |
//! | [`first_passage_variance`] | (K − L) m2 = 2τ, m2 − τ² | backward |
//! | [`committor`] | (K − L) q = rate into B | backward |
//! | [`quasi_stationary`] | (K − L*) ν = ν/k | forward |
//! | [`spectral_gap`] | −L f = λ1 f | both |
//!
//! # Limitations
//! Second order in the cell width. [`crate::grid::Grid::refined`] and Richardson extrapolation give the error.

mod committor;
mod first_passage;
mod quasi_stationary;
mod spectrum;
mod stationary;

pub use committor::committor;
pub use first_passage::{first_passage_variance, mean_first_passage_time};
pub use quasi_stationary::{QuasiStationary, quasi_stationary};
pub use spectrum::{SpectralGap, spectral_gap};
pub use stationary::{effective_potential, log_stationary_probability, stationary_probability};
