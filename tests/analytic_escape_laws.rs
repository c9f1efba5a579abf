//! Odds, Kramers-type asymptotics, the paper's formulas and other published laws against exact quadrature.

#![allow(clippy::unwrap_used)] // also in functions that tests share

use freezeout::diffusion::{Calculus, Diffusion, Sgd};
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::{DoubleWell, Kink, Side, Slice, TwoValley};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::observables::quasi_stationary;
use freezeout::rates::kramers::{
    CuspBarrier, SmoothBarrier, log_cusp_escape_time, log_escape_time, turnover_rate,
};
use freezeout::rates::literature::{
    PowerLawEscape, discrete_quadratic_covariance, jastrzebski_log_odds, xie_sato_sugiyama_log_escape_time,
};
use freezeout::rates::paper::{self, FreezingLine};
use freezeout::rates::{ParabolicValleys, SaddlePassage, ScaleAndSpeed, confining_domain};
use freezeout::region::Boundary;

/// Probability beyond the ends of the domains.
const CUT: f64 = 1e-20;
/// Rounding of quadrature and closed form.
const ROUNDING: f64 = 2e-13;

fn assert_close(got: f64, expected: f64, tolerance: f64) {
    let error = (got / expected - 1.0).abs();
    assert!(
        error <= tolerance,
        "{got:e} against {expected:e}: relative error {error:e} > {tolerance:e}"
    );
}

/// Asserts that `error(ε)` at ε, ε/2, ε/4, … falls with the given order within `slack`.
fn assert_order(errors: &[f64], order: f64, slack: f64) {
    assert!(errors.len() >= 4);
    for pair in errors.windows(2) {
        let observed = (pair[0] / pair[1]).abs().log2();
        assert!((observed - order).abs() < slack, "order {observed} in {errors:?}");
    }
}

/// A diffusion given by closures.
struct Line<B, D> {
    drift: B,
    diffusivity: D,
    kinks: Vec<f64>,
}
impl<B: Fn(f64) -> f64 + Sync, D: Fn(f64) -> f64 + Sync> Diffusion<1> for Line<B, D> {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        Point::<1>::new((self.drift)(x[0]))
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new((self.diffusivity)(x[0]))
    }
    fn kinks(&self) -> Vec<Kink> {
        self.kinks
            .iter()
            .map(|&position| Kink { axis: 0, position })
            .collect()
    }
}

fn log_mean_time<F: Diffusion<1>>(diffusion: &F, from: f64, to: f64, domain: (f64, f64)) -> f64 {
    ScaleAndSpeed::new(diffusion, domain.0, domain.1)
        .unwrap()
        .first_passage(from, to)
        .unwrap()
        .mean
        .log
}

#[test]
fn ito_odds_equal_the_quadrature_for_every_power() {
    let model = TwoValley::default();
    for (y, power, delta) in [
        (5.0, 1.0, 1e-3),
        (3.0, 1.5, 2e-4),
        (8.0, 2.0, 1e-3),
        (0.5, 1.0, 0.1),
    ] {
        let slice = Slice::new(model, y).unwrap();
        let sgd = Sgd::hessian_power(slice, power, 0.1, 10.0 * delta, 0.0).unwrap();
        let (flat, sharp) = (model.minimum(Side::Flat, y), model.minimum(Side::Sharp, y));
        let (lower, upper) = confining_domain(&sgd, sharp, flat, CUT).unwrap();
        let line = ScaleAndSpeed::new(&sgd, lower, upper).unwrap();
        let odds = line.odds((0.0, upper), (lower, 0.0)).unwrap();
        let valleys = ParabolicValleys::of_two_valley(&model, y, power, delta).unwrap();
        // Both logarithms carry rounding of E = ΔL/D, which is of the order of 100.
        assert!(
            (valleys.log_odds(Calculus::Ito) - odds.log).abs() < ROUNDING,
            "{odds:?}"
        );
        // Negative controls: the wrong calculus and the wrong power are far off.
        assert!((valleys.log_odds(Calculus::Klimontovich) - odds.log).abs() > 0.1);
        let wrong = ParabolicValleys::of_two_valley(&model, y, power + 0.5, delta).unwrap();
        assert!((wrong.log_odds(Calculus::Ito) - odds.log).abs() > 0.01);
    }
}

