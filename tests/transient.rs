//! Transient densities: against the exponential of the generator, against an exact Gaussian, and their invariants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::assert_order;
use freezeout::diffusion::Diffusion;
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::math::{Point, Tensor};
use freezeout::observables::{TransientMethod, stationary_probability, transient_density};
use freezeout::region::Boundary;
use nalgebra::{DMatrix, DVector, Matrix2, Vector2};

/// b = −Aθ + pull·(x − x³, 0) with a tensor of its own.
struct Model {
    matrix: [[f64; 2]; 2],
    pull: f64,
    tensor: [f64; 3],
}

impl Diffusion<2> for Model {
    fn drift(&self, t: &Point<2>) -> Point<2> {
        let [a, b] = self.matrix;
        Point::<2>::new(
            -a[0] * t[0] - a[1] * t[1] + self.pull * (t[0] - t[0].powi(3)),
            -b[0] * t[0] - b[1] * t[1],
        )
    }
    fn tensor(&self, _: &Point<2>) -> Tensor<2> {
        let [xx, xy, yy] = self.tensor;
        Tensor::<2>::new(xx, xy, xy, yy)
    }
}

const ROTATING: Model = Model {
    matrix: [[1.0, 0.5], [-0.8, 2.0]],
    pull: 0.0,
    tensor: [0.3, 0.0, 0.2],
};

fn grid(cells: [usize; 2], half_width: f64) -> Grid<2> {
    Grid::new(cells.map(|n| Axis::uniform(-half_width, half_width, n).unwrap()))
}

