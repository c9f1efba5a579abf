//! The Ornstein-Uhlenbeck process, whose density, spectrum and escape times are known exactly.

use super::Diffusion;
use crate::error::{Result, require_finite, require_positive};
use crate::math::{Point, Tensor};

/// dX = −κ (X − m) dt + sqrt(2D) dW in one dimension.
///
/// # Formula
/// Stationary law N(m, D/κ); eigenvalues of the generator −nκ; from x the law at time t is
/// N(m + (x − m) e^{−κt}, (D/κ)(1 − e^{−2κt})).
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, OrnsteinUhlenbeck};
/// use freezeout::math::Point;
/// let ou = OrnsteinUhlenbeck::new(2.0, 0.0, 0.5)?;
/// assert_eq!(ou.drift(&Point::<1>::new(1.0))[0], -2.0);
/// assert_eq!(ou.variance(), 0.25);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrnsteinUhlenbeck {
    relaxation_rate: f64,
    mean: f64,
    diffusivity: f64,
}

impl OrnsteinUhlenbeck {
    /// Process with relaxation rate κ > 0, mean m and diffusivity D > 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(relaxation_rate: f64, mean: f64, diffusivity: f64) -> Result<Self> {
        Ok(Self {
            relaxation_rate: require_positive("relaxation_rate", relaxation_rate)?,
            mean: require_finite("mean", mean)?,
            diffusivity: require_positive("diffusivity", diffusivity)?,
        })
    }

    /// Stationary variance D/κ.
    pub fn variance(&self) -> f64 {
        self.diffusivity / self.relaxation_rate
    }
}

impl Diffusion<1> for OrnsteinUhlenbeck {
    fn drift(&self, theta: &Point<1>) -> Point<1> {
        Point::<1>::new(-self.relaxation_rate * (theta[0] - self.mean))
    }
    fn tensor(&self, _theta: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.diffusivity)
    }
}
