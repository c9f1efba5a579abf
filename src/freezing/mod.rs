//! Freezing of valley selection along the slow path of the two-valley model.
//!
//! ```text
//! dP_f/dt = k_sf(y(t)) (1 − P_f) − k_fs(y(t)) P_f,   dy/dt = v(y)   (valley floor)
//! ```
//!
//! The rates are exact for the Ito diffusion on slices of fixed y. No constant is fitted.
//!
//! Three levels, each a check of the one above it:
//!
//! | level | function | leaves out |
//! |---|---|---|
//! | two states | [`two_state`], [`last_hop`] | relaxation within the valleys, spread of y |
//! | density of x along y(t) | [`density_path`], [`density_last_hop`] | spread of y, its correlation with x |
//! | density of (x, y) | [`planar_density`] | D_xz near the ridge, see there |
//!
//! # Limitations
//! The two-state level is adiabatic: the fast coordinate relaxes within a valley before y moves, η → 0, and y follows the noise-free
//! floor. At barriers below about two noise temperatures the two-state picture has no time-scale separation; there the
//! hops are so frequent that the state is the slice's stationary law anyway.

mod compared_schedules;
mod density_last_hop;
mod density_path;
mod last_hop;
mod moving_frame;
mod planar;
mod planar_frame;
mod regime;
mod schedule;
mod schedule_design;
mod section_density;
mod section_grid;
mod section_rates;
mod slice_rates;
mod slow_fast;
mod slow_path;
mod two_state;
mod valley_design;
mod valley_path;
mod valleys;

pub use compared_schedules::{NamedSchedule, compared_schedules};
pub use density_last_hop::{DensityLastHop, density_last_hop};
pub use density_path::{DensityPath, DensityPathSettings, DensitySnapshot, SlowMotion, density_path};
pub use last_hop::{LastEvent, LastHop, last_hop};
pub use planar::{PlanarDensity, PlanarSettings, PlanarSnapshot, planar_density};
pub use planar_frame::CrossNoise;
pub use regime::{Regime, two_valley_regime};
pub use schedule::{NoiseSchedule, ScheduleShape, ScheduledPath, two_state_scheduled};
pub use schedule_design::ScheduleDesign;
pub use section_density::{SectionDensity, section_density};
pub use section_grid::section_cells;
pub use section_rates::{RidgeRates, SectionRates, section_rates};
pub use slice_rates::{SliceRates, slice_rates};
pub use slow_fast::{Process, Section, SlowFast, SlowVelocity};
pub use slow_path::floor_time;
pub use two_state::{HopRates, TwoState, two_state};
pub use valley_design::ValleyDesign;
pub use valley_path::{ValleyPath, ValleyPathSettings, ValleyProbabilities};
pub use valleys::{Valley, Valleys};
