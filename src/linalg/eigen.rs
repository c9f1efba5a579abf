//! Dominant eigenvalues of an operator that is only known by its action (Arnoldi).
//!
//! ```text
//! A V_m = V_m H_m + h v_{m+1} e_mᵀ,     H_m y = μ y   ⇒   A (V y) = μ (V y) + O(h |y_m|)
//! ```
//!
//! Applied to an inverse of L it gives the slowest modes of a chain, complex ones included.
//!
//! # Limitations
//! One starting vector: of an eigenvalue with several independent eigenvectors only one is found. No restart:
//! the basis is kept whole.

use crate::error::{Error, Result};
use nalgebra::{Complex, DMatrix, DVector};

/// An eigenvalue with its right eigenvector.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenpair {
    /// μ.
    pub value: Complex<f64>,
    /// Eigenvector of unit weighted norm.
    pub vector: Vec<Complex<f64>>,
    /// |A x − μ x| / |μ| in the weighted norm.
    pub residual: f64,
}

/// How far [`dominant_eigenpairs`] goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arnoldi {
    /// Number of eigenvalues wanted; a pair of complex conjugates counts twice and is never cut.
    pub count: usize,
    /// Largest relative residual.
    pub tolerance: f64,
    /// Largest dimension of the basis.
    pub dimension: usize,
}

/// The `count` eigenvalues of largest modulus of the operator `apply`, largest first.
///
/// # Method
/// Arnoldi iteration in the inner product Σ `weight`_i x_i y_i, orthogonalised twice; Ritz vectors by inverse
/// iteration on the Hessenberg matrix. A positive imaginary part comes before its conjugate.
///
/// # Errors
/// [`Error::NotConverged`] when the basis is full; [`Error::DimensionMismatch`]; errors of `apply`.
///
/// # References
/// W. E. Arnoldi, Q. Appl. Math. 9 (1951) 17; Y. Saad, Numerical Methods for Large Eigenvalue Problems, 2011, ch. 6.
///
/// # Examples
/// ```
/// use freezeout::linalg::{Arnoldi, dominant_eigenpairs};
/// let apply = |x: &[f64]| Ok(vec![2.0 * x[0] - x[1], x[0] + 2.0 * x[1], 0.5 * x[2]]);
/// let options = Arnoldi { count: 2, tolerance: 1e-12, dimension: 10 };
/// let pairs = dominant_eigenpairs(apply, &[1.0, 2.0, 3.0], &[1.0; 3], &options)?;
/// assert!((pairs[0].value.re - 2.0).abs() < 1e-12 && (pairs[0].value.im - 1.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn dominant_eigenpairs(
    mut apply: impl FnMut(&[f64]) -> Result<Vec<f64>>,
    start: &[f64],
    weight: &[f64],
    options: &Arnoldi,
) -> Result<Vec<Eigenpair>> {
    if start.len() != weight.len() {
        return Err(Error::DimensionMismatch {
            name: "weight".into(),
            expected: start.len(),
            got: weight.len(),
        });
    }
    let inner = |x: &[f64], y: &[f64]| {
        x.iter()
            .zip(y)
            .zip(weight)
            .map(|((x, y), w)| w * x * y)
            .sum::<f64>()
    };
    let scaled = |x: &[f64], a: f64| x.iter().map(|v| a * v).collect::<Vec<f64>>();
    let norm = inner(start, start).sqrt();
    if !(norm.is_finite() && norm > 0.0) {
        return Err(Error::NotFinite {
            quantity: "starting vector".into(),
            reason: format!("its weighted norm is {norm}"),
        });
    }
    let most = options.dimension;
    let mut basis = vec![scaled(start, 1.0 / norm)];
    let mut hessenberg = DMatrix::<f64>::zeros(most + 1, most);
    let mut residual = f64::INFINITY;
    for m in 1..=most {
        let mut next = apply(&basis[m - 1])?;
        let size = inner(&next, &next).sqrt();
        for _ in 0..2 {
            for (k, v) in basis.iter().enumerate() {
                let h = inner(v, &next);
                hessenberg[(k, m - 1)] += h;
                next.iter_mut().zip(v).for_each(|(x, v)| *x -= h * v);
            }
        }
        let beta = inner(&next, &next).sqrt();
        hessenberg[(m, m - 1)] = beta;
        // what is left is rounding: the basis spans an invariant subspace
        let closed = beta <= 1e-14 * size;
        if closed || m == most || (m > options.count && m % 4 == 0) {
            let ritz = ritz_pairs(&hessenberg.view((0, 0), (m, m)).into_owned(), options.count);
            let remainder = if closed { 0.0 } else { beta };
            let residuals: Vec<f64> = ritz
                .iter()
                .map(|(mu, y)| remainder * y[m - 1].norm() / mu.norm())
                .collect();
            residual = residuals.iter().copied().fold(0.0, f64::max);
            let enough = ritz.len() >= options.count || closed;
            if enough && residual <= options.tolerance {
                return Ok(ritz
                    .into_iter()
                    .zip(residuals)
                    .map(|((value, y), residual)| {
                        let mut vector = vec![Complex::new(0.0, 0.0); start.len()];
                        for (v, c) in basis.iter().zip(y.iter()) {
                            vector.iter_mut().zip(v).for_each(|(x, v)| *x += *c * *v);
                        }
                        Eigenpair {
                            value,
                            vector,
                            residual,
                        }
                    })
                    .collect());
            }
        }
        if closed {
            break;
        }
        basis.push(scaled(&next, 1.0 / beta));
    }
    Err(Error::NotConverged {
        method: "Arnoldi iteration".into(),
        iterations: most,
        residual,
        tolerance: options.tolerance,
    })
}

