//! Sets of points: one definition for grids, paths and ensembles.

use super::basin::Basin;
use super::config::{Escape, EscapeSet};
use super::field::{Drift, in_key};
use super::under;
use super::{point, wrong};
use crate::error::{Error, Result, require_non_negative, require_positive};
use crate::landscape::Kink;
use crate::math::{Formula, Point};

/// A set of points known at run time only.
pub(super) enum PointSet<const D: usize> {
    Ball(Point<D>, f64),
    /// Centre, unit axes divided by their lengths.
    Ellipse(Point<D>, Vec<Point<D>>),
    HalfSpace(Point<D>, f64),
    Box(Point<D>, Point<D>),
    Condition(Formula<D>),
    Sublevel(f64),
    Basin(Basin<D>),
    All(Vec<PointSet<D>>),
}

impl<const D: usize> PointSet<D> {
    pub fn new(
        task: &Escape,
        key: &str,
        set: &EscapeSet,
        drift: &Drift<D>,
        bounds: &[[f64; 2]; D],
    ) -> Result<Self> {
        Ok(match set {
            EscapeSet::Ball { centre, radius } => Self::Ball(
                point(&format!("{key}.centre"), centre)?,
                require_non_negative("radius", *radius).map_err(|e| under(&format!("escape.{key}"), e))?,
            ),
            EscapeSet::Ellipse {
                centre,
                semi_axes,
                angle,
            } => {
                let lengths: Point<D> = point(&format!("{key}.semi_axes"), semi_axes)?;
                for length in lengths.iter() {
                    require_positive("semi_axes", *length).map_err(|e| under(&format!("escape.{key}"), e))?;
                }
                if !angle.is_finite() || (D == 1 && *angle != 0.0) {
                    return Err(wrong(
                        &format!("{key}.angle"),
                        "a finite angle in the plane is needed",
                    ));
                }
                let (sine, cosine) = angle.sin_cos();
                let axes = (0..D)
                    .map(|d| {
                        let mut axis = Point::<D>::zeros();
                        axis[d] = cosine;
                        if D == 2 {
                            axis[1 - d] = if d == 0 { sine } else { -sine };
                        }
                        axis / lengths[d]
                    })
                    .collect();
                Self::Ellipse(point(&format!("{key}.centre"), centre)?, axes)
            }
            EscapeSet::HalfSpace { normal, offset } => {
                let normal: Point<D> = point(&format!("{key}.normal"), normal)?;
                if normal.norm() == 0.0 || !offset.is_finite() {
                    return Err(wrong(
                        key,
                        "a normal other than zero and a finite offset are needed",
                    ));
                }
                Self::HalfSpace(normal, *offset)
            }
            EscapeSet::Box { lower, upper } => {
                let (lower, upper): (Point<D>, Point<D>) = (
                    point(&format!("{key}.lower"), lower)?,
                    point(&format!("{key}.upper"), upper)?,
                );
                if (0..D).any(|d| lower[d] >= upper[d]) {
                    return Err(wrong(key, "each lower bound must be below the upper one"));
                }
                Self::Box(lower, upper)
            }
            EscapeSet::Expression(text) => Self::Condition(
                Formula::parse_condition(text, &super::field::names::<D>(task), &task.parameters)
                    .map_err(|e| in_key(&format!("{key}.expression"), e))?,
            ),
            EscapeSet::Sublevel { below } => {
                if drift.landscape().is_none() || !below.is_finite() {
                    return Err(wrong(key, "a sublevel set needs a loss and a finite value below"));
                }
                Self::Sublevel(*below)
            }
            EscapeSet::Basin { of } => {
                let inside = point(&format!("{key}.of"), of)?;
                Self::Basin(Basin::new(drift, inside, bounds).map_err(|e| in_set(key, e))?)
            }
            EscapeSet::All(parts) => {
                if parts.is_empty() {
                    return Err(wrong(key, "at least one set is needed"));
                }
                let parts = parts.iter().map(|part| Self::new(task, key, part, drift, bounds));
                Self::All(parts.collect::<Result<_>>()?)
            }
        })
    }

    pub fn contains(&self, theta: &Point<D>, drift: &Drift<D>) -> bool {
        match self {
            Self::Basin(basin) => basin.contains(theta, drift),
            Self::All(parts) => parts.iter().all(|part| part.contains(theta, drift)),
            _ => self.level(theta, drift).is_some_and(|(level, _)| level < 0.0),
        }
    }

