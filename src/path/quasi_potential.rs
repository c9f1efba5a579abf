//! The quasi-potential between two points.

use super::Path;
use super::geometric_action::{Level, MinimumAction, minimum_action_path};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require_positive};
use crate::math::Point;

/// The lowest action found; see [`quasi_potential`].
#[derive(Debug, Clone, PartialEq)]
pub struct QuasiPotential<const D: usize> {
    /// The lowest minimiser with its action V and error.
    pub minimum: MinimumAction<D>,
    /// Which initial path led there, by its middle minus that of the straight line.
    pub offset: Point<D>,
    /// Actions of the coarse minimisers from each initial path, in the order of [`quasi_potential`]; `None` where the minimisation failed.
    pub candidates: Vec<Option<f64>>,
    /// The coarse minimisers themselves, lowest first: one path several times where several initial paths lead to it.
    pub minimisers: Vec<Path<D>>,
}

/// Quasi-potential V(a → b) = inf Ŝ, from above: the lowest of 2D − 1 local minimisations.
///
/// # Formula
/// V(a → b) = inf over paths from a to b of Ŝ; with small noise the rate of leaving the basin of a through b is exp(−V) up to a
/// prefactor.
///
/// # Units
/// Dimensionless, D as given: for D = T·I and b = −∇L, ΔL/T.
///
/// # Method
/// Initial paths are the straight line and, for each direction normal to it, a parabola bent to either side by `bend` times the distance.
/// Each is minimised with `intervals` pieces by the method of [`minimum_action_path`]; the lowest is then refined and extrapolated. A
/// straight path that is a saddle point of the action, as symmetry can make it, is listed among the candidates and is
/// not the lowest. An **upper bound**: a path of another shape may be lower. `start` must be a fixed point of the drift for V to be an exponent of a rate.
///
/// # Errors
/// Those of [`minimum_action_path`] (of the straight line, when every candidate fails); [`Error::InvalidParameter`] for a bend that is not positive.
///
/// # References
/// M. I. Freidlin and A. D. Wentzell, Random Perturbations of Dynamical Systems, 2nd ed. (1998), ch. 4.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::MuellerBrown;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// use freezeout::path::quasi_potential;
/// // T = ηC/2B = 10; from the deepest minimum to the first saddle, which decides about the next basin.
/// let sgd = Sgd::new(MuellerBrown, Isotropic::new(20.0)?, 1.0, 1.0)?;
/// let (a, b) = (Point::<2>::new(-0.558224, 1.441726), Point::<2>::new(-0.822002, 0.624313));
/// let found = quasi_potential(&sgd, a, b, 0.3, 40)?;
/// let barrier = (-40.664844 + 146.699517) / 10.0;
/// assert!((found.minimum.action / barrier - 1.0).abs() < 1e-3, "{}", found.minimum.action / barrier);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn quasi_potential<const D: usize>(
    diffusion: &impl Diffusion<D>,
    start: Point<D>,
    end: Point<D>,
    bend: f64,
    intervals: usize,
) -> Result<QuasiPotential<D>> {
    require_positive("bend", bend)?;
    let mut offsets = vec![Point::<D>::zeros()];
    for normal in normals(&(end - start)) {
        offsets.extend([normal * bend, -normal * bend]);
    }
    let mut candidates = Vec::new();
    let mut minimisers: Vec<(Level<D>, Point<D>)> = Vec::new();
    let mut failure = Error::EmptySet {
        name: "initial paths".into(),
    };
    for (k, offset) in offsets.into_iter().enumerate() {
        let found = Path::bent(start, end, offset, intervals)
            .and_then(|initial| Level::minimised(diffusion, &initial, intervals, None));
        match found {
            Ok(level) => {
                candidates.push(Some(level.action));
                minimisers.push((level, offset));
            }
            Err(error) => {
                candidates.push(None);
                if k == 0 {
                    failure = error;
                }
            }
        }
    }
    minimisers.sort_by(|a, b| a.0.action.total_cmp(&b.0.action));
    let (lowest, offset) = minimisers.first().ok_or(failure)?;
    Ok(QuasiPotential {
        minimum: minimum_action_path(diffusion, &lowest.path, intervals)?,
        offset: *offset,
        candidates,
        minimisers: minimisers.into_iter().map(|(level, _)| level.path).collect(),
    })
}

/// D − 1 vectors normal to `chord` and to each other, as long as it (Gram-Schmidt on the axes but the one nearest to it).
fn normals<const D: usize>(chord: &Point<D>) -> Vec<Point<D>> {
    let mut basis = vec![*chord / chord.norm()];
    let nearest = chord.iamax();
    for axis in (0..D).filter(|axis| *axis != nearest) {
        let mut e = Point::<D>::zeros();
        e[axis] = 1.0;
        for b in &basis {
            e -= b * b.dot(&e);
        }
        basis.push(e / e.norm());
    }
    basis.into_iter().skip(1).map(|n| n * chord.norm()).collect()
}
