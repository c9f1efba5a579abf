//! What Stratonovich and Klimontovich mean where the axes of the noise turn: grid against simulations that never form the drift.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{field, number, run};

/// D = R(3x/2) diag(.15, .0375) R(3x/2)ᵀ in a double well.
fn turning(calculus: &str, more: &str) -> String {
    format!(
        r#"
name = "turning"
landscape.loss = "(x^2 - 1)^2/4 + y^2/2"
landscape.variables = ["x", "y"]
region.domain = [[-2.6, 2.6], [-2.4, 2.4]]
[noise]
tensor = [["m + h*cos(3*x)", "h*sin(3*x)"], ["h*sin(3*x)", "m - h*cos(3*x)"]]
calculus = "{calculus}"
[escape]
cells = [52, 48]
start = {{ ball = {{ centre = [-1.0, 0.0], radius = 0.0 }} }}
target = {{ half_space = {{ normal = [1.0, 0.0], offset = 0.5 }} }}
{more}
"#
    )
    .replace("m ", "0.09375 ")
    .replace("h*", "0.05625*")
}

const SIMULATION: &str = "[escape.simulation]\nruns = 4000\ntime_step = 0.02\n";

#[test]
fn grid_and_simulation_agree_on_each_calculus_and_not_across() {
    let mut times = Vec::new();
    for calculus in ["ito", "stratonovich", "klimontovich"] {
        let file = run(&turning(calculus, SIMULATION));
        let grid = number(&file, "mean_first_passage_time");
        let grid_error = number(&file, "mean_first_passage_time_error");
        let simulated = number(&file, "simulation/mean_first_passage_time");
        let error = number(&file, "simulation/mean_first_passage_time_standard_error");
        let z = (simulated - grid) / error.hypot(grid_error);
        // four standard errors
        assert!(
            z.abs() < 4.0,
            "{calculus}: {grid} ± {grid_error}, {simulated} ± {error}"
        );
        times.push((grid, simulated, error.hypot(grid_error)));
    }
    // Negative control: each reading is told from the others by its simulation.
    for (i, (grid, ..)) in times.iter().enumerate() {
        for (j, (_, simulated, error)) in times.iter().enumerate() {
            assert!(
                i == j || (simulated - grid).abs() > 6.0 * error,
                "{i} {j}: {times:?}"
            );
        }
    }
}

#[test]
fn anti_ito_is_a_name_for_one_variable_only() {
    let message = common::escape::refused(&turning("anti_ito", ""));
    assert!(message.contains("klimontovich"), "{message}");
    let line = |calculus: &str| {
        run(&format!(
            "name = \"line\"\nlandscape.loss = \"x^2/2\"\nlandscape.variables = [\"x\"]\nregion.domain = [[-9.0, 9.0]]\n\
             noise = {{ tensor = [[\"1 + 0.1*x^2\"]], calculus = \"{calculus}\" }}\n\
             [escape]\ncells = [60]\nstart = {{ ball = {{ centre = [0.0], radius = 0.0 }} }}\n\
             target = {{ half_space = {{ normal = [1.0], offset = 1.0 }} }}\n"
        ))
    };
    let time = |calculus: &str| number(&line(calculus), "mean_first_passage_time");
    assert!(time("anti_ito") == time("klimontovich") && time("ito") != time("klimontovich"));
}

#[test]
fn klimontovich_keeps_the_law_of_an_isothermal_mobility() {
    // b = −M ∇L and D = T M with T = 0.1: p ∝ exp(−L/T) whatever M(θ).
    let text = |calculus: &str, cells: usize| {
        turning(calculus, "")
            .replace(
                "landscape.loss = \"(x^2 - 1)^2/4 + y^2/2\"",
                "landscape.drift = [\"-10*((0.09375 + 0.05625*cos(3*x))*(x^3 - x) + 0.05625*sin(3*x)*y)\", \
                 \"-10*(0.05625*sin(3*x)*(x^3 - x) + (0.09375 - 0.05625*cos(3*x))*y)\"]",
            )
            .replace("cells = [52, 48]", &format!("cells = [{cells}, {cells}]"))
    };
    let distance = |calculus: &str, cells: usize| {
        let file = run(&text(calculus, cells));
        let (x, y, p) = (
            field(&file, "fields/x"),
            field(&file, "fields/y"),
            field(&file, "fields/stationary_density"),
        );
        let law = |x: f64, y: f64| (-10.0 * ((x * x - 1.0).powi(2) / 4.0 + y * y / 2.0)).exp();
        let cell = (x[1] - x[0]) * (y[1] - y[0]);
        let all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(|y| law(*x, *y))).collect();
        let total: f64 = all.iter().sum::<f64>() * cell;
        0.5 * cell
            * all
                .iter()
                .zip(&p)
                .map(|(a, b)| (a / total - b).abs())
                .sum::<f64>()
    };
    // second order: halved cells leave a quarter, of the calculus that has this law
    let (coarse, fine) = (distance("klimontovich", 16), distance("klimontovich", 32));
    assert!(fine < 0.3 * coarse && fine < 0.03, "{coarse} {fine}");
    let (coarse, fine) = (distance("stratonovich", 16), distance("stratonovich", 32));
    assert!(fine > 0.7 * coarse && fine > 0.03, "{coarse} {fine}");
}
