//! The smoothest curve through given points: a spline of degree five.

use nalgebra::{DMatrix, DVector};

/// The curve of least ∫ f‴(t)² dt through points, with four continuous derivatives; a parabola through three of them.
///
/// # Formula
/// f(t) = a + b t + c t² + Σ_k w_k |t − t_k|⁵ with Σ_k w_k t_k^j = 0 for j < 3. On a circle of circumference T
/// f(t) = t + a + Σ_k w_k B₆((t − t_k)/T mod 1) with Σ_k w_k = 0, B₆ the sixth Bernoulli polynomial.
///
/// # References
/// I. J. Schoenberg, Proc. Natl. Acad. Sci. 52 (1964) 947 (natural splines); G. Wahba, Spline Models for Observational Data, 1990, ch. 2
/// (periodic splines from Bernoulli polynomials).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NaturalQuintic {
    knots: Vec<f64>,
    weights: Vec<f64>,
    polynomial: [f64; 3],
    /// Length by which t is divided.
    scale: f64,
    period: Option<f64>,
}

impl NaturalQuintic {
    /// The curve through `points` with increasing abscissas, from two of them on; none when rounding keeps it from meeting them to 1e-9.
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let (first, last) = (points.first()?.0, points.last()?.0);
        let scale = last - first;
        let n = points.len();
        let terms = n.min(3);
        let mut matrix = DMatrix::zeros(n + terms, n + terms);
        let mut right = DVector::zeros(n + terms);
        for (i, (t, value)) in points.iter().enumerate() {
            for (j, (s, _)) in points.iter().enumerate() {
                matrix[(i, j)] = ((t - s) / scale).abs().powi(5);
            }
            for j in 0..terms {
                let power = (t / scale).powi(j as i32);
                matrix[(i, n + j)] = power;
                matrix[(n + j, i)] = power;
            }
            right[i] = *value;
        }
        let solution = matrix.lu().solve(&right)?;
        let mut polynomial = [0.0; 3];
        polynomial[..terms].copy_from_slice(&solution.as_slice()[n..]);
        let curve = Self {
            knots: points.iter().map(|p| p.0).collect(),
            weights: solution.as_slice()[..n].to_vec(),
            polynomial,
            scale,
            period: None,
        };
        curve.meets(points)
    }

    /// The curve through `points` that grows by `period` in every period; none when rounding keeps it from meeting them to 1e-9.
    pub fn around(points: &[(f64, f64)], period: f64) -> Option<Self> {
        let n = points.len();
        let mut matrix = DMatrix::zeros(n + 1, n + 1);
        let mut right = DVector::zeros(n + 1);
        for (i, (t, value)) in points.iter().enumerate() {
            for (j, (s, _)) in points.iter().enumerate() {
                matrix[(i, j)] = bernoulli((t - s) / period).0;
            }
            matrix[(i, n)] = 1.0;
            matrix[(n, i)] = 1.0;
            right[i] = value - t;
        }
        let solution = matrix.lu().solve(&right)?;
        let curve = Self {
            knots: points.iter().map(|p| p.0).collect(),
            weights: solution.as_slice()[..n].to_vec(),
            polynomial: [solution[n], period, 0.0],
            scale: period,
            period: Some(period),
        };
        curve.meets(points)
    }

    fn meets(self, points: &[(f64, f64)]) -> Option<Self> {
        // distances in cells: far below what a rate could notice
        const NEAR: f64 = 1e-9;
        let near = points
            .iter()
            .all(|(t, value)| (self.at(*t).0 - value).abs() <= NEAR);
        near.then_some(self)
    }

    /// f(`factor` t).
    pub fn stretched(mut self, factor: f64) -> Self {
        self.knots.iter_mut().for_each(|t| *t /= factor);
        self.scale /= factor;
        self.period = self.period.map(|p| p / factor);
        self
    }

    /// f and f′.
    pub fn at(&self, t: f64) -> (f64, f64) {
        let [a, b, c] = self.polynomial;
        let u = t / self.scale;
        let (mut value, mut slope) = (a + u * (b + u * c), b + 2.0 * c * u);
        for (knot, weight) in self.knots.iter().zip(&self.weights) {
            let way = (t - knot) / self.scale;
            let (f, g) = match self.period {
                Some(_) => bernoulli(way),
                None => (way.abs().powi(5), 5.0 * way * way.abs().powi(3)),
            };
            value += weight * f;
            slope += weight * g;
        }
        (value, slope / self.scale)
    }
}

/// B₆ of the fractional part, and its derivative.
fn bernoulli(t: f64) -> (f64, f64) {
    let u = t - t.floor();
    let square = u * u;
    (
        1.0 / 42.0 + square * (-0.5 + square * (2.5 + u * (-3.0 + u))),
        u * (-1.0 + square * (10.0 + u * (-15.0 + 6.0 * u))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derivatives_are_continuous(curve: &NaturalQuintic, knot: f64) {
        // differences of f′ over steps that end at the knot and begin there
        let step = 1e-2;
        let slope = |k: f64| curve.at(knot + k * step).1;
        let second =
            [-1.0, 1.0].map(|s| s * (-3.0 * slope(0.0) + 4.0 * slope(s) - slope(2.0 * s)) / (2.0 * step));
        let third = [-1.0, 1.0].map(|s| {
            (2.0 * slope(0.0) - 5.0 * slope(s) + 4.0 * slope(2.0 * s) - slope(3.0 * s)) / (step * step)
        });
        assert!((second[0] - second[1]).abs() < 1e-4, "{second:?}");
        assert!((third[0] - third[1]).abs() < 1e-2, "{third:?}");
    }

    #[test]
    fn meets_its_points_smoothly() {
        let points = [(0.0, 0.0), (2.3, 2.0), (4.1, 4.0), (9.0, 9.0)];
        let curve = NaturalQuintic::through(&points).unwrap();
        for (t, value) in points {
            assert!((curve.at(t).0 - value).abs() < 1e-11);
        }
        derivatives_are_continuous(&curve, 2.3);
        derivatives_are_continuous(&curve, 4.1);
        // three points: the parabola
        let parabola = NaturalQuintic::through(&[(0.0, 0.0), (1.0, 1.0), (3.0, 9.0)]).unwrap();
        assert!((parabola.at(2.0).0 - 4.0).abs() < 1e-12 && (parabola.at(2.0).1 - 4.0).abs() < 1e-12);
        // two points: the line
        let line = NaturalQuintic::through(&[(0.0, 0.0), (3.0, 6.0)]).unwrap();
        assert!((line.at(1.0).0 - 2.0).abs() < 1e-12);
    }

    #[test]
    fn goes_around_smoothly() {
        let points = [(0.0, 0.0), (2.3, 2.0), (4.1, 4.0)];
        let curve = NaturalQuintic::around(&points, 9.0).unwrap();
        for (t, value) in points {
            assert!(
                (curve.at(t).0 - value).abs() < 1e-11 && (curve.at(t + 9.0).0 - value - 9.0).abs() < 1e-11
            );
        }
        derivatives_are_continuous(&curve, 0.0);
        derivatives_are_continuous(&curve, 2.3);
        let [low, high] = [-1e-6, 1e-6].map(|e| curve.at(3.0 + e).0);
        assert!(((high - low) / 2e-6 - curve.at(3.0).1).abs() < 1e-8);
    }
}
