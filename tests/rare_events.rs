//! Markov chains with known answers: momentum, stable noise, label noise, five variables; barriers between the minima of a loss.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::Error;
use freezeout::diffusion::{Diffusion, Sgd};
use freezeout::ensemble::CrossingTest;
use freezeout::ensemble::stream::StreamKey;
use freezeout::generator::Generator;
use freezeout::grid::{Axis, Grid};
use freezeout::landscape::{DoubleWell, Expression, Quadratic, critical_points};
use freezeout::math::{Point, Tensor};
use freezeout::noise::Isotropic;
use freezeout::observables::spectral_gap;
use freezeout::rare_events::{
    Chain, DiffusionChain, PassageProtocol, Random, ReactionCoordinate, StableWalk, Walker,
    mean_first_passage_time, simulated_first_passage_time,
};
use freezeout::rates::BarrierGraph;
use freezeout::region::PointSet;
use freezeout::statistics::{Estimate, convergence::extrapolate, mean};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Mean of θ² over runs of SGD with momentum on the parabola of curvature 1, long after the start.
fn stationary_variance(learning_rate: f64, momentum: f64) -> Estimate {
    const RUNS: u64 = 20_000;
    /// Long over the slowest decay, β^(k/2).
    const STEPS: usize = 400;
    let bowl = Quadratic::<1>::new(Tensor::<1>::new(1.0), Point::<1>::zeros()).unwrap();
    let sgd = Sgd::new(bowl, Isotropic::new(1.0).unwrap(), learning_rate, 1.0).unwrap();
    let far = PointSet::half_space(Point::<1>::new(1.0), 1e3).unwrap();
    let chain = DiffusionChain::new(
        &sgd,
        &far,
        ReactionCoordinate::Target,
        learning_rate,
        CrossingTest::EndOfStep,
    );
    let chain = chain.unwrap().with_momentum(momentum).unwrap();
    let run = |run: u64| {
        let mut random = Random::new(&StreamKey::new(3, 0), run);
        let mut walker = chain.walker(Point::<1>::zeros()).unwrap();
        (0..STEPS).for_each(|_| chain.step(&mut walker, &mut random).unwrap());
        walker.theta[0].powi(2)
    };
    mean(&(0..RUNS).into_par_iter().map(run).collect::<Vec<f64>>()).unwrap()
}

/// ηC(1 + β)/(h(1 − β)(2(1 + β) − ηh)), Liu, Ziyin and Ueda (2021).
#[test]
fn momentum_has_the_exact_variance_on_a_parabola() {
    for (learning_rate, momentum, exact) in [
        (0.1, 0.9, 0.513_513_513_5),
        (0.1, 0.0, 0.1 / 1.9),
        (1.5, 0.5, 3.0),
    ] {
        let found = stationary_variance(learning_rate, momentum);
        assert!(
            found.z_score(exact).abs() < 4.0,
            "{learning_rate} {momentum}: {found}"
        );
    }
    // Negative control: the limit of small steps, ηC/(2h(1 − β)).
    assert!(stationary_variance(1.5, 0.5).z_score(1.5).abs() > 20.0);
}

const BARRIER: f64 = 8.0;

/// SGD with momentum on the quartic double well, with the energy as its reaction coordinate where friction is weak: left of the barrier up to its top,
/// then x.
struct Heavy<'a> {
    chain: DiffusionChain<'a, 1, Sgd<DoubleWell, Isotropic>>,
    step: f64,
    by_energy: bool,
}

impl Chain for Heavy<'_> {
    type State = Walker<1>;
    fn level(&self, walker: &Walker<1>) -> f64 {
        let level = self.chain.level(walker);
        if level == f64::INFINITY || !self.by_energy {
            return level;
        }
        let (x, velocity) = (walker.theta[0], walker.change[0] / self.step);
        let energy = (x * x - 1.0).powi(2) / 4.0 + velocity * velocity / 2.0;
        (energy / 0.25).min(1.0) + x.max(0.0)
    }
    fn step(&self, walker: &mut Walker<1>, random: &mut Random) -> freezeout::Result<()> {
        self.chain.step(walker, random)
    }
}

