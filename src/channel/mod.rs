//! The AT channel, as a pure state machine: bytes and time in, bytes and events out.

mod command_channel;
mod command_in_flight;
mod engine;
mod event;
mod event_queue;
mod failure;
mod lane_barrier;
mod pending_results;
mod queued_transaction;
mod recovery;
mod restart_check;
mod staged_payload;
mod surroundings;
mod sync_probe;
mod tracer;
mod transaction;
mod transaction_queue;
mod transactions;
mod wire;

pub use engine::{Engine, Settings};
pub use event::{Counters, Event, TransactionId};
pub use failure::{Answers, Awaited, FailedCommand, Failure, LostBy, Outcome, Refusal, UnknownReason};
pub use transaction::Transaction;
