//! Basins of attraction of the noise-free motion dθ/dt = b(θ).

use super::field::Drift;
use crate::error::{Error, Result};
use crate::math::Point;
use rayon::prelude::*;

/// The points from which the noise-free motion ends at one attractor.
///
/// # Method
/// Membership is tabulated on the nodes of a fine lattice over the domain; a point whose surrounding nodes agree takes their answer, any
/// other follows the motion. A basin part narrower than a lattice cell can be missed away from known edges.
pub(super) struct Basin<const D: usize> {
    /// Attractors found; the first is the basin's own.
    attractors: Vec<Point<D>>,
    /// Shortest extent of the domain.
    size: f64,
    lower: Point<D>,
    spacing: Point<D>,
    nodes: usize,
    inside: Vec<bool>,
}

impl<const D: usize> Basin<D> {
    /// Basin of the attractor that is reached from `of`.
    pub fn new(drift: &Drift<D>, of: Point<D>, domain: &[[f64; 2]]) -> Result<Self> {
        let extent = |d: usize| domain.get(d).map_or(1.0, |e| e[1] - e[0]);
        let size = (0..D).map(extent).fold(f64::INFINITY, f64::min);
        let nodes = if D == 1 { 2001 } else { 101 };
        const SCOUTS: usize = 11;
        let arrival = ARRIVAL * size;
        let Some(attractor) = follow(drift, of, size, &[]) else {
            return Err(Error::Unreachable {
                target: "attractor".into(),
                reason: format!(
                    "the noise-free motion from {:?} does not come to rest",
                    of.as_slice()
                ),
            });
        };
        let mut basin = Self {
            attractors: vec![attractor],
            size,
            lower: Point::<D>::from_fn(|d, _| domain.get(d).map_or(0.0, |e| e[0])),
            spacing: Point::<D>::from_fn(|d, _| extent(d) / (nodes - 1) as f64),
            nodes,
            inside: Vec::new(),
        };
        let node = |number: usize, per_axis: usize| {
            let mut rest = number;
            Point::<D>::from_fn(|d, _| {
                let k = rest % per_axis;
                rest /= per_axis;
                basin.lower[d] + extent(d) * k as f64 / (per_axis - 1) as f64
            })
        };
        let lattice = |per_axis: usize| (0..D).fold(1, |product, _| product * per_axis);
        // the other attractors first, on a few nodes, so that most paths end early
        let mut others = Vec::new();
        for number in 0..lattice(SCOUTS) {
            let known = [basin.attractors.as_slice(), &others].concat();
            if let Some(end) = follow(drift, node(number, SCOUTS), size, &known)
                && known.iter().all(|a| (end - a).norm() > arrival)
            {
                others.push(end);
            }
        }
        let known = [basin.attractors.as_slice(), &others].concat();
        let inside = (0..lattice(nodes))
            .into_par_iter()
            .map(|number| {
                let end = follow(drift, node(number, nodes), size, &known);
                end.is_some_and(|end| (end - known[0]).norm() <= arrival)
            })
            .collect();
        basin.inside = inside;
        basin.attractors = known;
        Ok(basin)
    }

    /// Where the noise-free motion of the basin ends.
    pub fn attractor(&self) -> Point<D> {
        self.attractors[0]
    }

    pub fn contains(&self, theta: &Point<D>, drift: &Drift<D>) -> bool {
        let mut corner = [0; D];
        for d in 0..D {
            let k = ((theta[d] - self.lower[d]) / self.spacing[d]).floor();
            if !(k >= 0.0 && k < (self.nodes - 1) as f64) {
                return self.follows(theta, drift);
            }
            corner[d] = k as usize;
        }
        let node = |bits: usize| {
            (0..D)
                .rev()
                .fold(0, |index, d| index * self.nodes + corner[d] + (bits >> d & 1))
        };
        let first = self.inside[node(0)];
        if (1..1_usize << D).all(|bits| self.inside[node(bits)] == first) {
            return first;
        }
        self.follows(theta, drift)
    }

    fn follows(&self, theta: &Point<D>, drift: &Drift<D>) -> bool {
        follow(drift, *theta, self.size, &self.attractors)
            .is_some_and(|end| (end - self.attractors[0]).norm() <= ARRIVAL * self.size)
    }
}

/// Distance to an attractor at which a path has arrived, in units of the size of the domain.
const ARRIVAL: f64 = 1e-3;

/// Where dθ/dt = b comes to rest, or arrives near one of the known attractors; none if it does neither.
///
/// Bogacki-Shampine steps of order 3(2), each accurate to 1e-5 of the size of the domain: an error that moves the edge of a basin by less.
pub(super) fn follow<const D: usize>(
    drift: &Drift<D>,
    start: Point<D>,
    size: f64,
    attractors: &[Point<D>],
) -> Option<Point<D>> {
    const MOST: usize = 50_000;
    /// Steps, each up to four times as long as the one before, that a path cannot spend in a small ball unless it rests there.
    const RESTING: usize = 400;
    let tolerance = 1e-5 * size;
    let mut theta = start;
    let mut slope = drift.at(&theta);
    let fastest = slope.norm();
    if fastest == 0.0 {
        return Some(theta);
    }
    let mut dt = 1e-2 * size / fastest;
    let (mut resting, mut anchor) = (0, theta);
    for _ in 0..MOST {
        if attractors.iter().any(|a| (theta - a).norm() <= ARRIVAL * size) {
            return Some(theta);
        }
        let second = drift.at(&(theta + slope * (0.5 * dt)));
        let third = drift.at(&(theta + second * (0.75 * dt)));
        let next = theta + (slope * 2.0 + second * 3.0 + third * 4.0) * (dt / 9.0);
        let fourth = drift.at(&next);
        let error = (slope * (-5.0 / 72.0) + second / 12.0 + third / 9.0 - fourth / 8.0).norm() * dt;
        if !error.is_finite() {
            if dt < 1e-12 * size / fastest {
                return None;
            }
            dt *= 0.1;
            continue;
        }
        let factor = (0.9 * (tolerance / error.max(f64::MIN_POSITIVE)).cbrt()).clamp(0.2, 4.0);
        if error <= tolerance {
            theta = next;
            slope = fourth;
            resting += 1;
            if (theta - anchor).norm() > ARRIVAL * size {
                (resting, anchor) = (0, theta);
            }
            if resting >= RESTING || slope.norm() == 0.0 {
                return Some(theta);
            }
            if (theta - start).norm() > 1e3 * size {
                return None;
            }
        }
        dt *= factor;
    }
    None
}
