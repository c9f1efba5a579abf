//! Freezing along the sections of any problem: against the two-valley theory, closed forms, and the density.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // also in functions that tests share

use freezeout::Error;
use freezeout::diffusion::{Diffusion, DriftDiffusion, Sgd};
use freezeout::freezing::{
    HopRates, NoiseSchedule, SectionDensity, SlowFast, ValleyDesign, ValleyPath, ValleyPathSettings, Valleys,
    last_hop, section_density, two_state,
};
use freezeout::generator::Generator;
use freezeout::grid::{Axis, CellSet, Grid};
use freezeout::landscape::Landscape;
use freezeout::landscape::{Expression, Slice, Tabulated, TwoValley};
use freezeout::math::{Point, Tensor};
use freezeout::noise::{self, Constant};
use freezeout::observables::{committor, spectral_gap};
use std::collections::BTreeMap;

type TestResult = Result<(), Error>;

const STARTS: [(f64, f64); 2] = [(-0.01, 0.5), (0.01, 0.5)];
const MASTER: f64 = 1e-9;

fn constant() -> NoiseSchedule {
    NoiseSchedule::new(&[], &[1.0]).unwrap()
}

fn two_valley(strength: f64) -> SlowFast<impl Diffusion<2>> {
    let sgd = Sgd::hessian_power(TwoValley::default(), 1.0, 1.0, strength, 0.0).unwrap();
    SlowFast::new(sgd, [-1.1, 1.3], [1.0, 20.0], None).unwrap()
}

/// A landscape by formula with isotropic noise Δ = 1 · `diffusivity`, and ds/dt = 0.01.
fn formula(loss: &str, diffusivity: f64, bounds: [f64; 2], range: [f64; 2]) -> SlowFast<impl Diffusion<2>> {
    let loss = Expression::<2>::new(loss, &["x", "s"], &BTreeMap::new(), vec![]).unwrap();
    with_isotropic_noise(loss, diffusivity, bounds, range)
}

fn with_isotropic_noise(
    loss: impl freezeout::landscape::Landscape<2>,
    diffusivity: f64,
    bounds: [f64; 2],
    range: [f64; 2],
) -> SlowFast<impl Diffusion<2>> {
    let noise = Constant::new(Tensor::<2>::identity()).unwrap();
    let sgd = Sgd::with_noise_strength(loss, noise, diffusivity).unwrap();
    SlowFast::new(sgd, bounds, range, Some(Box::new(|_| 0.01))).unwrap()
}

#[test]
fn the_two_valley_model_as_any_problem_keeps_its_numbers() -> TestResult {
    // the values of the page on the model, to their digits
    for (strength, known) in [(1e-4, 0.9384), (1e-3, 0.9609), (2e-3, 0.9685)] {
        let problem = two_valley(strength);
        let path = ValleyPath::new(&problem, &constant(), &ValleyPathSettings::default())?;
        let found = path.follow(&problem, &STARTS, MASTER)?;
        let p = found
            .probability
            .iter()
            .map(|p| p[p.len() - 1])
            .fold(0.0, f64::max);
        assert!(
            (p - known).abs() < 5e-5 + found.error,
            "{strength}: {p} +- {}",
            found.error
        );

        let model = TwoValley::default();
        let slice = |y: f64| Sgd::hessian_power(Slice::new(model, y)?, 1.0, 1.0, strength, 0.0);
        let rates = HopRates::new(&model, slice, 1.0, 20.0, 8)?;
        let theory = two_state(&model, &rates, 0.5, 1.0, 4000)?;
        let last = last_hop(&model, &rates, &theory, 1.0);
        let errors = found.error + theory.p_flat_error + rates.relative_error() + rates.interpolation_error();
        assert!(
            (p - theory.final_p_flat()).abs() < errors,
            "{strength}: {p} {}",
            theory.final_p_flat()
        );
        let hop = &found.last_hop;
        let errors = hop.mean_y_error + last.hop.mean_y_error;
        assert!(
            (hop.mean_y - last.hop.mean_y).abs() < errors,
            "{} {}",
            hop.mean_y,
            last.hop.mean_y
        );
        assert!(hop.has_ended());
        // the whole path is slow, and freeze-out by time scales comes near the last hop
        let regime = path.regime();
        assert!(regime.largest().0 < 0.01, "{}", regime.text("s"));
        let predicted = regime.freeze_out.ok_or_else(|| Error::EmptySet {
            name: "freeze-out".into(),
        })?;
        assert!(
            (predicted / hop.mean_y - 1.0).abs() < 0.4,
            "{predicted} {}",
            hop.mean_y
        );
    }
    Ok(())
}

