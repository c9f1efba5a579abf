//! What a configuration says before it asks: the sections `[landscape]`, `[noise]`, `[sgd]` and `[region]`, which mean the same for every task.
//!
//! Each section is one file: its keys with their documentation and defaults, and what the library makes of them. Names of models stand in a table
//! beside the section, from which come defaults, refusals and the list of keys.

pub(crate) mod landscape;
pub(crate) mod lists;
pub(crate) mod model_keys;
pub(crate) mod noise;
pub(crate) mod npz;
pub(crate) mod parameter_range;
pub(crate) mod region;
pub(crate) mod schedule;
pub(crate) mod sections;
pub(crate) mod sets;
pub(crate) mod sgd;
pub(crate) mod table;
pub(crate) mod two_valley;

pub use parameter_range::{ParameterRange, Scale, Spaced, Sweep, SweepValues};
pub use schedule::{Lever, Shape};
pub use sections::Setting;
