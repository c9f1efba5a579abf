//! The largest eigenvalues of a symmetric operator.

use crate::error::{Error, Result};
use nalgebra::DMatrix;

/// An eigenvalue of a symmetric operator with its eigenvector.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigenpair {
    /// λ.
    pub value: f64,
    /// Eigenvector v of unit norm.
    pub vector: Vec<f64>,
    /// |A v − λ v|, which bounds the distance of λ from an eigenvalue.
    pub residual: f64,
}

/// The `count` algebraically largest eigenvalues of the symmetric operator `apply`, largest first.
///
/// # Method
/// Lanczos iteration from `start`, each vector orthogonalised twice against all before, until every wanted residual is below `tolerance` times the largest modulus of a Ritz
/// value; the residual of a Ritz pair is β_m times the last entry of the eigenvector of the tridiagonal matrix. An eigenvalue with several eigenvectors is found once.
///
/// # Errors
/// [`Error::NotConverged`] with the largest residual when `dimension` vectors do not suffice, [`Error::TooFewSamples`] when the start lies in an invariant subspace of fewer than
/// `count` dimensions, [`Error::NotFinite`].
///
/// # References
/// B. N. Parlett, The Symmetric Eigenvalue Problem, 1998, ch. 13.
///
/// # Examples
/// ```
/// use freezeout::linalg::largest_eigenpairs;
/// let apply = |x: &[f64], y: &mut [f64]| y.iter_mut().zip(x).enumerate().for_each(|(k, (y, x))| *y = -(k as f64) * x);
/// let pairs = largest_eigenpairs(apply, &[1.0; 6], 2, 1e-12, 6)?;
/// assert!(pairs[0].value.abs() < 1e-12 && (pairs[1].value + 1.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn largest_eigenpairs(
    mut apply: impl FnMut(&[f64], &mut [f64]),
    start: &[f64],
    count: usize,
    tolerance: f64,
    dimension: usize,
) -> Result<Vec<SymmetricEigenpair>> {
    /// Vectors between two looks at the residuals.
    const EVERY: usize = 10;
    let n = start.len();
    let most = dimension.min(n);
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let (mut diagonal, mut off): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut next = start.to_vec();
    let mut norm = norm_of(&next);
    let mut image = vec![0.0; n];
    let mut scale = 0.0_f64;
    loop {
        if !norm.is_finite() {
            return Err(Error::NotFinite {
                quantity: "an image under the operator".into(),
                reason: format!("after {} products of the Lanczos iteration", basis.len()),
            });
        }
        let m = basis.len();
        let is_invariant = norm <= 1e-14 * scale || (m == 0 && norm == 0.0);
        if m > 0 && (is_invariant || m == most || (m >= count && m.is_multiple_of(EVERY))) {
            let small = DMatrix::from_fn(m, m, |i, j| match i.abs_diff(j) {
                0 => diagonal[i],
                1 => off[i.min(j)],
                _ => 0.0,
            });
            let eigen = small.symmetric_eigen();
            let mut order: Vec<usize> = (0..m).collect();
            order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
            order.truncate(count);
            let largest = eigen.eigenvalues.amax();
            let residual = |k: usize| norm * eigen.eigenvectors[(m - 1, k)].abs();
            let worst = order.iter().fold(0.0_f64, |w, k| w.max(residual(*k)));
            if order.len() == count && worst <= tolerance * largest {
                let pair = |k: usize| {
                    let mut vector = vec![0.0; n];
                    for (i, q) in basis.iter().enumerate() {
                        add(&mut vector, eigen.eigenvectors[(i, k)], q);
                    }
                    SymmetricEigenpair {
                        value: eigen.eigenvalues[k],
                        vector,
                        residual: residual(k),
                    }
                };
                return Ok(order.into_iter().map(pair).collect());
            }
            if is_invariant {
                return Err(Error::TooFewSamples {
                    estimator: "the Lanczos iteration (dimensions of the invariant subspace)".into(),
                    needed: count,
                    got: m,
                });
            }
            if m == most {
                return Err(Error::NotConverged {
                    method: "Lanczos iteration".into(),
                    iterations: m,
                    residual: worst,
                    tolerance: tolerance * largest,
                });
            }
        }
        if m == 0 && is_invariant {
            return Err(Error::EmptySet {
                name: "start of the Lanczos iteration".into(),
            });
        }
        next.iter_mut().for_each(|x| *x /= norm);
        apply(&next, &mut image);
        scale = scale.max(norm_of(&image));
        diagonal.push(dot(&next, &image));
        basis.push(std::mem::replace(&mut next, image.clone()));
        for _ in 0..2 {
            for q in &basis {
                let along = dot(&next, q);
                add(&mut next, -along, q);
            }
        }
        norm = norm_of(&next);
        off.push(norm);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm_of(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eigenvalues 2 − 2 cos(kπ/(n + 1)) of the second difference.
    #[test]
    fn the_second_difference_has_its_known_eigenvalues() {
        let n = 60;
        let apply = |x: &[f64], y: &mut [f64]| {
            for k in 0..n {
                let side = |j: Option<usize>| j.and_then(|j| x.get(j)).copied().unwrap_or(0.0);
                y[k] = 2.0 * x[k] - side(k.checked_sub(1)) - side(Some(k + 1));
            }
        };
        let start: Vec<f64> = (0..n).map(|k| (1.0 + k as f64).sqrt()).collect();
        let pairs = largest_eigenpairs(apply, &start, 5, 1e-10, n).unwrap();
        for (k, pair) in pairs.iter().enumerate() {
            let exact = 2.0 + 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((pair.value - exact).abs() < 1e-12, "{} {exact}", pair.value);
            let mut image = vec![0.0; n];
            apply(&pair.vector, &mut image);
            add(&mut image, -pair.value, &pair.vector);
            assert!(norm_of(&image) <= pair.residual + 1e-12);
        }
        let few = largest_eigenpairs(apply, &start, 5, 1e-10, 8).unwrap_err();
        assert!(matches!(few, Error::NotConverged { iterations: 8, .. }), "{few}");
    }

    #[test]
    fn what_cannot_be_found_is_refused() {
        let halves = |x: &[f64], y: &mut [f64]| y.iter_mut().zip(x).for_each(|(y, x)| *y = 0.5 * x);
        let one = largest_eigenpairs(halves, &[1.0, 2.0, 3.0], 2, 1e-10, 3).unwrap_err();
        assert!(matches!(one, Error::TooFewSamples { got: 1, .. }), "{one}");
        assert!(largest_eigenpairs(halves, &[0.0; 3], 1, 1e-10, 3).is_err());
        let wild = |_: &[f64], y: &mut [f64]| y.fill(f64::NAN);
        let error = largest_eigenpairs(wild, &[1.0; 3], 1, 1e-10, 3).unwrap_err();
        assert!(matches!(error, Error::NotFinite { .. }), "{error}");
    }
}
