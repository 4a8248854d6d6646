use std::any::Any;

use super::log_record::LogRecord;

/// Work for the background thread, which may touch Python.
pub enum BackgroundTask {
    Log(LogRecord),
    /// Gives a future its result.
    EndFuture(FutureEnd),
}

/// Opaque handle to a Python future and its result.
pub type FutureEnd = Box<dyn Any + Send>;
