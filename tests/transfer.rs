//! The one-step operator of the SGD map on a fixed slice, against closed forms and Monte Carlo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::Error;
use freezeout::diffusion::Sgd;
use freezeout::landscape::{DoubleWell, Quadratic, Side, Slice, TwoValley};
use freezeout::math::{Point, Tensor};
use freezeout::noise::{HessianPower, Isotropic};
use freezeout::transfer::{Resolution, TransferOperator};
use statrs::distribution::{ContinuousCDF, Normal};

/// Solves of a few hundred states leave a few hundred rounding errors.
const ROUNDING: f64 = 1e-12;

fn assert_close(value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance * expected.abs(),
        "{value:.15e} is not {expected:.15e} within {tolerance:e}"
    );
}

fn bowl(h: f64, c: f64, eta: f64) -> Sgd<Quadratic<1>, Isotropic> {
    let quadratic = Quadratic::<1>::new(Tensor::<1>::new(h), Point::<1>::zeros()).unwrap();
    Sgd::new(quadratic, Isotropic::new(c).unwrap(), eta, 1.0).unwrap()
}

fn bowl_operator(h: f64, c: f64, eta: f64) -> (TransferOperator, f64) {
    let variance = eta * c / (h * (2.0 - eta * h));
    // Nine standard deviations: 2e-19 lies beyond.
    let width = 9.0 * variance.sqrt();
    let operator =
        TransferOperator::new(&bowl(h, c, eta), [-width, width], &[], Resolution::default()).unwrap();
    (operator, variance)
}

fn slice(
    y: f64,
    noise_strength: f64,
    eta: f64,
    power: f64,
) -> Sgd<Slice<TwoValley>, HessianPower<Slice<TwoValley>>> {
    let slice = Slice::new(TwoValley::default(), y).unwrap();
    Sgd::hessian_power(slice, power, eta, noise_strength / eta, 0.0).unwrap()
}

/// Odds of the fixed slice under Ito: γR with R = exp((a1² − a2²)/2) N(a1)/N(a2), a_i = x_i*/√Δ; `exponent` 1/2
/// of γ gives Stratonovich.
fn limiting_p_flat(y: f64, noise_strength: f64, exponent: f64) -> f64 {
    let model = TwoValley::default();
    let normal = Normal::standard();
    let [a1, a2] = Side::BOTH.map(|s| model.minimum(s, y).abs() / noise_strength.sqrt());
    let odds = model.flatness_ratio().powf(exponent) * (0.5 * (a1 * a1 - a2 * a2)).exp() * normal.cdf(a1)
        / normal.cdf(a2);
    odds / (1.0 + odds)
}

fn slice_operator(y: f64, noise_strength: f64, eta: f64, power: f64, r: Resolution) -> TransferOperator {
    let model = TwoValley::default();
    // Nine standard deviations of the wider valley; its variance exceeds ΔH^(p−1) by less than 1/(1 − ηH/2) < 2.
    let curvature = 2.0 / model.flatness(Side::Sharp, y);
    let margin = 9.0 * (2.0 * noise_strength * curvature.powf(power - 1.0)).sqrt();
    let domain = [
        model.minimum(Side::Sharp, y) - margin,
        model.minimum(Side::Flat, y) + margin,
    ];
    TransferOperator::new(&slice(y, noise_strength, eta, power), domain, &[], r).unwrap()
}

fn p_flat(y: f64, noise_strength: f64, eta: f64, power: f64) -> f64 {
    let operator = slice_operator(y, noise_strength, eta, power, Resolution::default());
    let law = operator.stationary().unwrap();
    operator.probability_above(&law.mass, 0.0).unwrap()
}

