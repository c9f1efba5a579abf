//! The command line as a user drives it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic)] // also in functions that tests share

mod common;

use common::command::freezeout;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SMALL: &str = r#"
name = "small"
seed = 3

[phase_diagram]
learning_rate = [0.05, 0.1]
sigma = { from = 0.02, to = 0.1, points = 3, scale = "log" }
runs = 50
steps = 2000

[freezing_line]
sigma = [0.05]
runs = 20
steps = 3000
records = 10

[freezing_theory]
noise_strength = 1e-3
nodes = 24

[slices]
y = [5.0]
noise_strength = [2e-3]
walkers = 256

[effective_potential]
y = 5.0
cells = 100

[final_probability]
noise_strength = [5e-4, 1e-3]
end_y = 20.0
"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// One line on standard error that contains `wanted`, exit code 2, no file left behind.
fn assert_refused(folder: &Path, arguments: &[&str], wanted: &[&str]) {
    let before = fs::read_dir(folder).unwrap().count();
    let output = freezeout(folder, arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(
        message.trim_end().lines().count(),
        1,
        "one line is wanted: {message}"
    );
    for part in wanted {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
    assert_eq!(
        fs::read_dir(folder).unwrap().count(),
        before,
        "something was left behind: {message}"
    );
}

#[test]
fn a_run_writes_a_file_that_h5dump_reads() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "small.toml", SMALL);
    let output = freezeout(folder.path(), &["run", "small.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for part in [
        "data/results/small.h5",
        "[slices]",
        "[freezing_theory]",
        "  noise_strength  p_flat ",
        "agree",
    ] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    assert_fits(&said);
    // Not a terminal: no progress bars.
    assert_eq!(text(&output.stderr), "");
    let file = folder.path().join("data/results/small.h5");

    let dump = Command::new("h5dump")
        .args(["-d", "/phase_diagram/p_flat"])
        .arg(&file)
        .output()
        .expect("h5dump is needed (package hdf5-tools)");
    let dump = text(&dump.stdout);
    assert!(
        dump.contains("( 2, 3 )") && dump.contains("H5T_IEEE_F64LE") && dump.contains("learning_rate"),
        "{dump}"
    );

    let shown = text(&freezeout(folder.path(), &["show", "data/results/small.h5", "--all"]).stdout);
    for part in [
        "seed: 3",
        "/phase_diagram",
        "mean_freezing_iteration",
        "/freezing_line",
        "/slices",
        "/density_path/strength_1",
        "verdict",
    ] {
        assert!(shown.contains(part), "{part} is missing in: {shown}");
    }
    let json = text(&freezeout(folder.path(), &["show", "data/results/small.h5", "--json"]).stdout);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json.to_string().contains("\"config_hash\""));
}

