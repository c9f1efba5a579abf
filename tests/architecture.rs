//! The dependency order of the modules and the absence of circles, read from every path in their sources.
#![allow(clippy::unwrap_used, clippy::panic)] // also in functions that tests share

mod module_graph;

use module_graph::{Graph, Sources};
use std::fs;
use std::path::Path;

/// A module may use only what stands in an earlier row; modules of one row do not see each other.
const ORDER: [&[&str]; 25] = [
    &["error"],
    &["math"],
    &["linalg", "statistics"],
    &["landscape"],
    &["noise"],
    &["diffusion"],
    &["region"],
    &["grid"],
    &["generator", "transfer"],
    // Independent routes: their agreement is evidence only as long as they share no code.
    &["observables", "rates", "path", "ensemble"],
    &["escape", "freezing", "rare_events"],
    &["network"],
    &["output"],
    &["plot"],
    &["setting"],
    &["task"],
    &["two_valleys"],
    &["questions"],
    &["config"],
    &["judgement"],
    &["run"],
    &["lib"],
    // Modules of the program.
    &["terminal"],
    &["drawing", "shown_progress", "unsealed"],
    &["main"],
];

fn row(module: &str) -> usize {
    ORDER
        .iter()
        .position(|row| row.contains(&module))
        .unwrap_or_else(|| panic!("module {module} has no place in the order"))
}

/// `linalg/eigen.rs` belongs to `linalg`.
fn top(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// One sentence for every edge against the order.
fn wrong_edges(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, used) in &graph.edges {
        for (other, path) in used {
            let (module, below) = (top(file), top(other));
            if module != below && row(below) >= row(module) {
                wrong.push(format!(
                    "{file} uses {path} of {other}, and {below} does not stand before {module}"
                ));
            }
        }
    }
    wrong
}

/// One sentence for every strongly connected component.
fn circles(graph: &Graph) -> Vec<String> {
    graph
        .circles()
        .into_iter()
        .map(|(component, shortest)| {
            let steps: Vec<String> = shortest
                .windows(2)
                .map(|step| {
                    format!(
                        "  {} uses {} of {}",
                        step[0], graph.edges[&step[0]][&step[1]], step[1]
                    )
                })
                .collect();
            format!(
                "{} files use each other in a circle: {}\n{}",
                component.len(),
                component.into_iter().collect::<Vec<_>>().join(", "),
                steps.join("\n")
            )
        })
        .collect()
}

