//! Lists that may be written shorter for one variable: `cells = 400` for `[400]`, `domain = [-1, 1]` for `[[-1, 1]]`.

use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, de};
use toml::Value;

/// One value, or a list with one for each variable.
pub fn one_or_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        list @ Value::Array(_) => read(list),
        one => read(one).map(|value| vec![value]),
    }
}

/// One list, or a list of lists with one for each variable.
pub fn one_or_lists<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<Vec<T>>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Array(entries) if !entries.is_empty() && !entries.iter().any(Value::is_array) => {
            read(Value::Array(entries)).map(|list| vec![list])
        }
        lists => read(lists),
    }
}

/// The same for a key that need not be given.
pub fn one_or_lists_if_given<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<Vec<T>>>, D::Error> {
    one_or_lists(deserializer).map(Some)
}

fn read<T: DeserializeOwned, E: de::Error>(value: Value) -> Result<T, E> {
    T::deserialize(value).map_err(|e: toml::de::Error| Error::custom(e.message()))
}
