//! Gauss-Hermite quadrature: expectations over a normal law.

use crate::error::{Error, Result, require};
use crate::math::{Point, Tensor};

/// Largest number of points along a direction.
const MOST_POINTS: usize = 64;

/// E f(ξ) for ξ ~ N(0, S) in D dimensions by the product rule with n points along each principal axis of S.
///
/// # Formula
/// E f(ξ) ≈ Σ_j w_j f(ξ_j), ξ = Q Λ^{1/2} z with S = Q Λ Qᵀ and z on the nodes of the Hermite polynomials of N(0, 1).
///
/// # Method
/// Exact for polynomials of degree 2n − 1 along each principal axis; the error falls geometrically in n for analytic f, and only
/// like 1/n to 1/sqrt(n) where f or its derivatives jump. Directions without variance need one point. Nodes by Golub and Welsch
/// (eigenvalues of the Jacobi matrix), then one Newton step; weights from the Christoffel function.
///
/// # References
/// G. H. Golub and J. H. Welsch, Math. Comp. 23, 221 (1969).
///
/// # Examples
/// ```
/// use freezeout::math::{GaussHermite, Point, Tensor};
/// let rule = GaussHermite::<1>::new(&Tensor::<1>::new(4.0), 2)?;
/// // E ξ² = 4; two points are exact up to degree three.
/// assert!((rule.nodes().map(|(xi, w)| w * xi[0] * xi[0]).sum::<f64>() - 4.0).abs() < 1e-14);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussHermite<const D: usize> {
    nodes: Vec<(Point<D>, f64)>,
}

impl<const D: usize> GaussHermite<D> {
    /// Rule for the covariance S with `points` = n along each principal axis, n from 1 to 64.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for an n out of range, [`Error::Inconsistent`] for an S that is not finite and symmetric, [`Error::NotPositive`] when S has
    /// a negative eigenvalue.
    pub fn new(covariance: &Tensor<D>, points: usize) -> Result<Self> {
        require(
            "points",
            points as f64,
            |n| n >= 1.0 && n <= MOST_POINTS as f64,
            &format!("a number from 1 to {MOST_POINTS} is needed"),
        )?;
        let asymmetry = (covariance - covariance.transpose()).amax();
        if asymmetry != 0.0 || !covariance.iter().all(|v| v.is_finite()) {
            return Err(Error::Inconsistent {
                subject: "covariance".into(),
                requirement: format!("a finite symmetric matrix is needed, and its asymmetry is {asymmetry}"),
            });
        }
        let eigen = nalgebra::DMatrix::from_iterator(D, D, covariance.iter().copied()).symmetric_eigen();
        // Eigenvalues are good to a few roundings of the largest.
        let rounding = 8.0 * D as f64 * f64::EPSILON * eigen.eigenvalues.amax();
        if eigen.eigenvalues.min() < -rounding {
            return Err(Error::NotPositive {
                name: "covariance".into(),
                position: "every θ".into(),
                eigenvalues: format!("{:?}", eigen.eigenvalues.as_slice()),
            });
        }
        let line = standard_normal(points);
        let mut nodes = vec![(Point::<D>::zeros(), 1.0)];
        for (k, &variance) in eigen.eigenvalues.iter().enumerate() {
            if variance <= rounding {
                continue;
            }
            let axis = Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
            nodes = nodes
                .iter()
                .flat_map(|&(at, weight)| {
                    let step = axis * variance.sqrt();
                    line.iter().map(move |&(z, w)| (at + step * z, weight * w))
                })
                .collect();
        }
        Ok(Self { nodes })
    }

    /// The nodes ξ_j with their weights w_j > 0, which sum to one.
    pub fn nodes(&self) -> impl Iterator<Item = (&Point<D>, f64)> {
        self.nodes.iter().map(|(node, weight)| (node, *weight))
    }
}

