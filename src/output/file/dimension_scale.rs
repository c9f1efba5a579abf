//! Named dimensions as HDF5 dimension scales in the netCDF-4 convention.
//!
//! ```text
//! scale:  CLASS = "DIMENSION_SCALE", NAME = its name, REFERENCE_LIST = [(record, axis), ...]
//! record: DIMENSION_LIST = [[reference to the scale of axis 0], [axis 1], ...]
//! ```
//!
//! The attributes are those that HDF5's own `H5DS` functions write, set here one by one because these functions are C.

use super::attribute::text_attribute;
use crate::output::record::Record;
use hdf5::types::{FixedAscii, VarLenArray};
use hdf5::{Datatype, H5Type, ObjectReference1, Result};
use std::path::Path;

/// How netCDF-4 marks a scale that is only a size.
pub(super) const NO_COORDINATE: &str = "This is a netCDF dimension but not a netCDF variable.";

/// Type of `NAME`, which C programs read as text of fixed length: 63 characters, as [`NO_COORDINATE`] with a size has.
type ScaleName = FixedAscii<64>;

/// Entry of `REFERENCE_LIST`: a record that uses the scale, and along which axis.
#[derive(Debug, Clone, Copy, H5Type)]
#[repr(C)]
struct Use {
    dataset: ObjectReference1,
    dimension: u32,
}

/// Marks the coordinates among `records`, adds empty scales for the other dimensions, and links all to each other.
pub(super) fn attach(group: &hdf5::Group, records: &[Record], class: &ClassText) -> Result<()> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for dimension in records.iter().flat_map(Record::dimensions) {
        if !names.iter().any(|(name, _)| *name == dimension.name) {
            names.push((&dimension.name, dimension.size));
        }
    }
    for (name, size) in names {
        let is_coordinate = records.iter().any(|r| r.name() == name);
        let label = if is_coordinate {
            name.to_string()
        } else {
            format!("{NO_COORDINATE}{size:10}")
        };
        let scale = if is_coordinate {
            group.dataset(name)?
        } else {
            let scale = group.new_dataset::<f32>().obj_track_times(false);
            let scale = scale.shape(size).create(name)?;
            text_attribute(&scale, "units", "1")?;
            text_attribute(
                &scale,
                "long_name",
                &format!("number along {name}, counted from 0"),
            )?;
            scale
        };
        class.mark(&scale)?;
        let label = ScaleName::from_ascii(&label).map_err(|_| "a dimension name is too long")?;
        scale
            .new_attr::<ScaleName>()
            .create("NAME")?
            .write_scalar(&label)?;
        let mut uses = Vec::new();
        for record in records.iter().filter(|r| r.name() != name) {
            for (axis, dimension) in record.dimensions().iter().enumerate() {
                if dimension.name == name {
                    uses.push(Use {
                        dataset: group.reference(record.name())?,
                        dimension: axis as u32,
                    });
                }
            }
        }
        if !uses.is_empty() {
            scale
                .new_attr::<Use>()
                .shape(uses.len())
                .create("REFERENCE_LIST")?
                .write_raw(&uses)?;
        }
    }
    for record in records
        .iter()
        .filter(|r| !r.dimensions().is_empty() && !r.is_coordinate())
    {
        let mut list = Vec::new();
        for dimension in record.dimensions() {
            let scale: ObjectReference1 = group.reference(&dimension.name)?;
            list.push(VarLenArray::from_slice(&[scale]));
        }
        let dataset = group.dataset(record.name())?;
        dataset
            .new_attr::<VarLenArray<ObjectReference1>>()
            .shape(list.len())
            .create("DIMENSION_LIST")?
            .write_raw(&list)?;
    }
    Ok(())
}

/// Whether a dataset is only the size of a dimension.
pub(super) fn is_bare_scale(dataset: &hdf5::Dataset) -> bool {
    let name = dataset.attr("NAME").and_then(|a| a.read_scalar::<ScaleName>());
    name.is_ok_and(|name| name.starts_with(NO_COORDINATE))
}

/// The type of the attribute `CLASS`: null-terminated text of 16 bytes. `H5DS` and the netCDF library recognise no other, while
/// the safe interface to HDF5 makes only null-padded ones.
pub(super) struct ClassText {
    datatype: Datatype,
    _source: hdf5::File,
}

impl ClassText {
    /// Takes the type from a small file at `path` in which the padding was changed. The file may be overwritten afterwards.
    pub(super) fn prepare(path: &Path) -> Result<Self> {
        // Text type, version 1; padding: null-padded; 16 bytes. Files of the earliest format carry no checksums.
        const PADDED: [u8; 8] = [0x13, 1, 0, 0, 16, 0, 0, 0];
        const TERMINATED: u8 = 0;
        let system = |error: std::io::Error| hdf5::Error::from(error.to_string().as_str());
        let file = hdf5::File::with_options()
            .with_fapl(|p| p.libver_earliest())
            .create(path)?;
        file.new_attr::<FixedAscii<16>>().create("CLASS")?;
        file.close()?;
        let mut bytes = std::fs::read(path).map_err(system)?;
        let place = bytes.windows(PADDED.len()).position(|w| w == PADDED);
        bytes[place.ok_or("HDF5 stores text types in an unknown way")? + 1] = TERMINATED;
        std::fs::write(path, bytes).map_err(system)?;
        let source = hdf5::File::open(path)?;
        std::fs::remove_file(path).map_err(system)?;
        Ok(Self {
            datatype: source.attr("CLASS")?.dtype()?,
            _source: source,
        })
    }

    fn mark(&self, scale: &hdf5::Dataset) -> Result<()> {
        let class =
            FixedAscii::<16>::from_ascii("DIMENSION_SCALE").map_err(|_| "DIMENSION_SCALE is not ASCII")?;
        scale
            .new_attr_builder()
            .empty_as(&self.datatype)
            .create("CLASS")?
            .write_scalar(&class)
    }
}
