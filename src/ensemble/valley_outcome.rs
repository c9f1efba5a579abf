//! What a run in the two-valley landscape is asked to do, and what is known of it afterwards.

use crate::error::{Error, Result, require, require_finite};

/// What every run of an ensemble does.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    /// Starting points (x, y); run r starts from `starts[r % starts.len()]`.
    pub starts: Vec<[f64; 2]>,
    /// Number of runs.
    pub runs: usize,
    /// Steps of each run.
    pub steps: u64,
    /// A [`Snapshot`] is taken after every `record_every` steps (and at step 0); none at all for `None`.
    pub record_every: Option<u64>,
    /// Seed of the random streams.
    pub seed: u64,
    /// Number of the experiment or cell; see [`super::stream::experiment_number`].
    pub experiment: u64,
}

impl Protocol {
    pub(super) fn check(&self) -> Result<()> {
        if self.starts.is_empty() {
            return Err(Error::EmptySet { name: "start".into() });
        }
        for start in &self.starts {
            require_finite("starts.x", start[0])?;
            require_finite("starts.y", start[1])?;
        }
        require(
            "runs",
            self.runs as f64,
            |v| v >= 1.0,
            "at least one run is needed",
        )?;
        require(
            "record_every",
            self.record_every.unwrap_or(1) as f64,
            |v| v >= 1.0,
            "a positive number of steps is needed",
        )?;
        Ok(())
    }
}

/// When and where a run changed valley.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Step after which the run was on the new side (1 for the first step).
    pub step: u64,
    /// y after that step.
    pub y: f64,
}

/// Outcome of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunOutcome {
    /// Starting y.
    pub start_y: f64,
    /// Final x; x ≥ 0 is the flat valley.
    pub x: f64,
    /// Final y.
    pub y: f64,
    /// Number of sign changes of x.
    pub sign_changes: u64,
    /// The last of them, if any.
    pub last_sign_change: Option<Crossing>,
    /// Number of valley-to-valley hops.
    pub hops: u64,
    /// The last of them, if any: the step after which the path was half-way to the new minimum.
    pub last_hop: Option<Crossing>,
}

impl RunOutcome {
    /// Whether the run ended in the flat valley.
    pub fn is_flat(&self) -> bool {
        self.x >= 0.0
    }

    /// The paper's freezing iteration: that of the last sign change of x, 1 if there is none.
    pub fn freezing_iteration(&self) -> u64 {
        self.last_sign_change.map_or(1, |crossing| crossing.step)
    }

    /// y at the last sign change of x, the starting y if there is none.
    pub fn freezing_y(&self) -> f64 {
        self.last_sign_change.map_or(self.start_y, |crossing| crossing.y)
    }
}

/// The ensemble at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Steps done.
    pub step: u64,
    /// Number of runs at x ≥ 0.
    pub flat: u64,
    /// Σ y over the runs.
    pub sum_y: f64,
    /// Σ y² over the runs.
    pub sum_y_squared: f64,
    /// Hops of all runs so far.
    pub hops: u64,
}

/// Result of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct ValleyEnsemble {
    /// Outcomes in the order of the runs.
    pub runs: Vec<RunOutcome>,
    /// Moments recorded on the way, step 0 first.
    pub snapshots: Vec<Snapshot>,
    /// Time that passes in one step.
    pub time_step: f64,
    /// Steps of each run.
    pub steps: u64,
}

impl ValleyEnsemble {
    fn mean(&self, quantity: impl Fn(&RunOutcome) -> f64) -> f64 {
        self.runs.iter().map(quantity).sum::<f64>() / self.runs.len() as f64
    }

    /// Fraction of runs that end in the flat valley; its standard error is sqrt(P(1 − P)/runs).
    pub fn p_flat(&self) -> f64 {
        self.mean(|run| f64::from(run.is_flat()))
    }

    /// Mean of [`RunOutcome::freezing_iteration`].
    pub fn mean_freezing_iteration(&self) -> f64 {
        self.mean(|run| run.freezing_iteration() as f64)
    }

    /// Mean of [`RunOutcome::freezing_y`].
    pub fn mean_freezing_y(&self) -> f64 {
        self.mean(RunOutcome::freezing_y)
    }

    /// Fraction of runs whose last hop falls into the final `tail` of the run: not frozen at its end.
    pub fn unfrozen_fraction(&self, tail: f64) -> f64 {
        let from = self.steps as f64 * (1.0 - tail);
        self.mean(|run| f64::from(run.last_hop.is_some_and(|hop| hop.step as f64 > from)))
    }
}
