//! Sweeps: the tasks of a configuration repeated over one or two of its parameters.
//!
//! Every cell is the configuration with the swept keys replaced and a seed of its own, so that cells are independent and
//! do not depend on the order in which they run; with `shared_seed` all have that of the configuration. Records of all cells are stacked along the swept parameters.

use super::checkpoint::{Checkpoint, Kept};
use super::estimate::Estimate;
use super::input_files::{InputFiles, input_files, listed, require_unchanged};
use super::parse::{Refusal, configuration, parse_table};
use super::shard::stacked;
use crate::config::{Config, shaped_by};
use crate::ensemble::stream::experiment_number;
use crate::error::{Error, Result};
use crate::output::{Group, Record, Values, require_same_shapes, swept_coordinate, swept_name};
use crate::setting::{Sweep, SweepValues};
use crate::task::Part;
use crate::task::Progress;
use rayon::prelude::*;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use toml::{Table, Value};

/// Cells of the largest sweep.
const MOST_CELLS: usize = 10_000;

/// Units of progress of a cell.
const CELL_UNITS: u64 = 1000;

/// A sweep with its cells parsed and checked.
pub struct Plan {
    parameters: Vec<String>,
    values: Vec<Vec<Value>>,
    cells: Vec<Config>,
    /// Seed and swept values of each cell.
    labels: Vec<String>,
    /// All that the numbers of each cell come from.
    identities: Vec<String>,
    /// Input files of all cells.
    inputs: InputFiles,
    /// What all cells are expected to need.
    estimate: Estimate,
}

impl Plan {
    /// Parses and checks every cell.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn new(config: &Config, text: &str) -> Result<Self> {
        if config.sweep.len() > 2 {
            return Err(fail(
                "sweep",
                format!("at most two parameters can be swept, not {}", config.sweep.len()),
            ));
        }
        let mut base = parse_table(text)?;
        base.remove("sweep");
        let (mut parameters, mut ranges): (Vec<String>, Vec<Vec<Value>>) = (Vec::new(), Vec::new());
        for sweep in &config.sweep {
            if parameters.contains(&sweep.parameter) {
                return Err(fail(
                    "sweep.parameter",
                    format!("{} is swept twice", sweep.parameter),
                ));
            }
            let section = sweep.parameter.split('.').next().unwrap_or_default();
            if matches!(sweep.parameter.as_str(), "name" | "sweep" | "") {
                return Err(fail(
                    "sweep.parameter",
                    format!("{:?} cannot be swept", sweep.parameter),
                ));
            }
            // Landscape and noise have defaults; a task that is not there would be invented.
            if sweep.parameter.contains('.')
                && !matches!(section, "landscape" | "noise" | "sgd")
                && !base.contains_key(section)
            {
                return Err(fail(
                    "sweep.parameter",
                    format!(
                        "{}: there is no section [{section}] in this configuration",
                        sweep.parameter
                    ),
                ));
            }
            let values = values(sweep)?;
            let coordinate = coordinate(&sweep.parameter, &values)
                .map_err(|e| Error::config("sweep.parameter", e.to_string()))?;
            let is_taken = |other: &String| swept_name(other) == coordinate.name();
            if let Some(other) = parameters.iter().find(|other| is_taken(other)) {
                return Err(fail(
                    "sweep.parameter",
                    format!(
                        "{other} and {} would both be recorded as {}",
                        sweep.parameter,
                        coordinate.name()
                    ),
                ));
            }
            require_stackable(&sweep.parameter, &values)?;
            ranges.push(values);
            parameters.push(sweep.parameter.clone());
        }
        let number: usize = ranges.iter().map(Vec::len).product();
        if number > MOST_CELLS {
            return Err(fail(
                "sweep.values",
                format!("{number} cells are more than the {MOST_CELLS} supported"),
            ));
        }
        let outer = ranges[0].clone();
        let inner = ranges
            .get(1)
            .map_or(vec![None], |v| v.iter().cloned().map(Some).collect());
        let mut cells = Vec::new();
        for first in &outer {
            for second in &inner {
                let mut table = base.clone();
                let mut label = format!("{}", config.seed);
                for (parameter, value) in parameters.iter().zip([Some(first), second.as_ref()]) {
                    if let Some(value) = value {
                        set(&mut table, parameter, value)?;
                        label.push_str(&format!(" {parameter}={value}"));
                    }
                }
                let mut cell = parse_cell(&table, &parameters)?;
                if !config.shared_seed && !parameters.iter().any(|p| p == "seed") {
                    // TOML integers and file attributes are signed.
                    cell.seed = experiment_number(&label) >> 1;
                }
                cells.push((cell, label, table));
            }
        }
        let mut plan = Self {
            parameters,
            values: ranges,
            cells: Vec::new(),
            labels: Vec::new(),
            identities: Vec::new(),
            inputs: InputFiles::new(),
            estimate: Estimate::of_sweep(cells.iter().map(|(cell, ..)| cell))?,
        };
        require_one_dimension(cells.iter().map(|(cell, ..)| cell))?;
        for (cell, label, table) in cells {
            // Looked at before they are read.
            let inputs = input_files(&cell)?;
            cell.prepare().map_err(|e| in_cell(&label, e))?;
            plan.identities.push(identity(&table, cell.seed, &inputs));
            plan.inputs.extend(inputs);
            plan.cells.push(cell);
            plan.labels.push(label);
        }
        Ok(plan)
    }
}

