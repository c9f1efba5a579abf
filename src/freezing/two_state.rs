//! The two-state master equation along the slow path.

use super::slow_path::floor_time;
use super::{SliceRates, slice_rates};
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require};
use crate::landscape::{Side, TwoValley};
use crate::math::log_domain::probability_from_log_odds;
use crate::math::{Chebyshev, Point};
use rayon::prelude::*;

/// Hop rates as smooth functions of y on [y0, y1], interpolated from exact slices.
#[derive(Debug, Clone, PartialEq)]
pub struct HopRates {
    start: f64,
    end: f64,
    /// Logarithms of the four mean times and of the relaxation time 1/λ1 against ln y.
    log_times: [Chebyshev; 5],
    log_odds: Chebyshev,
    nodes: usize,
    relative_error: f64,
    interpolation_error: f64,
}

/// Slices are computed up to a barrier of this many noise temperatures, beyond which
/// the hop probability left is below e^{−45} per relaxation time.
const FROZEN_BARRIER: f64 = 45.0;
/// Cells of the coarsest of the three grids of a slice.
const CELLS: usize = 300;
/// Change of a logarithm by doubling the slices below which there are enough of them; the discretisation error of the slices, which
/// is not smooth in y, where that is larger.
const INTERPOLATED: f64 = 1e-9;
/// Most slices.
const MOST_NODES: usize = 1000;

impl HopRates {
    /// Rates of `model` under the slice diffusions `slice(y)`, from `y0` to where hops have died out or `y1`.
    ///
    /// # Method
    /// Chebyshev slices in ln y by [`slice_rates`]; ln τ and the logarithm of the stationary odds are interpolated. Slices are added
    /// between those that are there, `nodes` at first, until they lie on the interpolant so far; how far the last ones are from it is
    /// [`HopRates::interpolation_error`], a bound of what is left, as the error falls geometrically. The interval ends where the
    /// smaller barrier reaches 45 noise temperatures, if that is before `y1`. Where both do so at `y0` already nothing hops: the rates are e^{−E}, and the
    /// relative error is that of probabilities: the hops at relaxation rates in the time of the floor, or rounding.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless 0 < y0 < y1; errors of the slices; [`Error::NotConverged`] when 1000 slices are too few.
    pub fn new<S: Diffusion<1>>(
        model: &TwoValley,
        slice: impl Fn(f64) -> Result<S> + Sync,
        y0: f64,
        y1: f64,
        nodes: usize,
    ) -> Result<Self> {
        require(
            "y0",
            y0,
            |y| y > 0.0,
            "the slow path of the hop rates starts at y0 > 0",
        )?;
        require("y1", y1, |y| y > y0, "the slow path must end beyond y0")?;
        let end = frozen_position(model, &slice, y0, y1)?;
        if exponents(model, &slice(y0)?, y0)
            .into_iter()
            .all(|exponent| exponent > FROZEN_BARRIER)
        {
            let frozen = Self::frozen(model, &slice(y0)?, [y0, end])?;
            let time = floor_time(model, y0, y1, 1.0)?;
            return Ok(frozen.left_out(model, time));
        }
        let at = |log_y: &[f64]| -> Result<Vec<SliceRates>> {
            let of = |log_y: &f64| {
                let y = log_y.exp();
                slice_rates(model, &slice(y)?, y, CELLS)
            };
            log_y.par_iter().map(of).collect()
        };
        let points = |nodes| Chebyshev::points(y0.ln(), end.ln(), nodes);
        let mut slices = at(&points(nodes)?)?;
        let mut rates = Self::through(&slices, y0, end)?;
        loop {
            // every second one of 2n − 1 points is one of n
            let log_y = points(2 * slices.len() - 1)?;
            let between: Vec<f64> = log_y.iter().skip(1).step_by(2).copied().collect();
            let added = at(&between)?;
            let apart = between
                .iter()
                .zip(&added)
                .map(|(log_y, slice)| rates.distance(*log_y, slice))
                .fold(0.0, f64::max);
            let mut added = added.into_iter();
            slices = slices
                .into_iter()
                .flat_map(|slice| [Some(slice), added.next()])
                .flatten()
                .collect();
            rates = Self::through(&slices, y0, end)?;
            rates.interpolation_error = apart;
            if apart <= INTERPOLATED.max(rates.relative_error) {
                return Ok(rates);
            }
            if 2 * slices.len() - 1 > MOST_NODES {
                return Err(Error::NotConverged {
                    method: "interpolation of the hop rates along the slow path".into(),
                    iterations: slices.len(),
                    residual: apart,
                    tolerance: INTERPOLATED.max(rates.relative_error),
                });
            }
        }
    }

