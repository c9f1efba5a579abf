//! Tasks: the questions a configuration can ask, each a section of the file with its keys, checks, run and records.

pub mod ablations;
mod catalogue;
pub mod config;
pub mod effective_potential;
pub mod escape;
pub mod figure;
pub mod final_probability;
pub mod freezing_theory;
pub mod model;
pub mod progress;
pub mod reference;
pub mod series;
pub mod simulate;
pub mod slices;
pub mod stationary_map;
pub mod surface;
pub mod trajectories;

pub use catalogue::catalogue;
pub use config::Config;
pub use progress::{Advance, Progress, Task};
pub use series::{Range, Scale, Series, Sweep, SweepValues};
