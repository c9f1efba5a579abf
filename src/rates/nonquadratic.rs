//! Eyring-Kramers laws of stationary points that are no parabolas: cusps, quartic wells and quartic saddles.

use crate::error::{Error, Result, require_positive};
use crate::math::Tensor;

/// |L − L_0| = c_± |u|^m along one direction through a stationary point: a cusp (m = 1), a parabola (2), a quartic (4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// m.
    pub exponent: f64,
    /// c on either side, loss/θ^m.
    pub coefficients: [f64; 2],
}

impl PowerLaw {
    /// A cusp with these slopes |L'| on either side.
    pub fn cusp(slopes: [f64; 2]) -> Self {
        Self {
            exponent: 1.0,
            coefficients: slopes,
        }
    }

    /// A parabola of curvature |L''|.
    pub fn parabola(curvature: f64) -> Self {
        Self {
            exponent: 2.0,
            coefficients: [0.5 * curvature; 2],
        }
    }

    /// A quartic c u⁴, with |L''''| = 24 c on a line; in more variables see [`crate::landscape::quartic_coefficient`].
    pub fn quartic(coefficient: f64) -> Self {
        Self {
            exponent: 4.0,
            coefficients: [coefficient; 2],
        }
    }

    /// ln ∫ exp(−c_± |u|^m/T) du.
    ///
    /// # Formula
    /// Γ(1 + 1/m) Σ_± (T/c_±)^{1/m}: T Σ 1/c_± of a cusp, sqrt(2πT/|L''|) of a parabola, 2 Γ(5/4) (T/c)^{1/4} of a quartic.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming what is not positive.
    pub fn log_integral(&self, temperature: f64) -> Result<f64> {
        require_positive("temperature", temperature)?;
        let root = 1.0 / require_positive("exponent", self.exponent)?;
        let mut sides = 0.0;
        for coefficient in self.coefficients {
            sides += (temperature / require_positive("coefficient", coefficient)?).powf(root);
        }
        Ok(statrs::function::gamma::ln_gamma(1.0 + root) + sides.ln())
    }
}

/// A minimum and the saddle through which it is left, each a power law along every direction.
///
/// # Examples
/// ```
/// use freezeout::rates::{NonquadraticPassage, PowerLaw};
/// // Kramers: sqrt(2·1)/2π exp(−ΔL/T) of x⁴/4 − x²/2
/// let passage = NonquadraticPassage {
///     minimum: [PowerLaw::parabola(2.0)],
///     across: PowerLaw::parabola(1.0),
///     beside: &[],
///     barrier: 0.25,
/// };
/// let known = (2f64.sqrt() / std::f64::consts::TAU).ln() - 0.25 / 0.1;
/// assert!((passage.log_rate(0.1)? - known).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonquadraticPassage<'a, const D: usize> {
    /// Along each direction from the minimum.
    pub minimum: [PowerLaw; D],
    /// Along the direction in which the saddle falls.
    pub across: PowerLaw,
    /// Along the D − 1 directions in which it rises.
    pub beside: &'a [PowerLaw],
    /// ΔL = L_s − L_a.
    pub barrier: f64,
}

impl<const D: usize> NonquadraticPassage<'_, D> {
    /// ln of the escape rate of dθ = −∇L dt + sqrt(2T) dW.
    ///
    /// # Formula
    /// k = T ∏ I_beside/(I_across ∏ I_minimum) e^{−ΔL/T}, I = ∫ exp(−c_± |u|^m/T) du; with parabolas the law of Eyring and Kramers.
    ///
    /// # Units
    /// ln of 1/time; T in loss.
    ///
    /// # Method
    /// Laplace's method with the power law of lowest order along each direction; the relative error is O(T) of a cusp or a parabola and O(T^½) of a quartic
    /// with a term of order six. Along the flat direction of a quartic the coefficient is that of the bottom, see [`crate::landscape::quartic_coefficient`]; a cusp stands for
    /// the crest of a ridge whose height and slopes depend on the other variables to second order only.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] unless there are D − 1 directions beside; [`Error::InvalidParameter`] naming what is not positive.
    ///
    /// # References
    /// N. Berglund and B. Gentz, Markov Process. Relat. Fields 16, 549 (2010), for quartic saddles; on a line H. A. Kramers, Physica 7, 284 (1940).
    pub fn log_rate(&self, temperature: f64) -> Result<f64> {
        if self.beside.len() + 1 != D {
            return Err(Error::DimensionMismatch {
                name: "directions in which the saddle rises".into(),
                expected: D - 1,
                got: self.beside.len(),
            });
        }
        let sum = |laws: &[PowerLaw]| {
            laws.iter()
                .map(|law| law.log_integral(temperature))
                .sum::<Result<f64>>()
        };
        Ok(
            require_positive("temperature", temperature)?.ln() + sum(self.beside)?
                - self.across.log_integral(temperature)?
                - sum(&self.minimum)?
                - require_positive("barrier", self.barrier)? / temperature,
        )
    }
}

/// [`Error::Inconsistent`] unless the mobility is the identity.
pub(super) fn require_identity<const D: usize>(mobility: &Tensor<D>) -> Result<()> {
    if *mobility == Tensor::<D>::identity() {
        return Ok(());
    }
    Err(Error::Inconsistent {
        subject: "mobility".into(),
        requirement:
            "over a saddle or out of a minimum on a kink or without a curvature it must be the identity"
                .into(),
    })
}
