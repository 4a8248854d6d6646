use crate::at::{ClientIndex, CommandLine, Direction, TraceKind};
use crate::channel::{Failure, Outcome};
use crate::inbound::ReceivedMessage;

/// Names a transaction to whoever submitted it.
pub type TransactionId = u64;

/// What the engine has to say, in the order in which it happened.
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
    /// The result of a publish whose outcome was given up as unknown: it came after all, or cannot come any more.
    DeferredResult {
        id: TransactionId,
        result: Result<(), Failure>,
    },
    /// A command that acts on the MQTT stack succeeded, whoever sent it.
    CommandSucceeded(CommandLine),
    /// Its data entry broke off and was filled up, so what the module holds of it is nobody's.
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
    /// That a connection or the network was lost may have been among the bytes of a damaged message.
    ConnectionLossSuspected,
    /// Any other unsolicited line. Unknown ones may be the remains of something damaged.
    Urc {
        line: Vec<u8>,
        known: bool,
    },
    /// An element as it went by, with its line ends, secrets redacted. Only while tracing.
    Trace {
        direction: Direction,
        kind: TraceKind,
        bytes: Vec<u8>,
        /// Which of the bytes are asterisks in place of a secret.
        redacted: Vec<std::ops::Range<usize>>,
    },
}

/// What the engine counted since it was made.
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
