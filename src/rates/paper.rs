//! The formulas of Yang, Zhang, Ouyang, Tang and Tu (arXiv 2601.10962) for the two-valley model, as published.
//!
//! They are rows of comparison, not this crate's statement of the truth. Where they fail:
//!
//! - [`log_ridge_time`] takes the whole parabola as the well, although it ends at the ridge, and is a time to *reach* the ridge. From
//!   there a path goes on to the flat valley only with a probability of about one half ([`ParabolicValleys::ridge_splitting`]), so that well-to-well rates carry a factor
//!   that differs between the valleys; [`stationary_probability`] leaves it out and is biased at every noise.
//! - Continuity of p at the ridge belongs to the anti-Ito equation; for SGD (Ito) p D is continuous and the flat branch is lower
//!   by the [`ridge_jump`].
//! - [`FreezingLine`] and what follows from it hold in units of a free constant εΦ. With the published Φ and ε = 10⁻² y_freeze is twice
//!   too large; the authors' figure multiplies Φ by 3000. It is a fit, and the logarithm it comes from drops factors of order one.

use std::f64::consts::FRAC_PI_2;

use crate::error::{Result, require, require_positive};
use crate::landscape::{Side, TwoValley};
use crate::math::log_domain::probability_from_log_odds;
use crate::math::special::ln_erfi;
use crate::rates::odds::ParabolicValleys;

/// ln τ_i of the paper: mean time from the minimum of a valley to the ridge.
///
/// # Formula
/// τ_i = (π/2) f_i erfi(sqrt(ΔL f_i/(2Δ))); Kramers' limit is τ_i ≈ sqrt(πΔ f_i/(2ΔL)) exp(ΔL f_i/(2Δ)).
///
/// # Method
/// Exact as ΔL f_i/(2Δ) → ∞ for C ∝ H and the time to the ridge; evaluated in log domain.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] for Δ ≤ 0.
///
/// # References
/// arXiv 2601.10962, appendix on Kramers' escape rates.
pub fn log_ridge_time(model: &TwoValley, side: Side, y: f64, noise_strength: f64) -> Result<f64> {
    require_positive("noise_strength", noise_strength)?;
    let flatness = model.flatness(side, y);
    let argument = (0.5 * model.barrier(y) * flatness / noise_strength).sqrt();
    Ok((FRAC_PI_2 * flatness).ln() + ln_erfi(argument))
}

/// P_ss of the paper at fixed y: its escape rates as a two-state chain.
///
/// # Formula
/// P = k_sharp/(k_sharp + k_flat) with k_i = 1/τ_i, [`log_ridge_time`].
///
/// # Errors
/// [`crate::Error::InvalidParameter`] for Δ ≤ 0 or y = 0, where the valleys merge.
///
/// # Examples
/// ```
/// use freezeout::landscape::TwoValley;
/// use freezeout::rates::paper::stationary_probability;
/// let p = stationary_probability(&TwoValley::default(), 5.0, 1e-3)?;
/// assert!((p - 0.913_486).abs() < 5e-7); // exact for Ito: .933154
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn stationary_probability(model: &TwoValley, y: f64, noise_strength: f64) -> Result<f64> {
    require("y", y, |v| v > 0.0, "y > 0 is needed: the valleys merge at 0")?;
    let flat = log_ridge_time(model, Side::Flat, y, noise_strength)?;
    let sharp = log_ridge_time(model, Side::Sharp, y, noise_strength)?;
    Ok(probability_from_log_odds(flat - sharp))
}

/// [`stationary_probability`] with the splitting at the ridge put in.
///
/// # Formula
/// Odds τ_flat q/(τ_sharp (1 − q)), q the committor from the ridge, [`ParabolicValleys::ridge_splitting`]. With q = x1/(x1 + x2), its limit for
/// high barriers, it gives .9286 at y = 5, Δ = 1e-3 where the exact q gives .9331; at Δ = 1e-2 that limit makes the published value worse.
///
/// # Errors
/// As [`stationary_probability`].
///
/// # Examples
/// ```
/// use freezeout::landscape::TwoValley;
/// use freezeout::rates::paper::stationary_probability_with_splitting;
/// let p = stationary_probability_with_splitting(&TwoValley::default(), 5.0, 1e-3)?;
/// assert!((p - 0.9331).abs() < 5e-5); // exact for Ito: .933154
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn stationary_probability_with_splitting(model: &TwoValley, y: f64, noise_strength: f64) -> Result<f64> {
    require("y", y, |v| v > 0.0, "y > 0 is needed: the valleys merge at 0")?;
    let flat = log_ridge_time(model, Side::Flat, y, noise_strength)?;
    let sharp = log_ridge_time(model, Side::Sharp, y, noise_strength)?;
    let q = ParabolicValleys::of_two_valley(model, y, 1.0, noise_strength)?.ridge_splitting();
    Ok(probability_from_log_odds(flat - sharp + (q / (1.0 - q)).ln()))
}

