//! Simulation of any diffusion as Langevin paths, against closed forms, integrals and the grid.
//!
//! Seeds are fixed, and each statistical test has a negative control that must fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;
mod paths;

use common::Brownian;
use freezeout::Error;
use freezeout::diffusion::{Diffusion, OrnsteinUhlenbeck};
use freezeout::ensemble::*;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Expression;
use freezeout::math::{Point, Tensor};
use freezeout::observables::mean_first_passage_time;
use freezeout::region::{Boundary, Domain, PointSet};
use freezeout::statistics::convergence::extrapolate;
use freezeout::statistics::{Estimate, mean};
use paths::*;
use std::collections::BTreeMap;

// ---------------------------------------------------------------- first passage

#[test]
fn double_well_in_one_dimension() {
    let well = formula(WELL, &["x"], 0.2);
    let (top, other) = (beyond(0.0), beyond(1.0));
    let free = Domain::unbounded();
    let h = 0.02;
    let time = |target: &PointSet<1>, crossing, runs, h, name| {
        passage(&well, &free, target, crossing, &protocol([-1.0], runs, h, name))
    };
    let bias = WELL_BIAS * h;
    assert!(
        misfit(
            time(&top, BRIDGE, 25_000, h, "top"),
            TO_THE_TOP,
            bias * TO_THE_TOP
        ) < 1.0
    );
    assert!(
        misfit(
            time(&other, BRIDGE, 10_000, h, "other"),
            TO_THE_OTHER,
            bias * TO_THE_OTHER
        ) < 1.0
    );
    // Negative controls: crossings seen at the ends of steps only; the same set known by membership only.
    let wrong = time(&top, END, 25_000, h, "top");
    assert!(misfit(wrong, TO_THE_TOP, bias * TO_THE_TOP) > 1.0);
    let member = PointSet::of_members(|x: &Point<1>| x[0] > 0.0);
    let runs = protocol([-1.0], 25_000, h, "member");
    let wrong = passage(&well, &free, &member, BRIDGE, &runs);
    assert!(misfit(wrong, TO_THE_TOP, bias * TO_THE_TOP) > 1.0);
    // Steps of .1 and .05 extrapolated: the bias left is a few h², and the one found is that of order one.
    let level = |h, name| time(&top, BRIDGE, 100_000, h, name);
    let coarse = level(0.1, "coarse");
    let result = extrapolate(&coarse, &level(0.05, "fine"), 2.0, 1.0).unwrap();
    println!("{result:?}");
    assert!(misfit(result.limit, TO_THE_TOP, 0.005 * TO_THE_TOP) < 1.0);
    assert!(misfit(coarse, TO_THE_TOP, 0.005 * TO_THE_TOP) > 1.0);
}

/// The double well times a stiff direction, seen in axes turned by 0.6: anisotropic tensor, formulas in both variables.
#[test]
fn double_well_in_rotated_axes() {
    let (s, c) = 0.6_f64.sin_cos();
    let parameters = BTreeMap::from([("c".to_string(), c), ("s".to_string(), s)]);
    let text = "((c*x + s*y)^2 - 1)^2/4 + (c*y - s*x)^2/2";
    let landscape = Expression::<2>::new(text, &["x", "y"], &parameters, vec![]).unwrap();
    let turn = Tensor::<2>::new(c, -s, s, c);
    // In the straight axes D = diag(.2, .05); drift and tensor are not related by detailed balance, nor need they be.
    let tensor = turn * Tensor::<2>::new(0.2, 0.0, 0.0, 0.05) * turn.transpose();
    let drift = |theta: &Point<2>| -freezeout::landscape::Landscape::gradient(&landscape, theta);
    let plane = Functions(drift, |_: &Point<2>| tensor);
    let u = Point::<2>::new(c, s);
    let target = PointSet::half_space(3.0 * u, 0.0).unwrap();
    let h = 0.02;
    let runs = protocol([-c, -s], 25_000, h, "rotated");
    let domain = Domain::unbounded();
    let time = passage(&plane, &domain, &target, BRIDGE, &runs);
    assert!(misfit(time, TO_THE_TOP, WELL_BIAS * h * TO_THE_TOP) < 1.0);
    // Negative control: the tensor not turned with the axes.
    let straight = Functions(drift, |_: &Point<2>| Tensor::<2>::new(0.2, 0.0, 0.0, 0.05));
    let wrong = passage(&straight, &domain, &target, BRIDGE, &runs);
    assert!(misfit(wrong, TO_THE_TOP, WELL_BIAS * h * TO_THE_TOP) > 1.0);
}

