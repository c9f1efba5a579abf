//! Smooth stationary points: third and fourth derivatives of the loss in the second order of Laplace's method.

use crate::landscape::Landscape;
use crate::math::{Point, Tensor};

/// A stationary point in coordinates in which D = T·I and the curvatures are ±1.
pub(super) struct Frame<const D: usize> {
    position: Point<D>,
    /// M^½ v_i/|λ_i|^½.
    axes: Vec<Point<D>>,
    /// λ_i.
    curvatures: Vec<f64>,
}

impl<const D: usize> Frame<D> {
    /// With M^½ = `root`.
    pub(super) fn new(landscape: &impl Landscape<D>, position: &Point<D>, root: &Tensor<D>) -> Self {
        let hessian = root * landscape.hessian(position) * root;
        let eigen = nalgebra::DMatrix::from_iterator(D, D, hessian.iter().copied()).symmetric_eigen();
        let axis = |k: usize| {
            let vector = Point::<D>::from_iterator(eigen.eigenvectors.column(k).iter().copied());
            root * vector / eigen.eigenvalues[k].abs().sqrt()
        };
        Self {
            position: *position,
            axes: (0..D).map(axis).collect(),
            curvatures: eigen.eigenvalues.iter().copied().collect(),
        }
    }

    /// Length of the longest axis.
    pub(super) fn longest(&self) -> f64 {
        self.axes.iter().map(|axis| axis.norm()).fold(0.0, f64::max)
    }

    /// Number of the direction with the negative curvature, if there is one.
    fn crossed(&self) -> Option<usize> {
        self.curvatures.iter().position(|value| *value < 0.0)
    }

    /// The axis over which a saddle is crossed; none at a minimum.
    pub(super) fn crossing(&self) -> Option<Point<D>> {
        self.crossed().map(|k| self.axes[k])
    }

    /// Sizes of the terms of order T² along each axis, with differences of this step.
    pub(super) fn next(&self, landscape: &impl Landscape<D>, step: f64) -> f64 {
        let of = |axis| sizes_along(landscape, &self.position, axis, step)[1];
        self.axes.iter().map(of).sum()
    }

    /// c_a or c_s with differences of this step for the third and fourth derivatives, an error even in the step.
    pub(super) fn coefficient(&self, landscape: &impl Landscape<D>, step: f64) -> f64 {
        let along = |k: usize, sign: f64| landscape.hessian(&(self.position + self.axes[k] * (sign * step)));
        let middle = landscape.hessian(&self.position);
        let entry = |matrix: &Tensor<D>, i: usize, j: usize| self.axes[i].dot(&(matrix * self.axes[j]));
        let (mut cubic, mut quartic) = (vec![Tensor::<D>::zeros(); D], 0.0);
        for k in 0..D {
            let (ahead, behind) = (along(k, 1.0), along(k, -1.0));
            let first = (ahead - behind) / (2.0 * step);
            let second = (ahead + behind - middle * 2.0) / (step * step);
            cubic[k] = Tensor::<D>::from_fn(|i, j| entry(&first, i, j));
            quartic += (0..D).map(|i| entry(&second, i, i)).sum::<f64>();
        }
        let traces: f64 = cubic.iter().map(|t| t.trace().powi(2)).sum();
        let squares: f64 = cubic.iter().map(|t| t.norm_squared()).sum();
        let gaussian = traces / 8.0 + squares / 12.0 - quartic / 8.0;
        let Some(unstable) = self.crossed() else {
            return gaussian;
        };
        let size = |k: usize| self.curvatures[k].abs();
        let pairs = (0..D).flat_map(|j| (0..D).map(move |k| (j, k)));
        let bent: f64 = pairs
            .map(|(j, k)| {
                let share = size(unstable) / (size(unstable) + size(j) + size(k));
                cubic[unstable][(j, k)].powi(2) * share
            })
            .sum();
        gaussian - cubic[unstable].trace().powi(2) / 4.0 - bent / 2.0
    }
}

/// Sizes of the terms of order T and T² that third to sixth derivatives along an axis of curvature ±1 give to ∫ exp(∓L/T), with differences of this step.
///
/// # Formula
/// 5t_3²/24 and |t_4|/8; |t_6|/48, 35 t_4²/384, 7|t_3 t_5|/48, 35 t_3²|t_4|/64 and 385 t_3⁴/1152.
pub(super) fn sizes_along<const D: usize>(
    landscape: &impl Landscape<D>,
    position: &Point<D>,
    axis: &Point<D>,
    step: f64,
) -> [f64; 2] {
    let at = |steps: f64| axis.dot(&(landscape.hessian(&(position + axis * (steps * step))) * axis));
    let [far_behind, behind, middle, ahead, far_ahead] = [-2.0, -1.0, 0.0, 1.0, 2.0].map(at);
    let third = (ahead - behind) / (2.0 * step);
    let fourth = (ahead + behind - 2.0 * middle) / step.powi(2);
    let fifth = (far_ahead - 2.0 * ahead + 2.0 * behind - far_behind) / (2.0 * step.powi(3));
    let sixth = (far_ahead - 4.0 * ahead + 6.0 * middle - 4.0 * behind + far_behind) / step.powi(4);
    [
        5.0 * third * third / 24.0 + fourth.abs() / 8.0,
        sixth.abs() / 48.0
            + 35.0 * fourth * fourth / 384.0
            + 7.0 * (third * fifth).abs() / 48.0
            + 35.0 * third * third * fourth.abs() / 64.0
            + 385.0 * third.powi(4) / 1152.0,
    ]
}
