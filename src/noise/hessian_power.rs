//! Noise whose covariance is a power of the positive part of the Hessian.

use super::GradientNoise;
use crate::error::{Result, require_non_negative, require_positive};
use crate::landscape::Landscape;
use crate::math::{Instructions, LANES, Lanes, Point, PointBlock, Tensor, elementary};
use pulp::NullaryFnOnce;

/// Exponent p of C = s H₊^p; the two cases that need no power function are told apart for speed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Power {
    /// p = 1, "Hessian-aligned" noise.
    One,
    /// p = 2, "random shift" noise to leading order.
    Two,
    /// Any other p ≥ 0; p = 0 projects onto the directions of positive curvature.
    Real(f64),
}

impl Power {
    /// The exponent as given.
    pub fn value(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Two => 2.0,
            Self::Real(p) => p,
        }
    }

    /// λ₊^p, zero for λ ≤ 0.
    #[inline(always)]
    pub fn of(self, eigenvalue: f64) -> f64 {
        let positive = if eigenvalue > 0.0 { eigenvalue } else { 0.0 };
        match self {
            Self::One => positive,
            Self::Two => positive * positive,
            Self::Real(p) => {
                // Branch-free, for vectorised loops; p·|ln λ| ulps at worst.
                let value = elementary::exp(p * elementary::ln(positive));
                if positive >= f64::MIN_POSITIVE { value } else { 0.0 }
            }
        }
    }
}

/// C(θ) = s (Hess L(θ))₊^p + ε I.
///
/// # Formula
/// With Hess L = Σ λ_k e_k e_kᵀ, C = Σ (s max(λ_k, 0)^p + ε) e_k e_kᵀ.
///
/// The paper's noise has covariance C/B = 2σ H₊ + 10⁻⁸ I: p = 1, s = 2σB, ε = 10⁻⁸ B.
///
/// # Method
/// Negative eigenvalues are clipped to zero, as in the authors' code; the floor ε keeps C positive definite
/// where curvature vanishes. In one dimension the eigenvalue is the second derivative itself.
///
/// # References
/// arXiv 2601.10962, noise model; the authors' code for the clipping and the floor.
///
/// # Examples
/// ```
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::{GradientNoise, HessianPower};
/// let well = DoubleWell::new(0.25, 1.0)?; // L'' = 3x² − 1
/// let noise = HessianPower::new(&well, 2.0, 0.1, 0.0)?;
/// assert!((noise.covariance(&Point::<1>::new(1.0))[0] - 0.4).abs() < 1e-15);
/// assert_eq!(noise.covariance(&Point::<1>::new(0.0))[0], 0.0); // negative curvature is clipped
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HessianPower<L> {
    landscape: L,
    power: Power,
    scale: f64,
    floor: f64,
}

impl<L> HessianPower<L> {
    /// Noise with exponent p ≥ 0, scale s > 0 and floor ε ≥ 0.
    ///
    /// # Errors
    /// [`crate::Error::InvalidParameter`] naming the parameter that is out of range.
    pub fn new(landscape: L, power: f64, scale: f64, floor: f64) -> Result<Self> {
        require_non_negative("power", power)?;
        require_positive("scale", scale)?;
        require_non_negative("floor", floor)?;
        let power = if power == 1.0 {
            Power::One
        } else if power == 2.0 {
            Power::Two
        } else {
            Power::Real(power)
        };
        Ok(Self {
            landscape,
            power,
            scale,
            floor,
        })
    }

    /// The exponent.
    pub fn power(&self) -> Power {
        self.power
    }

    /// The scale s.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The floor ε.
    pub fn floor(&self) -> f64 {
        self.floor
    }
}

/// f(H) for a symmetric 2×2 matrix H = [[xx, xy], [xy, yy]]: entries xx, xy, yy and the two eigenvalues f(λ−), f(λ+).
///
/// f(H) = f(λ−) I + (f(λ+) − f(λ−))/(λ+ − λ−) (H − λ− I), straight-line arithmetic.
#[inline(always)]
fn matrix_function(hessian: [f64; 3], f: impl Fn(f64) -> f64) -> ([f64; 3], [f64; 2]) {
    let [xx, xy, yy] = hessian;
    let half_difference = 0.5 * (xx - yy);
    let radius = (half_difference * half_difference + xy * xy).sqrt();
    let mean = 0.5 * (xx + yy);
    let (low, high) = (f(mean - radius), f(mean + radius));
    // Both eigenvalues equal: H − λ I vanishes and any finite slope will do.
    let gap = if radius > 0.0 { 2.0 * radius } else { 1.0 };
    let slope = (high - low) / gap;
    // H − λ− I, with its diagonal free of cancellation where xx or yy dominates.
    let upper = half_difference + radius;
    let lower = radius - half_difference;
    (
        [low + slope * upper, slope * xy, low + slope * lower],
        [low, high],
    )
}

/// C = s H₊^p + ε I for a symmetric 2×2 matrix H = [[xx, xy], [xy, yy]], as (C_xx, C_xy, C_yy, det C).
///
/// # Formula
/// A function of a symmetric 2×2 matrix is f(H) = f(λ−) I + (f(λ+) − f(λ−))/(λ+ − λ−) (H − λ− I).
/// The determinant is the product of the eigenvalues, so that a Cholesky factor built with it,
/// l11 = sqrt(C_xx), l21 = C_xy/l11, l22 = sqrt(det C/C_xx), suffers no cancellation when C is nearly singular.
#[inline(always)]
pub fn power_covariance(hessian: [f64; 3], power: Power, scale: f64, floor: f64) -> [f64; 4] {
    let ([xx, xy, yy], [low, high]) =
        matrix_function(hessian, |eigenvalue| scale * power.of(eigenvalue) + floor);
    [xx, xy, yy, low * high]
}

