//! Route by paths: actions, minimum energy and minimum action paths, quasi-potentials, and the rates built on them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::{assert_order, extrapolate};
use freezeout::diffusion::{Diffusion, OrnsteinUhlenbeck, Sgd};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::{DoubleWell, Landscape, MuellerBrown, Slice, TwoValley, critical_point};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::observables::slow_modes;
use freezeout::path::{
    InstantonRate, Path, geometric_action, instanton_rate, minimum_action_path, minimum_energy_path,
    quasi_potential, time_action,
};
use freezeout::rates::SaddlePassage;
use freezeout::rates::kramers::{SmoothBarrier, log_escape_time};
use freezeout::{Error, Result};

/// Drift and tensor as functions.
struct Planar<B, T>(B, T);

impl<B, T> Diffusion<2> for Planar<B, T>
where
    B: Fn(&Point<2>) -> Point<2> + Sync,
    T: Fn(&Point<2>) -> Tensor<2> + Sync,
{
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        (self.0)(theta)
    }
    fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
        (self.1)(theta)
    }
}

fn maier_stein(beta: f64, diffusivity: f64) -> impl Diffusion<2> {
    Planar(
        move |x: &Point<2>| {
            Point::<2>::new(
                x[0] - x[0].powi(3) - beta * x[0] * x[1] * x[1],
                -(1.0 + x[0] * x[0]) * x[1],
            )
        },
        move |_: &Point<2>| Tensor::<2>::identity() * diffusivity,
    )
}

fn point(x: f64, y: f64) -> Point<2> {
    Point::<2>::new(x, y)
}

/// θ = X(x), b = ∂X b_x, D = ∂X D_x ∂Xᵀ for two shears: the same process to leading order in the noise, in curved coordinates.
fn sheared(process: impl Diffusion<2>) -> impl Diffusion<2> {
    // p = u + 0.3 v², q = v + 0.2 p²; returns (u, v) and the Jacobian of the map.
    let back = |theta: &Point<2>| {
        let (p, q) = (theta[0], theta[1]);
        let v = q - 0.2 * p * p;
        let first = Tensor::<2>::new(1.0, 0.6 * v, 0.0, 1.0);
        let second = Tensor::<2>::new(1.0, 0.0, 0.4 * p, 1.0);
        (point(p - 0.3 * v * v, v), second * first)
    };
    struct Sheared<P, F>(P, F);
    impl<P: Diffusion<2>, F: Fn(&Point<2>) -> (Point<2>, Tensor<2>) + Sync> Diffusion<2> for Sheared<P, F> {
        fn drift(&self, theta: &Point<2>) -> Point<2> {
            let (x, jacobian) = (self.1)(theta);
            jacobian * self.0.drift(&x)
        }
        fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
            let (x, jacobian) = (self.1)(theta);
            jacobian * self.0.tensor(&x) * jacobian.transpose()
        }
    }
    Sheared(process, back)
}

/// Freidlin-Wentzell action of Maier and Stein's process at β = 10 from (−1, 0) to the saddle; published as .34004.
const BENT: f64 = 0.340_041_403_33;

#[test]
fn time_action_of_the_bridge_of_an_ornstein_uhlenbeck_process() -> Result<()> {
    let (kappa, diffusivity, x, duration) = (2.0, 0.3, 1.0, 1.5);
    let ou = OrnsteinUhlenbeck::new(kappa, 0.0, diffusivity)?;
    // −ln of the Gaussian density of the law at that time, without its normalisation.
    let exact = kappa * x * x / (2.0 * diffusivity * (1.0 - f64::exp(-2.0 * kappa * duration)));
    let at = |pieces: usize, wrong: f64| -> Result<(f64, f64)> {
        let times: Vec<f64> = (0..=pieces)
            .map(|i| duration * i as f64 / pieces as f64)
            .collect();
        let points = times
            .iter()
            .map(|t| Point::<1>::new(x * (wrong * kappa * t).sinh() / (wrong * kappa * duration).sinh()))
            .collect();
        let path = Path::new(points)?;
        Ok((time_action(&ou, &path, &times)?, geometric_action(&ou, &path)?))
    };
    let errors = [20, 40, 80, 160].map(|n| at(n, 1.0).unwrap().0 - exact);
    assert_order(&errors, 2.0);
    let (time, geometric) = at(160, 1.0)?;
    // ΔL/D, midpoint rule exact for a linear drift; no duration is the best one.
    assert_close!(geometric, 0.5 * kappa * x * x / diffusivity, 1e-12);
    assert!(geometric < time);
    // Another path between the same points and times costs more.
    assert!(at(160, 1.5)?.0 > time * 1.01);
    let path = Path::straight(Point::<1>::new(0.0), Point::<1>::new(1.0), 2)?;
    assert!(matches!(
        time_action(&ou, &path, &[0.0, 1.0]),
        Err(Error::DimensionMismatch { .. })
    ));
    assert!(time_action(&ou, &path, &[0.0, 1.0, 1.0]).is_err());
    Ok(())
}

