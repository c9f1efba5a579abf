//! The reduced model along the slow path against its check values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use freezeout::Result;
use freezeout::diffusion::Sgd;
use freezeout::freezing::{HopRates, last_hop, two_state};
use freezeout::landscape::{Slice, TwoValley};

/// Δ, ⟨y_freeze⟩ by the Poisson law, and final P_flat for y0 = 1, computed independently for this project.
const TABLE: [(f64, f64, f64); 5] = [
    (1e-4, 1.187, 0.939),
    (2e-4, 1.739, 0.946),
    (5e-4, 2.964, 0.954),
    (1e-3, 4.525, 0.961),
    (2e-3, 7.138, 0.9685),
];

#[test]
fn freezing_theory_meets_its_check_values() -> Result<()> {
    let model = TwoValley::default();
    for (delta, y, p) in TABLE {
        let rates = HopRates::new(
            &model,
            |y| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, delta, 0.0),
            1.0,
            400.0,
            40,
        )?;
        let path = two_state(&model, &rates, 0.5, 1.0, 1000)?;
        let last = last_hop(&model, &rates, &path, 1.0);
        // The listed ⟨y⟩ is the Poisson variant, with bottom-to-bottom times also in the master equation.
        assert_close!(last.mean_y_poisson, y, 5e-3, "delta = {delta}");
        assert!(
            (path.final_p_flat() - p).abs() < 1e-3,
            "delta = {delta}: {}",
            path.final_p_flat()
        );
        // Order of the three laws, and the size of what the Poisson law neglects.
        assert!(last.mean_y < last.mean_y_poisson && last.mean_y_poisson < last.mean_y_ridge);
        // Discretisation of slices and of the path, far below every number quoted.
        assert!(rates.relative_error() < 1e-6 && path.p_flat_error < 1e-5);
    }
    Ok(())
}
