//! Solves with K − L of a reversible chain by a plain sparse Cholesky factorisation.
//!
//! ```text
//! S (K − L) S⁻¹ = A,   S = diag(sqrt P),   A_ij = −sqrt(r_ij r_ji),   A_ii = k_i + Σ_j r_ij
//! ```
//!
//! # Limitations
//! The diagonal is stored, so that what the killing adds to a large exit rate is lost to rounding: the smallest
//! eigenvalue of A carries an error of about ε max A_ii. Wherever that counts, [`crate::linalg::Elimination`] is needed.

use crate::error::{Error, Result};
use crate::linalg::{DetailedBalance, NestedDissection, SparseRates};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltRegularization;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, LltRef, SymbolicCholesky, SymmetricOrdering, factorize_symbolic_cholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, MatMut, Par, Side, Spec};

/// The factor of A, with one state held at zero where wanted.
///
/// # Method
/// Supernodal A = C Cᵀ of the faer library in the order of [`NestedDissection`]. One thread.
///
/// # Errors
/// See [`Cholesky::new`].
#[derive(Debug)]
pub struct Cholesky {
    symbolic: SymbolicCholesky<u32>,
    values: Vec<f64>,
    order: Vec<u32>,
    /// sqrt P in the order of elimination.
    roots: Vec<f64>,
    pinned: Option<usize>,
    norm: f64,
}

impl Cholesky {
    /// Factorises K − L for `rates` in detailed balance with `balance`, killed at the rates `killing`; the solution is
    /// held at zero in the state `pinned`.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::NotFinite`] when sqrt P leaves the range of f64;
    /// [`Error::NotPositive`] when rounding has made a pivot negative; [`Error::Inconsistent`] when the library runs out
    /// of memory.
    pub fn new(
        rates: &SparseRates,
        balance: &DetailedBalance,
        killing: &[f64],
        pinned: Option<usize>,
        ordering: &NestedDissection,
    ) -> Result<Self> {
        let n = rates.states();
        rates.check_length("killing", killing.len())?;
        rates.check_length("weights", balance.log_probability.len())?;
        rates.check_length("ordering", ordering.states())?;
        let root = |&state: &u32| (0.5 * balance.log_probability[state as usize]).exp();
        let roots: Vec<f64> = ordering.order.iter().map(root).collect();
        if let Some(at) = roots.iter().position(|r| !(*r >= f64::MIN_POSITIVE)) {
            let state = ordering.order[at] as usize;
            return Err(Error::NotFinite {
                quantity: "square root of a stationary weight".into(),
                reason: format!("ln P = {:.0} in state {state}", balance.log_probability[state]),
            });
        }
        let mut lower = Columns::with_capacity(n, n + rates.transitions() / 2);
        let mut upper = Columns::with_capacity(n, n + rates.transitions() / 2);
        let (mut values, mut norm) = (Vec::with_capacity(n + rates.transitions() / 2), 0.0f64);
        let mut entries: Vec<(u32, f64)> = Vec::new();
        for (k, &state) in ordering.order.iter().enumerate() {
            let state = state as usize;
            entries.clear();
            let mut diagonal = killing[state];
            for (j, rate) in rates.transitions_from(state) {
                diagonal += rate;
                let coupled = pinned != Some(state) && pinned != Some(j);
                let entry = if coupled {
                    -(rate.sqrt() * rates.rate(j, state).sqrt())
                } else {
                    0.0
                };
                entries.push((ordering.position[j], entry));
            }
            norm = norm.max(diagonal);
            entries.push((k as u32, diagonal));
            entries.sort_unstable_by_key(|&(row, _)| row);
            for &(row, value) in &entries {
                if row as usize >= k {
                    lower.rows.push(row);
                    values.push(value);
                }
                if row as usize <= k {
                    upper.rows.push(row);
                }
            }
            lower.starts.push(lower.rows.len() as u32);
            upper.starts.push(upper.rows.len() as u32);
        }
        let symbolic = factorize_symbolic_cholesky(
            upper.pattern(n),
            Side::Upper,
            SymmetricOrdering::Identity,
            CholeskySymbolicParams::default(),
        )
        .map_err(out_of_memory)?;
        let mut factor = vec![0.0; symbolic.len_val()];
        let mut buffer =
            MemBuffer::try_new(symbolic.factorize_numeric_llt_scratch::<f64>(Par::Seq, Spec::default()))
                .map_err(out_of_memory)?;
        symbolic
            .factorize_numeric_llt(
                &mut factor,
                SparseColMatRef::new(lower.pattern(n), &values),
                Side::Lower,
                LltRegularization::default(),
                Par::Seq,
                MemStack::new(&mut buffer),
                Spec::default(),
            )
            .map_err(|e| Error::NotPositive {
                name: "symmetrised K - L".into(),
                position: format!("{e:?}"),
                eigenvalues: format!("the smallest is below rounding of the largest rate {norm:e}"),
            })?;
        Ok(Self {
            symbolic,
            values: factor,
            order: ordering.order.clone(),
            roots,
            pinned,
            // Gershgorin: |A| ≤ twice the largest diagonal entry
            norm: 2.0 * norm,
        })
    }

    /// A bound of the largest eigenvalue of K − L.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// f with (K − L) f = g outside the pinned state, where f = 0.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::InvalidParameter`] when the library runs out of memory.
    pub fn solve(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        let n = self.order.len();
        if rhs.len() != n {
            return Err(Error::DimensionMismatch {
                name: "right-hand side".into(),
                expected: n,
                got: rhs.len(),
            });
        }
        let scaled = |(&state, root): (&u32, &f64)| {
            let state = state as usize;
            if self.pinned == Some(state) {
                0.0
            } else {
                rhs[state] * root
            }
        };
        let mut x: Vec<f64> = self.order.iter().zip(&self.roots).map(scaled).collect();
        let mut buffer = MemBuffer::try_new(self.symbolic.solve_in_place_scratch::<f64>(1, Par::Seq))
            .map_err(out_of_memory)?;
        LltRef::new(&self.symbolic, &self.values).solve_in_place_with_conj(
            Conj::No,
            MatMut::from_column_major_slice_mut(&mut x, n, 1),
            Par::Seq,
            MemStack::new(&mut buffer),
        );
        let mut f = vec![0.0; n];
        for ((&state, x), root) in self.order.iter().zip(x).zip(&self.roots) {
            f[state as usize] = x / root;
        }
        Ok(f)
    }
}

/// Pattern of compressed columns under construction.
struct Columns {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Columns {
    fn with_capacity(columns: usize, entries: usize) -> Self {
        let mut starts = Vec::with_capacity(columns + 1);
        starts.push(0);
        Self {
            starts,
            rows: Vec::with_capacity(entries),
        }
    }

    fn pattern(&self, n: usize) -> SymbolicSparseColMatRef<'_, u32> {
        SymbolicSparseColMatRef::new_checked(n, n, &self.starts, None, &self.rows)
    }
}

fn out_of_memory(error: impl std::fmt::Debug) -> Error {
    Error::OutOfMemory {
        what: "the Cholesky factorisation".into(),
        reason: format!("{error:?}"),
    }
}
