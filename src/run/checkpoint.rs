//! Finished cells of an unfinished sweep, so that a stopped one resumes.
//!
//! A folder beside the result file holds the configuration and one small result file a cell, each written whole or not at all.

use super::parse::parse_table;
use crate::error::{Error, Result};
use crate::output::{Group, ResultFile, read, write};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The folder of an unfinished sweep.
pub(super) struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// [`Error::Config`] when it holds cells of another configuration, naming the keys that changed; [`Error::Output`].
    pub fn open(folder: &Path, text: &str) -> Result<Self> {
        let stored = folder.join("config.toml");
        if stored.exists() {
            let old = fs::read_to_string(&stored).map_err(|e| input(&stored, &e))?;
            let changes = changes(&parse_table(&old)?, &parse_table(text)?);
            if !changes.is_empty() {
                return Err(Error::Config {
                    key: changes[0].0.clone(),
                    message: format!(
                        "the unfinished sweep in {} was begun with another configuration ({}); restore it, or delete that folder to begin anew",
                        folder.display(),
                        changes
                            .iter()
                            .map(|(key, what)| format!("{key} {what}"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                });
            }
        } else {
            let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
            if occupied {
                return Err(Error::Output {
                    path: folder.display().to_string(),
                    message: "the folder for the cells of this sweep holds something else".into(),
                });
            }
            fs::create_dir_all(folder).map_err(|e| output(folder, &e))?;
            // The configuration comes last into place: a folder without it is empty.
            let temporary = folder.join("config.toml.tmp");
            fs::write(&temporary, text)
                .and_then(|()| fs::rename(&temporary, &stored))
                .map_err(|e| output(&stored, &e))?;
        }
        Ok(Self {
            folder: folder.into(),
        })
    }

    fn path(&self, cell: usize) -> PathBuf {
        self.folder.join(format!("cell_{cell:06}.h5"))
    }

    /// The groups of a cell, if its file is whole and was made by this program for the configuration `label`.
    pub fn cell(&self, cell: usize, label: &str) -> Option<Vec<Group>> {
        let file = read(self.path(cell)).ok()?;
        let is_ours = identity(label)
            .into_iter()
            .all(|(name, value)| file.attributes().get(name) == Some(&value.into()));
        is_ours.then(|| file.groups().to_vec())
    }

    /// Keeps the groups of a finished cell.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn keep(&self, cell: usize, label: &str, groups: &[Group]) -> Result<()> {
        let mut file = ResultFile::new();
        for (name, value) in identity(label) {
            file.set_attribute(name, value)?;
        }
        for group in groups {
            file.push(group.clone())?;
        }
        write(self.path(cell), &file)
    }
}

/// What a cell was computed from, and by which build.
fn identity(label: &str) -> [(&'static str, &str); 3] {
    [
        ("cell", label),
        ("crate_version", env!("CARGO_PKG_VERSION")),
        ("commit", env!("FREEZEOUT_COMMIT")),
    ]
}

/// Removes the folder of a finished sweep: its own files only.
///
/// # Errors
/// [`Error::Output`] when a file cannot be removed or the folder holds others.
pub fn remove_unfinished(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|e| output(folder, &e))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().to_string();
        let is_ours = name.starts_with("config.toml") || name.trim_start_matches('.').starts_with("cell_");
        if is_ours {
            fs::remove_file(entry.path()).map_err(|e| output(&entry.path(), &e))?;
        }
    }
    fs::remove_dir(folder).map_err(|e| output(folder, &e))
}

fn input(path: &Path, error: &std::io::Error) -> Error {
    Error::Input {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

fn output(path: &Path, error: &std::io::Error) -> Error {
    Error::Output {
        path: path.display().to_string(),
        message: error.to_string(),
    }
}

/// Dotted keys whose values differ, with what happened to them.
fn changes(old: &Table, new: &Table) -> Vec<(String, String)> {
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
