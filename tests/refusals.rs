//! What is too large, unused, or written as elsewhere: refused before anything is allocated, with the key and the fix, or taken.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::freezeout_within;
use freezeout::freezing::floor_time;
use freezeout::landscape::TwoValley;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LINE: &str = r#"
name = "line"
[landscape]
loss = "barrier*(x^2 - 1)^2"
parameters = { barrier = 0.25 }
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.5, 2.5]]
[escape]
cells = [40]
slow_modes = 1
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
[escape.path]
to = [1.0]
points = 16
"#;

const VALLEYS: &str = r#"
name = "valleys"
[surface]
x = { from = -1.0, to = 1.0, points = 10 }
y = { from = 1.0, to = 2.0, points = 10 }
[phase_diagram]
learning_rate = 0.05
sigma = 0.05
runs = 20
steps = 20
[trajectories]
runs = 2
steps = 100000
record_every = 10
[effective_potential]
y = 5.0
cells = 50
domain = [-1.5, 1.8]
"#;

/// The program with an address space of 8 GB, which would not hold what is asked for.
fn freezeout(folder: &Path, arguments: &[&str]) -> Output {
    freezeout_within(8_000_000, folder, arguments)
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// Each of the commands refuses it with one line that contains `wanted`.
fn refused_by(commands: &[&[&str]], text: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), text).unwrap();
    for arguments in commands {
        let output = freezeout(folder.path(), arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}{text}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in wanted {
            assert!(said.contains(part), "{part} is missing in {said}");
        }
    }
}

const RUN: &[&str] = &["run", "c.toml", "--quiet", "-o", "out.h5"];

/// Checked and run, it is refused with one line that contains `wanted`.
fn refused(text: &str, wanted: &[&str]) {
    refused_by(&[&["check", "c.toml"], RUN], text, wanted);
}

/// Run, though not yet when it is checked, it is refused with one line that contains `wanted`.
fn refused_when_run(text: &str, wanted: &[&str]) {
    refused_by(&[RUN], text, wanted);
}

#[test]
fn sizes_are_judged_before_they_are_allocated() {
    let memory = "memory would be needed, at most";
    for (from, to, wanted) in [
        (
            "points = 16",
            "points = 8000000000000",
            &["escape.path.points", memory][..],
        ),
        (
            "points = 16",
            "points = 9223372036854775807",
            &["escape.path.points", memory],
        ),
        (
            "points = 16",
            "points = 18446744073709551615",
            &["escape.path.points", memory],
        ),
        ("slow_modes = 1", "slow_modes = 21", &["escape.slow_modes", "20"]),
        (
            "cells = [40]\nslow_modes = 1",
            "cells = [8]\nslow_modes = 20",
            &["escape.slow_modes", "8 cells"],
        ),
        (
            "[[-2.5, 2.5]]",
            "[[-1e308, 1e308]]",
            &["region.domain", "longer than 1e150"],
        ),
        (
            "[[-2.5, 2.5]]",
            "[[-2.5, 1e308]]",
            &["region.domain", "longer than 1e150"],
        ),
        ("cells = [40]", "cells = [9223372036854775807]", &["escape.cells"]),
    ] {
        refused(&changed(LINE, from, to), wanted);
    }
    let absorbing = "[[-2.5, 2.5]]\nboundaries = [[\"absorbing\", \"reflecting\"]]";
    let two_modes = changed(LINE, "slow_modes = 1", "slow_modes = 2");
    refused(
        &changed(&two_modes, "[[-2.5, 2.5]]", absorbing),
        &["escape.slow_modes", "an end absorbs"],
    );
    for (from, to, wanted) in [
        (
            "points = 10 }\ny = { from = 1.0, to = 2.0, points = 10 }",
            "points = 100000 }\ny = { from = 1.0, to = 2.0, points = 100000 }",
            &["surface.x", memory][..],
        ),
        (
            "sigma = 0.05\nruns = 20",
            "sigma = { from = 0.01, to = 0.1, points = 50 }\nruns = 10000000",
            &["phase_diagram.runs", memory],
        ),
        (
            "runs = 20",
            "runs = 400000000",
            &["phase_diagram.runs", "at most"],
        ),
        (
            "domain = [-1.5, 1.8]",
            "domain = [-1e308, 1e308]",
            &["effective_potential.domain"],
        ),
    ] {
        refused(&changed(VALLEYS, from, to), wanted);
    }
}

