//! One step of any diffusion, with its crossings, and the random numbers for it.

use super::confine::{confine, inside_level, is_free};
use super::dispatch::Instructions;
use super::first_passage::{CrossingTest, Exit};
use super::langevin::PathProtocol;
use super::stream::{LANES, Streams};
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result, require};
use crate::math::{Point, Tensor, elementary, symmetric_root};
use crate::region::{Boundary, Domain, PointSet};
use pulp::NullaryFnOnce;

/// What all walkers of an ensemble do in a step.
pub(super) struct Walk<'a, const D: usize, T: ?Sized> {
    diffusion: &'a T,
    calculus: Calculus,
    domain: &'a Domain<D>,
    target: Option<&'a PointSet<D>>,
    time_step: f64,
    noise_scale: f64,
    is_free: bool,
}

/// A walker, with the levels that its next step needs.
pub(super) struct Walker<const D: usize> {
    pub theta: Point<D>,
    /// Tensor of the last step and its root, which are often those of the next step too.
    root: (Tensor<D>, Tensor<D>),
    target: (f64, Point<D>),
    domain: (f64, Point<D>),
}

/// The most likely crossing of a step so far.
struct Nearest {
    /// h times the energy −ln u of the Brownian bridge, zero for a test at the ends of steps.
    reach: f64,
    found: Option<(f64, Exit)>,
}

impl Nearest {
    /// A surface on which g went from `from` to `to` while its diffusivity was `diffusivity`.
    #[inline(always)]
    fn examine(&mut self, from: f64, to: f64, diffusivity: f64, exit: Exit) {
        let product = from * to;
        if product <= diffusivity * self.reach {
            let ratio = product / diffusivity;
            if self.found.is_none_or(|(least, _)| ratio < least) {
                self.found = Some((ratio, exit));
            }
        }
    }
}

impl<'a, const D: usize, T: Diffusion<D> + ?Sized> Walk<'a, D, T> {
    /// Checks everything that does not depend on the path.
    pub fn new(
        diffusion: &'a T,
        calculus: Calculus,
        domain: &'a Domain<D>,
        target: Option<&'a PointSet<D>>,
        protocol: &PathProtocol<D>,
    ) -> Result<Self> {
        protocol.check()?;
        if domain.restriction().is_some_and(|(set, _)| !set.has_level()) {
            return Err(Error::Inconsistent {
                subject: "the set to which the domain is restricted".into(),
                requirement: "paths need a level function of it, not membership alone".into(),
            });
        }
        require(
            "dimension",
            D as f64,
            |d| d == 1.0 || d == 2.0,
            "paths have one or two dimensions",
        )?;
        require(
            "steps",
            protocol.steps as f64,
            |v| v >= 1.0,
            "at least one step is needed",
        )?;
        let h = protocol.time_step;
        let walk = Self {
            diffusion,
            calculus,
            domain,
            target,
            time_step: h,
            noise_scale: (2.0 * h).sqrt(),
            is_free: is_free(domain),
        };
        let starts = || protocol.starts.iter().map(|start| Point::<D>::from(*start));
        let overlap = |second: &str, cells: usize| {
            if cells == 0 {
                return Ok(());
            }
            Err(Error::OverlappingSets {
                first: "start".into(),
                second: second.into(),
                cells,
            })
        };
        overlap(
            "outside of the domain",
            starts().filter(|s| !walk.is_inside(s)).count(),
        )?;
        if let Some(target) = target {
            let is_outside = |theta: &Point<D>| match target.level(theta, &walk.diffusion) {
                Some((level, _)) => level > 0.0,
                None => !target.contains(theta, &walk.diffusion),
            };
            overlap("target", starts().filter(|s| !is_outside(s)).count())?;
        }
        Ok(walk)
    }

    pub fn walker(&self, start: [f64; D]) -> Walker<D> {
        let theta = Point::<D>::from(start);
        let none = (f64::INFINITY, Point::<D>::zeros());
        Walker {
            theta,
            root: (Tensor::<D>::zeros(), Tensor::<D>::zeros()),
            target: self
                .target
                .and_then(|target| target.level(&theta, &self.diffusion))
                .unwrap_or(none),
            domain: self
                .absorbing_set()
                .map_or(none, |set| inside_level(set, &theta, &self.diffusion)),
        }
    }

