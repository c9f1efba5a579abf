//! What a configuration can name, with defaults: made from the keys themselves.

use super::tasks::Config;
use crate::escape::{FieldQuantity, Quantity};
use crate::setting::model_keys::{Given, Model};
use crate::setting::{landscape, noise};
use serde_json::{Map, Value};

const HEAD: &str = "\
Every quantity is dimensionless; time = learning_rate * iterations; noise strength Delta = learning_rate * sigma = learning_rate/(2 batch_size).
A range is a number, a list, or { from, to, points, scale = \"log\" | \"linear\" }.
Formulas know + - * / ^ (or **), sqrt exp ln sin cos tan sinh cosh tanh atan abs, min max, if(a > b, u, v), pi, the variables and the parameters.
";

/// The JSON schema of a configuration, draft 2020-12: every section with its keys, their types, defaults and meanings.
///
/// # Examples
/// ```
/// let schema = freezeout::config::schema();
/// assert_eq!(schema["properties"]["seed"]["type"], "integer");
/// assert_eq!(schema["required"], serde_json::json!(["name"]));
/// ```
pub fn schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(Config));
    if let Some(keys) = schema.as_object_mut() {
        keys.insert("title".into(), "a configuration of freezeout".into());
    }
    schema
}

/// The text of `freezeout list`: every section with its keys, their defaults and meanings.
pub fn list() -> String {
    let schema = schema();
    let mut text = String::from(HEAD);
    let catalogue = Catalogue { schema: &schema };
    let (sections, keys): (Vec<_>, Vec<_>) = catalogue
        .properties(&schema)
        .into_iter()
        .partition(|(_, property)| catalogue.is_section(property));
    text.push_str("\nTOP LEVEL\n");
    for (name, property) in keys {
        text.push_str(&catalogue.line(name, property, &schema));
    }
    let mut values: Vec<String> = Vec::new();
    for (name, property) in sections {
        catalogue.section(&mut text, name, property, &mut values);
        match name.as_str() {
            "landscape" => text.push_str(&models(&landscape::MODELS)),
            "noise" => text.push_str(&models(&noise::MODELS)),
            _ => (),
        }
    }
    text.push_str("\nRESULTS of [escape], each number with NAME_error and NAME_order\n");
    let modes = [Quantity::ModeRate(1), Quantity::ModeFrequency(1)];
    for quantity in Quantity::PLAIN.into_iter().chain(modes) {
        let (name, unit) = (quantity.name(), quantity.unit());
        text.push_str(&format!("  {name:<30} {unit:<8} {}\n", quantity.description()));
    }
    text.push_str("fields on the finest grid, each with NAME_change\n");
    for field in FieldQuantity::ALL {
        let (name, unit) = (field.name(), field.unit());
        text.push_str(&format!("  {name:<30} {unit:<8} {}\n", field.description()));
    }
    let mut done = 0;
    while done < values.len() {
        let name = values[done].clone();
        catalogue.value(&mut text, &name, &mut values);
        done += 1;
    }
    text
}

/// Models of a section with the keys they take.
fn models(models: &[Model]) -> String {
    let keys = |model: &Model| {
        let key = |(name, given): &(&str, Given)| match given {
            Given::Required => (*name).to_string(),
            Given::Optional => format!("[{name}]"),
            Given::Default(value) => format!("{name} = {value}"),
        };
        model.keys.iter().map(key).collect::<Vec<String>>().join(", ")
    };
    let lines = models.iter().map(|model| {
        format!(
            "    {:<24} {}\n{}",
            model.name,
            model.text,
            indented(&keys(model))
        )
    });
    format!("  models\n{}", lines.collect::<String>())
}

fn indented(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{:29}{text}\n", "")
    }
}

/// The schema of a configuration, read for people.
struct Catalogue<'a> {
    schema: &'a Value,
}

impl<'a> Catalogue<'a> {
    fn properties(&self, of: &'a Value) -> Vec<(&'a String, &'a Value)> {
        of.get("properties")
            .and_then(Value::as_object)
            .map(Map::iter)
            .into_iter()
            .flatten()
            .collect()
    }

    /// Name and definition behind a reference; also of a value that need not be there, and of the entries of a list.
    fn definition(&self, property: &'a Value) -> Option<(&'a str, &'a Value)> {
        if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next()?;
            return Some((name, self.schema.get("$defs")?.get(name)?));
        }
        let parts = property
            .get("anyOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        parts
            .chain(property.get("items"))
            .find_map(|part| self.definition(part))
    }

    fn is_section(&self, property: &'a Value) -> bool {
        self.definition(property)
            .is_some_and(|(_, of)| of.get("properties").is_some())
    }

