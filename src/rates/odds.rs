//! Exact stationary odds of parabolic valleys that meet at a cusp: ∫ p over each valley in closed form.

use crate::diffusion::Calculus;
use crate::error::{Result, require_non_negative, require_positive};
use crate::landscape::{Side, TwoValley};
use crate::math::log_domain::probability_from_log_odds;
use crate::math::special::{ln_erfi, ln_normal_cdf};

/// Stationary probability of the flat one of two valleys of equal depth under isotropic noise, at every strength of it.
///
/// # Formula
/// √γ/(1 + √γ) = x1/(x1 + x2) for the flatness ratio γ = f1/f2 = (x1/x2)².
///
/// # Examples
/// ```
/// use freezeout::rates::width_probability;
/// assert!((width_probability((0.8_f64 / 0.65).powi(2)) - 0.8 / 1.45).abs() < 1e-15);
/// ```
pub fn width_probability(flatness_ratio: f64) -> f64 {
    let root = flatness_ratio.sqrt();
    root / (1.0 + root)
}

/// A half-parabola L = barrier·((x/x* − 1)² − 1) on one side of a ridge, with constant diffusivity D on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParabolicValley {
    barrier: f64,
    flatness: f64,
    diffusivity: f64,
}

impl ParabolicValley {
    /// Valley of depth ΔL ≥ 0 below the ridge, flatness f > 0 (curvature 2/f) and diffusivity D > 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(barrier: f64, flatness: f64, diffusivity: f64) -> Result<Self> {
        Ok(Self {
            barrier: require_non_negative("barrier", barrier)?,
            flatness: require_positive("flatness", flatness)?,
            diffusivity: require_positive("diffusivity", diffusivity)?,
        })
    }

    /// ΔL.
    pub fn barrier(&self) -> f64 {
        self.barrier
    }

    /// f.
    pub fn flatness(&self) -> f64 {
        self.flatness
    }

    /// D.
    pub fn diffusivity(&self) -> f64 {
        self.diffusivity
    }

    /// E = ΔL/D.
    pub fn reduced_barrier(&self) -> f64 {
        self.barrier / self.diffusivity
    }

    /// Distance x* = sqrt(ΔL f) of the minimum from the ridge.
    pub fn width(&self) -> f64 {
        (self.barrier * self.flatness).sqrt()
    }

    /// ln ∫ exp((L − L_ridge)/D) dx from the ridge to the bottom, the scale function of the Ito equation.
    ///
    /// # Formula
    /// x* F(√E)/√E with Dawson's function F(z) = e^{−z²} ∫₀^z e^{v²} dv; x*/(2E) for E ≫ 1.
    pub fn log_scale(&self) -> f64 {
        let root = self.reduced_barrier().sqrt();
        if root == 0.0 {
            return self.width().ln();
        }
        let log_dawson = (0.5 * std::f64::consts::PI.sqrt()).ln() - root * root + ln_erfi(root);
        self.width().ln() + log_dawson - root.ln()
    }

    /// ln ∫ D^{−(1−α)} exp(−(L − L_ridge)/D) dx over the valley.
    ///
    /// # Formula
    /// D^{−(1−α)} e^E sqrt(π f D) N(sqrt(2E)), with N the standard normal distribution function.
    pub fn log_mass(&self, calculus: Calculus) -> f64 {
        let energy = self.reduced_barrier();
        energy
            + 0.5 * (std::f64::consts::PI * self.flatness * self.diffusivity).ln()
            + ln_normal_cdf((2.0 * energy).sqrt())
            - (1.0 - calculus.alpha()) * self.diffusivity.ln()
    }
}

/// Flat and sharp valley on the two sides of a ridge, with their exact stationary odds.
///
/// # Formula
/// With E_i = ΔL_i/D_i and γ = f1/f2, for equal barriers and D_i = Δ (2/f_i)^p,
/// ```text
/// odds(flat : sharp) = γ^((1 + p − 2pα)/2) exp(E1 − E2) N(sqrt(2 E1))/N(sqrt(2 E2))
/// ```
/// that is γR, sqrt(γ)R and R for Ito, Stratonovich and anti-Ito at p = 1; sqrt(γ) = x1*/x2* for isotropic noise, p = 0.
///
/// # Method
/// Exact at fixed slow coordinate and vanishing learning rate; evaluated in log domain.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Calculus;
/// use freezeout::landscape::TwoValley;
/// use freezeout::rates::ParabolicValleys;
/// let valleys = ParabolicValleys::of_two_valley(&TwoValley::default(), 5.0, 1.0, 1e-3)?;
/// assert!((valleys.probability(Calculus::Ito) - 0.933_153_9).abs() < 5e-8);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParabolicValleys {
    /// x > 0.
    pub flat: ParabolicValley,
    /// x < 0.
    pub sharp: ParabolicValley,
}

impl ParabolicValleys {
    /// The slice of the two-valley model at y with D = Δ H^p in each valley (H = 2/f_i); p = 0 is isotropic noise D = Δ.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for p < 0 or Δ ≤ 0.
    pub fn of_two_valley(model: &TwoValley, y: f64, power: f64, noise_strength: f64) -> Result<Self> {
        require_non_negative("power", power)?;
        require_positive("noise_strength", noise_strength)?;
        let valley = |side| {
            let flatness = model.flatness(side, y);
            ParabolicValley::new(
                model.barrier(y),
                flatness,
                noise_strength * (2.0 / flatness).powf(power),
            )
        };
        Ok(Self {
            flat: valley(Side::Flat)?,
            sharp: valley(Side::Sharp)?,
        })
    }

    /// ln odds(flat : sharp).
    pub fn log_odds(&self, calculus: Calculus) -> f64 {
        self.flat.log_mass(calculus) - self.sharp.log_mass(calculus)
    }

    /// Probability that the process, on the ridge, reaches the bottom of the flat valley before that of the sharp one.
    ///
    /// # Formula
    /// S_sharp/(S_flat + S_sharp) with [`ParabolicValley::log_scale`]; x1*/(x1* + x2*) where both barriers are high and D ∝ H.
    ///
    /// # Examples
    /// ```
    /// use freezeout::landscape::TwoValley;
    /// use freezeout::rates::ParabolicValleys;
    /// let at = |delta| ParabolicValleys::of_two_valley(&TwoValley::default(), 5.0, 1.0, delta);
    /// assert!((at(1e-6)?.ridge_splitting() - 0.8 / 1.45).abs() < 1e-4); // high barriers
    /// assert!((at(1e-2)?.ridge_splitting() - 0.482).abs() < 5e-4); // none to speak of
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn ridge_splitting(&self) -> f64 {
        probability_from_log_odds(self.sharp.log_scale() - self.flat.log_scale())
    }

    /// Stationary probability of the flat side.
    pub fn probability(&self, calculus: Calculus) -> f64 {
        probability_from_log_odds(self.log_odds(calculus))
    }
}
