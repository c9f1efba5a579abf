//! Adaptive time stepping by step doubling, shared by everything that evolves in time.

use crate::error::{Error, Result, require_positive};

/// Work and errors of an adaptive integration.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepCounts {
    /// Accepted steps, each made of two half steps.
    pub accepted: usize,
    /// Steps repeated with a smaller dt because the local error was too large.
    pub rejected: usize,
    /// Accepted steps in which the positivity limiter was active.
    pub limited: usize,
    /// Sum over accepted steps of the probability that the limiter kept from moving.
    pub limited_probability: f64,
    /// Sum of the local error estimates, limiter included: a bound of the error in time, because the
    /// semigroup contracts both norms in use (total variation forward; backward the maximum, taken relative to it).
    pub error: f64,
}

/// Step size control for a method of second order; see `TimeStep::follow`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeStep {
    tolerance: f64,
    next: f64,
    counts: StepCounts,
    /// Whether steps change by powers of two only.
    doubling: bool,
}

/// A result of a trial step that can be compared with another for the local error.
pub(crate) trait Trial {
    /// Error of the finer of two results at the same time by Richardson's rule for order 2: difference/3.
    fn error(coarse: &Self, fine: &Self) -> f64;
    /// What the limiter changed.
    fn limited(&self) -> f64;
}

/// What evolves in time.
pub(crate) trait Evolution {
    /// Its state.
    type State: Trial;

    /// The state `dt` after `from`.
    fn step(&mut self, from: &Self::State, dt: f64) -> Result<Self::State>;

    /// Sees the two halves of each step taken, from start to end, before the second of them becomes the state.
    fn accept(&mut self, _halves: &mut [Self::State; 2], _start: f64, _end: f64) -> Result<()> {
        Ok(())
    }
}

impl TimeStep {
    /// Control with the local `tolerance` of each step and a first step to try.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless both are positive.
    pub fn new(tolerance: f64, first: f64) -> Result<Self> {
        Ok(Self {
            tolerance: require_positive("tolerance", tolerance)?,
            next: require_positive("first time step", first)?,
            counts: StepCounts::default(),
            doubling: false,
        })
    }

    /// The same with steps that change by powers of two only: more of them, but the factors of one serve the next.
    pub fn by_doubling(self) -> Self {
        Self {
            doubling: true,
            ..self
        }
    }

    /// Work and errors so far.
    pub fn counts(&self) -> StepCounts {
        self.counts
    }

    /// Brings the state from the time `start` to the time `end`, step by step.
    ///
    /// # Errors
    /// [`Error::NotConverged`] after forty rejections in a row; errors of the evolution.
    pub fn follow<E: Evolution>(
        &mut self,
        evolution: &mut E,
        state: &mut E::State,
        start: f64,
        end: f64,
    ) -> Result<()> {
        let mut now = start;
        while now < end {
            let most = end - now;
            let (mut halves, dt) = self.advance(evolution, state, most)?;
            let next = if dt >= most { end } else { now + dt };
            evolution.accept(&mut halves, now, next)?;
            [_, *state] = halves;
            now = next;
        }
        Ok(())
    }

    /// Takes one step of at most `most`: a full step and two half steps, which are returned with the length of both.
    ///
    /// The error of the half steps is |difference|/3 plus what the limiter changed. A step is accepted when that
    /// is at most the tolerance; steps change by factors in [0.2, 4].
    fn advance<E: Evolution>(
        &mut self,
        evolution: &mut E,
        state: &E::State,
        most: f64,
    ) -> Result<([E::State; 2], f64)> {
        const ATTEMPTS: usize = 40;
        let mut error = f64::INFINITY;
        for _ in 0..ATTEMPTS {
            // A remainder shorter than two steps is halved, so that no sliver is left at the end.
            let dt = if most <= self.next {
                most
            } else {
                self.next.min(0.5 * most)
            };
            let full = evolution.step(state, dt)?;
            let first = evolution.step(state, 0.5 * dt)?;
            let second = evolution.step(&first, 0.5 * dt)?;
            let limited = first.limited() + second.limited();
            error = Trial::error(&full, &second) + limited;
            // 0.9: safety; the local error is of third order.
            let factor = (0.9 * (self.tolerance / error).cbrt()).clamp(0.2, 4.0);
            let factor = if self.doubling {
                2f64.powf(factor.log2().floor())
            } else {
                factor
            };
            if error <= self.tolerance {
                // A step cut short by `most` says nothing against the longer one planned.
                let grown = dt * factor;
                self.next = if dt < self.next {
                    grown.max(self.next)
                } else {
                    grown
                };
                self.counts.accepted += 1;
                self.counts.limited += usize::from(limited > 0.0);
                self.counts.limited_probability += limited;
                self.counts.error += error;
                return Ok(([first, second], dt));
            }
            self.counts.rejected += 1;
            self.next = dt * factor.min(0.5);
        }
        Err(Error::NotConverged {
            method: "adaptive time step".into(),
            iterations: ATTEMPTS,
            residual: error,
            tolerance: self.tolerance,
        })
    }
}

/// Error of the finer of two densities: a third of their distance in total variation, half the sum of |a − b|.
pub(crate) fn density_error(coarse: &[f64], fine: &[f64]) -> f64 {
    coarse.iter().zip(fine).map(|(a, b)| (a - b).abs()).sum::<f64>() / 6.0
}
