//! SGD under noise that is not fresh and Gaussian: exact laws of the vectorised walks and of finite sums, and what the task says of them.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::diffusion::Sgd;
use freezeout::ensemble::{Cell, NoiseLaw, Protocol, RunOutcome, TwoValleyWalk, ValleyEnsemble, simulate};
use freezeout::landscape::{Side, TwoValley, TwoValleyParameters};
use freezeout::network::{Batch, FiniteSum, ShiftedValleys, Training, train};
use freezeout::output::Records;
use freezeout::questions::noise_laws::NoiseLawsResult;
use freezeout::rates::literature::{
    discrete_quadratic_variance, discrete_quadratic_variance_without_replacement,
};
use freezeout::statistics::{Estimate, mean, variance};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use statrs::function::gamma::gamma;
use std::f64::consts::PI;

/// Standard errors that a comparison may be off by.
const Z: f64 = 4.0;

fn ensemble(walk: TwoValleyWalk, start: [f64; 2], runs: usize, steps: u64) -> ValleyEnsemble {
    let protocol = Protocol {
        starts: vec![start],
        runs,
        steps,
        record_every: None,
        seed: 3,
        experiment: 1,
    };
    simulate(&[Cell { walk, protocol }], &|_| ()).unwrap().remove(0)
}

fn means(found: &ValleyEnsemble, of: impl Fn(&RunOutcome) -> f64) -> Estimate {
    mean(&found.runs.iter().map(of).collect::<Vec<f64>>()).unwrap()
}

/// A landscape whose valleys have curvature 1 and minima at ±√2 where y is large, and hardly move.
fn unit_curvature() -> TwoValley {
    let root = 2f64.sqrt();
    TwoValley::new(TwoValleyParameters {
        x1: root,
        x2: root,
        ..TwoValleyParameters::default()
    })
    .unwrap()
}
const FAR: f64 = 1e7;

/// ηC(1 + β)/(h(1 − β)(2(1 + β) − ηh)), .51351 at η = .1, β = .9, h = C = 1, here in units of a smaller C.
#[test]
fn walks_with_momentum_have_the_exact_variance_on_a_parabola() {
    const C: f64 = 0.02;
    let (eta, start) = (0.1, [2f64.sqrt(), FAR]);
    for (beta, exact) in [(0.9, 0.513_51), (0.0, 0.052_63)] {
        let sgd = Sgd::isotropic(unit_curvature(), eta, 0.5 * C).unwrap();
        let walk = TwoValleyWalk::discrete(&sgd).unwrap().with_y_held();
        let walk = walk.with_law(NoiseLaw::Momentum(beta)).unwrap();
        let found = ensemble(walk, start, 20_000, 500);
        let found = variance(
            &found
                .runs
                .iter()
                .map(|run| run.x / C.sqrt())
                .collect::<Vec<f64>>(),
        )
        .unwrap();
        assert!(
            found.z_score(exact).abs() < Z && found.standard_error < 0.02 * exact,
            "{beta}: {found}"
        );
        // Negative control: the limit of small steps, ηC/(2h(1 − β)).
        let other = if beta > 0.0 { 0.052_63 } else { 0.513_51 };
        assert!(found.z_score(other).abs() > 20.0, "{beta}: {found}");
    }
}

