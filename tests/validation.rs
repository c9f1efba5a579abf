//! The validation cases, run through the library, and proof that a check can fail.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::judgement::validation::{CheckOutcome, validation_report};
use freezeout::run::validate;
use freezeout::{Error, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/validation"))
}

/// Words of a text with every number replaced: what two reports of the same checks have in common.
fn without_digits(text: &str) -> Vec<String> {
    let word = |w: &str| {
        if w.parse::<f64>().is_ok() {
            "#".into()
        } else {
            w.to_string()
        }
    };
    text.split_whitespace().map(word).collect()
}

#[test]
fn every_case_meets_its_known_values_and_the_report_is_theirs() {
    let mut seen = 0;
    let outcomes = validate(folder(), &mut |_| seen += 1).unwrap();
    assert_eq!(seen, outcomes.len());
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|o| !o.passes())
        .map(CheckOutcome::line)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // every folder gave checks
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(outcomes.iter().any(|o| o.case == name), "{name}");
        }
    }
    // an error that covers everything says nothing: all but the rates on balls made of cells are below a thousandth, and those of the grid of phase
    // space, which is of first order, below a twentieth
    for outcome in outcomes
        .iter()
        .filter(|o| o.reference != 0.0 && o.case != "07-mueller-brown")
    {
        if outcome.is_sampled {
            // tolerances are four standard errors as they are expected
            let stated = outcome.error.unwrap();
            assert!(
                stated > 0.5 * outcome.tolerance && stated < 2.0 * outcome.tolerance,
                "{}",
                outcome.line()
            );
            continue;
        }
        let largest = match outcome.case.as_str() {
            "17-inertia" => 0.05,
            // the error is that of a formula for small noise, 1/exponent, and of a path in pieces
            "20-bent-instantons" => 0.18,
            "21-focus" => 5e-3,
            // of formulas for small noise, the terms of their first correction and of the next
            "24-least-squares" => 0.3,
            "25-quartic-saddle" => 0.15,
            "26-cusp" => 0.05,
            // y moves far in few steps: kernels are kept for a while
            "18-noise-laws" => 2e-3,
            _ => 1e-3,
        };
        assert!(
            outcome
                .error
                .is_none_or(|e| e <= largest * outcome.reference.abs()),
            "{}",
            outcome.line()
        );
    }
    let written = fs::read_to_string(folder().join("REPORT.md")).unwrap();
    let scan = fs::read_to_string(folder().join("scan.md")).unwrap();
    assert!(
        without_digits(&written) == without_digits(&validation_report(&outcomes, Some(&scan))),
        "validation/REPORT.md is not of these cases: run make validate"
    );
}

#[test]
fn tests_that_the_readme_names_exist() {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    let mut named = 0;
    for name in text.split('`').filter(|part| part.contains(".rs::")) {
        let (file, function) = name.split_once("::").unwrap();
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(
            source.contains(&format!("#[test]\nfn {function}("))
                || source.contains(&format!("#[test]\n    fn {function}(")),
            "{name}"
        );
        named += 1;
    }
    assert!(named > 10, "{named}");
}

/// Brownian exit from the middle of (−1, 1): mean 1, in a fraction of a second.
const CASE: &str = r#"
name = "negative_control"

landscape.drift = ["0"]
noise = { model = "isotropic", strength = 0.5 }
region.domain = [[-1.0, 1.0]]
region.boundaries = [["absorbing", "absorbing"]]
[escape]
cells = [40]
start = { ball = { centre = [0.0], radius = 0.0 } }

[[check]]
record = "escape/mean_first_passage_time"
value = 1.0
tolerance = 1e-6
reason = "second order"
source = "exact"
"#;

fn validate_text(text: &str) -> Result<Vec<CheckOutcome>> {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("01-control");
    fs::create_dir(&case).unwrap();
    fs::write(case.join("README.md"), "# Control\n").unwrap();
    fs::write(case.join("case.toml"), text).unwrap();
    validate(folder.path(), &mut |_| ())
}

