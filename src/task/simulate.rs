//! Tasks that simulate SGD ensembles: the phase diagram and the freezing line.

use super::config::{Config, FreezingLine, PhaseDiagram};
use super::model::{Model, under};
use super::progress::Progress;
use super::reference;
use crate::ensemble::{
    Cell, Protocol, RunOutcome, Snapshot, ValleyEnsemble, simulate, stream::experiment_number,
};
use crate::error::{Error, Result};
use crate::output::{Estimates, Group, Records, records};
use crate::statistics::{mean, proportion};

/// Share of a run at its end within which a last hop means that the run is not frozen.
const TAIL: f64 = 0.01;

records! {
    /// Where the runs of a cell end, and when they freeze.
    pub struct EnsembleMeans {
        /// fraction of runs that end at x >= 0
        p_flat: Estimates => [] "1" "P_flat",
        /// mean iteration of the last sign change of x, 1 for runs without any
        mean_freezing_iteration: Estimates => [] "iterations" "⟨t_f⟩",
        /// mean y at the last sign change of x, the starting y for runs without any
        mean_freezing_y: Estimates => [] "1" "⟨y_freeze⟩",
        /// mean y at the last valley-to-valley hop (half-way to the other minimum), the starting y for runs without any
        mean_last_hop_y: Estimates => [] "1" "⟨y_hop⟩",
        /// mean number of valley-to-valley hops of a run
        mean_hops: Vec<f64> => [] "1",
        /// fraction of runs whose last hop falls into the final 1 % of the run: not frozen at its end
        unfrozen_fraction: Vec<f64> => [] "1",
        /// mean y at the end of the run
        mean_final_y: Vec<f64> => [] "1",
    }
}

impl EnsembleMeans {
    pub(crate) fn new(ensembles: &[ValleyEnsemble]) -> Result<Self> {
        let estimates = |quantity: &dyn Fn(&RunOutcome) -> f64| -> Result<Estimates> {
            ensembles
                .iter()
                .map(|e| mean(&e.runs.iter().map(quantity).collect::<Vec<f64>>()))
                .collect()
        };
        Ok(Self {
            p_flat: ensembles
                .iter()
                .map(|e| proportion(e.runs.iter().filter(|r| r.is_flat()).count(), e.runs.len()))
                .collect::<Result<_>>()?,
            mean_freezing_iteration: estimates(&|r| r.freezing_iteration() as f64)?,
            mean_freezing_y: estimates(&|r| r.freezing_y())?,
            mean_last_hop_y: estimates(&|r| r.last_hop.map_or(r.start_y, |hop| hop.y))?,
            mean_hops: estimates(&|r| r.hops as f64)?.value,
            unfrozen_fraction: ensembles.iter().map(|e| e.unfrozen_fraction(TAIL)).collect(),
            mean_final_y: estimates(&|r| r.y)?.value,
        })
    }
}

records! {
    /// ensembles of discrete SGD over learning rate (rows) and sigma (columns): valley at the end of the run and freezing
    pub struct PhaseDiagramResult in "phase_diagram" {
        attributes {
            /// Runs per cell.
            runs: i64,
            /// Steps per run.
            steps: i64,
        }
        /// learning rate
        learning_rate: Vec<f64> => [learning_rate] "1" "η",
        /// noise amplitude, C/B = 2 sigma H^p
        sigma: Vec<f64> => [sigma] "1" "σ",
        /// Means of the runs.
        means: EnsembleMeans => [learning_rate, sigma],
    }
}

