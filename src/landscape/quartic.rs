//! Stationary points at which one curvature vanishes and the loss goes with the fourth power.

use super::critical_point::classify;
use super::{CriticalPoint, Landscape, Quartic};
use crate::error::{Error, Result, require_positive};
use crate::math::{Point, Tensor, even_limit};

/// c of L − L_0 = c u⁴ along the flat direction of a stationary point whose Hessian has one eigenvalue zero, with an estimate of its error; negative where the
/// loss falls.
///
/// # Formula
/// c = L_uuuu/24 − Σ_i L_uui²/(8 λ_i), i the other eigenvectors: the loss at the bottom v_i = −L_uui u²/(2λ_i), which has the order of u⁴ itself.
///
/// # Method
/// Differences of the Hessian, extrapolated from steps of `scale`, the distance over which the loss departs from the power law.
///
/// # Errors
/// [`Error::InvalidParameter`] where the point is no such point: its curvature along the flat direction or L_uuu is more than 1e-6 of what c says within
/// `scale`, or another curvature so small that c is as large there; [`Error::NotFinite`] when the Hessian is not finite around it.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Expression, quartic_coefficient};
/// use freezeout::math::Point;
/// let loss = Expression::<2>::new("y^2 + x^2*y - x^4/2", &["x", "y"], &Default::default(), vec![])?;
/// // −1/2 − 1/4
/// let (coefficient, error) = quartic_coefficient(&loss, &Point::<2>::zeros(), 0.5)?;
/// assert!((coefficient + 0.75).abs() <= error.max(1e-12) && error < 1e-8);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn quartic_coefficient<const D: usize>(
    landscape: &impl Landscape<D>,
    point: &Point<D>,
    scale: f64,
) -> Result<(f64, f64)> {
    require_positive("scale", scale)?;
    let frame = Frame::new(landscape, point);
    let (value, error) = frame.coefficient(scale);
    if !value.is_finite() {
        return Err(Error::NotFinite {
            quantity: "quartic coefficient".into(),
            reason: format!("at {:?}", point.as_slice()),
        });
    }
    let stiff = frame.others().map(|k| frame.values[k].abs());
    let softest = stiff.fold(f64::INFINITY, f64::min);
    if !(value.abs() * scale * scale < softest) {
        return Err(Error::InvalidParameter {
            name: "curvature along the other directions".into(),
            value: softest,
            requirement: format!("it must exceed the quartic {value:e} times the square of the scale"),
        });
    }
    for (name, lower) in [
        (
            "curvature along the flat direction",
            0.5 * frame.values[frame.flat].abs() / (scale * scale),
        ),
        (
            "third derivative along the flat direction",
            frame.cubic(scale).0.abs() / (6.0 * scale),
        ),
    ] {
        if !(lower <= NEGLIGIBLE * value.abs()) {
            return Err(Error::InvalidParameter {
                name: name.into(),
                value: lower,
                requirement: format!(
                    "it must vanish beside the quartic coefficient {value:e}, in units of the scale"
                ),
            });
        }
    }
    Ok((value, error))
}

/// Largest part of lower orders than the fourth within the scale.
const NEGLIGIBLE: f64 = 1e-6;

/// A loss about a point in the eigenvectors of its Hessian.
struct Frame<'a, L, const D: usize> {
    landscape: &'a L,
    point: Point<D>,
    hessian: Tensor<D>,
    axes: [Point<D>; D],
    values: [f64; D],
    /// Number of the direction with the smallest curvature.
    flat: usize,
}

