//! Tables of a loss or a tensor in HDF5 files.

use crate::error::{Error, Result};
use crate::output::read_array;

/// The positions along each axis, and the shape that a table on them has.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read, [`Error::Config`] when the number of axes is not D.
pub fn axes<const D: usize>(file: &str, names: &[String]) -> Result<([Vec<f64>; D], Vec<usize>)> {
    let axes: Vec<Vec<f64>> = names
        .iter()
        .map(|name| read_array(file, name).map(|(_, values)| values))
        .collect::<Result<_>>()?;
    let shape = axes.iter().map(Vec::len).collect();
    let axes = axes
        .try_into()
        .map_err(|_| Error::config("table.axes", format!("{D} names are needed, one a variable")))?;
    Ok((axes, shape))
}

/// A table of the given shape.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read, [`Error::Config`] when its shape is another.
pub fn values(file: &str, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let (found, values) = read_array(file, name)?;
    if found == shape {
        return Ok(values);
    }
    Err(Error::config(
        "table",
        format!("{name} in {file} has shape {found:?}, its axes have {shape:?} points"),
    ))
}
