//! Sweeps: the tasks of a configuration repeated over one or two of its parameters.
//!
//! Every cell is the configuration with the swept keys replaced and a seed of its own, so that cells are independent and
//! do not depend on the order in which they run. Records of all cells are stacked along the swept parameters.

use super::checkpoint::Checkpoint;
use super::config::Config;
use super::parse::{parse, parse_table};
use super::progress::Progress;
use super::run::{cell_groups, provenance, validate};
use super::series::Range;
use crate::ensemble::stream::experiment_number;
use crate::error::{Error, Result};
use crate::output::{Group, Record, ResultFile, Values};
use rayon::prelude::*;
use serde::Deserialize;
use std::path::Path;
use toml::{Table, Value};

/// `[[sweep]]`: one swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Dotted key, for example `"noise.power"`.
    pub parameter: String,
    /// The values it takes.
    pub values: SweepValues,
}

/// Values of a swept parameter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of values or a range { from, to, points, scale = \"log\" | \"linear\" }"
)]
pub enum SweepValues {
    /// Listed numbers, texts or truth values.
    List(Vec<Value>),
    /// Equally spaced numbers.
    Range(Range),
}

/// A sweep with its cells parsed and checked.
struct Plan {
    parameters: Vec<String>,
    values: Vec<Vec<Value>>,
    cells: Vec<Config>,
}

impl Plan {
    fn new(config: &Config, text: &str) -> Result<Self> {
        if config.sweep.len() > 2 {
            return Err(fail(
                "sweep",
                format!("at most two parameters can be swept, not {}", config.sweep.len()),
            ));
        }
        let mut base = parse_table(text)?;
        base.remove("sweep");
        let mut plan = Self {
            parameters: Vec::new(),
            values: Vec::new(),
            cells: Vec::new(),
        };
        for sweep in &config.sweep {
            if plan.parameters.contains(&sweep.parameter) {
                return Err(fail(
                    "sweep.parameter",
                    format!("{} is swept twice", sweep.parameter),
                ));
            }
            plan.values.push(values(sweep)?);
            plan.parameters.push(sweep.parameter.clone());
        }
        let outer = plan.values[0].clone();
        let inner = plan
            .values
            .get(1)
            .map_or(vec![None], |v| v.iter().cloned().map(Some).collect());
        for first in &outer {
            for second in &inner {
                let mut table = base.clone();
                let mut label = format!("{}", config.seed);
                for (parameter, value) in plan.parameters.iter().zip([Some(first), second.as_ref()]) {
                    if let Some(value) = value {
                        set(&mut table, parameter, value)?;
                        label.push_str(&format!(" {parameter}={value}"));
                    }
                }
                let mut cell = parse_cell(&table, &plan.parameters)?;
                if !plan.parameters.iter().any(|p| p == "seed") {
                    // TOML integers and file attributes are signed.
                    cell.seed = experiment_number(&label) >> 1;
                }
                validate(&cell)?;
                plan.cells.push(cell);
            }
        }
        Ok(plan)
    }
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
        SweepValues::Range(range) => range
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
    let explain = |error: Error| match error {
        Error::Config { key, message } if parameters.contains(&key) && message.contains("unknown key") => {
            fail("sweep.parameter", format!("{key} does not exist: {message}"))
        }
        other => other,
    };
    let text = |table: &Table| toml::to_string(table).map_err(|e| fail("sweep", e.to_string()));
    parse(&text(table)?).or_else(|error| {
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
            Err(explain(error))
        } else {
            parse(&text(&integers)?).map_err(explain)
        }
    })
}

/// Checks every cell of a sweep without running it.
///
/// # Errors
/// [`Error::Config`].
pub(super) fn check(config: &Config, text: &str) -> Result<()> {
    Plan::new(config, text).map(|_| ())
}

