//! Sylvester's equation.

use super::Tensor;
use nalgebra::{DMatrix, DVector};

/// X with L X + X R = C.
pub(crate) fn sylvester<const D: usize>(
    left: &Tensor<D>,
    right: &Tensor<D>,
    rhs: &Tensor<D>,
) -> Option<Tensor<D>> {
    let mut matrix = DMatrix::<f64>::zeros(D * D, D * D);
    for i in 0..D {
        for j in 0..D {
            for k in 0..D {
                matrix[(i + j * D, k + j * D)] += left[(i, k)];
                matrix[(i + j * D, i + k * D)] += right[(k, j)];
            }
        }
    }
    let vector = matrix
        .lu()
        .solve(&DVector::from_iterator(D * D, rhs.iter().copied()))?;
    vector
        .iter()
        .all(|v| v.is_finite())
        .then(|| Tensor::<D>::from_iterator(vector.iter().copied()))
}
