//! What tasks that simulate SGD in the two valleys have in common: starts, sizes, and the means over the runs of each cell.

use crate::ensemble::stream::LANES;
use crate::ensemble::{Cell, RunOutcome, ValleyEnsemble, simulate};
use crate::error::{Error, Result};
use crate::freezing::{Regime, floor_time};
use crate::output::{Estimates, records};
use crate::setting::Setting;
use crate::statistics::{mean, proportion};
use crate::task::{Cost, Progress};

/// Share of a run at its end within which a last hop means that the run is not frozen.
pub(crate) const TAIL: f64 = 0.01;

records! {
    /// Where the runs of a cell end, and when they freeze.
    pub struct ValleyMeans {
        /// fraction of runs that end at x >= 0
        p_flat: Estimates => [] "1" "P_flat",
        /// mean iteration of the last sign change of x, 1 for runs without any
        mean_freezing_iteration: Estimates => [] "iterations" "⟨t_f⟩",
        /// mean y at the last sign change of x, the starting y for runs without any
        mean_freezing_y: Estimates => [] "1" "⟨y_freeze⟩",
        /// mean y at the last valley-to-valley hop (half-way to the other minimum), the starting y for runs without any
        mean_last_hop_y: Estimates => [] "1" "⟨y_hop⟩",
        /// mean number of valley-to-valley hops of a run
        mean_hops: Estimates => [] "1",
        /// fraction of runs whose last hop falls into the final 1 % of the run: not frozen at its end
        unfrozen_fraction: Vec<f64> => [] "1",
        /// mean y at the end of the run
        mean_final_y: Vec<f64> => [] "1",
    }
}

impl ValleyMeans {
    /// Means over the runs of each cell.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] for cells of one run.
    pub fn new(ensembles: &[ValleyEnsemble]) -> Result<Self> {
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
            mean_hops: estimates(&|r| r.hops as f64)?,
            unfrozen_fraction: ensembles.iter().map(|e| e.unfrozen_fraction(TAIL)).collect(),
            mean_final_y: estimates(&|r| r.y)?.value,
        })
    }
}

/// What runs of SGD are in one line: they take no limit, how far from one they are, and how many of the cells are not frozen at their end.
///
/// # Errors
/// As [`crate::ensemble::TwoValleyWalk::check_stability`].
pub(crate) fn ensemble_regime(cells: &[Cell], unfrozen: &[f64]) -> Result<Vec<String>> {
    let mut steepest = 0.0_f64;
    for cell in cells {
        for start in &cell.protocol.starts {
            steepest = steepest.max(cell.walk.check_stability(start[1])?);
        }
    }
    let late = unfrozen.iter().filter(|share| **share > TAIL).count();
    let end = match late {
        0 => "all cells are frozen at the end of the runs".into(),
        _ => format!(
            "in {late} of {} cells more than 1 % of the runs still hop at the end, and last hops are as late as the runs are long",
            unfrozen.len()
        ),
    };
    Ok(vec![format!("{}; {end}", regime_of_steps(steepest))])
}

/// How far from the limit of small steps runs of SGD are, `steepest` being what [`crate::ensemble::TwoValleyWalk::check_stability`] finds.
pub(crate) fn regime_of_steps(steepest: f64) -> String {
    format!(
        "SGD itself, no limit of small steps: η H is at most {steepest:.3} at the bottoms of the valleys, the order by which theories for η → 0 are off"
    )
}

records! {
    /// Time scales along a path of the two-valley model.
    pub struct TimeScales {
        /// largest adiabatic parameter on the path, jumps of the noise apart
        adiabatic_parameter: Vec<f64> => [] "1",
        /// y at which the exchange rate falls below its own rate of change for the last time: the freeze-out that time scales predict
        freeze_out_y: Vec<f64> => [] "1" missing "runs still exchange at the end",
    }
}