/// Runs all cells over the threads of the current pool, keeping each finished cell in `folder` until the whole is done.
///
/// # Errors
/// [`Error::Config`] before anything runs, also when `folder` holds cells of another configuration; errors of the cells.
pub(super) fn run(
    config: &Config,
    text: &str,
    folder: Option<&Path>,
    progress: &Progress,
) -> Result<ResultFile> {
    let plan = Plan::new(config, text)?;
    let checkpoint = folder.map(|folder| Checkpoint::open(folder, text)).transpose()?;
    let bar = progress.task("sweep", plan.cells.len() as u64);
    let groups: Vec<Vec<Group>> = plan
        .cells
        .par_iter()
        .enumerate()
        .with_max_len(1)
        .map(|(k, cell)| {
            let groups = match checkpoint.as_ref().map(|c| c.cell(k)).transpose()?.flatten() {
                Some(groups) => groups,
                None => {
                    let groups = cell_groups(cell, &Progress::silent())?;
                    if let Some(checkpoint) = &checkpoint {
                        checkpoint.keep(k, &groups)?;
                    }
                    groups
                }
            };
            bar.advance(1);
            Ok(groups)
        })
        .collect::<Result<_>>()?;
    let mut file = ResultFile::new();
    provenance(&mut file, config, text)?;
    for g in 0..groups[0].len() {
        let cells: Vec<&Group> = groups.iter().map(|cell| &cell[g]).collect();
        file.push(stack(&plan, &cells)?)?;
    }
    Ok(file)
}

/// One group with the records of all cells stacked along the swept parameters.
fn stack(plan: &Plan, cells: &[&Group]) -> Result<Group> {
    let first = cells[0];
    let mut group = Group::new(first.name())?.with_description(first.description());
    let mut swept = Vec::new();
    for (parameter, values) in plan.parameters.iter().zip(&plan.values) {
        let name = parameter.replace('.', "_");
        // A swept key that a task writes as a record of its own would clash with the coordinate.
        let name = if first.record(&name).is_some() {
            format!("swept_{name}")
        } else {
            name
        };
        let coordinate = match values[0] {
            Value::Integer(_) | Value::Float(_) => Values::Float(
                values
                    .iter()
                    .filter_map(|v| v.as_float().or(v.as_integer().map(|i| i as f64)))
                    .collect(),
            ),
            _ => Values::Text(
                values
                    .iter()
                    .map(|v| v.as_str().map_or(v.to_string(), String::from))
                    .collect(),
            ),
        };
        group.push(
            Record::coordinate(&name, "1", coordinate)?.with_description(&format!("swept key {parameter}")),
        )?;
        swept.push((name, values.len()));
    }
    for record in first.records() {
        let all: Vec<&Record> = cells
            .iter()
            .filter_map(|cell| cell.record(record.name()))
            .collect();
        let same_shape = all.len() == cells.len() && all.iter().all(|r| r.shape() == record.shape());
        if !same_shape {
            return Err(fail(
                "sweep",
                format!(
                    "{}/{} has another shape in some cells, which cannot be stacked",
                    first.name(),
                    record.name()
                ),
            ));
        }
        if all.iter().all(|r| r.values() == record.values()) && record.is_coordinate() {
            group.push(record.clone())?;
            continue;
        }
        let mut dimensions: Vec<(&str, usize)> = swept.iter().map(|(n, size)| (n.as_str(), *size)).collect();
        let own: Vec<(String, usize)> = record
            .dimensions()
            .iter()
            // A coordinate that differs between cells is an ordinary record along an index.
            .map(|d| {
                (
                    if d.name == record.name() {
                        format!("{}_index", d.name)
                    } else {
                        d.name.clone()
                    },
                    d.size,
                )
            })
            .collect();
        dimensions.extend(own.iter().map(|(n, size)| (n.as_str(), *size)));
        let mut stacked = Record::new(record.name(), record.unit(), &dimensions, concatenate(&all))?
            .with_symbol(record.symbol())
            .with_description(record.description());
        if let Some(meaning) = all.iter().find_map(|r| r.missing()) {
            stacked = stacked.with_missing(meaning);
        }
        group.push(stacked)?;
    }
    Ok(group)
}

fn concatenate(records: &[&Record]) -> Values {
    match records[0].values() {
        Values::Text(_) => Values::Text(
            records
                .iter()
                .flat_map(|r| {
                    if let Values::Text(v) = r.values() {
                        v.clone()
                    } else {
                        Vec::new()
                    }
                })
                .collect(),
        ),
        _ => Values::Float(
            records
                .iter()
                .flat_map(|r| r.numbers().unwrap_or_default())
                .collect(),
        ),
    }
}
