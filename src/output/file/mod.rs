//! The HDF5 file.

mod array;
mod attribute;
mod dimension_scale;
mod older;
mod read;
mod seal;
mod write;

pub use array::read_array;
pub use read::{is_sealed, read, read_unsealed};
pub use write::write;

/// Largest ratio by which deflate can shrink data: no dataset holds more than this times the bytes of its file.
const MOST_COMPRESSION: usize = 1032;

/// The HDF5 library's error stack as one line.
fn one_line(error: &hdf5::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