#[test]
fn noise_dropped_along_the_path_gives_the_quench_dip() -> TestResult {
    let problem = two_valley(1e-3);
    let at = |position: f64| -> Result<(f64, f64, f64, f64), Error> {
        let schedule = NoiseSchedule::new(&[position], &[1.0, 0.1])?;
        let path = ValleyPath::new(&problem, &schedule, &ValleyPathSettings::default())?;
        let found = path.follow(&problem, &STARTS, MASTER)?;
        let density = section_density(&problem, &schedule, &path, &STARTS, &[], 8.0, 1e-5)?;
        let (numbers, ridges) = path.at_end();
        let p = SectionDensity::probabilities(&density.snapshots[0], &ridges);
        let flat = numbers[numbers.len() - 1];
        let last = found.probability[flat].len() - 1;
        Ok((
            found.probability[flat][last],
            found.error,
            p[p.len() - 1],
            density.error,
        ))
    };
    // an independent solver's, to the third digit
    for (position, known) in [(2.0, 0.712), (5.0, 0.922)] {
        let (p, error, density, density_error) = at(position)?;
        assert!(
            (p - known).abs() < 5e-4 + 1e-3 + error,
            "{position}: {p} +- {error}"
        );
        assert!(
            (density - known).abs() < 5e-4 + 1e-3 + density_error,
            "{position}: {density} +- {density_error}"
        );
    }
    // control: a schedule shifted in time is seen
    let (shifted, error, density, density_error) = at(2.2)?;
    assert!((shifted - 0.712).abs() > 5e-4 + 1e-3 + error + 5e-3, "{shifted}");
    assert!(
        (density - 0.712).abs() > 5e-4 + 1e-3 + density_error + 5e-3,
        "{density}"
    );
    Ok(())
}

#[test]
fn a_table_of_sections_gives_what_its_formula_gives() -> TestResult {
    let text = "s*((x^2 - 1)^2 + 0.1*x^3 - 0.08*x)";
    let (bounds, range) = ([-2.6, 2.4], [0.3, 4.0]);
    let value = |x: f64, s: f64| s * ((x * x - 1.0).powi(2) + 0.1 * x.powi(3) - 0.08 * x);
    let points = |[a, b]: [f64; 2], n: usize| -> Vec<f64> {
        (0..n).map(|k| a + (b - a) * k as f64 / (n - 1) as f64).collect()
    };
    let axes = [points(bounds, 201), points(range, 31)];
    let mut table = Vec::new();
    for x in &axes[0] {
        table.extend(axes[1].iter().map(|s| value(*x, *s)));
    }
    let follow = |problem: &SlowFast<_>, path: &ValleyPath| path.follow(problem, &[(0.0, 1.0)], MASTER);
    let exact = formula(text, 0.1, bounds, range);
    let path = ValleyPath::new(&exact, &constant(), &ValleyPathSettings::default())?;
    let wanted = path.follow(&exact, &[(0.0, 1.0)], MASTER)?;
    let tabulated = with_isotropic_noise(Tabulated::<2>::new(axes, table)?, 0.1, bounds, range);
    let path = ValleyPath::new(&tabulated, &constant(), &ValleyPathSettings::default())?;
    let found = follow(&tabulated, &path)?;
    assert_eq!(path.valleys(), 2);
    for k in 0..2 {
        let [a, b] = [&found, &wanted].map(|law| law.probability[k][law.probability[k].len() - 1]);
        // the spline of a quartic on cells of 1/40 is off by 1e-6 of the loss
        assert!((a - b).abs() < found.error + wanted.error + 1e-5, "{a} {b}");
        assert!(b > 0.01);
    }
    let (a, b) = (&found.last_hop, &wanted.last_hop);
    assert!(
        (a.mean_y - b.mean_y).abs() < a.mean_y_error + b.mean_y_error,
        "{} {}",
        a.mean_y,
        b.mean_y
    );
    Ok(())
}

