//! One step of a block of paths of any diffusion, with their crossings, and the random numbers for it.

use super::confine::{confine, inside_level, is_free};
use super::first_passage::{CrossingTest, Exit};
use super::langevin::PathProtocol;
use super::stream::Streams;
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result, require};
use crate::math::{
    Instructions, LANES, Lanes, Point, PointBlock, Tensor, elementary, planar_root, symmetric_root,
};
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

/// Paths under way, side by side, with the levels that their next step needs.
pub(super) struct PathBlock<const D: usize> {
    /// Where they are.
    points: PointBlock<D>,
    target: Levels<D>,
    domain: Levels<D>,
    /// Room for the step.
    step: Step<D>,
}

/// A function of each path's point that is zero on a surface, and its gradient.
struct Levels<const D: usize> {
    value: Lanes,
    slope: [Lanes; D],
}

/// A step not yet done.
struct Step<const D: usize> {
    drift: [Lanes; D],
    tensor: [[Lanes; D]; D],
    /// sqrt(2Dh) z.
    noise: [Lanes; D],
    /// Where it ends.
    next: PointBlock<D>,
    levels: Levels<D>,
    /// Surfaces crossed: lane, the ratio that makes one more likely than another, and which.
    crossed: Vec<(usize, f64, Exit)>,
}

impl<const D: usize> Levels<D> {
    const ZERO: Self = Self {
        value: [0.0; LANES],
        slope: [[0.0; LANES]; D],
    };

    fn of(&self, lane: usize) -> (f64, Point<D>) {
        (self.value[lane], Point::<D>::from_fn(|d, _| self.slope[d][lane]))
    }
}

impl<const D: usize> PathBlock<D> {
    /// No path under way.
    pub fn idle() -> Self {
        Self {
            points: PointBlock::idle(),
            target: Levels::ZERO,
            domain: Levels::ZERO,
            step: Step {
                drift: [[0.0; LANES]; D],
                tensor: [[[0.0; LANES]; D]; D],
                noise: [[0.0; LANES]; D],
                next: PointBlock::idle(),
                levels: Levels::ZERO,
                crossed: Vec::new(),
            },
        }
    }

    /// Puts the path of a lane at its start; [`Walk::look`] comes before the next step.
    pub fn begin(&mut self, lane: usize, start: [f64; D]) {
        self.points.set(lane, &start.into());
        self.step.next.set(lane, &start.into());
    }

    /// Ends the path of a lane.
    pub fn end(&mut self, lane: usize) {
        self.points.rest(lane);
        self.step.next.rest(lane);
    }

    /// The paths under way.
    pub fn points(&self) -> &PointBlock<D> {
        &self.points
    }
}

impl<const D: usize> Step<D> {
    fn tensor(&self, lane: usize) -> Tensor<D> {
        Tensor::<D>::from_fn(|r, c| self.tensor[r][c][lane])
    }

    fn noise(&self, lane: usize) -> Point<D> {
        Point::<D>::from_fn(|d, _| self.noise[d][lane])
    }

    /// A surface on which g went from `from` to `to` while its diffusivity was `diffusivity`; `reach` is h times the energy −ln u of the Brownian
    /// bridge, zero for a test at the ends of steps.
    fn examine(&mut self, lane: usize, from: f64, to: f64, diffusivity: f64, reach: f64, exit: Exit) {
        let product = from * to;
        if product <= diffusivity * reach {
            self.crossed.push((lane, product / diffusivity, exit));
        }
    }

