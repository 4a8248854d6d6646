use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyTuple};

use super::arguments::Integer;
use super::errors;
use super::signals::Signals;
use super::threads::Threads;
use super::values::Message;
use crate::commands::Invalid;
use crate::inbound::{ReceivedMessage, matches_filter};
use crate::mqtt;
use crate::runtime::{Error, Inbox, WaitError};

/// The messages of a client that match a filter, collected until its `with` block ends.
///
/// Made by `MqttClient.capture`.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(super) struct Capture {
    threads: Arc<Threads>,
    inbox: Arc<Inbox>,
    filter: String,
}

impl Capture {
    pub(super) fn new(threads: Arc<Threads>, inbox: Arc<Inbox>, filter: &[u8]) -> Self {
        Self { threads, inbox, filter: String::from_utf8_lossy(filter).into_owned() }
    }
}

#[pymethods]
impl Capture {
    /// All that arrived so far, those handed out by `get()` included.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let _call = self.threads.enter()?;
        list(py, self.inbox.messages())
    }

    fn __len__(&self) -> PyResult<usize> {
        let _call = self.threads.enter()?;
        Ok(self.inbox.count())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.messages(py)?.try_iter()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Stop collecting. What was collected can still be read.
    #[pyo3(signature = (*exc))]
    fn __exit__(&self, exc: &Bound<'_, PyTuple>) {
        let _ = exc;
        if !self.threads.modem.is_forked() {
            self.inbox.end();
        }
    }

    /// The next message, waiting for it if need be.
    ///
    /// MessageTimeoutError: none came in time; `received` tells what arrived before.
    #[pyo3(signature = (timeout = 10.0))]
    fn get(&self, py: Python<'_>, timeout: f64) -> PyResult<Message> {
        let wait = self.inbox.begin_wait(Some(Instant::now() + wait_time(timeout)?));
        let _call = self.threads.enter()?;
        let signals = Signals::default();
        match py.detach(|| self.inbox.next(wait, &signals)) {
            Ok(message) => Ok(message.into()),
            Err(end) => Err(self.missing(py, end, &signals, "no further message", timeout)),
        }
    }

    /// Wait until `n` messages have arrived since the beginning, and return them all.
    ///
    /// MessageTimeoutError: fewer came in time; they are in `received`.
    #[pyo3(signature = (n, timeout = 10.0))]
    fn wait_count<'py>(&self, py: Python<'py>, n: Integer, timeout: f64) -> PyResult<Bound<'py, PyList>> {
        let n =
            usize::try_from(n.0).map_err(|_| Invalid::value("n", n.0, "a number of messages, 0 or more"))?;
        let wait = self.inbox.begin_wait(Some(Instant::now() + wait_time(timeout)?));
        let _call = self.threads.enter()?;
        let signals = Signals::default();
        match py.detach(|| self.inbox.wait_count(n, wait, &signals)) {
            Ok(messages) => list(py, messages),
            Err(end) => {
                let what = format!("{} of {n} messages", self.inbox.count());
                Err(self.missing(py, end, &signals, &what, timeout))
            }
        }
    }

    fn __repr__(&self) -> String {
        if self.threads.modem.is_forked() {
            return format!("<Capture of {:?} in the parent process>", self.filter);
        }
        format!("<Capture of {:?}: {} messages>", self.filter, self.inbox.count())
    }

    fn _repr_html_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("simcom_mqtt.tables")?.getattr("messages")?.call1((&self.filter, self.messages(py)?))
    }
}

impl Capture {
    fn missing(&self, py: Python<'_>, end: WaitError, signals: &Signals, what: &str, timeout: f64) -> PyErr {
        let arrived = self.inbox.messages();
        match end {
            WaitError::Cancelled => signals.take(),
            WaitError::Closed => Error::closed().into(),
            WaitError::Lost(cause) => Error::from(mqtt::Error::NoMoreMessages(cause)).into(),
            WaitError::Ended => {
                let text =
                    format!("{what} on {:?}, and the capture has ended; {}", self.filter, listed(&arrived));
                message_timeout(py, &text, arrived)
            }
            WaitError::TimedOut => {
                let text = format!("{what} on {:?} within {timeout} s; {}", self.filter, listed(&arrived));
                message_timeout(py, &text, arrived)
            }
        }
    }
}

