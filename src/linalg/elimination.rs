//! Subtraction-free elimination: solves with K − L to full relative accuracy at any barrier.
//!
//! ```text
//! (K − L) f = g,        k_i f_i + Σ_j r_ij (f_i − f_j) = g_i
//! (K − L)ᵀ P = g,       P_j (k_j + Σ_k r_jk) − Σ_i P_i r_ij = g_j
//! ```
//!
//! with killing k ≥ 0. Only sums, products and quotients of non-negative numbers occur (Grassmann,
//! Taksar and Heyman), so every entry of the answer to a non-negative right-hand side carries a relative
//! error of a few units in the last place times the depth of the elimination, whatever the condition
//! number e^{ΔL/T}.
//!
//! # Limitations
//! Rates out of sets of states must stay above 1e-290; below, an error says so.

use crate::error::{Error, Result, require_non_negative};
use crate::linalg::front::{Contribution, Front, Spare};
use crate::linalg::nested_dissection::Block;
use crate::linalg::{NestedDissection, SparseRates};
use std::sync::Arc;

/// Pivots from which the two subtrees of a block are handled by different threads.
const SHARED_SUBTREE: usize = 1000;

/// The factorisation of K − L.
///
/// # Formula
/// Mean first-passage time: K = rates into the target, g = 1. Committor to B: K = rates into A ∪ B,
/// g = rates into B. Mean occupation before killing: the adjoint solve of the initial law.
///
/// # Method
/// Multifrontal: each block of the [`NestedDissection`] is eliminated as one dense front, blocked into
/// matrix products; independent subtrees and large products run in parallel. The result does not depend
/// on the number of threads.
///
/// # Errors
/// See [`Elimination::new`].
///
/// # References
/// W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33 (1985) 1107; C. A. O'Cinneide, Numer. Math. 65
/// (1993) 109 (entrywise accuracy); I. S. Duff, J. K. Reid, ACM Trans. Math. Softw. 9 (1983) 302 (fronts).
///
/// # Examples
/// ```
/// use freezeout::linalg::{Elimination, NestedDissection, SparseRates};
/// use std::sync::Arc;
/// // 0 <-> 1 at rate 1, killed from 1 at rate 1e-200: mean lifetime from 0 is 1 + 2e200
/// let chain = SparseRates::from_transitions(2, [(0, 1, 1.0), (1, 0, 1.0)])?;
/// let order = Arc::new(NestedDissection::graph(&chain)?);
/// let factors = Elimination::new(&chain, &[0.0, 1e-200], order)?;
/// let lifetime = factors.solve(&[1.0, 1.0])?;
/// assert!((lifetime[0] / 2e200 - 1.0).abs() < 1e-15);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Elimination {
    ordering: Arc<NestedDissection>,
    fronts: Vec<Front>,
}

impl Elimination {
    /// Factorises K − L for the chain `rates` killed at the rates `killing`.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::InvalidParameter`] for killing that is negative or not finite;
    /// [`Error::Inconsistent`] for an ordering of another pattern; [`Error::Unreachable`] when killing cannot be reached from some
    /// state; [`Error::NotFinite`] when a pivot leaves the range of f64.
    pub fn new(rates: &SparseRates, killing: &[f64], ordering: Arc<NestedDissection>) -> Result<Self> {
        rates.check_length("killing", killing.len())?;
        for (i, &k) in killing.iter().enumerate() {
            if !(k >= 0.0 && k.is_finite()) {
                require_non_negative(&format!("killing of state {i}"), k)?;
            }
        }
        let killed: Vec<bool> = killing.iter().map(|&k| k > 0.0).collect();
        rates.require_reaching(&killed, "killed set")?;
        Self::factorise(rates, Some(killing), ordering)
    }

    fn factorise(
        rates: &SparseRates,
        killing: Option<&[f64]>,
        ordering: Arc<NestedDissection>,
    ) -> Result<Self> {
        rates.check_length("ordering", ordering.states())?;
        let reversed = rates.transpose();
        let mut fronts: Vec<Option<Front>> = vec![None; ordering.blocks.len()];
        let problem = Problem {
            rates,
            reversed: &reversed,
            killing,
            ordering: &ordering,
            spare: Spare::default(),
        };
        let root = ordering.blocks.len() - 1;
        problem.subtree(root, &mut fronts)?;
        let fronts: Vec<Front> = fronts.into_iter().flatten().collect();
        Ok(Self { ordering, fronts })
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.ordering.states()
    }

