use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::runtime::{Interrupted, Patience, Sleeper};

/// Gives up, from another thread, what a thread waits for inside its `with` block: as Ctrl-C does in the main thread.
///
/// What was asked of the module goes on, unless nothing of it was written yet. What `simcom_mqtt.aio` cancels with.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(super) struct Interrupter {
    interruption: Arc<Interruption>,
}

#[derive(Default)]
pub(super) struct Interruption {
    is_due: AtomicBool,
    sleeper: Mutex<Option<Arc<dyn Sleeper>>>,
}

thread_local! {
    static OF_THIS_THREAD: RefCell<Option<Arc<Interruption>>> = const { RefCell::new(None) };
}

#[pymethods]
impl Interrupter {
    #[new]
    fn new() -> Self {
        Self { interruption: Arc::default() }
    }

    // No method that calls: below Python code no Rust frame may lie, since the end of the interpreter ends threads there.
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        OF_THIS_THREAD.set(Some(slf.get().interruption.clone()));
        slf
    }

    #[pyo3(signature = (*exc))]
    #[expect(clippy::unused_self, reason = "it is this thread's, whichever object ends it")]
    fn __exit__(&self, exc: &Bound<'_, PyTuple>) {
        let _ = exc;
        OF_THIS_THREAD.set(None);
    }

    /// End the wait that is under way with SimcomError, or else the next one. Waits for nothing; from any thread.
    fn interrupt(&self, py: Python<'_>) {
        self.interruption.is_due.store(true, Ordering::Release);
        let sleeper = self.interruption.sleeper.lock().clone();
        if let Some(sleeper) = sleeper {
            py.detach(|| sleeper.wake());
        }
    }
}

impl Interruption {
    pub(super) fn of_this_thread() -> Option<Arc<Self>> {
        OF_THIS_THREAD.with_borrow(Clone::clone)
    }
}

impl Patience for Interruption {
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// Once, so that what is left to be cleared up can be.
    fn go_on(&self) -> Result<(), Interrupted> {
        if self.is_due.swap(false, Ordering::AcqRel) { Err(Interrupted) } else { Ok(()) }
    }

    fn watch(&self, sleeper: &Arc<dyn Sleeper>) {
        let former = self.sleeper.lock().replace(sleeper.clone());
        drop(former);
    }
}
