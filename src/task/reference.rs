//! Published numbers that results are compared with, embedded so that the binary needs no data folder.

use crate::error::{Error, Result};
use crate::output::{Group, Record};
use serde::Deserialize;

/// The authors' stored phase diagram (source inside the file).
const PAPER_PHASE_DIAGRAM: &str = include_str!("../../data/reference/paper_phase_diagram.json");

/// The authors' simulation of the phase diagram, arXiv 2601.10962v2, figure 3c,d.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PaperPhaseDiagram {
    /// η, rows.
    pub eta: Vec<f64>,
    /// σ, columns.
    pub sigma: Vec<f64>,
    /// P_flat.
    pub p_flat: Vec<Vec<f64>>,
    /// Mean iteration of the last sign change.
    pub mean_freezing_iteration: Vec<Vec<f64>>,
    /// Mean y at the last sign change.
    pub mean_freezing_y: Vec<Vec<f64>>,
}

/// Reads the embedded table.
///
/// # Errors
/// [`Error::Input`] when the embedded file is damaged, which a test excludes.
pub fn paper_phase_diagram() -> Result<PaperPhaseDiagram> {
    serde_json::from_str(PAPER_PHASE_DIAGRAM).map_err(|e| Error::Input {
        path: "paper_phase_diagram.json".into(),
        message: e.to_string(),
    })
}

/// The table as a group of a result file.
pub(crate) fn phase_diagram_group() -> Result<Group> {
    let table = paper_phase_diagram()?;
    let mut group = Group::new("paper_phase_diagram")?.with_description(
        "the authors' own simulations (2000 runs, 20000 iterations): arXiv 2601.10962v2 figure 3c,d, repository YangNing1995/Transient_Dynamics_SGD",
    );
    let shape = [("learning_rate", table.eta.len()), ("sigma", table.sigma.len())];
    group.push(
        Record::coordinate("learning_rate", "1", table.eta.clone())?
            .with_symbol("η")
            .with_description("learning rate"),
    )?;
    group.push(
        Record::coordinate("sigma", "1", table.sigma.clone())?
            .with_symbol("σ")
            .with_description("noise amplitude"),
    )?;
    for (name, unit, text, values) in [
        (
            "p_flat",
            "1",
            "fraction of runs that end at x >= 0",
            &table.p_flat,
        ),
        (
            "mean_freezing_iteration",
            "iterations",
            "mean iteration of the last sign change of x, 1 for runs without any",
            &table.mean_freezing_iteration,
        ),
        (
            "mean_freezing_y",
            "1",
            "mean y at the last sign change of x",
            &table.mean_freezing_y,
        ),
    ] {
        group.push(Record::new(name, unit, &shape, values.concat())?.with_description(text))?;
    }
    Ok(group)
}
