//! Sweeps that are killed at any moment, run by several processes at once, or whose kept cells are damaged: the result has the bytes of an undisturbed run.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::{effort, seed};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Twelve short cells of one kind.
const SWEEP: &str = r#"
name = "sweep"

[landscape]
model = "double_well"

[noise]
model = "isotropic"
strength = 0.1

[region]
domain = [[-2.5, 2.5]]

[escape]
cells = [100]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }

[[sweep]]
parameter = "noise.strength"
values = [0.1, 0.12, 0.14, 0.16]

[[sweep]]
parameter = "landscape.barrier"
values = [0.2, 0.25, 0.3]
"#;

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezeout"));
    command
        .args(["run", "c.toml", "--quiet", "-o", "out.h5", "--threads", "1"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(folder: &Path) -> Child {
    command(folder).spawn().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs to the end without a word.
fn finish(folder: &Path) {
    let output = command(folder).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{:?} {}",
        output.status,
        said(&output)
    );
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn cells(folder: &Path) -> Vec<PathBuf> {
    let unfinished = folder.join("out.h5.unfinished");
    let Ok(entries) = fs::read_dir(unfinished) else {
        return Vec::new();
    };
    let mut cells: Vec<PathBuf> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("cell_"))
        .collect();
    cells.sort();
    cells
}

/// The bytes of an undisturbed run, and how long it took.
fn undisturbed(config: &str) -> (Vec<u8>, Duration) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let begin = Instant::now();
    finish(folder.path());
    let time = begin.elapsed();
    (fs::read(folder.path().join("out.h5")).unwrap(), time)
}

/// A folder with a sweep of which some cells are done.
fn stopped(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let mut child = start(folder.path());
    while cells(folder.path()).len() < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        (3..12).contains(&cells(folder.path()).len()),
        "it was not stopped in the middle"
    );
    folder
}

#[test]
fn killed_at_any_moment_it_resumes_to_the_same_bytes() {
    let kills = 60 * effort();
    let (whole, time) = undisturbed(SWEEP);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed(14));
    let mut killed = 0;
    for _ in 0..kills / 3 {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), SWEEP).unwrap();
        for _ in 0..3 {
            let mut child = start(folder.path());
            std::thread::sleep(time.mul_f64(random.random::<f64>()));
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        finish(folder.path());
        assert!(
            fs::read(folder.path().join("out.h5")).unwrap() == whole,
            "other bytes"
        );
        assert_eq!(
            names(folder.path()),
            ["c.toml", "out.h5"],
            "something was left behind"
        );
    }
    assert!(killed > kills / 3, "only {killed} were still running");
}

#[test]
fn several_processes_on_one_sweep_all_succeed() {
    const PROCESSES: usize = 6;
    let (whole, time) = undisturbed(SWEEP);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed(15));
    for round in 0..8 * effort() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), SWEEP).unwrap();
        let mut children = Vec::new();
        for _ in 0..PROCESSES {
            children.push(start(folder.path()));
            if round % 2 == 1 {
                std::thread::sleep(time.mul_f64(0.5 * random.random::<f64>()));
            }
        }
        // One of them is killed: the others do not mind.
        if round % 4 >= 2 {
            let mut victim = children.remove(0);
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{:?} {}",
                output.status,
                said(&output)
            );
        }
        assert!(
            fs::read(folder.path().join("out.h5")).unwrap() == whole,
            "other bytes"
        );
        finish(folder.path());
        assert_eq!(
            names(folder.path()),
            ["c.toml", "out.h5"],
            "something was left behind"
        );
    }
}

#[test]
fn a_damaged_cell_is_computed_again_and_said_so() {
    let (whole, _) = undisturbed(SWEEP);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(9);
    for _ in 0..8 {
        let folder = stopped(SWEEP);
        let cell = cells(folder.path())[0].clone();
        let mut bytes = fs::read(&cell).unwrap();
        let bit = random.random_range(0..8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&cell, bytes).unwrap();
        let output = command(folder.path()).output().unwrap();
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.starts_with("note: ") && said.contains("computed again") && said.lines().count() == 1,
            "{said}"
        );
        assert!(fs::read(folder.path().join("out.h5")).unwrap() == whole);
    }
}

#[test]
fn a_corrected_configuration_replaces_what_it_changes() {
    let folder = stopped(SWEEP);
    let done = cells(folder.path()).len();
    // The values of one parameter: the cells that stay are kept.
    let more = SWEEP.replace("0.14, 0.16]", "0.14]");
    fs::write(folder.path().join("c.toml"), &more).unwrap();
    if done <= 9 {
        finish(folder.path());
        assert!(fs::read(folder.path().join("out.h5")).unwrap() == undisturbed(&more).0);
    }
    // A key of all cells: nothing is kept.
    let folder = stopped(SWEEP);
    let other = SWEEP.replace("cells = [100]", "cells = [120]");
    fs::write(folder.path().join("c.toml"), &other).unwrap();
    let output = command(folder.path()).output().unwrap();
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    for part in ["escape.cells", "[100]", "[120]", "0 of 12 are kept"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(fs::read(folder.path().join("out.h5")).unwrap() == undisturbed(&other).0);
}

#[test]
fn a_swapped_table_is_another_sweep() {
    // Copied into place: HDF5 locks the file that it writes, and a process begun meanwhile by another test would hold the lock for a moment.
    let written = tempfile::tempdir().unwrap();
    for barrier in [0.25, 0.3] {
        let file = hdf5::File::create(written.path().join(barrier.to_string())).unwrap();
        let x: Vec<f64> = (0..201).map(|k| -2.5 + 0.025 * k as f64).collect();
        let loss: Vec<f64> = x.iter().map(|x| barrier * (x * x - 1.0).powi(2)).collect();
        for (name, values) in [("x", &x), ("loss", &loss)] {
            let dataset = file
                .new_dataset::<f64>()
                .shape(values.len())
                .create(name)
                .unwrap();
            dataset.write_raw(values).unwrap();
        }
    }
    let table = |folder: &Path, barrier: f64| {
        fs::copy(written.path().join(barrier.to_string()), folder.join("loss.h5")).unwrap();
    };
    let config = SWEEP
        .replace(
            "model = \"double_well\"",
            "table = { file = \"loss.h5\", loss = \"loss\", axes = [\"x\"] }",
        )
        .replace(
            "[[sweep]]\nparameter = \"landscape.barrier\"\nvalues = [0.2, 0.25, 0.3]\n",
            "",
        )
        .replace("[0.1, 0.12, 0.14, 0.16]", "{ from = 0.1, to = 0.2, points = 12 }");
    let run = |folder: &Path| {
        let output = command(folder).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), &config).unwrap();
    table(folder.path(), 0.3);
    run(folder.path());
    let whole = fs::read(folder.path().join("out.h5")).unwrap();
    let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
    let inputs = format!("{:?}", file.attributes()["input_files"]);
    assert!(inputs.contains("  loss.h5"), "{inputs}");
    fs::remove_file(folder.path().join("out.h5")).unwrap();

    // Stopped with another table.
    table(folder.path(), 0.25);
    let mut child = start(folder.path());
    while cells(folder.path()).len() < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((1..12).contains(&cells(folder.path()).len()));
    table(folder.path(), 0.3);
    let said = run(folder.path());
    assert!(said.contains("input files") && said.contains("0 of 12"), "{said}");
    assert!(fs::read(folder.path().join("out.h5")).unwrap() == whole);
}
