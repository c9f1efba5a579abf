//! Observed weak and strong orders of the integrators.
//!
//! The expectation under a scheme is computed without sampling: for linear equations the moments of one step are
//! linear maps, found by summing over the outcomes of the step's discrete noise; for a nonlinear one the tree of all
//! paths is summed. What remains is the error of the scheme.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::ensemble::*;
use nalgebra::{Matrix2, Matrix4, Vector2};

/// Distance of the observed from the declared order at the finest pair of levels.
const ORDER_TOLERANCE: f64 = 0.1;

const ROOT_3: f64 = 1.732_050_807_568_877_2;
const THREE: [(f64, f64); 3] = [(-ROOT_3, 1.0 / 6.0), (0.0, 2.0 / 3.0), (ROOT_3, 1.0 / 6.0)];

/// A scheme whose noise can be summed over. Euler-Maruyama takes the three-point law for its normals: the
/// moments up to the second of one step, which are all that its linear moments contain, are the same.
trait Summable<const M: usize>: Integrator<M> {
    fn outcomes() -> Vec<(Self::Noise, f64)>;
}

impl Summable<1> for EulerMaruyama {
    fn outcomes() -> Vec<([f64; 1], f64)> {
        THREE.iter().map(|&(z, p)| ([z], p)).collect()
    }
}
impl Summable<1> for Platen {
    fn outcomes() -> Vec<(ThreePoint<1>, f64)> {
        let three = |&(z, p): &(f64, f64)| {
            (
                ThreePoint {
                    increments: [z],
                    sign: 1.0,
                },
                p,
            )
        };
        THREE.iter().map(three).collect()
    }
}
fn pairs() -> Vec<([f64; 2], f64)> {
    let pair = |&(a, p): &(f64, f64)| THREE.map(|(b, q)| ([a, b], p * q));
    THREE.iter().flat_map(pair).collect()
}
impl Summable<2> for EulerMaruyama {
    fn outcomes() -> Vec<([f64; 2], f64)> {
        pairs()
    }
}
impl Summable<2> for Platen {
    fn outcomes() -> Vec<(ThreePoint<2>, f64)> {
        let both = |(increments, p)| [-1.0, 1.0].map(|sign| (ThreePoint { increments, sign }, 0.5 * p));
        pairs().into_iter().flat_map(both).collect()
    }
}

/// Errors at `levels`, the last pair of which must show the order; returns all observed orders.
fn assert_order(declared: f64, levels: &[u32], error: impl Fn(u32) -> f64) {
    assert!(levels.len() >= 4);
    let errors: Vec<f64> = levels.iter().map(|&n| error(n).abs()).collect();
    let order =
        |i: usize| (errors[i] / errors[i + 1]).ln() / (f64::from(levels[i + 1]) / f64::from(levels[i])).ln();
    let orders: Vec<f64> = (0..levels.len() - 1).map(order).collect();
    let finest = orders[orders.len() - 1];
    assert!(
        (finest - declared).abs() < ORDER_TOLERANCE,
        "orders {orders:?}, errors {errors:?}"
    );
}

/// dX = A X dt + Σ B_j X dW^j in the plane.
#[derive(Clone, Copy)]
struct Linear<const M: usize> {
    drift: Matrix2<f64>,
    noise: [Matrix2<f64>; M],
}

impl<const M: usize> Ito<2, M> for Linear<M> {
    fn drift(&self, theta: [f64; 2]) -> [f64; 2] {
        (self.drift * Vector2::from(theta)).into()
    }
    fn noise(&self, theta: [f64; 2]) -> [[f64; 2]; M] {
        self.noise.map(|matrix| (matrix * Vector2::from(theta)).into())
    }
}

impl<const M: usize> Linear<M> {
    /// E (x xᵀ) at t = 1 by the scheme with n steps and exactly, as (largest entry of the) difference.
    fn second_moment_error<I: Summable<M>>(&self, _: I, n: u32) -> f64 {
        let h = TimeStep::new(1.0 / f64::from(n));
        let mut step = Matrix4::zeros();
        for (noise, probability) in I::outcomes() {
            let columns = [[1.0, 0.0], [0.0, 1.0]].map(|unit| Vector2::from(I::step(self, unit, h, noise)));
            let matrix = Matrix2::from_columns(&columns);
            step += matrix.kronecker(&matrix) * probability;
        }
        let one = Matrix2::identity();
        let mut rate = self.drift.kronecker(&one) + one.kronecker(&self.drift);
        for matrix in self.noise {
            rate += matrix.kronecker(&matrix);
        }
        (step.pow(n) - rate.exp()).amax()
    }
}

#[test]
fn multiplicative_noise() {
    // In the first coordinate dX = aX dt + cX dW; the second is another such equation with the same W.
    let system = Linear::<1> {
        drift: Matrix2::new(-0.8, 0.0, 0.0, 0.3),
        noise: [Matrix2::new(0.6, 0.0, 0.0, -0.4)],
    };
    let levels = [4, 8, 16, 32, 64];
    let euler = <EulerMaruyama as Integrator<1>>::WEAK_ORDER;
    assert_order(euler, &levels, |n| system.second_moment_error(EulerMaruyama, n));
    assert_order(<Platen as Integrator<1>>::WEAK_ORDER, &levels, |n| {
        system.second_moment_error(Platen, n)
    });
}

