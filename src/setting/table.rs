//! Tables of a loss, a tensor or a clock: numbers in a configuration itself, or arrays in a file.

use super::npz;
use crate::error::{Error, Result};
use crate::landscape::Kink;
use crate::output::read_array;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Numbers of a table: the path of an array in the file, or the numbers themselves.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected the path of an array in the file, or the numbers themselves, [..] or [[..], [..]]"
)]
pub enum Numbers {
    /// An array in the file.
    InFile(String),
    /// A list.
    List(Vec<f64>),
    /// Rows, the last variable running fastest.
    Rows(Vec<Vec<f64>>),
}

impl Numbers {
    /// Shape and values, the last dimension running fastest; `key` is where they stand.
    ///
    /// # Errors
    /// [`Error::Input`] when the file cannot be read; [`Error::Config`] when there is none, rows differ in length, or a number is not finite.
    pub fn read(&self, key: &str, file: Option<&str>) -> Result<(Vec<usize>, Vec<f64>)> {
        let (shape, values) = match (self, file) {
            (Self::InFile(name), Some(file)) if is_npz(file) => return npz::read(file, name),
            (Self::InFile(name), Some(file)) => return read_array(file, name),
            (Self::InFile(name), None) => {
                let message = format!("this key is required: {name:?} is the path of an array in it");
                return Err(Error::config("file", message));
            }
            (Self::List(values), _) => (vec![values.len()], values.clone()),
            (Self::Rows(rows), _) => {
                let columns = rows.first().map_or(0, Vec::len);
                if let Some(k) = rows.iter().position(|row| row.len() != columns) {
                    let message = format!("row {k} has {} numbers, row 0 has {columns}", rows[k].len());
                    return Err(Error::config(key, message));
                }
                (vec![rows.len(), columns], rows.concat())
            }
        };
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok((shape, values)),
            Some(k) => Err(Error::config(
                key,
                format!("entry {k} is {}, finite numbers are needed", values[k]),
            )),
        }
    }

    /// As [`Numbers::read`], of the shape that the axes have.
    ///
    /// # Errors
    /// As [`Numbers::read`]; [`Error::Config`] when the shape is another.
    pub fn of_shape(&self, key: &str, file: Option<&str>, shape: &[usize]) -> Result<Vec<f64>> {
        let (found, values) = self.read(key, file)?;
        if found == shape {
            return Ok(values);
        }
        let place = match (self, file) {
            (Self::InFile(name), Some(file)) => format!("{name} in {file}"),
            _ => "it".into(),
        };
        Err(Error::config(
            key,
            format!("{place} has shape {found:?}, its axes have {shape:?} points"),
        ))
    }
}

/// Whether a file is an archive of NumPy arrays; any other is HDF5.
pub fn is_npz(file: &str) -> bool {
    let extension = std::path::Path::new(file).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("npz"))
}

/// The positions along each axis, and the shape that a table on them has.
///
/// # Errors
/// As [`Numbers::read`]; [`Error::Config`] when the number of axes is not D.
pub fn axes<const D: usize>(file: Option<&str>, axes: &[Numbers]) -> Result<([Vec<f64>; D], Vec<usize>)> {
    let read = |axis: &Numbers| axis.read("axes", file).map(|(_, values)| values);
    let axes: Vec<Vec<f64>> = axes.iter().map(read).collect::<Result<_>>()?;
    let shape = axes.iter().map(Vec::len).collect();
    let axes = axes
        .try_into()
        .map_err(|_| Error::config("axes", format!("{D} are needed, one a variable")))?;
    Ok((axes, shape))
}

/// Axes and tables in the plane with every second point along `axis` left out, but for the ends and the positions of `kinks`: what a table says beside one of half its
/// resolution. None for an axis of fewer than nine points.
///
/// # Errors
/// As [`Numbers::of_shape`].
pub fn thinned(
    file: Option<&str>,
    own: &[Numbers],
    tables: &[&Numbers],
    axis: usize,
    kinks: &[Kink],
) -> Result<Option<(Vec<Numbers>, Vec<Numbers>)>> {
    const FEWEST: usize = 9;
    let (positions, shape) = axes::<2>(file, own)?;
    let last = shape[axis] - 1;
    if last + 1 < FEWEST {
        return Ok(None);
    }
    let stays = |along: usize, k: usize| {
        let on_kink = |kink: &Kink| kink.axis == axis && kink.position == positions[axis][k];
        along != axis || k.is_multiple_of(2) || k == last || kinks.iter().any(on_kink)
    };
    let kept = |along: usize| {
        (0..shape[along])
            .filter(move |k| stays(along, *k))
            .collect::<Vec<usize>>()
    };
    let (rows, columns) = (kept(0), kept(1));
    let thin = |numbers: &&Numbers| -> Result<Numbers> {
        let values = numbers.of_shape("axes", file, &shape)?;
        let row = |i: &usize| columns.iter().map(|j| values[i * shape[1] + j]).collect();
        Ok(Numbers::Rows(rows.iter().map(row).collect()))
    };
    let own = [&rows, &columns].into_iter().zip(&positions);
    let own = own.map(|(kept, all)| Numbers::List(kept.iter().map(|k| all[*k]).collect()));
    let tables = tables.iter().map(thin).collect::<Result<_>>()?;
    Ok(Some((own.collect(), tables)))
}

/// Refuses a file that nothing is read from.
///
/// # Errors
/// [`Error::Config`].
pub fn require_use<'a>(file: Option<&str>, numbers: impl IntoIterator<Item = &'a Numbers>) -> Result<()> {
    let is_used = numbers
        .into_iter()
        .any(|numbers| matches!(numbers, Numbers::InFile(_)));
    if file.is_none() || is_used {
        return Ok(());
    }
    Err(Error::config("file", "no array is read from it: leave it out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_configuration_are_rows_or_a_list() {
        let rows = Numbers::Rows(vec![vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]]);
        assert_eq!(
            rows.of_shape("loss", None, &[3, 2]).unwrap(),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        let says = |numbers: &Numbers, file, text: &str| {
            let error = numbers.of_shape("loss", file, &[3, 2]).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        says(&Numbers::List(vec![1.0; 6]), None, "loss: it has shape [6]");
        says(
            &Numbers::Rows(vec![vec![1.0], vec![]]),
            None,
            "row 1 has 0 numbers",
        );
        says(&Numbers::List(vec![1.0, f64::NAN]), None, "entry 1 is NaN");
        says(
            &Numbers::InFile("loss".into()),
            None,
            "file: this key is required",
        );
        says(&Numbers::InFile("loss".into()), Some("none.npz"), "none.npz: ");
        assert!(require_use(Some("a.h5"), [&rows]).is_err());
        assert!(require_use(None, [&rows]).is_ok());
    }
}