#[test]
fn calculi_differ_by_powers_of_the_flatness_ratio_and_isotropic_noise_by_nothing() {
    let model = TwoValley::default();
    let ratio = model.flatness_ratio();
    for (y, delta) in [(1.0, 1e-3), (5.0, 1e-3), (20.0, 1e-2)] {
        let valleys = ParabolicValleys::of_two_valley(&model, y, 1.0, delta).unwrap();
        let [ito, stratonovich, anti] = Calculus::ALL.map(|c| valleys.log_odds(c));
        assert_close(ito - anti, ratio.ln(), 1e-12);
        assert_close(stratonovich - anti, 0.5 * ratio.ln(), 1e-12);
        let isotropic = ParabolicValleys::of_two_valley(&model, y, 0.0, delta).unwrap();
        for calculus in Calculus::ALL {
            assert_close(isotropic.probability(calculus), 0.8 / (0.8 + 0.65), 1e-13);
        }
    }
    // P_flat falls with the noise at fixed y = 5 and stays above γ/(1 + γ).
    let mut last = 1.0;
    for (delta, expected) in [
        (1e-3, 0.933),
        (2e-3, 0.823),
        (3e-3, 0.765),
        (1e-2, 0.667),
        (1e-1, 0.617),
    ] {
        let p = ParabolicValleys::of_two_valley(&model, 5.0, 1.0, delta)
            .unwrap()
            .probability(Calculus::Ito);
        assert!((p - expected).abs() < 5.001e-4, "{delta}: {p}");
        assert!(p < last && p > ratio / (1.0 + ratio));
        last = p;
    }
    for (y, expected) in [
        (1.0, 0.643084),
        (3.0, 0.791597),
        (5.0, 0.9331539),
        (10.0, 0.999263),
    ] {
        let p = ParabolicValleys::of_two_valley(&model, y, 1.0, 1e-3)
            .unwrap()
            .probability(Calculus::Ito);
        assert!((p - expected).abs() < 5.001e-7, "{y}: {p}");
    }
}

#[test]
fn kramers_is_approached_with_relative_error_three_halves_of_the_noise() {
    let errors = [0.02, 0.01, 0.005, 0.0025].map(|eps| {
        let well: Sgd<DoubleWell, Isotropic> = Sgd::new(
            DoubleWell::new(0.25, 1.0).unwrap(),
            Isotropic::new(1.0).unwrap(),
            2.0 * eps,
            1.0,
        )
        .unwrap();
        let domain = confining_domain(&well, -1.0, 1.0, CUT).unwrap();
        let kramers = log_escape_time(SmoothBarrier {
            well_curvature: 2.0,
            barrier_curvature: 1.0,
            reduced_barrier: 0.25 / eps,
            diffusivity_ratio: 1.0,
        })
        .unwrap();
        let error = (log_mean_time(&well, -1.0, 1.0, domain) - kramers).exp_m1();
        // The next term of the expansion is about 6 ε².
        assert!((error - 1.5 * eps).abs() < 10.0 * eps * eps, "{eps}: {error}");
        error
    });
    assert_order(&errors, 1.0, 0.15);
}

#[test]
fn kramers_with_state_dependent_noise_is_the_ito_limit() {
    // D = ε (1 + x/2): E = ∫_{−1}^0 V'/D = (2/ε)(13/3 − 6 ln 2), D_b/D_a = 2.
    let energy = 2.0 * (13.0 / 3.0 - 6.0 * 2f64.ln());
    let levels = [0.02, 0.01, 0.005, 0.0025];
    let error = |ratio: f64| {
        levels.map(|eps| {
            let line = Line {
                drift: |x: f64| x - x * x * x,
                diffusivity: move |x: f64| eps * (1.0 + 0.5 * x),
                kinks: vec![],
            };
            let kramers = log_escape_time(SmoothBarrier {
                well_curvature: 2.0,
                barrier_curvature: 1.0,
                reduced_barrier: energy / eps,
                diffusivity_ratio: ratio,
            })
            .unwrap();
            (log_mean_time(&line, -1.0, 1.0, (-1.7, 1.0)) - kramers).exp_m1()
        })
    };
    let errors = error(2.0);
    assert!(errors[3].abs() < 0.02);
    assert_order(&errors, 1.0, 0.3);
    // Negative control: the anti-Ito prefactor (ratio 1/2) is wrong by a factor of two however small the noise.
    assert!((error(0.5)[3] - 1.0).abs() < 0.05);
}

