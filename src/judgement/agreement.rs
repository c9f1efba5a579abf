//! Do the routes agree? One row a comparison, written to the file and printed as a table.

use crate::error::Result;
use crate::escape::Quantity;
use crate::output::{Estimates, Group, Records, ResultFile, records};
use crate::setting::parameter_range::row_of;
use crate::statistics::Estimate;
use crate::task::escape::{EscapePathResult, EscapeRecords};
use crate::task::final_probability::FinalProbabilityResult;
use crate::task::freezing_line::FreezingLineResult;
use crate::task::phase_diagram::PhaseDiagramResult;
use crate::task::reference::PaperPhaseDiagram;
use crate::task::slices::SlicesResult;
use crate::task::transfer_operator::TransferOperatorResult;

/// Largest |z| at which two numbers are called in agreement: one false alarm in 16 000 comparisons.
const LARGEST_Z: f64 = 4.0;
/// Largest rms z of a whole table.
const LARGEST_RMS_Z: f64 = 1.2;
/// Mean freezing iterations below this are dominated by the first few steps and are not compared.
const SMALLEST_FREEZING_ITERATION: f64 = 20.0;

/// How two numbers, or two tables, compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was computed.
    pub quantity: String,
    /// By which route.
    pub route: String,
    /// Its value and error; for a table, the number of entries is in `samples` and the value is the largest |z|.
    pub value: Estimate,
    /// The route or publication it is held against.
    pub against: String,
    /// Its value and error.
    pub reference: Estimate,
    /// (value − reference)/combined error; for a table, the rms of it; NaN for a difference of models.
    pub z: f64,
    /// `agree`, `differ`, the difference of two models, or what else follows.
    pub verdict: String,
}

impl Comparison {
    /// Compares two numbers by their combined error.
    pub fn of_numbers(
        quantity: &str,
        route: &str,
        value: Estimate,
        against: &str,
        reference: Estimate,
    ) -> Self {
        let z = (value.value - reference.value) / value.standard_error.hypot(reference.standard_error);
        Self {
            quantity: quantity.into(),
            route: route.into(),
            value,
            against: against.into(),
            reference,
            z,
            verdict: verdict(z, value.value, reference.value),
        }
    }

    /// States the difference of two models of the same thing, which no error explains: no z, no verdict on agreement.
    pub fn of_models(
        quantity: &str,
        route: &str,
        value: Estimate,
        against: &str,
        reference: Estimate,
    ) -> Self {
        let difference = value.minus(&reference);
        Self {
            z: f64::NAN,
            verdict: format!(
                "model difference {:+.2e} ± {:.0e}",
                difference.value, difference.standard_error
            ),
            ..Self::of_numbers(quantity, route, value, against, reference)
        }
    }

    /// Compares two tables entry by entry, given the z-scores.
    pub fn of_tables(quantity: &str, route: &str, against: &str, z: &[f64]) -> Self {
        let rms = (z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64).sqrt();
        let largest = z.iter().fold(0.0_f64, |m, z| m.max(z.abs()));
        let exact = |value| Estimate {
            value,
            standard_error: 0.0,
            samples: z.len(),
        };
        Self {
            quantity: quantity.into(),
            route: route.into(),
            value: exact(largest),
            against: against.into(),
            reference: exact(LARGEST_Z),
            z: rms,
            verdict: if largest <= LARGEST_Z && rms <= LARGEST_RMS_Z {
                "agree"
            } else {
                "differ"
            }
            .into(),
        }
    }
}

/// `agree` within the errors, or by how much two numbers differ.
fn verdict(z: f64, value: f64, reference: f64) -> String {
    if z.abs() <= LARGEST_Z {
        "agree".into()
    } else {
        format!("differ by {:.2} %", 100.0 * (value / reference - 1.0))
    }
}

/// All comparisons that the groups of `file` allow.
///
/// # Errors
/// [`crate::Error::Input`] when a group lacks a record it should hold.
pub fn comparisons(file: &ResultFile) -> Result<Vec<Comparison>> {
    let mut rows = Vec::new();
    if let Some(result) = SlicesResult::find(file)? {
        rows.extend(slices(&result));
    }
    rows.extend(escape(file)?);
    if let (Some(line), Some(path)) = (
        FreezingLineResult::find(file)?,
        FinalProbabilityResult::find(file)?,
    ) {
        rows.extend(freezing(&line, &path));
    }
    if let Some(authors) = PaperPhaseDiagram::find(file)? {
        rows.extend(phase_diagram(&PhaseDiagramResult::of(file)?, &authors));
    }
    Ok(rows)
}

