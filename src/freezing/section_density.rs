//! The density of the fast coordinate along the sections of any problem, without rates.
//!
//! ```text
//! ∂p/∂t = −∂x (b_x(x, s(t)) p) + ∂xx (f D_xx(x, s(t)) p),   ds/dt = v(s)
//! ```

use super::section_grid::section_axis;
use super::slow_path::{check_ends, refinement_error};
use super::{DensitySnapshot, NoiseSchedule, SlowFast, ValleyPath, Valleys};
use crate::diffusion::Diffusion;
use crate::error::{Result, require};
use crate::generator::Generator;
use crate::grid::Grid;
use crate::linalg::{Chain, FIRST_STAGE, SinglyDiagonal};
use crate::observables::{Evolution, TimeStep, Trial, density_error};

/// The density along the path; see [`section_density`].
#[derive(Debug, Clone, PartialEq)]
pub struct SectionDensity {
    /// Densities at the slow positions asked for, and last at the end.
    pub snapshots: Vec<DensitySnapshot>,
    /// Error of the probability of each valley at the end, largest of all, in space and time.
    pub error: f64,
}

impl SectionDensity {
    /// Probabilities of the intervals between `ridges` in one of the snapshots, a cell on a ridge shared in proportion.
    pub fn probabilities(snapshot: &DensitySnapshot, ridges: &[f64]) -> Vec<f64> {
        let mut p = vec![0.0; ridges.len() + 1];
        for ((x, width), mass) in snapshot.x.iter().zip(&snapshot.width).zip(&snapshot.probability) {
            let mut from = x - 0.5 * width;
            let end = x + 0.5 * width;
            let mut k = ridges.partition_point(|ridge| *ridge <= from);
            while from < end {
                let to = ridges.get(k).map_or(end, |ridge| ridge.min(end));
                p[k] += mass * (to - from) / width;
                from = to;
                k += 1;
            }
        }
        p
    }
}

/// Density of x along the slow path of `problem`, from the points (x, probability) `starts`, at the slow positions `record`.
///
/// # Method
/// s follows the clock of `path`, so that the two differ by the rates alone. Scharfetter-Gummel generator on one grid with `resolution` cells a
/// standard deviation where any section has a valley, time steps of second order, L-stable, non-negative and mass-exact ([`SinglyDiagonal`])
/// with the local `tolerance`, ending at the changes of the schedule.
///
/// # Errors
/// The error is the change when cells are twice as wide and the tolerance is eight times as large: of second order, that is three times the error left,
/// and the order at jumps of the noise and moving ridges is not asked for. [`crate::Error::DomainTooSmall`] when the density comes to the ends of x.
pub fn section_density<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    schedule: &NoiseSchedule,
    path: &ValleyPath,
    starts: &[(f64, f64)],
    record: &[f64],
    resolution: f64,
    tolerance: f64,
) -> Result<SectionDensity> {
    let run =
        |resolution: f64, tolerance: f64| run(problem, schedule, path, starts, record, resolution, tolerance);
    let fine = run(resolution, tolerance)?;
    let coarse = run(0.5 * resolution, 8.0 * tolerance)?;
    let (_, ridges) = path.at_end();
    let last = |snapshots: &[DensitySnapshot]| {
        SectionDensity::probabilities(&snapshots[snapshots.len() - 1], &ridges)
    };
    let pairs = last(&fine).into_iter().zip(last(&coarse));
    let error = pairs.map(|(a, b)| refinement_error(a, b)).fold(0.0, f64::max);
    Ok(SectionDensity {
        snapshots: fine,
        error,
    })
}

