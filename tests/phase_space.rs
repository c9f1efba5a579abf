//! Motion with inertia on the grid of phase space, against a spectral method, closed forms, its limits and SGD with momentum itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::ensemble::CrossingTest;
use freezeout::ensemble::stream::StreamKey;
use freezeout::generator::{Generator, PhaseSpace};
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::{DoubleWell, Landscape, Quadratic};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::observables::{mean_first_passage_time, slow_modes, spectral_gap, stationary_probability};
use freezeout::rare_events::{DiffusionChain, ReactionCoordinate, simulated_first_passage_time};
use freezeout::region::PointSet;
use freezeout::statistics::Extrapolated;
use nalgebra::DMatrix;

/// Temperature of an eighth of the barrier of (x² − 1)²/4.
const COLD: f64 = 1.0 / 32.0;
/// Parts of columns and levels; errors of first order in both are of second order in 1, 1/2, 1/3, 1/4.
const PARTS: [usize; 4] = [1, 4, 9, 16];

fn wells(temperature: f64) -> impl Diffusion<1> {
    let wells = DoubleWell::new(0.25, 1.0).unwrap();
    Sgd::with_noise_strength(wells, Isotropic::new(1.0).unwrap(), temperature).unwrap()
}

fn space(temperature: f64, friction: f64, [columns, levels]: [usize; 2]) -> PhaseSpace {
    // so high that e^{−E/T} < 1e-12, and sixteen temperatures above the barrier
    let highest = (28.0 * temperature).max(0.25 + 16.0 * temperature);
    let levels = PhaseSpace::levels([0.0, 0.25, highest], temperature, levels).unwrap();
    let columns = Axis::uniform(-2.0, 2.0, columns).unwrap();
    PhaseSpace::new(&wells(temperature), friction, columns, levels).unwrap()
}

/// −(slowest eigenvalue), from four grids.
fn gap(temperature: f64, friction: f64, [columns, levels]: [usize; 2]) -> Extrapolated {
    let on = |parts: usize| {
        let space = space(temperature, friction, [columns * parts, levels * parts]);
        -slow_modes(space.generator(), 1).unwrap().modes[0].eigenvalue.re
    };
    Extrapolated::from_grids(PARTS.map(on), true, 0.0)
}

/// Slowest rate of the double well by Hermite functions of v and sinc functions of x.
///
/// With p = sqrt(π) Σ c_n(x) h_n(v): dc_n/dt = −γ n c_n − sqrt(n) a c_{n−1} + sqrt(n+1) aᵀ c_{n+1}, a = sqrt(T) ∂ + L′/2 sqrt(T). The rate λ makes
/// S_0(λ) singular on odd functions, S_n = γn − λ + (n+1) aᵀ S_{n+1}⁻¹ a (Risken 1989, ch. 10: matrix continued fraction).
fn spectral_rate(temperature: f64, friction: f64, hermite: usize) -> f64 {
    const POINTS: usize = 90;
    let (ends, root) = (2.2, temperature.sqrt());
    let h = 2.0 * ends / (POINTS - 1) as f64;
    let a = DMatrix::from_fn(POINTS, POINTS, |i, j| {
        let (x, d) = (-ends + h * i as f64, i as f64 - j as f64);
        let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
        if i == j {
            (x.powi(3) - x) / (2.0 * root)
        } else {
            root * sign / (h * d)
        }
    });
    let odd = DMatrix::from_fn(POINTS, POINTS / 2, |i, j| {
        0.5f64.sqrt() * (f64::from(u8::from(i == j)) - f64::from(u8::from(i + j == POINTS - 1)))
    });
    let least = |rate: f64| {
        let of = |n: usize| DMatrix::identity(POINTS, POINTS) * (friction * n as f64 - rate);
        let mut s = of(hermite);
        for n in (0..hermite).rev() {
            s = of(n) + a.transpose() * s.lu().solve(&a).unwrap() * (n + 1) as f64;
        }
        let eigenvalues = (odd.transpose() * s * &odd).symmetric_eigenvalues();
        let nearer = |m: f64, e: f64| if e.abs() < m.abs() { e } else { m };
        eigenvalues.iter().copied().fold(f64::INFINITY, nearer)
    };
    // secants
    let mut old = (0.0, least(0.0));
    let mut rate = 0.9 * old.1;
    for _ in 0..6 {
        let now = (rate, least(rate));
        if (now.1 - old.1).abs() < 1e-13 * old.1.abs() || now.1 == 0.0 {
            break;
        }
        rate = now.0 - now.1 * (now.0 - old.0) / (now.1 - old.1);
        old = now;
    }
    rate
}

