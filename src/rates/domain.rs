//! A finite interval outside of which a confined diffusion spends a negligible fraction of its time.

use super::panel::Line;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require, require_finite};

/// Steps outward before the search gives up.
const MAX_STEPS: usize = 10_000;

/// The interval around [left, right] at whose ends the stationary density has fallen to `probability` of its
/// largest value on the way.
///
/// # Formula
/// p ∝ (1/D) exp(∫ b/D), followed outward from each end by Gauss-Legendre quadrature.
///
/// # Method
/// Steps grow by half while the density falls by less than a factor e² each, and are halved when it falls by more than
/// e⁸. The probability beyond an end is about the density there times its decay length.
///
/// # Errors
/// [`Error::InvalidParameter`] for left ≥ right or a probability outside (0, 1); [`Error::NotConverged`] when the density
/// does not fall: the diffusion is not confined on that side and a wall has to be named instead.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::rates::confining_domain;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?; // p ∝ exp(−x²/2)
/// let (lower, upper) = confining_domain(&ou, -1.0, 1.0, 1e-18)?;
/// assert!(upper > 9.1 && upper < 9.9 && (lower + upper).abs() < 1e-9);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn confining_domain<F: Diffusion<1>>(
    diffusion: &F,
    left: f64,
    right: f64,
    probability: f64,
) -> Result<(f64, f64)> {
    require_finite("left", left)?;
    require(
        "right",
        right,
        |v| v > left,
        "a finite number above left is needed",
    )?;
    require(
        "probability",
        probability,
        |v| v > 0.0 && v < 1.0,
        "a number in (0, 1) is needed",
    )?;
    let width = right - left;
    let line = |sign| Line {
        diffusion,
        sign,
        alpha: 0.0,
        jumps: Vec::new(),
    };
    let upper = outward(&line(1.0), left, right, width, probability)?;
    let lower = outward(&line(-1.0), -right, -left, width, probability)?;
    Ok((-lower, upper))
}

fn outward<F: Diffusion<1>>(
    line: &Line<F>,
    inside: f64,
    edge: f64,
    width: f64,
    probability: f64,
) -> Result<f64> {
    let rule = crate::math::gauss_legendre::GaussLegendre::get();
    let log_density = |rise: f64, z: f64| Ok::<f64, Error>(rise - line.at(z)?.1.ln());
    // Largest density between the two ends, at the resolution of one panel for each 1/16 of the width.
    let (mut rise, mut largest) = (0.0, f64::NEG_INFINITY);
    for k in 0..16 {
        let at = |j: i32| inside + width * f64::from(j) / 16.0;
        let panel = line.sample(at(k), at(k + 1))?;
        for (part, inverse) in rule.cumulative(&panel.ratio).iter().zip(&panel.inverse) {
            largest = f64::max(largest, rise + panel.half_width * part + inverse.ln());
        }
        rise += panel.half_width * rule.integral(&panel.ratio);
    }
    let (mut z, mut step) = (edge, width / 16.0);
    for _ in 0..MAX_STEPS {
        let panel = line.sample(z, z + step)?;
        let next = rise + panel.half_width * rule.integral(&panel.ratio);
        let change = next - rise;
        if change < -8.0 {
            step *= 0.5;
            continue;
        }
        z += step;
        rise = next;
        let density = log_density(rise, z)?;
        largest = largest.max(density);
        if density < largest + probability.ln() && line.at(z)?.0 < 0.0 {
            return Ok(z);
        }
        if change > -2.0 {
            step *= 1.5;
        }
    }
    Err(Error::NotConverged {
        method: "search for a confining domain".into(),
        iterations: MAX_STEPS,
        residual: (log_density(rise, z)? - largest).exp(),
        tolerance: probability,
    })
}