/// Messages as they arrive, from its making on.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(super) struct Messages {
    threads: Arc<Threads>,
    inbox: Arc<Inbox>,
    timeout: Option<Duration>,
}

impl Messages {
    pub(super) fn new(threads: Arc<Threads>, inbox: Arc<Inbox>, timeout: Option<Duration>) -> Self {
        Self { threads, inbox, timeout }
    }
}

#[pymethods]
impl Messages {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        let _call = self.threads.enter()?;
        let wait = self.inbox.begin_wait(self.timeout.map(|timeout| Instant::now() + timeout));
        let signals = Signals::default();
        match py.detach(|| self.inbox.take(wait, &signals)) {
            Ok(message) => Ok(Some(message.into())),
            Err(WaitError::TimedOut | WaitError::Ended) => Ok(None),
            Err(WaitError::Lost(cause)) => Err(Error::from(mqtt::Error::NoMoreMessages(cause)).into()),
            Err(WaitError::Closed) => Err(Error::closed().into()),
            Err(WaitError::Cancelled) => Err(signals.take()),
        }
    }
}

/// The first message after the call that matches a filter, and `accepts` if given.
pub(super) fn wait_for_message(
    py: Python<'_>,
    inbox: &Inbox,
    filter: &[u8],
    timeout: f64,
    accepts: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<Message>> {
    let wait = inbox.begin_wait(Some(Instant::now() + wait_time(timeout)?));
    let signals = Signals::default();
    loop {
        let is_wanted = |message: &ReceivedMessage| matches_filter(filter, message.topic());
        let message = match py.detach(|| inbox.next_where(is_wanted, wait, &signals)) {
            Ok(message) => message,
            Err(WaitError::Cancelled) => return Err(signals.take()),
            Err(WaitError::Closed | WaitError::Ended) => return Err(Error::closed().into()),
            Err(WaitError::Lost(cause)) => return Err(Error::from(mqtt::Error::NoMoreMessages(cause)).into()),
            Err(WaitError::TimedOut) => {
                let arrived = inbox.messages();
                let shown = String::from_utf8_lossy(filter);
                let text = format!("no message on {shown:?} within {timeout} s; {}", listed(&arrived));
                return Err(message_timeout(py, &text, arrived));
            }
        };
        let message = Py::new(py, Message::from(message))?;
        match accepts {
            Some(accepts) if !accepts.call1((&message,))?.is_truthy()? => {}
            _ => return Ok(message),
        }
    }
}

/// Zero looks without waiting.
pub(super) fn wait_time(timeout: f64) -> Result<Duration, Invalid> {
    if timeout == 0.0 {
        return Ok(Duration::ZERO);
    }
    crate::commands::seconds("timeout", timeout)
}

pub(super) fn list(py: Python<'_>, messages: Vec<Arc<ReceivedMessage>>) -> PyResult<Bound<'_, PyList>> {
    let messages: PyResult<Vec<_>> =
        messages.into_iter().map(|message| Bound::new(py, Message::from(message))).collect();
    PyList::new(py, messages?)
}

pub(super) fn listed(arrived: &[Arc<ReceivedMessage>]) -> String {
    const MOST: usize = 5;
    if arrived.is_empty() {
        return "nothing arrived at all: is it subscribed, and does a client publish?".to_owned();
    }
    let mut topics: Vec<String> = Vec::new();
    for message in arrived.iter().rev() {
        let topic = message.topic().escape_ascii().to_string();
        if topics.len() < MOST && !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    format!("{} arrived, the last on {}", arrived.len(), topics.join(", "))
}

pub(super) fn message_timeout(py: Python<'_>, text: &str, arrived: Vec<Arc<ReceivedMessage>>) -> PyErr {
    let error = || {
        let fields = PyDict::new(py);
        fields.set_item("received", list(py, arrived)?)?;
        errors::new(&py.get_type::<errors::MessageTimeoutError>(), text, Some(&fields))
    };
    error().unwrap_or_else(|failure| failure)
}
