//! The double well under a constant force.

use super::Landscape;
use crate::error::{Result, require, require_positive};
use crate::math::{Point, Tensor};

/// L(x) = ΔL ((x/a)² − 1)² + s x: [`super::DoubleWell`] with a linear tilt.
///
/// # Formula
/// With τ = s a/(4ΔL) the stationary points solve u³ − u + τ = 0, x = a u; to first order in τ the minima lie at u = ±1 − τ/2, the
/// saddle at u = τ, and the losses of the minima differ by 2 s a.
///
/// # Errors
/// Both wells exist for |s| a < 8ΔL/(3√3); a stronger tilt is refused.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Landscape, TiltedDoubleWell};
/// use freezeout::math::Point;
/// let well = TiltedDoubleWell::new(0.25, 1.0, 0.1)?;
/// let difference = well.loss(&Point::<1>::new(1.0)) - well.loss(&Point::<1>::new(-1.0));
/// assert!((difference - 0.2).abs() < 1e-15);
/// assert!(TiltedDoubleWell::new(0.25, 1.0, 0.4).is_err()); // one well only
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TiltedDoubleWell {
    barrier: f64,
    half_distance: f64,
    tilt: f64,
}

impl TiltedDoubleWell {
    /// Double well with barrier ΔL > 0 and minima at ±`half_distance` = ±a without tilt, and the slope `tilt` = s.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(barrier: f64, half_distance: f64, tilt: f64) -> Result<Self> {
        require_positive("barrier", barrier)?;
        require_positive("half_distance", half_distance)?;
        let most = 8.0 * barrier / (27.0_f64.sqrt() * half_distance);
        require(
            "tilt",
            tilt,
            |s| s.abs() < most,
            &format!("both wells exist only for a tilt between -{most} and {most}"),
        )?;
        Ok(Self {
            barrier,
            half_distance,
            tilt,
        })
    }
}

impl Landscape<1> for TiltedDoubleWell {
    fn loss(&self, theta: &Point<1>) -> f64 {
        let u = theta[0] / self.half_distance;
        self.barrier * (u * u - 1.0).powi(2) + self.tilt * theta[0]
    }
    fn gradient(&self, theta: &Point<1>) -> Point<1> {
        let u = theta[0] / self.half_distance;
        Point::<1>::new(4.0 * self.barrier / self.half_distance * u * (u * u - 1.0) + self.tilt)
    }
    fn hessian(&self, theta: &Point<1>) -> Tensor<1> {
        let u = theta[0] / self.half_distance;
        Tensor::<1>::new(4.0 * self.barrier / (self.half_distance * self.half_distance) * (3.0 * u * u - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{DoubleWell, critical_point};

    #[test]
    fn stationary_points_are_the_roots_of_the_cubic() {
        let (barrier, a, tilt) = (0.7, 1.3, -0.5);
        let well = TiltedDoubleWell::new(barrier, a, tilt).unwrap();
        let angle = (-1.5 * 3.0_f64.sqrt() * tilt * a / (4.0 * barrier)).acos() / 3.0;
        for (k, index) in [(0, 0), (1, 0), (2, 1)] {
            // Viète's roots of u³ − u + τ.
            let root = 2.0 / 3.0_f64.sqrt() * (angle + f64::from(k) * std::f64::consts::TAU / 3.0).cos();
            let found = critical_point(&well, Point::<1>::new(a * root + 1e-3)).unwrap();
            // Newton ends quadratically at rounding.
            assert!((found.position[0] - a * root).abs() < 1e-12, "{found:?}");
            assert_eq!(found.index, index);
        }
    }

    #[test]
    fn without_tilt_it_is_the_double_well() {
        let (tilted, plain) = (
            TiltedDoubleWell::new(0.3, 1.5, 0.0).unwrap(),
            DoubleWell::new(0.3, 1.5).unwrap(),
        );
        let theta = Point::<1>::new(0.4);
        assert_eq!(tilted.loss(&theta), plain.loss(&theta));
        assert_eq!(tilted.gradient(&theta), plain.gradient(&theta));
        assert_eq!(tilted.hessian(&theta), plain.hessian(&theta));
    }

    #[test]
    fn the_strongest_tilt_is_where_a_well_disappears() {
        let most = 8.0 * 0.25 / 27.0_f64.sqrt();
        assert!(TiltedDoubleWell::new(0.25, 1.0, most * (1.0 - 1e-9)).is_ok());
        assert!(TiltedDoubleWell::new(0.25, 1.0, -most * (1.0 + 1e-9)).is_err());
        for (barrier, a, tilt) in [(0.0, 1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 1.0, f64::NAN)] {
            assert!(TiltedDoubleWell::new(barrier, a, tilt).is_err());
        }
    }
}
