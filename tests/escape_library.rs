//! Escape as a library: problems stated in Rust, no configuration, no files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::Error;
use freezeout::diffusion::{DriftDiffusion, Sgd};
use freezeout::escape::{
    FieldQuantity, LeastActionSettings, NoFormula, Problem, ProblemBuilder, Quantity, Settings, Simulation,
    SmallNoiseFormula, least_action, mean_first_passage_time_integral, simulate, small_noise_rate,
    why_no_integral,
};
use freezeout::grid::Concentration;
use freezeout::landscape::DoubleWell;
use freezeout::math::Point;
use freezeout::noise::Isotropic;
use freezeout::region::{Basin, Boundary, Domain, PointSet};

/// L = (x² − 1)²/4, D = 0.1: mean time from −1 to 1, by quadrature to all digits.
const TIME: f64 = 66.268_626_364_9;
/// Smallest non-zero eigenvalue of the same problem.
const GAP: f64 = 0.033_545_287_308;

fn well(noise_strength: f64) -> Sgd<DoubleWell, Isotropic> {
    let landscape = DoubleWell::new(0.25, 1.0).unwrap();
    Sgd::with_noise_strength(landscape, Isotropic::new(1.0).unwrap(), noise_strength).unwrap()
}

fn beyond(x: f64) -> PointSet<1> {
    PointSet::half_space([1.0].into(), x).unwrap()
}

fn point(x: f64) -> PointSet<1> {
    PointSet::point([x].into()).unwrap()
}

fn double_well() -> ProblemBuilder<1> {
    let domain = Domain::new([[-2.5, 2.5]]).unwrap();
    Problem::builder(well(0.1), domain, [400])
        .from(point(-1.0))
        .to(beyond(1.0))
}

fn quiet<T>(_: &T) -> freezeout::Result<()> {
    Ok(())
}

#[test]
fn every_number_has_an_error_that_covers_the_truth() {
    let problem = double_well().build().unwrap();
    let settings = Settings {
        slow_modes: 2,
        first_passage_times: vec![10.0, 100.0],
        density_times: vec![5.0],
    };
    let result = problem.solve(&settings, &quiet).unwrap();
    let (time, gap) = (result.mean_first_passage_time(), result.spectral_gap().unwrap());
    assert!(
        (time.value - TIME).abs() <= time.error && time.error < 1e-6 * TIME,
        "{time:?}"
    );
    assert!(
        (gap.value - GAP).abs() <= gap.error && gap.error < 1e-6 * GAP,
        "{gap:?}"
    );
    assert!((time.order - 2.0).abs() < 0.1);
    // the slowest mode is the gap, and modes are numbered from 1
    let first = result.number(Quantity::ModeRate(1)).unwrap();
    assert!((first.value / gap.value - 1.0).abs() < 1e-8 && result.number(Quantity::ModeRate(3)).is_none());
    // a point has no committor, and nothing was left out
    assert!(result.field(FieldQuantity::Committor).is_none() && result.left_out().is_empty());
    for (quantity, _) in result.numbers() {
        assert_eq!(Quantity::from_name(&quantity.name()), Some(*quantity));
    }
    // S + F = 1
    let law = result.passage_law().unwrap();
    for (s, f) in law.survival.iter().zip(&law.distribution) {
        assert!((s.value + f.value - 1.0).abs() <= s.error + f.error);
    }
    let densities = result.densities().unwrap();
    let grid = result.grid();
    let mass: f64 = (0..grid.cells())
        .map(|i| densities.values[0][i] * grid.volume(i))
        .sum();
    assert!((mass - 1.0).abs() < 1e-10, "{mass}");
}

#[test]
fn quadrature_action_and_simulation_agree_with_the_grid() {
    let problem = double_well().build().unwrap();
    let result = problem.solve(&Settings::default(), &quiet).unwrap();
    let time = result.mean_first_passage_time();
    let exact = mean_first_passage_time_integral(&problem).unwrap();
    assert!((exact.value - TIME).abs() < 1e-8 && (exact.value - time.value).abs() <= time.error);
    let simulation = Simulation {
        runs: 4000,
        time_step: Some(0.05),
        ..Simulation::default()
    };
    let passage = simulate(&problem, &simulation, result.finest(), 1, &|_| ()).unwrap();
    assert!((passage.mean.value - TIME).abs() < 5.0 * passage.mean.standard_error);
    // ln k = ln(sqrt 2/2π) − ΔL/D for the path to the other well over one saddle
    let settings = LeastActionSettings::default();
    let target = PointSet::ball([1.0].into(), 0.3).unwrap();
    let problem = double_well().to(target).build().unwrap();
    let found = least_action(&problem, &settings).unwrap();
    assert!(found.saddles.len() == 1 && found.saddles[0].position.norm() < 1e-9);
    let rate = small_noise_rate(&problem, &found, settings.pieces).unwrap();
    assert_eq!(rate.formula, SmallNoiseFormula::EyringKramers);
    let kramers = (2f64.sqrt() / std::f64::consts::TAU).ln() - 2.5;
    assert!((rate.log_rate - kramers).abs() < 1e-6, "{}", rate.log_rate);
}

