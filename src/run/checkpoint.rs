//! Finished cells of an unfinished sweep, so that a stopped one resumes.
//!
//! A folder beside the result file holds the configuration, for people, and one small result file a cell, written whole or not at all and carrying a digest.
//! A cell's file is named after all that its numbers come from: its own configuration and seed, the content of its input files, and the build. Hence a file is
//! right wherever it is found, any number of processes can work in the folder at once, and a changed configuration keeps the cells that it leaves as they were.

use super::parse::parse_table;
use crate::error::{Error, Result};
use crate::output::{Group, ResultFile, is_temporary, read, remove_stale, sha256, write};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const CONFIGURATION: &str = "config.toml";
const CELL: &str = "cell_";

/// The folder of an unfinished sweep.
pub(super) struct Checkpoint {
    folder: PathBuf,
    /// Name of each cell's file and what it was computed from.
    cells: Vec<(String, String)>,
}

/// A cell looked for in the folder.
pub(super) enum Kept {
    /// It was computed before.
    Groups(Vec<Group>),
    /// Its file is damaged, as the message says.
    Damaged(String),
    /// It was not.
    Nothing,
}

impl Checkpoint {
    /// Opens or makes the folder for cells with these identities; `text` is the configuration. Cells of other identities are dropped and `note` is
    /// told so.
    ///
    /// # Errors
    /// [`Error::Output`] when it cannot be made, or holds files of something else.
    pub fn open(folder: &Path, text: &str, identities: Vec<String>, note: &dyn Fn(&str)) -> Result<Self> {
        if cfg!(not(feature = "files")) {
            let message =
                "this build has no HDF5 to keep the cells of a sweep in; build with the feature \"files\"";
            return Err(Error::Output {
                path: folder.display().to_string(),
                message: message.into(),
            });
        }
        // The number keeps files in order for people; the identity decides.
        let cells: Vec<(String, String)> = identities
            .into_iter()
            .enumerate()
            .map(|(k, identity)| (format!("{CELL}{k:06}_{}.h5", &sha256(&identity)[..16]), identity))
            .collect();
        fs::create_dir_all(folder).map_err(|e| output(folder, &e))?;
        remove_stale(folder, |_| true);
        let names = names(folder)?;
        if let Some(foreign) = names.iter().find(|name| !is_ours(name)) {
            return Err(Error::Output {
                path: folder.display().to_string(),
                message: format!("the folder for the cells of this sweep holds something else: {foreign}"),
            });
        }
        let checkpoint = Self {
            folder: folder.into(),
            cells,
        };
        checkpoint.drop_others(&names, text, note)?;
        let stored = folder.join(CONFIGURATION);
        if fs::read_to_string(&stored).ok().as_deref() != Some(text) {
            checkpoint.keep_text(&stored, text)?;
        }
        Ok(checkpoint)
    }

    /// Removes the cells of other configurations, input files and builds.
    fn drop_others(&self, names: &[String], text: &str, note: &dyn Fn(&str)) -> Result<()> {
        let wanted: BTreeSet<&str> = self.cells.iter().map(|(name, _)| name.as_str()).collect();
        let others: Vec<&String> = names
            .iter()
            .filter(|name| name.starts_with(CELL) && !wanted.contains(name.as_str()))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let old = fs::read_to_string(self.folder.join(CONFIGURATION)).ok();
        let changes = match old.and_then(|old| parse_table(&old).ok()) {
            Some(old) => changes(&old, &parse_table(text)?),
            None => Vec::new(),
        };
        let why = if changes.is_empty() {
            "another build of this program or other content of its input files".into()
        } else {
            let changes: Vec<String> = changes
                .iter()
                .map(|(key, what)| format!("{key} {what}"))
                .collect();
            format!("another configuration ({})", changes.join(", "))
        };
        note(&format!(
            "{} finished cell(s) in {} are of {why} and are replaced; {} of {} are kept",
            others.len(),
            self.folder.display(),
            names.iter().filter(|name| wanted.contains(name.as_str())).count(),
            self.cells.len()
        ));
        for name in others {
            remove(&self.folder.join(name))?;
        }
        Ok(())
    }

