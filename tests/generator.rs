//! Route 3, the Fokker-Planck generator in one dimension, against closed forms and published numbers.
#![allow(clippy::unwrap_used)] // also in functions that tests share

mod common;

use common::{Brownian, KinksHidden, assert_order, extrapolate, printed};
use freezeout::diffusion::{Calculus, Diffusion, OrnsteinUhlenbeck, Sgd};
use freezeout::freezing::slice_rates;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{DoubleWell, Side, Slice, TwoValley};
use freezeout::noise::{HessianPower, Isotropic};
use freezeout::observables::*;
use freezeout::{Error, Result};

/// dx = −V′dt + sqrt(2ε) dW with V = x⁴/4 − x²/2.
fn double_well(eps: f64) -> Sgd<DoubleWell, Isotropic> {
    // D = (η/2B) C with η = B = 1.
    Sgd::new(
        DoubleWell::new(0.25, 1.0).unwrap(),
        Isotropic::new(2.0 * eps).unwrap(),
        1.0,
        1.0,
    )
    .unwrap()
}

fn slice(y: f64, delta: f64) -> Sgd<Slice<TwoValley>, HessianPower<Slice<TwoValley>>> {
    Sgd::hessian_power(Slice::new(TwoValley::default(), y).unwrap(), 1.0, 1.0, delta, 0.0).unwrap()
}

/// `quantity` on `levels` grids, each with halved cells, extrapolated.
fn on_levels(grid: Grid<1>, levels: usize, quantity: impl Fn(Grid<1>) -> Result<f64>) -> Result<Vec<f64>> {
    let mut grid = grid;
    let mut values = Vec::new();
    for _ in 0..levels {
        values.push(quantity(grid.clone())?);
        grid = grid.refined();
    }
    Ok(values)
}

fn passage_time(diffusion: &impl Diffusion<1>, grid: Grid<1>, from: f64, beyond: f64) -> Result<f64> {
    let target = CellSet::new("target", &grid, |x| (x[0] - beyond) * (beyond - from) > 0.0)?;
    let generator = Generator::assemble(diffusion, grid)?;
    Ok(generator
        .grid()
        .interpolate(&mean_first_passage_time(&generator, &target)?, [from]))
}

/// A number and how many of its digits are printed.
type Printed = (f64, i32);

/// ε, MFPT −1 → 1, MFPT −1 → 0, spectral gap, with the digits printed for each.
/// Computed to spectral accuracy for this project (Chebyshev collocation and 50-digit quadrature).
const DOUBLE_WELL: [(f64, Printed, Printed, Printed); 5] = [
    (0.2, (19.0938969968, 12), (7.93402154, 9), (0.134777983747, 12)),
    (
        0.1,
        (66.2686263649, 12),
        (30.8213024727, 12),
        (0.033545287308, 11),
    ),
    (
        0.05,
        (729.670691942, 12),
        (361.903759501, 12),
        (2.77614063657e-3, 12),
    ),
    (0.025, (102108.365457, 12), (51050.7025, 9), (1.95892730e-5, 9)),
    (0.01, (324957543147.0, 12), (1.62478772e11, 9), (6.1546502e-12, 8)),
];

#[test]
fn double_well_table() -> Result<()> {
    for (eps, across, to_ridge, gap) in DOUBLE_WELL {
        let diffusion = double_well(eps);
        // Beyond ±a the density is below e^{−V/ε} = 1e-17 for every ε here.
        let a = (1.0 + (40.0 * 4.0 * eps).sqrt()).sqrt();
        let grid = Grid::new([Axis::with_faces_at(-a, a, 800, &[-1.0, 0.0, 1.0])?]);
        let tau = |beyond: f64| -> Result<f64> {
            Ok(extrapolate(on_levels(grid.clone(), 5, |g| {
                passage_time(&diffusion, g, -1.0, beyond)
            })?))
        };
        assert_close!(tau(1.0)?, across.0, printed(across.1), "eps = {eps}");
        assert_close!(tau(0.0)?, to_ridge.0, printed(to_ridge.1), "eps = {eps}");
        let lambda = extrapolate(on_levels(grid.clone(), 5, |g| {
            Ok(spectral_gap(&Generator::assemble(&diffusion, g)?)?.rate)
        })?);
        assert_close!(lambda, gap.0, printed(gap.1), "eps = {eps}");
    }
    Ok(())
}

