//! All stationary points of a loss in a box: Newton's iteration from many starts, kept away from those already known.

use super::crease::on_crease;
use super::critical_point::classify;
use super::quartic::quartic_point;
use super::{AlongCrease, CriticalPoint, Kink, Landscape, critical_point};
use crate::error::{Error, Result, require_finite};
use crate::math::Point;

/// Distance at which two points are one, in sizes of the box.
const ONE_POINT: f64 = 1e-6;

/// Stationary points found in a box; see [`critical_points`].
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalPoints<const D: usize> {
    /// By loss, lowest first.
    pub points: Vec<CriticalPoint<D>>,
    /// Starts of the search off kinks, of which the last ones led to nothing new.
    pub starts: usize,
    /// Σ (−1)^index over the points: 1 where the loss rises outward on the whole edge of the box and none is missing (Morse).
    pub euler_characteristic: i64,
    /// Whether the loss rises outward at all of 256 points of each face of the box.
    pub rises_outward: bool,
}

impl<const D: usize> CriticalPoints<D> {
    /// Whether the sum of (−1)^index says that points are missing. That it does not proves nothing: the sum of those that are missing may be zero.
    pub fn are_missing(&self) -> bool {
        self.rises_outward && self.euler_characteristic != 1
    }
}

/// The stationary points that Newton's iteration finds from points spread over the box, until `starts` of them in a row lead to nothing new.
///
/// # Method
/// Starts are a Kronecker sequence, a hundred times `starts` at most. From each the iteration goes for F = m(θ) ∇L, m = Π_i (1 + |θ − θ_i|⁻²) over the known points θ_i: its zeros are
/// those of ∇L that are not known, and its step is that of Newton divided by 1 − ∇ln m·d, d = −H⁻¹∇L. A start is used until it leads to nothing new;
/// what it leads to is polished without deflation. On each kink that the loss declares the same search goes for the stationary points along it, of which those
/// remain across which 0 lies between the slopes of both sides: the crest of a ridge counts as a direction of negative curvature, a groove as one of positive.
/// Where one curvature vanishes and the loss is quartic, the place is that of L_uuu = 0. Corners where kinks meet, and kinks that are not declared, are not looked at. Nothing proves that none is missing: more starts, and the sum of (−1)^index, are what there is.
///
/// # Errors
/// [`Error::InvalidParameter`] for a box that is none; [`Error::EmptySet`] when nothing is found; [`Error::Inconsistent`] where the loss itself jumps, and
/// at a point that is degenerate otherwise, whose Hessian is singular as far as its place is known (a bottom that is a line, a saddle of three valleys): it has no
/// index.
///
/// # References
/// P. E. Farrell, Á. Birkisson and S. W. Funke, SIAM J. Sci. Comput. 37, A2026 (2015); J. Milnor, Morse Theory (1963).
///
/// # Examples
/// ```
/// use freezeout::landscape::{MuellerBrown, critical_points};
/// let found = critical_points(&MuellerBrown, [[-1.5, 1.2], [-0.5, 2.0]], 50)?;
/// let indices: Vec<usize> = found.points.iter().map(|point| point.index).collect();
/// assert_eq!(indices, [0, 0, 0, 1, 1]);
/// assert_eq!(found.euler_characteristic, 1);
/// // the ridge between the two valleys is a cusp
/// use freezeout::landscape::{Slice, TwoValley};
/// let valleys = critical_points(&Slice::new(TwoValley::default(), 5.0)?, [[-1.0, 1.0]], 20)?;
/// let ridge = &valleys.points[2];
/// assert!(ridge.index == 1 && ridge.position[0] == 0.0 && ridge.crease.is_some());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn critical_points<const D: usize>(
    landscape: &impl Landscape<D>,
    bounds: [[f64; 2]; D],
    starts: usize,
) -> Result<CriticalPoints<D>> {
    for [lower, upper] in bounds {
        require_finite("lower end of the box", lower)?;
        if !(upper > lower && upper.is_finite()) {
            return Err(Error::InvalidParameter {
                name: "upper end of the box".into(),
                value: upper,
                requirement: "it must be finite and above the lower end".into(),
            });
        }
    }
    let size = Point::<D>::from_fn(|d, _| bounds[d][1] - bounds[d][0]).norm();
    let has_index = |point: &CriticalPoint<D>| require_index(landscape, point, &bounds);
    let (mut points, made) = search(landscape, &bounds, size, starts, has_index)?;
    for kink in landscape.kinks() {
        let [lower, upper] = bounds[kink.axis];
        if !(lower < kink.position && kink.position < upper) {
            continue;
        }
        let along = AlongCrease::new(landscape, Some(kink));
        let (found, _) = search(&along, &bounds, size, starts, |_| Ok(()))?;
        for point in &found {
            points.extend(on_crease(landscape, kink, size, point)?);
        }
    }
    if points.is_empty() {
        return Err(Error::EmptySet {
            name: "stationary points".into(),
        });
    }
    points.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    let euler_characteristic = points.iter().map(|p| if p.index % 2 == 0 { 1 } else { -1 }).sum();
    Ok(CriticalPoints {
        points,
        starts: made,
        euler_characteristic,
        rises_outward: rises_outward(landscape, &bounds),
    })
}

