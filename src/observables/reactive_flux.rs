//! Transition-path theory: how trajectories go from one set to another.

use super::stationary::log_stationary_probability;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grid::CellSet;
use crate::math::Point;

/// Statistics of the trajectories from A to B in the stationary state; see [`reactive_flux`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReactiveFlux<const D: usize> {
    /// Transitions from A to B per time.
    pub rate: f64,
    /// Probability that the trajectory now is on its way from A to B.
    pub probability: f64,
    /// Probability that A was visited after B: the rest belongs to trajectories that come from B.
    pub from_a: f64,
    /// q⁺, the probability to reach B before A.
    pub forward_committor: Vec<f64>,
    /// q⁻, the probability to have been in A after B; NaN where the stationary probability underflows.
    pub backward_committor: Vec<f64>,
    /// Probability of each cell times q⁺q⁻: its density is that of reactive trajectories.
    pub reactive_probability: Vec<f64>,
    /// Current density of reactive trajectories; half of its normal component is missing in cells next to A, B and the ends.
    pub current: Vec<Point<D>>,
}

impl<const D: usize> ReactiveFlux<D> {
    /// Mean duration of a transition, from leaving A for the last time to reaching B.
    pub fn mean_duration(&self) -> f64 {
        self.probability / self.rate
    }

    /// Rate constant of A → B: transitions per time spent coming from A.
    pub fn rate_constant(&self) -> f64 {
        self.rate / self.from_a
    }
}

/// Reactive trajectories from `a` to `b` of a generator with a stationary law, detailed balance not needed.
///
/// # Formula
/// With the stationary law p, forward and backward committors q± and the flux through any surface between the sets,
/// ```text
/// rate = Σ_i P_i q⁻_i k_i(B),   P(reactive) = Σ_i P_i q⁻_i q⁺_i,   J = q⁺q⁻(bp − div Dp) + pD(q⁻∇q⁺ − q⁺∇q⁻)
/// ```
///
/// # Method
/// (K − L) q⁺ = k(B) and (K − L*) P q⁻ = flow out of A, one subtraction-free elimination for both, so that rates far below
/// rounding keep their digits. Edges of the sets lie on cell faces; second order when they coincide with faces of the true set, first
/// order along staircases.
///
/// # Errors
/// [`Error::OverlappingSets`] when the sets share a cell, or touch: with no cell between them the rate is infinite in the continuum;
/// [`Error::InvalidParameter`] when a boundary absorbs; [`Error::Unreachable`].
///
/// # References
/// E and Vanden-Eijnden 2006; Metzner, Schütte and Vanden-Eijnden 2009, eqs. 3.3-3.9.
///
/// # Examples
/// ```
/// use freezeout::diffusion::OrnsteinUhlenbeck;
/// use freezeout::generator::Generator;
/// use freezeout::grid::{Axis, CellSet, Grid};
/// use freezeout::observables::reactive_flux;
/// let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
/// let grid = Grid::new([Axis::with_faces_at(-7.0, 7.0, 1400, &[-1.0, 1.0])?]);
/// let (a, b) = (CellSet::new("a", &grid, |x| x[0] < -1.0)?, CellSet::new("b", &grid, |x| x[0] > 1.0)?);
/// let flux = reactive_flux(&Generator::assemble(&ou, grid)?, &a, &b)?;
/// // 1/rate = ∫ dx/(D p) between the sets; ∫_{-1}^{1} e^{x²/2} dx = 2.389913772
/// let rate = 1.0 / ((2.0 * std::f64::consts::PI).sqrt() * 2.389_913_772);
/// assert!((flux.rate / rate - 1.0).abs() < 1e-5);
/// assert!((flux.from_a - 0.5).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn reactive_flux<const D: usize>(
    generator: &Generator<D>,
    a: &CellSet,
    b: &CellSet,
) -> Result<ReactiveFlux<D>> {
    a.require_disjoint(b)?;
    let probability: Vec<f64> = log_stationary_probability(generator)?
        .into_iter()
        .map(f64::exp)
        .collect();
    let within = |set: &CellSet, inside: f64, outside: f64| -> Vec<f64> {
        set.members()
            .iter()
            .map(|m| if *m { inside } else { outside })
            .collect()
    };
    let touching = generator
        .apply(&within(b, 1.0, 0.0))?
        .iter()
        .zip(a.members())
        .filter(|(flow, inside)| **inside && **flow > 0.0)
        .count();
    if touching > 0 {
        return Err(Error::OverlappingSets {
            first: a.name().into(),
            second: format!(
                "{} (they touch, and the reactive rate of touching sets is infinite)",
                b.name()
            ),
            cells: touching,
        });
    }
    let stopped = generator.resolvent_outside(&a.union(b))?;
    let into_b = generator.killing_into(b);
    let mut forward = stopped.solve(&into_b)?;
    // P q⁻
    let mut from_a = stopped.solve_adjoint(&generator.injection_from(a, &probability)?)?;
    let rate = from_a.iter().zip(&into_b).map(|(w, k)| w * k).sum();
    for cell in 0..forward.len() {
        if b.contains(cell) {
            forward[cell] = 1.0;
        }
        if a.contains(cell) {
            from_a[cell] = probability[cell];
        }
    }
    let reactive: Vec<f64> = from_a.iter().zip(&forward).map(|(w, q)| w * q).collect();
    Ok(ReactiveFlux {
        rate,
        probability: reactive.iter().sum(),
        from_a: from_a.iter().sum(),
        current: generator.current(&from_a, &forward)?,
        backward_committor: from_a
            .iter()
            .zip(&probability)
            .map(|(w, p)| if *p > 0.0 { w / p } else { f64::NAN })
            .collect(),
        reactive_probability: reactive,
        forward_committor: forward,
    })
}
