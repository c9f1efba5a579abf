//! `[transfer_operator]`: SGD at its own learning rate, against simulated SGD and against its limit of small steps.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run, with_target};
use freezeout::judgement::agreement::{Comparison, comparisons, not_compared};
use freezeout::output::ResultFile;

fn problem(learning_rate: f64) -> String {
    format!(
        r#"
name = "wells"
seed = 3
landscape.loss = "(x^2 - 1)^2/4"
noise = {{ model = "isotropic", strength = 2.0 }}
sgd = {{ learning_rate = {learning_rate:?}, batch_size = {batch:?} }}
region.domain = [[-3.0, 3.0]]
[transfer_operator]
start = {{ ball = {{ centre = [-1.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0], offset = 1.0 }} }}
[escape]
cells = [300]
start = {{ ball = {{ centre = [-1.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0], offset = 1.0 }} }}
[escape.simulation]
method = "sgd"
runs = 4000
"#,
        batch = 10.0 * learning_rate, // Δ = η/2B = 0.05, D = 0.1 at every learning rate
    )
}

fn number(file: &ResultFile, path: &str) -> f64 {
    file.record(path).unwrap().numbers().unwrap()[0]
}

#[test]
fn simulated_sgd_has_the_law_of_the_operator_and_not_of_the_limit() {
    let file = run(&problem(0.2));
    let simulated = number(&file, "escape/simulation/mean_first_passage_time");
    let spread = number(&file, "escape/simulation/mean_first_passage_time_standard_error");
    let z = |path: &str| (simulated - number(&file, path)) / spread;
    assert!(z("transfer_operator/mean_first_passage_time").abs() < 4.0);
    // Negative control: at this learning rate the limit of small steps is another number.
    assert!(z("escape/mean_first_passage_time").abs() > 4.0);
}

/// Times are compared from the same start to the same target only.
#[test]
fn times_to_another_target_are_not_compared() {
    let text = problem(0.2).replace("runs = 4000", "runs = 1000");
    let splitting = "[rare_events]\nmethod = \"sgd\"\nreplicas = 50\nrepetitions = 50\nstart = { ball = { centre = [-1.0], radius = 0.0 } }\ntarget = { half_space = { normal = [1.0], offset = 1.0 } }\n";
    let text = text + splitting;
    let against_operator = |file: &ResultFile| -> Vec<Comparison> {
        let rows = comparisons(file).unwrap().into_iter();
        rows.filter(|row| row.against == "transfer operator").collect()
    };
    let same = run(&text);
    let rows = against_operator(&same);
    let routes: Vec<&str> = rows.iter().map(|row| row.route.as_str()).collect();
    assert_eq!(routes, ["discrete SGD", "splitting"]);
    assert!(rows.iter().all(Comparison::agrees), "{rows:?}");
    assert!(not_compared(&same).is_empty());
    // the first target is that of the operator
    let other = run(&text.replacen("offset = 1.0", "offset = 0.0", 1));
    assert!(against_operator(&other).is_empty());
    let said = not_compared(&other);
    assert!(
        said.len() == 2 && said[0].contains("[escape] and [transfer_operator]"),
        "{said:?}"
    );
    // Negative control: without the target in the file's words both would be called different.
    let unsaid = number(&same, "transfer_operator/mean_first_passage_time");
    let target = "{ half_space = { normal = [1.0], offset = 1.0 } }";
    let forged = against_operator(&with_target(&other, "transfer_operator", target));
    assert!(
        forged.len() == 2 && !forged.iter().any(Comparison::agrees),
        "{forged:?}"
    );
    assert!(forged.iter().all(|row| row.reference.value < unsaid));
}

/// The first correction to the limit is of order η for the gap of a smooth landscape.
#[test]
fn the_gap_tends_to_that_of_the_grid_like_the_learning_rate() {
    let excess = |learning_rate: f64| {
        let text = problem(learning_rate);
        let file = run(&text[..text.find("[escape.simulation]").unwrap()]);
        let error = number(&file, "transfer_operator/spectral_gap_error");
        let gap = number(&file, "transfer_operator/spectral_gap");
        assert!(error < 1e-8 * gap, "{error:e}");
        gap / number(&file, "escape/spectral_gap") - 1.0
    };
    let ratio = excess(0.02) / excess(0.01);
    assert!((1.9..2.2).contains(&ratio), "{ratio}");
}

#[test]
fn what_it_is_not_made_for_is_refused() {
    let text = problem(0.1);
    for (from, to, wanted) in [
        (
            "sgd = { learning_rate = 0.1, batch_size = 1.0 }",
            "sgd.noise_strength = 0.05",
            "sgd.learning_rate",
        ),
        (
            "centre = [-1.0], radius = 0.0",
            "centre = [-1.0], radius = 0.1",
            "transfer_operator.start",
        ),
        ("offset = 1.0", "offset = -2.0", "transfer_operator.target"),
        ("region.domain", "region.sublevel = 2.0\nregion.domain", "region"),
    ] {
        let at = text.find("[escape]").unwrap();
        assert!(text.contains(from), "{from}");
        let message = refused(&text[..at].replace(from, to));
        assert!(message.contains(wanted), "{message}");
    }
}
