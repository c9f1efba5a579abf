//! Sweeps: stacking, resuming, refusing.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SWEEP: &str = r#"
name = "sweep"

[phase_diagram]
learning_rate = [0.05]
sigma = [0.02, 0.05]
runs = 20
steps = 500

[[sweep]]
parameter = "noise.power"
values = [1.0, 1.5, 2.0]

[[sweep]]
parameter = "phase_diagram.start_y"
values = { from = 1.0, to = 4.0, points = 2 }
"#;

fn run(folder: &Path, config: &str, arguments: &[&str]) -> Output {
    fs::write(folder.join("c.toml"), config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_freezeout"))
        .args(["run", "c.toml", "--quiet", "-o", "out.h5"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn refused(output: &Output, wanted: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    for part in wanted {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
}

#[test]
fn records_are_stacked_along_the_swept_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), SWEEP, &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
    let p = file.record("phase_diagram/p_flat").unwrap();
    assert_eq!(p.shape(), [3, 2, 1, 2]);
    assert_eq!(p.dimensions()[0].name, "swept_noise_power");
    let starts = file
        .record("phase_diagram/swept_phase_diagram_start_y")
        .unwrap()
        .numbers()
        .unwrap();
    assert_eq!(starts, [1.0, 4.0]);
    assert!(!folder.path().join("out.h5.unfinished").exists());
}

#[test]
fn a_stopped_sweep_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), SWEEP, &["--threads", "1"]).status.success());
    let whole = fs::read(folder.path().join("out.h5")).unwrap();
    // A sweep long enough to be stopped in the middle.
    let long = SWEEP
        .replace("runs = 20", "runs = 2000")
        .replace("steps = 500", "steps = 20000");
    fs::remove_file(folder.path().join("out.h5")).unwrap();
    fs::write(folder.path().join("c.toml"), &long).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_freezeout"))
        .args(["run", "c.toml", "--quiet", "-o", "out.h5", "--threads", "1"])
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let unfinished = folder.path().join("out.h5.unfinished");
    let has_cell = || {
        let names = fs::read_dir(&unfinished).into_iter().flatten();
        names
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with("cell_000000"))
    };
    while !has_cell() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(has_cell() && !folder.path().join("out.h5").exists());
    // Resumed, it gives the bytes of an unstopped run of the same configuration.
    assert!(run(folder.path(), &long, &["--threads", "2"]).status.success());
    let resumed = fs::read(folder.path().join("out.h5")).unwrap();
    assert!(run(folder.path(), &long, &[]).status.success());
    assert!(resumed == fs::read(folder.path().join("out.h5")).unwrap());
    assert!(
        resumed != whole,
        "the control: another configuration gives other bytes"
    );
}

#[test]
fn bad_sweeps_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &[&str]); 9] = [
        (
            "\"noise.power\"\nvalues = [1.0, 1.5, 2.0]",
            "\"phase_diagram.sigma.points\"\nvalues = [2, 3]",
            &["phase_diagram.sigma.points", "cannot be stacked"],
        ),
        (
            "\"noise.power\"\nvalues = [1.0, 1.5, 2.0]",
            "\"landscape.parameters.a\"\nvalues = [2, 3]",
            &["landscape.parameters.a", "no formula uses"],
        ),
        (
            "\"noise.power\"",
            "\"noise.pwoer\"",
            &["noise.pwoer", "\"power\"", "floor"],
        ),
        ("\"noise.power\"", "\"name.power\"", &["name", "not a section"]),
        ("\"noise.power\"", "\"surface.x\"", &["surface.x", "no section"]),
        (
            "points = 2",
            "points = 1000000000000",
            &["sweep.values", "points"],
        ),
        ("[1.0, 1.5, 2.0]", "[]", &["sweep.values"]),
        ("[1.0, 1.5, 2.0]", "[1.0, \"two\"]", &["one kind"]),
        ("[1.0, 1.5, 2.0]", "[1.0, -1.0]", &["noise.power", "-1"]),
    ];
    for (from, to, wanted) in cases {
        refused(&run(folder.path(), &SWEEP.replace(from, to), &[]), wanted);
        assert!(!folder.path().join("out.h5").exists() && !folder.path().join("out.h5.unfinished").exists());
    }
}

#[test]
fn swept_coordinates_and_absent_records_are_stacked() {
    let folder = tempfile::tempdir().unwrap();
    // The swept key is a coordinate of its own task; the paper's formulas exist for p = 1 only.
    let config = r#"
name = "s"
[phase_diagram]
learning_rate = 0.05
sigma = 0.02
runs = 10
steps = 100
[freezing_theory]
noise_strength = 1e-3
nodes = 8
end_y = 50.0
[[sweep]]
parameter = "phase_diagram.sigma"
values = [0.02, 0.05]
[[sweep]]
parameter = "noise.power"
values = [2.0, 1.0]
"#;
    let output = run(folder.path(), config, &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
    assert_eq!(file.record("phase_diagram/p_flat").unwrap().shape(), [2, 2, 1, 1]);
    assert_eq!(
        file.record("phase_diagram/sigma").unwrap().numbers().unwrap(),
        [0.02, 0.02, 0.05, 0.05]
    );
    let paper = file
        .record("freezing_theory/paper_p_flat")
        .unwrap()
        .numbers()
        .unwrap();
    assert!(paper[0].is_nan() && paper[1].is_finite());
}