/// Into a disc, with a full state-dependent tensor and a circulating drift, against the grid.
#[test]
fn a_disc_in_the_plane_agrees_with_the_grid() {
    let drift = |p: &Point<2>| Point::<2>::new(-p[0] + 0.7 * p[1], -0.4 * p[0] - p[1]);
    let tensor = |p: &Point<2>| {
        let a = 0.3 + 0.1 * p[0] * p[0];
        Tensor::<2>::new(a, 0.15, 0.15, 0.2 + 0.1 * (p[0] * p[1]).sin().powi(2))
    };
    let problem = Functions(drift, tensor);
    let (centre, radius) = (Point::<2>::new(1.0, 0.5), 0.4);
    let start = [-0.5, -0.25];
    // Two grids, the target by the cells whose centre lies in it: an error of order one in the cell with some scatter.
    let grid_time = |cells: usize| {
        let axis = Axis::uniform(-3.0, 3.0, cells).unwrap();
        let grid = Grid::new([axis.clone(), axis]);
        let target = CellSet::new("disc", &grid, |p| (p - centre).norm() < radius).unwrap();
        let tau =
            mean_first_passage_time(&Generator::assemble(&problem, grid.clone()).unwrap(), &target).unwrap();
        // The start is a corner of cells: the mean of the four around it.
        let near =
            |i: &usize| (0..2).all(|d| (grid.centre(*i)[d] - start[d]).abs() < grid.axes()[d].width(0));
        (0..grid.cells()).filter(near).map(|i| tau[i]).sum::<f64>() / 4.0
    };
    let (coarse, fine) = (grid_time(240), grid_time(480));
    println!("grid {coarse} {fine}");
    let disc = PointSet::ball(centre, radius).unwrap();
    let squared = PointSet::of_level(move |p: &Point<2>| {
        ((p - centre).norm_squared() - radius * radius, 2.0 * (p - centre))
    });
    let (domain, h) = (cube(-3.0, 3.0, Boundary::Reflecting), 0.01);
    let time = |target: &PointSet<2>, crossing| {
        let runs = protocol(start, 20_000, h, "disc");
        passage(&problem, &domain, target, crossing, &runs)
    };
    // The grid's own change under refinement, and one h of the paths.
    let bias = 2.0 * (coarse - fine).abs() + h * fine;
    assert!(misfit(time(&disc, BRIDGE), fine, bias) < 1.0);
    assert!(misfit(time(&squared, BRIDGE), fine, bias) < 1.0);
    // Negative control: the ends of steps only.
    assert!(misfit(time(&disc, END), fine, bias) > 1.0);
}

// ---------------------------------------------------------------- boundaries

