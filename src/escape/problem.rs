//! A problem of escape: a diffusion in a domain, a start, a target, and the grids to solve it on.

use super::vanishing_noise::{FellerBoundary, feller_boundary};
use crate::diffusion::{Calculus, Diffusion};
use crate::error::{Error, Result, require_finite};
use crate::generator::{Discretisation, JumpDrift};
use crate::grid::{CellSet, Concentration, Grid, MappedAxes};
use crate::landscape::{Kink, Landscape, find_loss_jump, loss_jump, may_jump};
use crate::math::{LANES, Point, PointBlock, Tensor};
use crate::region::{Boundary, Domain, PointSet};
use rayon::prelude::*;
use std::ops::Range;

/// Grids that a problem is solved on.
pub const LEVELS: usize = 4;

/// Parts into which the coarsest cells are cut along every axis, on each of the grids.
pub const PARTS: [usize; LEVELS] = [1, 2, 3, 4];

/// Jump of the loss in noise units below which there is none: it changes no rate by more.
const SMALLEST_JUMP: f64 = 1e-10;

/// What makes a [`Problem`]; see [`Problem::builder`].
pub struct ProblemBuilder<const D: usize> {
    diffusion: Box<dyn Diffusion<D> + Send>,
    domain: Domain<D>,
    cells: [usize; D],
    calculus: Calculus,
    concentrations: Vec<Concentration>,
    kinks: Vec<Kink>,
    reach: usize,
    jump_drift: JumpDrift,
    start: Option<PointSet<D>>,
    target: Option<PointSet<D>>,
}

impl<const D: usize> ProblemBuilder<D> {
    /// Where the escape begins: a point, or a set weighed by the stationary law.
    #[must_use]
    pub fn from(mut self, start: PointSet<D>) -> Self {
        self.start = Some(start);
        self
    }

    /// Where it ends; not needed when an end of the domain absorbs.
    #[must_use]
    pub fn to(mut self, target: PointSet<D>) -> Self {
        self.target = Some(target);
        self
    }

    /// The interpretation of a noise that depends on θ; Ito unless given.
    #[must_use]
    pub fn with_calculus(mut self, calculus: Calculus) -> Self {
        self.calculus = calculus;
        self
    }

    /// Places where the cells are smaller.
    #[must_use]
    pub fn with_concentrations(mut self, concentrations: Vec<Concentration>) -> Self {
        self.concentrations = concentrations;
        self
    }

    /// Surfaces on which the loss, a derivative of it or the tensor jumps, besides those that the diffusion knows.
    #[must_use]
    pub fn with_kinks(mut self, kinks: Vec<Kink>) -> Self {
        self.kinks = kinks;
        self
    }

    /// Largest jump in cells along an axis, for tensors that are not diagonal; 8 unless given.
    #[must_use]
    pub fn with_reach(mut self, reach: usize) -> Self {
        self.reach = reach;
        self
    }

    /// The drift along the jumps of tensors that are not diagonal; by the length of the jump unless given.
    #[must_use]
    pub fn with_jump_drift(mut self, jump_drift: JumpDrift) -> Self {
        self.jump_drift = jump_drift;
        self
    }

