//! Runs the validation cases of a folder: `NN-name/{case.toml, README.md}`.

use super::job::Job;
use super::parse::{parse, parse_table};
use crate::error::{Error, Result};
use crate::judgement::validation::{Case, CheckOutcome};
use crate::task::Progress;
use std::path::{Path, PathBuf};

/// Runs the cases of `folder` in the order of their names; `each` sees every outcome when it is known.
///
/// # Errors
/// [`Error::Input`] for a folder that holds no case or a case without README.md or case.toml, [`Error::Config`] for a check that is
/// not complete or does not fit its record, errors of the cases themselves. A check that fails is not an error.
pub fn validate(folder: &Path, each: &mut dyn FnMut(&CheckOutcome)) -> Result<Vec<CheckOutcome>> {
    let failed = |message: String| Error::Input {
        path: folder.display().to_string(),
        message,
    };
    let mut cases: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| failed(e.to_string()))? {
        let path = entry.map_err(|e| failed(e.to_string()))?.path();
        if path.is_dir() {
            cases.push(path);
        }
    }
    if cases.is_empty() {
        return Err(failed("it holds no folder with a case.toml".into()));
    }
    cases.sort();
    let mut outcomes = Vec::new();
    for case in cases {
        for outcome in validate_case(&case)? {
            each(&outcome);
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn validate_case(folder: &Path) -> Result<Vec<CheckOutcome>> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|e| Error::Input {
            path: path.display().to_string(),
            message: e.to_string(),
        })
    };
    let in_case = |error| match error {
        Error::Config { key, message } => Error::config(&format!("{name}: {key}"), message),
        other => other,
    };
    let readme = read("README.md")?;
    let title = readme.lines().next().unwrap_or_default().trim_start_matches("# ");
    let case = Case::new(&name, title, parse_table(&read("case.toml")?).map_err(in_case)?)?;
    let config = parse(&case.configuration).map_err(in_case)?;
    let job = Job::new(&config, &case.configuration).map_err(in_case)?;
    let file = job.run(None, &Progress::silent()).map_err(in_case)?;
    case.outcomes(&file)
}
