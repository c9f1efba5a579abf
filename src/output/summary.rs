//! A result file as text for people.

use super::group::{Attribute, ResultFile};
use super::record::{Record, Values};
use std::collections::BTreeMap;
use std::fmt::Display;

/// Arrays up to this many entries are printed in full.
const PRINTED_IN_FULL: usize = 12;
/// Longest text attribute printed on one line.
const LINE: usize = 100;

/// The tree of groups and records with shapes, units and ranges; small arrays and attributes in full.
pub fn summary(file: &ResultFile) -> String {
    let mut out = attribute_lines(file.attributes(), "");
    for group in file.groups() {
        out += &format!("\n/{}", group.name());
        if !group.description().is_empty() {
            out += &format!(": {}", group.description());
        }
        out.push('\n');
        out += &attribute_lines(group.attributes(), "  ");
        for record in group.records() {
            out += &record_lines(record);
        }
    }
    out
}

fn attribute_lines(attributes: &BTreeMap<String, Attribute>, indent: &str) -> String {
    let line = |(name, attribute): (&String, &Attribute)| match attribute {
        Attribute::Text(text) if text.contains('\n') || text.chars().count() > LINE => {
            let body: String = text.lines().map(|line| format!("{indent}    {line}\n")).collect();
            format!("{indent}{name}:\n{body}")
        }
        Attribute::Text(text) => format!("{indent}{name}: {text}\n"),
        Attribute::Float(number) => format!("{indent}{name}: {number:?}\n"),
        Attribute::Integer(number) => format!("{indent}{name}: {number}\n"),
    };
    attributes.iter().map(line).collect()
}

fn record_lines(record: &Record) -> String {
    let dimensions: Vec<String> = record
        .dimensions()
        .iter()
        .map(|d| format!("{} {}", d.name, d.size))
        .collect();
    let mut line = format!("  {}", record.name());
    if !dimensions.is_empty() {
        line += &format!(" [{}]", dimensions.join(", "));
    }
    line += &format!(" {}", record.values().type_name());
    if !matches!(record.unit(), "" | "1") {
        line += &format!(", unit {}", record.unit());
    }
    line += &format!(" = {}\n", content(record.values()));
    let mut notes: Vec<String> = Vec::new();
    if !record.symbol().is_empty() {
        notes.push(record.symbol().into());
    }
    if !record.description().is_empty() {
        notes.push(record.description().into());
    }
    if let Some(meaning) = record.missing() {
        notes.push(format!("NaN: {meaning}"));
    }
    if !notes.is_empty() {
        line += &format!("      {}\n", notes.join("; "));
    }
    line
}

fn content(values: &Values) -> String {
    match values {
        Values::Float(v) => {
            let finite = v.iter().copied().filter(|x| !x.is_nan());
            let count = finite.clone().count();
            let low = finite.clone().fold(f64::INFINITY, f64::min);
            let high = finite.fold(f64::NEG_INFINITY, f64::max);
            let missing = if count < v.len() {
                format!(", {} missing", v.len() - count)
            } else {
                String::new()
            };
            let text = |x: &f64| shortest(*x);
            all_or(v, text, || {
                if count == 0 {
                    format!("all {} missing", v.len())
                } else {
                    format!("{} to {}{missing}", shortest(low), shortest(high))
                }
            })
        }
        Values::Integer(v) => all_or(v, i64::to_string, || range(v)),
        Values::Unsigned(v) => all_or(v, u64::to_string, || range(v)),
        Values::Bool(v) => all_or(v, bool::to_string, || {
            format!("{} of {} true", v.iter().filter(|b| **b).count(), v.len())
        }),
        Values::Text(v) => all_or(v, |t| format!("{t:?}"), || format!("{} texts", v.len())),
    }
}

fn all_or<T>(values: &[T], text: impl Fn(&T) -> String, many: impl FnOnce() -> String) -> String {
    match values {
        [one] => text(one),
        few if few.len() <= PRINTED_IN_FULL => {
            format!("[{}]", few.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        _ => many(),
    }
}

fn range<T: Ord + Display>(values: &[T]) -> String {
    match (values.iter().min(), values.iter().max()) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        _ => "[]".into(),
    }
}

/// The shorter of the plain and the exponential notation, both exact.
fn shortest(x: f64) -> String {
    let (plain, exponential) = (format!("{x}"), format!("{x:e}"));
    if exponential.len() < plain.len() {
        exponential
    } else {
        plain
    }
}
