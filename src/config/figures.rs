//! Figures by name, from the table of tasks.

use super::sweep_figures::sweep_figures;
use super::tasks::FIGURES;
use crate::error::{Error, Result};
use crate::output::{ResultFile, as_one_run, cells};
use crate::plot::Figure;
use crate::task::FigureEntry;

/// All figures.
pub fn all() -> impl Iterator<Item = &'static FigureEntry> {
    FIGURES.iter().copied().flatten()
}

/// The figures for which `file` has the group.
pub fn available(file: &ResultFile) -> Vec<&'static FigureEntry> {
    all().filter(|entry| file.group(entry.group).is_some()).collect()
}

/// A figure of a file.
pub struct FileFigure {
    /// Name, also of the files.
    pub name: String,
    /// What it shows.
    pub description: &'static str,
    /// The figure, or why it cannot be drawn.
    pub figure: Result<Figure>,
}

/// The figures that a file allows: those of its groups, of a sweep the main numbers of each task against the swept keys, and those of its groups where it is one run
/// over ranges of its tasks ([`as_one_run`]).
///
/// # Errors
/// As [`sweep_figures`] and [`as_one_run`].
pub fn of_file(file: &ResultFile) -> Result<Vec<FileFigure>> {
    let mut figures = Vec::new();
    if cells(file).is_some() {
        figures.extend(sweep_figures(file)?.into_iter().map(|(name, figure)| FileFigure {
            name,
            description: "main numbers against the swept keys",
            figure,
        }));
    }
    if let Some(file) = as_one_run(file)? {
        figures.extend(available(&file).into_iter().map(|entry| FileFigure {
            name: entry.name.into(),
            description: entry.description,
            figure: (entry.figure)(&file),
        }));
    }
    Ok(figures)
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