#[test]
fn string_on_mueller_brown_meets_three_minima_and_two_saddles() -> Result<()> {
    let initial = Path::straight(point(-0.55, 1.4), point(0.6, 0.0), 60)?;
    let found = minimum_energy_path(&MuellerBrown, &initial, 60, 1e-8)?;
    assert!(found.residual <= 1e-8);
    let losses: Vec<f64> = found.saddles.iter().map(|s| s.loss).collect();
    // The reference has six decimals.
    assert!(
        (losses[0] + 40.664_844).abs() < 1e-6 && (losses[1] + 72.248_940).abs() < 1e-6,
        "{losses:?}"
    );
    assert_eq!(losses.len(), 2);
    assert_eq!(found.highest_saddle(), Some(&found.saddles[0]));
    // The ends have slid into minima, up to (tolerance x force)²/curvature.
    assert!((MuellerBrown.loss(&found.path.start()) + 146.699_517).abs() < 1e-6);
    assert!((MuellerBrown.loss(&found.path.end()) + 108.166_724).abs() < 1e-6);
    let points = found.path.points();
    let inner = (1..points.len() - 1)
        .find(|&i| {
            let loss = |j: usize| MuellerBrown.loss(&points[j]);
            loss(i) < loss(i - 1) && loss(i) < loss(i + 1)
        })
        .expect("a minimum between the saddles");
    let minimum = critical_point(&MuellerBrown, points[inner])?;
    assert!(minimum.index == 0 && (minimum.loss + 80.767_818).abs() < 1e-6);
    // Without the polish the highest point is less than half a spacing off the saddle.
    let unpolished = |n: usize| -> Result<f64> {
        let path = minimum_energy_path(&MuellerBrown, &initial, n, 1e-6)?.path;
        let top = path.points()[1..n / 2]
            .iter()
            .map(|p| MuellerBrown.loss(p))
            .fold(f64::MIN, f64::max);
        Ok((top + 40.664_844).abs())
    };
    // |λ₋|/2 (h/2)².
    assert!(unpolished(60)? < 0.5 * 751.0 * (0.5 * found.path.length() / 60.0).powi(2));
    Ok(())
}

#[test]
fn the_string_refuses_a_cusp_and_reports_what_it_could_not_do() -> Result<()> {
    let slice = Slice::new(TwoValley::default(), 5.0)?;
    let across = Path::straight(Point::<1>::new(-0.08), Point::<1>::new(0.11), 20)?;
    assert!(matches!(
        minimum_energy_path(&slice, &across, 20, 1e-6),
        Err(Error::Inconsistent { .. })
    ));
    let sgd = Sgd::new(slice, Isotropic::new(0.02)?, 1.0, 1.0)?;
    assert!(matches!(
        minimum_action_path(&sgd, &across, 20),
        Err(Error::Inconsistent { .. })
    ));
    // Up to the ridge the action is defined: ΔL/T with ΔL = y²/(y + 20)², from the flat valley and from the sharp one.
    for minimum in [0.8, -0.65].map(|x| x * 5.0 / 35.0) {
        let up = Path::straight(Point::<1>::new(minimum), Point::<1>::new(0.0), 20)?;
        let found = minimum_action_path(&sgd, &up, 20)?;
        // Quadratic valleys: the midpoint rule is exact.
        assert_close!(found.action, 0.04 / 0.01, 1e-10);
        assert!((found.action - 4.0).abs() <= found.error);
    }
    let initial = Path::straight(point(-0.55, 1.4), point(0.6, 0.0), 20)?;
    assert!(minimum_energy_path(&MuellerBrown, &initial, 4, 1e-6).is_err());
    assert!(minimum_energy_path(&MuellerBrown, &initial, 20, f64::NAN).is_err());
    // Singular noise has no action; nor has a drift that is not finite.
    let flat = Planar(
        |x: &Point<2>| -x,
        |_: &Point<2>| Tensor::<2>::new(1.0, 0.0, 0.0, 0.0),
    );
    assert!(matches!(
        minimum_action_path(&flat, &initial, 20),
        Err(Error::NotPositive { .. })
    ));
    let bad = Planar(
        |x: &Point<2>| x * f64::NAN,
        |_: &Point<2>| Tensor::<2>::identity(),
    );
    assert!(matches!(
        minimum_action_path(&bad, &initial, 20),
        Err(Error::NotFinite { .. })
    ));
    Ok(())
}

