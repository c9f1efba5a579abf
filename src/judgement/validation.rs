//! Validation: configurations whose answers are known, held against them.
//!
//! A case is a configuration with `[[check]]` sections, each of which names a record of the result, the known value and where it comes from, and a
//! tolerance with its reason. Whatever states an error must also cover the known value with it.

use crate::error::{Error, Result};
use crate::output::ResultFile;
use serde::Deserialize;

/// `[[check]]`: one number of the result and what it should be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    /// Path of the record, `"escape/spectral_gap"`.
    record: String,
    /// Place in the record, one index a dimension; swept parameters come first.
    #[serde(default)]
    index: Vec<usize>,
    /// The known value.
    value: f64,
    /// What is not known of it: half a unit in the last digit, unless `value` is exact to rounding.
    #[serde(default)]
    uncertainty: f64,
    /// Largest deviation, relative; this or `tolerance_absolute`.
    tolerance: Option<f64>,
    /// Largest deviation in the unit of the record.
    tolerance_absolute: Option<f64>,
    /// Path of the stated relative error when it is not in NAME_error.
    relative_error: Option<String>,
    /// Why the stated error need not cover the known value; it must when this is absent.
    uncovered: Option<String>,
    /// Why this tolerance.
    reason: String,
    /// Who computed the known value, and how.
    source: String,
}

/// One number held against its known value.
///
/// # Formula
/// Passes when |value − reference| ≤ tolerance and, where an error is stated, |value − reference| ≤ error + uncertainty. Of a sampled number the error is four
/// standard errors and what the time step may leave.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOutcome {
    /// Name of the case's folder.
    pub case: String,
    /// First line of its README.
    pub title: String,
    /// Path of the record, with the place in it.
    pub record: String,
    /// What was computed.
    pub value: f64,
    /// Stated error, absolute.
    pub error: Option<f64>,
    /// Whether the number is sampled.
    pub is_sampled: bool,
    /// Known value.
    pub reference: f64,
    /// What is not known of it, absolute.
    pub uncertainty: f64,
    /// Largest deviation, absolute.
    pub tolerance: f64,
    /// Why the error need not cover the known value.
    pub uncovered: Option<String>,
    /// Why this tolerance.
    pub reason: String,
    /// Who computed the known value, and how.
    pub source: String,
}

impl CheckOutcome {
    /// |value − reference|.
    pub fn deviation(&self) -> f64 {
        (self.value - self.reference).abs()
    }

    /// Whether the value is within the tolerance.
    pub fn is_close(&self) -> bool {
        self.deviation() <= self.tolerance
    }

    /// Whether the stated error covers the known value; true when no error is stated or none needs to cover.
    pub fn is_covered(&self) -> bool {
        match self.error {
            Some(error) if self.uncovered.is_none() => self.deviation() <= error + self.uncertainty,
            _ => true,
        }
    }

    /// Both.
    pub fn passes(&self) -> bool {
        self.is_close() && self.is_covered()
    }

    /// `pass`, or what is wrong.
    pub fn verdict(&self) -> &'static str {
        match (self.is_close(), self.is_covered()) {
            (true, true) => "pass",
            (false, true) => "FAIL: beyond the tolerance",
            (true, false) => "FAIL: not covered by its error",
            (false, false) => "FAIL: beyond the tolerance and not covered",
        }
    }

    /// Value ± error, reference, deviation, tolerance, verdict. Deviation and tolerance are relative unless the reference is zero.
    fn columns(&self) -> [String; 6] {
        let unit = if self.reference == 0.0 {
            1.0
        } else {
            self.reference.abs()
        };
        [
            number(self.value),
            match self.error {
                None => "none stated".into(),
                Some(error) if self.is_sampled => format!("{error:.1e}, sampled"),
                Some(error) => format!("{error:.1e}"),
            },
            number(self.reference),
            format!("{:.1e}", self.deviation() / unit),
            format!("{:.1e}", self.tolerance / unit),
            self.verdict().into(),
        ]
    }

    /// One line for the terminal.
    pub fn line(&self) -> String {
        let [value, error, reference, deviation, tolerance, verdict] = self.columns();
        format!(
            "{}  {}  {value} ± {error}  known {reference}  deviation {deviation} of {tolerance}  {verdict}",
            self.case, self.record
        )
    }
}

