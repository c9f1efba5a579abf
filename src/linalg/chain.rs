//! Birth-death chains: (Lf)_i = up_i (f_{i+1} − f_i) + down_i (f_{i−1} − f_i), and (K − L)⁻¹.

use crate::error::{Error, Result};

/// Rates of a birth-death chain: `up[i]` from i to i+1, `down[i]` from i to i−1, in 1/time.
///
/// `up` of the last state and `down` of the first are zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    up: Vec<f64>,
    down: Vec<f64>,
}

impl Chain {
    /// Chain with the given rates.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] for unequal or empty arrays, [`Error::InvalidParameter`] for a rate that
    /// is negative, infinite or NaN, or that leads out of the chain.
    pub fn new(up: Vec<f64>, down: Vec<f64>) -> Result<Self> {
        if up.is_empty() || up.len() != down.len() {
            return Err(Error::DimensionMismatch {
                name: "down rates".into(),
                expected: up.len().max(1),
                got: down.len(),
            });
        }
        if let Some(&value) = up.iter().chain(&down).find(|r| !(r.is_finite() && **r >= 0.0)) {
            return Err(Error::InvalidParameter {
                name: "rate".into(),
                value,
                requirement: "jump rates are finite and >= 0".into(),
            });
        }
        if up[up.len() - 1] != 0.0 || down[0] != 0.0 {
            return Err(Error::InvalidParameter {
                name: "rate".into(),
                value: up[up.len() - 1].max(down[0]),
                requirement: "the last state has no up rate and the first no down rate".into(),
            });
        }
        Ok(Self { up, down })
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        self.up.len()
    }

    /// Whether the chain has no states; never true.
    pub fn is_empty(&self) -> bool {
        self.up.is_empty()
    }

    /// Rates i → i+1.
    pub fn up(&self) -> &[f64] {
        &self.up
    }

    /// Rates i → i−1.
    pub fn down(&self) -> &[f64] {
        &self.down
    }

    /// Lf.
    pub fn apply(&self, f: &[f64]) -> Vec<f64> {
        (0..self.len())
            .map(|i| {
                let right = if i + 1 < self.len() {
                    self.up[i] * (f[i + 1] - f[i])
                } else {
                    0.0
                };
                let left = if i > 0 {
                    self.down[i] * (f[i - 1] - f[i])
                } else {
                    0.0
                };
                right + left
            })
            .collect()
    }

    /// L*P for cell probabilities P.
    pub fn apply_adjoint(&self, p: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.len()];
        for i in 0..self.len().saturating_sub(1) {
            let flux = p[i] * self.up[i] - p[i + 1] * self.down[i + 1];
            out[i] -= flux;
            out[i + 1] += flux;
        }
        out
    }

    /// The chain without one of its states, jumps into which kill: the rates among the others, and their killing rates.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when there is no such state, or no other.
    pub fn without(&self, state: usize) -> Result<(Self, Vec<f64>)> {
        let states = self.len();
        if state >= states {
            return Err(Error::DimensionMismatch {
                name: "birth-death chain".into(),
                expected: state + 1,
                got: states,
            });
        }
        let (mut up, mut down, mut killing) = (self.up.clone(), self.down.clone(), vec![0.0; states]);
        if state > 0 {
            killing[state - 1] = std::mem::take(&mut up[state - 1]);
        }
        if state + 1 < states {
            killing[state + 1] = std::mem::take(&mut down[state + 1]);
        }
        for rates in [&mut up, &mut down, &mut killing] {
            rates.remove(state);
        }
        Ok((Self::new(up, down)?, killing))
    }

    /// Logarithm of the stationary probabilities, normalised, from detailed balance P_i up_i = P_{i+1} down_{i+1}.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when a rate between two neighbours is zero, so that the law is not unique.
    pub fn log_stationary(&self) -> Result<Vec<f64>> {
        let mut log = Vec::with_capacity(self.len());
        log.push(0.0);
        for i in 1..self.len() {
            let (up, down) = (self.up[i - 1], self.down[i]);
            if up <= 0.0 || down <= 0.0 {
                return Err(Error::Unreachable {
                    target: format!("state {i}"),
                    reason: format!(
                        "a rate between states {} and {i} is zero: from one to the other the potential rises by more than about 700 noise temperatures; narrow the domain where it is steep, or raise the noise",
                        i - 1
                    ),
                });
            }
            log.push(log[i - 1] + (up / down).ln());
        }
        let largest = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = log.iter().map(|l| (l - largest).exp()).sum();
        let norm = largest + sum.ln();
        log.iter_mut().for_each(|l| *l -= norm);
        Ok(log)
    }

    /// Factorises K − L for the killing rates K ≥ 0.
    ///
    /// # Method
    /// States are eliminated in order. Removing state i turns the share k_i/p_i of each jump into it into
    /// killing, with pivot p_i = k_i + up_i; nothing is ever subtracted, so every entry of the inverse has
    /// relative accuracy of order N ε whatever the barrier.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`], [`Error::InvalidParameter`] for a negative or non-finite killing rate, and
    /// [`Error::Unreachable`] when some state can never be killed.
    pub fn eliminate(&self, killing: &[f64]) -> Result<ChainElimination> {
        let n = self.len();
        if killing.len() != n {
            return Err(Error::DimensionMismatch {
                name: "killing rates".into(),
                expected: n,
                got: killing.len(),
            });
        }
        if let Some(&value) = killing.iter().find(|k| !(k.is_finite() && **k >= 0.0)) {
            return Err(Error::InvalidParameter {
                name: "killing rate".into(),
                value,
                requirement: "killing rates are finite and >= 0".into(),
            });
        }
        let (mut inverse_pivot, mut share) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut last = Eliminated::NONE;
        for i in 0..n {
            let handed;
            (handed, last) = last.next(self.up[i], self.down[i], killing[i]);
            if !(last.inverse_pivot > 0.0 && last.inverse_pivot.is_finite()) {
                return Err(Error::Unreachable {
                    target: "killing".into(),
                    reason: format!("states up to {i} have no way out"),
                });
            }
            share.push(handed);
            inverse_pivot.push(last.inverse_pivot);
        }
        Ok(ChainElimination {
            up: self.up.clone(),
            share,
            inverse_pivot,
        })
    }
}

