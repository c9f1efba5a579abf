//! `[rare_events]`: mean first-passage times by splitting, against exact integrals, the transfer operator and a spectral method.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run, with_target};
use freezeout::judgement::agreement::{comparisons, not_compared};
use freezeout::output::{Records, ResultFile};
use freezeout::questions::stable_exit::StableExitResult;

/// The quartic double well of barrier 1/4, from its left minimum.
fn wells(noise_strength: &str, target: f64, more: &str) -> String {
    format!(
        r#"
name = "wells"
seed = 11
landscape.model = "double_well"
noise = {{ model = "isotropic", strength = 1.0 }}
[rare_events]
start = {{ ball = {{ centre = [-1.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0], offset = {target:?} }} }}
noise_strength = {noise_strength}
{more}
"#
    )
}

/// Mean time and error at each noise strength.
fn times(file: &ResultFile) -> Vec<(f64, f64)> {
    let column = |name: &str| {
        let path = format!("rare_events/mean_first_passage_time{name}");
        file.record(&path).unwrap().numbers().unwrap()
    };
    let errors = column("_standard_error")
        .into_iter()
        .zip(column("_time_step_error"));
    let errors = errors.map(|(sampling, step)| sampling.hypot(step));
    column("").into_iter().zip(errors).collect()
}

/// Four standard errors, which one number in 16 000 exceeds by chance, and an error small enough to tell.
fn assert_near(found: &[(f64, f64)], exact: &[f64], precision: f64) {
    assert_eq!(found.len(), exact.len());
    for ((value, error), exact) in found.iter().zip(exact) {
        assert!(
            (value - exact).abs() < 4.0 * error,
            "{value} ± {error}, exact {exact}"
        );
        assert!(*error < precision * exact, "{value} ± {error}");
    }
}

#[test]
fn langevin_times_of_a_barrier_up_to_25_noise_units_are_exact() {
    let more = "time_step = 0.04\nreplicas = 60\nrepetitions = 200";
    let file = run(&wells("[0.1, 0.025, 0.01]", 1.0, more));
    let exact = [66.2686263649, 102_108.365457, 324_957_543_147.0];
    assert_near(&times(&file), &exact, 0.15);
}

/// The edge of this target lies on the barrier: crossings between steps count.
#[test]
fn langevin_times_to_the_top_of_the_barrier_are_exact_and_those_of_the_map_are_not() {
    let exact = [30.8213024727, 361.903759501];
    let more = "time_step = 0.04\nreplicas = 60\nrepetitions = 200";
    assert_near(&times(&run(&wells("[0.1, 0.05]", 0.0, more))), &exact, 0.05);
    // Negative control: the steps of SGD see no crossing in between.
    let more = "method = \"sgd\"\nreplicas = 60\nrepetitions = 200\n[sgd]\nlearning_rate = 0.04";
    for ((value, error), exact) in times(&run(&wells("[0.1, 0.05]", 0.0, more))).iter().zip(exact) {
        assert!(
            (value - exact).abs() > 4.0 * error,
            "{value} ± {error}, limit {exact}"
        );
    }
}

#[test]
fn sgd_has_the_times_of_its_transfer_operator_at_a_finite_learning_rate() {
    let text = wells(
        "[0.05]",
        0.0,
        "method = \"sgd\"\nreplicas = 60\nrepetitions = 300",
    );
    let text = format!(
        "{text}
[sgd]
learning_rate = 0.2
batch_size = 2.0
[region]
domain = [[-3.0, 3.0]]
[transfer_operator]
start = {{ ball = {{ centre = [-1.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0], offset = 0.0 }} }}
"
    );
    let file = run(&text);
    let exact = file
        .record("transfer_operator/mean_first_passage_time")
        .unwrap()
        .numbers()
        .unwrap();
    let found = times(&file);
    assert_near(&found, &exact, 0.05);
    // Negative control: its limit of small steps is another number.
    let (value, error) = found[0];
    assert!((value - 361.903759501).abs() > 4.0 * error);
}

/// Variables that do not matter do not change the time, nor do the reaction coordinate and the place where loops begin.
#[test]
fn further_variables_reaction_coordinates_and_departures_change_nothing() {
    let protocol = "time_step = 0.08\nreplicas = 40\nrepetitions = 60";
    let text = wells("[0.05]", 1.0, protocol)
        .replace(
            "model = \"double_well\"",
            "loss = \"(x^2 - 1)^2/4 + u^2 + v^2/2\"\nlandscape.variables = [\"x\", \"u\", \"v\"]",
        )
        .replace("centre = [-1.0]", "centre = [-1.0, 0.0, 0.0]")
        .replace("normal = [1.0]", "normal = [1.0, 0.0, 0.0]");
    assert_near(&times(&run(&text)), &[729.670691942], 0.15);
    let skew = format!("{protocol}\ndeparture = -0.4\nreaction_coordinate = \"x + 0.2*u\"");
    assert_near(
        &times(&run(&text.replace(protocol, &skew))),
        &[729.670691942],
        0.15,
    );
}

/// Ornstein-Uhlenbeck process without detailed balance and with a full tensor; the known value is that of a spectral method.
#[test]
fn a_drift_that_is_no_gradient_and_a_full_tensor() {
    let text = r#"
name = "turning"
landscape.drift = ["-x + 0.7*y", "-0.4*x - 2*y"]
noise = { tensor = [[0.3, 0.1], [0.1, 0.2]] }
[rare_events]
start = { ball = { centre = [1.0, 0.5], radius = 0.0 } }
target = { expression = "x > 2" }
time_step = 0.04
replicas = 60
repetitions = 200
"#;
    assert_near(&times(&run(text)), &[351.7111], 0.05);
}