    /// The problem, every choice checked.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::InvalidParameter`] or [`Error::EmptySet`] naming the choice that is wrong: `kinks`, `reach`, `sublevel`,
    /// `start`, `target`, `cells`, `concentrate`, `calculus`, or `loss`, `drift` and `noise` where these are not finite;
    /// [`Error::OverlappingSets`] when start and target share cells; [`Error::NotPositive`] where the tensor is not positive.
    pub fn build(self) -> Result<Problem<D>> {
        let mut kinks = self.kinks.clone();
        if kinks.iter().any(|k| k.axis >= D || !k.position.is_finite()) {
            let message = format!("axis must be below {D} and position finite");
            return Err(Error::config("kinks", message));
        }
        let own = self.diffusion.kinks().into_iter();
        kinks.extend(own.filter(|kink| !self.kinks.contains(kink)));
        if self.reach == 0 {
            return Err(Error::config("reach", "at least one cell is needed"));
        }
        let has_loss = self.diffusion.landscape().is_some();
        for [lower, upper] in self.domain.bounds() {
            require_finite("domain", *lower)?;
            require_finite("domain", *upper)?;
        }
        let start = self
            .start
            .ok_or_else(|| Error::config("start", "a start is needed"))?;
        for (key, set) in [
            ("sublevel", self.domain.restriction().map(|(set, _)| set)),
            ("window", self.domain.window()),
            ("start", Some(&start)),
            ("target", self.target.as_ref()),
        ] {
            if !has_loss && set.is_some_and(PointSet::needs_loss) {
                let message = "a sublevel needs a loss, not a drift: give a condition, within = { expression = \"x^2 + y^2 < 1\" }";
                return Err(Error::config(key, message));
            }
        }
        let bounds = self.domain.bounds();
        // a point needs no faces: values there are interpolated
        let set = start.as_point().is_none().then_some(&start);
        let edges: Vec<_> = (set.into_iter().chain(&self.target))
            .map(|set| set.faces(&*self.diffusion, bounds))
            .collect();
        let is_fitted = edges.iter().all(Option::is_some);
        let window = self.domain.window();
        let ends_of_window = window.and_then(|set| set.faces(&*self.diffusion, bounds));
        let planes: Vec<Kink> = kinks
            .iter()
            .copied()
            .chain(edges.into_iter().flatten().flatten())
            .collect();
        let with_window = [&planes[..], &ends_of_window.unwrap_or_default()[..]].concat();
        check_size(&self.cells)?;
        let periodic = self.domain.boundaries().map(|ends| ends[0] == Boundary::Periodic);
        let axes = MappedAxes::new(bounds, &self.cells, &self.concentrations, &with_window, periodic)?;
        check_size(&axes.cells())?;
        let breaks = std::array::from_fn(|d| {
            let on_axis = planes.iter().filter(|p| p.axis == d);
            on_axis.map(|p| p.position).collect()
        });
        let mut problem = Problem {
            diffusion: self.diffusion,
            domain: self.domain,
            calculus: self.calculus,
            kinks,
            reach: self.reach,
            jump_drift: self.jump_drift,
            is_diagonal: true,
            jumps: None,
            start,
            target: self.target,
            axes,
            breaks,
            is_fitted,
            feller: [None; 2],
        };
        problem.check()?;
        Ok(problem)
    }
}

/// Refuses grids that would not fit into memory.
fn check_size(cells: &[usize]) -> Result<()> {
    // 600² cells take 0.6 GiB to factorise, and a little more than in proportion beyond; a line needs next to nothing
    let most = if cells.len() == 1 { 1e7 } else { 2e6 };
    let finest: f64 = cells
        .iter()
        .map(|n| (*n as f64) * PARTS[LEVELS - 1] as f64)
        .product();
    if finest <= most {
        return Ok(());
    }
    Err(Error::config(
        "cells",
        format!(
            "the finest of the {LEVELS} grids would have {finest:.1e} cells, more than {most:.0e}: give fewer"
        ),
    ))
}

/// A diffusion in a domain, with a start, a target and grids; every choice has been checked.
pub struct Problem<const D: usize> {
    diffusion: Box<dyn Diffusion<D> + Send>,
    domain: Domain<D>,
    calculus: Calculus,
    kinks: Vec<Kink>,
    reach: usize,
    jump_drift: JumpDrift,
    /// Whether D is diagonal in every cell, so that the generator itself takes the calculus.
    is_diagonal: bool,
    /// A surface on which the loss itself jumps.
    jumps: Option<Kink>,
    start: PointSet<D>,
    target: Option<PointSet<D>>,
    axes: MappedAxes<D>,
    breaks: [Vec<f64>; D],
    is_fitted: bool,
    /// The lower and upper end of a line, where the noise vanishes there.
    feller: [Option<FellerBoundary>; 2],
}