/// SGD with momentum is underdamped Langevin motion of friction γ = (1 − β)/√η in time √η per step. Kramers' rate with the factor for weak friction of
/// V. Mel'nikov and S. Meshkov, J. Chem. Phys. 85, 1018 (1986), exp(∫ ln(1 − e^{−δ(y² + 1/4)})/(y² + 1/4) dy/2π) at δ = 4γ/3T, is right to five percent at a
/// barrier of eight temperatures once the first correction in T, 1 + 3T/2 of strong friction, is made, which is as large itself.
#[test]
fn momentum_turns_over_as_kramers_says() {
    let (step, temperature) = (0.05, 0.25 / BARRIER);
    let target = PointSet::half_space(Point::<1>::new(1.0), 1.0).unwrap();
    for (friction, weak, repetitions) in [
        (0.1, 0.844_902_055, 200),
        (1.0, 0.999_996_14, 500),
        (10.0, 1.0, 150),
    ] {
        let (learning_rate, momentum) = (step * step, 1.0 - friction * step);
        let noise = Isotropic::new(2.0 * temperature * (1.0 - momentum) / learning_rate).unwrap();
        let sgd = Sgd::new(DoubleWell::new(0.25, 1.0).unwrap(), noise, learning_rate, 1.0).unwrap();
        let end = CrossingTest::EndOfStep;
        let chain =
            DiffusionChain::new(&sgd, &target, ReactionCoordinate::Target, learning_rate, end).unwrap();
        let chain = chain.with_momentum(momentum).unwrap();
        let by_energy = friction < 0.5;
        let heavy = Heavy {
            chain,
            step,
            by_energy,
        };
        let (return_level, departure_level) = if by_energy { (0.1, 0.2) } else { (-2.0, -1.8) };
        let protocol = PassageProtocol {
            return_level,
            departure_level,
            replicas: 100,
            repetitions,
            most_steps: u64::MAX,
            seed: 5,
            experiment: 0,
        };
        let start = heavy.chain.walker(Point::<1>::new(-1.0)).unwrap();
        let found = mean_first_passage_time(&heavy, &start, &protocol, &|| ()).unwrap();
        let kramers = ((friction * friction / 4.0 + 1.0).sqrt() - friction / 2.0) * 2f64.sqrt() / (2.0 * PI);
        let unit = step * kramers * (-BARRIER).exp() / (1.0 + 1.5 * temperature);
        let (ratio, error) = (
            unit * weak * found.steps.value,
            unit * weak * found.steps.standard_error,
        );
        assert!(
            error < 0.04 && (ratio - 1.0).abs() < 0.05 + 3.0 * error,
            "{friction}: {ratio} ± {error}"
        );
        if by_energy {
            // Negative control: without the factor for weak friction.
            assert!(
                (ratio / weak - 1.0).abs() > 0.05 + 3.0 * error / weak,
                "{ratio} ± {error}"
            );
        }
    }
}

/// Mean exit time of (−1, 1) under α-stable noise with restoring force `curvature`, extrapolated in the time step with order 1/α.
fn stable_exit(stability: f64, strength: f64, curvature: f64, step: f64, runs: usize) -> Estimate {
    let bowl = Quadratic::<1>::new(Tensor::<1>::new(curvature), Point::<1>::zeros()).unwrap();
    let sgd = Sgd::with_noise_strength(bowl, Isotropic::new(1.0).unwrap(), 1.0).unwrap();
    let outside = PointSet::of_level(|x: &Point<1>| (1.0 - x[0].abs(), Point::<1>::new(-x[0].signum())));
    let times = [step, step / 4.0].map(|step| {
        let walk = StableWalk::new(&sgd, &outside, stability, strength, step).unwrap();
        let start = walk.walker(Point::<1>::zeros()).unwrap();
        let key = StreamKey::new(7, step.to_bits());
        let steps = simulated_first_passage_time(&walk, &start, runs, u64::MAX, &key).unwrap();
        Estimate {
            value: step * steps.value,
            standard_error: step * steps.standard_error,
            ..steps
        }
    });
    extrapolate(&times[0], &times[1], 4.0, 1.0 / stability)
        .unwrap()
        .limit
}