fn number(value: f64, standard_error: f64) -> Estimate {
    Estimate {
        value,
        standard_error,
        samples: 1,
    }
}

fn slices(result: &SlicesResult) -> Vec<Comparison> {
    let slice = |symbol: &str, k: usize| {
        let (y, strength) = (result.y[k], result.noise_strength[k]);
        format!("{symbol} (y={y}, Δ={strength})")
    };
    let errors = (&result.relative_error_grid, &result.relative_error_integral);
    let mut rows = Vec::new();
    for (symbol, grid, integral) in [
        (
            "τ flat→sharp",
            &result.flat_to_sharp_grid,
            &result.flat_to_sharp_integral,
        ),
        (
            "τ sharp→flat",
            &result.sharp_to_flat_grid,
            &result.sharp_to_flat_integral,
        ),
        ("P_flat", &result.p_flat_grid, &result.p_flat_integral),
    ] {
        for k in 0..result.y.len() {
            rows.push(Comparison::of_numbers(
                &slice(symbol, k),
                "Fokker-Planck grid",
                number(grid[k], grid[k] * errors.0[k]),
                "exact integral",
                number(integral[k], integral[k] * errors.1[k].max(f64::EPSILON)),
            ));
        }
    }
    if let Some(langevin) = &result.langevin {
        let integral = &result.sharp_to_flat_integral;
        for k in 0..result.y.len() {
            rows.push(Comparison::of_numbers(
                &slice("τ sharp→flat", k),
                "Langevin simulation",
                number(
                    langevin.sharp_to_flat_langevin[k],
                    langevin.sharp_to_flat_langevin_standard_error[k],
                ),
                "exact integral",
                number(integral[k], integral[k] * errors.1[k]),
            ));
        }
    }
    rows
}

/// Routes along the slow path, each held against another of its own level: finite η with finite η, η → 0 with η → 0. The two-state theory is adiabatic
/// (P lags by the relaxation in the valleys) and the density along the path leaves out the correlation of x and y: what that makes of P_flat
/// is a difference of models, not an error.
fn freezing(line: &FreezingLineResult, path: &FinalProbabilityResult) -> Vec<Comparison> {
    // Only runs of one protocol are comparable.
    if (line.learning_rate, line.start_y) != (path.learning_rate, path.start_y) {
        return Vec::new();
    }
    let computed = &path.noise_strength;
    let mut rows = Vec::new();
    for (symbol, ours, theirs, error) in [
        (
            "P_flat, final",
            &line.means.p_flat,
            &path.p_flat_transfer,
            &path.p_flat_transfer_error,
        ),
        (
            "⟨y⟩ of the last sign change",
            &line.means.mean_freezing_y,
            &path.mean_freezing_y_transfer,
            &path.mean_freezing_y_transfer_error,
        ),
    ] {
        for (k, &strength) in line.noise_strength.iter().enumerate() {
            let Some(j) = row_of(strength, computed) else {
                continue;
            };
            rows.push(Comparison::of_numbers(
                &format!("{symbol} (Δ={strength:.1e}, finite η)"),
                "discrete SGD",
                number(ours.value[k], ours.standard_error[k]),
                "transfer operator",
                number(theirs[j], error[j]),
            ));
        }
    }
    let (density, error) = (&path.p_flat_density, &path.p_flat_density_error);
    let limit = |strength: f64| format!("P_flat, final (Δ={strength:.1e}, η→0)");
    for (j, &strength) in computed.iter().enumerate() {
        rows.push(Comparison::of_models(
            &limit(strength),
            "two-state theory",
            number(path.p_flat_two_state[j], path.p_flat_two_state_error[j]),
            "Fokker-Planck along the path",
            number(density[j], error[j]),
        ));
    }
    if let Some(planar) = &path.planar {
        for (j, &strength) in computed.iter().enumerate() {
            rows.push(Comparison::of_models(
                &limit(strength),
                "Fokker-Planck in the plane",
                number(planar.p_flat_planar[j], planar.p_flat_planar_error[j]),
                "Fokker-Planck along the path",
                number(density[j], error[j]),
            ));
        }
    }
    rows
}

