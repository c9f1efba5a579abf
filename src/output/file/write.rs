//! Writing a result file, whole or not at all.

use super::attribute::{scalar_attribute, text_attribute, unicode};
use super::{dimension_scale, one_line, seal};
use crate::error::Result;
use crate::output::atomic::atomically;
use crate::output::group::{Attribute, Group, ResultFile};
use crate::output::record::{Record, Values};
use crate::output::{CONVENTIONS, FORMAT, FORMAT_VERSION, cf_attributes};
use hdf5::plist::file_create::{AttrCreationOrder, LinkCreationOrder};
use hdf5::types::VarLenUnicode;
use hdf5::{Dataset, H5Type, Location};
use std::collections::BTreeMap;
use std::path::Path;

/// Arrays of this many bytes and more are chunked, compressed and carry checksums, which copies by other programs keep.
const COMPRESSED_FROM: usize = 64 * 1024;
/// Wanted size of a chunk in bytes.
const CHUNK: usize = 512 * 1024;
/// Level of deflate: higher ones gain a few percent for many times the work.
const DEFLATE: u8 = 4;

/// Writes `file` to `path`, replacing an old file only when the new one is whole.
///
/// # Errors
/// [`crate::Error::Output`] when the folder or file cannot be written; then nothing is left behind and an old file stays as it was.
///
/// # Examples
/// ```
/// use freezeout::output::{Group, Record, ResultFile, read, write};
/// let mut group = Group::new("rates")?;
/// group.push(Record::scalar("escape_rate", "1/time", 1.5e-3)?)?;
/// let mut file = ResultFile::new();
/// file.set_attribute("seed", 7)?;
/// file.push(group)?;
/// let path = std::env::temp_dir().join(format!("freezeout-example-{}.h5", std::process::id()));
/// write(&path, &file)?;
/// assert_eq!(read(&path)?, file);
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn write(path: impl AsRef<Path>, file: &ResultFile) -> Result<()> {
    atomically(path.as_ref(), |temporary| {
        write_hdf5(temporary, file).map_err(|error| one_line(&error))?;
        seal::seal(temporary).map_err(|error| error.to_string())
    })
}

fn write_hdf5(path: &Path, file: &ResultFile) -> hdf5::Result<()> {
    let class = dimension_scale::ClassText::prepare(path)?;
    let hdf5 = hdf5::File::with_options()
        .with_fcpl(|p| {
            p.obj_track_times(false)
                .link_creation_order(LinkCreationOrder::Indexed)
                .attr_creation_order(AttrCreationOrder::Indexed)
        })
        .create(path)?;
    text_attribute(&hdf5, "format", FORMAT)?;
    scalar_attribute(&hdf5, "format_version", &FORMAT_VERSION)?;
    text_attribute(&hdf5, "Conventions", CONVENTIONS)?;
    write_attributes(&hdf5, file.attributes())?;
    for group in file.groups() {
        write_group(&hdf5, group, &class)?;
    }
    hdf5.flush()?;
    hdf5.close()
}

fn write_group(file: &hdf5::File, group: &Group, class: &dimension_scale::ClassText) -> hdf5::Result<()> {
    let mut place = file.as_group()?;
    for part in group.name().split('/') {
        place = if place.link_exists(part) {
            place.group(part)?
        } else {
            place
                .create_group_builder()
                .obj_track_times(false)
                .with_gcpl(|p| {
                    p.link_creation_order(LinkCreationOrder::Indexed)
                        .attr_creation_order(AttrCreationOrder::Indexed)
                })
                .create(part)?
        };
    }
    // Present even when empty: it tells a group of its own from the mere parent of another.
    text_attribute(&place, "description", group.description())?;
    write_attributes(&place, group.attributes())?;
    for record in group.records() {
        write_record(&place, record, group)?;
    }
    dimension_scale::attach(&place, group.records(), class)
}

fn write_record(place: &hdf5::Group, record: &Record, group: &Group) -> hdf5::Result<()> {
    let dataset = match record.values() {
        Values::Float(values) => write_numbers(place, record, values)?,
        Values::Integer(values) => write_numbers(place, record, values)?,
        Values::Unsigned(values) => write_numbers(place, record, values)?,
        Values::Bool(values) => {
            let bytes: Vec<u8> = values.iter().map(|&b| u8::from(b)).collect();
            let dataset = write_numbers(place, record, &bytes)?;
            dataset
                .new_attr::<u8>()
                .shape(2)
                .create("flag_values")?
                .write_raw(&[0, 1])?;
            text_attribute(&dataset, "flag_meanings", "false true")?;
            dataset
        }
        Values::Text(values) => {
            let texts = values
                .iter()
                .map(|t| unicode(t))
                .collect::<hdf5::Result<Vec<_>>>()?;
            let builder = place.new_dataset::<VarLenUnicode>().obj_track_times(false);
            let dataset = builder.shape(record.shape()).create(record.name())?;
            dataset.write_raw(&texts)?;
            dataset
        }
    };
    for (name, text) in cf_attributes(record, group) {
        text_attribute(&dataset, name, &text)?;
    }
    if record.missing().is_some() && matches!(record.values(), Values::Float(_)) {
        let attribute = dataset.new_attr::<f64>().shape(1).create("_FillValue")?;
        attribute.write_raw(&[f64::NAN])?;
    }
    if !record.dimensions().is_empty() {
        let names = record
            .dimensions()
            .iter()
            .map(|d| unicode(&d.name))
            .collect::<hdf5::Result<Vec<_>>>()?;
        dataset
            .new_attr::<VarLenUnicode>()
            .shape(names.len())
            .create("dimensions")?
            .write_raw(&names)?;
    }
    Ok(())
}

fn write_numbers<T: H5Type>(group: &hdf5::Group, record: &Record, values: &[T]) -> hdf5::Result<Dataset> {
    let shape = record.shape();
    let mut builder = group.new_dataset::<T>().obj_track_times(false);
    if size_of_val(values) >= COMPRESSED_FROM {
        builder = builder
            .chunk(chunk_shape(&shape, size_of::<T>()))
            .shuffle()
            .deflate(DEFLATE)
            .fletcher32();
    }
    let dataset = builder.shape(shape).create(record.name())?;
    dataset.write_raw(values)?;
    Ok(dataset)
}

/// Whole rows of the fastest dimensions, as many as fit into [`CHUNK`] bytes.
fn chunk_shape(shape: &[usize], entry: usize) -> Vec<usize> {
    let mut room = CHUNK / entry;
    let mut chunk: Vec<usize> = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        let taken = size.min(room.max(1));
        chunk.push(taken);
        room /= taken;
    }
    chunk.reverse();
    chunk
}

fn write_attributes(place: &Location, attributes: &BTreeMap<String, Attribute>) -> hdf5::Result<()> {
    for (name, value) in attributes {
        match value {
            Attribute::Text(text) => text_attribute(place, name, text)?,
            Attribute::Float(number) => scalar_attribute(place, name, number)?,
            Attribute::Integer(number) => scalar_attribute(place, name, number)?,
        }
    }
    Ok(())
}
