use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use super::log;
use super::work::{Work, next};
use crate::runtime::{BackgroundTask, EventRouter, FutureEnd, LogRecord};

/// The source of work of the background thread, which writes log records and ends futures, so that no callback can delay
/// them.
#[pyclass(frozen)]
pub(super) struct BackgroundSource {
    router: Arc<EventRouter>,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Everything,
    /// Only the ends of futures: the log is blocked.
    FutureEnds,
}

/// A Python future and its result, which the background thread makes.
pub(super) struct FutureResult {
    future: Py<PyAny>,
    /// `None`: the operation was cancelled before it began.
    make_result: Option<MakeResult>,
}

type MakeResult = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

impl FutureResult {
    pub(super) fn new(
        future: Py<PyAny>,
        make_result: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        Self { future, make_result: Some(Box::new(make_result)) }
    }

    pub(super) fn cancelled(future: Py<PyAny>) -> Self {
        Self { future, make_result: None }
    }
}

impl BackgroundSource {
    pub(super) fn new(router: Arc<EventRouter>, takes: Takes) -> Self {
        Self { router, takes }
    }

    fn next(&self, py: Python<'_>) -> Option<BackgroundTask> {
        let tasks = self.router.background().tasks();
        match self.takes {
            Takes::Everything => next(py, tasks).ok(),
            Takes::FutureEnds => tasks.try_pop_if(|task| matches!(task, BackgroundTask::EndFuture(_))),
        }
    }
}

#[pymethods]
impl BackgroundSource {
    /// Waits for the next call; returns the function and its arguments, or None at the end.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Work<'py>>> {
        let Some(task) = self.next(py) else { return Ok(None) };
        let (function, arguments) = match task {
            BackgroundTask::Log(record) => log_call(py, record)?,
            BackgroundTask::EndFuture(end) => end_call(py, end)?,
        };
        Ok(Some((vec![function], arguments)))
    }

    /// Called with the exception of a log handler or of a future's callback. Returns whether to log it.
    #[expect(
        clippy::unused_self,
        reason = "the source of callbacks has this method too, and keeps the exception"
    )]
    fn failed(&self, error: &Bound<'_, PyAny>) -> bool {
        let _ = error;
        true
    }
}

type FunctionCall<'py> = (Py<PyAny>, Bound<'py, PyTuple>);

fn log_call(py: Python<'_>, record: LogRecord) -> PyResult<FunctionCall<'_>> {
    Ok((Py::new(py, WriteRecord(record))?.into_any(), PyTuple::empty(py)))
}

/// A call that writes a log record.
#[pyclass(frozen)]
struct WriteRecord(LogRecord);

#[pymethods]
impl WriteRecord {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        log::write(py, &self.0)
    }
}

fn end_call(py: Python<'_>, end: FutureEnd) -> PyResult<FunctionCall<'_>> {
    static END: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static CANCELLED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // Every handle is made in this layer, of a `FutureResult`.
    let Ok(end) = end.downcast::<FutureResult>() else { unreachable!("the handle holds a FutureResult") };
    let FutureResult { future, make_result } = *end;
    let Some(make_result) = make_result else {
        let cancelled = CANCELLED.import(py, "simcom_mqtt.futures", "cancelled")?.clone().unbind();
        return Ok((cancelled, (future,).into_pyobject(py)?));
    };
    let (value, error) = match make_result(py) {
        Ok(value) => (value, None),
        Err(error) => (py.None(), Some(error.into_value(py))),
    };
    let end = END.import(py, "simcom_mqtt.futures", "end")?.clone().unbind();
    Ok((end, (future, value, error).into_pyobject(py)?))
}
