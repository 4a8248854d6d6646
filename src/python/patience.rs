use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::interrupter::Interruption;
use crate::runtime::{Error, Interrupted, Patience};

/// Lets Ctrl-C end a wait: looks for signals now and then, which only the main thread of Python gets.
#[derive(Default)]
pub(super) struct Signals {
    raised: Mutex<Option<PyErr>>,
}

impl Patience for Signals {
    fn interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }

    fn go_on(&self) -> Result<(), Interrupted> {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let checked = Python::try_attach(|py| py.check_signals());
        // An interpreter that is gone has no signals to tell of.
        checked.unwrap_or(Ok(())).map_err(|error| {
            *self.raised.lock() = Some(error);
            Interrupted
        })
    }
}

impl Signals {
    /// What a signal handler raised, if that ended the wait; else the driver's own error.
    pub(super) fn explain(&self, error: Error) -> PyErr {
        match error {
            Error::Interrupted => self.take(),
            error => error.into(),
        }
    }

    pub(super) fn take(&self) -> PyErr {
        self.raised.lock().take().unwrap_or_else(|| Error::Interrupted.into())
    }
}

/// Runs `wait` without the interpreter lock, until it is done, a signal handler raises, or this thread's `Interrupter`
/// is told to.
pub(super) fn wait<T: Send>(
    py: Python<'_>,
    wait: impl Send + FnOnce(&dyn Patience) -> Result<T, Error>,
) -> PyResult<T> {
    if let Some(interruption) = Interruption::of_this_thread() {
        return py.detach(|| wait(&*interruption)).map_err(PyErr::from);
    }
    let signals = Signals::default();
    let result = py.detach(|| wait(&signals));
    result.map_err(|error| signals.explain(error))
}
