//! Steps divided by the root mean square of the noise, as Adam and RMSProp take them.

use super::{Diffusion, Sgd};
use crate::landscape::{Kink, Landscape};
use crate::math::{Point, Tensor};
use crate::noise::GradientNoise;

/// The limit of small steps of θ' = θ − η P g, P_ii = 1/sqrt(C_ii): each entry of the gradient g divided by the root mean square of its noise.
///
/// # Formula
/// b_i = −∂_i L/sqrt(C_ii), D_ij = Δ C_ij/sqrt(C_ii C_jj) with the Δ = η/2B of the plain process: in one variable D = Δ whatever C. A barrier costs
/// (1/Δ) ∫ L'/sqrt(C) dx in place of (1/Δ) ∫ L'/C dx: with C = c h^p in a valley of curvature h, ln τ is proportional to h^(−p/2) in place of h^(−p). For the
/// usual p = 1 flat valleys are left h^(−1/2) times as hard, not h^(−1).
///
/// # Method
/// For noise that dominates the second moment, (∂L)² ≪ C_ii/B, averaged over times in which θ hardly moves, without momentum. Dividing by sqrt(C/B) is
/// the same at η sqrt(B). P stands before the noise of its own step (Ito).
///
/// # References
/// T. Tieleman and G. Hinton, Coursera lecture 6.5 (2012); D. P. Kingma and J. Ba, ICLR (2015); Z. Xie et al., ICML (2022) (exponent −1/2).
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Diffusion, RmsPreconditioned, Sgd};
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(4.0)?, 0.1)?;
/// let preconditioned = RmsPreconditioned::new(sgd);
/// assert_eq!(preconditioned.tensor(&Point::<1>::new(0.5))[0], 0.1);
/// assert_eq!(preconditioned.drift(&Point::<1>::new(0.5))[0], 0.375 / 2.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPreconditioned<L, N>(Sgd<L, N>);

impl<L, N> RmsPreconditioned<L, N> {
    /// The same landscape, noise and Δ with divided steps.
    pub fn new(sgd: Sgd<L, N>) -> Self {
        Self(sgd)
    }
}

impl<const D: usize, L: Landscape<D>, N: GradientNoise<D>> Diffusion<D> for RmsPreconditioned<L, N> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        let covariance = self.0.noise().covariance(theta);
        let gradient = self.0.landscape().gradient(theta);
        Point::<D>::from_fn(|i, _| -gradient[i] / covariance[(i, i)].sqrt())
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        let covariance = self.0.noise().covariance(theta);
        let rms = |i: usize| covariance[(i, i)].sqrt();
        Tensor::<D>::from_fn(|i, j| {
            let correlation = if i == j {
                1.0
            } else {
                covariance[(i, j)] / (rms(i) * rms(j))
            };
            self.0.noise_strength() * correlation
        })
    }
    fn kinks(&self) -> Vec<Kink> {
        Diffusion::<D>::kinks(&self.0)
    }
    fn learning_rate(&self) -> Option<f64> {
        self.0.learning_rate()
    }
}
