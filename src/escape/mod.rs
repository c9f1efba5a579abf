//! Escape on a fixed landscape: stationary law, relaxation, first passages and transitions of dθ = b dt + sqrt(2D) dW, each number with its
//! error and observed order.
//!
//! A [`Problem`] is a diffusion in a domain with a start and a target. [`Problem::solve`] answers on four grids of finer and finer cells
//! and returns an [`EscapeResult`]. The same problem is answered without a grid by [`least_action`] and [`small_noise_rate`], by
//! [`mean_first_passage_time_integral`] for one variable, and by [`simulate`].
//!
//! # Examples
//! The mean time from the bottom of one quartic well to that of the other, 66.2686263649 at D = 0.1:
//! ```
//! use freezeout::diffusion::Sgd;
//! use freezeout::escape::{Problem, Settings};
//! use freezeout::landscape::DoubleWell;
//! use freezeout::noise::Isotropic;
//! use freezeout::region::{Domain, PointSet};
//! let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 0.1)?;
//! let problem = Problem::builder(sgd, Domain::new([[-3.0, 3.0]])?, [600])
//!     .from(PointSet::point([-1.0].into())?)
//!     .to(PointSet::half_space([1.0].into(), 1.0)?)
//!     .build()?;
//! let time = problem.solve(&Settings::default(), &|_| Ok(()))?.mean_first_passage_time();
//! assert!((time.value - 66.2686263649).abs() < time.error && time.error < 1e-5);
//! # Ok::<(), freezeout::Error>(())
//! ```
//!
//! # Limitations
//! Grids and simulations serve one or two variables. Where detailed balance is missing, tensors need to be resolved by the grid, see
//! [`crate::generator`].

mod cut;
mod evolution;
mod followed;
mod integral;
mod kink;
mod least_action;
mod level;
mod problem;
mod quantity;
mod simulate;
mod small_noise;
mod solve;
mod vanishing_noise;

pub use cut::{CUT, Cut, cuts, too_small};
pub use evolution::{Densities, PassageLaw};
pub use integral::{mean_first_passage_time_integral, why_no_integral};
pub use kink::undeclared_kink;
pub use least_action::{LeastAction, LeastActionSettings, MOST_SADDLES, least_action};
pub use level::{Field, Level, Number};
pub use problem::{Interpreted, LEVELS, PARTS, Problem, ProblemBuilder};
pub use quantity::{FieldQuantity, Quantity};
pub use simulate::{SimulatedPassage, Simulation, SimulationMethod, simulate};
pub use small_noise::{NoFormula, SmallNoiseFormula, SmallNoiseRate, small_noise_rate};
pub use solve::{EscapeResult, Settings};
pub use vanishing_noise::{FellerBoundary, feller_boundary};
