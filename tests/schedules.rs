//! Noise that changes along training: known numbers, invariances, and a schedule that was shifted.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::diffusion::Sgd;
use freezeout::freezing::{
    HopRates, NoiseSchedule, ScheduleDesign, ScheduleShape, floor_time, two_state, two_state_scheduled,
};
use freezeout::landscape::{Side, Slice, TwoValley};
use freezeout::output::Records;
use freezeout::two_valleys::freezing_theory::FreezingTheoryResult;
use freezeout::two_valleys::schedules::SchedulesResult;

/// Standard errors that a comparison may be off by.
const Z: f64 = 4.0;

fn schedules(keys: &str) -> SchedulesResult {
    let head = "name = \"schedules\"\n[landscape]\nmodel = \"two_valley\"\n[schedules]\n";
    SchedulesResult::of(&run(&format!("{head}{keys}"))).unwrap()
}

/// An independent solver of the master equation gives these to the third digit, SGD at η = .01 with 20 000 runs .772 .694 .768 .909 (± .003).
#[test]
fn noise_that_is_lowered_too_early_quenches_the_odds_of_strong_noise() {
    let found = schedules("change_y = [1.5, 2.0, 3.0, 5.0, 10.0]\nshape = [\"step\"]\nruns = 4000\n");
    let known = [0.797, 0.712, 0.790, 0.922, 0.961];
    for (k, known) in known.into_iter().enumerate() {
        let (theory, density) = (found.p_flat_two_state[k], found.p_flat_density[k]);
        assert!((theory - known).abs() < 1e-3, "{k}: {theory}, known {known}");
        assert!(found.p_flat_two_state_error[k] < 1e-4 && found.p_flat_density_error[k] < 1e-3);
        // the lag of relaxation in the valleys, which rates leave out
        assert!((theory - density).abs() < 2e-3, "{k}: {theory} {density}");
    }
    // on cells four times as fine and with a 64th of the tolerance, where the last digit still changes
    for (k, fine) in [(0, 0.796_50), (1, 0.712_238), (3, 0.921_371)] {
        let (p, error) = (found.p_flat_density[k], found.p_flat_density_error[k]);
        assert!((p - fine).abs() < error, "{k}: {p} ± {error:e}, {fine}");
    }
    for (constant, known) in found.p_flat_constant.iter().zip([0.961, 0.938]) {
        assert!((constant - known).abs() < 1e-3, "{constant}, known {known}");
    }
    // below both constants
    assert!(found.p_flat_density[1] < 0.8 * found.p_flat_constant[1]);
    let sgd = found.sgd.unwrap();
    for k in 0..5 {
        let (p, sigma) = (sgd.p_flat_sgd[k], sgd.p_flat_sgd_standard_error[k]);
        assert!(
            (p - found.p_flat_transfer[k]).abs() < Z * sigma,
            "{k}: {p} ± {sigma}, {}",
            found.p_flat_transfer[k]
        );
        assert!(found.p_flat_transfer_error[k] < 1e-3);
    }
    for (k, known) in [0.772, 0.694, 0.768, 0.909].into_iter().enumerate() {
        let sigma = sgd.p_flat_sgd_standard_error[k].hypot(0.003);
        assert!(
            (sgd.p_flat_sgd[k] - known).abs() < Z * sigma,
            "{k}: {} known {known}",
            sgd.p_flat_sgd[k]
        );
    }
}

#[test]
fn noise_that_is_raised() {
    let found =
        schedules("before = 1e-4\nafter = 1e-3\nchange_y = [5.0, 8.0]\nshape = [\"step\"]\nruns = 0\n");
    assert!(found.sgd.is_none());
    for (p, known) in found.p_flat_two_state.iter().zip([0.9625, 0.939]) {
        assert!((p - known).abs() < 1e-3, "{p}, known {known}");
    }
}

fn theory(schedule: &NoiseSchedule) -> (f64, f64) {
    let model = TwoValley::default();
    let slice = |y: f64, strength: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
    let path = two_state_scheduled(&model, slice, schedule, [1.0, 20.0], 0.5).unwrap();
    (path.final_p_flat(), path.p_flat_error)
}

