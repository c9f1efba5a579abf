//! Statistical tests of the ensembles. Seeds are fixed; each test has a negative control that must fail.
//!
//! Tolerances are Z standard errors plus a stated bias. Z = 5 has a false-alarm probability of 6e-7 per comparison.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::diffusion::{OrnsteinUhlenbeck, Sgd};
use freezeout::ensemble::stream::{STEP_BLOCK, StreamKey, Streams, experiment_number};
use freezeout::ensemble::*;
use freezeout::landscape::{Slice, TwoValley};

const Z: f64 = 5.0;

fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

// ---------------------------------------------------------------- identity of bytes

fn cell(power: f64, learning_rate: f64, sigma: f64, runs: usize, steps: u64, experiment: u64) -> Cell {
    let sgd = Sgd::hessian_power(TwoValley::default(), power, learning_rate, sigma, 1e-8).unwrap();
    Cell {
        walk: TwoValleyWalk::discrete(&sgd).unwrap(),
        protocol: Protocol {
            starts: vec![[-0.01, 5.0], [0.01, 5.0]],
            runs,
            steps,
            record_every: Some(100),
            seed: 3,
            experiment,
        },
    }
}

#[test]
fn results_do_not_depend_on_threads_instructions_or_company() {
    let cells: Vec<_> = [1.0, 2.0, 1.5]
        .iter()
        .map(|&p| cell(p, 0.05, 0.05, 150, 700, 1))
        .collect();
    let reference = with_threads(1, || simulate(&cells, &|_| ())).unwrap();
    assert!(reference[0].runs.iter().any(|run| run.hops > 0));
    assert_eq!(reference, with_threads(2, || simulate(&cells, &|_| ())).unwrap());
    for instructions in Instructions::ALL {
        assert_eq!(reference, simulate_with(instructions, &cells, &|_| ()).unwrap());
    }
    assert_eq!(reference[1..2], simulate(&cells[1..2], &|_| ()).unwrap());
    // Fewer runs are the same runs: they stand in other blocks of lanes only by their number.
    let fewer = simulate(&[cell(1.0, 0.05, 0.05, 70, 700, 1)], &|_| ()).unwrap();
    assert_eq!(reference[0].runs[..70], fewer[0].runs);
    // Negative control: another experiment under the same seed is another sample.
    assert_ne!(
        reference[0].runs,
        simulate(&[cell(1.0, 0.05, 0.05, 150, 700, 2)], &|_| ()).unwrap()[0].runs
    );

    let well = DoubleWellWalk::new(0.25, 1.0, 0.2).unwrap();
    let protocol = PathProtocol {
        starts: vec![[-1.0]],
        runs: 200,
        steps: 3001,
        time_step: 0.01,
        seed: 1,
        experiment: 1,
    };
    let passage = |i| {
        first_passage_with(
            i,
            &well,
            [-9.0, 0.0],
            CrossingTest::BrownianBridge,
            &protocol,
            &|_| (),
        )
    };
    let ends = |i| propagate_with(i, EulerMaruyama, &well, &protocol, &|_| ());
    let (first, last) = (
        with_threads(1, || passage(Instructions::Native)).unwrap(),
        ends(Instructions::Native).unwrap(),
    );
    for instructions in Instructions::ALL {
        assert_eq!(first, with_threads(2, || passage(instructions)).unwrap());
        assert_eq!(last, with_threads(2, || ends(instructions)).unwrap());
    }
}

