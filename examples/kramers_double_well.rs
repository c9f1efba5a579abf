//! Mean time over the barrier of a double well: the exact integral, its known value, and Kramers' law for weak noise.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::landscape::DoubleWell;
use freezeout::noise::Isotropic;
use freezeout::rates::kramers::{SmoothBarrier, log_escape_time};
use freezeout::rates::{ScaleAndSpeed, confining_domain};

fn main() -> freezeout::Result<()> {
    // Parameters: L = x⁴/4 − x²/2 with D = T, the noise.
    let (barrier, variance) = (0.25, 1.0);
    let known = [
        (0.2, 19.0938969968),
        (0.1, 66.2686263649),
        (0.05, 729.670691942),
        (0.025, 102108.365457),
    ];

    let mut rows = Vec::new();
    for (temperature, known) in known {
        // Problem
        let well = DoubleWell::new(barrier, 1.0)?;
        let sgd = Sgd::with_noise_strength(well, Isotropic::new(variance)?, temperature)?;

        // Solve
        let (lower, upper) = confining_domain(&sgd, -1.0, 1.0, 1e-18)?;
        let exact = ScaleAndSpeed::new(&sgd, lower, upper)?.first_passage(-1.0, 1.0)?;
        let kramers = log_escape_time(SmoothBarrier {
            well_curvature: 2.0,
            barrier_curvature: 1.0,
            reduced_barrier: barrier / temperature,
            diffusivity_ratio: 1.0,
        })?;
        let correction = (exact.mean.log - kramers).exp_m1() / temperature; // tends to 3/2
        rows.push((temperature, kramers.exp(), correction, exact.mean.value, known));
    }

    // Print
    println!("mean time from x = -1 to x = 1");
    println!(
        "{:>8} {:>16} {:>24} {:>16} {:>16}",
        "T", "Kramers", "(exact/Kramers - 1)/T", "exact", "known"
    );
    for (temperature, kramers, correction, exact, known) in rows {
        println!("{temperature:>8} {kramers:>16.6} {correction:>24.6} {exact:>16.6} {known:>16.6}");
    }
    Ok(())
}
