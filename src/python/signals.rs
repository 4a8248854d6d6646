use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::runtime::{Cancellation, Error};

/// Lets Ctrl-C end a wait: checks for signals, which Python gives to its main thread only.
#[derive(Default)]
pub(super) struct Signals {
    raised: Mutex<Option<PyErr>>,
}

impl Cancellation for Signals {
    fn is_cancelled(&self) -> bool {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general enough")]
        let checked = Python::try_attach(|py| py.check_signals());
        // An interpreter that is gone has no signals.
        match checked {
            Some(Err(error)) => {
                *self.raised.lock() = Some(error);
                true
            }
            _ => false,
        }
    }

    fn interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }
}

impl Signals {
    /// The exception of a signal handler, if there was one.
    pub(super) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().take()
    }

    /// The exception of a signal handler, after the wait that it cancelled.
    pub(super) fn take(&self) -> PyErr {
        self.raised().unwrap_or_else(|| Error::interrupted().into())
    }
}

/// Runs `wait` without the interpreter lock. An exception of a signal handler cancels the wait, and is raised.
pub(super) fn wait<T: Send>(
    py: Python<'_>,
    wait: impl Send + FnOnce(&Signals) -> Result<T, Error>,
) -> PyResult<T> {
    let signals = Signals::default();
    let result = py.detach(|| wait(&signals));
    result.map_err(|error| signals.raised().unwrap_or_else(|| error.into()))
}
