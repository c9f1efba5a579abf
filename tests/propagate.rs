//! Time-dependent densities against closed forms: order, mass, positivity, first-passage laws.

mod common;

use common::{Brownian, assert_order};
use freezeout::diffusion::OrnsteinUhlenbeck;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::observables::*;
use freezeout::{Error, Result};

/// Probabilities of the cells of `axis` under a Gaussian, by Simpson's rule on each (error (h/σ)⁴/2880 per cell).
fn gaussian(axis: &Axis, mean: f64, variance: f64) -> Vec<f64> {
    let density = |x: f64| {
        (-(x - mean).powi(2) / (2.0 * variance)).exp() / (2.0 * std::f64::consts::PI * variance).sqrt()
    };
    (0..axis.cells())
        .map(|i| {
            let (a, b) = (axis.faces()[i], axis.faces()[i + 1]);
            (b - a) / 6.0 * (density(a) + 4.0 * density(0.5 * (a + b)) + density(b))
        })
        .collect()
}

/// Total variation distance.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    0.5 * a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>()
}

fn ou(cells: usize) -> Result<Generator> {
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0)?;
    Generator::assemble(&ou, Grid::new([Axis::uniform(-9.0, 9.0, cells)?]))
}

/// dx = −x dt + sqrt(2) dW from N(m, v): mean m e^{−t}, variance 1 + (v − 1) e^{−2t}.
fn ou_law(axis: &Axis, t: f64) -> Vec<f64> {
    gaussian(axis, 2.0 * (-t).exp(), 1.0 + (0.25 - 1.0) * (-2.0 * t).exp())
}

#[test]
fn order_in_time_is_two_and_euler_has_one() -> Result<()> {
    let generator = ou(300)?;
    let axis = &generator.grid().axes()[0];
    let start = ou_law(axis, 0.0);
    let reference = propagate_uniformly(&generator, &start, 1.0, 8192)?;
    let errors = |run: &dyn Fn(usize) -> Result<Vec<f64>>| -> Result<Vec<f64>> {
        [16, 32, 64, 128, 256]
            .iter()
            .map(|&n| Ok(distance(&run(n)?, &reference)))
            .collect()
    };
    assert_order(
        &errors(&|n| propagate_uniformly(&generator, &start, 1.0, n))?,
        2.0,
    );
    assert_order(&errors(&|n| implicit_euler(&generator, &start, 1.0, n))?, 1.0);
    Ok(())
}

#[test]
fn order_in_space_and_time_against_the_closed_form() -> Result<()> {
    let errors: Vec<f64> = [50, 100, 200, 400]
        .iter()
        .map(|&cells| {
            let generator = ou(cells)?;
            let axis = &generator.grid().axes()[0];
            let p = propagate_uniformly(&generator, &ou_law(axis, 0.0), 1.0, cells)?;
            Ok(distance(&p, &ou_law(axis, 1.0)))
        })
        .collect::<Result<_>>()?;
    assert_order(&errors, 2.0);
    Ok(())
}

#[test]
fn adaptive_run_is_positive_conserves_mass_and_bounds_its_error() -> Result<()> {
    let generator = ou(600)?;
    // A start from one cell, where a linear method of order two must go negative.
    let mut start = vec![0.0; 600];
    start[400] = 1.0;
    let times = [0.0, 0.01, 0.1, 1.0, 10.0, 100.0];
    let fine = propagate(&generator, &start, &times, 1e-9)?;
    let mut previous = f64::INFINITY;
    for tolerance in [1e-4, 1e-5, 1e-6, 1e-7] {
        let run = propagate(&generator, &start, &times, tolerance)?;
        assert_eq!(run.probability[0], start);
        assert!(run.probability.iter().flatten().all(|p| *p >= 0.0));
        // Rounding of sums over 600 cells and some thousand solves.
        assert!(run.mass_error < 1e-12, "{:e}", run.mass_error);
        let worst = run
            .probability
            .iter()
            .zip(&fine.probability)
            .map(|(a, b)| distance(a, b))
            .fold(0.0, f64::max);
        assert!(
            worst < run.steps.error + fine.steps.error,
            "{worst:e} {:?}",
            run.steps
        );
        assert!(worst < previous);
        previous = worst;
        // The limiter works in tails only, and its effect is inside the tolerance.
        assert!(run.steps.limited_probability <= run.steps.error);
        println!(
            "tolerance {tolerance:e}: error {worst:.2e} {:?} mass {:.1e}",
            run.steps, run.mass_error
        );
    }
    // Relaxed at the end: the stationary law to rounding.
    let stationary = stationary_probability(&generator)?;
    assert!(distance(&fine.probability[5], &stationary) < 1e-9);
    Ok(())
}

