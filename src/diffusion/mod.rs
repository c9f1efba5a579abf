//! Diffusions dθ = b dt + sqrt(2D) dW in the Ito sense.

mod calculus;
mod drift;
mod drift_diffusion;
mod equilibrium;
mod flow;
mod ornstein_uhlenbeck;
mod rms_preconditioned;
mod sgd;

pub use calculus::Calculus;
pub use drift::{Drift, DriftExpression};
pub use drift_diffusion::DriftDiffusion;
pub use equilibrium::{Equilibrium, drift_jacobian};
pub use flow::{ARRIVAL, check_map_stability, noise_free_limit};
pub use ornstein_uhlenbeck::OrnsteinUhlenbeck;
pub use rms_preconditioned::RmsPreconditioned;
pub use sgd::{Sgd, batch_size, noise_strength, sigma};

use crate::landscape::{Kink, Landscape};
use crate::math::{Lanes, Point, PointBlock, Tensor};
use auto_impl::auto_impl;

/// An Ito diffusion with drift b and tensor D.
///
/// # Formula
/// Generator Lf = b·∇f + D : Hess f; Fokker-Planck L*p = −div(b p) + Σ ∂i∂j (D_ij p).
///
/// # Units
/// b in θ/time, D in θ²/time.
#[auto_impl(&, Box)]
pub trait Diffusion<const D: usize>: Sync {
    /// b(θ).
    fn drift(&self, theta: &Point<D>) -> Point<D>;
    /// D(θ), symmetric positive semi-definite.
    fn tensor(&self, theta: &Point<D>) -> Tensor<D>;
    /// b at the active points of a block, component by component. A diffusion that overrides this and the next may differ from the values at
    /// single points in the last bits; ensembles ask for blocks.
    fn drift_block(&self, points: &PointBlock<D>, drift: &mut [Lanes; D]) {
        points.write(drift, |theta| self.drift(theta));
    }
    /// D at the active points of a block, row by row.
    fn tensor_block(&self, points: &PointBlock<D>, tensor: &mut [[Lanes; D]; D]) {
        points.write_matrix(tensor, |theta| self.tensor(theta));
    }
    /// Surfaces where b or D jumps; grids must have faces there.
    fn kinks(&self) -> Vec<Kink> {
        Vec::new()
    }
    /// The loss L when b = −∇L, up to the drift that a calculus adds; none for any other drift.
    fn landscape(&self) -> Option<&dyn Landscape<D>> {
        None
    }
    /// η of the map θ + ηb + N(0, 2ηD) whose limit the diffusion is; none for a diffusion that is meant itself.
    fn learning_rate(&self) -> Option<f64> {
        None
    }
}
