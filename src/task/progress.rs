//! Reports of how far a run has come; what is done with them is the caller's.

/// Receives the units of work done since it was last called; dropped when the task ends.
pub type Advance = Box<dyn Fn(u64) + Send + Sync>;

/// Where a run reports its progress: nowhere, or to what the caller shows.
///
/// # Examples
/// ```
/// use freezeout::task::Progress;
/// use std::sync::{Arc, Mutex};
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let kept = lines.clone();
/// let progress = Progress::new(move |label, total| {
///     let (kept, label) = (kept.clone(), label.to_string());
///     Box::new(move |units| kept.lock().unwrap().push(format!("{label}: {units} of {total}")))
/// });
/// progress.task("slices", 4).advance(1);
/// assert_eq!(*lines.lock().unwrap(), ["slices: 1 of 4"]);
/// ```
pub struct Progress {
    begin: Box<Begin>,
    note: Box<Note>,
}

type Begin = dyn Fn(&str, u64) -> Advance + Send + Sync;
type Note = dyn Fn(&str) + Send + Sync;

impl Progress {
    /// `begin` is called with the label of each task and its total of units of work.
    pub fn new(begin: impl Fn(&str, u64) -> Advance + Send + Sync + 'static) -> Self {
        Self {
            begin: Box::new(begin),
            note: Box::new(|_| ()),
        }
    }

    /// `note` is called with what the user has to know while the run goes on, one line each.
    ///
    /// # Examples
    /// ```
    /// use freezeout::task::Progress;
    /// use std::sync::{Arc, Mutex};
    /// let lines = Arc::new(Mutex::new(Vec::new()));
    /// let kept = lines.clone();
    /// let progress = Progress::silent().with_notes(move |line| kept.lock().unwrap().push(line.to_string()));
    /// progress.note("cell 3 is damaged and computed again");
    /// assert_eq!(lines.lock().unwrap().len(), 1);
    /// ```
    #[must_use]
    pub fn with_notes(mut self, note: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.note = Box::new(note);
        self
    }

    /// Says one line to the user.
    pub fn note(&self, line: &str) {
        (self.note)(line);
    }

    /// No reports.
    pub fn silent() -> Self {
        Self::new(|_, _| Box::new(|_| ()))
    }

    /// Begins a task of `total` units of work; dropping it ends it.
    pub fn task(&self, label: &str, total: u64) -> Task {
        Task {
            advance: (self.begin)(label, total),
        }
    }
}

/// One running task.
pub struct Task {
    advance: Advance,
}

impl Task {
    /// Reports `units` of work done; may be called from any thread.
    pub fn advance(&self, units: u64) {
        (self.advance)(units);
    }
}