/// Label noise of variance σ² h leads to flatter places with the speed −(ησ²/2) h'/(2 − ηh) (−.03125 at η = .1, h = 4, σ = h' = 1), here in the sharp
/// valley, whose curvature falls along y: what y gains on a run without noise.
#[test]
fn label_noise_moves_on_to_flatter_places_at_the_exact_speed() {
    const STEPS: u64 = 800;
    let (model, eta, sigma_squared, y) = (TwoValley::default(), 0.1, 0.01, 30.0);
    let start = [model.minimum(Side::Sharp, y), y];
    let gain = |law: NoiseLaw| {
        let walk = |sigma: f64| {
            TwoValleyWalk::discrete(&Sgd::hessian_power(model, 1.0, eta, sigma, 0.0).unwrap()).unwrap()
        };
        // C/B = 2σH; noise along y itself has no mean
        let noisy = walk(0.5 * sigma_squared)
            .without_slow_noise()
            .with_law(law)
            .unwrap();
        let without = ensemble(walk(1e-30), start, 2, STEPS).runs[0].y;
        means(&ensemble(noisy, start, 40_000, STEPS), |run| run.y - without)
    };
    // y has not moved far: the formula at every place of the floor, with the lag of the variance at the start, (1 − ηh)² a step, and with
    // the slope of the floor's speed, which carries a lead on.
    let (mut exact, mut at, mut spread) = (0.0, y, 0.0);
    for _ in 0..STEPS {
        let h = 2.0 / model.flatness(Side::Sharp, at);
        let slope = -h * model.log_flatness_slope(at);
        let carried = (model.floor_velocity(at + 1e-4) - model.floor_velocity(at - 1e-4)) / 2e-4;
        exact += eta * (-0.5 * slope * spread + carried * exact);
        spread = (1.0 - eta * h).powi(2) * spread + eta * eta * sigma_squared * h;
        at += eta * model.floor_velocity(at);
    }
    let h = 2.0 / model.flatness(Side::Sharp, at);
    let stationary = eta * sigma_squared / (2.0 - eta * h);
    assert!((spread / stationary - 1.0).abs() < 0.1, "{spread} {stationary}");
    let found = gain(NoiseLaw::Labels);
    assert!(found.z_score(exact).abs() < Z, "{found}, {exact}");
    assert!(found.standard_error < 0.02 * exact, "{found}");
    // Negative control: without the learning rate in the variance of x.
    assert!(
        found.z_score(exact * (1.0 - 0.5 * eta * h)).abs() > 10.0,
        "{found}, {exact}"
    );
}

/// With y held the stable walk changes valley by single jumps: mean stay α a^α/(K ε^α), K = Γ(1 + α) sin(πα/2)/π, a the distance of the minimum from the
/// ridge, whatever the barrier, so that the odds are γ^(1 + α/2); Gaussian noise of the same width would never go over.
#[test]
fn stable_noise_changes_valley_by_jumps_that_do_not_know_the_barrier() {
    const STEPS: u64 = 100_000;
    let (model, eta, alpha, y, width) = (TwoValley::default(), 0.01, 1.5_f64, 30.0, 4e-4_f64);
    let factor = (alpha * eta).powf(2.0 / alpha) / (2.0 * eta * eta);
    let sgd = Sgd::hessian_power(model, 2.0 / alpha, eta, width * factor, 0.0).unwrap();
    let walk = TwoValleyWalk::discrete(&sgd).unwrap().with_y_held();
    let walk = walk.with_law(NoiseLaw::Stable(alpha)).unwrap();
    // ε^α = α h (width/2)^(α/2): the vector of the law has the scale 1/sqrt 2 along an axis
    let stay = |side: Side| {
        let h = 2.0 / model.flatness(side, y);
        let k = gamma(1.0 + alpha) * (0.5 * PI * alpha).sin() / PI;
        let a = model.minimum(side, y).abs();
        (2.0 * a * a / width).powf(0.5 * alpha) / (k * h)
    };
    let (flat, sharp) = (stay(Side::Flat), stay(Side::Sharp));
    let gamma_ratio = model.flatness_ratio();
    assert!((flat / sharp / gamma_ratio.powf(1.0 + 0.5 * alpha) - 1.0).abs() < 1e-12);
    let start = [model.minimum(Side::Flat, y), y];
    let found = ensemble(walk, start, 1_000, STEPS);
    let hops = means(&found, |run| run.hops as f64);
    let p_flat = means(&found, |run| f64::from(run.is_flat()));
    // Two states, from the flat one on.
    let time = eta * STEPS as f64;
    let (rate, p) = (1.0 / flat + 1.0 / sharp, flat / (flat + sharp));
    let begun = (1.0 - p) * (1.0 - (-rate * time).exp()) / rate;
    let expected = 2.0 * time / (flat + sharp) + begun * (1.0 / flat - 1.0 / sharp);
    let later = p + (1.0 - p) * (-rate * time).exp();
    assert!(p_flat.z_score(later).abs() < Z, "{p_flat}, {later}");
    // The law is that of vanishing noise, the first correction of the order of width over distance.
    let small = width.sqrt() / model.minimum(Side::Sharp, y).abs();
    assert!((hops.value / expected - 1.0).abs() < small, "{hops}, {expected}");
    assert!(hops.standard_error < 0.01 * expected, "{hops}");
    // Negative control: Gaussian noise of the same width.
    let sgd = Sgd::hessian_power(model, 1.0, eta, width / eta, 0.0).unwrap();
    let gaussian = TwoValleyWalk::discrete(&sgd).unwrap().with_y_held();
    assert_eq!(
        means(&ensemble(gaussian, start, 64, STEPS), |run| run.hops as f64).value,
        0.0
    );
}