#[test]
fn action_of_maier_stein_on_and_off_the_axis() -> Result<()> {
    let (a, saddle) = (point(-1.0, 0.0), point(0.0, 0.0));
    // D = I/2: the action is that of the noise sqrt(ε) dW.
    for beta in [1.0, 2.5, 4.0] {
        let found = quasi_potential(&maier_stein(beta, 0.5), a, saddle, 0.3, 50)?;
        assert_close!(found.minimum.action, 0.5, 1e-9, "beta = {beta}");
        assert!((found.minimum.action - 0.5).abs() <= found.minimum.error);
        // D = T: S = S_FW/(2T).
        assert_close!(
            minimum_action_path(&maier_stein(beta, 0.02), &found.minimum.path, 50)?.action,
            12.5,
            1e-9
        );
    }
    let found = quasi_potential(&maier_stein(10.0, 0.5), a, saddle, 0.3, 50)?;
    assert_close!(found.minimum.action, 0.34004, 1e-5);
    assert_close!(found.minimum.action, BENT, 1e-7);
    assert!((found.minimum.action - BENT).abs() <= found.minimum.error && found.minimum.error < 1e-6);
    // Both bends lead to mirror images; the straight path is a stationary point that symmetry cannot leave.
    let candidates: Vec<f64> = found.candidates.iter().flatten().copied().collect();
    assert_eq!(candidates.len(), 3);
    assert_close!(candidates[1], candidates[2], 1e-10);
    assert!((candidates[0] - 0.5).abs() < 1e-3 && found.offset[1].abs() > 0.0);
    // Order two on four levels, from one bent start each.
    let errors = [25, 50, 100, 200].map(|n| {
        let initial = Path::bent(a, saddle, point(0.0, 0.3), n).unwrap();
        minimum_action_path(&maier_stein(10.0, 0.5), &initial, n)
            .unwrap()
            .levels[0]
            - BENT
    });
    assert_order(&errors, 2.0);
    Ok(())
}

#[test]
fn action_does_not_depend_on_coordinates() -> Result<()> {
    let (a, saddle) = (point(-1.0, 0.2), point(0.0, 0.0));
    for (beta, bend, exact) in [(2.0, 0.1, 0.5), (10.0, 0.4, BENT)] {
        let process = sheared(maier_stein(beta, 0.5));
        let initial = Path::bent(a, saddle, point(0.0, bend), 100)?;
        let found = minimum_action_path(&process, &initial, 100)?;
        assert_close!(found.action, exact, 1e-7, "beta = {beta}");
        assert!((found.action - exact).abs() <= found.error, "{found:?}");
        // Negative control: the tensor of the straight coordinates does not belong to this drift.
        let wrong = Planar(
            |x: &Point<2>| process.drift(x),
            |_: &Point<2>| Tensor::<2>::identity() * 0.5,
        );
        let off = minimum_action_path(&wrong, &initial, 100)?.action / exact - 1.0;
        // Ten thousand times the tolerance above.
        assert!(off.abs() > 1e-3, "{off}");
    }
    Ok(())
}

