//! First passage, odds and escape formulas against closed forms and independently computed values.

#![allow(clippy::unwrap_used)] // also in functions that tests share

use freezeout::diffusion::{Diffusion, OrnsteinUhlenbeck, RmsPreconditioned, Sgd};
use freezeout::landscape::{DoubleWell, Kink, Quadratic, Side, Slice, TwoValley};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::rates::{ScaleAndSpeed, confining_domain};

/// Probability beyond the ends of the domains, far below every tolerance here.
const CUT: f64 = 1e-20;
/// Relative error of quadratures that end in rounding: some hundred panels, logarithms up to 100.
const QUADRATURE: f64 = 2e-13;

fn assert_close(got: f64, expected: f64, tolerance: f64) {
    let error = (got / expected - 1.0).abs();
    assert!(
        error <= tolerance,
        "{got:e} against {expected:e}: relative error {error:e} > {tolerance:e}"
    );
}

/// Half a unit in the last printed digit, relative to the number.
fn printed(digits: i32) -> f64 {
    5.000_001 * 10f64.powi(-digits)
}

/// Diffusivity eps: dx = −V' dt + sqrt(2 eps) dW with V = x⁴/4 − x²/2.
fn double_well(eps: f64) -> Sgd<DoubleWell, Isotropic> {
    Sgd::new(
        DoubleWell::new(0.25, 1.0).unwrap(),
        Isotropic::new(1.0).unwrap(),
        2.0 * eps,
        1.0,
    )
    .unwrap()
}

#[test]
fn double_well_meets_the_published_table_to_all_digits() {
    for (eps, to_other_well, d1, to_barrier, d2) in [
        (0.2, 19.0938969968, 12, 7.93402154, 9),
        (0.1, 66.2686263649, 12, 30.8213024727, 12),
        (0.05, 729.670691942, 12, 361.903759501, 12),
        (0.025, 102108.365457, 12, 51050.7025, 9),
        (0.01, 324957543147.0, 12, 1.62478772e11, 9),
    ] {
        let well = double_well(eps);
        let (lower, upper) = confining_domain(&well, -1.0, 1.0, CUT).unwrap();
        let line = ScaleAndSpeed::new(&well, lower, upper).unwrap();
        let across = line.first_passage(-1.0, 1.0).unwrap();
        assert_close(across.mean.value, to_other_well, printed(d1));
        assert!(across.mean.relative_error < 1e-12, "{across:?}");
        assert!(across.cut_probability < 1e-18, "{across:?}");
        assert_close(
            line.first_passage(-1.0, 0.0).unwrap().mean.value,
            to_barrier,
            printed(d2),
        );
        // Mirror symmetry.
        assert_close(
            line.first_passage(1.0, -1.0).unwrap().mean.log,
            across.mean.log,
            QUADRATURE,
        );
    }
}

#[test]
fn ornstein_uhlenbeck_first_passage_from_the_mean() {
    let ou = OrnsteinUhlenbeck::new(1.0, 0.0, 0.3).unwrap();
    let deviation = ou.variance().sqrt();
    let (lower, upper) = confining_domain(&ou, -1.0, 1.0, CUT).unwrap();
    let line = ScaleAndSpeed::new(&ou, lower, upper.max(5.0)).unwrap();
    for (k, expected) in [(1.0, 2.09340665), (2.0, 10.4284094), (4.0, 2018.39238)] {
        assert_close(
            line.first_passage(0.0, k * deviation).unwrap().mean.value,
            expected,
            printed(9),
        );
    }
}

/// dx = sqrt(2D) dW.
struct Brownian(f64);
impl Diffusion<1> for Brownian {
    fn drift(&self, _: &Point<1>) -> Point<1> {
        Point::<1>::new(0.0)
    }
    fn tensor(&self, _: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(self.0)
    }
}

#[test]
fn brownian_exit_time_and_variance() {
    let (d, l) = (0.7, 1.3);
    let brownian = Brownian(d);
    let line = ScaleAndSpeed::new(&brownian, -l, l).unwrap();
    for x in [-1.1, 0.0, 0.4] {
        assert_close(
            line.mean_exit_time(x, -l, l).unwrap().value,
            (l * l - x * x) / (2.0 * d),
            QUADRATURE,
        );
        assert_close(
            line.committor(x, -l, l).unwrap().value,
            (x + l) / (2.0 * l),
            QUADRATURE,
        );
    }
    // Reflection at 0 is exit from (−L, L) started at 0; variance 2L⁴/(3σ⁴), σ² = 2D.
    let half = ScaleAndSpeed::new(&brownian, 0.0, l).unwrap();
    let passage = half.first_passage(0.0, l).unwrap();
    assert_close(passage.mean.value, l * l / (2.0 * d), QUADRATURE);
    assert_close(
        passage.variance.value,
        2.0 * l.powi(4) / (3.0 * (2.0 * d).powi(2)),
        QUADRATURE,
    );
    assert_eq!(passage.cut_probability, f64::INFINITY); // a wall, not a truncation
}

