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

/// Without names, a loss with y is of two variables, unless y is a parameter; what is not known is named.
#[test]
fn a_loss_tells_how_many_variables_it_has() {
    let dimension = |keys: &str| {
        let named = "loss = \"barrier*(x^2 - 1)^2\"\nparameters = { barrier = 0.25 }\nvariables = [\"x\"]";
        assert!(DOUBLE_WELL.contains(named));
        let text = DOUBLE_WELL.replace(named, keys);
        run::parse(&text).unwrap().landscape.dimension().unwrap()
    };
    assert_eq!(dimension("loss = \"(x^2 - 1)^2/4 + y^2/2\""), 2);
    assert_eq!(dimension("loss = \"(x^2 - 1)^2/y\"\nparameters = { y = 4.0 }"), 1);
    assert_eq!(dimension("loss = \"abs(x) + yy\""), 1);
    assert_eq!(dimension("loss = \"x*y\"\nvariables = [\"x\", \"y\", \"z\"]"), 3);
}

/// The numbers of a table may stand in the configuration itself.
#[test]
fn a_table_in_the_configuration_is_its_formula() {
    let x: Vec<f64> = (0..=400).map(|k| -2.5 + 0.0125 * f64::from(k)).collect();
    let loss: Vec<f64> = x.iter().map(|x| 0.25 * (x * x - 1.0).powi(2)).collect();
    let text = DOUBLE_WELL.replace(
        "loss = \"barrier*(x^2 - 1)^2\"\nparameters = { barrier = 0.25 }",
        &format!("table = {{ loss = {loss:?}, axes = [{x:?}] }}"),
    );
    let solved = |text: &str| {
        let config = run::parse(text)?;
        let result = run::Job::new(&config, text)?.run(None, &Progress::silent())?;
        let time = result.record("escape/mean_first_passage_time")?.numbers();
        Ok::<f64, freezeout::Error>(time.unwrap()[0])
    };
    // A cubic spline on steps of h is off by h^4/384 times the fourth derivative, 4e-10 here, over a noise of 0.1.
    assert!((solved(&text).unwrap() / 66.268_626_364_86 - 1.0).abs() < 2e-8);
    let says = |text: &str, wanted: &str| {
        let message = solved(text).unwrap_err().to_string();
        assert!(message.starts_with(wanted), "{message}");
    };
    says(
        &text.replace("axes = [[-2.5, ", "axes = [["),
        "landscape.table.loss: it has shape [401]",
    );
    says(
        &text.replace("table = { ", "table = { file = \"a.npz\", "),
        "landscape.table.file: cannot read a.npz: ",
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