/// Twelve significant digits at most.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        let digits = if value == 0.0 {
            0
        } else {
            11 - value.abs().log10().floor() as i32
        };
        let text = format!("{value:.*}", digits.clamp(0, 15) as usize);
        if text.contains('.') {
            return text.trim_end_matches('0').trim_end_matches('.').into();
        }
        return text;
    }
    format!("{value:.11e}")
}

/// A configuration with what its results should be.
#[derive(Debug)]
pub struct Case {
    name: String,
    title: String,
    checks: Vec<Check>,
    /// The configuration without the checks.
    pub configuration: String,
}

impl Case {
    /// The case called `name` from the table of its file.
    ///
    /// # Errors
    /// [`Error::Config`] for a check that is not complete.
    pub fn new(name: &str, title: &str, table: toml::Table) -> Result<Self> {
        let (checks, configuration) = checks(name, table)?;
        Ok(Self {
            name: name.into(),
            title: title.into(),
            checks,
            configuration,
        })
    }

    /// Holds the result of the configuration against the known values.
    ///
    /// # Errors
    /// [`Error::Config`] for a check that does not fit its record.
    pub fn outcomes(self, file: &ResultFile) -> Result<Vec<CheckOutcome>> {
        let checks = self.checks.into_iter();
        checks
            .map(|check| outcome(&self.name, &self.title, check, file))
            .collect()
    }
}

fn wrong(case: &str, key: &str, message: impl Into<String>) -> Error {
    Error::config(&format!("{case}: {key}"), message)
}

/// The checks of a case and its configuration without them.
fn checks(case: &str, mut table: toml::Table) -> Result<(Vec<Check>, String)> {
    let sections = match table.remove("check") {
        Some(toml::Value::Array(sections)) if !sections.is_empty() => sections,
        _ => return Err(wrong(case, "check", "at least one [[check]] is required")),
    };
    let mut checks = Vec::new();
    for (k, section) in sections.into_iter().enumerate() {
        let key = format!("check {}", k + 1);
        let check: Check = section
            .try_into()
            .map_err(|e: toml::de::Error| wrong(case, &key, e.message()))?;
        for (name, text) in [
            ("reason", Some(&check.reason)),
            ("source", Some(&check.source)),
            ("uncovered", check.uncovered.as_ref()),
        ] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                return Err(wrong(case, &key, format!("{name} must not be empty")));
            }
        }
        let given = [check.tolerance, check.tolerance_absolute];
        if !check.value.is_finite() || given.into_iter().flatten().any(|t| !(t >= 0.0 && t.is_finite())) {
            return Err(wrong(
                case,
                &key,
                "a finite value and a finite tolerance >= 0 are needed",
            ));
        }
        if check.tolerance.is_some() == check.tolerance_absolute.is_some() {
            return Err(wrong(
                case,
                &key,
                "one of tolerance and tolerance_absolute is required",
            ));
        }
        checks.push(check);
    }
    let text = toml::to_string(&table).map_err(|e| wrong(case, "configuration", e.to_string()))?;
    Ok((checks, text))
}

/// Standard errors that cover a sampled number.
const STANDARD_ERRORS: f64 = 4.0;

