//! The Mueller-Brown surface, the standard test of rare events in the plane.

use super::Landscape;
use crate::math::{Point, Tensor};

const AMPLITUDE: [f64; 4] = [-200.0, -100.0, -170.0, 15.0];
/// a, b, c of a (x − x₀)² + b (x − x₀)(y − y₀) + c (y − y₀)².
const FORM: [[f64; 3]; 4] = [
    [-1.0, 0.0, -10.0],
    [-1.0, 0.0, -10.0],
    [-6.5, 11.0, -6.5],
    [0.7, 0.6, 0.7],
];
const CENTRE: [[f64; 2]; 4] = [[1.0, 0.0], [0.0, 0.5], [-0.5, 1.5], [-1.0, 1.0]];

/// L = Σ A_k exp(a_k (x − x_k)² + b_k (x − x_k)(y − y_k) + c_k (y − y_k)²) with four terms and the standard constants.
///
/// Three minima, −146.699517, −108.166724 and −80.767818, and two saddles, −40.664844 and −72.248940.
///
/// # References
/// Müller and Brown 1979, Theor. Chim. Acta 53, 75.
///
/// # Examples
/// ```
/// use freezeout::landscape::{MuellerBrown, critical_point};
/// use freezeout::math::Point;
/// let deepest = critical_point(&MuellerBrown, Point::<2>::new(-0.6, 1.4))?;
/// assert!((deepest.loss + 146.699_517).abs() < 1e-6 && deepest.index == 0);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MuellerBrown;

impl MuellerBrown {
    /// Term k with the gradient and Hessian of its exponent.
    fn term(k: usize, theta: &Point<2>) -> (f64, Point<2>, Tensor<2>) {
        let [a, b, c] = FORM[k];
        let (dx, dy) = (theta[0] - CENTRE[k][0], theta[1] - CENTRE[k][1]);
        let value = AMPLITUDE[k] * (a * dx * dx + b * dx * dy + c * dy * dy).exp();
        let slope = Point::<2>::new(2.0 * a * dx + b * dy, b * dx + 2.0 * c * dy);
        (value, slope, Tensor::<2>::new(2.0 * a, b, b, 2.0 * c))
    }
}

impl Landscape<2> for MuellerBrown {
    fn loss(&self, theta: &Point<2>) -> f64 {
        (0..4).map(|k| Self::term(k, theta).0).sum()
    }
    fn gradient(&self, theta: &Point<2>) -> Point<2> {
        (0..4)
            .map(|k| Self::term(k, theta))
            .fold(Point::<2>::zeros(), |sum, (v, slope, _)| sum + slope * v)
    }
    fn hessian(&self, theta: &Point<2>) -> Tensor<2> {
        (0..4)
            .map(|k| Self::term(k, theta))
            .fold(Tensor::<2>::zeros(), |sum, (v, slope, form)| {
                sum + (slope * slope.transpose() + form) * v
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::critical_point;

    #[test]
    fn stationary_points_are_the_known_ones() {
        for (start, loss, index) in [
            ([-0.558, 1.442], -146.699_517, 0),
            ([0.623, 0.028], -108.166_724, 0),
            ([-0.05, 0.467], -80.767_818, 0),
            ([-0.822, 0.624], -40.664_844, 1),
            ([0.212, 0.293], -72.248_940, 1),
        ] {
            let found = critical_point(&MuellerBrown, Point::<2>::new(start[0], start[1])).unwrap();
            // The reference has six decimals.
            assert!(
                (found.loss - loss).abs() < 1e-6 && found.index == index,
                "{found:?}"
            );
        }
    }
}