/// Gradients are those of the losses, their mean is that of the two-valley loss, and their covariance along x the power of the curvature.
#[test]
fn displaced_valleys_are_a_finite_sum_with_the_noise_of_the_model() {
    let model = TwoValley::default();
    for power in [0.0, 1.0, 2.0, 1.4] {
        let mut sum = ShiftedValleys::new(model, power, 0.3, 7).unwrap();
        for theta in [[0.2, 3.0], [-0.15, 8.0]] {
            let side = if theta[0] > 0.0 { Side::Flat } else { Side::Sharp };
            let (mut mean, mut gradient) = ([0.0; 2], [0.0; 2]);
            let whole = sum.gradient(&theta, Batch::All, &mut mean);
            let mut spread = 0.0;
            let mut losses = 0.0;
            for n in 0..7 {
                losses += sum.gradient(&theta, Batch::Some(&[n]), &mut gradient) / 7.0;
                spread += (gradient[0] - mean[0]).powi(2) / 7.0;
                for axis in 0..2 {
                    let mut loss = |step: f64| {
                        let mut at = theta;
                        at[axis] += step;
                        sum.gradient(&at, Batch::Some(&[n]), &mut [0.0; 2])
                    };
                    let difference = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                    assert!(
                        (gradient[axis] - difference).abs() < 1e-8,
                        "{power} {theta:?} {n} {axis}"
                    );
                }
            }
            assert!((losses - whole).abs() < 1e-14);
            let wanted = 0.3 * (2.0 / model.flatness(side, theta[1])).powf(power);
            assert!(
                (spread / wanted - 1.0).abs() < 1e-12,
                "{power} {theta:?}: {spread} {wanted}"
            );
        }
    }
}

/// m = 10, ηh = .1, B = 1: variances at the ends of epochs .00482 of that of the displacements without replacement, .05263 with.
#[test]
fn displaced_valleys_have_the_exact_variance_with_replacement_and_without() {
    const STRENGTH: f64 = 0.01;
    const EPOCHS: usize = 30_000;
    let with = discrete_quadratic_variance(1.0, 1.0, 0.1).unwrap();
    let without = discrete_quadratic_variance_without_replacement(1.0, 1.0, 0.1, 10, 1).unwrap();
    for (replacement, exact, other) in [(false, without, with), (true, with, without)] {
        let training = Training {
            learning_rate: 0.1,
            batch_size: 1,
            momentum: 0.0,
            replacement,
            steps: 10 * EPOCHS as u64,
            checkpoints: EPOCHS + 1,
        };
        let mut sum = ShiftedValleys::new(unit_curvature(), 0.0, STRENGTH, 10).unwrap();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(9);
        let trained = train(&mut sum, &[2f64.sqrt(), FAR], &training, &mut random).unwrap();
        // of 30 epochs each, after the first 30, as neighbours are correlated
        let squares: Vec<f64> = trained.checkpoints[30..]
            .chunks(30)
            .map(|block| {
                let squares = block
                    .iter()
                    .map(|theta| (theta[0] - 2f64.sqrt()).powi(2) / STRENGTH);
                squares.sum::<f64>() / block.len() as f64
            })
            .collect();
        let found = mean(&squares).unwrap();
        assert!(
            (found.value - exact).abs() < Z * found.standard_error,
            "{replacement}: {found}"
        );
        assert!(
            found.standard_error < 0.03 * exact && found.z_score(other).abs() > 20.0,
            "{found}"
        );
    }
}

