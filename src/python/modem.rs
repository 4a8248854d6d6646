//! `SimcomMqtt`: opening, closing, callbacks. What it asks of the module is in `service`, `certificates` and `network`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyResourceWarning, PyTypeError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyWeakrefReference};

use super::arguments::Integer;
use super::callbacks::Callbacks;
use super::signals::wait;
use super::threads::Threads;
use super::values::{QueueCounters, Stats};
use super::{errors, log, operation};
use crate::at::ClientIndex;
use crate::commands::{Invalid, seconds};
use crate::link::FlowControl;
use crate::mqtt::{self, Session};
use crate::runtime::{Configuration, Error, Modem, Operation, QueueLimits};

/// One SIM7672X/SIM7652X module on one AT port: owns the port and its background threads.
///
/// Opens the port exclusively, finds the module with `AT`, and switches its echo off (`ATE0`). Can be subclassed.
///
/// port: "/dev/ttyUSB2", "COM5", "socket://host:port" (raw TCP, as ser2net serves it), or "rfc2217://host:port" (TCP with
///     commands for the port).
/// baudrate: bits per second; a USB port ignores it.
/// flow_control: "none", "hardware" (RTS/CTS) or "software" (XON/XOFF).
/// command_timeout: seconds, for commands that have no documented limit of their own.
/// queue_size: messages (and 64 MiB) that may wait for the callback thread. When it is full the newest is dropped,
///     counted in `stats.dropped_messages` and told to `on_message_lost`.
/// transcript: a file that gets everything both ways, timestamped, secrets redacted.
///
/// PortError: the port is missing or busy, or may not be opened.
/// CommandTimeoutError: nothing answers on it.
#[pyclass(frozen, weakref, subclass, module = "simcom_mqtt")]
pub(super) struct SimcomMqtt {
    opened: OnceLock<Opened>,
    pub(super) callbacks: Callbacks,
    /// The Python objects of acquired clients that the program still holds.
    clients: Mutex<[Option<Py<PyWeakrefReference>>; 2]>,
    callback_errors: Mutex<Vec<Py<PyAny>>>,
}

struct Opened {
    threads: Arc<Threads>,
    logging_lines: AtomicBool,
}

/// The bytes that may wait for the callback thread, beside `queue_size` messages.
const QUEUE_BYTES: usize = 64 << 20;
const MOST_CALLBACK_ERRORS: usize = 100;
/// The longest time that leaving a `with` block takes.
const EXIT_TIME: Duration = Duration::from_secs(5);

