//! Which known name a slip was meant to be.

use super::group::ResultFile;
use crate::error::Error;

/// The known name closest to `unknown`, unless none is close.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(unknown, candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3))
        .map(|(_, candidate)| candidate)
}

/// That nothing stands at the path, with what was meant.
pub(super) fn absent(file: &ResultFile, path: &str) -> Error {
    let mut known: Vec<String> = file.attributes().keys().cloned().collect();
    for group in file.groups() {
        known.push(group.name().into());
        let names = group.attributes().keys().map(String::as_str);
        let names = names.chain(group.records().iter().map(|record| record.name()));
        known.extend(names.map(|name| format!("{}/{name}", group.name())));
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = nearest(path, &known).map_or(String::new(), |best| format!("did you mean \"{best}\"? "));
    Error::Input {
        path: path.into(),
        message: format!(
            "the result file has no such group, record or attribute; {meant}freezeout show FILE --all names all"
        ),
    }
}
