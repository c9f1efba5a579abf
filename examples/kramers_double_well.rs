//! Mean time over the barrier of a double well: the exact integral, its known value, and Kramers' law for weak noise.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::landscape::DoubleWell;
use freezeout::noise::Isotropic;
use freezeout::rates::kramers::{SmoothBarrier, log_escape_time};
use freezeout::rates::{ScaleAndSpeed, confining_domain};

fn main() -> freezeout::Result<()> {
    // Parameters: L = x⁴/4 − x²/2 with gradient noise of variance C; larger batches make the noise T = ηC/2B weaker.
    let (barrier, learning_rate, variance) = (0.25, 0.1, 4.0);
    let known = [
        (1.0, 19.0938969968),
        (2.0, 66.2686263649),
        (4.0, 729.670691942),
        (8.0, 102108.365457),
    ];

    let mut rows = Vec::new();
    for (batch_size, known) in known {
        // Problem
        let sgd = Sgd::new(
            DoubleWell::new(barrier, 1.0)?,
            Isotropic::new(variance)?,
            learning_rate,
            batch_size,
        )?;
        let temperature = 0.5 * learning_rate * variance / batch_size;

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
