//! Reactive trajectories against published rates and against what must hold for any process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::diffusion::Diffusion;
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{Landscape, MuellerBrown};
use freezeout::math::{Point, Tensor};
use freezeout::observables::{reactive_flux, stationary_probability};

/// dθ = −∇V dt + sqrt(2T) dW.
struct Overdamped(f64);

impl Diffusion<2> for Overdamped {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        -MuellerBrown.gradient(theta)
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        Tensor::<2>::identity() * self.0
    }
}

fn disc(grid: &Grid<2>, name: &str, x: f64, y: f64, radius: f64) -> CellSet {
    CellSet::new(name, grid, |p| (p - Point::<2>::new(x, y)).norm() < radius).unwrap()
}

/// Mueller-Brown at inverse temperature 0.1: finite volumes give 4.914e-3 (h = 0.005) and P(reactive) 2.354e-4, finite elements 4.9265e-3.
#[test]
fn the_mueller_brown_rate() {
    let axes = [
        Axis::uniform(-1.8, 1.4, 640).unwrap(),
        Axis::uniform(-0.7, 2.3, 600).unwrap(),
    ];
    let grid = Grid::new(axes);
    let discretisation = Discretisation {
        domain: Some(CellSet::new("V < 250", &grid, |p| MuellerBrown.loss(p) < 250.0).unwrap()),
        ..Discretisation::default()
    };
    let (a, b) = (
        disc(&grid, "a", -0.558, 1.441, 0.1),
        disc(&grid, "b", 0.623, 0.028, 0.1),
    );
    let generator = Generator::assemble_with(&Overdamped(10.0), grid, &discretisation).unwrap();
    let flux = reactive_flux(&generator, &a, &b).unwrap();
    println!("{:e} {:e} {}", flux.rate, flux.probability, flux.from_a);
    // the last digit given
    assert!((flux.rate / 4.914e-3 - 1.0).abs() < 1e-3, "{:e}", flux.rate);
    assert!(
        (flux.probability / 2.354e-4 - 1.0).abs() < 1e-3,
        "{:e}",
        flux.probability
    );
    // detailed balance: q⁻ = 1 − q⁺
    let p = stationary_probability(&generator).unwrap();
    for (i, p) in p.iter().enumerate().filter(|(_, p)| **p > 1e-12) {
        let sum = flux.forward_committor[i] + flux.backward_committor[i];
        assert!((sum - 1.0).abs() < 1e-8, "{i} {p:e} {sum}");
    }
}

/// b = (u − u³ − βuv², −(1 + u²)v), D = diagonal or full.
struct MaierStein {
    beta: f64,
    tensor: Tensor<2>,
}

impl Diffusion<2> for MaierStein {
    fn drift(&self, p: &Point<2>) -> Point<2> {
        let (u, v) = (p[0], p[1]);
        Point::<2>::new(u - u.powi(3) - self.beta * u * v * v, -(1.0 + u * u) * v)
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        self.tensor
    }
}

#[test]
fn without_detailed_balance_both_directions_carry_the_same_rate() {
    for tensor in [
        Tensor::<2>::identity() * 0.05,
        Tensor::<2>::new(0.06, 0.02, 0.02, 0.05),
    ] {
        let grid = Grid::new([
            Axis::uniform(-2.0, 2.0, 160).unwrap(),
            Axis::uniform(-1.2, 1.2, 96).unwrap(),
        ]);
        let a = CellSet::new("a", &grid, |p| p[0] < -0.7).unwrap();
        let b = CellSet::new("b", &grid, |p| p[0] > 0.5).unwrap();
        let generator = Generator::assemble(&MaierStein { beta: 10.0, tensor }, grid).unwrap();
        let (there, back) = (
            reactive_flux(&generator, &a, &b).unwrap(),
            reactive_flux(&generator, &b, &a).unwrap(),
        );
        // Every transition is followed by one back: exact in the discrete process too, when nothing jumps over a set.
        assert!(
            (there.rate / back.rate - 1.0).abs() < 1e-9,
            "{:e} {:e}",
            there.rate,
            back.rate
        );
        assert!((there.from_a + back.from_a - 1.0).abs() < 1e-9);
        // q⁻ is not 1 − q⁺ here
        let p = stationary_probability(&generator).unwrap();
        let odd: f64 = p
            .iter()
            .zip(&there.forward_committor)
            .zip(&there.backward_committor)
            .map(|((p, q), b)| p * (q + b - 1.0).abs())
            .sum();
        assert!(odd > 1e-4, "{odd:e}");
        // The flux of the reactive current through any line between the sets is the rate.
        let axes = generator.grid().axes();
        let column = axes[0].centres().partition_point(|&x| x < -0.1);
        let through: f64 = (0..axes[1].cells())
            .map(|j| there.current[column * axes[1].cells() + j][0] * axes[1].width(j))
            .sum();
        assert!(
            (through / there.rate - 1.0).abs() < 1e-2,
            "{through:e} {:e}",
            there.rate
        );
    }
}

#[test]
fn touching_sets_are_refused() {
    let grid = Grid::new([
        Axis::uniform(-2.0, 2.0, 40).unwrap(),
        Axis::uniform(-1.0, 1.0, 20).unwrap(),
    ]);
    let a = CellSet::new("a", &grid, |p| p[0] < 0.0).unwrap();
    let b = CellSet::new("b", &grid, |p| p[0] > 0.0).unwrap();
    let tensor = Tensor::<2>::identity() * 0.05;
    let generator = Generator::assemble(&MaierStein { beta: 1.0, tensor }, grid).unwrap();
    assert!(
        reactive_flux(&generator, &a, &b)
            .unwrap_err()
            .to_string()
            .contains("touch")
    );
}
