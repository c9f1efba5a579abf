//! Stochastic calculus: how an equation with noise that depends on θ is read.

use super::Diffusion;
use crate::math::{Point, symmetric_root};

/// How dθ = b dt + B(θ) dW is read, with B the symmetric root of 2D.
///
/// # Formula
/// Each is the Ito equation with a further drift c,
/// ```text
/// Ito            c = 0
/// Stratonovich   c_i = ½ Σ_jk B_kj ∂_k B_ij         noise at the middle of the step
/// Klimontovich   c_i = Σ_j ∂_j D_ij = (div D)_i     p ∝ exp(−L/T) for D = T M(θ), b = −M ∇L
/// ```
/// On a line, and wherever D is diagonal, the Stratonovich drift is ½ div D, so that the three are the family α div D with α = 0, 1/2 and 1, and
/// on a line p ∝ D^{−(1−α)} exp(∫ b/D). Where the axes of D turn they are no family: ½ div D is then no reading of the equation. SGD draws its
/// noise before the step, which is Ito.
///
/// # References
/// P. Hänggi, Helv. Phys. Acta 51, 183 (1978); Y. L. Klimontovich, Physica A 163, 515 (1990); P. Kloeden and E. Platen, Numerical
/// Solution of Stochastic Differential Equations, 4.9.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Calculus;
/// assert_eq!(Calculus::Stratonovich.alpha(), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calculus {
    /// Noise at the start of the step: what SGD does.
    Ito,
    /// Noise at the middle of the step, by the symmetric root of 2D.
    Stratonovich,
    /// The isothermal reading (on a line also called anti-Ito: noise at the end of the step).
    Klimontovich,
}

impl Calculus {
    /// All three, in ascending α.
    pub const ALL: [Self; 3] = [Self::Ito, Self::Stratonovich, Self::Klimontovich];

    /// Name in texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ito => "Ito",
            Self::Stratonovich => "Stratonovich",
            Self::Klimontovich => "Klimontovich",
        }
    }

    /// α of the drift α div D, where D is diagonal.
    pub fn alpha(self) -> f64 {
        match self {
            Self::Ito => 0.0,
            Self::Stratonovich => 0.5,
            Self::Klimontovich => 1.0,
        }
    }

    /// The drift c that this reading adds to the Ito equation.
    ///
    /// # Method
    /// Fourth-order differences over ±`step` and half of it, moved inward at the ends of the box `bounds`. Not defined where D jumps.
    ///
    /// # Examples
    /// ```
    /// use freezeout::diffusion::{Calculus, Sgd};
    /// use freezeout::landscape::TwoValley;
    /// use freezeout::math::Point;
    /// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.1, 0.02, 0.0)?;
    /// let bounds = [[-1.0, 1.0], [0.0, 50.0]];
    /// let (theta, step) = (Point::<2>::new(0.5, 5.0), Point::<2>::new(1e-4, 1e-3));
    /// let drift = Calculus::Klimontovich.drift(&sgd, &theta, &bounds, &step);
    /// assert!(drift[1] < 0.0); // the valley widens with y: D falls
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    pub fn drift<const D: usize>(
        self,
        diffusion: &(impl Diffusion<D> + ?Sized),
        theta: &Point<D>,
        bounds: &[[f64; 2]; D],
        step: &Point<D>,
    ) -> Point<D> {
        let mut drift = Point::<D>::zeros();
        if self == Self::Ito {
            return drift;
        }
        // D, or B of D = B²/2
        let matrix = |at: &Point<D>| {
            let tensor = diffusion.tensor(at);
            match self {
                Self::Stratonovich => symmetric_root(&(tensor * 2.0)),
                _ => tensor,
            }
        };
        let here = matrix(theta);
        for k in 0..D {
            let [lower, upper] = bounds[k];
            let step = step[k].min(0.125 * (upper - lower));
            let at = theta[k].clamp(lower + step, upper - step);
            let moved = |by: f64| {
                let mut moved = *theta;
                moved[k] = at + by;
                matrix(&moved)
            };
            let wide = (moved(step) - moved(-step)) / (2.0 * step);
            let narrow = (moved(0.5 * step) - moved(-0.5 * step)) / step;
            let slope = (narrow * 4.0 - wide) / 3.0;
            for i in 0..D {
                drift[i] += match self {
                    Self::Stratonovich => 0.5 * (0..D).map(|j| here[(k, j)] * slope[(i, j)]).sum::<f64>(),
                    _ => slope[(i, k)],
                };
            }
        }
        drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Tensor;

    /// D = R(φ) diag(3, 1) R(φ)ᵀ with φ = x: axes that turn along x.
    struct Turning;

    impl Diffusion<2> for Turning {
        fn drift(&self, _: &Point<2>) -> Point<2> {
            Point::<2>::zeros()
        }
        fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
            let (s, c) = (2.0 * theta[0]).sin_cos();
            Tensor::<2>::new(2.0 + c, s, s, 2.0 - c)
        }
    }

    #[test]
    fn drifts_of_a_turning_tensor_are_those_of_the_formulas() {
        let theta = Point::<2>::new(0.3, -0.2);
        let (bounds, step) = ([[-1.0, 1.0]; 2], Point::<2>::repeat(2e-4));
        let (s, c) = 0.6_f64.sin_cos();
        // div D = ∂_x (2 + cos 2x, sin 2x)
        let divergence = Calculus::Klimontovich.drift(&Turning, &theta, &bounds, &step);
        assert!((divergence - Point::<2>::new(-2.0 * s, 2.0 * c)).norm() < 1e-11);
        // B = sqrt(2) (a + b cos 2x, b sin 2x; b sin 2x, a − b cos 2x), a, b = (sqrt 3 ± 1)/2;
        // ½ Σ B_xj ∂_x B_ij = (−2ab s, 2ab c + …): worked out by hand
        let (a, b) = (0.5 * (3_f64.sqrt() + 1.0), 0.5 * (3_f64.sqrt() - 1.0));
        let rows = [
            [a + b * c, b * s],
            [-2.0 * b * s, 2.0 * b * c],
            [2.0 * b * c, 2.0 * b * s],
        ];
        let dot = |p: [f64; 2], q: [f64; 2]| p[0] * q[0] + p[1] * q[1];
        let expected = Point::<2>::new(dot(rows[0], rows[1]), dot(rows[0], rows[2]));
        let drift = Calculus::Stratonovich.drift(&Turning, &theta, &bounds, &step);
        assert!((drift - expected).norm() < 1e-11, "{drift} {expected}");
        // half the divergence is another drift
        assert!((drift - divergence * 0.5).norm() > 0.1);
    }
}
