//! The density in the plane of fast and slow coordinate along the whole transient.
//!
//! ```text
//! ∂p/∂t = −∂x(b_x p) − ∂y(b_y p) + ∂xx(D_xx p) + 2 ∂xy(D_xy p) + ∂yy(D_yy p)
//! ```
//!
//! # Limitations
//! η → 0. In the coordinates of the noise (see [`CrossNoise::Sheared`]) the mixed term that is left, near the ridge and in
//! proportion to the spread of y, is left out: a positive stencil for noise of slope m must reach h_y/(m h_x) columns, 50
//! for m = 0.02 and cells of equal sides. [`PlanarSettings::ridge_width`] and the other choices of [`CrossNoise`] measure what it does.

use super::moving_frame::MovingFrame;
use super::planar_frame::{CrossNoise, Crossing, Line, NODES, PlanarFrame, Rates, horner};
use super::slow_path::{self, check_ends, farthest, floor_time, refinement_error};
use crate::diffusion::Diffusion;
use crate::error::{Result, require, require_positive};
use crate::landscape::TwoValley;
use crate::linalg::{
    Chain, FIRST_STAGE, SinglyDiagonal, conservative_extrapolation, extrapolated, solve_adjoint_rows,
    stage_rate, two_stages,
};
use crate::math::remap;
use crate::observables::{Evolution, StepCounts, TimeStep, Trial};
use rayon::prelude::*;

/// Start, end and accuracy of a [`planar_density`].
#[derive(Debug, Clone, PartialEq)]
pub struct PlanarSettings {
    /// First y ≥ 0, the same for all runs.
    pub start: f64,
    /// The run lasts until the valley floor would be at this y.
    pub end: f64,
    /// Point masses (x, probability) at the start; probabilities sum to one.
    pub initial: Vec<(f64, f64)>,
    /// Times at which the density is recorded, increasing, within the run.
    pub record: Vec<f64>,
    /// Cells a standard deviation of the narrowest valley.
    pub resolution: f64,
    /// Rows across the window of y, a multiple of 8.
    pub rows: usize,
    /// Half-width of the window of y at the start; it doubles when the density needs it.
    pub half_width: f64,
    /// Local error of a time step in the marginal of x, in total variation.
    pub tolerance: f64,
    /// Local error of a time step in the joint density, in total variation.
    pub joint_tolerance: f64,
    /// Treatment of D_xy and D_yy.
    pub cross_noise: CrossNoise,
    /// Distance from the ridge, in widths of the valley, over which the direction of the noise is turned.
    pub ridge_width: f64,
}

impl PlanarSettings {
    /// Runs from y = `start` to `end` that begin in equal parts at x = ∓0.01, on about 400 x 200 cells.
    pub fn new(start: f64, end: f64) -> Self {
        Self {
            start,
            end,
            initial: vec![(-0.01, 0.5), (0.01, 0.5)],
            record: Vec::new(),
            resolution: 7.0,
            rows: 200,
            half_width: 0.01,
            tolerance: 3e-5,
            joint_tolerance: 2e-3,
            cross_noise: CrossNoise::Sheared,
            ridge_width: 0.25,
        }
    }

    fn check(&self) -> Result<()> {
        slow_path::check(
            self.start,
            self.end,
            &self.initial,
            self.resolution,
            self.tolerance,
        )?;
        require(
            "rows",
            self.rows as f64,
            |n| n >= 16.0 && n % 8.0 == 0.0,
            "a multiple of 8, at least 16, is needed",
        )?;
        require_positive("half_width", self.half_width)?;
        require_positive("joint_tolerance", self.joint_tolerance)?;
        require_positive("ridge_width", self.ridge_width)?;
        Ok(())
    }
}

/// The planar density at one time: cell (i, j), at entry i·rows + j, has its centre at (x_i, ridge_y_j + shear_i).
#[derive(Debug, Clone, PartialEq)]
pub struct PlanarSnapshot {
    /// Time since the start.
    pub time: f64,
    /// Centres of the columns.
    pub x: Vec<f64>,
    /// Widths of the columns.
    pub width: Vec<f64>,
    /// y at which the rows cross the ridge x = 0.
    pub ridge_y: Vec<f64>,
    /// φ(x), by which y of a row differs from its y on the ridge.
    pub shear: Vec<f64>,
    /// Height of a row.
    pub height: f64,
    /// Cell probabilities.
    pub probability: Vec<f64>,
}

