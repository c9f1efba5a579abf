//! Equilibria of a drift, b(θ) = 0, and how many directions grow there.

use super::Diffusion;
use crate::math::{Point, Tensor};
use nalgebra::{Complex, DMatrix, DVector};

/// A point at which the noise-free motion rests: an attractor, a saddle, a repeller.
///
/// # Examples
/// ```
/// use freezeout::diffusion::{Equilibrium, Sgd};
/// use freezeout::landscape::DoubleWell;
/// use freezeout::math::Point;
/// use freezeout::noise::Isotropic;
/// let sgd = Sgd::with_noise_strength(DoubleWell::new(0.25, 1.0)?, Isotropic::new(1.0)?, 0.1)?;
/// let top = Equilibrium::near(&sgd, Point::<1>::new(0.1), 3.0, 0.3);
/// assert!(top.is_some_and(|top| top.position[0].abs() < 1e-12 && top.growing_directions == 1));
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equilibrium<const D: usize> {
    /// θ with b(θ) = 0.
    pub position: Point<D>,
    /// Number of eigenvalues of ∂b with a positive real part: 0 at an attractor, 1 at a saddle.
    pub growing_directions: usize,
    /// ∂b there.
    pub jacobian: Tensor<D>,
}

impl<const D: usize> Equilibrium<D> {
    /// The equilibrium that Newton's iteration reaches from `start` without going further than `nearby`; none if there is none.
    ///
    /// # Method
    /// Derivatives are central differences with a step of 1e-5 of `size`: each iteration gains about nine digits.
    pub fn near(
        diffusion: &(impl Diffusion<D> + ?Sized),
        start: Point<D>,
        size: f64,
        nearby: f64,
    ) -> Option<Self> {
        const MOST: usize = 50;
        const ARRIVED: f64 = 1e-13;
        let step = Point::<D>::repeat(1e-5 * size);
        let mut position = start;
        for _ in 0..MOST {
            let jacobian = drift_jacobian(diffusion, &position, &step);
            let correction = jacobian.try_inverse()? * diffusion.drift(&position);
            position -= correction;
            // also false when it is not finite
            if !((position - start).norm() <= nearby) {
                return None;
            }
            if correction.norm() <= ARRIVED * size.max(position.norm()) {
                let rates = dynamic(&jacobian).complex_eigenvalues();
                return Some(Self {
                    position,
                    growing_directions: rates.iter().filter(|rate| rate.re > 0.0).count(),
                    jacobian,
                });
            }
        }
        None
    }

    /// Eigenvalues of ∂b: rates at which small distances grow.
    pub fn rates(&self) -> Vec<Complex<f64>> {
        dynamic(&self.jacobian)
            .complex_eigenvalues()
            .iter()
            .copied()
            .collect()
    }

    /// Growth rate λ₊ of a saddle with its direction, of unit length; none without a real growth rate.
    pub fn growth(&self) -> Option<(f64, Point<D>)> {
        let jacobian = dynamic(&self.jacobian);
        let rates = self.rates();
        let rate = rates.iter().max_by(|a, b| a.re.total_cmp(&b.re))?;
        if !(rate.re > 0.0 && rate.im == 0.0) {
            return None;
        }
        // Inverse iteration, shifted off the eigenvalue by a millionth: two steps from any start, the first direction being irregular.
        let shifted = (jacobian - DMatrix::identity(D, D) * (rate.re * (1.0 + 1e-6))).lu();
        let mut direction = DVector::from_fn(D, |d, _| 1.0 / (1.0 + 0.7 * d as f64));
        for _ in 0..3 {
            direction = shifted.solve(&direction)?.normalize();
        }
        Some((rate.re, Point::<D>::from_column_slice(direction.as_slice())))
    }
}

/// ∂b at θ, by central differences over ±`step` along each axis.
pub fn drift_jacobian<const D: usize>(
    diffusion: &(impl Diffusion<D> + ?Sized),
    theta: &Point<D>,
    step: &Point<D>,
) -> Tensor<D> {
    let mut jacobian = Tensor::<D>::zeros();
    for d in 0..D {
        let (mut above, mut below) = (*theta, *theta);
        above[d] += step[d];
        below[d] -= step[d];
        let change = diffusion.drift(&above) - diffusion.drift(&below);
        jacobian.set_column(d, &(change / (2.0 * step[d])));
    }
    jacobian
}

fn dynamic<const D: usize>(matrix: &Tensor<D>) -> DMatrix<f64> {
    DMatrix::from_iterator(D, D, matrix.iter().copied())
}
