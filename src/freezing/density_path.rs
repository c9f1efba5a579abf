//! The density of the fast coordinate along the slow path, without the adiabatic approximation.
//!
//! ```text
//! ∂p/∂t = −∂x (b(x, y(t)) p) + ∂xx (D(x, y(t)) p),   dy/dt = ramp · v(y)   or   dy/dt = −ramp ⟨∂L/∂y⟩_p
//! ```
//!
//! # Limitations
//! η → 0; y is one number for all runs, so that its own noise and its spread are left out.

use super::density_solver::{Solver, State};
use super::moving_frame::MovingFrame;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require, require_finite, require_positive};
use crate::landscape::TwoValley;
use crate::observables::{StepCounts, TimeStep};

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

    pub(super) fn check(&self) -> Result<()> {
        require("start", self.start, |y| y >= 0.0, "a finite y >= 0 is needed")?;
        require("end", self.end, |y| y > self.start, "it must exceed the start")?;
        require_positive("ramp", self.ramp)?;
        require(
            "resolution",
            self.resolution,
            |r| r >= 1.0,
            "at least one cell a standard deviation is needed",
        )?;
        require_positive("tolerance", self.tolerance)?;
        for &(x, p) in &self.initial {
            require_finite("initial x", x)?;
            require(
                "initial probability",
                p,
                |p| p >= 0.0,
                "a finite number >= 0 is needed",
            )?;
        }
        // Weights such as 1/3 are sums up to rounding.
        require(
            "sum of the initial probabilities",
            self.initial.iter().map(|(_, p)| p).sum(),
            |s| (s - 1.0).abs() < 1e-12,
            "the initial probabilities must sum to 1",
        )?;
        Ok(())
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

    /// Error of the finer of two values whose errors differ by a factor of four.
    pub(super) fn richardson(fine: f64, coarse: f64) -> f64 {
        (fine - coarse).abs() / 3.0
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
/// [`Error::InvalidParameter`], errors of the slices and of [`crate::generator::Generator::assemble`], [`Error::Unreachable`] when the floor
/// does not lead to `end`, [`Error::DomainTooSmall`] when a slice is wider than its curvature and noise at the minima say.
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
    path.p_flat_error = DensityPath::richardson(path.final_p_flat(), coarse.final_p_flat());
    Ok(path)
}

/// [`density_path`] that also hands each accepted half step to `keep`.
pub(super) fn run<S: Diffusion<1>>(
    model: &TwoValley,
    slice: &impl Fn(f64) -> Result<S>,
    settings: &DensityPathSettings,
    mut keep: impl FnMut(&State),
) -> Result<(DensityPath, MovingFrame)> {
    settings.check()?;
    let farthest = settings.initial.iter().map(|(x, _)| x.abs()).fold(0.0, f64::max);
    let frame = MovingFrame::new(
        model,
        slice,
        settings.start,
        settings.end,
        farthest,
        settings.resolution,
    )?;
    let duration = floor_time(model, settings.start, settings.end, settings.ramp)?;
    let solver = Solver::new(model, slice, &frame, settings)?;
    let mut state = solver.start()?;
    keep(&state);
    let mut path = DensityPath {
        cells: frame.grid.cells(),
        ..DensityPath::default()
    };
    solver.observe(&state, 0.0, &mut path);
    // A start from single cells is resolved by steps of the order of the time in which a cell empties.
    let first = solver.first_step(&state)?;
    let mut control = TimeStep::new(settings.tolerance, first)?;
    let mut now = 0.0;
    let stops = settings.record.iter().copied().map(|t| (t, true));
    for (stop, recorded) in stops.chain([(duration, false)]) {
        require(
            "record time",
            stop,
            |t| t >= now && t <= duration,
            &format!("times do not decrease and lie within the run of length {duration:.6}"),
        )?;
        while now < stop {
            let taken = control.advance(stop - now, |from: Option<&State>, _, dt| {
                solver.step(from.unwrap_or(&state), dt)
            })?;
            let [first, second] = taken.halves;
            let end = if taken.dt >= stop - now {
                stop
            } else {
                now + taken.dt
            };
            solver.observe(&first, 0.5 * (now + end), &mut path);
            solver.observe(&second, end, &mut path);
            keep(&first);
            keep(&second);
            state = second;
            now = end;
            check_ends(&state.p)?;
        }
        if recorded {
            path.snapshots.push(solver.snapshot(&state, now));
        }
    }
    path.steps = control.counts();
    Ok((path, frame))
}

/// Refuses a run that feels the reflecting ends of the grid.
fn check_ends(p: &[f64]) -> Result<()> {
    // A Gaussian cut at the nine standard deviations of the grid holds 1e-19 there.
    const ALLOWED: f64 = 1e-12;
    for (probability, where_) in [(p[0], "first cell"), (p[p.len() - 1], "last cell")] {
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

/// Time ∫ dy/(ramp v) that the floor takes, by Simpson's rule.
pub(super) fn floor_time(model: &TwoValley, start: f64, end: f64, ramp: f64) -> Result<f64> {
    const PANELS: usize = 2000;
    let h = (end - start) / (2 * PANELS) as f64;
    let mut sum = 0.0;
    for k in 0..=2 * PANELS {
        let y = start + h * k as f64;
        let velocity = ramp * model.floor_velocity(y);
        if velocity <= 0.0 || !velocity.is_finite() {
            return Err(Error::Unreachable {
                target: format!("y = {end}"),
                reason: format!("the valley floor does not slope towards larger y at y = {y:.4}"),
            });
        }
        let weight = match k {
            0 => 1.0,
            k if k == 2 * PANELS => 1.0,
            k if k % 2 == 1 => 4.0,
            _ => 2.0,
        };
        sum += weight / velocity;
    }
    Ok(sum * h / 3.0)
}
