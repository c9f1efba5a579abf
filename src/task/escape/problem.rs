//! From the keys of `[escape]` to a diffusion, sets and grids, with every parameter checked.

use super::axes::Axes;
use super::config::{Escape, EscapeCalculus};
use super::extrapolate::LEVELS;
use super::field::{AnyNoise, Build, Drift, noise};
use super::set::PointSet;
use super::under;
use super::wrong;
use crate::diffusion::{Calculus, Diffusion, spurious_drift};
use crate::error::{Error, Result, require_positive};
use crate::generator::Discretisation;
use crate::grid::{CellSet, Grid};
use crate::landscape::{Kink, TwoValley};
use crate::math::{Point, Tensor};
use crate::region::Boundary;
use rayon::prelude::*;

/// Everything that `[escape]` says, checked.
pub(super) struct Problem<const D: usize> {
    pub drift: Drift<D>,
    noise: AnyNoise<D>,
    /// D = scale · C.
    scale: f64,
    pub learning_rate: Option<f64>,
    kinks: Vec<Kink>,
    pub calculus: Calculus,
    pub sublevel: Option<f64>,
    pub bounds: [[f64; 2]; D],
    boundaries: [[Boundary; 2]; D],
    sublevel_boundary: Boundary,
    reach: usize,
    /// Whether D is diagonal in every cell, so that the generator itself takes the calculus.
    is_diagonal: bool,
    pub start: PointSet<D>,
    pub target: Option<PointSet<D>>,
    axes: Axes<D>,
    /// Whether the edges of start and target lie on faces of the grid.
    pub fitted: bool,
}

impl<const D: usize> Problem<D> {
    pub fn new(task: &Escape, two_valley: &TwoValley, build: Build<D>) -> Result<Self> {
        check_names(task)?;
        let bounds = bounds(task)?;
        let drift = Drift::new(task, two_valley, build)?;
        let noise = noise(task, two_valley, build)?;
        let positive = |name, value| require_positive(name, value).map_err(|e| under("escape", e));
        let scale = match (task.learning_rate, task.batch_size) {
            (None, None) => 1.0,
            (None, Some(_)) => {
                return Err(wrong(
                    "batch_size",
                    "it needs learning_rate, without which noise is D itself",
                ));
            }
            (Some(rate), batch) => {
                0.5 * positive("learning_rate", rate)? / positive("batch_size", batch.unwrap_or(1.0))?
            }
        };
        let mut kinks: Vec<Kink> = task
            .kinks
            .iter()
            .map(|k| Kink {
                axis: k.axis,
                position: k.position,
            })
            .collect();
        if kinks.iter().any(|k| k.axis >= D || !k.position.is_finite()) {
            return Err(wrong(
                "kinks",
                format!("axis must be below {D} and position finite"),
            ));
        }
        kinks.extend(drift.landscape().map(|l| l.kinks()).unwrap_or_default());
        let boundaries = boundaries(task)?;
        let sublevel_boundary = task.sublevel_boundary.get();
        if sublevel_boundary == Boundary::Periodic {
            return Err(wrong(
                "sublevel_boundary",
                "the edge of a sublevel set reflects or absorbs",
            ));
        }
        if task.sublevel.is_some_and(|level| !level.is_finite()) {
            return Err(wrong("sublevel", "a finite number is needed"));
        }
        if task.reach == 0 {
            return Err(wrong("reach", "at least one cell is needed"));
        }
        if task.sublevel.is_some() && drift.landscape().is_none() {
            return Err(wrong("sublevel", "a sublevel needs a loss, not a drift"));
        }
        let start = PointSet::new(task, "start", &task.start, &drift, &bounds)?;
        let target = task
            .target
            .as_ref()
            .map(|set| PointSet::new(task, "target", set, &drift, &bounds))
            .transpose()?;
        let mut edges = vec![start.faces(&drift, &bounds)];
        edges.extend(target.as_ref().map(|t| t.faces(&drift, &bounds)));
        let fitted = edges.iter().all(Option::is_some);
        let planes: Vec<Kink> = kinks
            .iter()
            .copied()
            .chain(edges.into_iter().flatten().flatten())
            .collect();
        check_size(task)?;
        let axes = Axes::new(task, &bounds, &planes)?;
        let mut problem = Self {
            drift,
            noise,
            scale,
            learning_rate: task.learning_rate,
            kinks,
            calculus: task.calculus.get(),
            sublevel: task.sublevel,
            bounds,
            boundaries,
            sublevel_boundary,
            reach: task.reach,
            is_diagonal: true,
            start,
            target,
            axes,
            fitted,
        };
        problem.check(task)?;
        Ok(problem)
    }

    /// The grid whose cells have been halved `level` times.
    pub fn grid(&self, level: usize) -> Result<Grid<D>> {
        self.axes.grid(level)
    }

