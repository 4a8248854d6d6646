//! The open module: the I/O thread's driver, the futures of operations, and the ways of events to other threads.

mod background_queue;
mod background_task;
mod bounded_queue;
mod callback_event;
mod callback_queue;
mod driver;
mod error;
mod event_router;
mod inbox;
mod log_record;
mod modem;
mod operation;
mod port_opener;
mod publish_gate;
mod requests;
mod transcript;
mod wait;

pub use background_queue::BackgroundQueue;
pub use background_task::{BackgroundTask, FutureEnd};
pub use bounded_queue::BoundedQueue;
pub use callback_event::CallbackEvent;
pub use callback_queue::CallbackQueue;
pub use error::Error;
pub use event_router::EventRouter;
pub use inbox::{Arrival, Inbox, InboxWait, QueueLimits};
pub use log_record::{Level, LogRecord, Logger};
pub use modem::{Configuration, Modem, QueuedPublish};
pub use operation::{Canceller, Operation};
pub use wait::{Cancellation, Never, WaitError};