    /// f with (K − L) f = g.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`]; [`Error::NotFinite`] when the answer overflows.
    pub fn solve(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        self.sweep(rhs, Front::forward, Front::backward)
    }

    /// P with (K − L)ᵀ P = g.
    ///
    /// # Errors
    /// As [`Elimination::solve`].
    pub fn solve_adjoint(&self, rhs: &[f64]) -> Result<Vec<f64>> {
        self.sweep(rhs, Front::forward_adjoint, Front::backward_adjoint)
    }

    /// ln of the stationary law of an irreducible chain, normalised to Σ P = 1.
    ///
    /// # Formula
    /// P_j Σ_k r_jk = Σ_i P_i r_ij, by elimination of all states but one and substitution in logarithms.
    ///
    /// # Method
    /// Weights may span more than the range of f64 as long as elimination keeps the rates that matter: the
    /// balance of every state is checked afterwards.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the chain is reducible; [`Error::NotFinite`] when rates underflowed.
    pub fn stationary_logarithm(rates: &SparseRates, ordering: Arc<NestedDissection>) -> Result<Vec<f64>> {
        rates.require_irreducible()?;
        let factors = Self::factorise(rates, None, ordering)?;
        let order = &factors.ordering;
        let root = order.blocks.len() - 1;
        let mut x = vec![0.0; factors.states()];
        let mut local = Vec::new();
        for (b, (block, front)) in order.blocks.iter().zip(&factors.fronts).enumerate().rev() {
            gather(&x, block, &mut local, true);
            front.backward_logarithmic(&mut local, b == root);
            x[block.first..block.first + block.pivots].copy_from_slice(&local[..block.pivots]);
        }
        let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total = largest + x.iter().map(|v| (v - largest).exp()).sum::<f64>().ln();
        let mut logarithm = vec![0.0; x.len()];
        for (&state, v) in order.order.iter().zip(&x) {
            logarithm[state as usize] = v - total;
        }
        check_balance(rates, &logarithm)?;
        Ok(logarithm)
    }

    fn sweep(
        &self,
        rhs: &[f64],
        forward: impl Fn(&Front, &mut [f64]),
        backward: impl Fn(&Front, &mut [f64]),
    ) -> Result<Vec<f64>> {
        let order = &self.ordering;
        if rhs.len() != order.states() {
            let name = "right-hand side".to_string();
            return Err(Error::DimensionMismatch {
                name,
                expected: order.states(),
                got: rhs.len(),
            });
        }
        let mut x: Vec<f64> = order.order.iter().map(|&state| rhs[state as usize]).collect();
        let mut local = Vec::new();
        for (block, front) in order.blocks.iter().zip(&self.fronts) {
            gather(&x, block, &mut local, false);
            forward(front, &mut local);
            x[block.first..block.first + block.pivots].copy_from_slice(&local[..block.pivots]);
            for (&position, &v) in block.boundary.iter().zip(&local[block.pivots..]) {
                x[position as usize] += v;
            }
        }
        for (block, front) in order.blocks.iter().zip(&self.fronts).rev() {
            gather(&x, block, &mut local, true);
            backward(front, &mut local);
            x[block.first..block.first + block.pivots].copy_from_slice(&local[..block.pivots]);
        }
        let mut out = vec![0.0; x.len()];
        for (&state, &v) in order.order.iter().zip(&x) {
            out[state as usize] = v;
        }
        match out.iter().position(|v| !v.is_finite()) {
            None => Ok(out),
            Some(i) => Err(Error::NotFinite {
                quantity: "solution of (K - L) f = g".into(),
                reason: format!("entry {i} leaves the range of f64"),
            }),
        }
    }
}

/// Values at the pivots followed by those at the boundary (or zeros).
fn gather(x: &[f64], block: &Block, local: &mut Vec<f64>, with_boundary: bool) {
    local.clear();
    local.extend_from_slice(&x[block.first..block.first + block.pivots]);
    let value = |&position: &u32| if with_boundary { x[position as usize] } else { 0.0 };
    local.extend(block.boundary.iter().map(value));
}

struct Problem<'a> {
    rates: &'a SparseRates,
    reversed: &'a SparseRates,
    killing: Option<&'a [f64]>,
    ordering: &'a NestedDissection,
    spare: Spare,
}