/// No line is longer than what is written where there is no terminal.
fn assert_fits(text: &str) {
    let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn show_is_one_screen_and_names_one_thing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "small.toml", SMALL);
    let output = freezeout(folder.path(), &["run", "small.toml", "-o", "s.h5", "--quiet"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    let show = |arguments: &[&str]| {
        let output = freezeout(folder.path(), &[&["show", "s.h5"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let screen = show(&[]);
    assert!(screen.lines().count() <= 60, "{screen}");
    assert_fits(&screen);
    for part in [
        "small: freezeout",
        "seed 3",
        "[slices]",
        "comparisons agree",
        "/slices/... ",
        "/freezing_line",
        "sigma 1, step",
    ] {
        assert!(screen.contains(part), "{part} is missing in: {screen}");
    }
    // One record, with its error; a group; an attribute.
    let record = show(&["freezing_theory/p_flat"]);
    assert!(
        record.contains("1e-3            0.9") && record.contains(" ± "),
        "{record}"
    );
    assert!(!record.contains("mean_hops"), "{record}");
    assert!(show(&["/freezing_theory"]).contains("mean_hops"));
    assert!(show(&["config"]).contains("[phase_diagram]"));
    let json: serde_json::Value = serde_json::from_str(&show(&["slices/y", "--json"])).unwrap();
    assert_eq!(json["values"][0], 5.0);
    // Long records in part, all of them when wanted.
    let part = show(&["effective_potential/loss"]);
    assert!(part.contains("more; --all shows them"), "{part}");
    assert!(show(&["effective_potential/loss", "--all"]).lines().count() > 100);
    assert_refused(
        folder.path(),
        &["show", "s.h5", "slices/nothing"],
        &["slices/nothing", "no such"],
    );
    assert_refused(
        folder.path(),
        &["show", "s.h5", "slices/gird/p_flat"],
        &["slices/gird/p_flat", "did you mean \"slices/grid/p_flat\"?"],
    );
    assert_refused(
        folder.path(),
        &["show", "s.h5", "slices/nothing", "--json"],
        &["slices/nothing"],
    );
    assert_refused(
        folder.path(),
        &["show", "s.h5", "--all", "--json"],
        &["--all", "--json"],
    );
}

#[test]
fn same_bytes_on_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "small.toml", SMALL);
    for threads in ["1", "2"] {
        let out = format!("t{threads}.h5");
        let output = freezeout(
            folder.path(),
            &["run", "small.toml", "--quiet", "--threads", threads, "-o", &out],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let (one, two) = (
        fs::read(folder.path().join("t1.h5")).unwrap(),
        fs::read(folder.path().join("t2.h5")).unwrap(),
    );
    assert!(one == two, "the file depends on the number of threads");
    // Negative control: another seed gives another file.
    write(
        folder.path(),
        "other.toml",
        &SMALL.replace("seed = 3", "seed = 4"),
    );
    assert!(
        freezeout(folder.path(), &["run", "other.toml", "--quiet", "-o", "t3.h5"])
            .status
            .success()
    );
    assert!(one != fs::read(folder.path().join("t3.h5")).unwrap());
}

#[test]
fn bad_configurations_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &[&str]); 21] = [
        (
            "runs = 50",
            "runs = 1000000000000000",
            &["phase_diagram.runs", "at most"],
        ),
        (
            "points = 3",
            "points = 1000000000000",
            &["phase_diagram.sigma", "points"],
        ),
        (
            "cells = 100",
            "domain = [-1.0, 1.0, 2.0]",
            &["effective_potential.domain", "two ends"],
        ),
        (
            "cells = 100",
            "noise_strength = 0.0",
            &["effective_potential.noise_strength", "positive"],
        ),
        ("walkers = 256", "walkers = 1", &["slices.walkers"]),
        (
            "seed = 3",
            "seed = 3\n[noise]\ncurvature = nan",
            &["noise.curvature"],
        ),
        (
            "cells = 100",
            "domain = [-0.1, 0.12]",
            &["effective_potential.domain", "cuts off probability"],
        ),
        (
            "sigma = {",
            "sgima = {",
            &["phase_diagram.sgima", "did you mean \"sigma\""],
        ),
        ("runs = 50", "runs = \"many\"", &["phase_diagram.runs", "line"]),
        ("runs = 50", "runs = 0", &["phase_diagram.runs", "at least 2"]),
        (
            "[0.05, 0.1]",
            "[0.05, -0.1]",
            &["phase_diagram.learning_rate", "-0.1", "positive"],
        ),
        (
            "[0.05, 0.1]",
            "[0.05, nan]",
            &["phase_diagram.learning_rate", "NaN"],
        ),
        (
            "[0.05, 0.1]",
            "[]",
            &["phase_diagram.learning_rate", "at least one"],
        ),
        (
            "[0.05, 0.1]",
            "[0.05, 0.5]",
            &["phase_diagram.learning_rate", "exceeds 2"],
        ),
        (
            "runs = 50",
            "runs = 50\nstart_x = []",
            &["phase_diagram.start_x", "empty"],
        ),
        ("seed = 3", "seed = -3", &["seed"]),
        ("name = \"small\"", "name = \"../small\"", &["name"]),
        ("[slices]\ny = [5.0]", "[slices]\ny = []", &["slices"]),
        ("[slices]\ny = [5.0]", "[slices]\ny = [-5.0]", &["slices.y", "-5"]),
        (
            "seed = 3",
            "seed = 3\n[noise]\npower = -1.0",
            &["noise.power", "-1"],
        ),
        (
            "seed = 3",
            "seed = 3\n[landscape]\nmodel = \"two_valleys\"",
            &["landscape.model", "\"two_valley\""],
        ),
    ];
    for (from, to, wanted) in cases {
        assert!(SMALL.contains(from), "{from}");
        write(folder.path(), "bad.toml", &SMALL.replacen(from, to, 1));
        assert_refused(folder.path(), &["run", "bad.toml", "-o", "bad.h5"], wanted);
    }
    write(folder.path(), "bad.toml", "name = \"nothing\"\n");
    assert_refused(folder.path(), &["run", "bad.toml", "-o", "bad.h5"], &["no task"]);
    write(folder.path(), "bad.toml", "name = \n");
    assert_refused(folder.path(), &["run", "bad.toml", "-o", "bad.h5"], &["line 1"]);
    assert_refused(folder.path(), &["run", "missing.toml"], &["missing.toml"]);
}

#[test]
fn unwritable_output_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "small.toml", SMALL);
    assert_refused(
        folder.path(),
        &["run", "small.toml", "-o", "no/such/folder/out.h5"],
        &["no/such/folder/out.h5"],
    );
    assert_refused(folder.path(), &["run", "small.toml", "-o", "."], &["directory"]);
    assert_refused(
        folder.path(),
        &["run", "small.toml", "--threads", "0"],
        &["--threads"],
    );
    assert_refused(folder.path(), &["show", "small.toml"], &["small.toml", "not"]);
    assert_refused(folder.path(), &["show", "nothing.h5"], &["nothing.h5"]);
}

