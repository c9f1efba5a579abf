//! The valleys of a section: where they are, how steep, and which of them are deep enough to count.

use super::SlowFast;
use super::slow_path::simpson_sum;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::Point;

/// A valley of a section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valley {
    /// x of its bottom.
    pub minimum: f64,
    /// −db/dx there, the rate of relaxation within the valley.
    pub relaxation: f64,
    /// sqrt(D/relaxation), the standard deviation about the bottom.
    pub deviation: f64,
    /// ds/dt there, or its mean over the stationary law of the valley ([`SlowFast::averaged`]).
    pub velocity: f64,
}

/// The valleys of a section in ascending x and the ridges between them, one fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct Valleys {
    /// The valleys.
    pub valleys: Vec<Valley>,
    /// x of the ridges.
    pub ridges: Vec<f64>,
}

/// Points of a section at which the sign of the drift is looked up.
const SCAN: usize = 600;
/// Distance from a kink, in lengths of the piece beside it, at which its side is asked.
const BESIDE: f64 = 1e-9;

impl Valleys {
    /// The valleys of `problem` at s, with a factor on its noise, whose barrier is `shallowest` noise temperatures at least.
    ///
    /// # Formula
    /// A barrier is the integral of −b/D from the bottom of a valley to the ridge: ΔL/D for a constant D. A valley with a lower one is part of its
    /// neighbour beyond it.
    ///
    /// # Method
    /// Signs of the drift at 600 points and on both sides of every kink, roots by bisection; a valley narrower than that is not seen.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when the drift does not lead inwards at an end of x, [`Error::NotPositive`] where the noise vanishes between two
    /// valleys, [`Error::NotFinite`] for a drift that is not finite.
    pub fn find<T: Diffusion<2>>(
        problem: &SlowFast<T>,
        s: f64,
        factor: f64,
        shallowest: f64,
    ) -> Result<Self> {
        let section = problem.section(s, factor);
        let drift = |x: f64| section.drift(&Point::<1>::new(x))[0];
        let [lower, upper] = problem.bounds();
        let mut ends: Vec<f64> = section.kinks().iter().map(|kink| kink.position).collect();
        ends.retain(|x| *x > lower && *x < upper);
        ends.extend([lower, upper]);
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        // alternately bottoms and ridges, beginning and ending with a bottom
        let mut zeros: Vec<f64> = Vec::new();
        let mut last: Option<(f64, f64)> = None;
        for piece in ends.windows(2) {
            let length = piece[1] - piece[0];
            let count = ((SCAN as f64 * length / (upper - lower)).ceil() as usize).max(16);
            for k in 0..=count {
                let inside = (k as f64 / count as f64).clamp(BESIDE, 1.0 - BESIDE);
                let x = piece[0] + length * inside;
                let b = drift(x);
                if !b.is_finite() {
                    return Err(Error::NotFinite {
                        quantity: "drift".into(),
                        reason: format!("{b} at x = {x:.6}, s = {s:.6}"),
                    });
                }
                if b == 0.0 {
                    continue;
                }
                if let Some((before, sign)) = last
                    && sign.signum() != b.signum()
                {
                    zeros.push(root(&drift, before, x, sign));
                }
                if last.is_none() && b < 0.0 {
                    return Err(ends_in_a_valley(s, lower));
                }
                last = Some((x, b));
            }
        }
        if last.is_none_or(|(_, b)| b > 0.0) {
            return Err(ends_in_a_valley(s, upper));
        }
        let potential = potential(&section, &zeros, &ends, s)?;
        let kept = deep(&potential, shallowest);
        let ridges: Vec<f64> = kept.iter().skip(1).step_by(2).map(|k| zeros[*k]).collect();
        let valley = |(number, k): (usize, &usize)| {
            let x = zeros[*k];
            let step = 1e-5 * (upper - lower);
            let relaxation = (drift(x - step) - drift(x + step)) / (2.0 * step);
            let d = section.tensor(&Point::<1>::new(x))[0];
            let deviation = (d / relaxation).sqrt();
            let velocity = if problem.is_averaged() {
                let from = number.checked_sub(1).map_or(lower, |ridge| ridges[ridge]);
                let to = ridges.get(number).copied().unwrap_or(upper);
                let speed = |x: f64| problem.velocity(x, s);
                mean_over_the_law(&section, &speed, x, [from, to], &ends, deviation)
            } else {
                problem.velocity(x, s)
            };
            Valley {
                minimum: x,
                relaxation,
                deviation,
                velocity,
            }
        };
        Ok(Self {
            valleys: kept.iter().step_by(2).enumerate().map(valley).collect(),
            ridges,
        })
    }

    /// Ends of the cores: where a run counts as having come to a valley, half-way from the ridges to its bottom.
    pub fn cores(&self) -> Vec<[f64; 2]> {
        let half = |x: f64, ridge: Option<&f64>, end: f64| ridge.map_or(end, |ridge| 0.5 * (x + ridge));
        (0..self.valleys.len())
            .map(|i| {
                let x = self.valleys[i].minimum;
                let below = i.checked_sub(1).and_then(|k| self.ridges.get(k));
                [
                    half(x, below, f64::NEG_INFINITY),
                    half(x, self.ridges.get(i), f64::INFINITY),
                ]
            })
            .collect()
    }
}

fn ends_in_a_valley(s: f64, x: f64) -> Error {
    Error::Inconsistent {
        subject: format!("drift across the section at s = {s:.6}"),
        requirement: format!(
            "it does not lead inwards at the end x = {x}: the domain must end where it does, wider or, where the loss falls beyond a maximum, narrower"
        ),
    }
}