#[test]
fn three_valleys_that_appear_on_the_way_agree_with_the_density() -> TestResult {
    // one flat valley at first, from which two more part
    let run = |velocity: f64| -> Result<_, Error> {
        let text = "s*(1 - cos(4*x)) + 6e-4*x^8 + 0.005*x";
        let loss = Expression::<2>::new(text, &["x", "s"], &BTreeMap::new(), vec![])?;
        let sgd = Sgd::with_noise_strength(loss, Constant::new(Tensor::<2>::identity())?, 0.01)?;
        let problem = SlowFast::new(sgd, [-2.2, 2.2], [0.0, 0.15], Some(Box::new(move |_| velocity)))?;
        let path = ValleyPath::new(&problem, &constant(), &ValleyPathSettings::default())?;
        assert_eq!(path.valleys(), 3);
        let found = path.follow(&problem, &[(0.3, 1.0)], MASTER)?;
        let (numbers, ridges) = path.at_end();
        let density = section_density(&problem, &constant(), &path, &[(0.3, 1.0)], &[], 8.0, 1e-5)?;
        let p: Vec<f64> = numbers
            .iter()
            .map(|k| found.probability[*k][found.s.len() - 1])
            .collect();
        let wanted = SectionDensity::probabilities(&density.snapshots[0], &ridges);
        Ok((
            p,
            wanted,
            found.error + density.error,
            path.regime().largest().0,
            ridges,
        ))
    };
    let furthest = |p: &[f64], wanted: &[f64]| -> f64 {
        p.iter()
            .zip(wanted)
            .map(|(a, b)| (a / b - 1.0).abs())
            .fold(0.0, f64::max)
    };
    // valleys freeze at barriers of six noise temperatures: hops that go back at once, and ridges that act together, are some thousandths of all
    let (p, wanted, error, slow, ridges) = run(4e-6)?;
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(
        furthest(&p, &wanted) < 0.01 + error / 0.02,
        "{p:?} {wanted:?} ± {error}"
    );
    assert!(wanted.iter().all(|p| *p > 0.02), "{wanted:?}");
    // where s moves on a row of cells at a time, the last row is reached in a valley as often
    let plane = |rows: usize| -> Result<Vec<f64>, Error> {
        let loss = "s*(1 - cos(4*x)) + 6e-4*x^8 + 0.005*x";
        let loss = Expression::<2>::new(loss, &["x", "s"], &BTreeMap::new(), vec![])?;
        let drift = move |theta: &Point<2>| Point::<2>::new(-loss.gradient(theta)[0], 4e-6);
        // a noise of s far below that of the upwind steps
        let along = 4e-6 * 0.15 / rows as f64 * 1e-3;
        let noise = Constant::new(Tensor::<2>::new(1.0, 0.0, 0.0, along / 0.01))?;
        let process = DriftDiffusion::new(drift, noise, 0.01)?;
        let across = Axis::with_faces_at(-2.2, 2.2, 160, &ridges)?;
        let grid = Grid::new([across, Axis::uniform(0.0, 0.15, rows)?]);
        let last = grid.axes()[1].centres()[rows - 1];
        let generator = Generator::assemble(&process, grid.clone())?;
        (0..3)
            .map(|k| {
                let is_in = |x: f64| ridges.partition_point(|ridge| *ridge < x) == k;
                let a = CellSet::new("elsewhere", &grid, |theta| theta[1] >= last && !is_in(theta[0]))?;
                let b = CellSet::new("valley", &grid, |theta| theta[1] >= last && is_in(theta[0]))?;
                let q = committor(&generator, &a, &b)?;
                Ok(grid.interpolate(&q, [0.3, grid.axes()[1].centres()[0]]))
            })
            .collect()
    };
    let [coarse, fine] = [plane(200)?, plane(400)?];
    for k in 0..3 {
        // of first order in the rows
        let (limit, error) = (2.0 * fine[k] - coarse[k], (fine[k] - coarse[k]).abs());
        assert!(
            error < 1e-3 && (limit - wanted[k]).abs() < error,
            "{k}: {limit} ± {error:e}, density {}, master equation {}",
            wanted[k],
            p[k]
        );
    }
    // fifty times as fast they freeze at barriers of two or three, where there are no states yet, and the parameter says so
    let (p, wanted, _, fast, _) = run(2e-4)?;
    assert!(furthest(&p, &wanted) > 0.1, "{p:?} {wanted:?}");
    assert!(fast > 0.1 && slow < fast / 10.0, "{slow} {fast}");
    Ok(())
}

