//! A sharp and a flat valley of equal depth: how much longer SGD stays in the flat one, and how fast it hops.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::freezing::slice_rates;
use freezeout::landscape::{Slice, TwoValley};
use freezeout::noise::HessianPower;

fn main() -> freezeout::Result<()> {
    // Parameters: the diffusion tensor is Δ H, H the Hessian.
    let (y, noise_strength, cells) = (5.0, 1e-3, 1000);

    // Problem
    let model = TwoValley::default();
    let slice = Slice::new(model, y)?;
    let sgd = Sgd::with_noise_strength(slice, HessianPower::new(slice, 1.0, 1.0, 0.0)?, noise_strength)?;

    // Solve
    let rates = slice_rates(&model, &sgd, y, cells)?;

    // Print
    println!("relative error of the numbers: {:.0e}", rates.relative_error);
    println!("{:<28} {:>12} {:>12}", "quantity", "computed", "known");
    for (name, computed, known) in [
        ("probability of the flat side", rates.p_flat, 0.9331539),
        ("spectral gap", rates.spectral_gap, 0.0764702),
        ("time from flat to sharp", rates.flat_to_sharp, 199.559402),
        ("time from sharp to flat", rates.sharp_to_flat, 14.434345),
    ] {
        println!("{name:<28} {computed:>12.7} {known:>12.7}");
    }
    Ok(())
}