/// Observables along the transient, at the start and at each half step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanarDensity {
    /// Time since the start.
    pub time: Vec<f64>,
    /// Mean y.
    pub mean_y: Vec<f64>,
    /// Standard deviation of y.
    pub deviation_y: Vec<f64>,
    /// Mean x.
    pub mean_x: Vec<f64>,
    /// Probability of x > 0.
    pub p_flat: Vec<f64>,
    /// Net probability per time through the ridge to the flat side, mean over the half step that ends here.
    pub ridge_flux: Vec<f64>,
    /// Densities at the times asked for.
    pub snapshots: Vec<PlanarSnapshot>,
    /// Columns and rows.
    pub cells: [usize; 2],
    /// Half-width of the window of y at the end.
    pub half_width: f64,
    /// Error of the final P_flat in space and time, from a run on a quarter of the cells with 8 times the tolerances.
    pub p_flat_error: f64,
    /// Error of the final mean y, in the same way.
    pub mean_y_error: f64,
    /// Largest |mass − 1| over all steps.
    pub mass_error: f64,
    /// Smallest cell probability over all steps.
    pub smallest: f64,
    /// Work, limiter, and the bound of the error in time.
    pub steps: StepCounts,
}

impl PlanarDensity {
    /// P_flat at the end.
    pub fn final_p_flat(&self) -> f64 {
        self.p_flat[self.p_flat.len() - 1]
    }
}

/// Density of (x, y) of `diffusion` on the landscape of `model` along the transient.
///
/// # Method
/// Columns in x/x1*(Y), rows along the direction of the noise, in a window that moves with the mean of y and doubles its
/// height when the density fills it. Strang splitting: monotone third-order remap and implicit diffusion across the
/// rows, Scharfetter-Gummel chains with the second-order L-stable step of [`crate::linalg::SinglyDiagonal`] along them; step doubling.
/// Every part is non-negative and conserves mass for any step. Second order in time and in the cells.
///
/// # Errors
/// [`crate::Error::InvalidParameter`], [`crate::Error::DomainTooSmall`], [`crate::Error::Unreachable`] and the errors of the diffusion.
///
/// # Examples
/// ```no_run
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::{PlanarSettings, planar_density};
/// use freezeout::landscape::TwoValley;
/// let model = TwoValley::default();
/// let sgd = Sgd::hessian_power(model, 1.0, 1.0, 1e-3, 1e-8)?; // Δ = 1e-3
/// let run = planar_density(&model, &sgd, &PlanarSettings::new(1.0, 26.0))?;
/// assert!((run.final_p_flat() - 0.961).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn planar_density<D: Diffusion<2>>(
    model: &TwoValley,
    diffusion: &D,
    settings: &PlanarSettings,
) -> Result<PlanarDensity> {
    settings.check()?;
    let mut fine = run(model, diffusion, settings)?;
    let coarse = run(
        model,
        diffusion,
        &PlanarSettings {
            resolution: (0.5 * settings.resolution).max(1.0),
            rows: settings.rows / 2,
            tolerance: 8.0 * settings.tolerance,
            joint_tolerance: 8.0 * settings.joint_tolerance,
            record: Vec::new(),
            ..settings.clone()
        },
    )?;
    let error = |number: fn(&PlanarDensity) -> &[f64]| {
        let [fine, coarse] = [&fine, &coarse].map(|run| number(run)[run.time.len() - 1]);
        refinement_error(fine, coarse)
    };
    (fine.p_flat_error, fine.mean_y_error) = (error(|run| &run.p_flat), error(|run| &run.mean_y));
    Ok(fine)
}

