//! Training along a slow direction freezes into one valley: which one, and where, as the noise grows.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::freezing::{HopRates, last_hop, two_state};
use freezeout::landscape::{Slice, TwoValley};
use freezeout::noise::HessianPower;

fn main() -> freezeout::Result<()> {
    // Parameters: half of the runs start in each valley at y = 1 and move on at the speed of the valley floor.
    let (start, end, nodes, steps) = (1.0, 400.0, 16, 1000);
    let p_flat = 0.5;
    let known = [
        (1e-4, 0.9384, 1.1618),
        (3e-4, 0.9493, 2.1181),
        (1e-3, 0.9609, 4.3393),
        (2e-3, 0.9685, 6.8061),
    ];

    let mut rows = Vec::new();
    for (strength, known_p, known_y) in known {
        // Problem: the fast direction x at each y, with the diffusion tensor Δ H, H the Hessian.
        let model = TwoValley::default();
        let sgd = |y| {
            let slice = Slice::new(model, y)?;
            Sgd::with_noise_strength(slice, HessianPower::new(slice, 1.0, 1.0, 0.0)?, strength)
        };

        // Solve: exact hop rates, then the master equation of the two valleys along y.
        let rates = HopRates::new(&model, sgd, start, end, nodes)?;
        let path = two_state(&model, &rates, p_flat, 1.0, steps)?;
        let last = last_hop(&model, &rates, &path, 1.0);
        rows.push((strength, path.final_p_flat(), known_p, last.hop.mean_y, known_y));
    }

    // Print
    println!(
        "{:>8} {:>14} {:>8} {:>16} {:>8}",
        "Δ", "final P_flat", "known", "y of last hop", "known"
    );
    for (strength, p_flat, known_p, y, known_y) in rows {
        println!("{strength:>8} {p_flat:>14.4} {known_p:>8.4} {y:>16.4} {known_y:>8.4}");
    }
    Ok(())
}
