//! Tables of a loss or a tensor in HDF5 files.

use super::wrong;
use crate::error::{Error, Result};

/// The positions along each axis and the shape that a table on them has.
pub(super) fn axes<const D: usize>(
    section: &str,
    file: &str,
    names: &[String],
) -> Result<([Vec<f64>; D], Vec<usize>)> {
    let axes: Vec<Vec<f64>> = names
        .iter()
        .map(|name| crate::output::read_array(file, name).map(|(_, values)| values))
        .collect::<Result<_>>()?;
    let shape = axes.iter().map(Vec::len).collect();
    let axes: [Vec<f64>; D] = axes.try_into().map_err(|_| {
        wrong(
            &format!("{section}.axes"),
            format!("{D} names are needed, one a variable"),
        )
    })?;
    Ok((axes, shape))
}

/// A table of the given shape.
pub(super) fn values(section: &str, file: &str, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let (found, values) = crate::output::read_array(file, name)?;
    if found == shape {
        return Ok(values);
    }
    Err(Error::Config {
        key: format!("escape.{section}"),
        message: format!("{name} in {file} has shape {found:?}, its axes have {shape:?} points"),
    })
}
