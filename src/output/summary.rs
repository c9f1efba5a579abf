//! A result file as text for people.

use super::conventions::error_of;
use super::group::{Attribute, Group, ResultFile};
use super::nearest::absent;
use super::record::{Record, Values};
use super::wrapped::{padded, push_wrapped, shortest};
use crate::error::Result;
use crate::statistics::Estimate;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Arrays up to this many entries are printed in full.
const PRINTED_IN_FULL: usize = 12;
/// Entries of a record that are printed unless all are wanted.
const FIRST_ENTRIES: usize = 50;

/// The tree of groups and records with shapes, units and ranges; small arrays and attributes in full. Lines have at most `width` characters, but for
/// texts and arrays as they stand in the file.
pub fn summary(file: &ResultFile, width: usize) -> String {
    let mut out = attribute_lines(file.attributes(), "", width);
    for group in file.groups() {
        out.push('\n');
        out += &group_lines(group, width);
    }
    out
}

/// What stands at a path of the file: an attribute, a group with its records, or a record with its entries, the first 50 of them unless `all` are
/// wanted.
///
/// # Errors
/// [`crate::Error::Input`] when nothing has this name.
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record, ResultFile, summary_at};
/// let mut group = Group::new("escape")?;
/// group.push(Record::scalar("escape_rate", "1/time", 0.0151)?)?;
/// group.push(Record::scalar("escape_rate_error", "1/time", 2e-5)?)?;
/// let mut file = ResultFile::new();
/// file.push(group)?;
/// let text = summary_at(&file, "escape/escape_rate", false, 100)?;
/// assert!(text.ends_with("0.015100 ± 2.0e-5\n"));
/// assert!(summary_at(&file, "escape/nothing", false, 100).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn summary_at(file: &ResultFile, path: &str, all: bool, width: usize) -> Result<String> {
    let path = path.trim_matches('/');
    let is_in = |group: &&Group| group.name() == path || group.name().starts_with(&format!("{path}/"));
    let groups: Vec<String> = file
        .groups()
        .iter()
        .filter(is_in)
        .map(|group| group_lines(group, width))
        .collect();
    if !groups.is_empty() {
        return Ok(groups.join("\n"));
    }
    let (group, name) = path.rsplit_once('/').unwrap_or(("", path));
    let group = file.group(group);
    let attributes = group.map_or(file.attributes(), Group::attributes);
    if let Some(record) = group.and_then(|group| group.record(name)) {
        let mut out = record_lines(record, width);
        if let Some(group) = group {
            out += &entry_lines(group, record, all);
        }
        return Ok(out);
    }
    match attributes
        .get(name)
        .filter(|_| group.is_some() || !path.contains('/'))
    {
        Some(Attribute::Text(text)) => Ok(format!("{}\n", text.trim_end())),
        Some(Attribute::Float(number)) => Ok(format!("{number:?}\n")),
        Some(Attribute::Integer(number)) => Ok(format!("{number}\n")),
        None => Err(absent(file, path)),
    }
}

fn group_lines(group: &Group, width: usize) -> String {
    let mut out = String::new();
    let name = format!("/{}", group.name());
    if group.description().is_empty() {
        out += &format!("{name}\n");
    } else {
        push_wrapped(
            &mut out,
            width,
            "",
            4,
            &format!("{name}: {}", group.description()),
        );
    }
    out += &attribute_lines(group.attributes(), "  ", width);
    for record in group.records() {
        out += &record_lines(record, width);
    }
    out
}

fn attribute_lines(attributes: &BTreeMap<String, Attribute>, indent: &str, width: usize) -> String {
    let line = |(name, attribute): (&String, &Attribute)| match attribute {
        Attribute::Text(text) if text.contains('\n') => {
            let body: String = text.lines().map(|line| format!("{indent}    {line}\n")).collect();
            format!("{indent}{name}:\n{body}")
        }
        Attribute::Text(text) => {
            let mut out = String::new();
            push_wrapped(
                &mut out,
                width,
                &format!("{indent}{name}: "),
                indent.len() + 4,
                text,
            );
            out
        }
        Attribute::Float(number) => format!("{indent}{name}: {number:?}\n"),
        Attribute::Integer(number) => format!("{indent}{name}: {number}\n"),
    };
    attributes.iter().map(line).collect()
}

fn record_lines(record: &Record, width: usize) -> String {
    let dimensions: Vec<String> = record
        .dimensions()
        .iter()
        .map(|d| format!("{} {}", d.name, d.size))
        .collect();
    let mut line = record.name().to_string();
    if !dimensions.is_empty() {
        line += &format!(" [{}]", dimensions.join(", "));
    }
    line += &format!(" {}", record.values().type_name());
    if !matches!(record.unit(), "" | "1") {
        line += &format!(", unit {}", record.unit());
    }
    line += &format!(" = {}", content(record.values()));
    let mut out = String::new();
    push_wrapped(&mut out, width, "  ", 6, &line);
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
        push_wrapped(&mut out, width, "      ", 6, &notes.join("; "));
    }
    out
}

/// The entries of a record, one a line behind its coordinates (counted from 0 where there is none), with their errors if the group has them.
fn entry_lines(group: &Group, record: &Record, all: bool) -> String {
    let count = record.values().len();
    let shown = if all { count } else { count.min(FIRST_ENTRIES) };
    let errors = error_of(record, group).and_then(|errors| errors.values().numbers());
    let coordinates: Vec<Option<Vec<String>>> = (record.dimensions().iter())
        .map(|d| {
            let coordinate = group.record(&d.name).filter(|c| c.name() != record.name())?;
            Some(texts(coordinate.values()))
        })
        .collect();
    let values = match (record.numbers(), errors) {
        (Some(numbers), Some(errors)) => numbers
            .iter()
            .zip(errors.iter().copied().cycle())
            .map(|(value, standard_error)| {
                let number = Estimate {
                    value: *value,
                    standard_error,
                    samples: 1,
                };
                number.to_string()
            })
            .collect(),
        _ => texts(record.values()),
    };
    let mut rows: Vec<Vec<String>> = vec![
        (record.dimensions().iter())
            .map(|d| d.name.clone())
            .chain([record.name().to_string()])
            .collect(),
    ];
    for (k, value) in values.into_iter().take(shown).enumerate() {
        let mut rest = k;
        let mut row = vec![value];
        for (dimension, coordinate) in record.dimensions().iter().zip(&coordinates).rev() {
            let index = rest % dimension.size.max(1);
            rest /= dimension.size.max(1);
            let named = coordinate.as_ref().and_then(|names| names.get(index).cloned());
            row.push(named.unwrap_or_else(|| index.to_string()));
        }
        row.reverse();
        rows.push(row);
    }
    let widest = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(widest).collect();
    let mut out = String::from("\n");
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let line: String = cells.map(|(cell, width)| padded(cell, width + 2)).collect();
        out += &format!("  {}\n", line.trim_end());
    }
    if shown < count {
        out += &format!("  ... and {} more; --all shows them\n", count - shown);
    }
    out
}

fn texts(values: &Values) -> Vec<String> {
    match values {
        Values::Float(v) => v.iter().map(|x| shortest(*x)).collect(),
        Values::Integer(v) => v.iter().map(i64::to_string).collect(),
        Values::Unsigned(v) => v.iter().map(u64::to_string).collect(),
        Values::Bool(v) => v.iter().map(bool::to_string).collect(),
        Values::Text(v) => v.clone(),
    }
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
