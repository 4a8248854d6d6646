use super::record::Record;

/// Something to be done on the thread that may touch Python and that nobody waits for.
pub enum Report {
    Record(Record),
    /// A future to be completed.
    Task(Box<dyn FnOnce() + Send>),
}
