//! Time-dependent densities against closed forms: order, mass, positivity, first-passage laws.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::{Brownian, assert_order};
use freezeout::diffusion::{OrnsteinUhlenbeck, Sgd};
use freezeout::freezing::*;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{Slice, TwoValley};
use freezeout::noise::Isotropic;
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

/// A slice diffusion with a known law: dx = −κ (x − c y(t)) dt + sqrt(2D) dW, in the frame of the two-valley model.
const KAPPA: f64 = 3.0;
const SLOPE: f64 = 0.004;
const DIFFUSIVITY: f64 = 2e-3;

#[test]
fn gaussian_with_a_moving_mean() -> Result<()> {
    let model = TwoValley::default();
    let slice = |y: f64| OrnsteinUhlenbeck::new(KAPPA, SLOPE * y, DIFFUSIVITY);
    // Mean by the Runge-Kutta method with steps far below 1/κ.
    let (mut y, mut m, mut t, h) = (1.0, 0.02, 0.0, 1e-3);
    let rates = |y: f64, m: f64| (model.floor_velocity(y), -KAPPA * (m - SLOPE * y));
    let mut errors = Vec::new();
    let mut exact = Vec::new();
    let times = [0.2, 1.0, 30.0];
    for stop in times {
        while t < stop - 0.5 * h {
            let a = rates(y, m);
            let b = rates(y + 0.5 * h * a.0, m + 0.5 * h * a.1);
            let c = rates(y + 0.5 * h * b.0, m + 0.5 * h * b.1);
            let d = rates(y + h * c.0, m + h * c.1);
            y += h / 6.0 * (a.0 + 2.0 * b.0 + 2.0 * c.0 + d.0);
            m += h / 6.0 * (a.1 + 2.0 * b.1 + 2.0 * c.1 + d.1);
            t += h;
        }
        exact.push((y, m, DIFFUSIVITY / KAPPA * -(-2.0 * KAPPA * t).exp_m1()));
    }
    for (resolution, tolerance) in [(4.0, 8e-5), (8.0, 1e-5), (16.0, 1.25e-6)] {
        let settings = DensityPathSettings {
            initial: vec![(0.02, 1.0)],
            record: times.to_vec(),
            resolution,
            tolerance,
            ..DensityPathSettings::new(1.0, 1.5)
        };
        let path = density_path(&model, slice, &settings)?;
        assert!(path.mass_error < 1e-12);
        let mut worst: f64 = 0.0;
        for (snapshot, &(y, m, variance)) in path.snapshots.iter().zip(&exact) {
            assert_close!(snapshot.y, y, 1e-9); // RK4 of either
            assert!(snapshot.probability.iter().all(|p| *p >= 0.0));
            let mut faces = vec![snapshot.x[0] - 0.5 * snapshot.width[0]];
            for (x, w) in snapshot.x.iter().zip(&snapshot.width) {
                faces.push(x + 0.5 * w);
            }
            let law = gaussian(&Axis::from_faces(faces)?, m, variance);
            worst = worst.max(distance(&snapshot.probability, &law));
        }
        errors.push(worst);
    }
    // Cells and steps halve together: second order overall.
    for pair in errors.windows(2) {
        assert!(pair[0] / pair[1] > 3.0, "{errors:?}");
    }
    assert!(errors[2] < 1e-3, "{errors:?}");
    Ok(())
}

