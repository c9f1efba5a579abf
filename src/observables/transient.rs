//! The density at one time to a wanted accuracy, on any generator: dP/dt = L*P.

use super::propagate::check_probabilities;
use crate::error::{Error, Result, require_positive};
use crate::generator::Generator;
use crate::linalg::{AlternatingDirections, FIRST_STAGE, fed, free_extrapolation, two_stages};

/// Cell probabilities at one time; see [`transient_density`].
#[derive(Debug, Clone, PartialEq)]
pub struct TransientDensity {
    /// Probability of each cell at the time asked for.
    pub probability: Vec<f64>,
    /// Estimated error in time: Σ |error| over the cells, relative to the initial mass.
    pub error: f64,
    /// Sum of the negative cell probabilities relative to the initial mass: zero, or of the size of the error.
    pub negative: f64,
    /// Mass at the end over initial mass: 1 up to rounding where no boundary absorbs.
    pub mass: f64,
    /// Equal time steps of the run that is returned.
    pub steps: usize,
    /// Steps of all runs together.
    pub total_steps: usize,
    /// The scheme.
    pub method: TransientMethod,
}

/// The scheme of [`transient_density`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransientMethod {
    /// [`AlternatingDirections`]: jumps along the axes of a plane.
    AlternatingDirections {
        /// Whether the first two steps were replaced by four implicit half steps, because of a rough start.
        damped: bool,
    },
    /// Two-stage singly diagonally implicit Runge-Kutta steps with the factorised generator, for everything else.
    SinglyDiagonal,
}

/// Cell probabilities P(t) with dP/dt = L*P from `initial`, to the `tolerance` in Σ |error| over initial mass.
///
/// # Method
/// Equal steps of second order; the number of steps n grows until the difference of two runs, over (n/n')² − 1, is within
/// the tolerance and agrees with what the coarser runs predict; of two compared runs one is of odd length, so that modes
/// whose sign alternates from step to step show. The finest run is returned as it is, without
/// extrapolation. Planes whose rates follow the axes (diagonal tensors, axes not periodic): alternating directions,
/// which keep the stationary law and mass but are not positive for every step; where the first of eight steps would
/// move more than the whole mass (a start from a cell), four implicit half steps damp the start. Everything else:
/// L-stable singly diagonally implicit steps with the factors of [`Generator::resolvent`]. Negative probabilities
/// are an error of the step that [`TransientDensity::error`] counts, and are reported, not removed. That of the grid is of
/// second order in the cell width and not counted.
///
/// # Errors
/// [`Error::DimensionMismatch`], [`Error::InvalidParameter`] for negative probabilities, a time or tolerance ≤ 0;
/// [`Error::NotConverged`] when 2^20 steps are not enough.
///
/// # References
/// See [`AlternatingDirections`]; R. Alexander, SIAM J. Numer. Anal. 14 (1977) 1006.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, Grid};
/// use freezeout::observables::transient_density;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?;
/// let generator = Generator::assemble(&ou, Grid::new([Axis::uniform(-6.0, 6.0, 400)?]))?;
/// let x = generator.grid().axes()[0].centres().to_vec();
/// let mut start = vec![0.0; 400];
/// start[300] = 1.0;
/// let law = transient_density(&generator, &start, 1.0, 1e-5)?;
/// let mean: f64 = law.probability.iter().zip(&x).map(|(p, x)| p * x).sum();
/// assert!((mean / (x[300] * (-1f64).exp()) - 1.0).abs() < 1e-3 && law.error <= 1e-5); // x0 e^{−t}
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn transient_density<const D: usize>(
    generator: &Generator<D>,
    initial: &[f64],
    time: f64,
    tolerance: f64,
) -> Result<TransientDensity> {
    check_probabilities(generator, initial)?;
    require_positive("time", time)?;
    require_positive("tolerance", tolerance)?;
    let mass: f64 = initial.iter().sum();
    if let Some(rates) = generator.axis_rates() {
        let extents = [0, 1].map(|d| generator.grid().axes()[d].cells());
        // probability moved per time by an explicit step
        let moved: f64 = generator.apply_adjoint(initial)?.iter().map(|l| l.abs()).sum();
        let damped = moved * time > ROUGH * mass;
        let method = TransientMethod::AlternatingDirections { damped };
        let plane = AlternatingDirections::new(extents, &rates)?;
        refine(mass, tolerance, method, |steps| {
            plane.advance(initial, time / steps as f64, steps, damped)
        })
    } else {
        refine(mass, tolerance, TransientMethod::SinglyDiagonal, |steps| {
            singly_diagonal(generator, initial, time, steps)
        })
    }
}

/// Steps of the coarsest run.
const FEWEST: usize = 4;
/// Number of steps of which the first must not move more than the whole mass.
const ROUGH: f64 = 8.0;
/// Steps of the finest run that is tried.
const MOST: usize = 1 << 20;

/// Runs of more and more steps until the last is known to the tolerance.
fn refine(
    mass: f64,
    tolerance: f64,
    method: TransientMethod,
    mut run: impl FnMut(usize) -> Result<Vec<f64>>,
) -> Result<TransientDensity> {
    let (mut steps, mut total_steps) = (FEWEST, FEWEST);
    let mut coarse = run(steps)?;
    let mut predicted: Option<f64> = None;
    let mut growth: f64 = 2.0;
    loop {
        // one of the two runs is of odd length: a mode that a step only turns over, by −1, would look resolved otherwise
        let finer = (steps as f64 * growth).ceil() as usize;
        let finer = finer + usize::from(finer % 2 == steps % 2);
        let fine = run(finer)?;
        total_steps += finer;
        let difference = coarse.iter().zip(&fine).map(|(a, b)| (a - b).abs()).sum::<f64>() / mass;
        let ratio = finer as f64 / steps as f64;
        let negative = fine.iter().map(|p| (-p).max(0.0)).sum::<f64>() / mass;
        // a negative probability is at least that far from the truth, and so is what it was taken from
        let second_order = (difference / (ratio * ratio - 1.0)).max(2.0 * negative);
        // the coarser run must not have been further off than its own estimate said: twice, for the higher orders
        let consistent = predicted.is_some_and(|p| difference <= 2.0 * p);
        let error = if consistent {
            second_order
        } else {
            difference.max(2.0 * negative)
        };
        if error <= tolerance {
            return Ok(TransientDensity {
                mass: fine.iter().sum::<f64>() / mass,
                probability: fine,
                error,
                negative,
                steps: finer,
                total_steps,
                method,
            });
        }
        if finer >= MOST || !error.is_finite() {
            return Err(Error::NotConverged {
                method: "refinement of the time step".into(),
                iterations: finer,
                residual: error,
                tolerance,
            });
        }
        // 0.8: safety
        growth = (second_order / (0.8 * tolerance)).sqrt().clamp(1.5, 4.0);
        (coarse, steps, predicted) = (fine, finer, Some(second_order));
    }
}

/// P after `steps` equal steps without a limiter.
fn singly_diagonal<const D: usize>(
    generator: &Generator<D>,
    initial: &[f64],
    time: f64,
    steps: usize,
) -> Result<Vec<f64>> {
    let rate = steps as f64 / (FIRST_STAGE * time);
    let resolvent = generator.resolvent(&vec![rate; initial.len()])?;
    let solve = |p: &[f64]| resolvent.solve_adjoint(&fed(rate, p, &[]));
    let mut p = initial.to_vec();
    for _ in 0..steps {
        p = two_stages(&p, solve, solve, free_extrapolation)?.state;
    }
    Ok(p)
}
