use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::runtime::{Level, LogRecord, Logger};

/// Lets records go to the loggers of Python.
pub(super) fn install(py: Python<'_>) -> PyResult<()> {
    // Those of other crates could come from the I/O thread, which must not wait for Python. Levels are not cached: a cached one goes stale.
    let logger = pyo3_log::Logger::new(py, pyo3_log::Caching::Loggers)?
        .filter(log::LevelFilter::Off)
        .filter_target("simcom_mqtt".to_owned(), log::LevelFilter::Debug);
    // The logger belongs to this library alone, so an earlier installation was this one.
    let _ = logger.install();
    Ok(())
}

/// Returns true if the logger `simcom_mqtt.at` takes DEBUG records: each line both ways.
pub(super) fn wants_lines(py: Python<'_>) -> PyResult<bool> {
    static LINES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    const DEBUG: u8 = 10;
    let lines = LINES.get_or_try_init(py, || {
        py.import("logging")?.call_method1("getLogger", ("simcom_mqtt.at",)).map(Bound::unbind)
    })?;
    lines.bind(py).call_method1("isEnabledFor", (DEBUG,))?.is_truthy()
}

/// Writes a record, and gives back what a handler raised.
pub(super) fn write(py: Python<'_>, record: &LogRecord) -> PyResult<()> {
    let level = match record.level {
        Level::Debug => log::Level::Debug,
        Level::Warning => log::Level::Warn,
    };
    match record.kind {
        Logger::Driver => log::log!(target: "simcom_mqtt", level, "{}", record.text),
        Logger::Line => log::log!(target: "simcom_mqtt::at", level, "{}", record.text),
    }
    // It has nowhere else to leave it.
    PyErr::take(py).map_or(Ok(()), Err)
}