/// (y, Δ): τ flat → sharp, τ sharp → flat, P_flat(Ito), spectral gap, as computed independently for this project.
#[test]
fn slice_check_values() -> Result<()> {
    for (y, delta, fs, sf, p, gap) in [
        (5.0, 1e-3, 199.559402, 14.434345, 0.9331539, 0.0764702),
        (5.0, 2e-3, 11.684729, 2.641601, 0.8232857, 0.5248458),
        (5.0, 1e-2, 0.9540319, 0.5451900, 0.6673389, 2.926069),
        (10.0, 5e-3, 24.004019, 4.184951, 0.8560852, 0.3081645),
    ] {
        let rates = slice_rates(&TwoValley::default(), &slice(y, delta), y, 1000)?;
        assert_close!(rates.flat_to_sharp, fs, printed(7), "y = {y}");
        assert_close!(rates.sharp_to_flat, sf, printed(7), "y = {y}");
        assert_close!(rates.p_flat, p, printed(7), "y = {y}");
        assert_close!(rates.spectral_gap, gap, printed(6), "y = {y}");
        // The estimate of the discretisation error must itself be small and not zero.
        assert!(rates.relative_error > 0.0 && rates.relative_error < 1e-8);
    }
    for (y, p) in [
        (1.0, 0.643084),
        (3.0, 0.791597),
        (5.0, 0.9331539),
        (10.0, 0.999263),
    ] {
        let rates = slice_rates(&TwoValley::default(), &slice(y, 1e-3), y, 1000)?;
        assert_close!(rates.p_flat, p, printed(6), "y = {y}");
    }
    Ok(())
}

#[test]
fn ornstein_uhlenbeck_times_and_spectrum() -> Result<()> {
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
    for (k, tau) in [(1.0, 2.09340665), (2.0, 10.4284094), (4.0, 2018.39238)] {
        let grid = Grid::new([Axis::with_faces_at(-10.0, k + 0.5, 400, &[0.0, k])?]);
        let levels = on_levels(grid, 4, |g| passage_time(&ou, g, 0.0, k))?;
        assert_close!(extrapolate(levels), tau, printed(9));
    }
    let grid = Grid::new([Axis::uniform(-10.0, 10.0, 400)?]);
    let gap = on_levels(grid, 4, |g| Ok(spectral_gap(&Generator::assemble(&ou, g)?)?.rate))?;
    // Errors of 1e-3 h², extrapolated three times.
    assert_close!(extrapolate(gap), 1.0, 1e-11);
    Ok(())
}

#[test]
fn brownian_exit_mean_variance_rate_and_committor() -> Result<()> {
    let (d, l) = (0.7, 1.3);
    let grid = Grid::new([Axis::with_faces_at(-2.0, 2.0, 200, &[-l, 0.0, l])?]);
    let outside = |g: &Grid<1>| CellSet::new("outside", g, |x| x[0].abs() > l);
    let mean = on_levels(grid.clone(), 3, |g| {
        let generator = Generator::assemble(&Brownian(d), g.clone())?;
        Ok(g.interpolate(&mean_first_passage_time(&generator, &outside(&g)?)?, [0.0]))
    })?;
    assert_close!(extrapolate(mean), l * l / (2.0 * d), 1e-11); // rounding of N = 800 cells
    let variance = on_levels(grid.clone(), 4, |g| {
        let generator = Generator::assemble(&Brownian(d), g.clone())?;
        let deviation = first_passage_moments(&generator, &outside(&g)?)?.deviation;
        Ok(g.interpolate(&deviation, [0.0]).powi(2))
    })?;
    // σ² = 2D.
    assert_close!(
        extrapolate(variance),
        2.0 * l.powi(4) / (3.0 * (2.0 * d).powi(2)),
        1e-10
    );
    let rate = on_levels(grid.clone(), 4, |g| {
        let generator = Generator::assemble(&Brownian(d), g.clone())?;
        Ok(quasi_stationary(&generator, &outside(&g)?)?.escape_rate)
    })?;
    assert_close!(
        extrapolate(rate),
        d * (std::f64::consts::PI / (2.0 * l)).powi(2),
        1e-10
    );
    let generator = Generator::assemble(&Brownian(d), grid.clone())?;
    let (a, b) = (
        CellSet::new("a", &grid, |x| x[0] < -l)?,
        CellSet::new("b", &grid, |x| x[0] > l)?,
    );
    let q = committor(&generator, &a, &b)?;
    // Linear, hence exact on any grid up to rounding.
    assert_close!(grid.interpolate(&q, [0.5]), (0.5 + l) / (2.0 * l), 1e-12);
    Ok(())
}

