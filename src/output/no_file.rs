//! What stands in for the HDF5 file in a build without the feature `files`: every use of one is refused.

use super::ResultFile;
use crate::error::{Error, Result};
use std::path::Path;

const MESSAGE: &str = "this build has no HDF5; build with the feature \"files\"";

fn refused<T>(path: &Path) -> Result<T> {
    Err(Error::Input {
        path: path.display().to_string(),
        message: MESSAGE.into(),
    })
}

pub(crate) fn read_array(path: impl AsRef<Path>, _name: &str) -> Result<(Vec<usize>, Vec<f64>)> {
    refused(path.as_ref())
}

pub(crate) fn read(path: impl AsRef<Path>) -> Result<ResultFile> {
    refused(path.as_ref())
}

pub(crate) fn write(path: impl AsRef<Path>, _file: &ResultFile) -> Result<()> {
    Err(Error::Output {
        path: path.as_ref().display().to_string(),
        message: MESSAGE.into(),
    })
}
