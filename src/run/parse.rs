//! From text to a checked configuration: unknown keys get the nearest known one as a suggestion.

use super::structure::require_sections;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::nearest;

/// Parses a configuration.
///
/// # Errors
/// [`Error::Config`] with the dotted key and what is wanted: for TOML syntax, unknown keys (with the nearest known key),
/// wrong types and missing keys.
pub fn parse(text: &str) -> Result<Config> {
    configuration(text).map_err(|refusal| refusal.error)
}

/// Why a text is no configuration.
pub(super) struct Refusal {
    /// For the user.
    pub error: Error,
    /// The dotted key, where there is none of this name.
    pub unknown_key: Option<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            error,
            unknown_key: None,
        }
    }
}

/// As [`parse`], which unknown key it was told apart.
pub(super) fn configuration(text: &str) -> std::result::Result<Config, Refusal> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| Error::Config {
        key: position(text, &error),
        message: one_line(error.message()),
    })?;
    // Integers beyond those of a table are told by their key below.
    if let Ok(table) = parse_table(text) {
        require_sections(&table)?;
    }
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let wanted = |choices: String| match inner.message().trim() {
            "wanted string or table" => {
                Some(format!("one of {choices} is wanted here, not a number or a list"))
            }
            message if message.starts_with("wanted exactly 1 element") => Some(format!(
                "exactly one of {choices} is wanted here, as the only key"
            )),
            _ => None,
        };
        let explained = match choices(text, &path).and_then(wanted) {
            Some(message) => Explained::known(path.clone(), message),
            None => explain(&path, inner.message()),
        };
        let place = position(text, &inner);
        Refusal {
            unknown_key: explained.is_unknown_key.then(|| explained.key.clone()),
            error: Error::Config {
                key: explained.key,
                message: format!("{} ({place})", explained.message),
            },
        }
    })
}

/// What may stand at a key of choices, asked with a word that is none of them.
fn choices(text: &str, path: &str) -> Option<String> {
    const NONE: &str = "?";
    let mut table = toml::Value::Table(parse_table(text).ok()?);
    let mut place = &mut table;
    for part in path.replace('[', ".").replace(']', "").split('.') {
        place = match place {
            toml::Value::Array(values) => values.get_mut(part.parse::<usize>().ok()?)?,
            other => other.get_mut(part)?,
        };
    }
    *place = NONE.into();
    let message = table.try_into::<Config>().err()?.message().to_string();
    let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
    (message.contains("unknown variant") && !known.is_empty()).then(|| known.join(", "))
}

/// Parses a configuration into a table, without looking at its keys.
///
/// # Errors
/// [`Error::Config`] for TOML syntax.
pub fn parse_table(text: &str) -> Result<toml::Table> {
    text.parse().map_err(|error: toml::de::Error| Error::Config {
        key: position(text, &error),
        message: one_line(error.message()),
    })
}

/// The text of a configuration with the folder of the images of its network tasks replaced.
///
/// # Errors
/// [`Error::Config`] for TOML syntax, or when no task takes images.
pub fn with_images(text: &str, folder: &str) -> Result<String> {
    let mut table = parse_table(text)?;
    let mut found = false;
    for (name, keys) in &mut table {
        if let (true, Some(keys)) = (name.starts_with("network"), keys.as_table_mut()) {
            keys.insert("data".into(), folder.into());
            found = true;
        }
    }
    if !found {
        return Err(Error::config(
            "data",
            "no task of this configuration takes images; network, network_escape and network_schedules do",
        ));
    }
    toml::to_string(&table).map_err(|error| Error::config("data", one_line(&error.to_string())))
}

/// The key that a message of serde is about, and what the user should do.
struct Explained {
    key: String,
    message: String,
    /// Whether there is no such key, now or formerly.
    is_unknown_key: bool,
}

impl Explained {
    /// About a key that there is.
    fn known(key: String, message: String) -> Self {
        Self {
            key,
            message,
            is_unknown_key: false,
        }
    }
}