#[test]
fn the_designed_factors_are_the_best_of_all_and_their_adjoint_is_exact() -> TestResult {
    // three valleys, each twice as wide as the one before it, with a quarter of its noise
    let text = "s*(1 - cos(2*pi*ln(x)/ln(2))) + 0.001/x^16 + 0.2*(x/5.6)^16";
    let loss = Expression::<2>::new(text, &["x", "s"], &BTreeMap::new(), vec![])?;
    let noise = noise::Expression::<2>::new(&["1/x^2", "0", "0"], &["x", "s"], &BTreeMap::new())?;
    let diffusion = Sgd::with_noise_strength(loss, noise, 0.02)?;
    let problem = SlowFast::new(diffusion, [0.5, 6.6], [0.02, 0.2], Some(Box::new(|_| 1e-3)))?;
    let settings = ValleyPathSettings {
        interpolation: 1e-4,
        ..ValleyPathSettings::default()
    };
    let starts = [(1.0, 1.0)];
    let design = ValleyDesign::new(&problem, &starts, 2.0, [0.5, 8.0], 4, 4, &settings)?;
    let best = design.best();
    let reached = design.probability(&best)?;
    let all = (0..256).map(|k: usize| [k / 64, k / 16 % 4, k / 4 % 4, k % 4]);
    let largest = all
        .map(|choice| design.probability(&choice).unwrap())
        .fold(0.0, f64::max);
    assert!((reached - largest).abs() < 1e-12, "{reached} {largest}");
    assert!(design.bound() >= reached && design.bound() < 1.0 + 1e-9);
    for (j, row) in design.with_one_changed(&best)?.iter().enumerate() {
        for (k, p) in row.iter().enumerate() {
            let mut choice = best.clone();
            choice[j] = k;
            let direct = design.probability(&choice)?;
            assert!((p - direct).abs() < 1e-12, "{j} {k}: {p} {direct}");
            assert!(*p <= reached + 1e-12);
        }
    }
    // the path itself under the schedule, with its valleys cut anew
    let schedule = design.schedule(&design.strengths(&best)?)?;
    let path = ValleyPath::new(&problem, &schedule, &settings)?;
    let law = path.follow(&problem, &starts, MASTER)?;
    let (numbers, ridges) = path.at_end();
    let p = &law.probability[numbers[ridges.partition_point(|ridge| *ridge < 2.0)]];
    assert!(
        (p[p.len() - 1] - reached).abs() < 1e-4 + law.error,
        "{p:?} {reached}"
    );
    // controls: the same factors in the opposite order, and another valley
    let reversed: Vec<usize> = best.iter().rev().copied().collect();
    assert!(design.probability(&reversed)? < reached - 0.01, "{best:?}");
    let other = ValleyDesign::new(&problem, &starts, 1.0, [0.5, 8.0], 4, 4, &settings)?;
    assert!(other.probability(&best)? < 0.1 && other.best() != best);
    assert!(design.probability(&[0; 3]).is_err() && design.probability(&[4; 4]).is_err());
    Ok(())
}

#[test]
fn switched_rates_of_a_landscape_that_stands_still_relax_as_two_exponentials() -> TestResult {
    let problem = formula("(x^2 - 1)^2/4 + 0.02*x + 0*s", 0.06, [-2.4, 2.4], [0.0, 2.0]);
    let schedule = NoiseSchedule::new(&[0.5], &[1.0, 0.7])?;
    let path = ValleyPath::new(&problem, &schedule, &ValleyPathSettings::default())?;
    let found = path.follow(&problem, &[(1.0, 1.0)], MASTER)?;
    let mut p = 1.0;
    for (factor, time) in [(1.0, 50.0), (0.7, 150.0)] {
        let valleys = Valleys::find(&problem, 0.0, factor, 1.0)?;
        let grid = Grid::new([Axis::with_faces_at(-2.4, 2.4, 4000, &valleys.ridges)?]);
        let generator = Generator::assemble(&problem.section(0.0, factor), grid.clone())?;
        let stationary: f64 = freezeout::observables::stationary_probability(&generator)?
            .iter()
            .enumerate()
            .filter(|(i, _)| grid.centre(*i)[0] > valleys.ridges[0])
            .map(|(_, p)| p)
            .sum();
        p = stationary + (p - stationary) * (-spectral_gap(&generator)?.rate * time).exp();
    }
    let right = found.probability[1][found.s.len() - 1];
    assert!(
        (right - p).abs() < found.error + 1e-5,
        "{right} {p} +- {}",
        found.error
    );
    assert!((found.time[found.time.len() - 1] - 200.0).abs() < 1e-9);
    Ok(())
}