/// Stationary law N(0, ηC/(h(2 − ηh))) and eigenvalues (1 − ηh)^n of the map on a quadratic, overshoot included.
#[test]
fn quadratic_has_the_exact_variance_and_spectrum() {
    for eta in [0.01, 0.1, 0.3, 0.45] {
        let (operator, variance) = bowl_operator(4.0, 2.0, eta);
        let law = operator.stationary().unwrap();
        assert_close(operator.variance(&law.mass).unwrap(), variance, ROUNDING);
        assert!(law.residual < ROUNDING && law.defect < ROUNDING);
        let root: f64 = 1.0 - eta * 4.0;
        for (n, [re, im]) in operator.eigenvalues(5).unwrap().into_iter().enumerate() {
            // Absolute: the Schur form is backward stable relative to the norm, which is one.
            assert!(
                (re - root.powi(n as i32)).abs() < ROUNDING && im.abs() < ROUNDING,
                "eta {eta} n {n}"
            );
        }
        let slowest = if root > 0.0 { root } else { root * root };
        let gap = operator.spectral_gap().unwrap();
        // Ten times the tolerance of the inverse iteration.
        assert_close(gap.one_minus_eigenvalue, 1.0 - slowest, 10.0 * ROUNDING);
        assert_close(gap.gap, -slowest.ln() / eta, 100.0 * ROUNDING);
    }
    // Negative control: the diffusion limit ΔC/2h is 20 % off at ηh = 0.4.
    let (operator, _) = bowl_operator(4.0, 2.0, 0.1);
    let law = operator.stationary().unwrap().mass;
    assert!((operator.variance(&law).unwrap() / (0.1 * 2.0 / 8.0) - 1.0).abs() > 0.2);
}

/// m_{k+1} = (1 − ηh) m_k, v_{k+1} = (1 − ηh)² v_k + η²C from a point.
#[test]
fn gaussian_stays_gaussian() {
    let (h, c, eta) = (4.0, 2.0, 0.1);
    let (operator, variance) = bowl_operator(h, c, eta);
    let x0 = 1.5 * variance.sqrt();
    let mut law = operator.first_step(&bowl(h, c, eta), x0).unwrap();
    let (mut mean, mut spread) = (x0 * (1.0 - eta * h), eta * eta * c);
    for _ in 0..40 {
        assert!((operator.mean(&law).unwrap() - mean).abs() < ROUNDING * x0);
        assert_close(operator.variance(&law).unwrap(), spread, ROUNDING);
        law = operator.propagate(&law, 1).unwrap();
        mean *= 1.0 - eta * h;
        spread = (1.0 - eta * h).powi(2) * spread + eta * eta * c;
    }
}

/// Nyström with q Gauss-Legendre nodes converges like (panel length)^2q, across the cusp too.
#[test]
fn observed_order_is_twice_the_number_of_nodes() {
    let exact = p_flat(3.0, 1e-3, 0.01, 1.0);
    for (order, expected) in [(2, 4.0), (3, 6.0)] {
        let error = [1.0, 0.5, 0.25, 0.125].map(|panel_length| {
            let r = Resolution {
                order,
                panel_length,
                allowed_defect: 0.1,
                ..Resolution::default()
            };
            let operator = slice_operator(3.0, 1e-3, 0.01, 1.0, r);
            let law = operator.stationary().unwrap();
            (operator.probability_above(&law.mass, 0.0).unwrap() - exact).abs()
        });
        for pair in error.windows(2) {
            let observed = (pair[0] / pair[1]).log2();
            // The panel count is an integer, so halving is only approximate: half an order of slack.
            assert!(
                observed > expected - 0.5,
                "order {order}: {error:?} gives {observed}"
            );
        }
    }
    // The default is converged: halving the panels changes nothing beyond rounding.
    let finer = slice_operator(3.0, 1e-3, 0.01, 1.0, Resolution::default().refined(2.0));
    let law = finer.stationary().unwrap();
    assert_close(finer.probability_above(&law.mass, 0.0).unwrap(), exact, ROUNDING);
}

/// Learning rates in steps of four, for Richardson in √η.
const LEVELS: [f64; 4] = [6.4e-4, 1.6e-4, 4e-5, 1e-5];