fn task(keys: &str) -> String {
    format!("name = \"laws\"\nseed = 5\n[landscape]\nmodel = \"two_valley\"\n[noise_laws]\n{keys}")
}

/// Estimates of a law at a strength.
fn at(result: &NoiseLawsResult, law: &str, strength: usize) -> [Estimate; 2] {
    let row = result.law.iter().position(|name| name == law).unwrap();
    let k = row * result.noise_strength.len() + strength;
    [&result.p_flat, &result.mean_freezing_time].map(|of| Estimate {
        value: of.value[k],
        standard_error: of.standard_error[k],
        samples: 1,
    })
}

/// Momentum that is weak enough is equivalent to a learning rate η/(1 − β), and momentum that is not is told apart.
#[test]
fn momentum_collapses_on_the_effective_noise_strength_and_on_no_other() {
    let text = task(
        "batch_size = [5, 10]\nmomentum = [0.1, 0.5, 0.99]\nstability = []\nlabels = false\nrms = false\nsamples = []\nruns = 1000\nsteps = 60000",
    );
    let found = NoiseLawsResult::of(&run(&text)).unwrap();
    let z = |law: &str, k: usize, other: usize, of: usize| {
        at(&found, law, k)[of]
            .minus(&at(&found, "Gaussian", other)[of])
            .z_score(0.0)
    };
    for k in 0..2 {
        assert!(z("momentum 0.1", k, k, 0).abs() < Z);
        assert!((found.difference.value[k] / found.difference.standard_error[k]).abs() < Z);
    }
    // Negative controls: at the strength ησ instead of ησ/(1 − β) runs would freeze much earlier; strong momentum selects the flat valley less often.
    assert!(z("momentum 0.5", 0, 1, 1) > 10.0);
    assert!(z("momentum 0.99", 1, 1, 0) < -Z);
}

#[test]
fn heavy_tails_undo_freezing_and_sampling_without_replacement_lowers_the_noise() {
    let text = task(
        "batch_size = [10, 2]\nmomentum = []\nstability = [1.5]\nrms = false\nsamples = [100]\nruns = 500\nsteps = 30000",
    );
    let found = NoiseLawsResult::of(&run(&text)).unwrap();
    let row = |law: &str| found.law.iter().position(|name| name == law).unwrap();
    let jumps = row("stable 1.5");
    // odds γ^(1 + α/2) of single jumps
    assert!((found.p_flat_of_jumps[jumps] - 0.674_089).abs() < 1e-6);
    let [gaussian, stable] = ["Gaussian", "stable 1.5"].map(|law| at(&found, law, 0)[0]);
    assert!(
        gaussian.z_score(0.9) > 0.0 && stable.z_score(0.85) < -Z,
        "{gaussian} {stable}"
    );
    let unfrozen = |law: &str| found.unfrozen_fraction.value[row(law) * 2];
    assert!(unfrozen("stable 1.5") > 0.05 && unfrozen("Gaussian") == 0.0);
    let with = at(&found, "100 samples with replacement", 0);
    let without = at(&found, "100 samples without replacement", 0);
    assert!(with[0].minus(&gaussian).z_score(0.0).abs() < Z);
    assert!(
        without[1].minus(&with[1]).z_score(0.0) < -10.0,
        "{} {}",
        without[1],
        with[1]
    );
    assert!(found.verdict[row("Gaussian")].contains("differs from fresh Gaussian noise at 0 of 2"));
    assert!(found.verdict[jumps].contains("differs from fresh Gaussian noise at 2 of 2"));
}

