//! Escape times over high barriers: the asymptotics of ∫ s ∫ m as noise vanishes.
//!
//! All functions return ln τ with τ the mean time to the other side of the barrier (its well, not its top, where the
//! path is committed with probability 1/2 on a smooth barrier); the rate is 1/τ.
//!
//! # Limitations
//! Relative errors are of the order noise/barrier: [`super::ScaleAndSpeed`] has none in one dimension.

use std::f64::consts::TAU;

use crate::error::{Result, require_non_negative, require_positive};

/// ln of Kramers' escape time over a smooth barrier with state-dependent diffusivity (Ito).
///
/// # Formula
/// τ = 2π sqrt(D_b/D_a) / sqrt(L''_a |L''_b|) · e^E, E = ∫_a^b L'/D dx from the minimum a to the top b; with constant
/// D this is 2π/sqrt(L''_a |L''_b|) exp(ΔL/D). The time to the top itself is half of it.
///
/// # Method
/// Laplace's method in both integrals; relative error O(1/E). For x⁴/4 − x²/2 at noise ε it is (3/2) ε + O(ε²).
///
/// # Errors
/// [`crate::Error::InvalidParameter`] naming the parameter that is not positive and finite (`barrier_curvature` is |L''_b|).
///
/// # References
/// H. A. Kramers, Physica 7, 284 (1940), eq. 17; P. Hänggi, P. Talkner and M. Borkovec, Rev. Mod. Phys. 62, 251 (1990).
///
/// # Examples
/// ```
/// use freezeout::rates::kramers::{SmoothBarrier, log_escape_time};
/// let log = log_escape_time(SmoothBarrier {
///     well_curvature: 2.0, barrier_curvature: 1.0, reduced_barrier: 2.5, diffusivity_ratio: 1.0,
/// })?;
/// assert!((log.exp() / 54.125_394_562_2 - 1.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn log_escape_time(barrier: SmoothBarrier) -> Result<f64> {
    let SmoothBarrier {
        well_curvature,
        barrier_curvature,
        reduced_barrier,
        diffusivity_ratio,
    } = barrier;
    require_positive("well_curvature", well_curvature)?;
    require_positive("barrier_curvature", barrier_curvature)?;
    require_positive("reduced_barrier", reduced_barrier)?;
    require_positive("diffusivity_ratio", diffusivity_ratio)?;
    Ok(TAU.ln()
        + 0.5 * (diffusivity_ratio.ln() - well_curvature.ln() - barrier_curvature.ln())
        + reduced_barrier)
}

/// What Kramers' formula needs to know of a smooth barrier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothBarrier {
    /// L''_a at the minimum.
    pub well_curvature: f64,
    /// |L''_b| at the top.
    pub barrier_curvature: f64,
    /// E = ∫_a^b L'/D.
    pub reduced_barrier: f64,
    /// D_b/D_a, one for constant noise.
    pub diffusivity_ratio: f64,
}

/// What the cusp formula needs to know: D and slopes may jump at the top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CuspBarrier {
    /// L''_a at the minimum of the valley left behind.
    pub well_curvature: f64,
    /// D in that valley's minimum.
    pub well_diffusivity: f64,
    /// E = ∫_a^b L'/D.
    pub reduced_barrier: f64,
    /// |L'|/D just before the top.
    pub near_slope: f64,
    /// |L'|/D just behind the top.
    pub far_slope: f64,
}

/// ln of the escape time from one minimum to the other across a cusp.
///
/// # Formula
/// τ = sqrt(2π/(L''_a D_a)) (1/κ_near + 1/κ_far) e^E, κ = |L'|/D at the top. Reaching the top alone takes the first term;
/// from there the far valley is reached before the near one with probability κ_near⁻¹/(κ_near⁻¹ + κ_far⁻¹).
///
/// # Method
/// Laplace's method with a linear top; relative error O(1/E): the parabola of curvature c behind a slope κ contributes c/(D κ²).
///
/// # Errors
/// [`crate::Error::InvalidParameter`] naming the parameter that is not positive and finite.
///
/// # References
/// As [`log_escape_time`], section on cusp-shaped barriers (edge-shaped potentials).
pub fn log_cusp_escape_time(barrier: CuspBarrier) -> Result<f64> {
    let slopes = 1.0 / require_positive("near_slope", barrier.near_slope)?
        + 1.0 / require_positive("far_slope", barrier.far_slope)?;
    require_positive("well_curvature", barrier.well_curvature)?;
    require_positive("well_diffusivity", barrier.well_diffusivity)?;
    require_positive("reduced_barrier", barrier.reduced_barrier)?;
    Ok(
        0.5 * (TAU / (barrier.well_curvature * barrier.well_diffusivity)).ln()
            + slopes.ln()
            + barrier.reduced_barrier,
    )
}