impl<'a, L: Landscape<D>, const D: usize> Frame<'a, L, D> {
    fn new(landscape: &'a L, point: &Point<D>) -> Self {
        let hessian = landscape.hessian(point);
        let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
        let size = |k: &usize| eigen.eigenvalues[*k].abs();
        Self {
            landscape,
            point: *point,
            hessian,
            axes: std::array::from_fn(|k| {
                Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied())
            }),
            values: std::array::from_fn(|k| eigen.eigenvalues[k]),
            flat: (0..D).min_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(0),
        }
    }

    fn others(&self) -> impl Iterator<Item = usize> + '_ {
        (0..D).filter(|k| *k != self.flat)
    }

    /// The Hessian a step along the flat direction away.
    fn beside(&self, step: f64) -> Tensor<D> {
        self.landscape
            .hessian(&(self.point + self.axes[self.flat] * step))
    }

    /// Third derivatives, once along the flat direction.
    fn third(&self, step: f64) -> Tensor<D> {
        (self.beside(step) - self.beside(-step)) / (2.0 * step)
    }

    /// L_uuu, with an estimate of its error.
    fn cubic(&self, scale: f64) -> (f64, f64) {
        let along = self.axes[self.flat];
        even_limit(scale, |step| along.dot(&(self.third(step) * along)))
    }

    /// c, with an estimate of its error.
    fn coefficient(&self, scale: f64) -> (f64, f64) {
        let along = self.axes[self.flat];
        even_limit(scale, |step| {
            let first = self.third(step);
            let second = (self.beside(step) + self.beside(-step) - self.hessian * 2.0) / (step * step);
            let bottom = self
                .others()
                .map(|k| along.dot(&(first * self.axes[k])).powi(2) / (8.0 * self.values[k]));
            along.dot(&(second * along)) / 24.0 - bottom.sum::<f64>()
        })
    }
}

/// The point next to `start` at which the loss is quartic along one direction and has a curvature along all others; none where it is no such point.
///
/// # Method
/// Newton's iteration for L_uuu = 0 along the flat direction, where the gradient drowns in rounding before the place is known, and for ∇L = 0 along the others.
pub(super) fn quartic_point<const D: usize>(
    landscape: &impl Landscape<D>,
    start: Point<D>,
    size: f64,
) -> Option<CriticalPoint<D>> {
    const ROUNDS: usize = 20;
    /// Distance over which the loss is looked at, in sizes of the box.
    const SCALE: f64 = 0.02;
    /// Last step in scales.
    const CLOSE: f64 = 1e-11;
    let kinks = landscape.kinks();
    let scale = kinks
        .iter()
        .map(|kink| (start[kink.axis] - kink.position).abs())
        .fold(SCALE * size, f64::min);
    let mut position = start;
    for _ in 0..ROUNDS {
        let frame = Frame::new(landscape, &position);
        let gradient = landscape.gradient(&position);
        let along = frame.cubic(scale).0 / (24.0 * frame.coefficient(scale).0);
        let step = frame.others().fold(frame.axes[frame.flat] * along, |step, k| {
            step + frame.axes[k] * (frame.axes[k].dot(&gradient) / frame.values[k])
        });
        let length = step.norm();
        if !(length < scale) {
            return None;
        }
        position -= step;
        if length < CLOSE * scale {
            break;
        }
    }
    let (coefficient, coefficient_error) = quartic_coefficient(landscape, &position, scale).ok()?;
    let frame = Frame::new(landscape, &position);
    let slope = frame.axes[frame.flat].dot(&landscape.gradient(&position));
    if !(slope.abs() <= NEGLIGIBLE * coefficient.abs() * scale.powi(3)) {
        return None;
    }
    let (cubic, cubic_error) = frame.cubic(scale);
    let mut eigenvalues = frame.values;
    eigenvalues[frame.flat] = 0.0;
    eigenvalues.sort_by(f64::total_cmp);
    let negative = eigenvalues.iter().filter(|value| **value < 0.0).count();
    Some(CriticalPoint {
        eigenvalues: eigenvalues.to_vec(),
        index: negative + usize::from(coefficient < 0.0),
        quartic: Some(Quartic {
            coefficient,
            coefficient_error,
            place_error: (cubic.abs() + cubic_error) / (24.0 * coefficient.abs()),
        }),
        ..classify(landscape, position).ok()?
    })
}
