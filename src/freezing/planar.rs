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

use super::density_path::floor_time;
use super::moving_frame::MovingFrame;
use super::planar_frame::PlanarFrame;
use super::planar_solver::{Solver, State};
use crate::diffusion::Diffusion;
use crate::error::{Result, require, require_finite, require_positive};
use crate::landscape::{Kink, TwoValley};
use crate::math::{Point, Tensor};
use crate::observables::{StepCounts, TimeStep};

/// Treatment of D_xy and D_yy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossNoise {
    /// Both kept, in coordinates along the direction of the noise.
    #[default]
    Sheared,
    /// D_yy kept, D_xy left out: y diffuses on its own.
    Neglected,
    /// Both left out: y follows the drift alone.
    SlowNoiseless,
}

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
        require("start", self.start, |y| y >= 0.0, "a finite y >= 0 is needed")?;
        require("end", self.end, |y| y > self.start, "it must exceed the start")?;
        require(
            "resolution",
            self.resolution,
            |r| r >= 1.0,
            "at least one cell a standard deviation is needed",
        )?;
        require(
            "rows",
            self.rows as f64,
            |n| n >= 16.0 && n % 8.0 == 0.0,
            "a multiple of 8, at least 16, is needed",
        )?;
        require_positive("half_width", self.half_width)?;
        require_positive("tolerance", self.tolerance)?;
        require_positive("joint_tolerance", self.joint_tolerance)?;
        require_positive("ridge_width", self.ridge_width)?;
        for &(x, p) in &self.initial {
            require_finite("initial x", x)?;
            require(
                "initial probability",
                p,
                |p| p >= 0.0,
                "a finite number >= 0 is needed",
            )?;
        }
        require(
            "sum of the initial probabilities",
            self.initial.iter().map(|(_, p)| p).sum(),
            |s| (s - 1.0).abs() < 1e-12,
            "the initial probabilities must sum to 1",
        )?;
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

/// The diffusion on a line of constant y, for the choice of the grid.
struct Horizontal<'a, D>(&'a D, f64);

impl<D: Diffusion<2>> Diffusion<1> for Horizontal<'_, D> {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        Point::<1>::new(self.0.drift(&Point::<2>::new(x[0], self.1))[0])
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.0.tensor(&Point::<2>::new(x[0], self.1))[(0, 0)])
    }
    fn kinks(&self) -> Vec<Kink> {
        self.0.kinks().into_iter().filter(|k| k.axis == 0).collect()
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
    // Second order: a quarter of the coarse error.
    let error = |fine: &[f64], coarse: &[f64]| (fine[fine.len() - 1] - coarse[coarse.len() - 1]).abs() / 3.0;
    fine.p_flat_error = error(&fine.p_flat, &coarse.p_flat);
    fine.mean_y_error = error(&fine.mean_y, &coarse.mean_y);
    Ok(fine)
}

fn run<D: Diffusion<2>>(
    model: &TwoValley,
    diffusion: &D,
    settings: &PlanarSettings,
) -> Result<PlanarDensity> {
    let farthest = settings.initial.iter().map(|(x, _)| x.abs()).fold(0.0, f64::max);
    let fast = MovingFrame::new(
        model,
        &|y| Ok(Horizontal(diffusion, y)),
        settings.start,
        settings.end,
        farthest,
        settings.resolution,
    )?;
    let duration = floor_time(model, settings.start, settings.end, 1.0)?;
    let frame = PlanarFrame::new(diffusion, &fast, settings.cross_noise, settings.ridge_width)?;
    let mut solver = Solver {
        frame,
        rows: settings.rows,
        half_width: settings.half_width,
        weight: settings.tolerance / settings.joint_tolerance,
    };
    let mut state = solver.start(settings);
    let mut velocity = solver.window_velocity(&state, 0.0)?;
    let mut out = PlanarDensity {
        cells: [fast.grid.cells(), settings.rows],
        smallest: f64::INFINITY,
        ..PlanarDensity::default()
    };
    solver.observe(&state, 0.0, &mut out);
    let mut control = TimeStep::new(settings.tolerance, solver.first_step(&state, velocity)?)?;
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
                solver.step(from.unwrap_or(&state), velocity, dt)
            })?;
            let [first, second] = taken.halves;
            let end = if taken.dt >= stop - now {
                stop
            } else {
                now + taken.dt
            };
            solver.observe(&first, 0.5 * (now + end), &mut out);
            solver.observe(&second, end, &mut out);
            state = second;
            now = end;
            solver.check_ends(&state)?;
            velocity = solver.window_velocity(&state, velocity)?;
            solver.widen(&mut state);
        }
        if recorded {
            out.snapshots.push(solver.snapshot(&state, now));
        }
    }
    out.half_width = solver.half_width;
    out.steps = control.counts();
    Ok(out)
}