/// Ornstein-Uhlenbeck from 0 is Brownian motion in the time s(t) = e^{2κt} − 1, so that the last zero before T obeys
/// the arcsine law Pr(no zero in (t, T)) = (2/π) arcsin sqrt(s(t)/s(T)) (Lévy 1939).
#[test]
fn last_visit_obeys_the_arcsine_law() -> Result<()> {
    let (model, kappa) = (TwoValley::default(), 0.2);
    let settings = DensityPathSettings {
        initial: vec![(0.0, 1.0)],
        tolerance: 1e-6,
        ..DensityPathSettings::new(3.0, 3.3)
    };
    let law = density_last_hop(&model, |_| OrnsteinUhlenbeck::new(kappa, 0.0, 1e-5), &settings)?;
    // A law wider than the grid is refused.
    assert!(matches!(
        density_last_hop(
            &model,
            |_| OrnsteinUhlenbeck::new(kappa, 0.0, DIFFUSIVITY),
            &settings
        ),
        Err(Error::DomainTooSmall { .. })
    ));
    let path = &law.path;
    let end = path.time[path.time.len() - 1];
    let clock = |t: f64| (2.0 * kappa * t).exp_m1();
    let mut compared = 0;
    for (t, p) in path.time.iter().zip(&law.no_ridge_after) {
        // Before, the width of the first cell is felt.
        if *t > 0.1 * end && *t < 0.95 * end {
            let exact = 2.0 / std::f64::consts::PI * (clock(*t) / clock(end)).sqrt().asin();
            // Errors are 1e-5 but for the last relaxation time of the boundary layer at T.
            assert!((p - exact).abs() < 1e-3, "t = {t}: {p} {exact}");
            compared += 1;
        }
    }
    assert!(compared > 20);
    Ok(())
}

#[test]
fn density_path_judges_the_reduced_model() -> Result<()> {
    let model = TwoValley::default();
    // Δ, final P_flat, mean y of the last hop and of the last ridge visit by this method at resolution 40 and
    // tolerance 1e-7 (errors 2e-6 and 2e-4).
    for (delta, p, y, ridge) in [
        (1e-4, 0.938061, 1.16183, 1.23803),
        (1e-3, 0.960758, 4.33844, 4.69881),
        (3e-3, 0.973676, 9.06919, 9.88533),
    ] {
        let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, delta, 0.0);
        let rates = HopRates::new(&model, slice, 1.0, 400.0, 40)?;
        let reduced = two_state(&model, &rates, 0.5, 1.0, 1000)?;
        let last = last_hop(&model, &rates, &reduced, 1.0);
        let law = density_last_hop(&model, slice, &DensityPathSettings::new(1.0, rates.range().1))?;
        let path = &law.path;
        // Stated errors of the run itself.
        assert!((path.final_p_flat() - p).abs() < 5e-5 && path.p_flat_error < 1e-4);
        assert!((law.mean_y / y - 1.0).abs() < 5e-4 && (law.mean_y_ridge / ridge - 1.0).abs() < 5e-4);
        assert!(path.mass_error < 1e-12);
        // The reduced model: P_flat to 5e-4; of its laws, the two-sided one is right and the Poisson one is not.
        assert!((reduced.final_p_flat() - p).abs() < 5e-4);
        assert_close!(last.hop.mean_y, y, 1.3e-3); // lag of relaxation in the valleys, which rates leave out
        assert_close!(last.ridge.mean_y, ridge, 3e-3);
        assert!((last.poisson.mean_y - y).abs() > 2.0 * (last.hop.mean_y - y).abs());
        // Label and side agree once hops have died out, and fluxes account for the change of the label.
        let end = path.time.len() - 1;
        assert_close!(path.p_flat_label[end], path.p_flat[end], 1e-9);
        let net: f64 = (0..end / 2)
            .map(|k| {
                let flux = |i: usize| path.sharp_to_flat_flux[i] - path.flat_to_sharp_flux[i];
                let i = 2 * k;
                (path.time[i + 2] - path.time[i]) / 6.0 * (flux(i) + 4.0 * flux(i + 1) + flux(i + 2))
            })
            .sum();
        assert!(
            (net - (path.p_flat_label[end] - path.p_flat_label[0])).abs() < 2e-3,
            "{net}"
        );
        // The laws are distribution functions.
        for law in [&law.no_hop_after, &law.no_ridge_after] {
            assert!(law.windows(2).all(|w| w[1] > w[0] - 1e-4));
            assert!((law[end] - 1.0).abs() < 1e-9);
        }
    }
    Ok(())
}

