//! Motion under α-stable noise, whose jumps have no variance.

use super::chain::{Chain, Random};
use super::diffusion_chain::{DiffusionChain, ReactionCoordinate, Walker};
use crate::diffusion::Diffusion;
use crate::ensemble::CrossingTest;
use crate::error::{Result, require, require_positive};
use crate::math::Point;
use crate::region::PointSet;

/// dθ = b dt + ε dL with independent symmetric α-stable components of L: E exp(ik L_t) = exp(−t |k|^α), 0 < α ≤ 2.
///
/// # Formula
/// θ' = θ + b h + ε h^{1/α} S, S by Chambers, Mallows and Stuck. Without drift the mean exit time of (−1, 1) from x is (1 − x²)^{α/2}/(Γ(1 + α) ε^α).
/// As ε → 0 the basin (−a, b) of an attractor at 0 is left by one jump: E τ → α/(K ε^α (a^{−α} + b^{−α})), K = Γ(1 + α) sin(πα/2)/π, whatever the
/// barrier. α = 2 is Gaussian noise with D = ε².
///
/// # Method
/// Passage is at the first step that ends in the target. What goes over and back between steps is not seen: mean exit times are too long by a term of
/// order h^{1/α}, which two time steps extrapolate ([`crate::statistics::convergence::extrapolate`]). A drift that grows faster than linearly makes the
/// scheme diverge after a long jump, which is an error.
///
/// # References
/// J. Chambers, C. Mallows and B. Stuck, J. Am. Stat. Assoc. 71, 340 (1976); R. Getoor, Trans. Am. Math. Soc. 101, 75 (1961); P. Imkeller and
/// I. Pavlyukevich, Stoch. Proc. Appl. 116, 611 (2006).
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::math::Point;
/// use freezeout::rare_events::{Chain, StableWalk};
/// use freezeout::region::PointSet;
/// let process = OrnsteinUhlenbeck::new(1.0, 0.0, 0.5)?;
/// let target = PointSet::half_space(Point::<1>::new(1.0), 2.0)?;
/// let walk = StableWalk::new(&process, &target, 1.5, 0.1, 0.01)?;
/// assert_eq!(walk.level(&walk.walker(Point::<1>::new(0.5))?), -1.5);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub struct StableWalk<'a, const D: usize, T: ?Sized> {
    diffusion: &'a T,
    places: DiffusionChain<'a, D, T>,
    stability: f64,
    scale: f64,
    time_step: f64,
}

impl<'a, const D: usize, T: Diffusion<D> + ?Sized> StableWalk<'a, D, T> {
    /// The walk with the drift of `diffusion`, whose tensor is not used, α = `stability`, ε = `strength` and h = `time_step`.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming what is out of range; those of [`DiffusionChain::new`].
    pub fn new(
        diffusion: &'a T,
        target: &'a PointSet<D>,
        stability: f64,
        strength: f64,
        time_step: f64,
    ) -> Result<Self> {
        let coordinate = ReactionCoordinate::Target;
        let stability = require(
            "stability",
            stability,
            |a| a > 0.0 && a <= 2.0,
            "0 < α ≤ 2 is needed",
        )?;
        let strength = require_positive("strength", strength)?;
        Ok(Self {
            diffusion,
            places: DiffusionChain::new(diffusion, target, coordinate, time_step, CrossingTest::EndOfStep)?,
            stability,
            scale: strength * time_step.powf(1.0 / stability),
            time_step,
        })
    }

    /// The walker at a point.
    ///
    /// # Errors
    /// As [`DiffusionChain::walker`].
    pub fn walker(&self, theta: Point<D>) -> Result<Walker<D>> {
        self.places.walker(theta)
    }
}

impl<const D: usize, T: Diffusion<D> + ?Sized> Chain for StableWalk<'_, D, T> {
    type State = Walker<D>;

    fn level(&self, state: &Walker<D>) -> f64 {
        self.places.level(state)
    }

    fn step(&self, state: &mut Walker<D>, random: &mut Random) -> Result<()> {
        let drift = self.diffusion.drift(&state.theta) * self.time_step;
        let jump = Point::<D>::from_fn(|_, _| self.scale * random.stable(self.stability));
        *state = self.walker(state.theta + drift + jump)?;
        Ok(())
    }
}