#[test]
fn cusp_formula_is_the_limit_across_the_ridge_and_gives_the_splitting() {
    let (model, y) = (TwoValley::default(), 5.0);
    let (flat, sharp) = (model.minimum(Side::Flat, y), model.minimum(Side::Sharp, y));
    let errors = [2e-4, 1e-4, 5e-5, 2.5e-5].map(|delta| {
        let slice = Slice::new(model, y).unwrap();
        let sgd = Sgd::hessian_power(slice, 1.0, 0.1, 10.0 * delta, 0.0).unwrap();
        let domain = confining_domain(&sgd, sharp, flat, CUT).unwrap();
        let curvature = 2.0 / model.flatness(Side::Flat, y);
        // With D = ΔH the slopes are |L'|/D = x*/Δ.
        let barrier = CuspBarrier {
            well_curvature: curvature,
            well_diffusivity: delta * curvature,
            reduced_barrier: model.barrier(y) / (delta * curvature),
            near_slope: flat / delta,
            far_slope: -sharp / delta,
        };
        let line = ScaleAndSpeed::new(&sgd, domain.0, domain.1).unwrap();
        // From the cusp, the flat valley is reached first with probability x1/(x1 + x2) as Δ → 0.
        let q = line.committor(0.0, sharp, flat).unwrap().value;
        assert_close(q, 0.8 / 1.45, 30.0 * delta);
        let exact = line.first_passage(flat, sharp).unwrap().mean.log;
        (exact - log_cusp_escape_time(barrier).unwrap()).exp_m1()
    });
    assert_order(&errors, 1.0, 0.15);
    // The paper's time is to the ridge only; its ratio to the exact one tends to 1 as well.
    let ridge = [2e-4, 1e-4, 5e-5, 2.5e-5].map(|delta| {
        let sgd = Sgd::hessian_power(Slice::new(model, y).unwrap(), 1.0, 0.1, 10.0 * delta, 0.0).unwrap();
        let domain = confining_domain(&sgd, sharp, flat, CUT).unwrap();
        (log_mean_time(&sgd, flat, 0.0, domain)
            - paper::log_ridge_time(&model, Side::Flat, y, delta).unwrap())
        .exp_m1()
    });
    // The well it integrates over does not end at the ridge: the error is exponentially small, not algebraic.
    assert!(ridge[0].abs() < 1e-8, "{ridge:?}");
}

#[test]
fn eyring_kramers_langer_reduces_to_one_dimension_in_any_axes() {
    // L = double well in u plus (3/2) v² at the minimum and (4/2) v² at the saddle.
    let (cos, sin) = (0.6, 0.8);
    let rotation = Tensor::<2>::new(cos, -sin, sin, cos);
    let rotated = |a: f64, b: f64| rotation * Tensor::<2>::new(a, 0.0, 0.0, b) * rotation.transpose();
    let rate = |minimum_hessian, saddle_hessian, mobility: Tensor<2>| {
        SaddlePassage {
            minimum_hessian,
            saddle_hessian,
            barrier: 0.25,
        }
        .log_rate(&mobility, 0.05)
    };
    let (minimum, saddle, identity) = (rotated(2.0, 3.0), rotated(-1.0, 4.0), Tensor::<2>::identity());
    let log = -rate(minimum, saddle, identity).unwrap();
    let one = log_escape_time(SmoothBarrier {
        well_curvature: 2.0,
        barrier_curvature: 1.0,
        reduced_barrier: 5.0,
        diffusivity_ratio: 1.0,
    })
    .unwrap();
    assert_close(log, one + 0.5 * (4.0f64 / 3.0).ln(), 1e-14);
    // A mobility along the axes of the barrier multiplies the rate by its component across it.
    let fast = rate(minimum, saddle, rotated(3.0, 0.2)).unwrap();
    assert_close(fast, 3f64.ln() - log, 1e-14);
    for (minimum, saddle, mobility) in [
        (minimum, minimum, identity),
        (saddle, saddle, identity),
        (minimum, -minimum, identity),
        (minimum, saddle, rotated(1.0, -1.0)),
        (minimum, saddle, identity * f64::NAN),
    ] {
        assert!(rate(minimum, saddle, mobility).is_err());
    }
}

