//! Figures by name, and the records that each needs.

mod escape;

pub use escape::escape;

use super::{
    ablations, effective_potential, final_probability, freezing_line, phase_diagram, stationary_map, surface,
    trajectories,
};
use crate::error::{Error, Result};
use crate::output::ResultFile;
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
        figure: phase_diagram::figure,
    },
    Entry {
        name: "freezing_line",
        description: "freezing height and P_flat against noise strength, simulation and theory",
        group: "freezing_line",
        figure: freezing_line::figure,
    },
    Entry {
        name: "effective_potential",
        description: "loss and effective potential on slices of the valley",
        group: "effective_potential",
        figure: effective_potential::figure,
    },
    Entry {
        name: "landscape",
        description: "the loss in the plane with contours and the floors of its valleys",
        group: "landscape",
        figure: surface::figure,
    },
    Entry {
        name: "trajectories",
        description: "single runs of SGD, against iterations and in the plane",
        group: "trajectories",
        figure: trajectories::figure,
    },
    Entry {
        name: "p_flat_path",
        description: "P_flat along training, simulation and theory",
        group: "freezing_line",
        figure: freezing_line::p_flat_path,
    },
    Entry {
        name: "hop_rate",
        description: "rate of hops between the valleys along training",
        group: "freezing_line",
        figure: freezing_line::hop_rate,
    },
    Entry {
        name: "stationary_map",
        description: "stationary P_flat over position and noise strength, with the freezing line",
        group: "stationary_map",
        figure: stationary_map::figure,
    },
    Entry {
        name: "final_probability",
        description: "final P_flat against noise strength by every route",
        group: "final_probability",
        figure: final_probability::figure,
    },
    Entry {
        name: "ablations",
        description: "freezing and P_flat with one ingredient of the model changed at a time",
        group: "ablations",
        figure: ablations::figure,
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