    /// Whether the process ends at a boundary, so that it has no stationary law.
    pub fn absorbs(&self) -> bool {
        self.boundaries
            .iter()
            .flatten()
            .any(|b| *b == Boundary::Absorbing)
            || (self.sublevel.is_some() && self.sublevel_boundary == Boundary::Absorbing)
    }

    /// Whether a derivative of the loss or the tensor jumps somewhere.
    pub fn has_kinks(&self) -> bool {
        !self.kinks.is_empty()
    }

    /// What the ends of the axes do.
    pub fn boundaries(&self) -> &[[Boundary; 2]; D] {
        &self.boundaries
    }

    /// What the edge of the sublevel set does.
    pub fn sublevel_boundary(&self) -> Boundary {
        self.sublevel_boundary
    }

    pub fn discretisation(&self, grid: &Grid<D>) -> Result<Discretisation<D>> {
        let domain = self
            .sublevel
            .map(|_| CellSet::new("sublevel", grid, |theta| self.in_domain(theta)))
            .transpose()
            .map_err(|e| under("escape", e))?;
        Ok(Discretisation {
            calculus: if self.is_diagonal {
                self.calculus
            } else {
                Calculus::Ito
            },
            boundaries: self.boundaries,
            domain,
            domain_boundary: self.sublevel_boundary,
            reach: self.reach,
        })
    }

