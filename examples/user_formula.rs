//! A loss written as a formula: the mean time out of a valley from the generator on grids, and from simulated Langevin paths.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::ensemble::{CrossingTest, PathProtocol, first_passage_into};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Expression;
use freezeout::noise::Isotropic;
use freezeout::observables::mean_first_passage_time;
use freezeout::region::{Domain, PointSet};
use freezeout::statistics::convergence::richardson;
use std::collections::BTreeMap;

fn main() -> freezeout::Result<()> {
    // Parameters
    let (formula, start, edge, known) = ("(x^2 - 1)^2", -1.0, 1.0, 182.41767);
    let (variance, noise_strength) = (1.0, 0.2); // D = Δ C

    // Problem
    let loss = Expression::<1>::new(formula, &["x"], &BTreeMap::new(), vec![])?;
    let sgd = Sgd::with_noise_strength(loss, Isotropic::new(variance)?, noise_strength)?;
    let beyond = PointSet::half_space([1.0].into(), edge)?;

    // Solve on four grids, extrapolated, and by simulation
    let mut grid = Grid::new([Axis::with_faces_at(-2.6, 2.6, 200, &[edge])?]);
    let mut times = Vec::new();
    for _ in 0..4 {
        let target = CellSet::new("beyond the edge", &grid, |x| beyond.contains(x, &sgd))?;
        let time = mean_first_passage_time(&Generator::assemble(&sgd, grid.clone())?, &target)?;
        times.push(grid.interpolate(&time, [start]));
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
    let (domain, test) = (Domain::unbounded(), CrossingTest::BrownianBridge);
    let passages = first_passage_into(&sgd, &domain, Some(&beyond), test, &protocol, &|_| ())?;
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
