//! Minimum action paths of any diffusion: the geometric minimum action method.

use super::newton::Quadratic;
use super::{Path, geometric_action};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require};
use crate::statistics::convergence::richardson;

/// A local minimiser of the geometric action; see [`minimum_action_path`].
#[derive(Debug, Clone, PartialEq)]
pub struct MinimumAction<const D: usize> {
    /// Ŝ extrapolated to infinitely many points, dimensionless.
    pub action: f64,
    /// Bound of its discretisation error.
    pub error: f64,
    /// Ŝ of the minimisers with N, 2N and 4N pieces.
    pub levels: [f64; 3],
    /// Minimiser with 4N pieces of equal length.
    pub path: Path<D>,
    /// Newton steps on the three levels together.
    pub iterations: usize,
    /// What a further Newton step would gain, relative to (1/2)∫|φ'||b| ds; the largest of the levels.
    pub residual: f64,
}

/// The minimum of the geometric action Ŝ that is reached from `initial`, between its ends.
///
/// # Formula
/// Ŝ = (1/2) ∫ (|φ'| |b| − <φ', b>) ds, <u, v> = uᵀ D⁻¹ v, with full, state-dependent D.
///
/// # Units
/// Dimensionless; for D = T·I and b = −∇L it is ΔL/T upstream, see [`crate::path`].
///
/// # Method
/// The functional of the geometric minimum action method, minimised directly: pieces of equal length with b and D at their middles,
/// Newton steps normal to the path (block-tridiagonal, shifted where the Hessian is not positive definite, shortened until Ŝ falls),
/// points spread evenly after each. Derivatives of b and D are central differences of relative step 1e-4 of the path's length; their
/// error δ of the gradient enters the action as δ², below 1e-14. Done when a step would gain less than 1e-12 of (1/2)∫|φ'||b| ds, on
/// N, 2N and 4N pieces, the finer ones started from the coarser. Ŝ is of second order in the length of a piece and is extrapolated; `error` is the
/// bound of [`richardson`], or the whole extrapolation step where order two is not seen (the instanton need not be smooth at a fixed
/// point with unequal rates). A symmetric path stays symmetric: break the symmetry of `initial` where a bent path may be lower. The
/// minimum is local.
///
/// # Errors
/// [`Error::InvalidParameter`] below eight pieces; [`Error::Inconsistent`] for a path across a kink; [`Error::NotPositive`] where D has no inverse;
/// [`Error::NotFinite`]; [`Error::NotConverged`] after 300 steps on a level, when no step lowers the action, or when the levels do not converge.
///
/// # References
/// M. Heymann and E. Vanden-Eijnden, Commun. Pure Appl. Math. 61, 1052 (2008) (the functional); their relaxation is replaced
/// by Newton's method.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Diffusion;
/// use freezeout::math::{Point, Tensor};
/// use freezeout::path::{Path, minimum_action_path};
/// // Linear drift that also rotates: V = ½ xᵀ Σ⁻¹ x with B Σ + Σ Bᵀ = 2D; here Σ = I.
/// struct Swirl;
/// impl Diffusion<2> for Swirl {
///     fn drift(&self, x: &Point<2>) -> Point<2> { Point::<2>::new(-x[0] + x[1], -x[0] - x[1]) }
///     fn tensor(&self, _: &Point<2>) -> Tensor<2> { Tensor::<2>::identity() }
/// }
/// let initial = Path::straight(Point::<2>::zeros(), Point::<2>::new(1.0, 0.0), 50)?;
/// let found = minimum_action_path(&Swirl, &initial, 50)?;
/// assert!((found.action - 0.5).abs() < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn minimum_action_path<const D: usize>(
    diffusion: &impl Diffusion<D>,
    initial: &Path<D>,
    intervals: usize,
) -> Result<MinimumAction<D>> {
    minimised(diffusion, initial, intervals, None)
}

