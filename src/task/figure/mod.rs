//! Figures by name, and the records that each needs.

mod escape;
mod final_probability;
mod freezing_line;
mod path;
mod phase_diagram;

pub use escape::escape;
pub use final_probability::final_probability;
pub use freezing_line::freezing_line;
pub use path::{hop_rate, p_flat_path};
pub use phase_diagram::phase_diagram;

use crate::error::{Error, Result};
use crate::output::{Attribute, ResultFile};
use crate::plot::Figure;

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
pub const ENTRIES: [Entry; 11] = [
    Entry {
        name: "phase_diagram",
        description: "P_flat and freezing time over learning rate and noise, beside the authors' own where they apply",
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
        figure: super::effective_potential::figure,
    },
    Entry {
        name: "landscape",
        description: "the loss in the plane with contours and the floors of its valleys",
        group: "landscape",
        figure: super::surface::figure,
    },
    Entry {
        name: "trajectories",
        description: "single runs of SGD, against iterations and in the plane",
        group: "trajectories",
        figure: super::trajectories::figure,
    },
    Entry {
        name: "p_flat_path",
        description: "P_flat along training, simulation and theory",
        group: "freezing_line",
        figure: p_flat_path,
    },
    Entry {
        name: "hop_rate",
        description: "rate of hops between the valleys along training",
        group: "freezing_line",
        figure: hop_rate,
    },
    Entry {
        name: "stationary_map",
        description: "stationary P_flat over position and noise strength, with the freezing line",
        group: "stationary_map",
        figure: super::stationary_map::figure,
    },
    Entry {
        name: "final_probability",
        description: "final P_flat against noise strength by every route",
        group: "final_probability",
        figure: final_probability,
    },
    Entry {
        name: "ablations",
        description: "freezing and P_flat with one ingredient of the model changed at a time",
        group: "ablations",
        figure: super::ablations::figure,
    },
    Entry {
        name: "escape",
        description: "a problem of one's own: loss, effective potential, densities, first-passage times, committor",
        group: "escape",
        figure: escape,
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
/// [`Error::Config`] for an unknown name, [`Error::Input`] that names a record which the file lacks, and what [`crate::plot::draw`] refuses.
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

/// A numerical attribute of a group.
fn attribute(file: &ResultFile, group: &str, name: &str) -> Option<f64> {
    match file.group(group)?.attributes().get(name)? {
        Attribute::Float(value) => Some(*value),
        Attribute::Integer(value) => Some(*value as f64),
        Attribute::Text(_) => None,
    }
}

/// Whether two noise strengths are meant to be the same: products in another order differ by rounding only.
fn is_same(a: f64, b: f64) -> bool {
    /// Far above rounding, far below the distance of noise strengths that anybody compares.
    const ROUNDING: f64 = 1e-9;
    (a - b).abs() <= ROUNDING * a.abs()
}

/// A value as 2×10^{−4}, to two digits.
fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let mantissa = mantissa.trim_end_matches(".0");
            format!("{mantissa}×10^{{{}}}", exponent.replace('-', "−"))
        }
        None => text,
    }
}