/// Kramers' rate of an underdamped particle with friction γ, strong to moderate damping.
///
/// # Formula
/// k = (sqrt(γ²/4 + ω_b²) − γ/2)/ω_b · ω_0/(2π) · exp(−ΔV/T); → ω_0 ω_b/(2πγ) exp(−ΔV/T) as γ → ∞ and transition-state theory as γ → 0.
///
/// # Method
/// High barrier; not valid for γ below about T ω_0/ΔV, where energy diffusion limits the rate and k falls with γ.
/// The factor is evaluated as ω_b/(sqrt(γ²/4 + ω_b²) + γ/2), which does not cancel.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
///
/// # References
/// H. A. Kramers, Physica 7, 284 (1940), eq. 25.
///
/// # Examples
/// ```
/// use freezeout::rates::kramers::turnover_rate;
/// // Without friction: ω_0/(2π) e^{−ΔV/T}.
/// assert!((turnover_rate(0.0, 1.0, 2.0, 3.0)? / ((-3f64).exp() / std::f64::consts::TAU) - 1.0).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn turnover_rate(
    friction: f64,
    well_frequency: f64,
    barrier_frequency: f64,
    reduced_barrier: f64,
) -> Result<f64> {
    require_non_negative("friction", friction)?;
    require_positive("well_frequency", well_frequency)?;
    require_positive("barrier_frequency", barrier_frequency)?;
    require_positive("reduced_barrier", reduced_barrier)?;
    let transmission = barrier_frequency / ((0.5 * friction).hypot(barrier_frequency) + 0.5 * friction);
    Ok(transmission * well_frequency / TAU * (-reduced_barrier).exp())
}

/// Depopulation factor Υ, by which the rate over a barrier falls where friction is too weak to refill the energies near its top.
///
/// # Formula
/// Υ = exp((1/2π) ∫ ln(1 − e^{−δ(y² + 1/4)})/(y² + 1/4) dy), with δ the energy in units of T that a path loses on its way from the barrier through the well and back,
/// γ ∮ v dx/T to first order in γ; Υ → δ for δ → 0, 1 for δ → ∞. The rate is Υ times [`turnover_rate`].
///
/// # Method
/// Trapezoidal rule in u, y = sinh(u)/2, which converges exponentially; for a single well without return, high barriers.
///
/// # Errors
/// [`crate::Error::InvalidParameter`] when δ is not positive and finite.
///
/// # References
/// V. I. Mel'nikov and S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986).
///
/// # Examples
/// ```
/// use freezeout::rates::kramers::depopulation_factor;
/// assert!((depopulation_factor(4.0 * 0.1 * 32.0 / 3.0)? - 0.844_902_055).abs() < 1e-8);
/// assert!((depopulation_factor(1e-4)? / 1e-4 - 1.0).abs() < 0.02);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn depopulation_factor(reduced_loss: f64) -> Result<f64> {
    /// Half the number of points, and the largest u: the weight 2/cosh(u) has fallen to 1e-17.
    const POINTS: i32 = 2000;
    const LARGEST: f64 = 40.0;
    require_positive("reduced_loss", reduced_loss)?;
    let h = LARGEST / f64::from(POINTS);
    let at = |k: i32| {
        // y² + 1/4 = cosh²(u)/4 and dy = cosh(u)/2 du
        let cosh = (h * f64::from(k)).cosh();
        2.0 / cosh * (-(-0.25 * reduced_loss * cosh * cosh).exp_m1()).ln()
    };
    let sum: f64 = (-POINTS..=POINTS).map(at).sum();
    Ok((h * sum / TAU).exp())
}
