//! Estimates with their errors, and the tests that decide whether two routes agree.
//!
//! Every estimator returns an [`Estimate`] and refuses with an error when its assumptions fail: too few samples, no event at all,
//! escape times that are not exponential, differences that do not converge.
//!
//! # Limitations
//! Samples are taken as independent; the p-values are wrong for consecutive states of one trajectory.

pub mod agreement;
mod bootstrap;
mod censored_mean;
pub mod convergence;
mod correlation;
mod estimate;
mod extrapolated;
pub mod hypothesis;
mod kaplan_meier;
mod moments;
mod normal;
mod survival;

pub use bootstrap::{Bootstrap, bootstrap};
pub use censored_mean::censored_mean;
pub use correlation::{correlation, rank_correlation};
pub use estimate::{Estimate, proportion};
pub use extrapolated::{Extrapolated, Range};
pub use kaplan_meier::{KaplanMeier, SurvivalStep};
pub use moments::{Moments, mean, variance};
pub use normal::{normal_cdf, normal_quantile};
pub use survival::{
    ExponentialFit, Lifetime, exponential_fit, exponential_rate, exponentiality_p_value, grouped_rate,
};
