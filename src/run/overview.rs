//! What a result file says, for the terminal: the main numbers of each task, whether its routes agree, what it holds.

use super::number_table::{number_table, place};
use super::shard::SHARD;
use crate::config;
use crate::error::Result;
use crate::judgement::agreement::{self, Comparison};
use crate::output::{Attribute, Cells, Group, ResultFile, Values, WARNING, cells, padded, push_wrapped};

/// Rows of a table after a run, of one run and of a sweep.
const ROWS: usize = 12;
const SWEPT_ROWS: usize = 100;
/// Rows of a table in an overview.
const FEW_ROWS: usize = 6;

/// The main numbers of each task with their errors, of a sweep in a table over the swept keys; lines of `width` characters. A task whose records
/// another version has written differently says so.
///
/// # Errors
/// [`crate::Error::Output`] when the groups of a sweep are not what the stacking of cells makes.
pub fn main_numbers(file: &ResultFile, width: usize) -> Result<String> {
    let rows = if cells(file).is_some() { SWEPT_ROWS } else { ROWS };
    tables(file, width, rows)
}

/// One screen: what made the file, its main numbers, whether the routes agree, its groups with their dimensions.
///
/// # Errors
/// As [`main_numbers`].
pub fn overview(file: &ResultFile, width: usize) -> Result<String> {
    let mut out = String::new();
    push_wrapped(&mut out, width, "", 2, &made_by(file));
    if let Some(cells) = cells(file) {
        let keys = cells.keys();
        let keys = keys.iter().map(|(key, size)| format!("{key} ({size} values)"));
        let text = keys.collect::<Vec<String>>().join(", ");
        push_wrapped(&mut out, width, "swept: ", 2, &text);
    }
    if let Some(Attribute::Text(shard)) = file.attributes().get(SHARD) {
        let text = format!("shard {shard} of a sweep, for freezeout merge\n");
        out.push_str(&text);
    }
    for group in file.groups() {
        if let Some(Attribute::Text(text)) = group.attributes().get(WARNING) {
            push_wrapped(
                &mut out,
                width,
                "warning: ",
                2,
                &format!("{}: {text}", group.name()),
            );
        }
    }
    out.push_str(&tables(file, width, FEW_ROWS)?);
    let line = verdict(file).unwrap_or_else(|error| Some(format!("not known, {error}")));
    if let Some(line) = line {
        out.push('\n');
        push_wrapped(&mut out, width, "agreement: ", 2, &line);
    }
    // Cells of a sweep say it each for itself.
    if cells(file).is_none() {
        for line in agreement::not_compared(file) {
            push_wrapped(&mut out, width, "", 2, &line);
        }
    }
    out.push_str("\ngroups\n");
    out.push_str(&groups(file, width));
    Ok(out)
}

fn made_by(file: &ResultFile) -> String {
    let text = |name: &str| match file.attributes().get(name) {
        Some(Attribute::Text(text)) => text.as_str(),
        _ => "?",
    };
    let seed = match file.attributes().get("seed") {
        Some(Attribute::Integer(seed)) => seed.to_string(),
        _ => "?".into(),
    };
    let hash = text("config_hash");
    format!(
        "{}: freezeout {} (commit {}), seed {seed}, configuration {}",
        text("name"),
        text("crate_version"),
        text("commit").get(..12).unwrap_or(text("commit")),
        hash.get(..12).unwrap_or(hash)
    )
}

fn tables(file: &ResultFile, width: usize, rows: usize) -> Result<String> {
    let mut out = String::new();
    for (section, numbers) in config::main_numbers(file)? {
        out.push_str(&format!("\n[{section}]\n"));
        match numbers {
            Ok(numbers) => {
                out.push_str(&number_table(&numbers, width, rows));
                if let Some(text) = regime(file, section) {
                    push_wrapped(&mut out, width, "  regime: ", 4, text);
                }
            }
            Err(error) => push_wrapped(&mut out, width, "  ", 4, &error.to_string()),
        }
    }
    Ok(out)
}

/// Where the theory of a task holds, in the words of its record `regime`; that of a sweep stands in its cells.
fn regime<'a>(file: &'a ResultFile, section: &str) -> Option<&'a str> {
    let record = file.group(section)?.record("regime")?;
    match record.values() {
        Values::Text(texts) if texts.len() == 1 => texts.first().map(String::as_str),
        _ => None,
    }
}