/// exp(t L*) P by the dense exponential of the generator.
fn exponential<const D: usize>(generator: &Generator<D>, p: &[f64], time: f64) -> Vec<f64> {
    let n = p.len();
    let mut matrix = DMatrix::zeros(n, n);
    for j in 0..n {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        matrix.set_column(j, &DVector::from_vec(generator.apply_adjoint(&unit).unwrap()));
    }
    ((matrix * time).exp() * DVector::from_column_slice(p))
        .as_slice()
        .to_vec()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

/// A broad start and a start from one cell, both inside the domains used below.
fn starts<const D: usize>(generator: &Generator<D>, cell: usize) -> [Vec<f64>; 2] {
    let n = generator.grid().cells();
    let mut broad = vec![0.0; n];
    for &s in generator.states() {
        let x = generator.grid().centre(s);
        broad[s] = (-x.iter().map(|x| (x - 0.3).powi(2)).sum::<f64>() / 0.5).exp();
    }
    let mass: f64 = broad.iter().sum();
    broad.iter_mut().for_each(|p| *p /= mass);
    let mut point = vec![0.0; n];
    point[cell] = 1.0;
    [broad, point]
}

/// The error claimed must cover the true one, and not exceed it by far.
fn check<const D: usize>(generator: &Generator<D>, cell: usize, alternating: bool) {
    for (start, p) in starts(generator, cell).iter().enumerate() {
        let exact = exponential(generator, p, 1.0);
        for tolerance in [1e-3, 1e-5] {
            let result = transient_density(generator, p, 1.0, tolerance).unwrap();
            let error = distance(&result.probability, &exact);
            assert!(result.error <= tolerance);
            // the estimate leaves out higher orders of the step
            assert!(
                error <= 1.3 * result.error + 1e-12,
                "start {start}: true error {error:e}, claimed {:e}",
                result.error
            );
            assert!(result.negative <= result.error);
            assert_eq!(
                alternating,
                matches!(result.method, TransientMethod::AlternatingDirections { .. })
            );
            if !generator.is_absorbing() {
                // some hundred steps of some roundings
                assert!((result.mass - 1.0).abs() < 1e-12, "mass {}", result.mass);
            }
        }
    }
}

#[test]
fn alternating_directions_against_the_exponential() {
    let wells = Model {
        matrix: [[0.0, 0.4], [0.4, 1.5]],
        pull: 1.0,
        tensor: [0.2, 0.0, 0.2],
    };
    check(
        &Generator::assemble(&wells, grid([14, 11], 1.8)).unwrap(),
        60,
        true,
    );
    check(
        &Generator::assemble(&ROTATING, grid([17, 9], 1.8)).unwrap(),
        60,
        true,
    );
}

#[test]
fn absorbing_faces_and_domains_of_any_shape() {
    let grid = grid([13, 12], 1.5);
    let mut open = Discretisation::<2>::default();
    open.boundaries[1] = [Boundary::Absorbing, Boundary::Reflecting];
    check(
        &Generator::assemble_with(&ROTATING, grid.clone(), &open).unwrap(),
        80,
        true,
    );
    let disc = Discretisation {
        domain: Some(CellSet::new("disc", &grid, |x| x.norm() < 1.3).unwrap()),
        domain_boundary: Boundary::Absorbing,
        ..Discretisation::default()
    };
    check(
        &Generator::assemble_with(&ROTATING, grid, &disc).unwrap(),
        80,
        true,
    );
}

#[test]
fn other_generators_take_the_implicit_route() {
    let full = Model {
        tensor: [0.3, 0.1, 0.2],
        ..ROTATING
    };
    check(
        &Generator::assemble(&full, grid([12, 11], 1.8)).unwrap(),
        60,
        false,
    );
    let mut around = Discretisation::<2>::default();
    around.boundaries[0] = [Boundary::Periodic; 2];
    let model = Model {
        matrix: [[0.0, 0.0], [0.0, 1.0]],
        ..ROTATING
    };
    check(
        &Generator::assemble_with(&model, grid([12, 11], 1.8), &around).unwrap(),
        60,
        false,
    );
    let line = Grid::new([Axis::uniform(-3.0, 3.0, 90).unwrap()]);
    check(
        &Generator::assemble(&common::Brownian(0.4), line).unwrap(),
        50,
        false,
    );
}

#[test]
fn the_grid_error_is_of_second_order_against_an_exact_gaussian() {
    let a = Matrix2::new(1.0, 0.5, -0.8, 2.0);
    let d = Matrix2::new(0.3, 0.0, 0.0, 0.2);
    let (mut mean, mut covariance) = (Vector2::new(0.8, -0.5), Matrix2::from_diagonal_element(0.16));
    let (mean0, covariance0) = (mean, covariance);
    // moments by Runge-Kutta of order four: 1e4 steps leave rounding
    let rate = |c: Matrix2<f64>| -a * c - c * a.transpose() + 2.0 * d;
    let steps = 10_000;
    let h = 1.0 / steps as f64;
    for _ in 0..steps {
        let k = [-a * mean, -a * (mean - 0.5 * h * a * mean)];
        let k3 = -a * (mean + 0.5 * h * k[1]);
        mean += h / 6.0 * (k[0] + 2.0 * k[1] + 2.0 * k3 - a * (mean + h * k3));
        let c = [rate(covariance), rate(covariance + 0.5 * h * rate(covariance))];
        let c3 = rate(covariance + 0.5 * h * c[1]);
        covariance += h / 6.0 * (c[0] + 2.0 * c[1] + 2.0 * c3 + rate(covariance + h * c3));
    }
    let errors: Vec<f64> = [30, 60, 120, 240]
        .into_iter()
        .map(|n| {
            let generator = Generator::assemble(&ROTATING, grid([n, n], 4.0)).unwrap();
            let law = |mean: Vector2<f64>, covariance: Matrix2<f64>| -> Vec<f64> {
                let inverse = covariance.try_inverse().unwrap();
                let p: Vec<f64> = (0..n * n)
                    .map(|c| {
                        let x = generator.grid().centre(c) - mean;
                        (-0.5 * (x.transpose() * inverse * x)[0]).exp()
                    })
                    .collect();
                // the trapezoidal rule of a Gaussian is exact to rounding
                let mass: f64 = p.iter().sum();
                p.iter().map(|p| p / mass).collect()
            };
            // a time error far below the grid error of 1e-4
            let result = transient_density(&generator, &law(mean0, covariance0), 1.0, 1e-6).unwrap();
            distance(&result.probability, &law(mean, covariance))
        })
        .collect();
    assert_order(&errors, 2.0);
}

#[test]
fn the_stationary_law_stays() {
    let wells = Model {
        matrix: [[0.0, 0.4], [0.4, 1.5]],
        pull: 1.0,
        tensor: [0.2, 0.0, 0.2],
    };
    let generator = Generator::assemble(&wells, grid([50, 40], 1.8)).unwrap();
    let p = stationary_probability(&generator).unwrap();
    // steps of 12 with rates of 1e2: a splitting that only nearly kept the law would show at once
    let late = transient_density(&generator, &p, 100.0, 1e-8).unwrap();
    assert!(distance(&late.probability, &p) < 1e-10);
    assert_eq!(late.steps, 9);
}

#[test]
fn a_rough_part_that_only_turns_over_is_noticed() {
    // a part of 2e-3 that alternates along one axis only: a long step multiplies it by nearly −1, and any two even
    // numbers of such steps agree; the part is too small for the start to be damped
    let generator = Generator::assemble(&ROTATING, grid([200, 3], 2.5)).unwrap();
    let [mut p, _] = starts(&generator, 0);
    for (cell, p) in p.iter_mut().enumerate() {
        *p *= if (cell / 3) % 2 == 0 { 1.002 } else { 0.998 };
    }
    let mass: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= mass);
    let exact = exponential(&generator, &p, 1.0);
    for tolerance in [1e-3, 1e-4, 1e-5] {
        let result = transient_density(&generator, &p, 1.0, tolerance).unwrap();
        assert_eq!(
            result.method,
            TransientMethod::AlternatingDirections { damped: false }
        );
        let error = distance(&result.probability, &exact);
        // as in `check`
        assert!(error <= 1.3 * result.error, "{error:e} above {:e}", result.error);
    }
}

