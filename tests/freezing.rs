//! The reduced model along the slow path against its check values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use freezeout::Result;
use freezeout::diffusion::{Calculus, Sgd};
use freezeout::freezing::slice_rates;
use freezeout::freezing::{HopRates, last_hop, two_state};
use freezeout::landscape::{Slice, TwoValley, TwoValleyParameters};
use freezeout::rates::{ParabolicValleys, ScaleAndSpeed, confining_domain};

/// Δ and final P_flat for y0 = 1, computed independently for this project.
const TABLE: [(f64, f64); 5] = [
    (1e-4, 0.939),
    (2e-4, 0.946),
    (5e-4, 0.954),
    (1e-3, 0.961),
    (2e-3, 0.9685),
];

#[test]
fn freezing_theory_meets_its_check_values() -> Result<()> {
    let model = TwoValley::default();
    for (delta, p) in TABLE {
        let rates = HopRates::new(
            &model,
            |y| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, delta, 0.0),
            1.0,
            400.0,
            40,
        )?;
        let path = two_state(&model, &rates, 0.5, 1.0, 1000)?;
        let last = last_hop(&model, &rates, &path, 1.0);
        assert!(
            (path.final_p_flat() - p).abs() < 1e-3,
            "delta = {delta}: {}",
            path.final_p_flat()
        );
        // Order of the three laws, and the size of what the Poisson law neglects.
        assert!(last.hop.mean_y < last.poisson.mean_y && last.poisson.mean_y < last.ridge.mean_y);
        // Discretisation of slices and of the path, far below every number quoted.
        assert!(rates.relative_error() < 1e-6 && path.p_flat_error < 1e-5);
    }
    Ok(())
}

/// Slices of the two-valley model with D = Δ H^power.
fn slices(
    model: TwoValley,
    power: f64,
    delta: f64,
) -> impl Fn(f64) -> Result<Sgd<Slice<TwoValley>, freezeout::noise::HessianPower<Slice<TwoValley>>>> {
    move |y| Sgd::hessian_power(Slice::new(model, y)?, power, 1.0, delta, 0.0)
}

#[test]
fn hops_are_counted_half_way_as_by_the_density() -> Result<()> {
    let model = TwoValley::default();
    // ⟨y⟩ of the last hop by the density along the path (errors 2e-4 to 1e-3), an independent route with the same definition. The times
    // from bottom to bottom, used before, give 1.1538 2.0946 4.3011 6.7546.
    for (delta, y) in [(1e-4, 1.1618), (3e-4, 2.1181), (1e-3, 4.3393), (2e-3, 6.8061)] {
        let rates = HopRates::new(&model, slices(model, 1.0, delta), 1.0, 400.0, 16)?;
        let path = two_state(&model, &rates, 0.5, 1.0, 1000)?;
        let last = last_hop(&model, &rates, &path, 1.0);
        assert!(last.hop.has_ended() && last.hop.mean_y_error < 1e-4);
        // the lag of relaxation in the valleys, which rates leave out
        assert_close!(last.hop.mean_y, y, 1e-3, "delta = {delta}");
    }
    Ok(())
}

#[test]
fn slices_are_added_until_the_rates_are_known() -> Result<()> {
    // Flatness held at y = 20: ln τ bends sharply, and 8 slices gave P_flat = .94908.
    let model = TwoValley::default().with_flatness_at(20.0)?;
    let rates = HopRates::new(&model, slices(model, 1.0, 1e-3), 1.0, 400.0, 8)?;
    let path = two_state(&model, &rates, 0.5, 1.0, 1000)?;
    // .95554 by 400 slices without adaptation
    assert!(
        (path.final_p_flat() - 0.95554).abs() < 5e-6,
        "{}",
        path.final_p_flat()
    );
    assert!(rates.interpolation_error() < 1e-6 && rates.nodes() > 8);
    // A rate between the slices against the exact integral.
    let y = 3.7;
    let slice = slices(model, 1.0, 1e-3)(y)?;
    let (lower, upper) = confining_domain(&slice, -0.5, 0.5, 1e-18)?;
    let exact = ScaleAndSpeed::new(&slice, lower, upper)?.probability((0.0, upper), (lower, 0.0))?;
    assert!((rates.stationary_p_flat(y) - exact.value).abs() < 1e-6);
    // Whatever the noise, probabilities stay between 0 and 1: power 2 and few slices gave 1.008.
    for flatness_at in [2.0, 10.0, 50.0] {
        let model = TwoValley::default().with_flatness_at(flatness_at)?;
        for delta in [1e-4, 1e-3] {
            let rates = HopRates::new(&model, slices(model, 2.0, delta), 1.0, 400.0, 8)?;
            let path = two_state(&model, &rates, 0.5, 1.0, 200)?;
            assert!(path.p_flat.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
    Ok(())
}

#[test]
fn freezing_that_does_not_end_has_no_position() -> Result<()> {
    let model = TwoValley::default();
    // At Δ = .05 the barrier stays below 7 noise temperatures for ever.
    let rates = HopRates::new(&model, slices(model, 1.0, 0.05), 1.0, 400.0, 16)?;
    let path = two_state(&model, &rates, 0.5, 1.0, 1000)?;
    let last = last_hop(&model, &rates, &path, 1.0);
    assert!(!last.hop.has_ended() && !last.ridge.has_ended() && last.hop.late > 0.99);
    Ok(())
}

#[test]
fn large_parameters_cost_no_digits() -> Result<()> {
    // q = (y + y_b)/(y + y_f) taken as 1 − (y_f − y_b)/(y + y_f) lost all digits here and gave .9688.
    for y_f in [20.0, 1e5, 1e9] {
        let model = TwoValley::new(TwoValleyParameters {
            y_f,
            ..TwoValleyParameters::default()
        })?;
        let closed = ParabolicValleys::of_two_valley(&model, 5.0, 1.0, 1e-3)?.probability(Calculus::Ito);
        let rates = slice_rates(&model, &slices(model, 1.0, 1e-3)(5.0)?, 5.0, 500)?;
        assert!(
            (closed - 0.933_153_9).abs() < 5e-8 && (rates.p_flat - closed).abs() < 1e-9,
            "{y_f}"
        );
    }
    Ok(())
}
