//! Configurations of `[escape]`: run, refused, and their numbers.

use freezeout::output::ResultFile;
use freezeout::run;
use freezeout::task::Progress;
#[cfg(feature = "cli")]
use std::process::Command;

pub fn run(text: &str) -> ResultFile {
    let config = run::parse(text).unwrap();
    let job = run::Job::new(&config, text).unwrap();
    job.run(None, &Progress::silent()).unwrap()
}

/// The message with which a configuration is refused before anything runs.
pub fn refused(text: &str) -> String {
    run::parse(text)
        .and_then(|config| run::Job::new(&config, text).map(|_| ()))
        .unwrap_err()
        .to_string()
}

#[cfg(feature = "cli")]
/// One line on standard error with all of `wanted`, exit code 2, nothing written.
pub fn refused_by_command(text: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_freezeout"))
        .args(["run", "bad.toml", "-o", "bad.h5"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}: {message}");
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    for part in wanted {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
    assert!(!folder.path().join("bad.h5").exists());
}

/// The file as it would be if the times of a group were to another target.
pub fn with_target(file: &ResultFile, group: &str, target: &str) -> ResultFile {
    let mut other = ResultFile::new();
    for one in file.groups() {
        let mut one = one.clone();
        if one.name() == group {
            one.set_attribute("target", target).unwrap();
        }
        other.push(one).unwrap();
    }
    other
}

pub fn field(file: &ResultFile, name: &str) -> Vec<f64> {
    file.record(&format!("escape/{name}")).unwrap().numbers().unwrap()
}

pub fn number(file: &ResultFile, name: &str) -> f64 {
    field(file, name)[0]
}

/// Value and stated error, which must cover the truth.
pub fn covered(file: &ResultFile, name: &str, truth: f64) -> (f64, f64) {
    let (value, error) = (number(file, name), number(file, &format!("{name}_error")));
    assert!(
        (value - truth).abs() <= error,
        "{name}: {value} ± {error:e}, true {truth}"
    );
    (value, error)
}
