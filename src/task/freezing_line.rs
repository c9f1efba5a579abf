//! `[freezing_line]`: SGD ensembles from the start of training to the end, over σ.

use super::parameter_range::ParameterRange;
use super::setting::Setting;
use super::valley_columns::{ValleyColumns, check_size, simulate_cells, starts};
use super::work::{Task, Work};
use crate::ensemble::{Cell, Protocol, Snapshot, ValleyEnsemble, stream::experiment_number};
use crate::error::{Error, Result};
use crate::output::{Group, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[freezing_line]`: one learning rate, many σ, from early training to the end. Defaults are the paper's protocol.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FreezingLine {
    /// η.
    pub learning_rate: f64,
    /// σ.
    pub sigma: ParameterRange,
    /// Runs per σ.
    pub runs: usize,
    /// Steps per run.
    pub steps: u64,
    /// Starting x, taken in turn by the runs.
    pub start_x: Vec<f64>,
    /// Starting y.
    pub start_y: f64,
    /// Number of moments of the run at which P_flat, mean y and hops are recorded.
    pub records: usize,
    /// Factor on the slow drift of y.
    pub ramp: f64,
}

impl Default for FreezingLine {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            sigma: ParameterRange::List(vec![
                0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2,
            ]),
            runs: 500,
            steps: 100_000,
            start_x: vec![-0.01, 0.01],
            start_y: 1.0,
            records: 200,
            ramp: 1.0,
        }
    }
}

const SECTION: &str = "freezing_line";

impl Task for FreezingLine {
    fn prepare(&self, setting: &Setting) -> Result<Work> {
        let model = setting.two_valley()?;
        let sigmas = self.sigma.positive("freezing_line.sigma")?;
        check_size(SECTION, self.runs, self.steps)?;
        let starts = starts(SECTION, &self.start_x, self.start_y)?;
        if self.records == 0 || self.records as u64 > self.steps {
            return Err(Error::config(
                "freezing_line.records",
                format!("between 1 and steps = {} records are possible", self.steps),
            ));
        }
        let (mut cells, mut strengths) = (Vec::new(), Vec::new());
        for &sigma in &sigmas {
            let walk = model
                .walk(self.learning_rate, sigma)
                .and_then(|w| w.with_ramp(self.ramp));
            let walk = walk.map_err(|e| e.at(SECTION))?;
            walk.check_stability(self.start_y)
                .map_err(|e| e.at("freezing_line.learning_rate"))?;
            strengths.push(model.noise_strength(self.learning_rate, sigma)?);
            let protocol = Protocol {
                starts: starts.clone(),
                runs: self.runs,
                steps: self.steps,
                record_every: Some(self.steps / self.records as u64),
                seed: setting.seed,
                experiment: experiment_number(&format!("{SECTION} {:e} {sigma:e}", self.learning_rate)),
            };
            cells.push(Cell { walk, protocol });
        }
        let this = self.clone();
        Ok(Box::new(move |progress| {
            let ensembles = simulate_cells(&cells, "freezing line", progress)?;
            this.groups(&sigmas, strengths, &ensembles)
        }))
    }
}

impl FreezingLine {
    /// `/freezing_line`: final results over σ, and the ensemble along the run.
    fn groups(
        &self,
        sigmas: &[f64],
        strengths: Vec<f64>,
        ensembles: &[ValleyEnsemble],
    ) -> Result<Vec<Group>> {
        let columns = ValleyColumns::new(ensembles)?;
        let mut group = Group::new("freezing_line")?.with_description(
            "ensembles of discrete SGD from early training to the end, over sigma at one learning rate",
        );
        group.set_attribute("learning_rate", self.learning_rate)?;
        group.set_attribute("start_y", self.start_y)?;
        group.set_attribute("ramp", self.ramp)?;
        group.set_attribute("runs", self.runs as i64)?;
        group.set_attribute("steps", self.steps as i64)?;
        let n = sigmas.len();
        group.push(
            Record::coordinate("sigma", "1", sigmas.to_vec())?
                .with_symbol("σ")
                .with_description("noise amplitude, C/B = 2 sigma H^p"),
        )?;
        group.push(
            Record::new("noise_strength", "1", &[("sigma", n)], strengths)?
                .with_symbol("Δ")
                .with_description("learning_rate * sigma"),
        )?;
        for record in columns.records(&[("sigma", n)])? {
            group.push(record)?;
        }
        let steps: Vec<u64> = ensembles[0].snapshots.iter().map(|s| s.step).collect();
        let shape = [("sigma", n), ("step", steps.len())];
        let runs = self.runs as f64;
        let along = |value: &dyn Fn(&Snapshot) -> f64| -> Vec<f64> {
            ensembles
                .iter()
                .flat_map(|e| e.snapshots.iter().map(value).collect::<Vec<_>>())
                .collect()
        };
        group.push(
            Record::coordinate("step", "iterations", steps)?
                .with_symbol("k")
                .with_description("iterations done"),
        )?;
        for (name, text, values) in [
            (
                "path_p_flat",
                "fraction of runs at x >= 0 at each recorded step",
                along(&|s| s.flat as f64 / runs),
            ),
            (
                "path_mean_y",
                "mean y at each recorded step",
                along(&|s| s.sum_y / runs),
            ),
            (
                "path_hops",
                "mean number of valley-to-valley hops of a run up to each recorded step",
                along(&|s| s.hops as f64 / runs),
            ),
        ] {
            group.push(Record::new(name, "1", &shape, values)?.with_description(text))?;
        }
        Ok(vec![group])
    }
}
