//! Published numbers that results are compared with, embedded so that the binary needs no data folder.

use crate::error::{Error, Result};
use crate::output::records;
use serde::Deserialize;

/// The authors' stored phase diagram (source inside the file).
const PAPER_PHASE_DIAGRAM: &str = include_str!("../../data/reference/paper_phase_diagram.json");

records! {
    /// the authors' own simulations (2000 runs, 20000 iterations): arXiv 2601.10962v2 figure 3c,d, repository
    /// YangNing1995/Transient_Dynamics_SGD
    pub struct PaperPhaseDiagram in "paper_phase_diagram" {
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// noise amplitude
        sigma: Vec<f64> => [sigma] "1" "σ",
        /// fraction of runs that end at x >= 0
        p_flat: Vec<f64> => [learning_rate, sigma] "1",
        /// mean iteration of the last sign change of x, 1 for runs without any
        mean_freezing_iteration: Vec<f64> => [learning_rate, sigma] "iterations",
        /// mean y at the last sign change of x
        mean_freezing_y: Vec<f64> => [learning_rate, sigma] "1",
    }
}

impl PaperPhaseDiagram {
    /// The embedded table.
    ///
    /// # Errors
    /// [`Error::Input`] when the embedded file is damaged, which a test excludes.
    pub fn published() -> Result<Self> {
        #[derive(Deserialize)]
        struct Table {
            eta: Vec<f64>,
            sigma: Vec<f64>,
            p_flat: Vec<Vec<f64>>,
            mean_freezing_iteration: Vec<Vec<f64>>,
            mean_freezing_y: Vec<Vec<f64>>,
        }
        let table: Table = serde_json::from_str(PAPER_PHASE_DIAGRAM).map_err(|e| Error::Input {
            path: "paper_phase_diagram.json".into(),
            message: e.to_string(),
        })?;
        Ok(Self {
            learning_rate: table.eta,
            sigma: table.sigma,
            p_flat: table.p_flat.concat(),
            mean_freezing_iteration: table.mean_freezing_iteration.concat(),
            mean_freezing_y: table.mean_freezing_y.concat(),
        })
    }
}