    /// Whether a point lies in the open domain.
    fn is_inside(&self, theta: &Point<D>) -> bool {
        let in_box = theta
            .iter()
            .zip(self.domain.bounds())
            .all(|(x, [lower, upper])| lower < x && x < upper);
        in_box && self.domain.contains(theta, &self.diffusion)
    }

    /// The set that restricts the domain, if its edge absorbs.
    fn absorbing_set(&self) -> Option<&'a PointSet<D>> {
        let (set, edge) = self.domain.restriction()?;
        (edge == Boundary::Absorbing).then_some(set)
    }

    /// θ' = θ + b h + sqrt(2 D h) z, and the surface that it crossed.
    #[inline]
    pub fn step(&self, walker: &mut Walker<D>, normals: Point<D>, energy: f64) -> Result<Option<Exit>> {
        let theta = walker.theta;
        let drift = self.diffusion.drift(&theta);
        let tensor = self.diffusion.tensor(&theta);
        if tensor != walker.root.0 {
            walker.root = (tensor, symmetric_root(&tensor));
        }
        let mut next = theta + drift * self.time_step + self.noise(walker, normals * self.noise_scale)?;
        if !next.iter().all(|x| x.is_finite()) {
            return Err(self.broken(&theta));
        }
        let mut nearest = Nearest {
            reach: self.time_step * energy,
            found: None,
        };
        if let Some(window) = self.domain.window() {
            self.examine_window(window, &theta, &next, &tensor, &mut nearest);
        }
        if !self.is_free {
            next = confine(self.domain, &self.diffusion, &tensor, next)?;
        }
        if let Some(target) = self.target {
            if let Some(level) = target.level(&next, &self.diffusion) {
                self.check_level(&next, level.0)?;
                let (before, slope) = walker.target;
                nearest.examine(before, level.0, slope.dot(&(tensor * slope)), Exit::Target);
                walker.target = level;
            } else if target.contains(&next, &self.diffusion) {
                nearest.found = Some((f64::NEG_INFINITY, Exit::Target));
            }
        }
        if !self.is_free {
            for (axis, (ends, boundaries)) in self
                .domain
                .bounds()
                .iter()
                .zip(self.domain.boundaries())
                .enumerate()
            {
                for (end, sign) in [(0, 1.0), (1, -1.0)] {
                    if boundaries[end] == Boundary::Absorbing {
                        let [from, to] = [theta, next].map(|at| sign * (at[axis] - ends[end]));
                        nearest.examine(from, to, tensor[(axis, axis)], Exit::Face { axis, end });
                    }
                }
            }
        }
        if let Some(set) = self.absorbing_set() {
            let level = inside_level(set, &next, &self.diffusion);
            self.check_level(&next, level.0)?;
            let (before, slope) = walker.domain;
            nearest.examine(before, level.0, slope.dot(&(tensor * slope)), Exit::Domain);
            walker.domain = level;
        }
        walker.theta = next;
        Ok(nearest.found.map(|(_, exit)| exit))
    }

    /// Where a step not yet mirrored met a reflecting surface, on the straight line to its end or to the mirror image of it: in the window it is
    /// let out.
    fn examine_window(
        &self,
        window: &PointSet<D>,
        theta: &Point<D>,
        next: &Point<D>,
        tensor: &Tensor<D>,
        nearest: &mut Nearest,
    ) {
        let mut examine = |from: f64, to: f64, slope: &Point<D>, exit: Exit| {
            let meets = theta + (next - theta) * (from / (from + to.abs()));
            // on the surface itself
            let meets = meets - slope * (from * (to.abs() + to) / (from + to.abs()) / slope.norm_squared());
            if window.contains(&meets, &self.diffusion) {
                nearest.examine(from, to, slope.dot(&(tensor * slope)), exit);
            }
        };
        for (axis, ends) in self.domain.bounds().iter().enumerate() {
            for (end, sign) in [(0, 1.0), (1, -1.0)] {
                if self.domain.boundaries()[axis][end] == Boundary::Reflecting {
                    let mut normal = Point::<D>::zeros();
                    normal[axis] = sign;
                    let [from, to] = [theta, next].map(|at| sign * (at[axis] - ends[end]));
                    examine(from, to, &normal, Exit::Face { axis, end });
                }
            }
        }
        if let Some((set, Boundary::Reflecting)) = self.domain.restriction() {
            let (from, slope) = inside_level(set, theta, &self.diffusion);
            let (to, _) = inside_level(set, next, &self.diffusion);
            examine(from, to, &slope, Exit::Domain);
        }
    }

    /// The noise of a step from the walker for the Wiener increments sqrt(2h) z, read in the calculus without its drift being formed.
    ///
    /// Stratonovich: Heun's mean of the root at θ and at θ + R dW. Klimontovich: R dW with half of what D D⁻¹ makes of it there.
    #[inline]
    fn noise(&self, walker: &Walker<D>, increments: Point<D>) -> Result<Point<D>> {
        let (tensor, root) = &walker.root;
        let plain = root * increments;
        if self.calculus == Calculus::Ito {
            return Ok(plain);
        }
        let there = self.diffusion.tensor(&(walker.theta + plain));
        if self.calculus == Calculus::Stratonovich {
            return Ok((plain + symmetric_root(&there) * increments) * 0.5);
        }
        let inverse = tensor.try_inverse().ok_or_else(|| self.broken(&walker.theta))?;
        Ok((plain + there * (inverse * plain)) * 0.5)
    }

    fn check_level(&self, theta: &Point<D>, value: f64) -> Result<()> {
        if !value.is_nan() {
            return Ok(());
        }
        Err(Error::NotFinite {
            quantity: "the edge function of a target or domain".into(),
            reason: format!("it is NaN at {:?}", theta.as_slice()),
        })
    }

    /// Why the step from θ is not finite.
    #[cold]
    fn broken(&self, theta: &Point<D>) -> Error {
        let tensor = self.diffusion.tensor(theta);
        let is_finite = tensor.iter().all(|x| x.is_finite());
        if is_finite && symmetric_root(&tensor).iter().any(|x| x.is_nan()) {
            let eigenvalues =
                nalgebra::DMatrix::from_iterator(D, D, tensor.iter().copied()).symmetric_eigenvalues();
            return Error::NotPositive {
                name: "diffusion tensor".into(),
                position: format!("{:?}", theta.as_slice()),
                eigenvalues: format!("{:?}", eigenvalues.as_slice()),
            };
        }
        Error::NotFinite {
            quantity: "a path of the ensemble".into(),
            reason: format!(
                "the step from {:?} has drift {:?} and tensor {:?}; the time step {} may be too long",
                theta.as_slice(),
                self.diffusion.drift(theta).as_slice(),
                tensor.as_slice(),
                self.time_step
            ),
        }
    }
}