#[test]
fn turnover_interpolates_between_transition_state_theory_and_smoluchowski() {
    let (w0, wb, e) = (1.3, 0.7, 4.0);
    let tst = w0 / std::f64::consts::TAU * f64::exp(-e);
    assert_close(turnover_rate(0.0, w0, wb, e).unwrap(), tst, 1e-15);
    // Relative distance from the overdamped limit ω_b²/γ² at large friction.
    let errors = [50.0, 100.0, 200.0, 400.0]
        .map(|gamma| turnover_rate(gamma, w0, wb, e).unwrap() / (tst * wb / gamma) - 1.0);
    assert_order(&errors, 2.0, 0.01);
    assert!(turnover_rate(-1.0, w0, wb, e).is_err());
}

#[test]
fn paper_formulas_give_the_published_numbers() {
    let model = TwoValley::default();
    for (y, expected) in [
        (1.0, 0.660044),
        (3.0, 0.753544),
        (5.0, 0.913486),
        (10.0, 0.999079),
    ] {
        let p = paper::stationary_probability(&model, y, 1e-3).unwrap();
        assert!((p - expected).abs() < 5.001e-7, "{y}: {p}");
    }
    // Kramers limit of its own rates, and no overflow at a barrier of thousands.
    let (delta, y) = (1e-7, 20.0);
    let e = model.barrier(y) * model.flatness(Side::Sharp, y) / (2.0 * delta);
    let kramers = 0.5
        * (std::f64::consts::PI * delta * model.flatness(Side::Sharp, y) / (2.0 * model.barrier(y))).ln()
        + e;
    assert!((paper::log_ridge_time(&model, Side::Sharp, y, delta).unwrap() - kramers).abs() < 1.0 / e);
    // Effective potential: continuous at the ridge, depths γ^(±1/2) ΔL, jump T_eff ln γ.
    let minimum = model.ridge_loss(y) - model.barrier(y);
    for side in Side::BOTH {
        assert_close(
            paper::effective_loss(&model, side, y, model.ridge_loss(y)),
            model.ridge_loss(y),
            1e-15,
        );
        let depth = model.ridge_loss(y) - paper::effective_loss(&model, side, y, minimum);
        assert_close(depth, paper::effective_depth(&model, side, y), 1e-13);
    }
    let depths = Side::BOTH.map(|side| paper::effective_depth(&model, side, y));
    assert_close(depths[0] / depths[1], model.flatness_ratio(), 1e-14);
    let t = paper::effective_temperature(&model, y, delta);
    assert_close(t, 2.0 * delta / (0.40960f64 * 0.27040).sqrt(), 1e-12);
    assert_close(
        paper::ridge_jump(&model, y, delta),
        t * model.flatness_ratio().ln(),
        1e-14,
    );
}

#[test]
fn the_papers_freezing_line_is_its_own_asymptotics_and_needs_its_factor() {
    let model = TwoValley::default();
    let line = FreezingLine::AUTHORS;
    let constant = line.constant(&model).unwrap();
    assert_close(
        constant,
        30.0 * (2.0 * 0.2175 / 810.0) * (0.01 + 8.0 / 540.0),
        1e-14,
    );
    let mut last = (0.0, 0.0);
    for delta in [1e-4, 2e-4, 5e-4, 1e-3, 2e-3] {
        let y = line.y_freeze(&model, delta).unwrap();
        let p = line.final_probability(&model, delta).unwrap();
        // Both rise with the noise, and P_final is the paper's leading-order odds at y_freeze.
        assert!(y > last.0 && p > last.1, "{delta}: {y} {p}");
        let z = (y / (30.0 + y)).powi(2) * (0.8f64.powi(2) - 0.65f64.powi(2)) / (2.0 * delta);
        assert_close(p, 1.0 / (1.0 + (-z).exp() / model.flatness_ratio().sqrt()), 1e-12);
        last = (y, p);
    }
    // Without the factor 3000 the line lies several times higher.
    let bare = FreezingLine { scale: 1.0, ..line };
    assert!(bare.y_freeze(&model, 1e-3).unwrap() > 1.5 * line.y_freeze(&model, 1e-3).unwrap());
    // Outside of its range it is refused, not extrapolated.
    assert!(line.y_freeze(&model, 0.5 * constant * constant).is_err());
    assert!(line.y_freeze(&model, 0.5).is_err());
}

