//! Exponentially fitted rates across the faces of an axis.
//!
//! With q = D^{1−α} p the flux is J = D^α ((b/D) q − q′). Along the segment between two centres ψ′ = −b/D is
//! integrated on either side of the face (widths h1, h2, increments w1, w2), and J is constant:
//!
//! ```text
//! J = (q_i − q_{i+1} e^{w1+w2}) / (h1 D1^{−α} φ(w1) + h2 D2^{−α} e^{w1} φ(w2)),   φ(w) = (e^w − 1)/w
//! ```
//!
//! All terms are positive. A jump of D or b on the face is inside the formula, not an error of it.

use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::grid::Axis;
use crate::math::{Point, relative_exponential};

/// Rates of one axis with reflecting ends.
pub(super) struct Rates {
    pub up: Vec<f64>,
    pub down: Vec<f64>,
    pub exit_up: Vec<f64>,
    pub exit_down: Vec<f64>,
}

/// One half of a cell, seen from its centre: w is the increment of ψ towards the face.
struct Half {
    /// h D^{−α}.
    weight: f64,
    /// φ(w) and φ(−w).
    outward: f64,
    inward: f64,
    /// e^w.
    growth: f64,
}

pub(super) fn rates(diffusion: &impl Diffusion<1>, axis: &Axis, calculus: Calculus) -> Result<Rates> {
    let n = axis.cells();
    let mut rates = Rates {
        up: vec![0.0; n],
        down: vec![0.0; n],
        exit_up: vec![0.0; n],
        exit_down: vec![0.0; n],
    };
    let mut previous: Option<(Half, f64)> = None;
    for i in 0..n {
        let (centre, width) = (axis.centre(i), axis.width(i));
        let half_width = 0.5 * width;
        let (_, tensor) = evaluate(diffusion, centre)?;
        // D^{1−α} p per unit of cell probability
        let amplitude = tensor * power(tensor, calculus) / width;
        let lower = half(diffusion, centre, -half_width, calculus)?;
        let upper = half(diffusion, centre, half_width, calculus)?;
        rates.exit_up[i] = amplitude / (upper.weight * upper.outward);
        rates.exit_down[i] = amplitude / (lower.weight * lower.outward);
        if let Some((left, left_amplitude)) = previous {
            // w1 = w of `left`; w2 = −w of `lower`, which points from this centre to the face
            let up = left.weight * left.outward + lower.weight * left.growth * lower.inward;
            // the same resistance seen from the right, with φ(w) e^{−w} = φ(−w)
            let down = left.weight * left.inward * lower.growth + lower.weight * lower.outward;
            rates.up[i - 1] = left_amplitude / up;
            rates.down[i] = amplitude / down;
        }
        previous = Some((upper, amplitude));
    }
    Ok(rates)
}

/// D^{−α}.
fn power(tensor: f64, calculus: Calculus) -> f64 {
    match calculus {
        Calculus::Ito => 1.0,
        Calculus::Stratonovich => 1.0 / tensor.sqrt(),
        Calculus::AntiIto => 1.0 / tensor,
    }
}

/// ψ increment and mean D over half a cell, by two-point Gauss quadrature (exact for cubics).
fn half(diffusion: &impl Diffusion<1>, centre: f64, signed_width: f64, calculus: Calculus) -> Result<Half> {
    // Gauss nodes of [0, 1]: (1 ∓ 1/sqrt 3)/2.
    const NODES: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];
    let (mut w, mut tensor) = (0.0, 0.0);
    for node in NODES {
        let (b, d) = evaluate(diffusion, centre + node * signed_width)?;
        w -= 0.5 * signed_width * b / d;
        tensor += 0.5 * d;
    }
    // one exponential serves φ(|w|), φ(−|w|) = φ(|w|) e^{−|w|}, e^{|w|} and e^{−|w|}
    let size: f64 = w.abs();
    let steep = relative_exponential(size);
    let growth = 1.0 + size * steep;
    let flat = if growth.is_finite() {
        steep / growth
    } else {
        1.0 / size
    };
    let weight = signed_width.abs() * power(tensor, calculus);
    Ok(if w >= 0.0 {
        Half {
            weight,
            outward: steep,
            inward: flat,
            growth,
        }
    } else {
        Half {
            weight,
            outward: flat,
            inward: steep,
            growth: 1.0 / growth,
        }
    })
}

fn evaluate(diffusion: &impl Diffusion<1>, x: f64) -> Result<(f64, f64)> {
    let theta = Point::<1>::new(x);
    let (b, d) = (diffusion.drift(&theta)[0], diffusion.tensor(&theta)[0]);
    if !(b.is_finite() && d.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "drift or diffusion".into(),
            reason: format!("b = {b}, D = {d} at x = {x}"),
        });
    }
    if d <= 0.0 {
        return Err(Error::NotPositive {
            name: "diffusion tensor".into(),
            position: format!("x = {x}"),
            eigenvalues: format!("{d:e} (a strictly positive D is needed here; give the noise a floor)"),
        });
    }
    Ok((b, d))
}
