//! A configuration that has been checked and is ready to run.

use super::provenance::provenance;
use super::sweep::Plan;
use crate::error::Result;
use crate::judgement::{agreement, claims};
use crate::output::ResultFile;
use crate::task::work::Work;
use crate::task::{Config, Progress};
use std::path::Path;

/// A configuration with everything that its tasks need built.
pub struct Job<'a> {
    config: &'a Config,
    text: &'a str,
    steps: Steps,
}

enum Steps {
    Tasks(Vec<Work>),
    Sweep(Plan),
}

impl<'a> Job<'a> {
    /// Checks a configuration, whose text is `text`, completely without computing anything.
    ///
    /// # Errors
    /// [`crate::Error::Config`] naming the first key that is out of range.
    pub fn new(config: &'a Config, text: &'a str) -> Result<Self> {
        let steps = if config.sweep.is_empty() {
            Steps::Tasks(config.prepare()?)
        } else {
            Steps::Sweep(Plan::new(config, text)?)
        };
        Ok(Self { config, text, steps })
    }

    /// Runs all tasks and returns the result file.
    ///
    /// A sweep keeps its finished cells in the folder `unfinished`, if one is given, and resumes from there; the caller removes the
    /// folder when the result is safe. The numbers depend on the configuration only, not on the number of threads of the current
    /// rayon pool or on interruptions.
    ///
    /// # Errors
    /// Errors of the routes, with the task or cell in which they arose; [`crate::Error::Config`] when the folder holds cells of another
    /// configuration.
    pub fn run(self, unfinished: Option<&Path>, progress: &Progress) -> Result<ResultFile> {
        let mut file = ResultFile::new();
        provenance(&mut file, self.config, self.text)?;
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
