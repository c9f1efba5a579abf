//! Basins of attraction of the noise-free motion dθ/dt = b(θ).

use crate::diffusion::{ARRIVAL, Diffusion, Equilibrium, noise_free_limit};
use crate::error::{Error, Result, require_finite};
use crate::math::Point;
use rayon::prelude::*;

/// The points from which the noise-free motion ends at one attractor.
///
/// # Method
/// Membership is tabulated on the nodes of a fine lattice over the domain; a point whose surrounding nodes agree takes their answer, any
/// other follows the motion. A basin part narrower than a lattice cell can be missed away from known edges.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// use freezeout::region::Basin;
/// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 0.1)?;
/// let left = Basin::new(&sgd, Point::<1>::new(-0.3), &[[-2.0, 2.0]])?;
/// assert!(left.contains(&Point::<1>::new(-0.01), &sgd) && !left.contains(&Point::<1>::new(0.01), &sgd));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Basin<const D: usize> {
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
    /// The basin, within `bounds`, of the attractor that the noise-free motion reaches from `of`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for infinite bounds, [`Error::Unreachable`] when the motion from there does not come to rest.
    pub fn new(diffusion: &dyn Diffusion<D>, of: Point<D>, bounds: &[[f64; 2]; D]) -> Result<Self> {
        for end in bounds.iter().flatten() {
            require_finite("domain", *end)?;
        }
        let extent = |d: usize| bounds[d][1] - bounds[d][0];
        let size = (0..D).map(extent).fold(f64::INFINITY, f64::min);
        let nodes = if D == 1 { 2001 } else { 101 };
        const SCOUTS: usize = 11;
        let arrival = ARRIVAL * size;
        let Some(attractor) = noise_free_limit(diffusion, of, size, &[]) else {
            return Err(Error::Unreachable {
                target: "attractor".into(),
                reason: format!(
                    "the noise-free motion from {:?} does not come to rest",
                    of.as_slice()
                ),
            });
        };
        // a motion that begins on a ridge rests on it
        let is_attractor = |end: Point<D>| {
            let found = Equilibrium::near(diffusion, end, size, arrival);
            found.is_none_or(|found| found.growing_directions == 0)
        };
        if !is_attractor(attractor) {
            return Err(Error::Unreachable {
                target: "attractor".into(),
                reason: format!("the noise-free motion from {:?} rests on a ridge", of.as_slice()),
            });
        }
        let mut basin = Self {
            attractors: vec![attractor],
            size,
            lower: Point::<D>::from_fn(|d, _| bounds[d][0]),
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
            if let Some(end) = noise_free_limit(diffusion, node(number, SCOUTS), size, &known)
                && known.iter().all(|a| (end - a).norm() > arrival)
                && is_attractor(end)
            {
                others.push(end);
            }
        }
        let known = [basin.attractors.as_slice(), &others].concat();
        let inside = (0..lattice(nodes))
            .into_par_iter()
            .map(|number| {
                let end = noise_free_limit(diffusion, node(number, nodes), size, &known);
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

    /// Whether the noise-free motion from a point ends at the attractor.
    pub fn contains(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> bool {
        let mut corner = [0; D];
        for d in 0..D {
            let k = ((theta[d] - self.lower[d]) / self.spacing[d]).floor();
            if !(k >= 0.0 && k < (self.nodes - 1) as f64) {
                return self.follows(theta, diffusion);
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
        self.follows(theta, diffusion)
    }

    fn follows(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> bool {
        noise_free_limit(diffusion, *theta, self.size, &self.attractors)
            .is_some_and(|end| (end - self.attractors[0]).norm() <= ARRIVAL * self.size)
    }
}