fn collect(folder: &Path, below: &str, found: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else if name.ends_with(".rs") {
            found.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn this_crate() -> Graph {
    let mut sources = Sources::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        "",
        &mut sources,
    );
    let graph = Graph::read(&sources);
    for file in sources.keys().filter(|file| !file.ends_with("_tests.rs")) {
        assert!(graph.edges.contains_key(file), "no module is {file}");
    }
    let edges: usize = graph.edges.values().map(|used| used.len()).sum();
    assert!(
        graph.edges.len() > 100 && edges > 400,
        "the reader saw only {} files and {edges} edges",
        graph.edges.len()
    );
    graph
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let wrong = wrong_edges(&this_crate());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_uses_itself_through_others() {
    let circles = circles(&this_crate());
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

fn tree(files: &[(&str, &str)]) -> Graph {
    Graph::read(&files.iter().map(|(f, t)| ((*f).into(), (*t).into())).collect())
}

fn uses(graph: &Graph, file: &str) -> Vec<String> {
    graph.edges[file].keys().cloned().collect()
}

#[test]
fn a_clean_tree_with_re_exports_passes() {
    let graph = tree(&[
        (
            "lib.rs",
            "pub mod error; pub mod math; pub mod grid; pub use error::{Error, Result};",
        ),
        (
            "main.rs",
            "use freezeout::grid::Grid; fn main() { freezeout::math::norm(); }",
        ),
        (
            "error.rs",
            "pub enum Error { EmptySet } pub type Result<T> = std::result::Result<T, Error>;",
        ),
        (
            "math/mod.rs",
            "mod point; mod norm; pub use norm::norm; pub use point::*;",
        ),
        ("math/point.rs", "pub struct Point<const D: usize>;"),
        (
            "math/norm.rs",
            "use super::Point; pub fn norm(p: &Point<1>) -> f64 { 0.0 }",
        ),
        (
            "grid/mod.rs",
            "//! See [`crate::output`].\nmod axis;\nmod cells;\npub(crate) use axis::Axis;\npub use cells::Grid;",
        ),
        ("grid/axis.rs", "pub struct Axis;"),
        (
            "grid/cells.rs",
            "use super::{\n    axis::{self, Axis as Line},\n};\nuse crate::{math::{Point, norm as length}, Error};\n\
             // crate::freezing::a\n/* super::super::output /* nested */ */\n\
             pub struct Grid(Line, Point<1>);\n\
             const TEXT: &str = \"use crate::freezing::B;\"; const RAW: &str = r#\"crate::\"x::y\"#; const C: char = '\"';\n\
             fn f<'a>(x: &'a Grid) -> crate::Result<f64> { axis::Axis; Err(crate::Error::EmptySet) }\n\
             #[cfg(test)]\nmod tests { use crate::freezing::X; use super::*; }",
        ),
    ]);
    assert!(circles(&graph).is_empty(), "{:?}", circles(&graph));
    assert!(wrong_edges(&graph).is_empty(), "{:?}", wrong_edges(&graph));
    assert_eq!(
        uses(&graph, "grid/cells.rs"),
        ["error.rs", "grid/axis.rs", "math/norm.rs", "math/point.rs"]
    );
    assert_eq!(uses(&graph, "main.rs"), ["grid/cells.rs", "math/norm.rs"]);
    assert_eq!(uses(&graph, "math/norm.rs"), ["math/point.rs"]);
    for file in [
        "lib.rs",
        "grid/mod.rs",
        "math/mod.rs",
        "math/point.rs",
        "grid/axis.rs",
    ] {
        assert!(uses(&graph, file).is_empty(), "{file}: {:?}", uses(&graph, file));
    }
}

#[test]
fn an_edge_against_the_order_is_seen() {
    for wrong in [
        "use crate::freezing::Walk;",
        "use crate::{error::Error, freezing::{self, Walk as W}};",
        "pub use crate::freezing::Walk;",
        "use super::super::freezing::*;",
        "fn f() { crate::freezing::walk(); }",
        "fn f() -> super::super::freezing::Walk { todo!() }",
        "use crate::freezing; fn f() { freezing::walk(); }",
    ] {
        let graph = tree(&[
            ("lib.rs", "mod error; mod grid; mod freezing;"),
            ("error.rs", "pub struct Error;"),
            ("grid/mod.rs", "mod axis;"),
            ("grid/axis.rs", wrong),
            ("freezing/mod.rs", "mod walk; pub use walk::{Walk, walk};"),
            ("freezing/walk.rs", "pub struct Walk; pub fn walk() {}"),
        ]);
        let found = wrong_edges(&graph);
        // A glob of names that nobody uses is no edge.
        assert_eq!(
            found.len(),
            usize::from(!wrong.contains('*')),
            "{wrong}: {found:?}"
        );
        for sentence in found {
            assert!(sentence.starts_with("grid/axis.rs uses "), "{sentence}");
            assert!(sentence.contains("of freezing/walk.rs"), "{sentence}");
        }
    }
}

#[test]
fn independent_routes_must_not_see_each_other() {
    let routes = ["observables", "rates", "path", "ensemble"];
    for from in routes {
        for to in routes.into_iter().filter(|to| *to != from) {
            let user = format!("use crate::{to}::number;");
            let graph = tree(&[
                ("lib.rs", &format!("mod {from}; mod {to};")),
                (&format!("{from}.rs"), &user),
                (&format!("{to}.rs"), "pub fn number() -> f64 { 1.0 }"),
            ]);
            assert_eq!(wrong_edges(&graph).len(), 1, "{from} -> {to}");
        }
    }
}

#[test]
fn two_files_that_use_each_other_through_super_are_a_circle() {
    let graph = tree(&[
        ("lib.rs", "mod path;"),
        ("path/mod.rs", "mod action; mod newton;"),
        (
            "path/action.rs",
            "pub fn action() -> f64 { super::newton::newton() }",
        ),
        (
            "path/newton.rs",
            "use super::action::action; pub fn newton() -> f64 { action() }",
        ),
    ]);
    assert_eq!(
        circles(&graph),
        [
            "2 files use each other in a circle: path/action.rs, path/newton.rs\n\
          \x20 path/action.rs uses super::newton::newton of path/newton.rs\n\
          \x20 path/newton.rs uses super::action::action of path/action.rs"
        ]
    );
}

#[test]
fn three_files_over_re_exports_are_a_circle() {
    let graph = tree(&[
        ("lib.rs", "pub mod grid; pub use grid::Grid;"),
        (
            "grid/mod.rs",
            "mod axis; mod cell; mod set; pub use axis::Axis; pub use cell::*; pub use set::Set as CellSet;",
        ),
        (
            "grid/axis.rs",
            "use crate::grid::Cell; pub struct Axis(Cell); pub struct Grid;",
        ),
        ("grid/cell.rs", "use super::CellSet; pub struct Cell(CellSet);"),
        (
            "grid/set.rs",
            "pub struct Set; impl Set { fn of(a: &self::super::Axis) {} }",
        ),
    ]);
    let found = graph.circles();
    assert_eq!(found.len(), 1, "{:?}", graph.edges);
    let names: Vec<&str> = found[0].0.iter().map(String::as_str).collect();
    assert_eq!(names, ["grid/axis.rs", "grid/cell.rs", "grid/set.rs"]);
    assert_eq!(found[0].1.len(), 4);
}

#[test]
fn a_module_and_the_child_that_needs_it_are_a_circle() {
    for parent in [
        "mod kernel; pub struct Step; use kernel::Kernel; fn f(k: Kernel) {}",
        "mod kernel; pub struct Step; pub use kernel::Kernel; fn f(k: Kernel) {}",
        "mod kernel; pub struct Step; fn f(k: kernel::Kernel) {}",
        "mod kernel; pub struct Step; pub use self::kernel::*; fn f(k: &Kernel) {}",
        "mod kernel; pub struct Step; pub use kernel::kernel; fn f() { kernel(); }",
    ] {
        let graph = tree(&[
            ("lib.rs", "mod transfer;"),
            ("transfer/mod.rs", parent),
            (
                "transfer/kernel.rs",
                "use super::Step; pub struct Kernel(Step); pub fn kernel() {}",
            ),
        ]);
        assert_eq!(graph.circles().len(), 1, "{parent}: {:?}", graph.edges);
    }
    // Handing the child out is no use of it.
    let graph = tree(&[
        ("lib.rs", "mod transfer;"),
        (
            "transfer/mod.rs",
            "mod kernel; pub struct Step; pub use kernel::Kernel;",
        ),
        ("transfer/kernel.rs", "pub struct Kernel(super::Step);"),
    ]);
    assert!(graph.circles().is_empty());
}

#[test]
fn an_item_that_a_macro_makes_is_found() {
    let graph = tree(&[
        ("lib.rs", "mod task; mod run;"),
        (
            "task.rs",
            "macro_rules! keys { ($name:ident) => { pub struct $name; } }\nkeys! { Keys }",
        ),
        ("run.rs", "use crate::task::Keys; fn f(keys: Keys) {}"),
    ]);
    assert_eq!(uses(&graph, "run.rs"), ["task.rs"]);
}

#[test]
#[should_panic(expected = "nothing found behind crate::grid::Gird")]
fn a_path_that_leads_nowhere_is_not_passed_over() {
    tree(&[
        ("lib.rs", "mod grid; use crate::grid::Gird;"),
        ("grid.rs", "pub struct Grid;"),
    ]);
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
