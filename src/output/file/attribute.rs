//! Attributes of groups and datasets.

use hdf5::types::VarLenUnicode;
use hdf5::{H5Type, Location};

/// Scalar attribute.
pub(super) fn scalar_attribute<T: H5Type>(place: &Location, name: &str, value: &T) -> hdf5::Result<()> {
    place.new_attr::<T>().create(name)?.write_scalar(value)
}

/// Variable-length UTF-8 attribute.
pub(super) fn text_attribute(place: &Location, name: &str, text: &str) -> hdf5::Result<()> {
    scalar_attribute(place, name, &unicode(text)?)
}

/// The text as HDF5 stores it.
pub(super) fn unicode(text: &str) -> hdf5::Result<VarLenUnicode> {
    text.parse()
        .map_err(|_| hdf5::Error::from("a text contains a NUL character"))
}
