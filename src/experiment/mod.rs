//! From a TOML configuration to a result file.

pub mod config;
pub mod model;
pub mod parse;
pub mod progress;
pub mod series;
