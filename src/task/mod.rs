//! What a task is: a question with its keys, what is checked before anything runs, what is computed, the records it writes, and its figures.
//!
//! A task is one file: of the model with two valleys in [`crate::two_valleys`], of any problem in [`crate::questions`]. The table of tasks is
//! [`crate::config`]: one line a task.

mod compared;
mod cost;
mod main_number;
mod progress;
mod work;

pub use compared::SgdGains;
pub(crate) use compared::{Compared, gains};
pub use cost::Cost;
pub use main_number::{MainNumber, Rows};
pub(crate) use progress::Part;
pub use progress::Progress;
pub use work::{FigureEntry, InAnyDimension, Task, Work};
