//! Off-diagonal rates r_ij of a continuous-time chain in compressed sparse row form.
//!
//! ```text
//! backward  (Lf)_i  = Σ_j r_ij (f_j − f_i)
//! forward   (L*P)_j = Σ_i P_i r_ij − P_j Σ_k r_jk      (P = probability of a cell, not density)
//! ```
//!
//! The diagonal is never stored: it is minus the sum of the row, and storing it is what destroys the
//! relative accuracy of small escape rates.
//!
//! # Limitations
//! At most 2³² − 1 states.

use crate::error::{Error, Result};
use rayon::prelude::*;

/// Rates r_ij ≥ 0 from state i to state j ≠ i.
///
/// # Examples
/// ```
/// use freezeout::linalg::SparseRates;
/// // 0 -> 1 at rate 1, 1 -> 0 at rate 3
/// let chain = SparseRates::from_transitions(2, [(0, 1, 1.0), (1, 0, 3.0)])?;
/// assert_eq!(chain.apply(&[0.0, 1.0])?, [1.0, -3.0]);
/// assert_eq!(chain.apply_adjoint(&[0.75, 0.25])?, [0.0, 0.0]);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRates {
    row_starts: Vec<usize>,
    targets: Vec<u32>,
    rates: Vec<f64>,
}

/// A chain confined to some of its states; what leaves them is killed.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// Rates among the kept states, in their new numbering.
    pub rates: SparseRates,
    /// Total rate from each kept state to the states left out.
    pub killing: Vec<f64>,
    /// Old number of each kept state, ascending.
    pub states: Vec<usize>,
}

impl SparseRates {
    /// Chain from compressed rows: the transitions of state i are entries
    /// `row_starts[i]..row_starts[i + 1]` of `targets` (ascending, without i) and `rates`.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] where lengths disagree, [`Error::Inconsistent`] naming the row whose targets are out of
    /// order, out of range or on the diagonal, [`Error::InvalidParameter`] for a rate that is negative or not finite.
    pub fn new(row_starts: Vec<usize>, targets: Vec<u32>, rates: Vec<f64>) -> Result<Self> {
        let states = row_starts.len().saturating_sub(1);
        if row_starts.first() != Some(&0) || states == 0 || states >= u32::MAX as usize {
            return Err(Error::Inconsistent {
                subject: format!("row starts of {states} states"),
                requirement: "row starts begin with 0 and describe 1 to 2^32 - 2 states".into(),
            });
        }
        let length = |name: &str, expected, got| {
            if expected == got {
                Ok(())
            } else {
                Err(Error::DimensionMismatch {
                    name: name.into(),
                    expected,
                    got,
                })
            }
        };
        length("targets", row_starts[states], targets.len())?;
        length("rates", targets.len(), rates.len())?;
        let check = |i: usize| {
            let wrong = |requirement: &str| Error::Inconsistent {
                subject: format!("row of state {i}"),
                requirement: requirement.into(),
            };
            if row_starts[i] > row_starts[i + 1] || row_starts[i + 1] > targets.len() {
                return Err(wrong("row starts ascend"));
            }
            let mut previous = None;
            for e in row_starts[i]..row_starts[i + 1] {
                let j = targets[e] as usize;
                if j >= states || j == i || previous.is_some_and(|p| p >= j) {
                    return Err(wrong("targets are other states of the chain in ascending order"));
                }
                if !(rates[e] >= 0.0 && rates[e].is_finite()) {
                    return Err(Error::InvalidParameter {
                        name: format!("rate from state {i} to state {j}"),
                        value: rates[e],
                        requirement: "rates are finite and >= 0".into(),
                    });
                }
                previous = Some(j);
            }
            Ok(())
        };
        let rows = (0..states).into_par_iter().with_min_len(4096);
        match rows.find_map_first(|i| check(i).err()) {
            Some(error) => Err(error),
            None => Ok(Self {
                row_starts,
                targets,
                rates,
            }),
        }
    }

    /// Chain from transitions (i, j, rate) in any order; repeated pairs add up.
    ///
    /// # Errors
    /// As [`SparseRates::new`].
    pub fn from_transitions(
        states: usize,
        transitions: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        let mut list: Vec<(usize, usize, f64)> = transitions.into_iter().collect();
        list.sort_by_key(|&(i, j, _)| (i, j));
        let mut row_starts = vec![0; states + 1];
        let (mut targets, mut rates) = (Vec::with_capacity(list.len()), Vec::with_capacity(list.len()));
        let mut last = None;
        for (i, j, rate) in list {
            if i >= states || j >= states {
                return Err(Error::Inconsistent {
                    subject: format!("transition {i} -> {j}"),
                    requirement: format!("states are numbered 0 to {}", states.saturating_sub(1)),
                });
            }
            if last == Some((i, j)) {
                if let Some(sum) = rates.last_mut() {
                    *sum += rate;
                }
                continue;
            }
            last = Some((i, j));
            row_starts[i + 1] += 1;
            targets.push(j as u32);
            rates.push(rate);
        }
        for i in 0..states {
            row_starts[i + 1] += row_starts[i];
        }
        Self::new(row_starts, targets, rates)
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.row_starts.len() - 1
    }

