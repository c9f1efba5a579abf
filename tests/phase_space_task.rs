//! `[phase_space]`: friction and momentum say the same, against Kramers' turnover, and what is refused.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::output::ResultFile;

const WELLS: &str = r#"
name = "inertia"
landscape.loss = "(x^2 - 1)^2/4"
noise = { model = "isotropic", strength = 1.0 }
sgd.noise_strength = 0.03125
region.domain = [[-1.75, 1.75]]
[phase_space]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 1.0 } }
friction = [0.1, 1.0]
columns = 40
levels = 8
"#;

fn numbers(file: &ResultFile, name: &str) -> Vec<f64> {
    let record = file.record(&format!("phase_space/{name}")).unwrap();
    record.numbers().unwrap().to_vec()
}

/// The first correction of Kramers' law is 3T/2 of this quartic at strong friction, .047, and of the same order at weak friction.
#[test]
fn times_turn_over_as_kramers_says_and_momentum_is_friction() {
    let file = run(WELLS);
    let time = numbers(&file, "mean_first_passage_time");
    let error = numbers(&file, "mean_first_passage_time_error");
    let turnover = numbers(&file, "turnover_time");
    for n in 0..2 {
        let corrected = turnover[n] * (1.0 + 1.5 / 32.0);
        let off = (time[n] / corrected - 1.0).abs();
        assert!(off < 0.05 + error[n] / time[n], "{time:?} {error:?} {turnover:?}");
    }
    // Negative control: transition-state theory has no turnover.
    assert!(
        turnover[0] / (std::f64::consts::PI * 2f64.sqrt() * 8f64.exp()) > 1.1,
        "{turnover:?}"
    );
    assert!(numbers(&file, "cut_probability").iter().all(|cut| *cut < 1e-6));
    // the same friction and temperature: η = 1e-4, β = 1 − γ sqrt(η), Δ = T (1 − β)
    let text = WELLS
        .replace(
            "sgd.noise_strength = 0.03125",
            "sgd = { learning_rate = 1e-4, batch_size = 0.16 }",
        )
        .replace("friction = [0.1, 1.0]", "momentum = [0.99]");
    let momentum = run(&text);
    assert!((numbers(&momentum, "friction")[0] - 1.0).abs() < 1e-12);
    assert!((numbers(&momentum, "temperature")[0] * 32.0 - 1.0).abs() < 1e-12);
    assert!((numbers(&momentum, "mean_first_passage_time")[0] / time[1] - 1.0).abs() < 1e-9);
    assert_eq!(numbers(&momentum, "step_time"), [0.01]);
}

#[test]
fn what_it_is_not_made_for_is_refused() {
    for (from, to, wanted) in [
        ("friction = [0.1, 1.0]", "", "phase_space.friction"),
        (
            "friction = [0.1, 1.0]",
            "friction = [0.0]",
            "phase_space.friction",
        ),
        ("friction = [0.1, 1.0]", "friction = [1e-300]", "at least 1e-100"),
        ("friction = [0.1, 1.0]", "momentum = [0.9]", "sgd.learning_rate"),
        (
            "friction = [0.1, 1.0]",
            "friction = 1.0\nmomentum = [0.9]",
            "phase_space.friction",
        ),
        ("columns = 40", "columns = 4", "phase_space.columns"),
        ("levels = 8", "levels = 1", "phase_space.levels"),
        ("levels = 8", "level = 8", "levels"),
        ("radius = 0.0", "radius = 0.1", "phase_space.start"),
        ("centre = [-1.0]", "centre = [-9.0]", "phase_space.start"),
        ("offset = 1.0", "offset = -2.0", "phase_space.target"),
        ("offset = 1.0", "offset = 5.0", "phase_space.target"),
        ("region.domain = [[-1.75, 1.75]]", "", "region"),
        (
            "landscape.loss = \"(x^2 - 1)^2/4\"",
            "landscape.drift = [\"x - x^3\"]",
            "drift",
        ),
    ] {
        assert!(WELLS.contains(from), "{from}");
        let message = refused(&WELLS.replace(from, to));
        assert!(
            message.contains(wanted) && !message.contains('\n'),
            "{to}: {message}"
        );
    }
}
