//! Results with types: a structure declared once is written as a group of records and read back from it.

use super::group::{Attribute, Group, ResultFile};
use super::record::{Record, Values};
use crate::error::{Error, Result};
use crate::statistics::Estimate;

/// What a group says about one field of a result.
#[derive(Debug, Clone, Default)]
pub struct Head {
    name: &'static str,
    dimensions: Vec<&'static str>,
    unit: &'static str,
    symbol: &'static str,
    description: &'static str,
    missing: &'static str,
}

impl Head {
    /// Head of a field inside of the one of `self`, whose dimensions come first.
    #[must_use]
    pub fn inner(
        &self,
        name: &'static str,
        dimensions: &[&'static str],
        [unit, symbol, description, missing]: [&'static str; 4],
    ) -> Self {
        Self {
            name,
            dimensions: [&self.dimensions, dimensions].concat(),
            unit,
            symbol,
            description: description.trim_start(),
            missing,
        }
    }

    /// The record of these values. One of the dimensions may be new to the group: its size is what the number of values leaves.
    fn record(&self, name: &str, values: impl Into<Values>, group: &Group) -> Result<Record> {
        let values = values.into();
        let known = |name: &str| {
            let mut dimensions = group.records().iter().flat_map(Record::dimensions);
            dimensions.find(|d| d.name == name).map(|d| d.size)
        };
        let product: usize = self.dimensions.iter().filter_map(|d| known(d)).product();
        let left = values.len() / product.max(1);
        let sized: Vec<(&str, usize)> = self
            .dimensions
            .iter()
            .map(|d| (*d, known(d).unwrap_or(left)))
            .collect();
        let record = Record::new(name, self.unit, &sized, values)?;
        Ok(if self.missing.is_empty() {
            record
        } else {
            record.with_missing(self.missing)
        })
    }

    /// The record of the group, if it runs along the dimensions declared.
    fn find<'a>(&self, name: &str, group: &'a Group) -> Result<&'a Record> {
        let record = group
            .record(name)
            .ok_or_else(|| failed(group, name, "the result file has no such record".into()))?;
        if record.dimensions().iter().map(|d| &d.name).eq(&self.dimensions) {
            return Ok(record);
        }
        let found: Vec<&str> = record.dimensions().iter().map(|d| d.name.as_str()).collect();
        Err(failed(
            group,
            name,
            format!("it runs along {found:?}, {:?} are needed", self.dimensions),
        ))
    }
}

fn failed(group: &Group, name: &str, message: String) -> Error {
    Error::Input {
        path: format!("{}/{name}", group.name()),
        message,
    }
}

/// A field of a result: how it stands in a group, and how it is found there.
pub trait Field: Sized {
    /// Adds its records to the group.
    ///
    /// # Errors
    /// As [`Record::new`] and [`Group::push`].
    fn write(&self, head: &Head, group: &mut Group) -> Result<()>;

    /// Reads it back.
    ///
    /// # Errors
    /// [`Error::Input`] that names the record when it is missing, runs along other dimensions or is of another type.
    fn read(head: &Head, group: &Group) -> Result<Self>;

    /// Whether the group has it.
    fn is_in(head: &Head, group: &Group) -> bool {
        group.record(head.name).is_some()
    }
}

macro_rules! field {
    ($type:ty, $wanted:literal, |$record:ident| $entries:expr) => {
        impl Field for $type {
            fn write(&self, head: &Head, group: &mut Group) -> Result<()> {
                let record = head
                    .record(head.name, self.clone(), group)?
                    .with_symbol(head.symbol)
                    .with_description(head.description);
                group.push(record)
            }

            fn read(head: &Head, group: &Group) -> Result<Self> {
                let $record = head.find(head.name, group)?;
                $entries.ok_or_else(|| failed(group, head.name, concat!($wanted, " needed").into()))
            }
        }
    };
}

field!(Vec<f64>, "numbers are", |record| record.numbers());
field!(f64, "a number is", |record| record
    .numbers()
    .and_then(|v| v.first().copied()));
field!(Vec<u64>, "counts are", |record| match record.values() {
    Values::Unsigned(v) => Some(v.clone()),
    // Of sweeps of which some cells lack the record.
    Values::Float(v) => v.iter().copied().map(count).collect(),
    _ => None,
});
field!(Vec<String>, "text is", |record| match record.values() {
    Values::Text(v) => Some(v.clone()),
    _ => None,
});

/// A count that was written as a real number.
fn count(number: f64) -> Option<u64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}