#[pymethods]
impl SimcomMqtt {
    #[new]
    #[pyo3(
        signature = (*args, **kwargs),
        text_signature = "(port, baudrate=115200, *, flow_control='none', command_timeout=10.0, queue_size=65536, transcript=None)"
    )]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        // Subclasses may take arguments of their own: __init__ opens.
        let _ = (args, kwargs);
        Self {
            opened: OnceLock::new(),
            callbacks: Callbacks::default(),
            clients: Mutex::default(),
            callback_errors: Mutex::default(),
        }
    }

    #[pyo3(signature = (port, baudrate = Integer(115_200), *, flow_control = "none", command_timeout = 10.0, queue_size = Integer(65_536), transcript = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn __init__(
        &self,
        py: Python<'_>,
        port: String,
        baudrate: Integer,
        flow_control: &str,
        command_timeout: f64,
        queue_size: Integer,
        transcript: Option<PathBuf>,
    ) -> PyResult<()> {
        self.open(py, port, baudrate, flow_control, command_timeout, queue_size, transcript).map(drop)
    }

    /// Open, as `__init__` does: for `simcom_mqtt.aio`, which submits it.
    #[pyo3(
        name = "_open",
        signature = (port, baudrate = Integer(115_200), *, flow_control = "none", command_timeout = 10.0, queue_size = Integer(65_536), transcript = None),
        text_signature = "($self, port, baudrate=115200, *, flow_control='none', command_timeout=10.0, queue_size=65536, transcript=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn open(
        &self,
        py: Python<'_>,
        port: String,
        baudrate: Integer,
        flow_control: &str,
        command_timeout: f64,
        queue_size: Integer,
        transcript: Option<PathBuf>,
    ) -> PyResult<Py<PyAny>> {
        if self.opened.get().is_some() {
            return Err(PyTypeError::new_err("this SimcomMqtt is open already: make a new one"));
        }
        let log_lines = log::wants_lines(py)?;
        let configuration = Configuration {
            port,
            baudrate: baud_rate(baudrate)?,
            flow_control: flow_control_named(flow_control)?,
            command_timeout: seconds("command_timeout", command_timeout)?,
            queue_limits: QueueLimits { items: queue_items(queue_size)?, bytes: QUEUE_BYTES },
            log_lines,
            transcript,
        };
        let (modem, opening) = Modem::open(configuration)?;
        let router = modem.router().clone();
        let threads = Threads::start(py, modem)?;
        let opened = Opened { threads: threads.clone(), logging_lines: AtomicBool::new(log_lines) };
        if let Err(second) = self.opened.set(opened) {
            second.threads.close(py)?;
            return Ok(py.None());
        }
        operation::run(py, &router, opening, move |py, result| {
            if result.is_err() {
                threads.close(py)?;
            }
            operation::converted(operation::none)(py, result)
        })
    }

    /// Close the port and stop the threads, in at most 2 s: from any thread, any number of times.
    ///
    /// Also done when the interpreter exits. What the module holds (clients, connections) stays as it is. Waiting calls
    /// end with ClosedError, and every future ends. Callbacks get what has arrived as far as they take it in that time;
    /// the rest is counted in `stats.dropped_messages`, and none begins afterwards.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.opened.get().map_or(Ok(()), |opened| opened.threads.close(py))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Disconnect, release and stop what this object started, in at most 5 s, then close.
    ///
    /// Never hides the exception that left the body.
    #[pyo3(signature = (*exc))]
    fn __exit__(&self, py: Python<'_>, exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        let _ = exc;
        let Some(opened) = self.opened.get() else { return Ok(()) };
        let left = match opened.threads.enter_open() {
            Ok(_call) => wait(py, |signals| opened.threads.modem.start(leave).wait(signals)),
            Err(_) => Ok(()),
        };
        let closed = opened.threads.close(py);
        left.and(closed)
    }

    /// Disconnect, release and stop what this object started, in at most 5 s; `simcom_mqtt.aio` closes afterwards.
    fn _leave(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, |modem| modem.start(leave), operation::none)
    }

    /// The port, as it was given.
    #[getter]
    fn port(&self) -> PyResult<String> {
        let opened = self.opened.get().ok_or_else(Error::closed)?;
        Ok(opened.threads.modem.port().to_owned())
    }

    /// True while the port is open; False after `close()`.
    #[getter]
    pub(super) fn is_open(&self) -> bool {
        self.modem().is_ok_and(|modem| modem.is_open())
    }

    /// Counters since the port was opened, as they are now.
    #[getter]
    fn stats(&self) -> PyResult<Stats> {
        let router = self.modem()?.router();
        let queue = QueueCounters {
            dropped_messages: router.callbacks().dropped_messages(),
            queue_peak: router.callbacks().events().peak() as u64,
            reconnects: router.reconnects(),
        };
        Ok(Stats::new(router.counters(), queue))
    }

    /// The first 100 exceptions that callbacks raised. Each is logged too, and delivery goes on.
    #[getter]
    fn callback_errors(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        self.callback_errors.lock().iter().map(|error| error.clone_ref(py)).collect()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        let this = slf.get();
        let Some(opened) = this.opened.get() else { return Ok(format!("<{name}, not opened>")) };
        let state = if this.is_open() { "open" } else { "closed" };
        Ok(format!("<{name} on {:?}, {state}>", opened.threads.modem.port()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.callbacks.traverse(&visit)?;
        let Some(errors) = self.callback_errors.try_lock() else { return Ok(()) };
        errors.iter().try_for_each(|error| visit.call(error))
    }

    fn __clear__(&self) {
        self.callbacks.clear();
        let errors = std::mem::take(&mut *self.callback_errors.lock());
        drop(errors);
    }
}

impl SimcomMqtt {
    pub(super) fn modem(&self) -> Result<&Arc<Modem>, Error> {
        Ok(&self.threads()?.modem)
    }

    pub(super) fn threads(&self) -> Result<&Arc<Threads>, Error> {
        let threads = self.opened.get().map(|opened| &opened.threads).ok_or_else(Error::closed)?;
        // Before any lock, which may be held for ever there.
        if threads.modem.is_forked() { Err(Error::Forked) } else { Ok(threads) }
    }

    /// Starts an operation, and waits for its result or returns its future: see [`operation::run`]. `convert` makes Python's
    /// value of the result.
    pub(super) fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        start: impl FnOnce(&Modem) -> Operation<T>,
        convert: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        self.run_then(py, start, operation::converted(convert))
    }

    /// As [`SimcomMqtt::run`]; `finish` gets the errors too.
    pub(super) fn run_then<T: Send + 'static>(
        &self,
        py: Python<'_>,
        start: impl FnOnce(&Modem) -> Operation<T>,
        finish: impl FnOnce(Python<'_>, Result<T, Error>) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Py<PyAny>> {
        let threads = self.threads()?;
        let _call = threads.enter_open()?;
        self.follow_log_level(py)?;
        operation::run(py, threads.modem.router(), start(&threads.modem), finish)
    }

    /// The I/O thread cannot ask Python whether anybody reads the log, so every call tells it.
    pub(super) fn follow_log_level(&self, py: Python<'_>) -> PyResult<()> {
        let Some(opened) = self.opened.get() else { return Ok(()) };
        let enabled = log::wants_lines(py)?;
        if opened.logging_lines.swap(enabled, Ordering::Relaxed) != enabled {
            opened.threads.modem.log_lines(enabled);
        }
        Ok(())
    }

    /// Messages that came before are still delivered to the callbacks of the client.
    pub(super) fn release_callbacks(&self, client: ClientIndex) {
        self.callbacks.release(client);
        let is_told = self
            .opened
            .get()
            .is_some_and(|opened| opened.threads.modem.router().callbacks().mark_released(client));
        if !is_told {
            self.callbacks.forget_released(client);
        }
    }

    /// Returns the Python object of a client, if the program still holds it.
    pub(super) fn client_reference(
        &self,
        py: Python<'_>,
        client: ClientIndex,
    ) -> Option<Py<PyWeakrefReference>> {
        self.clients.lock()[client.slot()].as_ref().map(|weak| weak.clone_ref(py))
    }

    pub(super) fn set_client_reference(&self, client: ClientIndex, weak: Py<PyWeakrefReference>) {
        let former = self.clients.lock()[client.slot()].replace(weak);
        drop(former);
    }

    /// Kept; the next callback runs all the same. Whether it is to be logged.
    pub(super) fn callback_failed(&self, error: &Bound<'_, PyAny>) -> bool {
        if !self.is_open() && errors::is_closed(error) {
            // It was at work when the driver was closed, which is no fault of its own.
            return false;
        }
        let mut errors = self.callback_errors.lock();
        if errors.len() < MOST_CALLBACK_ERRORS {
            errors.push(error.clone().unbind());
        }
        true
    }
}