    /// The groups of a cell, if its file is there, whole, and of this very cell.
    pub fn cell(&self, cell: usize) -> Kept {
        let (name, identity) = &self.cells[cell];
        let path = self.folder.join(name);
        if !path.exists() {
            return Kept::Nothing;
        }
        // Another process may have removed and written the file anew between two looks; what fails twice is damaged.
        match read(&path).or_else(|_| read(&path)) {
            Ok(file) => {
                if file.attributes().get("identity") == Some(&identity.as_str().into()) {
                    Kept::Groups(file.groups().to_vec())
                } else {
                    Kept::Damaged(format!("{name} is of another cell"))
                }
            }
            // Another process finished the sweep between the two looks.
            Err(_) if !path.exists() => Kept::Nothing,
            Err(error) => Kept::Damaged(error.to_string()),
        }
    }

    /// Keeps the groups of a finished cell.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn keep(&self, cell: usize, groups: &[Group]) -> Result<()> {
        let (name, identity) = &self.cells[cell];
        let mut file = ResultFile::new();
        file.set_attribute("identity", identity.as_str())?;
        for group in groups {
            file.push(group.clone())?;
        }
        self.again_if_gone(|| write(self.folder.join(name), &file))
    }

    fn keep_text(&self, path: &Path, text: &str) -> Result<()> {
        self.again_if_gone(|| {
            crate::output::atomically(path, |to| fs::write(to, text).map_err(|e| e.to_string()))
        })
    }

    /// Writes into the folder, which another process that finished the same sweep may remove at any time.
    fn again_if_gone(&self, write: impl Fn() -> Result<()>) -> Result<()> {
        /// A removal falls between making the folder and writing into it at most once a process.
        const ATTEMPTS: usize = 100;
        let mut attempt = 0;
        loop {
            fs::create_dir_all(&self.folder).map_err(|e| output(&self.folder, &e))?;
            attempt += 1;
            match write() {
                Err(_) if !self.folder.exists() && attempt < ATTEMPTS => (),
                other => return other,
            }
        }
    }
}

/// Removes the folder of a sweep whose result has been written: its finished cells and what killed processes left. A folder in which another process is
/// still at work stays for that one to remove.
///
/// # Errors
/// [`Error::Output`] when a file cannot be removed.
///
/// # Examples
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// let unfinished = folder.path().join("result.h5.unfinished");
/// std::fs::create_dir(&unfinished).unwrap();
/// std::fs::write(unfinished.join("config.toml"), "").unwrap();
/// freezeout::run::remove_unfinished(&unfinished)?;
/// assert!(!unfinished.exists());
/// // Somebody else did it already.
/// freezeout::run::remove_unfinished(&unfinished)?;
/// # Ok::<(), freezeout::Error>(())
/// ```
pub fn remove_unfinished(folder: &Path) -> Result<()> {
    remove_stale(folder, |_| true);
    for name in names(folder)? {
        if name.starts_with(CONFIGURATION) || name.starts_with(CELL) {
            remove(&folder.join(name))?;
        }
    }
    match fs::remove_dir(folder) {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
            Err(output(folder, &e))
        }
        _ => Ok(()),
    }
}

/// Names in a folder; none when it is not there.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(output(folder, &e)),
    };
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries
        .map(name)
        .collect::<std::io::Result<_>>()
        .map_err(|e| output(folder, &e))
}

/// Whether a file of that name is one of a sweep; also the temporary name of an earlier version.
fn is_ours(name: &str) -> bool {
    name.starts_with(CELL) || is_temporary(name) || name.starts_with(CONFIGURATION)
}

/// Removes a file that another process may have removed already.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(output(path, &e)),
        _ => Ok(()),
    }
}

fn output(path: &Path, error: &std::io::Error) -> Error {
    Error::Output {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// Dotted keys whose values differ, with what happened to them.
pub(super) fn changes(old: &Table, new: &Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(Value::Table(a)), Some(Value::Table(b))) => {
                found.extend(
                    changes(a, b)
                        .into_iter()
                        .map(|(inner, what)| (format!("{key}.{inner}"), what)),
                );
            }
            (Some(a), Some(b)) if a != b => found.push((key.clone(), format!("was {a}, is {b}"))),
            (Some(a), None) => found.push((key.clone(), format!("was {a}, is gone"))),
            (None, Some(b)) => found.push((key.clone(), format!("is new: {b}"))),
            _ => (),
        }
    }
    found
}
