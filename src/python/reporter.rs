use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use super::errors::into_python;
use super::log;
use super::threads::{Work, next};
use crate::runtime::{Error, Hub, Promise, Record, Report};

/// What the thread that writes log records and ends futures, so that no callback can hold them up, takes its work from.
#[pyclass(frozen)]
pub(super) struct Reporter {
    hub: Arc<Hub>,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Everything,
    /// What is left to end; the log is held up.
    Ends,
}

impl Reporter {
    pub(super) fn new(hub: Arc<Hub>, takes: Takes) -> Self {
        Self { hub, takes }
    }

    fn next(&self, py: Python<'_>) -> Option<Report> {
        let reports = self.hub.reports();
        match self.takes {
            Takes::Everything => next(py, reports).ok(),
            Takes::Ends => reports.try_pop_if(|report| matches!(report, Report::Ended(..))),
        }
    }
}

#[pymethods]
impl Reporter {
    /// The next thing to call and its arguments, waited for; None at the end.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Work<'py>>> {
        let Some(report) = self.next(py) else { return Ok(None) };
        let (function, arguments) = match report {
            Report::Record(record) => writing(py, record)?,
            Report::Ended(promise, result) => ending(py, promise, result)?,
        };
        Ok(Some((vec![function], arguments)))
    }

    /// A log handler or a future's callback raised. Whether it is to be logged.
    #[expect(clippy::unused_self, reason = "as of the source of callbacks, which keeps them")]
    fn failed(&self, error: &Bound<'_, PyAny>) -> bool {
        let _ = error;
        true
    }
}

type Call<'py> = (Py<PyAny>, Bound<'py, PyTuple>);

fn writing(py: Python<'_>, record: Record) -> PyResult<Call<'_>> {
    Ok((Py::new(py, Writing(record))?.into_any(), PyTuple::empty(py)))
}

/// A call that writes a record.
#[pyclass(frozen)]
struct Writing(Record);

#[pymethods]
impl Writing {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        log::write(py, &self.0)
    }
}

fn ending(py: Python<'_>, promise: Promise, result: Result<(), Error>) -> PyResult<Call<'_>> {
    static END: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static WITHDRAW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // Whoever makes a promise makes it of a future.
    let Ok(future) = promise.downcast::<Py<PyAny>>() else { unreachable!("a promise is a Python future") };
    if let Err(Error::Cancelled) = result {
        let withdraw = WITHDRAW.import(py, "simcom_mqtt.futures", "finish_cancelled")?.clone().unbind();
        return Ok((withdraw, (*future,).into_pyobject(py)?));
    }
    let end = END.import(py, "simcom_mqtt.futures", "finish")?.clone().unbind();
    let error = result.err().map(|error| into_python(py, &error).into_value(py));
    Ok((end, (*future, error).into_pyobject(py)?))
}