    /// Number of stored transitions.
    pub fn transitions(&self) -> usize {
        self.targets.len()
    }

    /// Targets and rates of the transitions out of state i, targets ascending.
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.row_starts[i]..self.row_starts[i + 1];
        (&self.targets[range.clone()], &self.rates[range])
    }

    /// Transitions (j, r_ij) out of state i.
    pub fn transitions_from(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        let (targets, rates) = self.row(i);
        targets.iter().zip(rates).map(|(&j, &r)| (j as usize, r))
    }

    /// r_ij, zero where there is no transition.
    pub fn rate(&self, i: usize, j: usize) -> f64 {
        let (targets, rates) = self.row(i);
        targets
            .iter()
            .position(|&t| t as usize == j)
            .map_or(0.0, |at| rates[at])
    }

    /// Dirichlet form ½ Σ P_i r_ij (f_i − f_j)²: the energy of f, without cancellation.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn dirichlet_form(&self, probability: &[f64], f: &[f64]) -> Result<f64> {
        self.check_length("probability", probability.len())?;
        self.check_length("f", f.len())?;
        let of_state = |i| -> f64 {
            let differences = self.transitions_from(i).map(|(j, r)| r * (f[i] - f[j]).powi(2));
            0.5 * probability[i] * differences.sum::<f64>()
        };
        Ok((0..self.states()).map(of_state).sum())
    }

    /// Total rate out of each state, Σ_j r_ij.
    pub fn exit_rates(&self) -> Vec<f64> {
        (0..self.states()).map(|i| self.row(i).1.iter().sum()).collect()
    }

    /// (Lf)_i = Σ_j r_ij (f_j − f_i).
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn apply(&self, f: &[f64]) -> Result<Vec<f64>> {
        self.check_length("f", f.len())?;
        Ok((0..self.states())
            .map(|i| self.transitions_from(i).map(|(j, r)| r * (f[j] - f[i])).sum())
            .collect())
    }

    /// (L*P)_j = Σ_i P_i r_ij − P_j Σ_k r_jk for probabilities P of the states.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn apply_adjoint(&self, probability: &[f64]) -> Result<Vec<f64>> {
        self.check_length("probability", probability.len())?;
        let mut out = vec![0.0; self.states()];
        for (i, &p) in probability.iter().enumerate() {
            let mut loss = 0.0;
            for (j, r) in self.transitions_from(i) {
                out[j] += p * r;
                loss += p * r;
            }
            out[i] -= loss;
        }
        Ok(out)
    }

    /// The reversed arrows: entry (j, i) holds r_ij.
    pub fn transpose(&self) -> Self {
        let n = self.states();
        let mut row_starts = vec![0; n + 1];
        for &j in &self.targets {
            row_starts[j as usize + 1] += 1;
        }
        for j in 0..n {
            row_starts[j + 1] += row_starts[j];
        }
        let mut next = row_starts.clone();
        let (mut targets, mut rates) = (vec![0; self.targets.len()], vec![0.0; self.targets.len()]);
        for i in 0..n {
            for (j, r) in self.transitions_from(i) {
                targets[next[j]] = i as u32;
                rates[next[j]] = r;
                next[j] += 1;
            }
        }
        Self {
            row_starts,
            targets,
            rates,
        }
    }

    /// The chain killed when it leaves the states marked in `keep`.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::EmptySet`] when nothing is kept.
    pub fn restrict(&self, keep: &[bool]) -> Result<Restriction> {
        self.check_length("keep", keep.len())?;
        let states: Vec<usize> = (0..keep.len()).filter(|&i| keep[i]).collect();
        if states.is_empty() {
            return Err(Error::EmptySet { name: "kept".into() });
        }
        let mut number = vec![u32::MAX; keep.len()];
        for (new, &old) in states.iter().enumerate() {
            number[old] = new as u32;
        }
        let mut killing = vec![0.0; states.len()];
        let mut row_starts = vec![0];
        let (mut targets, mut rates) = (Vec::new(), Vec::new());
        for (new, &old) in states.iter().enumerate() {
            for (j, r) in self.transitions_from(old) {
                if keep[j] {
                    targets.push(number[j]);
                    rates.push(r);
                } else {
                    killing[new] += r;
                }
            }
            row_starts.push(targets.len());
        }
        Ok(Restriction {
            rates: Self {
                row_starts,
                targets,
                rates,
            },
            killing,
            states,
        })
    }

    /// Which states can reach a state marked in `set` (marked states included) along positive rates.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn reaching(&self, set: &[bool]) -> Result<Vec<bool>> {
        self.transpose().reached_from(set)
    }

    /// Which states can be reached from a state marked in `set` (marked states included).
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn reached_from(&self, set: &[bool]) -> Result<Vec<bool>> {
        self.check_length("set", set.len())?;
        let mut reached = set.to_vec();
        let mut stack: Vec<usize> = (0..set.len()).filter(|&i| set[i]).collect();
        while let Some(i) = stack.pop() {
            for (j, r) in self.transitions_from(i) {
                if r > 0.0 && !reached[j] {
                    reached[j] = true;
                    stack.push(j);
                }
            }
        }
        Ok(reached)
    }

    /// Checks that `target` (marked states) can be reached from every state.
    ///
    /// # Errors
    /// [`Error::Unreachable`] naming a state that is cut off and the number of states it shares that
    /// fate with.
    pub fn require_reaching(&self, set: &[bool], target: &str) -> Result<()> {
        let reaching = self.reaching(set)?;
        match reaching.iter().position(|&r| !r) {
            None => Ok(()),
            Some(first) => {
                let mut start = vec![false; self.states()];
                start[first] = true;
                let component = self.reached_from(&start)?.iter().filter(|&&r| r).count();
                let total = reaching.iter().filter(|&&r| !r).count();
                Err(Error::Unreachable {
                    target: target.into(),
                    reason: format!(
                        "state {first} only ever visits {component} states, none of them in it; {total} of {} states are cut off",
                        self.states()
                    ),
                })
            }
        }
    }

    /// Checks that every state can reach every other.
    ///
    /// # Errors
    /// [`Error::Unreachable`] naming two states.
    pub fn require_irreducible(&self) -> Result<()> {
        let mut origin = vec![false; self.states()];
        origin[0] = true;
        let lost = |reached: Vec<bool>| reached.iter().position(|&r| !r);
        if let Some(i) = lost(self.reached_from(&origin)?) {
            return Err(Error::Unreachable {
                target: format!("state {i}"),
                reason: "no path from state 0".into(),
            });
        }
        if let Some(i) = lost(self.reaching(&origin)?) {
            return Err(Error::Unreachable {
                target: "state 0".into(),
                reason: format!("no path from state {i}"),
            });
        }
        Ok(())
    }

    pub(crate) fn check_length(&self, name: &str, got: usize) -> Result<()> {
        if got == self.states() {
            Ok(())
        } else {
            Err(Error::DimensionMismatch {
                name: name.into(),
                expected: self.states(),
                got,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> SparseRates {
        SparseRates::from_transitions(
            4,
            [(0, 1, 1.0), (1, 0, 2.0), (1, 2, 3.0), (2, 3, 0.5), (2, 3, 0.5)],
        )
        .unwrap()
    }

    #[test]
    fn rejects_what_is_not_a_chain() {
        assert!(
            SparseRates::new(vec![0, 1], vec![0], vec![1.0]).is_err(),
            "diagonal"
        );
        assert!(
            SparseRates::new(vec![0, 2, 2], vec![1, 1], vec![1.0, 1.0]).is_err(),
            "repeated"
        );
        assert!(
            SparseRates::new(vec![0, 1, 1], vec![1], vec![-1.0]).is_err(),
            "negative"
        );
        assert!(
            SparseRates::new(vec![0, 1, 1], vec![1], vec![f64::NAN]).is_err(),
            "NaN"
        );
        assert!(
            SparseRates::new(vec![0, 1, 1], vec![2], vec![1.0]).is_err(),
            "range"
        );
        assert!(
            SparseRates::new(vec![0, 2, 1], vec![1], vec![1.0]).is_err(),
            "starts"
        );
        assert!(SparseRates::from_transitions(2, [(0, 2, 1.0)]).is_err());
        assert!(SparseRates::from_transitions(0, []).is_err());
        assert!(line().apply(&[1.0]).is_err());
    }

    #[test]
    fn adjoint_conserves_mass_and_is_the_adjoint() {
        let (f, p) = ([1.0, -2.0, 0.5, 3.0], [0.1, 0.2, 0.3, 0.4]);
        let (lf, lp) = (line().apply(&f).unwrap(), line().apply_adjoint(&p).unwrap());
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        // a handful of additions of numbers of order one
        assert!((dot(&p, &lf) - dot(&lp, &f)).abs() < 1e-14);
        assert!(lp.iter().sum::<f64>().abs() < 1e-15);
        assert_eq!(line().transpose().transpose(), line());
    }

    #[test]
    fn restriction_turns_departures_into_killing() {
        let kept = line().restrict(&[true, true, false, false]).unwrap();
        assert_eq!(kept.killing, [0.0, 3.0]);
        assert_eq!(kept.states, [0, 1]);
        assert_eq!(kept.rates.exit_rates(), [1.0, 2.0]);
        assert!(line().restrict(&[false; 4]).is_err());
    }

    #[test]
    fn reachability_follows_positive_rates() {
        let chain = line();
        chain
            .require_reaching(&[false, false, false, true], "target")
            .unwrap();
        let error = chain
            .require_reaching(&[true, false, false, false], "target")
            .unwrap_err();
        assert!(
            error.to_string().contains("state 2 only ever visits 2 states"),
            "{error}"
        );
        assert!(chain.require_irreducible().is_err());
    }
}
