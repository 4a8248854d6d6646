//! The AT channel, as a pure state machine: bytes and time in, bytes and events out.

pub(crate) mod channel_state;
pub(crate) mod command_timeouts;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod job;
pub(crate) mod lane_barrier;
pub(crate) mod operations;
pub(crate) mod recovery;
pub(crate) mod running;
pub(crate) mod staged_payload;
pub(crate) mod tracing;
pub(crate) mod transaction;

pub use engine::{Engine, Settings};
pub use event::{Counters, Event, TransactionId};
pub use failure::{Answers, Awaited, FailedCommand, Failure, LostBy, Outcome, Refusal, UnknownReason};
pub use transaction::Transaction;
