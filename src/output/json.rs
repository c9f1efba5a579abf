//! A result file as JSON, for other programs.

use super::group::{Attribute, Group, ResultFile};
use super::nearest::absent;
use super::record::{Record, Values};
use crate::error::Result;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The whole file as JSON: `attributes`, then `groups` by name with their `records` by name; NaN becomes null, arrays nest
/// like the shape, and keys are in alphabetical order.
pub fn to_json(file: &ResultFile) -> Value {
    let groups = file.groups().iter();
    let groups: Map<String, Value> = groups
        .map(|group| (group.name().to_string(), group_json(group)))
        .collect();
    json!({ "attributes": attributes_json(file.attributes()), "groups": groups })
}

/// The group, record or attribute at a path as JSON, in the form that it has in [`to_json`].
///
/// # Errors
/// [`crate::Error::Input`] when nothing has this name.
pub fn json_at(file: &ResultFile, path: &str) -> Result<Value> {
    let path = path.trim_matches('/');
    let (outer, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(group) = file.group(path) {
        return Ok(group_json(group));
    }
    if let Some(record) = file.group(outer).and_then(|group| group.record(name)) {
        return Ok(record_json(record));
    }
    let attributes = match (outer, file.group(outer)) {
        ("", _) => Some(file.attributes()),
        (_, group) => group.map(Group::attributes),
    };
    attributes
        .and_then(|attributes| attributes_json(attributes).remove(name))
        .ok_or_else(|| absent(file, path))
}

fn group_json(group: &Group) -> Value {
    let records: Map<String, Value> = group
        .records()
        .iter()
        .map(|r| (r.name().to_string(), record_json(r)))
        .collect();
    json!({
        "description": group.description(),
        "attributes": attributes_json(group.attributes()),
        "records": records,
    })
}

fn attributes_json(attributes: &BTreeMap<String, Attribute>) -> Map<String, Value> {
    let value = |attribute: &Attribute| match attribute {
        Attribute::Text(text) => json!(text),
        Attribute::Float(number) => json!(number),
        Attribute::Integer(number) => json!(number),
    };
    attributes
        .iter()
        .map(|(name, attribute)| (name.clone(), value(attribute)))
        .collect()
}

fn record_json(record: &Record) -> Value {
    let flat: Vec<Value> = match record.values() {
        Values::Float(v) => v.iter().map(|x| json!(x)).collect(),
        Values::Integer(v) => v.iter().map(|x| json!(x)).collect(),
        Values::Unsigned(v) => v.iter().map(|x| json!(x)).collect(),
        Values::Bool(v) => v.iter().map(|x| json!(x)).collect(),
        Values::Text(v) => v.iter().map(|x| json!(x)).collect(),
    };
    let dimensions: Vec<&str> = record.dimensions().iter().map(|d| d.name.as_str()).collect();
    json!({
        "unit": record.unit(),
        "symbol": record.symbol(),
        "description": record.description(),
        "missing": record.missing(),
        "dimensions": dimensions,
        "shape": record.shape(),
        "values": nested(&mut flat.into_iter(), &record.shape()),
    })
}

/// The next entries of `flat` as arrays nested like `shape`.
fn nested(flat: &mut impl Iterator<Item = Value>, shape: &[usize]) -> Value {
    match shape {
        [] => flat.next().unwrap_or(Value::Null),
        [size, inner @ ..] => (0..*size).map(|_| nested(flat, inner)).collect(),
    }
}
