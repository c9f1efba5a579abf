//! Hop times between the two valleys at fixed y, from the Fokker-Planck generator on the slice.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::{Axis, CellSet, Grid};
use crate::landscape::{Side, TwoValley};
use crate::math::Point;
use crate::math::log_domain::{log_add_exp, probability_from_log_odds};
use crate::observables::{log_stationary_probability, mean_first_passage_time, spectral_gap};
use crate::statistics::convergence::extrapolated;

/// Times, odds and gap of one slice; see [`slice_rates`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceRates {
    /// Mean time from the bottom of the flat valley to the bottom of the sharp one.
    pub flat_to_sharp: f64,
    /// Mean time from the bottom of the sharp valley to the bottom of the flat one.
    pub sharp_to_flat: f64,
    /// Mean time from half-way between the ridge and the bottom of the flat valley to half-way on the other side.
    pub flat_to_sharp_half: f64,
    /// Mean time from half-way on the sharp side to half-way on the flat one.
    pub sharp_to_flat_half: f64,
    /// Mean time from the bottom of the flat valley to the ridge.
    pub flat_to_ridge: f64,
    /// Mean time from the bottom of the sharp valley to the ridge.
    pub sharp_to_ridge: f64,
    /// Stationary probability of x > 0.
    pub p_flat: f64,
    /// ln(P/(1 − P)) of it, which keeps its digits where one valley has nearly all of the probability.
    pub log_odds: f64,
    /// Spectral gap of the slice.
    pub spectral_gap: f64,
    /// Largest discretisation error of the logarithms of the five rates and of the odds, estimated by extrapolation.
    pub relative_error: f64,
}

/// Half-widths of the grid beyond the minima, in standard deviations of each valley: a Gaussian leaves 2e-19 outside.
const TAIL: f64 = 9.0;

/// Hop times, odds and gap of `model` at fixed y under the slice diffusion `slice`.
///
/// # Method
/// Scharfetter-Gummel generator with faces on the ridge, both minima and half-way between and about `cells` cells; repeated with the
/// cells halved twice. The logarithms of the three levels are extrapolated (Richardson, orders 2 and 4), so that times stay positive
/// and probabilities between 0 and 1, and the relative error is the last correction. Times run from bottom to bottom, which equals 1/rate when a hop is much rarer than
/// relaxation in a valley.
///
/// # Errors
/// [`Error::InvalidParameter`] for y ≤ 0, where the two minima coincide; errors of [`Generator::assemble`] and of
/// the observables.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::slice_rates;
/// use freezeout::landscape::{Slice, TwoValley};
/// let model = TwoValley::default();
/// let sgd = Sgd::hessian_power(Slice::new(model, 5.0)?, 1.0, 0.01, 0.2, 0.0)?; // Δ = 2e-3
/// let rates = slice_rates(&model, &sgd, 5.0, 500)?;
/// assert!((rates.sharp_to_flat - 2.641_601).abs() < 1e-6);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn slice_rates(model: &TwoValley, slice: &impl Diffusion<1>, y: f64, cells: usize) -> Result<SliceRates> {
    let (sharp, flat) = (model.minimum(Side::Sharp, y), model.minimum(Side::Flat, y));
    if sharp >= 0.0 || flat <= 0.0 || !sharp.is_finite() || !flat.is_finite() {
        return Err(Error::InvalidParameter {
            name: "y".into(),
            value: y,
            requirement: "hops need two separate minima, so y > 0".into(),
        });
    }
    // Variance of a valley: D/H with H = 2/f.
    let deviation =
        |side: Side, x: f64| (0.5 * slice.tensor(&Point::<1>::new(x))[0] * model.flatness(side, y)).sqrt();
    let lower = sharp - TAIL * deviation(Side::Sharp, sharp);
    let upper = flat + TAIL * deviation(Side::Flat, flat);
    let mut grid = Grid::new([Axis::with_faces_at(
        lower,
        upper,
        cells,
        &[sharp, 0.5 * sharp, 0.0, 0.5 * flat, flat],
    )?]);
    let mut levels = Vec::with_capacity(3);
    for _ in 0..3 {
        levels.push(on_grid(slice, &grid, sharp, flat)?);
        grid = grid.refined();
    }
    let mut best = [0.0; 8];
    let mut relative_error: f64 = 0.0;
    for (k, best) in best.iter_mut().enumerate() {
        let second = [0, 1].map(|l| extrapolated(levels[l][k], levels[l + 1][k], 2.0, 2.0));
        *best = extrapolated(second[0], second[1], 2.0, 4.0);
        relative_error = relative_error.max((*best - second[1]).abs());
    }
    let [
        flat_to_sharp,
        sharp_to_flat,
        flat_to_sharp_half,
        sharp_to_flat_half,
        flat_to_ridge,
        sharp_to_ridge,
        relaxation,
        log_odds,
    ] = best;
    Ok(SliceRates {
        flat_to_sharp: flat_to_sharp.exp(),
        sharp_to_flat: sharp_to_flat.exp(),
        flat_to_sharp_half: flat_to_sharp_half.exp(),
        sharp_to_flat_half: sharp_to_flat_half.exp(),
        flat_to_ridge: flat_to_ridge.exp(),
        sharp_to_ridge: sharp_to_ridge.exp(),
        p_flat: probability_from_log_odds(log_odds),
        log_odds,
        spectral_gap: (-relaxation).exp(),
        relative_error,
    })
}

/// Logarithms of the six mean times and of the relaxation time, and the log-odds, on one grid.
fn on_grid(slice: &impl Diffusion<1>, grid: &Grid<1>, sharp: f64, flat: f64) -> Result<[f64; 8]> {
    let generator = Generator::assemble(slice, grid.clone())?;
    let log_time = |name: &str, start: f64, inside: &dyn Fn(f64) -> bool| -> Result<f64> {
        let target = CellSet::new(name, grid, |x| inside(x[0]))?;
        Ok(grid
            .interpolate(&mean_first_passage_time(&generator, &target)?, [start])
            .ln())
    };
    let log_p = log_stationary_probability(&generator)?;
    let log_mass = |is_flat: bool| {
        let own = |i: &usize| (grid.centre(*i)[0] > 0.0) == is_flat;
        (0..log_p.len())
            .filter(own)
            .map(|i| log_p[i])
            .fold(f64::NEG_INFINITY, log_add_exp)
    };
    Ok([
        log_time("sharp valley", flat, &|x| x < sharp)?,
        log_time("flat valley", sharp, &|x| x > flat)?,
        log_time("sharp half-way point", 0.5 * flat, &|x| x < 0.5 * sharp)?,
        log_time("flat half-way point", 0.5 * sharp, &|x| x > 0.5 * flat)?,
        log_time("ridge", flat, &|x| x < 0.0)?,
        log_time("ridge", sharp, &|x| x > 0.0)?,
        -spectral_gap(&generator)?.rate.ln(),
        log_mass(true) - log_mass(false),
    ])
}
