//! Arrays from the archives that `numpy.savez` and `numpy.savez_compressed` write.

use crate::error::{Error, Result};
use npyz::{NpyFile, Order, TypeChar};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// Most numbers of an array: 8 GiB of them.
const MOST: u64 = 1 << 30;

/// Shape and values of the array `name`, the last dimension running fastest; integers and single precision become 64-bit floats.
///
/// # Errors
/// [`Error::Input`] when file or array cannot be read as finite numbers.
pub fn read(path: &str, name: &str) -> Result<(Vec<usize>, Vec<f64>)> {
    let failed = |message: String| Error::Input {
        path: path.into(),
        message,
    };
    if !Path::new(path).is_file() {
        return Err(failed("there is no such file".into()));
    }
    let unread = |e: ZipError| failed(format!("it cannot be read as an npz archive ({e})"));
    let unreadable = |e: io::Error| failed(format!("{name} cannot be read as numbers ({e})"));
    let file = File::open(path).map_err(|e| failed(e.to_string()))?;
    let mut archive = ZipArchive::new(file).map_err(unread)?;
    let entry = archive
        .by_name(&format!("{name}.npy"))
        .map_err(|error| match error {
            ZipError::FileNotFound => failed(format!("it holds no array {name}")),
            other => unread(other),
        })?;
    let array = NpyFile::new(entry).map_err(unreadable)?;
    let shape: Vec<usize> = array.shape().iter().map(|n| *n as usize).collect();
    if array
        .shape()
        .iter()
        .try_fold(1_u64, |all, n| all.checked_mul(*n))
        .is_none_or(|all| all > MOST)
    {
        return Err(failed(format!(
            "{name} claims the shape {shape:?}, more than can be read"
        )));
    }
    let is_by_columns = array.order() == Order::Fortran;
    let values = numbers(array).map_err(unreadable)?;
    if let Some(k) = values.iter().position(|value| !value.is_finite()) {
        return Err(failed(format!(
            "entry {k} of {name} is {}, finite numbers are needed",
            values[k]
        )));
    }
    let values = if is_by_columns {
        by_rows(&shape, &values)
    } else {
        values
    };
    Ok((shape, values))
}

fn numbers<R: Read>(array: NpyFile<R>) -> io::Result<Vec<f64>> {
    let kind = match array.dtype() {
        npyz::DType::Plain(text) => (text.type_char(), text.size_field()),
        other => return Err(io::Error::other(format!("it has the type {}", other.descr()))),
    };
    match kind {
        (TypeChar::Float, 8) => array.into_vec::<f64>(),
        (TypeChar::Float, 4) => converted(array.into_vec::<f32>()?),
        (TypeChar::Int, 4) => converted(array.into_vec::<i32>()?),
        (TypeChar::Int, 8) => Ok(array.into_vec::<i64>()?.into_iter().map(|n| n as f64).collect()),
        (other, size) => Err(io::Error::other(format!(
            "it has the type {other}{size}: floats and signed integers of 4 or 8 bytes are read"
        ))),
    }
}

fn converted<T: Into<f64>>(values: Vec<T>) -> io::Result<Vec<f64>> {
    Ok(values.into_iter().map(Into::into).collect())
}

/// The values of an array whose first dimension runs fastest, in the order in which its last does.
fn by_rows(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let place = |mut k: usize| {
        let indices: Vec<usize> = shape
            .iter()
            .rev()
            .map(|n| {
                let index = k % n;
                k /= n;
                index
            })
            .collect();
        indices
            .iter()
            .zip(shape.iter().rev())
            .fold(0, |place, (index, n)| place * n + index)
    };
    (0..values.len()).map(|k| values[place(k)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]) stores 1 4 2 5 3 6
        assert_eq!(
            by_rows(&[2, 3], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(by_rows(&[3], &[1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]);
    }
}