/// A state from which all before it have been eliminated: visits to them are killed there or come back.
///
/// The one step of every elimination along a line; lines side by side take it lane by lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eliminated {
    /// Rate at which a visit ends, there or before.
    pub killing: f64,
    /// 1/(killing + rate up).
    pub inverse_pivot: f64,
}

impl Eliminated {
    /// Before the first state.
    pub const NONE: Self = Self {
        killing: 0.0,
        inverse_pivot: 0.0,
    };

    /// The share down/pivot of a right-hand side that is handed on, and the next state.
    #[inline(always)]
    pub fn next(self, up: f64, down: f64, killing: f64) -> (f64, Self) {
        let share = down * self.inverse_pivot;
        let killing = killing + share * self.killing;
        let inverse_pivot = 1.0 / (killing + up);
        (
            share,
            Self {
                killing,
                inverse_pivot,
            },
        )
    }
}

/// The factors of K − L of a [`Chain`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChainElimination {
    up: Vec<f64>,
    /// down_i/p_{i−1}: share of a right-hand side handed to the next state.
    share: Vec<f64>,
    inverse_pivot: Vec<f64>,
}

impl ChainElimination {
    /// Solves (K − L) f = g; f ≥ 0 when g ≥ 0.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::NotFinite`] when the solution exceeds the range of f64.
    pub fn solve(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        let mut f = self.checked(rhs)?;
        for i in 1..f.len() {
            f[i] += self.share[i] * f[i - 1];
        }
        let mut next = 0.0;
        for i in (0..f.len()).rev() {
            next = (f[i] + self.up[i] * next) * self.inverse_pivot[i];
            f[i] = next;
        }
        finite(f)
    }

    /// Solves (K − L*) ρ = s for cell probabilities; ρ ≥ 0 when s ≥ 0.
    ///
    /// # Errors
    /// As [`ChainElimination::solve`].
    pub fn solve_adjoint(&self, source: &[f64]) -> Result<Vec<f64>> {
        let mut rho = self.checked(source)?;
        let mut inflow = 0.0;
        for i in 0..rho.len() {
            rho[i] = (rho[i] + inflow) * self.inverse_pivot[i];
            inflow = self.up[i] * rho[i];
        }
        for i in (0..rho.len() - 1).rev() {
            rho[i] += self.share[i + 1] * rho[i + 1];
        }
        finite(rho)
    }

    fn checked(&self, values: &[f64]) -> Result<Vec<f64>> {
        if values.len() != self.up.len() {
            return Err(Error::DimensionMismatch {
                name: "right-hand side".into(),
                expected: self.up.len(),
                got: values.len(),
            });
        }
        Ok(values.to_vec())
    }
}

