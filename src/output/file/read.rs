//! Reading a result file back.

use super::seal::{self, SIGNATURE, Seal};
use super::{MOST_COMPRESSION, dimension_scale, older, one_line};
use crate::error::{Error, Result};
use crate::output::group::{Attribute, Group, ResultFile};
use crate::output::record::{Record, Values};
use crate::output::{FORMAT, FORMAT_VERSION};
use hdf5::types::{FloatSize, IntSize, TypeDescriptor, VarLenUnicode};
use hdf5::{Dataset, IndexType, IterationOrder, Location};
use std::io::Read;
use std::path::Path;

/// Attributes of groups and files that belong to the format.
const OWN_ATTRIBUTES: [&str; 4] = ["Conventions", "format", "format_version", "description"];

/// Reads a file that [`super::write`] wrote; the result equals what was written, bit by bit.
///
/// The digest at the end of the file is checked first, so that no damaged file reaches the HDF5 library, which can crash on one.
///
/// # Errors
/// [`Error::Input`] when the file cannot be opened, is not a freezeout result file, is damaged, or carries no digest; for the last see [`read_unsealed`].
pub fn read(path: impl AsRef<Path>) -> Result<ResultFile> {
    let path = path.as_ref();
    if is_sealed(path)? {
        return read_hdf5(path);
    }
    Err(Error::Input {
        path: path.display().to_string(),
        message: "it carries no digest of its content (an older version wrote it, or another program changed it); freezeout show reads it".into(),
    })
}

/// Whether a result file carries the digest that [`super::write`] gave it; one whose digest does not fit is an error.
///
/// # Errors
/// [`Error::Input`] when the file cannot be opened, is no HDF5 file, or is damaged.
///
/// # Examples
/// ```
/// use freezeout::output::{ResultFile, is_sealed, write};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("result.h5");
/// write(&path, &ResultFile::new())?;
/// assert!(is_sealed(&path)?);
/// // One bit.
/// let mut bytes = std::fs::read(&path).unwrap();
/// bytes[300] ^= 1;
/// std::fs::write(&path, bytes).unwrap();
/// assert!(is_sealed(&path).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn is_sealed(path: impl AsRef<Path>) -> Result<bool> {
    let path = path.as_ref();
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    let foreign = |reason: &str| failed(format!("it is not a freezeout result file: {reason}"));
    if path.is_dir() {
        return Err(foreign("it is a directory"));
    }
    let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err(foreign("it is not a regular file"));
    }
    let mut start = Vec::new();
    file.take(SIGNATURE.len() as u64)
        .read_to_end(&mut start)
        .map_err(|e| failed(e.to_string()))?;
    if start.is_empty() {
        return Err(foreign("it is empty"));
    }
    if start != SIGNATURE {
        return Err(foreign("it is not in HDF5 format"));
    }
    Ok(seal::check(path).map_err(|why| foreign(&why))? == Seal::Intact)
}

/// Reads a result file without regard to its digest, for files that have none.
///
/// # Limitations
/// A damaged file can crash the HDF5 library and with it the process, or give wrong numbers: read in a process that may die, as `freezeout show` does.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read as a freezeout result file.
///
/// # Examples
/// ```
/// use freezeout::output::{ResultFile, is_sealed, read_unsealed, write};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("result.h5");
/// write(&path, &ResultFile::new())?;
/// // Another program that writes into the file cuts the digest, 83 bytes, off.
/// let bytes = std::fs::read(&path).unwrap();
/// std::fs::write(&path, &bytes[..bytes.len() - 83]).unwrap();
/// assert!(!is_sealed(&path)?);
/// assert_eq!(read_unsealed(&path)?, ResultFile::new());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn read_unsealed(path: impl AsRef<Path>) -> Result<ResultFile> {
    let path = path.as_ref();
    is_sealed(path)?;
    read_hdf5(path)
}

fn read_hdf5(path: &Path) -> Result<ResultFile> {
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    let foreign = |reason: &str| failed(format!("it is not a freezeout result file: {reason}"));
    let size = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    let file = hdf5::File::open(path).map_err(|e| foreign(&format!("it is damaged ({})", one_line(&e))))?;
    if text(&file, "format").ok().as_deref() != Some(FORMAT) {
        return Err(foreign(
            "it is an HDF5 file of another program (root attribute format is not \"freezeout\")",
        ));
    }
    let version = file.attr("format_version").and_then(|a| a.read_scalar::<i64>());
    let version = match version {
        Ok(version @ 1..=FORMAT_VERSION) => version,
        Ok(other) => {
            return Err(failed(format!(
                "it has format_version {other}, this program reads 1 to {FORMAT_VERSION}"
            )));
        }
        Err(_) => return Err(foreign("it has no root attribute format_version")),
    };
    let mut result = ResultFile::new();
    let room = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .saturating_mul(MOST_COMPRESSION);
    let fill = |result: &mut ResultFile| -> std::result::Result<(), Failure> {
        for (name, value) in attributes(&file)? {
            result.set_attribute(&name, value)?;
        }
        read_groups(&file, "", room, version, result)?;
        if version < FORMAT_VERSION {
            *result = older::regrouped(result)?;
        }
        Ok(())
    };
    fill(&mut result).map_err(|failure| failed(failure.0))?;
    Ok(result)
}

