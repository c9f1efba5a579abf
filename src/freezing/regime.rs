//! Whether valleys follow the slow variable, and where their exchange no longer does.

use super::Valley;
use super::two_state::HopRates;
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::landscape::{Side, TwoValley};
use crate::math::Point;

/// Time scales along a path: where the fast coordinate follows the slow one, and where the hops no longer do.
///
/// # Formula
/// Adiabatic parameter max_i max(|dx_i/dt|/σ_i, |d ln h_i/dt|)/h_i with the bottom x_i of valley i, its relaxation rate h_i = −b'(x_i) and deviation
/// σ_i = sqrt(D/h_i). Freeze-out: the last position with λ ≥ |d ln λ/dt|, λ the slowest rate of exchange over a ridge (Kibble and Zurek's argument).
///
/// # Limitations
/// Jumps of the noise are none of it: a valley's law follows one after a few times 1/h_i.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Regime {
    /// Slow positions.
    pub s: Vec<f64>,
    /// Adiabatic parameter, the largest of all valleys.
    pub adiabatic_parameter: Vec<f64>,
    /// Slowest rate λ of exchange over a ridge; none of a single valley, or where hops have died out.
    pub exchange: Vec<Option<f64>>,
    /// Where λ falls below |d ln λ/dt| for the last time; none where runs still exchange at the end.
    pub freeze_out: Option<f64>,
    /// Largest difference of the valleys' own speeds over the mean speed, which is the clock of all runs: it must be small.
    pub speed_difference: f64,
}

/// What time scales at one slow position follow from.
pub(super) struct Moment<'a> {
    pub(super) s: f64,
    pub(super) valleys: &'a [Valley],
    /// ln λ of the slowest exchange.
    pub(super) log_exchange: Option<f64>,
}

impl Regime {
    /// Adiabatic parameter above which the fast coordinate does not follow: the lag of a valley's law is of that order.
    pub const ADIABATIC: f64 = 0.1;

