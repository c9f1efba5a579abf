//! How far a run has come, for people: bars on a terminal, a line a minute elsewhere.

use freezeout::task::Progress;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Progress on standard error.
pub fn shown_progress() -> Progress {
    if console::Term::stderr().is_term() {
        bars()
    } else {
        // A closed standard error cannot be reported to anybody.
        lines(MINUTE, |line| {
            let _ = writeln!(std::io::stderr(), "{line}");
        })
    }
}

/// Bars with the time left.
fn bars() -> Progress {
    let style =
        ProgressStyle::with_template("{msg:24} [{bar:36}] {percent:>3} %  {elapsed} gone, {eta} left")
            .map(|style| style.progress_chars("=> "));
    Progress::new(move |label, total| {
        let mut bar = ProgressBar::new(total)
            .with_message(label.to_string())
            .with_finish(ProgressFinish::AndClear);
        if let Ok(style) = &style {
            bar = bar.with_style(style.clone());
        }
        Box::new(move |units| bar.inc(units))
    })
}

/// A task that has begun and not ended.
struct Running {
    number: usize,
    label: String,
    total: u64,
    done: u64,
    begun: Instant,
}

impl Running {
    fn line(&self) -> String {
        let share = self.done as f64 / self.total.max(1) as f64;
        let gone = self.begun.elapsed().as_secs_f64();
        let left = match self.done {
            0 => String::new(),
            _ => format!(", about {} left", time(gone * (1.0 / share - 1.0))),
        };
        format!(
            "{}: {:.0} % after {}{left}",
            self.label,
            (100.0 * share).floor(),
            time(gone)
        )
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// The tasks that are running, oldest first, and how many have begun.
#[derive(Default)]
struct State {
    running: Vec<Running>,
    begun: usize,
}

/// The state, also after another thread that held it has failed.
fn held(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets a task when it ends.
struct Ends {
    number: usize,
    state: Arc<Mutex<State>>,
}

impl Drop for Ends {
    fn drop(&mut self) {
        held(&self.state)
            .running
            .retain(|task| task.number != self.number);
    }
}

/// Says a line about every task that has something left to do whenever `interval` has passed, whether work advances or not.
fn lines(interval: Duration, say: impl Fn(&str) + Send + 'static) -> Progress {
    let state = Arc::new(Mutex::new(State::default()));
    let (alive, ends) = channel::<()>();
    let watched = state.clone();
    // Ends when the progress, which holds the sender, is dropped.
    std::thread::spawn(move || {
        while ends.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            let state = held(&watched);
            let unfinished = state.running.iter().filter(|task| task.done < task.total);
            let lines: Vec<String> = unfinished.map(Running::line).collect();
            drop(state);
            lines.iter().for_each(|line| say(line));
        }
    });
    Progress::new(move |label, total| {
        let _held_while_running = &alive;
        let number = {
            let mut state = held(&state);
            state.begun += 1;
            let number = state.begun;
            state.running.push(Running {
                number,
                label: label.into(),
                total,
                done: 0,
                begun: Instant::now(),
            });
            number
        };
        let ends = Ends {
            number,
            state: state.clone(),
        };
        Box::new(move |units| {
            let mut state = held(&ends.state);
            if let Some(task) = state.running.iter_mut().find(|task| task.number == ends.number) {
                task.done += units;
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_by_the_clock_and_end_with_the_task() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = said.clone();
        let progress = lines(Duration::from_millis(20), move |line| {
            kept.lock().unwrap().push(line.to_string());
        });
        let wait = |wanted: &str| {
            let begun = Instant::now();
            while !said.lock().unwrap().iter().any(|line| line.contains(wanted)) {
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "no {wanted:?} in {said:?}"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        let task = progress.task("phase diagram", 8);
        // Also while nothing advances.
        wait("phase diagram: 0 % after 0 s");
        task.advance(3);
        wait("phase diagram: 37 % after 0 s, about 0 s left");
        drop(task);
        let done = progress.task("rates", 1);
        done.advance(1);
        said.lock().unwrap().clear();
        let _other = progress.task("slices", 2);
        wait("slices: 0 %");
        let lines = said.lock().unwrap().clone();
        assert!(lines.iter().all(|line| line.starts_with("slices")), "{lines:?}");
    }
}
