//! Densities and first-passage times as functions of time: dP/dt = L*P, −dS/dt = (K − L) S.

use super::time_step::{Evolution, StepCounts, TimeStep, Trial, density_error};
use crate::error::{Error, Result, require, require_non_negative, require_positive};
use crate::generator::{Generator, Resolvent};
use crate::grid::CellSet;
use crate::linalg::{Chain, SinglyDiagonal, bounded_extrapolation, fed, stage_rate, two_stages};

/// Cell probabilities at given times; see [`propagate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Transient {
    /// Times asked for.
    pub times: Vec<f64>,
    /// Cell probabilities at these times.
    pub probability: Vec<Vec<f64>>,
    /// Largest |mass/initial mass − 1| over all steps.
    pub mass_error: f64,
    /// Work, limiter, and the bound of the error in time (total variation).
    pub steps: StepCounts,
}

/// Cell probabilities P(t) with dP/dt = L*P at increasing `times` ≥ 0 from `initial` at t = 0.
///
/// # Method
/// [`SinglyDiagonal`] steps with step doubling and the local `tolerance` in total variation: second order,
/// L-stable, non-negative and mass-exact at every step. [`StepCounts::error`] bounds the error in time; that
/// of the grid is of second order in the cell width.
///
/// # Errors
/// [`Error::DimensionMismatch`], [`Error::InvalidParameter`] for negative probabilities, times that do not increase
/// or a tolerance ≤ 0; [`Error::NotConverged`] when the step control gives up.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::propagate;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?;
/// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-6.0, 6.0, 400)?]))?;
/// let x = generator.grid().axes()[0].centres().to_vec();
/// let mut start = vec![0.0; 400];
/// start[300] = 1.0;
/// let law = propagate(&generator, &start, &[1.0], 1e-6)?;
/// let mean: f64 = law.probability[0].iter().zip(&x).map(|(p, x)| p * x).sum();
/// assert!((mean / (x[300] * (-1f64).exp()) - 1.0).abs() < 1e-3); // x0 e^{−t}
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn propagate(generator: &Generator, initial: &[f64], times: &[f64], tolerance: f64) -> Result<Transient> {
    check_probabilities(generator, initial)?;
    let chain = generator.chain()?;
    let mut control = TimeStep::new(tolerance, first_step(chain, initial))?;
    let mut line = Line {
        chain,
        mass: initial.iter().sum(),
        mass_error: 0.0,
    };
    let start = Density {
        p: initial.to_vec(),
        limited: 0.0,
    };
    let probability = at_times(times, &mut control, &mut line, start, |density| density.p.clone())?;
    Ok(Transient {
        times: times.to_vec(),
        probability,
        mass_error: line.mass_error,
        steps: control.counts(),
    })
}

/// The density on a chain.
struct Line<'a> {
    chain: &'a Chain,
    /// At the start.
    mass: f64,
    mass_error: f64,
}

impl Evolution for Line<'_> {
    type State = Density;

    fn step(&mut self, from: &Density, dt: f64) -> Result<Density> {
        let advanced = SinglyDiagonal::autonomous(self.chain, &[], dt)?.forward(&from.p)?;
        Ok(Density {
            p: advanced.state,
            limited: advanced.limited,
        })
    }

    fn accept(&mut self, halves: &mut [Density; 2], _start: f64, _end: f64) -> Result<()> {
        for half in halves {
            let now: f64 = half.p.iter().sum();
            self.mass_error = self.mass_error.max((now / self.mass - 1.0).abs());
        }
        Ok(())
    }
}

/// Cell probabilities, compared in total variation.
struct Density {
    p: Vec<f64>,
    limited: f64,
}

impl Trial for Density {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        density_error(&coarse.p, &fine.p)
    }
    fn limited(&self) -> f64 {
        self.limited
    }
}

