//! Immutable values that go to Python and come from it.

mod message;
mod reconnect;
mod reported;
mod tls;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

pub(crate) use message::{Message, Will};
pub(crate) use reconnect::Reconnect;
pub(crate) use reported::{QueueCounters, Stats};
pub(crate) use tls::Tls;

/// Returns `Class(name=value, …)` of these attributes.
fn repr(object: &Bound<'_, PyAny>, attributes: &[&str]) -> PyResult<String> {
    let mut shown = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        shown.push(format!("{attribute}={}", object.getattr(*attribute)?.repr()?));
    }
    Ok(format!("{}({})", object.get_type().name()?, shown.join(", ")))
}

/// Bytes that are not UTF-8 become surrogate escapes, as in file names.
fn topic_text<'py>(py: Python<'py>, topic: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(topic) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => decoded(&PyBytes::new(py, topic), "utf-8", "surrogateescape"),
    }
}

fn decoded<'py>(bytes: &Bound<'py, PyBytes>, encoding: &str, errors: &str) -> PyResult<Bound<'py, PyString>> {
    Ok(bytes.call_method1("decode", (encoding, errors))?.cast_into()?)
}
