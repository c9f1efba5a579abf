//! SGD itself at finite learning rate: simulated runs against the exact law of the SGD map, which differs from its diffusion limit.
#![allow(clippy::print_stdout)]

use freezeout::diffusion::Sgd;
use freezeout::ensemble::{Cell, Protocol, TwoValleyWalk, simulate};
use freezeout::landscape::{Slice, TwoValley};
use freezeout::transfer::{Resolution, TransferOperator};

fn main() -> freezeout::Result<()> {
    // Parameters: y is held; η and σ change such that the noise strength Δ = ησ does not.
    let (y, strength) = (3.0, 1e-3);
    let (runs, time, domain) = (20_000, 30.0, [-1.2, 1.2]);
    let known = [(0.04, 0.765), (0.01, 0.770), (0.0025, 0.779)];

    let mut rows = Vec::new();
    for (learning_rate, known) in known {
        // Problem
        let (model, sigma) = (TwoValley::default(), strength / learning_rate);
        let sgd = Sgd::hessian_power(model, 1.0, learning_rate, sigma, 0.0)?;
        let slice = Sgd::hessian_power(Slice::new(model, y)?, 1.0, learning_rate, sigma, 0.0)?;

        // Solve: the law that no step changes, and runs long enough to have forgotten where they began.
        let operator = TransferOperator::new(&slice, domain, &[], Resolution::default())?;
        let exact = operator.probability_above(&operator.stationary()?.mass, 0.0)?;
        let cell = Cell {
            walk: TwoValleyWalk::discrete(&sgd)?.with_y_held(),
            protocol: Protocol {
                starts: vec![[-0.1, y], [0.1, y]],
                runs,
                steps: (time / learning_rate) as u64,
                record_every: None,
                seed: 1,
                experiment: 0,
            },
        };
        let simulated = simulate(&[cell], &|_| ())?[0].p_flat();
        let error = (simulated * (1.0 - simulated) / runs as f64).sqrt();
        rows.push((learning_rate, simulated, error, exact, known));
    }

    // Print
    println!("probability of the flat side; 0.7916 in the limit η → 0");
    println!(
        "{:>8} {:>12} {:>16} {:>18} {:>8}",
        "η", "simulated", "standard error", "transfer operator", "known"
    );
    for (learning_rate, simulated, error, exact, known) in rows {
        println!("{learning_rate:>8} {simulated:>12.4} {error:>16.4} {exact:>18.4} {known:>8.3}");
    }
    Ok(())
}
