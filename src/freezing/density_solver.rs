//! The steps of the density along the slow path, with the densities of the two labels.

use super::density_path::{DensityPath, DensityPathSettings, DensitySnapshot, SlowMotion};
use super::moving_frame::MovingFrame;
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::generator::Generator;
use crate::grid::CellSet;
use crate::landscape::TwoValley;
use crate::linalg::{Advanced, Chain, FIRST_STAGE, SinglyDiagonal};
use crate::observables::Trial;

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
        coarse
            .p
            .iter()
            .zip(&fine.p)
            .map(|(a, b)| (a - b).abs())
            .sum::<f64>()
            / 6.0
    }
    fn limited(&self) -> f64 {
        self.limited
    }
}

pub(super) struct Solver<'a, F> {
    model: &'a TwoValley,
    slice: &'a F,
    frame: &'a MovingFrame,
    settings: &'a DensityPathSettings,
    /// Cells beyond each inner boundary, to read the rates through it.
    below_sharp_half: CellSet,
    above_ridge: CellSet,
    below_ridge: CellSet,
    above_flat_half: CellSet,
}

impl<'a, S: Diffusion<1>, F: Fn(f64) -> Result<S>> Solver<'a, F> {
    pub fn new(
        model: &'a TwoValley,
        slice: &'a F,
        frame: &'a MovingFrame,
        settings: &'a DensityPathSettings,
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
        })
    }

    pub fn start(&self) -> Result<State> {
        let y = self.settings.start;
        let p = self.frame.point_masses(y, &self.settings.initial);
        let middle = self.frame.sharp_half..self.frame.flat_half;
        let flat_label = middle
            .map(|i| if i >= self.frame.ridge { p[i] } else { 0.0 })
            .collect();
        Ok(State {
            velocity: self.velocity(&p, y),
            p,
            flat_label,
            y,
            acceleration: 0.0,
            limited: 0.0,
            dt: 0.0,
            stages: Vec::new(),
        })
    }

    pub fn first_step(&self, state: &State) -> Result<f64> {
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

    pub fn step(&self, from: &State, dt: f64) -> Result<State> {
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

    pub fn observe(&self, state: &State, time: f64, path: &mut DensityPath) {
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

    pub fn snapshot(&self, state: &State, time: f64) -> DensitySnapshot {
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
