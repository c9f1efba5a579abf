//! The HDF5 file.

mod array;
mod dimension_scale;
mod read;
mod seal;
mod write;

pub use array::read_array;
pub use read::{is_sealed, read, read_unsealed};
pub use write::write;

/// The HDF5 library's error stack as one line.
fn one_line(error: &hdf5::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