/// Message of an HDF5 error or of one of ours.
struct Failure(String);

impl From<hdf5::Error> for Failure {
    fn from(error: hdf5::Error) -> Self {
        Self(one_line(&error))
    }
}
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

fn read_groups(
    parent: &hdf5::Group,
    prefix: &str,
    room: usize,
    version: i64,
    result: &mut ResultFile,
) -> std::result::Result<(), Failure> {
    for name in parent.member_names_by(IndexType::CreationOrder, IterationOrder::Increasing)? {
        let Ok(place) = parent.group(&name) else { continue };
        let full = format!("{prefix}{name}");
        if let Ok(description) = text(&place, "description") {
            let mut group = Group::new(&full)?.with_description(&description);
            for (name, value) in attributes(&place)? {
                group.set_attribute(&name, value)?;
            }
            for name in place.member_names_by(IndexType::CreationOrder, IterationOrder::Increasing)? {
                if let Ok(dataset) = place.dataset(&name)
                    && !dimension_scale::is_bare_scale(&dataset)
                {
                    group.push(read_record(&name, &dataset, room, version)?)?;
                }
            }
            result.push(group)?;
        }
        read_groups(&place, &format!("{full}/"), room, version, result)?;
    }
    Ok(())
}

/// Reads a record of at most `room` bytes.
fn read_record(
    name: &str,
    dataset: &Dataset,
    room: usize,
    version: i64,
) -> std::result::Result<Record, Failure> {
    let shape = dataset.shape();
    let datatype = dataset.dtype()?;
    let bytes = shape
        .iter()
        .try_fold(datatype.size(), |size, n| size.checked_mul(*n));
    if bytes.is_none_or(|bytes| bytes > room) {
        return Err(Failure(format!(
            "record {name} claims the shape {shape:?}, more than the file can hold"
        )));
    }
    let values = match datatype.to_descriptor()? {
        TypeDescriptor::Float(FloatSize::U8) => Values::Float(dataset.read_raw()?),
        TypeDescriptor::Integer(IntSize::U8) => Values::Integer(dataset.read_raw()?),
        TypeDescriptor::Unsigned(IntSize::U8) => Values::Unsigned(dataset.read_raw()?),
        TypeDescriptor::Unsigned(IntSize::U1) => {
            Values::Bool(dataset.read_raw::<u8>()?.into_iter().map(|b| b != 0).collect())
        }
        TypeDescriptor::VarLenUnicode => Values::Text(
            dataset
                .read_raw::<VarLenUnicode>()?
                .iter()
                .map(|t| t.to_string())
                .collect(),
        ),
        other => return Err(Failure(format!("record {name} has the unknown type {other}"))),
    };
    let names = match dataset.attr("dimensions") {
        Ok(attribute) if attribute.size() == shape.len() => attribute.read_raw::<VarLenUnicode>()?,
        _ => Vec::new(),
    };
    if names.len() != shape.len() {
        return Err(Failure(format!(
            "record {name} names {} of its {} dimensions",
            names.len(),
            shape.len()
        )));
    }
    let dimensions: Vec<(&str, usize)> = names.iter().map(|n| n.as_str()).zip(shape).collect();
    let (unit, description) = match version {
        1 => (text(dataset, "unit")?, text(dataset, "description")?),
        _ => (
            optional(dataset, "measured_in")?.map_or_else(|| text(dataset, "units"), Ok)?,
            text(dataset, "long_name")?,
        ),
    };
    let mut record = Record::new(name, &unit, &dimensions, values)?
        .with_symbol(&optional(dataset, "symbol")?.unwrap_or_default())
        .with_description(&description);
    if let Some(meaning) = optional(dataset, "missing")? {
        record = record.with_missing(&meaning);
    }
    Ok(record)
}

fn text(place: &Location, name: &str) -> hdf5::Result<String> {
    Ok(place.attr(name)?.read_scalar::<VarLenUnicode>()?.to_string())
}

/// A text that only some have.
fn optional(place: &Location, name: &str) -> hdf5::Result<Option<String>> {
    let is_there = place.attr_names()?.iter().any(|known| known == name);
    is_there.then(|| text(place, name)).transpose()
}

fn attributes(place: &Location) -> std::result::Result<Vec<(String, Attribute)>, Failure> {
    let mut found = Vec::new();
    for name in place.attr_names()? {
        if OWN_ATTRIBUTES.contains(&name.as_str()) {
            continue;
        }
        let attribute = place.attr(&name)?;
        let value = match attribute.dtype()?.to_descriptor()? {
            TypeDescriptor::Float(_) => Attribute::Float(attribute.read_scalar()?),
            TypeDescriptor::Integer(_) => Attribute::Integer(attribute.read_scalar()?),
            TypeDescriptor::VarLenUnicode => {
                Attribute::Text(attribute.read_scalar::<VarLenUnicode>()?.to_string())
            }
            other => return Err(Failure(format!("attribute {name} has the unknown type {other}"))),
        };
        found.push((name, value));
    }
    Ok(found)
}