#[test]
fn escape_times_beyond_the_range_of_f64_keep_their_logarithm() {
    // Kramers with its first correction, 1 + (3/2) eps, is accurate to O(eps²).
    for eps in [1e-3, 3e-4] {
        let well = double_well(eps);
        let (lower, upper) = confining_domain(&well, -1.0, 1.0, CUT).unwrap();
        let line = ScaleAndSpeed::new(&well, lower, upper).unwrap();
        let mean = line.first_passage(-1.0, 1.0).unwrap().mean;
        let kramers = (2f64.sqrt() * std::f64::consts::PI).ln() + 0.25 / eps;
        assert!(
            (mean.log - kramers - 1.5 * eps).abs() < 20.0 * eps * eps,
            "{mean:?} {kramers}"
        );
        assert!(mean.relative_error < 1e-11, "{mean:?}");
        assert_eq!(mean.value.is_infinite(), eps < 3.5e-4);
    }
}

#[test]
fn rare_escapes_are_exponentially_distributed() {
    // A memoryless time has variance = mean²; the correction vanishes with the noise.
    let well = double_well(0.02);
    let line = ScaleAndSpeed::new(&well, -2.5, 2.5).unwrap();
    let passage = line.first_passage(-1.0, 1.0).unwrap();
    assert!((passage.variance.log - 2.0 * passage.mean.log).abs() < 1e-3);
    // Negative control: a downhill passage is much more regular than an exponential one.
    let downhill = line.first_passage(0.1, 1.0).unwrap();
    assert!((downhill.variance.log - 2.0 * downhill.mean.log).abs() > 0.1);
}

#[test]
fn two_valley_slices_meet_the_reference_values() {
    for (y, delta, flat_to_sharp, d1, sharp_to_flat, d2, p_flat, d3) in [
        (5.0, 1e-3, 199.559402, 9, 14.434345, 8, 0.9331539, 7),
        (5.0, 2e-3, 11.684729, 8, 2.641601, 7, 0.8232857, 7),
        (5.0, 1e-2, 0.9540319, 7, 0.5451900, 7, 0.6673389, 7),
        (10.0, 5e-3, 24.004019, 8, 4.184951, 7, 0.8560852, 7),
    ] {
        let model = TwoValley::default();
        let slice = Slice::new(model, y).unwrap();
        let sgd = Sgd::hessian_power(slice, 1.0, 0.1, delta / 0.1, 0.0).unwrap();
        let (flat, sharp) = (model.minimum(Side::Flat, y), model.minimum(Side::Sharp, y));
        let (lower, upper) = confining_domain(&sgd, sharp, flat, CUT).unwrap();
        let line = ScaleAndSpeed::new(&sgd, lower, upper).unwrap();
        assert_close(
            line.first_passage(flat, sharp).unwrap().mean.value,
            flat_to_sharp,
            printed(d1),
        );
        assert_close(
            line.first_passage(sharp, flat).unwrap().mean.value,
            sharp_to_flat,
            printed(d2),
        );
        let probability = line.probability((0.0, upper), (lower, 0.0)).unwrap();
        assert_close(probability.value, p_flat, printed(d3));
        assert_close(probability.log.exp(), probability.value, QUADRATURE);
    }
}

/// The double well with the kink at 0 hidden or declared: V = |x|-cusp with different slopes.
struct Cusp {
    declared: bool,
}
impl Diffusion<1> for Cusp {
    fn drift(&self, x: &Point<1>) -> Point<1> {
        Point::<1>::new(if x[0] < 0.1234 { -1.0 } else { 2.0 })
    }
    fn tensor(&self, x: &Point<1>) -> Tensor<1> {
        Tensor::<1>::new(if x[0] < 0.1234 { 0.5 } else { 0.8 })
    }
    fn kinks(&self) -> Vec<Kink> {
        let kink = Kink {
            axis: 0,
            position: 0.1234,
        };
        if self.declared { vec![kink] } else { Vec::new() }
    }
}

