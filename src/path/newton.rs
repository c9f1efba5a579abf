//! Newton's step of the action for displacements normal to a path.

use super::Path;
use super::segment::Segment;
use crate::diffusion::Diffusion;
use crate::error::Result;
use crate::math::{Point, Tensor};

/// Action, gradient and Hessian of the discretised action on the inner points.
pub(super) struct Quadratic<const D: usize> {
    /// Sum of the pieces.
    pub action: f64,
    /// Sum of their scales.
    pub scale: f64,
    gradient: Vec<Point<D>>,
    diagonal: Vec<Tensor<D>>,
    /// Block that couples an inner point to the next.
    coupling: Vec<Tensor<D>>,
}

/// A displacement of the inner points and what it should gain.
pub(super) struct Step<const D: usize> {
    pub displacement: Vec<Point<D>>,
    /// (1/2) gᵀ H⁻¹ g: the decrease of the quadratic model.
    pub gain: f64,
}

impl<const D: usize> Quadratic<D> {
    /// Model at the path, projected on the normals: tangential displacement is no change of the curve.
    pub fn at(diffusion: &impl Diffusion<D>, path: &Path<D>, step: f64) -> Result<Self> {
        let points = path.points();
        let inner = points.len() - 2;
        let (mut action, mut scale) = (0.0, 0.0);
        let mut gradient = vec![Point::<D>::zeros(); inner];
        let mut diagonal = vec![Tensor::<D>::zeros(); inner];
        let mut coupling = vec![Tensor::<D>::zeros(); inner.saturating_sub(1)];
        for (i, pair) in points.windows(2).enumerate() {
            let segment = Segment::new(diffusion, &pair[0], &pair[1], step)?;
            let [xx, xy, yy] = Segment::hessian(diffusion, &pair[0], &pair[1], step)?;
            action += segment.action;
            scale += segment.scale;
            if i > 0 {
                gradient[i - 1] += segment.gradient[0];
                diagonal[i - 1] += xx;
            }
            if i < inner {
                gradient[i] += segment.gradient[1];
                diagonal[i] += yy;
            }
            if i > 0 && i < inner {
                coupling[i - 1] = xy;
            }
        }
        let tangents = path.tangents();
        let normals: Vec<Tensor<D>> = tangents[1..=inner]
            .iter()
            .map(|t| Tensor::<D>::identity() - t * t.transpose())
            .collect();
        for i in 0..inner {
            gradient[i] = normals[i] * gradient[i];
            diagonal[i] = normals[i] * diagonal[i] * normals[i];
            if i + 1 < inner {
                coupling[i] = normals[i] * coupling[i] * normals[i + 1];
            }
        }
        let stiffness = diagonal
            .iter()
            .map(|d| d.norm())
            .fold(f64::MIN_POSITIVE, f64::max);
        for (block, normal) in diagonal.iter_mut().zip(&normals) {
            // The tangent is decoupled, with any positive stiffness.
            *block += (Tensor::<D>::identity() - normal) * stiffness;
        }
        Ok(Self {
            action,
            scale,
            gradient,
            diagonal,
            coupling,
        })
    }

    /// −(H + μ)⁻¹ g with the smallest μ ≥ 0 of a geometric sequence for which H + μ is positive definite.
    pub fn step(&self) -> Option<Step<D>> {
        let stiffness = self.diagonal.iter().map(|d| d.norm()).fold(0.0, f64::max);
        let shifts = std::iter::once(0.0).chain((-10..=2).map(|power| stiffness * 10f64.powi(power)));
        shifts.into_iter().find_map(|shift| self.shifted_step(shift))
    }

    /// Block Cholesky elimination; `None` when a pivot is not positive definite.
    fn shifted_step(&self, shift: f64) -> Option<Step<D>> {
        let inner = self.gradient.len();
        let mut inverses: Vec<Tensor<D>> = Vec::with_capacity(inner);
        let mut right: Vec<Point<D>> = Vec::with_capacity(inner);
        for i in 0..inner {
            let mut pivot = self.diagonal[i] + Tensor::<D>::identity() * shift;
            let mut rhs = -self.gradient[i];
            if i > 0 {
                let below = self.coupling[i - 1].transpose() * inverses[i - 1];
                pivot -= below * self.coupling[i - 1];
                rhs -= below * right[i - 1];
            }
            let symmetric = (pivot + pivot.transpose()) * 0.5;
            inverses.push(symmetric.cholesky()?.inverse());
            right.push(rhs);
        }
        let mut displacement = vec![Point::<D>::zeros(); inner];
        for i in (0..inner).rev() {
            let mut rhs = right[i];
            if i + 1 < inner {
                rhs -= self.coupling[i] * displacement[i + 1];
            }
            displacement[i] = inverses[i] * rhs;
        }
        let gain = -0.5
            * displacement
                .iter()
                .zip(&self.gradient)
                .map(|(q, g)| q.dot(g))
                .sum::<f64>();
        gain.is_finite().then_some(Step { displacement, gain })
    }
}

impl<const D: usize> Step<D> {
    /// The path with its inner points moved by `fraction` of the step.
    pub fn applied(&self, path: &Path<D>, fraction: f64) -> Result<Path<D>> {
        let mut points = path.points().to_vec();
        for (point, q) in points[1..].iter_mut().zip(&self.displacement) {
            *point += q * fraction;
        }
        Path::new(points)
    }

    /// Largest displacement.
    pub fn reach(&self) -> f64 {
        self.displacement.iter().map(|q| q.norm()).fold(0.0, f64::max)
    }
}
