//! Tasks about any landscape, noise or network.

pub mod coupled;
pub mod critical_points;
pub mod escape;
pub mod freezing;
pub mod freezing_design;
pub mod network;
pub mod network_escape;
mod network_problem;
pub mod network_schedules;
pub mod noise_laws;
pub(crate) mod passage_sets;
pub mod phase_space;
pub mod rare_events;
pub mod stable_exit;
pub mod transfer_operator;
