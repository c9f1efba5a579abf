//! Square roots of symmetric matrices.

use super::Tensor;

/// The symmetric root R of a positive semi-definite D: R² = D; NaN when D is not.
///
/// # Formula
/// In the plane, R = (D + s I)/sqrt(tr D + 2s) with s = sqrt(det D) (Cayley and Hamilton). A rounding error δ of det D
/// changes R² by δ/(tr D + 2s), a rounding error of D.
///
/// # Method
/// A negative determinant within 16 ε (tr D)² is a rounded zero. Beyond two dimensions by eigenvectors, where roots of negative
/// eigenvalues are NaN.
///
/// # Examples
/// ```
/// use freezeout::math::{Tensor, symmetric_root};
/// let root = symmetric_root(&Tensor::<2>::new(2.0, 1.0, 1.0, 2.0));
/// assert!((root * root)[(0, 1)] - 1.0 < 1e-15 && root[(0, 1)] == root[(1, 0)]);
/// ```
pub fn symmetric_root<const D: usize>(tensor: &Tensor<D>) -> Tensor<D> {
    if D == 1 {
        return tensor.map(f64::sqrt);
    }
    if D > 2 {
        let eigen = nalgebra::DMatrix::from_iterator(D, D, tensor.iter().copied()).symmetric_eigen();
        let roots = nalgebra::DMatrix::from_diagonal(&eigen.eigenvalues.map(f64::sqrt));
        let root = &eigen.eigenvectors * roots * eigen.eigenvectors.transpose();
        return Tensor::<D>::from_iterator(root.iter().copied());
    }
    let [xx, xy, yy] = planar_root([tensor[(0, 0)], tensor[(0, 1)], tensor[(1, 1)]]);
    let mut root = Tensor::<D>::zeros();
    root[(0, 0)] = xx;
    root[(0, 1)] = xy;
    root[(1, 0)] = xy;
    root[(1, 1)] = yy;
    root
}

/// [`symmetric_root`] of a 2×2 matrix given and returned as xx, xy, yy, without branches.
#[inline(always)]
pub(crate) fn planar_root([xx, xy, yy]: [f64; 3]) -> [f64; 3] {
    const ROUNDING: f64 = 16.0 * f64::EPSILON;
    let trace = xx + yy;
    let determinant = xx * yy - xy * xy;
    let is_rounded_zero = (determinant < 0.0) & (determinant >= -ROUNDING * trace * trace);
    let s = if is_rounded_zero { 0.0 } else { determinant }.sqrt();
    let scale = 1.0 / (trace + 2.0 * s).sqrt();
    let scale = if trace > 0.0 { scale } else { f64::NAN };
    let scale = if (trace == 0.0) & (determinant == 0.0) {
        0.0
    } else {
        scale
    };
    let on_diagonal = s * scale;
    [xx * scale + on_diagonal, xy * scale, yy * scale + on_diagonal]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_squares_to_the_tensor_and_refuses_what_is_not_positive() {
        let (s, c) = 0.4_f64.sin_cos();
        // Of every anisotropy, singular and zero included.
        for ratio in [1.0, 0.3, 1e-4, 1e-9, 1e-15, 0.0] {
            let [xx, xy, yy] = [
                c * c + ratio * s * s,
                c * s * (1.0 - ratio),
                s * s + ratio * c * c,
            ];
            let tensor = Tensor::<2>::new(xx, xy, xy, yy) * 7.0;
            let root = symmetric_root(&tensor);
            // A few roundings of entries up to 7.
            assert!(
                (root * root - tensor).amax() < 20.0 * f64::EPSILON * 7.0,
                "{ratio}"
            );
            assert_eq!(root[(0, 1)], root[(1, 0)]);
        }
        assert_eq!(symmetric_root(&Tensor::<2>::zeros()), Tensor::<2>::zeros());
        assert_eq!(symmetric_root(&Tensor::<1>::new(4.0))[0], 2.0);
        for [xx, xy, yy] in [
            [1.0, 1.1, 1.0],
            [-1.0, 0.0, -1.0],
            [-1.0, 0.0, 2.0],
            [0.0, 1.0, 0.0],
            [-2.0, 0.0, -1.0],
        ] {
            assert!(symmetric_root(&Tensor::<2>::new(xx, xy, xy, yy))[(0, 0)].is_nan());
        }
        assert!(symmetric_root(&Tensor::<1>::new(-1.0))[0].is_nan());
        // In space, the root of the plane beside a further axis.
        let plane = Tensor::<2>::new(2.0, 0.5, 0.5, 1.0);
        let mut space = Tensor::<3>::identity();
        space.fixed_view_mut::<2, 2>(0, 0).copy_from(&plane);
        let root = symmetric_root(&space);
        assert!((root.fixed_view::<2, 2>(0, 0) - symmetric_root(&plane)).amax() < 1e-14);
    }
}
