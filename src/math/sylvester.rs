//! Sylvester's equation.

use super::Tensor;
use nalgebra::{DMatrix, DVector};

/// X with L X + X R = C.
pub(crate) fn sylvester<const D: usize>(
    left: &Tensor<D>,
    right: &Tensor<D>,
    rhs: &Tensor<D>,
) -> Option<Tensor<D>> {
    let vector = matrix(left, right)
        .lu()
        .solve(&DVector::from_iterator(D * D, rhs.iter().copied()))?;
    vector
        .iter()
        .all(|v| v.is_finite())
        .then(|| Tensor::<D>::from_iterator(vector.iter().copied()))
}

/// The smallest X with L X + X R = C where the equation is singular: singular values below the share `rank` of the largest are zero. With the residual
/// |L X + X R − C|, which is not small where there is no solution.
pub(crate) fn singular_sylvester<const D: usize>(
    left: &Tensor<D>,
    right: &Tensor<D>,
    rhs: &Tensor<D>,
    rank: f64,
) -> Option<(Tensor<D>, f64)> {
    let decomposed = matrix(left, right).svd(true, true);
    let vector = DVector::from_iterator(D * D, rhs.iter().copied());
    let least = decomposed
        .solve(&vector, rank * decomposed.singular_values.max())
        .ok()?;
    let solution = Tensor::<D>::from_iterator(least.iter().copied());
    let residual = (left * solution + solution * right - rhs).norm();
    residual.is_finite().then_some((solution, residual))
}

/// X ↦ L X + X R on columns stacked.
fn matrix<const D: usize>(left: &Tensor<D>, right: &Tensor<D>) -> DMatrix<f64> {
    let mut matrix = DMatrix::<f64>::zeros(D * D, D * D);
    for i in 0..D {
        for j in 0..D {
            for k in 0..D {
                matrix[(i + j * D, k + j * D)] += left[(i, k)];
                matrix[(i + j * D, i + k * D)] += right[(k, j)];
            }
        }
    }
    matrix
}
