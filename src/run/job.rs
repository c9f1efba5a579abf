//! A configuration that has been checked and is ready to run.

use super::estimate::Estimate;
use super::input_files::{InputFiles, input_files, require_unchanged};
use super::provenance::provenance;
use super::shard::{Shard, push_shard};
use super::sweep::Plan;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::judgement::{agreement, claims};
use crate::output::{Group, ResultFile};
use crate::task::Progress;
use crate::task::Work;
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
        let config = self.config;
        if let Steps::Sweep(plan) = self.steps {
            for group in plan.run(self.text, unfinished, progress)? {
                file.push(group)?;
            }
            claims::push_claims(&mut file, config)?;
            return Ok(file);
        }
        for group in self.groups(progress)? {
            file.push(group)?;
        }
        let rows = agreement::comparisons(&file)?;
        if !rows.is_empty() {
            file.push(agreement::group(&rows)?)?;
        }
        claims::push_claims(&mut file, config)?;
        Ok(file)
    }

    /// The configuration of every cell of a sweep as TOML, with the seed that is its own, the last swept key running fastest: what a scheduler hands out.
    /// None when nothing is swept.
    ///
    /// # Examples
    /// ```
    /// use freezeout::run::{Job, parse};
    /// use freezeout::task::Progress;
    /// let text = "name = \"two\"\n[slices]\ny = [5.0]\nnoise_strength = [1e-3]\n[[sweep]]\nparameter = \"landscape.y_b\"\nvalues = [30.0, 40.0]\n";
    /// let config = parse(text)?;
    /// let mut groups = Vec::new();
    /// for cell in Job::new(&config, text)?.cells()? {
    ///     let config = parse(&cell)?;
    ///     groups.push(Job::new(&config, &cell)?.groups(&Progress::silent())?);
    /// }
    /// let apart = Job::new(&config, text)?.stacked(&groups)?;
    /// let together = Job::new(&config, text)?.run(None, &Progress::silent())?;
    /// assert_eq!(apart, together);
    /// # Ok::<(), freezeout::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] when a cell cannot be written as TOML.
    pub fn cells(&self) -> Result<Vec<String>> {
        match &self.steps {
            Steps::Tasks(_) => Ok(Vec::new()),
            Steps::Sweep(plan) => plan.texts(),
        }
    }

    /// The groups of all tasks, of one cell of a sweep for [`Job::stacked`]; of a sweep itself none.
    ///
    /// # Errors
    /// Errors of the routes, with the task in which they arose.
    pub fn groups(self, progress: &Progress) -> Result<Vec<Group>> {
        let Steps::Tasks(tasks) = self.steps else {
            return Ok(Vec::new());
        };
        let groups: Vec<Vec<Group>> = tasks
            .into_iter()
            .map(|work| work(progress))
            .collect::<Result<_>>()?;
        Ok(groups.concat())
    }

    /// The result of a sweep from the groups of its cells, in the order of [`Job::cells`].
    ///
    /// # Errors
    /// [`Error::Config`] when there are more or fewer than cells, or their records cannot be stacked.
    pub fn stacked(self, cells: &[Vec<Group>]) -> Result<ResultFile> {
        let mut file = ResultFile::new();
        provenance(&mut file, self.config, self.text, &self.inputs)?;
        let Steps::Sweep(plan) = &self.steps else {
            return Err(Error::config("sweep", "nothing is swept in this configuration"));
        };
        for group in plan.stacked(cells)? {
            file.push(group)?;
        }
        claims::push_claims(&mut file, self.config)?;
        Ok(file)
    }
}