/// Refuses keys that set the shapes of records, unless they take one value only.
fn require_stackable(parameter: &str, values: &[Value]) -> Result<()> {
    let is_one = values.iter().all(|value| *value == values[0]);
    if is_one || !shaped_by().iter().any(|key| key == parameter) {
        return Ok(());
    }
    Err(fail(
        "sweep.parameter",
        format!(
            "{parameter} sets the shapes of results, which cannot be stacked when they differ: run it several times instead"
        ),
    ))
}

/// Refuses cells with different numbers of variables.
fn require_one_dimension<'a>(cells: impl Iterator<Item = &'a Config>) -> Result<()> {
    let mut first = None;
    for cell in cells {
        let dimension = cell.landscape.dimension().map_err(|e| e.at("landscape"))?;
        if *first.get_or_insert(dimension) != dimension {
            return Err(fail(
                "sweep.parameter",
                "cells have different numbers of variables: their results cannot be stacked".into(),
            ));
        }
    }
    Ok(())
}

/// What the numbers of a cell come from: its configuration but for the name, its seed and input files, and the build.
fn identity(table: &Table, seed: u64, inputs: &InputFiles) -> String {
    let mut table = table.clone();
    table.remove("name");
    [
        table.to_string(),
        format!("seed = {seed}"),
        listed(inputs),
        format!("{} {}", env!("CARGO_PKG_VERSION"), env!("FREEZEOUT_COMMIT")),
    ]
    .join("\n")
}

/// The values of a swept parameter as a coordinate.
fn coordinate(parameter: &str, values: &[Value]) -> Result<Record> {
    let number = |value: &Value| value.as_float().or(value.as_integer().map(|i| i as f64));
    let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
    let (unit, values) = match numbers {
        Some(numbers) => ("1", Values::Float(numbers)),
        None => {
            let text = |value: &Value| value.as_str().map_or(value.to_string(), String::from);
            ("text", Values::Text(values.iter().map(text).collect()))
        }
    };
    swept_coordinate(parameter, unit, values)
}

fn fail(key: &str, message: String) -> Error {
    Error::Config {
        key: key.into(),
        message,
    }
}

fn values(sweep: &Sweep) -> Result<Vec<Value>> {
    let values: Vec<Value> = match &sweep.values {
        SweepValues::List(values) => values.clone(),
        SweepValues::Spaced(range) => range
            .values()
            .map_err(|m| fail("sweep.values", m))?
            .into_iter()
            .map(Value::Float)
            .collect(),
    };
    let kind = |v: &Value| match v {
        Value::Integer(_) | Value::Float(_) => Some("number"),
        Value::String(_) => Some("text"),
        Value::Boolean(_) => Some("truth value"),
        _ => None,
    };
    let Some(first) = values.first().and_then(kind) else {
        return Err(fail(
            "sweep.values",
            "a list of numbers, texts or truth values is needed, and not an empty one".into(),
        ));
    };
    if let Some(value) = values.iter().filter_map(Value::as_float).find(|v| !v.is_finite()) {
        return Err(fail(
            "sweep.values",
            format!("{value} is not allowed: finite numbers are needed"),
        ));
    }
    if values.iter().any(|v| kind(v) != Some(first)) {
        return Err(fail("sweep.values", "all values must be of one kind".into()));
    }
    Ok(values)
}

/// Sets the dotted key in a table, making the tables on the way.
fn set(table: &mut Table, key: &str, value: &Value) -> Result<()> {
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut place = table;
    for part in parts {
        let next = place.entry(part).or_insert_with(|| Value::Table(Table::new()));
        place = next
            .as_table_mut()
            .ok_or_else(|| fail("sweep.parameter", format!("{key}: {part} is not a section")))?;
    }
    place.insert(last.into(), value.clone());
    Ok(())
}

/// A cell's configuration; whole numbers serve keys that want integers.
fn parse_cell(table: &Table, parameters: &[String]) -> Result<Config> {
    let whole = |value: &Value| match value {
        Value::Float(v) if v.fract() == 0.0 && v.abs() < 1e15 => Some(Value::Integer(*v as i64)),
        _ => None,
    };
    let explain = |refusal: Refusal| match (refusal.unknown_key, refusal.error) {
        (Some(key), Error::Config { message, .. }) if parameters.contains(&key) => {
            fail("sweep.parameter", format!("{key} does not exist: {message}"))
        }
        (_, error) => error,
    };
    let text = |table: &Table| toml::to_string(table).map_err(|e| fail("sweep", e.to_string()));
    configuration(&text(table)?).or_else(|refusal| {
        let mut integers = table.clone();
        for parameter in parameters {
            let found = parameter
                .split('.')
                .try_fold(&Value::Table(table.clone()), |v, part| v.get(part))
                .and_then(whole);
            if let Some(value) = found {
                set(&mut integers, parameter, &value)?;
            }
        }
        if integers == *table {
            Err(explain(refusal))
        } else {
            configuration(&text(&integers)?).map_err(explain)
        }
    })
}

