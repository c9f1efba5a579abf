//! Progress bars with time left, on terminals only.

use indicatif::{ProgressBar, ProgressStyle};

/// Makes the bars of a run; silent ones when told so or when the output is not a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    visible: bool,
}

impl Progress {
    /// Bars on standard error, if that is a terminal.
    pub fn terminal() -> Self {
        Self { visible: true }
    }

    /// No bars.
    pub fn silent() -> Self {
        Self { visible: false }
    }

    /// A bar for `total` units of work; dropping it clears it.
    pub fn task(&self, label: &str, total: u64) -> Task {
        // indicatif itself hides bars when standard error is not a terminal.
        let bar = if self.visible {
            ProgressBar::new(total)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) =
            ProgressStyle::with_template("{msg:24} [{bar:36}] {percent:>3} %  {elapsed} gone, {eta} left")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_string());
        Task { bar }
    }
}

/// One running bar.
#[derive(Debug)]
pub struct Task {
    bar: ProgressBar,
}

impl Task {
    /// Reports `units` of work done; may be called from any thread.
    pub fn advance(&self, units: u64) {
        self.bar.inc(units);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
