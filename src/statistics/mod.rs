//! Estimates with errors.

mod estimate;

pub use estimate::Estimate;
