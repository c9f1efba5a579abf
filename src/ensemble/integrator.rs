//! Time-stepping schemes for Ito equations dθ = a dt + Σ_j b^j dW^j.
//!
//! # Limitations
//! The orders hold for coefficients with enough bounded derivatives. Where a or b jumps, as on the ridge of the
//! two-valley landscape, every scheme here falls to weak order 1/2 in general, and the more
//! expensive one gains nothing.

use super::ito::Ito;
use super::stream::Streams;

/// A one-step scheme for Ito equations with M Wiener processes.
pub trait Integrator<const M: usize>: Copy + Send + Sync {
    /// Order of the error of expectations in the time step.
    const WEAK_ORDER: f64;
    /// Order of the mean error of paths; 0 where the scheme's noise is not made of Wiener increments.
    const STRONG_ORDER: f64;
    /// The random variables of one step, independent of the time step.
    type Noise: Copy;

    /// The noise of two successive steps (normals come in pairs).
    fn draw_pair(streams: &mut Streams, lane: usize) -> [Self::Noise; 2];

    /// One step of length `h`.
    fn step<const D: usize, S: Ito<D, M>>(
        system: &S,
        theta: [f64; D],
        h: TimeStep,
        noise: Self::Noise,
    ) -> [f64; D];
}

/// A time step with its root, worked out once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeStep {
    /// h.
    pub length: f64,
    /// sqrt(h).
    pub root: f64,
    /// 1/sqrt(h).
    pub inverse_root: f64,
}

impl TimeStep {
    /// Step of length h.
    pub fn new(length: f64) -> Self {
        let root = length.sqrt();
        Self {
            length,
            root,
            inverse_root: 1.0 / root,
        }
    }
}

/// θ' = θ + a h + Σ_j b^j z_j sqrt(h), z normal.
///
/// # References
/// Kloeden and Platen 1992, eq. 10.2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EulerMaruyama;

/// Explicit scheme of weak order 2 without derivatives.
///
/// # Formula
/// With Υ = θ + a h + Σ b^j ΔW^j, R^j± = θ + a h ± b^j sqrt(h), U^j± = θ ± b^j sqrt(h),
/// ```text
/// θ' = θ + (a(Υ) + a) h/2
///    + 1/4 Σ_j [ (b^j(R^j+) + b^j(R^j−) + 2b^j) + Σ_{r≠j} (b^j(U^r+) + b^j(U^r−) − 2b^j) ] ΔW^j
///    + 1/4 Σ_j [ (b^j(R^j+) − b^j(R^j−)) ((ΔW^j)² − h)
///              + Σ_{r≠j} (b^j(U^r+) − b^j(U^r−)) (ΔW^j ΔW^r + V_rj) ] / sqrt(h)
/// ```
/// where ΔW is ±sqrt(3h) with probability 1/6 each and else 0, and V_21 = −V_12 = ±h with probability 1/2 each.
///
/// # References
/// Kloeden and Platen 1992, eq. 14.2.7 (E. Platen), three-point variables of eq. 14.2.3 ff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platen;

/// Noise of [`Platen`] in units of sqrt(h) and h.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreePoint<const M: usize> {
    /// −sqrt 3, 0 or sqrt 3.
    pub increments: [f64; M],
    /// V_12: −1 or 1; unused for M = 1.
    pub sign: f64,
}

/// ±sqrt 3 with probability 1/6 each, else 0, from 31 bits.
#[inline(always)]
fn three_point(bits: u64) -> f64 {
    const SIXTH: u64 = (1_u64 << 31) / 6;
    const ROOT_3: f64 = 1.732_050_807_568_877_2;
    let bits = bits & 0x7fff_ffff;
    let value = if bits < SIXTH { ROOT_3 } else { 0.0 };
    if bits >= (1 << 31) - SIXTH { -ROOT_3 } else { value }
}

#[inline(always)]
fn draw_three_point<const M: usize>(streams: &mut Streams, lane: usize) -> ThreePoint<M> {
    let bits = streams.bits(lane);
    let mut increments = [0.0; M];
    for (j, increment) in increments.iter_mut().enumerate() {
        *increment = three_point(bits >> (31 * j));
    }
    ThreePoint {
        increments,
        sign: if bits >> 63 == 1 { 1.0 } else { -1.0 },
    }
}

/// x + factor·column.
#[inline(always)]
fn plus<const D: usize>(x: [f64; D], factor: f64, column: [f64; D]) -> [f64; D] {
    let mut sum = x;
    for d in 0..D {
        sum[d] += factor * column[d];
    }
    sum
}

