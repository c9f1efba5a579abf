//! A loss written as a formula: the mean time out of a valley from the generator on grids, and from simulated Langevin paths.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::ensemble::{CrossingTest, Domain, PathProtocol, Target, first_passage_into};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Expression;
use freezeout::math::Point;
use freezeout::noise::Isotropic;
use freezeout::observables::mean_first_passage_time;
use freezeout::statistics::convergence::richardson;
use std::collections::BTreeMap;

fn main() -> freezeout::Result<()> {
    // Parameters
    let (formula, start, edge, known) = ("(x^2 - 1)^2", -1.0, 1.0, 182.41767);
    let (learning_rate, batch_size, variance) = (0.01, 1.0, 40.0); // D = ηC/2B = 0.2

    // Problem
    let loss = Expression::<1>::new(formula, &["x"], &BTreeMap::new(), vec![])?;
    let sgd = Sgd::new(loss, Isotropic::new(variance)?, learning_rate, batch_size)?;

    // Solve on four grids, extrapolated, and by simulation
    let mut grid = Grid::new([Axis::with_faces_at(-2.6, 2.6, 200, &[edge])?]);
    let mut times = Vec::new();
    for _ in 0..4 {
        let target = CellSet::new("beyond the edge", &grid, |x| x[0] > edge)?;
        let time = mean_first_passage_time(&Generator::assemble(&sgd, grid.clone())?, &target)?;
        times.push(grid.interpolate(&time, start));
        grid = grid.refined();
    }
    let limit = richardson(&times, 2.0, Some(2.0))?;
    let protocol = PathProtocol {
        starts: vec![[start]],
        runs: 600,
        steps: 1_000_000,
        time_step: 0.01,
        seed: 1,
        experiment: 0,
    };
    let beyond = |x: &Point<1>| (edge - x[0], Point::<1>::new(-1.0));
    let (domain, target, test) = (
        Domain::unbounded(),
        Target::Level(&beyond),
        CrossingTest::BrownianBridge,
    );
    let passages = first_passage_into(&sgd, &domain, &target, test, &protocol, &|_| ())?;
    let mean = passages.mean_time(1e-3)?;

    // Print
    println!(
        "{:<12} {:>12} {:>12} {:>12}",
        "route", "error", "mean time", "known"
    );
    let row = |route, error, time| println!("{route:<12} {error:>12.1e} {time:>12.5} {known:>12.5}");
    row("grid", limit.error, limit.limit);
    row("simulation", mean.standard_error, mean.value);
    Ok(())
}