#[test]
fn quasi_potential_of_a_rotated_ornstein_uhlenbeck_process() -> Result<()> {
    let (rates, tensor) = (
        Tensor::<2>::new(1.0, -0.7, 0.4, 2.0),
        Tensor::<2>::new(0.3, 0.1, 0.1, 0.2),
    );
    let process = Planar(move |x: &Point<2>| -(rates * x), move |_: &Point<2>| tensor);
    // B Σ + Σ Bᵀ = 2 D in the three entries of Σ.
    let system = nalgebra::Matrix3::new(2.0, -1.4, 0.0, 0.4, 3.0, -0.7, 0.0, 0.8, 4.0);
    let sigma = system
        .lu()
        .solve(&nalgebra::Vector3::new(0.6, 0.2, 0.4))
        .expect("regular");
    let inverse = Tensor::<2>::new(sigma[0], sigma[1], sigma[1], sigma[2])
        .try_inverse()
        .expect("regular");
    for end in [point(1.0, 0.0), point(-0.3, 0.8)] {
        let found = quasi_potential(&process, Point::zeros(), end, 0.3, 100)?.minimum;
        let exact = 0.5 * end.dot(&(inverse * end));
        // The instanton is a spiral into the origin, of which equal pieces resolve all but the last turn.
        assert_close!(found.action, exact, 1e-4);
        assert!(
            found.action - exact <= found.error,
            "{} {exact} {}",
            found.action,
            found.error
        );
    }
    Ok(())
}

#[test]
fn quasi_potential_of_mueller_brown_is_the_climbed_height() -> Result<()> {
    let temperature = 5.0;
    let sgd = Sgd::new(MuellerBrown, Isotropic::new(2.0 * temperature)?, 1.0, 1.0)?;
    let (a, b) = (
        critical_point(&MuellerBrown, point(-0.558, 1.442))?,
        critical_point(&MuellerBrown, point(0.623, 0.028))?,
    );
    let found = quasi_potential(&sgd, a.position, b.position, 0.3, 100)?;
    let climbed = (-40.664_844 + 146.699_517 - 72.248_940 + 80.767_818) / temperature;
    // Second order with kinks of |b| at three critical points on the way.
    assert_close!(found.minimum.action, climbed, 1e-4);
    Ok(())
}

/// −(slowest eigenvalue) of the generator in the box, extrapolated from three grids.
fn gap(process: &impl Diffusion<2>, half_height: f64) -> f64 {
    gap_on(process, half_height, 80)
}

/// The same with another number of columns on the coarsest grid.
fn gap_on(process: &impl Diffusion<2>, half_height: f64, coarsest: usize) -> f64 {
    let on = |cells: usize| {
        let grid = Grid::new([
            Axis::uniform(-1.7, 1.7, cells).unwrap(),
            Axis::uniform(-half_height, half_height, cells / 2).unwrap(),
        ]);
        -slow_modes(&Generator::assemble(process, grid).unwrap(), 1)
            .unwrap()
            .modes[0]
            .eigenvalue
            .re
    };
    extrapolate([1, 2, 4].map(|parts| on(parts * coarsest)).to_vec())
}

/// gap/2k − 1 at D, D/2, D/4 for a process with two equal wells, each left with the rate k.
fn deviations<P: Diffusion<2>>(
    largest: f64,
    process: impl Fn(f64) -> P,
    log_rate: impl Fn(f64) -> f64,
) -> [f64; 3] {
    [1.0, 0.5, 0.25].map(|factor| {
        let noise = largest * factor;
        // The valley has the curvature 1 or more across: seven standard deviations.
        gap(&process(noise), 7.0 * noise.sqrt()) / (2.0 * log_rate(noise).exp()) - 1.0
    })
}

/// First order in the noise: each halving of the noise halves the deviation.
fn is_first_order(deviations: &[f64; 3]) -> bool {
    // The series is asymptotic: the next order changes the ratios by a tenth at these noises.
    deviations
        .windows(2)
        .all(|pair| (1.8..2.2).contains(&(pair[0] / pair[1])))
}

/// −M∇L with L = (1 − u²)²/4 + v² (1 + u²)/2.
fn parabolic_valley(mobility: Tensor<2>, noise: f64) -> impl Diffusion<2> {
    Planar(
        move |x: &Point<2>| {
            let gradient = point(
                x[0].powi(3) - x[0] + x[0] * x[1] * x[1],
                (1.0 + x[0] * x[0]) * x[1],
            );
            -(mobility * gradient)
        },
        move |_: &Point<2>| Tensor::<2>::identity() * noise,
    )
}