#[test]
fn gaps_are_those_of_the_spectral_method_at_any_friction() {
    for (friction, hermite, cells) in [(0.1, 150, [40, 8]), (1.0, 60, [100, 8]), (10.0, 40, [160, 6])] {
        let exact = spectral_rate(COLD, friction, hermite);
        let found = gap(COLD, friction, cells);
        assert!(
            (found.value - exact).abs() <= found.error,
            "{friction}: {found:?} {exact}"
        );
        assert!(found.error < 0.05 * exact, "{friction}: {found:?} {exact}");
        // Negative control: a friction that is wrong by half.
        let wrong = spectral_rate(COLD, 1.5 * friction, hermite);
        assert!(
            (found.value - wrong).abs() > found.error,
            "{friction}: {found:?} {wrong}"
        );
    }
}

/// e^{−E/T} in every cell, exactly, whatever the cells.
#[test]
fn the_stationary_law_is_that_of_boltzmann() {
    let (temperature, friction) = (0.1, 0.7);
    let space = space(temperature, friction, [50, 20]);
    let process = wells(temperature);
    let p = stationary_probability(space.generator()).unwrap();
    let density: Vec<f64> = p
        .iter()
        .enumerate()
        .map(|(cell, p)| p / space.area(cell))
        .collect();
    let at = |x: f64, v: f64| space.at(&process, &density, x, v).unwrap();
    // equal energies have equal densities, to the slope within a level: (E_{k+1} − E_k)/T is .4 here and less
    let energy = |x: f64, v: f64| (x * x - 1.0).powi(2) / 4.0 + v * v / 2.0;
    for (x, v) in [(-1.0, 0.3), (0.0, 0.2), (0.5, -0.6), (1.2, 0.4)] {
        let found = (at(x, v) / at(0.0, 0.001)).ln();
        let exact = -(energy(x, v) - energy(0.0, 0.001)) / temperature;
        assert!((found - exact).abs() < 0.4, "{x} {v}: {found} {exact}");
        // Negative control: the law of twice the temperature.
        assert!(x == 0.0 || (found - 0.5 * exact).abs() > 0.4, "{x} {v}");
    }
    let outer: f64 = space.edge().map(|cell| p[cell]).sum();
    assert!(outer < 1e-6, "{outer}");
}

/// <v²> = <T(x)> and <v²> = <x L'>: with L = x²/2 and T = T0 (1 + a x²) the variance of x is T0/(1 − a T0).
#[test]
fn noise_that_depends_on_the_position_has_its_moments() {
    struct Warm(Quadratic<1>);
    impl Diffusion<1> for Warm {
        fn drift(&self, x: &Point<1>) -> Point<1> {
            -self.0.gradient(x)
        }
        fn tensor(&self, x: &Point<1>) -> Tensor<1> {
            Tensor::<1>::new(0.1 * (1.0 + 3.0 * x[0] * x[0]))
        }
        fn landscape(&self) -> Option<&dyn Landscape<1>> {
            Some(&self.0)
        }
    }
    let process = Warm(Quadratic::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap());
    let variance = |parts: usize| {
        let levels = PhaseSpace::levels([0.0, 0.0, 12.0], 0.1, 10 * parts).unwrap();
        let columns = Axis::uniform(-4.8, 4.8, 60 * parts).unwrap();
        let space = PhaseSpace::new(&process, 0.8, columns, levels).unwrap();
        let p = stationary_probability(space.generator()).unwrap();
        let grid = space.generator().grid();
        let square = |cell: usize| grid.centre(cell)[0].powi(2);
        p.iter()
            .enumerate()
            .map(|(cell, p)| p * square(cell))
            .sum::<f64>()
    };
    let found = Extrapolated::from_grids(PARTS.map(variance), true, 0.0);
    let exact = 0.1 / (1.0 - 0.3);
    assert!((found.value - exact).abs() <= found.error, "{found:?} {exact}");
    // Negative control: constant noise.
    assert!((found.value - 0.1).abs() > found.error);
}

