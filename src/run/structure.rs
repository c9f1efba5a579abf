//! Lists in place of sections: serde takes the entries of a list for the keys of a section in their order, so that `ablations = []` would mean all of its
//! defaults. Read against the schema of the keys, they are refused.

use crate::config::Config;
use crate::error::{Error, Result};
use serde_json::Value as Schema;
use std::sync::OnceLock;
use toml::{Table, Value};

/// Refuses a list where the keys of a configuration have a section.
///
/// # Errors
/// [`Error::Config`] naming the key.
pub fn require_sections(table: &Table) -> Result<()> {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    let root = SCHEMA.get_or_init(|| Schema::from(schemars::schema_for!(Config)));
    check("", &Value::Table(table.clone()), &[root], root)
}

fn check(path: &str, value: &Value, schemas: &[&Schema], root: &Schema) -> Result<()> {
    let all: Vec<&Schema> = schemas
        .iter()
        .flat_map(|schema| alternatives(schema, root))
        .collect();
    match value {
        Value::Array(entries) => {
            let is_section = |schema: &&Schema| schema.get("properties").is_some();
            let is_list = |schema: &&Schema| !is_section(schema) && is_type(schema, "array");
            if all.iter().any(is_section) && !all.iter().any(is_list) {
                return Err(Error::config(
                    path,
                    "a section with keys is wanted here, not a list",
                ));
            }
            let inner: Vec<&Schema> = all.iter().filter_map(|schema| schema.get("items")).collect();
            (entries.iter()).try_for_each(|entry| check(path, entry, &inner, root))
        }
        Value::Table(table) => table.iter().try_for_each(|(key, value)| {
            let inner: Vec<&Schema> = (all.iter())
                .filter_map(|schema| schema.get("properties")?.get(key))
                .collect();
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            check(&path, value, &inner, root)
        }),
        _ => Ok(()),
    }
}

/// Whether a schema allows a type; one that names none allows all.
fn is_type(schema: &Schema, name: &str) -> bool {
    match schema.get("type") {
        Some(Schema::String(one)) => one == name,
        Some(Schema::Array(several)) => several.iter().any(|one| one == name),
        _ => schema.get("properties").is_none() && schema.get("enum").is_none(),
    }
}

/// The schemas that a value may follow, references followed.
fn alternatives<'a>(schema: &'a Schema, root: &'a Schema) -> Vec<&'a Schema> {
    if let Some(reference) = schema.get("$ref").and_then(Schema::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let definition = root.get("$defs").and_then(|all| all.get(name));
        return definition.map_or(Vec::new(), |schema| alternatives(schema, root));
    }
    let several = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(key)?.as_array());
    let several: Vec<&Schema> = several.flatten().collect();
    if several.is_empty() {
        return vec![schema];
    }
    several
        .into_iter()
        .flat_map(|schema| alternatives(schema, root))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_no_section() {
        let refused = |text: &str, key: &str| {
            let error = require_sections(&text.parse().unwrap()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{key}: ")), "{error}");
        };
        refused("ablations = []", "ablations");
        refused("escape = { path = [] }", "escape.path");
        refused(
            "escape = { start = { ball = [[1.0], 0.0] } }",
            "escape.start.ball",
        );
        refused(
            "phase_diagram = { sigma = { from = [] } }\nlandscape = [\"double_well\"]",
            "landscape",
        );
        refused("landscape = { table = [\"a\", \"b\", []] }", "landscape.table");
        for text in [
            crate::run::EXAMPLE,
            crate::run::REPRODUCE,
            "escape = { cells = [1], start = { all = [{ ball = { centre = [1.0] } }] } }",
            "phase_diagram = { sigma = [0.1], start_x = [1.0] }\nsweep = [{ values = [1, \"a\"] }]",
            "noise = { tensor = [[1.0, \"x\"]] }\nlandscape = { kinks = [{ axis = 0 }], drift = [\"x\"] }",
        ] {
            require_sections(&text.parse().unwrap()).unwrap();
        }
    }
}