/// The ensemble once more, run by run and step by step with the landscape's own functions for the valleys.
#[test]
fn the_vector_loop_equals_a_plain_loop() {
    let model = TwoValley::default();
    let cell = cell(1.0, 0.1, 0.05, 67, 601, 9);
    let ensemble = &simulate(std::slice::from_ref(&cell), &|_| ()).unwrap()[0];
    let key = StreamKey::new(cell.protocol.seed, cell.protocol.experiment);
    let mut streams = Streams::unset();
    let mut snapshots = vec![(0_u64, 0.0, 0_u64); 7];
    for (number, run) in ensemble.runs.iter().enumerate() {
        let [mut x, mut y] = cell.protocol.starts[number % 2];
        let (mut changes, mut last, mut hops, mut last_hop) = (0, None, 0, None);
        let mut valley = x >= 0.0;
        for k in 0..=cell.protocol.steps {
            let side = if x >= 0.0 {
                freezeout::landscape::Side::Flat
            } else {
                freezeout::landscape::Side::Sharp
            };
            if (x >= 0.0) != valley && x.abs() > 0.5 * model.minimum(side, y).abs() {
                valley = x >= 0.0;
                hops += 1;
                last_hop = Some(Crossing { step: k, y });
            }
            if k % 100 == 0 {
                let (flat, sum_y, all_hops) = &mut snapshots[(k / 100) as usize];
                *flat += u64::from(x >= 0.0);
                *sum_y += y;
                *all_hops += hops;
            }
            if k == cell.protocol.steps {
                break;
            }
            if k % STEP_BLOCK == 0 {
                streams.set(0, key.state(number as u64, k / STEP_BLOCK));
            }
            let next = cell.walk.step(x, y, streams.polar(0));
            if (x >= 0.0) != (next.x >= 0.0) {
                changes += 1;
                last = Some(Crossing {
                    step: k + 1,
                    y: next.y,
                });
            }
            (x, y) = (next.x, next.y);
        }
        let start_y = 5.0;
        assert_eq!(
            *run,
            RunOutcome {
                start_y,
                x,
                y,
                sign_changes: changes,
                last_sign_change: last,
                hops,
                last_hop
            }
        );
    }
    assert!(ensemble.runs.iter().map(|run| run.hops).sum::<u64>() > 100);
    for (snapshot, (flat, sum_y, hops)) in ensemble.snapshots.iter().zip(snapshots) {
        assert_eq!((snapshot.flat, snapshot.hops), (flat, hops));
        // Fixed point against a plain sum of 67 numbers.
        assert!((snapshot.sum_y / sum_y - 1.0).abs() < 1e-14);
    }
}

// ---------------------------------------------------------------- discrete SGD against published numbers

/// The authors' phase diagram: (η, σ) indices on the grid 10^(−2 + i/9), P_flat, mean freezing iteration.
const PUBLISHED: [(i32, i32, f64, f64); 4] = [
    (9, 9, 0.9805, 11690.8265),
    (6, 3, 0.936, 237.392),
    (4, 4, 0.711, 170.1125),
    (0, 9, 0.9115, 1137.7385),
];

#[test]
fn phase_diagram_agrees_with_the_authors_simulation() {
    const RUNS: usize = 2000;
    let grid = |i: i32| 10_f64.powf(-2.0 + f64::from(i) / 9.0);
    let cells: Vec<_> = PUBLISHED
        .iter()
        .map(|&(i, j, ..)| cell(1.0, grid(i), grid(j), RUNS, 20_000, (10 * i + j) as u64))
        .collect();
    let difference_error = |p: f64| (2.0 * p * (1.0 - p) / RUNS as f64).sqrt();
    for (ensemble, &(i, j, p_flat, iteration)) in simulate(&cells, &|_| ()).unwrap().iter().zip(&PUBLISHED) {
        let p = ensemble.p_flat();
        assert!(
            (p - p_flat).abs() < 4.0 * difference_error(p_flat),
            "cell {i}, {j}: {p} against {p_flat}"
        );
        let times = ensemble.runs.iter().map(|run| run.freezing_iteration() as f64);
        let (mean, error) = mean_and_error(times);
        assert!(
            (mean - iteration).abs() < 4.0 * 2.0_f64.sqrt() * error,
            "cell {i}, {j}: {mean} ± {error} against {iteration}"
        );
    }
    // Negative control: noise ~ H² of the same strength.
    let (i, j, p_flat, _) = PUBLISHED[1];
    let wrong = simulate(&[cell(2.0, grid(i), grid(j), RUNS, 20_000, 0)], &|_| ()).unwrap();
    assert!((wrong[0].p_flat() - p_flat).abs() > 4.0 * difference_error(p_flat));
}

#[test]
fn fixed_slice_has_the_odds_of_the_finite_learning_rate() {
    // Independent Monte Carlo for y = 3, Δ = 1e-3, good to ±.002.
    const REFERENCE_ERROR: f64 = 0.002;
    const RUNS: usize = 200_000;
    let run = |power: f64, learning_rate: f64, sigma: f64| {
        let slice = Slice::new(TwoValley::default(), 3.0).unwrap();
        let walk =
            PiecewiseLinear::new(&Sgd::hessian_power(slice, power, learning_rate, sigma, 0.0).unwrap())
                .unwrap();
        let protocol = PathProtocol {
            starts: vec![[-0.05], [0.05]],
            runs: RUNS,
            steps: (40.0 / learning_rate) as u64,
            time_step: learning_rate,
            seed: 1,
            experiment: 1,
        };
        let ends = propagate(EulerMaruyama, &walk, &protocol, &|_| ()).unwrap();
        ends.iter().filter(|[x]| *x >= 0.0).count() as f64 / RUNS as f64
    };
    let error = Z * (0.2_f64 / RUNS as f64).sqrt();
    for (learning_rate, expected) in [(0.04, 0.765), (0.01, 0.770)] {
        let p = run(1.0, learning_rate, 1e-3 / learning_rate);
        assert!(
            (p - expected).abs() < REFERENCE_ERROR + error,
            "{learning_rate}: {p}"
        );
    }
    // Negative controls: noise ~ H² of the same strength in the flat valley; the limit of small learning rates.
    let curvature = 2.0 / TwoValley::default().flatness(freezeout::landscape::Side::Flat, 3.0);
    let wrong = run(2.0, 0.04, 1e-3 / 0.04 / curvature);
    assert!((wrong - 0.765).abs() > REFERENCE_ERROR + error, "{wrong}");
    assert!((run(1.0, 0.04, 1e-3 / 0.04) - 0.791_597).abs() > REFERENCE_ERROR + error);
}

