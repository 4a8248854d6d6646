//! The Python module: classes, conversions, errors.
#![allow(
    clippy::doc_markdown,
    clippy::doc_link_with_quotes,
    rustdoc::bare_urls,
    reason = "these comments are Python docstrings"
)]

mod arguments;
mod background_source;
mod callback_source;
mod callbacks;
mod calls_in_flight;
mod capture;
mod certificates;
mod client;
mod client_messages;
mod device;
mod errors;
mod inbox;
mod log;
mod modem;
mod modem_callbacks;
mod operation;
mod publishing;
mod service;
mod signals;
mod threads;
mod values;
mod work;

use std::sync::OnceLock;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

use crate::link;

/// Fills the module `simcom_mqtt._native`.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    refuse_subinterpreters(module.py())?;
    log::install(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<modem::SimcomMqtt>()?;
    module.add_class::<client::MqttClient>()?;
    module.add_class::<capture::Capture>()?;
    module.add_class::<inbox::Inbox>()?;
    module.add_class::<values::Message>()?;
    module.add_class::<values::Will>()?;
    module.add_class::<values::Tls>()?;
    module.add_class::<values::Reconnect>()?;
    module.add_function(wrap_pyfunction!(operation::submit, module)?)?;
    module.add_function(wrap_pyfunction!(list_ports, module)?)
}

/// State of the whole process belongs to the interpreter that imported the module first. Python 3.11 does not check that itself.
fn refuse_subinterpreters(py: Python<'_>) -> PyResult<()> {
    static FIRST: OnceLock<usize> = OnceLock::new();
    // Each interpreter has a `sys` of its own.
    let this = py.import("sys")?.as_ptr().addr();
    if *FIRST.get_or_init(|| this) == this {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "simcom_mqtt works in one interpreter of a process only, and another has imported it: use a process of its own",
    ))
}

/// The serial ports of this host.
#[pyfunction]
fn list_ports(py: Python<'_>) -> Vec<link::PortInfo> {
    py.detach(link::list_ports)
}
