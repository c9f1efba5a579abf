//! Landscapes and noises against published laws and closed forms.
#![allow(clippy::unwrap_used)] // also in functions that tests share

mod common;

use common::assert_order;
use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::generator::{Discretisation, Generator};
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::{
    AsymmetricDoubleWell, DegenerateValley, DoubleWell, Expression, Landscape, MuellerBrown, Quadratic,
    SmoothedLandscape, Tabulated, critical_point,
};
use freezeout::math::{Formula, Point, Tensor};
use freezeout::noise::{self, Constant, GradientNoise, HessianPower, Isotropic, LossScaled, RandomShift};
use freezeout::observables::{effective_potential, stationary_probability};
use freezeout::rates::ScaleAndSpeed;
use freezeout::rates::literature::PowerLawEscape;
use freezeout::region::Boundary;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// F of period 2: walls along y would add layers of their own, of order sqrt(T) wide.
fn width(y: f64) -> f64 {
    1.0 + 0.4 * (PI * y).sin()
}

const WIDTH: &str = "1 + 0.4*sin(pi*y)";

fn valley() -> DegenerateValley {
    let formula = Formula::<1>::parse(WIDTH, &["y"], &BTreeMap::new()).unwrap();
    DegenerateValley::new(formula, 0.0).unwrap()
}

/// Slope of the logarithm of the marginal density of y over `law`, extrapolated in the cells along y; `spread` is the largest
/// standard deviation of x.
///
/// Along x the grid sums Gaussians on equal cells, which is exact beyond all orders; along y its error is of second order.
fn slope_of_marginal(
    noise: &impl GradientNoise<2>,
    temperature: f64,
    spread: f64,
    law: impl Fn(f64) -> f64,
) -> f64 {
    const ACROSS: usize = 120;
    let sgd = Sgd::new(valley(), noise, 2.0 * temperature, 1.0).unwrap();
    let slopes = [120, 240].map(|along| {
        let axes = [
            Axis::uniform(-8.0 * spread, 8.0 * spread, ACROSS).unwrap(),
            Axis::uniform(-1.0, 1.0, along).unwrap(),
        ];
        let options = Discretisation {
            boundaries: [[Boundary::Reflecting; 2], [Boundary::Periodic; 2]],
            ..Discretisation::default()
        };
        let generator = Generator::assemble_with(&sgd, Grid::new(axes.clone()), &options).unwrap();
        let p = stationary_probability(&generator).unwrap();
        let points: Vec<(f64, f64)> = (0..along)
            .map(|j| {
                let sum: f64 = (0..ACROSS).map(|i| p[i * along + j]).sum();
                (law(axes[1].centre(j)), sum.ln())
            })
            .collect();
        slope(&points)
    });
    common::extrapolate(slopes.to_vec())
}

/// Slope of v over u by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (u, v) = points
        .iter()
        .fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
    let (cross, square) = points.iter().fold((0.0, 0.0), |s, p| {
        (s.0 + (p.0 - u) * (p.1 - v), s.1 + (p.0 - u) * (p.0 - u))
    });
    cross / square
}

fn exponent(kappa: f64, temperature: f64) -> f64 {
    let noise = Constant::new(Tensor::<2>::new(kappa, 0.0, 0.0, 1.0)).unwrap();
    let spread = 1.4 * (kappa * temperature).sqrt();
    slope_of_marginal(&noise, temperature, spread, |y| width(y).ln())
}

#[test]
fn marginal_of_the_degenerate_valley_is_the_power_of_its_width_given_by_the_anisotropy() {
    // κ = 1 is the Gibbs law at any temperature.
    for temperature in [0.5, 0.02] {
        let gibbs = exponent(1.0, temperature);
        println!("kappa 1, T {temperature}: {gibbs}");
        // Quadrature of order four along each axis and a cut at eight standard deviations.
        assert!((gibbs - 1.0).abs() < 1e-7, "{gibbs}");
    }
    for kappa in [0.25, 3.0] {
        // First order in the ratio of time scales, D_yy F'² or D_xx F'²; extrapolated, the exponent is κ.
        let found: Vec<f64> = (0..5)
            .map(|k| exponent(kappa, 0.003 / kappa.max(1.0) * 0.5_f64.powi(k)))
            .collect();
        let errors: Vec<f64> = found.iter().map(|e| e - kappa).collect();
        println!("kappa {kappa}: {found:?} {errors:?} orders {:?}", orders(&errors));
        assert_order(&errors, 1.0);
        let limit = 2.0 * found[4] - found[3];
        println!("limit {limit}");
        // What is left is of second order: a twentieth of the last first-order error at these temperatures.
        assert!((limit - kappa).abs() < 0.05 * errors[4].abs(), "{limit}");
    }
}

