use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

use super::background_source::FutureResult;
use super::capture::{list, listed, message_timeout, wait_time};
use super::errors::into_python;
use super::operation::{converted, none};
use super::threads::Threads;
use super::values::Message;
use crate::runtime::{self, Arrival, Error, Never};

/// The messages of a client that a filter selects, from its making to its end: for who waits without a thread.
///
/// Used by `simcom_mqtt.aio`.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(super) struct Inbox {
    threads: Arc<Threads>,
    inbox: Arc<runtime::Inbox>,
}

impl Inbox {
    pub(super) fn new(threads: Arc<Threads>, inbox: Arc<runtime::Inbox>) -> Self {
        Self { threads, inbox }
    }
}

#[pymethods]
impl Inbox {
    /// All that arrived and was not forgotten.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let _call = self.threads.enter()?;
        list(py, self.inbox.messages())
    }

    fn __len__(&self) -> PyResult<usize> {
        let _call = self.threads.enter()?;
        Ok(self.inbox.count())
    }

    /// The next message, if it is there: kept in `messages`, or forgotten.
    #[pyo3(signature = (*, forget = false))]
    fn next(&self, forget: bool) -> PyResult<Option<Message>> {
        let _call = self.threads.enter()?;
        let at_once = self.inbox.begin_wait(Some(Instant::now()));
        let next = if forget { self.inbox.take(at_once, &Never) } else { self.inbox.next(at_once, &Never) };
        Ok(next.ok().map(Message::from))
    }

    /// A future that is done as soon as there is a next message, or `count` in all, or the inbox has ended.
    ///
    /// The future returns no message, so that a cancelled wait loses none.
    ///
    /// ClosedError, ConnectionLostError, PortError: none can come.
    #[pyo3(signature = (count = None))]
    fn arrival<'py>(&self, py: Python<'py>, count: Option<usize>) -> PyResult<Bound<'py, PyAny>> {
        static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let _call = self.threads.enter()?;
        let future = FUTURE.import(py, "concurrent.futures", "Future")?.call0()?;
        let (handle, router) = (future.clone().unbind(), self.threads.modem.router().clone());
        let arrival = count.map_or(Arrival::Next, Arrival::Count);
        let announcement = move |result: Result<(), Error>| {
            let result = FutureResult::new(handle, move |py| converted(none)(py, result));
            router.background().end_future(Box::new(result));
        };
        match self.inbox.known_or_announced(arrival, announcement) {
            None => {}
            Some(Ok(())) => drop(future.call_method1("set_result", (py.None(),))?),
            Some(Err(error)) => drop(future.call_method1("set_exception", (into_python(py, &error),))?),
        }
        Ok(future)
    }

    /// True after `end`.
    #[getter]
    fn has_ended(&self) -> PyResult<bool> {
        let _call = self.threads.enter()?;
        Ok(self.inbox.has_ended())
    }

    /// Stop collecting. What was collected can still be read.
    fn end(&self) {
        if !self.threads.modem.is_forked() {
            self.inbox.end();
        }
    }

    /// The MessageTimeoutError that says `what` is missing, and lists what did arrive.
    fn missing(&self, py: Python<'_>, what: &str) -> PyResult<Py<PyAny>> {
        let _call = self.threads.enter()?;
        let arrived = self.inbox.messages();
        let text = format!("{what}; {}", listed(&arrived));
        Ok(message_timeout(py, &text, arrived).into_value(py).into_any())
    }

    /// The time-out of a wait, if it is one: 0 looks without waiting.
    #[staticmethod]
    fn check_timeout(timeout: f64) -> PyResult<f64> {
        Ok(wait_time(timeout)?.as_secs_f64())
    }
}