#[test]
fn brownian_motion_leaves_an_interval_in_the_exact_time() {
    let (d, length, h) = (0.7, 1.5, 0.01);
    let domain = cube::<1>(-length, length, Boundary::Absorbing);
    let run = |start: f64, d: f64, crossing| {
        let runs = protocol([start], 20_000, h, "interval");
        first_passage_into(&Brownian(d), &domain, None, crossing, &runs, &|_| ()).unwrap()
    };
    let times = |passages: &Passages| passages.outcomes.iter().map(Outcome::time).collect::<Vec<_>>();
    for start in [0.0, 0.6] {
        let exact = (length * length - start * start) / (2.0 * d);
        let passages = run(start, d, BRIDGE);
        // The bridge is exact; the time within the step is known to h/2.
        assert!(misfit(passages.mean_time(1e-3).unwrap(), exact, 0.5 * h) < 1.0);
        let upper = passages.exits(Exit::Face { axis: 0, end: 1 });
        let p = (start + length) / (2.0 * length);
        let estimate = freezeout::statistics::proportion(upper, passages.outcomes.len()).unwrap();
        assert!(misfit(estimate, p, 0.0) < 1.0);
        assert_eq!(
            upper + passages.exits(Exit::Face { axis: 0, end: 0 }),
            passages.escaped()
        );
        // Negative controls: tests at the ends of steps, a diffusivity 10 % too large.
        assert!(misfit(run(start, d, END).mean_time(1e-3).unwrap(), exact, 0.5 * h) > 1.0);
        assert!(
            misfit(
                run(start, 1.1 * d, BRIDGE).mean_time(1e-3).unwrap(),
                exact,
                0.5 * h
            ) > 1.0
        );
    }
    // Variance from the centre: 2 L⁴/(3 σ⁴), σ² = 2D; the square of the middle of a step is off by less than h τ.
    let variance = 2.0 * length.powi(4) / (3.0 * (2.0 * d).powi(2));
    let of = |passages| freezeout::statistics::variance(&times(&passages)).unwrap();
    assert!(misfit(of(run(0.0, d, BRIDGE)), variance, h * length * length / d) < 1.0);
    assert!(misfit(of(run(0.0, 1.1 * d, BRIDGE)), variance, h * length * length / d) > 1.0);
}

/// The same interval as the edge of a domain, as a target, and periodic: one law.
#[test]
fn edges_of_all_kinds_are_one_law() {
    let (length, h) = (1.0, 0.01);
    let inside =
        PointSet::of_level(move |x: &Point<1>| (x[0] * x[0] - length * length, Point::<1>::new(2.0 * x[0])));
    let domain = Domain::unbounded()
        .restricted_to(inside, Boundary::Absorbing)
        .unwrap();
    let brownian = Brownian(0.5);
    let runs = protocol([0.25], 20_000, h, "edges");
    let exact = length * length - 0.25 * 0.25;
    let passages = first_passage_into(&brownian, &domain, None, BRIDGE, &runs, &|_| ()).unwrap();
    assert_eq!(passages.exits(Exit::Domain), 20_000);
    // x² is a level of slope other than one, bent within a step: order h.
    assert!(misfit(passages.mean_time(1e-3).unwrap(), exact, h) < 1.0);
    // On a circle of circumference 4, the way to an arc of half-width 1/2 about 2.
    let circle = cube::<1>(0.5, 4.5, Boundary::Periodic);
    let turn = std::f64::consts::FRAC_PI_2;
    let arc = PointSet::of_level(move |x: &Point<1>| {
        let angle = turn * (x[0] - 2.0);
        (
            (0.5 * turn).cos() - angle.cos(),
            Point::<1>::new(turn * angle.sin()),
        )
    });
    let runs = protocol([4.3], 20_000, h, "circle");
    let time = passage(&brownian, &circle, &arc, BRIDGE, &runs);
    // Free interval (2.5, 5.5) with the start at 4.3: (4.3 − 2.5)(5.5 − 4.3)/(2D).
    let exact = 1.8 * 1.2;
    assert!(misfit(time, exact, h * exact) < 1.0);
    // Negative control: the same with reflecting ends.
    let walled = cube::<1>(0.5, 4.5, Boundary::Reflecting);
    let wrong = passage(&brownian, &walled, &arc, BRIDGE, &runs);
    assert!(misfit(wrong, exact, h * exact) > 1.0);
}

/// Drift towards a reflecting wall: p ∝ exp(−3x/D) on (0, 1); the bias of the mean is of order one in the step.
#[test]
fn reflecting_ends_have_weak_order_one() {
    let (a, d) = (1.5, 0.5);
    let problem = Functions(
        |_: &Point<1>| Point::<1>::new(-a),
        |_: &Point<1>| Tensor::<1>::new(d),
    );
    let domain = cube::<1>(0.0, 1.0, Boundary::Reflecting);
    let k = a / d;
    let exact = 1.0 / k - 1.0 / (f64::exp(k) - 1.0);
    let errors: Vec<Estimate> = [0.08, 0.04, 0.02, 0.01]
        .iter()
        .map(|&h| {
            // The relaxation time is 1/(a²/4D + π²D) = .16: after 1.6 nothing of the start is left.
            let runs = protocol([0.3], 100_000, h, "wall");
            let mean = moment(&ends(&problem, &domain, (1.6 / h) as u64, &runs), |[x]| *x);
            Estimate {
                value: mean.value - exact,
                ..mean
            }
        })
        .collect();
    assert!(halves(&errors));
}

