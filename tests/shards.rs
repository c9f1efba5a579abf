//! Sweeps in shards: merged they are one run to the byte, and what does not belong together is refused with the difference.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::freezeout;
use freezeout::output::{Group, Record, ResultFile, read};
use std::fs;
use std::path::Path;

const SWEEP: &str = r#"
name = "sweep"

[phase_diagram]
learning_rate = [0.05]
sigma = [0.02, 0.05]
runs = 20
steps = 500

[freezing_theory]
noise_strength = 1e-3
nodes = 8
end_y = 50.0

[[sweep]]
parameter = "noise.power"
values = [1.0, 1.5, 2.0]

[[sweep]]
parameter = "phase_diagram.start_y"
values = { from = 1.0, to = 4.0, points = 2 }
"#;

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = freezeout(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

/// One line with every part, exit code 2, nothing left behind.
fn refused(folder: &Path, arguments: &[&str], wanted: &[&str]) {
    let before = fs::read_dir(folder).unwrap().count();
    let output = freezeout(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    for part in wanted {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), before, "{message}");
}

/// Runs shards of a configuration into files with a common beginning.
fn shards(folder: &Path, config: &str, begin: &str, which: &[&str]) -> Vec<String> {
    fs::write(folder.join("c.toml"), config).unwrap();
    let run = |shard: &&str| {
        let file = format!("{begin}{}.h5", shard.replace('/', "_"));
        done(
            folder,
            &["run", "c.toml", "--quiet", "--shard", shard, "-o", &file],
        );
        file
    };
    which.iter().map(run).collect()
}

#[test]
fn merged_shards_are_one_run_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), SWEEP).unwrap();
    done(folder, &["run", "c.toml", "--quiet", "-o", "whole.h5"]);
    let files = shards(folder, SWEEP, "s", &["1/4", "2/4", "3/4", "4/4"]);
    // In any order, and one of them twice.
    let order = [&files[2], &files[0], &files[3], &files[1], &files[2]];
    let arguments: Vec<&str> = (["merge"].into_iter())
        .chain(order.iter().map(|file| file.as_str()))
        .chain(["-o", "merged.h5"])
        .collect();
    let said = done(folder, &arguments);
    assert!(
        said.contains("noise.power  phase_diagram.start_y") && said.contains("wrote merged.h5"),
        "{said}"
    );
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert!(bytes("whole.h5") == bytes("merged.h5"));
    // A shard is shown as what it is, and leaves nothing beside it.
    assert!(done(folder, &["show", &files[1]]).contains("shard 2/4"));
    assert!(!folder.join("s2_4.h5.unfinished").exists());

    // A cell that nobody has computed is named, with its shard.
    refused(
        folder,
        &["merge", &files[0], &files[2], &files[3], "-o", "part.h5"],
        &[
            "2 of 6 cells",
            "noise.power 1, phase_diagram.start_y 4 (shard 2/4)",
            "noise.power 2",
        ],
    );
    // Another configuration with the key that differs, another seed, and what is no shard.
    let other = shards(folder, &SWEEP.replace("runs = 20", "runs = 30"), "o", &["2/4"]);
    refused(
        folder,
        &[
            "merge", &files[0], &other[0], &files[2], &files[3], "-o", "part.h5",
        ],
        &["o2_4.h5", "s1_4.h5", "phase_diagram.runs was 20, is 30"],
    );
    let other = shards(folder, &format!("seed = 4\n{SWEEP}"), "p", &["2/4"]);
    refused(
        folder,
        &["merge", &files[0], &other[0], "-o", "part.h5"],
        &["seed is new: 4"],
    );
    refused(
        folder,
        &["merge", &files[0], "whole.h5", "-o", "part.h5"],
        &["whole.h5", "no shard"],
    );
    refused(
        folder,
        &["merge", &files[0], "nothing.h5", "-o", "part.h5"],
        &["nothing.h5"],
    );
}

#[test]
fn shards_that_do_not_exist_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), SWEEP).unwrap();
    for (shard, wanted) in [
        ("5/4", "from 1 to 4"),
        ("0/4", "such as 2/4"),
        ("2", "such as 2/4"),
        ("-1/4", "such as 2/4"),
        ("8/9", "the sweep has 6 cells"),
    ] {
        let shard = format!("--shard={shard}");
        refused(
            folder,
            &["run", "c.toml", &shard, "-o", "x.h5"],
            &["--shard", wanted],
        );
    }
    let alone = SWEEP.split("[[sweep]]").next().unwrap();
    fs::write(folder.join("alone.toml"), alone).unwrap();
    refused(
        folder,
        &["run", "alone.toml", "--shard", "1/2", "-o", "x.h5"],
        &["nothing is swept"],
    );
}

#[test]
fn two_files_that_disagree_about_a_cell_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = shards(folder.path(), SWEEP, "s", &["1/2", "2/2"]);
    let files: Vec<(String, ResultFile)> = files
        .into_iter()
        .map(|name| {
            let file = read(folder.path().join(&name)).unwrap();
            (name, file)
        })
        .collect();
    assert!(freezeout::run::merge(&files).is_ok());
    let mut changed = ResultFile::new();
    for (name, value) in files[0].1.attributes() {
        changed.set_attribute(name, value.clone()).unwrap();
    }
    for group in files[0].1.groups() {
        let mut copy = Group::new(group.name())
            .unwrap()
            .with_description(group.description());
        for (name, value) in group.attributes() {
            copy.set_attribute(name, value.clone()).unwrap();
        }
        for record in group.records() {
            let is_changed = group.name() == "cell_000002/freezing_theory" && record.name() == "mean_hops";
            copy.push(if is_changed {
                Record::new("mean_hops", "1", &[("noise_strength", 1)], vec![7.0]).unwrap()
            } else {
                record.clone()
            })
            .unwrap();
        }
        changed.push(copy).unwrap();
    }
    let both = [
        files[0].clone(),
        files[1].clone(),
        ("other.h5".to_string(), changed),
    ];
    let error = freezeout::run::merge(&both).unwrap_err();
    let text = error.to_string();
    assert!(error.is_bad_input() && text.contains("other.h5"), "{text}");
    assert!(
        text.contains("noise.power 1.5, phase_diagram.start_y 1 are not those of s1_2.h5"),
        "{text}"
    );
}
