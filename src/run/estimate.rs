//! What a whole configuration is expected to need, and whether this machine has it.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::task::Cost;
use std::fmt;

/// Share of the machine's memory that a run may take.
const SHARE: f64 = 0.5;
/// Work that takes longer than this many seconds says so before it begins.
const LONG: f64 = 60.0;
/// Work that takes longer than this many seconds, ten years, never ends.
const NEVER: f64 = 3.2e8;
/// Bytes that a byte of the result takes: the records, their copy in the file, what is compressed at a time.
const COPIES: f64 = 3.0;

/// Seconds that a cell of a sweep takes beside its tasks: it is built twice, and kept.
const CELL: f64 = 0.02;

/// Memory and time that a configuration is expected to need on this machine.
///
/// # Examples
/// ```
/// let text = "name = \"big\"\n[phase_diagram]\nruns = 100000\n";
/// let config = freezeout::run::parse(text)?;
/// let job = freezeout::run::Job::new(&config, text)?;
/// // 10 x 10 cells, 20 000 steps each.
/// assert!(job.estimate().is_long());
/// # Ok::<(), freezeout::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    tasks: Vec<(&'static str, Cost)>,
    cells: usize,
    threads: usize,
    memory: f64,
    time: f64,
    machine: f64,
}

impl Estimate {
    /// The estimate of a configuration, run in the current rayon pool; refuses what does not fit into half of the machine's memory, or takes longer than ten
    /// years.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key that asks for most.
    pub fn of(config: &Config) -> Result<Self> {
        Self::fitting(config.costs(), 1)?.ending()
    }

    /// The same for the cells of a sweep, of which as many run at once as there are threads.
    ///
    /// # Errors
    /// As [`Estimate::of`].
    pub fn of_sweep<'a>(cells: impl Iterator<Item = &'a Config>) -> Result<Self> {
        let mut largest: Vec<(&'static str, Cost)> = Vec::new();
        let (mut count, mut time, mut memory) = (0, 0.0, 0.0);
        for cell in cells {
            let costs = cell.costs();
            count += 1;
            time += CELL + costs.iter().map(|(_, cost)| cost.time()).sum::<f64>();
            let taken = working_memory(&costs);
            if largest.is_empty() || !(taken <= memory) {
                (memory, largest) = (taken, costs);
            }
        }
        let mut estimate = Self::fitting(largest, count)?;
        estimate.time = time / (estimate.threads.min(count.max(1)) as f64);
        estimate.ending()
    }

    /// The same for one of so many shards of a sweep.
    #[must_use]
    pub fn of_shard(&self, shards: usize) -> Self {
        let cells = self.cells.div_ceil(shards.max(1));
        let share = cells as f64 / self.cells.max(1) as f64;
        Self {
            cells,
            time: share * self.time,
            ..self.clone()
        }
    }

    fn fitting(tasks: Vec<(&'static str, Cost)>, cells: usize) -> Result<Self> {
        let threads = rayon::current_num_threads();
        let at_once = cells.min(threads) as f64;
        let kept: f64 = tasks.iter().map(|(_, cost)| COPIES * cost.result()).sum();
        let memory = at_once * working_memory(&tasks) + cells as f64 * kept;
        let time = tasks.iter().map(|(_, cost)| cost.time()).sum::<f64>() / threads as f64;
        let estimate = Self {
            tasks,
            cells,
            threads,
            memory,
            time,
            machine: machine_memory(),
        };
        estimate.require_room()?;
        Ok(estimate)
    }

    fn require_room(&self) -> Result<()> {
        let room = SHARE * self.machine;
        // A sum that is not a number does not fit either.
        if self.memory <= room {
            return Ok(());
        }
        let largest = self
            .tasks
            .iter()
            .max_by(|a, b| a.1.memory().total_cmp(&b.1.memory()));
        let key = largest
            .and_then(|(_, cost)| cost.largest())
            .unwrap_or("configuration");
        Err(Error::config(
            key,
            format!(
                "about {} of memory would be needed, at most {} are used ({:.0} % of this machine's): ask for less",
                bytes(self.memory),
                bytes(room),
                100.0 * SHARE
            ),
        ))
    }

    /// Refuses what never ends.
    fn ending(self) -> Result<Self> {
        if self.time <= NEVER {
            return Ok(self);
        }
        Err(Error::config(
            self.longest().unwrap_or("configuration"),
            format!(
                "about {} on {} thread(s) would be needed, more than ten years: ask for less",
                duration(self.time),
                self.threads
            ),
        ))
    }

    /// The key to which most of the time is due.
    fn longest(&self) -> Option<&str> {
        self.tasks
            .iter()
            .max_by(|a, b| a.1.time().total_cmp(&b.1.time()))
            .and_then(|(_, cost)| cost.longest())
    }

    /// Bytes of memory.
    pub fn memory(&self) -> f64 {
        self.memory
    }

    /// Seconds until it is done.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// Whether it takes more than a minute.
    pub fn is_long(&self) -> bool {
        !(self.time <= LONG)
    }

    /// One line about time and memory and the key to which most of the time is due.
    pub fn line(&self) -> String {
        format!(
            "about {} on {} thread(s) and {} of memory{}{}",
            duration(self.time),
            self.threads,
            bytes(self.memory),
            if self.cells > 1 {
                format!(" for {} cells", self.cells)
            } else {
                String::new()
            },
            self.longest()
                .map_or(String::new(), |key| format!(", most of the time for {key}"))
        )
    }
}

/// A line a task, of a sweep for its largest cell, and one for all.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (section, cost) in &self.tasks {
            let key = cost.longest().unwrap_or_default();
            writeln!(
                f,
                "{:<24} {:>10} on one core  {:>10}  {key}",
                format!("[{section}]"),
                duration(cost.time()),
                bytes(cost.memory())
            )?;
        }
        write!(
            f,
            "in all {}; this machine has {}",
            self.line(),
            bytes(self.machine)
        )
    }
}