#[test]
fn wrong_references_fail() {
    let outcome = |text: &str| validate_text(text).unwrap().remove(0);
    let right = outcome(CASE);
    assert!(
        right.passes() && right.error.is_some() && right.title == "Control",
        "{right:?}"
    );
    // 1e-4 off: beyond the tolerance, and no error of the grid reaches there
    let wrong = outcome(&CASE.replace("value = 1.0", "value = 1.0001"));
    assert!(
        !wrong.is_close() && !wrong.is_covered() && !wrong.passes(),
        "{wrong:?}"
    );
    // a loose tolerance does not help: the stated error does not cover it
    let loose = CASE
        .replace("value = 1.0", "value = 1.0001")
        .replace("1e-6", "1e-2");
    let wrong = outcome(&loose);
    assert!(
        wrong.is_close() && !wrong.is_covered() && !wrong.passes(),
        "{wrong:?}"
    );
    assert!(validation_report(&[wrong], None).contains("FAIL: not covered"));
    assert!(outcome(&loose.replace("tolerance", "uncertainty = 1e-3\ntolerance")).passes());
    assert!(outcome(&format!("{loose}uncovered = \"a control\"\n")).passes());
    // nor does the tolerance of the deviation hide behind a large reference uncertainty
    let strict = CASE.replace("value = 1.0", "value = 1.0001\nuncertainty = 1.0");
    assert!(!outcome(&strict).passes());
    let absolute = CASE.replace("tolerance = 1e-6", "tolerance_absolute = 1e-6");
    assert!(outcome(&absolute).passes());
}

#[test]
fn incomplete_checks_are_refused() {
    for (from, to, wanted) in [
        ("reason = \"second order\"\n", "", "reason"),
        ("reason = \"second order\"", "reason = \" \"", "reason"),
        ("source = \"exact\"\n", "", "source"),
        ("tolerance = 1e-6\n", "", "tolerance"),
        (
            "tolerance = 1e-6",
            "tolerance = 1e-6\ntolerance_absolute = 1e-6",
            "tolerance",
        ),
        ("tolerance = 1e-6", "tolerence = 1e-6", "tolerence"),
        ("_passage_time\"", "_passage_tim\"", "mean_first_passage_tim"),
        ("value = 1.0", "value = 1.0\nindex = [0]", "index"),
        (
            "mean_first_passage_time\"",
            "fields/mean_first_passage_time_field\"\nindex = [160]",
            "index",
        ),
        ("cells = [40]", "cels = [40]", "cels"),
    ] {
        assert!(CASE.contains(from), "{from}");
        let error = validate_text(&CASE.replace(from, to)).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("01-control") && message.contains(wanted),
            "{to:?}: {message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let without = &CASE[..CASE.find("[[check]]").unwrap()];
    assert!(
        validate_text(without)
            .unwrap_err()
            .to_string()
            .contains("[[check]]")
    );
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        validate(empty.path(), &mut |_| ()),
        Err(Error::Input { .. })
    ));
    fs::create_dir(empty.path().join("01-nothing")).unwrap();
    assert!(matches!(
        validate(empty.path(), &mut |_| ()),
        Err(Error::Input { .. })
    ));
}

#[test]
fn the_command_prints_a_line_a_check_and_tells_by_its_exit_code() {
    for (value, code, verdict) in [("1.0", 0, "pass"), ("1.1", 1, "FAIL")] {
        let folder = tempfile::tempdir().unwrap();
        let case = folder.path().join("cases/01-control");
        fs::create_dir_all(&case).unwrap();
        fs::write(case.join("README.md"), "# Control\n").unwrap();
        fs::write(
            case.join("case.toml"),
            CASE.replace("value = 1.0", &format!("value = {value}")),
        )
        .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_freezeout"))
            .args(["validate", "cases", "--report", "report.md"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert_eq!(output.status.code(), Some(code), "{out}{err}");
        assert!(out.lines().next().unwrap().contains(verdict), "{out}");
        assert_eq!(
            err.contains("1 of 1 validation checks failed"),
            code == 1,
            "{err}"
        );
        assert!(
            fs::read_to_string(folder.path().join("report.md"))
                .unwrap()
                .contains(verdict)
        );
        assert!(!folder.path().join("cases/REPORT.md").exists());
    }
}
