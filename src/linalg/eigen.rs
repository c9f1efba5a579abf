//! Dominant eigenvalues of an operator that is only known by its action (Arnoldi).
//!
//! ```text
//! A V_m = V_m H_m + h v_{m+1} e_mᵀ,     H_m y = μ y   ⇒   A (V y) = μ (V y) + O(h |y_m|)
//! ```
//!
//! Applied to an inverse of L it gives the slowest modes of a chain, complex ones included.
//!
//! Eigenvalues further apart than ε over the tolerance cannot share one basis: rounding of the largest covers the others.
//! What has converged is then locked as Schur vectors Q, A Q = Q R, and the rest found from the deflated
//!
//! ```text
//! (1 − QQᵀ) A y = μ y,     x = y + Q c,     (μ − R) c = Qᵀ A y
//! ```
//!
//! # Limitations
//! One starting vector: of an eigenvalue with several independent eigenvectors only one is found before it is locked. No
//! other restart: the basis is kept whole.

use crate::error::{Error, Result};
use nalgebra::{Complex, DMatrix, DMatrixViewMut, DVector};
use std::cmp::Ordering;

/// An eigenvalue with its right eigenvector.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenpair {
    /// μ.
    pub value: Complex<f64>,
    /// Eigenvector of unit weighted norm.
    pub vector: Vec<Complex<f64>>,
    /// |A x − μ x| / |μ| in the weighted norm, A deflated by the larger ones if they were locked before.
    pub residual: f64,
}

