//! Subtraction-free elimination of a banded Markov chain (Grassmann, Taksar and Heyman).

use super::kernel::Kernel;
use std::ops::Range;

/// Factors of K + diag(row sums) − Q for jump probabilities q_ij ≥ 0 and killing κ_i ≥ 0.
///
/// # Method
/// States are removed from the last to the first; each pivot is rebuilt as killing plus the probabilities to
/// the states that remain, so that nothing is ever subtracted and every entry keeps full relative accuracy,
/// however small the killing (Grassmann, Taksar and Heyman 1985; O'Cinneide 1993). Cost N·b² for bandwidth b.
pub(super) struct Elimination {
    states: usize,
    bandwidth: usize,
    /// Row i: columns i − bandwidth ..= i + bandwidth. Below the diagonal q_nj, above it q_in/S_n.
    rates: Vec<f64>,
    killing: Vec<f64>,
    pivots: Vec<f64>,
}

impl Elimination {
    /// Chain of the nodes in `inside` (in their order); steps that leave it become killing.
    pub(super) fn new(kernel: &Kernel, inside: &[usize]) -> Self {
        let mut position = vec![usize::MAX; kernel.targets()];
        for (p, &i) in inside.iter().enumerate() {
            position[i] = p;
        }
        let mut bandwidth = 0;
        for (p, &i) in inside.iter().enumerate() {
            let (range, _) = kernel.column(i);
            for q in range.map(|j| position[j]).filter(|&q| q != usize::MAX) {
                bandwidth = bandwidth.max(p.abs_diff(q));
            }
        }
        let states = inside.len();
        let mut chain = Self {
            states,
            bandwidth,
            rates: vec![0.0; states * (2 * bandwidth + 1)],
            killing: vec![0.0; states],
            pivots: vec![0.0; states],
        };
        for (p, &i) in inside.iter().enumerate() {
            let (range, values) = kernel.column(i);
            for (j, &value) in range.zip(values) {
                match position[j] {
                    usize::MAX => chain.killing[p] += value,
                    q if q == p => {}
                    q => {
                        let k = chain.index(p, q);
                        chain.rates[k] = value;
                    }
                }
            }
        }
        chain.factor();
        chain
    }

    fn index(&self, row: usize, column: usize) -> usize {
        row * (2 * self.bandwidth + 1) + column + self.bandwidth - row
    }

    fn row(&self, row: usize, columns: Range<usize>) -> &[f64] {
        &self.rates[self.index(row, columns.start)..self.index(row, columns.start) + columns.len()]
    }

    fn factor(&mut self) {
        for n in (0..self.states).rev() {
            let low = n.saturating_sub(self.bandwidth);
            let pivot_row = self.row(n, low..n).to_vec();
            let pivot = self.killing[n] + pivot_row.iter().sum::<f64>();
            self.pivots[n] = pivot;
            if n == 0 || pivot == 0.0 {
                continue;
            }
            for i in low..n {
                let k = self.index(i, n);
                let factor = self.rates[k] / pivot;
                self.rates[k] = factor;
                if factor == 0.0 {
                    continue;
                }
                self.killing[i] += factor * self.killing[n];
                let start = self.index(i, low);
                // The diagonal entry (i, i) is written too; it is never read.
                for (value, &q) in self.rates[start..start + n - low].iter_mut().zip(&pivot_row) {
                    *value += factor * q;
                }
            }
        }
    }

    /// First state whose pivot vanishes: it can never leave the states before it, or be killed.
    pub(super) fn trapped(&self) -> Option<usize> {
        self.pivots.iter().position(|&p| p <= 0.0)
    }

    /// Stationary law of the chain without killing, normalised to one.
    pub(super) fn stationary(&self) -> Vec<f64> {
        let mut law = vec![0.0; self.states];
        law[0] = 1.0;
        for n in 1..self.states {
            let low = n.saturating_sub(self.bandwidth);
            law[n] = (low..n).map(|i| law[i] * self.rates[self.index(i, n)]).sum();
        }
        let total: f64 = law.iter().sum();
        for value in &mut law {
            *value /= total;
        }
        law
    }

    /// f with (I − Q) f = rhs. Without killing, rhs must average to zero under the stationary law and f_0 = 0.
    pub(super) fn solve(&self, mut rhs: Vec<f64>) -> Vec<f64> {
        for n in (1..self.states).rev() {
            for i in n.saturating_sub(self.bandwidth)..n {
                rhs[i] += self.rates[self.index(i, n)] * rhs[n];
            }
        }
        rhs[0] = if self.pivots[0] > 0.0 {
            rhs[0] / self.pivots[0]
        } else {
            0.0
        };
        for n in 1..self.states {
            let low = n.saturating_sub(self.bandwidth);
            let inflow: f64 = self
                .row(n, low..n)
                .iter()
                .zip(&rhs[low..n])
                .map(|(q, f)| q * f)
                .sum();
            rhs[n] = (rhs[n] + inflow) / self.pivots[n];
        }
        rhs
    }
}