impl<const D: usize> Problem<D> {
    /// A problem of `diffusion` in `domain` with about `cells` cells along each axis of the coarsest grid.
    pub fn builder(
        diffusion: impl Diffusion<D> + Send + 'static,
        domain: Domain<D>,
        cells: [usize; D],
    ) -> ProblemBuilder<D> {
        ProblemBuilder {
            diffusion: Box::new(diffusion),
            domain,
            cells,
            calculus: Calculus::Ito,
            concentrations: Vec::new(),
            kinks: Vec::new(),
            reach: 8,
            jump_drift: JumpDrift::default(),
            start: None,
            target: None,
        }
    }

    /// The diffusion as given, whatever the calculus.
    pub fn diffusion(&self) -> &dyn Diffusion<D> {
        &*self.diffusion
    }

    /// The loss, if b = −∇L.
    pub fn landscape(&self) -> Option<&dyn Landscape<D>> {
        self.diffusion.landscape()
    }

    /// The domain.
    pub fn domain(&self) -> &Domain<D> {
        &self.domain
    }

    /// The calculus.
    pub fn calculus(&self) -> Calculus {
        self.calculus
    }

    /// What the lower and the upper end of a line are, where the noise vanishes there.
    pub fn feller_boundaries(&self) -> &[Option<FellerBoundary>; 2] {
        &self.feller
    }

    /// The start.
    pub fn start(&self) -> &PointSet<D> {
        &self.start
    }

    /// The target.
    pub fn target(&self) -> Option<&PointSet<D>> {
        self.target.as_ref()
    }

    /// The grid whose coarsest cells have each been cut into `parts` along every axis.
    ///
    /// # Errors
    /// Those of [`MappedAxes::divided`].
    pub fn grid(&self, parts: usize) -> Result<Grid<D>> {
        self.axes.divided(parts)
    }

    /// Positions along each axis across which functions of the state are not smooth: kinks, and edges of start and target.
    pub fn breaks(&self) -> &[Vec<f64>; D] {
        &self.breaks
    }

    /// Whether rates of relaxation are expected to be of second order in the cells: the domain is a box without a window, and the widths of its
    /// cells vary smoothly where the tensor is not diagonal; see [`MappedAxes::is_smooth`].
    pub fn is_regular(&self) -> bool {
        let is_box = self.domain.restriction().is_none() && self.domain.window().is_none();
        is_box && (self.is_diagonal || self.axes.is_smooth())
    }

    /// Whether a derivative of the loss or the tensor jumps somewhere.
    pub fn has_kinks(&self) -> bool {
        !self.kinks.is_empty()
    }

    /// Whether a kink across `axis` is declared between two positions.
    pub fn has_kink_between(&self, axis: usize, lower: f64, upper: f64) -> bool {
        let between = |kink: &Kink| kink.axis == axis && kink.position > lower && kink.position < upper;
        self.kinks.iter().any(between)
    }

    /// Refuses what follows the gradient where the loss itself jumps.
    ///
    /// # Errors
    /// [`Error::Inconsistent`].
    pub fn require_no_jump(&self, subject: &str) -> Result<()> {
        let Some(kink) = self.jumps else {
            return Ok(());
        };
        Err(Error::Inconsistent {
            subject: subject.into(),
            requirement: format!(
                "the loss jumps at {} of variable {}, where it has no gradient that a path could follow: only the grid, and the integral of one variable, know the jump",
                kink.position, kink.axis
            ),
        })
    }

    /// Whether first passages are expected to be of second order in the cells: [`Problem::is_regular`], and all edges of start and target lie on
    /// faces of the grids.
    pub fn is_smooth(&self) -> bool {
        self.is_fitted && self.is_regular()
    }

    /// Whether some jumps of a tensor that is not diagonal know the drift at their start alone.
    pub(super) fn jumps_far(&self) -> bool {
        !self.is_diagonal && self.jump_drift != JumpDrift::Integral
    }

