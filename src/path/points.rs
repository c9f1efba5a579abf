//! A curve given by points.

use crate::error::{Error, Result, require};
use crate::landscape::Kink;
use crate::math::Point;

/// Points of a curve in order, neighbours distinct.
///
/// # Examples
/// ```
/// use freezeout::math::Point;
/// use freezeout::path::Path;
/// let path = Path::bent(Point::<2>::new(-1.0, 0.0), Point::<2>::new(1.0, 0.0), Point::<2>::new(0.0, 0.5), 200)?;
/// // Arc of a parabola, y = (1 − x²)/2: sqrt(2) + arsinh(1).
/// assert!((path.length() - (2f64.sqrt() + 1f64.asinh())).abs() < 1e-4);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Path<const D: usize> {
    points: Vec<Point<D>>,
}

impl<const D: usize> Path<D> {
    /// Curve through the given points.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] below two points, [`Error::NotFinite`] for a coordinate that is not finite,
    /// [`Error::InvalidParameter`] for two equal neighbours.
    pub fn new(points: Vec<Point<D>>) -> Result<Self> {
        if points.len() < 2 {
            return Err(Error::TooFewSamples {
                estimator: "a path (points)".into(),
                needed: 2,
                got: points.len(),
            });
        }
        if let Some(i) = points.iter().position(|p| !p.iter().all(|v| v.is_finite())) {
            return Err(Error::NotFinite {
                quantity: "path".into(),
                reason: format!("point {i} is {:?}", points[i].as_slice()),
            });
        }
        for (i, pair) in points.windows(2).enumerate() {
            let name = format!("distance of the points {i} and {} of the path", i + 1);
            require(
                &name,
                (pair[1] - pair[0]).norm(),
                |d| d > 0.0,
                "neighbours must differ",
            )?;
        }
        Ok(Self { points })
    }

    /// Straight line with `intervals` equal pieces.
    ///
    /// # Errors
    /// Those of [`Path::new`].
    pub fn straight(start: Point<D>, end: Point<D>, intervals: usize) -> Result<Self> {
        Self::bent(start, end, Point::zeros(), intervals)
    }

    /// Parabola from `start` to `end` whose middle is displaced by `offset`: the straight line plus 4 s (1 − s) offset.
    ///
    /// # Errors
    /// Those of [`Path::new`].
    pub fn bent(start: Point<D>, end: Point<D>, offset: Point<D>, intervals: usize) -> Result<Self> {
        let at = |i: usize| {
            let s = i as f64 / intervals as f64;
            // Both ends exactly, also in rounding.
            start * (1.0 - s) + end * s + offset * (4.0 * s * (1.0 - s))
        };
        Self::new((0..=intervals).map(at).collect())
    }

    /// The points.
    pub fn points(&self) -> &[Point<D>] {
        &self.points
    }

    /// First point.
    pub fn start(&self) -> Point<D> {
        self.points[0]
    }

    /// Last point.
    pub fn end(&self) -> Point<D> {
        self.points[self.points.len() - 1]
    }

    /// Length of the polygon up to each point, in the unit of θ.
    pub fn arclengths(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let mut arclengths = vec![0.0];
        arclengths.extend(self.points.windows(2).map(|pair| {
            sum += (pair[1] - pair[0]).norm();
            sum
        }));
        arclengths
    }