/// A field that some results lack.
impl<T: Field> Field for Option<T> {
    fn write(&self, head: &Head, group: &mut Group) -> Result<()> {
        self.as_ref().map_or(Ok(()), |field| field.write(head, group))
    }

    fn read(head: &Head, group: &Group) -> Result<Self> {
        T::is_in(head, group).then(|| T::read(head, group)).transpose()
    }
}

/// Means over runs, in the records `NAME` and `NAME_standard_error`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estimates {
    /// Values.
    pub value: Vec<f64>,
    /// Their standard errors.
    pub standard_error: Vec<f64>,
}

impl Estimates {
    /// Standard errors with another error of each beside them, added in squares.
    pub fn errors_with(&self, others: &[f64]) -> Vec<f64> {
        let errors = self.standard_error.iter().zip(others);
        errors.map(|(sampling, other)| sampling.hypot(*other)).collect()
    }
}

impl FromIterator<Estimate> for Estimates {
    fn from_iter<T: IntoIterator<Item = Estimate>>(estimates: T) -> Self {
        let (value, standard_error) = estimates.into_iter().map(|e| (e.value, e.standard_error)).unzip();
        Self {
            value,
            standard_error,
        }
    }
}

impl Field for Estimates {
    fn write(&self, head: &Head, group: &mut Group) -> Result<()> {
        self.value.write(head, group)?;
        let name = format!("{}_standard_error", head.name);
        let record = head.record(&name, &self.standard_error[..], group)?;
        group.push(record.with_description(&format!("standard error of {} over the runs", head.name)))
    }

    fn read(head: &Head, group: &Group) -> Result<Self> {
        let name = format!("{}_standard_error", head.name);
        Ok(Self {
            value: Field::read(head, group)?,
            standard_error: head
                .find(&name, group)?
                .numbers()
                .ok_or_else(|| failed(group, &name, "numbers are needed".into()))?,
        })
    }
}

/// A result that stands in a group of its own.
pub trait Records: Field {
    /// Name of the group.
    const GROUP: &'static str;
    /// Description of the group.
    const DESCRIPTION: &'static str;

    /// The group.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when a field does not have as many entries as its dimensions, [`Error::NotFinite`].
    fn group(&self) -> Result<Group> {
        self.group_named(Self::GROUP)
    }

    /// The group under another name, for results of which there are several.
    ///
    /// # Errors
    /// As [`Records::group`].
    fn group_named(&self, name: &str) -> Result<Group> {
        let mut group = Self::empty_group()?.renamed(name)?;
        self.write(&Head::default(), &mut group)?;
        Ok(group)
    }

    /// The group of a result that there is not, for cells of a sweep in which it was left out.
    ///
    /// # Errors
    /// As [`Group::new`].
    fn empty_group() -> Result<Group> {
        Ok(Group::new(Self::GROUP)?.with_description(Self::DESCRIPTION.trim_start()))
    }

    /// The result from a file, none when it has no such group.
    ///
    /// # Errors
    /// As [`Field::read`].
    fn find(file: &ResultFile) -> Result<Option<Self>> {
        let group = file.group(Self::GROUP);
        group.map(|group| Self::read(&Head::default(), group)).transpose()
    }

    /// The result from a file that must have it.
    ///
    /// # Errors
    /// As [`Records::find`], and when there is no such group.
    fn of(file: &ResultFile) -> Result<Self> {
        Self::find(file)?.ok_or_else(|| Error::Input {
            path: Self::GROUP.into(),
            message: "the result file has no such group".into(),
        })
    }
}

/// A group that some results lack: then it is there and empty, so that cells of a sweep can be stacked.
impl<T: Records> Records for Option<T> {
    const GROUP: &'static str = T::GROUP;
    const DESCRIPTION: &'static str = T::DESCRIPTION;
}

/// A fact of a group that a field of a result holds.
pub trait Fact: Sized {
    /// The value, if the attribute has this type.
    fn of(attribute: &Attribute) -> Option<Self>;
}

impl Fact for f64 {
    fn of(attribute: &Attribute) -> Option<Self> {
        match attribute {
            Attribute::Float(value) => Some(*value),
            Attribute::Integer(value) => Some(*value as f64),
            Attribute::Text(_) => None,
        }
    }
}

