//! What travels on the line, as a pure state machine: bytes and time in, bytes and events out.

mod block;
mod carry;
mod channel;
mod client_index;
mod command;
mod command_line;
mod connection_parameters;
mod data_echo;
mod doubt;
mod engine;
mod event;
mod framer;
mod header;
mod job;
mod masking;
mod message;
mod operations;
mod outbox;
mod outcome;
mod reassembly;
mod recovery;
mod running;
mod silence;
mod staging;
mod topic_filter;
mod tracing;
mod urc;

pub use client_index::ClientIndex;
pub use command::{Command, Data, Transaction};
pub use command_line::{CommandLine, Form, Operation};
pub use engine::{Engine, Settings};
pub use event::{Counters, Direction, Event, TraceKind, TransactionId};
pub use masking::masked;
pub use message::ReceivedMessage;
pub use outcome::{Answers, Awaited, Failure, LostBy, Outcome, UnknownReason};
pub use topic_filter::{is_filter, matches_filter};
