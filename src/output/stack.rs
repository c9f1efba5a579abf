//! Results of many cells in one group, and back: records stacked along the swept parameters.
//!
//! ```text
//! record [shape] of each cell   →   record [swept_a, swept_b, shape]
//! ```
//!
//! A coordinate that differs between cells becomes a record along `NAME_index`; an attribute that differs becomes a record along the swept
//! parameters alone; a record that some cells lack is missing there. [`cells`] undoes all of it.

use super::group::{Attribute, Group, ResultFile};
use super::record::{Dimension, Record, Values};
use crate::error::{Error, Result};

/// Beginning of the names of swept coordinates.
pub const SWEPT: &str = "swept_";
/// Attribute of a group with what its reader must know before the numbers are used.
pub const WARNING: &str = "warning";
/// End of the name of the dimension of a coordinate that differs between cells.
pub(super) const INDEX: &str = "_index";
/// Why a stacked entry is missing.
const ABSENT: &str = "this quantity is not defined in the cell";
/// Description of a record that was an attribute of each cell.
const ATTRIBUTE: &str = "attribute of the group in each cell";

/// One group with the records of all cells stacked along the swept coordinates, the last of which runs fastest.
///
/// # Errors
/// [`Error::Config`] when a record has another shape in another cell.
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record, ResultFile, cells, stack};
/// let cell = |rate: f64| {
///     let mut group = Group::new("escape")?;
///     group.push(Record::scalar("escape_rate", "1/time", rate)?)?;
///     Ok(group)
/// };
/// let (low, high) = (cell(0.1)?, cell(0.2)?);
/// let strength = Record::coordinate("swept_noise_strength", "1", vec![0.01, 0.02])?;
/// let stacked = stack(&[strength], &[&low, &high])?;
/// assert_eq!(stacked.record("escape_rate").unwrap().shape(), [2]);
/// let mut file = ResultFile::new();
/// file.push(stacked)?;
/// let sweep = cells(&file).unwrap();
/// assert_eq!(sweep.cell(1)?.group("escape"), Some(&high));
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn stack(swept: &[Record], cells: &[&Group]) -> Result<Group> {
    let Some(first) = cells.first() else {
        return Err(Error::config("sweep", "there is no cell to stack"));
    };
    let mut group = Group::new(first.name())?.with_description(first.description());
    let mut differing: Vec<&str> = Vec::new();
    for name in names(cells, |cell| {
        cell.attributes().keys().map(String::as_str).collect()
    }) {
        let mut values = cells.iter().map(|cell| cell.attributes().get(name));
        match first.attributes().get(name) {
            Some(value) if values.all(|other| other == Some(value)) => {
                group.set_attribute(name, value.clone())?;
            }
            _ => differing.push(name),
        }
    }
    let mut warned = cells.iter().filter_map(|cell| cell.attributes().get(WARNING));
    if differing.contains(&WARNING)
        && let Some(Attribute::Text(text)) = warned.next()
    {
        let count = 1 + warned.count();
        let text = format!("in {count} of {} cells; the first: {text}", cells.len());
        group.set_attribute(WARNING, text)?;
    }
    for coordinate in swept {
        group.push(coordinate.clone())?;
    }
    let swept: Vec<(&str, usize)> = (swept.iter()).map(|c| (c.name(), c.values().len())).collect();
    let in_all = |name: &str| -> Vec<&Record> { cells.iter().filter_map(|cell| cell.record(name)).collect() };
    let is_same =
        |all: &[&Record]| all.len() == cells.len() && all.iter().all(|r| r.values() == all[0].values());
    let moving: Vec<&str> = (cells.iter())
        .flat_map(|cell| cell.records())
        .filter(|r| r.is_coordinate() && !is_same(&in_all(r.name())))
        .map(Record::name)
        .collect();
    for name in names(cells, |cell| cell.records().iter().map(Record::name).collect()) {
        let all = in_all(name);
        let template = all[0];
        if let Some(other) = all.iter().find(|r| r.shape() != template.shape()) {
            return Err(unlike(&group, template, other));
        }
        if template.is_coordinate() && is_same(&all) {
            group.push(template.clone())?;
            continue;
        }
        let inner = template.dimensions().iter().map(|d| {
            let index = if moving.contains(&d.name.as_str()) {
                INDEX
            } else {
                ""
            };
            (format!("{}{index}", d.name), d.size)
        });
        let inner: Vec<(String, usize)> = inner.collect();
        let dimensions: Vec<(&str, usize)> = (swept.iter().copied())
            .chain(inner.iter().map(|(name, size)| (name.as_str(), *size)))
            .collect();
        let by_cell: Vec<Option<&Values>> = (cells.iter())
            .map(|cell| cell.record(name).map(Record::values))
            .collect();
        let values = concatenated(&by_cell, template.values().len());
        let mut stacked = Record::new(name, template.unit(), &dimensions, values)?
            .with_symbol(template.symbol())
            .with_description(template.description());
        let absent = (all.len() < cells.len()).then_some(ABSENT);
        if let Some(meaning) = all.iter().find_map(|r| r.missing()).or(absent) {
            stacked = stacked.with_missing(meaning);
        }
        group.push(stacked)?;
    }
    for name in differing {
        let is_taken = |record: &Record| {
            record.name() == name || record.dimensions().iter().any(|dimension| dimension.name == name)
        };
        if name == WARNING || group.records().iter().any(is_taken) {
            continue;
        }
        let values: Vec<Option<Values>> = (cells.iter())
            .map(|cell| cell.attributes().get(name).map(entry))
            .collect();
        let by_cell: Vec<Option<&Values>> = values.iter().map(Option::as_ref).collect();
        let record = Record::new(name, "", &swept, concatenated(&by_cell, 1))?;
        group.push(record.with_description(ATTRIBUTE).with_missing(ABSENT))?;
    }
    Ok(group)
}