records! {
    /// ensembles of discrete SGD from early training to the end, over sigma at one learning rate
    pub struct FreezingLineResult in "freezing_line" {
        attributes {
            /// η.
            learning_rate: f64,
            /// Starting y.
            start_y: f64,
            /// Factor on the slow drift of y.
            ramp: f64,
            /// Runs per σ.
            runs: i64,
            /// Steps per run.
            steps: i64,
        }
        /// noise amplitude, C/B = 2 sigma H^p
        sigma: Vec<f64> => [sigma] "1" "σ",
        /// learning_rate * sigma
        noise_strength: Vec<f64> => [sigma] "1" "Δ",
        /// Means of the runs.
        means: EnsembleMeans => [sigma],
        /// iterations done
        step: Vec<u64> => [step] "iterations" "k",
        /// fraction of runs at x >= 0 at each recorded step
        path_p_flat: Vec<f64> => [sigma, step] "1",
        /// mean y at each recorded step
        path_mean_y: Vec<f64> => [sigma, step] "1",
        /// mean number of valley-to-valley hops of a run up to each recorded step
        path_hops: Vec<f64> => [sigma, step] "1",
    }
}

pub(crate) fn starts(section: &str, x: &[f64], y: f64) -> Result<Vec<[f64; 2]>> {
    if x.is_empty() {
        return Err(Error::Config {
            key: format!("{section}.start_x"),
            message: "the start set is empty: at least one x is needed".into(),
        });
    }
    if let Some(bad) = x.iter().find(|x| !x.is_finite()) {
        return Err(Error::Config {
            key: format!("{section}.start_x"),
            message: format!("{bad} is not a finite number"),
        });
    }
    if !(y.is_finite() && y >= 0.0) {
        return Err(Error::Config {
            key: format!("{section}.start_y"),
            message: format!("{y} is not allowed: a finite y >= 0 is needed"),
        });
    }
    Ok(x.iter().map(|&x| [x, y]).collect())
}

pub(crate) fn check_size(section: &str, runs: usize, steps: u64) -> Result<()> {
    // Two runs are the fewest that have a standard error; more than these are a slip of the pen.
    const MOST_RUNS: u64 = 10_000_000;
    const MOST_STEPS: u64 = 1_000_000_000_000;
    for (key, value, fewest, most) in [
        ("runs", runs as u64, 2, MOST_RUNS),
        ("steps", steps, 1, MOST_STEPS),
    ] {
        if !(fewest..=most).contains(&value) {
            let message = format!("{value} is not allowed: at least {fewest} and at most {most} are");
            return Err(Error::Config {
                key: format!("{section}.{key}"),
                message,
            });
        }
    }
    Ok(())
}

/// A job of cells, checked and ready to run.
pub(crate) struct Job {
    cells: Vec<Cell>,
}

impl Job {
    fn run(&self, label: &str, progress: &Progress) -> Result<Vec<ValleyEnsemble>> {
        let total = self
            .cells
            .iter()
            .map(|c| c.protocol.runs as u64 * c.protocol.steps)
            .sum();
        let task = progress.task(label, total);
        simulate(&self.cells, &|steps| task.advance(steps))
    }
}

/// Cells of the phase diagram, row by row; every parameter is checked here, before anything runs.
pub(crate) fn phase_diagram_job(config: &Config, model: &Model, task: &PhaseDiagram) -> Result<Job> {
    const SECTION: &str = "phase_diagram";
    let learning_rates = task.learning_rate.positive("phase_diagram.learning_rate")?;
    let sigmas = task.sigma.positive("phase_diagram.sigma")?;
    check_size(SECTION, task.runs, task.steps)?;
    let starts = starts(SECTION, &task.start_x, task.start_y)?;
    let mut cells = Vec::new();
    for &learning_rate in &learning_rates {
        for &sigma in &sigmas {
            let mut walk = model
                .walk(learning_rate, sigma)
                .and_then(|w| w.with_ramp(task.ramp))
                .map_err(|e| under(SECTION, e))?;
            if task.hold_y {
                walk = walk.with_y_held();
            }
            walk.check_stability(task.start_y)
                .map_err(|e| under("phase_diagram.learning_rate", e))?;
            // The cell's random numbers depend on its parameters, not on its place in the table.
            let experiment = experiment_number(&format!("{SECTION} {learning_rate:e} {sigma:e}"));
            let protocol = Protocol {
                starts: starts.clone(),
                runs: task.runs,
                steps: task.steps,
                record_every: None,
                seed: config.seed,
                experiment,
            };
            cells.push(Cell { walk, protocol });
        }
    }
    Ok(Job { cells })
}