fn orders(errors: &[f64]) -> Vec<f64> {
    errors.windows(2).map(|e| (e[0] / e[1]).log2()).collect()
}

#[test]
fn marginal_of_the_degenerate_valley_under_noise_that_depends_on_the_place() {
    // D_xx = T κ, D_yy = T F²: P ∝ exp(−κ/(2F²))/F².
    let kappa = 2.0;
    let (across, along) = (format!("{kappa}"), format!("({WIDTH})^2"));
    let noise = noise::Expression::<2>::new(&[&across, "0", &along], &["x", "y"], &BTreeMap::new()).unwrap();
    let found = |temperature: f64, law: &dyn Fn(f64) -> f64| {
        slope_of_marginal(&noise, temperature, 1.4 * (kappa * temperature).sqrt(), law)
    };
    let boltzmann = |y: f64| -0.5 * kappa / (width(y) * width(y));
    let law = |y: f64| boltzmann(y) - 2.0 * width(y).ln();
    let errors: Vec<f64> = (0..5)
        .map(|k| found(0.0005 * 0.5_f64.powi(k), &law) - 1.0)
        .collect();
    println!("relative to the law: {errors:?} orders {:?}", orders(&errors));
    assert_order(&errors, 1.0);
    // Negative control: without the factor 1/D_yy of the Ito sense the law is another one.
    assert!((found(0.0001, &boltzmann) - 1.0).abs() > 0.1);
}

/// d(−ln p)/d ln(L + L₀) on [−1, 1] by the grid.
fn loss_exponent(
    landscape: &dyn Landscape<1>,
    noise: &impl GradientNoise<1>,
    residual: f64,
    eta: f64,
    ends: f64,
    cells: usize,
) -> f64 {
    let sgd = Sgd::new(landscape, noise, eta, 1.0).unwrap();
    let generator =
        Generator::assemble(&sgd, Grid::new([Axis::uniform(-ends, ends, cells).unwrap()])).unwrap();
    let potential = effective_potential(&generator).unwrap();
    let points: Vec<(f64, f64)> = (0..cells)
        .map(|i| (generator.grid().centre(i), potential[i]))
        .filter(|(x, _)| x[0].abs() < 1.0)
        .map(|(x, phi)| ((landscape.loss(&x) + residual).ln(), phi))
        .collect();
    slope(&points)
}

#[test]
fn loss_scaled_noise_has_the_published_stationary_exponent() {
    // B = 1, η = .1, h = 1: φ = 11 (Mori et al. 2022).
    let parabola = Quadratic::<1>::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap();
    let noise = LossScaled::<_, 1>::new(parabola, 0.05, 0.0).unwrap();
    let phi = PowerLawEscape::new(1.0, 0.1, 1.0).unwrap().stationary_exponent();
    let found: Vec<f64> = [100, 200, 400, 800]
        .map(|cells| loss_exponent(&parabola, &noise, 0.05, 0.1, 1.5, cells))
        .to_vec();
    let errors: Vec<f64> = found.iter().map(|f| f - phi).collect();
    println!("exponents {found:?}");
    // Each half cell integrates L'/D by two Gauss points: order four.
    assert_order(&errors, 4.0);
    assert!((found[3] / phi - 1.0).abs() < 1e-11);
    // Negative control: another learning rate has another exponent.
    let other = loss_exponent(&parabola, &noise, 0.05, 0.2, 1.5, 800);
    assert!((other - 6.0).abs() < 0.01, "{other}");
}

#[test]
fn the_exponent_holds_beyond_the_parabola_only_with_the_curvature_of_the_minimum() {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let (residual, eta) = (0.05, 0.1);
    let held = LossScaled::<_, 1>::at_minimum(well, &Point::<1>::new(1.0), residual, 0.0).unwrap();
    let phi = PowerLawEscape::new(2.0, eta, 1.0).unwrap().stationary_exponent();
    let found: Vec<f64> = [200, 400, 800, 1600]
        .map(|cells| loss_exponent(&well, &held, residual, eta, 1.6, cells))
        .to_vec();
    println!("exponents {found:?}");
    let errors: Vec<f64> = found.iter().map(|f| f - phi).collect();
    // Order four at least: terms of orders four and six cancel in part on the coarser grids.
    assert!(
        errors.windows(2).all(|e| (e[0] / e[1]).abs() > 14.0),
        "{errors:?}"
    );
    assert!((found[3] / phi - 1.0).abs() < 1e-11);
    // Negative control: with the local curvature the law is another one.
    let local = LossScaled::<_, 1>::new(well, residual, 1e-3).unwrap();
    let other = loss_exponent(&well, &local, residual, eta, 1.6, 1600);
    assert!((other / phi - 1.0).abs() > 0.1, "{other}");
    // Without a floor there is no noise at the saddle, and the generator refuses.
    let bare = LossScaled::<_, 1>::new(well, residual, 0.0).unwrap();
    let sgd = Sgd::new(well, bare, eta, 1.0).unwrap();
    assert!(Generator::assemble(&sgd, Grid::new([Axis::uniform(-1.6, 1.6, 100).unwrap()])).is_err());
}