    /// Rates where hops have died out from the start: the exponents alone, and the odds of two full valleys.
    fn frozen(model: &TwoValley, slice: &impl Diffusion<1>, [start, end]: [f64; 2]) -> Result<Self> {
        let [flat, sharp] = exponents(model, slice, start);
        // at a barrier of constant diffusivity on each side p D is continuous, and a valley as wide as sqrt(D f)
        let [wide, narrow] = Side::BOTH.map(|side| {
            let d = slice.tensor(&Point::<1>::new(model.minimum(side, start)))[0];
            0.5 * (model.flatness(side, start) / d).ln()
        });
        let constant = |value: f64| Chebyshev::new(vec![value; 2], start.ln(), end.ln());
        let relaxation = flat.min(sharp);
        Ok(Self {
            start,
            end,
            log_times: [
                constant(flat)?,
                constant(sharp)?,
                constant(flat)?,
                constant(sharp)?,
                constant(relaxation)?,
            ],
            log_odds: constant(flat - sharp + wide - narrow)?,
            nodes: 1,
            relative_error: f64::EPSILON,
            interpolation_error: 0.0,
        })
    }

    /// With the hops in a time at relaxation rates instead of 1 before e^{−E} as the error.
    fn left_out(mut self, model: &TwoValley, time: f64) -> Self {
        let fastest = Side::BOTH
            .map(|side| 2.0 / model.flatness(side, self.start))
            .into_iter()
            .fold(0.0, f64::max);
        self.relative_error = f64::EPSILON.max(fastest * time * self.spectral_gap(self.start));
        self
    }

    /// The interpolants through slices at the Chebyshev points.
    fn through(slices: &[SliceRates], start: f64, end: f64) -> Result<Self> {
        let fit = |value: &dyn Fn(&SliceRates) -> f64| {
            Chebyshev::new(slices.iter().map(value).collect(), start.ln(), end.ln())
        };
        let log_time = |k: usize| fit(&|slice| logarithms(slice)[k]);
        Ok(Self {
            start,
            end,
            log_times: [
                log_time(0)?,
                log_time(1)?,
                log_time(2)?,
                log_time(3)?,
                log_time(4)?,
            ],
            log_odds: fit(&|slice| slice.log_odds)?,
            nodes: slices.len(),
            relative_error: slices.iter().map(|s| s.relative_error).fold(0.0, f64::max),
            interpolation_error: 0.0,
        })
    }

    /// Largest distance of the logarithms of a slice from the interpolants.
    fn distance(&self, log_y: f64, slice: &SliceRates) -> f64 {
        let times = self.log_times.iter().zip(logarithms(slice));
        times
            .map(|(fit, value)| (fit.value(log_y) - value).abs())
            .fold((self.log_odds.value(log_y) - slice.log_odds).abs(), f64::max)
    }

    /// First and last y of the table.
    pub fn range(&self) -> (f64, f64) {
        (self.start, self.end)
    }

    /// Number of slices.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Bound of the error of the logarithms of all rates, and of the odds, by interpolation.
    pub fn interpolation_error(&self) -> f64 {
        self.interpolation_error
    }

    /// Largest relative discretisation error of the slices.
    pub fn relative_error(&self) -> f64 {
        self.relative_error
    }

    fn rate(&self, which: usize, y: f64) -> f64 {
        (-self.log_times[which].value(y.ln())).exp()
    }

    /// k_fs(y), hops from the flat to the sharp valley per unit time: passages from half-way to the ridge on one side to half-way on the other.
    pub fn flat_to_sharp(&self, y: f64) -> f64 {
        self.rate(0, y)
    }

    /// k_sf(y), hops from the sharp to the flat valley per unit time, in the same sense.
    pub fn sharp_to_flat(&self, y: f64) -> f64 {
        self.rate(1, y)
    }

    /// Rate at which a run in the flat valley reaches the ridge.
    pub fn flat_to_ridge(&self, y: f64) -> f64 {
        self.rate(2, y)
    }

    /// Rate at which a run in the sharp valley reaches the ridge.
    pub fn sharp_to_ridge(&self, y: f64) -> f64 {
        self.rate(3, y)
    }

    /// Spectral gap λ1(y), the rate at which P_flat relaxes at fixed y.
    pub fn spectral_gap(&self, y: f64) -> f64 {
        self.rate(4, y)
    }

    /// Stationary probability of the flat valley at fixed y.
    pub fn stationary_p_flat(&self, y: f64) -> f64 {
        probability_from_log_odds(self.log_odds.value(y.ln()))
    }
}

/// Logarithms of the four mean times and of the relaxation time.
fn logarithms(slice: &SliceRates) -> [f64; 5] {
    [
        slice.flat_to_sharp_half.ln(),
        slice.sharp_to_flat_half.ln(),
        slice.flat_to_ridge.ln(),
        slice.sharp_to_ridge.ln(),
        -slice.spectral_gap.ln(),
    ]
}

/// Barriers of the flat and the sharp valley in noise temperatures.
fn exponents(model: &TwoValley, slice: &impl Diffusion<1>, y: f64) -> [f64; 2] {
    Side::BOTH.map(|side| {
        let d = slice.tensor(&Point::<1>::new(model.minimum(side, y)))[0];
        model.barrier(y) / d
    })
}