/// Refuses cells whose records cannot be stacked, as soon as two of them are known.
///
/// # Errors
/// [`Error::Config`] naming the record.
pub(crate) fn require_same_shapes(first: &[Group], second: &[Group]) -> Result<()> {
    if !first.iter().map(Group::name).eq(second.iter().map(Group::name)) {
        return Err(Error::config(
            "sweep",
            "the cells have different groups of results, which cannot be stacked",
        ));
    }
    for (one, other) in first.iter().zip(second) {
        for record in one.records() {
            match other.record(record.name()) {
                Some(same) if same.shape() != record.shape() => return Err(unlike(one, record, same)),
                _ => (),
            }
        }
    }
    Ok(())
}

fn unlike(group: &Group, record: &Record, other: &Record) -> Error {
    Error::config(
        "sweep",
        format!(
            "{}/{} has shape {:?} in one cell and {:?} in another, which cannot be stacked",
            group.name(),
            record.name(),
            record.shape(),
            other.shape()
        ),
    )
}

/// Every name that occurs in some cell, in the order of first occurrence.
fn names<'a>(cells: &[&'a Group], of: impl Fn(&'a Group) -> Vec<&'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for name in cells.iter().flat_map(|cell| of(cell)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn entry(attribute: &Attribute) -> Values {
    match attribute {
        Attribute::Text(text) => Values::Text(vec![text.clone()]),
        Attribute::Float(number) => Values::Float(vec![*number]),
        Attribute::Integer(number) => Values::Integer(vec![*number]),
    }
}

/// Values of all cells one after the other, of their own type if all have them; otherwise a cell without gives NaN or empty texts.
fn concatenated(cells: &[Option<&Values>], size: usize) -> Values {
    fn all<'a, T: Clone + 'a>(
        cells: &[Option<&'a Values>],
        of: impl Fn(&'a Values) -> Option<&'a Vec<T>>,
    ) -> Option<Vec<T>> {
        let parts = cells.iter().map(|cell| cell.and_then(&of));
        Some(
            parts
                .collect::<Option<Vec<&Vec<T>>>>()?
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        )
    }
    macro_rules! of {
        ($kind:ident) => {
            all(cells, |values| match values {
                Values::$kind(v) => Some(v),
                _ => None,
            })
            .map(Values::$kind)
        };
    }
    if let Some(values) = of!(Float)
        .or_else(|| of!(Integer))
        .or_else(|| of!(Unsigned))
        .or_else(|| of!(Bool))
    {
        return values;
    }
    let is_text = cells
        .iter()
        .flatten()
        .all(|values| matches!(values, Values::Text(_)));
    if is_text {
        let texts = cells.iter().flat_map(|cell| match cell {
            Some(Values::Text(v)) => v.clone(),
            _ => vec![String::new(); size],
        });
        return Values::Text(texts.collect());
    }
    let numbers = cells.iter().flat_map(|cell| {
        cell.and_then(Values::numbers)
            .unwrap_or_else(|| vec![f64::NAN; size])
    });
    Values::Float(numbers.collect())
}

/// A result file whose groups are stacked along swept parameters.
pub struct Cells<'a> {
    file: &'a ResultFile,
    swept: Vec<&'a Record>,
}

/// The cells of a swept result file; none when nothing was swept.
pub fn cells(file: &ResultFile) -> Option<Cells<'_>> {
    Cells::new(file, file.groups().first()?.name())
}

impl<'a> Cells<'a> {
    /// The cells along the swept coordinates of one group; none when it has none.
    pub(crate) fn new(file: &'a ResultFile, group: &str) -> Option<Self> {
        let is_swept = |record: &&Record| record.is_coordinate() && record.name().starts_with(SWEPT);
        let swept: Vec<&Record> = file.group(group)?.records().iter().filter(is_swept).collect();
        (!swept.is_empty()).then_some(Self { file, swept })
    }

    /// The swept coordinates, the last of which runs fastest.
    pub(crate) fn swept(&self) -> Vec<Record> {
        self.swept.iter().copied().cloned().collect()
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.swept.iter().map(|record| record.values().len()).product()
    }

    /// The swept keys with their numbers of values, the last of which runs fastest.
    pub fn keys(&self) -> Vec<(&str, usize)> {
        let key = |record: &'_ Record| record.values().len();
        self.swept
            .iter()
            .map(|record| (key_of(record), key(record)))
            .collect()
    }

    /// The swept keys with their values in a cell.
    pub fn at(&self, cell: usize) -> Vec<(String, Attribute)> {
        let mut rest = cell;
        let mut found: Vec<(String, Attribute)> = Vec::new();
        for record in self.swept.iter().rev() {
            let size = record.values().len().max(1);
            found.extend(attribute(record.values(), rest % size).map(|value| (key_of(record).into(), value)));
            rest /= size;
        }
        found.reverse();
        found
    }

    /// The result of one cell, as a run of that configuration alone would give it, without what made the file and what was judged from it.
    ///
    /// # Errors
    /// [`Error::Output`] when the file is not what [`stack`] makes.
    pub fn cell(&self, cell: usize) -> Result<ResultFile> {
        let mut file = ResultFile::new();
        let is_stacked = |group: &&Group| {
            self.swept
                .iter()
                .all(|record| group.record(record.name()).is_some())
        };
        for group in self.file.groups().iter().filter(is_stacked) {
            file.push(self.part(group, cell)?)?;
        }
        Ok(file)
    }

    fn part(&self, stacked: &Group, cell: usize) -> Result<Group> {
        let mut group = Group::new(stacked.name())?.with_description(stacked.description());
        for (name, value) in stacked.attributes() {
            group.set_attribute(name, value.clone())?;
        }
        let is_swept = |name: &str| self.swept.iter().any(|record| record.name() == name);
        for record in stacked.records().iter().filter(|record| !is_swept(record.name())) {
            let outer = record.dimensions().iter().take(self.swept.len());
            if !outer
                .map(|d| d.name.as_str())
                .eq(self.swept.iter().map(|r| r.name()))
            {
                group.push(record.clone())?;
                continue;
            }
            let inner = &record.dimensions()[self.swept.len()..];
            let size: usize = inner.iter().map(|d| d.size).product();
            let values = record.values().chosen(cell * size..(cell + 1) * size);
            let is_absent = match &values {
                Values::Float(v) => v.iter().all(|v| v.is_nan()),
                Values::Text(v) => v.iter().all(String::is_empty),
                _ => false,
            };
            if is_absent && record.missing() == Some(ABSENT) {
                continue;
            }
            if record.description() == ATTRIBUTE {
                if let Some(value) = attribute(&values, 0) {
                    group.set_attribute(record.name(), value)?;
                }
                continue;
            }
            let inner: Vec<(&str, usize)> = inner.iter().map(|d| (own_name(stacked, d), d.size)).collect();
            let mut part = Record::new(record.name(), record.unit(), &inner, values)?
                .with_symbol(record.symbol())
                .with_description(record.description());
            if let Some(meaning) = record.missing().filter(|meaning| *meaning != ABSENT) {
                part = part.with_missing(meaning);
            }
            group.push(part)?;
        }
        Ok(group)
    }
}

/// Name of a dimension in the cells of a stacked group.
pub(super) fn own_name<'a>(stacked: &Group, dimension: &'a Dimension) -> &'a str {
    let own = dimension.name.strip_suffix(INDEX);
    own.filter(|own| stacked.record(own).is_some())
        .unwrap_or(&dimension.name)
}