impl Problem<'_> {
    /// Eliminates block `b` and all below it; `fronts` holds exactly the blocks of that subtree.
    fn subtree(&self, b: usize, fronts: &mut [Option<Front>]) -> Result<Contribution> {
        let block = &self.ordering.blocks[b];
        let offset = block.subtree.0;
        let pivots_of = |c: usize| block_end(&self.ordering.blocks[c]) - self.ordering.blocks[c].subtree.1;
        let children: Vec<Contribution> = match block.children[..] {
            [left, right] => {
                let (a, rest) = fronts.split_at_mut(left + 1 - offset);
                let c = &mut rest[..right - left];
                let (x, y) = if pivots_of(left).min(pivots_of(right)) >= SHARED_SUBTREE {
                    rayon::join(|| self.subtree(left, a), || self.subtree(right, c))
                } else {
                    (self.subtree(left, a), self.subtree(right, c))
                };
                vec![x?, y?]
            }
            [only] => vec![self.subtree(only, &mut fronts[..only + 1 - offset])?],
            _ => Vec::new(),
        };
        let (mut front, mut contribution) = Front::new(block.pivots, block.boundary.len(), &self.spare);
        self.assemble(block, &mut front)?;
        let mut local = Vec::new();
        for (&c, child) in block.children.iter().zip(&children) {
            local.clear();
            let mut at = 0;
            for &position in &self.ordering.blocks[c].boundary {
                let p = position as usize;
                if p < block_end(block) {
                    local.push(p - block.first);
                } else {
                    while block.boundary[at] < position {
                        at += 1;
                    }
                    local.push(block.pivots + at);
                }
            }
            front.add_child(&mut contribution, child, &local);
        }
        children.into_iter().for_each(|child| self.spare.take_back(child));
        let rooted = self.killing.is_none() && b + 1 == self.ordering.blocks.len();
        front.eliminate(&mut contribution, rooted)?;
        fronts[b - offset] = Some(front);
        Ok(contribution)
    }

    /// Adds the original rates that have one end among the pivots and none earlier.
    fn assemble(&self, block: &Block, front: &mut Front) -> Result<()> {
        let order = self.ordering;
        let end = block_end(block);
        let size = block.pivots + block.boundary.len();
        let on_boundary = |position: u32| {
            let found = block.boundary.binary_search(&position);
            found
                .map(|at| block.pivots + at)
                .map_err(|_| Error::Inconsistent {
                    subject: "ordering".into(),
                    requirement: "the ordering must come from a chain with the same transitions".into(),
                })
        };
        for p in 0..block.pivots {
            let state = order.order[block.first + p] as usize;
            for (j, rate) in self.rates.transitions_from(state) {
                let position = order.position[j] as usize;
                if position >= end {
                    front.add(p, on_boundary(position as u32)?, rate);
                } else if position >= block.first {
                    front.add(p, position - block.first, rate);
                }
            }
            for (i, rate) in self.reversed.transitions_from(state) {
                let position = order.position[i] as usize;
                if position >= end {
                    front.add(on_boundary(position as u32)?, p, rate);
                }
            }
            if let Some(killing) = self.killing {
                front.add(p, size, killing[state]);
            }
        }
        Ok(())
    }
}

fn block_end(block: &Block) -> usize {
    block.first + block.pivots
}

/// Largest relative imbalance of a state that a stationary law may show.
///
/// Rounding leaves about 1e-13; underflow of a rate that matters leaves an error of order one.
const BALANCE_TOLERANCE: f64 = 1e-8;

fn check_balance(rates: &SparseRates, logarithm: &[f64]) -> Result<()> {
    let exit_rates = rates.exit_rates();
    let reversed = rates.transpose();
    for j in 0..rates.states() {
        let influx: f64 = reversed
            .transitions_from(j)
            .map(|(i, r)| r * (logarithm[i] - logarithm[j]).exp())
            .sum();
        let imbalance = (influx / exit_rates[j] - 1.0).abs();
        if rates.states() > 1 && (imbalance.is_nan() || imbalance > BALANCE_TOLERANCE) {
            return Err(Error::NotFinite {
                quantity: "stationary law".into(),
                reason: format!(
                    "rates underflow: state {j} with weight exp({:.0}) is out of balance by {imbalance:.1e}; leave out states of negligible weight",
                    logarithm[j]
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "elimination_tests.rs"]
mod tests;
