//! First-passage times into a set: (K − L) τ = 1, and their second moment.

use crate::error::Result;
use crate::generator::Generator;
use crate::grid::CellSet;

/// Mean time τ_i to reach `target` from the centre of each cell; zero inside the target.
///
/// # Errors
/// [`crate::Error::Unreachable`] when some cell cannot reach the target, [`crate::Error::NotFinite`] when a time exceeds
/// the range of f64.
///
/// # References
/// Gardiner 2009, sec. 5.5.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, CellSet, Grid};
/// use freezeout::observables::mean_first_passage_time;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let grid = Grid::new([Axis::with_faces_at(-8.0, 2.0, 1000, &[0.0, 1.0])?]);
/// let target = CellSet::new("target", &grid, |x| x[0] > 1.0)?;
/// let generator = Generator::assemble(&ou, grid)?;
/// let tau = mean_first_passage_time(&generator, &target)?;
/// // Time to reach one standard deviation from the centre.
/// assert!((generator.grid().interpolate(&tau, [0.0]) - 2.093_406_65).abs() < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn mean_first_passage_time<const D: usize>(
    generator: &Generator<D>,
    target: &CellSet,
) -> Result<Vec<f64>> {
    generator
        .resolvent_outside(target)?
        .solve(&vec![1.0; generator.grid().cells()])
}

/// Variance of the time to reach `target`, at the centre of each cell.
///
/// # Method
/// (K − L) m2 = 2τ, variance m2 − τ². Where the variance is much smaller than τ² the difference loses digits; in an
/// escape it equals τ² to leading order and nothing is lost.
///
/// # Errors
/// As [`mean_first_passage_time`].
pub fn first_passage_variance<const D: usize>(
    generator: &Generator<D>,
    target: &CellSet,
) -> Result<Vec<f64>> {
    let stopped = generator.resolvent_outside(target)?;
    let tau = stopped.solve(&vec![1.0; generator.grid().cells()])?;
    let twice: Vec<f64> = tau.iter().map(|t| 2.0 * t).collect();
    let second = stopped.solve(&twice)?;
    Ok(second.iter().zip(&tau).map(|(m, t)| m - t * t).collect())
}