/// Whether the loss rises outward at points spread over each face of the box.
fn rises_outward<const D: usize>(landscape: &impl Landscape<D>, bounds: &[[f64; 2]; D]) -> bool {
    const POINTS: usize = 256;
    let faces = (0..D).flat_map(|axis| [(axis, 0), (axis, 1)]);
    faces.into_iter().all(|(axis, end)| {
        let sign = if end == 0 { -1.0 } else { 1.0 };
        (0..POINTS).all(|k| {
            let mut theta = spread(bounds, k);
            theta[axis] = bounds[axis][end];
            sign * landscape.gradient(&theta)[axis] > 0.0
        })
    })
}

/// The stationary points of a smooth loss, each let through by `has_index`, and the number of starts.
fn search<const D: usize>(
    landscape: &impl Landscape<D>,
    bounds: &[[f64; 2]; D],
    size: f64,
    starts: usize,
    has_index: impl Fn(&CriticalPoint<D>) -> Result<()>,
) -> Result<(Vec<CriticalPoint<D>>, usize)> {
    /// Most starts, in those that may lead to nothing new.
    const MOST: usize = 100;
    let mut points: Vec<CriticalPoint<D>> = Vec::new();
    let (mut start, mut fruitless) = (0, 0);
    while fruitless < starts && start < MOST * starts {
        fruitless += 1;
        while let Some(found) = next_point(landscape, bounds, size, spread(bounds, start), &points) {
            has_index(&found)?;
            points.push(found);
            fruitless = 0;
        }
        start += 1;
    }
    Ok((points, start))
}

/// Refuses a point whose curvatures change by themselves over the distance at which two points are one.
fn require_index<const D: usize>(
    landscape: &impl Landscape<D>,
    point: &CriticalPoint<D>,
    bounds: &[[f64; 2]; D],
) -> Result<()> {
    if point.quartic.is_some() {
        return Ok(());
    }
    for axis in 0..D {
        for sign in [-1.0, 1.0] {
            let mut beside = point.position;
            let size = bounds[axis][1] - bounds[axis][0];
            beside[axis] += sign * ONE_POINT * size;
            // beyond the end of a table there is none
            let Ok(beside) = classify(landscape, beside) else {
                continue;
            };
            let pairs = point.eigenvalues.iter().zip(&beside.eigenvalues);
            if let Some((value, _)) = pairs.into_iter().find(|(a, b)| !((*a - *b).abs() < a.abs())) {
                let on_kink =
                    |kink: &Kink| (point.position[kink.axis] - kink.position).abs() <= ONE_POINT * size;
                if landscape.kinks().iter().any(on_kink) {
                    return Err(Error::Inconsistent {
                        subject: format!("stationary point at {:?}", point.position.as_slice()),
                        requirement: "it lies on a kink on which the curvature jumps and the slope does not, for which there is no rate: leave it out of the domain"
                            .into(),
                    });
                }
                return Err(Error::Inconsistent {
                    subject: format!("stationary point at {:?}", point.position.as_slice()),
                    requirement: format!(
                        "its Hessian is singular as far as its place is known (eigenvalue {value:.1e}), so that it has no index and no rate: \
                         leave it out of the domain, or change the loss a little"
                    ),
                });
            }
        }
    }
    Ok(())
}