/// From the centre of the Ornstein-Uhlenbeck process to one standard deviation.
#[test]
fn first_passages_have_weak_order_one_with_the_bridge() {
    const EXACT: f64 = 2.093_406_65;
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0).unwrap();
    let edge = beyond(1.0);
    let errors = |crossing| {
        [0.16, 0.08, 0.04, 0.02].map(|h| {
            let runs = protocol([0.0], 60_000, h, "levels");
            let time = passage(&ou, &Domain::unbounded(), &edge, crossing, &runs);
            Estimate {
                value: time.value - EXACT,
                ..time
            }
        })
    };
    assert!(halves(&errors(BRIDGE)));
    // Negative control: the ends of steps only, order one half.
    assert!(!halves(&errors(END)));
}

/// Zero drift and a constant tensor: no flux through the edge leaves the uniform density, whatever the anisotropy.
#[test]
fn mirrors_along_the_conormal_keep_the_uniform_density() {
    let (s, c) = 0.6_f64.sin_cos();
    let turn = Tensor::<2>::new(c, -s, s, c);
    let tensor = turn * Tensor::<2>::new(1.0, 0.0, 0.0, 0.1) * turn.transpose();
    let problem = Functions(|_: &Point<2>| Point::<2>::zeros(), move |_: &Point<2>| tensor);
    let h = 0.005;
    let runs = protocol([0.1, 0.0], 20_000, h, "uniform");
    let check = |points: &[[f64; 2]], diagonal: f64, bias: f64| {
        [
            misfit(moment(points, |p| p[0] * p[0]), diagonal, bias),
            misfit(moment(points, |p| p[1] * p[1]), diagonal, bias),
            // ⟨xy⟩ = 0, shifted so that its relative error can be printed.
            misfit(moment(points, |p| 1.0 + p[0] * p[1]), 1.0, bias),
        ]
    };
    // Bias of order h, relative to a step of length sqrt(2 D h) = .1 in a box of half-width 1.
    let bias = 2.0 * h;
    let square = cube::<2>(-1.0, 1.0, Boundary::Reflecting);
    let points = ends(&problem, &square, 1_200, &runs);
    assert!(check(&points, 1.0 / 3.0, bias).iter().all(|m| *m < 1.0));
    let disc = PointSet::of_level(|p: &Point<2>| (p.norm_squared() - 1.0, 2.0 * p));
    let round = Domain::unbounded()
        .restricted_to(disc, Boundary::Reflecting)
        .unwrap();
    let points = ends(&problem, &round, 1_200, &runs);
    assert!(points.iter().all(|p| p[0].hypot(p[1]) <= 1.0));
    assert!(check(&points, 0.25, bias).iter().all(|m| *m < 1.0));
    // Negative control: mirrors along the normal, which is what a problem with the tensor I in the mirror does.
    let mut wrong = Vec::new();
    for run in 0..20_000_u64 {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(run);
        let root = turn * Tensor::<2>::new(1.0, 0.0, 0.0, f64::sqrt(0.1)) * f64::sqrt(2.0 * 0.01);
        let mut p = Point::<2>::new(0.1, 0.0);
        for _ in 0..400 {
            let z = Point::<2>::from_fn(|_, _| random.sample::<f64, _>(rand_distr::StandardNormal));
            p += root * z;
            for d in 0..2 {
                while p[d].abs() > 1.0 {
                    p[d] = 2.0 * p[d].signum() - p[d];
                }
            }
        }
        wrong.push([p[0], p[1]]);
    }
    assert!(check(&wrong, 1.0 / 3.0, 0.02).iter().any(|m| *m > 1.0));
}

