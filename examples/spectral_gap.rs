//! The slowest relaxation rate of a double well, down to twelve decades below the rates in a well, to full relative accuracy.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::DoubleWell;
use freezeout::noise::Isotropic;
use freezeout::observables::spectral_gap;
use freezeout::statistics::convergence::richardson;

fn main() -> freezeout::Result<()> {
    // Parameters: L = x⁴/4 − x²/2 with D = T, the noise.
    let (barrier, variance) = (0.25, 1.0);
    let (end, cells, levels) = (2.8, 400, 4);
    let known = [
        (0.2, 0.134777983747),
        (0.1, 0.033545287308),
        (0.05, 2.77614063657e-3),
        (0.025, 1.95892730e-5),
        (0.01, 6.1546502e-12),
    ];

    let mut rows = Vec::new();
    for (temperature, known) in known {
        // Problem
        let well = DoubleWell::new(barrier, 1.0)?;
        let sgd = Sgd::with_noise_strength(well, Isotropic::new(variance)?, temperature)?;

        // Solve: each grid has cells of half the width, and the limit is extrapolated.
        let mut grid = Grid::new([Axis::uniform(-end, end, cells)?]);
        let mut gaps = Vec::new();
        for _ in 0..levels {
            gaps.push(spectral_gap(&Generator::assemble(&sgd, grid.clone())?)?.rate);
            grid = grid.refined();
        }
        let limit = richardson(&gaps, 2.0, Some(2.0))?;
        rows.push((temperature, limit.error / limit.limit, limit.limit, known));
    }

    // Print
    println!(
        "{:>8} {:>16} {:>20} {:>20}",
        "T", "relative error", "spectral gap", "known"
    );
    for (temperature, error, gap, known) in rows {
        println!("{temperature:>8} {error:>16.1e} {gap:>20.10e} {known:>20.10e}");
    }
    Ok(())
}