#[test]
fn xie_law_has_the_exponent_of_the_ito_process_but_the_anti_ito_prefactor() {
    // Parabola of curvature 3 joined smoothly to a top of curvature −1; C = H/B below the joint and |H|/B above.
    let (a, b) = (3.0, 1.0);
    let (joint, top) = (1.0, 1.0 + a / b);
    let barrier = 0.5 * a * joint * joint + 0.5 * b * (top - joint) * (top - joint);
    let fraction = 0.5 * a * joint * joint / barrier;
    let errors = [0.04, 0.02, 0.01, 0.005].map(|eta| {
        let line = Line {
            drift: move |x: f64| if x < joint { -a * x } else { b * (x - top) },
            diffusivity: move |x: f64| 0.5 * eta * if x < joint { a } else { b },
            kinks: vec![joint],
        };
        let reach = 3.0; // beyond the top by many widths sqrt(η/2), and |x| in the well likewise
        let exact = log_mean_time(&line, 0.0, top + 0.5 * reach, (-reach, top + reach));
        let law = xie_sato_sugiyama_log_escape_time(barrier, a, b, fraction, eta, 1.0).unwrap();
        (exact - law - (b / a).ln()).exp_m1()
    });
    // With the prefactor corrected by |h_b|/h_a only the corrections to Kramers remain: exponentially small for parabolas.
    assert!(errors.iter().all(|e| e.abs() < 1e-6), "{errors:?}");
}

#[test]
fn mori_power_law_is_the_limit_of_the_loss_scaled_process() {
    let (h, base) = (2.0, 0.05);
    let loss = |x: f64| 0.25 * (x * x - 1.0).powi(2) + 0.05;
    let line = |eta: f64| Line {
        drift: |x: f64| x - x * x * x,
        diffusivity: move |x: f64| eta * h * loss(x),
        kinks: vec![],
    };
    let errors = [0.08, 0.04, 0.02, 0.01].map(|eta| {
        let rate = PowerLawEscape::new(h, eta, 1.0)
            .unwrap()
            .log_escape_rate(base, base + 0.25, &[h], &[-1.0])
            .unwrap();
        (log_mean_time(&line(eta), -1.0, 1.0, (-2.5, 2.5)) + rate).exp_m1()
    });
    assert!(errors[3].abs() < 0.05, "{errors:?}");
    assert_order(&errors, 1.0, 0.2);
    // Stationary density p ∝ L^{−φ}: narrow intervals around −1 and 0, exact up to their width squared.
    let eta = 0.05;
    let phi = PowerLawEscape::new(h, eta, 1.0).unwrap().stationary_exponent();
    let process = line(eta);
    let walls = ScaleAndSpeed::new(&process, -2.0, 2.0).unwrap();
    let w = 1e-4;
    let odds = walls.odds((-1.0 - w, -1.0 + w), (-w, w)).unwrap().log;
    assert_close(odds, phi * (loss(0.0) / loss(-1.0)).ln(), 1e-6);
}

#[test]
fn jastrzebski_odds_are_the_laplace_limit_under_isotropic_noise() {
    // L = x⁴/4 − x²/2 + x/10, minima and maximum by Newton.
    let root = |mut x: f64| {
        for _ in 0..50 {
            x -= (x * x * x - x + 0.1) / (3.0 * x * x - 1.0);
        }
        x
    };
    let (left, top, right) = (root(-1.0), root(0.1), root(1.0));
    let loss = |x: f64| x.powi(4) / 4.0 - x * x / 2.0 + 0.1 * x;
    let hessian = |x: f64| Tensor::<1>::new(3.0 * x * x - 1.0);
    let errors = [0.02, 0.01, 0.005, 0.0025].map(|t| {
        let line = Line {
            drift: |x: f64| x - x * x * x - 0.1,
            diffusivity: move |_| t,
            kinks: vec![],
        };
        let exact = ScaleAndSpeed::new(&line, -2.0, 2.0)
            .unwrap()
            .odds((-2.0, top), (top, 2.0))
            .unwrap()
            .log;
        let law = jastrzebski_log_odds(
            [loss(left), loss(right)],
            [&hessian(left), &hessian(right)],
            [t, t],
        )
        .unwrap();
        exact - law
    });
    assert_order(&errors, 1.0, 0.3);
}