fn finite(values: Vec<f64>) -> Result<Vec<f64>> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(i) => Err(Error::NotFinite {
            quantity: "solution of the chain".into(),
            reason: format!("state {i} leaves the range of f64 (a barrier above about 700 kT)"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Double-well-like chain with barrier `b` between states 0 and n−1, killed at the far end.
    fn chain(barrier: f64, n: usize) -> Chain {
        let energy = |i: usize| {
            let x = 2.0 * i as f64 / (n - 1) as f64 - 1.0;
            barrier * (x * x - 1.0).powi(2)
        };
        let up = (0..n)
            .map(|i| {
                if i + 1 < n {
                    (-0.5 * (energy(i + 1) - energy(i))).exp()
                } else {
                    0.0
                }
            })
            .collect();
        let down = (0..n)
            .map(|i| {
                if i > 0 {
                    (-0.5 * (energy(i - 1) - energy(i))).exp()
                } else {
                    0.0
                }
            })
            .collect();
        Chain::new(up, down).unwrap()
    }

    /// Exact recursion for the time from state 0 to the kill at the end: T = Σ_i t_i, the time t_i from i to
    /// i+1 obeying t_i = 1/up_i + (down_i/up_i) t_{i−1}. All terms are positive.
    fn recursion(chain: &Chain, killing: f64) -> f64 {
        let n = chain.len();
        let (mut t, mut total) = (0.0, 0.0);
        for i in 0..n {
            let up = if i + 1 < n { chain.up[i] } else { killing };
            t = (1.0 + chain.down[i] * t) / up;
            total += t;
        }
        total
    }

    #[test]
    fn escape_time_is_exact_at_any_barrier() {
        let n = 400;
        for barrier in [5.0, 30.0, 100.0, 300.0] {
            let chain = chain(barrier, n);
            let mut killing = vec![0.0; n];
            killing[n - 1] = 0.7;
            let tau = chain.eliminate(&killing).unwrap().solve(&vec![1.0; n]).unwrap();
            let exact = recursion(&chain, 0.7);
            // N ε = 9e-14 bounds the rounding of either sum.
            assert!(
                (tau[0] / exact - 1.0).abs() < 1e-13,
                "barrier {barrier}: {} {exact}",
                tau[0]
            );
        }
    }

    #[test]
    fn adjoint_is_the_transpose() {
        let n = 60;
        let chain = chain(8.0, n);
        let killing: Vec<f64> = (0..n).map(|i| if i % 7 == 0 { 0.1 } else { 0.0 }).collect();
        let solver = chain.eliminate(&killing).unwrap();
        let g: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64).sin()).collect();
        let s: Vec<f64> = (0..n).map(|i| 1.5 + (i as f64).cos()).collect();
        let left: f64 = solver.solve(&g).unwrap().iter().zip(&s).map(|(a, b)| a * b).sum();
        let right: f64 = solver
            .solve_adjoint(&s)
            .unwrap()
            .iter()
            .zip(&g)
            .map(|(a, b)| a * b)
            .sum();
        assert!((left / right - 1.0).abs() < 1e-13);
        let f = solver.solve(&g).unwrap();
        let back: Vec<f64> = chain
            .apply(&f)
            .iter()
            .zip(&f)
            .zip(&killing)
            .map(|((l, f), k)| k * f - l)
            .collect();
        // Residual rounding is relative to |f| max rate.
        let scale = f.iter().copied().fold(0.0, f64::max);
        assert!(
            back.iter()
                .zip(&g)
                .all(|(b, g)| (b - g).abs() < 1e-13 * scale.max(1.0) * 10.0)
        );
    }

    #[test]
    fn stationary_law_balances() {
        let chain = chain(40.0, 200);
        let p: Vec<f64> = chain.log_stationary().unwrap().iter().map(|l| l.exp()).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        assert!(chain.apply_adjoint(&p).iter().all(|v| v.abs() < 1e-15));
    }

    #[test]
    fn refuses_chains_without_exit() {
        assert!(matches!(
            chain(1.0, 5).eliminate(&[0.0; 5]),
            Err(Error::Unreachable { .. })
        ));
        assert!(Chain::new(vec![1.0, 0.0], vec![0.0, f64::NAN]).is_err());
        assert!(Chain::new(vec![1.0, 1.0], vec![0.0, 1.0]).is_err());
    }
}