/// [`minimum_action_path`] with pieces that grow from a `core` at the start; see [`Path::graded`].
pub(super) fn minimised<const D: usize>(
    diffusion: &impl Diffusion<D>,
    initial: &Path<D>,
    intervals: usize,
    core: Option<f64>,
) -> Result<MinimumAction<D>> {
    let mut level = Level::minimised(diffusion, initial, intervals, core)?;
    let (mut levels, mut scale) = ([level.action; 3], level.scale);
    let (mut iterations, mut residual) = (level.iterations, level.residual);
    for (k, factor) in [(1, 2), (2, 4)] {
        level = Level::minimised(diffusion, &level.path, factor * intervals, core)?;
        levels[k] = level.action;
        iterations += level.iterations;
        residual = residual.max(level.residual);
        scale = level.scale;
    }
    let (action, error) = extrapolated(levels, scale)?;
    Ok(MinimumAction {
        action,
        error,
        levels,
        path: level.path,
        iterations,
        residual,
    })
}

/// Limit of three levels and its error.
pub(super) fn extrapolated(levels: [f64; 3], scale: f64) -> Result<(f64, f64)> {
    // Levels that agree within the tolerance of the minimisation cannot show an order.
    let resolved = 10.0 * TOLERANCE * scale;
    let spread = (levels[0] - levels[1]).abs().max((levels[1] - levels[2]).abs());
    if spread <= resolved {
        return Ok((levels[2], resolved));
    }
    let result = richardson(&levels, 2.0, Some(2.0)).or_else(|_| richardson(&levels, 2.0, None))?;
    Ok((result.limit, result.error.max(resolved)))
}

/// Gain below which a Newton step is not worth taking, relative to the scale of the action.
const TOLERANCE: f64 = 1e-12;

/// A minimiser with a given number of pieces.
pub(super) struct Level<const D: usize> {
    pub action: f64,
    pub path: Path<D>,
    scale: f64,
    iterations: usize,
    residual: f64,
}

impl<const D: usize> Level<D> {
    pub fn minimised(
        diffusion: &impl Diffusion<D>,
        initial: &Path<D>,
        intervals: usize,
        core: Option<f64>,
    ) -> Result<Self> {
        const MOST: usize = 300;
        require(
            "intervals",
            intervals as f64,
            |n| n >= 8.0,
            "at least eight are needed",
        )?;
        let mut path = initial.graded(intervals, core)?;
        let mut residual = f64::INFINITY;
        for iterations in 0..MOST {
            path.require_uncrossed(&diffusion.kinks())?;
            let length = path.length();
            // Small against a piece too, so that differences stay on the side of a kink on which the path is.
            let difference = length * f64::min(1e-4, 0.1 / intervals as f64);
            let model = Quadratic::at(diffusion, &path, difference)?;
            let Some(step) = model.step() else { break };
            residual = if model.scale > 0.0 {
                step.gain / model.scale
            } else {
                0.0
            };
            if residual <= TOLERANCE {
                return Ok(Self {
                    action: model.action,
                    path,
                    scale: model.scale,
                    iterations,
                    residual,
                });
            }
            // A step beyond the features of the path says nothing.
            let longest = f64::min(1.0, 0.1 * length / step.reach());
            let lowered = (0..30).find_map(|halvings| {
                let fraction = longest * 0.5_f64.powi(halvings);
                let next = step.applied(&path, fraction).ok()?;
                let action = geometric_action(diffusion, &next).ok()?;
                let wanted = model.action - 1e-4 * fraction * step.gain;
                (action <= wanted + 1e-14 * model.scale).then_some(next)
            });
            let Some(next) = lowered else { break };
            path = next.graded(intervals, core)?;
        }
        Err(Error::NotConverged {
            method: "Newton's method for the minimum action path".into(),
            iterations: MOST,
            residual,
            tolerance: TOLERANCE,
        })
    }
}
