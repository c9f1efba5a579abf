//! The law of SGD along the slow path by the one-step operator: closed forms, identities, the authors' simulations.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use freezeout::Error;
use freezeout::diffusion::Sgd;
use freezeout::landscape::{Side, Slice, TwoValley, TwoValleyParameters};
use freezeout::noise::{HessianPower, Isotropic};
use freezeout::transfer::{
    PathLaw, PathSettings, Resolution, SlowMotion, Start, TransferOperator, propagate,
};
use rayon::prelude::*;

/// Sums of twenty thousand terms and products of as many stochastic matrices: some hundred rounding errors.
const ROUNDING: f64 = 1e-12;

type PaperSgd = Sgd<TwoValley, HessianPower<TwoValley>>;

fn paper(power: f64, eta: f64, sigma: f64) -> PaperSgd {
    Sgd::hessian_power(TwoValley::default(), power, eta, sigma, 1e-8).unwrap()
}

fn isotropic(eta: f64, diffusivity: f64) -> Sgd<TwoValley, Isotropic> {
    let noise = Isotropic::new(2.0 * diffusivity / eta).unwrap();
    Sgd::new(TwoValley::default(), noise, eta, 1.0).unwrap()
}

fn total(law: &PathLaw) -> f64 {
    law.no_sign_change + law.last_sign_change.iter().sum::<f64>()
}

/// With equal valleys at y = 0 the map is x' = a x + noise, a = 1 − ηH; two stationary neighbours have correlation a
/// and differ in sign with probability arccos(a)/π.
#[test]
fn sign_changes_of_an_autoregression_follow_the_arccosine() {
    let model = TwoValley::new(TwoValleyParameters {
        x2: 0.8,
        ..TwoValleyParameters::default()
    })
    .unwrap();
    for eta in [0.01, 0.1, 0.2] {
        let sgd = Sgd::new(model, Isotropic::new(0.3).unwrap(), eta, 1.0).unwrap();
        let settings = PathSettings {
            start_y: 0.0,
            steps: 3000,
            motion: SlowMotion::Fixed,
            ..PathSettings::default()
        };
        let law = propagate(&sgd, &settings).unwrap();
        let a = 1.0 - eta * 2.0 / model.flatness(Side::Flat, 0.0);
        assert_close!(law.sign_changes[2999], a.acos() / std::f64::consts::PI, ROUNDING);
        assert_close!(law.final_p_flat(), 0.5, ROUNDING);
        assert!(law.mean_x[3000].abs() < ROUNDING);
    }
}

/// The forward and the backward pass share no sum, yet the last sign change happens once or never.
#[test]
fn forward_and_backward_account_for_every_run() {
    for (eta, sigma) in [(0.1, 0.1), (0.03, 0.03), (0.01, 0.01)] {
        let law = propagate(
            &paper(1.0, eta, sigma),
            &PathSettings {
                steps: 5000,
                ..PathSettings::default()
            },
        )
        .unwrap();
        assert!((total(&law) - 1.0).abs() < ROUNDING);
        assert!(law.mass_error < ROUNDING, "{:e}", law.mass_error);
        let survival = law.no_later_sign_change();
        assert!(survival.windows(2).all(|s| s[1] >= s[0]));
        assert!((survival[5000] - 1.0).abs() < ROUNDING);
        // Changes that are not the last make the expected number exceed Pr(any).
        assert!(law.expected_sign_changes() >= (1.0 - law.no_sign_change) * (1.0 - ROUNDING));
        assert!(law.defect < 1e-10);
        assert!(
            law.last_sign_change
                .iter()
                .chain(&law.sign_changes)
                .all(|&p| p >= 0.0)
        );
    }
}

