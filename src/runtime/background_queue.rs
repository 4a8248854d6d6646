use std::sync::atomic::{AtomicU64, Ordering};

use super::background_task::{BackgroundTask, FutureEnd};
use super::bounded_queue::BoundedQueue;
use super::log_record::LogRecord;

/// The log records and the ends of futures that wait for the background thread.
pub struct BackgroundQueue {
    tasks: BoundedQueue<BackgroundTask>,
    /// Records that a full queue had no room for: a slow log is no reason to stop reading the port.
    missing_records: AtomicU64,
}

const MOST_RECORDS: usize = 10_000;
const MOST_RECORD_BYTES: usize = 16 << 20;

impl BackgroundQueue {
    pub(super) fn new() -> Self {
        Self { tasks: BoundedQueue::new(MOST_RECORDS, MOST_RECORD_BYTES), missing_records: AtomicU64::new(0) }
    }

    pub fn tasks(&self) -> &BoundedQueue<BackgroundTask> {
        &self.tasks
    }

    /// Gives a future its result on the background thread.
    pub fn end_future(&self, end: FutureEnd) {
        // Cannot fail: the last future ends before the queue is closed.
        let _ = self.tasks.push_always(BackgroundTask::EndFuture(end));
    }

    pub(super) fn log(&self, record: LogRecord) {
        let missing = self.missing_records.swap(0, Ordering::Relaxed);
        if missing > 0 && !self.push(LogRecord::missing(missing)) {
            self.missing_records.fetch_add(missing + 1, Ordering::Relaxed);
            return;
        }
        if !self.push(record) {
            self.missing_records.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn push(&self, record: LogRecord) -> bool {
        let size = record.size();
        self.tasks.push(BackgroundTask::Log(record), size)
    }

    /// Takes no further task, and drops those that wait.
    pub fn close_and_drop(&self) {
        drop(self.tasks.close_and_take());
    }
}
