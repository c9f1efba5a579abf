//! From a formula in a configuration to rates in a result file.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{covered, number, refused_by_command, run};

/// L = (x² − 1)²/4, D = 0.1: mean time from −1 to 1, by quadrature to all digits.
const TIME: f64 = 66.268_626_364_9;
/// Smallest non-zero eigenvalue of the same problem.
const GAP: f64 = 0.033_545_287_308;

const LINE: &str = r#"
name = "double_well"
landscape.loss = "barrier*(x^2 - 1)^2"
landscape.parameters = { barrier = 0.25 }
landscape.variables = ["x"]
noise = { model = "isotropic", strength = 0.1 }
region.domain = [[-2.5, 2.5]]
[escape]
cells = [800]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { half_space = { normal = [1.0], offset = 1.0 } }
"#;

const PLANE: &str = r#"
name = "plane"
landscape.loss = "(x^2 - 1)^2/4 + y^2/2"
landscape.variables = ["x", "y"]
noise = { model = "isotropic", strength = 0.1 }
region.domain = [[-2.2, 2.2], [-1.8, 1.8]]
[escape]
cells = [44, 18]
start = { ball = { centre = [-1.0, 0.0], radius = 0.0 } }
target = { half_space = { normal = [1.0, 0.0], offset = 1.0 } }
"#;

/// The plane turned by 0.5 rad, with D = 0.1 along the wells and 0.05 across: the motion along them is the same.
const TURNED: &str = r#"
name = "turned"
landscape.loss = "((c*x + s*y)^2 - 1)^2/4 + (c*y - s*x)^2/2"
landscape.parameters = { c = 0.8775825618903728, s = 0.479425538604203 }
landscape.variables = ["x", "y"]
noise = { tensor = [[0.08850755764, 0.02103677462], [0.02103677462, 0.06149244236]] }
region.domain = [[-2.4, 2.4], [-2.0, 2.0]]
[escape]
cells = [48, 40]
start = { ball = { centre = [-0.8775825618903728, -0.479425538604203], radius = 0.3 } }
target = { half_space = { normal = [0.8775825618903728, 0.479425538604203], offset = 1.0 } }
"#;

#[test]
fn the_double_well_on_a_line() {
    for text in [
        LINE.to_string(),
        LINE.replace(
            "{ half_space = { normal = [1.0], offset = 1.0 } }",
            "{ expression = \"x > 1\" }",
        ),
        LINE.replace(
            "{ model = \"isotropic\", strength = 0.1 }",
            "{ tensor = [[\"0.4*barrier\"]] }",
        ),
    ] {
        let file = run(&text);
        // The references have 12 and 11 digits.
        let (time, _) = covered(&file, "mean_first_passage_time", TIME);
        assert!((time / TIME - 1.0).abs() < 1e-8);
        let (gap, _) = covered(&file, "spectral_gap", GAP);
        assert!((gap / GAP - 1.0).abs() < 1e-8);
        let density = file
            .record("escape/fields/stationary_density")
            .unwrap()
            .numbers()
            .unwrap();
        assert_eq!(
            density.len(),
            file.record("escape/fields/x").unwrap().numbers().unwrap().len()
        );
        // Φ = L/D: from the bottom to the barrier 0.25/0.1.
        let potential = file
            .record("escape/fields/effective_potential")
            .unwrap()
            .numbers()
            .unwrap();
        let middle = potential[density.len() / 2];
        assert!((middle - 2.5).abs() < 1e-4, "{middle}");
    }
}

#[test]
fn a_set_of_starts_gives_a_committor_that_is_half_on_the_barrier() {
    let text = LINE.replace("radius = 0.0", "radius = 0.25").replace(
        "{ half_space = { normal = [1.0], offset = 1.0 } }",
        "{ box = { lower = [0.75], upper = [1.25] } }",
    );
    let file = run(&text);
    let q = file.record("escape/fields/committor").unwrap().numbers().unwrap();
    let x = file.record("escape/fields/x").unwrap().numbers().unwrap();
    let right = x.iter().position(|&x| x > 0.0).unwrap();
    // The problem is odd in x, and so is the grid.
    assert!((0.5 * (q[right] + q[right - 1]) - 0.5).abs() < 1e-9);
    assert!(number(&file, "mean_first_passage_time_error") < 1e-5 * number(&file, "mean_first_passage_time"));
}