/// `/phase_diagram`, and `/paper_phase_diagram` when the configuration is the paper's protocol.
pub(crate) fn phase_diagram(
    job: &Job,
    model: &Model,
    task: &PhaseDiagram,
    progress: &Progress,
) -> Result<Vec<Group>> {
    let learning_rates = task.learning_rate.positive("phase_diagram.learning_rate")?;
    let sigmas = task.sigma.positive("phase_diagram.sigma")?;
    let ensembles = job.run("phase diagram", progress)?;
    let result = PhaseDiagramResult {
        runs: task.runs as i64,
        steps: task.steps as i64,
        learning_rate: learning_rates,
        sigma: sigmas,
        means: EnsembleMeans::new(&ensembles)?,
    };
    let mut groups = vec![result.group()?];
    let is_papers = model.is_papers()
        && PhaseDiagram {
            runs: 0,
            ..task.clone()
        } == PhaseDiagram {
            runs: 0,
            ..PhaseDiagram::default()
        };
    if is_papers {
        groups.push(reference::phase_diagram_group()?);
    }
    Ok(groups)
}

/// Cells of the freezing line.
pub(crate) fn freezing_line_job(config: &Config, model: &Model, task: &FreezingLine) -> Result<Job> {
    const SECTION: &str = "freezing_line";
    let sigmas = task.sigma.positive("freezing_line.sigma")?;
    check_size(SECTION, task.runs, task.steps)?;
    let starts = starts(SECTION, &task.start_x, task.start_y)?;
    if task.records == 0 || task.records as u64 > task.steps {
        return Err(Error::Config {
            key: "freezing_line.records".into(),
            message: format!("between 1 and steps = {} records are possible", task.steps),
        });
    }
    let mut cells = Vec::new();
    for &sigma in &sigmas {
        let walk = model
            .walk(task.learning_rate, sigma)
            .and_then(|w| w.with_ramp(task.ramp))
            .map_err(|e| under(SECTION, e))?;
        walk.check_stability(task.start_y)
            .map_err(|e| under("freezing_line.learning_rate", e))?;
        let experiment = experiment_number(&format!("{SECTION} {:e} {sigma:e}", task.learning_rate));
        let protocol = Protocol {
            starts: starts.clone(),
            runs: task.runs,
            steps: task.steps,
            record_every: Some(task.steps / task.records as u64),
            seed: config.seed,
            experiment,
        };
        cells.push(Cell { walk, protocol });
    }
    Ok(Job { cells })
}

/// `/freezing_line`: final results over σ, and the ensemble along the run.
pub(crate) fn freezing_line(job: &Job, task: &FreezingLine, progress: &Progress) -> Result<Vec<Group>> {
    let sigmas = task.sigma.positive("freezing_line.sigma")?;
    let ensembles = job.run("freezing line", progress)?;
    let runs = task.runs as f64;
    let along = |value: &dyn Fn(&Snapshot) -> f64| -> Vec<f64> {
        ensembles
            .iter()
            .flat_map(|e| e.snapshots.iter().map(value).collect::<Vec<_>>())
            .collect()
    };
    let result = FreezingLineResult {
        learning_rate: task.learning_rate,
        start_y: task.start_y,
        ramp: task.ramp,
        runs: task.runs as i64,
        steps: task.steps as i64,
        noise_strength: sigmas.iter().map(|s| s * task.learning_rate).collect(),
        sigma: sigmas,
        means: EnsembleMeans::new(&ensembles)?,
        step: ensembles[0].snapshots.iter().map(|s| s.step).collect(),
        path_p_flat: along(&|s| s.flat as f64 / runs),
        path_mean_y: along(&|s| s.sum_y / runs),
        path_hops: along(&|s| s.hops as f64 / runs),
    };
    Ok(vec![result.group()?])
}
