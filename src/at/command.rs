use std::time::Duration;

use super::client_index::ClientIndex;
use super::command_kind::{CommandKind, Form};
use super::command_line::CommandLine;

/// One AT command, ready for the channel: its line, what answers its `>` prompt, and how long an answer may take.
#[derive(Clone, Debug)]
pub struct Command {
    pub(crate) line: CommandLine,
    pub(crate) data: Option<Data>,
    pub(crate) limit: Option<Duration>,
}

/// Bytes entered at a `>` prompt.
#[derive(Clone)]
pub struct Data {
    pub(crate) bytes: Vec<u8>,
    /// The longest piece the module takes at once; the line is drained between pieces.
    pub(crate) piece: usize,
    /// Key material: never shown in a log, a transcript or an error.
    pub(crate) secret: bool,
}

impl Command {
    /// `line` without its CR. It must hold no CR, LF or NUL: callers validate, this only builds.
    pub fn new(line: impl Into<Vec<u8>>) -> Self {
        Self { line: CommandLine::parse(line.into()), data: None, limit: None }
    }

    #[must_use]
    pub fn with_data(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.data = Some(Data { bytes: bytes.into(), piece: usize::MAX, secret: false });
        self
    }

    /// Data written in pieces of at most `piece` bytes, and kept out of logs.
    #[must_use]
    pub fn with_secret_data(mut self, bytes: impl Into<Vec<u8>>, piece: usize) -> Self {
        self.data = Some(Data { bytes: bytes.into(), piece, secret: true });
        self
    }

    /// The documented maximum response time of the prompt or final result code, where it is not the default.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    pub fn line(&self) -> &CommandLine {
        &self.line
    }

    pub fn kind(&self) -> CommandKind {
        self.line.kind()
    }

    pub fn form(&self) -> Form {
        self.line.form()
    }

    pub fn client(&self) -> Option<ClientIndex> {
        self.line.client()
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Data({} bytes)", self.bytes.len())
    }
}