/// With y held the law tends to the stationary one of the slice operator, built on another grid.
#[test]
fn fixed_slow_coordinate_gives_the_stationary_law() {
    let (eta, sigma, y) = (0.05, 0.1, 5.0);
    let settings = PathSettings {
        steps: 4000,
        motion: SlowMotion::Fixed,
        ..PathSettings::default()
    };
    let law = propagate(&paper(1.0, eta, sigma), &settings).unwrap();
    assert!(law.y.iter().all(|&v| v == y));
    let slice = Slice::new(TwoValley::default(), y).unwrap();
    let sgd = Sgd::hessian_power(slice, 1.0, eta, sigma, 1e-8).unwrap();
    let operator = TransferOperator::new(&sgd, [-1.2, 1.2], &[], Resolution::default()).unwrap();
    let stationary = operator.stationary().unwrap();
    // The slice has C = 2σ L_xx, the plane the xx entry of 2σ H₊: they differ where det H < 0, by the clipping.
    assert_close!(
        law.final_p_flat(),
        operator.probability_above(&stationary.mass, 0.0).unwrap(),
        1e-4
    );
}

/// The error of keeping a kernel over an interval of y falls faster than its length squared would at ratio 2.5.
#[test]
fn refresh_converges() {
    let p = [0.8, 0.4, 0.2, 0.1, 0.05].map(|refresh| {
        let settings = PathSettings {
            refresh,
            ..PathSettings::default()
        };
        propagate(&paper(1.0, 0.1, 0.1), &settings)
            .unwrap()
            .final_p_flat()
    });
    let change: Vec<f64> = p.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    println!("{p:?} {change:?}");
    for pair in change.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        // Second order, blurred because blocks hold whole steps and end on the edges of grids.
        assert!((1.4..2.6).contains(&order), "{change:?}");
    }
    // The default is within 2e-5 of the limit.
    assert!(change[3] < 4e-5);
    // Nodes: converged.
    let finer = PathSettings {
        resolution: PathSettings::default().resolution.refined(2.0),
        ..PathSettings::default()
    };
    let p_finer = propagate(&paper(1.0, 0.1, 0.1), &finer).unwrap().final_p_flat();
    assert_close!(p_finer, p[4], 1e-9);
}

struct Stored {
    eta: Vec<f64>,
    sigma: Vec<f64>,
    p_flat: Vec<Vec<f64>>,
    iteration: Vec<Vec<f64>>,
}

fn stored() -> Stored {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/reference/paper_phase_diagram.json"
    );
    let data: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let row = |v: &serde_json::Value| {
        v.as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    let table = |key: &str| data[key].as_array().unwrap().iter().map(row).collect::<Vec<_>>();
    Stored {
        eta: row(&data["eta"]),
        sigma: row(&data["sigma"]),
        p_flat: table("p_flat"),
        iteration: table("mean_freezing_iteration"),
    }
}