fn outcome(case: &str, title: &str, check: Check, file: &ResultFile) -> Result<CheckOutcome> {
    let at = |path: &str| entry(file, path, &check.index).map_err(|message| wrong(case, path, message));
    let value = at(&check.record)?;
    let beside = |suffix: &str| {
        let path = format!("{}_{suffix}", check.record);
        file.record(&path).is_ok().then(|| at(&path)).transpose()
    };
    let standard_error = beside("standard_error")?;
    let error = match (&check.relative_error, standard_error) {
        (Some(path), _) => Some(at(path)? * value.abs()),
        (None, Some(error)) => Some(STANDARD_ERRORS * error + beside("time_step_error")?.unwrap_or(0.0)),
        (None, None) => beside("error")?,
    };
    let record = if check.index.is_empty() {
        check.record
    } else {
        format!("{}{:?}", check.record, check.index)
    };
    let tolerance = match (check.tolerance, check.tolerance_absolute) {
        (Some(relative), _) => relative * check.value.abs(),
        (None, absolute) => absolute.unwrap_or(0.0),
    };
    Ok(CheckOutcome {
        case: case.into(),
        title: title.into(),
        record,
        value,
        error,
        is_sampled: standard_error.is_some(),
        reference: check.value,
        uncertainty: check.uncertainty,
        tolerance,
        uncovered: check.uncovered,
        reason: check.reason,
        source: check.source,
    })
}

/// One number of a record.
fn entry(file: &ResultFile, path: &str, index: &[usize]) -> std::result::Result<f64, String> {
    let record = file.record(path).map_err(|e| e.to_string())?;
    let shape = record.shape();
    if index.len() != shape.len() || index.iter().zip(&shape).any(|(i, n)| i >= n) {
        return Err(format!("index {index:?} does not fit the shape {shape:?}"));
    }
    let flat = index.iter().zip(&shape).fold(0, |flat, (i, n)| flat * n + i);
    let numbers = record.numbers().ok_or("it holds no numbers")?;
    numbers.get(flat).copied().ok_or_else(|| "it is empty".into())
}

/// The outcomes as a Markdown document, with the tables of a scan of stated errors if there is one.
pub fn validation_report(outcomes: &[CheckOutcome], scan: Option<&str>) -> String {
    let count = |f: &dyn Fn(&CheckOutcome) -> bool| outcomes.iter().filter(|o| f(o)).count();
    let mut cases: Vec<&str> = outcomes.iter().map(|o| o.case.as_str()).collect();
    cases.dedup();
    let mut text = format!(
        "# Validation report\n\nWritten by `freezeout validate`; [README.md](README.md) says what a case is and which known answers ordinary tests hold.\n\n\
         {} of {} checks in {} cases pass. {} numbers state an error, {} of these errors cover the known value. \
         Deviation and tolerance are relative unless the known value is zero.\n",
        count(&CheckOutcome::passes),
        outcomes.len(),
        cases.len(),
        count(&|o| o.error.is_some()),
        count(&|o| o.error.is_some() && o.uncovered.is_none() && o.is_covered()),
    );
    for case in cases {
        let of_case: Vec<&CheckOutcome> = outcomes.iter().filter(|o| o.case == case).collect();
        text.push_str(&format!(
            "\n## [{case}]({case}/README.md)\n\n{}\n\n",
            of_case[0].title
        ));
        text.push_str("| record | computed | stated error | known value | deviation | tolerance | verdict |\n|---|---|---|---|---|---|---|\n");
        for outcome in &of_case {
            text.push_str(&format!(
                "| {} | {} |\n",
                outcome.record,
                outcome.columns().join(" | ")
            ));
        }
        text.push('\n');
        for (label, of) in [
            (
                "Tolerance",
                (|o| Some(&o.reason)) as fn(&CheckOutcome) -> Option<&String>,
            ),
            ("Known value", |o| Some(&o.source)),
            ("Error need not cover", |o| o.uncovered.as_ref()),
        ] {
            let mut said: Vec<&String> = Vec::new();
            for line in of_case.iter().filter_map(|o| of(o)) {
                if !said.contains(&line) {
                    said.push(line);
                    text.push_str(&format!("- {label}: {line}\n"));
                }
            }
        }
    }
    if let Some(tables) = scan {
        text.push_str(&format!("\n## Scan of stated errors\n\n{}\n", tables.trim()));
    }
    text
}