const SCHEDULES: &str = r#"
name = "schedules"
[landscape]
model = "two_valley"
[schedules]
before = 1e-3
after = 1e-4
change_y = [2.0]
shape = ["step"]
end_y = 6.0
learning_rate = 0.05
runs = 100
"#;

const FREEZING: &str = r#"
name = "freezing"
[landscape]
variables = ["x", "s"]
loss = "(x^2-1)^2*(0.1+s)+0.2*x*s-0.1*s"
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-3.0, 3.0], [0.0, 3.0]]
[freezing]
start = 0.1
end = 2.0
start_x = [1.0]
velocity = "0.003"
points = 21
"#;

#[test]
fn noise_without_valleys_and_endless_work_are_refused_at_once() {
    let memory = "memory would be needed, at most";
    for (from, to, wanted) in [
        (
            "before = 1e-3",
            "before = 1e300",
            &["schedules.before: 1e300 is not allowed", "noise temperatures"][..],
        ),
        ("before = 1e-3", "before = 1e9", &["schedules.before"]),
        (
            "before = 1e-3",
            "before = 0.3",
            &["schedules.before", "noise temperatures"],
        ),
        ("after = 1e-4", "after = 1e9", &["schedules.after"]),
        (
            "after = 1e-4",
            "after = 1e-300",
            &["schedules.after: 1e-300 is not allowed"],
        ),
        (
            "after = 1e-4",
            "after = -1e-300",
            &["schedules.after: -1e-300 is not allowed"],
        ),
        (
            "learning_rate = 0.05",
            "learning_rate = 1e-9",
            &["schedules.learning_rate", memory],
        ),
        (
            "learning_rate = 0.05",
            "learning_rate = 1e-300",
            &["schedules.learning_rate", memory],
        ),
        ("end_y = 6.0", "end_y = 1e6", &["schedules.end_y", memory]),
        ("end_y = 6.0", "end_y = 1e9", &["schedules.end_y", memory]),
        (
            "runs = 100",
            "runs = 100\nlangevin_time_step = 1e-9",
            &["schedules.langevin_time_step", memory],
        ),
        (
            "runs = 100",
            "runs = 100\nlangevin_time_step = 10.0",
            &["schedules.langevin_time_step", "time step"],
        ),
        (
            "learning_rate = 0.05",
            "learning_rate = 0.25",
            &[
                "schedules.learning_rate",
                "from step 0 of a schedule on, where each is 0.25",
            ],
        ),
        (
            "before = 1e-3\nafter = 1e-4\nchange_y = [2.0]",
            "before = 1e-4\nafter = 5e-4\nchange_y = [2.0]\nlever = \"learning_rate\"\nlangevin_time_step = 0.25",
            &["schedules.langevin_time_step", "from step 0"],
        ),
        (
            "shape = [\"step\"]",
            "shape = [\"step\"]\nlever = 3",
            &["schedules.lever", "batch_size, learning_rate"],
        ),
        (
            "[schedules]",
            "[schedule_design]\nstrongest = 1e9\n[schedules]",
            &["schedule_design.strongest"],
        ),
        (
            "[schedules]",
            "[schedule_design]\nlearning_rate = 1e-9\n[schedules]",
            &["schedule_design.learning_rate", memory],
        ),
        (
            "[schedules]",
            "[final_probability]\nnoise_strength = 1e9\n[schedules]",
            &["final_probability.noise_strength"],
        ),
    ] {
        refused(&changed(SCHEDULES, from, to), wanted);
    }
    // the learning rate grows at y = 2, after the time of the floor from 1 to 2 in steps of .05
    let grows = changed(
        SCHEDULES,
        "before = 1e-3\nafter = 1e-4",
        "before = 2e-4\nafter = 1e-3\nlever = \"learning_rate\"",
    );
    let floor = floor_time(&TwoValley::default(), 1.0, 2.0, 1.0).unwrap();
    refused(
        &changed(&grows, "learning_rate = 0.05", "learning_rate = 0.25"),
        &[
            "schedules.learning_rate",
            &format!(
                "from step {:.0} of a schedule on, where each is 0.25",
                floor / 0.05
            ),
        ],
    );
    for (from, to, wanted) in [
        (
            "points = 21",
            "langevin_time_step = 1e-300",
            &["freezing.langevin_time_step", "more than ten years"][..],
        ),
        ("start = 0.1", "start = -1.0", &["freezing.start: "]),
        (
            "start = 0.1\nend = 2.0",
            "start = 0.1\nend = 9.0",
            &["freezing.end: "],
        ),
        (
            "points = 21",
            "[freezing.design]\nvalley = 0.0\nweakest = 0.5\nstrongest = 1.0",
            &["freezing.design.valley", "on the ridge"],
        ),
    ] {
        refused(&changed(FREEZING, from, to), wanted);
    }
    refused(
        &changed(FREEZING, "points = 21", "points = 21\nlangevin_time_step = 1.0"),
        &["freezing.langevin_time_step", "must be below 2"],
    );
    refused_when_run(
        "name = \"far\"\n[freezing_line]\nsigma = [1e300]\nruns = 4\nsteps = 100\nrecords = 10\n",
        &["freezing_line", "a run of the ensemble diverges"],
    );
}