#[test]
fn ornstein_uhlenbeck() {
    // The second coordinate is the constant 1: dX = (1/2 − X) dt + 0.7 dW.
    let system = Linear::<1> {
        drift: Matrix2::new(-1.0, 0.5, 0.0, 0.0),
        noise: [Matrix2::new(0.0, 0.7, 0.0, 0.0)],
    };
    let levels = [4, 8, 16, 32, 64];
    assert_order(1.0, &levels, |n| system.second_moment_error(EulerMaruyama, n));
    assert_order(2.0, &levels, |n| system.second_moment_error(Platen, n));
}

#[test]
fn noncommutative_noise_in_the_plane() {
    let noise = [
        Matrix2::new(0.3, 0.5, 0.0, 0.2),
        Matrix2::new(0.1, 0.0, 0.6, -0.2),
    ];
    assert!((noise[0] * noise[1] - noise[1] * noise[0]).amax() > 0.1);
    let system = Linear::<2> {
        drift: Matrix2::new(-0.5, 0.4, -0.3, -0.9),
        noise,
    };
    let levels = [8, 16, 32, 64, 128];
    assert_order(1.0, &levels, |n| system.second_moment_error(EulerMaruyama, n));
    assert_order(2.0, &levels, |n| system.second_moment_error(Platen, n));
}

/// dX = X/2 dt + sqrt(1 + X²) dW, solved by X = sinh(W + arsinh X0).
#[derive(Clone, Copy)]
struct HyperbolicSine;

impl Ito<1, 1> for HyperbolicSine {
    fn drift(&self, [x]: [f64; 1]) -> [f64; 1] {
        [0.5 * x]
    }
    fn noise(&self, [x]: [f64; 1]) -> [[f64; 1]; 1] {
        [[(1.0 + x * x).sqrt()]]
    }
}

/// E f(X) after n steps from x, by the tree of all outcomes.
fn expectation<I: Summable<1>>(x: f64, h: TimeStep, n: u32, f: &impl Fn(f64) -> f64) -> f64 {
    if n == 0 {
        return f(x);
    }
    let outcomes = I::outcomes();
    let branch = |(noise, p): (I::Noise, f64)| {
        p * expectation::<I>(I::step(&HyperbolicSine, [x], h, noise)[0], h, n - 1, f)
    };
    outcomes.into_iter().map(branch).sum()
}

#[test]
fn nonlinear_coefficients() {
    let (x0, t): (f64, f64) = (0.5, 0.4);
    // arsinh X = arsinh x0 + W, so that E arsinh X = arsinh x0.
    let error =
        |n: u32| expectation::<Platen>(x0, TimeStep::new(t / f64::from(n)), n, &f64::asinh) - x0.asinh();
    assert_order(2.0, &[2, 4, 8, 12], error);
    let error = |n: u32| {
        expectation::<EulerMaruyama>(x0, TimeStep::new(t / f64::from(n)), n, &f64::asinh) - x0.asinh()
    };
    assert_order(1.0, &[2, 4, 8, 12], error);
}

#[test]
fn strong_order_of_euler_maruyama() {
    // Geometric Brownian motion X = exp((a − c²/2)t + cW) along the same Wiener path at every level.
    const PATHS: u64 = 4000;
    const FINEST: u32 = 256;
    let (a, c) = (0.5, 1.0);
    let system = Linear::<1> {
        drift: Matrix2::new(a, 0.0, 0.0, 0.0),
        noise: [Matrix2::new(c, 0.0, 0.0, 0.0)],
    };
    let key = stream::StreamKey::new(1, 1);
    let error = |n: u32| {
        let h = TimeStep::new(1.0 / f64::from(n));
        let group = FINEST / n;
        let mut sum = 0.0;
        for path in 0..PATHS {
            let mut streams = stream::Streams::unset();
            streams.set(0, key.state(path, 0));
            let (mut theta, mut wiener) = ([1.0, 0.0], 0.0);
            for _ in 0..n {
                let z: f64 = (0..group).map(|_| streams.normals(0)[0]).sum::<f64>() / f64::from(group).sqrt();
                wiener += z * h.root;
                theta = EulerMaruyama::step(&system, theta, h, [z]);
            }
            sum += (theta[0] - f64::exp(a - 0.5 * c * c + c * wiener)).abs();
        }
        sum / PATHS as f64
    };
    // Sampling error of a level is 2 %, 0.04 in the order.
    assert_order(
        <EulerMaruyama as Integrator<1>>::STRONG_ORDER,
        &[32, 64, 128, 256],
        error,
    );
}

#[test]
fn a_wrong_calculus_has_order_zero() {
    // Negative control: the Stratonovich drift a + c²/2 does not converge to the Ito moments.
    let right = Linear::<1> {
        drift: Matrix2::new(-0.8, 0.0, 0.0, 0.3),
        noise: [Matrix2::new(0.6, 0.0, 0.0, -0.4)],
    };
    let wrong = Linear::<1> {
        drift: right.drift + right.noise[0] * right.noise[0] * 0.5,
        ..right
    };
    let h = TimeStep::new(1.0 / 64.0);
    let mean = |system: &Linear<1>| -> f64 {
        let step = |(noise, p): ([f64; 1], f64)| p * EulerMaruyama::step(system, [1.0, 0.0], h, noise)[0];
        <EulerMaruyama as Summable<1>>::outcomes()
            .into_iter()
            .map(step)
            .sum::<f64>()
            .powi(64)
    };
    let exact = f64::exp(-0.8);
    assert!((mean(&right) - exact).abs() < 0.01);
    assert!((mean(&wrong) - exact).abs() > 0.05);
}