/// The k-th of points spread over a box: multiples of the powers of 1/g, g^(D+1) = g + 1, modulo 1, on which no line but the whole box is dense.
pub(crate) fn spread<const D: usize>(bounds: &[[f64; 2]; D], k: usize) -> Point<D> {
    let mut g: f64 = 1.5;
    (0..50).for_each(|_| g = (1.0 + g).powf(1.0 / (D as f64 + 1.0)));
    Point::<D>::from_fn(|d, _| {
        let [lower, upper] = bounds[d];
        lower + (upper - lower) * ((k as f64 + 0.5) / g.powi(d as i32 + 1)).fract()
    })
}

/// A stationary point in the box that is none of the known ones.
fn next_point<const D: usize>(
    landscape: &impl Landscape<D>,
    bounds: &[[f64; 2]; D],
    size: f64,
    start: Point<D>,
    known: &[CriticalPoint<D>],
) -> Option<CriticalPoint<D>> {
    const MOST: usize = 100;
    /// Where the iteration without deflation takes over, in sizes of the box.
    const CLOSE: f64 = 1e-4;
    /// Longest step in sizes of the box.
    const LONGEST: f64 = 0.1;
    let inside = |theta: &Point<D>| (0..D).all(|d| bounds[d][0] <= theta[d] && theta[d] <= bounds[d][1]);
    let is_known = |theta: &Point<D>| {
        known
            .iter()
            .any(|p| (p.position - theta).norm() < ONE_POINT * size)
    };
    let mut theta = start;
    for _ in 0..MOST {
        let newton = -(landscape.hessian(&theta).try_inverse()? * landscape.gradient(&theta));
        let slope: f64 = known
            .iter()
            .map(|point| {
                let way = theta - point.position;
                let square = way.norm_squared();
                // ∇ln(1 + 1/|θ − θ_i|²)·d
                -2.0 * way.dot(&newton) / (square * (1.0 + square))
            })
            .sum();
        let step = newton / (1.0 - slope);
        if !step.iter().all(|v| v.is_finite()) {
            return None;
        }
        let length = step.norm();
        theta += step * (LONGEST * size / length).min(1.0);
        if newton.norm() < CLOSE * size && !is_known(&theta) {
            let quartic = || quartic_point(landscape, theta, size);
            let found = match critical_point(landscape, theta) {
                Ok(found) if require_index(landscape, &found, bounds).is_ok() => found,
                Ok(found) => quartic().unwrap_or(found),
                // near such a point the gradient is rounding
                Err(_) => quartic()?,
            };
            let is_regular = found.quartic.is_some() || found.eigenvalues.iter().all(|v| *v != 0.0);
            return (is_regular && inside(&found.position) && !is_known(&found.position)).then_some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Expression;
    use std::collections::BTreeMap;

    /// Products of three-point lines: C(n, k) 2^(n−k) points of index k, and 1 = (2 − 1)^n.
    #[test]
    fn every_point_of_three_double_wells_is_found() {
        let text = "(x^2 - 1)^2/4 + (y^2 - 1)^2/2 + (z^2 - 1)^2/3 + 0.1*x*y + 0.05*z";
        let wells = Expression::<3>::new(text, &["x", "y", "z"], &BTreeMap::new(), vec![]).unwrap();
        let found = critical_points(&wells, [[-1.6, 1.6]; 3], 200).unwrap();
        let of_index = |index: usize| found.points.iter().filter(|p| p.index == index).count();
        assert_eq!([0, 1, 2, 3].map(of_index), [8, 12, 6, 1]);
        assert_eq!(found.euler_characteristic, 1);
        assert!(found.starts > 200 && found.rises_outward && !found.are_missing());
        for point in &found.points {
            assert!(wells.gradient(&point.position).norm() < 1e-12);
        }
        // Negative controls: two fruitless starts in a row are soon met; a sum that is not 1 says that something is missing, on a smaller box it says nothing.
        let few = critical_points(&wells, [[-1.6, 1.6]; 3], 2).unwrap();
        assert!(few.points.len() < 27, "{}", few.points.len());
        let mut one_less = found.clone();
        one_less.points.pop();
        one_less.euler_characteristic += 1;
        assert!(one_less.are_missing());
        let part = critical_points(&wells, [[-0.5, 1.6]; 3], 100).unwrap();
        assert!(!part.rises_outward && !part.are_missing());
    }
}