fn run<D: Diffusion<2>>(
    model: &TwoValley,
    diffusion: &D,
    settings: &PlanarSettings,
) -> Result<PlanarDensity> {
    let fast = MovingFrame::new(
        model,
        &|y| {
            Ok(Line {
                diffusion,
                y: move |_| y,
            })
        },
        settings.start,
        settings.end,
        farthest(&settings.initial),
        settings.resolution,
    )?;
    let duration = floor_time(model, settings.start, settings.end, 1.0)?;
    let mut solver = Solver {
        frame: PlanarFrame::new(diffusion, &fast, settings.cross_noise, settings.ridge_width)?,
        rows: settings.rows,
        half_width: settings.half_width,
        weight: settings.tolerance / settings.joint_tolerance,
        velocity: 0.0,
        seen: PlanarDensity {
            cells: [fast.grid.cells(), settings.rows],
            smallest: f64::INFINITY,
            ..PlanarDensity::default()
        },
    };
    let state = solver.start(settings);
    solver.velocity = solver.window_velocity(&state)?;
    solver.observe(&state, 0.0);
    let mut control = TimeStep::new(settings.tolerance, solver.first_step(&state)?)?;
    slow_path::follow(
        &mut control,
        &mut solver,
        state,
        duration,
        &settings.record,
        |solver, state, time| {
            let snapshot = solver.snapshot(state, time);
            solver.seen.snapshots.push(snapshot);
        },
    )?;
    Ok(PlanarDensity {
        half_width: solver.half_width,
        steps: control.counts(),
        ..solver.seen
    })
}

/// The density in the window.
#[derive(Debug, Clone)]
struct State {
    p: Vec<f64>,
    /// Y, the middle of the window.
    y: f64,
    /// Probability moved by the limiter in the marginal of x, and within columns.
    limited: [f64; 2],
    columns: usize,
    /// `tolerance/joint_tolerance`.
    weight: f64,
}

impl Trial for State {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        let rows = fine.p.len() / fine.columns;
        let (mut marginal, mut joint) = (0.0, 0.0);
        for (a, b) in coarse.p.chunks(rows).zip(fine.p.chunks(rows)) {
            let mut difference = 0.0;
            for (a, b) in a.iter().zip(b) {
                difference += a - b;
                joint += (a - b).abs();
            }
            marginal += difference.abs();
        }
        (marginal / 6.0).max(fine.weight * joint / 6.0)
    }
    fn limited(&self) -> f64 {
        self.limited[0] + self.weight * self.limited[1]
    }
}

/// The density in the plane, the window that follows it, and what has been seen of it.
struct Solver<'a, D> {
    frame: PlanarFrame<'a, D>,
    rows: usize,
    half_width: f64,
    /// `tolerance/joint_tolerance`.
    weight: f64,
    /// dY/dt.
    velocity: f64,
    seen: PlanarDensity,
}

impl<D: Diffusion<2>> Evolution for Solver<'_, D> {
    type State = State;

    fn step(&mut self, from: &State, dt: f64) -> Result<State> {
        let velocity = self.velocity;
        let at = |fraction: f64| from.y + fraction * dt * velocity;
        let before = self.frame.crossing(at(0.25), velocity, self.half_width)?;
        let after = self.frame.crossing(at(0.75), velocity, self.half_width)?;
        let stages = [
            self.frame.rates(at(FIRST_STAGE), velocity, self.half_width)?,
            self.frame.rates(at(1.0), velocity, self.half_width)?,
        ];
        let mut p = from.p.clone();
        let first = self.cross(&mut p, &before, 0.5 * dt, true)?;
        let along = self.along(&mut p, &stages, dt)?;
        let last = self.cross(&mut p, &after, 0.5 * dt, false)?;
        Ok(State {
            p,
            y: at(1.0),
            limited: [along[0], first + along[1] + last],
            columns: from.columns,
            weight: from.weight,
        })
    }

    fn accept(&mut self, halves: &mut [State; 2], start: f64, end: f64) -> Result<()> {
        let [first, second] = halves;
        self.observe(first, 0.5 * (start + end));
        self.observe(second, end);
        let column = |i: usize| second.p[i * self.rows..(i + 1) * self.rows].iter().sum();
        check_ends([column(0), column(self.columns() - 1)])?;
        self.velocity = self.window_velocity(second)?;
        self.widen(second);
        Ok(())
    }
}