    /// Whether there is anything to reach: a target, or an end that absorbs.
    pub fn ends(&self) -> bool {
        self.target.is_some() || self.domain.absorbs()
    }

    /// Whether a point lies in the domain.
    pub fn in_domain(&self, theta: &Point<D>) -> bool {
        self.domain.contains(theta, self.diffusion())
    }

    /// Whether a point lies in the start set.
    pub fn in_start(&self, theta: &Point<D>) -> bool {
        self.start.contains(theta, self.diffusion())
    }

    /// Whether a point lies in the target.
    pub fn in_target(&self, theta: &Point<D>) -> bool {
        self.target
            .as_ref()
            .is_some_and(|target| target.contains(theta, self.diffusion()))
    }

    /// Choices of the generator on `grid`; for [`Problem::discretised`].
    ///
    /// # Errors
    /// [`Error::EmptySet`] when the sublevel holds no cell.
    pub fn discretisation(&self, grid: &Grid<D>) -> Result<Discretisation<D>> {
        let restriction = self.domain.restriction();
        let domain = restriction
            .map(|_| CellSet::new("sublevel", grid, |theta| self.in_domain(theta)))
            .transpose()?;
        let window = self.domain.window().map(|window| {
            let face = |cell: usize, axis: usize, side: usize| {
                let mut theta = grid.centre(cell);
                theta[axis] = grid.axes()[axis].faces()[grid.indices(cell)[axis] + side];
                window.contains(&theta, self.diffusion())
            };
            (0..grid.cells())
                .into_par_iter()
                .map(|cell| std::array::from_fn(|axis| [0, 1].map(|side| face(cell, axis, side))))
                .collect()
        });
        Ok(Discretisation {
            calculus: if self.is_diagonal {
                self.calculus
            } else {
                Calculus::Ito
            },
            boundaries: *self.domain.boundaries(),
            domain,
            domain_boundary: restriction.map_or(Boundary::Reflecting, |(_, edge)| edge),
            window,
            reach: self.reach,
            jump_drift: self.jump_drift,
        })
    }

