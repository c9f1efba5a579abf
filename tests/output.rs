//! The result file: written whole, read back bit by bit, readable by others, and clear about everything that is not one.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use freezeout::Error;
use freezeout::output::{
    Attribute, Group, Record, ResultFile, Values, cells, read, read_unsealed, stack, summary, to_json,
};
use hdf5::types::VarLenUnicode;
use std::path::Path;
use std::process::Command;
use std::sync::{PoisonError, RwLock};

/// Held while a program is started: until it runs, it holds the locks of the files that are being written.
static STARTS: RwLock<()> = RwLock::new(());

fn write(path: impl AsRef<Path>, file: &ResultFile) -> freezeout::Result<()> {
    let _none_starts = STARTS.read().unwrap_or_else(PoisonError::into_inner);
    freezeout::output::write(path, file)
}

/// Every kind of value, attribute, dimension and group.
fn everything() -> ResultFile {
    let mut file = ResultFile::new();
    file.set_attribute("config", "learning_rate = 0.01\n# η, σ and Δ\n")
        .unwrap();
    file.set_attribute("seed", i64::MIN).unwrap();
    file.set_attribute("tolerance", 1.0e-300).unwrap();
    file.set_attribute("command", "").unwrap();

    let mut diagram = Group::new("phase_diagram")
        .unwrap()
        .with_description("P_flat over learning rate and σ");
    diagram.set_attribute("runs", 2000).unwrap();
    let eta = vec![0.001, 0.01, 0.1];
    let sigma = vec![0.02, 0.2];
    let axes = [("learning_rate", 3), ("sigma", 2)];
    let p = Record::new(
        "p_flat",
        "1",
        &axes,
        vec![0.5, 0.25, 1.0 / 3.0, -0.0, f64::MIN_POSITIVE, 1.0],
    )
    .unwrap();
    diagram
        .push(
            p.with_symbol("P_flat")
                .with_description("fraction of runs in the flat valley"),
        )
        .unwrap();
    diagram
        .push(
            Record::coordinate("learning_rate", "1", eta)
                .unwrap()
                .with_symbol("η"),
        )
        .unwrap();
    diagram
        .push(Record::coordinate("sigma", "1", sigma).unwrap().with_symbol("σ"))
        .unwrap();
    let frozen = Record::new(
        "mean_freezing_y",
        "1",
        &axes,
        vec![1.0, f64::NAN, 3.0, f64::NAN, 5.0, 6.0],
    )
    .unwrap();
    diagram
        .push(frozen.with_missing("no run changed its valley"))
        .unwrap();
    file.push(diagram).unwrap();

    let mut kinds = Group::new("kinds").unwrap();
    let samples = ("sample", 4);
    kinds
        .push(Record::new("signed", "1", &[samples], vec![-1_i64, 0, i64::MAX, 7]).unwrap())
        .unwrap();
    kinds
        .push(Record::new("unsigned", "1", &[samples], vec![0_u64, u64::MAX, 1, 2]).unwrap())
        .unwrap();
    kinds
        .push(Record::new("is_flat", "1", &[samples], vec![true, false, false, true]).unwrap())
        .unwrap();
    let texts = ["", "η", "a b", "two\nlines"].map(String::from).to_vec();
    kinds
        .push(Record::new("label", "", &[samples], texts).unwrap())
        .unwrap();
    kinds.push(Record::scalar("barrier", "1", 0.25).unwrap()).unwrap();
    kinds
        .push(Record::scalar("model", "", "two_valley").unwrap())
        .unwrap();
    kinds
        .push(Record::new("nothing", "s", &[("none", 0)], Vec::<f64>::new()).unwrap())
        .unwrap();
    let routes = vec!["ensemble".to_string(), "transfer".to_string()];
    kinds
        .push(Record::coordinate("route", "", routes).unwrap())
        .unwrap();
    kinds
        .push(Record::new("by_route", "1", &[("route", 2), samples], vec![0.5; 8]).unwrap())
        .unwrap();
    file.push(kinds).unwrap();

    let mut big = Group::new("sweep/cell_3").unwrap();
    let x: Vec<f64> = (0..300).map(|i| i as f64 * 0.01).collect();
    let density: Vec<f64> = (0..90_000)
        .map(|i| (-(f64::from(i) * 1e-4).powi(2)).exp())
        .collect();
    big.push(Record::coordinate("x", "1", x).unwrap()).unwrap();
    big.push(Record::new("density", "1", &[("time", 300), ("x", 300)], density).unwrap())
        .unwrap();
    file.push(big).unwrap();
    file.push(Group::new("sweep").unwrap()).unwrap();
    file
}