#[inline(always)]
fn euler<const D: usize, const M: usize, S: Ito<D, M>>(
    system: &S,
    theta: [f64; D],
    h: TimeStep,
    normals: [f64; M],
) -> [f64; D] {
    let mut next = plus(theta, h.length, system.drift(theta));
    let columns = system.noise(theta);
    for j in 0..M {
        next = plus(next, normals[j] * h.root, columns[j]);
    }
    next
}

impl Integrator<1> for EulerMaruyama {
    const WEAK_ORDER: f64 = 1.0;
    const STRONG_ORDER: f64 = 0.5;
    type Noise = [f64; 1];

    #[inline(always)]
    fn draw_pair(streams: &mut Streams, lane: usize) -> [[f64; 1]; 2] {
        let [first, second] = streams.normals(lane);
        [[first], [second]]
    }
    #[inline(always)]
    fn step<const D: usize, S: Ito<D, 1>>(
        system: &S,
        theta: [f64; D],
        h: TimeStep,
        noise: [f64; 1],
    ) -> [f64; D] {
        euler(system, theta, h, noise)
    }
}

impl Integrator<2> for EulerMaruyama {
    const WEAK_ORDER: f64 = 1.0;
    const STRONG_ORDER: f64 = 0.5;
    type Noise = [f64; 2];

    #[inline(always)]
    fn draw_pair(streams: &mut Streams, lane: usize) -> [[f64; 2]; 2] {
        [streams.normals(lane), streams.normals(lane)]
    }
    #[inline(always)]
    fn step<const D: usize, S: Ito<D, 2>>(
        system: &S,
        theta: [f64; D],
        h: TimeStep,
        noise: [f64; 2],
    ) -> [f64; D] {
        euler(system, theta, h, noise)
    }
}

#[inline(always)]
fn platen<const D: usize, const M: usize, S: Ito<D, M>>(
    system: &S,
    theta: [f64; D],
    h: TimeStep,
    noise: ThreePoint<M>,
) -> [f64; D] {
    let w = noise.increments;
    let drift = system.drift(theta);
    let columns = system.noise(theta);
    let moved = plus(theta, h.length, drift);
    let mut support = moved;
    for j in 0..M {
        support = plus(support, w[j] * h.root, columns[j]);
    }
    let mut next = plus(theta, 0.5 * h.length, drift);
    next = plus(next, 0.5 * h.length, system.drift(support));
    for j in 0..M {
        let above = system.noise(plus(moved, h.root, columns[j]))[j];
        let below = system.noise(plus(moved, -h.root, columns[j]))[j];
        // Everything carries one factor sqrt(h): ΔW = w sqrt(h), and ((ΔW)² − h)/sqrt(h) = (w² − 1) sqrt(h).
        let quarter = 0.25 * h.root;
        let (mean, difference) = (quarter * w[j], quarter * (w[j] * w[j] - 1.0));
        for d in 0..D {
            next[d] +=
                mean * (above[d] + below[d] + 2.0 * columns[j][d]) + difference * (above[d] - below[d]);
        }
        for r in 0..M {
            if r != j {
                let above = system.noise(plus(theta, h.root, columns[r]))[j];
                let below = system.noise(plus(theta, -h.root, columns[r]))[j];
                // V_rj is antisymmetric; for r < j it is the drawn sign.
                let v = if r < j { noise.sign } else { -noise.sign };
                let cross = quarter * (w[j] * w[r] + v);
                for d in 0..D {
                    next[d] +=
                        mean * (above[d] + below[d] - 2.0 * columns[j][d]) + cross * (above[d] - below[d]);
                }
            }
        }
    }
    next
}

impl Integrator<1> for Platen {
    const WEAK_ORDER: f64 = 2.0;
    const STRONG_ORDER: f64 = 0.0;
    type Noise = ThreePoint<1>;

    #[inline(always)]
    fn draw_pair(streams: &mut Streams, lane: usize) -> [ThreePoint<1>; 2] {
        [draw_three_point(streams, lane), draw_three_point(streams, lane)]
    }
    #[inline(always)]
    fn step<const D: usize, S: Ito<D, 1>>(
        system: &S,
        theta: [f64; D],
        h: TimeStep,
        noise: ThreePoint<1>,
    ) -> [f64; D] {
        platen(system, theta, h, noise)
    }
}

impl Integrator<2> for Platen {
    const WEAK_ORDER: f64 = 2.0;
    const STRONG_ORDER: f64 = 0.0;
    type Noise = ThreePoint<2>;

    #[inline(always)]
    fn draw_pair(streams: &mut Streams, lane: usize) -> [ThreePoint<2>; 2] {
        [draw_three_point(streams, lane), draw_three_point(streams, lane)]
    }
    #[inline(always)]
    fn step<const D: usize, S: Ito<D, 2>>(
        system: &S,
        theta: [f64; D],
        h: TimeStep,
        noise: ThreePoint<2>,
    ) -> [f64; D] {
        platen(system, theta, h, noise)
    }
}
