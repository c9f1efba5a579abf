//! A sweep over keys that its tasks take as ranges, as the one run over these ranges.

use super::group::{Group, ResultFile};
use super::record::{Dimension, Record};
use super::stack::{cells, key_of, own_name};
use crate::error::Result;
use std::borrow::Cow;

/// The file that one run writes over the ranges of its tasks: `file` itself when nothing is swept, and of a sweep over such ranges the groups of the tasks, with
/// the swept keys as their own coordinates. None of any other sweep, whose cells are not comparable with each other.
///
/// # Errors
/// As [`Group::push`].
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record, ResultFile, as_one_run, stack, swept_coordinate};
/// let run = |rates: &[f64]| {
///     let mut group = Group::new("network")?;
///     group.push(Record::coordinate("learning_rate", "1", rates)?)?;
///     let spread: Vec<f64> = rates.iter().map(|rate| 2.0 * rate).collect();
///     group.push(Record::new("spread", "1", &[("learning_rate", rates.len())], spread)?)?;
///     Ok::<Group, freezeout::Error>(group)
/// };
/// let swept = swept_coordinate("network.learning_rate", "1", vec![0.1, 0.2].into())?;
/// let mut sweep = ResultFile::new();
/// sweep.push(stack(&[swept], &[&run(&[0.1])?, &run(&[0.2])?])?)?;
/// let whole = as_one_run(&sweep)?.unwrap();
/// assert_eq!(whole.group("network"), Some(&run(&[0.1, 0.2])?));
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn as_one_run(file: &ResultFile) -> Result<Option<Cow<'_, ResultFile>>> {
    let Some(cells) = cells(file) else {
        return Ok(Some(Cow::Borrowed(file)));
    };
    let swept = cells.swept();
    let mut whole = ResultFile::new();
    for group in file.groups() {
        if let Some(group) = joined(group, &swept)? {
            whole.push(group)?;
        }
    }
    Ok((!whole.groups().is_empty()).then_some(Cow::Owned(whole)))
}

/// The group along coordinates of its own in place of the swept ones; none when a swept key is no coordinate with a single value in each cell, or a record
/// depends on a swept key along whose coordinate it does not run.
fn joined(group: &Group, swept: &[Record]) -> Result<Option<Group>> {
    let own = |record: &Record| {
        let key = key_of(record).strip_prefix(group.name())?;
        key.strip_prefix('.').map(String::from)
    };
    let Some(own) = swept.iter().map(own).collect::<Option<Vec<String>>>() else {
        return Ok(None);
    };
    let is_single = |name: &String| {
        let found = group.record(name).and_then(|record| record.dimensions().last());
        found.is_some_and(|last| last.size == 1 && own_name(group, last) == name)
    };
    if !own.iter().all(is_single) {
        return Ok(None);
    }
    let mut whole = Group::new(group.name())?.with_description(group.description());
    for (name, value) in group.attributes() {
        whole.set_attribute(name, value.clone())?;
    }
    let is_swept = |name: &str| swept.iter().any(|record| record.name() == name);
    for record in group.records().iter().filter(|record| !is_swept(record.name())) {
        if !record.dimensions().iter().any(|d| is_swept(&d.name)) {
            whole.push(record.clone())?;
            continue;
        }
        match along(group, record, swept, &own)? {
            Some(record) => whole.push(record)?,
            None => return Ok(None),
        }
    }
    Ok(Some(whole))
}

/// A stacked record along the coordinates `own` in place of the swept ones.
fn along(group: &Group, record: &Record, swept: &[Record], own: &[String]) -> Result<Option<Record>> {
    let (outer, inner) = record.dimensions().split_at(swept.len());
    let place = |d: &Dimension| own.iter().position(|name| name == own_name(group, d));
    let dimensions: Vec<(&str, usize)> = inner
        .iter()
        .map(|d| (own_name(group, d), place(d).map_or(d.size, |key| outer[key].size)))
        .collect();
    // the entry of the new record that each entry of the old one becomes
    let sizes: Vec<usize> = record.dimensions().iter().map(|d| d.size).collect();
    let target = |entry: usize| {
        let mut rest = entry;
        let mut index = vec![0; sizes.len()];
        for (k, size) in sizes.iter().enumerate().rev() {
            (index[k], rest) = (rest % size, rest / size);
        }
        inner
            .iter()
            .zip(&dimensions)
            .enumerate()
            .fold(0, |flat, (k, (d, (_, size)))| {
                flat * size + place(d).map_or(index[swept.len() + k], |key| index[key])
            })
    };
    let targets: Vec<usize> = (0..record.values().len()).map(target).collect();
    let mut sources = vec![0; dimensions.iter().map(|(_, size)| size).product()];
    for (entry, target) in targets.iter().enumerate() {
        sources[*target] = entry;
    }
    let values = record.values().chosen(sources.into_iter());
    if values.chosen(targets.into_iter()) != *record.values() {
        return Ok(None);
    }
    let mut moved = Record::new(record.name(), record.unit(), &dimensions, values)?
        .with_symbol(record.symbol())
        .with_description(record.description());
    if let Some(meaning) = record.missing() {
        moved = moved.with_missing(meaning);
    }
    Ok(Some(moved))
}