/// What [`dominant_eigenpairs`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenpairs {
    /// Largest modulus first; fewer than were wanted where the operator has no more, or the rest did not converge.
    pub pairs: Vec<Eigenpair>,
    /// Why there are no more, where an iteration ended without a further pair.
    pub unconverged: Option<Error>,
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
/// iteration on the Hessenberg matrix; what has converged in a full basis is locked and the operator deflated.
/// A positive imaginary part comes before its conjugate. Where a later basis is full and nothing in it has converged, what was locked before stands.
///
/// # Errors
/// [`Error::NotConverged`] when the first basis is full and nothing in it has converged; [`Error::DimensionMismatch`]; errors of `apply`.
///
/// # References
/// W. E. Arnoldi, Q. Appl. Math. 9 (1951) 17; Y. Saad, Numerical Methods for Large Eigenvalue Problems, 2011, ch. 6.
///
/// # Examples
/// ```
/// use freezeout::linalg::{Arnoldi, dominant_eigenpairs};
/// let apply = |x: &[f64]| Ok(vec![2.0 * x[0] - x[1], x[0] + 2.0 * x[1], 0.5 * x[2]]);
/// let options = Arnoldi { count: 2, tolerance: 1e-12, dimension: 10 };
/// let pairs = dominant_eigenpairs(apply, &[1.0, 2.0, 3.0], &[1.0; 3], &options)?.pairs;
/// assert!((pairs[0].value.re - 2.0).abs() < 1e-12 && (pairs[0].value.im - 1.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn dominant_eigenpairs(
    mut apply: impl FnMut(&[f64]) -> Result<Vec<f64>>,
    start: &[f64],
    weight: &[f64],
    options: &Arnoldi,
) -> Result<Eigenpairs> {
    if start.len() != weight.len() {
        return Err(Error::DimensionMismatch {
            name: "weight".into(),
            expected: start.len(),
            got: weight.len(),
        });
    }
    let norm = inner(start, start, weight).sqrt();
    if !(norm.is_finite() && norm > 0.0) {
        return Err(Error::NotFinite {
            quantity: "starting vector".into(),
            reason: format!("its weighted norm is {norm}"),
        });
    }
    let mut locked = Locked {
        vectors: Vec::new(),
        upper: DMatrix::zeros(0, 0),
    };
    let mut pairs: Vec<Eigenpair> = Vec::new();
    let mut unconverged = None;
    while pairs.len() < options.count {
        let wanted = options.count - pairs.len();
        match converged_pairs(&mut apply, start, weight, wanted, options, &mut locked) {
            Ok((found, exhausted)) => {
                pairs.extend(found);
                if exhausted {
                    break;
                }
            }
            Err(error @ Error::NotConverged { .. }) if !pairs.is_empty() => {
                unconverged = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    pairs.sort_by(|a, b| larger_first(&a.value, &b.value));
    Ok(Eigenpairs { pairs, unconverged })
}

/// Σ w_i x_i y_i.
fn inner(x: &[f64], y: &[f64], weight: &[f64]) -> f64 {
    x.iter().zip(y).zip(weight).map(|((x, y), w)| w * x * y).sum()
}

/// Orthonormal real Schur vectors Q of what has converged: A Q = Q R.
struct Locked {
    vectors: Vec<Vec<f64>>,
    /// R.
    upper: DMatrix<f64>,
}

/// The pairs that converge in one basis, at least one, and whether there are no more; they are locked.
fn converged_pairs(
    apply: &mut impl FnMut(&[f64]) -> Result<Vec<f64>>,
    start: &[f64],
    weight: &[f64],
    count: usize,
    options: &Arnoldi,
    locked: &mut Locked,
) -> Result<(Vec<Eigenpair>, bool)> {
    let (most, held) = (options.dimension, locked.vectors.len());
    let scaled = |x: &[f64], a: f64| x.iter().map(|v| a * v).collect::<Vec<f64>>();
    // subtracts the parts along `vectors`, adding them up in `parts`
    let orthogonalise = |x: &mut [f64], vectors: &[Vec<f64>], mut parts: DMatrixViewMut<'_, f64>| {
        for (k, v) in vectors.iter().enumerate() {
            let h = inner(v, x, weight);
            parts[(k, 0)] += h;
            x.iter_mut().zip(v).for_each(|(x, v)| *x -= h * v);
        }
    };
    let mut coupling = DMatrix::<f64>::zeros(held, most);
    let mut hessenberg = DMatrix::<f64>::zeros(most + 1, most);
    let mut first = start.to_vec();
    for _ in 0..2 {
        orthogonalise(&mut first, &locked.vectors, DMatrix::zeros(held, 1).as_view_mut());
    }
    let norm = inner(&first, &first, weight).sqrt();
    if !(norm > 1e-14 * inner(start, start, weight).sqrt()) {
        return Ok((Vec::new(), true));
    }
    let mut basis = vec![scaled(&first, 1.0 / norm)];
    let mut residual = f64::INFINITY;
    for m in 1..=most {
        let mut next = apply(&basis[m - 1])?;
        let size = inner(&next, &next, weight).sqrt();
        for _ in 0..2 {
            orthogonalise(
                &mut next,
                &locked.vectors,
                coupling.view_mut((0, m - 1), (held, 1)),
            );
            orthogonalise(&mut next, &basis, hessenberg.view_mut((0, m - 1), (m, 1)));
        }
        let beta = inner(&next, &next, weight).sqrt();
        hessenberg[(m, m - 1)] = beta;
        // what is left is rounding: the basis spans an invariant subspace
        let closed = beta <= 1e-14 * size;
        let last = closed || m == most;
        if last || (m > count && m % 4 == 0) {
            let small = hessenberg.view((0, 0), (m, m)).into_owned();
            let ritz = ritz_pairs(&small, count);
            let remainder = if closed { 0.0 } else { beta };
            // rounding of A: of the size of its largest eigenvalue, and of the part along the locked vectors
            let parts = coupling.columns(0, m).map(|c| Complex::new(c, 0.0));
            let rounding = |y: &DVector<Complex<f64>>| f64::EPSILON * small.norm().max((&parts * y).norm());
            let residuals: Vec<f64> = (ritz.iter())
                .map(|(mu, y)| remainder * y[m - 1].norm() / mu.norm())
                .collect();
            let mut converged = (ritz.iter().zip(&residuals))
                .take_while(|((mu, y), r)| r.max(rounding(y) / mu.norm()) <= options.tolerance)
                .count();
            // a pair of complex conjugates is locked whole
            if converged > 0 && ritz[converged - 1].0.im > 0.0 {
                converged -= 1;
            }
            let complete = converged == ritz.len() && (ritz.len() >= count || closed);
            if complete || (last && converged > 0) {
                let pairs = ritz.into_iter().zip(residuals).take(converged);
                let coupling = coupling.columns(0, m).into_owned();
                return Ok((
                    locked.extend(pairs, &basis, &coupling, &small),
                    closed && complete,
                ));
            }
            residual = residuals.into_iter().fold(0.0, f64::max);
        }
        if last {
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

impl Locked {
    /// Locks Ritz pairs of the deflated operator, where Qᵀ A V = `coupling` and Vᵀ A V = `small`, and returns the full ones.
    fn extend(
        &mut self,
        pairs: impl Iterator<Item = ((Complex<f64>, DVector<Complex<f64>>), f64)>,
        basis: &[Vec<f64>],
        coupling: &DMatrix<f64>,
        small: &DMatrix<f64>,
    ) -> Vec<Eigenpair> {
        let combine = |vectors: &[Vec<f64>], c: &DVector<Complex<f64>>, into: &mut [Complex<f64>]| {
            for (v, c) in vectors.iter().zip(c.iter()) {
                into.iter_mut().zip(v).for_each(|(x, v)| *x += *c * *v);
            }
        };
        let complex = |m: &DMatrix<f64>| m.map(|v| Complex::new(v, 0.0));
        let held = self.vectors.len();
        let mut columns: Vec<DVector<f64>> = Vec::new();
        let found = pairs
            .map(|((value, y), residual)| {
                let mut vector = vec![Complex::new(0.0, 0.0); basis[0].len()];
                combine(basis, &y, &mut vector);
                let shifted = || DMatrix::identity(held, held) * value - complex(&self.upper);
                if held > 0
                    && let Some(c) = shifted().lu().solve(&(complex(coupling) * &y))
                {
                    combine(&self.vectors, &c, &mut vector);
                    let norm = Complex::new(c.norm().hypot(1.0), 0.0);
                    vector.iter_mut().for_each(|x| *x /= norm);
                }
                if value.im >= 0.0 {
                    columns.push(y.map(|v| v.re));
                }
                if value.im > 0.0 {
                    columns.push(y.map(|v| v.im));
                }
                Eigenpair {
                    value,
                    vector,
                    residual,
                }
            })
            .collect();
        let z = DMatrix::from_columns(&columns).qr().q();
        let mut upper = DMatrix::zeros(held + z.ncols(), held + z.ncols());
        upper.view_mut((0, 0), (held, held)).copy_from(&self.upper);
        upper
            .view_mut((0, held), (held, z.ncols()))
            .copy_from(&(coupling * &z));
        upper
            .view_mut((held, held), (z.ncols(), z.ncols()))
            .copy_from(&(z.transpose() * small * &z));
        self.upper = upper;
        for column in z.column_iter() {
            let mut vector = vec![0.0; basis[0].len()];
            for (v, c) in basis.iter().zip(column.iter()) {
                vector.iter_mut().zip(v).for_each(|(x, v)| *x += c * v);
            }
            self.vectors.push(vector);
        }
        found
    }
}

/// The dominant eigenpairs of a small Hessenberg matrix, conjugate pairs whole.
fn ritz_pairs(h: &DMatrix<f64>, count: usize) -> Vec<(Complex<f64>, DVector<Complex<f64>>)> {
    let mut values: Vec<Complex<f64>> = h.complex_eigenvalues().iter().copied().collect();
    values.sort_by(larger_first);
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

fn larger_first(a: &Complex<f64>, b: &Complex<f64>) -> Ordering {
    // conjugates have equal modulus up to rounding
    let (x, y) = (a.norm(), b.norm());
    if (x - y).abs() <= 1e-12 * x.max(y) {
        b.re.total_cmp(&a.re).then(b.im.total_cmp(&a.im))
    } else {
        y.total_cmp(&x)
    }
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
        let pairs = dominant_eigenpairs(apply, &start, &vec![1.0; n], &options)
            .unwrap()
            .pairs;
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
    fn eigenvalues_twelve_orders_apart_are_all_found() {
        // two huge eigenvalues, then 1, 1/2, 1/3, …; the first row is coupled to the third
        let n = 40;
        let options = Arnoldi {
            count: 5,
            tolerance: 1e-10,
            dimension: 30,
        };
        let start: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64).sin()).collect();
        let solve = |value: &dyn Fn(usize) -> f64, coupled: f64| {
            let apply = |x: &[f64]| {
                let mut y: Vec<f64> = x.iter().enumerate().map(|(k, x)| value(k) * x).collect();
                y[0] += coupled * x[2];
                Ok(y)
            };
            dominant_eigenpairs(apply, &start, &vec![1.0; n], &options)
        };
        for (huge, coupled) in [(1e12, 1e5), (1e20, 1e3)] {
            let value = |k: usize| [huge, 1e8].get(k).copied().unwrap_or(1.0 / (k as f64 - 1.0));
            let pairs = solve(&value, coupled).unwrap().pairs;
            assert_eq!(pairs.len(), 5);
            for (k, pair) in pairs.iter().enumerate() {
                assert!(
                    (pair.value.re / value(k) - 1.0).abs() < 1e-9,
                    "{k}: {}",
                    pair.value
                );
            }
            // (huge − 1) x_0 + coupled x_2 = 0: the part along what was locked, to rounding of a unit vector
            let x = &pairs[2].vector;
            assert!(
                (x[0].re / x[2].re + coupled / huge).abs() < 1e-14,
                "{} {}",
                x[0],
                x[2]
            );
            // the negative control: ε times a coupling of 1e11 covers an eigenvalue of one
            // and what is not covered stands
            let covered = solve(&value, 1e11).unwrap();
            assert!(matches!(covered.unconverged, Some(Error::NotConverged { .. })));
            assert!((1..5).contains(&covered.pairs.len()), "{}", covered.pairs.len());
            for (k, pair) in covered.pairs.iter().enumerate() {
                assert!(
                    (pair.value.re / value(k) - 1.0).abs() < 1e-9,
                    "{k}: {}",
                    pair.value
                );
            }
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