    /// Length of the polygon.
    pub fn length(&self) -> f64 {
        self.points
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).norm())
            .sum()
    }

    /// Unit tangents: along the chord between the neighbours, one-sided at the ends.
    pub fn tangents(&self) -> Vec<Point<D>> {
        let last = self.points.len() - 1;
        (0..=last)
            .map(|i| {
                let chord = self.points[(i + 1).min(last)] - self.points[i.saturating_sub(1)];
                // Zero only where the path turns back on itself.
                let norm = chord.norm();
                if norm > 0.0 { chord / norm } else { chord }
            })
            .collect()
    }

    /// The same curve through `intervals + 1` points at equal distances.
    ///
    /// # Method
    /// Cubic interpolation in the arclength of the polygon through the four nearest points, O(h⁴) from a smooth curve, repeated until
    /// all distances agree to 1e-9 or twenty times. Ends are kept; points at equal distances already are returned as they are.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for no interval; those of [`Path::new`], when the path turns back on itself.
    pub fn resampled(&self, intervals: usize) -> Result<Self> {
        self.graded(intervals, None)
    }

    /// The same at equal distances of ln(1 + s/core), s the arclength: pieces that grow in proportion to the way from the start, where that is beyond `core`.
    pub(super) fn graded(&self, intervals: usize, core: Option<f64>) -> Result<Self> {
        let place = |s: f64| core.map_or(s, |core| (s / core).ln_1p());
        let arclength = |u: f64| core.map_or(u, |core| core * u.exp_m1());
        const UNEQUAL: f64 = 1e-9;
        const SWEEPS: usize = 20;
        require(
            "intervals",
            intervals as f64,
            |n| n >= 1.0,
            "at least one is needed",
        )?;
        let mut path = self.clone();
        for _ in 0..SWEEPS {
            let arclengths = path.arclengths();
            let mean = place(arclengths[arclengths.len() - 1]) / intervals as f64;
            let unequal = arclengths
                .windows(2)
                .map(|pair| ((place(pair[1]) - place(pair[0])) / mean - 1.0).abs())
                .fold(0.0, f64::max);
            if path.points.len() == intervals + 1 && unequal <= UNEQUAL {
                break;
            }
            path = Self::new(
                (0..=intervals)
                    .map(|i| match i {
                        0 => path.start(),
                        i if i == intervals => path.end(),
                        i => path.interpolated(&arclengths, arclength(mean * i as f64)),
                    })
                    .collect(),
            )?;
        }
        Ok(path)
    }

    /// Lagrange interpolation at arclength `s` through the (at most four) nearest points.
    fn interpolated(&self, arclengths: &[f64], s: f64) -> Point<D> {
        let nodes = self.points.len().min(4);
        let piece = arclengths.partition_point(|a| *a <= s).max(1) - 1;
        let first = piece.saturating_sub(1).min(self.points.len() - nodes);
        let stencil = first..first + nodes;
        stencil.clone().fold(Point::zeros(), |sum, j| {
            let weight: f64 = stencil
                .clone()
                .filter(|k| *k != j)
                .map(|k| (s - arclengths[k]) / (arclengths[j] - arclengths[k]))
                .product();
            sum + self.points[j] * weight
        })
    }

    /// Refuses a path that crosses one of the surfaces; ending on one is allowed.
    pub(super) fn require_uncrossed(&self, kinks: &[Kink]) -> Result<()> {
        for kink in kinks {
            let side = |sign: f64| {
                self.points
                    .iter()
                    .any(|p| sign * (p[kink.axis] - kink.position) > 0.0)
            };
            if side(1.0) && side(-1.0) {
                return Err(Error::Inconsistent {
                    subject: format!("path across the kink at {} of axis {}", kink.position, kink.axis),
                    requirement: "drift and tensor must be smooth along a path: end it on the kink".into(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resampling_a_circle_is_of_fourth_order() {
        let radius_error = |n: usize| {
            // Unequal angles on the quarter circle.
            let points = (0..=n)
                .map(|i| {
                    let s = i as f64 / n as f64;
                    let angle = std::f64::consts::FRAC_PI_2 * s * (0.5 + 0.5 * s);
                    Point::<2>::new(angle.cos(), angle.sin())
                })
                .collect();
            let path = Path::new(points).unwrap().resampled(n).unwrap();
            let arc = path.arclengths();
            let mean = path.length() / n as f64;
            assert!(arc.windows(2).all(|a| ((a[1] - a[0]) / mean - 1.0).abs() < 1e-9));
            path.points()
                .iter()
                .map(|p| (p.norm() - 1.0).abs())
                .fold(0.0, f64::max)
        };
        let errors = [20, 40, 80, 160].map(radius_error);
        for pair in errors.windows(2) {
            // The worst point moves among the pieces: orders scatter around four.
            assert!((pair[0] / pair[1]).log2() > 3.6, "{errors:?}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        let p = Point::<2>::new(0.0, 1.0);
        assert!(Path::new(vec![p]).is_err());
        assert!(Path::new(vec![p, p]).is_err());
        assert!(Path::new(vec![p, Point::<2>::new(f64::NAN, 0.0)]).is_err());
        assert!(Path::straight(p, -p, 4).unwrap().resampled(0).is_err());
    }
}
