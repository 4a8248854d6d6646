use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Whether anybody wants `simcom_mqtt.at` at DEBUG: each line both ways.
pub(super) fn is_enabled(py: Python<'_>) -> PyResult<bool> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    const DEBUG: u8 = 10;
    let logger = LOGGER.get_or_try_init(py, || {
        let logger = py.import("logging")?.call_method1("getLogger", ("simcom_mqtt.at",))?;
        PyResult::Ok(logger.unbind())
    })?;
    logger.bind(py).call_method1("isEnabledFor", (DEBUG,))?.is_truthy()
}

/// Log records of Rust go to Python's loggers. Levels are asked for each time: a cached one would go stale.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    // Another module in this process may have a logger of its own; ours is this library's alone, so that is one of us.
    let _ = pyo3_log::Logger::new(py, pyo3_log::Caching::Loggers)?.install();
    Ok(())
}