    /// The diffusion as the generator wants it: in the calculus of [`Problem::discretisation`].
    pub fn discretised(&self) -> Interpreted<'_, D> {
        let calculus = if self.is_diagonal {
            Calculus::Ito
        } else {
            self.calculus
        };
        Interpreted {
            problem: self,
            calculus,
        }
    }

    /// The diffusion as an Ito equation, for paths of least action.
    pub fn ito(&self) -> Interpreted<'_, D> {
        Interpreted {
            problem: self,
            calculus: self.calculus,
        }
    }

    /// div D at θ: the drift that Klimontovich's calculus adds to the Ito equation.
    pub fn spurious_drift(&self, theta: &Point<D>) -> Point<D> {
        self.added_drift(Calculus::Klimontovich, theta)
    }

    fn added_drift(&self, calculus: Calculus, theta: &Point<D>) -> Point<D> {
        // Truncation of order 1e-14 and rounding of order 1e-12 of a tensor that varies over the domain.
        const STEP: f64 = 2e-4;
        let bounds = self.domain.bounds();
        let step = Point::<D>::from_fn(|d, _| STEP * (bounds[d][1] - bounds[d][0]));
        calculus.drift(self.diffusion(), theta, bounds, &step)
    }

    /// Start and target on `grid`; no start cells for a point, an empty target when there is none.
    ///
    /// # Errors
    /// [`Error::EmptySet`] when a set holds no cell of the domain.
    pub fn sets(&self, grid: &Grid<D>) -> Result<(Option<CellSet>, CellSet)> {
        let set = |name: &str, set: &PointSet<D>| {
            CellSet::new(name, grid, |theta| {
                set.contains(theta, self.diffusion()) && self.in_domain(theta)
            })
        };
        let target = match &self.target {
            Some(target) => set("target", target)?,
            None => CellSet::none("target", grid),
        };
        let start = match self.start.as_point() {
            Some(_) => None,
            None => Some(set("start", &self.start)?),
        };
        Ok((start, target))
    }

    fn check(&mut self) -> Result<()> {
        if self.calculus != Calculus::Ito && self.diffusion.learning_rate().is_some() {
            return Err(Error::config(
                "calculus",
                "SGD evaluates its noise before the step: with learning_rate the calculus is ito",
            ));
        }
        let is_ring = D == 1 && self.domain.boundaries()[0][0] == Boundary::Periodic;
        if !self.ends() && !is_ring {
            return Err(Error::config(
                "target",
                "this key is required unless an end of the domain absorbs, or the domain is a periodic line",
            ));
        }
        let grid = self.grid(1)?;
        let (start, target) = self.sets(&grid)?;
        if let Some(start) = &start {
            start.require_disjoint(&target)?;
            if self.domain.absorbs() {
                return Err(Error::config(
                    "start",
                    "with an absorbing end there is no stationary law to weigh the points of a set: give a ball of radius 0",
                ));
            }
        }
        if let Some(at) = self.start.as_point() {
            let bounds = self.domain.bounds();
            if self.in_target(at) {
                return Err(Error::config("target", "the target covers the start"));
            }
            // the target is open: a point on its edge has points of it within rounding
            let beside = |d: usize, sign: f64| {
                let mut beside = *at;
                beside[d] += sign * 1e-12 * (bounds[d][1] - bounds[d][0]);
                self.in_target(&beside)
            };
            if (0..D).any(|d| beside(d, -1.0) || beside(d, 1.0)) {
                let message = "the start lies on the edge of the target, which it reaches at once";
                return Err(Error::config("start", message));
            }
            if (0..D).any(|d| !(at[d] > bounds[d][0] && at[d] < bounds[d][1])) {
                return Err(Error::config("start", "the start lies outside the domain"));
            }
            if !self.in_domain(at) {
                return Err(Error::config(
                    "start",
                    "the start lies outside the set to which the domain is restricted",
                ));
            }
        }
        self.check_finite(&grid)?;
        self.jumps = self.jump(&grid);
        self.check_vanishing_noise()?;
        self.is_diagonal = (0..grid.cells()).into_par_iter().all(|cell| {
            let tensor = self.diffusion.tensor(&grid.centre(cell));
            (0..D).all(|r| (0..D).all(|c| r == c || tensor[(r, c)] == 0.0))
        });
        if !self.is_diagonal {
            let jump = self.require_no_jump("a tensor that is not diagonal");
            jump.map_err(|e| e.at("loss"))?;
        }
        Ok(())
    }

    /// Finds what the ends of a line are where the noise vanishes, and refuses what cannot be asked of them.
    fn check_vanishing_noise(&mut self) -> Result<()> {
        if D > 1 || self.domain.restriction().is_some() {
            return Ok(());
        }
        let at = Point::<D>::from_element;
        let drift = |x: f64| self.diffusion.drift(&at(x))[0];
        let tensor = |x: f64| self.diffusion.tensor(&at(x))[0];
        let [lower, upper] = self.domain.bounds()[0];
        let kind = |end, inside| feller_boundary(&drift, &tensor, self.calculus, end, inside);
        self.feller = [kind(lower, upper), kind(upper, lower)];
        for (side, kind) in self.feller.iter().enumerate() {
            let (Some(kind), asked) = (kind, self.domain.boundaries()[0][side]) else {
                continue;
            };
            let (key, fix) = match (kind, asked) {
                (FellerBoundary::Exit, Boundary::Reflecting) => (
                    "boundaries",
                    "nothing can reflect there: declare it \"absorbing\"",
                ),
                (FellerBoundary::Gathering, _) => ("domain", "end the domain at a wall inside it"),
                (FellerBoundary::Entrance | FellerBoundary::Natural, Boundary::Absorbing) => (
                    "boundaries",
                    "nothing is absorbed there: declare it \"reflecting\"",
                ),
                (_, Boundary::Periodic) => ("boundaries", "it cannot be glued to the other end"),
                _ => continue,
            };
            let (end, name) = (self.domain.bounds()[0][side], ["lower", "upper"][side]);
            let message = format!(
                "the noise vanishes at the {name} end {end}, by Feller a {}; {fix}",
                kind.meaning()
            );
            return Err(Error::config(key, message));
        }
        Ok(())
    }

    /// A declared surface on which the loss itself jumps.
    fn jump(&self, grid: &Grid<D>) -> Option<Kink> {
        let landscape = self.landscape()?;
        let jumps = |kink: &Kink| {
            let axis = &grid.axes()[kink.axis];
            let width = (axis.upper() - axis.lower()) / axis.cells() as f64;
            let inside = kink.position > axis.lower() && kink.position < axis.upper();
            inside
                && (0..grid.cells()).any(|cell| {
                    let mut theta = grid.centre(cell);
                    theta[kink.axis] = kink.position;
                    grid.indices(cell)[kink.axis] == 0
                        && self.in_domain(&theta)
                        && loss_jump(landscape, &theta, kink.axis, width).abs()
                            > SMALLEST_JUMP * self.diffusion.tensor(&theta)[(kink.axis, kink.axis)]
                })
        };
        self.kinks.iter().find(|kink| jumps(kink)).copied()
    }

    /// Refuses a loss that jumps between the centres of neighbouring cells where no kink is declared.
    fn check_jumps(&self, grid: &Grid<D>, cell: usize, theta: &Point<D>) -> Result<()> {
        let Some(landscape) = self.landscape() else {
            return Ok(());
        };
        let indices = grid.indices(cell);
        for axis in 0..D {
            let own = &grid.axes()[axis];
            let Some(&next) = own.centres().get(indices[axis] + 1) else {
                continue;
            };
            let mut beyond = *theta;
            beyond[axis] = next;
            if self.has_kink_between(axis, theta[axis], next) || !self.in_domain(&beyond) {
                continue;
            }
            let smallest = SMALLEST_JUMP * self.diffusion.tensor(theta)[(axis, axis)];
            let found = find_loss_jump(landscape, theta, axis, [theta[axis], next], smallest);
            if let Some((position, jump)) = found {
                return Err(Error::config(
                    "loss",
                    format!(
                        "the loss jumps by {jump:.4e} at {position:.10} of variable {axis}, near {}; declare it: \
                         kinks = [{{axis = {axis}, position = {position:.10}}}], or make it a steep slope",
                        self::position(theta)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Checks loss, drift and tensor at the cell centres of a grid, and that the loss jumps between them only where it is declared.
    ///
    /// # Errors
    /// [`Error::Config`] about `loss`, `drift` or `noise` where it is not finite, or about a `loss` that jumps, [`Error::NotPositive`] where the tensor is not positive.
    pub fn check_finite(&self, grid: &Grid<D>) -> Result<()> {
        let blocks = (0..grid.cells().div_ceil(LANES)).into_par_iter();
        blocks.try_for_each(|block| {
            let cells = block * LANES..((block + 1) * LANES).min(grid.cells());
            let is_clear = self.are_clear(grid, cells.clone());
            let mut others = cells.zip(is_clear).filter(|(_, is_clear)| !is_clear);
            others.try_for_each(|(cell, _)| self.check_cell(grid, cell))
        })
    }

    /// Which of at most [`LANES`] cells beside one another are beyond doubt, inside the domain or not; most are, and blocks are fast.
    fn are_clear(&self, grid: &Grid<D>, cells: Range<usize>) -> [bool; LANES] {
        let centres: Vec<Point<D>> = cells.clone().map(|cell| grid.centre(cell)).collect();
        let points = PointBlock::of(&centres);
        let (mut drift, mut tensor) = ([[0.0; LANES]; D], [[[0.0; LANES]; D]; D]);
        self.diffusion.drift_block(&points, &mut drift);
        self.diffusion.tensor_block(&points, &mut tensor);
        let dominates = |d: usize, lane: usize| {
            let others = (0..D).filter(|&e| e != d).map(|e| tensor[d][e][lane].abs());
            tensor[d][d][lane].is_finite() && tensor[d][d][lane] > others.sum()
        };
        let mut is_clear =
            std::array::from_fn(|lane| (0..D).all(|d| drift[d][lane].is_finite() && dominates(d, lane)));
        let Some(landscape) = self.landscape() else {
            return is_clear;
        };
        let mut loss = [0.0; LANES];
        landscape.loss_block(&points, &mut loss);
        for (axis, own) in grid.axes().iter().enumerate() {
            let mut upper = points.coordinates()[axis];
            for (lane, cell) in cells.clone().enumerate() {
                let next = own.centres().get(grid.indices(cell)[axis] + 1);
                upper[lane] = *next.unwrap_or(&upper[lane]);
            }
            let smallest = tensor[axis][axis].map(|d| SMALLEST_JUMP * d);
            let may_jump = may_jump(landscape, &points, &loss, axis, &upper, &smallest);
            (0..LANES).for_each(|lane| is_clear[lane] &= loss[lane].is_finite() && !may_jump[lane]);
        }
        is_clear
    }

    fn check_cell(&self, grid: &Grid<D>, cell: usize) -> Result<()> {
        let theta = grid.centre(cell);
        let has_loss = self.landscape().is_none_or(|l| l.loss(&theta).is_finite());
        let restriction = self.domain.restriction();
        let matters = restriction.is_none_or(|(set, _)| set.needs_loss() && !has_loss);
        if !matters && !self.in_domain(&theta) {
            return Ok(());
        }
        if !has_loss {
            let message = format!("the loss is not finite at {}", position(&theta));
            return Err(Error::config("loss", message));
        }
        if self.diffusion.drift(&theta).iter().any(|v| !v.is_finite()) {
            let key = if self.landscape().is_some() {
                "loss"
            } else {
                "drift"
            };
            let message = format!("the drift is not finite at {}", position(&theta));
            return Err(Error::config(key, message));
        }
        self.check_tensor(&theta)?;
        self.check_jumps(grid, cell, &theta)
    }

    fn check_tensor(&self, theta: &Point<D>) -> Result<()> {
        let tensor = self.diffusion.tensor(theta);
        if tensor.iter().any(|v| !v.is_finite()) {
            let message = format!("the tensor is not finite at {}", position(theta));
            return Err(Error::config("noise", message));
        }
        let mut eigenvalues: Vec<f64> = nalgebra::DMatrix::from_iterator(D, D, tensor.iter().copied())
            .symmetric_eigenvalues()
            .iter()
            .copied()
            .collect();
        eigenvalues.sort_by(f64::total_cmp);
        if eigenvalues[0] > 0.0 {
            return Ok(());
        }
        Err(Error::NotPositive {
            name: "diffusion tensor".into(),
            position: position(theta),
            eigenvalues: format!(
                "{eigenvalues:?}; a strictly positive tensor is needed, give the noise a floor"
            ),
        })
    }
}

/// The diffusion of a problem with the drift of a calculus added.
pub struct Interpreted<'a, const D: usize> {
    problem: &'a Problem<D>,
    calculus: Calculus,
}

impl<const D: usize> Diffusion<D> for Interpreted<'_, D> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        let drift = self.problem.diffusion.drift(theta);
        if self.calculus == Calculus::Ito {
            return drift;
        }
        drift + self.problem.added_drift(self.calculus, theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        self.problem.diffusion.tensor(theta)
    }
    fn kinks(&self) -> Vec<Kink> {
        self.problem.kinks.clone()
    }
    fn landscape(&self) -> Option<&dyn Landscape<D>> {
        self.problem.landscape()
    }
}

fn position<const D: usize>(theta: &Point<D>) -> String {
    let parts: Vec<String> = theta.iter().map(|v| format!("{v:.6}")).collect();
    format!("({})", parts.join(", "))
}