/// 1/Γ(1 + α) without a force (Getoor 1961).
#[test]
fn stable_noise_leaves_an_interval_in_the_exact_time_and_gaussian_noise_does_not() {
    let exact = 4.0 / (3.0 * PI.sqrt()); // 1/Γ(5/2)
    let found = stable_exit(1.5, 1.0, 0.0, 0.002, 10_000);
    assert!(found.z_score(exact).abs() < 4.0, "{found}");
    let gaussian = stable_exit(2.0, 1.0, 0.0, 0.002, 10_000);
    assert!(gaussian.z_score(0.5).abs() < 4.0, "{gaussian}");
    assert!(gaussian.z_score(exact).abs() > 15.0, "{gaussian}");
}

/// One jump leads out: the time does not know the barrier (Imkeller and Pavlyukevich 2006).
#[test]
fn stable_noise_does_not_know_the_barrier() {
    let (stability, strength) = (1.5f64, 0.03f64);
    let constant = 0.75 * PI.sqrt() * (PI * stability / 2.0).sin() / PI; // Γ(5/2) sin(πα/2)/π
    let exact = stability / (constant * strength.powf(stability) * 2.0);
    for curvature in [1.0, 4.0] {
        let found = stable_exit(stability, strength, curvature, 0.2, 4_000);
        assert!(
            found.z_score(exact).abs() < 4.0 && found.standard_error < 0.05 * exact,
            "{curvature}: {found}"
        );
    }
}

/// The valley L = h(y) x²/2, h = 4 + y, under label noise: gradient noise of covariance σ² h along x, none along y.
struct LabelNoise {
    learning_rate: f64,
    variance: f64,
}

impl Diffusion<2> for LabelNoise {
    fn drift(&self, theta: &Point<2>) -> Point<2> {
        Point::<2>::new(-(4.0 + theta[1]) * theta[0], -0.5 * theta[0] * theta[0])
    }
    fn tensor(&self, theta: &Point<2>) -> Tensor<2> {
        Tensor::<2>::new(
            0.5 * self.learning_rate * self.variance * (4.0 + theta[1]),
            0.0,
            0.0,
            0.0,
        )
    }
}

/// −(ησ²/2) h'/(2 − ηh) along the valley (G. Blanc et al., COLT 2020; A. Damian, T. Ma and J. Lee, NeurIPS 2021): the mean of −x² h'/2 at the stationary
/// variance ησ²/(2 − ηh).
#[test]
fn label_noise_drifts_to_flatter_places_at_the_exact_speed() {
    const RUNS: u64 = 4_000;
    /// Forgets the start like (1 − ηh)^(2k).
    const BEFORE: usize = 40;
    const STEPS: usize = 200;
    /// Small, so that y hardly moves and the drift is that at y = 0.
    const VARIANCE: f64 = 1e-6;
    let noise = LabelNoise {
        learning_rate: 0.1,
        variance: VARIANCE,
    };
    let far = PointSet::half_space(Point::<2>::new(1.0, 0.0), 1e3).unwrap();
    let chain = DiffusionChain::new(
        &noise,
        &far,
        ReactionCoordinate::Target,
        0.1,
        CrossingTest::EndOfStep,
    )
    .unwrap();
    let run = |run: u64| {
        let mut random = Random::new(&StreamKey::new(3, 1), run);
        let mut walker = chain.walker(Point::<2>::zeros()).unwrap();
        (0..BEFORE).for_each(|_| chain.step(&mut walker, &mut random).unwrap());
        let before = walker.theta[1];
        (0..STEPS).for_each(|_| chain.step(&mut walker, &mut random).unwrap());
        (walker.theta[1] - before) / (0.1 * STEPS as f64 * VARIANCE)
    };
    let found = mean(&(0..RUNS).into_par_iter().map(run).collect::<Vec<f64>>()).unwrap();
    assert!(found.z_score(-0.03125).abs() < 4.0, "{found}");
    // Negative control: without the learning rate in the variance.
    assert!(found.z_score(-0.025).abs() > 10.0, "{found}");
}