fn run<T: Diffusion<2>>(
    problem: &SlowFast<T>,
    schedule: &NoiseSchedule,
    path: &ValleyPath,
    starts: &[(f64, f64)],
    record: &[f64],
    resolution: f64,
    tolerance: f64,
) -> Result<Vec<DensitySnapshot>> {
    let clock = Clock::new(path);
    let sampled = path.sampled();
    let bottoms: Vec<&Valleys> = sampled.iter().collect();
    let kinks = problem.section(problem.range()[0], 1.0).kinks();
    let mut faces: Vec<f64> = kinks.iter().map(|kink| kink.position).collect();
    faces.extend(path.at_end().1);
    let grid = Grid::new([section_axis(
        None,
        problem.bounds(),
        &bottoms,
        &faces,
        resolution,
    )?]);
    let mut p = vec![0.0; grid.cells()];
    for &(x, share) in starts {
        for (cell, part) in grid.spread([x]) {
            p[cell] += share * part;
        }
    }
    let axis = &grid.axes()[0];
    let snapshot = |p: &[f64], s: f64, time: f64| DensitySnapshot {
        time,
        y: s,
        x: axis.centres().to_vec(),
        width: (0..axis.cells()).map(|i| axis.width(i)).collect(),
        probability: p.to_vec(),
    };
    let [start, end] = problem.range();
    let mut snapshots = Vec::with_capacity(record.len() + 1);
    let mut records = record.iter().copied().peekable();
    let mut state = State {
        p,
        time: 0.0,
        limited: 0.0,
    };
    for (from, to, factor) in schedule.pieces(start, end) {
        let mut evolution = Evolving {
            problem,
            grid: &grid,
            clock: &clock,
            factor,
        };
        // after a change of the noise again from the time in which a cell empties
        let chain = evolution.chain(clock.time(from))?;
        let occupied = (0..state.p.len()).filter(|i| state.p[*i] > 0.0);
        let fastest = occupied
            .map(|i| chain.up()[i] + chain.down()[i])
            .fold(0.0, f64::max);
        let mut steps = TimeStep::new(tolerance, 0.5 / fastest)?;
        loop {
            let stop = match records.peek() {
                Some(s) if *s <= to => *s,
                _ => to,
            };
            require(
                "record",
                stop,
                |s| s >= from && s <= to,
                "slow positions ascend within the path",
            )?;
            let (now, then) = (state.time, clock.time(stop));
            steps.follow(&mut evolution, &mut state, now, then)?;
            state.time = then;
            if records.next_if(|s| *s <= to).is_none() {
                break;
            }
            snapshots.push(snapshot(&state.p, stop, then));
        }
    }
    snapshots.push(snapshot(&state.p, end, state.time));
    Ok(snapshots)
}

/// s(t) and t(s), by Hermite's cubics between the nodes of the path.
struct Clock {
    s: Vec<f64>,
    time: Vec<f64>,
    velocity: Vec<f64>,
}

impl Clock {
    fn new(path: &ValleyPath) -> Self {
        let (s, time) = path.clock();
        let velocity = path.velocity();
        // the ends of a stretch and the start of the next are one
        let mut clock = Self {
            s: Vec::new(),
            time: Vec::new(),
            velocity: Vec::new(),
        };
        for ((s, time), velocity) in s.into_iter().zip(time).zip(velocity) {
            if clock.time.last().is_none_or(|last| time > *last) {
                clock.s.push(s);
                clock.time.push(time);
                clock.velocity.push(velocity);
            }
        }
        clock
    }

    fn cubic(x: &[f64], y: &[f64], slope: impl Fn(usize) -> f64, at: f64) -> f64 {
        let k = x.partition_point(|x| *x <= at).clamp(1, x.len() - 1) - 1;
        let h = x[k + 1] - x[k];
        let u = ((at - x[k]) / h).clamp(0.0, 1.0);
        let (a, b) = (h * slope(k), h * slope(k + 1));
        let d = y[k + 1] - y[k];
        y[k] + u * (a + u * ((3.0 * d - 2.0 * a - b) + u * (a + b - 2.0 * d)))
    }

    fn s(&self, time: f64) -> f64 {
        Self::cubic(&self.time, &self.s, |k| self.velocity[k], time)
    }

    fn time(&self, s: f64) -> f64 {
        Self::cubic(&self.s, &self.time, |k| 1.0 / self.velocity[k], s)
    }
}

struct Evolving<'a, T> {
    problem: &'a SlowFast<T>,
    grid: &'a Grid<1>,
    clock: &'a Clock,
    factor: f64,
}

impl<T: Diffusion<2>> Evolving<'_, T> {
    fn chain(&self, time: f64) -> Result<Chain> {
        let section = self.problem.section(self.clock.s(time), self.factor);
        Ok(Generator::assemble(&section, self.grid.clone())?.chain()?.clone())
    }
}

#[derive(Debug, Clone)]
struct State {
    p: Vec<f64>,
    time: f64,
    limited: f64,
}

impl Trial for State {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        density_error(&coarse.p, &fine.p)
    }
    fn limited(&self) -> f64 {
        self.limited
    }
}

impl<T: Diffusion<2>> Evolution for Evolving<'_, T> {
    type State = State;

    fn step(&mut self, from: &State, dt: f64) -> Result<State> {
        let chains = [
            self.chain(from.time + FIRST_STAGE * dt)?,
            self.chain(from.time + dt)?,
        ];
        let advanced = SinglyDiagonal::new([&chains[0], &chains[1]], [&[], &[]], dt)?.forward(&from.p)?;
        Ok(State {
            p: advanced.state,
            time: from.time + dt,
            limited: advanced.limited,
        })
    }

    fn accept(&mut self, halves: &mut [State; 2], _start: f64, _end: f64) -> Result<()> {
        let p = &halves[1].p;
        check_ends([p[0], p[p.len() - 1]])
    }
}
