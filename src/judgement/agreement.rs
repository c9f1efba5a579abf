//! Do the routes agree? One row a comparison, written to the file and printed as a table.

use crate::error::Result;
use crate::output::{Group, Record, ResultFile, Values};
use crate::statistics::Estimate;

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
    /// (value − reference)/combined error; for a table, the rms of it.
    pub z: f64,
    /// `agree`, `differ`, or what else follows.
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
    if file.group("slices").is_some() {
        rows.extend(slices(file)?);
    }
    rows.extend(escape(file)?);
    if file.group("freezing_line").is_some() && file.group("final_probability").is_some() {
        rows.extend(freezing(file)?);
    }
    if file.group("paper_phase_diagram").is_some() {
        rows.extend(phase_diagram(file)?);
    }
    Ok(rows)
}

pub(crate) fn numbers(file: &ResultFile, path: &str) -> Result<Vec<f64>> {
    file.record(path)?.numbers().ok_or_else(|| crate::Error::Input {
        path: path.into(),
        message: "numbers are needed".into(),
    })
}

/// The routes of a user's problem held against its grid, and its action against its loss.
fn escape(file: &ResultFile) -> Result<Vec<Comparison>> {
    let estimate = |value: &str, error: &str| -> Option<Estimate> {
        let get = |path: &str| file.record(path).ok()?.numbers().map(|v| v[0]);
        Some(Estimate {
            value: get(value)?,
            standard_error: get(error)?,
            samples: 1,
        })
    };
    let (grid, time) = ("Fokker-Planck grid", "mean first-passage time");
    let name = "escape/mean_first_passage_time";
    let reference = estimate(name, &format!("{name}_error"));
    let mut rows = Vec::new();
    let simulated = "escape/simulated_mean_first_passage_time";
    if let (Some(value), Some(reference)) = (
        estimate(simulated, &format!("{simulated}_standard_error")),
        reference,
    ) {
        rows.push(Comparison::of_numbers(time, "simulation", value, grid, reference));
    }
    if let (Some(reference), Some(exact)) = (
        reference,
        estimate(&format!("{name}_integral"), &format!("{name}_integral_error")),
    ) {
        rows.push(Comparison::of_numbers(
            time,
            grid,
            reference,
            "exact integral",
            exact,
        ));
    }
    rows.extend(small_noise(file, &estimate));
    Ok(rows)
}

/// Multiple of 1/exponent up to which a formula for small noise is called in agreement: the coefficient of its first correction is of
/// order one, 0.4 for the quartic double well and 1.1 for Maier and Stein's process with β = 2.
const LARGEST_SMALL_NOISE_Z: f64 = 2.0;

