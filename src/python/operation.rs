//! Runs operations for the methods of Python's classes: a method waits for the result, or returns its future.

use std::cell::Cell;
use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::background_source::FutureResult;
use super::errors::into_python;
use super::signals::Signals;
use crate::runtime::{Canceller, Error, EventRouter, Operation};

thread_local! {
    /// The method that is being called returns a future instead of waiting.
    static RETURNS_FUTURE: Cell<bool> = const { Cell::new(false) };
}

/// Call a method of `SimcomMqtt` or `MqttClient`, and return the future of its result instead of waiting for it.
///
/// `simcom_mqtt.aio` is made with this. Arguments that the method refuses are an exception of this call.
#[pyfunction]
#[pyo3(signature = (method, /, *args, **kwargs))]
pub(super) fn submit<'py>(
    method: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    RETURNS_FUTURE.set(true);
    let result = method.call(args, kwargs);
    // A method that needs no operation has its result already.
    if RETURNS_FUTURE.replace(false) {
        let future = new_future(method.py())?;
        future.call_method1("set_result", (result?,))?;
        return Ok(future);
    }
    result
}

/// Waits for an operation, or returns its future if `submit` made the call. `finish` makes Python's value or exception of the
/// result; it runs on the caller's thread or on the background thread.
pub(super) fn run<T: Send + 'static>(
    py: Python<'_>,
    router: &Arc<EventRouter>,
    operation: Operation<T>,
    finish: impl FnOnce(Python<'_>, Result<T, Error>) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Py<PyAny>> {
    if !RETURNS_FUTURE.replace(false) {
        let signals = Signals::default();
        let result = py.detach(|| operation.wait(&signals));
        let finished = finish(py, result);
        // The exception of a signal handler says more than that the operation was interrupted.
        return signals.raised().map_or(finished, Err);
    }
    let future = new_future(py)?;
    let handle = future.clone().unbind();
    let router = router.clone();
    let canceller = operation.then(move |result| {
        let result = FutureResult::new(handle, move |py| finish(py, result));
        router.background().end_future(Box::new(result));
    });
    future.setattr("_interrupt", Bound::new(py, Interrupt(canceller))?)?;
    Ok(future.unbind())
}

/// Cancels an operation; called by the future's `interrupt`.
#[pyclass(frozen)]
struct Interrupt(Canceller);

#[pymethods]
impl Interrupt {
    fn __call__(&self) {
        self.0.cancel();
    }
}

fn new_future(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    FUTURE.import(py, "simcom_mqtt.futures", "OperationFuture")?.call0()
}

/// The result of an operation without a value.
#[expect(clippy::unnecessary_wraps, reason = "a conversion as any other")]
pub(super) fn none(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

/// The result of an operation as a Python object.
pub(super) fn object<T: for<'py> IntoPyObject<'py>>(py: Python<'_>, value: T) -> PyResult<Py<PyAny>> {
    value.into_py_any(py)
}

/// Makes a `finish` of a conversion of the value: an error becomes its exception.
pub(super) fn converted<T>(
    convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> impl FnOnce(Python<'_>, Result<T, Error>) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, result| match result {
        Ok(value) => convert(py, value),
        Err(error) => Err(into_python(py, &error)),
    }
}
