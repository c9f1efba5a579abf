//! The density of the fast coordinate along the slow path, without the adiabatic approximation.
//!
//! ```text
//! ∂p/∂t = −∂x (b(x, y(t)) p) + ∂xx (D(x, y(t)) p),   dy/dt = ramp · v(y)   or   dy/dt = −ramp ⟨∂L/∂y⟩_p
//! ```
//!
//! # Limitations
//! η → 0; y is one number for all runs, so that its own noise and its spread are left out.

use super::moving_frame::MovingFrame;
use super::slow_path::{self, check_ends, farthest, floor_time, refinement_error};
use crate::diffusion::Diffusion;
use crate::error::{Result, require_positive};
use crate::generator::Generator;
use crate::grid::CellSet;
use crate::landscape::TwoValley;
use crate::linalg::{Advanced, Chain, FIRST_STAGE, SinglyDiagonal};
use crate::observables::{Evolution, StepCounts, TimeStep, Trial, density_error};

/// What moves y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlowMotion {
    /// The noise-free valley floor, [`TwoValley::floor_velocity`].
    #[default]
    Floor,
    /// The mean force −⟨∂L/∂y⟩ of the density.
    Mean,
}

/// Start, end and accuracy of a [`density_path`].
#[derive(Debug, Clone, PartialEq)]
pub struct DensityPathSettings {
    /// First y ≥ 0.
    pub start: f64,
    /// The run lasts until the floor would be at this y.
    pub end: f64,
    /// Point masses (x, probability) at the start; probabilities sum to one.
    pub initial: Vec<(f64, f64)>,
    /// What moves y.
    pub motion: SlowMotion,
    /// Factor on dy/dt.
    pub ramp: f64,
    /// Times at which the density is recorded, increasing, within the run.
    pub record: Vec<f64>,
    /// Cells a standard deviation of the narrowest valley.
    pub resolution: f64,
    /// Local error of a time step in total variation.
    pub tolerance: f64,
}

impl DensityPathSettings {
    /// Runs from y = `start` to `end` that begin in equal parts at x = ∓0.01 and follow the valley floor, with
    /// errors of about 2e-5 in P_flat.
    pub fn new(start: f64, end: f64) -> Self {
        Self {
            start,
            end,
            initial: vec![(-0.01, 0.5), (0.01, 0.5)],
            motion: SlowMotion::Floor,
            ramp: 1.0,
            record: Vec::new(),
            resolution: 10.0,
            tolerance: 1e-5,
        }
    }

    /// Cells twice as wide, and steps twice as long (the local error is of third order): errors are four times larger.
    pub(super) fn coarser(&self) -> Self {
        Self {
            resolution: (0.5 * self.resolution).max(1.0),
            tolerance: 8.0 * self.tolerance,
            ..self.clone()
        }
    }
}

/// The density at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct DensitySnapshot {
    /// Time since the start.
    pub time: f64,
    /// y at that time.
    pub y: f64,
    /// Cell centres.
    pub x: Vec<f64>,
    /// Cell widths.
    pub width: Vec<f64>,
    /// Cell probabilities.
    pub probability: Vec<f64>,
}

impl DensitySnapshot {
    /// Φ = −ln p with minimum 0; infinite where p is below the range of f64.
    pub fn effective_potential(&self) -> Vec<f64> {
        let phi: Vec<f64> = self
            .probability
            .iter()
            .zip(&self.width)
            .map(|(p, w)| w.ln() - p.ln())
            .collect();
        let lowest = phi.iter().copied().fold(f64::INFINITY, f64::min);
        phi.iter().map(|v| v - lowest).collect()
    }
}

/// Observables along the path, at the start and at each half step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DensityPath {
    /// Time since the start.
    pub time: Vec<f64>,
    /// y.
    pub y: Vec<f64>,
    /// dy/dt.
    pub velocity: Vec<f64>,
    /// Probability of x > 0.
    pub p_flat: Vec<f64>,
    /// Probability that the valley half-way into which a run was last is the flat one.
    pub p_flat_label: Vec<f64>,
    /// Mean x.
    pub mean_x: Vec<f64>,
    /// Net probability per time through the ridge from the sharp to the flat side (at the start: 0).
    pub ridge_flux: Vec<f64>,
    /// Hops from the flat to the sharp valley per time and run, in the sense of the label.
    pub flat_to_sharp_flux: Vec<f64>,
    /// Hops from the sharp to the flat valley per time and run.
    pub sharp_to_flat_flux: Vec<f64>,
    /// Densities at the times asked for.
    pub snapshots: Vec<DensitySnapshot>,
    /// Number of cells.
    pub cells: usize,
    /// Error of the final P_flat in space and time, from a run on half the cells with 8 times the tolerance.
    pub p_flat_error: f64,
    /// Largest |mass − 1| over all steps.
    pub mass_error: f64,
    /// Work, limiter, and the bound of the error in time.
    pub steps: StepCounts,
}

