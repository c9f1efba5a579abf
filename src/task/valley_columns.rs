//! What tasks that simulate SGD in the two valleys have in common: starts, sizes, and the columns of results over cells.

use super::progress::Progress;
use crate::ensemble::{Cell, RunOutcome, ValleyEnsemble, simulate};
use crate::error::{Error, Result};
use crate::output::Record;
use crate::statistics::{Estimate, mean, proportion};

/// Share of a run at its end within which a last hop means that the run is not frozen.
const TAIL: f64 = 0.01;

/// Quantities of a set of cells, in their order.
pub struct ValleyColumns {
    p_flat: Vec<Estimate>,
    freezing_iteration: Vec<Estimate>,
    freezing_y: Vec<Estimate>,
    hop_y: Vec<Estimate>,
    hops: Vec<f64>,
    unfrozen: Vec<f64>,
    final_y: Vec<f64>,
}

impl ValleyColumns {
    pub fn new(ensembles: &[ValleyEnsemble]) -> Result<Self> {
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

    pub fn records(&self, dimensions: &[(&str, usize)]) -> Result<Vec<Record>> {
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

pub fn starts(section: &str, x: &[f64], y: f64) -> Result<Vec<[f64; 2]>> {
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

pub fn check_size(section: &str, runs: usize, steps: u64) -> Result<()> {
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

/// Simulates all cells under one bar.
pub fn simulate_cells(cells: &[Cell], label: &str, progress: &Progress) -> Result<Vec<ValleyEnsemble>> {
    let steps = |cell: &Cell| cell.protocol.runs as u64 * cell.protocol.steps;
    let bar = progress.task(label, cells.iter().map(steps).sum());
    simulate(cells, &|steps| bar.advance(steps))
}