#[test]
fn steps_and_grids_that_cannot_hold_the_motion_are_refused() {
    let simulated = |step: f64| format!("{LINE}[escape.simulation]\nruns = 100\ntime_step = {step:?}\n");
    // the curvature is 2 at the start
    for step in [10.0, 1.01] {
        refused(&simulated(step), &["escape.simulation.time_step", "exceeds 2"]);
    }
    refused(
        &changed(LINE, "loss =", "kinks = [{ axis = 0, position = 9.0 }]\nloss ="),
        &["landscape.kinks", "outside region.domain"],
    );
    refused(
        &changed(LINE, "target = { expression = \"x > 1\" }", "target = 3"),
        &["escape.target", "ball, ellipse"],
    );
    let inertia = |keys: &str| {
        let escape = LINE.find("[escape]").unwrap();
        let sets =
            "start = { ball = { centre = [-1.0], radius = 0.0 } }\ntarget = { expression = \"x > 1\" }\n";
        format!("{}[phase_space]\n{sets}{keys}", &LINE[..escape])
    };
    refused(
        &inertia("friction = 1e9\ncolumns = 40\n"),
        &["phase_space.columns", "too few"],
    );
    refused(
        &inertia("friction = 1e300\n"),
        &["phase_space.friction", "columns"],
    );
    let steps = r#"
name = "steps"
[landscape]
loss = "(x^2-1)^2/4"
variables = ["x"]
[noise]
tensor = [["1+0.5*sin(2*x)"]]
[sgd]
learning_rate = 0.5
batch_size = 5.0
[region]
domain = [[-3.6, 3.6]]
[transfer_operator]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1.0" }
"#;
    refused_when_run(steps, &["sgd.learning_rate", "the map diverges"]);
    refused_when_run(
        &changed(
            &changed(FREEZING, "strength = 0.1", "strength = 3.0"),
            "[-3.0, 3.0]",
            "[-2.2, 2.2]",
        ),
        &["region.domain", "widen it to about"],
    );
}

