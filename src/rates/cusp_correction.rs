//! Stationary points on kinks: how slopes and curvatures on both sides change along the crest or the groove.

use super::smooth_correction::Frame;
use crate::landscape::{AlongCrease, Crease, CriticalPoint, Landscape};
use crate::math::{Point, Tensor};

/// c_a or c_s of a point on the crest of a ridge or in a groove with differences of this step, an error even in the step, and the sizes of terms of the next
/// order; see [`super::first_correction`] for the formula. `first` is the first of the steps.
pub(super) fn cusp_coefficient<const D: usize>(
    landscape: &impl Landscape<D>,
    point: &CriticalPoint<D>,
    crease: &Crease,
    first: f64,
    step: f64,
) -> [f64; 2] {
    let across = crease.kink.axis;
    let along = AlongCrease::new(landscape, Some(crease.kink));
    let hessian = along.hessian(&point.position);
    let Some(inverse) = hessian.try_inverse() else {
        return [f64::NAN; 2];
    };
    let is_crest = crease.slopes[0] > 0.0;
    // one-sided quotients have errors of all powers of the distance from the kink
    let beside = step * step / first;
    let widths = crease.slopes.map(|slope| 1.0 / slope.abs());
    let (mut push, mut squares, mut stiffening) =
        (Point::<D>::zeros(), Tensor::<D>::zeros(), Tensor::<D>::zeros());
    let (mut curvature, mut next) = (0.0, 0.0);
    for (side, width) in [-1.0, 1.0].into_iter().zip(widths) {
        let share = width / (widths[0] + widths[1]);
        let mut position = point.position;
        position[across] = crease.kink.position + side * beside;
        let there = landscape.hessian(&position);
        let mut coupling: Point<D> = there.column(across).into_owned();
        coupling[across] = 0.0;
        let mut change = (there - hessian) * (1.0 / beside);
        change.row_mut(across).fill(0.0);
        change.column_mut(across).fill(0.0);
        push += coupling * (side * share * width);
        squares += coupling * coupling.transpose() * (share * width * width);
        stiffening += change * (share * width);
        let bent = there[(across, across)];
        curvature += share * width * width * bent;
        // <y³>/6T of the third derivative, <y⁴>/8T² of the square of the second
        position[across] += side * beside;
        let third = (landscape.hessian(&position)[(across, across)] - bent) / beside;
        next += share * width.powi(3) * (third.abs() + 3.0 * bent * bent * width);
    }
    let sign = if is_crest { 1.0 } else { -1.0 };
    let shift = inverse * push;
    let third = match shift.try_normalize(0.0) {
        Some(axis) => {
            let at = |sign: f64| along.hessian(&(point.position + axis * (sign * step)));
            (at(1.0) - at(-1.0)) * (shift.norm() / (2.0 * step))
        }
        None => Tensor::<D>::zeros(),
    };
    let change = stiffening + (squares * 2.0 - push * push.transpose()) * sign - third;
    let frame = Frame::new(&along, &point.position, &Tensor::<D>::identity());
    let growth = frame.crossing().map_or(0.0, |axis| -axis.dot(&(change * axis)));
    let step = step / frame.longest();
    let plane = frame.coefficient(&along, step);
    [
        plane + 0.5 * push.dot(&shift) - 0.5 * (inverse * change).trace() + growth - curvature,
        next + frame.next(&along, 0.5 * step),
    ]
}