/// The key behind a swept coordinate: `swept key noise.power`.
pub(super) fn key_of(record: &Record) -> &str {
    record
        .description()
        .strip_prefix(KEY)
        .unwrap_or_else(|| record.name().trim_start_matches(SWEPT))
}

/// Beginning of the description of a swept coordinate.
const KEY: &str = "swept key ";

/// The values of a swept key as a coordinate.
///
/// # Errors
/// As [`Record::coordinate`].
pub fn swept_coordinate(key: &str, unit: &str, values: Values) -> Result<Record> {
    let record = Record::coordinate(&swept_name(key), unit, values)?;
    Ok(record.with_description(&format!("{KEY}{key}")))
}

/// Name of the coordinate of a swept key.
pub fn swept_name(key: &str) -> String {
    format!("{SWEPT}{}", key.replace('.', "_"))
}

fn attribute(values: &Values, index: usize) -> Option<Attribute> {
    match values {
        Values::Text(v) => v.get(index).cloned().map(Attribute::Text),
        Values::Integer(v) => v.get(index).copied().map(Attribute::Integer),
        Values::Bool(v) => v.get(index).map(|b| Attribute::Text(b.to_string())),
        Values::Float(v) => v.get(index).copied().map(Attribute::Float),
        Values::Unsigned(v) => v
            .get(index)
            .map(|n| i64::try_from(*n).map_or(Attribute::Float(*n as f64), Attribute::Integer)),
    }
}
