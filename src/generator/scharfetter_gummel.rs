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

/// One half of a cell: its ψ increment away from the centre and its mean D.
struct Half {
    increment: f64,
    tensor: f64,
}

pub(super) fn rates(diffusion: &impl Diffusion<1>, axis: &Axis, calculus: Calculus) -> Result<Rates> {
    let n = axis.cells();
    let alpha = calculus.alpha();
    let weight = |tensor: f64| if alpha == 0.0 { 1.0 } else { tensor.powf(-alpha) };
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
        // q per unit of cell probability.
        let amplitude = if alpha == 1.0 {
            1.0
        } else {
            tensor.powf(1.0 - alpha)
        } / width;
        let lower = half(diffusion, centre, -half_width)?;
        let upper = half(diffusion, centre, half_width)?;
        let resistance =
            |half: &Half| half_width * weight(half.tensor) * relative_exponential(half.increment);
        rates.exit_up[i] = amplitude / resistance(&upper);
        rates.exit_down[i] = amplitude / resistance(&lower);
        if let Some((left, left_amplitude)) = previous {
            let (h1, h2) = (0.5 * axis.width(i - 1), half_width);
            // From the left centre to the face and on to this centre; `lower` points from this centre to the face.
            let (w1, w2) = (left.increment, -lower.increment);
            let (a1, a2) = (h1 * weight(left.tensor), h2 * weight(lower.tensor));
            let (phi1, phi2) = (relative_exponential(w1), relative_exponential(w2));
            let up = a1 * phi1 + a2 * w1.exp() * phi2;
            // The same resistance seen from the right, with φ(w) e^{−w} = φ(−w).
            let down = a1 * relative_exponential(-w1) * (-w2).exp() + a2 * relative_exponential(-w2);
            rates.up[i - 1] = left_amplitude / up;
            rates.down[i] = amplitude / down;
        }
        previous = Some((upper, amplitude));
    }
    Ok(rates)
}

/// ψ increment and mean D over half a cell, by two-point Gauss quadrature (exact for cubics).
fn half(diffusion: &impl Diffusion<1>, centre: f64, signed_width: f64) -> Result<Half> {
    // Gauss nodes of [0, 1]: (1 ∓ 1/sqrt 3)/2.
    const NODES: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];
    let (mut increment, mut tensor) = (0.0, 0.0);
    for node in NODES {
        let (b, d) = evaluate(diffusion, centre + node * signed_width)?;
        increment -= 0.5 * signed_width * b / d;
        tensor += 0.5 * d;
    }
    Ok(Half { increment, tensor })
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
