//! The result file: named arrays with unit, symbol and description in one self-describing HDF5 file.
//!
//! ```text
//! /                      attributes: format = "freezeout", format_version, Conventions, and the caller's (configuration, seed, versions)
//! /phase_diagram         one group a route or result; attribute description, and the caller's
//!     learning_rate [n]  coordinate: a one-dimensional record with the name of its own dimension
//!     sigma [m]
//!     p_flat [n, m]      attributes units, long_name, symbol, ..., dimensions = ["learning_rate", "sigma"]
//! ```
//!
//! # Layout
//!
//! - Attributes follow the CF conventions 1.11 ([`cf_attributes`]): every dataset has `units`, valid in UDUNITS, and `long_name`; `_FillValue` is NaN where
//!   NaN stands for missing.
//! - Dimensions follow the netCDF-4 convention: coordinates are HDF5 dimension scales (`CLASS`, `NAME`, `REFERENCE_LIST`),
//!   other records point to them (`DIMENSION_LIST`). A dimension without a coordinate gets an empty scale of its size.
//!   Hence `xarray.open_dataset(path, group="phase_diagram")` shows named coordinates, with the engines `h5netcdf` and
//!   `netcdf4`, and so do h5py, ncdump and h5dump; the attribute `dimensions` repeats the names in plain text.
//! - Types: 64-bit float, signed and unsigned integers, UTF-8 text, and truth values as 8-bit 0 and 1 with the CF
//!   attributes `flag_values` and `flag_meanings`.
//! - Arrays from 64 KiB on are chunked, byte-shuffled and deflated, lossless; smaller ones are stored plainly.
//! - NaN stands only in records that say with [`Record::with_missing`] what it means; infinities stand nowhere.
//! - A file is written under a temporary name in the same folder and renamed when it is whole. No times are stored: the same
//!   [`ResultFile`] gives the same bytes with the same HDF5 library.
//! - After the HDF5 data stands a SHA-256 of all bytes before it, which [`read`] checks before the HDF5 library opens the file. Other HDF5
//!   programs never look there. Arrays from 64 KiB on also carry HDF5's own checksums (fletcher32).
//!
//! Groups and records stand in memory and need no HDF5; reading and writing them needs the feature `files`.
//!
//! # Versions
//!
//! Version 3 has one group a concept; in `final_probability`, `slices` and `static_odds` version 2 had all that stands in groups below them since. Version 1 had
//! `unit` and `description` instead of the attributes above, and in `escape` too all that stands in groups below it. [`read`] reads all of them as if they were of
//! version 3.
//!
//! # Limitations
//!
//! Names are letters, digits and underscores, at most 63. Attributes are scalars. All of a file is held in memory.

mod atomic;
mod conventions;
#[cfg(feature = "files")]
mod file;
mod group;
mod json;
mod nearest;
#[cfg(not(feature = "files"))]
mod no_file;
mod one_run;
mod record;
mod records;
mod sha256;
mod stack;
mod summary;
mod wrapped;

pub use atomic::check_writable;
pub(crate) use atomic::{atomically, is_temporary, remove_stale};
pub use conventions::{CONVENTIONS, cf_attributes};
#[cfg(feature = "files")]
pub use file::{is_sealed, read, read_array, read_unsealed, write};
pub use group::{Attribute, Group, ResultFile};
pub use json::{json_at, to_json};
pub(crate) use nearest::nearest;
#[cfg(not(feature = "files"))]
pub(crate) use no_file::{read, read_array, write};
pub use one_run::as_one_run;
pub use record::{Dimension, Record, Values};
pub use records::{Estimates, Fact, Field, Head, Records, fact};
pub(crate) use records::{groups, records};
pub use sha256::sha256;
pub(crate) use sha256::sha256_of;
pub(crate) use stack::require_same_shapes;
pub use stack::{Cells, WARNING, cells, stack, swept_coordinate, swept_name};
pub use summary::{summary, summary_at};
pub(crate) use wrapped::{padded, push_wrapped, shortest};

/// Value of the root attribute `format`.
pub const FORMAT: &str = "freezeout";

/// Value of the root attribute `format_version`: raised when a reader of the old version would misread the file.
pub const FORMAT_VERSION: i64 = 3;