    /// The surface most likely crossed by a path, the first of equal ones.
    fn nearest(&self, lane: usize) -> Option<Exit> {
        let of_lane = self.crossed.iter().filter(|(other, ..)| *other == lane);
        of_lane
            .reduce(|least, other| if other.1 < least.1 { other } else { least })
            .map(|(.., exit)| *exit)
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

    /// Finds the levels where the paths are; to be called after paths have begun, before they step.
    pub fn look(&self, paths: &mut PathBlock<D>) {
        let PathBlock {
            points,
            target,
            domain,
            ..
        } = paths;
        if let Some(set) = self.target {
            set.level_block(points, &self.diffusion, &mut target.value, &mut target.slope);
        }
        if let Some(set) = self.absorbing_set() {
            self.inside_levels(set, points, domain);
        }
    }

    /// [`inside_level`] of all paths.
    fn inside_levels(&self, set: &PointSet<D>, points: &PointBlock<D>, levels: &mut Levels<D>) {
        let Levels { value, slope } = levels;
        if set.level_block(points, &self.diffusion, value, slope) {
            value.iter_mut().for_each(|level| *level = -*level);
            let slopes = slope.as_flattened_mut();
            slopes.iter_mut().for_each(|slope| *slope = -*slope);
        } else {
            *value = [f64::NAN; LANES];
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

    /// θ' = θ + b h + sqrt(2 D h) z of all paths; those that crossed a surface stay where they were, and `ended` is told which surface.
    pub fn step(
        &self,
        paths: &mut PathBlock<D>,
        normals: [&Lanes; D],
        energies: &Lanes,
        mut ended: impl FnMut(usize, Exit),
    ) -> Result<()> {
        let h = self.time_step;
        let PathBlock {
            points,
            target,
            domain,
            step,
        } = paths;
        step.crossed.clear();
        self.diffusion.drift_block(points, &mut step.drift);
        self.diffusion.tensor_block(points, &mut step.tensor);
        self.draw_noise(&step.tensor, normals, &mut step.noise);
        if self.calculus != Calculus::Ito {
            self.reread_noise(points, normals, step)?;
        }
        let is_finite = Instructions::Native.run(Advance {
            points,
            drift: &step.drift,
            noise: &step.noise,
            time_step: h,
            next: step.next.coordinates_mut(),
        });
        if !is_finite && let Some(lane) = points.lanes().find(|&lane| !is_finite_in(&step.next, lane)) {
            return Err(self.broken(&points.point(lane)));
        }
        if let Some(window) = self.domain.window() {
            for lane in points.lanes() {
                self.examine_window(window, lane, points, h * energies[lane], step);
            }
        }
        if !self.is_free {
            self.confine(points, step)?;
        }
        if let Some(set) = self.target {
            let Levels { value, slope } = &mut step.levels;
            if set.level_block(&step.next, &self.diffusion, value, slope) {
                self.examine_levels(target, step, energies, Exit::Target)?;
                std::mem::swap(target, &mut step.levels);
            } else {
                for lane in points.lanes() {
                    if set.contains(&step.next.point(lane), &self.diffusion) {
                        step.crossed.push((lane, f64::NEG_INFINITY, Exit::Target));
                    }
                }
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
                        let exit = Exit::Face { axis, end };
                        for lane in points.lanes() {
                            let [from, to] = [points.coordinates(), step.next.coordinates()]
                                .map(|at| sign * (at[axis][lane] - ends[end]));
                            let diffusivity = step.tensor[axis][axis][lane];
                            step.examine(lane, from, to, diffusivity, h * energies[lane], exit);
                        }
                    }
                }
            }
        }
        if let Some(set) = self.absorbing_set() {
            self.inside_levels(set, &step.next, &mut step.levels);
            self.examine_levels(domain, step, energies, Exit::Domain)?;
            std::mem::swap(domain, &mut step.levels);
        }
        if !step.crossed.is_empty() {
            for lane in 0..LANES {
                if points.is_active(lane)
                    && let Some(exit) = step.nearest(lane)
                {
                    points.rest(lane);
                    step.next.rest(lane);
                    ended(lane, exit);
                }
            }
        }
        points.advance(step.next.coordinates());
        Ok(())
    }

    /// The noise R sqrt(2h) z with R the root of a tensor.
    fn draw_noise(&self, tensor: &[[Lanes; D]; D], normals: [&Lanes; D], noise: &mut [Lanes; D]) {
        Instructions::Native.run(DrawNoise {
            tensor,
            normals,
            scale: self.noise_scale,
            noise,
        });
    }

    /// The noise of a step read in another calculus than Ito's without the drift of the calculus being formed.
    ///
    /// Stratonovich: Heun's mean of the root at θ and at θ + R dW. Klimontovich: R dW with half of what D D⁻¹ makes of it there.
    fn reread_noise(&self, points: &PointBlock<D>, normals: [&Lanes; D], step: &mut Step<D>) -> Result<()> {
        for (axis, next) in step.next.coordinates_mut().iter_mut().enumerate() {
            for lane in 0..LANES {
                next[lane] = points.coordinates()[axis][lane] + step.noise[axis][lane];
            }
        }
        let mut there = step.tensor;
        self.diffusion.tensor_block(&step.next, &mut there);
        if self.calculus == Calculus::Stratonovich {
            let mut noise = step.noise;
            self.draw_noise(&there, normals, &mut noise);
            let pairs = step.noise.as_flattened_mut().iter_mut().zip(noise.as_flattened());
            pairs.for_each(|(here, there)| *here = 0.5 * (*here + there));
            return Ok(());
        }
        for lane in points.lanes() {
            let plain = step.noise(lane);
            let inverse = step.tensor(lane).try_inverse();
            let inverse = inverse.ok_or_else(|| self.broken(&points.point(lane)))?;
            let there = Tensor::<D>::from_fn(|r, c| there[r][c][lane]);
            let noise = (plain + there * (inverse * plain)) * 0.5;
            (0..D).for_each(|d| step.noise[d][lane] = noise[d]);
        }
        Ok(())
    }

    /// Mirrors and wraps the ends of steps until they lie inside.
    fn confine(&self, points: &PointBlock<D>, step: &mut Step<D>) -> Result<()> {
        let mut is_outside = [false; LANES];
        for (coordinate, [lower, upper]) in step.next.coordinates().iter().zip(self.domain.bounds()) {
            for lane in 0..LANES {
                is_outside[lane] |= (coordinate[lane] < *lower) | (coordinate[lane] > *upper);
            }
        }
        if let Some((set, Boundary::Reflecting)) = self.domain.restriction() {
            self.inside_levels(set, &step.next, &mut step.levels);
            for lane in 0..LANES {
                is_outside[lane] |= !(step.levels.value[lane] >= 0.0);
            }
        }
        for lane in points.lanes().filter(|&lane| is_outside[lane]) {
            let tensor = step.tensor(lane);
            let inside = confine(self.domain, &self.diffusion, &tensor, step.next.point(lane))?;
            (0..D).for_each(|d| step.next.coordinates_mut()[d][lane] = inside[d]);
        }
        Ok(())
    }

    /// Finds paths whose level crossed zero on the way from `before` to that of the end of the step.
    fn examine_levels(
        &self,
        before: &Levels<D>,
        step: &mut Step<D>,
        energies: &Lanes,
        exit: Exit,
    ) -> Result<()> {
        let is_quiet = Instructions::Native.run(FindCrossings {
            points: &step.next,
            before,
            after: &step.levels.value,
            tensor: &step.tensor,
            energies,
            time_step: self.time_step,
        });
        if is_quiet {
            return Ok(());
        }
        for lane in 0..LANES {
            if step.next.is_active(lane) {
                let to = step.levels.value[lane];
                self.check_level(&step.next.point(lane), to)?;
                let (from, slope) = before.of(lane);
                let diffusivity = slope.dot(&(step.tensor(lane) * slope));
                step.examine(lane, from, to, diffusivity, self.time_step * energies[lane], exit);
            }
        }
        Ok(())
    }

    /// Where a step not yet mirrored met a reflecting surface, on the straight line to its end or to the mirror image of it: in the window it is
    /// let out.
    fn examine_window(
        &self,
        window: &PointSet<D>,
        lane: usize,
        points: &PointBlock<D>,
        reach: f64,
        step: &mut Step<D>,
    ) {
        let (theta, next, tensor) = (points.point(lane), step.next.point(lane), step.tensor(lane));
        let mut examine = |from: f64, to: f64, slope: &Point<D>, exit: Exit| {
            let meets = theta + (next - theta) * (from / (from + to.abs()));
            // on the surface itself
            let meets = meets - slope * (from * (to.abs() + to) / (from + to.abs()) / slope.norm_squared());
            if window.contains(&meets, &self.diffusion) {
                step.examine(lane, from, to, slope.dot(&(tensor * slope)), reach, exit);
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
            let (from, slope) = inside_level(set, &theta, &self.diffusion);
            let (to, _) = inside_level(set, &next, &self.diffusion);
            examine(from, to, &slope, Exit::Domain);
        }
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
        Error::Diverges {
            what: "a path of the ensemble".into(),
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

fn is_finite_in<const D: usize>(points: &PointBlock<D>, lane: usize) -> bool {
    points.coordinates().iter().all(|x| x[lane].is_finite())
}

/// R sqrt(2h) z, compiled for each instruction set.
struct DrawNoise<'a, const D: usize> {
    tensor: &'a [[Lanes; D]; D],
    normals: [&'a Lanes; D],
    scale: f64,
    noise: &'a mut [Lanes; D],
}

impl<const D: usize> NullaryFnOnce for DrawNoise<'_, D> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            tensor,
            normals,
            scale,
            noise,
        } = self;
        // the second axis of the plane, the only one of the line
        let last = D - 1;
        for lane in 0..LANES {
            if D == 1 {
                noise[0][lane] = tensor[0][0][lane].sqrt() * (normals[0][lane] * scale);
            } else {
                let entries = [
                    tensor[0][0][lane],
                    tensor[0][last][lane],
                    tensor[last][last][lane],
                ];
                let [xx, xy, yy] = planar_root(entries);
                let (first, second) = (normals[0][lane] * scale, normals[last][lane] * scale);
                noise[0][lane] = xx * first + xy * second;
                noise[last][lane] = xy * first + yy * second;
            }
        }
    }
}

/// The ends of a step and whether all of them are finite, compiled for each instruction set.
struct Advance<'a, const D: usize> {
    points: &'a PointBlock<D>,
    drift: &'a [Lanes; D],
    noise: &'a [Lanes; D],
    time_step: f64,
    next: &'a mut [Lanes; D],
}

impl<const D: usize> NullaryFnOnce for Advance<'_, D> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let mut is_finite = true;
        for d in 0..D {
            for lane in 0..LANES {
                let moved = self.points.coordinates()[d][lane] + self.drift[d][lane] * self.time_step;
                let next = moved + self.noise[d][lane];
                is_finite &= !self.points.is_active(lane) | (next.abs() < f64::INFINITY);
                self.next[d][lane] = next;
            }
        }
        is_finite
    }
}

