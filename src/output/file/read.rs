//! Reading a result file back.

use super::{dimension_scale, one_line};
use crate::error::{Error, Result};
use crate::output::group::{Attribute, Group, ResultFile};
use crate::output::record::{Record, Values};
use crate::output::{FORMAT, FORMAT_VERSION};
use hdf5::types::{FloatSize, IntSize, TypeDescriptor, VarLenUnicode};
use hdf5::{Dataset, IndexType, IterationOrder, Location};
use std::io::Read;
use std::path::Path;

/// First bytes of every HDF5 file.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Attributes of groups and files that belong to the format.
const OWN_ATTRIBUTES: [&str; 3] = ["format", "format_version", "description"];

/// Reads a file that [`super::write`] wrote; the result equals what was written, bit by bit.
///
/// # Errors
/// [`Error::Input`] when the file cannot be opened or is not a freezeout result file.
pub fn read(path: impl AsRef<Path>) -> Result<ResultFile> {
    let path = path.as_ref();
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    let foreign = |reason: &str| failed(format!("it is not a freezeout result file: {reason}"));
    if path.is_dir() {
        return Err(foreign("it is a directory"));
    }
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(SIGNATURE.len() as u64).read_to_end(&mut start))
        .map_err(|e| failed(e.to_string()))?;
    if start.is_empty() {
        return Err(foreign("it is empty"));
    }
    if start != SIGNATURE {
        return Err(foreign("it is not in HDF5 format"));
    }
    let file = hdf5::File::open(path).map_err(|e| foreign(&format!("it is damaged ({})", one_line(&e))))?;
    if text(&file, "format").ok().as_deref() != Some(FORMAT) {
        return Err(foreign(
            "it is an HDF5 file of another program (root attribute format is not \"freezeout\")",
        ));
    }
    let version = file.attr("format_version").and_then(|a| a.read_scalar::<i64>());
    match version {
        Ok(FORMAT_VERSION) => {}
        Ok(other) => {
            return Err(failed(format!(
                "it has format_version {other}, this program reads {FORMAT_VERSION}"
            )));
        }
        Err(_) => return Err(foreign("it has no root attribute format_version")),
    }
    let mut result = ResultFile::new();
    let fill = |result: &mut ResultFile| -> std::result::Result<(), Failure> {
        for (name, value) in attributes(&file)? {
            result.set_attribute(&name, value)?;
        }
        read_groups(&file, "", result)
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
                    group.push(read_record(&name, &dataset)?)?;
                }
            }
            result.push(group)?;
        }
        read_groups(&place, &format!("{full}/"), result)?;
    }
    Ok(())
}

fn read_record(name: &str, dataset: &Dataset) -> std::result::Result<Record, Failure> {
    let values = match dataset.dtype()?.to_descriptor()? {
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
    let shape = dataset.shape();
    let names = match dataset.attr("dimensions") {
        Ok(attribute) => attribute.read_raw::<VarLenUnicode>()?,
        Err(_) => Vec::new(),
    };
    if names.len() != shape.len() {
        return Err(Failure(format!(
            "record {name} names {} of its {} dimensions",
            names.len(),
            shape.len()
        )));
    }
    let dimensions: Vec<(&str, usize)> = names.iter().map(|n| n.as_str()).zip(shape).collect();
    let mut record = Record::new(name, &text(dataset, "unit")?, &dimensions, values)?
        .with_symbol(&text(dataset, "symbol")?)
        .with_description(&text(dataset, "description")?);
    if let Ok(meaning) = text(dataset, "missing") {
        record = record.with_missing(&meaning);
    }
    Ok(record)
}

fn text(place: &Location, name: &str) -> hdf5::Result<String> {
    Ok(place.attr(name)?.read_scalar::<VarLenUnicode>()?.to_string())
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
