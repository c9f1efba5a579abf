//! Exponentially fitted rates across the faces of an axis.
//!
//! With q = D^{1−α} p the flux is J = D^α ((b/D) q − q′). Along the segment between two centres ψ′ = −b/D is
//! integrated on either side of the face (widths h1, h2, increments w1, w2), and J is constant:
//!
//! ```text
//! J = (q_i − q_{i+1} e^{w1+w2}) / (h1 D1^{−α} φ(w1) + h2 D2^{−α} e^{w1} φ(w2)),   φ(w) = (e^w − 1)/w
//! ```
//!
//! All terms are positive. A jump of D or b on the face is inside the formula, not an error of it, and so is a jump of the loss: with
//! j = ΔL/D, e^{L/D} p is continuous, and w1 becomes w1 + j where it stands in an exponential.

use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result};
use crate::math::{LANES, Lanes, Point, PointBlock, relative_exponential};

/// A cell along one axis, seen from its centre.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Halves {
    /// D^{1−α} p per unit of cell probability.
    amplitude: f64,
    /// Towards the lower and the upper face.
    sides: [Half; 2],
}

/// The way from the centre to a face; w is the increment of ψ on it, h its length.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    /// h D^{−α} φ(w).
    outward: f64,
    /// h D^{−α} φ(−w).
    inward: f64,
    /// e^w.
    growth: f64,
}

impl Halves {
    /// Those along `axis` of the cells with the first centres, where the widths and the diagonal of the tensor at the centres are known.
    pub fn of_block<const D: usize>(
        diffusion: &impl Diffusion<D>,
        centres: &PointBlock<D>,
        axis: usize,
        tensors: &Lanes,
        widths: &Lanes,
        calculus: Calculus,
        halves: &mut [[Self; D]],
    ) -> Result<()> {
        for (lane, halves) in halves.iter_mut().enumerate() {
            let (tensor, width) = (tensors[lane], widths[lane]);
            if !(tensor > 0.0) {
                return Err(refusal(0.0, tensor, &centres.point(lane)));
            }
            halves[axis].amplitude = tensor * power(tensor, calculus) / width;
        }
        for (side, sign) in [-0.5, 0.5].into_iter().enumerate() {
            let (increments, means) = along(diffusion, centres, axis, sign, widths, halves.len())?;
            for (lane, halves) in halves.iter_mut().enumerate() {
                let weight = 0.5 * widths[lane] * power(means[lane], calculus);
                halves[axis].sides[side] = Half::new(increments[lane], weight);
            }
        }
        Ok(())
    }

    /// Rate to the lower (0) or upper (1) face.
    pub fn rate_to_face(&self, side: usize) -> f64 {
        self.amplitude / self.sides[side].outward
    }

    /// Rate to the centre of the neighbour behind that face, on which the loss rises by `jump` noise units.
    pub fn rate_to_neighbour(&self, side: usize, neighbour: &Self, jump: f64) -> f64 {
        // φ(w2) of the way from the face to the centre is φ(−w) of the neighbour's half
        let (near, far) = (&self.sides[side], &neighbour.sides[1 - side]);
        if jump == 0.0 {
            return self.amplitude / (near.outward + near.growth * far.inward);
        }
        self.amplitude / (near.outward + near.growth * jump.exp() * far.inward)
    }
}

/// D^{−α}.
#[inline]
fn power(tensor: f64, calculus: Calculus) -> f64 {
    match calculus {
        Calculus::Ito => 1.0,
        Calculus::Stratonovich => 1.0 / tensor.sqrt(),
        Calculus::Klimontovich => 1.0 / tensor,
    }
}

/// ψ increment and mean D on the way from each of the first `cells` centres by `part` of a width, by two-point Gauss quadrature (exact for
/// cubics).
fn along<const D: usize>(
    diffusion: &impl Diffusion<D>,
    centres: &PointBlock<D>,
    axis: usize,
    part: f64,
    widths: &Lanes,
    cells: usize,
) -> Result<(Lanes, Lanes)> {
    // Gauss nodes of [0, 1]: (1 ∓ 1/sqrt 3)/2.
    const NODES: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];
    let (mut increments, mut means) = ([0.0; LANES], [0.0; LANES]);
    let (mut drift, mut tensor) = ([[0.0; LANES]; D], [[[0.0; LANES]; D]; D]);
    let mut shifted = centres.clone();
    for node in NODES {
        let (to, from) = (&mut shifted.coordinates_mut()[axis], &centres.coordinates()[axis]);
        for lane in 0..LANES {
            to[lane] = from[lane] + node * part * widths[lane];
        }
        diffusion.drift_block(&shifted, &mut drift);
        diffusion.tensor_block(&shifted, &mut tensor);
        let (drift, tensor) = (&drift[axis], &tensor[axis][axis]);
        let meant = |lane: usize| drift[lane].is_finite() && tensor[lane].is_finite() && tensor[lane] > 0.0;
        if let Some(lane) = (0..cells).find(|lane| !meant(*lane)) {
            return Err(refusal(drift[lane], tensor[lane], &shifted.point(lane)));
        }
        for lane in 0..LANES {
            increments[lane] -= 0.5 * part * widths[lane] * drift[lane] / tensor[lane];
            means[lane] += 0.5 * tensor[lane];
        }
    }
    Ok((increments, means))
}

impl Half {
    /// The way with the increment `w` of ψ and the weight h D^{−α}.
    #[inline(always)]
    fn new(w: f64, weight: f64) -> Self {
        // one exponential serves φ(|w|), φ(−|w|) = φ(|w|) e^{−|w|}, e^{|w|} and e^{−|w|}
        let size: f64 = w.abs();
        let steep = relative_exponential(size);
        let growth = 1.0 + size * steep;
        let shrinkage = 1.0 / growth;
        let flat = if growth.is_finite() {
            steep * shrinkage
        } else {
            1.0 / size
        };
        let (steep, flat) = (weight * steep, weight * flat);
        if w >= 0.0 {
            Self {
                outward: steep,
                inward: flat,
                growth,
            }
        } else {
            Self {
                outward: flat,
                inward: steep,
                growth: shrinkage,
            }
        }
    }
}

#[cold]
fn refusal<const D: usize>(b: f64, d: f64, theta: &Point<D>) -> Error {
    let position = format!("x = {:?}", theta.as_slice());
    if b.is_finite() && d.is_finite() {
        Error::NotPositive {
            name: "diffusion tensor".into(),
            position,
            eigenvalues: format!("{d:e} (a strictly positive D is needed here; give the noise a floor)"),
        }
    } else {
        Error::NotFinite {
            quantity: "drift or diffusion".into(),
            reason: format!("b = {b}, D = {d} at {position}"),
        }
    }
}
