//! A configuration that has been checked and is ready to run.

use super::estimate::Estimate;
use super::input_files::{InputFiles, input_files, require_unchanged};
use super::provenance::provenance;
use super::shard::{Shard, push_shard};
use super::sweep::Plan;
use crate::error::{Error, Result};
use crate::judgement::{agreement, claims};
use crate::output::ResultFile;
use crate::task::work::Work;
use crate::task::{Config, Progress};
use std::path::Path;

/// A configuration with everything that its tasks need built.
pub struct Job<'a> {
    config: &'a Config,
    text: &'a str,
    inputs: InputFiles,
    estimate: Estimate,
    steps: Steps,
}

enum Steps {
    Tasks(Vec<Work>),
    Sweep(Plan),
}

impl<'a> Job<'a> {
    /// Checks a configuration, whose text is `text`, completely without computing anything. What it needs is estimated before anything is allocated, for the
    /// threads of the current rayon pool.
    ///
    /// # Errors
    /// [`crate::Error::Config`] naming the first key that is out of range, or the key that asks for more memory than half of what the machine has.
    pub fn new(config: &'a Config, text: &'a str) -> Result<Self> {
        if !config.sweep.is_empty() {
            let plan = Plan::new(config, text)?;
            return Ok(Self {
                config,
                text,
                inputs: plan.inputs().clone(),
                estimate: plan.estimate().clone(),
                steps: Steps::Sweep(plan),
            });
        }
        // Looked at before and after they are read.
        let estimate = Estimate::of(config)?;
        let inputs = input_files(config)?;
        let tasks = config.prepare()?;
        require_unchanged(config, &inputs)?;
        Ok(Self {
            config,
            text,
            inputs,
            estimate,
            steps: Steps::Tasks(tasks),
        })
    }

    /// What it is expected to need.
    pub fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// Refuses a shard of a configuration in which nothing is swept, and one without a cell.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check_shard(&self, shard: Shard) -> Result<()> {
        let message = match &self.steps {
            Steps::Tasks(_) => "nothing is swept in this configuration: there are no cells to share".into(),
            Steps::Sweep(plan) if shard.cells(plan.count()).next().is_none() => {
                format!("shard {shard} is empty: the sweep has {} cells", plan.count())
            }
            Steps::Sweep(_) => return Ok(()),
        };
        Err(Error::config("--shard", message))
    }

    /// Runs some cells of a sweep and returns a file with them, for [`super::merge`]; otherwise as [`Job::run`].
    ///
    /// # Errors
    /// As [`Job::check_shard`] and [`Job::run`].
    pub fn run_shard(
        self,
        shard: Shard,
        unfinished: Option<&Path>,
        progress: &Progress,
    ) -> Result<ResultFile> {
        self.check_shard(shard)?;
        let mut file = ResultFile::new();
        provenance(&mut file, self.config, self.text, &self.inputs)?;
        if let Steps::Sweep(plan) = self.steps {
            let numbers: Vec<usize> = shard.cells(plan.count()).collect();
            let cells = plan.cells(&numbers, self.text, unfinished, progress)?;
            push_shard(&mut file, shard, &plan.swept()?, &cells)?;
        }
        Ok(file)
    }

    /// Runs all tasks and returns the result file.
    ///
    /// A sweep keeps its finished cells in the folder `unfinished`, if one is given, and resumes from there; the caller removes the
    /// folder when the result is safe. Cells of another configuration, of other input files or another build are replaced, damaged ones computed again,
    /// and `progress` is told so. The numbers depend on the configuration and its input files only, not on the number of threads of the current
    /// rayon pool, on interruptions, or on other processes that run the same sweep.
    ///
    /// # Errors
    /// Errors of the routes, with the task or cell in which they arose; [`crate::Error::Output`] when the folder holds something else.
    pub fn run(self, unfinished: Option<&Path>, progress: &Progress) -> Result<ResultFile> {
        let mut file = ResultFile::new();
        provenance(&mut file, self.config, self.text, &self.inputs)?;
        let tasks = match self.steps {
            Steps::Tasks(tasks) => tasks,
            Steps::Sweep(plan) => {
                for group in plan.run(self.text, unfinished, progress)? {
                    file.push(group)?;
                }
                return Ok(file);
            }
        };
        for work in tasks {
            for group in work(progress)? {
                file.push(group)?;
            }
        }
        let rows = agreement::comparisons(&file)?;
        if !rows.is_empty() {
            file.push(agreement::group(&rows)?)?;
        }
        let claims = claims::claims(&file, self.config)?;
        if !claims.is_empty() {
            file.push(claims::group(&claims)?)?;
        }
        Ok(file)
    }
}
