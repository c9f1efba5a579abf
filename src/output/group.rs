//! Groups of records, and the whole file.

use super::record::{Record, check_name, refused};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scalar fact about a group or a file.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub enum Attribute {
    /// Text of any length.
    Text(String),
    /// Real number.
    Float(f64),
    /// Integer.
    Integer(i64),
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}
impl From<String> for Attribute {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

/// Attribute names that the file format itself uses.
const RESERVED_ATTRIBUTES: [&str; 4] = ["Conventions", "description", "format", "format_version"];

fn checked_attribute(name: &str, value: Attribute) -> Result<(String, Attribute)> {
    check_name("attribute", name)?;
    if RESERVED_ATTRIBUTES.contains(&name) {
        return Err(refused(
            "attribute",
            name,
            "the file format uses this name itself",
        ));
    }
    if let Attribute::Float(number) = value
        && !number.is_finite()
    {
        return Err(Error::NotFinite {
            quantity: format!("attribute {name}"),
            reason: format!("it is {number}"),
        });
    }
    Ok((name.into(), value))
}

/// The records of one route or result, with a description and attributes.
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record};
/// let mut group = Group::new("freezing_line")?.with_description("mean freezing height against noise strength");
/// group.set_attribute("runs", 2000)?;
/// group.push(Record::coordinate("noise_strength", "1", vec![1e-3, 1e-2])?)?;
/// group.push(Record::new("p_flat", "1", &[("noise_strength", 2)], vec![0.7, 0.9])?)?;
/// assert_eq!(group.records().len(), 2);
/// // A dimension has one size in a group.
/// assert!(group.push(Record::new("y", "1", &[("noise_strength", 3)], vec![0.0; 3])?).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Group {
    name: String,
    description: String,
    attributes: BTreeMap<String, Attribute>,
    records: Vec<Record>,
}

impl Group {
    /// Empty group; a name such as `"sweep/cell_3"` nests.
    ///
    /// # Errors
    /// [`Error::Output`] when a part of the name has other characters than letters, digits and underscores.
    pub fn new(name: &str) -> Result<Self> {
        for part in name.split('/') {
            check_name("group", part)?;
        }
        Ok(Self {
            name: name.into(),
            description: String::new(),
            attributes: BTreeMap::new(),
            records: Vec::new(),
        })
    }

    /// Sets the description.
    #[must_use]
    pub fn with_description(mut self, description: &str) -> Self {
        self.description = description.into();
        self
    }

    /// The same group under another name.
    ///
    /// # Errors
    /// As [`Group::new`].
    pub fn renamed(&self, name: &str) -> Result<Self> {
        let named = Self::new(name)?;
        Ok(Self {
            name: named.name,
            ..self.clone()
        })
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// [`Error::Output`] for a bad name, [`Error::NotFinite`] for a number that is not finite.
    pub fn set_attribute(&mut self, name: &str, value: impl Into<Attribute>) -> Result<()> {
        let (name, value) = checked_attribute(name, value.into())?;
        self.attributes.insert(name, value);
        Ok(())
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an infinity, or NaN without [`Record::with_missing`]; [`Error::DimensionMismatch`] when a dimension has
    /// another size in an earlier record; [`Error::Output`] when the name is taken by a record, or by a dimension of which the
    /// record is not the coordinate.
    pub fn push(&mut self, record: Record) -> Result<()> {
        record.check_finite(&self.name)?;
        for earlier in &self.records {
            if earlier.name() == record.name() {
                return Err(refused(
                    "record",
                    record.name(),
                    &format!("group {} has one already", self.name),
                ));
            }
            for dimension in record.dimensions() {
                if let Some(known) = earlier.dimensions().iter().find(|d| d.name == dimension.name)
                    && known.size != dimension.size
                {
                    return Err(Error::DimensionMismatch {
                        name: format!("dimension {} of {}/{}", dimension.name, self.name, record.name()),
                        expected: known.size,
                        got: dimension.size,
                    });
                }
            }
        }
        let taken = |coordinate: &Record, user: &Record| {
            !coordinate.is_coordinate() && user.dimensions().iter().any(|d| d.name == coordinate.name())
        };
        let clashes = self
            .records
            .iter()
            .chain([&record])
            .any(|r| taken(&record, r) || taken(r, &record));
        if clashes {
            let message = "a record named like a dimension must be its one-dimensional coordinate";
            return Err(refused("record", record.name(), message));
        }
        self.records.push(record);
        Ok(())
    }

    /// Name, with the parents' names before it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Description, empty when none was set.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Attributes by name.
    pub fn attributes(&self) -> &BTreeMap<String, Attribute> {
        &self.attributes
    }

    /// Records in the order in which they were added.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record of that name.
    pub fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|r| r.name() == name)
    }
}

/// Everything that stands in one result file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultFile {
    attributes: BTreeMap<String, Attribute>,
    groups: Vec<Group>,
}

impl ResultFile {
    /// Empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute of the file, e.g. `config`, `config_hash`, `seed`, `crate_version`.
    ///
    /// # Errors
    /// As [`Group::set_attribute`].
    pub fn set_attribute(&mut self, name: &str, value: impl Into<Attribute>) -> Result<()> {
        let (name, value) = checked_attribute(name, value.into())?;
        self.attributes.insert(name, value);
        Ok(())
    }

    /// Adds a group. Groups are kept in the order of a walk through the tree: parents before children, siblings as added.
    ///
    /// # Errors
    /// [`Error::Output`] when the name is taken by a group, or by a record of the parent group.
    pub fn push(&mut self, group: Group) -> Result<()> {
        if self.group(&group.name).is_some() {
            return Err(refused("group", &group.name, "the file has one already"));
        }
        let is_inside = |inner: &str, outer: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let collides = |inner: &Group, outer: &Group| {
            is_inside(&inner.name, &outer.name)
                && inner.name[outer.name.len() + 1..]
                    .split('/')
                    .next()
                    .is_some_and(|part| outer.record(part).is_some())
        };
        if self
            .groups
            .iter()
            .any(|other| collides(&group, other) || collides(other, &group))
        {
            return Err(refused(
                "group",
                &group.name,
                "a record of the parent group has this name",
            ));
        }
        let shared = |a: &str, b: &str| a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count();
        let deepest = self
            .groups
            .iter()
            .map(|g| shared(&g.name, &group.name))
            .max()
            .unwrap_or(0);
        let first_child = self.groups.iter().position(|g| is_inside(&g.name, &group.name));
        let last_relative = self
            .groups
            .iter()
            .rposition(|g| shared(&g.name, &group.name) == deepest);
        let position = match (first_child, last_relative) {
            (Some(child), _) => child,
            (None, Some(relative)) if deepest > 0 => relative + 1,
            _ => self.groups.len(),
        };
        self.groups.insert(position, group);
        Ok(())
    }

    /// Attributes by name, without `format` and `format_version`.
    pub fn attributes(&self) -> &BTreeMap<String, Attribute> {
        &self.attributes
    }

    /// Groups, parents before children.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of that full name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.name == name)
    }

    /// The record at `"group/record"`.
    ///
    /// # Errors
    /// [`Error::Input`] that names the record when it is not there.
    pub fn record(&self, path: &str) -> Result<&Record> {
        path.rsplit_once('/')
            .and_then(|(group, record)| self.group(group)?.record(record))
            .ok_or_else(|| Error::Input {
                path: path.into(),
                message: "the result file has no such record".into(),
            })
    }
}
