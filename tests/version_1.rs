//! Result files of format version 1 (the files in `tests/version_1`, of the last program that wrote it) are read as if they were of this version.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::freezeout;
use freezeout::output::{Attribute, Group, Record, ResultFile, read, write};
use freezeout::run;
use freezeout::task::{Progress, figures};
use std::path::{Path, PathBuf};

fn old(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/version_1")
        .join(name)
}

/// Every record with what it is, without its values and its description, whose words may change.
fn structure(file: &ResultFile) -> Vec<String> {
    let of = |group: &Group, r: &Record| {
        let what = (r.dimensions(), r.unit(), r.symbol(), r.missing());
        format!("{}/{} {what:?}", group.name(), r.name())
    };
    (file.groups().iter())
        .flat_map(|group| group.records().iter().map(|record| of(group, record)))
        .collect()
}

fn number(file: &ResultFile, path: &str) -> f64 {
    file.record(path).unwrap().numbers().unwrap()[0]
}

/// The same file written and read again, now of this version.
fn rewritten(file: &ResultFile) -> ResultFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.h5");
    write(&path, file).unwrap();
    assert!(version(&path) == 2 && version(&old("well.h5")) == 1);
    read(&path).unwrap()
}

fn version(path: &Path) -> i64 {
    let file = hdf5::File::open(path).unwrap();
    file.attr("format_version").unwrap().read_scalar().unwrap()
}

/// One test: a process that another begins meanwhile would inherit the lock of a file that is being written.
#[test]
fn old_files_are_read_as_if_they_were_new() {
    an_old_file_has_the_records_of_a_new_run();
    old_files_are_shown_drawn_and_merged();
}

fn an_old_file_has_the_records_of_a_new_run() {
    let file = read(old("well.h5")).unwrap();
    assert_eq!(rewritten(&file), file);
    let Attribute::Text(config) = &file.attributes()["config"] else {
        panic!("no text");
    };
    let parsed = run::parse(config).unwrap();
    let again = run::Job::new(&parsed, config).unwrap();
    let again = again.run(None, &Progress::silent()).unwrap();
    let (one, other) = (structure(&file), structure(&again));
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(&other) {
        assert_eq!(a, b);
    }
    for (path, digits) in [
        ("escape/escape_rate", 1e-9),
        ("escape/convergence/escape_rate_order", 1e-3),
        ("escape/integral/mean_first_passage_time", 1e-12),
        ("escape/simulation/mean_first_passage_time", 1e-12),
        ("escape/simulation/mean_first_passage_time_standard_error", 1e-12),
        ("escape/first_passage_law/survival", 1e-9),
        ("escape_path/exponent", 1e-9),
    ] {
        let (a, b) = (number(&file, path), number(&again, path));
        assert!((a - b).abs() <= digits * b.abs(), "{path}: {a} and {b}");
    }
    // Negative control: without this a number of another record would pass.
    assert!(number(&file, "escape/escape_rate") != number(&file, "escape/spectral_gap"));
}

fn old_files_are_shown_drawn_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| old(name).display().to_string();
    let done = |arguments: &[&str]| {
        let output = freezeout(folder.path(), arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {message}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (well, first, second) = (path("well.h5"), path("plane_1.h5"), path("plane_2.h5"));
    let shown = done(&["show", &well]);
    assert!(
        shown.contains("simulated_mean_first_passage_time") && shown.contains("/escape/simulation "),
        "{shown}"
    );
    assert!(done(&["show", &well, "escape/fields/loss"]).contains("loss at the cell centres"));
    let drawn = done(&["figures", &well, "-o", "figures", "--format", "pdf"]);
    assert!(drawn.contains("escape.pdf"), "{drawn}");
    done(&["merge", &first, &second, "-o", "plane.h5"]);
    let merged = read(folder.path().join("plane.h5")).unwrap();
    assert_eq!(merged.record("escape/escape_rate").unwrap().shape(), [2]);
    assert_eq!(
        merged.record("escape/fields/stationary_current").unwrap().shape(),
        [2, 48, 16, 2]
    );
    assert_eq!(rewritten(&merged), merged);
    assert!(
        figures::of_file(&merged)
            .unwrap()
            .iter()
            .all(|entry| entry.figure.is_ok())
    );
    assert!(done(&["show", "plane.h5"]).contains("escape_rate"));
    // A record that stood in the large group stands there no longer.
    assert!(merged.record("escape/stationary_current").is_err());
}
