//! The one implicit time step of dP/dt = L*P or −du/dt = Lu: second order, L-stable, non-negative.
//!
//! With γ = 1 − 1/√2 and R_i = (1 − γ dt L_i)⁻¹, L_1 taken at t + γ dt and L_2 at t + dt,
//!
//! ```text
//! P1 = R_1* P,   Q = P1 + √2 (P1 − P),   P(t + dt) = R_2* Q
//! ```
//!
//! [`two_stages`] is this step for anything that solves the two stages, [`SinglyDiagonal`] the one on a chain.

use crate::error::{Error, Result, require_positive};
use crate::linalg::{Chain, ChainElimination};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

/// Position of the first stage in the step, γ = 1 − 1/√2.
pub const FIRST_STAGE: f64 = 1.0 - FRAC_1_SQRT_2;

/// Result of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced<M = f64> {
    /// State at the end of the step.
    pub state: Vec<f64>,
    /// State at the first stage.
    pub stage: Vec<f64>,
    /// Probability kept from moving by the limiter (forward), or largest change by it (backward).
    pub limited: M,
}

/// A step whose stages apply R_1 and R_2, or their transposes, and whose `limiter` makes Q of P and P1.
///
/// # Errors
/// Those of the stages.
pub(crate) fn two_stages<M>(
    start: &[f64],
    first: impl FnOnce(&[f64]) -> Result<Vec<f64>>,
    second: impl FnOnce(&[f64]) -> Result<Vec<f64>>,
    limiter: impl FnOnce(&[f64], &[f64]) -> (Vec<f64>, M),
) -> Result<Advanced<M>> {
    let stage = first(start)?;
    let (extrapolated, limited) = limiter(start, &stage);
    Ok(Advanced {
        state: second(&extrapolated)?,
        stage,
        limited,
    })
}

/// Killing rate 1/(γ dt) with which (κ − L)⁻¹ κ is a stage of the step `dt`.
pub(crate) fn stage_rate(dt: f64) -> f64 {
    1.0 / (FIRST_STAGE * dt)
}

/// Right-hand side κP + s of a stage of rate κ fed at the rates s (empty: none).
pub(crate) fn fed(rate: f64, values: &[f64], source: &[f64]) -> Vec<f64> {
    let mut rhs: Vec<f64> = values.iter().map(|v| rate * v).collect();
    rhs.iter_mut().zip(source).for_each(|(r, s)| *r += s);
    rhs
}

/// A step of the two-stage singly diagonally implicit Runge-Kutta method of order 2, factorised.
///
/// # Method
/// Order 2, L-stable, error constant −0.040 dt³ d³P/dt³. No linear method of order above one is positive for
/// every step (Bolley and Crouzeix 1978): Q can become negative where P falls by more than the factor 0.59 in
/// γ dt. There, and only there, the extrapolation √2 (P1 − P) is written as fluxes through the faces and the fluxes
/// around the cell are left out (flux-corrected transport, Zalesak 1979). Nothing is clipped: every flux leaves
/// one cell and enters the next, so that mass is exact, and R_2* maps Q ≥ 0 to P ≥ 0. [`Advanced::limited`] is the
/// probability that the fluxes left out would have moved; callers count it as an error of the step.
///
/// # References
/// Alexander 1977 (SDIRK2); Bolley and Crouzeix 1978; Zalesak 1979.
#[derive(Debug, Clone, PartialEq)]
pub struct SinglyDiagonal {
    first: ChainElimination,
    /// None: the generator does not depend on time.
    second: Option<ChainElimination>,
    rate: f64,
}

impl SinglyDiagonal {
    /// Step `dt` for a generator that does not depend on time, with killing rates (empty: none).
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] unless dt > 0; errors of [`Chain::eliminate`].
    pub fn autonomous(chain: &Chain, killing: &[f64], dt: f64) -> Result<Self> {
        Ok(Self {
            first: stage(chain, killing, dt)?,
            second: None,
            rate: stage_rate(dt),
        })
    }

    /// Step `dt` with the generators at t + γ dt and at t + dt, γ = [`FIRST_STAGE`].
    ///
    /// # Errors
    /// As [`SinglyDiagonal::autonomous`].
    pub fn new(chains: [&Chain; 2], killing: [&[f64]; 2], dt: f64) -> Result<Self> {
        Ok(Self {
            first: stage(chains[0], killing[0], dt)?,
            second: Some(stage(chains[1], killing[1], dt)?),
            rate: stage_rate(dt),
        })
    }

    fn second(&self) -> &ChainElimination {
        self.second.as_ref().unwrap_or(&self.first)
    }

    /// Cell probabilities at t + dt.
    ///
    /// # Errors
    /// Those of [`ChainElimination::solve_adjoint`].
    pub fn forward(&self, p: &[f64]) -> Result<Advanced> {
        two_stages(
            p,
            |p| self.first.solve_adjoint(&fed(self.rate, p, &[])),
            |q| self.second().solve_adjoint(&fed(self.rate, q, &[])),
            conservative_extrapolation,
        )
    }

    /// Cell probabilities q ≥ 0 at t + dt of a chain fed from outside at the rates `sources` (probability per
    /// time into each cell at the two stages).
    ///
    /// Mass is not conserved here, so cells in which Q is negative keep their first-stage value.
    ///
    /// # Errors
    /// Those of [`ChainElimination::solve_adjoint`].
    pub fn forward_fed(&self, q: &[f64], sources: [&[f64]; 2]) -> Result<Advanced> {
        two_stages(
            q,
            |q| self.first.solve_adjoint(&fed(self.rate, q, sources[0])),
            |q| self.second().solve_adjoint(&fed(self.rate, q, sources[1])),
            |a, b| bounded_extrapolation(a, b, f64::INFINITY),
        )
    }

    /// The transpose of [`SinglyDiagonal::forward`]: function u in [0, 1] at t from its values at t + dt.
    ///
    /// # Errors
    /// Those of [`ChainElimination::solve`].
    pub fn adjoint(&self, u: &[f64]) -> Result<Advanced> {
        let stage = self.second().solve(&fed(self.rate, u, &[]))?;
        let both = self.first.solve(&fed(self.rate, &stage, &[]))?;
        let (state, limited) = bounded_extrapolation(&stage, &both, 1.0);
        Ok(Advanced {
            state,
            stage,
            limited,
        })
    }
}

