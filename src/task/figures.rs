//! Figures by name, from the table of tasks.

use super::config::FIGURES;
use super::work::FigureEntry;
use crate::error::{Error, Result};
use crate::output::ResultFile;
use crate::plot::Figure;

/// All figures.
pub fn all() -> impl Iterator<Item = &'static FigureEntry> {
    FIGURES.iter().copied().flatten()
}

/// The figures for which `file` has the group.
pub fn available(file: &ResultFile) -> Vec<&'static FigureEntry> {
    all().filter(|entry| file.group(entry.group).is_some()).collect()
}

/// The figure of that name.
///
/// # Errors
/// [`Error::Config`] for an unknown name, [`Error::Input`] that names a record which the file lacks.
pub fn figure(name: &str, file: &ResultFile) -> Result<Figure> {
    match all().find(|entry| entry.name == name) {
        Some(entry) => (entry.figure)(file),
        None => {
            let names: Vec<&str> = all().map(|entry| entry.name).collect();
            Err(Error::config(
                &format!("figure {name:?}"),
                format!("there is no such figure; known are {}", names.join(", ")),
            ))
        }
    }
}
