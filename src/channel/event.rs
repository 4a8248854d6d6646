//! Events: the engine tells its caller what happened, in order.

use std::ops::Range;

use super::failure::{Failure, Outcome};
use crate::at::client_index::ClientIndex;
use crate::at::command_line::CommandLine;
use crate::at::trace::{Direction, TraceKind};
use crate::inbound::ReceivedMessage;

/// The caller's name for a transaction that it submits.
pub type TransactionId = u64;

#[derive(Debug)]
pub enum Event {
    Message(ReceivedMessage),
    /// A message was damaged on the line, and is not delivered.
    MessageLost {
        client: Option<ClientIndex>,
        why: String,
    },
    Completed {
        id: TransactionId,
        outcome: Outcome,
    },
    /// The result of a publish that was reported as unknown: the result came after all, or cannot come any more.
    DeferredResult {
        id: TransactionId,
        result: Result<(), Failure>,
    },
    /// A command that changes something on the MQTT stack succeeded. The driver's own commands are among these.
    CommandSucceeded(CommandLine),
    /// The data entry of a command was not completed: the module holds padding instead of data.
    DataEntryAborted(CommandLine),
    ConnectionLost {
        client: ClientIndex,
        cause: u8,
    },
    NetworkLost,
    /// A boot banner, confirmed: nothing on the module is as it was.
    Restarted,
    PortLost(String),
    /// The module answers nothing any more.
    Mute,
    /// The report that a connection or the network was lost may have been among the bytes of a damaged message.
    ConnectionLossSuspected,
    /// Any other unsolicited line. One that is not known may be the rest of something damaged.
    Urc {
        line: Vec<u8>,
        is_known: bool,
    },
    /// An element as it went by, with its line ends. Only while tracing.
    Trace {
        direction: Direction,
        kind: TraceKind,
        bytes: Vec<u8>,
        /// The bytes that are asterisks in place of a secret.
        redacted: Vec<Range<usize>>,
    },
}

/// Counts since the engine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub commands: u64,
    pub messages: u64,
    pub publishes: u64,
    pub damaged_messages: u64,
    pub unknown_lines: u64,
    pub deferred_results: u64,
    /// Bytes without a stop bit, as the port's driver counted them.
    pub framing_errors: u64,
    pub parity_errors: u64,
    /// Bytes that were lost because the port's hardware or the kernel had no room.
    pub overruns: u64,
    pub breaks: u64,
}