#[test]
fn escape_under_loss_scaled_noise_is_the_published_power_law() {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let residual = 0.05;
    let noise = LossScaled::<_, 1>::at_minimum(well, &Point::<1>::new(-1.0), residual, 0.0).unwrap();
    let errors = [0.08, 0.04, 0.02, 0.01, 0.005].map(|eta| {
        let sgd = Sgd::new(well, noise, eta, 1.0).unwrap();
        let law = PowerLawEscape::new(2.0, eta, 1.0).unwrap();
        let log_rate = law
            .log_escape_rate(residual, residual + 0.25, &[2.0], &[-1.0])
            .unwrap();
        let integral = ScaleAndSpeed::new(&sgd, -2.5, 2.5).unwrap();
        (integral.first_passage(-1.0, 1.0).unwrap().mean.log + log_rate).exp_m1()
    });
    println!("{errors:?}");
    // The law is the leading order of small noise.
    assert_order(&errors[1..], 1.0);
}

#[test]
fn random_shift_of_a_quartic_has_its_closed_form() {
    let well = DoubleWell::new(0.25, 1.0).unwrap();
    let s = 0.3;
    let shift = Tensor::<1>::new(s);
    let (exact, short) = (
        RandomShift::new(well, &shift, 4, 0.0).unwrap(),
        RandomShift::new(well, &shift, 3, 0.0).unwrap(),
    );
    let mean = SmoothedLandscape::new(well, &shift, 3).unwrap();
    for x in [-1.7, -0.3, 0.0, 1.0] {
        let theta = Point::<1>::new(x);
        let h = 3.0 * x * x - 1.0;
        // g − E g = hξ + 3x(ξ² − s) + ξ³
        let variance = h * h * s + 18.0 * x * x * s * s + 6.0 * h * s * s + 15.0 * s.powi(3);
        // A dozen operations of order one.
        assert!((exact.covariance(&theta)[0] / variance - 1.0).abs() < 1e-13);
        // Negative control: three points are exact to degree five, and the square has degree six; short by 3! s³.
        assert!((short.covariance(&theta)[0] - variance + 6.0 * s.powi(3)).abs() < 1e-13);
        let loss = 0.25 * (x * x - 1.0).powi(2) + 0.5 * h * s + 0.75 * s * s;
        assert!((mean.loss(&theta) - loss).abs() < 1e-14);
        assert!((mean.gradient(&theta)[0] - (x.powi(3) - x + 3.0 * x * s)).abs() < 1e-14);
        assert!((mean.hessian(&theta)[0] - (h + 3.0 * s)).abs() < 1e-14);
    }
}

#[test]
fn random_shift_of_a_parabola_is_hsh_and_of_anything_so_for_small_shifts() {
    let (h, s) = (
        Tensor::<2>::new(3.0, 0.5, 0.5, 1.0),
        Tensor::<2>::new(0.4, -0.1, -0.1, 0.2),
    );
    let bowl = Quadratic::<2>::new(h, Point::<2>::zeros()).unwrap();
    let noise = RandomShift::new(bowl, &s, 2, 0.01).unwrap();
    let expected = h * s * h + Tensor::<2>::identity() * 0.01;
    assert!((noise.covariance(&Point::<2>::new(0.3, 0.7)) - expected).amax() < 1e-14);
    // Corrections of first order in S.
    let theta = Point::<2>::new(-0.5, 1.4);
    let second_power = HessianPower::new(MuellerBrown, 2.0, 1.0, 0.0)
        .unwrap()
        .covariance(&theta);
    let hessian = MuellerBrown.hessian(&theta);
    assert!((second_power - hessian * hessian).amax() < 1e-12 * second_power.amax());
    let scales: Vec<f64> = (0..5).map(|k| 1e-4 * 0.5_f64.powi(k)).collect();
    let errors: Vec<f64> = scales
        .iter()
        .map(|&s| {
            let noise = RandomShift::new(MuellerBrown, &(Tensor::<2>::identity() * s), 8, 0.0).unwrap();
            (noise.covariance(&theta) / s - second_power).norm()
        })
        .collect();
    assert_order(&errors, 1.0);
    let errors: Vec<f64> = scales
        .iter()
        .map(|&s| {
            let mean = SmoothedLandscape::new(MuellerBrown, &(Tensor::<2>::identity() * s), 8).unwrap();
            (mean.loss(&theta) - MuellerBrown.loss(&theta)) / s - 0.5 * hessian.trace()
        })
        .collect();
    assert_order(&errors, 1.0);
}

