//! The steps of the planar density: transport and diffusion across the rows, chains along them, the limiter.

use super::planar::{PlanarDensity, PlanarSettings, PlanarSnapshot};
use super::planar_frame::{Crossing, NODES, PlanarFrame, Rates, horner};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::linalg::{Chain, FIRST_STAGE, SinglyDiagonal, conservative_extrapolation, solve_adjoint_rows};
use crate::math::remap;
use crate::observables::Trial;
use rayon::prelude::*;
use std::f64::consts::SQRT_2;

#[derive(Debug, Clone)]
pub(super) struct State {
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

pub(super) struct Solver<'a, D> {
    pub frame: PlanarFrame<'a, D>,
    pub rows: usize,
    pub half_width: f64,
    /// `tolerance/joint_tolerance`.
    pub weight: f64,
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
    pub fn start(&mut self, settings: &PlanarSettings) -> State {
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

    pub fn first_step(&self, state: &State, velocity: f64) -> Result<f64> {
        let rates = self.frame.rates(state.y, velocity, self.half_width)?;
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

    pub fn step(&self, from: &State, velocity: f64, dt: f64) -> Result<State> {
        let at = |fraction: f64| from.y + fraction * dt * velocity;
        let before = self.frame.crossing(at(0.25), velocity, self.half_width)?;
        let after = self.frame.crossing(at(0.75), velocity, self.half_width)?;
        let stages = [
            self.frame.rates(at(FIRST_STAGE), velocity, self.half_width)?,
            self.frame.rates(at(1.0), velocity, self.half_width)?,
        ];
        let mut p = from.p.clone();
        let first = self.cross(&mut p, &before, 0.5 * dt, true)?;
        let along = self.along(&mut p, &stages, dt);
        let last = self.cross(&mut p, &after, 0.5 * dt, false)?;
        Ok(State {
            p,
            y: at(1.0),
            limited: [along[0], first + along[1] + last],
            columns: from.columns,
            weight: from.weight,
        })
    }

    /// Motion and diffusion across the rows, in this order if `moving_first`; returns what the limiter kept.
    fn cross(&self, p: &mut [f64], crossing: &Crossing, dt: f64, moving_first: bool) -> Result<f64> {
        p.par_chunks_mut(self.rows)
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
            .try_reduce(|| 0.0, |a, b| Ok(a + b))
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
    fn along(&self, p: &mut [f64], stages: &[Rates; 2], dt: f64) -> [f64; 2] {
        let first = self.stage(p, &stages[0], dt);
        let (extrapolated, limited) = extrapolate(p, &first, self.rows);
        p.copy_from_slice(&self.stage(&extrapolated, &stages[1], dt));
        limited
    }

    /// An implicit stage along the rows, blocks of rows in parallel.
    fn stage(&self, source: &[f64], rates: &Rates, dt: f64) -> Vec<f64> {
        const BLOCK: usize = 50;
        let (n, rows) = (self.columns(), self.rows);
        let killing = 1.0 / (FIRST_STAGE * dt);
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

    pub fn observe(&self, state: &State, time: f64, out: &mut PlanarDensity) {
        let shear = self.frame.shear_at_centres(state.y);
        let scale = self.frame.fast.scale(state.y);
        let axis = &self.frame.fast.grid.axes()[0];
        let (mut mass, mut flat, mut x, mut z, mut zz) = (0.0, 0.0, 0.0, 0.0, 0.0);
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
                out.smallest = out.smallest.min(*p);
            }
        }
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

    /// dY/dt for which the mean of z would stand still, given a present guess.
    pub fn window_velocity(&self, state: &State, guess: f64) -> Result<f64> {
        let crossing = self.frame.crossing(state.y, guess, self.half_width)?;
        let mut mean = 0.0;
        for (column, velocity) in state.p.chunks(self.rows).zip(&crossing.velocity) {
            for (j, p) in column.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                mean += p * horner(velocity, self.zeta(j));
            }
        }
        Ok(guess + mean)
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
    pub fn widen(&mut self, state: &mut State) {
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

    pub fn check_ends(&self, state: &State) -> Result<()> {
        // As on the slow path in one dimension.
        const ALLOWED: f64 = 1e-12;
        let n = self.columns();
        for (column, where_) in [(0, "first column"), (n - 1, "last column")] {
            let probability: f64 = state.p[column * self.rows..(column + 1) * self.rows].iter().sum();
            if probability > ALLOWED {
                return Err(Error::DomainTooSmall {
                    probability,
                    allowed: ALLOWED,
                    where_: where_.into(),
                });
            }
        }
        Ok(())
    }

    pub fn snapshot(&self, state: &State, time: f64) -> PlanarSnapshot {
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

/// The extrapolation between the stages of [`SinglyDiagonal`].
///
/// The marginal of x is limited as in one dimension. Inside a column, a negative value is taken from the next row towards
/// the column's maximum: probability moves along y and the marginal of x is untouched. Returns the probability
/// moved in either way.
fn extrapolate(old: &[f64], first: &[f64], rows: usize) -> (Vec<f64>, [f64; 2]) {
    let marginal = |values: &[f64]| -> Vec<f64> { values.chunks(rows).map(|c| c.iter().sum()).collect() };
    let (before, after) = (marginal(old), marginal(first));
    let (target, kept) = conservative_extrapolation(&before, &after);
    let mut out = vec![0.0; old.len()];
    let moved = out
        .par_chunks_mut(rows)
        .zip(old.par_chunks(rows).zip(first.par_chunks(rows)))
        .enumerate()
        .map(|(i, (out, (a, b)))| {
            let mut negative = false;
            for j in 0..rows {
                out[j] = b[j] + SQRT_2 * (b[j] - a[j]);
                negative |= out[j] < 0.0;
            }
            let free = after[i] + SQRT_2 * (after[i] - before[i]);
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
        .sum();
    (out, [kept, moved])
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