    /// The diffusion as the generator wants it: in the calculus of [`Problem::discretisation`].
    pub fn discretised(&self) -> Interpreted<'_, D> {
        let alpha = if self.is_diagonal {
            0.0
        } else {
            self.calculus.alpha()
        };
        Interpreted { problem: self, alpha }
    }

    /// The diffusion as an Ito equation, for simulations.
    pub fn ito(&self) -> Interpreted<'_, D> {
        Interpreted {
            problem: self,
            alpha: self.calculus.alpha(),
        }
    }

    pub fn in_domain(&self, theta: &Point<D>) -> bool {
        match (self.sublevel, self.drift.landscape()) {
            (Some(level), Some(landscape)) => landscape.loss(theta) < level,
            _ => true,
        }
    }

    pub fn in_target(&self, theta: &Point<D>) -> bool {
        self.target
            .as_ref()
            .is_some_and(|target| target.contains(theta, &self.drift))
    }

    /// div D at θ; α times this is the drift that another calculus adds.
    pub fn spurious_drift(&self, theta: &Point<D>) -> Point<D> {
        // Truncation of order 1e-10 and rounding of order 1e-11 of a tensor that varies over the domain.
        const STEP: f64 = 1e-5;
        let step = Point::<D>::from_fn(|d, _| STEP * (self.bounds[d][1] - self.bounds[d][0]));
        spurious_drift(&self.plain(), theta, &self.bounds, &step)
    }

    fn plain(&self) -> Interpreted<'_, D> {
        Interpreted {
            problem: self,
            alpha: 0.0,
        }
    }

    /// Start and target on `grid`; no start cells for a point, an empty target when there is none.
    pub fn sets(&self, grid: &Grid<D>) -> Result<(Option<CellSet>, CellSet)> {
        let set = |name: &str, set: &PointSet<D>| {
            CellSet::new(name, grid, |theta| {
                set.contains(theta, &self.drift) && self.in_domain(theta)
            })
            .map_err(|e| under("escape", e))
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

    fn check(&mut self, task: &Escape) -> Result<()> {
        const MOST_MODES: usize = 20;
        if !(1..=MOST_MODES).contains(&task.slow_modes) {
            return Err(wrong(
                "slow_modes",
                format!("between 1 and {MOST_MODES} modes are possible"),
            ));
        }
        if task.calculus != EscapeCalculus::Ito && task.learning_rate.is_some() {
            return Err(wrong(
                "calculus",
                "SGD evaluates its noise before the step: with learning_rate the calculus is ito",
            ));
        }
        if self.target.is_none() && !self.absorbs() {
            return Err(wrong(
                "target",
                "this key is required unless an end of the domain absorbs",
            ));
        }
        let grid = self.grid(0)?;
        let (start, target) = self.sets(&grid)?;
        if let Some(start) = &start {
            start.require_disjoint(&target)?;
            if self.absorbs() {
                return Err(wrong(
                    "start",
                    "with an absorbing end there is no stationary law to weigh the points of a set: give a ball of radius 0",
                ));
            }
        }
        if let Some(at) = self.start.as_point() {
            if self.in_target(at) {
                return Err(wrong("target", "the target covers the start"));
            }
            if (0..D).any(|d| !(at[d] > self.bounds[d][0] && at[d] < self.bounds[d][1])) {
                return Err(wrong("start", "the start lies outside the domain"));
            }
            if !self.in_domain(at) {
                return Err(wrong("start", "the start lies above the sublevel"));
            }
        }
        self.check_finite(&grid)?;
        self.is_diagonal = (0..grid.cells()).into_par_iter().all(|cell| {
            let tensor = self.plain().tensor(&grid.centre(cell));
            (0..D).all(|r| (0..D).all(|c| r == c || tensor[(r, c)] == 0.0))
        });
        Ok(())
    }

    /// Checks loss, drift and tensor at the cell centres of a grid.
    pub fn check_finite(&self, grid: &Grid<D>) -> Result<()> {
        (0..grid.cells()).into_par_iter().try_for_each(|cell| {
            let theta = grid.centre(cell);
            if let Some(landscape) = self.drift.landscape() {
                let loss = landscape.loss(&theta);
                if self
                    .sublevel
                    .is_some_and(|level| loss.is_finite() && loss >= level)
                {
                    return Ok(());
                }
                if !loss.is_finite() {
                    return Err(wrong(
                        "loss",
                        format!("the loss is not finite at {}", position(&theta)),
                    ));
                }
            }
            if self.drift.at(&theta).iter().any(|v| !v.is_finite()) {
                let key = if self.drift.landscape().is_some() {
                    "loss"
                } else {
                    "drift"
                };
                return Err(wrong(
                    key,
                    format!("the drift is not finite at {}", position(&theta)),
                ));
            }
            self.check_tensor(&theta)
        })
    }

    fn check_tensor(&self, theta: &Point<D>) -> Result<()> {
        let tensor = self.plain().tensor(theta);
        if tensor.iter().any(|v| !v.is_finite()) {
            return Err(wrong(
                "noise",
                format!("the tensor is not finite at {}", position(theta)),
            ));
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

/// The diffusion of a problem with α div D added to its drift.
pub(super) struct Interpreted<'a, const D: usize> {
    problem: &'a Problem<D>,
    alpha: f64,
}

impl<const D: usize> Diffusion<D> for Interpreted<'_, D> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        let drift = self.problem.drift.at(theta);
        if self.alpha == 0.0 {
            return drift;
        }
        drift + self.problem.spurious_drift(theta) * self.alpha
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        self.problem.noise.covariance(theta) * self.problem.scale
    }
    fn kinks(&self) -> Vec<Kink> {
        self.problem.kinks.clone()
    }
}

/// Names of records that fields of the problem would collide with.
const TAKEN: [&str; 12] = [
    "loss",
    "committor",
    "survival",
    "density",
    "component",
    "mode",
    "density_time",
    "first_passage_time",
    "escape_rate",
    "spectral_gap",
    "slow_mode",
    "rate_constant",
];

fn check_names(task: &Escape) -> Result<()> {
    for (k, name) in task.variables.iter().enumerate() {
        if TAKEN.contains(&name.as_str()) || task.variables[..k].contains(name) {
            return Err(wrong(
                "variables",
                format!("{name:?} is the name of a result or of another variable: choose another name"),
            ));
        }
    }
    Ok(())
}

/// Refuses grids that would not fit into memory.
fn check_size(task: &Escape) -> Result<()> {
    // 600² cells take 0.6 GiB to factorise, and a little more than in proportion beyond; a line needs next to nothing
    let most = if task.cells.len() == 1 { 1e7 } else { 2e6 };
    let finest: f64 = task
        .cells
        .iter()
        .map(|n| (*n as f64) * (1 << (LEVELS - 1)) as f64)
        .product();
    if finest <= most {
        return Ok(());
    }
    Err(wrong(
        "cells",
        format!(
            "the finest of the {LEVELS} grids would have {finest:.1e} cells, more than {most:.0e}: give fewer"
        ),
    ))
}

fn bounds<const D: usize>(task: &Escape) -> Result<[[f64; 2]; D]> {
    if task.domain.len() != D || task.domain.iter().any(|pair| pair.len() != 2) {
        return Err(wrong(
            "domain",
            format!("{D} pairs [lower, upper] are needed, one a variable"),
        ));
    }
    Ok(std::array::from_fn(|d| [task.domain[d][0], task.domain[d][1]]))
}

fn boundaries<const D: usize>(task: &Escape) -> Result<[[Boundary; 2]; D]> {
    let Some(given) = &task.boundaries else {
        return Ok([[Boundary::Reflecting; 2]; D]);
    };
    if given.len() != D || given.iter().any(|pair| pair.len() != 2) {
        return Err(wrong(
            "boundaries",
            format!("{D} pairs are needed, one a variable"),
        ));
    }
    let boundaries: [[Boundary; 2]; D] = std::array::from_fn(|d| [given[d][0].get(), given[d][1].get()]);
    if boundaries
        .iter()
        .any(|[a, b]| (*a == Boundary::Periodic) != (*b == Boundary::Periodic))
    {
        return Err(wrong("boundaries", "both ends of an axis are periodic or none"));
    }
    Ok(boundaries)
}

pub(super) fn position<const D: usize>(theta: &Point<D>) -> String {
    let parts: Vec<String> = theta.iter().map(|v| format!("{v:.6}")).collect();
    format!("({})", parts.join(", "))
}
