//! The files that a configuration names besides itself, with digests of their content: part of what a result was computed from.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::sha256_of;
use crate::setting::table::is_npz;
use std::collections::BTreeMap;
use std::fs::File;

/// SHA-256 by file, as the configuration names it.
pub type InputFiles = BTreeMap<String, String>;

/// The input files of a configuration with their digests.
///
/// # Errors
/// [`Error::Input`] when one cannot be read.
pub fn input_files(config: &Config) -> Result<InputFiles> {
    let loss = config.landscape.table.iter().flat_map(|table| &table.file);
    let noise = config
        .noise
        .iter()
        .flat_map(|noise| &noise.table)
        .flat_map(|table| &table.file);
    let clock = (config.freezing.iter())
        .flat_map(|freezing| &freezing.clock)
        .flat_map(|clock| &clock.file);
    let escape = config.network_escape.iter().flat_map(|network| network.files());
    let schedules = config.network_schedules.iter();
    let schedules = schedules.flat_map(|network| network.files());
    let images = config
        .network
        .iter()
        .flat_map(|network| network.files())
        .chain(escape)
        .chain(schedules);
    let images = images.map(|file| file.display().to_string());
    let tables = [
        ("landscape.table.file", loss.cloned().collect::<Vec<String>>()),
        ("noise.table.file", noise.cloned().collect()),
        ("freezing.clock.file", clock.cloned().collect()),
    ];
    let mut found = InputFiles::new();
    for (key, files) in tables {
        for file in files {
            let digest = digest(&file).map_err(|e| e.at(key))?;
            found.insert(file, digest);
        }
    }
    for file in images {
        let digest = digest(&file)?;
        found.insert(file, digest);
    }
    Ok(found)
}

/// Refuses files that are not what they were; what was read between two looks at the same digests is one and the same.
///
/// # Errors
/// [`Error::Input`] naming the file that changed.
pub fn require_unchanged(config: &Config, files: &InputFiles) -> Result<()> {
    for (path, now) in input_files(config)? {
        if files.get(&path) != Some(&now) {
            return Err(Error::Input {
                path,
                message: "it was changed while it was in use: start again".into(),
            });
        }
    }
    Ok(())
}

/// One line a file: digest and name, as `sha256sum` prints and checks them.
pub fn listed(files: &InputFiles) -> String {
    let lines: Vec<String> = files
        .iter()
        .map(|(path, digest)| format!("{digest}  {path}"))
        .collect();
    lines.join("\n")
}

fn digest(path: &str) -> Result<String> {
    // without HDF5 no such table is read, and the refusal of the key says so
    if !cfg!(feature = "files") && !is_npz(path) {
        return Ok(String::new());
    }
    let failed = |e: std::io::Error| Error::Input {
        path: path.into(),
        message: e.to_string(),
    };
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Error::Input {
            path: path.into(),
            message: "it is not a regular file".into(),
        });
    }
    sha256_of(file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::parse;

    #[test]
    fn images_of_every_task_about_networks_are_digested() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t10k-images-idx3-ubyte"), "pixels").unwrap();
        for section in ["network", "network_escape", "network_schedules"] {
            let data = format!("data = {:?}", folder.path().display().to_string());
            let with = parse(&format!("name = \"digits\"\n[{section}]\n{data}\n")).unwrap();
            assert_eq!(input_files(&with).unwrap().len(), 1, "{section}");
            let without = parse(&format!("name = \"digits\"\n[{section}]\n")).unwrap();
            assert!(input_files(&without).unwrap().is_empty(), "{section}");
        }
    }
}
