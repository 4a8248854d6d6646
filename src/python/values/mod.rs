//! Immutable values that go to Python and come from it.

mod cell;
mod client_state;
mod message;
mod module_info;
mod port_info;
mod reconnect;
mod signal_quality;
mod stats;
mod tls;
mod will;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

pub(crate) use cell::Cell;
pub(crate) use client_state::ClientState;
pub(crate) use message::Message;
pub(crate) use module_info::ModuleInfo;
pub(crate) use port_info::PortInfo;
pub(crate) use reconnect::Reconnect;
pub(crate) use signal_quality::SignalQuality;
pub(crate) use stats::{QueueCounters, Stats};
pub(crate) use tls::Tls;
pub(crate) use will::Will;

/// `Class(name=value, …)` of these attributes, as Python shows each.
fn repr(object: &Bound<'_, PyAny>, attributes: &[&str]) -> PyResult<String> {
    let mut shown = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        shown.push(format!("{attribute}={}", object.getattr(*attribute)?.repr()?));
    }
    Ok(format!("{}({})", object.get_type().name()?, shown.join(", ")))
}

/// The same as a table, for notebooks.
fn html<'py>(object: &Bound<'py, PyAny>, attributes: &[&str]) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    py.import("simcom_mqtt.tables")?.getattr("table")?.call1((object, PyTuple::new(py, attributes)?))
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