fn message(error: Error) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

#[test]
fn a_file_reads_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.h5");
    let file = everything();
    write(&path, &file).unwrap();
    let back = read(&path).unwrap();
    assert_eq!(back, file);
    let names: Vec<&str> = back.groups().iter().map(Group::name).collect();
    assert_eq!(names, ["phase_diagram", "kinds", "sweep", "sweep/cell_3"]);
    // Negative control: one bit of one number is seen.
    let mut other = ResultFile::new();
    let mut group = Group::new("phase_diagram").unwrap();
    group.push(Record::scalar("zero", "1", -0.0).unwrap()).unwrap();
    other.push(group).unwrap();
    write(&path, &other).unwrap();
    let zero = read(&path).unwrap();
    assert_ne!(
        zero.record("phase_diagram/zero").unwrap().values(),
        &Values::Float(vec![0.0])
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.h5"), folder.path().join("b.h5"));
    write(&first, &everything()).unwrap();
    // HDF5 stores times in seconds: wait until the clock shows another one.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    write(&second, &everything()).unwrap();
    assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap());
}

#[test]
fn shapes_names_and_missing_values_are_checked() {
    let mismatch = Record::new("a", "1", &[("x", 2), ("y", 3)], vec![0.0; 5]).unwrap_err();
    assert_eq!(
        mismatch,
        Error::DimensionMismatch {
            name: "a".into(),
            expected: 6,
            got: 5
        }
    );
    assert!(Record::new("a", "1", &[("x", 2), ("x", 2)], vec![0.0; 4]).is_err());
    for bad in ["", "a b", "1a", "a/b", "ä"] {
        assert!(
            message(Record::scalar(bad, "1", 0.0).unwrap_err()).contains("letters, digits and underscores")
        );
    }
    assert!(Group::new("a//b").is_err() && Group::new("/a").is_err());

    let mut group = Group::new("g").unwrap();
    for value in [f64::NAN, f64::INFINITY] {
        let error = group.push(Record::scalar("v", "1", value).unwrap()).unwrap_err();
        assert!(
            matches!(&error, Error::NotFinite { quantity, .. } if quantity == "g/v"),
            "{error}"
        );
    }
    group
        .push(
            Record::scalar("v", "1", f64::NAN)
                .unwrap()
                .with_missing("not defined"),
        )
        .unwrap();
    let infinite = Record::scalar("w", "1", f64::INFINITY)
        .unwrap()
        .with_missing("not defined");
    assert!(group.push(infinite).is_err());
    assert!(group.set_attribute("a", f64::NAN).is_err());
    assert!(group.set_attribute("description", "x").is_err());

    group
        .push(Record::new("a", "1", &[("x", 2)], vec![0.0; 2]).unwrap())
        .unwrap();
    let longer = Record::new("b", "1", &[("x", 3)], vec![0.0; 3]).unwrap();
    assert_eq!(
        group.push(longer).unwrap_err(),
        Error::DimensionMismatch {
            name: "dimension x of g/b".into(),
            expected: 2,
            got: 3
        }
    );
    assert!(
        group.push(Record::scalar("x", "1", 1.0).unwrap()).is_err(),
        "x is a dimension"
    );
    assert!(
        group
            .push(Record::new("c", "1", &[("v", 1)], 1.0).unwrap())
            .is_err(),
        "v is a scalar record"
    );
    assert!(
        group.push(Record::scalar("a", "1", 1.0).unwrap()).is_err(),
        "a exists"
    );

    let mut file = ResultFile::new();
    file.push(group).unwrap();
    assert!(file.push(Group::new("g").unwrap()).is_err());
    assert!(
        file.push(Group::new("g/a/deep").unwrap()).is_err(),
        "g/a is a record"
    );
    assert!(message(file.record("g/none").unwrap_err()).contains("g/none"));
}