#[test]
fn what_is_not_defined_is_refused_by_its_key() {
    for (keys, wanted) in [
        ("batch_size = []", "noise_laws.batch_size"),
        ("batch_size = [0]", "noise_laws.batch_size"),
        ("momentum = [1.0]", "noise_laws.momentum"),
        ("stability = [2.0]", "noise_laws.stability"),
        ("samples = [1]", "noise_laws.samples"),
        ("samples = [10]", "noise_laws"),
        ("learning_rate = 1.0", "noise_laws.learning_rate"),
        ("start_y = -1.0", "noise_laws.start_y"),
        ("runs = 1", "noise_laws.runs"),
        ("momentun = [0.5]", "momentum"),
    ] {
        let message = refused(&task(keys));
        assert!(message.contains(wanted), "{keys}: {message}");
    }
    let floor = task("").replace("[noise_laws]", "[noise]\nfloor = 0.1\n[noise_laws]");
    assert!(refused(&floor).contains("noise.floor"), "{}", refused(&floor));
    for key in ["strength", "power", "floor"] {
        let keys = format!("[noise]\n{key} = -0.5\n[noise_laws]");
        let message = refused(&task("").replace("[noise_laws]", &keys));
        assert!(
            message.starts_with(&format!("noise.{key}: -0.5 is not allowed")),
            "{message}"
        );
    }
}

/// Steps along x divided by the rms of the noise: with y held the law is exp(−Φ/Δ)/Z, Φ' = L' sqrt(C₀/C), D = ΔC₀ everywhere, so that the odds of the two sides are
/// those of two half Gaussians. The map at η = .0025 has them but for what the steps leave at the cusp.
#[test]
fn divided_steps_have_the_stationary_odds_of_constant_noise() {
    use freezeout::transfer::{PathSettings, SlowMotion, propagate};
    use statrs::function::erf::erfc;
    const Y: f64 = 2.0;
    const ETA: f64 = 0.0025;
    const SIGMA: f64 = 0.4;
    let model = TwoValley::default();
    let sgd = Sgd::hessian_power(model, 1.0, ETA, SIGMA, 0.0).unwrap();
    let curvature = |side: Side| 2.0 / model.flatness(side, Y);
    let reference = 2.0 * SIGMA * curvature(Side::Flat);
    let weight = |side: Side, divided: bool| {
        let gain = if divided {
            (curvature(Side::Flat) / curvature(side)).sqrt()
        } else {
            1.0
        };
        let diffusivity = ETA
            * SIGMA
            * if divided {
                curvature(Side::Flat)
            } else {
                curvature(side)
            };
        let (m, s) = (
            model.minimum(side, Y).abs(),
            (diffusivity / (gain * curvature(side))).sqrt(),
        );
        (0.5 * m * m / (s * s)).exp() * s * erfc(-m / (s * 2f64.sqrt())) / diffusivity
    };
    let exact = |divided: bool| {
        let [flat, sharp] = Side::BOTH.map(|side| weight(side, divided));
        flat / (flat + sharp)
    };
    let settings = PathSettings {
        steps: 60_000,
        start_y: Y,
        motion: SlowMotion::Fixed,
        rms_reference: Some(reference),
        ..PathSettings::default()
    };
    let map = propagate(&sgd, &settings).unwrap().final_p_flat();
    // a fine midpoint rule for the map in x alone, computed apart from this program; the y-parts of the covariance are far below this
    assert!((map - 0.589_139).abs() < 1e-4, "{map}");
    // steps leave .0002 at the cusp, and .0006 at η = .01
    assert!((map - exact(true)).abs() < 0.001, "{map} {}", exact(true));
    // Negative control: steps that are not divided.
    assert!((map - exact(false)).abs() > 0.04, "{map} {}", exact(false));
    let walk = TwoValleyWalk::divided_by_rms(&sgd, reference)
        .unwrap()
        .with_y_held();
    let found = ensemble(walk, [0.0, Y], 4000, 60_000);
    let found = means(&found, |run| f64::from(run.is_flat()));
    assert!(found.z_score(map).abs() < Z, "{found} {map}");
}

