//! Sixteen-point Gauss-Legendre quadrature and spectral integration on [−1, 1].

use std::sync::LazyLock;

/// Number of nodes.
pub const NODES: usize = 16;

/// Nodes, weights and the integration matrix of the sixteen-point rule.
///
/// # Formula
/// ∫_{−1}^{1} f ≈ Σ_j w_j f(x_j), and ∫_{−1}^{x_i} f ≈ Σ_j A_ij f(x_j) with
/// A_ij = (w_j/2) Σ_k P_k(x_j) (P_{k+1}(x_i) − P_{k−1}(x_i)), P_{−1} = −1.
///
/// # Method
/// The weights are exact for polynomials of degree 31; the matrix integrates the interpolant exactly, that is
/// polynomials of degree 15. No node lies on the ends of a panel, so that the integrand may jump there.
#[derive(Debug)]
pub struct GaussLegendre {
    /// Nodes in ascending order.
    pub nodes: [f64; NODES],
    /// Weights.
    pub weights: [f64; NODES],
    /// Columns of A: `columns[j][i]` = A_ij.
    pub columns: [[f64; NODES]; NODES],
}

impl GaussLegendre {
    /// The rule, computed once.
    pub fn get() -> &'static Self {
        static RULE: LazyLock<GaussLegendre> = LazyLock::new(GaussLegendre::compute);
        &RULE
    }

    fn compute() -> Self {
        let mut nodes = [0.0; NODES];
        let mut weights = [0.0; NODES];
        for k in 0..NODES {
            // Newton from the Tricomi-type estimate; six steps are more than quadratic convergence needs.
            let mut x = -(std::f64::consts::PI * (k as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
            for _ in 0..6 {
                let p = legendre(x);
                x -= p[NODES] / derivative(&p, x);
            }
            let slope = derivative(&legendre(x), x);
            nodes[k] = x;
            weights[k] = 2.0 / ((1.0 - x * x) * slope * slope);
        }
        let mut columns = [[0.0; NODES]; NODES];
        for j in 0..NODES {
            let at_j = legendre(nodes[j]);
            for i in 0..NODES {
                let at_i = legendre(nodes[i]);
                let mut sum = nodes[i] + 1.0;
                for k in 1..NODES {
                    sum += at_j[k] * (at_i[k + 1] - at_i[k - 1]);
                }
                columns[j][i] = 0.5 * weights[j] * sum;
            }
        }
        Self {
            nodes,
            weights,
            columns,
        }
    }

    /// Σ_j w_j f_j.
    #[inline]
    pub fn integral(&self, values: &[f64; NODES]) -> f64 {
        let mut sum = 0.0;
        for (w, v) in self.weights.iter().zip(values) {
            sum += w * v;
        }
        sum
    }

    /// Σ_j A_ij f_j for all i: the integral of the interpolant from −1 to each node.
    #[inline]
    pub fn cumulative(&self, values: &[f64; NODES]) -> [f64; NODES] {
        let mut out = [0.0; NODES];
        for (column, &v) in self.columns.iter().zip(values) {
            for (o, a) in out.iter_mut().zip(column) {
                *o += a * v;
            }
        }
        out
    }
}

/// P_0(x) … P_16(x) by the three-term recurrence.
fn legendre(x: f64) -> [f64; NODES + 1] {
    let mut p = [1.0; NODES + 1];
    p[1] = x;
    for k in 1..NODES {
        let n = k as f64;
        p[k + 1] = ((2.0 * n + 1.0) * x * p[k] - n * p[k - 1]) / (n + 1.0);
    }
    p
}

/// P'_16(x) from the values at x.
fn derivative(p: &[f64; NODES + 1], x: f64) -> f64 {
    NODES as f64 * (x * p[NODES] - p[NODES - 1]) / (x * x - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of 16-term sums of numbers of order one.
    const ROUNDING: f64 = 5e-15;

    #[test]
    fn weights_integrate_degree_31_and_the_matrix_degree_15() {
        let rule = GaussLegendre::get();
        // ∫ x^30 = 2/31.
        let x30 = rule.nodes.map(|x| x.powi(30));
        assert!((rule.integral(&x30) * 31.0 / 2.0 - 1.0).abs() < ROUNDING);
        // Negative control: degree 32 is not integrated exactly.
        let x32 = rule.nodes.map(|x| x.powi(32));
        assert!((rule.integral(&x32) * 33.0 / 2.0 - 1.0).abs() > 1e-9);
        // ∫_{−1}^{x} 16 t^15 dt = x^16 − 1.
        let cumulative = rule.cumulative(&rule.nodes.map(|x| 16.0 * x.powi(15)));
        for (got, x) in cumulative.iter().zip(rule.nodes) {
            assert!((got - (x.powi(16) - 1.0)).abs() < 4.0 * ROUNDING);
        }
    }
}
