use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::session::Logger;

/// Whether anybody wants `simcom_mqtt.at` at DEBUG: each line both ways.
pub(super) fn is_enabled(py: Python<'_>) -> PyResult<bool> {
    const DEBUG: u8 = 10;
    logger(py, Logger::Line)?.call_method1("isEnabledFor", (DEBUG,))?.is_truthy()
}

pub(super) fn logger(py: Python<'_>, logger: Logger) -> PyResult<&Bound<'_, PyAny>> {
    static DRIVER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static LINE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let (cell, name) = match logger {
        Logger::Driver => (&DRIVER, "simcom_mqtt"),
        Logger::Line => (&LINE, "simcom_mqtt.at"),
    };
    let logger = cell.get_or_try_init(py, || {
        py.import("logging")?.call_method1("getLogger", (name,)).map(Bound::unbind)
    })?;
    Ok(logger.bind(py))
}
