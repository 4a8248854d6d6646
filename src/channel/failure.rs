//! How a transaction ends: with the lines of its answers, or with a failure.

use std::fmt;

use crate::at::client_index::ClientIndex;
use crate::at::command_kind::CommandKind;
use crate::at::command_line::CommandLine;
use crate::at::result_code::ResultCode;

/// The information response of each command of a transaction: its lines, without CR and LF.
pub type Answers = Vec<Vec<Vec<u8>>>;

pub type Outcome = Result<Answers, Failure>;

/// The reason why a transaction did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The module refused the command. `code` is the result code of chapter 4.1, if the module gave one.
    Refused { command: FailedCommand, refusal: Refusal, code: Option<ResultCode> },
    /// The time is over, and the module has not sent what the command waited for.
    NoAnswer { command: FailedCommand, awaited: Awaited },
    /// `AT+CMQTTPUB` was written and its result was not read.
    ResultUnknown { command: FailedCommand, reason: UnknownReason },
    /// The connection was lost before the command was handed to the broker.
    ConnectionLost { command: FailedCommand, cause: LostBy },
    /// The module answers nothing at all, so nothing was written.
    Mute { command: FailedCommand },
    /// The module may still hold a payload that was not published, and would send it instead of an empty one.
    PayloadHeld { command: FailedCommand },
    /// The driver was closed before the transaction was over.
    Closed,
    /// The transaction was cancelled before its first byte was written.
    Cancelled,
}

/// The command that failed: its kind, and its line with the secrets redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct FailedCommand {
    kind: CommandKind,
    text: String,
}

/// The words in which the module refused a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A final result code: `ERROR`, `+CME ERROR: <err>`.
    FinalResult(String),
    /// A result behind `OK`: `+CMQTTPUB: <client_index>,<err>`.
    Result(ResultCode),
    /// `OK`, where the prompt for data was expected.
    NoPrompt,
    /// A prompt, though the command came without data.
    UnexpectedPrompt,
}

/// The answer that a command still waited for when its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The channel or the client was busy: nothing was written.
    Channel,
    Prompt,
    FinalResult,
    /// The `+CMQTT…` result URC.
    Result,
}

/// The reason why the result of a publish is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    Timeout,
    Lost(LostBy),
    Closed,
}

/// The event that ended a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostBy {
    /// `+CMQTTCONNLOST: <client_index>,<cause>`.
    Connection(u8),
    /// `+CMQTTNONET`.
    Network,
    /// The module rebooted.
    Restart,
    /// The port is gone; the text is the operating system's.
    Port(String),
}

impl Failure {
    pub fn command(&self) -> Option<&FailedCommand> {
        match self {
            Self::Refused { command, .. }
            | Self::NoAnswer { command, .. }
            | Self::ResultUnknown { command, .. }
            | Self::ConnectionLost { command, .. }
            | Self::Mute { command }
            | Self::PayloadHeld { command } => Some(command),
            Self::Closed | Self::Cancelled => None,
        }
    }
}

impl FailedCommand {
    pub fn kind(&self) -> CommandKind {
        self.kind
    }

    pub fn client(&self) -> Option<ClientIndex> {
        self.kind.client
    }

    /// The line for people, secrets redacted.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

impl From<&CommandLine> for FailedCommand {
    fn from(line: &CommandLine) -> Self {
        Self { kind: line.kind(), text: line.shown() }
    }
}

impl fmt::Debug for FailedCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

impl fmt::Display for FailedCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Refusal {
    /// The refusal of `command` for people, as the module printed it where it printed something.
    pub fn text(&self, command: CommandKind) -> String {
        match self {
            Self::FinalResult(line) => line.clone(),
            Self::Result(code) => {
                let name = command.name.text().unwrap_or_default();
                match command.client {
                    Some(client) => format!("+{name}: {client},{code}"),
                    None => format!("+{name}: {code}"),
                }
            }
            Self::NoPrompt => "OK without a prompt".to_owned(),
            Self::UnexpectedPrompt => "> (it asks for data, and none was given)".to_owned(),
        }
    }
}
