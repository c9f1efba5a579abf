//! Files written whole or not at all, by any number of processes at once.
//!
//! A file is filled under a hidden name of its own, `.NAME.PROCESS-NUMBER.tmp`, and renamed when it is whole. Beside it lies `.NAME.PROCESS-NUMBER.lock`,
//! locked by its process for as long as that lives: what a killed process left behind is told from what a living one is about to finish by the lock, which
//! the system releases, not by age.

use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const TEMPORARY: &str = ".tmp";
const LOCK: &str = ".lock";

/// Checks before long work that a file can be written at `path`, by creating and removing a temporary one beside it. What killed processes left of
/// earlier attempts at the same file is removed.
///
/// # Errors
/// [`Error::Output`] with the system's reason.
///
/// # Examples
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// freezeout::output::check_writable(folder.path().join("out.h5"))?;
/// assert!(freezeout::output::check_writable(folder.path().join("no/such/folder/out.h5")).is_err());
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    // Temporaries lie beside the file behind a link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if let (Some(folder), Some(name)) = (target.parent(), target.file_name()) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        remove_stale(folder, |of| of == name.to_string_lossy());
    }
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
    fill(&temporary.path).map_err(failed)?;
    OpenOptions::new()
        .write(true)
        .open(&temporary.path)
        .and_then(|f| f.sync_all())
        .and_then(|()| fs::rename(&temporary.path, path))
        .map_err(|e| failed(e.to_string()))
}

/// Removes from `folder` what processes that are gone left of unfinished files; `is_wanted` chooses by the name of the finished file.
pub(crate) fn remove_stale(folder: &Path, is_wanted: impl Fn(&str) -> bool) {
    // What cannot be read or removed does no harm where it lies.
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((of, stem)) = temporary_of(&name) else {
            continue;
        };
        if !is_wanted(of) {
            continue;
        }
        let (temporary, lock) = (
            folder.join(format!("{stem}{TEMPORARY}")),
            folder.join(format!("{stem}{LOCK}")),
        );
        match OpenOptions::new().write(true).open(&lock) {
            Ok(file) => match file.try_lock() {
                // While this process holds the lock, its owner cannot begin: see `Temporary::create`.
                Ok(()) => {
                    fs::remove_file(&temporary).ok();
                    fs::remove_file(&lock).ok();
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => (),
            },
            Err(e) if e.kind() == ErrorKind::NotFound => {
                fs::remove_file(&temporary).ok();
            }
            Err(_) => (),
        }
    }
}

/// Whether `name` is that of an unfinished file or of its lock.
pub(crate) fn is_temporary(name: &str) -> bool {
    temporary_of(name).is_some()
}

/// The name of the finished file and the stem that temporary and lock share, of a name `.NAME.PROCESS-NUMBER.tmp` or `….lock`.
fn temporary_of(name: &str) -> Option<(&str, &str)> {
    let stem = name.strip_suffix(TEMPORARY).or_else(|| name.strip_suffix(LOCK))?;
    let (of, unique) = stem.strip_prefix('.')?.rsplit_once('.')?;
    let is_unique = !unique.is_empty() && unique.chars().all(|c| c.is_ascii_digit() || c == '-');
    (is_unique && !of.is_empty()).then_some((of, stem))
}

/// A file of this process alone that is removed when it goes out of scope, unless it was renamed.
struct Temporary {
    path: PathBuf,
    lock_path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

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
        // Numbers are taken once in this process; a taken name is of a process that had the same number, or runs on another machine.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        const ATTEMPTS: usize = 10_000;
        for _ in 0..ATTEMPTS {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let mut stem = OsString::from(".");
            stem.push(name);
            stem.push(format!(".{}-{number}", std::process::id()));
            // The system's message ("Permission denied", "No such file or directory") says more than HDF5's.
            if let Some(temporary) = Self::create(path, &stem).map_err(|e| e.to_string())? {
                return Ok(temporary);
            }
        }
        Err("no free name for a temporary file beside it".into())
    }

    /// Creates lock and file of that name; none when the name is taken.
    fn create(path: &Path, stem: &OsString) -> std::io::Result<Option<Self>> {
        let named = |ending: &str| {
            let mut name = stem.clone();
            name.push(ending);
            path.with_file_name(name)
        };
        let (temporary, lock_path) = (named(TEMPORARY), named(LOCK));
        let create = |path: &Path| match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(None),
            other => other.map(Some),
        };
        let Some(lock) = create(&lock_path)? else {
            return Ok(None);
        };
        // A file system without locks keeps what a killed process leaves.
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) || !lock_path.exists() {
            // Another process took the new lock for a stale one.
            return Ok(None);
        }
        let created = create(&temporary);
        if !matches!(created, Ok(Some(_))) {
            fs::remove_file(&lock_path).ok();
        }
        Ok(created?.map(|_| Self {
            path: temporary,
            lock_path,
            _lock: lock,
        }))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
        fs::remove_file(&self.lock_path).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn stale_temporaries_go_and_living_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let living = Temporary::beside(&folder.path().join("out.h5")).unwrap();
        let others = Temporary::beside(&folder.path().join("other.h5")).unwrap();
        // Of a killed process: with its lock, and without (of an earlier version).
        for name in [
            ".out.h5.999-0.tmp",
            ".out.h5.999-0.lock",
            ".out.h5.17.tmp",
            "out.h5.tmp",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        check_writable(folder.path().join("out.h5")).unwrap();
        let left = names(folder.path());
        assert_eq!(left.len(), 5, "{left:?}");
        assert!(living.path.exists() && others.path.exists() && left.contains(&"out.h5.tmp".into()));
        drop((living, others));
        assert_eq!(names(folder.path()), ["out.h5.tmp"]);
    }

    #[test]
    fn many_writers_of_one_file_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..50 {
                        atomically(path, |to| {
                            fs::write(to, [writer; 1000]).map_err(|e| e.to_string())
                        })
                        .unwrap();
                        remove_stale(path.parent().unwrap(), |_| true);
                    }
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 1000 && bytes.iter().all(|b| *b == bytes[0]));
        assert_eq!(names(folder.path()), ["out"]);
    }
}
