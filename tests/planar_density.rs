//! The planar density: closed-form Gaussian with correlated noise, the slow path in one dimension, isotropic control.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::freezing::*;
use freezeout::landscape::{Slice, TwoValley};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::{Error, Result};

/// dx = −κ (x − c) dt + sqrt(2D) dW, dy = v dt + m sqrt(2D) dW + sqrt(2e) dW′: noise of rank one but for e.
struct Correlated {
    floor: f64,
}

const KAPPA: f64 = 6.125;
const CENTRE: f64 = 0.8 / 7.0;
const D: f64 = 6e-4;
const SLOPE: f64 = 0.3;
const SPEED: f64 = 0.02;

impl Diffusion<2> for Correlated {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        Point::<2>::new(-KAPPA * (theta[0] - CENTRE), SPEED)
    }
    fn tensor(&self, _theta: &Point<2>) -> Tensor<2> {
        Tensor::<2>::new(D, SLOPE * D, SLOPE * D, SLOPE * SLOPE * D + self.floor)
    }
}

/// Mean y, var x, cov(x, y), var y of a snapshot.
fn moments(s: &PlanarSnapshot) -> [f64; 4] {
    let rows = s.ridge_y.len();
    let mut sums = [0.0; 5];
    for (k, p) in s.probability.iter().enumerate() {
        let (i, j) = (k / rows, k % rows);
        let (x, y) = (s.x[i], s.ridge_y[j] + s.shear[i]);
        for (sum, term) in sums.iter_mut().zip([x, y, x * x, x * y, y * y]) {
            *sum += p * term;
        }
    }
    let [x, y, xx, xy, yy] = sums;
    [y, xx - x * x, xy - x * y, yy - y * y]
}

#[test]
fn correlated_gaussian() -> Result<()> {
    let model = TwoValley::default();
    for floor in [0.0, 2e-5] {
        let run = |resolution: f64, rows: usize, tolerance: f64, cross_noise: CrossNoise| {
            let settings = PlanarSettings {
                initial: vec![(CENTRE, 1.0)],
                record: vec![0.2, 4.0],
                resolution,
                rows,
                tolerance,
                joint_tolerance: 10.0 * tolerance,
                cross_noise,
                ..PlanarSettings::new(5.0, 5.1)
            };
            planar_density(&model, &Correlated { floor }, &settings)
        };
        let exact = |t: f64| {
            [
                5.0 + SPEED * t,
                D / KAPPA * -(-2.0 * KAPPA * t).exp_m1(),
                2.0 * SLOPE * D / KAPPA * -(-KAPPA * t).exp_m1(),
                2.0 * (SLOPE * SLOPE * D + floor) * t,
            ]
        };
        let error = |run: &PlanarDensity| -> f64 {
            let mut worst: f64 = 0.0;
            for s in &run.snapshots {
                for (got, want) in moments(s).iter().zip(exact(s.time)) {
                    worst = worst.max((got / want - 1.0).abs());
                }
            }
            worst
        };
        let coarse = run(4.0, 48, 4e-4, CrossNoise::Sheared)?;
        let fine = run(8.0, 96, 5e-5, CrossNoise::Sheared)?;
        for run in [&coarse, &fine] {
            assert!(run.mass_error < 1e-12 && run.smallest >= 0.0);
        }
        // Variances to a per cent or two, and second order: cells and steps halve together.
        assert!(error(&fine) < 0.02 && error(&coarse) > 2.5 * error(&fine));
        // The mean of y: rounding of the weights and the steps of the window.
        assert_close!(moments(&fine.snapshots[1])[0], exact(4.0)[0], 1e-6);
        // Negative control: without the mixed term x and y are independent.
        let without = run(4.0, 48, 4e-4, CrossNoise::Neglected)?;
        let [_, _, covariance, _] = moments(&without.snapshots[1]);
        assert!(covariance.abs() < 1e-3 * exact(4.0)[2]);
    }
    Ok(())
}