fn root_mean_square(z: &[f64]) -> f64 {
    (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt()
}

/// All cells of the authors' phase diagram, 2000 runs each: only their sampling error is random.
#[test]
fn phase_diagram_of_the_paper() {
    const RUNS: f64 = 2000.0;
    let stored = stored();
    let cells: Vec<(usize, usize)> = (0..100).map(|c| (c / 10, c % 10)).collect();
    let z: Vec<[f64; 2]> = cells
        .par_iter()
        .map(|&(i, j)| {
            let law = propagate(
                &paper(1.0, stored.eta[i], stored.sigma[j]),
                &PathSettings::default(),
            )
            .unwrap();
            let p = law.final_p_flat();
            [
                (stored.p_flat[i][j] - p) / (p * (1.0 - p) / RUNS).sqrt(),
                (stored.iteration[i][j] - law.mean_freezing_iteration())
                    / (law.freezing_iteration_deviation() / RUNS.sqrt()),
            ]
        })
        .collect();
    let p: Vec<f64> = z.iter().map(|z| z[0]).collect();
    let t: Vec<f64> = z.iter().map(|z| z[1]).collect();
    println!(
        "rms z: P_flat {:.3}, iteration {:.3}",
        root_mean_square(&p),
        root_mean_square(&t)
    );
    // 100 cells at |z| < 4: false alarm 6e-3 at most, and the stored data are fixed.
    assert!(p.iter().chain(&t).all(|z| z.abs() < 4.0), "{z:?}");
    assert!(root_mean_square(&p) < 1.2 && root_mean_square(&t) < 1.2);

    // Negative control: the noise of another power, at the same strength in the sharp valley at the start.
    let control: Vec<f64> = (0..10)
        .into_par_iter()
        .map(|i| {
            let sigma = stored.sigma[i] / 9.278f64.sqrt();
            let law = propagate(&paper(1.5, stored.eta[i], sigma), &PathSettings::default()).unwrap();
            let p = law.final_p_flat();
            (stored.p_flat[i][i] - p) / (p * (1.0 - p) / RUNS).sqrt()
        })
        .collect();
    assert!(root_mean_square(&control) > 4.0, "{control:?}");
}

/// A coarser dense operator in x with y on its mean path, computed independently, good to some .003; and direct
/// simulations of 40000 runs with the full 2×2 noise: .9336 ± .0012 and .7194 ± .0022.
#[test]
fn dense_operator_values() {
    for (eta, sigma, expected) in [
        (0.1, 0.1, 0.9803),
        (0.046_415_888, 0.021_544_347, 0.9357),
        (0.027_825_594, 0.027_825_594, 0.720),
        (0.01, 0.1, 0.9055),
    ] {
        let p = propagate(&paper(1.0, eta, sigma), &PathSettings::default())
            .unwrap()
            .final_p_flat();
        assert!((p - expected).abs() < 4e-3, "{eta} {sigma} {p}");
    }
    for (eta, sigma, simulated, error) in [
        (0.046_415_888, 0.021_544_347, 0.9336, 0.0012),
        (0.027_825_594, 0.027_825_594, 0.7194, 0.0022),
    ] {
        let p = propagate(&paper(1.0, eta, sigma), &PathSettings::default())
            .unwrap()
            .final_p_flat();
        // Three standard errors: the neglected fluctuations of y are far smaller.
        assert!((p - simulated).abs() < 3.0 * error, "{eta} {sigma} {p}");
    }
}

/// ⟨y⟩ of the last sign change for y0 = 1, Δ = 1e-3: it tends to that of the last visit to the ridge, 4.699 by the Fokker-Planck equation along
/// the path, like sqrt(η), as x is seen at the ends of steps only; the last hop, 4.339 half-way and 4.525 by a Poisson law, is another quantity.
/// P_flat tends to .961.
#[test]
fn freezing_from_small_y() {
    const RIDGE: f64 = 4.6988;
    let at = |eta: f64| {
        let settings = PathSettings {
            start_y: 1.0,
            steps: (500.0 / eta) as usize,
            ..PathSettings::default()
        };
        propagate(&paper(1.0, eta, 1e-3 / eta), &settings).unwrap()
    };
    let missing = [0.01, 2.5e-3, 6.25e-4].map(|eta| RIDGE - at(eta).mean_freezing_y());
    assert_close!(missing[0], RIDGE - 4.501, 0.01);
    for pair in missing.windows(2) {
        // half of it is left at a quarter of the step
        assert!((1.5..2.5).contains(&(pair[0] / pair[1])), "{missing:?}");
    }
    // nothing is left by the expansion in sqrt(η), two orders of it taken off
    let lines = [2.0 * missing[1] - missing[0], 2.0 * missing[2] - missing[1]];
    let left = (4.0 * lines[1] - lines[0]) / 3.0;
    assert!(left.abs() < 0.05 * missing[2], "{missing:?}");
    let law = at(0.01);
    // The cusp lowers P at finite η: .950 at η = .01.
    assert!((law.final_p_flat() - 0.961).abs() < 0.015);
    // Frozen: the last change falls into the final hundredth for fewer than one run in a thousand.
    assert!(law.last_sign_change_within(0.01) < 1e-3);
}

/// Isotropic noise: x1/(x1 + x2) in the limit η → 0. At finite η the larger variance Δ/(1 − ηH/2) of the sharp valley
/// lowers its barrier more, and freezing turns that into an excess of the flat one.
#[test]
fn isotropic_control() {
    let p = |eta: f64| {
        let settings = PathSettings {
            start_y: 0.0,
            steps: (200.0 / eta) as usize,
            ..PathSettings::default()
        };
        let law = propagate(&isotropic(eta, 2e-3), &settings).unwrap();
        assert!(law.sign_changes.last().unwrap() < &1e-4);
        law.final_p_flat()
    };
    let (coarse, fine) = (p(0.01), p(0.005));
    println!("{coarse} {fine} {}", 2.0 * fine - coarse);
    assert!(coarse > fine && fine > 0.551_724);
    // First-order extrapolation; the cusp's √η terms, which have the other sign, are left: ±.003.
    assert!((2.0 * fine - coarse - 0.551_724).abs() < 4e-3);
    // A direct simulation of 10000 runs at η = .03, D = .01, y0 = 5 gave .5952 ± .0049.
    let far = propagate(
        &isotropic(0.03, 0.01),
        &PathSettings {
            steps: 8000,
            ..PathSettings::default()
        },
    )
    .unwrap();
    assert!((far.final_p_flat() - 0.5952).abs() < 4.0 * 0.0049);
    // Negative control: Hessian noise of the same run does not give that.
    assert!(
        propagate(&paper(1.0, 0.01, 0.1), &PathSettings::default())
            .unwrap()
            .final_p_flat()
            > 0.85
    );
}

#[test]
fn slow_motion_choices() {
    let run = |motion, ramp| {
        let settings = PathSettings {
            motion,
            ramp,
            steps: 4000,
            ..PathSettings::default()
        };
        propagate(&paper(1.0, 0.03, 0.03), &settings).unwrap()
    };
    let (mean, floor) = (run(SlowMotion::Mean, 1.0), run(SlowMotion::Floor, 1.0));
    // y − 5 on the floor and on the mean path: the law is broad where it starts, at the ridge.
    assert_close!(mean.y[4000] - 5.0, floor.y[4000] - 5.0, 0.02);
    assert!(mean.y[4000] != floor.y[4000]);
    assert_close!(run(SlowMotion::Floor, 2.0).y[2000], floor.y[4000], 1e-3);
    let still = run(SlowMotion::Mean, 0.0);
    assert!(still.y.iter().all(|&y| y == 5.0));
    // Without motion hops go on; with it they freeze.
    assert!(still.sign_changes[3999] > 10.0 * mean.sign_changes[3999]);
    // The two starts are half of the mixture each; their mean paths of y differ a little.
    let from = |x| {
        let settings = PathSettings {
            starts: vec![Start { x, weight: 1.0 }],
            steps: 4000,
            ..PathSettings::default()
        };
        propagate(&paper(1.0, 0.03, 0.03), &settings)
            .unwrap()
            .final_p_flat()
    };
    let (sharp, flat) = (from(-0.01), from(0.01));
    assert!(sharp < flat);
    assert!((0.5 * (sharp + flat) - mean.final_p_flat()).abs() < 5e-4);
}

#[test]
fn bad_input_is_refused() {
    let run = |sgd: &PaperSgd, settings: PathSettings| propagate(sgd, &settings);
    let good = paper(1.0, 0.03, 0.03);
    let default = PathSettings::default;
    for settings in [
        PathSettings {
            steps: 0,
            ..default()
        },
        PathSettings {
            ramp: -1.0,
            ..default()
        },
        PathSettings {
            start_y: f64::NAN,
            ..default()
        },
        PathSettings {
            refresh: 0.0,
            ..default()
        },
        PathSettings {
            starts: vec![Start { x: 0.1, weight: 0.7 }],
            ..default()
        },
    ] {
        assert!(matches!(
            run(&good, settings),
            Err(Error::InvalidParameter { .. })
        ));
    }
    assert!(matches!(
        run(
            &good,
            PathSettings {
                starts: Vec::new(),
                ..default()
            }
        ),
        Err(Error::EmptySet { .. })
    ));
    // ηH = 0.3 · 9.278 > 2 in the sharp valley.
    assert!(matches!(
        run(&paper(1.0, 0.3, 0.03), default()),
        Err(Error::Unstable { .. })
    ));
    // Panels too long for the kernel.
    let coarse = Resolution {
        panel_length: 30.0,
        ..Resolution::default()
    };
    assert!(matches!(
        run(
            &good,
            PathSettings {
                resolution: coarse,
                ..default()
            }
        ),
        Err(Error::DomainTooSmall { .. })
    ));
}
