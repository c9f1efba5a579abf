//! A result file as JSON, for other programs.

use super::group::{Attribute, ResultFile};
use super::record::{Record, Values};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The whole file as JSON: `attributes`, then `groups` by name with their `records` by name; NaN becomes null, arrays nest
/// like the shape, and keys are in alphabetical order.
pub fn to_json(file: &ResultFile) -> Value {
    let groups: Map<String, Value> = file
        .groups()
        .iter()
        .map(|group| {
            let records: Map<String, Value> = group
                .records()
                .iter()
                .map(|r| (r.name().to_string(), record_json(r)))
                .collect();
            let value = json!({
                "description": group.description(),
                "attributes": attributes_json(group.attributes()),
                "records": records,
            });
            (group.name().to_string(), value)
        })
        .collect();
    json!({ "attributes": attributes_json(file.attributes()), "groups": groups })
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
