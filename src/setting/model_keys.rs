//! What the sections of a configuration have in common: tables of models with their keys, and numbers, points and matrices from lists.

use crate::error::{Error, Result};
use crate::math::{Point, Tensor};
use serde::Serialize;

/// Whether a key of a model must be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given {
    /// It must.
    Required,
    /// It need not, and nothing stands in for it.
    Optional,
    /// It need not, and this number stands in for it.
    Default(f64),
}

/// A named model of a section and the keys it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// Value of the key `model`.
    pub name: &'static str,
    /// What it is.
    pub text: &'static str,
    /// Its keys.
    pub keys: &'static [(&'static str, Given)],
}

impl Model {
    /// The number given for one of the keys, or what stands in for it.
    ///
    /// # Errors
    /// [`Error::Config`] naming a key that is required and missing.
    pub fn number(&self, key: &str, given: Option<f64>) -> Result<f64> {
        let known = self
            .keys
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, given)| *given);
        match (given, known) {
            (Some(value), _) | (None, Some(Given::Default(value))) => Ok(value),
            _ => Err(self.missing(key)),
        }
    }

    /// What is given for one of the keys.
    ///
    /// # Errors
    /// [`Error::Config`] naming the key when nothing is.
    pub fn required<'a, T>(&self, key: &str, given: &'a Option<T>) -> Result<&'a T> {
        given.as_ref().ok_or_else(|| self.missing(key))
    }

    fn missing(&self, key: &str) -> Error {
        Error::config(key, format!("this key is required by model = \"{}\"", self.name))
    }
}

/// Refuses keys of a section that its model does not take; `general` are the keys that need no model.
///
/// # Errors
/// [`Error::Config`] naming the key.
pub fn check_keys(section: &impl Serialize, general: &[&str], model: Option<&Model>) -> Result<()> {
    let given = toml::Table::try_from(section).map_err(|e| Error::config("model", e.to_string()))?;
    let is_known = |key: &str| {
        general.contains(&key) || model.is_some_and(|model| model.keys.iter().any(|(name, _)| *name == key))
    };
    match (given.keys().find(|key| !is_known(key)), model) {
        (None, _) => Ok(()),
        (Some(key), Some(model)) => {
            let known: Vec<&str> = model.keys.iter().map(|(name, _)| *name).collect();
            let known = if known.is_empty() {
                "none".into()
            } else {
                known.join(", ")
            };
            Err(Error::config(
                key,
                format!("model = \"{}\" has no such key; its keys: {known}", model.name),
            ))
        }
        (Some(key), None) => Err(Error::config(
            key,
            "this key belongs to a model, and none is named",
        )),
    }
}

/// The point with these coordinates.
///
/// # Errors
/// [`Error::Config`] naming `key` when there are not D finite numbers.
pub fn point<const D: usize>(key: &str, values: &[f64]) -> Result<Point<D>> {
    if values.len() != D || values.iter().any(|v| !v.is_finite()) {
        return Err(Error::config(
            key,
            format!("{D} finite numbers are needed, one a variable"),
        ));
    }
    Ok(Point::<D>::from_column_slice(values))
}

/// The matrix with these rows.
///
/// # Errors
/// [`Error::Config`] naming `key` when there are not D rows of D entries.
pub fn matrix<const D: usize>(key: &str, rows: &[Vec<f64>]) -> Result<Tensor<D>> {
    if rows.len() != D || rows.iter().any(|row| row.len() != D) {
        return Err(Error::config(key, format!("{D} rows of {D} entries are needed")));
    }
    Ok(Tensor::<D>::from_fn(|r, c| rows[r][c]))
}
