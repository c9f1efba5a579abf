//! The static odds of the two valleys: which equation SGD obeys, and what of them belongs to the cusp.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::two_valleys::static_odds::StaticOddsResult;

/// Standard errors that a comparison may be off by.
const Z: f64 = 4.0;

fn odds(keys: &str) -> StaticOddsResult {
    StaticOddsResult::of(&run(&format!(
        "name = \"odds\"\n[landscape]\nmodel = \"two_valley\"\n[static_odds]\n{keys}"
    )))
    .unwrap()
}

#[test]
fn sgd_runs_into_the_ito_odds() {
    let found = odds(
        "y = [5.0, 3.0]\nnoise_strength = [1e-2, 5e-3]\nlearning_rate = [2.5e-4, 1e-3, 4e-3]\nsamples = 20000\nridge_width = []\n",
    );
    assert!(found.ridge.is_none());
    let (found, isotropic) = (found.odds, found.isotropic);
    let n = found.learning_rate.len();
    for k in 0..found.y.len() {
        assert!(
            (found.ratio_ito[k] - 1.514_793).abs() < 1e-6
                && (found.ratio_stratonovich[k] - 1.230_769).abs() < 1e-6
        );
        let part = k * n..(k + 1) * n;
        // the odds of the map, two orders of sqrt(η) taken off
        let [a, b, c] = found.ratio_transfer[part.clone()].try_into().unwrap();
        let (lines, errors): ([f64; 2], &[f64]) = (
            [2.0 * b - c, 2.0 * a - b],
            &found.ratio_transfer_error[part.clone()],
        );
        let limit: f64 = (4.0 * lines[1] - lines[0]) / 3.0;
        assert!((limit - found.ratio_ito[k]).abs() < 0.01, "{limit}");
        assert!(errors.iter().all(|error| *error < 1e-3), "{errors:?}");
        for j in part {
            let (sgd, sigma) = (found.ratio_sgd[j], found.ratio_sgd_standard_error[j]);
            assert!(
                (sgd - found.ratio_transfer[j]).abs() < Z * sigma,
                "{sgd} ± {sigma}, {}",
                found.ratio_transfer[j]
            );
            // not the potential that is continuous on the ridge, nor, where the step is small, Stratonovich
            let nearer = if j % n == 0 {
                found.ratio_stratonovich[k]
            } else {
                1.0
            };
            assert!(sgd - nearer > Z * sigma, "{sgd} ± {sigma}");
            let (p, sigma) = (isotropic.p_flat_sgd[j], isotropic.p_flat_sgd_standard_error[j]);
            assert!(
                (p - isotropic.p_flat_transfer[j]).abs() < Z * sigma,
                "{p} ± {sigma}"
            );
        }
        // x1/(x1 + x2), not γ/(1 + γ)
        let [a, b, c] = isotropic.p_flat_transfer[k * n..(k + 1) * n].try_into().unwrap();
        let limit: f64 = (4.0 * (2.0 * a - b) - (2.0 * b - c)) / 3.0;
        assert!((limit - 0.8 / 1.45).abs() < 1e-3, "{limit}");
    }
}