fn phase_diagram(ours: &PhaseDiagramResult, authors: &PaperPhaseDiagram) -> Vec<Comparison> {
    // Runs behind each of the authors' fractions.
    const RUNS: f64 = 2000.0;
    let cells = |ours: &Estimates, theirs: &[f64]| -> Vec<(f64, f64, f64)> {
        let ours = ours.value.iter().zip(&ours.standard_error);
        ours.zip(theirs).map(|((v, e), w)| (*v, *e, *w)).collect()
    };
    let probability = cells(&ours.means.p_flat, &authors.p_flat)
        .into_iter()
        .map(|(p, e, q)| {
            // The authors' sampling error from the pooled fraction; never zero unless both are 0 or 1.
            let pooled = 0.5 * (p + q);
            (p - q) / e.hypot((pooled * (1.0 - pooled) / RUNS).sqrt())
        });
    let time = cells(
        &ours.means.mean_freezing_iteration,
        &authors.mean_freezing_iteration,
    )
    .into_iter()
    .filter(|(_, _, s)| *s > SMALLEST_FREEZING_ITERATION)
    // The authors publish means only; their spread is ours, both with 2000 runs.
    .map(|(t, e, s)| (t - s) / (std::f64::consts::SQRT_2 * e));
    [
        ("P_flat(η, σ), all cells", probability.collect::<Vec<f64>>()),
        ("⟨t_f⟩(η, σ) > 20", time.collect()),
    ]
    .map(|(quantity, z)| Comparison::of_tables(quantity, "discrete SGD", "authors' simulation", &z))
    .into()
}

/// The routes of a user's problem held against its grid, and its action against its loss.
fn escape(file: &ResultFile) -> Result<Vec<Comparison>> {
    let (grid, time) = ("Fokker-Planck grid", "mean first-passage time");
    let mut rows = Vec::new();
    if let Some(escape) = EscapeRecords::find(file)
        && let Some(reference) = escape.number(Quantity::MeanFirstPassageTime)
    {
        if let Some(simulation) = escape.simulation() {
            let value = estimate(
                simulation.simulated_mean_first_passage_time,
                simulation.simulated_mean_first_passage_time_standard_error,
            );
            rows.push(if escape.simulates_sgd() {
                Comparison::of_models(
                    time,
                    "SGD itself",
                    value,
                    "its limit of small steps, grid",
                    reference,
                )
            } else {
                Comparison::of_numbers(time, "simulation", value, grid, reference)
            });
            if let Some(operator) = TransferOperatorResult::find(file)?.filter(|_| escape.simulates_sgd()) {
                let exact = estimate(
                    operator.mean_first_passage_time,
                    operator.mean_first_passage_time_error,
                );
                rows.push(Comparison::of_numbers(
                    time,
                    "SGD itself",
                    value,
                    "transfer operator",
                    exact,
                ));
            }
        }
        if let Some(integral) = escape.integral() {
            let exact = estimate(
                integral.mean_first_passage_time_integral,
                integral.mean_first_passage_time_integral_error,
            );
            rows.push(Comparison::of_numbers(
                time,
                grid,
                reference,
                "exact integral",
                exact,
            ));
        }
        // the routes share the ends, so that their agreement says nothing about them
        if escape.is_domain_too_small() {
            rows.iter_mut()
                .for_each(|row| row.verdict = "domain too small".into());
        }
    }
    if let Some(path) = EscapePathResult::find(file)? {
        rows.extend(small_noise(&path));
    }
    Ok(rows)
}

fn estimate(value: f64, standard_error: f64) -> Estimate {
    Estimate {
        value,
        standard_error,
        samples: 1,
    }
}

/// Multiple of 1/exponent up to which a formula for small noise is called in agreement: the coefficient of its first correction is of
/// order one, 0.4 for the quartic double well and 1.1 for Maier and Stein's process with β = 2.
const LARGEST_SMALL_NOISE_Z: f64 = 2.0;