    /// Adds the middle one of three moments with the same valleys, where s moves at `velocity`.
    pub(super) fn add(&mut self, [before, here, after]: [&Moment<'_>; 3], velocity: f64) {
        let rate = velocity / (after.s - before.s);
        let change = |i: usize| {
            let [a, b, c] = [before, here, after].map(|moment| moment.valleys[i]);
            let moved = (c.minimum - a.minimum).abs() / b.deviation;
            let steeper = (c.relaxation / a.relaxation).ln().abs();
            rate * moved.max(steeper) / b.relaxation
        };
        let speeds = here.valleys.iter().map(|valley| valley.velocity);
        let slowest = speeds.clone().fold(f64::INFINITY, f64::min);
        let fastest = speeds.fold(f64::NEG_INFINITY, f64::max);
        self.speed_difference = self.speed_difference.max((fastest - slowest) / velocity);
        self.s.push(here.s);
        self.adiabatic_parameter
            .push((0..here.valleys.len()).map(change).fold(0.0, f64::max));
        self.exchange.push(here.log_exchange.map(f64::exp));
        if let (Some(a), Some(b), Some(c)) = (before.log_exchange, here.log_exchange, after.log_exchange)
            && b.exp() >= ((c - a) * rate).abs()
        {
            self.freeze_out = Some(here.s);
        }
    }

    /// No freeze-out where runs still exchange at the end.
    pub(super) fn ended(mut self) -> Self {
        let exchanges = self.exchange.last().is_some_and(Option::is_some);
        if exchanges && self.freeze_out == self.s.last().copied() {
            self.freeze_out = None;
        }
        self
    }

    /// That of the two-valley model from y = `from` to `to` under the slices `slice(y)`, added to what is known before.
    ///
    /// # Errors
    /// Errors of the slices.
    pub(super) fn add_two_valley<S: Diffusion<1>>(
        &mut self,
        model: &TwoValley,
        slice: impl Fn(f64) -> Result<S>,
        rates: &HopRates,
        [from, to]: [f64; 2],
        ramp: f64,
    ) -> Result<()> {
        /// Positions at which it is told.
        const POSITIONS: usize = 60;
        let at = |k: usize| from * (to / from).powf(k as f64 / (2 * POSITIONS) as f64);
        let last = rates.range().1;
        let mut moments = Vec::with_capacity(2 * POSITIONS + 1);
        for k in 0..=2 * POSITIONS {
            let y = at(k);
            let slice = slice(y)?;
            let valleys = Side::BOTH.map(|side| {
                let x = model.minimum(side, y);
                let step = 1e-4 * x.abs();
                let drift = |x: f64| slice.drift(&Point::<1>::new(x))[0];
                let relaxation = (drift(x - step) - drift(x + step)) / (2.0 * step);
                Valley {
                    minimum: x,
                    relaxation,
                    deviation: (slice.tensor(&Point::<1>::new(x))[0] / relaxation).sqrt(),
                    velocity: ramp * model.floor_velocity(y),
                }
            });
            let log_exchange = (y <= last).then(|| rates.spectral_gap(y).ln());
            moments.push((y, valleys, log_exchange));
        }
        let moments: Vec<Moment<'_>> = moments
            .iter()
            .map(|(s, valleys, log_exchange)| Moment {
                s: *s,
                valleys,
                log_exchange: *log_exchange,
            })
            .collect();
        for k in (1..moments.len()).step_by(2) {
            let velocity = ramp * model.floor_velocity(moments[k].s);
            self.add([&moments[k - 1], &moments[k], &moments[k + 1]], velocity);
        }
        Ok(())
    }

    /// The largest adiabatic parameter and its slow position.
    pub fn largest(&self) -> (f64, f64) {
        let all = self
            .adiabatic_parameter
            .iter()
            .copied()
            .zip(self.s.iter().copied());
        all.fold((0.0, self.s.first().copied().unwrap_or(f64::NAN)), |a, b| {
            if b.0 > a.0 { b } else { a }
        })
    }

    /// The regime in one line, `slow` being the name of the slow variable.
    pub fn text(&self, slow: &str) -> String {
        let (largest, s) = self.largest();
        let above = self.adiabatic_parameter.iter().filter(|a| **a > Self::ADIABATIC);
        let share = above.count() as f64 / self.s.len() as f64;
        let adiabatic = match share {
            0.0 => format!("adiabatic: the parameter is at most {largest:.2e}, at {slow} = {s:.4}"),
            1.0 => format!(
                "not adiabatic anywhere: {slow} is not slow, its parameter exceeds {} on the whole path; trust the density, not the rates",
                Self::ADIABATIC
            ),
            _ => format!(
                "adiabatic on {:.0} % of the path: the parameter reaches {largest:.2e} at {slow} = {s:.4}; there the density is right, not the rates",
                100.0 * (1.0 - share)
            ),
        };
        match self.speed_difference {
            // rounding, or a speed that is the same by the problem
            difference if !(difference > 1e-3) => adiabatic,
            difference => format!(
                "{adiabatic}; the speeds of the valleys differ by up to {:.1} %, and theory and density keep one mean clock for all: trust SGD or Langevin paths where that matters",
                100.0 * difference
            ),
        }
    }
}

/// Time scales of the two-valley model from y0 on, in the slices `slice(y)` with the hop rates `rates` and the floor velocity v·`ramp`, as far as these
/// rates reach.
///
/// # Errors
/// Errors of the slices.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::freezing::{HopRates, two_valley_regime};
/// use freezeout::landscape::{Slice, TwoValley};
/// let model = TwoValley::default();
/// let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0);
/// let rates = HopRates::new(&model, slice, 1.0, 20.0, 8)?;
/// let regime = two_valley_regime(&model, slice, &rates, 1.0)?;
/// assert!(regime.largest().0 < 0.1);
/// // where time scales cross, runs have made their last hop on average
/// assert!((regime.freeze_out.unwrap() - 4.34).abs() < 1.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn two_valley_regime<S: Diffusion<1>>(
    model: &TwoValley,
    slice: impl Fn(f64) -> Result<S>,
    rates: &HopRates,
    ramp: f64,
) -> Result<Regime> {
    let mut regime = Regime::default();
    let (from, to) = rates.range();
    regime.add_two_valley(model, slice, rates, [from, to], ramp)?;
    Ok(regime.ended())
}