// ---------------------------------------------------------------- the machine

/// Formulas evaluated over blocks of paths give the paths of formulas evaluated point by point, up to roundings that stay small within a run.
#[test]
fn blocks_of_paths_are_the_paths() {
    let text = "(x^2 - 1)^2/4 + exp(-x^2)*y^2 + sin(y)^2/5";
    let blocks = formula(text, &["x", "y"], 0.2);
    let drift = |theta: &Point<2>| blocks.drift(theta);
    let points = Functions(drift, |_: &Point<2>| Tensor::<2>::identity() * 0.2);
    let domain = cube(-1.8, 1.8, Boundary::Reflecting);
    let target = PointSet::all(vec![
        PointSet::half_space([1.0, 0.0].into(), -0.5).unwrap(),
        PointSet::ball(Point::<2>::zeros(), 0.75).unwrap(),
    ])
    .unwrap();
    let runs = protocol([-1.0, 0.3], 500, 0.01, "blocks");
    let of = |diffusion: &dyn Diffusion<2>, runs: &PathProtocol<2>| {
        first_passage_into(diffusion, &domain, Some(&target), BRIDGE, runs, &|_| ()).unwrap()
    };
    let by_block = of(&blocks, &runs);
    assert_eq!(by_block, of(&points, &runs));
    let other = PathProtocol {
        experiment: runs.experiment + 1,
        ..runs
    };
    assert_ne!(by_block, of(&blocks, &other));
}

#[test]
fn results_do_not_depend_on_threads_or_company() {
    let well = formula("(x^2 - 1)^2/4 + y^2*(1 + x^2)/2", &["x", "y"], 0.2);
    let target = PointSet::half_space(Point::<2>::new(1.0, 0.0), 0.0).unwrap();
    let domain = cube(-1.8, 1.8, Boundary::Reflecting);
    let mut runs = protocol([-1.0, 0.3], 700, 0.02, "bytes");
    runs.steps = 601;
    runs.starts.push([-0.5, 0.0]);
    let with_threads = |threads: usize, runs: &PathProtocol<2>| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let passages = first_passage_into(&well, &domain, Some(&target), BRIDGE, runs, &|_| ()).unwrap();
            (
                passages,
                positions_at(&well, &domain, &[0.0, 0.3, 12.0], BRIDGE, runs, &|_| ()).unwrap(),
            )
        })
    };
    let (passages, lists) = with_threads(1, &runs);
    assert_eq!((passages.clone(), lists.clone()), with_threads(2, &runs));
    // Fewer runs are the same runs.
    let fewer = with_threads(
        2,
        &PathProtocol {
            runs: 70,
            ..runs.clone()
        },
    );
    assert_eq!(passages.outcomes[..70], fewer.0.outcomes);
    assert_eq!(lists[2][..70], fewer.1[2]);
    assert_eq!(lists[0][..2], [[-1.0, 0.3], [-0.5, 0.0]]);
    // A horizon cuts the same paths, in the middle of a block of steps.
    let censored = passages.outcomes.iter().filter(|o| !o.is_escaped()).count();
    assert!(censored > 50 && censored < 650);
    let longer = with_threads(
        2,
        &PathProtocol {
            steps: 2000,
            ..runs.clone()
        },
    );
    for (cut, whole) in passages.outcomes.iter().zip(&longer.0.outcomes) {
        match cut {
            Outcome::Censored { time } => assert!(*time == 601.0 * 0.02 && whole.time() > *time),
            escaped => assert_eq!(escaped, whole),
        }
    }
    // Negative control: another experiment is another sample.
    let other = with_threads(
        1,
        &PathProtocol {
            experiment: 5,
            ..runs.clone()
        },
    );
    assert_ne!(passages, other.0);
}

