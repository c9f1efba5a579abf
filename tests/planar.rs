//! The generator in the plane: full, state-dependent, anisotropic tensors against closed forms and published numbers.
#![allow(clippy::unwrap_used)] // also in functions that tests share

mod common;

use common::{assert_order, extrapolate};
use freezeout::Error;
use freezeout::diffusion::{Calculus, Diffusion};
use freezeout::generator::{Boundary, Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Kink;
use freezeout::math::{Point, Tensor};
use freezeout::observables::*;
use std::f64::consts::PI;

/// A diffusion given by two closures.
struct Given<B, T> {
    drift: B,
    tensor: T,
    kinks: Vec<Kink>,
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

fn given<B, T>(drift: B, tensor: T) -> Given<B, T>
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

fn square(lower: f64, upper: f64, cells: usize) -> Grid<2> {
    let axis = Axis::uniform(lower, upper, cells).unwrap();
    Grid::new([axis.clone(), axis])
}

/// Tensor with eigenvalue `large` at `angle` to the first axis and `small` across.
fn along(angle: f64, large: f64, small: f64) -> Tensor<2> {
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
fn turning(t: &Point<2>, anisotropy: f64) -> Tensor<2> {
    along(
        0.5 + 0.25 * (t[0] + 0.5 * t[1]),
        1.0 + 0.5 * t[0] * t[0],
        1.0 / anisotropy,
    )
}

fn with_reach(reach: usize) -> Discretisation<2> {
    Discretisation {
        reach,
        ..Discretisation::default()
    }
}

/// L² error of f = sin πx sin πy on the absorbing unit square, which solves −Lf = g for the g computed by hand.
fn manufactured_error(
    tensor: impl Fn(&Point<2>) -> Tensor<2> + Sync + Copy,
    reach: usize,
    cells: usize,
) -> f64 {
    // D times a field: the Peclet number of a cell is the same at any anisotropy
    let drift =
        |t: &Point<2>| tensor(t) * Point::<2>::new(1.0 + t[1] - t[0] * t[0], (2.0 * t[0]).cos() - t[1]);
    let grid = square(0.0, 1.0, cells);
    let options = Discretisation {
        boundaries: [[Boundary::Absorbing; 2]; 2],
        ..with_reach(reach)
    };
    let generator = Generator::assemble_with(&given(drift, tensor), grid.clone(), &options).unwrap();
    let source: Vec<f64> = (0..grid.cells())
        .map(|cell| {
            let t = grid.centre(cell);
            let ((sx, cx), (sy, cy)) = ((PI * t[0]).sin_cos(), (PI * t[1]).sin_cos());
            let (b, d) = (drift(&t), tensor(&t));
            -(b[0] * PI * cx * sy + b[1] * PI * sx * cy)
                + PI * PI * ((d[(0, 0)] + d[(1, 1)]) * sx * sy - 2.0 * d[(0, 1)] * cx * cy)
        })
        .collect();
    let f = generator
        .resolvent(&vec![0.0; grid.cells()])
        .unwrap()
        .solve(&source)
        .unwrap();
    let exact = |t: &Point<2>| (PI * t[0]).sin() * (PI * t[1]).sin();
    let square: f64 = f
        .iter()
        .enumerate()
        .map(|(i, f)| (f - exact(&grid.centre(i))).powi(2))
        .sum();
    (square / grid.cells() as f64).sqrt()
}

#[test]
fn second_order_with_full_state_dependent_tensors() {
    for (anisotropy, reach, cells) in [(1.0, 1, 16), (10.0, 4, 24)] {
        let tensor = |t: &Point<2>| turning(t, anisotropy);
        let errors: Vec<f64> = (0..4)
            .map(|level| manufactured_error(tensor, reach, cells << level))
            .collect();
        println!(
            "anisotropy {anisotropy}: {errors:?}, orders {:?}",
            orders(&errors)
        );
        assert_order(&errors, 2.0);
    }
    // at fixed directions the offsets stay shorter, and the asymptotic range comes within reach of a short test
    for (anisotropy, reach, cells) in [(100.0, 6, 24), (1000.0, 12, 32)] {
        let tensor = |t: &Point<2>| along(0.5, 1.0 + 0.5 * t[0] * t[1], (1.0 + 0.3 * t[1]) / anisotropy);
        let errors: Vec<f64> = (0..4)
            .map(|level| manufactured_error(tensor, reach, cells << level))
            .collect();
        println!(
            "fixed directions, anisotropy {anisotropy}: {errors:?}, orders {:?}",
            orders(&errors)
        );
        assert_order(&errors, 2.0);
    }
}

/// Consistency at turning directions: Lf against the closed form on a torus, where long offsets meet no boundary.
#[test]
fn second_order_consistency_at_high_anisotropy() {
    for (anisotropy, reach, cells) in [(100.0, 12, 128), (1000.0, 40, 256)] {
        let tensor = |t: &Point<2>| {
            along(
                0.5 + 0.3 * (PI * t[0]).sin() + 0.2 * (PI * t[1]).cos(),
                1.0,
                1.0 / anisotropy,
            )
        };
        let drift = |t: &Point<2>| tensor(t) * Point::<2>::new((PI * t[1]).sin(), 0.5 + (PI * t[0]).cos());
        let errors: Vec<f64> = (0..4)
            .map(|level| {
                let grid = square(-1.0, 1.0, cells << level);
                let options = Discretisation {
                    boundaries: [[Boundary::Periodic; 2]; 2],
                    ..with_reach(reach)
                };
                let generator =
                    Generator::assemble_with(&given(drift, tensor), grid.clone(), &options).unwrap();
                let centres: Vec<Point<2>> = (0..grid.cells()).map(|i| grid.centre(i)).collect();
                let f: Vec<f64> = centres.iter().map(|t| (PI * t[1]).sin()).collect();
                let lf = generator.apply(&f).unwrap();
                let square: f64 = centres
                    .iter()
                    .zip(&lf)
                    .map(|(t, lf)| {
                        let (sin, cos) = (PI * t[1]).sin_cos();
                        (lf - drift(t)[1] * PI * cos + tensor(t)[(1, 1)] * PI * PI * sin).powi(2)
                    })
                    .sum();
                (square / grid.cells() as f64).sqrt()
            })
            .collect();
        println!(
            "anisotropy {anisotropy}: {errors:?}, orders {:?}",
            orders(&errors)
        );
        assert_order(&errors, 2.0);
    }
}

fn orders(errors: &[f64]) -> Vec<f64> {
    errors.windows(2).map(|e| (e[0] / e[1]).log2()).collect()
}

/// b = −D∇Φ + div D has the stationary density e^−Φ with no flux anywhere, whatever the tensor.
#[test]
fn stationary_density_with_full_tensors_in_a_reflecting_box_and_on_a_torus() {
    for periodic in [false, true] {
        for (anisotropy, reach, cells) in [(1.0, 2, 16), (10.0, 5, 24)] {
            let tensor = move |t: &Point<2>| {
                let (s, c) = (0.5 + 0.2 * (PI * t[0]).sin() + 0.1 * (PI * t[1]).cos()).sin_cos();
                let (large, small) = (1.0 + 0.3 * (PI * t[0]).cos(), 1.0 / anisotropy);
                let cross = (large - small) * s * c;
                Tensor::<2>::new(
                    large * c * c + small * s * s,
                    cross,
                    cross,
                    large * s * s + small * c * c,
                )
            };
            let gradient = |t: &Point<2>| {
                Point::<2>::new(
                    PI * (PI * t[0]).cos() * (1.0 + 0.5 * (PI * t[1]).cos()),
                    -0.5 * PI * (PI * t[0]).sin() * (PI * t[1]).sin(),
                )
            };
            let phi = |t: &Point<2>| (PI * t[0]).sin() * (1.0 + 0.5 * (PI * t[1]).cos());
            let drift = move |t: &Point<2>| {
                // divergence by differences of high order: their error 1e-11 is far below the scheme's
                let h = 1e-3;
                let derivative = |axis: usize| {
                    let at = |k: f64| {
                        let mut u = *t;
                        u[axis] += k * h;
                        tensor(&u).column(axis).into_owned()
                    };
                    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
                };
                derivative(0) + derivative(1) - tensor(t) * gradient(t)
            };
            let kind = if periodic {
                Boundary::Periodic
            } else {
                Boundary::Reflecting
            };
            let errors: Vec<f64> = (0..4)
                .map(|level| {
                    let grid = square(-1.0, 1.0, cells << level);
                    let options = Discretisation {
                        boundaries: [[kind; 2]; 2],
                        ..with_reach(reach)
                    };
                    let generator =
                        Generator::assemble_with(&given(drift, tensor), grid.clone(), &options).unwrap();
                    let p = stationary_probability(&generator).unwrap();
                    let exact: Vec<f64> = (0..grid.cells()).map(|i| (-phi(&grid.centre(i))).exp()).collect();
                    let total: f64 = exact.iter().sum();
                    p.iter()
                        .zip(&exact)
                        .map(|(p, e)| (p - e / total).abs())
                        .sum::<f64>()
                })
                .collect();
            println!(
                "periodic {periodic}, anisotropy {anisotropy}: {errors:?}, orders {:?}",
                orders(&errors)
            );
        }
    }
}

/// A product of two independent lines: times in the plane are those of the line, to rounding.
#[test]
fn independent_axes_reproduce_the_line() {
    let force = |x: f64| x - x * x * x;
    struct Well;
    impl Diffusion<1> for Well {
        fn drift(&self, x: &Point<1>) -> Point<1> {
            Point::<1>::new(x[0] - x[0].powi(3))
        }
        fn tensor(&self, _: &Point<1>) -> Tensor<1> {
            Tensor::<1>::new(0.005)
        }
    }
    let product = given(
        move |t: &Point<2>| Point::<2>::new(force(t[0]), -3.0 * t[1]),
        |t: &Point<2>| Tensor::<2>::new(0.005, 0.0, 0.0, 0.5 + 0.1 * t[1].sin()),
    );
    let x = Axis::with_faces_at(-1.8, 1.2, 60, &[1.0]).unwrap();
    let line = Grid::new([x.clone()]);
    let plane = Grid::new([x, Axis::uniform(-2.0, 2.0, 35).unwrap()]);
    let beyond = |x: f64| x > 1.0;
    let target = CellSet::new("target", &line, |t| beyond(t[0])).unwrap();
    let expected = mean_first_passage_time(&Generator::assemble(&Well, line).unwrap(), &target).unwrap();
    let target = CellSet::new("target", &plane, |t| beyond(t[0])).unwrap();
    let generator = Generator::assemble(&product, plane.clone()).unwrap();
    let time = mean_first_passage_time(&generator, &target).unwrap();
    for (cell, t) in time.iter().enumerate() {
        let e = expected[plane.indices(cell)[0]];
        // the barrier is 50 kT: e^50 in both, rates built from the same numbers
        assert!((t - e).abs() <= 1e-11 * e, "{t:e} {e:e}");
    }
    // the law of the variable-noise axis in detailed balance: p ∝ exp(∫b/D)/D independent of x
    let log = log_stationary_probability(&generator).unwrap();
    let row = |i: usize, j: usize| log[i * 35 + j] - log[i * 35];
    assert!((0..35).all(|j| (row(3, j) - row(47, j)).abs() < 1e-10));
}

#[test]
fn rotated_ornstein_uhlenbeck() {
    let process = given(
        |t: &Point<2>| Point::<2>::new(-t[0] + 0.7 * t[1], -0.4 * t[0] - 2.0 * t[1]),
        |_: &Point<2>| Tensor::<2>::new(0.3, 0.1, 0.1, 0.2),
    );
    // B S + S Bᵀ = 2 D for S = [[a, c], [c, d]]
    let lyapunov = nalgebra::Matrix3::new(2.0, -1.4, 0.0, 0.4, 3.0, -0.7, 0.0, 0.8, 4.0);
    let covariance = lyapunov
        .lu()
        .solve(&nalgebra::Vector3::new(0.6, 0.2, 0.4))
        .unwrap();
    let (mut re, mut im, mut variance) = (Vec::new(), Vec::new(), Vec::new());
    for level in 0..4 {
        let n = 24 << level;
        let grid = Grid::new([
            Axis::uniform(-3.6, 3.6, n).unwrap(),
            Axis::uniform(-2.4, 2.4, n).unwrap(),
        ]);
        let generator = Generator::assemble(&process, grid.clone()).unwrap();
        let modes = slow_modes(&generator, 2).unwrap();
        re.push(modes[0].eigenvalue.re);
        im.push(modes[0].eigenvalue.im);
        let p = stationary_probability(&generator).unwrap();
        variance.push(
            p.iter()
                .enumerate()
                .map(|(i, p)| p * grid.centre(i)[0] * grid.centre(i)[1])
                .sum::<f64>(),
        );
    }
    let exact = [-1.5, 0.75f64.sqrt() / 5.0, covariance[1]];
    // the box leaves 1e-9 of the law outside: the imaginary part moves by 2e-7
    for (values, exact) in [re.clone(), im.clone(), variance.clone()].into_iter().zip(exact) {
        let error = extrapolate(values) / exact - 1.0;
        assert!(error.abs() < 1e-6, "{error:e} of {exact}");
    }
    println!("re {re:?}\nim {im:?}\ncov {variance:?} exact {}", covariance[1]);
    println!(
        "{} {} {}",
        extrapolate(re.clone()),
        extrapolate(im.clone()),
        extrapolate(variance.clone())
    );
}

/// b = (u − u³ − βuv², −(1 + u²) v).
fn maier_stein(beta: f64) -> impl Diffusion<2> {
    given(
        move |t: &Point<2>| {
            let (u, v) = (t[0], t[1]);
            Point::<2>::new(u - u.powi(3) - beta * u * v * v, -(1.0 + u * u) * v)
        },
        |_: &Point<2>| Tensor::<2>::identity() * 0.05,
    )
}

#[test]
fn maier_stein_gaps() {
    for (beta, gap) in [(1.0, 0.003719840448596), (10.0, 0.048375635831384)] {
        let values: Vec<f64> = (0..4)
            .map(|level| {
                let grid = Grid::new([
                    Axis::uniform(-2.0, 2.0, 40 << level).unwrap(),
                    Axis::uniform(-1.2, 1.2, 24 << level).unwrap(),
                ]);
                -slow_modes(&Generator::assemble(&maier_stein(beta), grid).unwrap(), 1).unwrap()[0]
                    .eigenvalue
                    .re
            })
            .collect();
        let errors: Vec<f64> = values.iter().map(|v| v / gap - 1.0).collect();
        println!(
            "beta {beta}: {values:?}, errors {errors:?}, extrapolated error {:e}",
            extrapolate(values.clone()) / gap - 1.0
        );
    }
}

#[test]
fn times_out_of_a_strip_with_full_tensors_and_across_a_kink() {
    // τ depends on x alone: D_xx τ'' = −1 on either side of x = 0, τ continuous with its derivative
    for (right, kinks) in [
        (along(0.5, 1.0, 0.1), vec![]),
        (
            along(-0.9, 2.0, 0.3),
            vec![Kink {
                axis: 0,
                position: 0.0,
            }],
        ),
    ] {
        let left = along(0.5, 1.0, 0.1);
        let process = Given {
            drift: |_: &Point<2>| Point::<2>::zeros(),
            tensor: move |t: &Point<2>| if t[0] < 0.0 { left } else { right },
            kinks,
        };
        let (d1, d2) = (left[(0, 0)], right[(0, 0)]);
        let exact = |x: f64| {
            let own = if x < 0.0 { d1 } else { d2 };
            -x * x / (2.0 * own) + 0.25 * x * (1.0 / d2 - 1.0 / d1) + 0.25 * (1.0 / d1 + 1.0 / d2)
        };
        let errors: Vec<f64> = (0..4)
            .map(|level| {
                let x = Axis::with_faces_at(-1.5, 1.0, 40 << level, &[-1.0, 0.0]).unwrap();
                let grid = Grid::new([x, Axis::uniform(0.0, 1.0, 16 << level).unwrap()]);
                // one end is a set of cells, the other a boundary
                let set = CellSet::new("target", &grid, |t| t[0] < -1.0).unwrap();
                let boundaries = [
                    [Boundary::Reflecting, Boundary::Absorbing],
                    [Boundary::Periodic; 2],
                ];
                let options = Discretisation {
                    boundaries,
                    ..with_reach(4)
                };
                let generator = Generator::assemble_with(&process, grid.clone(), &options).unwrap();
                let time = mean_first_passage_time(&generator, &set).unwrap();
                let outside = (0..grid.cells()).filter(|&i| !set.contains(i));
                outside
                    .map(|i| (time[i] - exact(grid.centre(i)[0])).abs())
                    .fold(0.0, f64::max)
            })
            .collect();
        println!("strip: {errors:?}, orders {:?}", orders(&errors));
    }
}

#[test]
fn domains_boundaries_and_sets_keep_mass_and_positivity() {
    let process = given(
        |t: &Point<2>| Point::<2>::new(t[1], -t[0]),
        |t: &Point<2>| turning(t, 20.0),
    );
    let grid = Grid::new([
        Axis::uniform(-1.0, 1.0, 40).unwrap(),
        Axis::with_faces_at(-1.0, 1.0, 33, &[0.2]).unwrap(),
    ]);
    let disc = CellSet::new("disc", &grid, |t| t.norm_squared() < 0.9).unwrap();
    let options = Discretisation {
        domain: Some(disc.clone()),
        ..with_reach(8)
    };
    let generator = Generator::assemble_with(&process, grid.clone(), &options).unwrap();
    let p: Vec<f64> = (0..grid.cells())
        .map(|i| {
            if disc.contains(i) {
                1.0 + grid.centre(i)[0]
            } else {
                0.0
            }
        })
        .collect();
    let flow = generator.apply_adjoint(&p).unwrap();
    let largest = flow.iter().fold(0.0f64, |a, b| a.max(b.abs()));
    // sums over a thousand cells
    assert!(flow.iter().sum::<f64>().abs() < 1e-12 * largest * grid.cells() as f64);
    let log = log_stationary_probability(&generator).unwrap();
    assert!(
        log.iter()
            .enumerate()
            .all(|(i, l)| l.is_finite() == disc.contains(i))
    );
    // absorbing edge instead: every rate out of the disc kills
    let options = Discretisation {
        domain_boundary: Boundary::Absorbing,
        ..options
    };
    let open = Generator::assemble_with(&process, grid.clone(), &options).unwrap();
    assert!(matches!(
        log_stationary_probability(&open),
        Err(Error::InvalidParameter { .. })
    ));
    let time = open
        .resolvent(&vec![0.0; grid.cells()])
        .unwrap()
        .solve(&vec![1.0; grid.cells()])
        .unwrap();
    assert!(
        time.iter()
            .enumerate()
            .all(|(i, t)| (*t > 0.0) == disc.contains(i))
    );
    // first passage and committor, positive and bounded
    let a = CellSet::new("a", &grid, |t| (t - Point::<2>::new(-0.5, 0.0)).norm() < 0.2).unwrap();
    let b = CellSet::new("b", &grid, |t| (t - Point::<2>::new(0.5, 0.1)).norm() < 0.2).unwrap();
    let q = committor(&generator, &a, &b).unwrap();
    assert!(q.iter().all(|q| (0.0..=1.0 + 1e-12).contains(q)));
    let nu = quasi_stationary(&generator, &b).unwrap();
    assert!(nu.probability.iter().all(|p| *p >= 0.0) && nu.escape_rate > 0.0);
}

#[test]
fn refuses_what_it_cannot_do() {
    let drift = |_: &Point<2>| Point::<2>::zeros();
    let grid = square(-1.0, 1.0, 12);
    let steep = given(drift, |t: &Point<2>| turning(t, 1e6));
    let error = Generator::assemble(&steep, grid.clone()).unwrap_err();
    assert!(
        matches!(error, Error::TooAnisotropic { allowed: 8, .. }),
        "{error}"
    );
    let indefinite = given(drift, |_: &Point<2>| Tensor::<2>::new(1.0, 2.0, 2.0, 1.0));
    assert!(matches!(
        Generator::assemble(&indefinite, grid.clone()),
        Err(Error::NotPositive { .. })
    ));
    let deficient = given(drift, |_: &Point<2>| Tensor::<2>::new(1.0, 1.0, 1.0, 1.0));
    assert!(matches!(
        Generator::assemble(&deficient, grid.clone()),
        Err(Error::NotPositive { .. })
    ));
    let broken = given(
        |t: &Point<2>| Point::<2>::new((t[0] - 0.5).sqrt(), 0.0),
        |t: &Point<2>| turning(t, 2.0),
    );
    assert!(matches!(
        Generator::assemble(&broken, grid.clone()),
        Err(Error::NotFinite { .. })
    ));
    let full = given(drift, |t: &Point<2>| turning(t, 2.0));
    assert!(Generator::assemble_in(&full, grid.clone(), Calculus::AntiIto).is_err());
    let kinked = Given {
        drift,
        tensor: |t: &Point<2>| turning(t, 2.0),
        kinks: vec![Kink {
            axis: 1,
            position: 0.01,
        }],
    };
    assert!(Generator::assemble(&kinked, grid.clone()).is_err());
    let one_sided = Discretisation {
        boundaries: [
            [Boundary::Periodic, Boundary::Reflecting],
            [Boundary::Reflecting; 2],
        ],
        ..Discretisation::default()
    };
    assert!(Generator::assemble_with(&full, grid.clone(), &one_sided).is_err());
    // two discs that do not touch
    let islands = CellSet::new("islands", &grid, |t| t[0].abs() > 0.5).unwrap();
    let options = Discretisation {
        domain: Some(islands),
        ..Discretisation::default()
    };
    let split = Generator::assemble_with(&full, grid.clone(), &options).unwrap();
    assert!(matches!(
        log_stationary_probability(&split),
        Err(Error::Unreachable { .. })
    ));
    let left = CellSet::new("left", &grid, |t| t[0] < -0.8).unwrap();
    assert!(matches!(
        mean_first_passage_time(&split, &left),
        Err(Error::Unreachable { .. })
    ));
}
