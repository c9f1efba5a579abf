//! Eigenvalues of the one-step operator.

use super::elimination::Elimination;
use super::operator::TransferOperator;
use crate::error::{Error, Result};
use crate::linalg::{most_probable, normalise, power_iteration, remove_mean, weighted_inner};

/// The slowest relaxation of the step operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectralGap {
    /// −ln(λ)/η.
    pub gap: f64,
    /// 1 − λ, with full relative accuracy.
    pub one_minus_eigenvalue: f64,
    /// Inverse iterations used.
    pub iterations: usize,
    /// Relative change of 1 − λ in the last one.
    pub residual: f64,
    /// Relative error of 1 − λ that the iteration left, from the ratio of its last two changes.
    pub remaining: f64,
}

const MAX_ITERATIONS: usize = 1000;
/// A few thousand rounding errors: what the solves leave.
const TOLERANCE: f64 = 1e-12;

impl TransferOperator {
    /// The eigenvalue λ nearest to one, the stationary one excepted.
    ///
    /// # Formula
    /// gap = −ln(λ)/η, so that the slowest deviation decays like exp(−gap·t), t = ηk.
    ///
    /// # Method
    /// Inverse iteration on I − T* in the space orthogonal to the stationary law, solved by subtraction-free
    /// elimination: 1 − λ keeps its relative accuracy however small it is. Where ηL'' > 1 the step overshoots
    /// and oscillating modes with negative λ can be larger in modulus; they are in
    /// [`TransferOperator::eigenvalues`].
    ///
    /// # Errors
    /// [`Error::NotConverged`] when another eigenvalue is as near (a complex pair, say);
    /// [`Error::DomainTooSmall`] as for the stationary law.
    pub fn spectral_gap(&self) -> Result<SpectralGap> {
        let law = self.stationary()?.mass;
        // f is pinned to zero at the most probable node; steps into it are killing.
        let pinned = most_probable(&law);
        let others: Vec<usize> = (0..law.len()).filter(|&i| i != pinned).collect();
        let elimination = Elimination::new(self.kernel(), &others);
        // A start without symmetry, so that it meets every mode: x plus x² in units of the domain.
        let (low, high) = (
            self.grid().edges()[0],
            self.grid().edges()[self.grid().edges().len() - 1],
        );
        let mut f: Vec<f64> = self
            .grid()
            .nodes()
            .iter()
            .map(|&x| {
                let s = (x - low) / (high - low);
                s + 0.3 * s * s
            })
            .collect();
        remove_mean(&mut f, &law);
        normalise(&mut f, &law);
        let method = "inverse iteration for the spectral gap";
        let found = power_iteration(method, f, MAX_ITERATIONS, TOLERANCE, |f| {
            let mut next = elimination.solve(others.iter().map(|&i| f[i]).collect());
            next.insert(pinned, 0.0);
            remove_mean(&mut next, &law);
            let sign = weighted_inner(&next, f, &law).signum();
            let norm = normalise(&mut next, &law);
            Ok((next, sign / norm))
        })?;
        Ok(SpectralGap {
            gap: -(-found.estimate).ln_1p() / self.learning_rate(),
            one_minus_eigenvalue: found.estimate,
            iterations: found.iterations,
            residual: found.residual,
            remaining: found.remaining,
        })
    }

    /// The `count` eigenvalues of largest modulus as (real, imaginary), the stationary 1 first.
    ///
    /// # Method
    /// Dense Schur decomposition of π^(−1/2) T π^(1/2), symmetric where detailed balance holds; absolute
    /// accuracy near 1e-13, cost 25 N³, so meant for some hundred nodes.
    ///
    /// # Errors
    /// [`Error::NotConverged`] of the Schur iteration; [`Error::DomainTooSmall`] as for the stationary law.
    pub fn eigenvalues(&self, count: usize) -> Result<Vec<[f64; 2]>> {
        let root: Vec<f64> = self.stationary()?.mass.iter().map(|m| m.sqrt()).collect();
        let n = root.len();
        let mut matrix = nalgebra::DMatrix::<f64>::zeros(n, n);
        for i in 0..n {
            let (range, values) = self.kernel().column(i);
            for (j, value) in range.zip(values) {
                if root[j] > 0.0 {
                    matrix[(j, i)] = value * root[i] / root[j];
                }
            }
        }
        let schur =
            nalgebra::linalg::Schur::try_new(matrix, f64::EPSILON, 0).ok_or_else(|| Error::NotConverged {
                method: "Schur decomposition".into(),
                iterations: 0,
                residual: f64::NAN,
                tolerance: f64::EPSILON,
            })?;
        let mut eigenvalues: Vec<[f64; 2]> =
            schur.complex_eigenvalues().iter().map(|z| [z.re, z.im]).collect();
        eigenvalues.sort_by(|a, b| b[0].hypot(b[1]).total_cmp(&a[0].hypot(a[1])));
        eigenvalues.truncate(count);
        Ok(eigenvalues)
    }
}
