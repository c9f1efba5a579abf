//! A named array with its unit, symbol, description and dimensions.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Numbers or texts of a record, in row-major order (last dimension fastest).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub enum Values {
    /// Real numbers.
    Float(Vec<f64>),
    /// Signed integers.
    Integer(Vec<i64>),
    /// Counts and seeds.
    Unsigned(Vec<u64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// UTF-8 texts.
    Text(Vec<String>),
}

impl Values {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Float(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Unsigned(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries as real numbers: floats and integers, the latter rounded beyond 2^53; none for text and truth values.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Float(v) => Some(v.clone()),
            Self::Integer(v) => Some(v.iter().map(|&n| n as f64).collect()),
            Self::Unsigned(v) => Some(v.iter().map(|&n| n as f64).collect()),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }

    /// The entries at these places, in this order.
    pub(super) fn chosen(&self, places: impl Iterator<Item = usize>) -> Self {
        fn of<T: Clone>(values: &[T], places: impl Iterator<Item = usize>) -> Vec<T> {
            places.filter_map(|place| values.get(place)).cloned().collect()
        }
        match self {
            Self::Float(v) => Self::Float(of(v, places)),
            Self::Integer(v) => Self::Integer(of(v, places)),
            Self::Unsigned(v) => Self::Unsigned(of(v, places)),
            Self::Bool(v) => Self::Bool(of(v, places)),
            Self::Text(v) => Self::Text(of(v, places)),
        }
    }

    /// Name of the type of an entry.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Float(_) => "float64",
            Self::Integer(_) => "int64",
            Self::Unsigned(_) => "uint64",
            Self::Bool(_) => "bool",
            Self::Text(_) => "text",
        }
    }
}

/// Equality bit by bit: NaN equals the same NaN, 0 and -0 differ. This is what "the same file" means.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

macro_rules! values_from {
    ($($kind:ident: $entry:ty),*) => {$(
        impl From<Vec<$entry>> for Values {
            fn from(values: Vec<$entry>) -> Self {
                Self::$kind(values)
            }
        }
        impl From<&[$entry]> for Values {
            fn from(values: &[$entry]) -> Self {
                Self::$kind(values.to_vec())
            }
        }
        impl From<$entry> for Values {
            fn from(value: $entry) -> Self {
                Self::$kind(vec![value])
            }
        }
    )*};
}
values_from!(Float: f64, Integer: i64, Unsigned: u64, Bool: bool, Text: String);

impl From<&str> for Values {
    fn from(value: &str) -> Self {
        Self::Text(vec![value.into()])
    }
}

/// A named axis of a record. The one-dimensional record of the same name in the same group, if any, is its coordinate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Dimension {
    /// Name, shared by all records of the group that run along this axis.
    pub name: String,
    /// Number of entries along it.
    pub size: usize,
}

/// A named array with unit, symbol, description and named dimensions: the only thing a result file stores.
///
/// # Examples
/// ```
/// use freezeout::output::Record;
/// let p_flat = Record::new("p_flat", "1", &[("learning_rate", 2), ("sigma", 3)], vec![0.5; 6])?
///     .with_symbol("P_flat")
///     .with_description("fraction of runs that end in the flat valley");
/// assert_eq!(p_flat.shape(), [2, 3]);
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Record {
    name: String,
    symbol: String,
    unit: String,
    description: String,
    missing: Option<String>,
    dimensions: Vec<Dimension>,
    values: Values,
}

impl Record {
    /// Record with the given dimensions, slowest first; no dimension means a scalar. The unit says what a number of the model counts or measures, such as
    /// `"time"`, or is `"s"` for seconds; that of a plain number is `"1"`, also where none is given and for texts.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] when the number of values is not the product of the sizes; [`Error::Output`] when a name has
    /// other characters than letters, digits and underscores, or a dimension occurs twice.
    pub fn new(
        name: &str,
        unit: &str,
        dimensions: &[(&str, usize)],
        values: impl Into<Values>,
    ) -> Result<Self> {
        let values = values.into();
        check_name("record", name)?;
        for (i, (dimension, _)) in dimensions.iter().enumerate() {
            check_name("dimension", dimension)?;
            if dimensions[..i].iter().any(|(earlier, _)| earlier == dimension) {
                return Err(refused(
                    "record",
                    name,
                    &format!("dimension {dimension} occurs twice"),
                ));
            }
        }
        let expected = dimensions
            .iter()
            .try_fold(1_usize, |size, (_, n)| size.checked_mul(*n))
            .unwrap_or(usize::MAX);
        if values.len() != expected {
            return Err(Error::DimensionMismatch {
                name: name.into(),
                expected,
                got: values.len(),
            });
        }
        let has_unit = !unit.is_empty() && !matches!(values, Values::Text(_));
        Ok(Self {
            name: name.into(),
            symbol: String::new(),
            unit: if has_unit { unit } else { "1" }.into(),
            description: String::new(),
            missing: None,
            dimensions: dimensions
                .iter()
                .map(|(name, size)| Dimension {
                    name: (*name).into(),
                    size: *size,
                })
                .collect(),
            values,
        })
    }