#[test]
fn eyring_kramers_langer_against_the_gap_of_the_grid() -> Result<()> {
    for antisymmetric in [0.0, 0.5] {
        let mobility = Tensor::<2>::new(1.0, -antisymmetric, antisymmetric, 1.0);
        let process = |noise: f64| parabolic_valley(mobility, noise);
        let passage = |transverse: f64| SaddlePassage {
            minimum_hessian: Tensor::<2>::new(2.0, 0.0, 0.0, 2.0),
            saddle_hessian: Tensor::<2>::new(-1.0, 0.0, 0.0, transverse),
            barrier: 0.25,
        };
        let rate = |passage: SaddlePassage<2>| move |noise: f64| passage.log_rate(&mobility, noise).unwrap();
        let right = deviations(0.05, process, rate(passage(1.0)));
        println!("antisymmetric {antisymmetric}: {right:?}");
        assert!(is_first_order(&right), "{right:?}");
        // Negative control: a wrong Hessian, and with a current the law without it.
        let wrong = deviations(0.05, process, rate(passage(1.2)));
        assert!(!is_first_order(&wrong), "{wrong:?}");
        if antisymmetric > 0.0 {
            let reversible = |noise: f64| passage(1.0).log_rate(&Tensor::<2>::identity(), noise).unwrap();
            assert!(!is_first_order(&deviations(0.05, process, reversible)));
            // The minimum is a focus, from which the instanton spirals out.
            let initial = Path::straight(point(-1.0, 0.0), point(0.0, 0.0), 100)?;
            for noise in [0.05, 0.0125] {
                let found = instanton_rate(&process(noise), &initial, 100)?;
                let off = found.log_rate - rate(passage(1.0))(noise);
                assert!(
                    off.abs() <= found.error && found.error < 2e-3,
                    "{off} ± {}",
                    found.error
                );
            }
        }
    }
    Ok(())
}

#[test]
fn instanton_rate_against_the_gap_of_the_grid() -> Result<()> {
    let initial = Path::straight(point(-1.0, 0.0), point(0.0, 0.0), 50)?;
    let tensor = |noise: f64, curved: f64| {
        move |x: &Point<2>| {
            (Tensor::<2>::identity() + Tensor::<2>::new(x[0] * x[0], 0.0, 0.0, 0.5 * x[0] * x[0]) * curved)
                * noise
        }
    };
    for (beta, curved, noise) in [(2.0, 0.0, 0.02), (1.0, 1.0, 0.02)] {
        let process = |noise: f64| {
            let inner = maier_stein(beta, noise);
            Planar(move |x: &Point<2>| inner.drift(x), tensor(noise, curved))
        };
        let log_rate = |noise: f64| instanton_rate(&process(noise), &initial, 50).unwrap();
        let right = deviations(noise, process, |noise| log_rate(noise).log_rate);
        println!("beta {beta}, curved {curved}: {right:?}");
        assert!(is_first_order(&right), "{right:?}");
        // Negative control: without the integral along the instanton.
        let wrong = deviations(noise, process, |noise| {
            let rate = log_rate(noise);
            rate.log_rate + rate.irreversibility
        });
        assert!(!is_first_order(&wrong), "{wrong:?}");
    }
    Ok(())
}