impl TimeScales {
    /// Those of several paths, and the regime of the least adiabatic one in a line.
    pub(crate) fn of<'a>(regimes: impl Iterator<Item = &'a Regime> + Clone) -> (Self, Vec<String>) {
        let worst = regimes
            .clone()
            .max_by(|a, b| a.largest().0.total_cmp(&b.largest().0));
        let scales = Self {
            adiabatic_parameter: regimes.clone().map(|regime| regime.largest().0).collect(),
            freeze_out_y: regimes
                .map(|regime| regime.freeze_out.unwrap_or(f64::NAN))
                .collect(),
        };
        (scales, worst.map(|regime| regime.text("y")).into_iter().collect())
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

/// What `cells` ensembles of SGD in the two valleys need.
///
/// `steps_key` is the key that says how many steps a run has.
pub(crate) fn ensemble_cost(section: &str, steps_key: &str, cells: f64, runs: usize, steps: u64) -> Cost {
    /// Seconds a step of one run, and bytes of its outcome.
    const STEP: f64 = 1.2e-8;
    const OUTCOME: f64 = 200.0;
    let all = cells * runs as f64;
    // Runs are simulated a block at a time.
    let simulated = cells * (runs as f64 / LANES as f64).ceil() * LANES as f64;
    let key = |name: &str| format!("{section}.{name}");
    let longest = if runs as f64 >= steps as f64 {
        "runs"
    } else {
        steps_key
    };
    Cost::default()
        .with_memory(&key("runs"), OUTCOME * all)
        .with_time(&key(longest), STEP * simulated * steps as f64)
}

/// Runs along the floor from one y to another in steps of one length.
pub(crate) struct PathCost {
    time: f64,
    step: f64,
}

impl PathCost {
    /// In the two valleys of `setting`; none where there is no such path, which is refused when it is checked.
    pub(crate) fn new(setting: &Setting, [start, end]: [f64; 2], step: f64) -> Self {
        let time = setting
            .two_valley()
            .and_then(|model| floor_time(model.landscape(), start, end, 1.0));
        Self {
            time: time.unwrap_or(0.0).max(0.0),
            step,
        }
    }

    /// The key to which most of the steps are due, and how many times more it asks for than usual.
    pub(crate) fn key(&self) -> (&'static str, f64) {
        /// Time of the floor from 1 to 20, and the usual step.
        const USUAL: [f64; 2] = [900.0, 0.01];
        let (longer, finer) = (self.time / USUAL[0], USUAL[1] / self.step);
        match longer > finer {
            true => ("end_y", longer),
            false => ("learning_rate", finer),
        }
    }

    fn steps(&self) -> f64 {
        self.time / self.step
    }

    /// `cells` ensembles of SGD.
    pub(crate) fn of_runs(&self, section: &str, steps_key: &str, cells: f64, runs: usize) -> Cost {
        ensemble_cost(section, steps_key, cells, runs, self.steps() as u64)
    }

    /// Bytes of the laws of the map under so many schedules.
    pub(crate) fn law_memory(&self, schedules: f64) -> f64 {
        /// Bytes of a step: moments, hops, and the law near the ridge.
        const STEP: f64 = 400.0;
        STEP * self.steps() * schedules.min(rayon::current_num_threads() as f64)
    }

    /// Seconds of them.
    pub(crate) fn law_time(&self, schedules: f64) -> f64 {
        /// Seconds of a step of the laws on both grids, the finer looked for first.
        const STEP: f64 = 2e-5;
        STEP * self.steps() * schedules
    }
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

/// Simulates all cells under one bar.
pub(crate) fn simulate_cells(
    cells: &[Cell],
    label: &str,
    progress: &Progress,
) -> Result<Vec<ValleyEnsemble>> {
    let steps = |cell: &Cell| cell.protocol.runs as u64 * cell.protocol.steps;
    let bar = progress.task(label, cells.iter().map(steps).sum());
    simulate(cells, &|steps| bar.advance(steps))
}