/// P(t) by `steps` equal steps of second order without error control, for studies of convergence.
///
/// # Errors
/// As [`propagate`].
pub fn propagate_uniformly(
    generator: &Generator,
    initial: &[f64],
    time: f64,
    steps: usize,
) -> Result<Vec<f64>> {
    check_probabilities(generator, initial)?;
    let step = SinglyDiagonal::autonomous(generator.chain()?, &[], step_size(time, steps)?)?;
    let mut state = initial.to_vec();
    for _ in 0..steps {
        state = step.forward(&state)?.state;
    }
    Ok(state)
}

/// P(t) by `steps` implicit Euler steps: first order, positive for any step without a limiter. The reference path.
///
/// # Errors
/// As [`propagate`].
pub fn implicit_euler(generator: &Generator, initial: &[f64], time: f64, steps: usize) -> Result<Vec<f64>> {
    check_probabilities(generator, initial)?;
    let rate = 1.0 / step_size(time, steps)?;
    let step = generator.resolvent(&vec![rate; initial.len()])?;
    let mut state = initial.to_vec();
    for _ in 0..steps {
        state.iter_mut().for_each(|p| *p *= rate);
        state = step.solve_adjoint(&state)?;
    }
    Ok(state)
}

/// Law of the time to reach a set; see [`first_passage_law`].
#[derive(Debug, Clone, PartialEq)]
pub struct FirstPassageLaw {
    /// Times asked for.
    pub times: Vec<f64>,
    /// S(t) = Pr(τ > t) from the centre of each cell; zero in the target.
    pub survival: Vec<Vec<f64>>,
    /// F(t) = Pr(τ ≤ t) from the centre of each cell; one in the target.
    pub distribution: Vec<Vec<f64>>,
    /// Work, limiter, and the bound of the error in time (relative to the maximum, the larger of S and F).
    pub steps: StepCounts,
}

/// Survival S and distribution F = 1 − S of the first-passage time into `target`, at increasing `times` ≥ 0.
///
/// # Formula
/// dS/dt = (L − K) S, S(0) = 1 and dF/dt = (L − K) F + K, F(0) = 0 outside the target, K the rates into it.
///
/// # Method
/// Both are integrated, so that either is accurate relative to itself where it is small. Steps as in [`propagate`], with
/// the local `tolerance` in the maximum norm relative to the maximum of S and of F.
///
/// # Errors
/// As [`propagate`].
pub fn first_passage_law<const D: usize>(
    generator: &Generator<D>,
    target: &CellSet,
    times: &[f64],
    tolerance: f64,
) -> Result<FirstPassageLaw> {
    let inside = target.members();
    let cells = generator.grid().cells();
    if inside.len() != cells {
        return Err(Error::DimensionMismatch {
            name: format!("members of the {} set", target.name()),
            expected: cells,
            got: inside.len(),
        });
    }
    let stopped = generator.resolvent_outside(target)?;
    let killing = stopped.killing();
    let (mut survival, distribution) = (vec![0.0; cells], vec![0.0; cells]);
    stopped.cells().iter().for_each(|&cell| survival[cell] = 1.0);
    let fastest = killing.iter().copied().fold(0.0, f64::max);
    let mut control = TimeStep::new(tolerance, 1.0 / fastest)?.by_doubling();
    let mut backward = Backward {
        generator,
        target,
        killing,
        recent: Vec::new(),
    };
    let start = [survival, distribution].map(|u| Function { u, limited: 0.0 });
    let mut laws = at_times(times, &mut control, &mut backward, start, |[s, f]| {
        (s.u.clone(), f.u.clone())
    })?;
    for (survival, distribution) in &mut laws {
        for i in 0..cells {
            if inside[i] {
                (survival[i], distribution[i]) = (0.0, 1.0);
            }
        }
    }
    let (survival, distribution) = laws.into_iter().unzip();
    Ok(FirstPassageLaw {
        times: times.to_vec(),
        survival,
        distribution,
        steps: control.counts(),
    })
}