#[test]
fn long_work_says_so_and_check_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), VALLEYS).unwrap();
    let output = freezeout(folder.path(), &["check", "c.toml"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in [
        "[phase_diagram]",
        "[trajectories]",
        "in all about",
        "this machine has",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // An hour of work: the line comes at once.
    let long = changed(
        VALLEYS,
        "runs = 20\nsteps = 20",
        "runs = 100000\nsteps = 10000000",
    );
    fs::write(folder.path().join("c.toml"), long).unwrap();
    let said = fs::File::create(folder.path().join("said")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_freezeout"))
        .args(["run", "c.toml", "-o", "out.h5", "--quiet"])
        .current_dir(folder.path())
        .stderr(said)
        .spawn()
        .unwrap();
    let mut line = String::new();
    for _ in 0..2000 {
        line = fs::read_to_string(folder.path().join("said")).unwrap();
        if line.ends_with('\n') {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        line.starts_with("note: about ") && line.contains("phase_diagram"),
        "{line:?}"
    );
}

#[test]
fn what_is_meant_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let result = |name: &str, text: &str| {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let output = freezeout(folder.path(), &["run", "c.toml", "--quiet", "-o", name]);
        assert!(output.status.success(), "{}", said(&output));
        let file = freezeout::output::read(folder.path().join(name)).unwrap();
        file.groups().to_vec()
    };
    let usual = result("a.h5", LINE);
    for (from, to) in [
        ("cells = [40]", "cells = 40"),
        ("[[-2.5, 2.5]]", "[-2.5, 2.5]"),
        (
            "[[-2.5, 2.5]]",
            "[-2.5, 2.5]\nboundaries = [\"reflecting\", \"reflecting\"]",
        ),
        ("x^2", "x**2"),
    ] {
        assert!(result("b.h5", &changed(LINE, from, to)) == usual, "{to}");
    }
}

#[test]
fn slips_are_refused_with_the_fix() {
    for (from, to, wanted) in [
        (
            "barrier*(",
            "2barrier*(",
            &["landscape.loss", "write 2*barrier"][..],
        ),
        ("barrier*(", "barrier(", &["landscape.loss", "character 8"]),
        ("x > 1", "log(x) > 1", &["target", "ln is the natural logarithm"]),
        (
            "strength = 0.1",
            "strength = \"barrier\"",
            &["noise.strength", "write the number itself"],
        ),
        (
            "barrier = 0.25",
            "barrier = 0.25, tilt = 0.1",
            &["landscape.parameters.tilt", "no formula uses"],
        ),
        (
            "parameters =",
            "variables = [\"x.1\"]\nparameters =",
            &["landscape.variables", "x.1"],
        ),
        (
            "parameters =",
            "variables = [\"θ\"]\nparameters =",
            &["landscape.variables", "a-z"],
        ),
        (
            "{ barrier = 0.25 }",
            "{ \"a.b\" = 1.0, barrier = 0.25 }",
            &["\"a.b\" cannot be the name of a parameter"],
        ),
        (
            "[-2.5, 2.5]",
            "[-2.5, 2.5, 3.0]",
            &["region.domain", "lower, upper"],
        ),
        ("[40]", "[]", &["escape.cells"]),
        (
            "name = \"line\"",
            "name = \"\\u001b[31m\\u202e\"",
            &["name", "\\u{1b}"],
        ),
    ] {
        refused(&changed(LINE, from, to), wanted);
    }
    // Boundaries keep their suggestion.
    refused(
        &changed(
            LINE,
            "[[-2.5, 2.5]]",
            "[-2.5, 2.5]\nboundaries = [\"reflectin\", \"absorbing\"]",
        ),
        &["region.boundaries", "\"reflecting\""],
    );
}

#[test]
fn a_message_is_one_line_of_bounded_length() {
    let folder = tempfile::tempdir().unwrap();
    let long = "k".repeat(100_000);
    for text in [
        changed(LINE, "slow_modes", &format!("\"{long}\"")),
        changed(LINE, "isotropic", &long),
        changed(LINE, "slow_modes", "\"\\u001b[2J\\n\\u0007\""),
        changed(
            LINE,
            "name = \"line\"",
            &format!("name = \"{}\"", "a b ".repeat(10_000)),
        ),
    ] {
        fs::write(folder.path().join("c.toml"), text).unwrap();
        let output = freezeout(folder.path(), &["check", "c.toml"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.lines().count() == 1 && said.chars().count() < 1010,
            "{} characters",
            said.len()
        );
        assert!(!said.trim_end().contains(|c: char| c.is_control()), "{said:?}");
    }
    let output = freezeout(folder.path(), &["\u{1b}[31m\u{202e}"]);
    assert!(!said(&output).trim_end().contains(|c: char| c.is_control()));
}

#[test]
fn a_full_disk_leaves_no_empty_example() {
    let folder = tempfile::tempdir().unwrap();
    // No file may hold a byte; the signal that would say so is ignored, so that the write fails as on a full disk.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" init a.toml"])
        .arg(env!("CARGO_BIN_EXE_freezeout"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