    fn section(&self, text: &mut String, path: &str, property: &'a Value, values: &mut Vec<String>) {
        let Some((_, of)) = self.definition(property) else {
            return;
        };
        let is_list = property.get("type").and_then(Value::as_str) == Some("array");
        let head = if is_list {
            format!("[[{path}]]")
        } else {
            format!("[{path}]")
        };
        let meaning = description(property)
            .or_else(|| description(of))
            .unwrap_or_default();
        text.push_str(&format!("\n{head:<22} {meaning}\n"));
        let mut inner = Vec::new();
        for (name, property) in self.properties(of) {
            let is_list = property.get("items").is_some();
            if self.is_section(property) && !is_list && path == "escape" {
                inner.push((format!("{path}.{name}"), property));
                continue;
            }
            text.push_str(&self.line(name, property, of));
            self.remember(property, values);
        }
        for (path, property) in inner {
            self.section(text, &path, property, values);
        }
    }

    /// Notes a structured value, to be explained once at the end.
    fn remember(&self, property: &'a Value, values: &mut Vec<String>) {
        if let Some((name, of)) = self.definition(property)
            && name != "ParameterRange"
            && (of.get("properties").is_some() || variants(of).iter().any(|v| v.get("properties").is_some()))
            && !values.iter().any(|known| known == name)
        {
            values.push(name.into());
        }
    }

    /// A key with its default, its choices and its meaning.
    fn line(&self, name: &str, property: &'a Value, of: &Value) -> String {
        let required = of.get("required").and_then(Value::as_array).into_iter().flatten();
        let default = match property.get("default") {
            Some(value) if !value.is_null() => toml_like(value),
            _ if required.into_iter().any(|key| key == name) => "required".into(),
            _ => "none".into(),
        };
        let of_type = self.definition(property);
        let choices = of_type.map(|(_, of)| choices(of)).unwrap_or_default();
        let mut meaning = description(property).unwrap_or_default();
        if !choices.is_empty() {
            meaning = format!("{meaning}: {}", choices.join(", "));
        } else if let Some((name, _)) = of_type
            && !matches!(name, "Entry" | "SweepValues")
        {
            meaning = format!("{meaning} ({})", words(name));
        }
        format!("  {name:<20} {default:<18} {meaning}\n")
    }

    fn value(&self, text: &mut String, name: &str, values: &mut Vec<String>) {
        let Some(of) = self.schema.get("$defs").and_then(|defs| defs.get(name)) else {
            return;
        };
        text.push_str(&format!(
            "\nA {}: {}\n",
            words(name),
            description(of).unwrap_or_default()
        ));
        for variant in std::iter::once(of).chain(variants(of)) {
            for (name, property) in self.properties(variant) {
                match self.properties(property).as_slice() {
                    [] => text.push_str(&self.line(name, property, variant)),
                    inner => {
                        let keys = inner.iter().map(|(key, value)| match value.get("default") {
                            Some(default) => format!("{key} = {}", toml_like(default)),
                            None => (*key).clone(),
                        });
                        let keys = keys.collect::<Vec<String>>().join(", ");
                        let meaning = description(variant).unwrap_or_default();
                        text.push_str(&format!(
                            "  {:<50} {meaning}\n",
                            format!("{{ {name} = {{ {keys} }} }}")
                        ));
                    }
                }
                self.remember(property, values);
            }
        }
    }
}

fn variants(of: &Value) -> Vec<&Value> {
    let parts = |key: &str| of.get(key).and_then(Value::as_array).into_iter().flatten();
    parts("oneOf").chain(parts("anyOf")).collect()
}

/// The texts that an enumeration can be.
fn choices(of: &Value) -> Vec<String> {
    let constant = |v: &Value| {
        v.get("const")
            .and_then(Value::as_str)
            .map(|name| format!("\"{name}\""))
    };
    let listed = of.get("enum").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(|v| v.as_str().map(|name| format!("\"{name}\"")));
    listed
        .chain(variants(of).into_iter().filter_map(constant))
        .collect()
}

/// A description as one line, without the name of its section and its full stop.
fn description(of: &Value) -> Option<String> {
    let text = of.get("description").and_then(Value::as_str)?;
    let text = match text.split_once("`: ") {
        Some((section, text)) if section.starts_with("`[") => text,
        _ => text,
    };
    let line = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    Some(line.trim_end_matches('.').to_string())
}

/// `ParameterRange` as words.
fn words(name: &str) -> String {
    let name = name.trim_end_matches("Keys");
    let spaced = name.char_indices().map(|(k, c)| match c {
        c if c.is_uppercase() && k > 0 => format!(" {}", c.to_lowercase()),
        c => c.to_lowercase().to_string(),
    });
    spaced.collect()
}

/// A default as one would write it into a configuration.
fn toml_like(value: &Value) -> String {
    match value {
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(toml_like).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(keys) => {
            let keys: Vec<String> = keys
                .iter()
                .map(|(key, value)| format!("{key} = {}", toml_like(value)))
                .collect();
            format!("{{ {} }}", keys.join(", "))
        }
        other => other.to_string(),
    }
}
