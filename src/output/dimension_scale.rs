//! Named dimensions as HDF5 dimension scales in the netCDF-4 convention.
//!
//! ```text
//! scale:  CLASS = "DIMENSION_SCALE", NAME = its name, REFERENCE_LIST = [(record, axis), ...]
//! record: DIMENSION_LIST = [[reference to the scale of axis 0], [axis 1], ...]
//! ```
//!
//! The attributes are those that HDF5's own `H5DS` functions write, set here one by one because these functions are C.

use super::record::Record;
use hdf5::types::{FixedAscii, VarLenArray, VarLenUnicode};
use hdf5::{H5Type, ObjectReference1, Result};

/// How netCDF-4 marks a scale that is only a size.
pub(super) const NO_COORDINATE: &str = "This is a netCDF dimension but not a netCDF variable.";

/// Entry of `REFERENCE_LIST`: a record that uses the scale, and along which axis.
#[derive(Debug, Clone, Copy, H5Type)]
#[repr(C)]
struct Use {
    dataset: ObjectReference1,
    dimension: u32,
}

/// Marks the coordinates among `records`, adds empty scales for the other dimensions, and links all to each other.
pub(super) fn attach(group: &hdf5::Group, records: &[Record]) -> Result<()> {
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
            group
                .new_dataset::<f32>()
                .obj_track_times(false)
                .shape(size)
                .create(name)?
        };
        mark(&scale, &label)?;
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
    let name = dataset
        .attr("NAME")
        .and_then(|a| a.read_scalar::<VarLenUnicode>());
    name.is_ok_and(|name| name.starts_with(NO_COORDINATE))
}

fn mark(scale: &hdf5::Dataset, label: &str) -> Result<()> {
    let class = FixedAscii::<16>::from_ascii("DIMENSION_SCALE")
        .map_err(|e| hdf5::Error::from(e.to_string().as_str()))?;
    scale
        .new_attr::<FixedAscii<16>>()
        .create("CLASS")?
        .write_scalar(&class)?;
    super::write::text_attribute(scale, "NAME", label)
}