#[test]
fn the_plane_and_turned_axes_give_the_same_rates_within_their_errors() {
    let plane = run(PLANE);
    let (_, error) = covered(&plane, "mean_first_passage_time", TIME);
    assert!(error < 1e-2 * TIME);
    let (_, error) = covered(&plane, "spectral_gap", GAP);
    assert!(error < 1e-2 * GAP);
    let turned = run(TURNED);
    let (_, error) = covered(&turned, "spectral_gap", GAP);
    assert!(error < 2e-2 * GAP);
    assert_eq!(number(&turned, "slow_mode_frequency"), 0.0);
    // Another tensor is another problem: the stated error must not cover it.
    let strong = run(&PLANE.replace("strength = 0.1", "strength = 0.11"));
    let (value, error) = (
        number(&strong, "spectral_gap"),
        number(&strong, "spectral_gap_error"),
    );
    assert!((value - GAP).abs() > error);
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let target = "{ half_space = { normal = [1.0], offset = 1.0 } }";
    let isotropic = "{ model = \"isotropic\", strength = 0.1 }";
    let cases: [(&str, &str, &str, &[&str]); 14] = [
        (
            LINE,
            "barrier*(x^2",
            "barier*(x^2",
            &["character 1", "barier", "barrier"],
        ),
        (LINE, "(x^2 - 1)^2", "(x^2 - 1^2", &["character 19", "')'"]),
        (
            LINE,
            "(x^2 - 1)^2",
            "ln(x + 2)",
            &["landscape.loss", "not finite", "(-2.49"],
        ),
        (LINE, isotropic, "{ tensor = [[\"x\"]] }", &["positive", "(-2.49"]),
        (
            PLANE,
            isotropic,
            "{ tensor = [[1.0, 2.0], [2.0, 1.0]] }",
            &["positive", "eigenvalues", "-1"],
        ),
        (
            PLANE,
            isotropic,
            "{ tensor = [[1.0, 0.0], [0.5, 1.0]] }",
            &["symmetric"],
        ),
        (
            LINE,
            target,
            "{ expression = \"x > -2\" }",
            &["target covers the start"],
        ),
        (PLANE, "radius = 0.0", "radius = 3.0", &["overlap"]),
        (LINE, target, "{ expression = \"x > 7\" }", &["target", "empty"]),
        (
            LINE,
            "region.domain",
            "region.sublevel = 0.1\nregion.domain",
            &["cannot be reached"],
        ),
        (LINE, "cells = [800]", "cells = [0]", &["cells"]),
        (LINE, "[[-2.5, 2.5]]", "[[2.5, -2.5]]", &["region.domain"]),
        (LINE, "strength = 0.1", "strenght = 0.1", &["strenght"]),
        (
            LINE,
            "variables = [\"x\"]",
            "variables = [\"x\", \"y\", \"z\"]",
            &["landscape.variables"],
        ),
    ];
    for (text, from, to, wanted) in cases {
        assert!(text.contains(from), "{from}");
        refused_by_command(&text.replacen(from, to, 1), wanted);
    }
}

#[test]
fn mueller_brown_runs_below_a_level() {
    let file = run(r#"
name = "mueller_brown"
landscape = { model = "mueller_brown", variables = ["x", "y"] }
noise = { model = "isotropic", strength = 10.0 }
region.domain = [[-1.8, 1.4], [-0.7, 2.3]]
region.sublevel = 250.0
[escape]
cells = [32, 30]
start = { ball = { centre = [-0.558, 1.441], radius = 0.1 } }
target = { ball = { centre = [0.623, 0.028], radius = 0.1 } }
"#);
    let names = ["mean_first_passage_time", "escape_rate", "spectral_gap"];
    // In a metastable state the time to leave and the rate of leaving are each other's inverse.
    let product = number(&file, names[0]) * number(&file, names[1]);
    assert!((product - 1.0).abs() < 0.05, "{product}");
    let time = (
        number(&file, names[0]),
        number(&file, "mean_first_passage_time_error"),
    );
    assert!(time.1 < 0.1 * time.0, "{time:?}");
    let q = file.record("escape/fields/committor").unwrap().numbers().unwrap();
    assert!(q.iter().any(|v| v.is_nan()) && q.iter().all(|v| v.is_nan() || (0.0..=1.0 + 1e-12).contains(v)));
}

#[cfg(feature = "figures")]
#[test]
fn laws_in_time_are_drawn() {
    let file = run(r#"
name = "times"
[landscape]
loss = "barrier*(x^2 - 1)^2"
parameters = { barrier = 0.25 }
[noise]
model = "isotropic"
strength = 0.1
[region]
domain = [[-2.5, 2.5]]
[escape]
cells = [60]
start = { ball = { centre = [-1.0], radius = 0.0 } }
target = { expression = "x > 1" }
first_passage_times = [10.0, 50.0, 200.0]
density_times = [0.5, 2.0, 10.0, 50.0, 100.0, 200.0, 400.0]
"#);
    let figure = freezeout::questions::escape::figure(&file).unwrap();
    let drawn = freezeout::plot::svg(&figure).unwrap();
    let has = |label: &str| drawn.contains(&format!("aria-label=\"{label}\""));
    for label in [
        "survival *S*(*t*)",
        "density in time *p*(*t*)",
        "*t* = 0.5",
        "*t* = 400",
    ] {
        assert!(has(label), "{label}");
    }
    // Six of seven times from the first to the last, so that the lines can be told apart.
    assert!(!has("*t* = 200"));
}