/// T_eff(y) = 2Δ/sqrt(f1 f2), the geometric mean of the two diffusivities.
pub fn effective_temperature(model: &TwoValley, y: f64, noise_strength: f64) -> f64 {
    2.0 * noise_strength / (model.flatness(Side::Flat, y) * model.flatness(Side::Sharp, y)).sqrt()
}

/// Effective loss of the paper for a point of loss `loss` on a side.
///
/// # Formula
/// L_eff = γ^{±1/2} L + (1 − γ^{±1/2}) L0(y), + for the flat valley; continuous at the ridge, where L = L0.
pub fn effective_loss(model: &TwoValley, side: Side, y: f64, loss: f64) -> f64 {
    let factor = model.flatness_ratio().powf(0.5 * side.sign());
    factor * loss + (1.0 - factor) * model.ridge_loss(y)
}

/// Depth γ^{±1/2} ΔL(y) of a branch of the effective loss below the ridge.
pub fn effective_depth(model: &TwoValley, side: Side, y: f64) -> f64 {
    model.flatness_ratio().powf(0.5 * side.sign()) * model.barrier(y)
}

/// T_eff ln γ: by how much the flat branch of −T_eff ln p lies below the sharp one at the ridge under Ito.
///
/// The paper's potential lacks it. It is p(0+)/p(0−) = D(0−)/D(0+) = γ for C ∝ H.
pub fn ridge_jump(model: &TwoValley, y: f64, noise_strength: f64) -> f64 {
    effective_temperature(model, y, noise_strength) * model.flatness_ratio().ln()
}

/// The paper's freezing line y_freeze(Δ), with its fitted constant.
///
/// # Formula
/// With s² = Δ ln(Δ/(εΦ)²),
/// ```text
/// y_freeze = y_b s/(x2 − s)
/// Φ        = c · 2 (x1² − x2²)/(27 y_b) · (L_d/y_d + 8 x0²/(27 y_f))
/// P_final  = 1/(1 + γ^{−1/2} (sqrt(Δ)/(εΦ))^{1−γ})
/// ```
/// from k_sharp = εΦ/Δ with the Kramers rate, prefactors dropped, and P_ss of the paper at y_freeze.
///
/// # Method
/// Not a prediction: c = 1 in the text, ε is "a small quantity". The authors' plotting script sets ε = 0.01 and c = 3000
/// ([`FreezingLine::AUTHORS`]); only the product εc = 30 enters. Undefined for Δ ≤ (εΦ)², and where s ≥ x2 (no freezing).
///
/// # References
/// arXiv 2601.10962, eqs. for y_freeze and P_flat^{tr,SGD} and the appendix on the freezing mechanism; code repository
/// YangNing1995/Transient_Dynamics_SGD, PRX_revison/Plot_figures/Fig4_analytic_model_revised.m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreezingLine {
    /// ε.
    pub epsilon: f64,
    /// c.
    pub scale: f64,
}

impl FreezingLine {
    /// The values of the authors' plotting script.
    pub const AUTHORS: Self = Self {
        epsilon: 0.01,
        scale: 3000.0,
    };

    /// εΦ.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] unless ε, c and Φ are positive.
    pub fn constant(&self, model: &TwoValley) -> Result<f64> {
        let p = model.parameters();
        let shape = 2.0 * (p.x1 * p.x1 - p.x2 * p.x2) / (27.0 * p.y_b);
        let speed = p.l_d / p.y_d + 8.0 * p.x0 * p.x0 / (27.0 * p.y_f);
        let constant = require_positive("epsilon", self.epsilon)?
            * require_positive("scale", self.scale)?
            * shape
            * speed;
        require(
            "x1",
            p.x1,
            |_| constant > 0.0,
            "the paper's formulas need x1 > x2 and a floor that slopes towards larger y, so that Φ > 0",
        )?;
        Ok(constant)
    }

    /// y_freeze(Δ).
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] where the formula is undefined: Δ ≤ (εΦ)², or s ≥ x2.
    pub fn y_freeze(&self, model: &TwoValley, noise_strength: f64) -> Result<f64> {
        let constant = self.constant(model)?;
        require_positive("noise_strength", noise_strength)?;
        let p = model.parameters();
        let s = (noise_strength * (noise_strength / (constant * constant)).ln()).sqrt();
        if !(s > 0.0 && s < p.x2) {
            require(
                "noise_strength",
                noise_strength,
                |_| false,
                "the paper's y_freeze exists only for 0 < Δ ln(Δ/(εΦ)²) < x2²",
            )?;
        }
        Ok(p.y_b * s / (p.x2 - s))
    }

    /// Final probability of the flat valley.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] for Δ ≤ 0, ε ≤ 0, c ≤ 0 or Φ ≤ 0.
    pub fn final_probability(&self, model: &TwoValley, noise_strength: f64) -> Result<f64> {
        let constant = self.constant(model)?;
        require_positive("noise_strength", noise_strength)?;
        let ratio = model.flatness_ratio();
        let log_odds = 0.5 * ratio.ln() + (ratio - 1.0) * (0.5 * noise_strength.ln() - constant.ln());
        Ok(probability_from_log_odds(log_odds))
    }
}