impl Plan {
    /// What all cells are expected to need.
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Input files of all cells with their digests.
    pub fn inputs(&self) -> &InputFiles {
        &self.inputs
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.cells.len()
    }

    /// The swept coordinates.
    ///
    /// # Errors
    /// As [`Record::coordinate`].
    pub fn swept(&self) -> Result<Vec<Record>> {
        let both = self.parameters.iter().zip(&self.values);
        both.map(|(parameter, values)| coordinate(parameter, values))
            .collect()
    }

    /// Runs all cells as [`Plan::cells`] does and stacks them.
    ///
    /// # Errors
    /// As [`Plan::cells`].
    pub fn run(&self, text: &str, folder: Option<&Path>, progress: &Progress) -> Result<Vec<Group>> {
        let all: Vec<usize> = (0..self.count()).collect();
        let cells = self.cells(&all, text, folder, progress)?;
        let groups: Vec<Vec<Group>> = cells.into_iter().map(|(_, groups)| groups).collect();
        self.stacked(&groups)
    }

    /// Stacks the groups of all cells along the swept coordinates.
    ///
    /// # Errors
    /// [`Error::Config`] when there are more or fewer than cells, or two have records that cannot be stacked.
    pub fn stacked(&self, groups: &[Vec<Group>]) -> Result<Vec<Group>> {
        if groups.len() != self.count() {
            let (count, found) = (self.count(), groups.len());
            return Err(fail("sweep", format!("{found} results for {count} cells")));
        }
        for cell in groups {
            require_same_shapes(&groups[0], cell)?;
        }
        stacked(&self.swept()?, groups)
    }

    /// The configuration of every cell as TOML.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn texts(&self) -> Result<Vec<String>> {
        let text = |cell: &Config| toml::to_string(cell).map_err(|e| fail("sweep", e.to_string()));
        self.cells.iter().map(text).collect()
    }

    /// Runs the cells of these numbers over the threads of the current pool, keeping each finished cell in `folder` until the whole is done; `text` is
    /// the configuration.
    ///
    /// # Errors
    /// [`Error::Output`] when `folder` holds something else; [`Error::Config`] as soon as two cells have records that cannot be stacked; errors of the
    /// cells.
    pub fn cells(
        &self,
        numbers: &[usize],
        text: &str,
        folder: Option<&Path>,
        progress: &Progress,
    ) -> Result<Vec<(usize, Vec<Group>)>> {
        let note = |line: &str| progress.note(line);
        let checkpoint = folder
            .map(|folder| Checkpoint::open(folder, text, self.identities.clone(), &note))
            .transpose()?;
        let bar = Arc::new(progress.task("sweep", CELL_UNITS * numbers.len() as u64));
        let first = OnceLock::new();
        let cell = |k: &usize| {
            let (k, cell) = (*k, &self.cells[*k]);
            let label = &self.labels[k];
            let part = bar.part(CELL_UNITS);
            let groups = match checkpoint.as_ref().map_or(Kept::Nothing, |c| c.cell(k)) {
                Kept::Groups(groups) => groups,
                kept => {
                    if let Kept::Damaged(why) = kept {
                        progress.note(&format!("a kept cell is computed again: {why}"));
                    }
                    let groups = self.compute(cell, &part).map_err(|e| in_cell(label, e))?;
                    if let Some(checkpoint) = &checkpoint {
                        checkpoint.keep(k, &groups)?;
                    }
                    groups
                }
            };
            require_same_shapes(first.get_or_init(|| groups.clone()), &groups)?;
            Ok((k, groups))
        };
        numbers.par_iter().with_max_len(1).map(cell).collect()
    }

    /// The groups of a cell; `part` of the progress moves with its tasks.
    fn compute(&self, cell: &Config, part: &Part) -> Result<Vec<Group>> {
        let tasks = cell.prepare()?;
        require_unchanged(cell, &self.inputs)?;
        let within = part.progress();
        let mut groups = Vec::new();
        for work in tasks {
            groups.extend(work(&within)?);
        }
        Ok(groups)
    }
}

/// Says in which cell of the sweep something failed; a label is the seed and the swept values.
fn in_cell(label: &str, error: Error) -> Error {
    let values = label.split_once(' ').map_or(label, |(_, values)| values);
    match error {
        Error::Config { key, message } => Error::config(&key, format!("{message} (in the cell {values})")),
        other @ Error::Output { .. } => other,
        other => Error::At {
            key: format!("in the cell {values}"),
            source: Box::new(other),
        },
    }
}