#[test]
fn declared_kinks_cost_nothing_and_hidden_ones_are_found_or_reported() {
    // Closed form by hand: with ψ' = 2 left and −2.5 right of the kink c, reflecting at −1, target 1.
    let (c, l, r) = (0.1234f64, -1.0f64, 1.0f64);
    let (p, q) = (2.0f64, 2.5f64); // ψ = p(x−l) left; ψ = p(c−l) − q(x−c) right
    let up = p * (c - l);
    // left: M = (1 − e^{−p(x−l)})/(p·0.5); ∫ s M = [ (e^{up} − 1)/p − (c−l) ]/(p·0.5)
    let left = ((up.exp() - 1.0) / p - (c - l)) / (p * 0.5);
    let mass = (1.0 - (-up).exp()) / (p * 0.5);
    // right, with w = x − c and s = e^{up − q w}: M = mass + e^{−up}(e^{q w} − 1)/(q·0.8)
    let w = r - c;
    let integral_s = up.exp() * (1.0 - (-q * w).exp()) / q;
    let right = mass * integral_s + (w - (1.0 - (-q * w).exp()) / q) / (q * 0.8);
    let exact = left + right;
    let declared = Cusp { declared: true };
    let passage = ScaleAndSpeed::new(&declared, l, r)
        .unwrap()
        .first_passage(l, r)
        .unwrap();
    assert_close(passage.mean.value, exact, QUADRATURE);
    assert!(passage.panels <= 8, "{}", passage.panels);
    let hidden = Cusp { declared: false };
    let passage = ScaleAndSpeed::new(&hidden, l, r)
        .unwrap()
        .first_passage(l, r)
        .unwrap();
    assert_close(
        passage.mean.value,
        exact,
        passage.mean.relative_error.max(1e-11) * 10.0,
    );
}

#[test]
fn bad_input_is_refused() {
    let well = double_well(0.1);
    assert!(ScaleAndSpeed::new(&well, 1.0, 1.0).is_err());
    assert!(ScaleAndSpeed::new(&well, f64::NAN, 1.0).is_err());
    let line = ScaleAndSpeed::new(&well, -2.0, 2.0).unwrap();
    assert!(line.first_passage(-3.0, 1.0).is_err());
    assert!(line.first_passage(1.0, 1.0).is_err());
    assert!(line.first_passage(f64::NAN, 1.0).is_err());
    assert!(line.committor(1.0, 0.0, 0.5).is_err());
    assert!(line.odds((0.0, 0.0), (0.0, 1.0)).is_err());
    // D = 0 where the curvature is negative: the way is blocked and the error says where.
    let clipped = Sgd::hessian_power(DoubleWell::new(0.25, 1.0).unwrap(), 1.0, 0.1, 0.1, 0.0).unwrap();
    let error = ScaleAndSpeed::new(&clipped, -2.0, 2.0)
        .unwrap()
        .first_passage(-1.0, 1.0)
        .unwrap_err();
    assert!(error.to_string().contains("x = "), "{error}");
    assert!(confining_domain(&Brownian(1.0), -1.0, 1.0, CUT).is_err());
}

/// ln τ out of a parabola of curvature h with noise C = c h: ΔL/(Δ c h), and ΔL/(Δ sqrt(c h)) where steps are divided by the rms of the noise.
#[test]
fn steps_divided_by_the_rms_of_the_noise_feel_the_root_of_the_curvature() {
    const BARRIER: f64 = 1.0;
    const STRENGTH: f64 = 0.01;
    /// The next term of ln τ is of the order of one over E = 100, and of its difference between two strengths too.
    const NEXT: f64 = 0.01;
    let process = |curvature: f64, strength: f64| {
        let bowl = Quadratic::<1>::new(Tensor::<1>::new(curvature), Point::<1>::zeros()).unwrap();
        Sgd::with_noise_strength(bowl, Isotropic::new(curvature).unwrap(), strength).unwrap()
    };
    let log_time = |process: &dyn Diffusion<1>, curvature: f64| {
        let edge = (2.0 * BARRIER / curvature).sqrt();
        let line = ScaleAndSpeed::new(&process, -2.0 * edge, 1.1 * edge).unwrap();
        line.first_passage(0.0, edge).unwrap().mean.log
    };
    // the exponent is what grows with 1/Δ
    let exponent = |preconditioned: bool, curvature: f64| {
        let at = |strength: f64| {
            let sgd = process(curvature, strength);
            if preconditioned {
                log_time(&RmsPreconditioned::new(sgd), curvature)
            } else {
                log_time(&sgd, curvature)
            }
        };
        (at(STRENGTH / 1.1) - at(STRENGTH)) / (0.1 / STRENGTH)
    };
    let slope = |preconditioned: bool| {
        let [sharp, flat] = [1.5, 0.75].map(|h| exponent(preconditioned, h));
        (sharp / flat).log2()
    };
    for h in [0.75f64, 1.5] {
        assert!(
            (exponent(true, h) * h.sqrt() / BARRIER - 1.0).abs() < NEXT,
            "{}",
            exponent(true, h)
        );
        assert!(
            (exponent(false, h) * h / BARRIER - 1.0).abs() < NEXT,
            "{}",
            exponent(false, h)
        );
    }
    assert!((slope(true) + 0.5).abs() < NEXT, "{}", slope(true));
    // Negative control: steps that are not divided.
    assert!((slope(false) + 1.0).abs() < NEXT, "{}", slope(false));
}
