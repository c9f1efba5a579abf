//! Quartic stationary points: terms of order five and six along the bottom, and how the other directions change along it.

use super::point_correction::PointCorrection;
use super::smooth_correction::sizes_along;
use crate::landscape::{CriticalPoint, Landscape, Quartic};
use crate::math::{Point, Tensor, even_limit};

/// <u²>, <u⁶>/<u²> and so on under exp(−u⁴).
const SECOND: f64 = 0.337_989_120_030_362_3;
const SIXTH: f64 = 0.75;
const TENTH: f64 = 1.3125;
const EIGHTH: f64 = 0.3125;
const TWELFTH: f64 = 0.703_125;

/// The first correction of ∫ du at a quartic minimum or saddle; see [`super::first_correction`] for the formula. `first` is the first step of the differences.
pub(super) fn quartic_correction<const D: usize>(
    landscape: &impl Landscape<D>,
    point: &CriticalPoint<D>,
    quartic: &Quartic,
    first: f64,
) -> PointCorrection {
    let bottom = Bottom::new(landscape, point, quartic.coefficient);
    let terms = |step: f64| bottom.terms(step, quartic.coefficient.abs());
    let (coefficient, error) = even_limit(first, |step| terms(step).half.iter().sum());
    let (size, _) = even_limit(first, |step| terms(step).half.iter().map(|term| term.abs()).sum());
    let (next, _) = even_limit(first, |step| terms(step).whole);
    // what falls over the saddle goes with one over the integral
    let sign = if point.index == 1 && quartic.coefficient < 0.0 {
        -1.0
    } else {
        1.0
    };
    PointCorrection {
        coefficient: sign * coefficient,
        power: 0.5,
        size,
        error,
        next,
    }
}

/// The bottom v(u) over the flat direction u, where the gradient along all other directions vanishes.
struct Bottom<'a, L, const D: usize> {
    landscape: &'a L,
    position: Point<D>,
    loss: f64,
    flat: Point<D>,
    others: Vec<Point<D>>,
    /// Whether e^{+L/T} is integrated, over the direction in which a saddle falls.
    falls: bool,
    /// ln of what multiplies e^{∓L/T}, at u = 0.
    log_weight: f64,
}

/// The terms of the correction of the integral over the bottom.
struct Terms {
    /// Over T^½.
    half: [f64; 3],
    /// Sizes of those known of the next order, over T.
    whole: f64,
}

impl<'a, L: Landscape<D>, const D: usize> Bottom<'a, L, D> {
    fn new(landscape: &'a L, point: &CriticalPoint<D>, coefficient: f64) -> Self {
        let hessian = landscape.hessian(&point.position);
        let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
        let axis = |k: usize| Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
        let size = |k: &usize| eigen.eigenvalues[*k].abs();
        let flat = (0..D).min_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(0);
        let mut bottom = Self {
            landscape,
            position: point.position,
            loss: point.loss,
            flat: axis(flat),
            others: (0..D).filter(|k| *k != flat).map(axis).collect(),
            falls: coefficient < 0.0,
            log_weight: 0.0,
        };
        bottom.log_weight = bottom.log_weight_at(&point.position);
        bottom
    }

    /// The bottom over u by Newton's iteration.
    fn at(&self, u: f64) -> Point<D> {
        const ROUNDS: usize = 12;
        let mut position = self.position + self.flat * u;
        for _ in 0..if self.others.is_empty() { 0 } else { ROUNDS } {
            let gradient = self.landscape.gradient(&position);
            let along = self.across(|axis| axis.dot(&gradient));
            let Some(step) = self.solve(&self.landscape.hessian(&position), &along) else {
                break;
            };
            let last = position;
            for (axis, length) in self.others.iter().zip(&step) {
                position -= axis * *length;
            }
            if position == last {
                break;
            }
        }
        position
    }

    fn across(&self, of: impl Fn(&Point<D>) -> f64) -> Vec<f64> {
        self.others.iter().map(of).collect()
    }