/// Limit η → 0 from values at learning rates in steps of four: removes η^(1/2), η, η^(3/2) in turn.
fn richardson(values: &[f64]) -> f64 {
    let mut table = values.to_vec();
    let mut factor = 2.0;
    while table.len() > 1 {
        table = table
            .windows(2)
            .map(|p| p[1] + (p[1] - p[0]) / (factor - 1.0))
            .collect();
        factor *= 2.0;
    }
    table[0]
}

/// P_flat(η) at y = 3, Δ = 1e-3: Monte Carlo of discrete SGD and the Ito limit by Richardson in √η.
#[test]
fn p_flat_line_at_finite_learning_rate() {
    // Monte Carlo values of discrete SGD, ± .002.
    for (eta, simulated) in [(0.04, 0.765), (0.01, 0.770), (0.0025, 0.779), (0.000625, 0.784)] {
        assert!((p_flat(3.0, 1e-3, eta, 1.0) - simulated).abs() < 0.002);
    }
    let extrapolated = richardson(&LEVELS.map(|eta| p_flat(3.0, 1e-3, eta, 1.0)));
    let limit = limiting_p_flat(3.0, 1e-3, 1.0);
    assert_close(limit, 0.791_597, 1e-6);
    // The next term is η² on the finest levels with the amplification of the table: 1e-7 seen.
    assert!(
        (extrapolated - limit).abs() < 1e-6,
        "{extrapolated} against {limit}"
    );
    // Negative controls: Stratonovich, and the noise of another power.
    assert!((extrapolated - limiting_p_flat(3.0, 1e-3, 0.5)).abs() > 0.03);
    assert!((p_flat(3.0, 1e-3, 0.000625, 2.0) - 0.784).abs() > 0.02);
}

#[test]
fn mass_and_sign_are_kept() {
    let operator = slice_operator(5.0, 1e-3, 0.05, 1.0, Resolution::default());
    let sgd = slice(5.0, 1e-3, 0.05, 1.0);
    let mut law = operator.first_step(&sgd, -0.01).unwrap();
    for _ in 0..2000 {
        law = operator.apply(&law).unwrap();
    }
    assert!((law.iter().sum::<f64>() - 1.0).abs() < ROUNDING);
    assert!(law.iter().all(|&m| m >= 0.0));
    // Forward and backward are adjoint.
    let f: Vec<f64> = operator.grid().nodes().iter().map(|x| x.sin()).collect();
    let (tf, tp) = (operator.apply_adjoint(&f).unwrap(), operator.apply(&law).unwrap());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    assert!((dot(&law, &tf) - dot(&tp, &f)).abs() < ROUNDING);
}

/// A Gaussian random walk leaves (−L, L) from 0 after L²/s² + 2ρL/s + const steps, ρ = −ζ(1/2)/√2π, up to terms
/// exponentially small in L/s (Siegmund 1979).
#[test]
fn random_walk_exit_time_shows_the_overshoot() {
    const RHO: f64 = 0.582_597_157_939_010_7;
    let (eta, c): (f64, f64) = (0.5, 4.0);
    let s = eta * c.sqrt();
    let walk = bowl(0.0, c, eta);
    let steps = |length: f64| {
        let operator = TransferOperator::new(
            &walk,
            [-2.0 * length, 2.0 * length],
            &[-length, length],
            Resolution::default(),
        )
        .unwrap();
        operator
            .mean_exit_time_from(&walk, 0.0, |x| x.abs() < length)
            .unwrap()
            / eta
    };
    let (a, b) = (10.0 * s, 15.0 * s);
    assert_close(
        steps(b) - steps(a),
        (b * b - a * a) / (s * s) + 2.0 * RHO * (b - a) / s,
        ROUNDING,
    );
}

