//! Jumps of the loss itself.

use super::Landscape;
use crate::math::{LANES, Lanes, Point, PointBlock};

/// Nodes and weights of Gauss's rule on [-1, 1].
const RULE: [(f64, f64); 3] = [(-NODE, 5.0 / 9.0), (0.0, 8.0 / 9.0), (NODE, 5.0 / 9.0)];
const NODE: f64 = 0.774_596_669_241_483_4;

/// Rounding of the difference of two losses.
fn rounding(a: f64, b: f64, integral: f64) -> f64 {
    ROUNDINGS * (a.abs() + b.abs() + integral.abs())
}

/// Distance from the surface at which the two branches are taken, in units of the width given.
const OFFSET: f64 = 1e-5;
/// Relative rounding of a loss.
const ROUNDINGS: f64 = 64.0 * f64::EPSILON;

/// L(θ + 0) − L(θ − 0) along `axis` at a point θ of a surface on which the loss may jump; zero where it does not.
///
/// # Formula
/// L(θ ± 0) = L(θ ± δ) ∓ δ ∂L + δ²/2 ∂²L, with the derivatives at θ ± δ and δ = 1e-5 `width`.
///
/// # Errors
/// δ³ ∂³L/3, below the rounding of the loss where `width` resolves it. A difference within 64 roundings of the loss is no jump, nor is one that changes by as
/// much when δ is doubled, as that remainder does eightfold.
///
/// # Examples
/// ```
/// use freezeout::landscape::{Expression, loss_jump};
/// use freezeout::math::Point;
/// let step = Expression::<1>::new("x^2 + if(x > 0.5, 2, 0)", &["x"], &Default::default(), vec![])?;
/// assert!((loss_jump(&step, &Point::<1>::new(0.5), 0, 0.1) - 2.0).abs() < 1e-13);
/// assert_eq!(loss_jump(&step, &Point::<1>::new(0.7), 0, 0.1), 0.0);
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn loss_jump<const D: usize>(
    landscape: &(impl Landscape<D> + ?Sized),
    theta: &Point<D>,
    axis: usize,
    width: f64,
) -> f64 {
    let branch = |offset: f64| {
        let mut at = *theta;
        at[axis] += offset;
        // as it is in floating point
        let step = at[axis] - theta[axis];
        let (loss, slope) = (landscape.loss(&at), landscape.gradient(&at)[axis]);
        (
            loss - step * slope + 0.5 * step * step * landscape.hessian(&at)[(axis, axis)],
            (step * slope).abs(),
        )
    };
    let across = |offset: f64| {
        let ((below, left), (above, right)) = (branch(-offset), branch(offset));
        (
            above - below,
            ROUNDINGS * (below.abs() + above.abs() + left + right),
        )
    };
    let offset = OFFSET * width;
    let (jump, rounding) = across(offset);
    if jump.abs() <= rounding || jump.abs() <= (across(2.0 * offset).0 - jump).abs() {
        return 0.0;
    }
    jump
}

/// Where along `axis` between `lower` and `upper` on the line through `theta` the loss jumps by more than `smallest`, and by how much;
/// none when the gradient accounts for the difference.
///
/// # Method
/// The difference of the loss against the integral of its gradient by three Gauss nodes. Where they differ by more than rounding, and by
/// more than the integral changes when it is taken over both halves, the half that is accounted for less is halved again, until
/// the place is known to rounding, where a steep or bent but continuous loss no longer changes.
pub fn find_loss_jump<const D: usize>(
    landscape: &(impl Landscape<D> + ?Sized),
    theta: &Point<D>,
    axis: usize,
    [lower, upper]: [f64; 2],
    smallest: f64,
) -> Option<(f64, f64)> {
    let at = |x: f64| {
        let mut point = *theta;
        point[axis] = x;
        point
    };
    let loss = |x: f64| landscape.loss(&at(x));
    find_jump(
        loss,
        |x| landscape.gradient(&at(x))[axis],
        [lower, upper],
        smallest,
    )
}

/// Whether there may be a jump that [`find_loss_jump`] has to look at more closely, for points of a block whose loss is known: on the way
/// along `axis` from each to the same point with the coordinate `upper`.
pub(crate) fn may_jump<const D: usize>(
    landscape: &(impl Landscape<D> + ?Sized),
    points: &PointBlock<D>,
    loss: &Lanes,
    axis: usize,
    upper: &Lanes,
    smallest: &Lanes,
) -> [bool; LANES] {
    let lower = points.coordinates()[axis];
    let mut moved = points.clone();
    let (mut value, mut gradient, mut integral) = ([0.0; LANES], [[0.0; LANES]; D], [0.0; LANES]);
    for (node, weight) in RULE {
        for (lane, at) in moved.coordinates_mut()[axis].iter_mut().enumerate() {
            *at = 0.5 * (lower[lane] + upper[lane]) + 0.5 * (upper[lane] - lower[lane]) * node;
        }
        landscape.gradient_block(&moved, &mut gradient);
        for (sum, slope) in integral.iter_mut().zip(&gradient[axis]) {
            *sum += weight * slope;
        }
    }
    moved.coordinates_mut()[axis] = *upper;
    landscape.loss_block(&moved, &mut value);
    std::array::from_fn(|lane| {
        let whole = 0.5 * (upper[lane] - lower[lane]) * integral[lane];
        let missing = (value[lane] - loss[lane] - whole).abs();
        !(missing <= smallest[lane].max(rounding(loss[lane], value[lane], whole)))
    })
}

/// Where a function with the given slope jumps by more than `smallest` between `lower` and `upper`, and by how much; as [`find_loss_jump`].
///
/// # Examples
/// ```
/// use freezeout::landscape::find_jump;
/// let found = find_jump(|x: f64| x.signum(), |_| 0.0, [-0.5, 0.7], 1e-9);
/// assert!(found.is_some_and(|(at, jump)| at.abs() < 1e-12 && jump == 2.0));
/// assert!(find_jump(f64::sin, f64::cos, [-0.5, 0.7], 1e-9).is_none());
/// ```
pub fn find_jump(
    function: impl Fn(f64) -> f64,
    slope: impl Fn(f64) -> f64,
    [lower, upper]: [f64; 2],
    smallest: f64,
) -> Option<(f64, f64)> {
    const HALVINGS: usize = 60;
    let integral = |a: f64, b: f64| {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let value = |(node, weight): (f64, f64)| weight * slope(middle + half * node);
        half * RULE.into_iter().map(value).sum::<f64>()
    };
    let (first, last) = (function(lower), function(upper));
    let whole = integral(lower, upper);
    let missing = (last - first - whole).abs();
    if !(missing > smallest.max(rounding(first, last, whole))) {
        return None;
    }
    let middle = 0.5 * (lower + upper);
    let halves = integral(lower, middle) + integral(middle, upper);
    if (last - first - halves).abs() < 0.5 * missing {
        return None;
    }
    let (mut a, mut b) = (lower, upper);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (a + b);
        if middle <= a || middle >= b {
            break;
        }
        let centre = function(middle);
        let missing = |a: f64, b: f64, change: f64| (change - integral(a, b)).abs();
        if missing(a, middle, centre - function(a)) >= missing(middle, b, function(b) - centre) {
            b = middle;
        } else {
            a = middle;
        }
    }
    let (below, above) = (function(a), function(b));
    let change = above - below;
    // a slope over the last interval is no jump
    let is_jump = change.abs() > smallest.max(16.0 * rounding(below, above, integral(a, b)));
    is_jump.then_some((0.5 * (a + b), change))
}