    /// A function with its gradient that is negative inside and positive outside; none for a basin.
    pub fn level(&self, theta: &Point<D>, drift: &Drift<D>) -> Option<(f64, Point<D>)> {
        let from = |centre: &Point<D>| theta - centre;
        Some(match self {
            Self::Ball(centre, radius) => {
                let way = from(centre);
                let distance = way.norm();
                let outward = if distance > 0.0 {
                    way / distance
                } else {
                    Point::<D>::zeros()
                };
                (distance - radius, outward)
            }
            Self::Ellipse(centre, axes) => {
                let way = from(centre);
                axes.iter()
                    .fold((-1.0, Point::<D>::zeros()), |(level, gradient), axis| {
                        let along = axis.dot(&way);
                        (level + along * along, gradient + axis * (2.0 * along))
                    })
            }
            Self::HalfSpace(normal, offset) => (offset - normal.dot(theta), -normal),
            Self::Box(lower, upper) => {
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
            Self::Condition(formula) => {
                let (value, gradient, _) = formula.derivatives(theta);
                (-value, -gradient)
            }
            Self::Sublevel(below) => {
                let landscape = drift.landscape()?;
                (landscape.loss(theta) - below, landscape.gradient(theta))
            }
            Self::Basin(_) => return None,
            Self::All(parts) => {
                let mut largest = (f64::NEG_INFINITY, Point::<D>::zeros());
                for part in parts {
                    let level = part.level(theta, drift)?;
                    if level.0 > largest.0 {
                        largest = level;
                    }
                }
                largest
            }
        })
    }

    /// Whether [`PointSet::level`] gives a function.
    pub fn has_level(&self) -> bool {
        match self {
            Self::Basin(_) => false,
            Self::All(parts) => parts.iter().all(Self::has_level),
            _ => true,
        }
    }

    /// The point that the set is, if it is one.
    pub fn as_point(&self) -> Option<&Point<D>> {
        match self {
            Self::Ball(centre, radius) if *radius == 0.0 => Some(centre),
            _ => None,
        }
    }

    /// The middle of a ball, an ellipse or a box, the attractor of a basin.
    pub fn centre(&self) -> Option<Point<D>> {
        match self {
            Self::Ball(centre, _) | Self::Ellipse(centre, _) => Some(*centre),
            Self::Box(lower, upper) => Some((lower + upper) * 0.5),
            Self::Basin(basin) => Some(basin.attractor()),
            _ => None,
        }
    }

    /// Planes θ[axis] = position on which the edge lies; none when it lies elsewhere.
    pub fn faces(&self, drift: &Drift<D>, domain: &[[f64; 2]]) -> Option<Vec<Kink>> {
        let plane = |axis, position| Kink { axis, position };
        match self {
            Self::Ball(centre, radius) if *radius == 0.0 => {
                Some((0..D).map(|d| plane(d, centre[d])).collect())
            }
            Self::HalfSpace(normal, offset) => {
                let axis = (0..D).find(|&d| normal[d] != 0.0)?;
                let single = (0..D).all(|d| d == axis || normal[d] == 0.0);
                single.then(|| vec![plane(axis, offset / normal[axis])])
            }
            Self::Box(lower, upper) => Some(
                (0..D)
                    .flat_map(|d| [plane(d, lower[d]), plane(d, upper[d])])
                    .collect(),
            ),
            Self::All(parts) => {
                let faces: Option<Vec<Vec<Kink>>> =
                    parts.iter().map(|part| part.faces(drift, domain)).collect();
                faces.map(|faces| faces.concat())
            }
            _ if D == 1 => Some(
                self.crossings(drift, domain[0])
                    .into_iter()
                    .map(|x| plane(0, x))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// Ends of the set on a line, found on a fine scan and bisected.
    fn crossings(&self, drift: &Drift<D>, [lower, upper]: [f64; 2]) -> Vec<f64> {
        const SCAN: usize = 20_000;
        let at = |k: usize| lower + (upper - lower) * (k as f64 / SCAN as f64);
        let inside = |x: f64| self.contains(&Point::<D>::from_element(x), drift);
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

/// Names the set in an error.
fn in_set(key: &str, error: Error) -> Error {
    match error {
        Error::Config { .. } => error,
        other => wrong(key, other.to_string()),
    }
}