#[test]
fn a_constant_schedule_is_none_however_it_is_cut() {
    let model = TwoValley::default();
    let rates = HopRates::new(
        &model,
        |y| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, 1e-3, 0.0),
        1.0,
        20.0,
        16,
    )
    .unwrap();
    let plain = two_state(&model, &rates, 0.5, 1.0, 2000).unwrap().final_p_flat();
    for changes in [vec![], vec![3.0], vec![1.1, 1.7, 2.0, 4.0, 9.0]] {
        let schedule = NoiseSchedule::new(&changes, &vec![1e-3; changes.len() + 1]).unwrap();
        let (p, error) = theory(&schedule);
        assert!(
            (p - plain).abs() < error + 1e-6 && error < 1e-4,
            "{changes:?}: {p} ± {error:e}, {plain}"
        );
    }
}

#[test]
fn smooth_decays_are_the_limit_of_their_steps_and_a_shifted_schedule_is_another() {
    let model = TwoValley::default();
    let changing = |shape: &ScheduleShape, pieces| {
        NoiseSchedule::changing(&model, [1.0, 5.0], [1e-3, 1e-4], shape, pieces).unwrap()
    };
    for shape in [
        ScheduleShape::Linear,
        ScheduleShape::Exponential,
        ScheduleShape::Cosine,
    ] {
        let [a, b, c] = [6, 12, 24].map(|pieces| theory(&changing(&shape, pieces)).0);
        // midpoints: second order in the pieces
        assert!(
            (c - b).abs() < 0.5 * (b - a).abs() && (c - b).abs() < 3e-3,
            "{shape:?}: {a} {b} {c}"
        );
        let shifted = NoiseSchedule::changing(&model, [1.0, 6.5], [1e-3, 1e-4], &shape, 24).unwrap();
        let (late, error) = theory(&shifted);
        assert!(
            (late - c).abs() > 10.0 * error,
            "{shape:?}: {late} ± {error:e}, {c}"
        );
    }
    let step = changing(&ScheduleShape::Step, 24);
    assert_eq!(step.pieces(1.0, 20.0), [(1.0, 5.0, 1e-3), (5.0, 20.0, 1e-4)]);
    let linear = changing(&ScheduleShape::Linear, 4);
    assert!((linear.at(1.0) - (1e-3 - 0.125 * 9e-4)).abs() < 1e-15 && linear.at(6.0) == 1e-4);
}

#[test]
fn infinitely_many_pieces_are_told_from_few() {
    let found = |pieces: usize| {
        let keys =
            format!("shape = [\"linear\"]\nchange_y = [2.0]\nend_y = 6.0\nruns = 0\npieces = {pieces}");
        schedules(&keys)
    };
    let [few, many] = [8, 32].map(found);
    let limit = |result: &SchedulesResult| {
        let columns = result.continuous.as_ref().expect("a limit");
        (columns.p_flat_continuous[0], columns.p_flat_continuous_error[0])
    };
    let ((p, error), (q, finer)) = (limit(&few), limit(&many));
    assert!(
        (p - q).abs() < error + finer && finer < 2e-4,
        "{p} ± {error}, {q} ± {finer}"
    );
    // .8880473 with 400 pieces
    assert!((q - 0.88805).abs() < 1e-5, "{q}");
    // the steps themselves are another schedule, by more than their own error
    let steps = (few.p_flat_two_state[0], few.p_flat_two_state_error[0]);
    assert!((steps.0 - q).abs() > 100.0 * steps.1 && (steps.0 - p).abs() < 4.5 * error);
    // a jump has no limit but itself
    assert!(
        schedules("shape = [\"step\"]\nchange_y = [2.0]\nend_y = 6.0\nruns = 0")
            .continuous
            .is_none()
    );
}

