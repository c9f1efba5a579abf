//! The action of one straight piece of a path, with its derivatives.

use crate::diffusion::Diffusion;
use crate::error::{Error, Result};
use crate::math::{Point, Tensor};

/// Drift b and D⁻¹ at a point.
pub(super) struct Metric<const D: usize> {
    pub drift: Point<D>,
    pub inverse: Tensor<D>,
}

impl<const D: usize> Metric<D> {
    /// # Errors
    /// [`Error::NotFinite`], [`Error::NotPositive`] for a tensor that is not positive definite.
    pub fn at(diffusion: &impl Diffusion<D>, theta: &Point<D>) -> Result<Self> {
        let (drift, tensor) = finite(diffusion, theta)?;
        let Some(inverse) = tensor.cholesky().map(|c| c.inverse()) else {
            let eigenvalues =
                nalgebra::DMatrix::from_iterator(D, D, tensor.iter().copied()).symmetric_eigenvalues();
            return Err(Error::NotPositive {
                name: "diffusion tensor (an action needs its inverse)".into(),
                position: format!("{:?}", theta.as_slice()),
                eigenvalues: format!("{:?}", eigenvalues.as_slice()),
            });
        };
        Ok(Self { drift, inverse })
    }
}

fn finite<const D: usize>(diffusion: &impl Diffusion<D>, theta: &Point<D>) -> Result<(Point<D>, Tensor<D>)> {
    let (drift, tensor) = (diffusion.drift(theta), diffusion.tensor(theta));
    if drift.iter().chain(tensor.iter()).all(|v| v.is_finite()) {
        return Ok((drift, tensor));
    }
    Err(Error::NotFinite {
        quantity: "drift or diffusion tensor".into(),
        reason: format!("at {:?}", theta.as_slice()),
    })
}

/// Geometric action (1/2)(|Δ||b| − <Δ, b>) of the piece from x to y, b and D at its middle.
pub(super) struct Segment<const D: usize> {
    /// The action.
    pub action: f64,
    /// (1/2)|Δ||b|, of which the action is at most twice: the scale of its rounding.
    pub scale: f64,
    /// Derivatives with respect to x and to y.
    pub gradient: [Point<D>; 2],
}

impl<const D: usize> Segment<D> {
    /// # Method
    /// Derivatives of b and D by central differences with the step `step`, of second order; all else is exact.
    pub fn new(diffusion: &impl Diffusion<D>, x: &Point<D>, y: &Point<D>, step: f64) -> Result<Self> {
        let (middle, delta) = ((x + y) * 0.5, y - x);
        let Metric { drift, inverse } = Metric::at(diffusion, &middle)?;
        let (lower_delta, lower_drift) = (inverse * delta, inverse * drift);
        let (length, speed) = (
            delta.dot(&lower_delta).sqrt(),
            drift.dot(&lower_drift).max(0.0).sqrt(),
        );
        // A direction of zero at a zero of b is the middle of the subgradients of |b|.
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        let along = (lower_delta * ratio(speed, length) - lower_drift) * 0.5;
        let mut middle_gradient = Point::<D>::zeros();
        for k in 0..D {
            let mut shift = Point::<D>::zeros();
            shift[k] = step;
            let (b1, d1) = finite(diffusion, &(middle + shift))?;
            let (b0, d0) = finite(diffusion, &(middle - shift))?;
            let (db, dd) = ((b1 - b0) / (2.0 * step), (d1 - d0) / (2.0 * step));
            // ∂(D⁻¹) = −D⁻¹ ∂D D⁻¹.
            let speed_change = ratio(
                lower_drift.dot(&db) - 0.5 * lower_drift.dot(&(dd * lower_drift)),
                speed,
            );
            let length_change = -0.5 * ratio(lower_delta.dot(&(dd * lower_delta)), length);
            let product_change = lower_delta.dot(&db) - lower_delta.dot(&(dd * lower_drift));
            middle_gradient[k] = 0.5 * (length * speed_change + speed * length_change - product_change);
        }
        Ok(Self {
            action: 0.5 * (length * speed - delta.dot(&lower_drift)),
            scale: 0.5 * length * speed,
            gradient: [middle_gradient * 0.5 - along, middle_gradient * 0.5 + along],
        })
    }

    /// Second derivatives `[xx, xy, yy]` by central differences of the gradient.
    pub fn hessian(
        diffusion: &impl Diffusion<D>,
        x: &Point<D>,
        y: &Point<D>,
        step: f64,
    ) -> Result<[Tensor<D>; 3]> {
        // Small against the piece, on which |Δ| and |b| vary.
        let shift = 1e-4 * (y - x).norm();
        let (mut xx, mut xy, mut yy) = (Tensor::<D>::zeros(), Tensor::<D>::zeros(), Tensor::<D>::zeros());
        for k in 0..D {
            let mut e = Point::<D>::zeros();
            e[k] = shift;
            let (up, down) = (
                Self::new(diffusion, &(x + e), y, step)?,
                Self::new(diffusion, &(x - e), y, step)?,
            );
            xx.set_column(k, &((up.gradient[0] - down.gradient[0]) / (2.0 * shift)));
            let (up, down) = (
                Self::new(diffusion, x, &(y + e), step)?,
                Self::new(diffusion, x, &(y - e), step)?,
            );
            xy.set_column(k, &((up.gradient[0] - down.gradient[0]) / (2.0 * shift)));
            yy.set_column(k, &((up.gradient[1] - down.gradient[1]) / (2.0 * shift)));
        }
        Ok([(xx + xx.transpose()) * 0.5, xy, (yy + yy.transpose()) * 0.5])
    }
}