/// γ times the gap tends to that of the line like 1/γ².
#[test]
fn strong_friction_leads_back_to_the_line() {
    const WARM: f64 = 0.1;
    let line = Grid::new([Axis::uniform(-2.5, 2.5, 4000).unwrap()]);
    let line = spectral_gap(&Generator::assemble(&wells(WARM), line).unwrap())
        .unwrap()
        .rate;
    let deviation = |friction: f64| friction * spectral_rate(WARM, friction, 40) / line - 1.0;
    let ratio = deviation(10.0) / deviation(20.0);
    assert!((3.8..4.2).contains(&ratio), "{ratio}");
    let found = gap(WARM, 10.0, [80, 6]);
    let scaled = 10.0 * found.value / line - 1.0;
    assert!((scaled - deviation(10.0)).abs() < 10.0 * found.error / line);
}

/// γ = (1 − β)/√η, T = ηC/(2B(1 − β)), and a step takes the time √η.
#[test]
fn sgd_with_momentum_escapes_in_the_time_of_phase_space() {
    const STEP: f64 = 0.04;
    /// The scheme is of first order in the step; corrections are of the order of its frequency times the step, 2 %.
    const FINITE_STEP: f64 = 0.02;
    let (friction, temperature) = (0.5, 0.25 / 3.0);
    let (learning_rate, momentum) = (STEP * STEP, 1.0 - friction * STEP);
    let noise = Isotropic::new(2.0 * temperature * (1.0 - momentum) / learning_rate).unwrap();
    let sgd = Sgd::new(DoubleWell::new(0.25, 1.0).unwrap(), noise, learning_rate, 1.0).unwrap();
    let target = PointSet::half_space(Point::<1>::new(1.0), 1.0).unwrap();
    let (coordinate, end) = (ReactionCoordinate::Target, CrossingTest::EndOfStep);
    let chain = DiffusionChain::new(&sgd, &target, coordinate, learning_rate, end).unwrap();
    let chain = chain.with_momentum(momentum).unwrap();
    let start = chain.walker(Point::<1>::new(-1.0)).unwrap();
    let key = StreamKey::new(11, 0);
    let steps = simulated_first_passage_time(&chain, &start, 6_000, u64::MAX, &key).unwrap();
    let time = |friction: f64| {
        let on = |parts: usize| {
            let space = space(temperature, friction, [40 * parts, 8 * parts]);
            let target = space.set("target", |x| x > 1.0).unwrap();
            let times = mean_first_passage_time(space.generator(), &target).unwrap();
            space.at(&wells(temperature), &times, -1.0, 0.0).unwrap()
        };
        Extrapolated::from_grids(PARTS.map(on), true, 0.0)
    };
    let found = time(friction);
    let (sampled, error) = (STEP * steps.value, STEP * steps.standard_error);
    let allowed = 4.0 * error + found.error + FINITE_STEP * found.value;
    assert!(
        (sampled - found.value).abs() < allowed,
        "{sampled} ± {error} {found:?}"
    );
    // Negative control: the temperature without 1/(1 − β) is off by orders; a friction off by three is seen as well.
    let wrong = time(3.0 * friction);
    assert!((sampled - wrong.value).abs() > allowed, "{sampled} {wrong:?}");
}

#[test]
fn what_is_no_phase_space_is_refused() {
    let axis = || Axis::uniform(-2.0, 2.0, 20).unwrap();
    let (process, levels) = (wells(0.1), PhaseSpace::levels([0.0, 0.25, 3.0], 0.1, 10).unwrap());
    assert!(PhaseSpace::new(&process, 0.0, axis(), levels.clone()).is_err());
    assert!(PhaseSpace::new(&process, 1.0, axis(), vec![0.0]).is_err());
    assert!(PhaseSpace::new(&process, 1.0, axis(), vec![0.2, 0.1]).is_err());
    assert!(
        PhaseSpace::new(&process, 1.0, axis(), vec![0.2, 3.0]).is_err(),
        "above the wells"
    );
    assert!(PhaseSpace::levels([0.0, 0.25, 0.0], 0.1, 10).is_err());
    let space = PhaseSpace::new(&process, 1.0, axis(), levels).unwrap();
    let values = vec![1.0; space.generator().grid().cells()];
    assert_eq!(space.at(&process, &values, 0.0, 1.0), Some(1.0));
    assert_eq!(space.at(&process, &values, 0.0, 9.0), None);
    assert_eq!(space.at(&process, &values, 3.0, 0.0), None);
}
