//! From a TOML configuration to a result file.
//!
//! Parse, with suggestions for typos; check every parameter; run the tasks listed; collect groups of records.

mod checkpoint;
mod job;
mod parse;
mod sweep;
mod validation;

pub use checkpoint::remove_unfinished;
pub use job::{EXAMPLE, REPRODUCE, check, run};
pub use parse::parse;
pub use validation::{CheckOutcome, validate, validation_report};
