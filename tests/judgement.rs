//! Verdicts that can fail: every claim with a model or numbers that keep it and some that turn it, and the agreement of routes that were shifted.
#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

mod common;

use common::escape::run;
use freezeout::judgement::agreement::{self, Comparison, Level};
use freezeout::judgement::claims::{self, Claim, Verdict};
use freezeout::output::{Estimates, Records, ResultFile};
use freezeout::run::parse;
use freezeout::two_valleys::ablations::{AblationsResult, FLATNESS_HELD, POWER_2};
use freezeout::two_valleys::final_probability::{
    DensityRoute, FinalProbabilityResult, IsotropicControl, TransferRoute,
};
use freezeout::two_valleys::freezing_line::FreezingLineResult;
use freezeout::two_valleys::phase_diagram::PhaseDiagramResult;
use freezeout::two_valleys::slices::{IntegralSlices, LangevinSlices, SlicesResult};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const MODEL: &str = r#"
name = "claims"
[landscape]
model = "two_valley"
"#;

const TASKS: &str = r#"
[stationary_map]
y = { from = 2.0, to = 8.0, points = 3 }
noise_strength = [3e-4, 1e-3, 3e-3]
[slices]
y = [5.0, 5.0, 8.0]
noise_strength = [1e-3, 2e-3, 5e-3]
walkers = 4096
[freezing_line]
sigma = [0.01, 0.03, 0.1, 0.2]
runs = 1000
steps = 60000
records = 20
[final_probability]
noise_strength = [1e-4, 3e-4, 1e-3]
[phase_diagram]
learning_rate = [0.02, 0.04]
sigma = [0.05, 0.1, 0.2]
runs = 400
steps = 20000
transfer = true
[ablations]
noise_strength = [1e-4, 3e-4]
runs = 400
steps = 50000
"#;

type Verdicts = BTreeMap<&'static str, Verdict>;

fn verdicts_of(file: &ResultFile, text: &str) -> Verdicts {
    let all = claims::claims(file, &parse(text).unwrap()).unwrap();
    assert_eq!(all.len(), 15);
    let is_explained = |claim: &Claim| !claim.reason.is_empty() && claim.reason.lines().count() == 1;
    assert!(all.iter().all(is_explained));
    all.iter().map(|claim| (claim.name, claim.verdict)).collect()
}

fn verdicts(text: &str) -> Verdicts {
    verdicts_of(&run(text), text)
}

/// The paper's model by all tasks, computed once.
fn papers() -> (&'static ResultFile, String) {
    static FILE: OnceLock<ResultFile> = OnceLock::new();
    let text = format!("{MODEL}{TASKS}");
    (FILE.get_or_init(|| run(&text)), text)
}

