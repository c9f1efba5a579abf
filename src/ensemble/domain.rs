//! Where paths live and what ends them: boxes with reflecting, absorbing and periodic ends, level sets, targets.

use crate::error::{Error, Result};
use crate::math::{Point, Tensor};
use crate::region::Boundary;

/// A function with its gradient, positive where paths live: g > 0 outside a target, or inside a domain.
///
/// Its size does not matter, only its zeros and its slope across them: |θ − c| − r and |θ − c|² − r² are the same ball.
pub type Level<'a, const D: usize> = &'a (dyn Fn(&Point<D>) -> (f64, Point<D>) + Sync);

/// A set whose first passage ends a path.
///
/// # Examples
/// ```
/// use freezeout::ensemble::Target;
/// use freezeout::math::Point;
/// let ball = |theta: &Point<2>| (theta.norm_squared() - 0.25, 2.0 * theta);
/// let target = Target::Level(&ball);
/// ```
#[derive(Clone, Copy)]
pub enum Target<'a, const D: usize> {
    /// Known by a function that is positive outside, negative inside, and crosses zero with a slope on the edge.
    Level(Level<'a, D>),
    /// Known by membership only: entries between two steps go unseen, a bias of order sqrt(h).
    Members(&'a (dyn Fn(&Point<D>) -> bool + Sync)),
}

/// The part of parameter space in which paths live.
///
/// # Method
/// *Absorbing* edges end the path. *Periodic* ends are glued. At *reflecting* edges a step that leaves is mirrored along
/// the conormal Dn, with D and n at the edge: that is the direction that leaves no flux n·J = 0 through it, where the
/// normal itself would be wrong for a tensor with n no eigenvector. Weak order 1 in the time step on smooth edges.
///
/// # References
/// M. Bossy, E. Gobet and D. Talay, J. Appl. Probab. 41, 877 (2004).
#[derive(Clone, Copy)]
pub struct Domain<'a, const D: usize> {
    /// Lower and upper end of each axis; infinite where there is none.
    pub ends: [[f64; 2]; D],
    /// What they do.
    pub boundaries: [[Boundary; 2]; D],
    /// A restriction of the box, c − L(θ) for a sublevel set of the loss.
    pub level: Option<Level<'a, D>>,
    /// What the edge of the restriction does: reflect or absorb.
    pub level_boundary: Boundary,
}

impl<const D: usize> Default for Domain<'_, D> {
    fn default() -> Self {
        Self::unbounded()
    }
}

impl<const D: usize> Domain<'_, D> {
    /// All of space: where SGD itself lives.
    pub fn unbounded() -> Self {
        Self {
            ends: [[f64::NEG_INFINITY, f64::INFINITY]; D],
            boundaries: [[Boundary::Reflecting; 2]; D],
            level: None,
            level_boundary: Boundary::Reflecting,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |subject: String, requirement: &str| {
            Err(Error::Inconsistent {
                subject,
                requirement: requirement.into(),
            })
        };
        for (axis, ([lower, upper], ends)) in self.ends.iter().zip(&self.boundaries).enumerate() {
            if !(lower < upper) {
                let requirement = "the lower end must be below the upper one";
                return wrong(format!("ends {lower} and {upper} of axis {axis}"), requirement);
            }
            let periodic = ends.map(|end| end == Boundary::Periodic);
            if periodic[0] != periodic[1] || (periodic[0] && !(upper - lower).is_finite()) {
                let requirement = "a period needs two finite ends, both periodic";
                return wrong(format!("boundaries of axis {axis}"), requirement);
            }
        }
        if self.level_boundary == Boundary::Periodic {
            let requirement = "the edge of a domain reflects or absorbs";
            return wrong("periodic level_boundary".into(), requirement);
        }
        Ok(())
    }

    /// Whether a point lies in the open domain.
    pub(super) fn contains(&self, theta: &Point<D>) -> bool {
        let in_box = theta
            .iter()
            .zip(&self.ends)
            .all(|(x, [lower, upper])| lower < x && x < upper);
        in_box && self.level.is_none_or(|level| level(theta).0 > 0.0)
    }

    /// Whether a step can meet anything that moves it.
    pub(super) fn is_free(&self) -> bool {
        let mut ends = self.ends.iter().flatten();
        ends.all(|end| end.is_infinite()) && !self.reflects_level()
    }

    fn reflects_level(&self) -> bool {
        self.level.is_some() && self.level_boundary == Boundary::Reflecting
    }

    /// The end of a step, mirrored and wrapped until it lies inside; absorbing edges let it pass.
    pub(super) fn confine(
        &self,
        tensor: impl Fn(&Point<D>) -> Tensor<D>,
        start: &Tensor<D>,
        mut next: Point<D>,
    ) -> Result<Point<D>> {
        /// A wedge between two edges needs π/angle mirrors.
        const MOST_MIRRORS: usize = 64;
        for _ in 0..MOST_MIRRORS {
            for axis in 0..D {
                let [lower, upper] = self.ends[axis];
                if self.boundaries[axis][0] == Boundary::Periodic && !(lower..=upper).contains(&next[axis]) {
                    next[axis] = lower + (next[axis] - lower).rem_euclid(upper - lower);
                }
            }
            let face = (0..D).find_map(|axis| {
                let [lower, upper] = self.ends[axis];
                let [first, second] = self.boundaries[axis].map(|end| end == Boundary::Reflecting);
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
            let Some(level) = self.level.filter(|_| self.reflects_level()) else {
                return Ok(next);
            };
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
            reason: "it does not come back inside: the time step is too long for the size of the domain"
                .into(),
        })
    }
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