/// Formulas for small noise, held against the grid in units of their own expected deviation, never as if they were exact.
fn small_noise(file: &ResultFile, estimate: &dyn Fn(&str, &str) -> Option<Estimate>) -> Vec<Comparison> {
    let path = |name: &str| format!("escape_path/{name}");
    let mut rows = Vec::new();
    let (rate, theory) = (path("escape_rate"), path("escape_rate_theory"));
    let formula = file
        .record(&path("formula"))
        .ok()
        .map(|record| record.values().clone());
    if let (Some(grid), Some(mut value), Some(Values::Text(formula)), Ok(_)) = (
        estimate(&rate, &format!("{rate}_error")),
        estimate(&theory, &format!("{theory}_expected_deviation")),
        formula,
        file.record(&path("escape_rate_ratio")),
    ) {
        value.standard_error *= value.value;
        let row = Comparison::of_numbers("escape rate", &formula[0], value, "Fokker-Planck grid", grid);
        let percent = 100.0 * (value.value / grid.value - 1.0);
        let verdict = if row.z.abs() <= LARGEST_SMALL_NOISE_Z {
            format!("agree to {percent:+.1} %, within O(noise/barrier)")
        } else {
            format!("differ by {percent:.2} %, more than O(noise/barrier)")
        };
        rows.push(Comparison { verdict, ..row });
    }
    if let (Some(action), Some(reduced)) = (
        estimate(&path("exponent"), &path("exponent_error")),
        estimate(&path("reduced_barrier"), &path("reduced_barrier_error")),
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

fn slices(file: &ResultFile) -> Result<Vec<Comparison>> {
    let get = |name: &str| numbers(file, &format!("slices/{name}"));
    let (y, strength) = (get("y")?, get("noise_strength")?);
    let (grid_error, integral_error) = (get("relative_error_grid")?, get("relative_error_integral")?);
    let mut rows = Vec::new();
    for (name, symbol) in [
        ("flat_to_sharp", "τ flat→sharp"),
        ("sharp_to_flat", "τ sharp→flat"),
        ("p_flat", "P_flat"),
    ] {
        let (grid, integral) = (get(&format!("{name}_grid"))?, get(&format!("{name}_integral"))?);
        for k in 0..y.len() {
            let number = |value: f64, relative: f64| Estimate {
                value,
                standard_error: value * relative,
                samples: 1,
            };
            rows.push(Comparison::of_numbers(
                &format!("{symbol} (y={}, Δ={})", y[k], strength[k]),
                "Fokker-Planck grid",
                number(grid[k], grid_error[k]),
                "exact integral",
                number(integral[k], integral_error[k].max(f64::EPSILON)),
            ));
        }
    }
    if let (Ok(value), Ok(error)) = (
        get("sharp_to_flat_langevin"),
        get("sharp_to_flat_langevin_standard_error"),
    ) {
        let integral = get("sharp_to_flat_integral")?;
        for k in 0..y.len() {
            rows.push(Comparison::of_numbers(
                &format!("τ sharp→flat (y={}, Δ={})", y[k], strength[k]),
                "Langevin simulation",
                Estimate {
                    value: value[k],
                    standard_error: error[k],
                    samples: 1,
                },
                "exact integral",
                Estimate {
                    value: integral[k],
                    standard_error: integral[k] * integral_error[k],
                    samples: 1,
                },
            ));
        }
    }
    Ok(rows)
}

/// Routes along the slow path, each held against another of its own level: finite η with finite η, η → 0 with η → 0.
fn freezing(file: &ResultFile) -> Result<Vec<Comparison>> {
    // Two noise strengths that differ by rounding are one.
    const SAME: f64 = 1e-9;
    let line = |name: &str| numbers(file, &format!("freezing_line/{name}"));
    let path = |name: &str| numbers(file, &format!("final_probability/{name}"));
    // Only runs of one protocol are comparable.
    let attribute =
        |group: &str, name: &str| file.group(group).and_then(|g| g.attributes().get(name)).cloned();
    if ["learning_rate", "start_y"]
        .iter()
        .any(|name| attribute("freezing_line", name) != attribute("final_probability", name))
    {
        return Ok(Vec::new());
    }
    let (simulated, computed) = (line("noise_strength")?, path("noise_strength")?);
    let exact = |value: f64, error: f64| Estimate {
        value,
        standard_error: error,
        samples: 1,
    };
    let mut rows = Vec::new();
    for (symbol, ours, theirs) in [
        ("P_flat, final", "p_flat", "p_flat_transfer"),
        (
            "⟨y⟩ of the last sign change",
            "mean_freezing_y",
            "mean_freezing_y_transfer",
        ),
    ] {
        let (value, error) = (line(ours)?, line(&format!("{ours}_standard_error"))?);
        let reference = path(theirs)?;
        for (k, strength) in simulated.iter().enumerate() {
            let Some(j) = computed.iter().position(|c| (c / strength - 1.0).abs() < SAME) else {
                continue;
            };
            rows.push(Comparison::of_numbers(
                &format!("{symbol} (Δ={:.1e}, finite η)", computed[j]),
                "discrete SGD",
                exact(value[k], error[k]),
                "transfer operator",
                exact(reference[j], 0.0),
            ));
        }
    }
    let (two_state, density, error) = (
        path("p_flat_two_state")?,
        path("p_flat_density")?,
        path("p_flat_density_error")?,
    );
    for (j, strength) in computed.iter().enumerate() {
        rows.push(Comparison::of_numbers(
            &format!("P_flat, final (Δ={strength:.1e}, η→0)"),
            "two-state theory",
            // The adiabatic approximation: P lags by the relaxation in the valleys. Its size is not known beforehand; half a
            // thousandth is what is seen.
            exact(two_state[j], ADIABATIC),
            "Fokker-Planck along the path",
            exact(density[j], error[j]),
        ));
    }
    if let (Ok(planar), Ok(planar_error)) = (path("p_flat_planar"), path("p_flat_planar_error")) {
        for (j, strength) in computed.iter().enumerate() {
            rows.push(Comparison::of_numbers(
                &format!("P_flat, final (Δ={strength:.1e}, η→0)"),
                "Fokker-Planck in the plane",
                exact(planar[j], planar_error[j]),
                "Fokker-Planck along the path",
                exact(density[j], error[j].hypot(NO_CORRELATION)),
            ));
        }
    }
    Ok(rows)
}

/// Stated error of P_flat along the path: it leaves out the correlation of x and y, seen to be 1.1e-4 to 1.5e-4.
const NO_CORRELATION: f64 = 2e-4;
/// Stated error of P_flat in the two-state theory.
const ADIABATIC: f64 = 5e-4;

fn phase_diagram(file: &ResultFile) -> Result<Vec<Comparison>> {
    let ours = |name: &str| numbers(file, &format!("phase_diagram/{name}"));
    let theirs = |name: &str| numbers(file, &format!("paper_phase_diagram/{name}"));
    // Runs behind each of the authors' fractions.
    const RUNS: f64 = 2000.0;
    let (p, p_error, q) = (ours("p_flat")?, ours("p_flat_standard_error")?, theirs("p_flat")?);
    let z: Vec<f64> = p
        .iter()
        .zip(&p_error)
        .zip(&q)
        .map(|((p, e), q)| {
            // The authors' sampling error from the pooled fraction; never zero unless both are 0 or 1.
            let pooled = 0.5 * (p + q);
            (p - q) / e.hypot((pooled * (1.0 - pooled) / RUNS).sqrt())
        })
        .collect();
    let mut rows = vec![Comparison::of_tables(
        "P_flat(η, σ), all cells",
        "discrete SGD",
        "authors' simulation",
        &z,
    )];
    let (t, t_error, s) = (
        ours("mean_freezing_iteration")?,
        ours("mean_freezing_iteration_standard_error")?,
        theirs("mean_freezing_iteration")?,
    );
    let z: Vec<f64> = t
        .iter()
        .zip(&t_error)
        .zip(&s)
        .filter(|((_, _), s)| **s > SMALLEST_FREEZING_ITERATION)
        // The authors publish means only; their spread is ours, both with 2000 runs.
        .map(|((t, e), s)| (t - s) / (std::f64::consts::SQRT_2 * e))
        .collect();
    rows.push(Comparison::of_tables(
        "⟨t_f⟩(η, σ) > 20",
        "discrete SGD",
        "authors' simulation",
        &z,
    ));
    Ok(rows)
}

/// The comparisons as the group `/agreement`.
///
/// # Errors
/// [`crate::Error::DimensionMismatch`] never, the columns having equal lengths.
pub(crate) fn group(rows: &[Comparison]) -> Result<Group> {
    let mut group = Group::new("agreement")?.with_description(
        "comparisons between routes and with published values; for tables, value is the largest |z|, reference its bound, z the rms",
    );
    let n = [("comparison", rows.len())];
    let text = |f: &dyn Fn(&Comparison) -> String| rows.iter().map(f).collect::<Vec<String>>();
    let real = |f: &dyn Fn(&Comparison) -> f64| rows.iter().map(f).collect::<Vec<f64>>();
    group.push(
        Record::new("quantity", "text", &n, text(&|r| r.quantity.clone()))?
            .with_description("what is compared"),
    )?;
    group.push(
        Record::new("route", "text", &n, text(&|r| r.route.clone()))?.with_description("route of the value"),
    )?;
    group.push(
        Record::new("value", "as quantity", &n, real(&|r| r.value.value))?
            .with_description("value, or the largest |z| of a table"),
    )?;
    group.push(
        Record::new("error", "as quantity", &n, real(&|r| r.value.standard_error))?
            .with_description("standard error of the value"),
    )?;
    group.push(
        Record::new("against", "text", &n, text(&|r| r.against.clone()))?
            .with_description("route or publication of the reference"),
    )?;
    group.push(
        Record::new("reference", "as quantity", &n, real(&|r| r.reference.value))?
            .with_description("reference value, or the bound of |z|"),
    )?;
    group.push(
        Record::new(
            "reference_error",
            "as quantity",
            &n,
            real(&|r| r.reference.standard_error),
        )?
        .with_description("standard error of the reference"),
    )?;
    group.push(
        Record::new("z", "1", &n, real(&|r| r.z))?
            .with_description("(value - reference)/combined error, or the rms of a table"),
    )?;
    group.push(
        Record::new("verdict", "text", &n, text(&|r| r.verdict.clone()))?
            .with_description("agree, or by how much they differ"),
    )?;
    Ok(group)
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
            (number(&r.value), number(&r.reference), format!("{:+.2}", r.z))
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