/// Exit times from valley bottom to valley bottom tend to the exact Ito first-passage integrals.
#[test]
fn exit_times_tend_to_the_ito_first_passage_times() {
    let model = TwoValley::default();
    let (y, delta) = (5.0, 2e-3);
    let [flat, sharp] = Side::BOTH.map(|s| model.minimum(s, y));
    let time = |eta: f64, from: f64, to: f64| {
        let sgd = slice(y, delta, eta, 1.0);
        let margin = 9.0 * delta.sqrt();
        let operator = TransferOperator::new(
            &sgd,
            [sharp - margin, flat + margin],
            &[sharp, flat],
            Resolution::default(),
        )
        .unwrap();
        operator
            .mean_exit_time_from(&sgd, from, |x| (x - to) * (from - to) > 0.0)
            .unwrap()
    };
    for (from, to, exact) in [(flat, sharp, 11.684729), (sharp, flat, 2.641601)] {
        let limit = richardson(&LEVELS.map(|eta| time(eta, from, to)));
        // The next term of the extrapolation, η²: 3e-6 seen.
        assert_close(limit, exact, 1e-5);
    }
}

/// On a smooth double well the finite-step error is a series in η; at D = 0.01 the gap is 6.2e-12 and λ is one to
/// thirteen digits. The limit is the exact gap of the diffusion, and gap × τ(−1 → 1) = 2 up to terms ~ e^(−25).
#[test]
fn tiny_gaps_keep_their_digits() {
    let (diffusivity, exact) = (0.01, 6.154_650_2e-12);
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let gap = |eta: f64| {
        let sgd = Sgd::new(well, Isotropic::new(2.0 * diffusivity / eta).unwrap(), eta, 1.0).unwrap();
        let operator = TransferOperator::new(&sgd, [-2.2, 2.2], &[1.0], Resolution::default()).unwrap();
        let gap = operator.spectral_gap().unwrap();
        let time = operator.mean_exit_time_from(&sgd, -1.0, |x| x < 1.0).unwrap();
        // The exit is seen at steps only, the last of them beyond 1: no effect on an exponentially long time.
        assert_close(gap.gap * time, 2.0, 1e-8);
        gap.gap
    };
    let g = [0.02, 0.01, 0.005, 0.0025].map(gap);
    let first = [2.0 * g[1] - g[0], 2.0 * g[2] - g[1], 2.0 * g[3] - g[2]];
    let second = [
        (4.0 * first[1] - first[0]) / 3.0,
        (4.0 * first[2] - first[1]) / 3.0,
    ];
    let limit = (8.0 * second[1] - second[0]) / 7.0;
    assert_close(limit, exact, 1e-6);
}

#[test]
fn bad_input_is_refused() {
    let sgd = slice(3.0, 1e-3, 0.01, 1.0);
    let new = |domain, r| TransferOperator::new(&sgd, domain, &[], r);
    let d = Resolution::default();
    assert!(matches!(new([1.0, 1.0], d), Err(Error::InvalidParameter { .. })));
    assert!(matches!(
        new([f64::NAN, 1.0], d),
        Err(Error::InvalidParameter { .. })
    ));
    assert!(matches!(
        new([-1.0, 1.0], Resolution { order: 1, ..d }),
        Err(Error::InvalidParameter { .. })
    ));
    // A domain that cuts the flat valley.
    let small = new([-0.3, 0.1], d).unwrap();
    assert!(matches!(small.stationary(), Err(Error::DomainTooSmall { .. })));
    assert!(matches!(
        small.apply(&[1.0]),
        Err(Error::DimensionMismatch { .. })
    ));
    assert!(matches!(
        small.mean_exit_time(|_| true),
        Err(Error::Unreachable { .. })
    ));
    assert!(matches!(
        small.mean_exit_time(|_| false),
        Err(Error::EmptySet { .. })
    ));
    // Clipped noise without a floor on the top of the double well: a step without width.
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let noise = HessianPower::new(well, 1.0, 0.1, 0.0).unwrap();
    let clipped = Sgd::new(well, noise, 0.1, 1.0).unwrap();
    assert!(matches!(
        TransferOperator::new(&clipped, [-2.0, 2.0], &[], d),
        Err(Error::InvalidParameter { .. })
    ));
}