#[test]
fn plane_agrees_with_the_slow_path() -> Result<()> {
    let (model, delta) = (TwoValley::default(), 1e-3);
    let sgd = Sgd::hessian_power(model, 1.0, 1.0, delta, 1e-8)?;
    let settings = PlanarSettings {
        resolution: 4.0,
        rows: 64,
        tolerance: 2e-4,
        joint_tolerance: 2e-2,
        ..PlanarSettings::new(1.0, 6.0)
    };
    let plane = planar_density(&model, &sgd, &settings)?;
    let path = density_path(
        &model,
        |y| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, delta, 1e-8),
        &DensityPathSettings {
            motion: SlowMotion::Mean,
            ..DensityPathSettings::new(1.0, 6.0)
        },
    )?;
    assert!(plane.mass_error < 1e-12 && plane.smallest >= 0.0);
    // The spread of y and its correlation with x, which the path leaves out, are worth 1.2e-4 in P_flat.
    assert!((plane.final_p_flat() - path.final_p_flat()).abs() < 3e-4 + plane.p_flat_error);
    let (y, mean) = (plane.mean_y[plane.mean_y.len() - 1], path.y[path.y.len() - 1]);
    assert!((y - mean).abs() < 5e-3 + plane.mean_y_error);
    // Net flux through the ridge accounts for P_flat, by construction to rounding.
    let flux: f64 = plane
        .time
        .windows(2)
        .zip(&plane.ridge_flux[1..])
        .map(|(t, f)| (t[1] - t[0]) * f)
        .sum();
    assert!((flux - (plane.final_p_flat() - 0.5)).abs() < 1e-12);
    Ok(())
}

/// The columns of a step are done by whichever thread is free: the bytes must not show it.
#[test]
fn threads_leave_no_trace_in_the_bytes() -> Result<()> {
    let model = TwoValley::default();
    let sgd = Sgd::hessian_power(model, 1.0, 1.0, 3e-3, 1e-8)?;
    let settings = PlanarSettings {
        resolution: 3.0,
        rows: 32,
        tolerance: 2e-4,
        joint_tolerance: 2e-2,
        ..PlanarSettings::new(1.0, 3.0)
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| planar_density(&model, &sgd, &settings))
    };
    let alone = on(1)?;
    for _ in 0..4 {
        assert!(on(4)? == alone);
    }
    Ok(())
}

#[test]
fn isotropic_noise_does_not_select_in_the_plane() -> Result<()> {
    let model = TwoValley::default();
    let sgd = Sgd::new(model, Isotropic::new(2e-3)?, 1.0, 1.0)?; // D = 1e-3
    let settings = PlanarSettings {
        resolution: 4.0,
        rows: 64,
        tolerance: 2e-4,
        joint_tolerance: 2e-2,
        ..PlanarSettings::new(1.0, 8.0)
    };
    let run = planar_density(&model, &sgd, &settings)?;
    assert!(
        (0.549..0.552).contains(&run.final_p_flat()),
        "{}",
        run.final_p_flat()
    );
    assert!(run.mass_error < 1e-12 && run.smallest >= 0.0);
    Ok(())
}

#[test]
fn bad_settings_are_refused() -> Result<()> {
    let model = TwoValley::default();
    let sgd = Sgd::hessian_power(model, 1.0, 1.0, 1e-3, 1e-8)?;
    let good = PlanarSettings::new(1.0, 2.0);
    for bad in [
        PlanarSettings {
            start: -1.0,
            ..good.clone()
        },
        PlanarSettings {
            end: 1.0,
            ..good.clone()
        },
        PlanarSettings {
            rows: 30,
            ..good.clone()
        },
        PlanarSettings {
            half_width: 0.0,
            ..good.clone()
        },
        PlanarSettings {
            joint_tolerance: f64::NAN,
            ..good.clone()
        },
        PlanarSettings {
            initial: vec![(0.1, 0.7)],
            ..good.clone()
        },
    ] {
        assert!(matches!(
            planar_density(&model, &sgd, &bad),
            Err(Error::InvalidParameter { .. })
        ));
    }
    Ok(())
}