/// Random numbers of all lanes for 2/D steps: normals come in pairs.
pub(super) struct Draws {
    pub streams: Streams,
    normals: [[f64; LANES]; 2],
    energies: [[f64; LANES]; 2],
    crossing: CrossingTest,
}

impl Draws {
    pub fn new(crossing: CrossingTest) -> Self {
        Self {
            streams: Streams::unset(),
            normals: [[0.0; LANES]; 2],
            energies: [[0.0; LANES]; 2],
            crossing,
        }
    }

    /// The next numbers of every lane for paths in D dimensions.
    pub fn next<const D: usize>(&mut self) {
        let native = Instructions::Native;
        match (self.crossing, D) {
            (CrossingTest::EndOfStep, _) => native.run(Draw::<0>(self)),
            (CrossingTest::BrownianBridge, 1) => native.run(Draw::<2>(self)),
            (CrossingTest::BrownianBridge, _) => native.run(Draw::<1>(self)),
        }
    }

    /// Normals and energy of step `part` < 2/D of these.
    pub fn of<const D: usize>(&self, lane: usize, part: usize) -> (Point<D>, f64) {
        let normals = Point::<D>::from_fn(|d, _| self.normals[(part + d) % 2][lane]);
        (normals, self.energies[part][lane])
    }
}

/// Draws with the given number of energies, compiled for each instruction set.
struct Draw<'a, const ENERGIES: usize>(&'a mut Draws);

impl<const ENERGIES: usize> NullaryFnOnce for Draw<'_, ENERGIES> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let draws = self.0;
        for lane in 0..LANES {
            let [first, second] = draws.streams.normals(lane);
            draws.normals[0][lane] = first;
            draws.normals[1][lane] = second;
            for energies in draws.energies.iter_mut().take(ENERGIES) {
                energies[lane] = -elementary::ln(draws.streams.uniform(lane));
            }
        }
    }
}