impl Drop for SimcomMqtt {
    fn drop(&mut self) {
        let Some(opened) = self.opened.get() else { return };
        if !opened.threads.modem.is_open() {
            return;
        }
        Python::attach(|py| {
            // The code that drops the last reference may be about to raise.
            let raised = PyErr::take(py);
            let text = format!(
                "unclosed SimcomMqtt on {:?}: call close() or use a with block",
                opened.threads.modem.port()
            );
            let text = std::ffi::CString::new(text).unwrap_or_default();
            let category = py.get_type::<PyResourceWarning>();
            if let Err(error) = PyErr::warn(py, &category, &text, 1) {
                error.write_unraisable(py, None);
            }
            if let Err(error) = opened.threads.close(py) {
                error.write_unraisable(py, None);
            }
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}

async fn leave(session: Session) -> Result<(), mqtt::Error> {
    session.leave(EXIT_TIME).await
}

fn baud_rate(number: Integer) -> Result<NonZeroU32, Invalid> {
    u32::try_from(number.0)
        .ok()
        .and_then(NonZeroU32::new)
        .ok_or_else(|| Invalid::value("baudrate", number.0, "1 to 4294967295 bits per second"))
}

fn queue_items(number: Integer) -> Result<usize, Invalid> {
    usize::try_from(number.0)
        .ok()
        .filter(|items| *items > 0)
        .ok_or_else(|| Invalid::value("queue_size", number.0, "a positive number of messages"))
}

fn flow_control_named(name: &str) -> Result<FlowControl, Invalid> {
    match name {
        "none" => Ok(FlowControl::None),
        "hardware" => Ok(FlowControl::Hardware),
        "software" => Ok(FlowControl::Software),
        _ => Err(Invalid::text("flow_control", name, "\"none\", \"hardware\" or \"software\"")),
    }
}