/// The dominant eigenpairs of a small Hessenberg matrix, conjugate pairs whole.
fn ritz_pairs(h: &DMatrix<f64>, count: usize) -> Vec<(Complex<f64>, DVector<Complex<f64>>)> {
    let mut values: Vec<Complex<f64>> = h.complex_eigenvalues().iter().copied().collect();
    values.sort_by(|a, b| {
        // conjugates have equal modulus up to rounding
        let (x, y) = (a.norm(), b.norm());
        if (x - y).abs() <= 1e-12 * x.max(y) {
            b.re.total_cmp(&a.re).then(b.im.total_cmp(&a.im))
        } else {
            y.total_cmp(&x)
        }
    });
    let whole = |n: usize| n >= values.len() || values[n - 1].im <= 0.0;
    let keep = if whole(count) { count } else { count + 1 };
    values.truncate(keep);
    let n = h.nrows();
    let complex = h.map(|v| Complex::new(v, 0.0));
    values
        .into_iter()
        .map(|mu| {
            // a shift off the eigenvalue by rounding keeps the factors regular
            let shift = mu + Complex::new(4.0 * f64::EPSILON * h.norm(), 0.0);
            let lu = (&complex - DMatrix::identity(n, n) * shift).lu();
            let mut y = DVector::from_element(n, Complex::new(1.0 / (n as f64).sqrt(), 0.0));
            for _ in 0..3 {
                if let Some(x) = lu.solve(&y) {
                    let size = x.norm();
                    if size.is_finite() && size > 0.0 {
                        y = x / Complex::new(size, 0.0);
                    }
                }
            }
            (mu, y)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_complex_pairs_of_a_nonnormal_matrix() {
        let n = 60;
        // upper triangular blocks with eigenvalues (1 ± i/2)/k and a strong coupling between blocks
        let apply = |x: &[f64]| {
            let mut y = vec![0.0; n];
            for k in 0..n / 2 {
                let scale = 1.0 / (k + 1) as f64;
                y[2 * k] = scale * (x[2 * k] - 0.5 * x[2 * k + 1]);
                y[2 * k + 1] = scale * (0.5 * x[2 * k] + x[2 * k + 1]);
                if 2 * k + 2 < n {
                    y[2 * k] += 3.0 * scale * x[2 * k + 2];
                }
            }
            Ok(y)
        };
        let start: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64).sin()).collect();
        let options = Arnoldi {
            count: 3,
            tolerance: 1e-11,
            dimension: 60,
        };
        let pairs = dominant_eigenpairs(apply, &start, &vec![1.0; n], &options).unwrap();
        assert_eq!(pairs.len(), 4, "a conjugate pair is not cut");
        for (k, pair) in pairs.iter().enumerate() {
            let scale = 1.0 / (k / 2 + 1) as f64;
            let exact = Complex::new(scale, if k % 2 == 0 { 0.5 } else { -0.5 } * scale);
            // residual 1e-11 times the condition of an eigenvalue under the coupling
            assert!((pair.value - exact).norm() < 1e-8, "{} {exact}", pair.value);
            let re: Vec<f64> = pair.vector.iter().map(|v| v.re).collect();
            let im: Vec<f64> = pair.vector.iter().map(|v| v.im).collect();
            let (are, aim) = (apply(&re).unwrap(), apply(&im).unwrap());
            let residual: f64 = (0..n)
                .map(|i| (Complex::new(are[i], aim[i]) - pair.value * pair.vector[i]).norm_sqr())
                .sum::<f64>()
                .sqrt();
            assert!(residual < 1e-10, "{residual:e}");
        }
    }

    #[test]
    fn refuses_bad_input_and_says_when_it_stops() {
        let slow = |x: &[f64]| {
            Ok(x.iter()
                .enumerate()
                .map(|(i, v)| v * (1.0 - 1e-3 * i as f64))
                .collect())
        };
        let options = Arnoldi {
            count: 2,
            tolerance: 1e-12,
            dimension: 5,
        };
        let ones = vec![1.0; 200];
        assert!(matches!(
            dominant_eigenpairs(slow, &ones, &ones, &options),
            Err(Error::NotConverged { iterations: 5, .. })
        ));
        assert!(dominant_eigenpairs(slow, &[0.0; 2], &[1.0; 2], &options).is_err());
        assert!(dominant_eigenpairs(slow, &[1.0; 2], &[1.0; 3], &options).is_err());
    }
}
