//! Result files of older format versions (the files in `tests/version_1` and `tests/version_2`, each of the last program that wrote it) are read as if they were
//! of this version.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::freezeout;
use freezeout::config::figures;
use freezeout::output::{self, Attribute, Dimension, Group, Record, ResultFile, read, write};
use freezeout::run;
use freezeout::task::Progress;
use std::path::{Path, PathBuf};

fn old(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Every record with what it is, without its values and its description, whose words may change.
fn structure(file: &ResultFile) -> Vec<String> {
    let of = |group: &Group, r: &Record| {
        // the densities along the path go on for longer than they did, in steps of their own
        let has_size = !group.name().contains("density_path");
        let dimension = |d: &Dimension| (d.name.clone(), has_size.then_some(d.size));
        let dimensions: Vec<_> = r.dimensions().iter().map(dimension).collect();
        let what = (dimensions, r.unit(), r.symbol(), r.missing());
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
    assert_eq!(version(&path), output::FORMAT_VERSION);
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
    assert!(version(&old("version_1/well.h5")) == 1 && version(&old("version_2/routes.h5")) == 2);
    let (file, again) = old_and_new("version_1/well.h5");
    for (path, digits) in [
        ("escape/escape_rate", 1e-9),
        ("escape/convergence/escape_rate_order", 1e-3),
        ("escape/integral/mean_first_passage_time", 1e-12),
        ("escape/simulation/mean_first_passage_time", 1e-12),
        // what the time step may leave is part of it now
        ("escape/simulation/mean_first_passage_time_standard_error", 0.2),
        ("escape/first_passage_law/survival", 1e-9),
        ("escape_path/exponent", 1e-9),
    ] {
        assert_same(&file, &again, path, digits);
    }
    // Negative control: without this a number of another record would pass.
    assert!(number(&file, "escape/escape_rate") != number(&file, "escape/spectral_gap"));

    let (file, again) = old_and_new("version_2/routes.h5");
    let is_regrouped = |group: &&Group| {
        let first = group.name().split('/').next().unwrap();
        ["final_probability", "slices", "static_odds"].contains(&first)
    };
    let numbers = again.groups().iter().filter(is_regrouped).flat_map(|group| {
        let numbers = group.records().iter().filter(|record| record.numbers().is_some());
        numbers.map(|record| format!("{}/{}", group.name(), record.name()))
    });
    let numbers: Vec<String> = numbers.collect();
    // 28 + 21 + 27 records, two of them notes, with the coordinates of eight groups
    assert!(numbers.len() > 75, "{}", numbers.len());
    for path in &numbers {
        // densities and maps run until 1e-8 hops are to come now, not 1e-4, and the error is all of the difference of two grids
        let goes_on = path.starts_with("final_probability/") && !path.contains("/two_state/");
        let is_error = path.ends_with("_error") || path.ends_with("defect");
        if goes_on && (is_error || path.ends_with("end_y")) {
            continue;
        }
        let digits = match (is_error, goes_on) {
            // errors are differences of numbers, of which rounding may differ between processors
            (true, _) => 0.5,
            (false, true) => 1e-3,
            (false, false) => 1e-9,
        };
        assert_same(&file, &again, path, digits);
    }
    // A record that stood in the large group stands there no longer; what two routes call by the same name are two numbers.
    assert!(file.record("slices/p_flat_grid").is_err());
    assert!(
        number(&file, "final_probability/density/p_flat")
            != number(&file, "final_probability/transfer/p_flat")
    );
}

/// An old file, and a new run of its configuration with the same records.
fn old_and_new(name: &str) -> (ResultFile, ResultFile) {
    let file = read(old(name)).unwrap();
    assert_eq!(rewritten(&file), file);
    let Attribute::Text(config) = &file.attributes()["config"] else {
        panic!("no text");
    };
    let parsed = run::parse(config).unwrap();
    let again = run::Job::new(&parsed, config).unwrap();
    let again = again.run(None, &Progress::silent()).unwrap();
    let (one, other) = (structure(&file), structure(&again));
    for (a, b) in one.iter().zip(&other) {
        assert_eq!(a, b);
    }
    assert_eq!(one.len(), other.len());
    (file, again)
}

fn assert_same(file: &ResultFile, again: &ResultFile, path: &str, digits: f64) {
    let (a, b) = (number(file, path), number(again, path));
    assert!((a - b).abs() <= digits * b.abs(), "{path}: {a} and {b}");
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
    let (well, first, second) = (
        path("version_1/well.h5"),
        path("version_1/plane_1.h5"),
        path("version_1/plane_2.h5"),
    );
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

    // Groups that some cells lack.
    let (first, second) = (path("version_2/slices_1.h5"), path("version_2/slices_2.h5"));
    done(&["merge", &first, &second, "-o", "slices.h5"]);
    let merged = read(folder.path().join("slices.h5")).unwrap();
    assert_eq!(rewritten(&merged), merged);
    let times = merged
        .record("slices/langevin/sharp_to_flat")
        .unwrap()
        .numbers()
        .unwrap();
    assert!(
        times.len() == 2 && times[0].is_nan() && times[1] > 0.4,
        "{times:?}"
    );
    let shown = done(&["show", "slices.h5"]);
    assert!(shown.contains("spectral_gap_grid"), "{shown}");
    let routes = path("version_2/routes.h5");
    assert!(done(&["show", &routes]).contains("8 of 8 comparisons agree"));
    let drawn = done(&["figures", &routes, "-o", "routes", "--format", "svg"]);
    for name in ["final_probability", "static_odds", "rounded_ridge"] {
        assert!(drawn.contains(&format!("{name}.svg")), "{drawn}");
    }
}