/// Isotropic noise selects by width alone: P_flat = x1/(x1 + x2) = .551724 in equilibrium, and freezes near it.
/// Starts must not be frozen already: at y = 1 the barrier is 22 D for D = 1e-4, and P_flat stays at one half.
#[test]
fn isotropic_control() -> Result<()> {
    let model = TwoValley::default();
    for (start, strength) in [(0.0, 1e-4), (0.0, 1e-3), (1.0, 1e-3), (1.0, 3e-3), (5.0, 3e-2)] {
        // D = (η/2B) C.
        let slice = |y: f64| Sgd::new(Slice::new(model, y)?, Isotropic::new(2.0 * strength)?, 1.0, 1.0);
        let end = 20.0 / (1.0 / (30.0 * strength).sqrt() - 1.0);
        let end = if end > 0.0 { end.clamp(0.5, 300.0) } else { 300.0 };
        for motion in [SlowMotion::Floor, SlowMotion::Mean] {
            let settings = DensityPathSettings {
                motion,
                ..DensityPathSettings::new(start, end)
            };
            let path = density_path(&model, slice, &settings)?;
            let p = path.final_p_flat();
            assert!((0.549..0.552).contains(&p), "D = {strength}: {p}");
        }
    }
    // Negative control: Hessian-aligned noise of like strength leaves that window.
    let aligned = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0);
    let path = density_path(&model, aligned, &DensityPathSettings::new(1.0, 10.0))?;
    assert!(path.final_p_flat() > 0.9);
    Ok(())
}

#[test]
fn slow_path_settings_are_checked() {
    let model = TwoValley::default();
    let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0);
    let good = DensityPathSettings::new(1.0, 2.0);
    for bad in [
        DensityPathSettings {
            start: -1.0,
            ..good.clone()
        },
        DensityPathSettings {
            end: 0.5,
            ..good.clone()
        },
        DensityPathSettings {
            ramp: 0.0,
            ..good.clone()
        },
        DensityPathSettings {
            tolerance: f64::NAN,
            ..good.clone()
        },
        DensityPathSettings {
            resolution: 0.1,
            ..good.clone()
        },
        DensityPathSettings {
            initial: vec![(0.1, 0.7)],
            ..good.clone()
        },
        DensityPathSettings {
            record: vec![1e9],
            ..good.clone()
        },
    ] {
        assert!(matches!(
            density_path(&model, slice, &bad),
            Err(Error::InvalidParameter { .. })
        ));
    }
}

/// In a plane whose wells do not know of the second coordinate, the law of the first passage is that of the line.
#[test]
fn first_passage_law_of_a_plane_is_that_of_its_line() {
    use freezeout::diffusion::{Diffusion, OrnsteinUhlenbeck};
    use freezeout::generator::Generator;
    use freezeout::grid::{Axis, CellSet, Grid};
    use freezeout::math::{Point, Tensor};
    use freezeout::observables::first_passage_law;
    struct Plane;
    impl Diffusion<2> for Plane {
        fn drift(&self, p: &Point<2>) -> Point<2> {
            Point::<2>::new(-p[0], -3.0 * p[1])
        }
        fn tensor(&self, _: &Point<2>) -> Tensor<2> {
            Tensor::<2>::identity()
        }
    }
    let axis = Axis::with_faces_at(-4.0, 3.0, 70, &[1.0]).unwrap();
    let times = [0.1, 1.0, 5.0];
    let line = Grid::new([axis.clone()]);
    let plane = Grid::new([axis, Axis::uniform(-2.0, 2.0, 12).unwrap()]);
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 1.0).unwrap();
    let beyond = CellSet::new("beyond", &line, |p| p[0] > 1.0).unwrap();
    let there = CellSet::new("beyond", &plane, |p| p[0] > 1.0).unwrap();
    let one = first_passage_law(&Generator::assemble(&ou, line).unwrap(), &beyond, &times, 1e-7).unwrap();
    let two = first_passage_law(&Generator::assemble(&Plane, plane).unwrap(), &there, &times, 1e-7).unwrap();
    for k in 0..times.len() {
        for i in 0..one.survival[k].len() {
            let (a, b) = (one.survival[k][i], two.survival[k][12 * i + 5]);
            // the same steps of the same accuracy, in another order of rounding
            assert!((a - b).abs() <= 1e-9 * a, "{a} {b}");
            let (a, b) = (one.distribution[k][i], two.distribution[k][12 * i + 5]);
            assert!((a - b).abs() <= 1e-9 * a, "{a} {b}");
        }
    }
}
