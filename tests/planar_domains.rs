//! The generator in the plane: published gaps, boundaries, domains, sets, kinks and refusals.
#![allow(clippy::unwrap_used)] // also in functions that tests share

mod common;

use common::planar::*;
use common::{assert_order, extrapolate, printed};
use freezeout::Error;
use freezeout::diffusion::{Calculus, Diffusion};
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Kink;
use freezeout::math::{Point, Tensor};
use freezeout::observables::*;
use freezeout::region::Boundary;

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
                -slow_modes(&Generator::assemble(&maier_stein(beta), grid).unwrap(), 1)
                    .unwrap()
                    .modes[0]
                    .eigenvalue
                    .re
            })
            .collect();
        let errors: Vec<f64> = values.iter().map(|v| v / gap - 1.0).collect();
        // four digits on the finest grid, six extrapolated
        assert!(errors[3].abs() < 2e-4, "{errors:?}");
        assert!((extrapolate(values.clone()) / gap - 1.0).abs() < printed(6));
        println!(
            "beta {beta}: {values:?}, errors {errors:?}, extrapolated error {:e}",
            extrapolate(values.clone()) / gap - 1.0
        );
    }
}

#[test]
fn times_out_of_a_strip_with_full_tensors_and_across_a_kink() {
    // τ depends on x alone: D_xx τ'' = −1 on either side of x = 0, τ continuous with its derivative
    let kink = || {
        vec![Kink {
            axis: 0,
            position: 0.0,
        }]
    };
    let (smooth, mild) = (along(0.5, 1.0, 0.1), along(0.5, 1.0, 0.5));
    for (left, right, kinks) in [(smooth, smooth, vec![]), (mild, along(-0.9, 2.0, 0.9), kink())] {
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
        assert_order(&errors, 2.0);
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
        Err(Error::Inconsistent { .. })
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
    assert!(matches!(
        Generator::assemble_in(&full, grid.clone(), Calculus::Klimontovich),
        Err(Error::OffDiagonalTensor { .. })
    ));
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
