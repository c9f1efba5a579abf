//! Loss landscapes L(θ): value, gradient, Hessian, and the surfaces where a derivative jumps.
//!
//! One model a file. A new landscape implements [`Landscape`]; nothing else in the crate matches on models.

mod asymmetric_double_well;
mod crease;
mod critical_point;
mod critical_points;
mod degenerate_valley;
mod double_well;
mod expression;
mod jump;
mod mueller_brown;
mod quadratic;
mod quartic;
mod rounded_ridge;
mod slice;
mod smoothed;
mod tabulated;
mod tilted_double_well;
mod two_valley;

pub use asymmetric_double_well::AsymmetricDoubleWell;
pub use crease::AlongCrease;
pub use critical_point::{Crease, CriticalPoint, Quartic, critical_point};
#[cfg(feature = "config")]
pub(crate) use critical_points::spread;
pub use critical_points::{CriticalPoints, critical_points};
pub use degenerate_valley::DegenerateValley;
pub use double_well::DoubleWell;
pub use expression::Expression;
pub(crate) use jump::may_jump;
pub use jump::{find_jump, find_loss_jump, loss_jump};
pub use mueller_brown::MuellerBrown;
pub use quadratic::Quadratic;
pub use quartic::quartic_coefficient;
pub use rounded_ridge::RoundedRidge;
pub use slice::Slice;
pub use smoothed::SmoothedLandscape;
pub use tabulated::Tabulated;
pub use tilted_double_well::TiltedDoubleWell;
pub use two_valley::{Derivatives, Side, TwoValley, TwoValleyParameters};

use crate::math::{Lanes, Point, PointBlock, Tensor};
use auto_impl::auto_impl;

/// The surface `θ[axis] = position`, on which a derivative of the loss jumps, or the loss itself.
///
/// A grid must put a face there; see [`crate::landscape::Landscape::kinks`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kink {
    /// Coordinate index.
    pub axis: usize,
    /// Value of that coordinate.
    pub position: f64,
}

impl Kink {
    /// The positions along each axis.
    pub fn by_axis<const D: usize>(kinks: &[Self]) -> [Vec<f64>; D] {
        let along = |axis: usize| kinks.iter().filter(move |kink| kink.axis == axis);
        std::array::from_fn(|axis| along(axis).map(|kink| kink.position).collect())
    }
}

/// A loss L(θ) on D parameters, twice differentiable away from its [`Kink`]s.
///
/// # Units
/// Loss and parameters are dimensionless unless the user says otherwise; the gradient has the unit of
/// loss/θ, the Hessian of loss/θ².
#[auto_impl(&, Box)]
pub trait Landscape<const D: usize>: Sync {
    /// L(θ).
    fn loss(&self, theta: &Point<D>) -> f64;
    /// ∇L(θ); on a kink, the derivative of the branch that owns the point.
    fn gradient(&self, theta: &Point<D>) -> Point<D>;
    /// Hess L(θ) of the smooth branch that owns the point.
    fn hessian(&self, theta: &Point<D>) -> Tensor<D>;
    /// Surfaces where the loss, its gradient or its Hessian jumps.
    fn kinks(&self) -> Vec<Kink> {
        Vec::new()
    }
    /// L at the active points of a block. A landscape that overrides this and the next two may differ from the values at single points in the
    /// last bits.
    fn loss_block(&self, points: &PointBlock<D>, loss: &mut Lanes) {
        for lane in points.lanes() {
            loss[lane] = self.loss(&points.point(lane));
        }
    }
    /// ∇L at the active points of a block, component by component.
    fn gradient_block(&self, points: &PointBlock<D>, gradient: &mut [Lanes; D]) {
        points.write(gradient, |theta| self.gradient(theta));
    }
    /// Hess L at the active points of a block, row by row.
    fn hessian_block(&self, points: &PointBlock<D>, hessian: &mut [[Lanes; D]; D]) {
        points.write_matrix(hessian, |theta| self.hessian(theta));
    }
}
