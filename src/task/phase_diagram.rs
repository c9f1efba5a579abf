//! `[phase_diagram]`: SGD ensembles over learning rate and σ.

use super::parameter_range::ParameterRange;
use super::reference;
use super::setting::Setting;
use super::valley_columns::{ValleyColumns, check_size, simulate_cells, starts};
use super::work::{Task, Work};
use crate::ensemble::{Cell, Protocol, stream::experiment_number};
use crate::error::Result;
use crate::output::{Group, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[phase_diagram]`: P_flat and freezing over a grid of learning rate and σ. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhaseDiagram {
    /// η, rows.
    pub learning_rate: ParameterRange,
    /// σ, columns.
    pub sigma: ParameterRange,
    /// Runs per cell.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Control: y stays at its start.
    pub hold_y: bool,
    /// Factor on the slow drift of y.
    pub ramp: f64,
}

impl Default for PhaseDiagram {
    fn default() -> Self {
        Self {
            learning_rate: ParameterRange::log(0.01, 0.1, 10),
            sigma: ParameterRange::log(0.01, 0.1, 10),
            runs: 2000,
            steps: 20_000,
            start_x: vec![-0.01, 0.01],
            start_y: 5.0,
            hold_y: false,
            ramp: 1.0,
        }
    }
}

const SECTION: &str = "phase_diagram";

impl Task for PhaseDiagram {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let learning_rates = self.learning_rate.positive("phase_diagram.learning_rate")?;
        let sigmas = self.sigma.positive("phase_diagram.sigma")?;
        check_size(SECTION, self.runs, self.steps)?;
        let starts = starts(SECTION, &self.start_x, self.start_y)?;
        let mut cells = Vec::new();
        for &learning_rate in &learning_rates {
            for &sigma in &sigmas {
                let walk = model
                    .walk(learning_rate, sigma)
                    .and_then(|w| w.with_ramp(self.ramp));
                let mut walk = walk.map_err(|e| e.at(SECTION))?;
                if self.hold_y {
                    walk = walk.with_y_held();
                }
                walk.check_stability(self.start_y)
                    .map_err(|e| e.at("phase_diagram.learning_rate"))?;
                let protocol = Protocol {
                    starts: starts.clone(),
                    runs: self.runs,
                    steps: self.steps,
                    record_every: None,
                    seed: setting.seed,
                    // the cell's random numbers depend on its parameters, not on its place in the table
                    experiment: experiment_number(&format!("{SECTION} {learning_rate:e} {sigma:e}")),
                };
                cells.push(Cell { walk, protocol });
            }
        }
        let of_any_size = |task: &Self| Self {
            runs: 0,
            ..task.clone()
        };
        let is_papers = model.is_papers() && of_any_size(self) == of_any_size(&Self::default());
        let (runs, steps) = (self.runs as i64, self.steps as i64);
        Ok(Box::new(move |progress| {
            let columns = ValleyColumns::new(&simulate_cells(&cells, "phase diagram", progress)?)?;
            let mut group = Group::new("phase_diagram")?.with_description(
                "ensembles of discrete SGD over learning rate (rows) and sigma (columns): valley at the end of the run and freezing",
            );
            group.set_attribute("runs", runs)?;
            group.set_attribute("steps", steps)?;
            let dimensions = [("learning_rate", learning_rates.len()), ("sigma", sigmas.len())];
            group.push(
                Record::coordinate("learning_rate", "1", learning_rates)?
                    .with_symbol("η")
                    .with_description("learning rate"),
            )?;
            group.push(
                Record::coordinate("sigma", "1", sigmas)?
                    .with_symbol("σ")
                    .with_description("noise amplitude, C/B = 2 sigma H^p"),
            )?;
            for record in columns.records(&dimensions)? {
                group.push(record)?;
            }
            let mut groups = vec![group];
            if is_papers {
                groups.push(reference::phase_diagram_group()?);
            }
            Ok(groups)
        }))
    }
}