#[test]
fn divided_steps_are_those_of_their_own_map_and_select_the_flat_valley_less_often() {
    let text = task(
        "batch_size = [5, 2]\nmomentum = []\nstability = []\nlabels = false\nsamples = []\nruns = 1000\nsteps = 30000",
    );
    let found = NoiseLawsResult::of(&run(&text)).unwrap();
    let exact = found.p_flat_transfer_rms.as_ref().unwrap();
    for k in 0..2 {
        let [p, _] = at(&found, "divided by rms", k);
        assert!(p.z_score(exact[k]).abs() < Z, "{p} {}", exact[k]);
        // Negative control: the map of plain steps.
        assert!(p.z_score(found.p_flat_transfer[k]) < -8.0, "{p}");
    }
    // at Δ = 2.5e-3 training is not over after 30 000 steps: no mean time, and no verdict about it
    let n = found.noise_strength.len();
    assert!(found.unfrozen_fraction.value[1] > 1e-3 && found.mean_freezing_time.value[1].is_nan());
    assert!(found.mean_freezing_time.value[0].is_finite() && found.law.len() * n == 4);
    assert!(
        found.verdict[0].contains("frozen at 1 of 2") && found.verdict[0].contains("not all known"),
        "{}",
        found.verdict[0]
    );
}

/// ln τ out of a parabola of curvature h with C = h: ΔL/(Δ sqrt h) with steps divided by the rms of the noise, ΔL/(Δ h) without, through the program.
#[test]
fn the_exponent_of_the_escape_time_in_the_curvature_is_halved() {
    let time = |h: f64, strength: f64, preconditioner: &str| {
        let edge = (2.0 / h).sqrt();
        let text = format!(
            "name = \"rms\"\n[landscape]\nloss = \"{h}*x^2/2\"\nvariables = [\"x\"]\n[noise]\nmodel = \"hessian_power\"\n[sgd]\nnoise_strength = {strength}\n{preconditioner}\n[region]\ndomain = [[{}, {edge}]]\nboundaries = [\"reflecting\", \"absorbing\"]\n[escape]\ncells = 400\nstart = {{ ball = {{ centre = [0.0], radius = 0.0 }} }}\n",
            -1.5 * edge
        );
        common::escape::number(&run(&text), "mean_first_passage_time").ln()
    };
    let slope = |preconditioner: &str| {
        let exponent = |h: f64| (time(h, 0.01 / 1.1, preconditioner) - time(h, 0.01, preconditioner)) / 10.0;
        (exponent(1.5) / exponent(0.75)).log2()
    };
    let (divided, plain) = (slope("preconditioner = \"rms\""), slope(""));
    // the next term is one over the exponent, 100
    assert!((divided + 0.5).abs() < 0.01, "{divided}");
    assert!((plain + 1.0).abs() < 0.01, "{plain}");
    for (text, wanted) in [
        (
            "[landscape]\nloss = \"x^4/4 - x^2/2\"\nvariables = [\"x\"]",
            "the noise vanishes",
        ),
        ("[landscape]\nmodel = \"mueller_brown\"", "one variable only"),
        ("[landscape]\ndrift = [\"-x\"]", "gradient"),
    ] {
        let noise = if text.contains("drift") {
            "model = \"isotropic\""
        } else {
            "model = \"hessian_power\""
        };
        let plane = if text.contains("mueller") {
            "[-3.0, 3.0], [-3.0, 3.0]"
        } else {
            "[-3.0, 3.0]"
        };
        let message = refused(&format!(
            "name = \"rms\"\n{text}\n[noise]\n{noise}\n[sgd]\nnoise_strength = 0.1\npreconditioner = \"rms\"\n[region]\ndomain = [{plane}]\n[escape]\ncells = 40\nstart = {{ ball = {{ centre = [{}], radius = 0.0 }} }}\n",
            if text.contains("mueller") {
                "0.0, 0.0"
            } else {
                "0.0"
            }
        ));
        assert!(
            message.contains("sgd.preconditioner") && message.contains(wanted),
            "{message}"
        );
    }
}