/// y at which the barrier of the more slowly cooling valley reaches [`FROZEN_BARRIER`] noise temperatures, or y1.
fn frozen_position<S: Diffusion<1>>(
    model: &TwoValley,
    slice: &impl Fn(f64) -> Result<S>,
    y0: f64,
    y1: f64,
) -> Result<f64> {
    let exponent = |y: f64| -> Result<f64> {
        let [flat, sharp] = exponents(model, &slice(y)?, y);
        Ok(flat.min(sharp))
    };
    // The exponent grows along the path; walk in ln y until it passes the bound.
    const STEPS: usize = 400;
    for k in 1..=STEPS {
        let y = y0 * (y1 / y0).powf(k as f64 / STEPS as f64);
        if exponent(y)? > FROZEN_BARRIER {
            return Ok(y);
        }
    }
    Ok(y1)
}

/// Solution of the master equation on a grid of y; see [`two_state`].
#[derive(Debug, Clone, PartialEq)]
pub struct TwoState {
    /// y along the path.
    pub y: Vec<f64>,
    /// Time since y0.
    pub time: Vec<f64>,
    /// Probability of the flat valley.
    pub p_flat: Vec<f64>,
    /// Expected number of hops (both directions) up to y.
    pub hops: Vec<f64>,
    /// Change of the final P_flat when the step is halved.
    pub p_flat_error: f64,
    /// Change of the number of hops of the whole path when the step is halved.
    pub hops_error: f64,
}

impl TwoState {
    /// P_flat at the end of the path.
    pub fn final_p_flat(&self) -> f64 {
        self.p_flat[self.p_flat.len() - 1]
    }

    /// Expected number of hops of the whole path.
    pub fn total_hops(&self) -> f64 {
        self.hops[self.hops.len() - 1]
    }
}

/// Integrates dP_f/dt = λ1(y) (P_ss(y) − P_f) from P_f = `initial_p_flat` along the floor velocity v·`ramp`.
///
/// # Formula
/// The two-state master equation with k_sf = λ1 P_ss and k_fs = λ1 (1 − P_ss): the gap and the stationary odds of the slice
/// rather than the bottom-to-bottom times, which at barriers of a few noise temperatures are longer than 1/k by the time spent
/// relaxing, and whose ratio is then not the stationary odds (.9325 against .9332 at y = 5, Δ = 1e-3).
/// On each interval rates take their midpoint values and the linear equation is solved exactly, so that
/// 0 ≤ P_f ≤ 1 for any step.
///
/// # Method
/// Second order in the step of ln y; `steps` intervals and their halving give the error.
///
/// # Errors
/// [`Error::InvalidParameter`] for a probability outside [0, 1] or a floor that does not move forward.
pub fn two_state(
    model: &TwoValley,
    rates: &HopRates,
    initial_p_flat: f64,
    ramp: f64,
    steps: usize,
) -> Result<TwoState> {
    require(
        "initial P_flat",
        initial_p_flat,
        |p| (0.0..=1.0).contains(&p),
        "a probability is needed",
    )?;
    require("ramp", ramp, |r| r > 0.0, "a positive finite factor is needed")?;
    let coarse = integrate(model, rates, initial_p_flat, ramp, steps)?;
    let mut fine = integrate(model, rates, initial_p_flat, ramp, 2 * steps)?;
    fine.p_flat_error = (fine.final_p_flat() - coarse.final_p_flat()).abs();
    fine.hops_error = (fine.total_hops() - coarse.total_hops()).abs();
    Ok(fine)
}

fn integrate(model: &TwoValley, rates: &HopRates, initial: f64, ramp: f64, steps: usize) -> Result<TwoState> {
    let (start, end) = rates.range();
    let ratio = (end / start).ln() / steps as f64;
    let mut out = TwoState {
        y: vec![start],
        time: vec![0.0],
        p_flat: vec![initial],
        hops: vec![0.0],
        p_flat_error: 0.0,
        hops_error: 0.0,
    };
    let (mut p, mut time, mut hops) = (initial, 0.0, 0.0);
    for k in 0..steps {
        let (left, right) = (
            start * (ratio * k as f64).exp(),
            start * (ratio * (k + 1) as f64).exp(),
        );
        let middle = start * (ratio * (k as f64 + 0.5)).exp();
        let velocity = ramp * model.floor_velocity(middle);
        if velocity <= 0.0 {
            return Err(Error::Unreachable {
                target: format!("y = {end}"),
                reason: format!("the valley floor does not slope towards larger y at y = {middle:.4}"),
            });
        }
        let dt = (right - left) / velocity;
        let (relaxation, equilibrium) = (rates.spectral_gap(middle), rates.stationary_p_flat(middle));
        let decayed = (p - equilibrium) * (-relaxation * dt).exp_m1();
        // ∫ (P − equilibrium) dt over the interval.
        let excess = match relaxation > 0.0 {
            true => -decayed / relaxation,
            // below the range of numbers
            false => (p - equilibrium) * dt,
        };
        let (up, down) = (rates.sharp_to_flat(middle), rates.flat_to_sharp(middle));
        hops += up * ((1.0 - equilibrium) * dt - excess) + down * (equilibrium * dt + excess);
        p += decayed;
        time += dt;
        out.y.push(right);
        out.time.push(time);
        out.p_flat.push(p);
        out.hops.push(hops);
    }
    Ok(out)
}
