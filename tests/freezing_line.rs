//! `[freezing_line]` beside its transfer operator, and the curve of `[freezing_theory]`.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::{refused, run};
use freezeout::output::Records;
use freezeout::two_valleys::freezing_line::FreezingLineResult;
use freezeout::two_valleys::freezing_theory::{FreezingCurveResult, FreezingTheoryResult};

const MODEL: &str = "name = \"line\"\nseed = 5\nlandscape.model = \"two_valley\"\n";

#[test]
fn the_transfer_operator_has_the_means_of_the_runs() {
    /// Standard errors allowed: four comparisons, of which none may fail by chance in a million runs.
    const Z: f64 = 5.0;
    let file = run(&format!(
        "{MODEL}[freezing_line]\nsigma = [0.02, 0.1]\nruns = 1000\nsteps = 4000\nrecords = 10\ntransfer = true\n"
    ));
    let line = FreezingLineResult::of(&file).unwrap();
    let exact = line.transfer.unwrap();
    for (found, exact, error) in [
        (
            &line.means.p_flat,
            &exact.p_flat_transfer,
            &exact.p_flat_transfer_error,
        ),
        (
            &line.means.mean_freezing_y,
            &exact.mean_freezing_y_transfer,
            &exact.mean_freezing_y_transfer_error,
        ),
    ] {
        for k in 0..2 {
            let allowed = Z * found.standard_error[k] + error[k];
            let apart = (found.value[k] - exact[k]).abs();
            assert!(apart < allowed, "{apart} of {allowed}");
        }
    }
    // Control: the position of one noise strength is not that of the other.
    let position = &line.means.mean_freezing_y;
    let other = (position.value[0] - exact.mean_freezing_y_transfer[1]).abs();
    assert!(other > Z * position.standard_error[0], "{other}");
}

#[test]
fn the_curve_passes_through_the_theory() {
    /// Rounding of the noise strengths at the ends, which are powers.
    const ROUNDING: f64 = 1e-12;
    let text = format!("{MODEL}[freezing_theory]\nnoise_strength = [3e-4, 6e-4, 1.2e-3]\ncurve = 3\n");
    let file = run(&text);
    let theory = FreezingTheoryResult::of(&file).unwrap();
    let curve = FreezingCurveResult::of(&file).unwrap();
    assert!(curve.papers.is_some() && curve.noise_strength.len() == 3);
    for (found, wanted) in [
        (&curve.noise_strength, &theory.noise_strength),
        (&curve.p_flat, &theory.p_flat),
        (&curve.mean_freezing_y, &theory.mean_freezing_y),
        (&curve.mean_freezing_y_ridge, &theory.mean_freezing_y_ridge),
    ] {
        for (found, wanted) in found.iter().zip(wanted) {
            // What follows from a noise strength varies no faster than a hundred times as much.
            assert!(
                (found / wanted - 1.0).abs() < 100.0 * ROUNDING,
                "{found} {wanted}"
            );
        }
    }
    // Control: the curve in between is elsewhere when it has other noise strengths.
    let four = FreezingCurveResult::of(&run(&text.replace("curve = 3", "curve = 4"))).unwrap();
    assert!((four.p_flat[1] / theory.p_flat[1] - 1.0).abs() > 1e-6);
    assert!(refused(&text.replace("curve = 3", "curve = 1")).contains("freezing_theory.curve"));
    // Without it there is no such group.
    assert!(
        FreezingCurveResult::find(&run(&text.replace("curve = 3", "")))
            .unwrap()
            .is_none()
    );
}