#[test]
fn the_density_follows_the_variance_of_an_ornstein_uhlenbeck_process_under_a_schedule() -> TestResult {
    let problem = formula("x^2/2 + 0*s", 0.01, [-1.5, 1.5], [0.0, 0.03]);
    let schedule = NoiseSchedule::new(&[0.02], &[1.0, 0.1])?;
    let path = ValleyPath::new(&problem, &schedule, &ValleyPathSettings::default())?;
    let density = section_density(&problem, &schedule, &path, &[(0.0, 1.0)], &[0.01], 16.0, 1e-6)?;
    let variance = |k: usize| -> f64 {
        let snapshot = &density.snapshots[k];
        snapshot
            .x
            .iter()
            .zip(&snapshot.probability)
            .map(|(x, p)| p * x * x)
            .sum()
    };
    // D (1 − e^{−2t}) at t = 1; then at t = 3, one after the drop at t = 2
    let at_drop = 0.01 * (1.0 - (-4f64).exp());
    let wanted = [
        0.01 * (1.0 - (-2f64).exp()),
        0.001 + (at_drop - 0.001) * (-2f64).exp(),
    ];
    for k in 0..2 {
        assert!(
            (variance(k) / wanted[k] - 1.0).abs() < 3e-3,
            "{} {}",
            variance(k),
            wanted[k]
        );
    }
    Ok(())
}

#[test]
fn time_runs_as_its_velocity_says() -> TestResult {
    // the same path in a time that runs twice as fast, with all rates twice as large, ends alike
    let drift = |scale: f64| {
        move |theta: &Point<2>| Point::<2>::new(-scale * theta[1] * (theta[0].powi(3) - theta[0] + 0.05), 0.0)
    };
    let run = |scale: f64| -> Result<f64, Error> {
        let noise = Constant::new(Tensor::<2>::identity() * scale)?;
        let diffusion = DriftDiffusion::new(drift(scale), noise, 0.1)?;
        let velocity: freezeout::freezing::SlowVelocity = Box::new(move |s: f64| 0.01 * scale * (1.0 + s));
        let problem = SlowFast::new(diffusion, [-2.6, 2.6], [0.5, 6.0], Some(velocity))?;
        let path = ValleyPath::new(&problem, &constant(), &ValleyPathSettings::default())?;
        assert!((path.duration() * 0.01 * scale - (7.0f64 / 1.5).ln()).abs() < 1e-6);
        let found = path.follow(&problem, &[(1.0, 1.0)], MASTER)?;
        Ok(found.probability[0][found.s.len() - 1])
    };
    let (once, twice) = (run(1.0)?, run(2.0)?);
    assert!((once - twice).abs() < 1e-6, "{once} {twice}");
    assert!(once > 0.05 && once < 0.95);
    Ok(())
}

#[test]
fn a_slow_variable_that_is_not_slow_is_said() -> TestResult {
    let loss = Expression::<2>::new("(x - s)^2/2", &["x", "s"], &BTreeMap::new(), vec![])?;
    let noise = Constant::new(Tensor::<2>::identity())?;
    let sgd = Sgd::with_noise_strength(loss, noise, 0.01)?;
    let problem = SlowFast::new(sgd, [-2.0, 4.0], [0.0, 2.0], Some(Box::new(|_| 1.0)))?;
    let regime = ValleyPath::new(&problem, &constant(), &ValleyPathSettings::default())?.regime();
    assert!(
        regime.text("s").starts_with("not adiabatic anywhere"),
        "{}",
        regime.text("s")
    );
    Ok(())
}

#[test]
fn a_domain_that_cuts_a_valley_is_refused_with_its_place() {
    let problem = formula("s*(x^2 - 1)^2", 0.1, [-0.8, 2.0], [1.0, 2.0]);
    let refused = ValleyPath::new(&problem, &constant(), &ValleyPathSettings::default()).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("x = -0.8") && text.contains("s = 1"), "{text}");
}
