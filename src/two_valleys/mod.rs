//! Tasks about the model with two valleys of arXiv 2601.10962: the protocols of the paper, and schedules of its noise.

pub mod ablations;
pub mod effective_potential;
pub mod final_probability;
pub mod freezing_line;
pub mod freezing_theory;
pub mod phase_diagram;
pub mod reference;
pub mod schedule_design;
pub mod schedules;
pub mod slices;
pub mod static_odds;
pub mod stationary_map;
pub mod surface;
pub mod trajectories;
pub mod valley_columns;
