//! Detailed balance of a chain: weights without elimination, and how well they balance.

use crate::error::{Error, Result};
use crate::linalg::SparseRates;
use std::collections::VecDeque;

/// Weights of an irreducible chain whose transitions all have a reverse; see [`DetailedBalance::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct DetailedBalance {
    /// ln P_i, normalised to Σ P = 1.
    pub log_probability: Vec<f64>,
    /// max |ln(P_i r_ij) − ln(P_j r_ji)| over all transitions: zero up to rounding for a reversible chain.
    pub imbalance: f64,
}

impl DetailedBalance {
    /// Weights that balance every transition of a spanning tree; none where a transition has no reverse.
    ///
    /// # Formula
    /// ln P_j = ln P_i + ln r_ij − ln r_ji along the tree.
    ///
    /// # Method
    /// Breadth first from state 0. The transitions outside the tree close loops; by Kolmogorov's criterion the chain is
    /// reversible exactly when they balance too, which [`DetailedBalance::imbalance`] measures. With imbalance δ the
    /// Dirichlet form Σ P_i r_ij (f_i − f_j)²/2 is known within the factor e^{±δ}, and with it every eigenvalue of the
    /// chain whose rates are symmetrised.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the chain is reducible.
    ///
    /// # References
    /// A. Kolmogoroff, Math. Ann. 112 (1936) 155.
    ///
    /// # Examples
    /// ```
    /// use freezeout::linalg::{DetailedBalance, SparseRates};
    /// let chain = SparseRates::from_transitions(2, [(0, 1, 1.0), (1, 0, 3.0)])?;
    /// let balance = DetailedBalance::new(&chain)?.expect("every transition has a reverse");
    /// assert!((balance.log_probability[0] - 0.75f64.ln()).abs() < 1e-15 && balance.imbalance < 1e-15);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn new(rates: &SparseRates) -> Result<Option<Self>> {
        let n = rates.states();
        let mut log = vec![f64::NAN; n];
        let mut queue = VecDeque::with_capacity(n);
        log[0] = 0.0;
        queue.push_back(0);
        let (mut reached, mut imbalance): (usize, f64) = (1, 0.0);
        while let Some(i) = queue.pop_front() {
            for (j, forth) in rates.transitions_from(i) {
                let back = rates.rate(j, i);
                if forth == 0.0 && back == 0.0 {
                    continue;
                }
                if forth == 0.0 || back == 0.0 {
                    return Ok(None);
                }
                if log[j].is_nan() {
                    log[j] = log[i] + log_ratio(forth, back);
                    reached += 1;
                    queue.push_back(j);
                } else if j < i {
                    imbalance = imbalance.max((log[i] - log[j] + log_ratio(forth, back)).abs());
                }
            }
            // a transition into i without a reverse is found from its other end
        }
        if reached < n {
            return Err(Error::Unreachable {
                target: format!("state {}", log.iter().position(|l| l.is_nan()).unwrap_or(0)),
                reason: "no path from state 0".into(),
            });
        }
        let largest = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total = largest + log.iter().map(|l| (l - largest).exp()).sum::<f64>().ln();
        log.iter_mut().for_each(|l| *l -= total);
        Ok(Some(Self {
            log_probability: log,
            imbalance,
        }))
    }
}

/// ln(a/b), the quotient first where it stays in range: one logarithm, and exact where a = b.
fn log_ratio(a: f64, b: f64) -> f64 {
    let ratio = a / b;
    if ratio > 1e-290 && ratio < 1e290 {
        ratio.ln()
    } else {
        a.ln() - b.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle(around: f64) -> SparseRates {
        // energies 0, 1, 3 with rates exp(−ΔE/2); `around` multiplies the rates of one sense of rotation
        let energy = [0.0f64, 1.0, 3.0];
        let rate = |i: usize, j: usize| (0.5 * (energy[i] - energy[j])).exp();
        let transitions = (0..3).flat_map(|i| {
            let (next, last) = ((i + 1) % 3, (i + 2) % 3);
            [(i, next, around * rate(i, next)), (i, last, rate(i, last))]
        });
        SparseRates::from_transitions(3, transitions).unwrap()
    }

    #[test]
    fn weights_are_those_of_boltzmann() {
        let balance = DetailedBalance::new(&triangle(1.0)).unwrap().unwrap();
        // a few roundings of logarithms of order one
        assert!(balance.imbalance < 1e-15);
        let log = &balance.log_probability;
        assert!((log[0] - log[1] - 1.0).abs() < 1e-15 && (log[0] - log[2] - 3.0).abs() < 1e-15);
    }

    #[test]
    fn a_current_shows_as_imbalance() {
        // Kolmogorov's loop: the three factors 1.01 add up on the transition that closes the loop
        let balance = DetailedBalance::new(&triangle(1.01)).unwrap().unwrap();
        assert!((balance.imbalance - 3.0 * 1.01f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn one_way_and_reducible_chains() {
        let one_way = SparseRates::from_transitions(3, [(0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0)]).unwrap();
        assert_eq!(DetailedBalance::new(&one_way).unwrap(), None);
        let cut = SparseRates::from_transitions(3, [(0, 1, 1.0), (1, 0, 1.0)]).unwrap();
        assert!(DetailedBalance::new(&cut).is_err());
        // a state that only leaves: seen from state 0 it is out of reach
        let into = SparseRates::from_transitions(2, [(1, 0, 1.0)]).unwrap();
        assert!(DetailedBalance::new(&into).is_err());
        // rates whose quotient leaves the range of f64
        let steep = SparseRates::from_transitions(2, [(0, 1, 1e-200), (1, 0, 1e200)]).unwrap();
        let log = DetailedBalance::new(&steep).unwrap().unwrap().log_probability;
        assert!((log[1] + 400.0 * 10f64.ln()).abs() < 1e-12 * 400.0);
    }
}
