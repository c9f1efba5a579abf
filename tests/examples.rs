//! Every program in `examples/` runs, and what it prints is what is known.
#![allow(clippy::unwrap_used, clippy::panic)] // also in functions that tests share

use std::fs;
use std::path::Path;
use std::process::Command;

/// The numbers that end each row of the table under the header that ends with `known`.
fn table(example: &str) -> Vec<Vec<f64>> {
    // target/<profile>/deps/examples-<hash>
    let test = std::env::current_exe().unwrap();
    let program = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples")
        .join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&program).output().unwrap_or_else(|e| {
        panic!(
            "{}: {e}; cargo test without --test builds the examples",
            program.display()
        )
    });
    let (text, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(
        output.status.success() && errors.is_empty(),
        "{example}: {}\n{errors}",
        output.status
    );
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip_while(|line| !line.ends_with(" known"))
        .skip(1)
        .map(|line| {
            let mut numbers: Vec<f64> = line
                .split_whitespace()
                .rev()
                .map_while(|w| w.parse().ok())
                .collect();
            numbers.reverse();
            numbers
        })
        .collect();
    assert!(!rows.is_empty(), "{example} prints no table:\n{text}");
    rows
}

/// The last two numbers of each row agree within the relative `tolerances`.
fn assert_known(example: &str, tolerances: &[f64]) {
    let rows = table(example);
    assert_eq!(rows.len(), tolerances.len(), "{example}");
    for (row, tolerance) in rows.iter().zip(tolerances) {
        let [.., computed, known] = row[..] else {
            panic!("{example}: {row:?}");
        };
        assert!(
            (computed / known - 1.0).abs() <= *tolerance,
            "{example}: {computed} {known}"
        );
    }
}

/// Half a unit of the last of eight printed digits, on either side.
const PRINTED: f64 = 1e-8;

#[test]
fn kramers_double_well() {
    assert_known("kramers_double_well", &[PRINTED; 4]);
    let weakest = table("kramers_double_well").pop().unwrap();
    // (exact/Kramers − 1)/T tends to 3/2: 1.74 at T = 0.025.
    assert!((weakest[2] - 1.5).abs() < 0.3, "{weakest:?}");
}

#[test]
fn spectral_gap() {
    // The last two are known to nine and eight digits.
    assert_known("spectral_gap", &[1e-9, 1e-9, 1e-9, 1e-8, 1e-8]);
}

#[test]
fn two_valley_slice() {
    // Known to seven, six, nine and eight digits.
    assert_known("two_valley_slice", &[2e-7, 2e-6, 2e-9, 3e-8]);
}

#[test]
fn freezing() {
    let rows = table("freezing");
    assert_eq!(rows.len(), 4);
    for row in rows {
        // All printed digits of P_flat, and the known ones are rounded; y against the density along the path, which does not leave
        // out the lag of relaxation in the valleys.
        assert!(
            (row[1] - row[2]).abs() < 1.5e-4 && (row[3] / row[4] - 1.0).abs() < 1e-3,
            "{row:?}"
        );
    }
}

#[test]
fn sgd_ensemble() {
    let rows = table("sgd_ensemble");
    assert_eq!(rows.len(), 3);
    for row in rows {
        let [_, simulated, error, exact, known] = row[..] else {
            panic!("{row:?}");
        };
        // The known values are simulations with an error of 0.002.
        assert!((exact - known).abs() < 4.0 * 0.002, "{row:?}");
        // Three numbers out of a fixed seed: 4.5 standard errors are exceeded once in 50 000 seeds.
        assert!((simulated - exact).abs() < 4.5 * error, "{row:?}");
    }
}

#[test]
fn maier_stein() {
    // The action on the axis, the bent one as printed, a grid of second order, and a law for D → 0 at D = 0.05.
    assert_known("maier_stein", &[1e-6, 3e-6, 2e-3, 0.2]);
}

#[test]
fn user_formula() {
    let rows = table("user_formula");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let [error, computed, known] = row[..] else {
            panic!("{row:?}");
        };
        assert!((computed - known).abs() < 4.5 * error.max(1e-5), "{row:?}");
    }
}

#[test]
fn planar_escape() {
    let rows = table("planar_escape");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let [order, error, computed, known] = row[..] else {
            panic!("{row:?}");
        };
        // The stated error covers the known value, up to the digits printed, and is small.
        assert!(
            (computed - known).abs() <= error + 1e-9 && error < 1e-6 * known,
            "{row:?}"
        );
        assert!((order - 2.0).abs() < 0.01, "{row:?}");
    }
}

#[test]
fn no_example_is_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = fs::read_to_string(root.join(file!())).unwrap();
    let mut programs = 0;
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // for clusters: run by the tests of the Python package
            continue;
        }
        programs += 1;
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            tests.contains(&format!("(\"{name}\"")),
            "no test runs {}",
            path.display()
        );
        let text = fs::read_to_string(&path).unwrap();
        let steps = ["// Parameters", "// Problem", "// Solve", "// Print"].map(|step| text.find(step));
        assert!(
            steps.iter().all(Option::is_some) && steps.is_sorted(),
            "{}: {steps:?}",
            path.display()
        );
        assert!((15..=60).contains(&text.lines().count()), "{}", path.display());
    }
    assert_eq!(programs, 8);
}

/// The library section of the README is an example.
#[test]
fn the_readme_shows_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("examples/two_valley_slice.rs")).unwrap();
    let program = &text[text.find("use freezeout").unwrap()..];
    assert!(
        fs::read_to_string(root.join("README.md"))
            .unwrap()
            .contains(program)
    );
}