/// Splits serde's message into the key it is about and what the user should do.
fn explain(path: &str, message: &str) -> Explained {
    let message = one_line(message);
    let path = if path == "." { "" } else { path };
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (Some(rest), Some((unknown, known))) =
        (message.strip_prefix("unknown field"), quoted.split_first())
    {
        let _ = rest;
        let parent = path.strip_suffix(unknown).unwrap_or(path).trim_end_matches('.');
        let key = if parent.is_empty() {
            (*unknown).to_string()
        } else {
            format!("{parent}.{unknown}")
        };
        if let Some((_, now)) = MOVED.iter().find(|(old, _)| *old == key) {
            let message = format!("this key is called {now} now");
            return Explained::known(key, message);
        }
        let message = match nearest(unknown, known) {
            Some(best) => format!(
                "unknown key; did you mean \"{best}\"? known here: {}",
                known.join(", ")
            ),
            None => format!("unknown key; known here: {}", known.join(", ")),
        };
        return Explained {
            key,
            message,
            is_unknown_key: true,
        };
    }
    if message.starts_with("unknown variant")
        && let Some((unknown, known)) = quoted.split_first()
    {
        if let Some((_, now)) = MOVED
            .iter()
            .find(|(old, _)| *old == format!("{path}=\"{unknown}\""))
        {
            return Explained::known(path.to_string(), format!("\"{unknown}\" is called {now} now"));
        }
        let wanted = match nearest(unknown, known) {
            Some(best) => format!("\"{unknown}\" is not known; did you mean \"{best}\"?"),
            None => format!("\"{unknown}\" is not known; use one of {}", known.join(", ")),
        };
        return Explained::known(path.to_string(), wanted);
    }
    if message.starts_with("missing field")
        && let Some(missing) = quoted.first()
    {
        let key = if path.is_empty() {
            (*missing).to_string()
        } else {
            format!("{path}.{missing}")
        };
        return Explained::known(key, "this key is required".into());
    }
    let message = if message.starts_with("invalid type: string") && message.contains("expected a number") {
        format!(
            "{message}; a parameter or a formula stands only in loss, drift, tensor, width and expressions: write the number itself"
        )
    } else {
        message
    };
    let key = if path.is_empty() { "configuration" } else { path };
    Explained::known(key.into(), message)
}

/// Keys of former versions, and what they are called now.
const MOVED: [(&str, &str); 18] = [
    ("escape.variables", "landscape.variables"),
    ("escape.parameters", "landscape.parameters"),
    ("escape.loss", "landscape.loss"),
    (
        "escape.landscape",
        "landscape (a section of its own, for all tasks)",
    ),
    ("escape.drift", "landscape.drift"),
    ("escape.kinks", "landscape.kinks"),
    ("escape.noise", "noise (a section of its own, for all tasks)"),
    ("escape.calculus", "noise.calculus"),
    ("escape.learning_rate", "sgd.learning_rate"),
    ("escape.batch_size", "sgd.batch_size"),
    ("escape.domain", "region.domain"),
    ("escape.boundaries", "region.boundaries"),
    ("escape.sublevel", "region.sublevel"),
    ("escape.sublevel_boundary", "region.edge"),
    ("noise.curvature", "noise.strength"),
    (
        "landscape.model=\"two_valley_slice\"",
        "\"two_valley\" with the key y",
    ),
    ("noise.model=\"constant\"", "noise.tensor, without a model,"),
    ("noise.model=\"expression\"", "noise.tensor, without a model,"),
];

fn position(text: &str, error: &toml::de::Error) -> String {
    match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}")
        }
        None => "configuration".into(),
    }
}

/// One line, with the types in the words of the configuration.
fn one_line(message: &str) -> String {
    let mut words: Vec<String> = message.split_whitespace().map(String::from).collect();
    for k in 0..words.len() {
        let plain = match words[k].trim_end_matches(',') {
            "u64" | "usize" => "a whole number >= 0",
            "f64" => "a number",
            "sequence" => "list",
            "struct" => "a section for",
            "map" => "section",
            _ => continue,
        };
        words[k] = plain.into();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn typos_get_the_nearest_key() {
        let text = message("name = \"a\"\n[phase_diagram]\nsgima = 1.0\n");
        assert!(
            text.contains("phase_diagram.sgima") && text.contains("\"sigma\"") && text.contains("line 3"),
            "{text}"
        );
        let text = message("name = \"a\"\n[phase_diagramm]\n");
        assert!(
            text.contains("phase_diagramm") && text.contains("\"phase_diagram\""),
            "{text}"
        );
        let text = message("name = \"a\"\n[noise]\nmodel = \"isotopic\"\n");
        assert!(
            text.contains("noise.model") && text.contains("\"isotropic\""),
            "{text}"
        );
    }

    #[test]
    fn keys_of_former_versions_are_told_by_a_name_that_is_listed() {
        let text = message("name = \"a\"\n[escape]\nsublevel_boundary = \"wall\"\n");
        assert!(
            text.contains("escape.sublevel_boundary: this key is called region.edge now"),
            "{text}"
        );
    }

    #[test]
    fn wrong_types_and_syntax_are_located() {
        let text = message("name = \"a\"\n[phase_diagram]\nruns = \"many\"\n");
        assert!(
            text.contains("phase_diagram.runs") && text.contains("line 3"),
            "{text}"
        );
        let text = message("name = \n");
        assert!(text.contains("line 1"), "{text}");
        let text = message("seed = 3\n");
        assert!(text.contains("name") && text.contains("required"), "{text}");
        let text = message("name = \"a\"\n[escape]\nstart = { point = [0.0], radius = 0.1 }\n");
        assert!(
            text.contains("escape.start: exactly one of ball, ellipse"),
            "{text}"
        );
        let text = message("name = \"a\"\n[phase_diagram]\nsigma = \"big\"\n");
        assert!(
            text.contains("phase_diagram.sigma") && text.contains("range"),
            "{text}"
        );
        for text in [text, message("name = \"a\"\nseed = -1")] {
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
