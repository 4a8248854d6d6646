//! The two Python threads of a module, and the end of them.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::background_source::{BackgroundSource, Takes};
use super::calls_in_flight::{Call, CallsInFlight};
use super::log;
use super::signals::Signals;
use crate::runtime::{Error, LogRecord, Modem};

/// An open module and the Python threads that serve it.
pub(super) struct Threads {
    pub(super) modem: Arc<Modem>,
    background: Mutex<Option<Py<PyAny>>>,
    callbacks: Mutex<Option<Py<PyAny>>>,
    calls: CallsInFlight,
}

/// The longest time that `close()` takes, callbacks that block included.
const CLOSING_TIME: Duration = Duration::from_secs(2);

/// Everything open, for the end of the interpreter.
static OPEN: Mutex<Vec<Weak<Threads>>> = Mutex::new(Vec::new());

impl Threads {
    pub(super) fn start(py: Python<'_>, modem: Modem) -> PyResult<Arc<Self>> {
        close_at_exit(py)?;
        let source =
            Bound::new(py, BackgroundSource::new(modem.router().clone(), Takes::Everything))?.into_any();
        let thread = start_thread(py, "simcom-mqtt-background", &source)?;
        let threads = Arc::new(Self {
            modem: Arc::new(modem),
            background: Mutex::new(Some(thread)),
            callbacks: Mutex::default(),
            calls: CallsInFlight::default(),
        });
        let mut open = OPEN.lock();
        open.retain(|known| known.strong_count() > 0);
        open.push(Arc::downgrade(&threads));
        Ok(threads)
    }

    /// For a call that may run Python code, so that the end of the interpreter waits for it.
    pub(super) fn enter(&self) -> Result<Call<'_>, Error> {
        if self.modem.is_forked() {
            return Err(Error::Forked);
        }
        Ok(self.calls.enter())
    }

    /// As [`Threads::enter`], for calls that need the port.
    pub(super) fn enter_open(&self) -> Result<Call<'_>, Error> {
        let call = self.enter()?;
        if self.modem.is_open() { Ok(call) } else { Err(Error::closed()) }
    }

    /// Starts the callback thread, once.
    pub(super) fn start_callbacks(
        &self,
        py: Python<'_>,
        make_source: impl FnOnce() -> PyResult<Py<PyAny>>,
    ) -> PyResult<()> {
        if !self.modem.router().callbacks().begin_service() {
            return Ok(());
        }
        let started =
            make_source().and_then(|source| start_thread(py, "simcom-mqtt-callbacks", source.bind(py)));
        match started {
            Ok(thread) => *self.callbacks.lock() = Some(thread),
            Err(error) => {
                self.modem.router().callbacks().end_service();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Ends the I/O thread, then the Python threads, which find their queues closed. Ctrl-C ends the waiting for them.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.enter() {
            Ok(_call) => self.close_until(py, Instant::now() + CLOSING_TIME),
            // It is the parent's to close.
            Err(_) => Ok(()),
        }
    }

    fn close_until(&self, py: Python<'_>, deadline: Instant) -> PyResult<()> {
        self.modem.begin_closing();
        let signals = Signals::default();
        let ended = py
            .detach(|| self.modem.finish_closing(deadline, &signals))
            .map_err(|_| signals.take())
            .and_then(|()| self.join_background(py, deadline))
            .and_then(|()| join(py, &self.callbacks, deadline).map(drop));
        let undelivered = self.modem.router().callbacks().close_and_drop();
        let told = if undelivered > 0 { tell_undelivered(py, undelivered) } else { Ok(()) };
        ended.and(told)
    }

    fn join_background(&self, py: Python<'_>, deadline: Instant) -> PyResult<()> {
        /// More than that is a callback that blocks.
        const USUAL_TIME: Duration = Duration::from_millis(500);
        if join(py, &self.background, deadline.min(Instant::now() + USUAL_TIME))? {
            return Ok(());
        }
        // The futures behind it must end all the same. An interpreter that goes down may have no thread for that.
        let ends =
            Bound::new(py, BackgroundSource::new(self.modem.router().clone(), Takes::FutureEnds))?.into_any();
        if let Ok(thread) = start_thread(py, "simcom-mqtt-background", &ends) {
            let former = self.background.lock().replace(thread);
            drop(former);
            join(py, &self.background, deadline)?;
        }
        Ok(())
    }
}

fn start_thread(py: Python<'_>, name: &str, source: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let arguments = PyDict::new(py);
    arguments.set_item("target", py.import("simcom_mqtt.service_threads")?.getattr("serve")?)?;
    arguments.set_item("args", (source,))?;
    arguments.set_item("name", name)?;
    arguments.set_item("daemon", true)?;
    let thread = py.import("threading")?.call_method("Thread", (), Some(&arguments))?;
    thread.call_method0("start")?;
    Ok(thread.unbind())
}

/// False if a callback holds the thread up. A thread need not wait for itself.
fn join(py: Python<'_>, thread: &Mutex<Option<Py<PyAny>>>, deadline: Instant) -> PyResult<bool> {
    let thread = thread.lock().as_ref().map(|thread| thread.clone_ref(py));
    let Some(thread) = thread else { return Ok(true) };
    let thread = thread.bind(py);
    if py.import("threading")?.call_method0("current_thread")?.is(thread) {
        return Ok(true);
    }
    let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
    thread.call_method1("join", (left,))?;
    Ok(!thread.call_method0("is_alive")?.is_truthy()?)
}

fn tell_undelivered(py: Python<'_>, count: u64) -> PyResult<()> {
    let text = format!(
        "closed with {count} messages that no callback got: the callbacks take too long to get them within {} s",
        CLOSING_TIME.as_secs()
    );
    log::write(py, &LogRecord::warning(text))
}

fn close_at_exit(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: pyo3::sync::PyOnceLock<()> = pyo3::sync::PyOnceLock::new();
    REGISTERED.get_or_try_init(py, || {
        let close_all = wrap_pyfunction!(close_all, py)?;
        py.import("atexit")?.call_method1("register", (close_all,)).map(drop)
    })?;
    Ok(())
}

/// Without this, threads that are in Rust while the interpreter goes down take the process with them.
#[pyfunction]
fn close_all(py: Python<'_>) -> PyResult<()> {
    let deadline = Instant::now() + CLOSING_TIME;
    let known: Vec<_> = OPEN.lock().drain(..).collect();
    let mut open: Vec<_> = known.iter().filter_map(Weak::upgrade).collect();
    open.retain(|threads| !threads.modem.is_forked());
    for threads in &open {
        threads.modem.begin_closing();
    }
    let mut closed = Ok(());
    for threads in &open {
        closed = closed.and(threads.close_until(py, deadline));
    }
    for threads in &open {
        py.detach(|| threads.calls.wait_for_end(deadline));
        threads.modem.router().background().close_and_drop();
    }
    closed
}