#[test]
fn list_names_every_section() {
    let listed = text(&freezeout(Path::new("."), &["list"]).stdout);
    for part in [
        "[landscape]",
        "[noise]",
        "[phase_diagram]",
        "hessian_power",
        "isotropic",
        "two_valley",
        "learning_rate",
    ] {
        assert!(listed.contains(part), "{part}");
    }
}

#[test]
fn the_schema_knows_every_key_of_the_experiments() {
    let schema = text(&freezeout(Path::new("."), &["schema"]).stdout);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    // Properties of a section: behind a reference, or one of several that need not be there.
    fn properties<'a>(
        schema: &'a serde_json::Value,
        of: &'a serde_json::Value,
    ) -> Option<&'a serde_json::Value> {
        if let Some(reference) = of["$ref"].as_str() {
            return properties(schema, &schema["$defs"][reference.rsplit('/').next().unwrap()]);
        }
        if of["properties"].is_object() {
            return Some(&of["properties"]);
        }
        let parts = of["anyOf"].as_array().into_iter().flatten();
        parts
            .chain(of.get("items"))
            .find_map(|part| properties(schema, part))
    }
    let mut seen = 0;
    for entry in fs::read_dir("paper/experiments").unwrap() {
        let config: toml::Table = fs::read_to_string(entry.unwrap().path())
            .unwrap()
            .parse()
            .unwrap();
        for (section, value) in config {
            let known = &schema["properties"][&section];
            assert!(known.is_object(), "{section}");
            for key in value.as_table().into_iter().flat_map(toml::Table::keys) {
                let keys = properties(&schema, known).unwrap_or_else(|| panic!("{section}"));
                assert!(keys[key].is_object(), "{section}.{key}");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
    assert!(schema["properties"]["escpae"].is_null());
}

#[test]
fn init_writes_an_example_and_the_schema_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("inner")).unwrap();
    let said = freezeout(path, &["init", "inner/first.toml"]);
    assert!(said.status.success(), "{}", text(&said.stderr));
    assert!(text(&said.stdout).contains("freezeout run inner/first.toml"));
    let config = fs::read_to_string(path.join("inner/first.toml")).unwrap();
    let named = config.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
    let schema = path.join("inner").join(named);
    let wanted = freezeout(path, &["schema"]).stdout;
    assert_eq!(fs::read(&schema).unwrap(), wanted);
    assert!(config.contains("name = \"first\"") && config.contains("data/results/first.h5"));
    assert!(freezeout(path, &["check", "inner/first.toml"]).status.success());
    // Neither file is overwritten.
    assert_refused(path, &["init", "inner/first.toml"], &["first.toml", "exists"]);
    fs::write(&schema, "{}").unwrap();
    assert!(freezeout(path, &["init", "inner/second.toml"]).status.success());
    assert_eq!(fs::read_to_string(&schema).unwrap(), "{}");
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&freezeout(Path::new("."), &["completions", shell]).stdout);
        for part in ["merge", "schema", "reproduce", "shard"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    assert_refused(folder.path(), &["completions", "tcsh"], &["tcsh", "bash"]);
    assert_refused(folder.path(), &["man"], &["<FOLDER>"]);
    assert_refused(folder.path(), &["shwo", "a.h5"], &["shwo", "'show'"]);
}

#[test]
fn man_pages_are_there_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&freezeout(folder.path(), &["--help"]).stdout);
    let listed = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("Options:")
        .next()
        .unwrap();
    let commands: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    assert!(freezeout(folder.path(), &["man", "man1"]).status.success());
    let page = std::fs::read_to_string(folder.path().join("man1/freezeout.1")).unwrap();
    for command in &commands {
        assert!(page.contains(&format!("freezeout\\-{command}(1)")), "{command}");
        assert!(
            folder
                .path()
                .join(format!("man1/freezeout-{command}.1"))
                .is_file(),
            "{command}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path().join("man1")).unwrap().count(),
        commands.len() + 1
    );
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert_refused(folder.path(), &["man", "file"], &["file"]);
}