impl DensityPath {
    /// P_flat at the end.
    pub fn final_p_flat(&self) -> f64 {
        self.p_flat[self.p_flat.len() - 1]
    }

    /// ∫ f dt over the run by Simpson's rule on each step (two equal halves).
    pub(super) fn integral(&self, f: impl Fn(usize) -> f64) -> f64 {
        (0..(self.time.len() - 1) / 2)
            .map(|k| {
                let i = 2 * k;
                (self.time[i + 2] - self.time[i]) / 6.0 * (f(i) + 4.0 * f(i + 1) + f(i + 2))
            })
            .sum()
    }
}

/// Density of x along the slow path of `model` under the slice diffusions `slice(y)`.
///
/// # Method
/// Scharfetter-Gummel generator in the coordinate x/x1*(y), in which the valleys stand still; time steps of second
/// order, L-stable, non-negative and mass-exact ([`crate::linalg::SinglyDiagonal`]) with the generator at both stages and step
/// doubling. Second order in the cell width. The label of a run is the valley whose half-way point to the
/// ridge it passed last; its density is propagated along.
///
/// # Errors
/// [`crate::Error::InvalidParameter`], errors of the slices and of [`crate::generator::Generator::assemble`], [`crate::Error::Unreachable`] when the floor
/// does not lead to `end`, [`crate::Error::DomainTooSmall`] when a slice is wider than its curvature and noise at the minima say.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::{DensityPathSettings, density_path};
/// use freezeout::landscape::{Slice, TwoValley};
/// let model = TwoValley::default();
/// let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0); // Δ = 1e-3
/// let settings = DensityPathSettings { resolution: 6.0, tolerance: 1e-4, ..DensityPathSettings::new(5.0, 15.0) };
/// let path = density_path(&model, slice, &settings)?;
/// assert!(path.mass_error < 1e-12);
/// assert!((path.final_p_flat() - 0.9242).abs() < 1e-3);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn density_path<S: Diffusion<1>>(
    model: &TwoValley,
    slice: impl Fn(f64) -> Result<S>,
    settings: &DensityPathSettings,
) -> Result<DensityPath> {
    let (mut path, _) = run(model, &slice, settings, |_| ())?;
    let (coarse, _) = run(model, &slice, &settings.coarser(), |_| ())?;
    path.p_flat_error = refinement_error(path.final_p_flat(), coarse.final_p_flat());
    Ok(path)
}

/// [`density_path`] that also hands the start and each accepted half step to `keep`.
pub(super) fn run<S: Diffusion<1>>(
    model: &TwoValley,
    slice: &impl Fn(f64) -> Result<S>,
    settings: &DensityPathSettings,
    keep: impl FnMut(&State),
) -> Result<(DensityPath, MovingFrame)> {
    let DensityPathSettings { start, end, ramp, .. } = *settings;
    slow_path::check(
        start,
        end,
        &settings.initial,
        settings.resolution,
        settings.tolerance,
    )?;
    require_positive("ramp", ramp)?;
    let farthest = farthest(&settings.initial);
    let frame = MovingFrame::new(model, slice, start, end, farthest, settings.resolution)?;
    let duration = floor_time(model, start, end, ramp)?;
    let mut solver = Solver::new(model, slice, &frame, settings, keep)?;
    let state = solver.start();
    solver.observe(&state, 0.0);
    // A start from single cells is resolved by steps of the order of the time in which a cell empties.
    let mut control = TimeStep::new(settings.tolerance, solver.first_step(&state)?)?;
    slow_path::follow(
        &mut control,
        &mut solver,
        state,
        duration,
        &settings.record,
        |solver, state, time| {
            let snapshot = solver.snapshot(state, time);
            solver.path.snapshots.push(snapshot);
        },
    )?;
    let mut path = solver.path;
    path.steps = control.counts();
    Ok((path, frame))
}

/// Rates of one stage that the laws of the last hop need again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    pub chain: Chain,
    /// Rates of loss of the cell above/below each of the three inner boundaries if that face absorbed.
    pub sharp_half_down: f64,
    pub ridge_up: f64,
    pub ridge_down: f64,
    pub flat_half_up: f64,
}

/// State of the run and the step that led to it.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub p: Vec<f64>,
    /// Probability with label flat of the cells between the half-way points.
    pub flat_label: Vec<f64>,
    y: f64,
    velocity: f64,
    acceleration: f64,
    limited: f64,
    pub dt: f64,
    pub stages: Vec<Stage>,
}

impl Trial for State {
    fn error(coarse: &Self, fine: &Self) -> f64 {
        density_error(&coarse.p, &fine.p)
    }
    fn limited(&self) -> f64 {
        self.limited
    }
}

