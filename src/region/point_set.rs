//! Sets of points: starts and targets.

use super::Basin;
use crate::diffusion::Diffusion;
use crate::error::{Error, Result, require_finite, require_non_negative, require_positive};
use crate::landscape::Kink;
use crate::math::formula::{Formula, Tape};
use crate::math::{LANES, Lanes, Point, PointBlock};
use std::sync::Arc;

/// An open set of points: where a process starts, or what it is to reach.
///
/// Membership in a sublevel set or a basin depends on the process, which is therefore given to every question.
///
/// # Examples
/// ```
/// use freezeout::diffusion::Sgd;
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// use freezeout::region::PointSet;
/// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 0.1)?;
/// let right = PointSet::half_space(Point::<1>::new(1.0), 0.5)?; // x > 1/2
/// let low = PointSet::all(vec![right, PointSet::sublevel(0.1)?])?;
/// assert!(low.contains(&Point::<1>::new(1.0), &sgd) && !low.contains(&Point::<1>::new(-1.0), &sgd));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Clone)]
pub struct PointSet<const D: usize>(Shape<D>);

impl<const D: usize> std::fmt::Debug for PointSet<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Shape::Ball(..) => "ball",
            Shape::Ellipse(..) => "ellipse",
            Shape::HalfSpace(..) => "half-space",
            Shape::Box(..) => "box",
            Shape::Condition(..) => "condition",
            Shape::Sublevel(_) => "sublevel set",
            Shape::Basin(_) => "basin",
            Shape::Level(_) => "set of a level function",
            Shape::Members(_) => "set of a membership",
            Shape::All(_) => "intersection",
        })
    }
}

/// A function with its gradient, negative inside a set and positive outside.
type LevelFunction<const D: usize> = Arc<dyn Fn(&Point<D>) -> (f64, Point<D>) + Send + Sync>;

#[derive(Clone)]
enum Shape<const D: usize> {
    /// Centre, radius; a point when the radius is zero.
    Ball(Point<D>, f64),
    /// Centre, unit axes divided by their lengths.
    Ellipse(Point<D>, Vec<Point<D>>),
    /// Normal, offset.
    HalfSpace(Point<D>, f64),
    /// Lower and upper corner.
    Box(Point<D>, Point<D>),
    /// A formula that is positive inside, and its value with gradient.
    Condition(Formula<D>, Tape<D>),
    Sublevel(f64),
    Basin(Arc<Basin<D>>),
    Level(LevelFunction<D>),
    Members(Arc<dyn Fn(&Point<D>) -> bool + Send + Sync>),
    All(Vec<PointSet<D>>),
}

fn finite<const D: usize>(name: &str, point: Point<D>) -> Result<Point<D>> {
    for value in point.iter() {
        require_finite(name, *value)?;
    }
    Ok(point)
}

impl<const D: usize> PointSet<D> {
    /// The point `at` alone: a start, never a target.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] about `centre` when it is not finite.
    pub fn point(at: Point<D>) -> Result<Self> {
        Self::ball(at, 0.0)
    }

    /// |θ − centre| < radius; with radius 0 the point itself.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] naming what is not finite, or a negative `radius`.
    pub fn ball(centre: Point<D>, radius: f64) -> Result<Self> {
        let radius = require_non_negative("radius", radius)?;
        Ok(Self(Shape::Ball(finite("centre", centre)?, radius)))
    }

    /// Σ_k (e_k·(θ − centre)/semi_axes_k)² < 1 with the axes e turned by `angle` in the plane.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] about `centre` or `semi_axes`; [`Error::Config`] about `angle` unless it is finite, and zero outside the
    /// plane.
    pub fn ellipse(centre: Point<D>, semi_axes: Point<D>, angle: f64) -> Result<Self> {
        for length in semi_axes.iter() {
            require_positive("semi_axes", *length)?;
        }
        if !angle.is_finite() || (D != 2 && angle != 0.0) {
            return Err(Error::config("angle", "a finite angle in the plane is needed"));
        }
        let (sine, cosine) = angle.sin_cos();
        let axes = (0..D)
            .map(|d| {
                let mut axis = Point::<D>::zeros();
                axis[d] = cosine;
                if D == 2 {
                    axis[1 - d] = if d == 0 { sine } else { -sine };
                }
                axis / semi_axes[d]
            })
            .collect();
        Ok(Self(Shape::Ellipse(finite("centre", centre)?, axes)))
    }

