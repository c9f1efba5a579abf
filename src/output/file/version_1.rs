//! Files of format version 1, in which the group `escape` held what stands in groups below it since.

use crate::error::Result;
use crate::output::group::{Group, ResultFile};
use crate::output::record::Record;
use crate::output::stack::SWEPT;

/// Name of the group, also of those of single cells of a sweep.
const ESCAPE: &str = "escape";
/// The groups below it, in their order.
const BELOW: [(&str, &str); 6] = [
    ("convergence", "how numbers and fields change between the grids"),
    (
        "fields",
        "functions of the variables on the cells of the finest grid",
    ),
    ("first_passage_law", "the law of the first-passage time"),
    (
        "density_in_time",
        "the density of the process that begins at the start",
    ),
    ("integral", "the mean first-passage time by quadrature"),
    ("simulation", "the simulated mean first-passage time"),
];

/// The same file with the groups of this version.
pub(super) fn regrouped(old: &ResultFile) -> Result<ResultFile> {
    let mut file = ResultFile::new();
    for (name, value) in old.attributes() {
        file.set_attribute(name, value.clone())?;
    }
    for group in old.groups() {
        if group.name().rsplit('/').next() == Some(ESCAPE) {
            for part in parts(group)? {
                file.push(part)?;
            }
        } else {
            file.push(group.clone())?;
        }
    }
    Ok(file)
}

fn parts(old: &Group) -> Result<Vec<Group>> {
    let mut numbers = Group::new(old.name())?.with_description(old.description());
    for (name, value) in old.attributes() {
        numbers.set_attribute(name, value.clone())?;
    }
    let mut below: Vec<Group> = BELOW
        .iter()
        .map(|(name, text)| Ok(Group::new(&format!("{}/{name}", old.name()))?.with_description(text)))
        .collect::<Result<_>>()?;
    for record in old.records() {
        let Some((place, name)) = place(record) else {
            numbers.push(record.clone())?;
            continue;
        };
        let Some(k) = BELOW.iter().position(|(known, _)| *known == place) else {
            continue;
        };
        for dimension in record.dimensions() {
            // A group has coordinates of its own.
            if let Some(coordinate) = old.record(&dimension.name)
                && below[k].record(&dimension.name).is_none()
            {
                below[k].push(coordinate.clone())?;
            }
        }
        if below[k].record(&name).is_none() {
            below[k].push(record.renamed(&name)?)?;
        }
    }
    below.retain(|group| !group.records().is_empty());
    below.insert(0, numbers);
    Ok(below)
}

/// The group below `escape` in which a record stands now, and its name there; none for numbers.
fn place(record: &Record) -> Option<(&'static str, String)> {
    let name = record.name();
    if let Some(rest) = name.strip_prefix("simulated_") {
        return Some(("simulation", rest.into()));
    }
    if [
        "mean_first_passage_time_integral",
        "mean_first_passage_time_integral_error",
    ]
    .contains(&name)
    {
        return Some(("integral", name.replace("_integral", "")));
    }
    if name.ends_with("_order") || name.ends_with("_change") {
        return Some(("convergence", name.into()));
    }
    let is_along = |what: &str| record.dimensions().iter().any(|d| d.name == what);
    if is_along("first_passage_time") {
        return Some(("first_passage_law", name.into()));
    }
    if is_along("density_time") {
        return Some(("density_in_time", name.into()));
    }
    let is_field = record.dimensions().iter().any(|d| !d.name.starts_with(SWEPT));
    is_field.then(|| ("fields", name.into()))
}
