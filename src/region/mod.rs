//! Where a process lives, where it starts and what it is to reach: one definition for grids, paths and ensembles.
//!
//! A [`Domain`] is a box whose ends reflect, absorb or are glued, restricted to a sublevel set of the loss if wanted. A [`PointSet`] is a start
//! or a target: a ball, a half-space, a basin of attraction, whatever a condition says.

mod basin;
mod boundary;
mod domain;
mod point_set;

pub use basin::Basin;
pub use boundary::Boundary;
pub use domain::Domain;
pub use point_set::PointSet;
