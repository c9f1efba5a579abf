//! Shared by the tests of general ensembles: problems given as functions, runs, and comparisons.
//!
//! Tolerances are Z standard errors plus a stated bias. Z = 5 has a false-alarm probability of 6e-7 per comparison.
#![allow(dead_code, clippy::print_stdout)] // each test file uses its own part; numbers are printed for the reader of a failure

use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::ensemble::stream::experiment_number;
use freezeout::ensemble::*;
use freezeout::landscape::Expression;
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::region::{Boundary, Domain, PointSet};
use freezeout::statistics::{Estimate, mean};
use std::collections::BTreeMap;

pub const Z: f64 = 5.0;
pub const BRIDGE: CrossingTest = CrossingTest::BrownianBridge;
pub const END: CrossingTest = CrossingTest::EndOfStep;

/// Drift and tensor given as functions.
pub struct Functions<B, T>(pub B, pub T);

impl<const D: usize, B: Fn(&Point<D>) -> Point<D> + Sync, T: Fn(&Point<D>) -> Tensor<D> + Sync> Diffusion<D>
    for Functions<B, T>
{
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        (self.0)(theta)
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        (self.1)(theta)
    }
}

/// A user's formula with isotropic D = T: C = 2T/η.
pub fn formula<const D: usize>(
    text: &str,
    names: &[&str; D],
    temperature: f64,
) -> Sgd<Expression<D>, Isotropic> {
    let landscape = Expression::new(text, names, &BTreeMap::new(), vec![]).unwrap();
    Sgd::new(landscape, Isotropic::new(2.0 * temperature).unwrap(), 1.0, 1.0).unwrap()
}

pub fn protocol<const D: usize>(start: [f64; D], runs: usize, time_step: f64, name: &str) -> PathProtocol<D> {
    PathProtocol {
        starts: vec![start],
        runs,
        steps: 10_000_000,
        time_step,
        seed: 11,
        experiment: experiment_number(name),
    }
}

pub fn passage<const D: usize>(
    diffusion: &impl Diffusion<D>,
    domain: &Domain<D>,
    target: &PointSet<D>,
    crossing: CrossingTest,
    protocol: &PathProtocol<D>,
) -> Estimate {
    let passages = first_passage_into(diffusion, domain, Some(target), crossing, protocol, &|_| ()).unwrap();
    assert_eq!(passages.escaped(), protocol.runs);
    passages.mean_time(1e-3).unwrap()
}

/// Distance from `exact` in units of Z standard errors plus `bias`.
pub fn misfit(estimate: Estimate, exact: f64, bias: f64) -> f64 {
    println!(
        "{:.6} ± {:.6}, exact {exact}, relative {:+.2e}, bias allowed {bias:.1e}",
        estimate.value,
        estimate.standard_error,
        estimate.value / exact - 1.0
    );
    (estimate.value - exact).abs() / (Z * estimate.standard_error + bias)
}

pub fn beyond(position: f64) -> PointSet<1> {
    PointSet::half_space(Point::<1>::new(1.0), position).unwrap()
}

/// A box with the same boundary on all faces.
pub fn cube<const D: usize>(lower: f64, upper: f64, boundary: Boundary) -> Domain<D> {
    let domain = Domain::new([[lower, upper]; D]).unwrap();
    domain.with_boundaries([[boundary; 2]; D]).unwrap()
}

pub fn moment<const D: usize>(points: &[[f64; D]], f: impl Fn(&[f64; D]) -> f64) -> Estimate {
    mean(&points.iter().map(f).collect::<Vec<_>>()).unwrap()
}

/// Where the paths stand at the last time.
pub fn ends<const D: usize>(
    diffusion: &impl Diffusion<D>,
    domain: &Domain<D>,
    steps: u64,
    protocol: &PathProtocol<D>,
) -> Vec<[f64; D]> {
    let times = [steps as f64 * protocol.time_step];
    let mut lists = positions_at(diffusion, domain, &times, END, protocol, &|_| ()).unwrap();
    lists.remove(0)
}

/// Whether each halving of the step halves the error, up to Z standard errors and a quarter, more than terms of order
/// h² and less than the .41 by which order one half would miss.
pub fn halves(errors: &[Estimate]) -> bool {
    println!("{errors:?}");
    assert!(errors.len() >= 4);
    errors.windows(2).all(|pair| {
        let noise = pair[0].standard_error.hypot(2.0 * pair[1].standard_error);
        (pair[0].value - 2.0 * pair[1].value).abs() < Z * noise + 0.25 * pair[0].value.abs()
    })
}

pub const WELL: &str = "(x^2 - 1)^2/4";
/// Mean times of the double well at temperature 0.2, by quadrature of the exact integral.
pub const TO_THE_TOP: f64 = 7.934_021_54;
pub const TO_THE_OTHER: f64 = 19.093_896_996_8;
/// Relative bias of the double well per unit of time step: −.4 h in 400 000 runs at h = .02 of the vectorised loop.
pub const WELL_BIAS: f64 = 0.5;