/// Another temperature in each minimum: the two-valley slice, D = 2Δ/f_i, losses counted from the ridge.
#[test]
fn jastrzebski_odds_with_two_temperatures_are_the_laplace_limit_of_the_two_valleys() {
    let (model, y) = (TwoValley::default(), 5.0);
    let hessian = |side| Tensor::<1>::new(2.0 / model.flatness(side, y));
    let (flat, sharp) = (hessian(Side::Flat), hessian(Side::Sharp));
    for delta in [1e-3, 5e-4, 2e-4] {
        let valleys = ParabolicValleys::of_two_valley(&model, y, 1.0, delta).unwrap();
        let depth = -model.barrier(y);
        let temperature = [delta * flat[0], delta * sharp[0]];
        let law = jastrzebski_log_odds([depth, depth], [&flat, &sharp], temperature).unwrap();
        // what the parabolas lack beyond the ridge is exponentially small
        let beyond = (-valleys.sharp.reduced_barrier()).exp();
        assert!(
            (law - valleys.log_odds(Calculus::Ito)).abs() < beyond,
            "{delta}: {law}"
        );
        // one temperature for both is another law
        let mean = [(temperature[0] * temperature[1]).sqrt(); 2];
        let other = jastrzebski_log_odds([depth, depth], [&flat, &sharp], mean).unwrap();
        assert!((other - law).abs() > 1.0);
    }
}

/// The splitting at the ridge is the committor, at any noise.
#[test]
fn the_splitting_is_the_committor_from_the_ridge() {
    let (model, y) = (TwoValley::default(), 5.0);
    let (flat, sharp) = (model.minimum(Side::Flat, y), model.minimum(Side::Sharp, y));
    for delta in [1e-4, 1e-3, 1e-2, 1e-1] {
        let sgd = Sgd::hessian_power(Slice::new(model, y).unwrap(), 1.0, 0.1, 10.0 * delta, 0.0).unwrap();
        let line = ScaleAndSpeed::new(&sgd, sharp, flat).unwrap();
        let exact = line.committor(0.0, sharp, flat).unwrap().value;
        let valleys = ParabolicValleys::of_two_valley(&model, y, 1.0, delta).unwrap();
        assert_close(valleys.ridge_splitting(), exact, 1e-10);
    }
    // its limit for high barriers mends the published P_ss at weak noise and spoils it at strong noise
    let of = |delta: f64| {
        let exact = ParabolicValleys::of_two_valley(&model, y, 1.0, delta)
            .unwrap()
            .probability(Calculus::Ito);
        let published = paper::stationary_probability(&model, y, delta).unwrap();
        let odds = published / (1.0 - published) * 0.8 / 0.65;
        let limit = odds / (1.0 + odds);
        let mended = paper::stationary_probability_with_splitting(&model, y, delta).unwrap();
        [published, limit, mended].map(|p| (p - exact).abs())
    };
    let [published, limit, mended] = of(1e-3);
    assert!(
        mended < 1e-4 && mended < limit && limit < published,
        "{published} {limit} {mended}"
    );
    let [published, limit, _] = of(1e-2);
    assert!(limit > published, "{published} {limit}");
}

/// L = (x² − 1)²/4 + Σ k_i (1 + c x²) y_i²/2 + L*: transverse curvatures differ from each other, and between saddle and minimum.
struct LossScaled<const D: usize> {
    temperature: f64,
    transverse: [f64; 2],
}

const BASE: f64 = 0.25;
const NARROWING: f64 = 2.0;

impl<const D: usize> LossScaled<D> {
    fn transverse(&self, theta: &Point<D>) -> f64 {
        (1..D)
            .map(|d| 0.5 * self.transverse[d - 1] * theta[d].powi(2))
            .sum()
    }
}

