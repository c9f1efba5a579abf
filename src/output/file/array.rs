//! Arrays of numbers from any HDF5 file.

use super::{MOST_COMPRESSION, one_line};
use crate::error::{Error, Result};
use std::path::Path;

/// Shape and values of the dataset `name` in the HDF5 file `path`, the last dimension running fastest.
///
/// # Errors
/// [`Error::Input`] when the file or the dataset cannot be read as finite numbers.
pub fn read_array(path: impl AsRef<Path>, name: &str) -> Result<(Vec<usize>, Vec<f64>)> {
    let path = path.as_ref();
    let failed = |message: String| Error::Input {
        path: path.display().to_string(),
        message,
    };
    if !path.is_file() {
        return Err(failed("there is no such file".into()));
    }
    let file = hdf5::File::open(path)
        .map_err(|e| failed(format!("it cannot be read as HDF5 ({})", one_line(&e))))?;
    let dataset = file
        .dataset(name)
        .map_err(|_| failed(format!("it holds no dataset {name}")))?;
    let shape = dataset.shape();
    let bytes = shape
        .iter()
        .try_fold(size_of::<f64>(), |size, n| size.checked_mul(*n));
    let room = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    let room = usize::try_from(room)
        .unwrap_or(usize::MAX)
        .saturating_mul(MOST_COMPRESSION);
    if bytes.is_none_or(|bytes| bytes > room) {
        return Err(failed(format!(
            "{name} claims the shape {shape:?}, more than the file can hold"
        )));
    }
    let values = dataset
        .read_raw::<f64>()
        .map_err(|e| failed(format!("{name} cannot be read as numbers ({})", one_line(&e))))?;
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok((shape, values)),
        Some(k) => Err(failed(format!(
            "entry {k} of {name} is {}, finite numbers are needed",
            values[k]
        ))),
    }
}
