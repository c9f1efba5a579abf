//! Stationary points of a loss: ∇L(θ) = 0.

use super::{Kink, Landscape};
use crate::error::{Error, Result};
use crate::math::Point;

/// A stationary point; see [`critical_point`].
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalPoint<const D: usize> {
    /// θ with ∇L(θ) = 0, on a kink with 0 between the gradients of both sides.
    pub position: Point<D>,
    /// L there.
    pub loss: f64,
    /// Eigenvalues of the Hessian, ascending; across a kink −∞ on the crest of a ridge and ∞ in a groove, 0 along the direction of `quartic`.
    pub eigenvalues: Vec<f64>,
    /// Number of directions in which the loss falls: 0 at a minimum, 1 at a saddle.
    pub index: usize,
    /// The direction without curvature, if there is one.
    pub quartic: Option<Quartic>,
    /// The kink on which it lies.
    pub crease: Option<Crease>,
}

impl<const D: usize> CriticalPoint<D> {
    /// Whether the loss is a parabola there to leading order: neither a kink nor a quartic.
    pub fn is_quadratic(&self) -> bool {
        self.crease.is_none() && self.quartic.is_none()
    }
}

/// A direction from a stationary point along which the loss has no curvature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartic {
    /// c of L − L_0 = c u⁴; see [`quartic_coefficient`](crate::landscape::quartic_coefficient).
    pub coefficient: f64,
    /// What differences of the Hessian may leave of it.
    pub coefficient_error: f64,
    /// What they leave of the place of the point along the direction.
    pub place_error: f64,
}

/// The kink on which a stationary point lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crease {
    /// The kink.
    pub kink: Kink,
    /// ∂L across it, on its lower and on its upper side: rising and falling on the crest of a ridge, falling and rising in a groove.
    pub slopes: [f64; 2],
}

/// The stationary point that damped Newton iteration reaches from `start`, of whatever index.
///
/// # Method
/// θ ← θ − s H⁻¹∇L, with s halved until |∇L| falls. Ends one step after the step is below 1e-9 of |θ| or, near θ = 0, of the first step.
///
/// # Errors
/// [`Error::NotConverged`] after 200 iterations, or where the Hessian is singular or |∇L| cannot be lowered; [`Error::NotFinite`] when the
/// gradient or the Hessian is not finite on the way.
///
/// # Examples
/// ```
/// use freezeout::landscape::{DoubleWell, critical_point};
/// use freezeout::math::Point;
/// let well = DoubleWell::new(0.25, 1.0)?;
/// assert!((critical_point(&well, Point::<1>::new(0.8))?.position[0] - 1.0).abs() < 1e-12);
/// assert_eq!(critical_point(&well, Point::<1>::new(0.1))?.index, 1);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn critical_point<const D: usize>(
    landscape: &impl Landscape<D>,
    start: Point<D>,
) -> Result<CriticalPoint<D>> {
    const MOST: usize = 200;
    const TOLERANCE: f64 = 1e-9;
    const HALVINGS: i32 = 40;
    let mut position = start;
    let mut gradient = finite_gradient(landscape, &position)?;
    let (mut scale, mut residual) = (0.0_f64, f64::INFINITY);
    for iteration in 0..MOST {
        let step = newton_step(landscape, &position, &gradient)?;
        if iteration == 0 {
            scale = step.norm();
        }
        residual = step.norm();
        let close = residual <= TOLERANCE * position.norm().max(scale);
        if close {
            // Quadratic convergence: the full step squares what is left.
            position -= step;
            return classify(landscape, position);
        }
        let lowered = (0..HALVINGS).find_map(|halvings| {
            let next = position - step * 0.5_f64.powi(halvings);
            let slope = landscape.gradient(&next);
            (slope.norm() < gradient.norm()).then_some((next, slope))
        });
        match lowered {
            Some((next, slope)) => (position, gradient) = (next, slope),
            None => break,
        }
    }
    Err(Error::NotConverged {
        method: "Newton iteration for a stationary point".into(),
        iterations: MOST,
        residual,
        tolerance: TOLERANCE,
    })
}

fn finite_gradient<const D: usize>(landscape: &impl Landscape<D>, theta: &Point<D>) -> Result<Point<D>> {
    let gradient = landscape.gradient(theta);
    if gradient.iter().all(|v| v.is_finite()) {
        return Ok(gradient);
    }
    Err(Error::NotFinite {
        quantity: "gradient of the loss".into(),
        reason: format!("at {:?}", theta.as_slice()),
    })
}

fn eigen<const D: usize>(
    landscape: &impl Landscape<D>,
    theta: &Point<D>,
) -> Result<nalgebra::SymmetricEigen<f64, nalgebra::Dyn>> {
    let hessian = landscape.hessian(theta);
    if !hessian.iter().all(|v| v.is_finite()) {
        return Err(Error::NotFinite {
            quantity: "Hessian of the loss".into(),
            reason: format!("at {:?}", theta.as_slice()),
        });
    }
    Ok(nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen())
}

fn newton_step<const D: usize>(
    landscape: &impl Landscape<D>,
    theta: &Point<D>,
    gradient: &Point<D>,
) -> Result<Point<D>> {
    let eigen = eigen(landscape, theta)?;
    let mut step = Point::<D>::zeros();
    for (k, &value) in eigen.eigenvalues.iter().enumerate() {
        let e = Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
        let along = e.dot(gradient);
        if along != 0.0 {
            step += e * (along / value);
        }
    }
    if step.iter().all(|v| v.is_finite()) {
        return Ok(step);
    }
    Err(Error::NotConverged {
        method: format!("Newton iteration (singular Hessian at {:?})", theta.as_slice()),
        iterations: 0,
        residual: gradient.norm(),
        tolerance: 0.0,
    })
}

pub(super) fn classify<const D: usize>(
    landscape: &impl Landscape<D>,
    position: Point<D>,
) -> Result<CriticalPoint<D>> {
    let mut eigenvalues: Vec<f64> = eigen(landscape, &position)?.eigenvalues.iter().copied().collect();
    eigenvalues.sort_by(f64::total_cmp);
    Ok(CriticalPoint {
        loss: landscape.loss(&position),
        index: eigenvalues.iter().filter(|v| **v < 0.0).count(),
        position,
        eigenvalues,
        quartic: None,
        crease: None,
    })
}
