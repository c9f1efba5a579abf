//! What a task is expected to need, judged from its keys before anything is allocated.

/// Memory and time that a task is expected to need, with the keys that they come from.
///
/// # Method
/// Arithmetic in floating point with constants that were measured once, good to a factor of about three: enough to tell seconds from hours and megabytes
/// from the memory of a machine. No key makes it fail or allocate.
///
/// # Examples
/// ```
/// use freezeout::task::Cost;
/// let cost = Cost::default()
///     .with_memory("surface.x", 8e9)
///     .with_time("surface.x", 120.0)
///     .with_time("surface.y", 1.0);
/// assert_eq!((cost.memory(), cost.time()), (8e9, 121.0));
/// assert_eq!(cost.longest(), Some("surface.x"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cost {
    memory: Vec<(String, f64)>,
    result: Vec<(String, f64)>,
    time: Vec<(String, f64)>,
}

impl Cost {
    /// Memory in bytes that the work takes while it runs.
    #[must_use]
    pub fn with_memory(mut self, key: &str, bytes: f64) -> Self {
        self.memory.push((key.into(), bytes));
        self
    }

    /// Memory in bytes of what the work returns, which stays until the file is written.
    #[must_use]
    pub fn with_result(mut self, key: &str, bytes: f64) -> Self {
        self.result.push((key.into(), bytes));
        self
    }

    /// Time in seconds on one core; what can is spread over the threads.
    #[must_use]
    pub fn with_time(mut self, key: &str, seconds: f64) -> Self {
        self.time.push((key.into(), seconds));
        self
    }

    /// Bytes while it runs, the result included.
    pub fn memory(&self) -> f64 {
        total(&self.memory) + self.result()
    }

    /// Bytes of the result.
    pub fn result(&self) -> f64 {
        total(&self.result)
    }

    /// Seconds on one core.
    pub fn time(&self) -> f64 {
        total(&self.time)
    }

    /// The key to which most of the memory is due.
    pub fn largest(&self) -> Option<&str> {
        most(self.memory.iter().chain(&self.result))
    }

    /// The key to which most of the time is due.
    pub fn longest(&self) -> Option<&str> {
        most(self.time.iter())
    }
}

fn total(parts: &[(String, f64)]) -> f64 {
    // from 0, as the sum of nothing is -0
    parts.iter().fold(0.0, |sum, (_, value)| sum + value)
}

fn most<'a>(parts: impl Iterator<Item = &'a (String, f64)>) -> Option<&'a str> {
    parts
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(key, _)| key.as_str())
}