#[test]
fn cyclic_and_tabulated_changes_are_what_they_say() {
    let pair = [1e-3, 1e-4];
    let cyclic = |returns| ScheduleShape::Cyclic { returns };
    let table = |points: &[[f64; 2]]| ScheduleShape::Table(points.to_vec());
    let straight = table(&[[0.0, 1e-3], [1.0, 1e-4]]);
    for progress in [0.0, 0.1, 0.37, 0.5, 0.93, 1.0, 2.0] {
        let linear = ScheduleShape::Linear.strength(pair, progress);
        for same in [&cyclic(0), &straight] {
            assert!(
                (same.strength(pair, progress) - linear).abs() < 1e-18,
                "{same:?} {progress}"
            );
        }
    }
    // there, back, and there again
    for (progress, strength) in [
        (0.0, 1e-3),
        (1.0 / 3.0, 1e-4),
        (2.0 / 3.0, 1e-3),
        (0.5, 5.5e-4),
        (1.0, 1e-4),
    ] {
        let found = cyclic(1).strength(pair, progress);
        assert!((found - strength).abs() < 1e-15, "{progress}: {found}");
    }
    let warm_up = table(&[[0.0, 1e-3], [0.25, 3e-3], [1.0, 1e-4]]);
    assert_eq!(warm_up.strength(pair, 0.25), 3e-3);
    assert_eq!(warm_up.largest(pair), 3e-3);
    for wrong in [
        table(&[]),
        table(&[[0.0, 1e-3]]),
        table(&[[0.0, 1e-3], [0.5, 1e-4]]),
        table(&[[0.0, 2e-3], [1.0, 1e-4]]),
        table(&[[0.0, 1e-3], [0.6, 2e-3], [0.5, 2e-3], [1.0, 1e-4]]),
        table(&[[0.0, 1e-3], [0.5, -2e-3], [1.0, 1e-4]]),
    ] {
        assert!(wrong.check(pair).is_err(), "{wrong:?}");
    }
}

/// Noise pushes the mean of y ahead of the floor, so that the two clocks part a little; Langevin paths follow the law of their scheme.
#[test]
fn two_clocks_part_a_little_and_langevin_paths_follow_their_scheme() {
    let rate = 0.04;
    let with = |clock: &str, rest: &str| {
        schedules(&format!(
            "change_y = [2.0, 5.0]\nshape = [\"cyclic\"]\nreturns = 1\npieces = 4\nclock = \"{clock}\"\nlearning_rate = {rate}\n{rest}"
        ))
    };
    let position = with("position", "runs = 0\n");
    let found = with("time", "runs = 3000\nlangevin_time_step = 0.02\n");
    assert_eq!(position.p_flat_density, found.p_flat_density);
    let duration = floor_time(&TwoValley::default(), 1.0, 20.0, 1.0).unwrap();
    for k in 0..2 {
        let apart = (position.p_flat_transfer[k] - found.p_flat_transfer[k]).abs();
        assert!(apart > position.p_flat_transfer_error[k], "{k}: {apart}");
        // as many steps as the floor takes, rounded in each piece
        assert!(
            (found.steps[k] - duration / rate).abs() < 6.0,
            "{:?}",
            found.steps
        );
        assert!(position.steps[k] < found.steps[k], "{:?}", position.steps);
    }
    let paths = found.langevin.unwrap();
    for k in 0..2 {
        let (p, sigma) = (paths.p_flat_langevin[k], paths.p_flat_langevin_standard_error[k]);
        let scheme = paths.p_flat_langevin_scheme[k];
        assert!((p - scheme).abs() < Z * sigma, "{k}: {p} ± {sigma}, {scheme}");
    }
    // control: the paths of the one change are not those of the other
    let apart = (paths.p_flat_langevin[0] - paths.p_flat_langevin_scheme[1]).abs();
    assert!(apart > Z * paths.p_flat_langevin_standard_error[0], "{apart}");
    assert!(found.regime[0].starts_with("adiabatic"), "{:?}", found.regime);
    assert!(found.time_scales.freeze_out_y[0] < found.time_scales.freeze_out_y[1]);
}

