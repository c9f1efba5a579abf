//! The part of parameter space in which a process lives.

use super::Boundary;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require_finite};
use crate::math::Point;

/// A box with what its ends do, restricted to the points whose loss is below a value if wanted.
///
/// # Examples
/// ```
/// use freezeout::region::{Boundary, Domain};
/// let domain = Domain::new([[-2.0, 2.0]])?.with_boundaries([[Boundary::Reflecting, Boundary::Absorbing]])?;
/// assert!(domain.absorbs() && domain.size() == 4.0);
/// assert!(Domain::new([[1.0, 1.0]]).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain<const D: usize> {
    bounds: [[f64; 2]; D],
    boundaries: [[Boundary; 2]; D],
    sublevel: Option<(f64, Boundary)>,
}

impl<const D: usize> Domain<D> {
    /// The box with lower and upper ends `bounds`, all of them reflecting.
    ///
    /// # Errors
    /// [`Error::Config`] about `domain` unless each lower end is finite and below the upper one.
    pub fn new(bounds: [[f64; 2]; D]) -> Result<Self> {
        for [lower, upper] in bounds {
            if !(lower.is_finite() && upper.is_finite() && lower < upper) {
                return Err(Error::config(
                    "domain",
                    format!(
                        "[{lower}, {upper}] is not an interval: the lower end must be below the upper one"
                    ),
                ));
            }
        }
        Ok(Self {
            bounds,
            boundaries: [[Boundary::Reflecting; 2]; D],
            sublevel: None,
        })
    }

    /// The same box with other ends.
    ///
    /// # Errors
    /// [`Error::Config`] about `boundaries` when only one end of an axis is periodic.
    pub fn with_boundaries(self, boundaries: [[Boundary; 2]; D]) -> Result<Self> {
        let is_periodic = |end: Boundary| end == Boundary::Periodic;
        if boundaries.iter().any(|[a, b]| is_periodic(*a) != is_periodic(*b)) {
            return Err(Error::config(
                "boundaries",
                "both ends of an axis are periodic or none",
            ));
        }
        Ok(Self { boundaries, ..self })
    }

    /// The points of the box whose loss is below `level`, and what the edge of this set does.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a level that is not finite, [`Error::Config`] about `sublevel_boundary` for a periodic edge.
    pub fn with_sublevel(self, level: f64, edge: Boundary) -> Result<Self> {
        if edge == Boundary::Periodic {
            return Err(Error::config(
                "sublevel_boundary",
                "the edge of a sublevel set reflects or absorbs",
            ));
        }
        let level = require_finite("sublevel", level)?;
        Ok(Self {
            sublevel: Some((level, edge)),
            ..self
        })
    }

    /// Lower and upper end of each axis.
    pub fn bounds(&self) -> &[[f64; 2]; D] {
        &self.bounds
    }

    /// What the ends of each axis do.
    pub fn boundaries(&self) -> &[[Boundary; 2]; D] {
        &self.boundaries
    }

    /// The value below which the loss must be, and what the edge of that set does.
    pub fn sublevel(&self) -> Option<(f64, Boundary)> {
        self.sublevel
    }

    /// Extent of the shortest axis.
    pub fn size(&self) -> f64 {
        self.bounds
            .iter()
            .map(|[a, b]| b - a)
            .fold(f64::INFINITY, f64::min)
    }

    /// Whether the process ends at some edge, so that it has no stationary law.
    pub fn absorbs(&self) -> bool {
        let mut ends = self.boundaries.iter().flatten();
        ends.any(|end| *end == Boundary::Absorbing)
            || self.sublevel.is_some_and(|(_, edge)| edge == Boundary::Absorbing)
    }

    /// Whether a point lies in the domain, its ends included; a sublevel of a process without a loss restricts nothing.
    pub fn contains(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> bool {
        let mut ends = theta.iter().zip(&self.bounds);
        ends.all(|(x, [lower, upper])| lower <= x && x <= upper)
            && match (self.sublevel, diffusion.landscape()) {
                (Some((level, _)), Some(landscape)) => landscape.loss(theta) < level,
                _ => true,
            }
    }

    /// A function with its gradient that is positive inside the sublevel set; none without one.
    pub fn level(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> Option<(f64, Point<D>)> {
        let ((level, _), landscape) = (self.sublevel?, diffusion.landscape()?);
        Some((level - landscape.loss(theta), -landscape.gradient(theta)))
    }
}
