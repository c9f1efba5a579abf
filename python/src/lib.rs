//! The compiled part of the Python package `freezeout`: problems as TOML text in, records as NumPy arrays out. What is convenient is written in Python.

mod cancellation;
mod records;

use cancellation::run_watched;
use freezeout::Error;
use freezeout::output::{Group, swept_name};
use freezeout::run::{Job, parse};
use freezeout::config::Config;
use freezeout::task::Progress;
use numpy::IntoPyArray;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// What other input can mend is a `ValueError`, a computation that failed a `RuntimeError`; the text is that of the program.
fn raised(error: Error) -> PyErr {
    let text = freezeout::error::on_one_line(&error.to_string());
    if error.is_bad_input() {
        PyValueError::new_err(text)
    } else {
        PyRuntimeError::new_err(text)
    }
}

/// Work in a pool of its own: that of the process does not survive a fork.
fn in_pool<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> freezeout::Result<T> + Send,
) -> freezeout::Result<T> {
    let failed = |message: String| Error::Config {
        key: "threads".into(),
        message,
    };
    const MOST_THREADS: usize = 1024;
    if threads.is_some_and(|n| n == 0 || n > MOST_THREADS) {
        return Err(failed(format!(
            "between 1 and {MOST_THREADS} threads are possible"
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build();
    pool.map_err(|e| failed(e.to_string()))?.install(work)
}

/// A checked configuration given to some work.
fn with_job<T: Send>(
    text: &str,
    threads: Option<usize>,
    work: impl FnOnce(&Config, Job) -> freezeout::Result<T> + Send,
) -> freezeout::Result<T> {
    let config = parse(text)?;
    in_pool(threads, || work(&config, Job::new(&config, text)?))
}

/// The JSON schema of a configuration.
#[pyfunction]
fn schema() -> String {
    freezeout::config::schema().to_string()
}

/// Refuses a text whose keys or types are wrong; computes and allocates nothing.
#[pyfunction]
fn parse_only(text: &str) -> PyResult<()> {
    parse(text).map(|_| ()).map_err(raised)
}

/// Checks everything and says what a run will need.
#[pyfunction]
fn check(py: Python, text: &str, threads: Option<usize>) -> PyResult<String> {
    py.detach(|| with_job(text, threads, |_, job| Ok(job.estimate().to_string())))
        .map_err(raised)
}

/// Runs a configuration; attributes and groups of the result file.
#[pyfunction]
fn run(
    py: Python,
    text: String,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyDict>> {
    let work = move |progress: &Progress| with_job(&text, threads, |_, job| job.run(None, progress));
    let file = run_watched(py, work, progress)?;
    records::of_file(py, file)
}

/// The configuration of every cell of a sweep.
#[pyfunction]
fn cells(py: Python, text: &str) -> PyResult<Vec<String>> {
    py.detach(|| with_job(text, None, |_, job| job.cells()))
        .map_err(raised)
}

/// The groups of one cell of a sweep, for [`stacked`] in this or another process.
#[pyfunction]
fn run_cell(py: Python, text: String, threads: Option<usize>) -> PyResult<Py<PyBytes>> {
    let work = move |progress: &Progress| with_job(&text, threads, |_, job| job.groups(progress));
    let groups = run_watched(py, work, None)?;
    let bytes = postcard::to_stdvec(&groups).map_err(|e| PyRuntimeError::new_err(e.to_string()))?;
    Ok(PyBytes::new(py, &bytes).unbind())
}

/// The result of a sweep from the groups of all of its cells.
#[pyfunction]
fn stacked(py: Python, text: &str, cells: Vec<Vec<u8>>) -> PyResult<Py<PyDict>> {
    let groups: Vec<Vec<Group>> = cells
        .iter()
        .map(|bytes| postcard::from_bytes(bytes))
        .collect::<Result<_, _>>()
        .map_err(|e| PyValueError::new_err(format!("a cell is no result of this build: {e}")))?;
    let file = py
        .detach(|| with_job(text, None, |_, job| job.stacked(&groups)))
        .map_err(raised)?;
    records::of_file(py, file)
}

/// The name under which a swept key stands in the result.
#[pyfunction]
fn coordinate_of(key: &str) -> String {
    swept_name(key)
}

/// The generator of `[escape]`: rows, columns and rates of its matrix without the diagonal, killing, cells of the states, faces.
#[pyfunction]
fn generator(py: Python, text: &str, parts: usize) -> PyResult<Py<PyDict>> {
    let assembled = py
        .detach(|| {
            let config = parse(text)?;
            let escape = config.escape.as_ref().ok_or_else(|| Error::Config {
                key: "escape".into(),
                message: "this section is required".into(),
            })?;
            in_pool(None, || escape.generator(&config.setting()?, parts))
        })
        .map_err(raised)?;
    let (starts, targets, rates) = assembled.rates.as_csr().clone().into_raw_storage();
    let starts: Vec<i64> = starts.into_iter().map(|k| k as i64).collect();
    let states: Vec<i64> = assembled.states.into_iter().map(|k| k as i64).collect();
    let faces: Vec<_> = assembled
        .faces
        .into_iter()
        .map(|axis| axis.into_pyarray(py))
        .collect();
    let dict = PyDict::new(py);
    dict.set_item("row_starts", starts.into_pyarray(py))?;
    dict.set_item("targets", targets.into_pyarray(py))?;
    dict.set_item("rates", rates.into_pyarray(py))?;
    dict.set_item("killing", assembled.killing.into_pyarray(py))?;
    dict.set_item("states", states.into_pyarray(py))?;
    dict.set_item("faces", faces)?;
    Ok(dict.unbind())
}

#[pymodule]
fn _freezeout(module: &Bound<PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(schema, module)?)?;
    module.add_function(wrap_pyfunction!(parse_only, module)?)?;
    module.add_function(wrap_pyfunction!(check, module)?)?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(cells, module)?)?;
    module.add_function(wrap_pyfunction!(run_cell, module)?)?;
    module.add_function(wrap_pyfunction!(stacked, module)?)?;
    module.add_function(wrap_pyfunction!(coordinate_of, module)?)?;
    module.add_function(wrap_pyfunction!(generator, module)?)
}
