//! Kinks of the loss that nobody declared, where an order of convergence shows that there may be one.

use super::problem::Problem;
use super::solve::EscapeResult;
use crate::landscape::find_jump;
use crate::math::Point;

/// Order below which a number that should be of second order has lost it.
const LOST: f64 = 1.5;
/// Jump of the slope, in units of the largest slope met, below which it is none.
const SMALLEST: f64 = 1e-6;

/// One line about a place where the slope of the loss jumps, when a number expected to be of second order is not; none where the order is
/// seen, or no such place is found.
///
/// # Method
/// Along every line of cell centres the change of ∂L is held against the integral of ∂²L, as [`crate::landscape::find_loss_jump`] does for the loss.
/// The first place found is named: where one kink is, others may be.
pub fn undeclared_kink<const D: usize>(problem: &Problem<D>, result: &EscapeResult<D>) -> Option<String> {
    let landscape = problem.landscape()?;
    let has_lost = result.numbers().iter().any(|(quantity, number)| {
        !(number.order >= LOST)
            && result.finest().is_smooth(*quantity)
            && number.error > 1e-9 * number.value.abs()
    });
    if !has_lost {
        return None;
    }
    let grid = result.grid();
    let steepest = (0..grid.cells())
        .filter(|cell| problem.in_domain(&grid.centre(*cell)))
        .map(|cell| landscape.gradient(&grid.centre(cell)).amax())
        .fold(0.0, f64::max);
    for cell in 0..grid.cells() {
        let (theta, indices) = (grid.centre(cell), grid.indices(cell));
        for axis in 0..D {
            let Some(&next) = grid.axes()[axis].centres().get(indices[axis] + 1) else {
                continue;
            };
            let is_declared = problem.has_kink_between(axis, theta[axis], next);
            let at = |x: f64| {
                let mut point: Point<D> = theta;
                point[axis] = x;
                point
            };
            if is_declared || !problem.in_domain(&theta) || !problem.in_domain(&at(next)) {
                continue;
            }
            let slope = |x: f64| landscape.gradient(&at(x))[axis];
            let curvature = |x: f64| landscape.hessian(&at(x))[(axis, axis)];
            if let Some((position, _)) = find_jump(slope, curvature, [theta[axis], next], SMALLEST * steepest)
            {
                return Some(format!(
                    "the order of convergence is lost, and the slope of the loss jumps at {position:.10} of variable {axis}; declare it: \
                     kinks = [{{axis = {axis}, position = {position:.10}}}]"
                ));
            }
        }
    }
    None
}
