//! A line through a planar landscape: the fast coordinate x with the slow one y held.

use super::{Kink, Landscape};
use crate::error::{Result, require_finite};
use crate::math::{Point, Tensor};

/// x ↦ L(x, y) at fixed y.
///
/// The Hessian of the slice is ∂²L/∂x², so that Hessian-power noise on the slice has C = s (∂²L/∂x²)₊^p.
/// This is the frozen-slow-coordinate approximation: it neglects the off-diagonal noise C_xy, which moves y.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, Slice, TwoValley};
/// use freezeout::math::Point;
/// let slice = Slice::new(TwoValley::default(), 5.0)?;
/// assert!((slice.hessian(&Point::<1>::new(0.1))[0] - 6.125).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice<L> {
    landscape: L,
    y: f64,
}

impl<L: Landscape<2>> Slice<L> {
    /// Slice of `landscape` at the given y.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] when y is not finite.
    pub fn new(landscape: L, y: f64) -> Result<Self> {
        Ok(Self {
            landscape,
            y: require_finite("y", y)?,
        })
    }

    fn point(&self, theta: &Point<1>) -> Point<2> {
        Point::<2>::new(theta[0], self.y)
    }
}

impl<L: Landscape<2>> Landscape<1> for Slice<L> {
    fn loss(&self, theta: &Point<1>) -> f64 {
        self.landscape.loss(&self.point(theta))
    }
    fn gradient(&self, theta: &Point<1>) -> Point<1> {
        Point::<1>::new(self.landscape.gradient(&self.point(theta))[0])
    }
    fn hessian(&self, theta: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.landscape.hessian(&self.point(theta))[(0, 0)])
    }
    fn kinks(&self) -> Vec<Kink> {
        self.landscape
            .kinks()
            .into_iter()
            .filter(|kink| kink.axis == 0)
            .collect()
    }
}
