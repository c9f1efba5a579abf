//! Stationary points on kinks: the crest of a ridge and the bottom of a groove, where two smooth pieces of a loss meet.

use super::{Crease, CriticalPoint, Kink, Landscape, loss_jump};
use crate::error::{Error, Result};
use crate::math::{Point, Tensor};

/// A loss whose stationary points are those of L along a kink: L with the coordinate across held, and a parabola across in its place. Without a kink, L itself.
///
/// # Formula
/// L(θ | θ_a = c) + (θ_a − c)²/2.
#[derive(Debug, Clone, Copy)]
pub struct AlongCrease<L> {
    landscape: L,
    kink: Option<Kink>,
}

impl<L> AlongCrease<L> {
    /// L along this kink.
    pub fn new(landscape: L, kink: Option<Kink>) -> Self {
        Self { landscape, kink }
    }
}

impl<const D: usize, L: Landscape<D>> Landscape<D> for AlongCrease<L> {
    fn loss(&self, theta: &Point<D>) -> f64 {
        let Some(kink) = self.kink else {
            return self.landscape.loss(theta);
        };
        let across = theta[kink.axis] - kink.position;
        self.landscape.loss(&on(&kink, theta)) + 0.5 * across * across
    }
    fn gradient(&self, theta: &Point<D>) -> Point<D> {
        let Some(kink) = self.kink else {
            return self.landscape.gradient(theta);
        };
        let mut gradient = self.landscape.gradient(&on(&kink, theta));
        gradient[kink.axis] = theta[kink.axis] - kink.position;
        gradient
    }
    fn hessian(&self, theta: &Point<D>) -> Tensor<D> {
        let Some(kink) = self.kink else {
            return self.landscape.hessian(theta);
        };
        let mut hessian = self.landscape.hessian(&on(&kink, theta));
        for d in 0..D {
            hessian[(kink.axis, d)] = 0.0;
            hessian[(d, kink.axis)] = 0.0;
        }
        hessian[(kink.axis, kink.axis)] = 1.0;
        hessian
    }
}

fn on<const D: usize>(kink: &Kink, theta: &Point<D>) -> Point<D> {
    let mut at = *theta;
    at[kink.axis] = kink.position;
    at
}

/// The stationary point of L, if it is one, at a stationary point of [`AlongCrease`]: 0 lies strictly between the slopes across on either side. `size` is that
/// of the box.
///
/// # Method
/// Slopes are extrapolated from 1e-6 and 2e-6 sizes beside the kink. A smooth point that happens to lie there has no slopes, and is none of these.
///
/// # Errors
/// [`Error::Inconsistent`] where the loss itself jumps.
pub(super) fn on_crease<const D: usize>(
    landscape: &impl Landscape<D>,
    kink: Kink,
    size: f64,
    along: &CriticalPoint<D>,
) -> Result<Option<CriticalPoint<D>>> {
    const BESIDE: f64 = 1e-6;
    /// Slopes below this part of curvature times size are those of a smooth point.
    const NO_SLOPE: f64 = 1e-8;
    let position = on(&kink, &along.position);
    if loss_jump(landscape, &position, kink.axis, size) != 0.0 {
        return Err(Error::Inconsistent {
            subject: format!("loss that jumps at {:?}", position.as_slice()),
            requirement: "stationary points on a kink need a loss that is continuous there".into(),
        });
    }
    let at = |steps: f64| {
        let mut beside = position;
        beside[kink.axis] += steps * BESIDE * size;
        beside
    };
    let slope = |sign: f64| {
        let [near, far] = [1.0, 2.0].map(|steps| landscape.gradient(&at(sign * steps))[kink.axis]);
        2.0 * near - far
    };
    let slopes = [slope(-1.0), slope(1.0)];
    let curvature = landscape
        .hessian(&at(1.0))
        .amax()
        .max(landscape.hessian(&at(-1.0)).amax());
    let is_kinked = slopes
        .iter()
        .all(|slope| slope.abs() > NO_SLOPE * curvature * size);
    if !is_kinked || slopes[0] * slopes[1] > 0.0 {
        return Ok(None);
    }
    if along.quartic.is_some() {
        return Err(Error::Inconsistent {
            subject: format!("stationary point at {:?}", position.as_slice()),
            requirement: "it lies on a kink along which the loss is quartic, for which there is no rate: leave it out of the domain"
                .into(),
        });
    }
    // what AlongCrease puts across in place of the kink is 1
    let mut eigenvalues = along.eigenvalues.clone();
    let nearest = |a: &usize, b: &usize| {
        (along.eigenvalues[*a] - 1.0)
            .abs()
            .total_cmp(&(along.eigenvalues[*b] - 1.0).abs())
    };
    if let Some(across) = (0..D).min_by(nearest) {
        eigenvalues[across] = slopes[1].signum() * f64::INFINITY;
    }
    eigenvalues.sort_by(f64::total_cmp);
    Ok(Some(CriticalPoint {
        position,
        loss: landscape.loss(&position),
        index: eigenvalues.iter().filter(|v| **v < 0.0).count(),
        eigenvalues,
        quartic: None,
        crease: Some(Crease { kink, slopes }),
    }))
}