/// Whether no level crossed zero and none is NaN, compiled for each instruction set.
struct FindCrossings<'a, const D: usize> {
    points: &'a PointBlock<D>,
    before: &'a Levels<D>,
    after: &'a Lanes,
    tensor: &'a [[Lanes; D]; D],
    energies: &'a Lanes,
    time_step: f64,
}

impl<const D: usize> NullaryFnOnce for FindCrossings<'_, D> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let slope = &self.before.slope;
        let mut is_quiet = true;
        for lane in 0..LANES {
            let mut diffusivity = 0.0;
            for r in 0..D {
                let mut flux = 0.0;
                for c in 0..D {
                    flux += self.tensor[r][c][lane] * slope[c][lane];
                }
                diffusivity += slope[r][lane] * flux;
            }
            let reach = self.time_step * self.energies[lane];
            // a rounding of the diffusivity must not hide a crossing from the exact test that follows
            let bound = diffusivity * reach * (1.0 + 8.0 * f64::EPSILON);
            let stays = self.before.value[lane] * self.after[lane] > bound;
            is_quiet &= !self.points.is_active(lane) | stays;
        }
        is_quiet
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

    /// Normals and energies of step `part` < 2/D of these.
    pub fn of<const D: usize>(&self, part: usize) -> ([&Lanes; D], &Lanes) {
        let normals = std::array::from_fn(|d| &self.normals[(part + d) % 2]);
        (normals, &self.energies[part])
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