/// How many comparisons agree, and the worst that does not; none when there is nothing to compare.
fn verdict(file: &ResultFile) -> Result<Option<String>> {
    let rows = match cells(file) {
        Some(cells) => in_cells(&cells)?,
        None => agreement::comparisons(file)?,
    };
    if rows.is_empty() {
        return Ok(None);
    }
    let (models, judged): (Vec<&Comparison>, Vec<&Comparison>) = rows.iter().partition(|row| row.z.is_nan());
    let agreeing = judged.iter().filter(|row| row.agrees()).count();
    let counts = [
        (!judged.is_empty()).then(|| format!("{agreeing} of {} comparisons agree", judged.len())),
        (!models.is_empty()).then(|| format!("{} state the difference of two models", models.len())),
    ];
    let mut text = counts.into_iter().flatten().collect::<Vec<String>>().join(", ");
    let others = judged.iter().filter(|row| !row.agrees());
    if let Some(worst) = others.max_by(|a, b| a.z.abs().total_cmp(&b.z.abs())) {
        text.push_str(&format!(
            "; {} by {} against {}{}: {}",
            worst.quantity,
            worst.route,
            worst.against,
            if worst.at.is_empty() {
                String::new()
            } else {
                format!(" at {}", worst.at)
            },
            worst.verdict
        ));
    }
    Ok(Some(text))
}

/// The comparisons of all cells, each within its own.
fn in_cells(cells: &Cells) -> Result<Vec<Comparison>> {
    let mut all = Vec::new();
    for k in 0..cells.count() {
        let at = place(&cells.at(k));
        for row in agreement::comparisons(&cells.cell(k)?)? {
            let parts = [at.as_str(), row.at.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            all.push(row.clone().at(&parts.join(", ")));
        }
    }
    Ok(all)
}

/// A line a group; numbered groups beside each other that have the same dimensions share one, as do groups with those below that have no others.
fn groups(file: &ResultFile, width: usize) -> String {
    /// End of the name of a group that stands for those below it.
    const BELOW: &str = "/...";
    let mut lines: Vec<(String, Vec<Range>, usize)> = Vec::new();
    for group in file.groups() {
        let dimensions = dimensions(group);
        let stem = group.name().trim_end_matches(|c: char| c.is_ascii_digit());
        let rest = if stem == group.name() { "" } else { "..." };
        let name = format!("/{stem}{rest}");
        let is_like = |known: &[Range]| known.iter().map(|d| &d.0).eq(dimensions.iter().map(|d| &d.0));
        let is_below = |outer: &str| name.starts_with(&format!("{}/", outer.trim_end_matches(BELOW)));
        match lines.last_mut() {
            Some((outer, known, count))
                if is_below(outer) && !known.is_empty() && dimensions.iter().all(|d| known.contains(d)) =>
            {
                *count += group.records().len();
                *outer = format!("{}{BELOW}", outer.trim_end_matches(BELOW));
            }
            Some((same, known, count)) if *same == name && is_like(known) => {
                *count += group.records().len();
                for (range, (_, low, high)) in known.iter_mut().zip(dimensions) {
                    *range = (range.0.clone(), range.1.min(low), range.2.max(high));
                }
            }
            _ => lines.push((name, dimensions, group.records().len())),
        }
    }
    let widest = lines.iter().map(|(name, ..)| name.chars().count()).max();
    let mut out = String::new();
    for (name, dimensions, records) in lines {
        let head = format!("  {}", padded(&name, widest.unwrap_or_default() + 2));
        let sizes = dimensions.iter().map(|(name, low, high)| match low == high {
            true => format!("{name} {low}"),
            false => format!("{name} {low} to {high}"),
        });
        let sizes = sizes.collect::<Vec<String>>().join(", ");
        let text = format!("{} {sizes}", padded(&format!("{records} records"), 12));
        let indent = head.chars().count() + 13;
        push_wrapped(&mut out, width, &head, indent, &text);
    }
    out
}

/// A dimension with its smallest and largest size.
type Range = (String, usize, usize);

/// The dimensions of a group, each once.
fn dimensions(group: &Group) -> Vec<Range> {
    let mut found: Vec<Range> = Vec::new();
    for dimension in group.records().iter().flat_map(|record| record.dimensions()) {
        if !found.iter().any(|(name, ..)| *name == dimension.name) {
            found.push((dimension.name.clone(), dimension.size, dimension.size));
        }
    }
    found
}
