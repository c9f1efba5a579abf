//! Shared by the test files: comparisons that say what they compared, and problems with exact answers.
#![allow(dead_code)] // each test file uses its own part

#[cfg(feature = "cli")]
pub mod command;
#[cfg(feature = "config")]
pub mod escape;
pub mod planar;

use freezeout::diffusion::Diffusion;
use freezeout::math::{Point, Tensor};

/// Fails unless |left/right − 1| ≤ tolerance. There is no absolute floor: tiny rates are compared like large ones.
#[macro_export]
macro_rules! assert_close {
    ($left:expr, $right:expr, $tolerance:expr $(, $($message:tt)+)?) => {{
        let (left, right, tolerance): (f64, f64, f64) = ($left, $right, $tolerance);
        let error = if left == right { 0.0 } else { ((left - right) / right).abs() };
        assert!(
            error <= tolerance,
            "{} = {left:e}, expected {right:e}: relative error {error:.2e} > {tolerance:.1e} {}",
            stringify!($left),
            { #[allow(unused_mut, unused_assignments)] let mut m = String::new(); $( m = format!($($message)+); )? m }
        );
    }};
}

/// Fails unless every successive ratio of errors shows the order wanted within ±0.1; at least four levels.
pub fn assert_order(errors: &[f64], order: f64) {
    assert!(errors.len() >= 4, "an order needs at least four levels");
    for pair in errors.windows(2) {
        let observed = (pair[0] / pair[1]).abs().log2();
        assert!(
            (observed - order).abs() < 0.1,
            "observed order {observed:.3}, wanted {order}: errors {errors:?}"
        );
    }
}

/// Richardson extrapolation of values on grids h, h/2, h/4 … with errors in even powers of h.
pub fn extrapolate(mut levels: Vec<f64>) -> f64 {
    let mut factor = 4.0;
    while levels.len() > 1 {
        levels = levels
            .windows(2)
            .map(|v| v[1] + (v[1] - v[0]) / (factor - 1.0))
            .collect();
        factor *= 4.0;
    }
    levels[0]
}

/// Unit with which a number printed to `digits` significant digits is known, relative.
pub fn printed(digits: i32) -> f64 {
    // Half a unit of the last digit, relative to a leading digit of 1 at worst.
    0.5 * 10f64.powi(1 - digits)
}

/// Brownian motion with diffusivity D.
pub struct Brownian(pub f64);

impl Diffusion<1> for Brownian {
    fn drift(&self, _theta: &Point<1>) -> Point<1> {
        Point::<1>::zeros()
    }
    fn tensor(&self, _theta: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.0)
    }
}

/// The same diffusion with its kinks undeclared.
pub struct KinksHidden<T>(pub T);

impl<T: Diffusion<1>> Diffusion<1> for KinksHidden<T> {
    fn drift(&self, theta: &Point<1>) -> Point<1> {
        self.0.drift(theta)
    }
    fn tensor(&self, theta: &Point<1>) -> Tensor<1> {
        self.0.tensor(theta)
    }
}
