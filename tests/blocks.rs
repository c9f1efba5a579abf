//! What landscapes, noises, drifts and sets say of a block of points against what they say of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests fail by panicking

use freezeout::diffusion::{Diffusion, DriftDiffusion, DriftExpression, Sgd};
use freezeout::landscape::{self, Landscape, MuellerBrown, SmoothedLandscape};
use freezeout::math::{Formula, LANES, Lanes, Point, PointBlock, Tensor};
use freezeout::noise::{self, Constant, GradientNoise, HessianPower, Isotropic, LossScaled, RandomShift};
use freezeout::region::PointSet;
use std::collections::BTreeMap;

const TEXT: [&str; 2] = ["(x^2 - 1)^2/4 + 0.3", "(x^2 - 1)^2/4 + exp(-x)*y^2 + 0.3"];
const NAMES: [&str; 2] = ["x", "y"];

fn names<const D: usize>() -> [&'static str; D] {
    std::array::from_fn(|d| NAMES[d])
}

fn loss<const D: usize>() -> landscape::Expression<D> {
    landscape::Expression::new(TEXT[D - 1], &names::<D>(), &BTreeMap::new(), vec![]).unwrap()
}

/// The loss on a lattice whose spacing varies.
fn table<const D: usize>() -> ([Vec<f64>; D], Vec<f64>) {
    const POINTS: usize = 41;
    let axis: Vec<f64> = (0..POINTS)
        .map(|k| k as f64 / (POINTS - 1) as f64)
        .map(|s| -2.0 + 4.0 * s + 0.3 * (std::f64::consts::TAU * s).sin())
        .collect();
    let at = |entry: usize| Point::<D>::from_fn(|d, _| axis[entry / POINTS.pow((D - 1 - d) as u32) % POINTS]);
    let values = (0..POINTS.pow(D as u32)).map(|entry| loss::<D>().loss(&at(entry)));
    (std::array::from_fn(|_| axis.clone()), values.collect())
}

/// Points within the table, all but three lanes of a block.
fn points<const D: usize>() -> Vec<Point<D>> {
    let coordinate = |k: usize, d: usize| -1.8 + 3.6 * (k as f64 * [0.754_877_666, 0.569_840_291][d]).fract();
    (0..LANES - 3)
        .map(|k| Point::<D>::from_fn(|d, _| coordinate(k, d)))
        .collect()
}

/// A few roundings of numbers that cancel no further than to a hundredth.
fn assert_near(found: f64, expected: f64, size: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 200.0 * f64::EPSILON * size,
        "{what}: {found} and {expected}"
    );
}

fn compare_matrix<const D: usize>(
    what: &str,
    block: impl Fn(&PointBlock<D>, &mut [[Lanes; D]; D]),
    each: impl Fn(&Point<D>) -> Tensor<D>,
) {
    let mut found = [[[f64::NAN; LANES]; D]; D];
    block(&PointBlock::of(&points()), &mut found);
    for (lane, theta) in points::<D>().iter().enumerate() {
        let expected = each(theta);
        for r in 0..D {
            for c in 0..D {
                assert_near(
                    found[r][c][lane],
                    expected[(r, c)],
                    expected.norm().max(1.0),
                    what,
                );
            }
        }
    }
}

fn compare_vector<const D: usize>(
    what: &str,
    block: impl Fn(&PointBlock<D>, &mut [Lanes; D]),
    each: impl Fn(&Point<D>) -> Point<D>,
) {
    let mut found = [[f64::NAN; LANES]; D];
    block(&PointBlock::of(&points()), &mut found);
    for (lane, theta) in points::<D>().iter().enumerate() {
        let expected = each(theta);
        for d in 0..D {
            assert_near(found[d][lane], expected[d], expected.norm().max(1.0), what);
        }
    }
}

fn landscapes<const D: usize>() -> Vec<Box<dyn Landscape<D>>> {
    let (axes, values) = table::<D>();
    let shift = Tensor::<D>::identity() * 0.01;
    vec![
        Box::new(loss::<D>()),
        Box::new(landscape::Tabulated::new(axes, values).unwrap()),
        Box::new(SmoothedLandscape::new(loss::<D>(), &shift, 4).unwrap()),
    ]
}

