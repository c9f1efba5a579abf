//! The program as a process.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in `folder`.
pub fn freezeout(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_freezeout"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The same with less than so many kilobytes of address space.
#[cfg(unix)]
pub fn freezeout_within(kilobytes: usize, folder: &Path, arguments: &[&str]) -> Output {
    Command::new("sh")
        .args(["-c", &format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_freezeout"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a configuration in `folder`, which must succeed, and writes `name` there.
pub fn run_to_file(folder: &Path, config: &str, name: &str) {
    std::fs::write(folder.join("c.toml"), config).unwrap();
    let output = freezeout(folder, &["run", "c.toml", "--quiet", "-o", name]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
}

/// How many times as many random trials as in the test run: `FREEZEOUT_FUZZ` of `make fuzz`.
pub fn effort() -> usize {
    std::env::var("FREEZEOUT_FUZZ").map_or(1, |n| n.parse().unwrap())
}

/// The usual seed, moved by `FREEZEOUT_SEED`.
pub fn seed(usual: u64) -> u64 {
    std::env::var("FREEZEOUT_SEED").map_or(usual, |n| n.parse::<u64>().unwrap() + usual)
}
