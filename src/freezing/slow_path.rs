//! What the density along the slow path and the density in the plane have in common: start, duration, outputs, ends.

use crate::error::{Error, Result, require, require_finite, require_non_negative, require_positive};
use crate::landscape::TwoValley;
use crate::observables::{Evolution, TimeStep};

/// Refuses a path from y = `start` to `end`, point masses (x, probability), cells a deviation, or a tolerance out of range.
pub(super) fn check(
    start: f64,
    end: f64,
    initial: &[(f64, f64)],
    resolution: f64,
    tolerance: f64,
) -> Result<()> {
    require("start", start, |y| y >= 0.0, "a finite y >= 0 is needed")?;
    require("end", end, |y| y > start, "it must exceed the start")?;
    require(
        "resolution",
        resolution,
        |r| r >= 1.0,
        "at least one cell a standard deviation is needed",
    )?;
    require_positive("tolerance", tolerance)?;
    for &(x, p) in initial {
        require_finite("initial x", x)?;
        require_non_negative("initial probability", p)?;
    }
    // Weights such as 1/3 are sums up to rounding.
    require(
        "sum of the initial probabilities",
        initial.iter().map(|(_, p)| p).sum(),
        |s| (s - 1.0).abs() < 1e-12,
        "the initial probabilities must sum to 1",
    )?;
    Ok(())
}

/// Largest |x| of the point masses.
pub(super) fn farthest(initial: &[(f64, f64)]) -> f64 {
    initial.iter().map(|(x, _)| x.abs()).fold(0.0, f64::max)
}

/// Follows the evolution for `duration` and calls `snapshot` at the increasing times `record`.
pub(super) fn follow<E: Evolution>(
    control: &mut TimeStep,
    evolution: &mut E,
    mut state: E::State,
    duration: f64,
    record: &[f64],
    mut snapshot: impl FnMut(&mut E, &E::State, f64),
) -> Result<()> {
    let mut now = 0.0;
    let stops = record.iter().map(|t| (*t, true));
    for (stop, recorded) in stops.chain([(duration, false)]) {
        require(
            "record time",
            stop,
            |t| t >= now && t <= duration,
            &format!("times do not decrease and lie within the run of length {duration:.6}"),
        )?;
        control.follow(evolution, &mut state, now, stop)?;
        now = stop;
        if recorded {
            snapshot(evolution, &state, now);
        }
    }
    Ok(())
}

/// Refuses a run whose `ends` of the grid, first and last, hold probability: it feels that they reflect.
pub(super) fn check_ends(ends: [f64; 2]) -> Result<()> {
    // A Gaussian cut at the nine standard deviations of the grid holds 1e-19 there.
    const ALLOWED: f64 = 1e-12;
    for (probability, where_) in ends.into_iter().zip(["first cell", "last cell"]) {
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

/// Error of the finer of two values, from grids and steps that differ by two: all of their difference. Second order would leave a third of it, but two
/// values do not show an order, and errors in space and time of unlike signs hide one another.
pub(super) fn refinement_error(fine: f64, coarse: f64) -> f64 {
    (fine - coarse).abs()
}

/// f_0 + 4 f_1 + 2 f_2 + … + 4 f_{2n−1} + f_{2n}: a third of the distance of the points times this is Simpson's rule on n panels.
pub(super) fn simpson_sum(panels: usize, f: impl Fn(usize) -> Result<f64>) -> Result<f64> {
    let mut sum = 0.0;
    for k in 0..=2 * panels {
        let weight = match k {
            0 => 1.0,
            k if k == 2 * panels => 1.0,
            k if k % 2 == 1 => 4.0,
            _ => 2.0,
        };
        sum += weight * f(k)?;
    }
    Ok(sum)
}

/// Time ∫ dy/(ramp v) that the noise-free floor takes from `start` to `end`, by Simpson's rule.
///
/// # Errors
/// [`Error::Unreachable`] where the floor does not lead there.
///
/// # Examples
/// ```
/// use freezeout::freezing::floor_time;
/// use freezeout::landscape::TwoValley;
/// // the noise-free floor comes from y = 1 to 2.6650 in a time of 100
/// assert!((floor_time(&TwoValley::default(), 1.0, 2.6650, 1.0)? - 100.0).abs() < 0.01);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn floor_time(model: &TwoValley, start: f64, end: f64, ramp: f64) -> Result<f64> {
    const PANELS: usize = 2000;
    let h = (end - start) / (2 * PANELS) as f64;
    let sum = simpson_sum(PANELS, |k| {
        let y = start + h * k as f64;
        let velocity = ramp * model.floor_velocity(y);
        if velocity <= 0.0 || !velocity.is_finite() {
            return Err(Error::Unreachable {
                target: format!("y = {end}"),
                reason: format!("the valley floor does not slope towards larger y at y = {y:.4}"),
            });
        }
        Ok(1.0 / velocity)
    })?;
    Ok(sum * h / 3.0)
}

/// y of the floor after a time from `start`, by Newton's method.
pub(super) fn floor_position(model: &TwoValley, start: f64, time: f64) -> Result<f64> {
    const ITERATIONS: usize = 20;
    let mut y = start + time * model.floor_velocity(start);
    for _ in 0..ITERATIONS {
        let missing = time - floor_time(model, start, y, 1.0)?;
        // between start and y the floor goes on
        y = (y + missing * model.floor_velocity(y)).max(0.5 * (start + y));
        if missing.abs() <= 1e-12 * time {
            break;
        }
    }
    Ok(y)
}