fn noises<const D: usize>() -> Vec<Box<dyn GradientNoise<D>>> {
    let shift = Tensor::<D>::identity() * 0.01;
    let (axes, values) = table::<D>();
    let entries = if D == 1 {
        vec![values]
    } else {
        vec![values.clone(), vec![0.0; values.len()], values]
    };
    let texts = ["1 + x^2", "x*y/2", "1 + y^2"];
    let mut all: Vec<Box<dyn GradientNoise<D>>> = vec![
        Box::new(Isotropic::new(0.7).unwrap()),
        Box::new(Constant::new(Tensor::<D>::identity() * 0.3).unwrap()),
        Box::new(noise::Expression::new(&texts[..2 * D - 1], &names::<D>(), &BTreeMap::new()).unwrap()),
        Box::new(noise::Tabulated::new(axes, entries).unwrap()),
        Box::new(LossScaled::<_, D>::new(loss::<D>(), 0.1, 0.02).unwrap()),
        Box::new(LossScaled::at_minimum(loss::<D>(), &Point::<D>::from_element(0.9), 0.1, 0.02).unwrap()),
        Box::new(RandomShift::new(loss::<D>(), &shift, 4, 0.01).unwrap()),
    ];
    for power in [0.5, 1.0, 2.0] {
        all.push(Box::new(
            HessianPower::new(loss::<D>(), power, 0.7, 0.01).unwrap(),
        ));
    }
    all
}

fn compare_all<const D: usize>() {
    for (k, landscape) in landscapes::<D>().into_iter().enumerate() {
        let what = format!("landscape {k} in {D}");
        let mut losses = [f64::NAN; LANES];
        landscape.loss_block(&PointBlock::of(&points()), &mut losses);
        for (lane, theta) in points::<D>().iter().enumerate() {
            assert_near(losses[lane], landscape.loss(theta), 1.0, &what);
        }
        compare_vector(
            &what,
            |p, g| landscape.gradient_block(p, g),
            |p| landscape.gradient(p),
        );
        compare_matrix(
            &what,
            |p, h| landscape.hessian_block(p, h),
            |p| landscape.hessian(p),
        );
    }
    for (k, noise) in noises::<D>().into_iter().enumerate() {
        let what = format!("noise {k} in {D}");
        compare_matrix(
            &what,
            |p, c| noise.covariance_block(p, c),
            |p| noise.covariance(p),
        );
        let sgd = Sgd::new(loss::<D>(), noise, 0.1, 3.0).unwrap();
        compare_vector(&what, |p, b| sgd.drift_block(p, b), |p| sgd.drift(p));
        compare_matrix(&what, |p, c| sgd.tensor_block(p, c), |p| sgd.tensor(p));
    }
}

#[test]
fn blocks_say_what_points_say() {
    compare_all::<1>();
    compare_all::<2>();
    compare_vector(
        "a landscape without blocks of its own",
        |p, g| MuellerBrown.gradient_block(p, g),
        |p| MuellerBrown.gradient(p),
    );
    let swirl = DriftExpression::<2>::new(&["-x - y^3", "x - y"], &NAMES, &BTreeMap::new()).unwrap();
    let process = DriftDiffusion::new(swirl, Isotropic::new(1.0).unwrap(), 0.3).unwrap();
    compare_vector("drift", |p, b| process.drift_block(p, b), |p| process.drift(p));
    compare_matrix("tensor", |p, d| process.tensor_block(p, d), |p| process.tensor(p));
}

#[test]
fn sets_say_of_blocks_what_they_say_of_points() {
    let sgd = Sgd::with_noise_strength(loss::<2>(), Isotropic::new(1.0).unwrap(), 0.1).unwrap();
    let condition = Formula::parse_condition("x*y > 0.2", &NAMES, &BTreeMap::new()).unwrap();
    let half = PointSet::half_space(Point::<2>::new(1.0, -0.5), 0.1).unwrap();
    let sets = [
        half.clone(),
        PointSet::ball(points::<2>()[3], 0.7).unwrap(),
        PointSet::ellipse(Point::<2>::new(0.1, 0.2), Point::<2>::new(1.0, 0.4), 0.3).unwrap(),
        PointSet::between(Point::<2>::new(-1.0, -0.7), Point::<2>::new(1.0, 0.4)).unwrap(),
        PointSet::condition(condition),
        PointSet::sublevel(0.5).unwrap(),
        PointSet::of_level(|p: &Point<2>| (p.norm_squared() - 1.0, 2.0 * p)),
        PointSet::all(vec![half, PointSet::sublevel(0.4).unwrap()]).unwrap(),
    ];
    for set in &sets {
        let (mut level, mut slope) = ([f64::NAN; LANES], [[f64::NAN; LANES]; 2]);
        assert!(set.level_block(&PointBlock::of(&points()), &sgd, &mut level, &mut slope));
        for (lane, theta) in points::<2>().iter().enumerate() {
            let (value, gradient) = set.level(theta, &sgd).unwrap();
            assert_near(level[lane], value, 1.0, &format!("{set:?}"));
            for d in 0..2 {
                assert_near(
                    slope[d][lane],
                    gradient[d],
                    gradient.norm().max(1.0),
                    &format!("{set:?}"),
                );
            }
        }
    }
    let members = PointSet::of_members(|p: &Point<2>| p[0] > 0.0);
    let (mut level, mut slope) = ([0.0; LANES], [[0.0; LANES]; 2]);
    assert!(!members.level_block(&PointBlock::of(&points()), &sgd, &mut level, &mut slope));
}