/// The stationary weights of a start set, cells that are smaller at the barrier, a basin as the target.
#[test]
fn sets_and_mapped_axes() {
    let right = Basin::new(&well(0.1), Point::<1>::new(0.5), &[[-2.5, 2.5]]).unwrap();
    let problem = double_well()
        .from(PointSet::between([-1.2].into(), [-0.8].into()).unwrap())
        .to(PointSet::basin(right))
        .with_concentrations(vec![Concentration::new(0, 0.0, 0.3, 4.0).unwrap()])
        .build()
        .unwrap();
    assert!(problem.is_smooth()); // ends of sets on a line lie on faces
    let result = problem.solve(&Settings::default(), &quiet).unwrap();
    let widths = &result.grid().axes()[0];
    assert!(widths.width(0) > 3.0 * widths.width(widths.cells() / 2));
    // with symmetric wells half of the probability is on either side: k = rate/half
    let rate = result.escape_rate().unwrap();
    assert!((rate.value / GAP - 1.0).abs() < 0.1, "{rate:?}");
    assert!(why_no_integral(&problem).is_some());
    // sets that touch have no reactive rate: from one side of the ridge to the other
    let left = PointSet::half_space([-1.0].into(), 0.0).unwrap();
    let touching = double_well().from(left).to(beyond(0.0)).build().unwrap();
    let touching = touching.solve(&Settings::default(), &quiet).unwrap();
    assert!(touching.number(Quantity::ReactiveRate).is_none() && touching.escape_rate().is_some());
}

/// Brownian motion in a disc: R²/4D from the centre; the domain is restricted to a set whose edge absorbs.
#[test]
fn a_disc_that_absorbs() {
    let still = |_: &Point<2>| Point::<2>::zeros();
    let (radius, d) = (1.0, 0.5);
    let brownian = DriftDiffusion::new(still, Isotropic::new(1.0).unwrap(), d).unwrap();
    let disc = PointSet::ball([0.0, 0.0].into(), radius).unwrap();
    let domain = Domain::new([[-1.1, 1.1]; 2]).unwrap();
    let domain = domain.restricted_to(disc, Boundary::Absorbing).unwrap();
    let problem = Problem::builder(brownian, domain, [44, 44])
        .from(PointSet::point([0.0, 0.0].into()).unwrap())
        .build()
        .unwrap();
    let result = problem.solve(&Settings::default(), &quiet).unwrap();
    let (time, exact) = (result.mean_first_passage_time(), radius * radius / (4.0 * d));
    // a staircase of 90 cells across: order one
    assert!(
        (time.value / exact - 1.0).abs() < 0.02 && (time.value - exact).abs() < time.error,
        "{time:?}"
    );
    assert!(result.spectral_gap().is_none() && result.field(FieldQuantity::StationaryDensity).is_none());
    let simulation = Simulation {
        runs: 4000,
        time_step: Some(0.01),
        ..Simulation::default()
    };
    let passage = simulate(&problem, &simulation, result.finest(), 2, &|_| ()).unwrap();
    assert!((passage.mean.value - exact).abs() < 5.0 * passage.mean.standard_error);
    let path = least_action(&problem, &LeastActionSettings::default());
    assert!(path.is_err()); // no target, no end of the path
}

#[test]
fn what_is_wrong_is_named() {
    let refusal = |builder: ProblemBuilder<1>| match builder.build() {
        Err(error) => error.at("problem").to_string(),
        Ok(_) => panic!("the problem was not refused"),
    };
    let walled = Domain::new([[-2.5, 2.5]]).unwrap();
    let bare = || Problem::builder(well(0.1), walled.clone(), [100]);
    for (builder, key) in [
        (bare(), "problem.start"),
        (bare().from(point(-1.0)), "problem.target"),
        (bare().from(point(-3.0)).to(beyond(1.0)), "problem.start"),
        (bare().from(point(-1.0)).to(beyond(3.0)), "problem.target"),
        (bare().from(point(-1.0)).to(beyond(-2.0)), "problem.target"),
        (double_well().with_reach(0), "problem.reach"),
        (
            double_well().with_concentrations(vec![Concentration::new(1, 0.0, 0.1, 2.0).unwrap()]),
            "problem.concentrate.axis",
        ),
        (
            Problem::builder(well(0.1), walled.clone(), [0])
                .from(point(-1.0))
                .to(beyond(1.0)),
            "problem.cells",
        ),
    ] {
        let message = refusal(builder);
        assert!(message.contains(key), "{key}: {message}");
    }
    let overlap = double_well().from(beyond(0.5)).build();
    assert!(matches!(overlap, Err(Error::OverlappingSets { .. })));
    let problem = double_well().build().unwrap();
    let settings = Settings {
        slow_modes: 0,
        ..Settings::default()
    };
    assert!(problem.solve(&settings, &quiet).is_err());
    // an error of the caller ends the computation after the first level
    let stop = |_: &_| Err(Error::config("work", "too much"));
    assert!(problem.solve(&Settings::default(), &stop).is_err());
    // from a well to the saddle itself and no further: the target's centre is its own attractor
    let uphill = DriftDiffusion::new(|x: &Point<1>| -x, Isotropic::new(1.0).unwrap(), 0.1).unwrap();
    let line = Problem::builder(uphill, walled.clone(), [100])
        .from(point(0.0))
        .to(beyond(1.0));
    let line = line.build().unwrap();
    let to = LeastActionSettings {
        to: Some(Point::<1>::new(1.0)),
        ..LeastActionSettings::default()
    };
    let found = least_action(&line, &to).unwrap();
    assert!(matches!(
        small_noise_rate(&line, &found, 64),
        Err(NoFormula::NoSaddle)
    ));
}
