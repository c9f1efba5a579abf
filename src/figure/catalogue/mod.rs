//! Figures by name, and the records that each needs.

mod effective_potential;
mod freezing_line;
mod phase_diagram;

pub use effective_potential::effective_potential;
pub use freezing_line::freezing_line;
pub use phase_diagram::phase_diagram;

use super::Figure;
use crate::error::{Error, Result};
use crate::output::ResultFile;

/// A figure that can be drawn from a result file.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name, also of the files.
    pub name: &'static str,
    /// What it shows.
    pub description: &'static str,
    /// Group without which it cannot be drawn.
    pub group: &'static str,
    /// Makes it.
    pub figure: fn(&ResultFile) -> Result<Figure>,
}

/// All figures.
pub const ENTRIES: [Entry; 3] = [
    Entry {
        name: "phase_diagram",
        description: "P_flat and freezing time over learning rate and noise, beside the authors' own",
        group: "phase_diagram",
        figure: phase_diagram,
    },
    Entry {
        name: "freezing_line",
        description: "freezing height and P_flat against noise strength, simulation and theory",
        group: "freezing_line",
        figure: freezing_line,
    },
    Entry {
        name: "effective_potential",
        description: "loss and effective potential on slices of the valley",
        group: "effective_potential",
        figure: effective_potential,
    },
];

/// The figures for which `file` has the group.
pub fn available(file: &ResultFile) -> Vec<Entry> {
    ENTRIES
        .into_iter()
        .filter(|entry| file.group(entry.group).is_some())
        .collect()
}

/// The figure of that name.
///
/// # Errors
/// [`Error::Config`] for an unknown name, [`Error::Input`] that names a record which the file lacks, and what [`super::draw`] refuses.
pub fn figure(name: &str, file: &ResultFile) -> Result<Figure> {
    match ENTRIES.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.figure)(file),
        None => {
            let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
            Err(Error::Config {
                key: format!("figure {name:?}"),
                message: format!("there is no such figure; known are {}", names.join(", ")),
            })
        }
    }
}

/// The numbers at `group/record`.
fn numbers(file: &ResultFile, path: &str) -> Result<Vec<f64>> {
    file.record(path)?.numbers().ok_or_else(|| Error::Input {
        path: path.into(),
        message: "numbers are needed".into(),
    })
}

/// The numbers at `group/record`, which must have as many as `expected`.
fn numbers_of(file: &ResultFile, path: &str, expected: usize) -> Result<Vec<f64>> {
    let values = numbers(file, path)?;
    if values.len() == expected {
        Ok(values)
    } else {
        Err(Error::DimensionMismatch {
            name: path.into(),
            expected,
            got: values.len(),
        })
    }
}

/// The same, empty when the file lacks the record.
fn optional(file: &ResultFile, path: &str, expected: usize) -> Result<Vec<f64>> {
    if file.record(path).is_ok() {
        numbers_of(file, path, expected)
    } else {
        Ok(Vec::new())
    }
}
