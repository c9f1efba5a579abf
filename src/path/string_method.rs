//! Minimum energy paths of a landscape: the simplified string method.

use super::Path;
use crate::error::{Error, Result, require};
use crate::landscape::{CriticalPoint, Landscape, critical_point};
use crate::math::Point;

/// A minimum energy path; see [`minimum_energy_path`].
#[derive(Debug, Clone, PartialEq)]
pub struct MinimumEnergyPath<const D: usize> {
    /// Points at equal distances, from minimum to minimum.
    pub path: Path<D>,
    /// Saddles of index one on the way, in order, each polished by Newton's method.
    pub saddles: Vec<CriticalPoint<D>>,
    /// Steps of the string.
    pub iterations: usize,
    /// Largest speed of a point of the string, that is the largest force normal to it, relative to the largest force on it.
    pub residual: f64,
}

impl<const D: usize> MinimumEnergyPath<D> {
    /// The highest saddle, which limits the passage; `None` when the path has none.
    pub fn highest_saddle(&self) -> Option<&CriticalPoint<D>> {
        self.saddles.iter().max_by(|a, b| a.loss.total_cmp(&b.loss))
    }
}

/// The path of steepest descent from saddle to minima that connects the minima below the ends of `initial`.
///
/// # Formula
/// ∇L is parallel to the path: (∇L)^⊥ = 0.
///
/// # Method
/// Every point, the ends included, goes down by −∇L dt, dt = 1/max|H| over the path (Frobenius norm); then the points are spread evenly
/// by cubic interpolation. Done when no point moves faster than `tolerance` times the largest |∇L|: what remains of the motion after spreading is
/// the force normal to the string. Positions are O(h²) in the spacing or worse where the path bends sharply at an inner minimum; the saddles are not:
/// the points of locally highest loss start [`critical_point`]. The path is a local
/// solution: another initial path may lead over other saddles.
///
/// # Errors
/// [`Error::InvalidParameter`] below eight pieces or for a tolerance outside (0, 1), [`Error::Inconsistent`] for a path across a kink, where the ridge is no
/// stationary point; [`Error::NotFinite`]; [`Error::NotConverged`] after 200 000 steps, or when a highest point leads to no saddle of index one.
///
/// # References
/// W. E, W. Ren and E. Vanden-Eijnden, J. Chem. Phys. 126, 164103 (2007).
///
/// # Examples
/// ```
/// use freezeout::landscape::MuellerBrown;
/// use freezeout::math::Point;
/// use freezeout::path::{Path, minimum_energy_path};
/// let initial = Path::straight(Point::<2>::new(-0.55, 1.4), Point::<2>::new(0.6, 0.0), 40)?;
/// let found = minimum_energy_path(&MuellerBrown, &initial, 40, 1e-6)?;
/// assert_eq!(found.saddles.len(), 2);
/// assert!((found.saddles[0].loss + 40.664844).abs() < 1e-6);
/// assert!((found.saddles[1].loss + 72.248940).abs() < 1e-6);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn minimum_energy_path<const D: usize>(
    landscape: &impl Landscape<D>,
    initial: &Path<D>,
    intervals: usize,
    tolerance: f64,
) -> Result<MinimumEnergyPath<D>> {
    const MOST: usize = 200_000;
    require(
        "intervals",
        intervals as f64,
        |n| n >= 8.0,
        "at least eight are needed",
    )?;
    require(
        "tolerance",
        tolerance,
        |t| t > 0.0 && t < 1.0,
        "a number between 0 and 1 is needed",
    )?;
    let kinks = landscape.kinks();
    let mut path = initial.resampled(intervals)?;
    let mut residual = f64::INFINITY;
    for iterations in 0..MOST {
        path.require_uncrossed(&kinks)?;
        let stiffness = path
            .points()
            .iter()
            .map(|p| landscape.hessian(p).norm())
            .fold(0.0, f64::max);
        let forces: Vec<Point<D>> = path.points().iter().map(|p| -landscape.gradient(p)).collect();
        let strongest = forces.iter().map(|f| f.norm()).fold(0.0, f64::max);
        if !strongest.is_finite() || !stiffness.is_finite() || forces.iter().any(|f| f.norm().is_nan()) {
            return Err(Error::NotFinite {
                quantity: "gradient or Hessian of the loss".into(),
                reason: "on the string".into(),
            });
        }
        let time = if stiffness > 0.0 { 1.0 / stiffness } else { 1.0 };
        let moved = path
            .points()
            .iter()
            .zip(&forces)
            .map(|(p, f)| p + f * time)
            .collect();
        let next = Path::new(moved)?.resampled(intervals)?;
        let fastest = next
            .points()
            .iter()
            .zip(path.points())
            .map(|(a, b)| (a - b).norm() / time)
            .fold(0.0, f64::max);
        residual = if strongest > 0.0 { fastest / strongest } else { 0.0 };
        path = next;
        if residual <= tolerance {
            return Ok(MinimumEnergyPath {
                saddles: saddles(landscape, &path)?,
                path,
                iterations: iterations + 1,
                residual,
            });
        }
    }
    Err(Error::NotConverged {
        method: "string method".into(),
        iterations: MOST,
        residual,
        tolerance,
    })
}

fn saddles<const D: usize>(landscape: &impl Landscape<D>, path: &Path<D>) -> Result<Vec<CriticalPoint<D>>> {
    let losses: Vec<f64> = path.points().iter().map(|p| landscape.loss(p)).collect();
    let tops = (1..losses.len() - 1).filter(|&i| losses[i] > losses[i - 1] && losses[i] >= losses[i + 1]);
    tops.map(|i| {
        let found = critical_point(landscape, path.points()[i])?;
        if found.index == 1 {
            return Ok(found);
        }
        Err(Error::NotConverged {
            method: format!("search of the saddle (index {} found)", found.index),
            iterations: 0,
            residual: (found.position - path.points()[i]).norm(),
            tolerance: path.length() / losses.len() as f64,
        })
    })
    .collect()
}
