//! A result file as Python objects.

use freezeout::output::{Attribute, CONVENTIONS, Group, Record, ResultFile, Values, cf_attributes};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::collections::BTreeMap;

/// `{"attributes": {...}, "groups": [{"name", "description", "attributes", "records": [...]}]}`, each record with its flat values, `shape`, `dimensions` and CF attributes.
pub fn of_file(py: Python, file: ResultFile) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    let root = attributes(py, file.attributes())?;
    root.set_item("Conventions", CONVENTIONS)?;
    dict.set_item("attributes", root)?;
    let groups = PyList::empty(py);
    for group in file.groups() {
        groups.append(of_group(py, group)?)?;
    }
    dict.set_item("groups", groups)?;
    Ok(dict.unbind())
}

fn of_group<'py>(py: Python<'py>, group: &Group) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", group.name())?;
    dict.set_item("description", group.description())?;
    dict.set_item("attributes", attributes(py, group.attributes())?)?;
    let records = PyList::empty(py);
    for record in group.records() {
        records.append(of_record(py, record, group)?)?;
    }
    dict.set_item("records", records)?;
    Ok(dict)
}

fn of_record<'py>(py: Python<'py>, record: &Record, group: &Group) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", record.name())?;
    match record.values() {
        Values::Float(v) => dict.set_item("values", v.clone().into_pyarray(py))?,
        Values::Integer(v) => dict.set_item("values", v.clone().into_pyarray(py))?,
        Values::Unsigned(v) => dict.set_item("values", v.clone().into_pyarray(py))?,
        Values::Bool(v) => dict.set_item("values", v.clone().into_pyarray(py))?,
        Values::Text(v) => dict.set_item("values", v)?,
    }
    let dimensions: Vec<&str> = record.dimensions().iter().map(|d| d.name.as_str()).collect();
    dict.set_item("dimensions", dimensions)?;
    dict.set_item("shape", record.shape())?;
    let texts = PyDict::new(py);
    for (name, text) in cf_attributes(record, group) {
        texts.set_item(name, text)?;
    }
    dict.set_item("attributes", texts)?;
    Ok(dict)
}

fn attributes<'py>(
    py: Python<'py>,
    attributes: &BTreeMap<String, Attribute>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in attributes {
        match value {
            Attribute::Text(text) => dict.set_item(name, text)?,
            Attribute::Float(number) => dict.set_item(name, number)?,
            Attribute::Integer(number) => dict.set_item(name, number)?,
        }
    }
    Ok(dict)
}