#[test]
fn censored_means_agree_with_whole_ones() {
    let well = formula(WELL, &["x"], 0.2);
    let (free, target) = (Domain::unbounded(), beyond(0.0));
    let h = 0.02;
    let mut runs = protocol([-1.0], 30_000, h, "censored");
    runs.steps = (8.0 / h) as u64;
    let cut = first_passage_into(&well, &free, Some(&target), BRIDGE, &runs, &|_| ()).unwrap();
    assert!(cut.escaped() < 25_000);
    assert!(
        misfit(
            cut.mean_time(1e-3).unwrap(),
            TO_THE_TOP,
            WELL_BIAS * h * TO_THE_TOP
        ) < 1.0
    );
    // Negative controls: the mean of the escapes seen, and censored runs taken as escapes.
    let seen: Vec<f64> = cut
        .lifetimes()
        .iter()
        .filter(|l| l.escaped)
        .map(|l| l.time)
        .collect();
    assert!(misfit(mean(&seen).unwrap(), TO_THE_TOP, WELL_BIAS * h * TO_THE_TOP) > 1.0);
    let all: Vec<f64> = cut.lifetimes().iter().map(|l| l.time).collect();
    assert!(misfit(mean(&all).unwrap(), TO_THE_TOP, WELL_BIAS * h * TO_THE_TOP) > 1.0);
    // Too short a horizon is refused, not answered.
    runs.steps = 10;
    runs.runs = 100;
    let none = first_passage_into(&well, &free, Some(&target), BRIDGE, &runs, &|_| ()).unwrap();
    assert!(matches!(
        none.mean_time(1e-3),
        Err(Error::AllCensored { samples: 100, .. })
    ));
}

#[test]
fn bad_problems_are_refused() {
    let (free, target) = (Domain::unbounded(), beyond(1.0));
    let runs = |start| protocol([start], 100, 0.1, "bad");
    let brownian = Brownian(0.5);
    let run = |diffusion: &dyn Diffusion<1>, domain: &Domain<1>, start| {
        first_passage_into(diffusion, domain, Some(&target), BRIDGE, &runs(start), &|_| ()).unwrap_err()
    };
    assert!(matches!(
        run(&brownian, &free, 1.0),
        Error::OverlappingSets { .. }
    ));
    let narrow = cube(-1.0, 2.0, Boundary::Reflecting);
    assert!(matches!(
        run(&brownian, &narrow, -1.0),
        Error::OverlappingSets { .. }
    ));
    assert!(Domain::new([[2.0, 2.0]]).is_err() && Domain::new([[f64::NAN, 2.0]]).is_err());
    let half_periodic = narrow.with_boundaries([[Boundary::Periodic, Boundary::Reflecting]]);
    assert!(half_periodic.is_err());
    let endless = Domain::<1>::unbounded().with_boundaries([[Boundary::Periodic; 2]]);
    assert!(endless.is_err());
    let members = PointSet::of_members(|x: &Point<1>| x[0] < 2.0);
    let unknown_edge = free.clone().restricted_to(members, Boundary::Reflecting).unwrap();
    assert!(matches!(
        run(&brownian, &unknown_edge, 0.0),
        Error::Inconsistent { .. }
    ));
    let unstable = Functions(
        |x: &Point<1>| Point::<1>::new(1e3 * x[0].powi(3)),
        |_: &Point<1>| Tensor::<1>::new(1.0),
    );
    let result = first_passage_into(&unstable, &free, None, BRIDGE, &runs(0.0), &|_| ());
    assert!(matches!(result, Err(Error::Diverges { .. })));
    let hole = Functions(
        |_: &Point<1>| Point::<1>::zeros(),
        |x: &Point<1>| Tensor::<1>::new(x[0] + 0.5),
    );
    let message = run(&hole, &free, 0.0);
    assert!(matches!(message, Error::NotPositive { .. }), "{message}");
    let nan = Functions(
        |x: &Point<1>| Point::<1>::new((x[0] + 0.5).ln()),
        |_: &Point<1>| Tensor::<1>::new(1.0),
    );
    assert!(matches!(run(&nan, &free, 0.0), Error::Diverges { .. }));
    for times in [vec![0.15], vec![0.2, 0.2], vec![2e6], vec![-0.1], vec![f64::NAN]] {
        assert!(positions_at(&brownian, &free, &times, BRIDGE, &runs(0.0), &|_| ()).is_err());
    }
}
