//! A task: from keys to checked work.

use super::cost::Cost;
use super::main_number::MainNumber;
use super::progress::Progress;
use crate::error::Result;
use crate::output::{Group, ResultFile};
use crate::plot::Figure;
use crate::setting::Setting;
use crate::setting::sections::Landscape;

/// Work that has been checked and waits to be done.
pub type Work = Box<dyn FnOnce(&Progress) -> Result<Vec<Group>> + Send>;

/// A figure that can be drawn from what a task writes.
#[derive(Debug, Clone, Copy)]
pub struct FigureEntry {
    /// Name, also of the files.
    pub name: &'static str,
    /// What it shows.
    pub description: &'static str,
    /// Group without which it cannot be drawn.
    pub group: &'static str,
    /// Makes it.
    pub figure: fn(&ResultFile) -> Result<Figure>,
}

/// A question about problems of one to four variables.
pub trait InAnyDimension {
    /// [`Task::prepare`] in D variables.
    ///
    /// # Errors
    /// As [`Task::prepare`].
    fn work<const D: usize>(&self, setting: &Setting, landscape: Landscape<D>) -> Result<Work>;

    /// [`Task::prepare`] in as many variables as the landscape has.
    ///
    /// # Errors
    /// As [`Task::prepare`].
    fn work_in_its_dimension(&self, setting: &Setting) -> Result<Work> {
        match setting.landscape.dimension().map_err(|e| e.at("landscape"))? {
            1 => self.work::<1>(setting, |keys| keys.on_a_line()),
            2 => self.work::<2>(setting, |keys| keys.in_the_plane()),
            3 => self.work::<3>(setting, |keys| keys.in_any_dimension()),
            _ => self.work::<4>(setting, |keys| keys.in_any_dimension()),
        }
    }
}

/// A question with its keys.
pub trait Task {
    /// Common sections that it uses beside `[landscape]` and `[noise]`.
    const USES: &'static [&'static str] = &[];
    /// Its figures.
    const FIGURES: &'static [FigureEntry] = &[];
    /// Keys, without the section, that set the shapes of its records: they cannot be swept, as records of different shapes cannot be stacked.
    const SHAPED_BY: &'static [&'static str] = &[];

    /// The main numbers of its result, if the file has one; none for tasks whose results are pictures.
    ///
    /// # Errors
    /// [`crate::Error::Input`] when a group lacks a record that it should hold.
    fn main_numbers(_file: &ResultFile) -> Result<Vec<MainNumber>> {
        Ok(Vec::new())
    }

    /// What it is expected to need; asked for before [`Task::prepare`], of keys that nobody has checked.
    fn cost(&self, setting: &Setting) -> Cost;

    /// Checks every key and builds what the work needs; the returned work computes the groups of the result file.
    ///
    /// # Errors
    /// [`crate::Error::Config`] naming the key that is out of range, or why the question is not defined for this landscape and noise.
    fn prepare(&self, setting: &Setting) -> Result<Work>;
}
