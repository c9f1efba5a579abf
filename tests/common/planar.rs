//! Planar diffusions given by closures, and tensors and grids to try them on.

use freezeout::diffusion::Diffusion;
use freezeout::generator::Discretisation;
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::Kink;
use freezeout::math::{Point, Tensor};

/// A diffusion given by two closures.
pub struct Given<B, T> {
    pub drift: B,
    pub tensor: T,
    pub kinks: Vec<Kink>,
}

impl<B, T> Diffusion<2> for Given<B, T>
where
    B: Fn(&Point<2>) -> Point<2> + Sync,
    T: Fn(&Point<2>) -> Tensor<2> + Sync,
{
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        (self.drift)(theta)
    }
    fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
        (self.tensor)(theta)
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks.clone()
    }
}

pub fn given<B, T>(drift: B, tensor: T) -> Given<B, T>
where
    B: Fn(&Point<2>) -> Point<2> + Sync,
    T: Fn(&Point<2>) -> Tensor<2> + Sync,
{
    Given {
        drift,
        tensor,
        kinks: Vec::new(),
    }
}

pub fn square(lower: f64, upper: f64, cells: usize) -> Grid<2> {
    let axis = Axis::uniform(lower, upper, cells).unwrap();
    Grid::new([axis.clone(), axis])
}

/// Tensor with eigenvalue `large` at `angle` to the first axis and `small` across.
pub fn along(angle: f64, large: f64, small: f64) -> Tensor<2> {
    let (s, c) = angle.sin_cos();
    let cross = (large - small) * s * c;
    Tensor::<2>::new(
        large * c * c + small * s * s,
        cross,
        cross,
        large * s * s + small * c * c,
    )
}

/// Eigenvalues 1 + x²/2 and 1/anisotropy, the directions turning with the place.
pub fn turning(t: &Point<2>, anisotropy: f64) -> Tensor<2> {
    along(
        0.5 + 0.25 * (t[0] + 0.5 * t[1]),
        1.0 + 0.5 * t[0] * t[0],
        1.0 / anisotropy,
    )
}

pub fn with_reach(reach: usize) -> Discretisation<2> {
    Discretisation {
        reach,
        ..Discretisation::default()
    }
}

pub fn orders(errors: &[f64]) -> Vec<f64> {
    errors.windows(2).map(|e| (e[0] / e[1]).log2()).collect()
}
