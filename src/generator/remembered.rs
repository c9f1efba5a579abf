//! A result that is kept after it was first found.

use std::sync::OnceLock;

/// A function of the object that holds it, found once; objects are compared without it.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered<T>(OnceLock<T>);

impl<T> PartialEq for Remembered<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T: Clone> Remembered<T> {
    /// The result, found by `find` unless it is known; an error is not kept.
    pub fn or_find<E>(&self, find: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(known) = self.0.get() {
            return Ok(known.clone());
        }
        let found = find()?;
        Ok(self.0.get_or_init(|| found).clone())
    }
}
