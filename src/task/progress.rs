//! Reports of how far a run has come; what is done with them is the caller's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// A part of so many of its units, in which other tasks run; what they leave is done when the part is dropped.
    pub(crate) fn part(self: &Arc<Self>, units: u64) -> Part {
        Part {
            of: self.clone(),
            rest: Arc::new(AtomicU64::new(units)),
        }
    }
}

/// A part of a task.
pub(crate) struct Part {
    of: Arc<Task>,
    /// Units that no task within has been given or has done.
    rest: Arc<AtomicU64>,
}

impl Part {
    /// Reports into the part. How many tasks will come is not known: each is given half of what is left, and what it does not do goes back.
    pub fn progress(&self) -> Progress {
        let (of, rest) = (self.of.clone(), self.rest.clone());
        Progress::new(move |_, total| {
            let given = rest.load(Ordering::Relaxed) / 2;
            rest.fetch_sub(given, Ordering::Relaxed);
            let within = Within {
                of: of.clone(),
                rest: rest.clone(),
                given,
                total: total.max(1),
                done: AtomicU64::new(0),
            };
            Box::new(move |units| within.advance(units))
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.of.advance(self.rest.swap(0, Ordering::Relaxed));
    }
}

/// A task within a part.
struct Within {
    of: Arc<Task>,
    rest: Arc<AtomicU64>,
    given: u64,
    total: u64,
    done: AtomicU64,
}

impl Within {
    /// Units of the part that so much of the task is worth.
    fn worth(&self, done: u64) -> u64 {
        let share = done.min(self.total) as f64 / self.total as f64;
        (share * self.given as f64) as u64
    }

    fn advance(&self, units: u64) {
        let before = self.done.fetch_add(units, Ordering::Relaxed);
        let more = self.worth(before.saturating_add(units)) - self.worth(before);
        if more > 0 {
            self.of.advance(more);
        }
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        let left = self.given - self.worth(self.done.load(Ordering::Relaxed));
        self.rest.fetch_add(left, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_move_a_task_from_within_and_add_up() {
        let done = Arc::new(AtomicU64::new(0));
        let counted = done.clone();
        let progress = Progress::new(move |_, _| {
            let counted = counted.clone();
            Box::new(move |units| {
                counted.fetch_add(units, Ordering::Relaxed);
            })
        });
        let now = || done.load(Ordering::Relaxed);
        let sweep = Arc::new(progress.task("sweep", 200));
        let part = sweep.part(100);
        let cell = part.progress();
        let first = cell.task("escape", 5);
        first.advance(1);
        assert_eq!(now(), 10);
        first.advance(1);
        assert_eq!(now(), 20);
        // It ends early: 80 are left, of which the next is given half.
        drop(first);
        let second = cell.task("simulation", 1000);
        (0..1000).for_each(|_| second.advance(1));
        assert_eq!(now(), 60);
        // More than it said changes nothing.
        second.advance(7);
        assert_eq!(now(), 60);
        drop((second, part));
        assert_eq!(now(), 100);
        drop(sweep.part(100));
        assert_eq!(now(), 200);
    }
}