/// Second order on a smooth problem and across the kink when a face stands on it; first order when the grid ignores it.
#[test]
fn observed_order() -> Result<()> {
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
    let grid = Grid::new([Axis::with_faces_at(-9.0, 2.0, 66, &[0.0, 1.0])?]);
    let exact = extrapolate(on_levels(grid.clone(), 8, |g| passage_time(&ou, g, 0.0, 1.0))?);
    let errors: Vec<f64> = on_levels(grid, 5, |g| passage_time(&ou, g, 0.0, 1.0))?
        .iter()
        .map(|v| v - exact)
        .collect();
    assert_order(&errors, 2.0);

    let model = TwoValley::default();
    let (sharp, flat) = (model.minimum(Side::Sharp, 5.0), model.minimum(Side::Flat, 5.0));
    let diffusion = slice(5.0, 2e-3);
    let exact = 2.641_601_f64; // as above, to 7 digits
    let aligned = Grid::new([Axis::with_faces_at(-0.5, 0.6, 100, &[sharp, 0.0, flat])?]);
    let errors: Vec<f64> = on_levels(aligned.clone(), 8, |g| passage_time(&diffusion, g, sharp, flat))?
        .windows(2)
        .map(|v| v[1] - v[0])
        .collect();
    assert_order(&errors[..5], 2.0);
    assert_close!(
        extrapolate(on_levels(aligned, 5, |g| passage_time(
            &diffusion, g, sharp, flat
        ))?),
        exact,
        printed(7)
    );

    // A face a third of a cell away from the kink: undeclared, the jump of D is smeared over a cell.
    let misses: Vec<f64> = [50, 100, 200, 400, 800]
        .iter()
        .map(|&n| {
            let h = (flat - sharp) / n as f64;
            let shifted = -h / 3.0;
            let grid = Grid::new([Axis::with_faces_at(
                -0.5,
                0.6,
                11 * n / 2,
                &[sharp, shifted, flat],
            )?]);
            assert!(matches!(
                Generator::assemble(&diffusion, grid.clone()),
                Err(Error::InvalidParameter { .. })
            ));
            Ok(passage_time(&KinksHidden(&diffusion), grid, sharp, flat)? - exact)
        })
        .collect::<Result<_>>()?;
    let order = (misses[0] / misses[4]).abs().log2() / 4.0;
    assert!(
        (order - 1.0).abs() < 0.2,
        "ignoring the kink must cost an order: {order}, errors {misses:?}"
    );
    Ok(())
}

/// Odds flat:sharp γ^{1−α} R for the three calculi: the wrong calculus must miss the Ito value.
#[test]
fn calculi_differ_by_powers_of_the_flatness_ratio() -> Result<()> {
    let (y, delta) = (3.0, 1e-3);
    let model = TwoValley::default();
    let diffusion = slice(y, delta);
    let odds = |calculus: Calculus| -> Result<f64> {
        let grid = Grid::new([Axis::with_faces_at(-0.5, 0.6, 1000, &[0.0])?]);
        Ok(extrapolate(on_levels(grid, 4, |g| {
            let p = stationary_probability(&Generator::assemble_in(&diffusion, g.clone(), calculus)?)?;
            let flat: f64 = (0..g.cells())
                .filter(|&i| g.centre(i)[0] > 0.0)
                .map(|i| p[i])
                .sum();
            Ok(flat / (1.0 - flat))
        })?))
    };
    let (ito, stratonovich, anti) = (
        odds(Calculus::Ito)?,
        odds(Calculus::Stratonovich)?,
        odds(Calculus::Klimontovich)?,
    );
    let gamma = model.flatness_ratio();
    assert_close!(ito / anti, gamma, 1e-9);
    assert_close!(stratonovich / anti, gamma.sqrt(), 1e-9);
    assert_close!(ito / (1.0 + ito), 0.791597, printed(6));
    // Negative control: the other calculi are far from the Ito value.
    assert!((stratonovich / (1.0 + stratonovich) - 0.791597).abs() > 0.02);
    Ok(())
}

#[test]
fn effective_potential_of_isotropic_noise_is_the_loss() -> Result<()> {
    let eps = 0.01;
    let grid = Grid::new([Axis::with_faces_at(-2.0, 2.0, 4000, &[-1.0, 0.0, 1.0])?]);
    let phi = effective_potential(&Generator::assemble(&double_well(eps), grid.clone())?)?;
    // Barrier ΔL/ε = 25, and the deep tail at x = 2 is 225 without underflow. Differences of point values carry no
    // discretisation error but that of two-point quadrature of b/D, O(h⁴) = 1e-12.
    assert_close!(grid.interpolate(&phi, [2.0]), 225.0, 1e-3); // linear extrapolation to the last face, O(h)
    assert_close!(phi[grid.cells() / 2], 25.0, 1e-5); // half a cell beside the saddle
    Ok(())
}

#[test]
fn bad_sets_and_grids_are_refused() -> Result<()> {
    let grid = Grid::new([Axis::uniform(-1.0, 1.0, 10)?]);
    let generator = Generator::assemble(&Brownian(1.0), grid.clone())?;
    assert!(matches!(
        CellSet::new("target", &grid, |x| x[0] > 2.0),
        Err(Error::EmptySet { .. })
    ));
    let (a, b) = (
        CellSet::new("a", &grid, |x| x[0] < 0.5)?,
        CellSet::new("b", &grid, |x| x[0] > 0.0)?,
    );
    assert!(matches!(
        committor(&generator, &a, &b),
        Err(Error::OverlappingSets { cells: 2, .. })
    ));
    let everything = CellSet::new("everything", &grid, |_| true)?;
    assert!(matches!(
        quasi_stationary(&generator, &everything),
        Err(Error::EmptySet { .. })
    ));
    assert!(matches!(
        Generator::assemble(&Brownian(0.0), grid.clone()),
        Err(Error::NotPositive { .. })
    ));
    assert!(matches!(
        Generator::assemble(&Brownian(f64::NAN), grid),
        Err(Error::NotFinite { .. })
    ));
    Ok(())
}