    /// normal·θ > offset.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for what is not finite, [`Error::Config`] about `normal` when it is zero.
    pub fn half_space(normal: Point<D>, offset: f64) -> Result<Self> {
        let (normal, offset) = (finite("normal", normal)?, require_finite("offset", offset)?);
        if normal.norm() == 0.0 {
            return Err(Error::config("normal", "a normal other than zero is needed"));
        }
        Ok(Self(Shape::HalfSpace(normal, offset)))
    }

    /// lower < θ < upper in every coordinate.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for what is not finite, [`Error::Config`] about `lower` unless it is below `upper` in every coordinate.
    pub fn between(lower: Point<D>, upper: Point<D>) -> Result<Self> {
        let (lower, upper) = (finite("lower", lower)?, finite("upper", upper)?);
        if (0..D).any(|d| lower[d] >= upper[d]) {
            return Err(Error::config(
                "lower",
                "each lower bound must be below the upper one",
            ));
        }
        Ok(Self(Shape::Box(lower, upper)))
    }

    /// Where a condition holds, see [`Formula::parse_condition`]: a half-space where the condition is linear.
    pub fn condition(condition: Formula<D>) -> Self {
        if let Some((normal, value)) = condition.linear()
            && let Ok(half_space) = Self::half_space(normal, -value)
        {
            return half_space;
        }
        let tape = Tape::value_and_gradient(&condition);
        Self(Shape::Condition(condition, tape))
    }

    /// Where the loss is below a value; empty for a process without a loss.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] about `below` when it is not finite.
    pub fn sublevel(below: f64) -> Result<Self> {
        Ok(Self(Shape::Sublevel(require_finite("below", below)?)))
    }

    /// A basin of attraction.
    pub fn basin(basin: Basin<D>) -> Self {
        Self(Shape::Basin(Arc::new(basin)))
    }

    /// The set known by a function that is negative inside, positive outside and crosses zero with a slope on the edge, given with its
    /// gradient.
    ///
    /// Its size does not matter, only its zeros and its slope across them: |θ − c| − r and |θ − c|² − r² are the same ball.
    pub fn of_level(level: impl Fn(&Point<D>) -> (f64, Point<D>) + Send + Sync + 'static) -> Self {
        Self(Shape::Level(Arc::new(level)))
    }

    /// The set known by membership only: paths that enter and leave it between two steps go unseen, a bias of order sqrt(h).
    pub fn of_members(contains: impl Fn(&Point<D>) -> bool + Send + Sync + 'static) -> Self {
        Self(Shape::Members(Arc::new(contains)))
    }

    /// The points that lie in all of these sets.
    ///
    /// # Errors
    /// [`Error::Config`] about `all` when there is none.
    pub fn all(parts: Vec<Self>) -> Result<Self> {
        if parts.is_empty() {
            return Err(Error::config("all", "at least one set is needed"));
        }
        Ok(Self(Shape::All(parts)))
    }

    /// Whether the set, or a part of it, is a sublevel set of the loss.
    pub fn needs_loss(&self) -> bool {
        match &self.0 {
            Shape::Sublevel(_) => true,
            Shape::All(parts) => parts.iter().any(Self::needs_loss),
            _ => false,
        }
    }

