use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::runtime::{BoundedQueue, Never, WaitError};

/// Functions, each to be called with the same arguments.
pub(super) type Work<'py> = (Vec<Py<PyAny>>, Bound<'py, PyTuple>);

/// Waits for the next item of a queue. An item that is there is taken without leaving Python, which must not be left any more
/// when the interpreter ends.
pub(super) fn next<T: Send>(py: Python<'_>, queue: &BoundedQueue<T>) -> Result<T, WaitError> {
    queue.try_pop()?.map_or_else(|| py.detach(|| queue.pop(&Never)), Ok)
}