/// Tasks run one after the other.
fn working_memory(tasks: &[(&'static str, Cost)]) -> f64 {
    // Of numbers, one that is not a number counts as the largest.
    let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
    tasks.iter().map(|(_, cost)| cost.memory()).fold(0.0, larger)
}

/// Bytes of memory that this process may have: the machine's, or what its control group leaves it.
fn machine_memory() -> f64 {
    let kind = sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram());
    let system = sysinfo::System::new_with_specifics(kind);
    let group = system.cgroup_limits().map(|limits| limits.total_memory);
    let machine = system.total_memory();
    match group.map_or(machine, |group| group.min(machine)) {
        // A system that does not tell: nothing is refused.
        0 => f64::INFINITY,
        known => known as f64,
    }
}

/// A number of bytes for people.
fn bytes(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value >= 1e5 {
        return format!("{value:.1e} {}", units[unit]);
    }
    let digits = usize::from(value < 10.0 && unit > 0);
    format!("{value:.digits$} {}", units[unit])
}

/// A time for people.
fn duration(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    match seconds {
        s if s < 1.0 => "1 s".into(),
        s if s < 2.0 * MINUTE => format!("{s:.0} s"),
        s if s < 2.0 * HOUR => format!("{:.0} min", s / MINUTE),
        s if s < 2.0 * DAY => format!("{:.0} h", s / HOUR),
        s if s < 1e4 * DAY => format!("{:.0} days", s / DAY),
        s => format!("{:.1e} days", s / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_told_in_their_units() {
        for (value, text) in [
            (12.0, "12 B"),
            (1234.0, "1.2 kB"),
            (4.5e10, "45 GB"),
            (3.2e16, "32000 TB"),
            (3.2e20, "3.2e8 TB"),
        ] {
            assert_eq!(bytes(value), text);
        }
        for (value, text) in [(0.1, "1 s"), (61.0, "61 s"), (600.0, "10 min"), (1e6, "12 days")] {
            assert_eq!(duration(value), text);
        }
        assert!(machine_memory() > 1e8);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_key() {
        let cost = Cost::default()
            .with_memory("a.small", 1.0)
            .with_result("a.large", 1e15);
        let error = Estimate::fitting(vec![("a", cost.clone())], 1).unwrap_err();
        assert!(error.to_string().starts_with("a.large: about 4000 TB"), "{error}");
        let nothing = Cost::default().with_memory("a.what", f64::NAN);
        assert!(Estimate::fitting(vec![("a", nothing)], 1).is_err());
        // What takes longer than ten years, or than any number, never ends.
        for (seconds, ends) in [
            (1e6, true),
            (1e12, false),
            (f64::INFINITY, false),
            (f64::NAN, false),
        ] {
            let cost = Cost::default().with_time("a.steps", seconds);
            let found = Estimate::fitting(vec![("a", cost)], 1).and_then(Estimate::ending);
            assert_eq!(found.is_ok(), ends, "{seconds}");
            if let Err(error) = found {
                assert!(error.to_string().starts_with("a.steps: about "), "{error}");
            }
        }
        // Small cells, but a million of them.
        let cell = Cost::default().with_result("a.cell", 1e8);
        assert!(Estimate::fitting(vec![("a", cell.clone())], 1).is_ok());
        assert!(Estimate::fitting(vec![("a", cell)], 1_000_000).is_err());
    }
}
