//! The part of parameter space in which a process lives.

use super::{Boundary, PointSet};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::Point;

/// A box with what its ends do, restricted to a set of points if wanted.
///
/// # Examples
/// ```
/// use freezeout::region::{Boundary, Domain};
/// let domain = Domain::new([[-2.0, 2.0]])?.with_boundaries([[Boundary::Reflecting, Boundary::Absorbing]])?;
/// assert!(domain.absorbs() && domain.size() == 4.0);
/// assert!(Domain::new([[1.0, 1.0]]).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Domain<const D: usize> {
    bounds: [[f64; 2]; D],
    boundaries: [[Boundary; 2]; D],
    /// Ends that belong to the problem.
    walls: [[bool; 2]; D],
    restriction: Option<(PointSet<D>, Boundary)>,
    edge_is_wall: bool,
    /// Where what reflects absorbs.
    window: Option<PointSet<D>>,
}

/// Largest distance of finite ends: the squares of lengths stay within the range of f64.
const LONGEST: f64 = 1e150;

impl<const D: usize> Domain<D> {
    /// The box with lower and upper ends `bounds`, infinite where there is none, all of them reflecting.
    ///
    /// # Errors
    /// [`Error::Config`] about `domain` unless each lower end is below the upper one, by at most 1e150 where both are finite.
    pub fn new(bounds: [[f64; 2]; D]) -> Result<Self> {
        if let Some([lower, upper]) = bounds.iter().find(|[lower, upper]| !(lower < upper)) {
            let message =
                format!("[{lower}, {upper}] is not an interval: the lower end must be below the upper one");
            return Err(Error::config("domain", message));
        }
        let is_long = |length: f64| length.is_infinite() || length > LONGEST;
        if let Some([lower, upper]) = bounds
            .iter()
            .find(|[lower, upper]| lower.is_finite() && upper.is_finite() && is_long(upper - lower))
        {
            let message =
                format!("[{lower:e}, {upper:e}] is longer than {LONGEST:e}: give ends that are closer");
            return Err(Error::config("domain", message));
        }
        Ok(Self {
            bounds,
            ..Self::unbounded()
        })
    }

    /// All of space: where SGD itself lives.
    pub fn unbounded() -> Self {
        Self {
            bounds: [[f64::NEG_INFINITY, f64::INFINITY]; D],
            boundaries: [[Boundary::Reflecting; 2]; D],
            walls: [[false; 2]; D],
            restriction: None,
            edge_is_wall: false,
            window: None,
        }
    }

    /// The same box with other ends.
    ///
    /// # Errors
    /// [`Error::Config`] about `boundaries` when only one end of an axis is periodic, or the period is infinite.
    pub fn with_boundaries(self, boundaries: [[Boundary; 2]; D]) -> Result<Self> {
        for ([lower, upper], ends) in self.bounds.iter().zip(&boundaries) {
            let [first, second] = ends.map(|end| end == Boundary::Periodic);
            if first != second || (first && !(upper - lower).is_finite()) {
                let message = "both ends of an axis are periodic, and finite, or none";
                return Err(Error::config("boundaries", message));
            }
        }
        Ok(Self { boundaries, ..self })
    }

    /// The same domain with reflecting ends, or the edge of its set, that belong to the problem: they are meant, and do not just end the grid.
    #[must_use]
    pub fn with_walls(self, walls: [[bool; 2]; D], edge_is_wall: bool) -> Self {
        Self {
            walls,
            edge_is_wall,
            ..self
        }
    }

    /// The points of the box that lie in `set`, and what the edge of the set does.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] for a periodic edge.
    pub fn restricted_to(self, set: PointSet<D>, edge: Boundary) -> Result<Self> {
        if edge == Boundary::Periodic {
            return Err(Error::Inconsistent {
                subject: "a periodic edge of a set".into(),
                requirement: "it reflects or absorbs".into(),
            });
        }
        let restriction = Some((set, edge));
        Ok(Self { restriction, ..self })
    }

    /// The same domain, out of which reflecting ends and edges let the process where they lie in `window`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] on a line, where an end absorbs as a whole or not at all.
    pub fn with_window(self, window: PointSet<D>) -> Result<Self> {
        if D < 2 {
            return Err(Error::Inconsistent {
                subject: "a window in the end of a line".into(),
                requirement: "the end absorbs as a whole: boundaries = [[\"absorbing\", \"reflecting\"]]"
                    .into(),
            });
        }
        let window = Some(window);
        Ok(Self { window, ..self })
    }

    /// Where reflecting ends and edges absorb.
    pub fn window(&self) -> Option<&PointSet<D>> {
        self.window.as_ref()
    }

    /// Lower and upper end of each axis.
    pub fn bounds(&self) -> &[[f64; 2]; D] {
        &self.bounds
    }

    /// What the ends of each axis do.
    pub fn boundaries(&self) -> &[[Boundary; 2]; D] {
        &self.boundaries
    }

    /// Which reflecting ends belong to the problem.
    pub fn walls(&self) -> &[[bool; 2]; D] {
        &self.walls
    }

    /// Whether the reflecting edge of the set belongs to the problem.
    pub fn edge_is_wall(&self) -> bool {
        self.edge_is_wall
    }

    /// The set that restricts the box, and what its edge does.
    pub fn restriction(&self) -> Option<(&PointSet<D>, Boundary)> {
        self.restriction.as_ref().map(|(set, edge)| (set, *edge))
    }

    /// Extent of the shortest axis.
    pub fn size(&self) -> f64 {
        let extents = self.bounds.iter().map(|[a, b]| b - a);
        extents.fold(f64::INFINITY, f64::min)
    }

    /// Whether the process ends at some edge, so that it has no stationary law.
    pub fn absorbs(&self) -> bool {
        let ends = self.boundaries.iter().flatten().copied();
        let mut edges = ends.chain(self.restriction().map(|(_, edge)| edge));
        self.window.is_some() || edges.any(|edge| edge == Boundary::Absorbing)
    }

    /// Whether a point lies in the domain, the ends of the axes included.
    pub fn contains(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> bool {
        let mut ends = theta.iter().zip(&self.bounds);
        ends.all(|(x, [lower, upper])| lower <= x && x <= upper)
            && self
                .restriction()
                .is_none_or(|(set, _)| set.contains(theta, diffusion))
    }
}
