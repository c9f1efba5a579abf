//! SGD itself as an ensemble, and the stationary laws of linear problems, against matrix equations.
//!
//! Seeds are fixed, and each statistical test has a negative control that must fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod paths;

use freezeout::diffusion::Sgd;
use freezeout::ensemble::*;
use freezeout::landscape::Quadratic;
use freezeout::math::{Point, Tensor};
use freezeout::noise::{GradientNoise, Isotropic};
use freezeout::region::{Domain, PointSet};
use freezeout::statistics::mean;
use paths::*;

// ---------------------------------------------------------------- stationary laws

/// B = [[1, −.7], [.4, 2]] and a full tensor.
const MATRIX: [f64; 4] = [1.0, -0.7, 0.4, 2.0];
const TENSOR: [f64; 3] = [0.3, 0.1, 0.2];

/// S with B S + S Bᵀ − h B S Bᵀ = 2 D: stationary covariance of Euler-Maruyama, and for h = 0 of the process.
fn covariance(b: Tensor<2>, d: Tensor<2>, h: f64) -> Tensor<2> {
    let image = |s: &Tensor<2>| b * s + s * b.transpose() - b * s * b.transpose() * h;
    let units = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let entries = |s: &Tensor<2>| [s[(0, 0)], s[(0, 1)], s[(1, 1)]];
    let mut system = nalgebra::Matrix3::zeros();
    for (column, [xx, xy, yy]) in units.into_iter().enumerate() {
        let values = entries(&image(&Tensor::<2>::new(xx, xy, xy, yy)));
        (0..3).for_each(|row| system[(row, column)] = values[row]);
    }
    let right = nalgebra::Vector3::from(entries(&(d * 2.0)));
    let s = system.lu().solve(&right).unwrap();
    Tensor::<2>::new(s[0], s[1], s[1], s[2])
}

fn misfits(points: &[[f64; 2]], s: &Tensor<2>, bias: f64) -> f64 {
    let of = |i: usize, j: usize| misfit(moment(points, |p| p[i] * p[j]), s[(i, j)], bias);
    of(0, 0).max(of(0, 1)).max(of(1, 1))
}

#[test]
fn rotated_ornstein_uhlenbeck_has_the_covariance_of_its_equation() {
    let [b11, b12, b21, b22] = MATRIX;
    let b = Tensor::<2>::new(b11, b12, b21, b22);
    let [xx, xy, yy] = TENSOR;
    let d = Tensor::<2>::new(xx, xy, xy, yy);
    let ou = |d: Tensor<2>| Functions(move |p: &Point<2>| -b * p, move |_: &Point<2>| d);
    let exact = covariance(b, d, 0.0);
    let h = 0.02;
    // Of the covariance of the scheme, known in closed form; it differs from the process by 2 to 4 %.
    let bias = (covariance(b, d, h) - exact).amax();
    let run = |d, h: f64, name| {
        let runs = protocol([0.0, 0.0], 40_000, h, name);
        // Eigenvalues 1.5 ± .17: after 6 relaxation times e^{-12} is left.
        ends(&ou(d), &Domain::unbounded(), (6.0 / h) as u64, &runs)
    };
    assert!(misfits(&run(d, h, "ou"), &exact, bias) < 1.0);
    // Negative controls: the off-diagonal noise left out, a step too long.
    assert!(misfits(&run(Tensor::<2>::new(xx, 0.0, 0.0, yy), h, "ou"), &exact, bias) > 1.0);
    assert!(misfits(&run(d, 0.3, "ou"), &exact, bias) > 1.0);
}

/// A constant full covariance of the gradient noise.
struct Constant(Tensor<2>);

impl GradientNoise<2> for Constant {
    fn covariance(&self, _theta: &Point<2>) -> Tensor<2> {
        self.0
    }
}