impl<D: Diffusion<2>> Solver<'_, D> {
    fn columns(&self) -> usize {
        self.frame.fast.grid.cells()
    }

    fn height(&self) -> f64 {
        2.0 * self.half_width / self.rows as f64
    }

    /// ζ = z/W of row j.
    fn zeta(&self, j: usize) -> f64 {
        (2 * j + 1) as f64 / self.rows as f64 - 1.0
    }

    /// Point masses; the window is placed and widened so that all of them stand in its inner half.
    fn start(&mut self, settings: &PlanarSettings) -> State {
        let marginal = self.frame.fast.point_masses(settings.start, &settings.initial);
        let offset: f64 = self
            .frame
            .shear_at_centres(settings.start)
            .iter()
            .zip(&marginal)
            .map(|(shear, p)| shear * p)
            .sum();
        let y = settings.start - offset;
        let shear = self.frame.shear_at_centres(y);
        let occupied = || (0..marginal.len()).filter(|&i| marginal[i] > 0.0);
        let furthest = occupied().map(|i| (offset - shear[i]).abs()).fold(0.0, f64::max);
        while 0.5 * self.half_width < furthest {
            self.half_width *= 2.0;
        }
        let mut p = vec![0.0; marginal.len() * self.rows];
        for i in occupied() {
            // Shared by the two nearest rows so that the mean of y is exact.
            let position = (self.half_width + offset - shear[i]) / self.height() - 0.5;
            let row = position.floor();
            let first = i * self.rows + row as usize;
            p[first] = marginal[i] * (1.0 - (position - row));
            p[first + 1] = marginal[i] * (position - row);
        }
        State {
            p,
            y,
            limited: [0.0; 2],
            columns: marginal.len(),
            weight: self.weight,
        }
    }

    fn first_step(&self, state: &State) -> Result<f64> {
        let rates = self.frame.rates(state.y, self.velocity, self.half_width)?;
        let fastest = (0..self.columns())
            .filter(|&i| {
                state.p[i * self.rows..(i + 1) * self.rows]
                    .iter()
                    .any(|p| *p > 0.0)
            })
            .map(|i| {
                let mut out = [0.0; 2];
                rates.up[i].fill(&[0.0], &mut out[..1]);
                rates.down[i].fill(&[0.0], &mut out[1..]);
                out[0] + out[1]
            })
            .fold(0.0, f64::max);
        Ok(0.5 / fastest)
    }

    /// Motion and diffusion across the rows, in this order if `moving_first`; returns what the limiter kept.
    fn cross(&self, p: &mut [f64], crossing: &Crossing, dt: f64, moving_first: bool) -> Result<f64> {
        // summed in the order of the columns: the bytes must not depend on which thread is done first
        let limited: Vec<f64> = p
            .par_chunks_mut(self.rows)
            .enumerate()
            .map(|(i, column)| {
                if column.iter().all(|v| *v == 0.0) {
                    return Ok(0.0);
                }
                if moving_first {
                    self.transport(column, &crossing.velocity[i], dt);
                }
                let limited = self.spread(column, &crossing.spreading[i], dt)?;
                if !moving_first {
                    self.transport(column, &crossing.velocity[i], dt);
                }
                Ok(limited)
            })
            .collect::<Result<_>>()?;
        Ok(limited.iter().sum())
    }

    /// Remap with departure points of the faces by the midpoint rule.
    fn transport(&self, column: &mut [f64], velocity: &[f64; NODES], dt: f64) {
        let (n, w) = (self.rows as f64, self.half_width);
        let mut last = 0.0;
        let departure: Vec<f64> = (0..=self.rows)
            .map(|j| {
                let zeta = 2.0 * j as f64 / n - 1.0;
                let middle = (zeta - 0.5 * dt / w * horner(velocity, zeta)).clamp(-1.0, 1.0);
                let from = (zeta - dt / w * horner(velocity, middle)).clamp(-1.0, 1.0);
                // Characteristics do not cross; where a long step makes them, in empty columns, the later one waits.
                last = f64::max(last, 0.5 * n * (from + 1.0));
                last
            })
            .collect();
        column.copy_from_slice(&remap(column, &departure));
    }

    /// ∂t p = ∂zz (D_zz p) over dt.
    fn spread(&self, column: &mut [f64], values: &[f64; NODES], dt: f64) -> Result<f64> {
        let inverse = 1.0 / self.height().powi(2);
        let n = self.rows;
        let mut rates: Vec<f64> = (0..n)
            .map(|j| inverse * self.frame.spreading(values, self.zeta(j)))
            .collect();
        // Moves less than rounding of the density.
        if rates.iter().all(|r| r * dt < f64::EPSILON) {
            return Ok(0.0);
        }
        let mut down = rates.clone();
        rates[n - 1] = 0.0;
        down[0] = 0.0;
        let moved = SinglyDiagonal::autonomous(&Chain::new(rates, down)?, &[], dt)?.forward(column)?;
        column.copy_from_slice(&moved.state);
        Ok(moved.limited)
    }

    /// The step along the rows; returns what the limiter moved.
    fn along(&self, p: &mut [f64], stages: &[Rates; 2], dt: f64) -> Result<[f64; 2]> {
        let advanced = two_stages(
            p,
            |p| Ok(self.stage(p, &stages[0], dt)),
            |q| Ok(self.stage(q, &stages[1], dt)),
            |old, first| extrapolate(old, first, self.rows),
        )?;
        p.copy_from_slice(&advanced.state);
        Ok(advanced.limited)
    }

    /// An implicit stage along the rows, blocks of rows in parallel.
    fn stage(&self, source: &[f64], rates: &Rates, dt: f64) -> Vec<f64> {
        const BLOCK: usize = 50;
        let (n, rows) = (self.columns(), self.rows);
        let killing = stage_rate(dt);
        let starts: Vec<usize> = (0..rows).step_by(BLOCK).collect();
        let blocks: Vec<(usize, Vec<f64>)> = starts
            .into_par_iter()
            .map(|start| {
                let end = (start + BLOCK).min(rows);
                let zeta: Vec<f64> = (start..end).map(|j| self.zeta(j)).collect();
                let mut block = Vec::with_capacity(n * zeta.len());
                for i in 0..n {
                    block.extend_from_slice(&source[i * rows + start..i * rows + end]);
                }
                let solved = solve_adjoint_rows(zeta.len(), killing, &block, |i, up, down| {
                    rates.up[i].fill(&zeta, up);
                    rates.down[i].fill(&zeta, down);
                });
                (start, solved)
            })
            .collect();
        let mut out = vec![0.0; source.len()];
        for (start, block) in blocks {
            let size = block.len() / n;
            for i in 0..n {
                out[i * rows + start..i * rows + start + size]
                    .copy_from_slice(&block[i * size..(i + 1) * size]);
            }
        }
        out
    }

    fn observe(&mut self, state: &State, time: f64) {
        let shear = self.frame.shear_at_centres(state.y);
        let scale = self.frame.fast.scale(state.y);
        let axis = &self.frame.fast.grid.axes()[0];
        let (mut mass, mut flat, mut x, mut z, mut zz) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut smallest = self.seen.smallest;
        for (i, column) in state.p.chunks(self.rows).enumerate() {
            let sum: f64 = column.iter().sum();
            mass += sum;
            x += sum * axis.centre(i) * scale;
            if i >= self.frame.fast.ridge {
                flat += sum;
            }
            for (j, p) in column.iter().enumerate() {
                let offset = shear[i] + self.half_width * self.zeta(j);
                z += p * offset;
                zz += p * offset * offset;
                smallest = smallest.min(*p);
            }
        }
        let out = &mut self.seen;
        out.smallest = smallest;
        if let (Some(before), Some(p)) = (out.time.last(), out.p_flat.last()) {
            out.ridge_flux.push((flat - p) / (time - before));
        } else {
            out.ridge_flux.push(0.0);
        }
        out.time.push(time);
        out.mean_y.push(state.y + z);
        // Rounding can make the variance of a single row negative.
        out.deviation_y.push((zz - z * z).max(0.0).sqrt());
        out.mean_x.push(x);
        out.p_flat.push(flat);
        out.mass_error = out.mass_error.max((mass - 1.0).abs());
    }

    /// dY/dt for which the mean of z would stand still, with the present one as a guess.
    fn window_velocity(&self, state: &State) -> Result<f64> {
        let crossing = self.frame.crossing(state.y, self.velocity, self.half_width)?;
        let mut mean = 0.0;
        for (column, velocity) in state.p.chunks(self.rows).zip(&crossing.velocity) {
            for (j, p) in column.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                mean += p * horner(velocity, self.zeta(j));
            }
        }
        Ok(self.velocity + mean)
    }

    /// Probability in the outermost twentieth of the rows on either side.
    fn margin(&self, state: &State) -> f64 {
        let edge = self.rows / 20 + 1;
        state
            .p
            .chunks(self.rows)
            .map(|c| c[..edge].iter().chain(&c[self.rows - edge..]).sum::<f64>())
            .sum()
    }

    /// Merges rows in pairs while the density fills the window.
    fn widen(&mut self, state: &mut State) {
        // Transport takes the tails further by a few rows before the next look.
        const FILLED: f64 = 1e-10;
        while self.margin(state) > FILLED {
            let rows = self.rows;
            for column in state.p.chunks_mut(rows) {
                let mut wide = vec![0.0; rows];
                for (j, p) in column.iter().enumerate() {
                    wide[rows / 4 + j / 2] += p;
                }
                column.copy_from_slice(&wide);
            }
            self.half_width *= 2.0;
        }
    }

    fn snapshot(&self, state: &State, time: f64) -> PlanarSnapshot {
        let axis = &self.frame.fast.grid.axes()[0];
        let scale = self.frame.fast.scale(state.y);
        PlanarSnapshot {
            time,
            x: axis.centres().iter().map(|u| u * scale).collect(),
            width: (0..axis.cells()).map(|i| axis.width(i) * scale).collect(),
            ridge_y: (0..self.rows)
                .map(|j| state.y + self.half_width * self.zeta(j))
                .collect(),
            shear: self.frame.shear_at_centres(state.y),
            height: self.height(),
            probability: state.p.clone(),
        }
    }
}