    /// Whether a point lies in the set.
    pub fn contains(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> bool {
        match &self.0 {
            Shape::Basin(basin) => basin.contains(theta, diffusion),
            Shape::Members(contains) => contains(theta),
            Shape::Sublevel(below) => diffusion.landscape().is_some_and(|l| l.loss(theta) < *below),
            Shape::All(parts) => parts.iter().all(|part| part.contains(theta, diffusion)),
            _ => self.level(theta, diffusion).is_some_and(|(level, _)| level < 0.0),
        }
    }

    /// A function with its gradient that is negative inside and positive outside; none for a set known by membership, as a basin is.
    pub fn level(&self, theta: &Point<D>, diffusion: &dyn Diffusion<D>) -> Option<(f64, Point<D>)> {
        let from = |centre: &Point<D>| theta - centre;
        Some(match &self.0 {
            Shape::Ball(centre, radius) => {
                let way = from(centre);
                let distance = way.norm();
                let outward = if distance > 0.0 {
                    way / distance
                } else {
                    Point::<D>::zeros()
                };
                (distance - radius, outward)
            }
            Shape::Ellipse(centre, axes) => {
                let way = from(centre);
                axes.iter()
                    .fold((-1.0, Point::<D>::zeros()), |(level, gradient), axis| {
                        let along = axis.dot(&way);
                        (level + along * along, gradient + axis * (2.0 * along))
                    })
            }
            Shape::HalfSpace(normal, offset) => (offset - normal.dot(theta), -normal),
            Shape::Box(lower, upper) => {
                let mut largest = (f64::NEG_INFINITY, Point::<D>::zeros());
                for d in 0..D {
                    for (level, sign) in [(lower[d] - theta[d], -1.0), (theta[d] - upper[d], 1.0)] {
                        if level > largest.0 {
                            largest = (level, Point::<D>::zeros());
                            largest.1[d] = sign;
                        }
                    }
                }
                largest
            }
            Shape::Condition(formula, _) => {
                let (value, gradient, _) = formula.derivatives(theta);
                (-value, -gradient)
            }
            Shape::Sublevel(below) => {
                let landscape = diffusion.landscape()?;
                (landscape.loss(theta) - below, landscape.gradient(theta))
            }
            Shape::Basin(_) | Shape::Members(_) => return None,
            Shape::Level(level) => level(theta),
            Shape::All(parts) => {
                let mut largest = (f64::NEG_INFINITY, Point::<D>::zeros());
                for part in parts {
                    let level = part.level(theta, diffusion)?;
                    if level.0 > largest.0 {
                        largest = level;
                    }
                }
                largest
            }
        })
    }

    /// [`PointSet::level`] at the active points of a block; whether there is such a function. It may differ from that at single points in the
    /// last bits.
    pub fn level_block(
        &self,
        points: &PointBlock<D>,
        diffusion: &dyn Diffusion<D>,
        level: &mut Lanes,
        gradient: &mut [Lanes; D],
    ) -> bool {
        match &self.0 {
            Shape::HalfSpace(normal, offset) => {
                let mut along = [0.0; LANES];
                for (n, coordinate) in normal.iter().zip(points.coordinates()) {
                    for lane in 0..LANES {
                        along[lane] += n * coordinate[lane];
                    }
                }
                for lane in 0..LANES {
                    level[lane] = offset - along[lane];
                }
                for d in 0..D {
                    gradient[d] = [-normal[d]; LANES];
                }
            }
            Shape::Ball(centre, radius) => {
                let mut squares = [0.0; LANES];
                for d in 0..D {
                    for lane in 0..LANES {
                        gradient[d][lane] = points.coordinates()[d][lane] - centre[d];
                        squares[lane] += gradient[d][lane] * gradient[d][lane];
                    }
                }
                for lane in 0..LANES {
                    let distance = squares[lane].sqrt();
                    level[lane] = distance - radius;
                    squares[lane] = if distance > 0.0 { distance } else { f64::INFINITY };
                }
                for d in 0..D {
                    for lane in 0..LANES {
                        gradient[d][lane] /= squares[lane];
                    }
                }
            }
            Shape::Condition(_, tape) => {
                tape.evaluate(points, std::iter::once(&mut *level).chain(gradient.iter_mut()));
                level.iter_mut().for_each(|value| *value = -*value);
                let slopes = gradient.as_flattened_mut();
                slopes.iter_mut().for_each(|slope| *slope = -*slope);
            }
            Shape::Sublevel(below) => {
                let Some(landscape) = diffusion.landscape() else {
                    return false;
                };
                landscape.loss_block(points, level);
                landscape.gradient_block(points, gradient);
                level.iter_mut().for_each(|value| *value -= below);
            }
            Shape::All(parts) => {
                let (mut value, mut slope) = ([0.0; LANES], [[0.0; LANES]; D]);
                *level = [f64::NEG_INFINITY; LANES];
                for part in parts {
                    if !part.level_block(points, diffusion, &mut value, &mut slope) {
                        return false;
                    }
                    for lane in 0..LANES {
                        if value[lane] > level[lane] {
                            level[lane] = value[lane];
                            (0..D).for_each(|d| gradient[d][lane] = slope[d][lane]);
                        }
                    }
                }
            }
            Shape::Basin(_) | Shape::Members(_) => return false,
            Shape::Ellipse(..) | Shape::Box(..) | Shape::Level(_) => {
                for lane in points.lanes() {
                    let Some((value, slope)) = self.level(&points.point(lane), diffusion) else {
                        return false;
                    };
                    level[lane] = value;
                    (0..D).for_each(|d| gradient[d][lane] = slope[d]);
                }
            }
        }
        true
    }

    /// Whether [`PointSet::level`] gives a function.
    pub fn has_level(&self) -> bool {
        match &self.0 {
            Shape::Basin(_) | Shape::Members(_) => false,
            Shape::All(parts) => parts.iter().all(Self::has_level),
            _ => true,
        }
    }

    /// The point that the set is, if it is one.
    pub fn as_point(&self) -> Option<&Point<D>> {
        match &self.0 {
            Shape::Ball(centre, radius) if *radius == 0.0 => Some(centre),
            _ => None,
        }
    }

    /// The middle of a ball, an ellipse or a box, the attractor of a basin.
    pub fn centre(&self) -> Option<Point<D>> {
        match &self.0 {
            Shape::Ball(centre, _) | Shape::Ellipse(centre, _) => Some(*centre),
            Shape::Box(lower, upper) => Some((lower + upper) * 0.5),
            Shape::Basin(basin) => Some(basin.attractor()),
            _ => None,
        }
    }

    /// Planes `θ[axis] = position` on which the edge lies; none when it lies elsewhere.
    pub fn faces(&self, diffusion: &dyn Diffusion<D>, bounds: &[[f64; 2]; D]) -> Option<Vec<Kink>> {
        let plane = |axis, position| Kink { axis, position };
        match &self.0 {
            Shape::Ball(centre, radius) if *radius == 0.0 => {
                Some((0..D).map(|d| plane(d, centre[d])).collect())
            }
            Shape::HalfSpace(normal, offset) => {
                let axis = (0..D).find(|&d| normal[d] != 0.0)?;
                let single = (0..D).all(|d| d == axis || normal[d] == 0.0);
                single.then(|| vec![plane(axis, offset / normal[axis])])
            }
            Shape::Box(lower, upper) => Some(
                (0..D)
                    .flat_map(|d| [plane(d, lower[d]), plane(d, upper[d])])
                    .collect(),
            ),
            Shape::All(parts) => {
                let faces: Option<Vec<Vec<Kink>>> =
                    parts.iter().map(|part| part.faces(diffusion, bounds)).collect();
                faces.map(|faces| faces.concat())
            }
            _ if D == 1 => Some(
                self.crossings(diffusion, bounds[0])
                    .into_iter()
                    .map(|x| plane(0, x))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Ends of the set on a line, found on a fine scan and bisected.
    fn crossings(&self, diffusion: &dyn Diffusion<D>, [lower, upper]: [f64; 2]) -> Vec<f64> {
        const SCAN: usize = 20_000;
        let at = |k: usize| lower + (upper - lower) * (k as f64 / SCAN as f64);
        let inside = |x: f64| self.contains(&Point::<D>::from_element(x), diffusion);
        (0..SCAN)
            .filter(|&k| inside(at(k)) != inside(at(k + 1)))
            .map(|k| {
                let (mut a, mut b) = (at(k), at(k + 1));
                for _ in 0..60 {
                    let middle = 0.5 * (a + b);
                    if inside(middle) == inside(a) {
                        a = middle
                    } else {
                        b = middle
                    }
                }
                0.5 * (a + b)
            })
            .collect()
    }
}
