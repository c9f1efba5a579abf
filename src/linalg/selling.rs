//! Selling's decomposition of a positive semi-definite 2×2 tensor into jumps on the integer lattice.
//!
//! ```text
//! D = Σ_k w_k v_k v_kᵀ,    w_k ≥ 0,   v_k ∈ Z²,   at most three terms
//! ```
//!
//! With it D : Hess f = Σ_k w_k (f(θ + v_k) − 2 f(θ) + f(θ − v_k)) + O(|v|⁴): a second-order stencil with
//! non-negative rates for any anisotropy.
//!
//! # Limitations
//! Two dimensions. The reach max |v_k| grows like the square root of the anisotropy in the worst direction.

use crate::error::{Error, Result};
use crate::math::Tensor;

/// Steps after which a tensor counts as rank-deficient; a reach of n cells takes at most about n steps.
const MAX_STEPS: usize = 100_000;
/// Offsets beyond this belong to tensors that are rank-deficient for any purpose; squares stay exact.
const LARGEST_OFFSET: i64 = 1 << 20;
/// The pair of superbase vectors opposite to each.
const PAIRS: [(usize, usize); 3] = [(1, 2), (0, 2), (0, 1)];

/// w_k and v_k of D = Σ_k w_k v_k v_kᵀ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selling {
    /// Weights w_k ≥ 0, in units of D over cell size squared.
    pub weights: [f64; 3],
    /// Offsets v_k in cells, each up to a sign.
    pub offsets: [[i32; 2]; 3],
}

impl Selling {
    /// Decomposition of `tensor`, given in units of the cell sizes: D_ij/(h_i h_j).
    ///
    /// # Method
    /// Reduction to an obtuse superbase v_0 + v_1 + v_2 = 0, v_iᵀ D v_j ≤ 0 for i ≠ j; then
    /// w_k = −v_iᵀ D v_j ≥ 0 belongs to the offset perpendicular to v_k. The superbase is followed in
    /// integers and the weights are evaluated from it in twice the working precision, so that the sum
    /// gives D back to rounding. Rank-one tensors along a lattice direction and the zero tensor are
    /// decomposed; along other directions no finite decomposition exists.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::NotPositive`] for a tensor with a negative eigenvalue beyond rounding;
    /// [`Error::TooAnisotropic`] when the offsets would exceed `allowed` cells.
    ///
    /// # References
    /// E. Selling, J. reine angew. Math. 77 (1874) 143; J. F. Bonnans, H. Zidani, SIAM J. Numer. Anal. 41 (2003)
    /// 1008; J. Fehrenbach, J.-M. Mirebeau, J. Math. Imaging Vis. 49 (2014) 123.
    ///
    /// # Examples
    /// ```
    /// use freezeout::linalg::Selling;
    /// use freezeout::math::Tensor;
    /// let parts = Selling::decompose(&Tensor::<2>::new(3.0, 1.0, 1.0, 2.0), 2)?;
    /// assert_eq!(parts.sum(), Tensor::<2>::new(3.0, 1.0, 1.0, 2.0));
    /// assert!(parts.weights.iter().all(|&w| w >= 0.0) && parts.reach() == 1);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn decompose(tensor: &Tensor<2>, allowed: usize) -> Result<Self> {
        let (a, b, c) = (
            tensor[(0, 0)],
            0.5 * (tensor[(0, 1)] + tensor[(1, 0)]),
            tensor[(1, 1)],
        );
        let position = || format!("[{a:e}, {b:e}; {b:e}, {c:e}] (units of cells)");
        if !(a.is_finite() && b.is_finite() && c.is_finite()) {
            return Err(Error::NotFinite {
                quantity: "diffusion tensor".into(),
                reason: position(),
            });
        }
        let half_difference = (0.5 * (a - c)).hypot(b);
        let largest = 0.5 * (a + c) + half_difference;
        let determinant = a.mul_add(c, -(b * b));
        // determinant of a rank-one tensor: rounding of its entries
        if a < 0.0 || c < 0.0 || determinant < -8.0 * f64::EPSILON * largest * largest {
            return Err(Error::NotPositive {
                name: "diffusion tensor".into(),
                position: position(),
                eigenvalues: format!("{:e}, {largest:e}", 0.5 * (a + c) - half_difference),
            });
        }
        let mut base: [[i64; 2]; 3] = [[1, 0], [0, 1], [-1, -1]];
        let mut products = [0.0; 3];
        let mut exact = false;
        for step in 0.. {
            // products[k] = v_iᵀ D v_j of the pair without k; the largest positive one is turned obtuse
            for (k, (i, j)) in PAIRS.into_iter().enumerate() {
                products[k] = product([a, b, c], base[i], base[j], exact);
            }
            let k = (0..3).fold(0, |k, l| if products[l] > products[k] { l } else { k });
            if products[k] <= 0.0 {
                if exact {
                    break;
                }
                exact = true;
                continue;
            }
            if step > MAX_STEPS || base.iter().flatten().any(|x| x.abs() > LARGEST_OFFSET) {
                let reach = base
                    .iter()
                    .flatten()
                    .map(|x| x.unsigned_abs() as usize)
                    .max()
                    .unwrap_or(0);
                let anisotropy = largest * largest / determinant.max(0.0);
                return Err(Error::TooAnisotropic {
                    position: position(),
                    anisotropy,
                    reach,
                    allowed,
                });
            }
            let (i, j) = PAIRS[k];
            let (u, v) = (base[i], base[j]);
            base[k] = [u[0] - v[0], u[1] - v[1]];
            base[i] = [-u[0], -u[1]];
        }
        let parts = Self {
            // 0 − x rather than −x: no negative zeros
            weights: products.map(|p| 0.0 - p),
            offsets: base.map(|v| [(-v[1]) as i32, v[0] as i32]),
        };
        let needed = parts.reach();
        if needed > allowed {
            let anisotropy = largest * largest / determinant.max(0.0);
            return Err(Error::TooAnisotropic {
                position: position(),
                anisotropy,
                reach: needed,
                allowed,
            });
        }
        Ok(parts)
    }

    /// Σ_k w_k v_k v_kᵀ.
    pub fn sum(&self) -> Tensor<2> {
        let mut total = Tensor::<2>::zeros();
        for (w, v) in self.weights.iter().zip(&self.offsets) {
            let v = nalgebra::Vector2::new(f64::from(v[0]), f64::from(v[1]));
            total += v * v.transpose() * *w;
        }
        total
    }

    /// Largest component of an offset with positive weight, in cells.
    pub fn reach(&self) -> usize {
        let used = self.weights.iter().zip(&self.offsets).filter(|(w, _)| **w > 0.0);
        used.flat_map(|(_, v)| v.map(|x| x.unsigned_abs() as usize))
            .max()
            .unwrap_or(0)
    }
}