/// The density, the densities of the two labels, and what has been seen of them.
struct Solver<'a, F, K> {
    model: &'a TwoValley,
    slice: &'a F,
    frame: &'a MovingFrame,
    settings: &'a DensityPathSettings,
    /// Cells beyond each inner boundary, to read the rates through it.
    below_sharp_half: CellSet,
    above_ridge: CellSet,
    below_ridge: CellSet,
    above_flat_half: CellSet,
    path: DensityPath,
    keep: K,
}

impl<S: Diffusion<1>, F: Fn(f64) -> Result<S>, K: FnMut(&State)> Evolution for Solver<'_, F, K> {
    type State = State;

    fn step(&mut self, from: &State, dt: f64) -> Result<State> {
        let (y1, v1) = self.moved(from, FIRST_STAGE * dt);
        let (y2, v2) = self.moved(from, dt);
        let (first, second) = (self.stage(y1, v1)?, self.stage(y2, v2)?);
        let advanced =
            SinglyDiagonal::new([&first.chain, &second.chain], [&[], &[]], dt)?.forward(&from.p)?;
        let flat_label = self.labels(from, &first, &second, &advanced, dt)?;
        let (y, velocity) = match self.settings.motion {
            SlowMotion::Floor => (y2, v2),
            SlowMotion::Mean => {
                let end = self.velocity(&advanced.state, y2);
                (from.y + 0.5 * dt * (from.velocity + end), end)
            }
        };
        Ok(State {
            p: advanced.state,
            flat_label,
            y,
            velocity,
            acceleration: (velocity - from.velocity) / dt,
            limited: advanced.limited,
            dt,
            stages: vec![first, second],
        })
    }

    fn accept(&mut self, halves: &mut [State; 2], start: f64, end: f64) -> Result<()> {
        let [first, second] = halves;
        self.observe(first, 0.5 * (start + end));
        self.observe(second, end);
        check_ends([second.p[0], second.p[second.p.len() - 1]])
    }
}

impl<'a, S: Diffusion<1>, F: Fn(f64) -> Result<S>, K: FnMut(&State)> Solver<'a, F, K> {
    fn new(
        model: &'a TwoValley,
        slice: &'a F,
        frame: &'a MovingFrame,
        settings: &'a DensityPathSettings,
        keep: K,
    ) -> Result<Self> {
        let faces = frame.grid.axes()[0].faces();
        let above = |face: usize| CellSet::new("upper", &frame.grid, |u| u[0] > faces[face]);
        let below = |face: usize| CellSet::new("lower", &frame.grid, |u| u[0] < faces[face]);
        Ok(Self {
            model,
            slice,
            frame,
            settings,
            below_sharp_half: below(frame.sharp_half)?,
            above_ridge: above(frame.ridge)?,
            below_ridge: below(frame.ridge)?,
            above_flat_half: above(frame.flat_half)?,
            path: DensityPath {
                cells: frame.grid.cells(),
                ..DensityPath::default()
            },
            keep,
        })
    }

    fn start(&self) -> State {
        let y = self.settings.start;
        let p = self.frame.point_masses(y, &self.settings.initial);
        let middle = self.frame.sharp_half..self.frame.flat_half;
        let flat_label = middle
            .map(|i| if i >= self.frame.ridge { p[i] } else { 0.0 })
            .collect();
        State {
            velocity: self.velocity(&p, y),
            p,
            flat_label,
            y,
            acceleration: 0.0,
            limited: 0.0,
            dt: 0.0,
            stages: Vec::new(),
        }
    }

    fn first_step(&self, state: &State) -> Result<f64> {
        let stage = self.stage(state.y, state.velocity)?;
        let fastest = (0..state.p.len())
            .filter(|&i| state.p[i] > 0.0)
            .map(|i| stage.chain.up()[i] + stage.chain.down()[i])
            .fold(0.0, f64::max);
        Ok(0.5 / fastest)
    }

    fn velocity(&self, p: &[f64], y: f64) -> f64 {
        let ramp = self.settings.ramp;
        match self.settings.motion {
            SlowMotion::Floor => ramp * self.model.floor_velocity(y),
            SlowMotion::Mean => {
                let scale = self.frame.scale(y);
                let slope = (-y / self.model.parameters().y_d).exp();
                let mean: f64 = p
                    .iter()
                    .zip(self.frame.grid.axes()[0].centres())
                    .map(|(p, u)| p * self.model.derivatives(scale * u, y, slope).y)
                    .sum();
                -ramp * mean
            }
        }
    }