#[test]
fn a_domain_with_a_gap_is_joined_across_periodic_ends() {
    let model = Model {
        matrix: [[0.0, 0.0], [0.0, 0.0]],
        tensor: [0.3, 0.0, 0.3],
        ..ROTATING
    };
    let grid = grid([12, 5], 1.8);
    let mut around = Discretisation::<2>::default();
    around.boundaries[0] = [Boundary::Periodic; 2];
    around.domain = Some(CellSet::new("without a column", &grid, |x| (x[0] - 0.15).abs() > 0.1).unwrap());
    let generator = Generator::assemble_with(&model, grid, &around).unwrap();
    let mut f = vec![0.0; 60];
    f[11 * 5 + 2] = 1.0;
    let lf = generator.apply(&f).unwrap();
    // D/h² to the neighbours on either side, with h = 0.3
    for column in [10, 0] {
        assert!((lf[column * 5 + 2] - 0.3 / 0.09).abs() < 1e-12);
    }
}

#[test]
fn a_start_from_a_cell_is_damped_and_stays_positive() {
    let generator = Generator::assemble(&ROTATING, grid([60, 60], 2.5)).unwrap();
    let mut p = vec![0.0; 3600];
    p[1830] = 1.0;
    let result = transient_density(&generator, &p, 1.0, 1e-4).unwrap();
    assert_eq!(
        result.method,
        TransientMethod::AlternatingDirections { damped: true }
    );
    assert!(result.negative < 1e-12, "negative {:e}", result.negative);
    let [broad, _] = starts(&generator, 0);
    let result = transient_density(&generator, &broad, 1.0, 1e-4).unwrap();
    assert_eq!(
        result.method,
        TransientMethod::AlternatingDirections { damped: false }
    );
}

#[test]
fn refuses_bad_input() {
    let generator = Generator::assemble(&ROTATING, grid([6, 6], 1.0)).unwrap();
    let p = vec![1.0 / 36.0; 36];
    assert!(transient_density(&generator, &p[1..], 1.0, 1e-3).is_err());
    assert!(transient_density(&generator, &p, 0.0, 1e-3).is_err());
    assert!(transient_density(&generator, &p, f64::NAN, 1e-3).is_err());
    assert!(transient_density(&generator, &p, 1.0, 0.0).is_err());
    let mut negative = p.clone();
    negative[3] = -1.0;
    assert!(transient_density(&generator, &negative, 1.0, 1e-3).is_err());
}
