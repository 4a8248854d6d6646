//! The two Python threads of a module, and the end of them.

use std::sync::Arc;
use std::sync::Weak;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::reporter::Reporter;
use crate::session::Modem;

/// An open module and the Python threads that serve it.
pub(super) struct Threads {
    pub(super) modem: Arc<Modem>,
    reporting: Mutex<Option<Py<PyAny>>>,
    dispatching: Mutex<Option<Py<PyAny>>>,
}

/// What `close()` takes at most, callbacks that block included.
const CLOSING_TIME: Duration = Duration::from_secs(2);

/// Everything open, for the end of the interpreter.
static OPEN: Mutex<Vec<Weak<Threads>>> = Mutex::new(Vec::new());

impl Threads {
    pub(super) fn start(py: Python<'_>, modem: Modem) -> PyResult<Arc<Self>> {
        close_at_exit(py)?;
        let hub = modem.hub().clone();
        let threads = Arc::new(Self {
            modem: Arc::new(modem),
            reporting: Mutex::default(),
            dispatching: Mutex::default(),
        });
        let reporter = Bound::new(py, Reporter::new(hub))?.into_any();
        let thread = start_thread(py, "simcom-mqtt-reports", &reporter)?;
        *threads.reporting.lock() = Some(thread);
        let mut open = OPEN.lock();
        open.retain(|known| known.strong_count() > 0);
        open.push(Arc::downgrade(&threads));
        Ok(threads)
    }

    /// Starts the callback thread, once.
    pub(super) fn dispatch(
        &self,
        py: Python<'_>,
        dispatcher: impl FnOnce() -> PyResult<Py<PyAny>>,
    ) -> PyResult<()> {
        if !self.modem.hub().begin_dispatching() {
            return Ok(());
        }
        let dispatcher = dispatcher()?;
        let thread = start_thread(py, "simcom-mqtt-callbacks", dispatcher.bind(py))?;
        *self.dispatching.lock() = Some(thread);
        Ok(())
    }

    /// Ends the I/O thread, then the Python threads, which find their queues closed.
    pub(super) fn close(&self, py: Python<'_>) {
        let deadline = Instant::now() + CLOSING_TIME;
        py.detach(|| self.modem.close());
        if self.modem.is_forked() {
            return;
        }
        for thread in [&self.reporting, &self.dispatching] {
            let thread = thread.lock().as_ref().map(|thread| thread.clone_ref(py));
            if let Some(thread) = thread {
                join(thread.bind(py), deadline);
            }
        }
    }
}

fn start_thread(py: Python<'_>, name: &str, target: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let arguments = PyDict::new(py);
    arguments.set_item("target", target)?;
    arguments.set_item("name", name)?;
    arguments.set_item("daemon", true)?;
    let thread = py.import("threading")?.call_method("Thread", (), Some(&arguments))?;
    thread.call_method0("start")?;
    Ok(thread.unbind())
}

/// A thread cannot wait for itself, and one that a callback holds up is left behind.
fn join(thread: &Bound<'_, PyAny>, deadline: Instant) {
    let py = thread.py();
    let is_this = || -> PyResult<bool> {
        let current = py.import("threading")?.call_method0("current_thread")?;
        Ok(current.is(thread))
    };
    if is_this().unwrap_or(true) {
        return;
    }
    let left = deadline.saturating_duration_since(Instant::now()).as_secs_f64();
    if let Err(error) = thread.call_method1("join", (left,)) {
        error.write_unraisable(py, Some(thread));
    }
}

/// Without this, threads that are in Rust while the interpreter goes down take the process with them.
fn close_at_exit(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: pyo3::sync::PyOnceLock<()> = pyo3::sync::PyOnceLock::new();
    REGISTERED.get_or_try_init(py, || {
        let close_all = wrap_pyfunction!(close_all, py)?;
        py.import("atexit")?.call_method1("register", (close_all,)).map(drop)
    })?;
    Ok(())
}

#[pyfunction]
fn close_all(py: Python<'_>) {
    let open: Vec<_> = OPEN.lock().drain(..).collect();
    for threads in open.iter().filter_map(Weak::upgrade) {
        threads.close(py);
    }
}
