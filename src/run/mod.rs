//! From a TOML configuration to a result file.
//!
//! Parse, with suggestions for typos; check every parameter and build what the tasks need; run them, perhaps swept; collect groups of records.

mod checkpoint;
mod estimate;
mod input_files;
mod job;
mod number_table;
mod overview;
mod parse;
mod provenance;
mod shard;
mod structure;
mod sweep;
mod validate;

pub use checkpoint::remove_unfinished;
pub use estimate::Estimate;
pub use job::Job;
pub use overview::{main_numbers, overview};
pub use parse::{parse, with_images};
pub use shard::{Shard, merge};
pub use validate::validate;

/// The configuration of the main job.
pub const REPRODUCE: &str = include_str!("../../paper/experiments/reproduce.toml");

/// A commented configuration to start from.
pub const EXAMPLE: &str = include_str!("../../paper/experiments/example.toml");