#[test]
fn the_papers_model() {
    use Verdict::{CorrectedTheory, InRegime, NotSupported, Reproduced};
    let (file, text) = papers();
    let found = verdicts_of(file, &text);
    for (name, expected) in [
        ("T1", Reproduced),
        ("T2", CorrectedTheory),
        ("T3", CorrectedTheory),
        ("T4", Reproduced), // no learning rate of this file is near 0.1
        ("T5", Reproduced),
        ("T6", Reproduced),
        ("T7", InRegime),
        ("T8", Reproduced),
        ("T10", Reproduced),
        ("S1", NotSupported),
        ("S2", NotSupported),
        ("S3", NotSupported),
        ("S4", NotSupported),
    ] {
        assert_eq!(found[name], expected, "{name}: {found:?}");
    }
    assert!(matches!(found["T9"], Reproduced | InRegime));
    let table = claims::table(&claims::claims(file, &parse(&text).unwrap()).unwrap(), 100);
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn isotropic_noise_has_no_paradox_and_no_selection() {
    let noise = "\n[noise]\nmodel = \"isotropic\"\nstrength = 7.0\n";
    let found = verdicts(&format!("{MODEL}{noise}{TASKS}"));
    for name in ["T2", "T3", "T5"] {
        assert_eq!(found[name], Verdict::NotSupported, "{name}: {found:?}");
    }
    assert_eq!(found["S3"], Verdict::Reproduced);
    assert_eq!(found["S4"], Verdict::NotTested);
}

#[test]
fn a_barrier_that_does_not_grow_freezes_nothing() {
    // the static map and the control begin where the barrier vanishes, which it does nowhere here
    let rest = TASKS.split("[slices]").nth(1).unwrap();
    let rest = rest.replace("[final_probability]\nnoise_strength = [1e-4, 3e-4, 1e-3]\n", "");
    let found = verdicts(&format!("{MODEL}barrier_at = 2.0\n[slices]{rest}"));
    assert_eq!(found["T1"], Verdict::NotSupported);
    assert_eq!(found["T6"], Verdict::NotSupported);
    // no run freezes, so that nothing can be said about when
    assert_eq!(
        (found["T4"], found["T7"], found["S5"]),
        (Verdict::NotTested, Verdict::NotTested, Verdict::NotTested)
    );
}

#[test]
fn equal_valleys_select_nothing() {
    let found = verdicts(&format!("{MODEL}x2 = 0.8\n{TASKS}"));
    assert_eq!(found["T3"], Verdict::NotSupported, "{found:?}");
    assert_eq!(found["T5"], Verdict::NotSupported, "{found:?}");
    for name in ["S1", "S3"] {
        assert_eq!(found[name], Verdict::Reproduced, "{name}: {found:?}");
    }
}

#[test]
fn valleys_that_are_frozen_from_the_start() {
    let tasks = "[ablations]\nnoise_strength = [1e-4, 2e-4]\nruns = 64\nsteps = 2000\nstart_y = 60.0\n";
    let found = verdicts(&format!("{MODEL}{tasks}"));
    assert_eq!(found["T8"], Verdict::NotSupported);
    assert_eq!(found["T6"], Verdict::NotSupported);
    assert_eq!(
        (found["T9"], found["T1"]),
        (Verdict::NotTested, Verdict::NotTested)
    );
}

/// The paper's numbers with one group changed.
fn changed<R: Records>(change: impl Fn(&mut R)) -> Verdicts {
    let (file, text) = papers();
    verdicts_of(&with_changed(file, change), &text)
}

fn with_changed<R: Records>(file: &ResultFile, change: impl Fn(&mut R)) -> ResultFile {
    let mut result = R::of(file).unwrap();
    change(&mut result);
    let group = result.group().unwrap();
    let mut other = ResultFile::new();
    for old in file.groups().iter().filter(|old| old.name() != group.name()) {
        other.push(old.clone()).unwrap();
    }
    other.push(group).unwrap();
    other
}

#[test]
fn numbers_that_turn_the_claims() {
    use Verdict::{NotSupported, NotTested, Reproduced};
    // shuffled noise strengths
    let shuffled = |transfer: &mut TransferRoute| transfer.mean_freezing_y.swap(0, 2);
    assert_eq!(changed(shuffled)["T4"], NotSupported);
    let reversed = |density: &mut DensityRoute| density.p_flat.reverse();
    assert_eq!(changed(reversed)["T5"], NotSupported);
    // no two cells of equal ησ
    let unpaired = |diagram: &mut PhaseDiagramResult| diagram.sigma = vec![0.05, 0.11, 0.23];
    assert_eq!(changed(unpaired)["T4"], NotTested);
    // times that are not those of ησ
    let apart = |diagram: &mut PhaseDiagramResult| {
        let exact = diagram.transfer.as_mut().unwrap();
        let half = exact.mean_freezing_iteration_transfer.len() / 2;
        exact.mean_freezing_iteration_transfer[..half]
            .iter_mut()
            .for_each(|t| *t *= 2.0);
    };
    assert_eq!(changed(apart)["T4"], NotSupported);
    let unequal = |control: &mut IsotropicControl| control.p_flat[0] -= 0.02;
    assert_eq!(changed(unequal)["T7"], NotSupported);
    let equal = |control: &mut IsotropicControl| control.p_flat.fill(0.5517);
    assert_eq!(changed(equal)["T7"], Reproduced);
    let backward = |ablations: &mut AblationsResult| {
        let (n, row) = (
            ablations.noise_strength.len(),
            ablations.variant.iter().position(|v| v == POWER_2).unwrap(),
        );
        ablations.means.mean_freezing_y.value[row * n..(row + 1) * n].reverse();
    };
    assert_eq!(changed(backward)["T9"], NotSupported);
    let apart = |ablations: &mut AblationsResult| {
        let cells = ablations.noise_strength.len();
        ablations.collapse.freezing_time_transfer[..cells]
            .iter_mut()
            .for_each(|t| *t *= 1.3);
    };
    assert_eq!(changed(apart)["T9"], NotSupported);
    let fast =
        |diagram: &mut PhaseDiagramResult| diagram.learning_rate.iter_mut().for_each(|eta| *eta *= 10.0);
    assert_eq!(changed(fast)["T10"], NotSupported);
    let unfrozen = |ablations: &mut AblationsResult| {
        let (n, row) = (
            ablations.noise_strength.len(),
            ablations.variant.iter().position(|v| v == FLATNESS_HELD).unwrap(),
        );
        ablations.means.unfrozen_fraction[row * n..(row + 1) * n].fill(0.9);
    };
    assert_eq!(changed(unfrozen)["S2"], Reproduced);
    let later = |transfer: &mut TransferRoute| transfer.mean_freezing_y.iter_mut().for_each(|y| *y *= 2.0);
    assert_eq!(changed(later)["S4"], Reproduced);
    // the diagram of the first learning rate, Δ = .001 .002 .004, rising no more than along the whole path
    let shared = |diagram: &mut PhaseDiagramResult, p: [f64; 3]| {
        diagram.sigma = vec![0.005, 0.015, 0.05];
        diagram.means.p_flat.value[..3].copy_from_slice(&p);
    };
    assert_eq!(
        changed(|d: &mut PhaseDiagramResult| shared(d, [0.938, 0.949, 0.961]))["S5"],
        Reproduced
    );
    assert_eq!(
        changed(|d: &mut PhaseDiagramResult| shared(d, [0.5, 0.7, 0.9]))["S5"],
        NotSupported
    );
}

#[test]
fn a_file_without_the_tasks_says_what_is_missing() {
    let text = format!("{MODEL}[surface]\n");
    assert!(
        claims::claims(&run(&text), &parse(&text).unwrap())
            .unwrap()
            .is_empty()
    );
    let text = format!("{MODEL}[slices]\ny = [5.0]\nnoise_strength = [1e-3]\nwalkers = 0\n");
    let file = run(&text);
    let all = claims::claims(&file, &parse(&text).unwrap()).unwrap();
    let tested: Vec<&str> = all
        .iter()
        .filter(|c| c.verdict != Verdict::NotTested)
        .map(|c| c.name)
        .collect();
    // those that need the model alone
    assert_eq!(tested, ["S1", "S3"]);
    for claim in all.iter().filter(|c| c.verdict == Verdict::NotTested) {
        assert!(
            claim.reason.starts_with("needs ") && claim.reason.contains('['),
            "{claim:?}"
        );
    }
    // one strength at each y decides nothing
    assert!(all[2].reason.contains("two noise strengths"), "{:?}", all[2]);
}

fn shift(estimates: &mut Estimates, other: &[f64]) {
    for ((value, error), other) in estimates
        .value
        .iter_mut()
        .zip(&estimates.standard_error)
        .zip(other)
    {
        *value += 5.0 * error.hypot(*other);
    }
}

#[test]
fn routes_that_were_shifted_by_five_errors_differ_in_every_row() {
    let (file, _) = papers();
    let rows = agreement::comparisons(file).unwrap();
    let has_z = |row: &&Comparison| !row.z.is_nan();
    assert!(
        rows.iter().filter(has_z).all(Comparison::agrees),
        "{}",
        agreement::table(&rows, 100)
    );
    let path = FinalProbabilityResult::of(file).unwrap();
    let shifted = with_changed(file, |line: &mut FreezingLineResult| {
        let nothing = vec![0.0; line.sigma.len()];
        let at_same = |line: &FreezingLineResult, error: &[f64]| -> Vec<f64> {
            let row = |d: &f64| {
                path.runs
                    .noise_strength
                    .iter()
                    .position(|e| (e / d - 1.0).abs() < 1e-9)
            };
            line.noise_strength
                .iter()
                .map(|d| row(d).map_or(0.0, |k| error[k]))
                .collect()
        };
        let (p, y) = (
            at_same(line, &path.transfer.p_flat_error),
            at_same(line, &path.transfer.mean_freezing_y_error),
        );
        shift(&mut line.means.p_flat, &p);
        shift(&mut line.means.mean_freezing_y, &y);
        shift(&mut line.means.mean_last_hop_y, &nothing);
        shift(&mut line.means.mean_hops, &nothing);
    });
    let shifted = with_changed(&shifted, |diagram: &mut PhaseDiagramResult| {
        let exact = diagram.transfer.clone().unwrap();
        for (k, p) in diagram.means.p_flat.value.iter_mut().enumerate() {
            let q = exact.p_flat_transfer[k];
            *p = q + 5.0 * exact.p_flat_transfer_error[k].hypot((q * (1.0 - q) / 400.0).sqrt());
        }
        shift(
            &mut diagram.means.mean_freezing_iteration,
            &exact.mean_freezing_iteration_transfer_error,
        );
    });
    let on_grid = SlicesResult::of(file).unwrap().grid;
    let shifted = with_changed(&shifted, |exact: &mut IntegralSlices| {
        let errors: Vec<f64> = (on_grid.relative_error.iter().zip(&exact.relative_error))
            .map(|(a, b)| a.hypot(b.max(f64::EPSILON)))
            .collect();
        for values in [
            &mut exact.flat_to_sharp,
            &mut exact.sharp_to_flat,
            &mut exact.p_flat,
        ] {
            values
                .iter_mut()
                .zip(&errors)
                .for_each(|(value, error)| *value *= 1.0 + 6.0 * error);
        }
    });
    let shifted = with_changed(&shifted, |langevin: &mut LangevinSlices| {
        let Estimates {
            value,
            standard_error,
        } = &mut langevin.sharp_to_flat;
        (value.iter_mut().zip(standard_error)).for_each(|(value, error)| *value += 6.0 * *error);
    });
    let moved = agreement::comparisons(&shifted).unwrap();
    assert_eq!(moved.len(), rows.len());
    for (row, old) in moved.iter().zip(&rows) {
        // a shift may cross the truth; those that began within one error of it cannot
        if row.z.is_nan() || old.z.abs() > 1.0 && old.value.samples == 1 {
            continue;
        }
        assert!(!row.agrees() && row.verdict.starts_with("differ"), "{row:?}");
    }
    // models are never said to agree, and their difference moves with them
    let models = rows.iter().zip(&moved).filter(|(row, _)| row.z.is_nan());
    for (row, other) in models {
        assert!(!row.agrees() && row.verdict.starts_with("models differ by"));
        if row.level == Level::FiniteSteps {
            assert_ne!(row.verdict, other.verdict);
        }
    }
}

#[test]
fn the_table_is_grouped_by_level_and_fits() {
    let (file, _) = papers();
    let rows = agreement::comparisons(file).unwrap();
    let table = agreement::table(&rows, 100);
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let at = |text: &str| {
        table
            .find(text)
            .unwrap_or_else(|| panic!("{text} is missing in:\n{table}"))
    };
    assert!(at("η → 0\n") < at("finite η\n"));
    // nine rows of grid against integral fold into one
    assert!(table.contains("all 9 agree; worst"), "{table}");
    // but a block in which one row differs is shown in full
    let mut broken = rows.clone();
    let row = broken
        .iter_mut()
        .find(|row| row.against == "exact integral")
        .unwrap();
    *row = Comparison {
        verdict: "differ by 3.00 %".into(),
        ..row.clone()
    };
    let table = agreement::table(&broken, 100);
    assert!(
        !table.contains("all 9 agree") && table.contains("differ by 3.00 %"),
        "{table}"
    );
}