#[test]
fn a_failed_write_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.h5");
    std::fs::write(&path, "precious").unwrap();
    let mut file = ResultFile::new();
    let mut group = Group::new("g").unwrap();
    group
        .push(Record::scalar("t", "", "NUL \0 is not storable").unwrap())
        .unwrap();
    file.push(group).unwrap();
    let error = message(write(&path, &file).unwrap_err());
    assert!(
        error.starts_with("cannot write ") && error.contains("old.h5") && error.contains("NUL"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = folder.path().join("no/such/folder.h5");
    assert!(message(write(&nowhere, &everything()).unwrap_err()).contains("No such file or directory"));
    assert!(message(write(folder.path(), &everything()).unwrap_err()).contains("directory"));
    // A regular file in place of the folder, refused for every user.
    assert!(matches!(
        write(path.join("x.h5"), &everything()),
        Err(Error::Output { .. })
    ));
}

#[test]
fn foreign_files_are_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let refused = |path: &Path, reason: &str| {
        let error = read(path).unwrap_err();
        assert!(matches!(error, Error::Input { .. }));
        let text = message(error);
        assert!(text.contains(reason), "{text} lacks {reason}");
    };
    refused(&at("missing.h5"), "No such file");
    refused(folder.path(), "is not a freezeout result file: it is a directory");
    std::fs::write(at("empty.h5"), "").unwrap();
    refused(&at("empty.h5"), "is not a freezeout result file: it is empty");
    std::fs::write(at("text.h5"), "learning_rate = 0.1\n").unwrap();
    refused(
        &at("text.h5"),
        "is not a freezeout result file: it is not in HDF5 format",
    );

    write(at("good.h5"), &everything()).unwrap();
    let bytes = std::fs::read(at("good.h5")).unwrap();
    for length in [9, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(at("cut.h5"), &bytes[..length]).unwrap();
        refused(&at("cut.h5"), "is not a freezeout result file: it is damaged");
    }
    let foreign = hdf5::File::create(at("made.h5")).unwrap();
    foreign.new_dataset::<f64>().shape(3).create("a").unwrap();
    foreign.close().unwrap();
    // a copy: a process that another test has just begun may still hold the lock of the file itself
    std::fs::copy(at("made.h5"), at("foreign.h5")).unwrap();
    // Only what carries a digest is opened in this process without being asked to.
    refused(&at("foreign.h5"), "it carries no digest");
    let refused = |path: &Path, reason: &str| {
        let text = message(read_unsealed(path).unwrap_err());
        assert!(text.contains(reason), "{text} lacks {reason}");
    };
    refused(
        &at("foreign.h5"),
        "is not a freezeout result file: it is an HDF5 file of another program",
    );
    // copies, as above
    std::fs::copy(at("good.h5"), at("changed.h5")).unwrap();
    let newer = hdf5::File::open_rw(at("changed.h5")).unwrap();
    newer
        .attr("format_version")
        .unwrap()
        .write_scalar(&99_i64)
        .unwrap();
    newer.close().unwrap();
    std::fs::copy(at("changed.h5"), at("newer.h5")).unwrap();
    refused(&at("newer.h5"), "format_version 99, this program reads 1");
}

/// The attributes that the CF conventions want and a dataset lacks.
fn lacking(dataset: &hdf5::Dataset) -> Vec<&'static str> {
    let text = |name: &str| {
        let attribute = dataset.attr(name).ok()?;
        Some(attribute.read_scalar::<VarLenUnicode>().ok()?.to_string())
    };
    let mut lacking = Vec::new();
    // UDUNITS knows these.
    if !text("units").is_some_and(|units| ["1", "s"].contains(&units.as_str())) {
        lacking.push("units");
    }
    if text("long_name").is_none_or(|name| name.is_empty()) {
        lacking.push("long_name");
    }
    let fill = dataset.attr("_FillValue").and_then(|a| a.read_raw::<f64>());
    if text("missing").is_some() != fill.is_ok_and(|fill| fill.len() == 1 && fill[0].is_nan()) {
        lacking.push("_FillValue");
    }
    let is_scale = dataset.attr("CLASS").is_ok();
    if !dataset.shape().is_empty() && !is_scale && dataset.attr("DIMENSION_LIST").is_err() {
        lacking.push("DIMENSION_LIST");
    }
    lacking
}

fn datasets(place: &hdf5::Group) -> Vec<hdf5::Dataset> {
    let groups = place.groups().unwrap();
    let below = groups.iter().flat_map(datasets);
    place.datasets().unwrap().into_iter().chain(below).collect()
}

#[test]
fn every_dataset_follows_the_cf_conventions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.h5");
    write(&path, &everything()).unwrap();
    let file = hdf5::File::open(&path).unwrap();
    let conventions = file.attr("Conventions").unwrap();
    let conventions: VarLenUnicode = conventions.read_scalar().unwrap();
    assert_eq!(conventions.as_str(), "CF-1.11");
    let all = datasets(&file);
    // 15 records and the three dimensions without a coordinate
    assert_eq!(all.len(), 18);
    for dataset in all {
        assert_eq!(lacking(&dataset), [""; 0], "{}", dataset.name());
    }
    // Negative control: a file of version 1 lacks them.
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version_1/well.h5");
    let all = datasets(&hdf5::File::open(old).unwrap());
    assert!(all.len() > 70 && all.iter().all(|dataset| lacking(dataset).contains(&"long_name")));
}