#[test]
fn a_repetition_does_not_depend_on_threads_or_on_how_many_there_are() {
    let text = wells("[0.1]", 1.0, "time_step = 0.1\nreplicas = 10\nrepetitions = 8");
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| times(&run(&text)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn what_it_is_not_made_for_is_refused() {
    let text = wells("[0.1]", 1.0, "time_step = 0.04");
    for (from, to, wanted) in [
        ("time_step = 0.04", "", "rare_events.time_step"),
        ("time_step = 0.04", "time_step = 2.0", "rare_events.time_step"),
        ("time_step = 0.04", "method = \"sgd\"", "sgd.learning_rate"),
        (
            "time_step = 0.04",
            "time_step = 0.04\nreplicas = 1",
            "rare_events.replicas",
        ),
        (
            "time_step = 0.04",
            "time_step = 0.04\ndeparture = -3.0",
            "rare_events.departure",
        ),
        (
            "time_step = 0.04",
            "time_step = 0.04\nreaction_coordinate = \"x + q\"",
            "rare_events.reaction_coordinate",
        ),
        (
            "half_space = { normal = [1.0], offset = 1.0 }",
            "basin = { of = [1.0] }",
            "rare_events.target",
        ),
        ("offset = 1.0", "offset = -2.0", "rare_events.target"),
        ("radius = 0.0", "radius = 0.1", "rare_events.start"),
        (
            "noise_strength = [0.1]",
            "noise_strength = [-0.1]",
            "rare_events.noise_strength",
        ),
        (
            "strength = 1.0 }",
            "strength = 1.0, calculus = \"stratonovich\" }",
            "noise.calculus",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let message = refused(&text.replace(from, to));
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
}

/// SGD with momentum by splitting, in the time sqrt(η) a step, has the time of phase space as η falls; both stand in one figure and in one row.
#[test]
fn momentum_is_motion_with_inertia_for_small_steps() {
    let file = |rate: f64, momentum: f64| {
        // the same friction 1 and temperature 1/12: D = (1 − β)/12 = η/2B
        let batch = 6.0 * rate / (1.0 - momentum);
        let ends = "start = { ball = { centre = [-1.0], radius = 0.0 } }\ntarget = { half_space = { normal = [1.0], offset = 1.0 } }\n";
        run(&format!(
            "name = \"inertia\"\nlandscape.loss = \"(x^2 - 1)^2/4\"\nnoise = {{ model = \"isotropic\", strength = 1.0 }}\nsgd = {{ learning_rate = {rate}, batch_size = {batch} }}\nregion.domain = [[-2.3, 2.3]]\n[phase_space]\n{ends}momentum = [{momentum}]\ncolumns = 40\nlevels = 8\n[rare_events]\n{ends}method = \"sgd\"\nmomentum = {momentum}\nreplicas = 60\nrepetitions = 100\n"
        ))
    };
    let found = file(0.0025, 0.95);
    let rows = comparisons(&found).unwrap();
    let row = rows.iter().find(|row| row.route.contains("momentum")).unwrap();
    let (simulated, grid) = (row.value, row.reference);
    // 163.2 ± 4.0 on finer grids
    let error = simulated.standard_error.hypot(grid.standard_error);
    assert!(
        (simulated.value - grid.value).abs() < 4.0 * error && error < 0.15 * grid.value,
        "{simulated} {grid}"
    );
    assert_eq!(row.at, "β = 0.95");
    // Negative control: in the time η a step it would be twenty times less.
    assert!((0.05 * simulated.value - grid.value).abs() > 10.0 * error);
    let figure = freezeout::questions::phase_space::figure(&found).unwrap();
    assert_eq!(figure.panels[0].layers.len(), 3);
    // Negative control: to another target it is another number, in the table as in the figure.
    let other = with_target(
        &found,
        "rare_events",
        "{ half_space = { normal = [1.0], offset = 0.5 } }",
    );
    assert!(comparisons(&other).unwrap().is_empty() && not_compared(&other).len() == 1);
    let figure = freezeout::questions::phase_space::figure(&other).unwrap();
    assert_eq!(figure.panels[0].layers.len(), 2);
}

fn stable_exit(keys: &str) -> String {
    format!(
        "name = \"stable\"\nlandscape.loss = \"x^2/2\"\n[stable_exit]\nstart = 0.0\nstrength = [0.5]\ntime_step = 0.01\nruns = 4000\n{keys}"
    )
}

/// Gaussian noise has the integral, other noise another time; what is out of range is refused by its key.
#[test]
fn exits_under_stable_noise_are_held_against_what_is_known() {
    let file = run(&stable_exit("interval = [-1.0, 2.0]\nstability = [1.5, 2.0]\n"));
    let result = StableExitResult::of(&file).unwrap();
    let errors = result.errors();
    let exact = result.mean_exit_time_exact[1];
    assert!(result.mean_exit_time_exact[0].is_nan() && exact.is_finite());
    let z = |k: usize| (result.mean_exit_time.value[k] - exact) / errors[k];
    assert!(z(1).abs() < 4.0, "{}", z(1));
    // control: noise that jumps leaves sooner or later than that
    assert!(z(0).abs() > 5.0, "{}", z(0));
    assert!(result.mean_exit_time_small_noise[1].is_nan());
    for (keys, key) in [
        (
            "interval = [2.0, -1.0]\nstability = [1.5]",
            "stable_exit.interval",
        ),
        ("interval = [1.0, 2.0]\nstability = [1.5]", "stable_exit.start"),
        (
            "interval = [-1.0, 2.0]\nstability = [2.5]",
            "stable_exit.stability",
        ),
    ] {
        let message = refused(&stable_exit(keys));
        assert!(message.contains(key), "{message}");
    }
}
