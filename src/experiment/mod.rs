//! From a TOML configuration to a result file.
//!
//! Parse, with suggestions for typos; check every parameter; run the tasks listed; collect groups of records.
//!
//! # Limitations
//! One two-valley landscape with one noise, and one `[escape]` problem, per configuration.

mod ablations;
pub mod agreement;
mod catalogue;
mod checkpoint;
pub mod claims;
pub mod config;
mod effective_potential;
pub mod escape;
mod final_probability;
mod freezing_theory;
pub mod model;
mod parse;
mod pictures;
mod progress;
pub mod reference;
mod run;
mod series;
mod simulate;
mod slices;
mod stationary_map;
mod sweep;
mod validation;

pub use catalogue::catalogue;
pub use checkpoint::remove_unfinished;
pub use config::Config;
pub use parse::parse;
pub use progress::{Progress, Task};
pub use run::{EXAMPLE, REPRODUCE, check, run};
pub use series::{Range, Scale, Series};
pub use sweep::{Sweep, SweepValues};
pub use validation::{CheckOutcome, validate, validation_report};