    /// H_vv.
    fn stiffness(&self, hessian: &Tensor<D>) -> nalgebra::DMatrix<f64> {
        let n = self.others.len();
        nalgebra::DMatrix::from_fn(n, n, |i, j| self.others[i].dot(&(hessian * self.others[j])))
    }

    /// H_vv⁻¹ of a vector; none for a singular matrix.
    fn solve(&self, hessian: &Tensor<D>, right: &[f64]) -> Option<Vec<f64>> {
        let right = nalgebra::DVector::from_column_slice(right);
        let solution = self.stiffness(hessian).lu().solve(&right)?;
        Some(solution.iter().copied().collect())
    }

    /// ln of the Gaussian integral across the bottom, of the growth of the committor and of the square of its slope.
    fn log_weight_at(&self, position: &Point<D>) -> f64 {
        if self.others.is_empty() {
            return 0.0;
        }
        let hessian = self.landscape.hessian(position);
        let eigen = self.stiffness(&hessian).symmetric_eigen();
        let determinant: f64 = eigen.eigenvalues.iter().map(|value| value.abs().ln()).sum();
        let toward = self.across(|axis| -axis.dot(&(hessian * self.flat)));
        let slope = self.solve(&hessian, &toward).unwrap_or_default();
        if self.falls {
            let squares: f64 = slope.iter().map(|slope| slope * slope).sum();
            return 0.5 * determinant + squares.ln_1p();
        }
        let crossing = (0..slope.len()).find(|k| eigen.eigenvalues[*k] < 0.0);
        let growth = crossing.map_or(0.0, |k| {
            let vector = eigen.eigenvectors.column(k);
            let tilt: f64 = vector.iter().zip(&slope).map(|(a, b)| a * b).sum();
            (-eigen.eigenvalues[k]).ln() + (tilt * tilt).ln_1p()
        });
        growth - 0.5 * determinant
    }

    /// Sizes of the terms of order T along the other directions.
    fn across_sizes(&self, step: f64) -> f64 {
        let hessian = self.landscape.hessian(&self.position);
        let of = |axis: &Point<D>| {
            let axis = axis / axis.dot(&(hessian * axis)).abs().sqrt();
            sizes_along(self.landscape, &self.position, &axis, 0.5 * step / axis.norm())[0]
        };
        self.others.iter().map(of).sum()
    }

    /// With differences of this step, errors even in it; `size` is |c|.
    fn terms(&self, step: f64, size: f64) -> Terms {
        // where the loss falls, e^{+L/T} has the shape that e^{−L/T} has elsewhere
        let sign = if self.falls { -1.0 } else { 1.0 };
        let at = |u: f64| {
            let bottom = self.at(u);
            let loss = sign * (self.landscape.loss(&bottom) - self.loss);
            (loss, self.log_weight_at(&bottom) - self.log_weight)
        };
        let even = |h: f64| 0.5 * (at(h).0 + at(-h).0) / h.powi(4);
        let ((ahead, weight_ahead), (behind, weight_behind)) = (at(step), at(-step));
        let fifth = 0.5 * (ahead - behind) / step.powi(5);
        let (linear, square) = (
            0.5 * (weight_ahead - weight_behind) / step,
            0.5 * (weight_ahead + weight_behind) / (step * step),
        );
        // even(h) = c + e h² + f h⁴
        let [one, half, quarter] = [1.0, 0.5, 0.25].map(|part| even(part * step));
        let sixth = (one - half) / (0.75 * step * step);
        let sixth_of_half = (half - quarter) / (0.1875 * step * step);
        let eighth = (sixth - sixth_of_half) / (0.9375 * step * step);
        let root = size.sqrt();
        let odd = TENTH * (fifth / size).powi(2) / root - 2.0 * SIXTH * linear * fifth / (size * root)
            + linear * linear / root;
        Terms {
            half: [
                0.5 * SECOND * odd,
                -SECOND * SIXTH * sixth / (size * root),
                SECOND * square / root,
            ],
            whole: self.across_sizes(step)
                + EIGHTH * eighth.abs() / (size * size)
                + 0.5 * TWELFTH * sixth * sixth / size.powi(3),
        }
    }
}