/// Two saddles let through twice as much: minima at (±1.06, 0), saddles at (0, ±1), a maximum between.
#[test]
fn rates_of_two_saddles_add_up() {
    let text = "(x^2 + y^2 - 1)^2 + (1 - x^2)/4";
    let ring = Expression::<2>::new(text, &["x", "y"], &BTreeMap::new(), vec![]).unwrap();
    let found = critical_points(&ring, [[-1.6, 1.6]; 2], 60).unwrap();
    assert_eq!(
        found.points.iter().map(|p| p.index).collect::<Vec<_>>(),
        [0, 0, 1, 1, 2]
    );
    let graph = BarrierGraph::new(&ring, &found.points).unwrap();
    // The gap is twice the rate of either well.
    let gap_over_rate = |temperature: f64| {
        let rate = graph.rate(0, 1, temperature).unwrap();
        let sgd = Sgd::with_noise_strength(&ring, Isotropic::new(1.0).unwrap(), temperature).unwrap();
        let axis = Axis::uniform(-1.5, 1.5, 100).unwrap();
        let generator = Generator::assemble(&sgd, Grid::new([axis.clone(), axis])).unwrap();
        spectral_gap(&generator).unwrap().rate / rate
    };
    let [warm, cold] = [0.04, 0.02].map(gap_over_rate);
    // The deviation vanishes like T: by half, give or take the second order.
    assert!((cold - 2.0).abs() < 0.3, "{cold}");
    assert!(
        (1.4..2.8).contains(&((warm - 2.0) / (cold - 2.0))),
        "{warm} {cold}"
    );
    // Negative control: the rate over one saddle alone is half of it.
    assert!((2.0 * cold - 2.0).abs() > 1.4, "{cold}");
}

/// In any dimension: a double well beside parabolas has one saddle, whose barrier and rate do not know the parabolas.
#[test]
fn further_parabolas_do_not_change_a_rate() {
    let text = "(x^2 - 1)^2/4 + (u^2 + 2*v^2 + 3*w^2 + 4*z^2)/2";
    let loss = Expression::<5>::new(text, &["x", "u", "v", "w", "z"], &BTreeMap::new(), vec![]).unwrap();
    let found = critical_points(&loss, [[-1.7, 1.7]; 5], 40).unwrap();
    assert_eq!(
        found.points.iter().map(|p| p.index).collect::<Vec<_>>(),
        [0, 0, 1]
    );
    let graph = BarrierGraph::new(&loss, &found.points).unwrap();
    let rate = graph.rate(0, 1, 0.025).unwrap();
    // Kramers: sqrt(2)/2π exp(−ΔL/T)
    assert!((rate / (2f64.sqrt() / (2.0 * PI) * (-10f64).exp()) - 1.0).abs() < 1e-9);
    assert!((graph.barrier(0, 1).unwrap() - 0.25).abs() < 1e-12);
}

/// A walk that turns back before the target.
struct Short;

impl Chain for Short {
    type State = i32;
    fn level(&self, state: &i32) -> f64 {
        f64::from(*state)
    }
    fn step(&self, state: &mut i32, random: &mut Random) -> freezeout::Result<()> {
        let way = if random.uniform() < 0.5 { 1 } else { -1 };
        *state = (*state + way).clamp(0, 3);
        Ok(())
    }
}

/// What the computation did not find is no bad input; a start beyond the return level is.
#[test]
fn a_target_that_no_replica_reaches_is_a_failure_of_the_computation() {
    let protocol = PassageProtocol {
        return_level: 0.0,
        departure_level: 0.5,
        replicas: 10,
        repetitions: 4,
        most_steps: 100_000,
        seed: 1,
        experiment: 0,
    };
    let refused = |start: i32| mean_first_passage_time(&Short, &start, &protocol, &|| ()).unwrap_err();
    let error = refused(0);
    assert!(
        matches!(error, Error::NoneReached { .. }) && !error.is_bad_input(),
        "{error}"
    );
    assert!(refused(1).is_bad_input());
}