/// Nodes, ascending, and weights of the n-point rule for N(0, 1).
fn standard_normal(n: usize) -> Vec<(f64, f64)> {
    let jacobi = nalgebra::DMatrix::from_fn(n, n, |i, j| {
        if i.abs_diff(j) == 1 {
            (i.max(j) as f64).sqrt()
        } else {
            0.0
        }
    });
    let mut nodes: Vec<f64> = jacobi.symmetric_eigenvalues().iter().copied().collect();
    nodes.sort_by(f64::total_cmp);
    let polished: Vec<f64> = nodes
        .into_iter()
        .map(|z| {
            let (below, at, _) = orthonormal(n, z);
            // p_n' = sqrt(n) p_{n−1}
            z - at / ((n as f64).sqrt() * below)
        })
        .collect();
    (0..n)
        .map(|k| {
            // The rule is symmetric; the middle node of an odd rule is zero.
            let z = 0.5 * (polished[k] - polished[n - 1 - k]);
            (z, 1.0 / orthonormal(n, z).2)
        })
        .collect()
}

/// p_{n−1}, p_n and Σ_{k<n} p_k² of the orthonormal Hermite polynomials of N(0, 1).
fn orthonormal(n: usize, z: f64) -> (f64, f64, f64) {
    let (mut below, mut at, mut sum) = (0.0, 1.0, 0.0);
    for k in 0..n {
        sum += at * at;
        let next = (z * at - (k as f64).sqrt() * below) / ((k + 1) as f64).sqrt();
        (below, at) = (at, next);
    }
    (below, at, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_exact_up_to_degree_2n_minus_1() {
        for n in [1, 2, 3, 8, 20, 64] {
            let rule = GaussHermite::<1>::new(&Tensor::<1>::new(1.0), n).unwrap();
            // E z^{2m} = (2m − 1)!!
            let (mut moment, mut factorial) = (1.0, 1.0);
            for m in 0..=n {
                if m > 0 {
                    moment *= (2 * m - 1) as f64;
                    factorial *= m as f64;
                }
                let sum: f64 = rule.nodes().map(|(z, w)| w * z[0].powi(2 * m as i32)).sum();
                // The first even degree that is not exact is short by n!, the norm of the Hermite polynomial.
                let expected = if m < n { moment } else { moment - factorial };
                // Degree 2m: a few roundings of each power; relative to the moment where n! cancels it (n = 1).
                let error = (sum - expected).abs() / moment;
                assert!(error < 1e-15 * (20 + 4 * m) as f64, "n {n}, m {m}: {error}");
            }
        }
    }

    #[test]
    fn correlated_and_singular_covariances_have_their_moments() {
        for (covariance, nodes) in [
            (Tensor::<2>::new(2.0, 0.6, 0.6, 0.5), 16),
            (Tensor::<2>::new(1.0, 0.5, 0.5, 0.25), 4),
            (Tensor::<2>::zeros(), 1),
        ] {
            let rule = GaussHermite::<2>::new(&covariance, 4).unwrap();
            assert_eq!(rule.nodes().count(), nodes);
            let (mut second, mut fourth) = (Tensor::<2>::zeros(), 0.0);
            for (xi, w) in rule.nodes() {
                second += xi * xi.transpose() * w;
                fourth += w * xi[0] * xi[0] * xi[1] * xi[1];
            }
            // Isserlis: E ξ₁²ξ₂² = S₁₁S₂₂ + 2S₁₂²; rounding of sums of order one.
            let [s, c, t] = [covariance[(0, 0)], covariance[(0, 1)], covariance[(1, 1)]];
            assert!((second - covariance).amax() < 1e-14);
            assert!((fourth - (s * t + 2.0 * c * c)).abs() < 1e-13);
        }
    }

    #[test]
    fn bad_covariances_are_refused() {
        let new = |xx: f64, xy: f64, yx: f64, yy: f64, n| {
            GaussHermite::<2>::new(&Tensor::<2>::new(xx, xy, yx, yy), n)
        };
        assert!(new(1.0, 0.0, 0.0, 1.0, 0).is_err() && new(1.0, 0.0, 0.0, 1.0, 65).is_err());
        assert!(new(1.0, 0.1, 0.0, 1.0, 3).is_err() && new(f64::NAN, 0.0, 0.0, 1.0, 3).is_err());
        let error = new(1.0, 2.0, 2.0, 1.0, 3).unwrap_err();
        assert!(matches!(error, Error::NotPositive { .. }), "{error}");
    }
}
