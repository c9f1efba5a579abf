//! Files written whole or not at all.

use crate::error::{Error, Result};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Checks before long work that a file can be written at `path`, by creating and removing a temporary one beside it.
///
/// # Errors
/// [`Error::Output`] with the system's reason.
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    Temporary::beside(path)
        .map(drop)
        .map_err(|message| Error::Output {
            path: path.display().to_string(),
            message,
        })
}

/// Lets `fill` write a temporary file next to `path` and renames it to `path` when that succeeded.
pub(crate) fn atomically(
    path: &Path,
    fill: impl FnOnce(&Path) -> std::result::Result<(), String>,
) -> Result<()> {
    let failed = |message: String| Error::Output {
        path: path.display().to_string(),
        message,
    };
    // The file behind a link is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let path = target.as_path();
    let temporary = Temporary::beside(path).map_err(failed)?;
    fill(&temporary.0).map_err(failed)?;
    OpenOptions::new()
        .write(true)
        .open(&temporary.0)
        .and_then(|f| f.sync_all())
        .and_then(|()| fs::rename(&temporary.0, path))
        .map_err(|e| failed(e.to_string()))
}

/// A file that is removed when it goes out of scope, unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// Creates an empty hidden file in the folder of `path`.
    fn beside(path: &Path) -> std::result::Result<Self, String> {
        if path.is_dir() {
            return Err("it is a directory".into());
        }
        // A device, pipe or socket would be replaced by the rename.
        if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            return Err("it exists and is not a regular file".into());
        }
        let name = path.file_name().ok_or("it has no file name")?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(hidden);
        // The system's message ("Permission denied", "No such file or directory") says more than HDF5's.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(|e| e.to_string())?;
        Ok(Self(temporary))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}