/// Survival and distribution of the first passage, with the factors of the last few time steps: steps that change by
/// powers of two come back to them.
struct Backward<'a, const D: usize> {
    generator: &'a Generator<D>,
    target: &'a CellSet,
    killing: &'a [f64],
    recent: Vec<(f64, Resolvent)>,
}

impl<const D: usize> Evolution for Backward<'_, D> {
    type State = [Function; 2];

    fn step(&mut self, [survival, distribution]: &Self::State, dt: f64) -> Result<Self::State> {
        /// A step, its half, and one cut short by an output time.
        const KEPT: usize = 3;
        let rate = stage_rate(dt);
        let known = self.recent.iter().position(|(r, _)| *r == rate);
        let entry = match known {
            Some(k) => self.recent.remove(k),
            None => (rate, self.generator.resolvent_outside_at(self.target, rate)?),
        };
        self.recent.insert(0, entry);
        self.recent.truncate(KEPT);
        let stages = &self.recent[0].1;
        // the function u in [0, 1] one step earlier, with value gained at the rates `source`
        let earlier = |function: &Function, source: &[f64]| -> Result<Function> {
            let solve = |u: &[f64]| stages.solve(&fed(rate, u, source));
            let limiter = |a: &[f64], b: &[f64]| bounded_extrapolation(a, b, 1.0);
            let advanced = two_stages(&function.u, solve, solve, limiter)?;
            Ok(Function {
                u: advanced.state,
                limited: advanced.limited,
            })
        };
        Ok([earlier(survival, &[])?, earlier(distribution, self.killing)?])
    }
}

/// A non-negative function, compared in the maximum norm relative to its maximum.
struct Function {
    u: Vec<f64>,
    limited: f64,
}

/// Several functions, of which the worst counts.
impl Trial for [Function; 2] {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        let errors = coarse.iter().zip(fine).map(|(coarse, fine)| {
            let largest = fine.u.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            let pairs = coarse.u.iter().zip(&fine.u);
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / (3.0 * largest)
        });
        errors.fold(0.0, f64::max)
    }
    fn limited(&self) -> f64 {
        self[0].limited.max(self[1].limited)
    }
}

/// Time in which the cells that hold probability empty: resolves a start from a single cell.
fn first_step(chain: &Chain, initial: &[f64]) -> f64 {
    let fastest = (0..chain.len())
        .filter(|&i| initial[i] > 0.0)
        .map(|i| chain.up()[i] + chain.down()[i])
        .fold(0.0, f64::max);
    // A chain of one cell has no rates and any step is exact.
    if fastest > 0.0 { 0.5 / fastest } else { 1.0 }
}

fn step_size(time: f64, steps: usize) -> Result<f64> {
    require_positive("time", time)?;
    require("steps", steps as f64, |n| n >= 1.0, "at least one step is needed")?;
    Ok(time / steps as f64)
}

pub(super) fn check_probabilities<const D: usize>(generator: &Generator<D>, initial: &[f64]) -> Result<()> {
    if initial.len() != generator.grid().cells() {
        return Err(Error::DimensionMismatch {
            name: "initial probabilities".into(),
            expected: generator.grid().cells(),
            got: initial.len(),
        });
    }
    for &p in initial {
        require_non_negative("initial probability", p)?;
    }
    require_positive("initial mass", initial.iter().sum())?;
    Ok(())
}

/// What `output` makes of the state at each of the times.
fn at_times<E: Evolution, T>(
    times: &[f64],
    control: &mut TimeStep,
    evolution: &mut E,
    mut state: E::State,
    output: impl Fn(&E::State) -> T,
) -> Result<Vec<T>> {
    let mut now = 0.0;
    times
        .iter()
        .map(|&time| {
            require(
                "output time",
                time,
                |t| t >= now,
                "times are >= 0 and do not decrease",
            )?;
            // counted from the output, because only the time until then matters
            control.follow(evolution, &mut state, now - time, 0.0)?;
            now = time;
            Ok(output(&state))
        })
        .collect()
}
