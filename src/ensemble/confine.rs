//! What edges do to a path: reflecting ones mirror it, periodic ones wrap it.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::{Point, Tensor};
use crate::region::{Boundary, Domain, PointSet};

/// A level of a set, positive inside; NaN for a set without one.
pub(super) fn inside_level<const D: usize>(
    set: &PointSet<D>,
    theta: &Point<D>,
    diffusion: &dyn Diffusion<D>,
) -> (f64, Point<D>) {
    match set.level(theta, diffusion) {
        Some((level, gradient)) => (-level, -gradient),
        None => (f64::NAN, Point::<D>::zeros()),
    }
}

/// Whether a step in the domain can meet anything that moves it.
pub(super) fn is_free<const D: usize>(domain: &Domain<D>) -> bool {
    let mut ends = domain.bounds().iter().flatten();
    let reflects = domain
        .restriction()
        .is_some_and(|(_, edge)| edge == Boundary::Reflecting);
    ends.all(|end| end.is_infinite()) && !reflects
}

/// The end of a step, mirrored and wrapped until it lies inside; absorbing edges let it pass.
///
/// # Method
/// At *reflecting* edges a step that leaves is mirrored along the conormal Dn, with D and n at the edge: that is the direction that leaves no
/// flux n·J = 0 through it, where the normal itself would be wrong for a tensor with n no eigenvector. Weak order 1 in the time step on
/// smooth edges.
///
/// # References
/// M. Bossy, E. Gobet and D. Talay, J. Appl. Probab. 41, 877 (2004).
pub(super) fn confine<const D: usize>(
    domain: &Domain<D>,
    diffusion: &dyn Diffusion<D>,
    start: &Tensor<D>,
    mut next: Point<D>,
) -> Result<Point<D>> {
    /// A wedge between two edges needs π/angle mirrors.
    const MOST_MIRRORS: usize = 64;
    let tensor = |at: &Point<D>| diffusion.tensor(at);
    let restriction = domain
        .restriction()
        .filter(|(_, edge)| *edge == Boundary::Reflecting);
    for _ in 0..MOST_MIRRORS {
        for axis in 0..D {
            let [lower, upper] = domain.bounds()[axis];
            if domain.boundaries()[axis][0] == Boundary::Periodic && !(lower..=upper).contains(&next[axis]) {
                next[axis] = lower + (next[axis] - lower).rem_euclid(upper - lower);
            }
        }
        let face = (0..D).find_map(|axis| {
            let [lower, upper] = domain.bounds()[axis];
            let [first, second] = domain.boundaries()[axis].map(|end| end == Boundary::Reflecting);
            if first && next[axis] < lower {
                Some((axis, 1.0, next[axis] - lower))
            } else if second && next[axis] > upper {
                Some((axis, -1.0, upper - next[axis]))
            } else {
                None
            }
        });
        if let Some((axis, sign, value)) = face {
            let mut normal = Point::<D>::zeros();
            normal[axis] = sign;
            next = mirror(&tensor, start, next, (value, normal), &|_| normal);
            continue;
        }
        let Some((set, _)) = restriction else {
            return Ok(next);
        };
        let level = |at: &Point<D>| inside_level(set, at, diffusion);
        let (value, gradient) = level(&next);
        if value >= 0.0 {
            return Ok(next);
        }
        next = mirror(&tensor, start, next, (value, gradient), &|at| level(at).1);
        if !next.iter().all(|x| x.is_finite()) {
            break;
        }
    }
    Err(Error::NotFinite {
        quantity: "the reflection of a path at the edge of the domain".into(),
        reason: "it does not come back inside: the time step is too long for the size of the domain".into(),
    })
}

/// The point as far inside an edge g = 0 as `outside` is beyond it, along the conormal at the edge.
///
/// # Formula
/// θ' = θ − 2 g γ/s, γ = D n, with the mean slope s = γ·(∇g(θ) + n)/2, n = ∇g and D at the point where the conormal
/// from θ meets the edge, found with the tensor of the step; the normal itself where Dn = 0.
fn mirror<const D: usize>(
    tensor: &impl Fn(&Point<D>) -> Tensor<D>,
    start: &Tensor<D>,
    outside: Point<D>,
    (value, gradient): (f64, Point<D>),
    normal: &dyn Fn(&Point<D>) -> Point<D>,
) -> Point<D> {
    let conormal = |tensor: &Tensor<D>, n: &Point<D>| {
        let conormal = tensor * n;
        if conormal.dot(n) > 0.0 { conormal } else { *n }
    };
    let first = conormal(start, &gradient);
    let edge = outside - first * (value / first.dot(&gradient));
    let n = normal(&edge);
    let direction = conormal(&tensor(&edge), &n);
    let slope = 0.5 * direction.dot(&(gradient + n));
    outside - direction * (2.0 * value / slope)
}