#[test]
fn across_a_kink_the_quadrature_is_inexact_and_says_where() {
    let text = Expression::<1>::new(
        "abs(x)",
        &["x"],
        &BTreeMap::new(),
        vec![freezeout::landscape::Kink {
            axis: 0,
            position: 0.0,
        }],
    )
    .unwrap();
    // E|ξ| = sqrt(2/π); even rules have no node on the kink.
    let exact = (2.0 / PI).sqrt();
    let errors = [8, 16, 32, 64].map(|n| {
        let mean = SmoothedLandscape::new(&text, &Tensor::<1>::new(1.0), n).unwrap();
        assert_eq!(mean.kinks().len(), n);
        mean.loss(&Point::<1>::zeros()) - exact
    });
    println!("{errors:?}");
    assert_order(&errors, 1.0);
}

#[test]
fn landscapes_and_noises_compose_at_run_time() {
    let boxed: Box<dyn Landscape<1> + Send> =
        Box::new(AsymmetricDoubleWell::new(0.25, 1.0, 4.0, 0.0).unwrap());
    let shift = Tensor::<1>::new(0.01);
    let noises: Vec<Box<dyn GradientNoise<1> + '_>> = vec![
        Box::new(Isotropic::new(1.0).unwrap()),
        Box::new(HessianPower::new(&*boxed, 1.0, 1.0, 0.1).unwrap()),
        Box::new(LossScaled::<_, 1>::new(&*boxed, 0.1, 0.1).unwrap()),
        Box::new(RandomShift::new(&*boxed, &shift, 12, 0.1).unwrap()),
    ];
    for noise in &noises {
        let sgd = Sgd::new(&boxed, noise, 0.1, 1.0).unwrap();
        let generator =
            Generator::assemble(&sgd, Grid::new([Axis::uniform(-2.0, 2.0, 80).unwrap()])).unwrap();
        let p = stationary_probability(&generator).unwrap();
        // Normalised over 80 cells.
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-13);
    }
    let mean = SmoothedLandscape::new(&*boxed, &shift, 12).unwrap();
    let sgd = Sgd::new(mean, &noises[3], 0.1, 1.0).unwrap();
    assert!(sgd.drift(&Point::<1>::new(1.0))[0] != 0.0);
}

#[test]
fn a_table_of_the_mueller_brown_surface_has_its_stationary_points() {
    let table = |n: usize| {
        let axis = |lower: f64, upper: f64| -> Vec<f64> {
            (0..n)
                .map(|k| lower + (upper - lower) * k as f64 / (n - 1) as f64)
                .collect()
        };
        let axes = [axis(-1.5, 1.2), axis(-0.5, 2.0)];
        let values = axes[0]
            .iter()
            .flat_map(|&x| {
                axes[1]
                    .iter()
                    .map(move |&y| MuellerBrown.loss(&Point::<2>::new(x, y)))
            })
            .collect();
        Tabulated::<2>::new(axes, values).unwrap()
    };
    for (start, loss) in [([-0.558, 1.442], -146.699_517), ([-0.822, 0.624], -40.664_844)] {
        let start = Point::<2>::from(start);
        let exact = critical_point(&MuellerBrown, start).unwrap();
        // Six printed decimals.
        assert!((exact.loss - loss).abs() < 1e-6);
        let errors = [81, 161, 321].map(|n| {
            let found = critical_point(&table(n), start).unwrap();
            assert_eq!(found.index, exact.index);
            (
                (found.position - exact.position).norm(),
                (found.loss - exact.loss).abs(),
            )
        });
        println!("{errors:?}");
        // The bounds h³L⁗/100 of the gradient over the least curvature, and h⁴L⁗/400 of the loss: L⁗ of order 1e6, curvature 200.
        assert!(errors[2].0 < 1e-5 && errors[2].1 < 1e-5, "{errors:?}");
        assert!(
            errors[0].0 > errors[2].0 && errors[0].1 > errors[2].1,
            "{errors:?}"
        );
    }
}

#[test]
fn a_grid_that_leaves_the_table_is_refused_with_the_place() {
    let x: Vec<f64> = (0..=20).map(|k| -1.0 + 0.1 * f64::from(k)).collect();
    let loss = x.iter().map(|x| x * x).collect();
    let table = Tabulated::<1>::new([x], loss).unwrap();
    let sgd = Sgd::new(table, Isotropic::new(1.0).unwrap(), 0.1, 1.0).unwrap();
    let assemble = |end: f64| Generator::assemble(&sgd, Grid::new([Axis::uniform(-end, end, 30).unwrap()]));
    assert!(assemble(1.0).is_ok());
    let error = assemble(1.5).unwrap_err().to_string();
    assert!(error.contains("not finite") && error.contains("-1.4"), "{error}");
}