#[test]
fn h5dump_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.h5");
    write(&path, &everything()).unwrap();
    let dump = |arguments: &[&str]| {
        let _none_writes = STARTS.write().unwrap_or_else(PoisonError::into_inner);
        let output = Command::new("h5dump").args(arguments).arg(&path).output();
        let output = output.expect("h5dump is needed for this test: install the package hdf5-tools");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let p = dump(&["-m", "%.17g", "-d", "/phase_diagram/p_flat"]);
    assert!(
        p.contains("(0,1): 0.25,") && p.contains("(1,0): 0.33333333333333331,"),
        "{p}"
    );
    assert!(
        p.contains("(0): \"fraction of runs in the flat valley\"") && p.contains("(1): \"sigma\""),
        "{p}"
    );
    assert!(
        p.contains("\"/phase_diagram/sigma\")"),
        "the dimension list points to sigma: {p}"
    );
    let density = dump(&["-p", "-H", "-d", "/sweep/cell_3/density"]);
    assert!(
        density.contains("COMPRESSION DEFLATE") && density.contains("PREPROCESSING SHUFFLE"),
        "{density}"
    );
    let sigma = dump(&["-A", "-d", "/phase_diagram/sigma"]);
    let class = sigma.split("ATTRIBUTE \"NAME\"").next().unwrap();
    // Programs in C recognise a scale only with this type of CLASS.
    assert!(
        class.contains("STRPAD H5T_STR_NULLTERM") && class.contains("\"DIMENSION_SCALE\""),
        "{sigma}"
    );
    assert!(dump(&["-A"]).contains("learning_rate = 0.01"));
}

#[test]
fn summary_shows_the_tree_and_json_the_numbers() {
    let file = everything();
    let text = summary(&file, 100);
    for line in [
        "seed: -9223372036854775808\n",
        "/phase_diagram: P_flat over learning rate and σ\n",
        "  runs: 2000\n",
        "  learning_rate [learning_rate 3] float64 = [1e-3, 0.01, 0.1]\n",
        "      P_flat; fraction of runs in the flat valley\n",
        "      NaN: no run changed its valley\n",
        "/sweep/cell_3\n",
        "  density [time 300, x 300] float64 = ",
        "  is_flat [sample 4] bool = [true, false, false, true]\n",
        "  nothing [none 0] float64, unit s = []\n",
        "  barrier float64 = 0.25\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    let json = to_json(&file);
    assert_eq!(
        json["groups"]["phase_diagram"]["records"]["p_flat"]["values"][1][0],
        1.0 / 3.0
    );
    assert!(json["groups"]["phase_diagram"]["records"]["mean_freezing_y"]["values"][0][1].is_null());
    assert_eq!(
        json["groups"]["kinds"]["records"]["unsigned"]["values"][1],
        u64::MAX
    );
    assert_eq!(
        json["groups"]["kinds"]["records"]["model"]["values"],
        "two_valley"
    );
    assert_eq!(json["attributes"]["seed"], i64::MIN);
    assert!(matches!(file.attributes()["tolerance"], Attribute::Float(_)));
}

/// A group that the first cell lacks is stacked with its coordinate along an index, as no record may have the name of one of several dimensions.
#[test]
fn a_group_that_some_cells_lack_keeps_its_coordinate() {
    let empty = Group::new("routes/planar").unwrap();
    let mut full = empty.clone();
    full.push(Record::coordinate("noise_strength", "1", vec![1e-3, 2e-3]).unwrap())
        .unwrap();
    full.push(Record::new("p_flat", "1", &[("noise_strength", 2)], vec![0.9, 0.95]).unwrap())
        .unwrap();
    let swept = Record::coordinate("swept_planar", "1", vec![0.0, 1.0]).unwrap();
    for order in [[&empty, &full], [&full, &empty]] {
        let stacked = stack(std::slice::from_ref(&swept), &order).unwrap();
        for record in stacked
            .records()
            .iter()
            .filter(|record| record.dimensions().len() > 1)
        {
            assert!(
                record.dimensions().iter().all(|d| d.name != record.name()),
                "{record:?}"
            );
        }
        let mut file = ResultFile::new();
        file.push(stacked).unwrap();
        let sweep = cells(&file).unwrap();
        for (k, group) in order.iter().enumerate() {
            assert_eq!(sweep.cell(k).unwrap().groups(), [(*group).clone()]);
        }
    }
}