#[test]
fn a_rounded_ridge_goes_from_the_cusp_to_laplace() {
    let found = odds(
        "y = [5.0]\nnoise_strength = [1e-3]\nlearning_rate = [0.05]\nsamples = 4000\nridge_y = 5.0\nridge_noise_strength = 1e-3\nridge_width = [1e-4, 0.03, 0.3, 2.0]\nridge_learning_rate = 0.02\n",
    );
    let ridge = found.ridge.unwrap();
    let cusp = found.odds.odds_continuous[0] * found.odds.ratio_ito[0];
    assert!(
        (ridge.odds_integral[0] / cusp - 1.0).abs() < 2e-3,
        "{} {cusp}",
        ridge.odds_integral[0]
    );
    for k in 0..ridge.ridge_width.len() {
        let (exact, error) = (
            ridge.odds_integral[k],
            ridge.odds_integral_error[k] + ridge.odds_grid_error[k],
        );
        assert!(
            (ridge.odds_grid[k] - exact).abs() < error,
            "{} {exact} ± {error:e}",
            ridge.odds_grid[k]
        );
        let (sgd, sigma) = (ridge.odds_sgd[k], ridge.odds_sgd_standard_error[k]);
        assert!(
            (sgd - ridge.odds_transfer[k]).abs() < Z * sigma,
            "{sgd} ± {sigma}, {}",
            ridge.odds_transfer[k]
        );
    }
    // at a quarter of the learning rate more than half of the bias is left on a cusp, where it goes like sqrt(η), and a quarter where the ridge is wide
    // against a step
    let bias = |k: usize| {
        let [whole, quarter] = [ridge.odds_transfer[k], ridge.odds_transfer_quarter[k]]
            .map(|odds| odds - ridge.odds_integral[k]);
        whole / quarter
    };
    assert!((1.2..2.0).contains(&bias(0)), "{}", bias(0));
    assert!((3.4..4.6).contains(&bias(3)), "{}", bias(3));
    // the splitting leaves that of the cusp for that of a smooth ridge
    assert!(
        (ridge.splitting[0] - 0.569).abs() < 2e-3 && (ridge.splitting[3] - 0.5).abs() < 0.03,
        "{:?}",
        ridge.splitting
    );
}

#[test]
fn what_has_no_closed_form_is_refused() {
    let text = |noise: &str, keys: &str| {
        format!(
            "name = \"odds\"\n[landscape]\nmodel = \"two_valley\"\n[noise]\nmodel = \"hessian_power\"\n{noise}\n[static_odds]\n{keys}"
        )
    };
    for (noise, keys, wanted) in [
        ("floor = 0.1", "", "noise.floor"),
        ("", "y = [5.0]\n", "static_odds.y"),
        ("", "samples = 10\n", "static_odds.samples"),
        ("", "ridge_width = [4.0]\n", "ridge_width"),
        ("", "ridge_width = [-1.0]\n", "ridge_width"),
        ("", "learning_rate = [0.9]\n", "learning_rate"),
        ("", "noise_strength = [0.0, 1e-3, 1e-3]\n", "static_odds.y"),
        (
            "",
            "ridge_noise_strength = 0.0\n",
            "static_odds.ridge_noise_strength",
        ),
        ("", "ridge_learning_rate = 0.9\n", "ridge_learning_rate"),
        (
            "",
            "ridge_learning_rate = -0.1\n",
            "static_odds.ridge_learning_rate: -0.1",
        ),
    ] {
        let message = refused(&text(noise, keys));
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
}

#[test]
fn the_rounded_ridge_is_a_landscape_of_ones_own() {
    let text = |width: &str| {
        format!(
            r#"
name = "ridge"
[landscape]
model = "two_valley"
y = 5.0
variables = ["x"]
{width}
[noise]
model = "isotropic"
strength = 0.01
[region]
domain = [-0.8, 0.8]
[escape]
cells = 200
start = {{ ball = {{ centre = [-0.0929], radius = 0.0 }} }}
target = {{ expression = "x > 0.114" }}
"#
        )
    };
    let time = |width: &str| common::escape::number(&run(&text(width)), "mean_first_passage_time");
    let cusp = time("");
    assert!((time("ridge_width = 1e-3") / cusp - 1.0).abs() < 0.05);
    // a lower ridge is crossed sooner
    assert!(time("ridge_width = 0.03") < 0.9 * cusp);
    let message = refused(&text("ridge_width = 0.2"));
    assert!(message.contains("landscape.ridge_width"), "{message}");
    let message =
        refused("name = \"s\"\n[landscape]\nmodel = \"two_valley\"\nridge_width = 0.01\n[surface]\n");
    assert!(
        message.contains("landscape.ridge_width") && message.contains("hold y"),
        "{message}"
    );
}