/// SGD at a learning rate near one: S H + H S − η H S H = η C/B, without any bias.
#[test]
fn discrete_sgd_on_a_quadratic_is_exact() {
    let hessian = Tensor::<2>::new(1.2, 0.5, 0.5, 0.7);
    let noise = Tensor::<2>::new(0.5, -0.3, -0.3, 0.4);
    let (learning_rate, batch) = (0.9, 4.0);
    let bowl = Quadratic::new(hessian, Point::<2>::new(1.0, -2.0)).unwrap();
    let sgd = Sgd::new(bowl, Constant(noise), learning_rate, batch).unwrap();
    let runs = protocol([1.0, -2.0], 60_000, learning_rate, "sgd");
    let points: Vec<[f64; 2]> = ends(&sgd, &Domain::unbounded(), 100, &runs)
        .iter()
        .map(|[x, y]| [x - 1.0, y + 2.0])
        .collect();
    // (η C/B)/2 takes the place of D; the smallest eigenvalue .39 of H leaves (1 − .35)^200 of the start.
    let exact = covariance(hessian, noise * (0.5 * learning_rate / batch), learning_rate);
    assert!(misfits(&points, &exact, 0.0) < 1.0);
    // Negative control: the diffusion limit.
    let limit = covariance(hessian, noise * (0.5 * learning_rate / batch), 0.0);
    assert!(misfits(&points, &limit, 0.0) > 1.0);

    // One dimension: η C/(h (2 − η h))/B.
    let (h, c) = (1.3, 0.6);
    let bowl = Quadratic::new(Tensor::<1>::new(h), Point::<1>::zeros()).unwrap();
    let sgd = Sgd::new(bowl, Isotropic::new(c).unwrap(), learning_rate, batch).unwrap();
    let points = ends(
        &sgd,
        &Domain::unbounded(),
        60,
        &protocol([0.0], 60_000, learning_rate, "sgd"),
    );
    let exact = learning_rate * c / (h * (2.0 - learning_rate * h)) / batch;
    let variance = moment(&points, |[x]| x * x);
    assert!(misfit(variance, exact, 0.0) < 1.0);
    assert!(misfit(variance, 0.5 * learning_rate * c / h / batch, 0.0) > 1.0);
}

/// First passage of the SGD map: the number of steps until it ends beyond the edge, against a plain loop.
#[test]
fn passage_of_discrete_sgd_is_told_at_the_ends_of_steps() {
    let learning_rate = 0.5;
    let sgd = Sgd::new(
        Quadratic::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap(),
        Isotropic::new(1.0).unwrap(),
        learning_rate,
        1.0,
    )
    .unwrap();
    let runs = protocol([0.0], 30_000, learning_rate, "edge");
    let edge = beyond(1.0);
    let level = first_passage_into(&sgd, &Domain::unbounded(), Some(&edge), END, &runs, &|_| ()).unwrap();
    let member = PointSet::of_members(|x: &Point<1>| x[0] >= 1.0);
    let members = first_passage_into(&sgd, &Domain::unbounded(), Some(&member), END, &runs, &|_| ()).unwrap();
    // Both kinds of target are the same definition, run by run; times are whole steps.
    assert_eq!(level, members);
    assert!(
        level
            .outcomes
            .iter()
            .all(|o| (o.time() / learning_rate).fract() == 0.0)
    );
    let mut steps = Vec::new();
    for run in 0..30_000_u64 {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(run);
        let (mut x, mut k) = (0.0, 0_u32);
        while x < 1.0 {
            let xi: f64 = random.sample(rand_distr::StandardNormal);
            x -= learning_rate * (x + xi);
            k += 1;
        }
        steps.push(learning_rate * f64::from(k));
    }
    let reference = mean(&steps).unwrap();
    let difference = |passages: &Passages| {
        let difference = passages.mean_time(1e-3).unwrap().minus(&reference);
        misfit(difference, 0.0, 0.0)
    };
    assert!(difference(&level) < 1.0);
    // Negative control: the bridge, which SGD does not have.
    let bridge = first_passage_into(&sgd, &Domain::unbounded(), Some(&edge), BRIDGE, &runs, &|_| ());
    assert!(difference(&bridge.unwrap()) > 1.0);
}
