//! Work without the GIL that shows its progress and that Ctrl-C stops.
//!
//! The work runs in a thread of its own and never touches Python. The thread that called waits, looks ten times a second whether a signal has come, and passes
//! on how far the work is. A stopped work is unwound at its next report of progress, which simulations make often and a single factorisation never; the caller
//! does not wait for that.

use super::raised;
use freezeout::task::Progress;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(100);

/// What unwinds a stopped work.
struct Stopped;

/// A part of the work, and what the caller was last told of it.
struct Part {
    label: String,
    total: u64,
    done: Arc<AtomicU64>,
    told: Option<u64>,
}

#[derive(Clone, Default)]
struct Board {
    stop: Arc<AtomicBool>,
    parts: Arc<Mutex<Vec<Part>>>,
    notes: Arc<Mutex<Vec<String>>>,
}

/// Runs `work`; `progress` is called as `progress(label, done, total)`, and as `progress(note, None, None)` with what the user has to know.
///
/// # Errors
/// What [`raised`] makes of the errors of the work; `KeyboardInterrupt` and what else a signal or `progress` raises.
pub fn run_watched<T: Send + 'static>(
    py: Python,
    work: impl FnOnce(&Progress) -> freezeout::Result<T> + Send + 'static,
    progress: Option<Py<PyAny>>,
) -> PyResult<T> {
    let board = Board::default();
    let (send, receive) = channel();
    let receive = Mutex::new(receive);
    let reports = board.progress();
    std::thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&reports)));
        // Nobody listens to a work that was stopped.
        let _ = send.send(outcome);
    });
    loop {
        let waited = py.detach(|| lock(&receive).recv_timeout(LOOK));
        let looked = py.check_signals().and_then(|()| match &progress {
            Some(told) => board.tell(py, told),
            None => Ok(()),
        });
        if let Err(raised) = looked {
            board.stop.store(true, Ordering::Relaxed);
            return Err(raised);
        }
        match waited {
            Ok(Ok(outcome)) => return outcome.map_err(raised),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                resume_unwind(Box::new("the work ended without an outcome"))
            }
        }
    }
}

impl Board {
    fn progress(&self) -> Progress {
        let (board, noted) = (self.clone(), self.clone());
        Progress::new(move |label, total| {
            board.unwind_if_stopped();
            let done = Arc::new(AtomicU64::new(0));
            lock(&board.parts).push(Part {
                label: label.into(),
                total,
                done: done.clone(),
                told: None,
            });
            let board = board.clone();
            Box::new(move |units| {
                done.fetch_add(units, Ordering::Relaxed);
                board.unwind_if_stopped();
            })
        })
        .with_notes(move |line| lock(&noted.notes).push(line.into()))
    }

    /// A report made while a panic unwinds must not begin another.
    fn unwind_if_stopped(&self) {
        if self.stop.load(Ordering::Relaxed) && !std::thread::panicking() {
            resume_unwind(Box::new(Stopped));
        }
    }

    /// Tells what has changed.
    fn tell(&self, py: Python, progress: &Py<PyAny>) -> PyResult<()> {
        for note in std::mem::take(&mut *lock(&self.notes)) {
            progress.call1(py, (note, py.None(), py.None()))?;
        }
        let mut news = Vec::new();
        for part in lock(&self.parts).iter_mut() {
            let done = part.done.load(Ordering::Relaxed).min(part.total);
            if part.told.replace(done) != Some(done) {
                news.push((part.label.clone(), done, part.total));
            }
        }
        news.into_iter()
            .try_for_each(|(label, done, total)| progress.call1(py, (label, done, total)).map(|_| ()))
    }
}

/// What stands behind a lock is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
