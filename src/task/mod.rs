//! Tasks: the questions that a configuration can ask.
//!
//! A task is one file: its keys with their documentation and defaults, what is checked before anything runs, what is computed, the records
//! it writes, and its figures. The table of tasks is [`config`]: one line a task.

pub mod ablations;
mod compared;
pub mod config;
mod cost;
pub mod coupled;
pub mod critical_points;
pub mod effective_potential;
pub mod escape;
pub mod figures;
pub mod final_probability;
pub mod freezing;
pub mod freezing_design;
pub mod freezing_line;
pub mod freezing_theory;
mod list;
pub(crate) mod main_number;
mod main_numbers;
pub mod network;
pub mod network_escape;
mod network_problem;
pub mod network_schedules;
pub mod noise_laws;
pub mod phase_diagram;
pub mod phase_space;
pub(crate) mod progress;
pub mod rare_events;
pub mod reference;
pub mod schedule_design;
pub mod schedules;
pub mod slices;
pub mod static_odds;
pub mod stationary_map;
pub mod surface;
mod sweep_figures;
pub mod trajectories;
pub mod transfer_operator;
pub mod valley_columns;
pub(crate) mod work;

pub use config::Config;
pub use cost::Cost;
pub use list::{list, schema};
pub use main_number::{MainNumber, Rows};
pub use main_numbers::{MainNumbers, main_numbers};
pub use progress::Progress;
pub use sweep_figures::sweep_figures;
pub use work::FigureEntry;