/// Maier and Stein's process at β = 10: two bent instantons from each well, which enter the saddle at an angle as its rates are 1 and −1.
#[test]
fn rate_of_bent_instantons_against_the_gap_of_the_grid() -> Result<()> {
    let initial = Path::bent(point(-1.0, 0.0), point(0.0, 0.0), point(0.0, 0.3), 100)?;
    // Half height of the box and cells of the coarsest grid: further up nothing goes at this noise, and cells shrink with it.
    let cases = [(0.02, 0.9, 80), (0.01, 0.8, 80), (0.005, 0.6, 160)];
    let mut found = Vec::new();
    for (noise, half_height, cells) in cases {
        let process = maier_stein(10.0, noise);
        let rate = instanton_rate(&process, &initial, 100)?;
        assert_close!(rate.instanton.action * 2.0 * noise, BENT, 1e-8);
        assert!(rate.error < 2e-4);
        found.push((rate, gap_on(&process, half_height, cells)));
    }
    let deviations = |log_rate: &dyn Fn(&InstantonRate<2>) -> f64| -> Vec<f64> {
        // the gap is twice the rate of a well, which is that of two instantons
        let of = |(rate, gap): &(InstantonRate<2>, f64)| gap / (4.0 * log_rate(rate).exp()) - 1.0;
        found.iter().map(of).collect()
    };
    // At these noises the deviation shrinks faster than the noise: terms of higher order turn its sign at twice the largest.
    let shrinks = |deviations: &[f64]| {
        deviations
            .windows(2)
            .all(|pair| pair[1].abs() < pair[0].abs() / 1.8)
    };
    let right = deviations(&|rate| rate.log_rate);
    println!("bent: {right:?}");
    assert!(shrinks(&right) && right[2].abs() < 0.01, "{right:?}");
    // Negative controls: without the integral along the instanton, and with the curvature at the saddle of a straight one.
    let without = deviations(&|rate| rate.log_rate + rate.irreversibility);
    assert!(!shrinks(&without), "{without:?}");
    let points = found[0].0.instanton.path.points();
    let arrival = points[points.len() - 5].normalize();
    let straight = deviations(&|rate| rate.log_rate + arrival[0].abs().ln());
    println!("arrival {arrival:?}, without: {without:?}, straight: {straight:?}");
    assert!(arrival[1].abs() > 0.1 && !shrinks(&straight), "{straight:?}");
    Ok(())
}

#[test]
fn instanton_rate_closed_forms_and_refusals() -> Result<()> {
    // One dimension, D = d (1 + x²/2), Ito: Kramers' law with D_b/D_a.
    struct Line(DoubleWell);
    impl Diffusion<1> for Line {
        fn drift(&self, x: &Point<1>) -> Point<1> {
            -self.0.gradient(x)
        }
        fn tensor(&self, x: &Point<1>) -> Tensor<1> {
            Tensor::<1>::new(0.02 * (1.0 + 0.5 * x[0] * x[0]))
        }
    }
    let initial = Path::straight(Point::<1>::new(-1.0), Point::<1>::new(0.0), 200)?;
    let found = instanton_rate(&Line(DoubleWell::new(0.25, 1.0)?), &initial, 200)?;
    // ∫ (x − x³)/(1 + x²/2) dx from 0 to 1 with w = x²: ∫ (1 − w)/(2 + w) dw = 3 ln(3/2) − 1.
    let exact = -log_escape_time(SmoothBarrier {
        well_curvature: 2.0,
        barrier_curvature: 1.0,
        reduced_barrier: (3.0 * 1.5f64.ln() - 1.0) / 0.02,
        diffusivity_ratio: 1.0 / 1.5,
    })?;
    println!("{} {exact} {}", found.log_rate, found.error);
    assert!((found.log_rate - exact).abs() <= found.error && found.error < 1e-5);
    assert_close!(found.irreversibility, (1.0f64 / 1.5).ln(), 1e-5);
    // A reversible process in the plane: Maier-Stein with β = 1, k = e^{−1/(4D)}/π.
    let (a, saddle) = (point(-1.0, 0.0), point(0.0, 0.0));
    let straight = Path::straight(a, saddle, 200)?;
    let reversible = instanton_rate(&maier_stein(1.0, 0.05), &straight, 200)?;
    assert!(
        (reversible.log_rate + 5.0 + std::f64::consts::PI.ln()).abs() < 1e-5,
        "{reversible:?}"
    );
    assert!(reversible.irreversibility.abs() < 1e-5);
    // β > 4: the straight path is beyond a caustic.
    let initial = Path::straight(a, saddle, 100)?;
    assert!(matches!(
        instanton_rate(&maier_stein(10.0, 0.05), &initial, 100),
        Err(Error::NotConverged { .. })
    ));
    // Ends that are no fixed points, or of the wrong kind.
    for (start, end) in [(point(-0.9, 0.0), saddle), (saddle, a), (a, point(1.0, 0.0))] {
        let initial = Path::straight(start, end, 50)?;
        assert!(matches!(
            instanton_rate(&maier_stein(1.0, 0.05), &initial, 50),
            Err(Error::InvalidParameter { .. } | Error::Inconsistent { .. })
        ));
    }
    Ok(())
}
