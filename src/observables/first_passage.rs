//! First-passage times into a set: (K − L) τ = 1, and their second moment.

use crate::error::Result;
use crate::generator::{Generator, Resolvent};
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

/// Mean and standard deviation of a first-passage time, at the centre of each cell; see [`first_passage_moments`].
#[derive(Debug, Clone, PartialEq)]
pub struct FirstPassageMoments {
    /// Mean.
    pub mean: Vec<f64>,
    /// Standard deviation.
    pub deviation: Vec<f64>,
}

/// Mean and standard deviation of the time to reach `target`, at the centre of each cell; zero inside the target.
///
/// # Method
/// (K − L) τ = 1 and (K − L) u = 2 τ/s with s the longest mean time, so that second moments s u are never formed: they would leave the
/// range of f64 from barriers of 355 noise units on. The deviation is sqrt(s u − τ²). Where it is much smaller than τ the difference
/// loses digits; in an escape it equals τ to leading order and nothing is lost.
///
/// # Errors
/// As [`mean_first_passage_time`].
pub fn first_passage_moments<const D: usize>(
    generator: &Generator<D>,
    target: &CellSet,
) -> Result<FirstPassageMoments> {
    first_passage_moments_of(&generator.resolvent_outside(target)?)
}

/// [`first_passage_moments`] from the factorisation of the process that ends in the target, [`Generator::resolvent_outside`].
///
/// # Errors
/// As [`first_passage_moments`].
pub fn first_passage_moments_of(stopped: &Resolvent) -> Result<FirstPassageMoments> {
    let mean = stopped.solve(&vec![1.0; stopped.killing().len()])?;
    let longest = mean.iter().copied().fold(0.0, f64::max);
    let source: Vec<f64> = mean.iter().map(|t| 2.0 * (t / longest)).collect();
    let second = stopped.solve(&source)?;
    let deviation = second.iter().zip(&mean).map(|(u, t)| {
        let (u, t) = (u / longest, t / longest);
        longest * (u - t * t).sqrt()
    });
    Ok(FirstPassageMoments {
        deviation: deviation.collect(),
        mean,
    })
}
