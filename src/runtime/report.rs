use std::any::Any;

use super::error::Error;
use super::record::Record;

/// Something for the thread that may touch Python, and that nobody waits for.
pub enum Report {
    Record(Record),
    Ended(Promise, Result<(), Error>),
}

/// What stands for the future of an operation; to this layer, luggage.
pub type Promise = Box<dyn Any + Send>;
