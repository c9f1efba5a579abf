//! The main numbers of a result: what a reader wants to know first, each with its error.

use crate::output::{Attribute, Estimates};
use crate::statistics::Estimate;

/// One of the main numbers of a result, under the name of its record.
#[derive(Debug, Clone, PartialEq)]
pub struct MainNumber {
    /// Name of the record.
    pub name: String,
    /// Parameters for which it stands, with their values.
    pub at: Vec<(String, Attribute)>,
    /// Names of those of them that only say more about a row, as where a valley is, and not which number it is.
    pub notes: Vec<String>,
    /// Its unit, `"1/time"` of a rate; empty where it is not told.
    pub unit: &'static str,
    /// Value and error; an error of zero where none is stated.
    pub value: Estimate,
}

impl MainNumber {
    /// A number that stands for the whole result; none when it is not finite, which says that it is not defined.
    ///
    /// # Examples
    /// ```
    /// use freezeout::task::MainNumber;
    /// let gap = MainNumber::new("spectral_gap", "1/time", 0.0335453, 1e-7);
    /// assert_eq!(gap[0].value.to_string(), "0.03354530 ± 1.0e-7");
    /// assert!(MainNumber::new("spectral_gap", "1/time", f64::NAN, 1e-7).is_empty());
    /// ```
    pub fn new(name: &str, unit: &'static str, value: f64, error: f64) -> Vec<Self> {
        let numbers = Rows::whole().column(name, &[value], &[error]);
        numbers
            .into_iter()
            .map(|number| Self { unit, ..number })
            .collect()
    }
}

/// The parameters for which the numbers of a table stand, one row each.
///
/// # Examples
/// ```
/// use freezeout::task::Rows;
/// let rows = Rows::along("noise_strength", &[1e-3, 2e-3]);
/// let p_flat = rows.column("p_flat", &[0.9, f64::NAN], &[0.01, 0.02]);
/// assert_eq!(p_flat.len(), 1);
/// assert_eq!(p_flat[0].at[0], ("noise_strength".to_string(), 1e-3.into()));
/// ```
pub struct Rows {
    at: Vec<Vec<(String, Attribute)>>,
    notes: Vec<String>,
}

impl Rows {
    /// One row without parameters.
    pub fn whole() -> Self {
        Self {
            at: vec![Vec::new()],
            notes: Vec::new(),
        }
    }

    /// One row a value of a parameter.
    pub fn along<T: Clone + Into<Attribute>>(name: &str, values: &[T]) -> Self {
        Self::whole().times(name, values)
    }

    /// Every row with every value of a further parameter, which runs fastest.
    #[must_use]
    pub fn times<T: Clone + Into<Attribute>>(self, name: &str, values: &[T]) -> Self {
        let with = |row: &Vec<(String, Attribute)>, value: &T| {
            let mut row = row.clone();
            row.push((name.into(), value.clone().into()));
            row
        };
        let rows = self.at.iter();
        Self {
            at: rows
                .flat_map(|row| values.iter().map(move |value| with(row, value)))
                .collect(),
            notes: self.notes.clone(),
        }
    }

    /// A further parameter, one value a row.
    #[must_use]
    pub fn and<T: Clone + Into<Attribute>>(mut self, name: &str, values: &[T]) -> Self {
        for (row, value) in self.at.iter_mut().zip(values) {
            row.push((name.into(), value.clone().into()));
        }
        self
    }

    /// One value a row that says more about it and not which row it is: two numbers that differ in it alone are the same one, as of a valley that has moved.
    #[must_use]
    pub fn with_note<T: Clone + Into<Attribute>>(self, name: &str, values: &[T]) -> Self {
        let mut rows = self.and(name, values);
        rows.notes.push(name.into());
        rows
    }

    /// A quantity in every row where it is finite; `errors` may be empty where none is stated.
    pub fn column(&self, name: &str, values: &[f64], errors: &[f64]) -> Vec<MainNumber> {
        let numbers = self.at.iter().zip(values).enumerate();
        numbers
            .filter(|(_, (_, value))| value.is_finite())
            .map(|(k, (at, value))| MainNumber {
                name: name.into(),
                at: at.clone(),
                notes: self.notes.clone(),
                unit: "",
                value: Estimate {
                    value: *value,
                    standard_error: errors.get(k).copied().unwrap_or(0.0),
                    samples: 1,
                },
            })
            .collect()
    }

    /// The same of means over runs.
    pub fn means(&self, name: &str, means: &Estimates) -> Vec<MainNumber> {
        self.column(name, &means.value, &means.standard_error)
    }
}
