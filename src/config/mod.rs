//! A whole configuration: the table of tasks, and what is read off it.

pub mod figures;
mod list;
mod main_numbers;
mod sweep_figures;
mod tasks;

pub use list::{list, schema};
pub use main_numbers::{MainNumbers, main_numbers};
pub use sweep_figures::sweep_figures;
pub use tasks::Config;
pub(crate) use tasks::shaped_by;