fn stage(chain: &Chain, killing: &[f64], dt: f64) -> Result<ChainElimination> {
    require_positive("time step", dt)?;
    let rate = stage_rate(dt);
    if killing.is_empty() {
        return chain.eliminate(&vec![rate; chain.len()]);
    }
    if killing.len() != chain.len() {
        return Err(Error::DimensionMismatch {
            name: "killing rates".into(),
            expected: chain.len(),
            got: killing.len(),
        });
    }
    let total: Vec<f64> = killing.iter().map(|k| k + rate).collect();
    chain.eliminate(&total)
}

/// b + √2 (b − a), the value at Q of what is a at P and b at P1.
#[inline(always)]
pub(crate) fn extrapolated(a: f64, b: f64) -> f64 {
    b + SQRT_2 * (b - a)
}

/// Q without a limiter.
pub(crate) fn free_extrapolation(a: &[f64], b: &[f64]) -> (Vec<f64>, f64) {
    (a.iter().zip(b).map(|(a, b)| extrapolated(*a, *b)).collect(), 0.0)
}

/// b + √2 (b − a) where that lies in [0, upper], else b; and the largest change made by the bounds.
pub(crate) fn bounded_extrapolation(a: &[f64], b: &[f64], upper: f64) -> (Vec<f64>, f64) {
    let mut limited: f64 = 0.0;
    let values = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            let value = extrapolated(*a, *b);
            if (0.0..=upper).contains(&value) {
                value
            } else {
                limited = limited.max((value - b).abs());
                *b
            }
        })
        .collect();
    (values, limited)
}

/// b + √2 (b − a) with the fluxes around negative cells left out, and the sum of those fluxes.
pub(crate) fn conservative_extrapolation(a: &[f64], b: &[f64]) -> (Vec<f64>, f64) {
    let n = a.len();
    let (mut values, _) = free_extrapolation(a, b);
    let mut waiting: Vec<usize> = (0..n).filter(|&i| values[i] < 0.0).collect();
    if waiting.is_empty() {
        return (values, 0.0);
    }
    let flux = face_fluxes(a, b);
    // open[i]: the flux between cells i and i+1 is still included.
    let mut open = vec![true; n - 1];
    let mut limited = 0.0;
    while let Some(i) = waiting.pop() {
        if values[i] >= 0.0 {
            continue;
        }
        for face in [i.checked_sub(1), (i + 1 < n).then_some(i)].into_iter().flatten() {
            if !open[face] {
                continue;
            }
            open[face] = false;
            limited += flux[face].abs();
            for (cell, change) in [(face, flux[face]), (face + 1, -flux[face])] {
                values[cell] += change;
                // Without any flux the cell keeps its first-stage value, exactly.
                let closed = (cell == 0 || !open[cell - 1]) && (cell + 1 == n || !open[cell]);
                if closed {
                    values[cell] = b[cell];
                }
                if values[cell] < 0.0 {
                    waiting.push(cell);
                }
            }
        }
    }
    (values, limited)
}

/// Flux through each inner face whose divergence is √2 (b − a), summed from the nearer side in terms of |b − a| so
/// that fluxes in a tail do not inherit the rounding of the bulk.
fn face_fluxes(a: &[f64], b: &[f64]) -> Vec<f64> {
    let n = a.len();
    let change = |i: usize| SQRT_2 * (b[i] - a[i]);
    let total: f64 = (0..n).map(|i| change(i).abs()).sum();
    let mut flux = vec![0.0; n - 1];
    let (mut sum, mut passed, mut face) = (0.0, 0.0, 0);
    while face < n - 1 && passed + change(face).abs() <= 0.5 * total {
        passed += change(face).abs();
        sum -= change(face);
        flux[face] = sum;
        face += 1;
    }
    let mut sum = 0.0;
    for i in (face..n - 1).rev() {
        sum += change(i + 1);
        flux[i] = sum;
    }
    flux
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limiter_is_conservative_and_non_negative() {
        // Falls by more than 0.59 in the middle, in a tail, and at an end.
        let a = [1.0, 3.0, 1e-9, 2e-30, 4.0, 0.5, 1e-40];
        let mut b = [1.5, 0.4, 5e-10, 1e-31, 5.6, 0.9, 1e-41];
        let difference: f64 = a.iter().sum::<f64>() - b.iter().sum::<f64>();
        b[4] += difference;
        let (values, limited) = conservative_extrapolation(&a, &b);
        assert!(values.iter().all(|v| *v >= 0.0), "{values:?}");
        assert!(limited > 0.0);
        let (sum, wanted): (f64, f64) = (values.iter().sum(), a.iter().sum());
        assert!((sum - wanted).abs() < 1e-14 * wanted);
        // Where nothing needs limiting nothing is changed.
        let (free, none) = conservative_extrapolation(&[1.0, 2.0], &[1.2, 1.8]);
        assert_eq!(none, 0.0);
        assert!((free[0] - (1.2 + 0.2 * SQRT_2)).abs() < 1e-15);
    }
}