#[test]
fn isotropic_noise_and_held_y_are_controls() {
    let model = TwoValley::default();
    let isotropic = freezeout::noise::Isotropic::new(16.0).unwrap();
    let sgd = Sgd::new(model, isotropic, 0.0025, 1.0).unwrap();
    let protocol = Protocol {
        starts: vec![[-0.05, 3.0], [0.05, 3.0]],
        runs: 20_000,
        steps: 2_000,
        record_every: Some(500),
        seed: 4,
        experiment: 4,
    };
    let held = TwoValleyWalk::discrete(&sgd).unwrap().with_y_held();
    let cells = [Cell {
        walk: held,
        protocol: protocol.clone(),
    }];
    let ensemble = &simulate(&cells, &|_| ()).unwrap()[0];
    assert!(ensemble.runs.iter().all(|run| run.y == 3.0));
    assert_eq!(ensemble.snapshots.len(), 5);
    // Stationary odds x1/(x1 + x2) of isotropic noise; the ridge shifts them by less than 2 sqrt(η D)/x* at finite η.
    let error = Z * (0.25_f64 / 20_000.0).sqrt();
    let p = ensemble.p_flat();
    assert!((p - 0.8 / 1.45).abs() < error + 0.005, "{p}");
    // The ramp multiplies the slow drift: y moves half as far while it is nearly uniform.
    let quiet = Sgd::hessian_power(model, 1.0, 0.01, 1e-6, 0.0).unwrap();
    let travel = |factor: f64| {
        let walk = TwoValleyWalk::discrete(&quiet)
            .unwrap()
            .with_ramp(factor)
            .unwrap();
        let protocol = Protocol {
            runs: 10,
            steps: 200,
            record_every: None,
            ..protocol.clone()
        };
        simulate(&[Cell { walk, protocol }], &|_| ()).unwrap()[0].runs[0].y - 3.0
    };
    assert!((travel(0.5) / travel(1.0) - 0.5).abs() < 0.01);
    assert!((travel(1.0) / (2.0 * model.floor_velocity(3.0)) - 1.0).abs() < 0.01);
}

// ---------------------------------------------------------------- first passage

/// Mean first-passage time with its standard error; all runs must escape.
fn mean_passage<S: Ito<1, 1>>(
    walk: &S,
    from: f64,
    to: f64,
    crossing: CrossingTest,
    h: f64,
    runs: usize,
) -> (f64, f64) {
    let protocol = PathProtocol {
        starts: vec![[from]],
        runs,
        steps: 10_000_000,
        time_step: h,
        seed: 8,
        experiment: experiment_number("passage"),
    };
    let passages = first_passage(walk, [f64::NEG_INFINITY, to], crossing, &protocol, &|_| ()).unwrap();
    assert_eq!(passages.escaped(), runs);
    mean_and_error(passages.outcomes.iter().map(Outcome::time))
}

