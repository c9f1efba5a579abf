//! What made a result file.

use super::input_files::{InputFiles, listed};
use crate::config::Config;
use crate::error::Result;
use crate::output::{ResultFile, sha256};

/// Root attributes: what made the file; `inputs` are the files that the configuration names.
pub fn provenance(file: &mut ResultFile, config: &Config, text: &str, inputs: &InputFiles) -> Result<()> {
    for (name, value) in [
        ("name", config.name.as_str()),
        ("config", text),
        ("config_hash", &sha256(text)),
        ("crate_version", env!("CARGO_PKG_VERSION")),
        ("commit", env!("FREEZEOUT_COMMIT")),
        ("compiler", env!("FREEZEOUT_COMPILER")),
    ] {
        file.set_attribute(name, value)?;
    }
    if !inputs.is_empty() {
        file.set_attribute("input_files", listed(inputs))?;
    }
    // TOML integers are signed, so that the seed fits.
    file.set_attribute("seed", config.seed as i64)
}
