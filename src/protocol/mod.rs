//! What travels on the line, as a pure state machine: bytes and time in, bytes and events out.

mod client_index;
mod command;
mod command_line;
mod masking;
mod message;
mod outcome;
mod topic_filter;

pub use client_index::ClientIndex;
pub use command::{Command, Data, Transaction};
pub use command_line::{CommandLine, Form, Operation};
pub use masking::masked;
pub use message::ReceivedMessage;
pub use outcome::{Answers, Awaited, Failure, LostBy, Outcome, UnknownReason};
pub use topic_filter::matches_filter;