impl<const D: usize> Diffusion<D> for LossScaled<D> {
    fn drift(&self, theta: &Point<D>) -> Point<D> {
        let x = theta[0];
        Point::<D>::from_fn(|d, _| match d {
            0 => x - x.powi(3) - 2.0 * NARROWING * x * self.transverse(theta),
            d => -self.transverse[d - 1] * (1.0 + NARROWING * x * x) * theta[d],
        })
    }
    fn tensor(&self, theta: &Point<D>) -> Tensor<D> {
        let x2 = theta[0].powi(2);
        let loss = BASE + 0.25 * (x2 - 1.0).powi(2) + (1.0 + NARROWING * x2) * self.transverse(theta);
        Tensor::<D>::identity() * (self.temperature * loss)
    }
}

/// ln of the rate over the saddle: half of that into the absorbing plane x = 0, from one quadrant of the rest, by symmetry.
fn loss_scaled_log_rate<const D: usize>(temperature: f64, transverse: [f64; 2], cells: [usize; D]) -> f64 {
    let process = LossScaled::<D> {
        temperature,
        transverse,
    };
    let ends = [[-1.8, 0.0], [0.0, 1.4], [0.0, 0.9]];
    let axes = std::array::from_fn(|d| Axis::uniform(ends[d][0], ends[d][1], cells[d]).unwrap());
    let grid = Grid::new(axes);
    let mut boundaries = [[Boundary::Reflecting; 2]; D];
    boundaries[0][1] = Boundary::Absorbing;
    let discretisation = Discretisation {
        boundaries,
        ..Discretisation::default()
    };
    let generator = Generator::assemble_with(&process, grid, &discretisation).unwrap();
    let nowhere = CellSet::none("target", generator.grid());
    (0.5 * quasi_stationary(&generator, &nowhere).unwrap().escape_rate).ln()
}

#[test]
fn mori_power_law_in_two_and_three_variables() {
    let (h, transverse) = (2.0, [1.0, 3.0]);
    let formula = |temperature: f64, n: usize, narrowing: f64| {
        let minimum: Vec<f64> = std::iter::once(h)
            .chain(transverse.iter().take(n - 1).map(|k| k * (1.0 + narrowing)))
            .collect();
        let saddle: Vec<f64> = std::iter::once(-1.0)
            .chain(transverse.iter().take(n - 1).copied())
            .collect();
        let law = PowerLawEscape::new(h, temperature / h, 1.0).unwrap();
        law.log_escape_rate(BASE, BASE + 0.25, &minimum, &saddle).unwrap()
    };
    let plane = |t: f64| {
        let [a, b] = [1, 2].map(|k| loss_scaled_log_rate::<2>(t, transverse, [60 * k, 40 * k]));
        b + (b - a) / 3.0
    };
    let space = |t: f64| {
        let [a, b] = [2, 3].map(|k| loss_scaled_log_rate::<3>(t, transverse, [14 * k, 9 * k, 9 * k]));
        b + (b - a) * 4.0 / 5.0
    };
    for (n, rate, weakest) in [(2, &plane as &dyn Fn(f64) -> f64, 0.05), (3, &space, 0.05)] {
        let errors = [4.0, 2.0, 1.0].map(|t| rate(t * weakest) - formula(t * weakest, n, NARROWING));
        // the correction is of order ηh*/B
        assert!(
            errors[2].abs() < 0.6 * errors[1].abs() && errors[1].abs() < 0.65 * errors[0].abs(),
            "{errors:?}"
        );
        assert!(errors[2].abs() < 0.15, "{errors:?}");
        // without the ratio of determinants, the law of the line times the right power of the losses
        let without = rate(weakest) - formula(weakest, n, 0.0);
        assert!(without.abs() > 0.3, "{without}");
    }
}

#[test]
fn discrete_covariance_is_the_fixed_point_of_the_map() {
    let h = Tensor::<2>::new(2.0, 0.5, 0.5, 1.0);
    let c = Tensor::<2>::new(0.3, -0.1, -0.1, 0.2);
    for eta in [0.01, 0.3, 0.8] {
        let s = discrete_quadratic_covariance(&h, &c, eta).unwrap();
        let step = Tensor::<2>::identity() - h * eta;
        let next = step * s * step + c * (eta * eta);
        assert!((next - s).amax() < 1e-15 * 10.0 * s.amax(), "{next} {s}");
        let equation = s * h + h * s - h * s * h * eta - c * eta;
        assert!(equation.amax() < 1e-14 * c.amax());
    }
    assert!(discrete_quadratic_covariance(&h, &c, 1.0).is_err()); // ηH > 2
}