impl Fact for i64 {
    fn of(attribute: &Attribute) -> Option<Self> {
        match attribute {
            Attribute::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

/// The attribute of the group.
///
/// # Errors
/// [`Error::Input`] that names it when it is missing or of another type.
pub fn fact<T: Fact>(group: &Group, name: &str) -> Result<T> {
    let value = group.attributes().get(name).and_then(T::of);
    value.ok_or_else(|| failed(group, name, "the result file has no such attribute".into()))
}

/// Declares a result: a structure whose fields are the records of a group, in their order.
///
/// ```text
/// records! {
///     /// Description of the group.
///     pub struct Curve in "curve" {
///         attributes {
///             /// Runs.
///             runs: i64,
///         }
///         /// Description of the record.
///         time: Vec<f64> => [time] "unit" "symbol",          a coordinate
///         /// Description of the record.
///         mean: Estimates => [time] "1" "⟨x⟩",               value and standard error
///         /// Description of the record.
///         other: Option<Vec<f64>> => [time, row] "1" missing "what NaN means",
///     }
/// }
/// ```
///
/// Symbol and `missing` may be left out. Without `in` the structure is a part of others: its records stand in their group, along the
/// dimensions that they give it and then those of its own.
macro_rules! records {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $result:ident in $group:literal { $($fields:tt)* }
    ) => {
        $crate::output::records! {
            $(#[doc = $about])+
            $visibility struct $result { $($fields)* }
        }
        impl $crate::output::Records for $result {
            const GROUP: &'static str = $group;
            const DESCRIPTION: &'static str = concat!($($about),+);
        }
    };
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $result:ident {
            $(attributes { $($(#[doc = $note:literal])+ $fact:ident: $kind:ty,)+ })?
            $(
                $(#[doc = $text:literal])+
                $field:ident: $type:ty => [$($dimension:ident),*]
                    $($unit:literal $($symbol:literal)?)? $(missing $missing:literal)?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $result {
            $($($(#[doc = $note])+ pub $fact: $kind,)+)?
            $($(#[doc = $text])+ pub $field: $type,)+
        }
        impl $result {
            /// What the group says about each field, in their order.
            fn heads(outer: &$crate::output::Head) -> [$crate::output::Head; [$(stringify!($field)),+].len()] {
                [$(outer.inner(
                    stringify!($field),
                    &[$(stringify!($dimension)),*],
                    [
                        concat!($($unit)?),
                        concat!($($($symbol)?)?),
                        concat!($($text),+),
                        concat!($($missing)?),
                    ],
                )),+]
            }
        }
        impl $crate::output::Field for $result {
            fn write(
                &self,
                head: &$crate::output::Head,
                group: &mut $crate::output::Group,
            ) -> $crate::Result<()> {
                $($(group.set_attribute(stringify!($fact), self.$fact)?;)+)?
                let [$($field),+] = Self::heads(head);
                $($crate::output::Field::write(&self.$field, &$field, group)?;)+
                Ok(())
            }

            fn read(head: &$crate::output::Head, group: &$crate::output::Group) -> $crate::Result<Self> {
                let [$($field),+] = Self::heads(head);
                Ok(Self {
                    $($($fact: $crate::output::fact(group, stringify!($fact))?,)+)?
                    $($field: $crate::output::Field::read(&$field, group)?,)+
                })
            }

            fn is_in(_head: &$crate::output::Head, group: &$crate::output::Group) -> bool {
                [$(stringify!($field)),+].iter().any(|name| group.record(name).is_some())
            }
        }
    };
}
pub(crate) use records;

/// Declares a result of several groups: a structure whose fields are results in groups of their own, the first of which every result has.
macro_rules! groups {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $result:ident {
            $(#[doc = $head:literal])+
            $first:ident: $first_type:ty,
            $($(#[doc = $text:literal])+ $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $result {
            $(#[doc = $head])+
            pub $first: $first_type,
            $($(#[doc = $text])+ pub $field: $type,)+
        }
        impl $result {
            /// The groups, in their order.
            ///
            /// # Errors
            /// As [`crate::output::Records::group`].
            pub fn groups(&self) -> $crate::Result<Vec<$crate::output::Group>> {
                use $crate::output::Records;
                Ok(vec![self.$first.group()?, $(self.$field.group()?),+])
            }

            /// The result from a file, none when it has not the first group.
            ///
            /// # Errors
            /// As [`crate::output::Records::of`].
            pub fn find(file: &$crate::output::ResultFile) -> $crate::Result<Option<Self>> {
                let first = file.group(<$first_type as $crate::output::Records>::GROUP);
                first.map(|_| Self::of(file)).transpose()
            }

            /// The result from a file that must have it.
            ///
            /// # Errors
            /// As [`crate::output::Records::of`].
            pub fn of(file: &$crate::output::ResultFile) -> $crate::Result<Self> {
                use $crate::output::Records;
                Ok(Self {
                    $first: Records::of(file)?,
                    $($field: Records::of(file)?,)+
                })
            }
        }
    };
}
pub(crate) use groups;
