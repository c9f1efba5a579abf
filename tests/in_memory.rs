//! A problem in TOML needs no file and no HDF5: the feature `config` alone runs it.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used)]

use freezeout::run;
use freezeout::task::Progress;

const DOUBLE_WELL: &str = include_str!("../paper/experiments/double_well.toml");

#[test]
fn a_double_well_is_solved_in_memory() {
    let config = run::parse(DOUBLE_WELL).unwrap();
    let job = run::Job::new(&config, DOUBLE_WELL).unwrap();
    let result = job.run(None, &Progress::silent()).unwrap();
    let number = |name: &str| result.record(name).unwrap().numbers().unwrap()[0];
    let time = number("escape/mean_first_passage_time");
    let error = number("escape/mean_first_passage_time_error");
    // Scale function and speed measure to 12 digits: validation/01.
    assert!(
        error < 1e-8 && (time - 66.268_626_364_86).abs() <= error + 5e-12,
        "{time} ± {error:e}"
    );
}

/// Without HDF5 a table is refused before anything runs, and the message says what is missing.
#[cfg(not(feature = "files"))]
#[test]
fn a_table_needs_the_feature_files() {
    let text = DOUBLE_WELL.replace(
        "loss = \"barrier*(x^2 - 1)^2\"\nparameters = { barrier = 0.25 }",
        "table = { file = \"loss.h5\", loss = \"loss\", axes = [\"x\"] }",
    );
    let message = run::parse(&text)
        .and_then(|config| run::Job::new(&config, &text).map(|_| ()))
        .unwrap_err()
        .to_string();
    assert!(message.contains("this build has no HDF5"), "{message}");
}
