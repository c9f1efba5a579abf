//! What a generator can be asked: one quantity a file, each a short function of [`crate::generator::Generator`].
//!
//! | quantity | equation | direction |
//! |---|---|---|
//! | [`stationary_probability`] | L*P = 0 | forward |
//! | [`effective_potential`] | −ln p | |
//! | [`mean_first_passage_time`] | (K − L) τ = 1 | backward |
//! | [`first_passage_moments`] | and (K − L) m2 = 2τ, sqrt(m2 − τ²) | backward |
//! | [`committor()`] | (K − L) q = rate into B | backward |
//! | [`reactive_flux()`] | (K − L*) P q⁻ = flow out of A | both |
//! | [`quasi_stationary()`] | (K − L*) ν = ν/k | forward |
//! | [`spectral_gap()`] | −L f = λ1 f, detailed balance | both |
//! | [`Product`] | L = Σ_i L_i, any number of independent coordinates | |
//! | [`coupled_gap()`] | the same with weak coupling | backward |
//! | [`slow_modes()`] | L f = λ f, complex λ | backward |
//! | [`long_time_motion()`] | L h = v, h grows by the period | backward |
//! | [`propagate()`] | dP/dt = L*P | forward |
//! | [`transient_density`] | dP/dt = L*P, any dimension, one time | forward |
//! | [`first_passage_law`] | dS/dt = (L − K) S | backward |
//!
//! # Limitations
//! Second order in the cell width, but for [`coupled_gap()`]. [`crate::grid::Grid::refined`] and Richardson extrapolation give the error.

mod committor;
mod coupled_gap;
mod first_passage;
mod long_time_motion;
mod pinned_inverse;
mod product;
mod propagate;
mod quasi_stationary;
mod reactive_flux;
mod slow_modes;
mod spectral_gap;
mod stationary;
mod time_step;
mod transient;

pub use committor::committor;
pub use coupled_gap::{CoupledGap, Factor, coupled_gap};
pub use first_passage::{
    FirstPassageMoments, first_passage_moments, first_passage_moments_of, mean_first_passage_time,
};
pub use long_time_motion::{LongTimeMotion, long_time_motion};
pub use product::Product;
pub use propagate::{
    FirstPassageLaw, Transient, first_passage_law, implicit_euler, propagate, propagate_uniformly,
};
pub use quasi_stationary::{QuasiStationary, quasi_stationary, quasi_stationary_of};
pub use reactive_flux::{ReactiveFlux, reactive_flux};
pub use slow_modes::{SlowMode, SlowModes, slow_modes};
pub use spectral_gap::{Factorisation, Refusal, SpectralGap, spectral_gap};
pub use stationary::{effective_potential, log_stationary_probability, stationary_probability};
pub use time_step::StepCounts;
pub(crate) use time_step::{Evolution, TimeStep, Trial, density_error};
pub use transient::{TransientDensity, TransientMethod, transient_density};
