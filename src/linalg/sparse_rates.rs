//! Off-diagonal rates r_ij of a continuous-time chain in the compressed sparse rows of sprs.
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
use sprs::io::{read_matrix_market_from_bufread, write_matrix_market_to_bufwrite};
use sprs::{CsMatI, TriMatI};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Compressed sparse rows as the library sprs holds them.
pub type CompressedRows = CsMatI<f64, u32, usize>;

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
    rows: CompressedRows,
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
    /// [`Error::Inconsistent`] for what is no compressed matrix; as [`SparseRates::from_csr`].
    pub fn new(row_starts: Vec<usize>, targets: Vec<u32>, rates: Vec<f64>) -> Result<Self> {
        let states = row_starts.len().saturating_sub(1);
        let rows = CsMatI::try_new((states, states), row_starts, targets, rates);
        Self::from_csr(rows.map_err(|(_, _, _, error)| Error::Inconsistent {
            subject: format!("compressed rows of {states} states"),
            requirement: error.to_string(),
        })?)
    }

    /// Chain from a matrix of rates, columns ascending in every row.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] unless the matrix is square, stored by rows, has a state and holds no diagonal entry;
    /// [`Error::InvalidParameter`] for a rate that is negative or not finite.
    ///
    /// # Examples
    /// ```
    /// use freezeout::linalg::{CompressedRows, SparseRates};
    /// let rows = CompressedRows::new((2, 2), vec![0, 1, 2], vec![1, 0], vec![1.0, 3.0]);
    /// assert_eq!(SparseRates::from_csr(rows)?.rate(1, 0), 3.0);
    /// let with_diagonal = CompressedRows::new((2, 2), vec![0, 2, 2], vec![0, 1], vec![-1.0, 1.0]);
    /// assert!(SparseRates::from_csr(with_diagonal).is_err());
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn from_csr(rows: CompressedRows) -> Result<Self> {
        let wrong = |requirement: &str| Error::Inconsistent {
            subject: "matrix of rates".into(),
            requirement: requirement.into(),
        };
        let states = rows.rows();
        if !rows.is_csr() || states != rows.cols() || states == 0 || states >= u32::MAX as usize {
            return Err(wrong(
                "it is square, stored by rows, and has 1 to 2^32 - 2 states",
            ));
        }
        let chain = Self { rows };
        let refusal = |i: usize| {
            let (targets, rates) = chain.row(i);
            let invalid = rates.iter().position(|r| !(*r >= 0.0 && r.is_finite()));
            if targets.contains(&(i as u32)) {
                return Some(wrong(&format!("state {i} has a diagonal entry; none is stored")));
            }
            invalid.map(|at| Error::InvalidParameter {
                name: format!("rate from state {i} to state {}", targets[at]),
                value: rates[at],
                requirement: "rates are finite and >= 0".into(),
            })
        };
        match (0..states)
            .into_par_iter()
            .with_min_len(4096)
            .find_map_first(refusal)
        {
            Some(error) => Err(error),
            None => Ok(chain),
        }
    }

    /// Chain from transitions (i, j, rate) in any order; repeated pairs add up.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] for a transition of no state; as [`SparseRates::from_csr`].
    pub fn from_transitions(
        states: usize,
        transitions: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self> {
        let mut list = TriMatI::<f64, u32>::new((states, states));
        for (i, j, rate) in transitions {
            if i >= states || j >= states || states >= u32::MAX as usize {
                return Err(Error::Inconsistent {
                    subject: format!("transition {i} -> {j}"),
                    requirement: format!(
                        "states are numbered 0 to {}, less than 2^32 - 2",
                        states.saturating_sub(1)
                    ),
                });
            }
            list.add_triplet(i, j, rate);
        }
        Self::from_csr(list.to_csr())
    }

    /// The rates as a matrix, without a diagonal.
    pub fn as_csr(&self) -> &CompressedRows {
        &self.rows
    }

    /// Writes the rates in the Matrix Market coordinate format; [`SparseRates::read_matrix_market`] finds the same numbers.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn write_matrix_market(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let written = File::create(path).and_then(|file| {
            let mut writer = BufWriter::new(file);
            write_matrix_market_to_bufwrite(&mut writer, &self.rows)?;
            writer.flush()
        });
        written.map_err(|error| Error::Output {
            path: path.display().to_string(),
            message: error.to_string(),
        })
    }

    /// Chain from a Matrix Market file in the coordinate format.
    ///
    /// # Errors
    /// [`Error::Input`]; as [`SparseRates::from_csr`].
    pub fn read_matrix_market(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |message: String| Error::Input {
            path: path.display().to_string(),
            message,
        };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        // the reader of sprs trusts the line of sizes
        let numbers =
            |line: &str| -> Vec<usize> { line.split_whitespace().map_while(|n| n.parse().ok()).collect() };
        let mut lines = text
            .lines()
            .filter(|l| !l.starts_with('%') && !l.trim().is_empty());
        let sizes = lines.next().map(numbers).unwrap_or_default();
        let entries: Vec<Vec<usize>> = lines.map(numbers).collect();
        let sound = match sizes[..] {
            [rows, columns, count] => {
                rows == columns
                    && rows < u32::MAX as usize
                    && count == entries.len()
                    && entries
                        .iter()
                        .all(|e| e.len() >= 2 && e[..2].iter().all(|n| (1..=rows).contains(n)))
            }
            _ => false,
        };
        if !sound {
            let wanted =
                "a square matrix with all its entries is wanted, in the Matrix Market coordinate format";
            return Err(unreadable(wanted.into()));
        }
        let list: TriMatI<f64, u32> = read_matrix_market_from_bufread(&mut text.as_bytes())
            .map_err(|error| unreadable(error.to_string()))?;
        Self::from_csr(list.to_csr())
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.rows.rows()
    }

    /// Number of stored transitions.
    pub fn transitions(&self) -> usize {
        self.rows.nnz()
    }

    /// Targets and rates of the transitions out of state i, targets ascending.
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.rows.indptr().outer_inds_sz(i);
        (&self.rows.indices()[range.clone()], &self.rows.data()[range])
    }

    /// Transitions (j, r_ij) out of state i.
    pub fn transitions_from(&self, i: usize) -> impl Iterator<Item = (usize, f64)> {
        let (targets, rates) = self.row(i);
        targets.iter().zip(rates).map(|(&j, &r)| (j as usize, r))
    }

    /// r_ij, zero where there is no transition.
    pub fn rate(&self, i: usize, j: usize) -> f64 {
        self.rows.get(i, j).copied().unwrap_or(0.0)
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
        Self {
            rows: self.rows.to_other_storage().transpose_into(),
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
            rates: Self::new(row_starts, targets, rates)?,
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
    fn matrices_come_and_go_without_a_diagonal() {
        let chain = line();
        assert_eq!(SparseRates::from_csr(chain.as_csr().clone()).unwrap(), chain);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.mtx");
        let small =
            SparseRates::from_transitions(3, [(0, 1, 1e-300), (2, 0, 0.1 + 0.2), (1, 2, 1e300)]).unwrap();
        for chain in [chain, small] {
            chain.write_matrix_market(&path).unwrap();
            assert_eq!(SparseRates::read_matrix_market(&path).unwrap(), chain);
        }
        let header = "%%MatrixMarket matrix coordinate real general\n";
        for (text, why) in [
            ("2 2 1\n1 1 -1.0\n", "diagonal"),
            ("2 2 1\n1 2 -1.0\n", "negative"),
            ("2 3 1\n1 2 1.0\n", "not square"),
            ("2 2 2\n1 2 1.0\n", "cut short"),
            ("2 2 1\n1 3 1.0\n", "out of range"),
            ("2 2 1\n1 0 1.0\n", "counted from zero"),
            ("2 2 1\n1 2 x\n", "no number"),
            ("% only a comment\n", "empty"),
        ] {
            std::fs::write(&path, format!("{header}{text}")).unwrap();
            assert!(SparseRates::read_matrix_market(&path).is_err(), "{why}");
        }
        std::fs::write(&path, "2 2 1\n1 2 1.0\n").unwrap();
        assert!(SparseRates::read_matrix_market(&path).is_err(), "no header");
        assert!(SparseRates::read_matrix_market(folder.path().join("none")).is_err());
        let by_columns = line().as_csr().to_csc();
        assert!(SparseRates::from_csr(by_columns).is_err());
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