    /// Coordinate: a one-dimensional record along the dimension of its own name.
    ///
    /// # Errors
    /// As [`Record::new`].
    pub fn coordinate(name: &str, unit: &str, values: impl Into<Values>) -> Result<Self> {
        let values = values.into();
        Self::new(name, unit, &[(name, values.len())], values)
    }

    /// Scalar record.
    ///
    /// # Errors
    /// As [`Record::new`].
    pub fn scalar(name: &str, unit: &str, value: impl Into<Values>) -> Result<Self> {
        Self::new(name, unit, &[], value)
    }

    /// The same record, which is no coordinate, under another name.
    #[cfg(feature = "files")]
    pub(super) fn renamed(&self, name: &str) -> Result<Self> {
        check_name("record", name)?;
        Ok(Self {
            name: name.into(),
            ..self.clone()
        })
    }

    /// Sets the symbol of the quantity, as in a formula.
    #[must_use]
    pub fn with_symbol(mut self, symbol: &str) -> Self {
        self.symbol = symbol.into();
        self
    }

    /// Sets the description, one sentence.
    #[must_use]
    pub fn with_description(mut self, description: &str) -> Self {
        // Where there is none a file has the name in words.
        self.description = if description == in_words(&self.name) {
            String::new()
        } else {
            description.into()
        };
        self
    }

    /// Allows NaN entries and says what they mean, e.g. "no run froze".
    #[must_use]
    pub fn with_missing(mut self, meaning: &str) -> Self {
        self.missing = Some(meaning.into());
        self
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Symbol, empty when none was set.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// Unit, `"1"` for a pure number.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Description, empty when none was set.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Meaning of NaN, if NaN is allowed.
    pub fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Dimensions, slowest first.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> Vec<usize> {
        self.dimensions.iter().map(|d| d.size).collect()
    }

    /// Entries in row-major order.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Entries as real numbers: floats and integers, the latter rounded beyond 2^53; none for text and truth values.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        self.values.numbers()
    }

    /// Whether this is the coordinate of a dimension.
    pub fn is_coordinate(&self) -> bool {
        self.dimensions.len() == 1 && self.dimensions[0].name == self.name
    }

    /// [`Error::NotFinite`] for an infinity, or for a NaN whose meaning is not stated.
    pub(super) fn check_finite(&self, group: &str) -> Result<()> {
        let Values::Float(values) = &self.values else {
            return Ok(());
        };
        let offends = |v: &f64| v.is_infinite() || (v.is_nan() && self.missing.is_none());
        match values.iter().position(offends) {
            None => Ok(()),
            Some(entry) => Err(Error::NotFinite {
                quantity: format!("{group}/{}", self.name),
                reason: format!(
                    "entry {entry} is {}; only NaN is storable, in a record that says what a missing value means",
                    values[entry]
                ),
            }),
        }
    }
}

/// [`Error::Output`] about a thing that cannot go into a file.
pub(super) fn refused(kind: &str, name: &str, message: &str) -> Error {
    Error::Output {
        path: format!("{kind} {name:?}"),
        message: message.into(),
    }
}

/// A name as words.
pub(super) fn in_words(name: &str) -> String {
    name.replace('_', " ")
}

/// Length that a dimension scale can carry.
const LONGEST_NAME: usize = 63;

/// Names must survive HDF5, netCDF and a Python attribute access.
pub(super) fn check_name(kind: &str, name: &str) -> Result<()> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.len() <= LONGEST_NAME
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
    {
        Ok(())
    } else {
        Err(refused(
            kind,
            name,
            "a name starts with a letter and has letters, digits and underscores only, at most 63",
        ))
    }
}
