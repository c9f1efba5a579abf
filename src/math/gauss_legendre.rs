//! Gauss-Legendre quadrature on [−1, 1], and spectral integration with sixteen points.

use std::sync::LazyLock;

/// Nodes, ascending, and weights of the rule with `order` points, by Newton's method on P_n.
///
/// # Examples
/// ```
/// use freezeout::math::gauss_legendre::gauss_legendre;
/// let (nodes, weights) = gauss_legendre(2);
/// assert!((nodes[1] - (1.0_f64 / 3.0).sqrt()).abs() < 1e-15 && (weights[0] - 1.0).abs() < 1e-15);
/// ```
pub fn gauss_legendre(order: usize) -> (Vec<f64>, Vec<f64>) {
    let n = order as f64;
    let (mut nodes, mut weights) = (vec![0.0; order], vec![0.0; order]);
    for k in 0..order {
        let mut x = -(std::f64::consts::PI * (k as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        // Newton converges quadratically from the asymptotic node: 5 steps suffice, 10 cost nothing.
        for _ in 0..10 {
            let (mut p, mut previous) = (1.0, 0.0);
            for j in 0..order {
                let j = j as f64;
                (p, previous) = (((2.0 * j + 1.0) * x * p - j * previous) / (j + 1.0), p);
            }
            slope = n * (x * p - previous) / (x * x - 1.0);
            x -= p / slope;
        }
        nodes[k] = x;
        weights[k] = 2.0 / ((1.0 - x * x) * slope * slope);
    }
    (nodes, weights)
}

/// Number of nodes of [`GaussLegendre`].
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
        let rule = gauss_legendre(NODES);
        let nodes: [f64; NODES] = std::array::from_fn(|k| rule.0[k]);
        let weights: [f64; NODES] = std::array::from_fn(|k| rule.1[k]);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of 16-term sums of numbers of order one.
    const ROUNDING: f64 = 5e-15;

    #[test]
    fn gauss_legendre_is_exact_to_degree_2n_minus_1() {
        for order in [2, 5, 16, 33] {
            let (nodes, weights) = gauss_legendre(order);
            for degree in (0..2 * order).step_by(2) {
                let integral: f64 = nodes
                    .iter()
                    .zip(&weights)
                    .map(|(x, w)| w * x.powi(degree as i32))
                    .sum();
                // Rounding of `order` terms of size one.
                assert!((integral * (degree as f64 + 1.0) / 2.0 - 1.0).abs() < 1e-13);
            }
        }
    }

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