/// Formulas for small noise, held against the grid in units of their own expected deviation, never as if they were exact.
fn small_noise(path: &EscapePathResult) -> Vec<Comparison> {
    let both = |value: Option<f64>, error: Option<f64>| Some(estimate(value?, error?));
    let mut rows = Vec::new();
    if let (Some(grid), Some(mut value), [formula], Some(_)) = (
        both(path.escape_rate, path.escape_rate_error),
        both(
            path.escape_rate_theory,
            path.escape_rate_theory_expected_deviation,
        ),
        path.formula.as_slice(),
        path.escape_rate_ratio,
    ) {
        value.standard_error *= value.value;
        let row = Comparison::of_numbers("escape rate", formula, value, "Fokker-Planck grid", grid);
        let percent = 100.0 * (value.value / grid.value - 1.0);
        let verdict = if row.z.abs() <= LARGEST_SMALL_NOISE_Z {
            format!("agree to {percent:+.1} %, within O(noise/barrier)")
        } else {
            format!("differ by {percent:.2} %, more than O(noise/barrier)")
        };
        rows.push(Comparison { verdict, ..row });
    }
    if let (Some(action), Some(reduced)) = (
        both(path.exponent, path.exponent_error),
        both(path.reduced_barrier, path.reduced_barrier_error),
    ) {
        rows.push(Comparison::of_numbers(
            "exponent of the escape rate",
            "least action",
            action,
            "loss barrier over T",
            reduced,
        ));
    }
    rows
}

records! {
    /// comparisons between routes and with published values; for tables, value is the largest |z|, reference its bound, z the rms
    pub struct AgreementResult in "agreement" {
        /// what is compared
        quantity: Vec<String> => [comparison] "text",
        /// route of the value
        route: Vec<String> => [comparison] "text",
        /// value, or the largest |z| of a table
        value: Vec<f64> => [comparison] "as quantity",
        /// standard error of the value
        error: Vec<f64> => [comparison] "as quantity",
        /// route or publication of the reference
        against: Vec<String> => [comparison] "text",
        /// reference value, or the bound of |z|
        reference: Vec<f64> => [comparison] "as quantity",
        /// standard error of the reference
        reference_error: Vec<f64> => [comparison] "as quantity",
        /// (value - reference)/combined error, or the rms of a table
        z: Vec<f64> => [comparison] "1" missing "a difference of models, which no error explains",
        /// agree, by how much they differ, or the difference of two models
        verdict: Vec<String> => [comparison] "text",
    }
}

/// The comparisons as the group `/agreement`.
///
/// # Errors
/// [`crate::Error::NotFinite`] when an estimate is not a finite number.
pub(crate) fn group(rows: &[Comparison]) -> Result<Group> {
    let text = |f: fn(&Comparison) -> &String| rows.iter().map(|r| f(r).clone()).collect();
    let real = |f: fn(&Comparison) -> f64| rows.iter().map(f).collect();
    let result = AgreementResult {
        quantity: text(|r| &r.quantity),
        route: text(|r| &r.route),
        value: real(|r| r.value.value),
        error: real(|r| r.value.standard_error),
        against: text(|r| &r.against),
        reference: real(|r| r.reference.value),
        reference_error: real(|r| r.reference.standard_error),
        z: real(|r| r.z),
        verdict: text(|r| &r.verdict),
    };
    result.group()
}

/// The comparisons of a result file as a table for the terminal.
pub fn table(rows: &[Comparison]) -> String {
    let number = |e: &Estimate| format!("{} ± {:.1e}", significant(e.value), e.standard_error);
    let mut cells: Vec<[String; 7]> = vec![
        [
            "quantity",
            "route",
            "value",
            "against",
            "reference",
            "z",
            "verdict",
        ]
        .map(String::from),
    ];
    for r in rows {
        let is_table = r.value.samples > 1 && r.value.standard_error == 0.0;
        let (value, reference, z) = if is_table {
            (
                format!("max |z| {:.2}", r.value.value),
                format!("{} cells", r.value.samples),
                format!("rms {:.2}", r.z),
            )
        } else {
            let z = if r.z.is_nan() {
                String::new()
            } else {
                format!("{:+.2}", r.z)
            };
            (number(&r.value), number(&r.reference), z)
        };
        cells.push([
            r.quantity.clone(),
            r.route.clone(),
            value,
            r.against.clone(),
            reference,
            z,
            r.verdict.clone(),
        ]);
    }
    let width: Vec<usize> = (0..7)
        .map(|c| cells.iter().map(|row| row[c].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for (k, row) in cells.iter().enumerate() {
        let line: Vec<String> = row
            .iter()
            .zip(&width)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
        if k == 0 {
            out.push_str(&"-".repeat(width.iter().sum::<usize>() + 12));
            out.push('\n');
        }
    }
    out
}

/// A number with about eight significant digits, however large.
fn significant(value: f64) -> String {
    let digits = (7 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    if value == 0.0 || (1e-4..1e8).contains(&value.abs()) {
        format!("{value:.digits$}")
    } else {
        format!("{value:.7e}")
    }
}
