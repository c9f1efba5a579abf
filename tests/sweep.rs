//! Sweeps: stacking, resuming, refusing.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::output::{Group, Record, Records, ResultFile, cells, stack, swept_coordinate};
use freezeout::plot::{Axis, Layer};
use freezeout::two_valleys::phase_diagram::PhaseDiagramResult;
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
    let cases: [(&str, &str, &[&str]); 10] = [
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
            &[
                "sweep.parameter: noise.pwoer does not exist",
                "\"power\"",
                "floor",
            ],
        ),
        // Control: the key exists, whatever its value says.
        (
            "\"noise.power\"\nvalues = [1.0, 1.5, 2.0]",
            "\"noise.model\"\nvalues = [\"unknown key\"]",
            &["noise.model: \"unknown key\" is not known"],
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
    // Each cell comes back as a run of it alone gives it: counts, coordinates, and without what it lacks.
    let sweep = freezeout::output::cells(&file).unwrap();
    assert_eq!(
        (sweep.count(), sweep.keys()),
        (4, vec![("phase_diagram.sigma", 2), ("noise.power", 2)])
    );
    let (first, last) = (sweep.cell(0).unwrap(), sweep.cell(3).unwrap());
    let sigma = |file: &ResultFile| file.record("phase_diagram/sigma").unwrap().clone();
    assert_eq!(sigma(&last).numbers().unwrap(), [0.05]);
    assert!(sigma(&last).is_coordinate());
    assert!(PhaseDiagramResult::find(&first).unwrap().is_some());
    // A sweep is told as a table.
    let table = freezeout::run::main_numbers(&file, 100).unwrap();
    let head = "phase_diagram.sigma  noise.power  noise_strength  p_flat";
    assert!(table.contains(head), "{table}");
    assert!(
        table.contains("0.05                 2            1e-3"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let paper = file
        .record("freezing_theory/paper_p_flat")
        .unwrap()
        .numbers()
        .unwrap();
    assert!(paper[0].is_nan() && paper[1].is_finite());
}

#[test]
fn what_is_stacked_comes_back() {
    let cell = |k: usize| {
        let mut group = Group::new("g").unwrap().with_description("a group");
        group.set_attribute("same", 7).unwrap();
        group.set_attribute("rate", 0.5 + k as f64).unwrap();
        group.set_attribute("runs", k as i64).unwrap();
        if k > 0 {
            group.set_attribute("left_out", "for a reason").unwrap();
            group
                .push(Record::scalar("extra", "1", k as f64).unwrap())
                .unwrap();
        }
        let moving = vec![k as f64, 10.0];
        group.push(Record::coordinate("x", "1", moving).unwrap()).unwrap();
        group
            .push(Record::coordinate("y", "1", vec![1.0, 2.0, 3.0]).unwrap())
            .unwrap();
        group
            .push(Record::new("step", "", &[("y", 3)], vec![k as u64, 1, u64::MAX]).unwrap())
            .unwrap();
        group
            .push(Record::new("p", "1", &[("x", 2), ("y", 3)], vec![k as f64; 6]).unwrap())
            .unwrap();
        group
            .push(Record::new("name", "text", &[], vec![format!("cell {k}")]).unwrap())
            .unwrap();
        group
    };
    let all: Vec<Group> = (0..6).map(cell).collect();
    let swept = [
        swept_coordinate("noise.strength", "1", vec![0.1, 0.2, 0.3].into()).unwrap(),
        swept_coordinate(
            "landscape.model",
            "text",
            vec!["a".to_string(), "b".to_string()].into(),
        )
        .unwrap(),
    ];
    let mut file = ResultFile::new();
    file.push(stack(&swept, &all.iter().collect::<Vec<&Group>>()).unwrap())
        .unwrap();
    // Through a file of bytes, too.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stacked.h5");
    freezeout::output::write(&path, &file).unwrap();
    let file = freezeout::output::read(&path).unwrap();
    let sweep = cells(&file).unwrap();
    assert_eq!(sweep.count(), 6);
    for (k, group) in all.iter().enumerate() {
        let back = sweep.cell(k).unwrap();
        let back = back.group("g").unwrap();
        assert_eq!(back.attributes(), group.attributes());
        let mut records = back.records().to_vec();
        records.sort_by_key(|r| group.records().iter().position(|own| own.name() == r.name()));
        assert_eq!(records, group.records(), "cell {k}");
    }
    assert_eq!(
        sweep.at(3),
        [
            ("noise.strength".to_string(), 0.2.into()),
            ("landscape.model".to_string(), "b".into())
        ]
    );
    // Another shape in another cell is refused by name.
    let mut other = Group::new("g").unwrap();
    other.push(Record::scalar("p", "1", 1.0).unwrap()).unwrap();
    let error = stack(&swept[..1], &[&all[0], &all[1], &other]).unwrap_err();
    assert!(
        error.is_bad_input() && error.to_string().contains("g/p has shape"),
        "{error}"
    );
}

const WELL: &str = r#"
name = "well"
[landscape]
loss = "barrier*(x^2 - 1)^2"
parameters = { barrier = 0.25 }
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
values = { from = 0.02, to = 0.04, points = 4, scale = "log" }
"#;

/// Whether an axis has a label.
fn is_along(axis: &Axis, label: &str) -> bool {
    format!("{axis:?}").contains(&format!("{label:?}"))
}

/// Texts of a figure as they stand in the SVG.
fn labels(svg: &str) -> Vec<String> {
    let parts = svg.split("aria-label=\"").skip(1);
    parts
        .filter_map(|part| Some(part.split('"').next()?.to_string()))
        .collect()
}

#[test]
fn rates_over_a_noise_strength_are_an_arrhenius_plot() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), WELL, &[]).status.success());
    let figures = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_freezeout"))
            .args(["figures", "out.h5"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let output = figures(&[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Beside the file, and nowhere else.
    let beside = folder.path().join("out_figures");
    let svg = fs::read_to_string(beside.join("sweep_escape.svg")).unwrap();
    assert!(beside.join("sweep_escape.png").exists() && !folder.path().join("paper").exists());
    let labels = labels(&svg);
    assert!(labels.iter().any(|label| label == "Arrhenius plot"), "{labels:?}");
    // The slope is the barrier, up to a correction of the order of the noise over it.
    let slope = labels
        .iter()
        .find_map(|label| label.strip_prefix("escape rate, slope −"));
    let slope: f64 = slope.unwrap_or_else(|| panic!("{labels:?}")).parse().unwrap();
    assert!((0.24..0.26).contains(&slope), "{slope}");
    assert!(
        labels.iter().any(|label| label == "mean first passage time"),
        "{labels:?}"
    );

    let output = figures(&[
        "-o",
        "png",
        "--format",
        "png",
        "--only",
        "sweep_escape",
        "--width",
        "4",
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let png = fs::read(folder.path().join("png/sweep_escape.png")).unwrap();
    assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 1200);
    assert!(!folder.path().join("png/sweep_escape.svg").exists());
    for (arguments, wanted) in [
        (["--only", "escape"], "\"escape\" is none of the figures"),
        (
            ["--format", "gif"],
            "\"gif\" is not known; there are svg, png, pdf",
        ),
        (["--width", "1"], "between 2 and 20 inches"),
    ] {
        refused(
            &figures(&[&arguments[..], &["-o", "none"]].concat()),
            &[arguments[0], wanted],
        );
        assert!(!folder.path().join("none").exists());
    }
}

/// The bottoms move with the tilt: they are told, and the curves are those of the valleys.
#[test]
fn valleys_that_move_with_a_swept_key_are_curves() {
    let folder = tempfile::tempdir().unwrap();
    let config = r#"
name = "tilted"
[landscape]
variables = ["x", "s"]
parameters = { tilt = 0.1 }
loss = "(0.2+s)*(x^2 - 1)^2 + tilt*x"
[noise]
model = "isotropic"
[sgd]
noise_strength = 0.05
[region]
domain = [[-3.0, 3.0], [0.0, 3.0]]
[freezing]
start = 0.1
end = 2.5
start_x = [1.0]
velocity = "0.01"
[[sweep]]
parameter = "landscape.parameters.tilt"
values = [0.05, 0.123456789, 0.15]
"#;
    let output = run(folder.path(), config, &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
    let (_, figure) = freezeout::config::sweep_figures(&file).unwrap().remove(0);
    let figure = figure.unwrap();
    let panel = figure.panels.iter().find(|panel| is_along(&panel.y, "p final"));
    let curves: Vec<(&str, usize)> = (panel.unwrap().layers.iter())
        .filter_map(|layer| match layer {
            Layer::Points { label, x, .. } => Some((label.as_str(), x.len())),
            _ => None,
        })
        .collect();
    assert_eq!(curves, [("valley = 1", 3), ("valley = 2", 3)]);
    let shown = freezeout::run::overview(&file, 120).unwrap();
    assert!(shown.contains(" x "), "{shown}");
}

#[test]
fn two_swept_numbers_are_maps_and_texts_are_lines() {
    let folder = tempfile::tempdir().unwrap();
    let well = WELL.replace("points = 4", "points = 3");
    let second = |parameter: &str, values: &str| {
        format!("{well}[[sweep]]\nparameter = \"{parameter}\"\nvalues = {values}\n")
    };
    let figure = |config: &str| {
        let output = run(folder.path(), config, &[]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
        let mut figures = freezeout::config::sweep_figures(&file).unwrap();
        assert_eq!(figures.len(), 1);
        let (name, figure) = figures.remove(0);
        assert_eq!(name, "sweep_escape");
        figure.unwrap()
    };
    let map = figure(&second("landscape.parameters.barrier", "[0.2, 0.25, 0.3]"));
    assert!(
        map.panels
            .iter()
            .all(|panel| matches!(panel.layers[..], [Layer::Map { .. }]))
    );
    let rate = map
        .panels
        .iter()
        .find(|panel| panel.title == "escape rate")
        .unwrap();
    let Layer::Map { values, .. } = &rate.layers[0] else {
        panic!()
    };
    // Columns run over the noise, rows over the barrier: more noise and a lower barrier are faster.
    assert!(
        values.len() == 9 && values[1] > values[0] && values[0] > values[3],
        "{values:?}"
    );
    let lines = figure(&second("noise.calculus", "[\"ito\", \"stratonovich\"]"));
    let labels: Vec<&str> = (lines.panels[1].layers.iter())
        .filter_map(|layer| match layer {
            Layer::Points { label, .. } => Some(label.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(labels, ["ito", "stratonovich"]);
    // nine curves a quantity, seven a panel
    let many = figure(
        &second(
            "landscape.parameters.barrier",
            "[0.16, 0.17, 0.18, 0.19, 0.2, 0.21, 0.22, 0.23, 0.24]",
        )
        .replace("points = 3", "points = 2"),
    );
    let of = |y: &str| -> Vec<(&str, usize)> {
        let panels = many.panels.iter().filter(|panel| is_along(&panel.y, y));
        let points = |layer: &&Layer| matches!(layer, Layer::Points { .. });
        panels
            .map(|panel| (panel.title.as_str(), panel.layers.iter().filter(points).count()))
            .collect()
    };
    assert_eq!(
        of("mean first passage time"),
        [("1 to 7 of 9 curves", 7), ("8 to 9 of 9 curves", 2)]
    );
    let rates = of("rate");
    assert!(
        rates.len() > 1 && rates[0].0.starts_with("Arrhenius plot, 1 to 7 of "),
        "{rates:?}"
    );
    assert_eq!(
        rates.iter().map(|(_, curves)| curves).sum::<usize>() % 9,
        0,
        "{rates:?}"
    );
    let texts = well.replace(
        "parameter = \"noise.strength\"\nvalues = { from = 0.02, to = 0.04, points = 3, scale = \"log\" }",
        "parameter = \"noise.calculus\"\nvalues = [\"ito\", \"stratonovich\"]",
    );
    assert!(texts.contains("values = [\"ito\""));
    assert!(run(folder.path(), &texts, &[]).status.success());
    let file = freezeout::output::read(folder.path().join("out.h5")).unwrap();
    let error = freezeout::config::sweep_figures(&file).err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("no figure can be drawn: no key with numbers"),
        "{error}"
    );
}
