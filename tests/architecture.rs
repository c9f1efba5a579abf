//! The dependency order of the modules, read from their sources.
#![allow(clippy::unwrap_used, clippy::panic)] // also in functions that tests share

use std::fs;
use std::path::{Path, PathBuf};

/// A module may use only what stands before it; modules of one row do not see each other, except where `WITHIN` says so.
const ORDER: [&[&str]; 15] = [
    &["error"],
    &["math"],
    &["linalg", "statistics"],
    &["landscape"],
    &["noise"],
    &["diffusion"],
    &["grid"],
    &["generator", "transfer"],
    // Independent routes: their agreement is evidence only as long as they do not share code.
    &["observables", "rates", "path", "ensemble"],
    &["freezing"],
    &["output"],
    &["figure"],
    &["experiment"],
    &["lib"],
    &["main"],
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn level(module: &str) -> usize {
    ORDER
        .iter()
        .position(|row| row.contains(&module))
        .unwrap_or_else(|| panic!("module {module} has no place in the order"))
}

/// Modules named behind `crate::` outside comments.
fn uses(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let name = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = &list[..list.find('}').unwrap_or(list.len())];
            found.extend(list.split(',').map(|part| name(part.trim())));
        } else {
            found.push(name(rest));
        }
    }
    // Re-exports of the crate root.
    found
        .into_iter()
        .map(|m| {
            if m == "Error" || m == "Result" {
                "error".into()
            } else {
                m
            }
        })
        .collect()
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20);
    let mut edges = 0;
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = first.trim_end_matches(".rs");
        if module == "main" || module == "lib" {
            continue;
        }
        for used in uses(&fs::read_to_string(&file).unwrap()) {
            if used == module {
                continue;
            }
            edges += 1;
            assert!(
                level(&used) < level(module),
                "{} uses crate::{used}, which does not stand before {module}",
                relative.display()
            );
        }
    }
    assert!(edges > 50, "the reader of use paths found only {edges} edges");
}

#[test]
fn the_reader_of_use_paths_sees_a_wrong_edge() {
    let found = uses(
        "use crate::freezing::X;\nuse crate::{grid::Grid, output};\nlet x = crate::Error::EmptySet;\n// crate::comment",
    );
    assert_eq!(found, ["freezing", "grid", "output", "error"]);
    assert!(level("freezing") > level("grid"));
}

/// `tests/validation.rs` runs every folder of cases, so that none is left out as long as each is complete.
#[test]
fn validation_folders_are_complete() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = 0;
    for entry in fs::read_dir(root.join("validation")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for file in ["case.toml", "README.md"] {
                assert!(path.join(file).is_file(), "{} has no {file}", path.display());
            }
            cases += 1;
        }
    }
    assert!(cases > 0);
    let test = fs::read_to_string(root.join("tests/validation.rs")).unwrap();
    assert!(
        test.contains("validate(folder(),"),
        "no test runs the validation cases"
    );
}
