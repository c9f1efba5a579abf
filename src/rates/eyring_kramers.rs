//! Escape through a saddle in many dimensions: the Eyring-Kramers law with Langer's mobility.

use std::f64::consts::TAU;

use crate::error::{Error, Result, require_positive};
use crate::landscape::{CriticalPoint, Landscape};
use crate::math::Tensor;

/// A minimum, the saddle through which it is left, and the barrier between them.
///
/// # Examples
/// ```
/// use freezeout::landscape::{MuellerBrown, critical_point};
/// use freezeout::math::{Point, Tensor};
/// use freezeout::rates::SaddlePassage;
/// let minimum = critical_point(&MuellerBrown, Point::<2>::new(-0.558, 1.442))?;
/// let saddle = critical_point(&MuellerBrown, Point::<2>::new(-0.822, 0.624))?;
/// let passage = SaddlePassage::between(&MuellerBrown, &minimum, &saddle)?;
/// assert!((passage.barrier - 106.034_674).abs() < 1e-5);
/// // k = |λ₋|/2π sqrt(det H_a/|det H_s|) e^{−ΔL/T}.
/// let product = |p: &freezeout::landscape::CriticalPoint<2>| p.eigenvalues[0] * p.eigenvalues[1];
/// let factor = -saddle.eigenvalues[0] / std::f64::consts::TAU * (product(&minimum) / -product(&saddle)).sqrt();
/// let log_rate = passage.log_rate(&Tensor::<2>::identity(), 10.0)?;
/// assert!((log_rate - factor.ln() + passage.barrier / 10.0).abs() < 1e-12);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SaddlePassage<const D: usize> {
    /// H_a, Hessian at the minimum.
    pub minimum_hessian: Tensor<D>,
    /// H_s, Hessian at the saddle.
    pub saddle_hessian: Tensor<D>,
    /// ΔL = L_s − L_a.
    pub barrier: f64,
}

impl<const D: usize> SaddlePassage<D> {
    /// The passage from `minimum` through `saddle` of a landscape.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] unless the indices are 0 and 1, and when one of the points lies on a kink: a cusp has no Hessian, see
    /// [`crate::rates::kramers::log_cusp_escape_time`].
    pub fn between(
        landscape: &impl Landscape<D>,
        minimum: &CriticalPoint<D>,
        saddle: &CriticalPoint<D>,
    ) -> Result<Self> {
        // A stationary point is known to about 1e-9 of its size.
        const ON_THE_KINK: f64 = 1e-8;
        for kink in landscape.kinks() {
            for point in [minimum, saddle] {
                let distance = (point.position[kink.axis] - kink.position).abs();
                if distance <= ON_THE_KINK * point.position.norm().max(1.0) {
                    return Err(inconsistent(
                        format!("stationary point at {:?}", point.position.as_slice()),
                        "it must lie off the kink, where the landscape has a Hessian",
                    ));
                }
            }
        }
        require_indices(minimum, saddle)?;
        Ok(Self {
            minimum_hessian: landscape.hessian(&minimum.position),
            saddle_hessian: landscape.hessian(&saddle.position),
            barrier: saddle.loss - minimum.loss,
        })
    }

    /// ln of the escape rate of dθ = −M∇L dt + sqrt(2TM_s) dW, M_s the symmetric part of M.
    ///
    /// # Formula
    /// k = (λ₊/2π) sqrt(det H_a/|det H_s|) exp(−ΔL/T), λ₊ the positive eigenvalue of −M H_s. For M = I it is |λ₋|, λ₋ the negative
    /// eigenvalue of H_s; the mean escape time is 1/k.
    ///
    /// # Units
    /// ln of 1/time; M in θ²/(loss · time), T in loss.
    ///
    /// # Method
    /// The stationary density is exp(−L/T) for every constant M whose symmetric part is positive definite; M may have an antisymmetric
    /// part, which drives a current. One isolated saddle; relative error O(T/ΔL). SGD with constant noise is
    /// dθ = −∇L dt + sqrt(2D) dW, which has this form for D = T·I only (M = I). With another constant D the density is in general
    /// **not** exp(−L/T) for any T, detailed balance fails, and this law does not apply: use the instanton of the process.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] when the barrier or T is not positive, or H_a or M_s not positive definite;
    /// [`Error::Inconsistent`] when H_s has not exactly one negative eigenvalue.
    ///
    /// # References
    /// J. S. Langer, Ann. Phys. 54, 258 (1969); A. Bovier et al., J. Eur. Math. Soc. 6, 399 (2004), Theorem 3.2 (M = I);
    /// F. Bouchet and J. Reygner, Ann. Henri Poincaré 17, 3499 (2016) (M with antisymmetric part).
    pub fn log_rate(&self, mobility: &Tensor<D>, temperature: f64) -> Result<f64> {
        require_positive("barrier", self.barrier)?;
        require_positive("temperature", temperature)?;
        let eigenvalues = |matrix: &Tensor<D>| {
            let symmetric = (matrix + matrix.transpose()) * 0.5;
            nalgebra::DMatrix::from_iterator(D, D, symmetric.iter().copied()).symmetric_eigenvalues()
        };
        let positive = |name: &str, matrix: &Tensor<D>| {
            let values = eigenvalues(matrix);
            let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
            if matrix.iter().all(|v| v.is_finite()) && smallest > 0.0 {
                return Ok(values);
            }
            Err(Error::InvalidParameter {
                name: format!("smallest eigenvalue of the {name}"),
                value: smallest,
                requirement: "a positive definite matrix is needed".into(),
            })
        };
        let minimum = positive("Hessian at the minimum", &self.minimum_hessian)?;
        positive("symmetric part of the mobility", mobility)?;
        let saddle = eigenvalues(&self.saddle_hessian);
        let index = saddle.iter().filter(|v| **v < 0.0).count();
        if index != 1 || saddle.iter().any(|v| !v.is_finite() || *v == 0.0) {
            return Err(inconsistent(
                format!("Hessian of index {index} at the saddle"),
                "one negative and else positive eigenvalues are needed",
            ));
        }
        let drift = -(mobility * self.saddle_hessian);
        // Exactly one eigenvalue has a positive real part (inertia of a product with a definite matrix), and it is real.
        let growth_rate = nalgebra::DMatrix::from_iterator(D, D, drift.iter().copied())
            .complex_eigenvalues()
            .iter()
            .map(|value| value.re)
            .fold(f64::NEG_INFINITY, f64::max);
        let log_determinant =
            |values: &nalgebra::DVector<f64>| values.iter().map(|v| v.abs().ln()).sum::<f64>();
        Ok(
            (require_positive("growth rate at the saddle", growth_rate)? / TAU).ln()
                + 0.5 * (log_determinant(&minimum) - log_determinant(&saddle))
                - self.barrier / temperature,
        )
    }
}

/// [`Error::Inconsistent`] unless the indices are 0 and 1.
pub(super) fn require_indices<const D: usize>(
    minimum: &CriticalPoint<D>,
    saddle: &CriticalPoint<D>,
) -> Result<()> {
    for (name, point, index) in [("minimum", minimum, 0), ("saddle", saddle, 1)] {
        if point.index != index {
            return Err(inconsistent(
                format!("{name} of index {}", point.index),
                "a minimum has index 0, a saddle 1",
            ));
        }
    }
    Ok(())
}

fn inconsistent(subject: String, requirement: &str) -> Error {
    Error::Inconsistent {
        subject,
        requirement: requirement.into(),
    }
}