/// uᵀ D v for D = [a, b; b, c], with `exact` in twice the working precision.
fn product([a, b, c]: [f64; 3], u: [i64; 2], v: [i64; 2], exact: bool) -> f64 {
    let coefficients = [u[0] * v[0], u[0] * v[1] + u[1] * v[0], u[1] * v[1]].map(|x| x as f64);
    if !exact {
        return coefficients[0] * a + coefficients[1] * b + coefficients[2] * c;
    }
    let (mut sum, mut rest) = (0.0, 0.0);
    for (m, x) in coefficients.into_iter().zip([a, b, c]) {
        let p = m * x;
        let next = sum + p;
        let t = next - sum;
        rest += (sum - (next - t)) + (p - t) + m.mul_add(x, -p);
        sum = next;
    }
    sum + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rotated(large: f64, anisotropy: f64, angle: f64) -> Tensor<2> {
        let (s, c) = angle.sin_cos();
        let small = large / anisotropy;
        let cross = (large - small) * s * c;
        Tensor::<2>::new(
            large * c * c + small * s * s,
            cross,
            cross,
            large * s * s + small * c * c,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn gives_the_tensor_back(
            scale in -30.0..30.0f64, anisotropy in 0.0..6.0f64, angle in 0.0..std::f64::consts::PI
        ) {
            let d = rotated(scale.exp(), 10f64.powf(anisotropy), angle);
            let parts = Selling::decompose(&d, usize::MAX).unwrap();
            prop_assert!(parts.weights.iter().all(|&w| w >= 0.0));
            let error = (parts.sum() - d).abs().max();
            // three weights and their sum, each rounded once or twice
            prop_assert!(error <= 6.0 * f64::EPSILON * d.max(), "{error:e} of {:e}", d.max());
            // offsets with weight stay within the bound |v| <= 2 sqrt(anisotropy)
            prop_assert!(parts.reach() as f64 <= 2.0 * 10f64.powf(0.5 * anisotropy) + 1.0);
        }
    }

    #[test]
    fn diagonal_tensors_use_the_axes() {
        let parts = Selling::decompose(&Tensor::<2>::new(3.0, 0.0, 0.0, 1e-6), 1).unwrap();
        let used: Vec<_> = (0..3)
            .filter(|&k| parts.weights[k] > 0.0)
            .map(|k| parts.offsets[k])
            .collect();
        assert!(used.iter().all(|v| v[0] * v[1] == 0), "{used:?}");
        assert_eq!(parts.sum(), Tensor::<2>::new(3.0, 0.0, 0.0, 1e-6));
    }

    #[test]
    fn rank_deficient_and_indefinite_tensors() {
        let along = |x: f64, y: f64| Tensor::<2>::new(x * x, x * y, x * y, y * y);
        assert_eq!(Selling::decompose(&Tensor::<2>::zeros(), 0).unwrap().reach(), 0);
        let diagonal = Selling::decompose(&along(3.0, 2.0), 3).unwrap();
        assert_eq!((diagonal.sum(), diagonal.reach()), (along(3.0, 2.0), 3));
        let irrational = Selling::decompose(&along(1.0, 2f64.sqrt()), 1000);
        assert!(
            matches!(irrational, Err(Error::TooAnisotropic { .. })),
            "{irrational:?}"
        );
        let indefinite = Selling::decompose(&Tensor::<2>::new(1.0, 2.0, 2.0, 1.0), 9);
        assert!(matches!(indefinite, Err(Error::NotPositive { .. })));
        assert!(matches!(
            Selling::decompose(&Tensor::<2>::new(f64::NAN, 0.0, 0.0, 1.0), 9),
            Err(Error::NotFinite { .. })
        ));
        let steep = Selling::decompose(&rotated(1.0, 1e4, 0.3), 3);
        assert!(matches!(steep, Err(Error::TooAnisotropic { allowed: 3, .. })));
    }
}