/// The limiter between the stages.
///
/// The marginal of x is limited as in one dimension. Inside a column, a negative value is taken from the next row towards
/// the column's maximum: probability moves along y and the marginal of x is untouched. Returns the probability
/// moved in either way.
fn extrapolate(old: &[f64], first: &[f64], rows: usize) -> (Vec<f64>, [f64; 2]) {
    let marginal = |values: &[f64]| -> Vec<f64> { values.chunks(rows).map(|c| c.iter().sum()).collect() };
    let (before, after) = (marginal(old), marginal(first));
    let (target, kept) = conservative_extrapolation(&before, &after);
    let mut out = vec![0.0; old.len()];
    // summed in the order of the columns, whichever thread is done first
    let moved: Vec<f64> = out
        .par_chunks_mut(rows)
        .zip(old.par_chunks(rows).zip(first.par_chunks(rows)))
        .enumerate()
        .map(|(i, (out, (a, b)))| {
            let mut negative = false;
            for j in 0..rows {
                out[j] = extrapolated(a[j], b[j]);
                negative |= out[j] < 0.0;
            }
            let free = extrapolated(before[i], after[i]);
            let mut moved = 0.0;
            if negative && target[i] == free {
                moved = fill_from_inside(out);
                // Left only when the column's sum is zero up to rounding.
                negative = out.iter().any(|v| *v < 0.0);
            }
            if negative || target[i] != free {
                // A limited column keeps the profile of the first stage; one that underflowed has none.
                for j in 0..rows {
                    out[j] = if after[i] > 0.0 {
                        b[j] / after[i] * target[i]
                    } else {
                        target[i] / rows as f64
                    };
                }
            }
            moved
        })
        .collect();
    (out, [kept, moved.iter().sum()])
}

/// Hands negative values on towards the maximum; returns the sum of what was handed on.
fn fill_from_inside(column: &mut [f64]) -> f64 {
    let n = column.len();
    let peak = (0..n).fold(0, |best, j| if column[j] > column[best] { j } else { best });
    let mut moved = 0.0;
    for j in 0..peak {
        if column[j] < 0.0 {
            moved -= column[j];
            column[j + 1] += column[j];
            column[j] = 0.0;
        }
    }
    for j in (peak + 1..n).rev() {
        if column[j] < 0.0 {
            moved -= column[j];
            column[j - 1] += column[j];
            column[j] = 0.0;
        }
    }
    moved
}
