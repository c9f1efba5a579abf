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

    /// The groups of a cell, if it is finished.
    ///
    /// # Errors
    /// [`Error::Input`] when its file is damaged.
    pub fn cell(&self, cell: usize) -> Result<Option<Vec<Group>>> {
        let path = self.path(cell);
        if path.exists() {
            Ok(Some(read(&path)?.groups().to_vec()))
        } else {
            Ok(None)
        }
    }

    /// Keeps the groups of a finished cell.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn keep(&self, cell: usize, groups: &[Group]) -> Result<()> {
        let mut file = ResultFile::new();
        for group in groups {
            file.push(group.clone())?;
        }
        write(self.path(cell), &file)
    }
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
