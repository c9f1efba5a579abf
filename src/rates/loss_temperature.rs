//! Isotropic noise that grows with the loss, as that of a mean squared error does: the loss in units of its own temperature.

use crate::error::{Error, Result, require_finite, require_positive};
use crate::landscape::{Crease, CriticalPoint, Kink, Landscape, Quartic};
use crate::math::{Point, Tensor};

/// U = ∫ dL/T(L) of dθ = −∇L dt + sqrt(2 T(L)) dW with T(L) = T_0 + b (L − L_0).
///
/// # Formula
/// U = ln(1 + b (L − L_0)/T_0)/b. In the time dt' = T dt the process is dθ = −∇U dt' + sqrt(2) dW: committors are those of the loss U at temperature 1, and the
/// stationary density is e^{−U}/T. Over a saddle the rate of L is therefore that of U times T at the minimum, in n variables
///
/// ```text
/// k = |λ_1|/2π sqrt(det H_a/|det H_s|) (T_s/T_a)^{n/2 − 1 − 1/b} (1 + (c_s − c_a + n b/2) + …),
/// ```
///
/// c_s and c_a those of [`crate::rates::first_correction`] for U at temperature 1 and n b/2 what 1/T adds to the mass of the well: the law of Mori et al. with
/// T = (η h*/B) L, and its first correction.
///
/// # Units
/// None; b in 1, T_0 in loss.
///
/// # Limitations
/// Where T is not positive the process does not go; U is NaN there.
///
/// # References
/// T. Mori, L. Ziyin, K. Liu and M. Ueda, Power-law escape rate of SGD, ICML 2022, eq. 17.
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, Landscape};
/// use freezeout::math::Point;
/// use freezeout::rates::LossInTemperatures;
/// let reduced = LossInTemperatures::new(DoubleWell::new(0.25, 1.0)?, 0.0, 0.01, 0.1)?;
/// // L = 1/4 at 0: T = .035 there
/// assert!((reduced.loss(&Point::<1>::zeros()) - 10.0 * 3.5_f64.ln()).abs() < 1e-12);
/// assert!((reduced.hessian(&Point::<1>::zeros())[0] + 1.0 / 0.035).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossInTemperatures<L> {
    landscape: L,
    reference: f64,
    temperature: f64,
    slope: f64,
}

impl<L> LossInTemperatures<L> {
    /// L with T = `temperature` where L = `reference`, and dT/dL = `slope`, which is not zero.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming what is out of range.
    pub fn new(landscape: L, reference: f64, temperature: f64, slope: f64) -> Result<Self> {
        if slope == 0.0 {
            return Err(Error::InvalidParameter {
                name: "slope".into(),
                value: slope,
                requirement: "a temperature that does not depend on the loss needs no units of its own"
                    .into(),
            });
        }
        Ok(Self {
            landscape,
            reference: require_finite("reference", reference)?,
            temperature: require_positive("temperature", temperature)?,
            slope: require_finite("slope", slope)?,
        })
    }

    /// T where the loss is `loss`.
    pub fn temperature(&self, loss: f64) -> f64 {
        self.temperature + self.slope * (loss - self.reference)
    }

    /// U where the loss is `loss`.
    fn reduced(&self, loss: f64) -> f64 {
        (self.slope * (loss - self.reference) / self.temperature).ln_1p() / self.slope
    }

    /// The stationary point of U that one of L is.
    ///
    /// # Errors
    /// [`Error::NotPositive`] where T is not positive.
    pub fn at<const D: usize>(&self, point: &CriticalPoint<D>) -> Result<CriticalPoint<D>> {
        let t = self.temperature(point.loss);
        if !(t > 0.0) {
            return Err(Error::NotPositive {
                name: "temperature".into(),
                position: format!("{:?}", point.position.as_slice()),
                eigenvalues: format!("{t:e}"),
            });
        }
        Ok(CriticalPoint {
            loss: self.reduced(point.loss),
            eigenvalues: point.eigenvalues.iter().map(|value| value / t).collect(),
            // (L − L_0)² has no term of order four
            quartic: point.quartic.map(|quartic| Quartic {
                coefficient: quartic.coefficient / t,
                coefficient_error: quartic.coefficient_error / t,
                ..quartic
            }),
            crease: point.crease.map(|crease| Crease {
                slopes: crease.slopes.map(|slope| slope / t),
                ..crease
            }),
            ..point.clone()
        })
    }
}

impl<const D: usize, L: Landscape<D>> Landscape<D> for LossInTemperatures<L> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        self.reduced(self.landscape.loss(theta))
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        self.landscape.gradient(theta) / self.temperature(self.landscape.loss(theta))
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        let (t, gradient) = (
            self.temperature(self.landscape.loss(theta)),
            self.landscape.gradient(theta),
        );
        self.landscape.hessian(theta) / t - gradient * gradient.transpose() * (self.slope / (t * t))
    }
    fn kinks(&self) -> Vec<Kink> {
        self.landscape.kinks()
    }
}