/// The zero of the drift, or the jump of its sign, between two points.
fn root(drift: &impl Fn(f64) -> f64, from: f64, to: f64, sign: f64) -> f64 {
    let (mut a, mut b) = (from, to);
    // to the last bit of either
    for _ in 0..200 {
        let middle = 0.5 * (a + b);
        if middle <= a || middle >= b {
            break;
        }
        if drift(middle).signum() == sign.signum() {
            a = middle;
        } else {
            b = middle;
        }
    }
    0.5 * (a + b)
}

/// Integral of −b/D from the first zero to each of them, by Simpson's rule between kinks.
fn potential(section: &impl Diffusion<1>, zeros: &[f64], ends: &[f64], s: f64) -> Result<Vec<f64>> {
    const PANELS: usize = 24;
    let mut out = vec![0.0];
    for pair in zeros.windows(2) {
        let mut stops = vec![pair[0]];
        stops.extend(ends.iter().copied().filter(|x| *x > pair[0] && *x < pair[1]));
        stops.push(pair[1]);
        let mut sum = 0.0;
        for piece in stops.windows(2) {
            let h = (piece[1] - piece[0]) / (2 * PANELS) as f64;
            let integral = simpson_sum(PANELS, |k| {
                let inside = (k as f64 / (2 * PANELS) as f64).clamp(BESIDE, 1.0 - BESIDE);
                let x = Point::<1>::new(piece[0] + (piece[1] - piece[0]) * inside);
                let (b, d) = (section.drift(&x)[0], section.tensor(&x)[0]);
                if d > 0.0 && d.is_finite() {
                    return Ok(-b / d);
                }
                Err(Error::NotPositive {
                    name: "noise across the section".into(),
                    position: format!("x = {:.6}, s = {s:.6}", x[0]),
                    eigenvalues: format!("{d:e}"),
                })
            })?;
            sum += integral * h / 3.0;
        }
        out.push(out[out.len() - 1] + sum);
    }
    Ok(out)
}

/// Mean of a function over the stationary law e^{−Φ}/D, Φ' = −b/D, of a valley from one ridge to the next.
///
/// # Method
/// Trapezoids to either side of the bottom, a fiftieth of the standard deviation wide at first and growing by a hundredth each, with ends at the kinks, until e^{−Φ} is below
/// e^{−40}; Φ by Simpson's rule.
fn mean_over_the_law(
    section: &impl Diffusion<1>,
    value: &impl Fn(f64) -> f64,
    bottom: f64,
    [from, to]: [f64; 2],
    ends: &[f64],
    deviation: f64,
) -> f64 {
    const FIRST: f64 = 0.02;
    const GROWTH: f64 = 1.01;
    const DEEP: f64 = 40.0;
    let slope = |x: f64| {
        let x = Point::<1>::new(x);
        -section.drift(&x)[0] / section.tensor(&x)[0]
    };
    let (mut mass, mut sum) = (0.0, 0.0);
    for end in [from, to] {
        let way = (end - bottom).abs();
        let sign = (end - bottom).signum();
        let mut stops: Vec<f64> = ends.iter().map(|x| (x - bottom) * sign).collect();
        stops.retain(|u| *u > 0.0 && *u < way);
        stops.push(way);
        stops.sort_by(f64::total_cmp);
        let (mut u, mut phi) = (0.0, 0.0);
        // a bottom without curvature is as wide as its valley
        let mut step = FIRST * deviation.min(way);
        let density =
            |u: f64, phi: f64| (-phi).exp() / section.tensor(&Point::<1>::new(bottom + sign * u))[0];
        for stop in stops {
            while u < stop && phi < DEEP {
                let next = if u + 1.5 * step >= stop { stop } else { u + step };
                let width = next - u;
                // on this side of a kink at either end
                let at = |part: f64| bottom + sign * (u + width * part.clamp(BESIDE, 1.0 - BESIDE));
                let [a, middle, b] = [0.0, 0.5, 1.0].map(at);
                let after = phi + sign * width / 6.0 * (slope(a) + 4.0 * slope(middle) + slope(b));
                let weights = [
                    0.5 * width * density((a - bottom) * sign, phi),
                    0.5 * width * density((b - bottom) * sign, after),
                ];
                mass += weights[0] + weights[1];
                sum += weights[0] * value(a) + weights[1] * value(b);
                (u, phi) = (next, after);
                step *= GROWTH;
            }
        }
    }
    sum / mass
}

/// Indices of the bottoms and ridges that are left when valleys with barriers below `shallowest` have joined their neighbours.
fn deep(potential: &[f64], shallowest: f64) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..potential.len()).collect();
    while kept.len() > 1 {
        // the lowest barrier, from the shallower of the two valleys beside a ridge
        let barrier = |k: usize| {
            let [a, b] = [kept[k - 1], kept[k + 1]].map(|bottom| potential[kept[k]] - potential[bottom]);
            if a < b { (a, k - 1) } else { (b, k + 1) }
        };
        let lowest = (1..kept.len())
            .step_by(2)
            .map(|k| (barrier(k), k))
            .min_by(|a, b| a.0.0.total_cmp(&b.0.0));
        let Some(((height, valley), ridge)) = lowest else {
            break;
        };
        if height >= shallowest {
            break;
        }
        kept.remove(valley.max(ridge));
        kept.remove(valley.min(ridge));
    }
    kept
}