    fn stage(&self, y: f64, velocity: f64) -> Result<Stage> {
        let diffusion = self.frame.diffusion((self.slice)(y)?, y, velocity);
        let generator = Generator::assemble(&diffusion, self.frame.grid.clone())?;
        let frame = self.frame;
        Ok(Stage {
            sharp_half_down: generator.killing_into(&self.below_sharp_half)[frame.sharp_half],
            ridge_up: generator.killing_into(&self.above_ridge)[frame.ridge - 1],
            ridge_down: generator.killing_into(&self.below_ridge)[frame.ridge],
            flat_half_up: generator.killing_into(&self.above_flat_half)[frame.flat_half - 1],
            chain: generator.chain()?.clone(),
        })
    }

    /// y and dy/dt after `dt`: on the floor by the classical Runge-Kutta method, else predicted to second order.
    fn moved(&self, state: &State, dt: f64) -> (f64, f64) {
        match self.settings.motion {
            SlowMotion::Floor => {
                let v = |y: f64| self.settings.ramp * self.model.floor_velocity(y);
                let k1 = v(state.y);
                let k2 = v(state.y + 0.5 * dt * k1);
                let k3 = v(state.y + 0.5 * dt * k2);
                let k4 = v(state.y + dt * k3);
                let y = state.y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
                (y, v(y))
            }
            SlowMotion::Mean => (
                state.y + dt * (state.velocity + 0.5 * dt * state.acceleration),
                state.velocity + dt * state.acceleration,
            ),
        }
    }

    /// Label-flat probability between the half-way points: absorbed at the lower one; at the upper one every run has
    /// label flat, so that what enters there is given by the whole density.
    fn labels(&self, from: &State, first: &Stage, second: &Stage, p: &Advanced, dt: f64) -> Result<Vec<f64>> {
        let (a, b) = (self.frame.sharp_half, self.frame.flat_half);
        let chains = [between(&first.chain, a, b)?, between(&second.chain, a, b)?];
        let killing = |stage: &Stage| {
            let mut k = vec![0.0; b - a];
            k[0] += stage.sharp_half_down;
            k[b - a - 1] += stage.flat_half_up;
            k
        };
        let source = |stage: &Stage, p: &[f64]| {
            let mut s = vec![0.0; b - a];
            let (up, down) = (stage.chain.up()[b - 1], stage.chain.down()[b]);
            s[b - a - 1] = (stage.flat_half_up - up) * p[b - 1] + down * p[b];
            s
        };
        let step = SinglyDiagonal::new([&chains[0], &chains[1]], [&killing(first), &killing(second)], dt)?;
        let sources = [source(first, &p.stage), source(second, &p.state)];
        Ok(step
            .forward_fed(&from.flat_label, [&sources[0], &sources[1]])?
            .state)
    }

    fn observe(&mut self, state: &State, time: f64) {
        (self.keep)(state);
        let path = &mut self.path;
        let frame = self.frame;
        let (a, b, r) = (frame.sharp_half, frame.flat_half, frame.ridge);
        let scale = frame.scale(state.y);
        let mass: f64 = state.p.iter().sum();
        let beyond: f64 = state.p[b..].iter().sum();
        let last = state.stages.last();
        path.time.push(time);
        path.y.push(state.y);
        path.velocity.push(state.velocity);
        path.p_flat.push(state.p[r..].iter().sum());
        path.p_flat_label
            .push(beyond + state.flat_label.iter().sum::<f64>());
        path.mean_x.push(
            scale
                * state
                    .p
                    .iter()
                    .zip(frame.grid.axes()[0].centres())
                    .map(|(p, u)| p * u)
                    .sum::<f64>(),
        );
        path.ridge_flux.push(last.map_or(0.0, |s| {
            s.chain.up()[r - 1] * state.p[r - 1] - s.chain.down()[r] * state.p[r]
        }));
        path.flat_to_sharp_flux
            .push(last.map_or(0.0, |s| s.sharp_half_down * state.flat_label[0]));
        path.sharp_to_flat_flux.push(last.map_or(0.0, |s| {
            s.flat_half_up * (state.p[b - 1] - state.flat_label[b - a - 1])
        }));
        path.mass_error = path.mass_error.max((mass - 1.0).abs());
    }

    fn snapshot(&self, state: &State, time: f64) -> DensitySnapshot {
        let axis = &self.frame.grid.axes()[0];
        let scale = self.frame.scale(state.y);
        DensitySnapshot {
            time,
            y: state.y,
            x: axis.centres().iter().map(|u| scale * u).collect(),
            width: (0..axis.cells()).map(|i| scale * axis.width(i)).collect(),
            probability: state.p.clone(),
        }
    }
}

/// The chain on the cells [a, b) alone.
pub(super) fn between(chain: &Chain, a: usize, b: usize) -> Result<Chain> {
    let (mut up, mut down) = (chain.up()[a..b].to_vec(), chain.down()[a..b].to_vec());
    up[b - a - 1] = 0.0;
    down[0] = 0.0;
    Chain::new(up, down)
}
