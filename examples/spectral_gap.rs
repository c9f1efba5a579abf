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
    // Parameters: L = x⁴/4 − x²/2; the noise T = ηC/2B is set by the batch size.
    let (barrier, learning_rate, variance) = (0.25, 0.1, 4.0);
    let (end, cells, levels) = (2.8, 400, 4);
    let known = [
        (1.0, 0.134777983747),
        (2.0, 0.033545287308),
        (4.0, 2.77614063657e-3),
        (8.0, 1.95892730e-5),
        (20.0, 6.1546502e-12),
    ];

    let mut rows = Vec::new();
    for (batch_size, known) in known {
        // Problem
        let well = DoubleWell::new(barrier, 1.0)?;
        let sgd = Sgd::new(well, Isotropic::new(variance)?, learning_rate, batch_size)?;

        // Solve: each grid has cells of half the width, and the limit is extrapolated.
        let mut grid = Grid::new([Axis::uniform(-end, end, cells)?]);
        let mut gaps = Vec::new();
        for _ in 0..levels {
            gaps.push(spectral_gap(&Generator::assemble(&sgd, grid.clone())?)?.rate);
            grid = grid.refined();
        }
        let limit = richardson(&gaps, 2.0, Some(2.0))?;
        let temperature = 0.5 * learning_rate * variance / batch_size;
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
