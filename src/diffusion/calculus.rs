//! Stochastic calculus: where in the step the noise amplitude is evaluated.

use super::Diffusion;
use crate::math::Point;

/// Where in the step the amplitude of the noise is evaluated.
///
/// # Formula
/// The equation dθ = b dt + sqrt(2D) ∘_α dW is the Ito equation with drift b + α div D; its stationary density
/// in one dimension is p ∝ D^{−(1−α)} exp(∫ b/D). SGD draws its noise before the step, which is Ito.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Calculus;
/// assert_eq!(Calculus::Stratonovich.alpha(), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Calculus {
    /// Start of the step, α = 0: what SGD does.
    Ito,
    /// Middle of the step, α = 1/2.
    Stratonovich,
    /// End of the step, α = 1 (Hänggi-Klimontovich, isothermal): p ∝ exp(∫ b/D).
    AntiIto,
}

impl Calculus {
    /// All three, in ascending α.
    pub const ALL: [Self; 3] = [Self::Ito, Self::Stratonovich, Self::AntiIto];

    /// α.
    pub fn alpha(self) -> f64 {
        match self {
            Self::Ito => 0.0,
            Self::Stratonovich => 0.5,
            Self::AntiIto => 1.0,
        }
    }
}

/// (div D)_i = Σ_j ∂_j D_ij at θ: α times this is the drift that another calculus adds to the Ito equation.
///
/// # Method
/// Central differences over ±`step`, moved inward at the ends of the box `bounds`: an error of order step². Not defined where D jumps.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Sgd, spurious_drift};
/// use freezeout::landscape::TwoValley;
/// use freezeout::math::Point;
/// let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 0.1, 0.02, 0.0)?;
/// let bounds = [[-1.0, 1.0], [0.0, 50.0]];
/// let drift = spurious_drift(&sgd, &Point::<2>::new(0.5, 5.0), &bounds, &Point::<2>::new(1e-5, 1e-4));
/// assert!(drift[1] < 0.0); // the valley widens with y: D falls
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn spurious_drift<const D: usize>(
    diffusion: &(impl Diffusion<D> + ?Sized),
    theta: &Point<D>,
    bounds: &[[f64; 2]; D],
    step: &Point<D>,
) -> Point<D> {
    let mut divergence = Point::<D>::zeros();
    for j in 0..D {
        let [lower, upper] = bounds[j];
        let (mut below, mut above) = (*theta, *theta);
        below[j] = (theta[j] - step[j]).max(lower);
        above[j] = (theta[j] + step[j]).min(upper);
        let change = diffusion.tensor(&above) - diffusion.tensor(&below);
        for i in 0..D {
            divergence[i] += change[(i, j)] / (above[j] - below[j]);
        }
    }
    divergence
}