#[test]
fn schedules_that_make_no_sense_are_refused() {
    for (keys, wanted) in [
        ("change_y = [0.5]", "schedules.change_y"),
        ("change_y = [30.0]", "schedules.change_y"),
        ("before = 0.0", "schedules.before"),
        ("shape = []", "schedules.shape"),
        ("shape = [\"sudden\"]", "cosine"),
        ("learning_rate = 0.5", "schedules.learning_rate"),
        ("runs = 1", "schedules.runs"),
        ("pieces = 0", "schedules.shape"),
        ("shape = [\"table\"]", "schedules.table: the set is empty"),
        (
            "shape = [\"table\"]\ntable = [[0.0, 1e-3], [0.6, 2e-3], [0.5, 2e-3], [1.0, 1e-4]]",
            "schedules.table: 0.5 is not allowed: points ascend in progress",
        ),
        (
            "shape = [\"table\"]\ntable = [[0.0, 1e-3], [0.5, -2e-3], [1.0, 1e-4]]",
            "schedules.table: -0.002 is not allowed",
        ),
        ("returns = 3", "schedules.returns: it is not used"),
        ("table = [[0.0, 1e-3], [1.0, 1e-4]]", "schedules.table"),
        ("langevin_time_step = 0.5", "schedules.langevin_time_step"),
        (
            "langevin_time_step = 0.01\nruns = 0",
            "schedules.langevin_time_step",
        ),
        ("clock = \"step\"", "position"),
    ] {
        let message = refused(&format!(
            "name = \"s\"\n[landscape]\nmodel = \"two_valley\"\n[schedules]\n{keys}\n"
        ));
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    assert!(
        NoiseSchedule::new(&[1.0], &[1e-3, -1.0]).is_err()
            && NoiseSchedule::new(&[2.0, 2.0], &[1.0; 3]).is_err()
    );
}

/// η H is 2.063 at y = 1 and 1.95 at y = 3 with η = .2, to which the learning rate grows.
#[test]
fn a_learning_rate_is_held_against_the_valleys_where_it_is_taken() {
    let grows = |keys: &str| {
        format!(
            "name = \"s\"\n[landscape]\nmodel = \"two_valley\"\n[schedules]\nbefore = 1e-4\nafter = 1e-3\nend_y = 8.0\nlever = \"learning_rate\"\nlearning_rate = 0.2\n{keys}"
        )
    };
    let late = grows("change_y = [3.0]\nshape = [\"step\"]\n");
    let config = freezeout::run::parse(&late).unwrap();
    freezeout::run::Job::new(&config, &late).map(|_| ()).unwrap();
    let model = TwoValley::default();
    // the sharp valley is the steeper one
    let product = 0.2 * 2.0 / model.flatness(Side::Sharp, 1.2);
    let steps = floor_time(&model, 1.0, 1.2, 1.0).unwrap() / 0.02;
    let message = refused(&grows("change_y = [3.0, 1.2]\nshape = [\"step\"]\n"));
    for wanted in [
        "schedules.learning_rate".to_string(),
        format!("{product:.4}"),
        "the sharp minimum at y = 1.2".to_string(),
        format!("from step {steps:.0} of a schedule on, where each is 0.2"),
    ] {
        assert!(message.contains(&wanted), "{wanted}: {message}");
    }
    // the same η all along
    let message =
        refused(&grows("change_y = [3.0]\nshape = [\"step\"]\n").replace("lever = \"learning_rate\"\n", ""));
    assert!(message.contains("at y = 1, from step 0 "), "{message}");
}

#[test]
fn the_best_within_a_budget_of_samples_is_that_of_all_schedules_of_three_pieces() {
    let model = TwoValley::default();
    let slice = |y: f64, strength: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
    let design = ScheduleDesign::new(&model, slice, [1.0, 6.0], [1e-4, 3e-3], 120, 13).unwrap();
    let p = |strengths: &[f64]| design.final_p_flat(0.5, strengths).unwrap();
    let free = design.best(0.5, 3).unwrap();
    let cost = design.batches_a_step(&free);
    assert_eq!(design.best_within(0.5, 3, 2.0 * cost).unwrap().0, free);
    assert!(design.best_within(0.5, 3, 0.9).is_err());
    let strength = |j: usize| 1e-4 * 30f64.powf(j as f64 / 24.0);
    let mut last = 0.0;
    for share in [0.2, 0.6] {
        let budget = 1.0 + share * (cost - 1.0);
        let (found, bound) = design.best_within(0.5, 3, budget).unwrap();
        assert!(design.batches_a_step(&found) <= budget);
        let mut best: f64 = 0.0;
        for j in 0..25 * 25 * 25 {
            let all = [j / 625, j / 25 % 25, j % 25].map(strength);
            if design.batches_a_step(&all) <= budget {
                best = best.max(p(&all));
            }
        }
        assert!(p(&found) > best - 1e-4, "{budget}: {} {best}", p(&found));
        assert!(bound > p(&found) && bound > best);
        // no further from 1 than what is reached without a budget
        assert!(bound <= p(&free));
        // a larger budget is no worse
        assert!(p(&found) > last - 1e-6, "{best} {last}");
        last = p(&found);
    }
    // control: without a budget more is reached, at a price beyond it
    assert!(p(&free) > last && cost > 1.5);
}

fn design() -> ScheduleDesign {
    let model = TwoValley::default();
    let slice = |y: f64, strength: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
    ScheduleDesign::new(&model, slice, [1.0, 20.0], [3e-4, 3e-3], 240, 13).unwrap()
}

#[test]
fn the_design_has_the_gradient_of_its_own_numbers_and_no_better_neighbour() {
    let design = design();
    let p = |strengths: &[f64]| design.final_p_flat(0.5, strengths).unwrap();
    let falling: Vec<f64> = (0..8).map(|k| 2.5e-3 * 0.8f64.powi(k)).collect();
    let gradient = design.gradient(0.5, &falling).unwrap();
    let differences: Vec<f64> = (0..8)
        .map(|k| {
            let moved = |by: f64| {
                let mut strengths = falling.clone();
                strengths[k] *= f64::exp(by);
                p(&strengths)
            };
            (moved(1e-4) - moved(-1e-4)) / 2e-4
        })
        .collect();
    let largest = gradient.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
    for (adjoint, difference) in gradient.iter().zip(&differences) {
        // differences of second order: a hundredth of a millionth of the third derivative
        assert!(
            (adjoint - difference).abs() < 1e-5 * largest,
            "{gradient:?} {differences:?}"
        );
    }
    // control: the pieces in another order have another gradient
    let mut turned = gradient.clone();
    turned.reverse();
    assert!(
        turned
            .iter()
            .zip(&differences)
            .any(|(a, b)| (a - b).abs() > 0.1 * largest)
    );

    let best = design.best(0.5, 8).unwrap();
    let at_best = p(&best);
    for k in 0..8 {
        for factor in [0.7, 0.95, 1.05, 1.4] {
            let mut other = best.clone();
            other[k] = (other[k] * factor).clamp(3e-4, 3e-3);
            assert!(
                p(&other) <= at_best + 1e-9,
                "{k} {factor}: {} {at_best}",
                p(&other)
            );
        }
    }
    for usual in [vec![3e-3; 8], vec![1e-3; 8], falling] {
        assert!(p(&usual) < at_best - 1e-3);
    }
    // the gradient vanishes but at the bounds
    for (slope, strength) in design.gradient(0.5, &best).unwrap().iter().zip(&best) {
        let at_bound = *strength < 3.0001e-4 || *strength > 2.9999e-3;
        assert!(at_bound || slope.abs() < 1e-6, "{slope} at {strength}");
    }
}

#[test]
fn the_design_gives_what_slices_of_the_schedule_give() {
    let design = design();
    let model = TwoValley::default();
    let slice = |y: f64, strength: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
    for strengths in [
        vec![1.3e-3; 4],
        vec![2e-3, 1.1e-3, 5e-4, 3e-4],
        vec![4e-4, 9e-4, 2e-3, 3e-3],
    ] {
        let schedule = design.schedule(&strengths).unwrap();
        let theory = two_state_scheduled(&model, slice, &schedule, [1.0, 20.0], 0.5).unwrap();
        let p = design.final_p_flat(0.5, &strengths).unwrap();
        // steps of a 240th of the path, of second order
        assert!(
            (p - theory.final_p_flat()).abs() < 2e-4,
            "{p} {}",
            theory.final_p_flat()
        );
    }
}

#[test]
fn a_design_that_cannot_be_is_refused_with_its_key() {
    let text = |keys: &str| {
        format!("name = \"d\"\n[landscape]\nmodel = \"two_valley\"\n[schedule_design]\n{keys}\n")
    };
    for (keys, names) in [
        ("strongest = 1e-5", "schedule_design.strongest"),
        ("pieces = 1", "schedule_design.pieces"),
        ("end_y = 0.5", "schedule_design.end_y"),
        ("learning_rate = 0.5", "schedule_design.learning_rate"),
        ("runs = 1", "schedule_design.runs"),
        ("strongst = 1e-3", "strongest"),
    ] {
        let message = refused(&text(keys));
        assert!(message.contains(names), "{keys}: {message}");
    }
}

/// At equal histories of Δ in the time ηk, a learning rate that falls and a batch that grows are one thing as η → 0, and not at finite η.
#[test]
fn learning_rate_and_batch_size_are_one_lever_for_small_steps() {
    let at = |lever: &str, rate: f64| {
        let keys = format!(
            "before = 1e-3\nafter = 5e-4\nchange_y = [2.5]\nend_y = 7.0\nshape = [\"step\"]\nlever = \"{lever}\"\nlearning_rate = {rate}\n"
        );
        schedules(&format!(
            "{keys}runs = {}\n",
            if rate > 0.03 { 20_000 } else { 0 }
        ))
    };
    let mut apart = Vec::new();
    for rate in [0.04, 0.0025] {
        let [batch, learning] = ["batch_size", "learning_rate"].map(|lever| at(lever, rate));
        assert_eq!(batch.p_flat_two_state, learning.p_flat_two_state);
        assert_eq!(batch.p_flat_density, learning.p_flat_density);
        for found in [&batch, &learning] {
            let sgd = found.sgd.as_ref();
            if let Some(sgd) = sgd {
                let off = sgd.p_flat_sgd[0] - found.p_flat_transfer[0];
                assert!(
                    off.abs() < Z * sgd.p_flat_sgd_standard_error[0],
                    "{} {off}",
                    found.lever[0]
                );
            }
        }
        // half the learning rate needs twice the steps, half the noise by batches twice the samples
        assert!(learning.steps[0] > 1.4 * batch.steps[0] && learning.steps[0] < 2.0 * batch.steps[0]);
        assert!((learning.samples[0] - learning.steps[0]).abs() < 1e-6);
        assert!(
            (batch.samples[0] / learning.steps[0] - 1.0).abs() < 0.05,
            "{:?} {:?}",
            batch.samples,
            learning.steps
        );
        assert_eq!(batch.p_flat_transfer_equal_steps, batch.p_flat_transfer);
        let difference = (batch.p_flat_transfer[0] - learning.p_flat_transfer[0]).abs();
        let errors = batch.p_flat_transfer_error[0] + learning.p_flat_transfer_error[0];
        apart.push((difference, errors));
    }
    let [(coarse, error), (fine, _)] = [apart[0], apart[1]];
    assert!(coarse > 3.0 * error, "{apart:?}");
    assert!(fine < 0.6 * coarse, "{apart:?}");
}

/// Where no run hops the odds stay what they were; the odds of two full valleys are those of slices as long as these can say.
#[test]
fn frozen_paths_keep_the_probabilities_that_they_begin_with() {
    let model = TwoValley::default();
    let slice =
        |strength: f64| move |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
    // barriers of 20 000 noise temperatures and more, whose rates are below the range of numbers
    let frozen = HopRates::new(&model, slice(1e-8), 1.0, 20.0, 8).unwrap();
    let path = two_state(&model, &frozen, 0.3, 1.0, 50).unwrap();
    assert_eq!(path.final_p_flat(), 0.3);
    assert_eq!(path.total_hops(), 0.0);
    // just above and just below the barrier from which on there are no hops
    let start = |strength: f64| HopRates::new(&model, slice(strength), 3.0, 20.0, 8).unwrap();
    let (below, above) = (start(4.2e-5), start(3.6e-5));
    assert!(below.range().1 > above.range().1);
    let odds = |rates: &HopRates| (rates.stationary_p_flat(3.0) / (1.0 - rates.stationary_p_flat(3.0))).ln();
    let exponent = |strength: f64| {
        let d = |side| 2.0 * strength / model.flatness(side, 3.0);
        model.barrier(3.0) * (1.0 / d(Side::Flat) - 1.0 / d(Side::Sharp))
    };
    let difference = odds(&above) - odds(&below);
    let known = exponent(3.6e-5) - exponent(4.2e-5);
    assert!((difference - known).abs() < 1e-5 * known, "{difference} {known}");
    // a schedule that freezes at once keeps what the noise before it has reached
    let found = schedules(
        "before = 1e-3\nafter = 3e-6\nchange_y = [3.0]\nshape = [\"step\"]\nend_y = 4.0\nlearning_rate = 0.05\nruns = 0\n",
    );
    let landscape = |y: f64, strength: f64| slice(strength)(y);
    let before = NoiseSchedule::new(&[], &[1e-3]).unwrap();
    let reached = two_state_scheduled(&model, landscape, &before, [1.0, 3.0], 0.5).unwrap();
    assert!((found.p_flat_two_state[0] - reached.final_p_flat()).abs() < 1e-12);
    // where runs between the valleys go when the noise is gone the density knows
    assert!((found.p_flat_density[0] - reached.final_p_flat()).abs() < 0.05);
    // nor does noise that is weak from the start move anything
    let text = "name = \"weak\"\n[landscape]\nmodel = \"two_valley\"\n[freezing_theory]\nnoise_strength = 1e-7\nstart_y = 1.0\nstart_p_flat = 0.25\n";
    let weak = FreezingTheoryResult::of(&run(text)).unwrap();
    assert_eq!((weak.p_flat[0], weak.mean_hops[0]), (0.25, 0.0));
    assert!(weak.p_flat_error[0] > 0.0 && weak.p_flat_error[0] < 1e-12);
}
