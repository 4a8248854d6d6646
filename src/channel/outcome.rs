use crate::at::ClientIndex;

/// The information response of each command of a transaction: its lines, without CR and LF.
pub type Answers = Vec<Vec<Vec<u8>>>;

/// What became of a transaction.
pub type Outcome = Result<Answers, Failure>;

/// Why a transaction did not succeed. Commands are shown with their secrets redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module said no: `ERROR`, `+CME ERROR: …`, or a result code of chapter 4.1.
    Refused { command: String, response: String, code: Option<u16>, client: Option<ClientIndex> },
    /// No answer within the time; what was being waited for.
    NoAnswer { command: String, awaited: Awaited },
    /// `AT+CMQTTPUB` was written and its result was not read.
    ResultUnknown { command: String, reason: UnknownReason },
    /// Not handed to the broker: the connection was lost before.
    ConnectionLost { command: String, cause: LostBy },
    /// The module answers nothing at all, so nothing was written.
    Mute { command: String },
    /// The module may still hold a payload that was not published, and would send it instead of an empty one.
    PayloadHeld { command: String },
    /// The driver was closed before the transaction was over.
    Closed,
    /// Cancelled before its first byte was written.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The channel or the client was busy: nothing was written.
    Channel,
    Prompt,
    FinalResult,
    /// The `+CMQTT…` result URC.
    Result,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    Timeout,
    Lost(LostBy),
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostBy {
    /// `+CMQTTCONNLOST: <client_index>,<cause>`.
    Connection(u8),
    /// `+CMQTTNONET`.
    Network,
    /// The module rebooted.
    Restart,
    /// The port is gone; what the system said.
    Port(String),
}