/// The symmetric square root of C = s H₊^p + ε I for a symmetric 2×2 matrix, as (xx, xy, yy).
///
/// # Formula
/// The function sqrt(s λ₊^p + ε) of H; its square is [`power_covariance`].
///
/// # Method
/// Three square roots and one division, one division less than a Cholesky factor, and no cancellation when C
/// is nearly singular: the hot loop of the SGD ensemble calls this for each step.
///
/// # Examples
/// ```
/// use freezeout::noise::{Power, power_root};
/// // H = diag(4, -1): the negative curvature is clipped.
/// assert_eq!(power_root([4.0, 0.0, -1.0], Power::One, 1.0, 0.0), [2.0, 0.0, 0.0]);
/// ```
#[inline(always)]
pub fn power_root(hessian: [f64; 3], power: Power, scale: f64, floor: f64) -> [f64; 3] {
    matrix_function(hessian, |eigenvalue| {
        (scale * power.of(eigenvalue) + floor).sqrt()
    })
    .0
}

/// s H₊^p + ε I in any dimension.
pub(super) fn power_of_hessian<const D: usize>(
    hessian: &Tensor<D>,
    power: Power,
    scale: f64,
    floor: f64,
) -> Tensor<D> {
    let mut covariance = Tensor::<D>::identity() * floor;
    match D {
        1 => covariance[(0, 0)] += scale * power.of(hessian[(0, 0)]),
        2 => {
            let entries = [hessian[(0, 0)], hessian[(0, 1)], hessian[(1, 1)]];
            let [xx, xy, yy, _] = power_covariance(entries, power, scale, floor);
            covariance[(0, 0)] = xx;
            covariance[(0, 1)] = xy;
            covariance[(1, 0)] = xy;
            covariance[(1, 1)] = yy;
        }
        _ => {
            let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
            for (k, &eigenvalue) in eigen.eigenvalues.iter().enumerate() {
                let e = Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
                covariance += e * e.transpose() * (scale * power.of(eigenvalue));
            }
        }
    }
    covariance
}

/// Replaces Hessians in one or two dimensions by s H₊^p + ε I, with a factor s for each; compiled for each instruction set.
pub(super) struct PowerOfHessians<'a, const D: usize> {
    pub matrices: &'a mut [[Lanes; D]; D],
    pub power: Power,
    pub scale: &'a Lanes,
    pub floor: f64,
}

impl<const D: usize> NullaryFnOnce for PowerOfHessians<'_, D> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            matrices,
            power,
            scale,
            floor,
        } = self;
        // the second axis of the plane, the only one of the line
        let last = D - 1;
        for lane in 0..LANES {
            if D == 1 {
                matrices[0][0][lane] = floor + scale[lane] * power.of(matrices[0][0][lane]);
            } else {
                let entries = [
                    matrices[0][0][lane],
                    matrices[0][last][lane],
                    matrices[last][last][lane],
                ];
                let [xx, xy, yy, _] = power_covariance(entries, power, scale[lane], floor);
                matrices[0][0][lane] = xx;
                matrices[0][last][lane] = xy;
                matrices[last][0][lane] = xy;
                matrices[last][last][lane] = yy;
            }
        }
    }
}

impl<const D: usize, L: Landscape<D>> GradientNoise<D> for HessianPower<L> {
    fn covariance_block(&self, points: &PointBlock<D>, covariance: &mut [[Lanes; D]; D]) {
        if D > 2 {
            return points.write_matrix(covariance, |theta| self.covariance(theta));
        }
        self.landscape.hessian_block(points, covariance);
        Instructions::Native.run(PowerOfHessians {
            matrices: covariance,
            power: self.power,
            scale: &[self.scale; LANES],
            floor: self.floor,
        });
    }
    fn covariance(&self, theta: &Point<D>) -> Tensor<D> {
        power_of_hessian(&self.landscape.hessian(theta), self.power, self.scale, self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Quadratic;

    /// The 2×2 closed form against the general eigen-decomposition, for definite and indefinite Hessians.
    #[test]
    fn closed_form_matches_eigen_decomposition() {
        for (xx, xy, yy) in [
            (6.0, 0.3, 0.2),
            (6.0, 2.0, -0.1),
            (-1.0, 0.4, -2.0),
            (1.0, 0.0, 1.0),
            (0.1, -3.0, 9.0),
        ] {
            for p in [0.0, 0.5, 1.0, 1.5, 2.0] {
                let h2 = Tensor::<2>::new(xx, xy, xy, yy);
                let planar = Quadratic::<2>::new(h2, Point::<2>::zeros()).unwrap();
                let c2 = HessianPower::new(planar, p, 0.7, 1e-3)
                    .unwrap()
                    .covariance(&Point::<2>::zeros());
                let mut h3 = Tensor::<3>::zeros();
                h3.fixed_view_mut::<2, 2>(0, 0).copy_from(&h2);
                let spatial = Quadratic::<3>::new(h3, Point::<3>::zeros()).unwrap();
                let c3 = HessianPower::new(spatial, p, 0.7, 1e-3)
                    .unwrap()
                    .covariance(&Point::<3>::zeros());
                // Both are exact up to rounding of matrices of norm < 100.
                assert!(
                    (c2 - c3.fixed_view::<2, 2>(0, 0)).amax() < 1e-12,
                    "H = {h2}, p = {p}: {c2} {c3}"
                );
            }
        }
    }
}