/// Brownian motion on (−L, L) from 0: S(t) = Σ (4/π) (−1)ⁿ/(2n+1) exp(−(2n+1)² π² D t/(4 L²)).
#[test]
fn brownian_exit_law() -> Result<()> {
    let (d, l) = (0.7, 1.3);
    let exact = |t: f64| -> f64 {
        (0..200)
            .map(|n| {
                let k = (2 * n + 1) as f64;
                let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
                4.0 / std::f64::consts::PI * sign / k
                    * (-(k * std::f64::consts::PI / (2.0 * l)).powi(2) * d * t).exp()
            })
            .sum()
    };
    let times = [0.05, 0.2, 1.0, 5.0];
    let level = |cells: usize| -> Result<FirstPassageLaw> {
        // An even number of cells inside: 0 is a face.
        let grid = Grid::new([Axis::with_faces_at(-2.0 * l, 2.0 * l, cells, &[-l, l])?]);
        let outside = CellSet::new("outside", &grid, |x| x[0].abs() > l)?;
        first_passage_law(&Generator::assemble(&Brownian(d), grid)?, &outside, &times, 1e-8)
    };
    let at_zero = |law: &[f64]| 0.5 * (law[law.len() / 2 - 1] + law[law.len() / 2]);
    let (coarse, fine) = (level(400)?, level(800)?);
    for (k, &t) in times.iter().enumerate() {
        let extrapolated =
            |a: &FirstPassageLaw, b: &FirstPassageLaw, which: fn(&FirstPassageLaw) -> &Vec<Vec<f64>>| {
                let (c, f) = (at_zero(&which(a)[k]), at_zero(&which(b)[k]));
                f + (f - c) / 3.0
            };
        let survival = extrapolated(&coarse, &fine, |l| &l.survival);
        let distribution = extrapolated(&coarse, &fine, |l| &l.distribution);
        // Time error 1e-6 (sum of local errors), grid error h⁴ after extrapolation.
        assert_close!(survival, exact(t), 2e-5, "t = {t}");
        assert!((survival + distribution - 1.0).abs() < 1e-6);
    }
    let ends = &coarse.survival[3];
    assert_eq!(ends[0], 0.0);
    // Negative control: the law with D one per cent off is told apart.
    assert!((at_zero(&fine.survival[2]) / exact(1.01) - 1.0).abs() > 1e-3);
    Ok(())
}

#[test]
fn bad_input_is_refused() -> Result<()> {
    let generator = ou(50)?;
    let mut start = vec![0.02; 50];
    assert!(matches!(
        propagate(&generator, &start[1..], &[1.0], 1e-6),
        Err(Error::DimensionMismatch { .. })
    ));
    for times in [[1.0, 0.5], [-1.0, 2.0], [1.0, f64::NAN]] {
        assert!(matches!(
            propagate(&generator, &start, &times, 1e-6),
            Err(Error::InvalidParameter { .. })
        ));
    }
    assert!(propagate(&generator, &start, &[1.0], 0.0).is_err());
    assert!(propagate_uniformly(&generator, &start, 1.0, 0).is_err());
    start[3] = -0.1;
    assert!(matches!(
        propagate(&generator, &start, &[1.0], 1e-6),
        Err(Error::InvalidParameter { .. })
    ));
    let everything = CellSet::new("everything", generator.grid(), |_| true)?;
    assert!(matches!(
        first_passage_law(&generator, &everything, &[1.0], 1e-6),
        Err(Error::EmptySet { .. })
    ));
    Ok(())
}
