//! Tasks that simulate SGD ensembles: the phase diagram and the freezing line.

use super::config::{Config, FreezingLine, PhaseDiagram};
use super::model::{Model, under};
use super::progress::Progress;
use super::reference;
use crate::ensemble::{
    Cell, Protocol, RunOutcome, Snapshot, ValleyEnsemble, simulate, stream::experiment_number,
};
use crate::error::{Error, Result};
use crate::output::{Group, Record};
use crate::statistics::{Estimate, mean, proportion};

/// Share of a run at its end within which a last hop means that the run is not frozen.
const TAIL: f64 = 0.01;

/// Quantities of a set of cells, in their order.
pub(crate) struct Columns {
    p_flat: Vec<Estimate>,
    freezing_iteration: Vec<Estimate>,
    freezing_y: Vec<Estimate>,
    hop_y: Vec<Estimate>,
    hops: Vec<f64>,
    unfrozen: Vec<f64>,
    final_y: Vec<f64>,
}

impl Columns {
    pub(crate) fn new(ensembles: &[ValleyEnsemble]) -> Result<Self> {
        let estimate = |quantity: &dyn Fn(&RunOutcome) -> f64| -> Result<Vec<Estimate>> {
            ensembles
                .iter()
                .map(|e| mean(&e.runs.iter().map(quantity).collect::<Vec<f64>>()))
                .collect()
        };
        let values = |column: Vec<Estimate>| column.into_iter().map(|e| e.value).collect();
        Ok(Self {
            p_flat: ensembles
                .iter()
                .map(|e| proportion(e.runs.iter().filter(|r| r.is_flat()).count(), e.runs.len()))
                .collect::<Result<_>>()?,
            freezing_iteration: estimate(&|r| r.freezing_iteration() as f64)?,
            freezing_y: estimate(&|r| r.freezing_y())?,
            hop_y: estimate(&|r| r.last_hop.map_or(r.start_y, |hop| hop.y))?,
            hops: values(estimate(&|r| r.hops as f64)?),
            unfrozen: ensembles.iter().map(|e| e.unfrozen_fraction(TAIL)).collect(),
            final_y: values(estimate(&|r| r.y)?),
        })
    }

    pub(crate) fn records(&self, dimensions: &[(&str, usize)]) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut pair =
            |name: &str, unit: &str, symbol: &str, text: &str, column: &[Estimate]| -> Result<()> {
                let values: Vec<f64> = column.iter().map(|e| e.value).collect();
                let errors: Vec<f64> = column.iter().map(|e| e.standard_error).collect();
                records.push(
                    Record::new(name, unit, dimensions, values)?
                        .with_symbol(symbol)
                        .with_description(text),
                );
                records.push(
                    Record::new(&format!("{name}_standard_error"), unit, dimensions, errors)?
                        .with_description(&format!("standard error of {name} over the runs")),
                );
                Ok(())
            };
        pair(
            "p_flat",
            "1",
            "P_flat",
            "fraction of runs that end at x >= 0",
            &self.p_flat,
        )?;
        pair(
            "mean_freezing_iteration",
            "iterations",
            "⟨t_f⟩",
            "mean iteration of the last sign change of x, 1 for runs without any",
            &self.freezing_iteration,
        )?;
        pair(
            "mean_freezing_y",
            "1",
            "⟨y_freeze⟩",
            "mean y at the last sign change of x, the starting y for runs without any",
            &self.freezing_y,
        )?;
        pair(
            "mean_last_hop_y",
            "1",
            "⟨y_hop⟩",
            "mean y at the last valley-to-valley hop (half-way to the other minimum), the starting y for runs without any",
            &self.hop_y,
        )?;
        for (name, unit, text, values) in [
            (
                "mean_hops",
                "1",
                "mean number of valley-to-valley hops of a run",
                &self.hops,
            ),
            (
                "unfrozen_fraction",
                "1",
                "fraction of runs whose last hop falls into the final 1 % of the run: not frozen at its end",
                &self.unfrozen,
            ),
            ("mean_final_y", "1", "mean y at the end of the run", &self.final_y),
        ] {
            records.push(Record::new(name, unit, dimensions, values.clone())?.with_description(text));
        }
        Ok(records)
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
    let columns = Columns::new(&ensembles)?;
    let mut group = Group::new("phase_diagram")?.with_description(
        "ensembles of discrete SGD over learning rate (rows) and sigma (columns): valley at the end of the run and freezing",
    );
    group.set_attribute("runs", task.runs as i64)?;
    group.set_attribute("steps", task.steps as i64)?;
    group.push(
        Record::coordinate("learning_rate", "1", learning_rates.clone())?
            .with_symbol("η")
            .with_description("learning rate"),
    )?;
    group.push(
        Record::coordinate("sigma", "1", sigmas.clone())?
            .with_symbol("σ")
            .with_description("noise amplitude, C/B = 2 sigma H^p"),
    )?;
    let dimensions = [("learning_rate", learning_rates.len()), ("sigma", sigmas.len())];
    for record in columns.records(&dimensions)? {
        group.push(record)?;
    }
    let mut groups = vec![group];
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
    let columns = Columns::new(&ensembles)?;
    let mut group = Group::new("freezing_line")?.with_description(
        "ensembles of discrete SGD from early training to the end, over sigma at one learning rate",
    );
    group.set_attribute("learning_rate", task.learning_rate)?;
    group.set_attribute("start_y", task.start_y)?;
    group.set_attribute("ramp", task.ramp)?;
    group.set_attribute("runs", task.runs as i64)?;
    group.set_attribute("steps", task.steps as i64)?;
    let n = sigmas.len();
    group.push(
        Record::coordinate("sigma", "1", sigmas.clone())?
            .with_symbol("σ")
            .with_description("noise amplitude, C/B = 2 sigma H^p"),
    )?;
    let strength: Vec<f64> = sigmas.iter().map(|s| s * task.learning_rate).collect();
    group.push(
        Record::new("noise_strength", "1", &[("sigma", n)], strength)?
            .with_symbol("Δ")
            .with_description("learning_rate * sigma"),
    )?;
    for record in columns.records(&[("sigma", n)])? {
        group.push(record)?;
    }
    let steps: Vec<u64> = ensembles[0].snapshots.iter().map(|s| s.step).collect();
    let shape = [("sigma", n), ("step", steps.len())];
    let runs = task.runs as f64;
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