#[test]
fn passage_times_agree_with_the_exact_integrals() {
    /// Relative bias per unit of time step; 400 000 runs of the double well at h = .02 show −.4 h.
    const BIAS: f64 = 0.5;
    let well = DoubleWellWalk::new(0.25, 1.0, 0.2).unwrap();
    let ou = PiecewiseLinear::new(&OrnsteinUhlenbeck::new(1.0, 0.0, 1.0).unwrap()).unwrap();
    let h = 0.005;
    let check = |(mean, error): (f64, f64), exact: f64| {
        println!(
            "{mean} ± {error}, exact {exact}, relative {:e}",
            mean / exact - 1.0
        );
        (mean - exact).abs() / (Z * error + BIAS * h * exact)
    };
    let bridge = CrossingTest::BrownianBridge;
    assert!(check(mean_passage(&well, -1.0, 0.0, bridge, h, 100_000), 7.934_021_54) < 1.0);
    assert!(
        check(
            mean_passage(&well, -1.0, 1.0, bridge, h, 50_000),
            19.093_896_996_8
        ) < 1.0
    );
    assert!(check(mean_passage(&ou, 0.0, 1.0, bridge, h, 100_000), 2.093_406_65) < 1.0);
    // Negative control: crossings seen at the ends of steps only.
    let end = CrossingTest::EndOfStep;
    assert!(check(mean_passage(&well, -1.0, 0.0, end, h, 100_000), 7.934_021_54) > 1.0);
    assert!(check(mean_passage(&ou, 0.0, 1.0, end, h, 100_000), 2.093_406_65) > 1.0);
}

#[test]
fn censored_runs_and_exits_are_told() {
    // Brownian motion on (−1, 2) from 0: upper exit with probability 1/3, mean time 2/(2D).
    #[derive(Clone, Copy)]
    struct Brownian;
    impl Ito<1, 1> for Brownian {
        #[inline(always)]
        fn drift(&self, _: [f64; 1]) -> [f64; 1] {
            [0.0]
        }
        #[inline(always)]
        fn noise(&self, _: [f64; 1]) -> [[f64; 1]; 1] {
            [[1.0]]
        }
    }
    let runs = 50_000;
    let mut protocol = PathProtocol {
        starts: vec![[0.0]],
        runs,
        steps: 1_000_000,
        time_step: 0.01,
        seed: 1,
        experiment: 1,
    };
    let bridge = CrossingTest::BrownianBridge;
    let all = first_passage(&Brownian, [-1.0, 2.0], bridge, &protocol, &|_| ()).unwrap();
    let p = all.exits(Exit::Upper) as f64 / runs as f64;
    assert!(
        (p - 1.0 / 3.0).abs() < Z * (2.0_f64 / 9.0 / runs as f64).sqrt(),
        "{p}"
    );
    let (mean, error) = mean_and_error(all.outcomes.iter().map(Outcome::time));
    // The time of the crossing within the step is not known better than h/2.
    assert!((mean - 2.0).abs() < Z * error + 0.005, "{mean} ± {error}");
    // A horizon cuts the same paths.
    protocol.steps = 77;
    let cut = first_passage(&Brownian, [-1.0, 2.0], bridge, &protocol, &|_| ()).unwrap();
    for (whole, cut) in all.outcomes.iter().zip(&cut.outcomes) {
        if whole.time() < 0.77 {
            assert_eq!(whole, cut);
        } else {
            assert_eq!(*cut, Outcome::Censored { time: 0.77 });
        }
    }
    assert!(first_passage(&Brownian, [0.0, 2.0], bridge, &protocol, &|_| ()).is_err());
}

/// Hops of SGD for y0 = 1, Δ = 3e-4 tend to those of the density along the path, 35.671, like sqrt(η): x is seen at the ends of steps only, so that
/// what goes half-way over and back within a step is missed, a seventh of all hops at η = .01.
#[test]
fn hops_of_small_steps_are_those_of_the_density() {
    const DELTA: f64 = 3e-4;
    const DENSITY: f64 = 35.671;
    let hops = |eta: f64| {
        let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, eta, DELTA / eta, 1e-8).unwrap();
        let protocol = Protocol {
            starts: vec![[-0.01, 1.0], [0.01, 1.0]],
            runs: 1500,
            steps: (200.0 / eta) as u64,
            record_every: None,
            seed: 11,
            experiment: 3,
        };
        let walk = TwoValleyWalk::discrete(&sgd).unwrap();
        let ensemble = simulate(&[Cell { walk, protocol }], &|_| ()).unwrap().remove(0);
        mean_and_error(ensemble.runs.iter().map(|run| run.hops as f64))
    };
    let (coarse, coarse_error) = hops(0.01);
    let (middle, middle_error) = hops(2.5e-3);
    let (fine, fine_error) = hops(6.25e-4);
    assert!(
        DENSITY - coarse > 20.0 * coarse_error,
        "{coarse} ± {coarse_error}"
    );
    let (limit, error) = (2.0 * fine - middle, (2.0 * fine_error).hypot(middle_error));
    // the next order in sqrt(η) is that of the two straight lines apart
    let other = 2.0 * middle - coarse;
    assert!(
        (limit - DENSITY).abs() < Z * error + (limit - other).abs() / 3.0,
        "{limit} ± {error}, {other}"
    );
    assert!(Z * error < 0.06 * DENSITY);
}
