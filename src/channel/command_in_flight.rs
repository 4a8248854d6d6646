//! The command on the channel, and how far it has come.
//!
//! ```text
//! ready ──written──► awaiting prompt ──>──► prompted ──data written──► awaiting final ──OK, ERROR──► over
//!   │                                                                        ▲
//!   ├── without data ────────────────────────────────────────────────────────┘
//!   └── AT+CMQTTSUB? ──► listing ──OK──► listing, probed ──answer of the probe──► listing over ──OK──► over
//! ```
//!
//! `AT+CMQTTSUB?` lists bare topics, and a topic may read `OK`. So a probe follows its first `OK`: all lines before the
//! last `OK` in front of the probe's answer are topics.

use std::time::{Duration, Instant};

use super::failure::Awaited;
use super::queued_transaction::QueuedTransaction;
use crate::at::client_index::ClientIndex;
use crate::at::command::Command;
use crate::at::command_kind::{Form, Operation};
use crate::at::final_result::is_final_result;
use crate::at::parameters::Parameters;
use crate::at::result_code::ResultCode;
use crate::at::urc::client_and_code;

/// How long a module that has just rebooted may take to answer what was asked before: it never does.
const BOOT_GRACE: Duration = Duration::from_millis(500);
/// Information lines of one answer; more is not an answer but noise.
const MOST_LINES: usize = 4096;
pub(super) const LISTING_PROBE_NAME: &[u8] = b"CMQTTDISC";
pub(super) const LISTING_PROBE: &[u8] = b"AT+CMQTTDISC=?";
const LISTING_PROBE_ANSWER: &[u8] = b"+CMQTTDISC: (";

#[derive(Debug)]
pub(super) struct CommandInFlight {
    transaction: QueuedTransaction,
    phase: Phase,
    /// The line has left for the port: what came before is no answer to it.
    is_written: bool,
    lines: Vec<Vec<u8>>,
    /// The operation's result, where it came before the final result code.
    result: Option<ResultCode>,
    /// A result that came while a timed-out operation was still owed one: the final result code tells whose it is.
    ambiguous_result: Option<AmbiguousResult>,
    limit: Instant,
    /// A boot banner came meanwhile, and it is not known yet whether the module restarted.
    has_met_banner: bool,
}

#[derive(Debug)]
pub(super) struct AmbiguousResult {
    pub(super) code: ResultCode,
    pub(super) line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Ready,
    AwaitingPrompt,
    /// The prompt came; the data is not written yet.
    Prompted,
    AwaitingFinal,
    Listing {
        is_probed: bool,
    },
    /// The probe is answered: its own `OK` is left.
    ListingOver,
}

/// The meaning of a line to the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    No,
    Yes,
    /// The list of topics may be complete: the probe has to be written.
    ListingMayBeOver,
    /// The line is the command's final result code.
    Final,
}

/// The meaning of a prompt to the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Expected,
    Ignored,
    /// The command came without data.
    Unexpected,
}

/// The answer of a command that has ended.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) transaction: QueuedTransaction,
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) result: Option<ResultCode>,
}

impl CommandInFlight {
    pub(super) fn new(transaction: QueuedTransaction) -> Self {
        Self {
            phase: Phase::Ready,
            is_written: false,
            lines: Vec::new(),
            result: None,
            ambiguous_result: None,
            limit: transaction.deadline(),
            has_met_banner: false,
            transaction,
        }
    }

    pub(super) fn transaction(&self) -> &QueuedTransaction {
        &self.transaction
    }

    pub(super) fn transaction_mut(&mut self) -> &mut QueuedTransaction {
        &mut self.transaction
    }

    pub(super) fn command(&self) -> &Command {
        self.transaction.command()
    }

    pub(super) fn into_answered(self) -> Answered {
        Answered { transaction: self.transaction, lines: self.lines, result: self.result }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    pub(super) fn is_prompted(&self) -> bool {
        self.phase == Phase::Prompted
    }

    pub(super) fn limit(&self) -> Instant {
        self.limit
    }

    pub(super) fn has_met_banner(&self) -> bool {
        self.has_met_banner
    }

    /// The line of the command is pushed for writing; its answer may take until `limit`.
    pub(super) fn begin(&mut self, limit: Instant) {
        let command = self.transaction.command();
        self.phase = match () {
            () if command.data.is_some() => Phase::AwaitingPrompt,
            () if command.kind().lists_topics() => Phase::Listing { is_probed: false },
            () => Phase::AwaitingFinal,
        };
        self.limit = limit.min(self.transaction.deadline());
    }

    /// The data of the command is pushed for writing.
    pub(super) fn enter_data(&mut self, limit: Instant) {
        self.phase = Phase::AwaitingFinal;
        self.limit = limit.min(self.transaction.deadline());
    }

    /// All that was pushed has left. Returns whether the module may ask for data, once the line is out.
    pub(super) fn handle_written(&mut self) -> Option<bool> {
        if self.is_written {
            return None;
        }
        self.is_written = true;
        Some(self.command().kind().acts())
    }

    pub(super) fn handle_prompt(&mut self) -> Prompt {
        if self.command().data.is_none() {
            return Prompt::Unexpected;
        }
        if self.phase != Phase::AwaitingPrompt {
            return Prompt::Ignored;
        }
        self.phase = Phase::Prompted;
        Prompt::Expected
    }

    /// Lines that come now may be the answer.
    pub(super) fn awaits_answer(&self) -> bool {
        self.is_begun() && self.is_written
    }

    /// The operation that the command begins, once it is written or being written.
    pub(super) fn operation(&self) -> Option<Operation> {
        if self.is_begun() { self.command().kind().operation() } else { None }
    }

    pub(super) fn client(&self) -> Option<ClientIndex> {
        self.command().client()
    }

    /// `line` has a meaning for the command.
    pub(super) fn expects(&self, line: &[u8]) -> bool {
        self.awaits_answer() && (is_final_result(line) || self.command().line.owns(line))
    }

    pub(super) fn owns_echo(&self, line: &[u8]) -> bool {
        let own = self.command().line.bytes();
        match self.phase {
            Phase::Ready => false,
            Phase::Listing { .. } | Phase::ListingOver => {
                line == LISTING_PROBE || (self.lines.is_empty() && line == own)
            }
            _ => line == own.trim_ascii_end(),
        }
    }

    /// `line` belongs to the command although it may look like a result. Read forms own what has their prefix. No topic
    /// filter looks like an owed result.
    pub(super) fn owns_before_results(&self, line: &[u8], is_result: bool, is_owed: bool) -> bool {
        let command = self.command();
        match self.phase {
            _ if !self.awaits_answer() => false,
            Phase::Listing { .. } => !is_owed,
            _ if is_result && command.kind().resembled_operation().is_none() => false,
            _ => matches!(command.form(), Form::Read | Form::Test) && command.line.owns(line),
        }
    }

    /// Takes a line that the command owns by [`Self::owns_before_results`].
    pub(super) fn take_information(&mut self, line: &[u8]) -> Taken {
        match self.phase {
            Phase::Listing { is_probed: true } if line.starts_with(LISTING_PROBE_ANSWER) => {
                self.phase = Phase::ListingOver;
                if let Some(last) = self.lines.iter().rposition(|line| line == b"OK") {
                    self.lines.truncate(last);
                }
            }
            Phase::Listing { .. } if self.lines.is_empty() && is_final_result(line) && line != b"OK" => {
                return Taken::Final;
            }
            Phase::Listing { is_probed } => {
                self.keep(line);
                if line == b"OK" && !is_probed {
                    self.phase = Phase::Listing { is_probed: true };
                    return Taken::ListingMayBeOver;
                }
            }
            _ => self.keep(line),
        }
        Taken::Yes
    }

    /// Takes a line if it is one of the answer. `blank_lines` stand before it.
    pub(super) fn take_answer(&mut self, line: &[u8], blank_lines: usize) -> Taken {
        if is_final_result(line) {
            return Taken::Final;
        }
        let command = &self.command().line;
        if self.owns(line) {
            return self.take_information(line);
        }
        if !command.takes_bare_lines() || (line.starts_with(b"+") && !self.takes_other_prefix(line)) {
            return Taken::No;
        }
        if command.lists_text() && !self.lines.is_empty() {
            for _ in 0..blank_lines {
                self.keep(b"");
            }
        }
        self.take_information(line)
    }

    /// A line with another prefix than the command's is part of the answer: `+ICCID: …` of `AT+CICCID`, `+GCAP: …` of
    /// `ATI`. Where the answer has lines with the command's own prefix, it is not, unless the answer is text.
    fn takes_other_prefix(&self, line: &[u8]) -> bool {
        let command = &self.command().line;
        command.lists_text()
            || command.names(line)
            || (command.may_answer_with_other_prefix() && !self.lines.iter().any(|line| self.owns(line)))
    }

    fn owns(&self, line: &[u8]) -> bool {
        self.command().line.owns(line)
    }

    /// The command awaits its answer and has the name of `line` in it, so the line is no URC: `+CPIN: READY` of
    /// `AT+CPIN?`, `+CSQ: 20,99` of `AT+CREG?;+CSQ`.
    pub(super) fn names(&self, line: &[u8]) -> bool {
        if matches!(self.phase, Phase::Listing { .. }) {
            // A topic of one word, as `RING`.
            return self.awaits_answer() && line.iter().all(u8::is_ascii_alphanumeric);
        }
        self.awaits_answer() && self.command().line.names(line)
    }

    pub(super) fn take_text(&mut self, line: &[u8]) {
        self.keep(line);
    }

    /// `OK` ends the command now; before the prompt it does not.
    pub(super) fn may_end_with_ok(&self) -> bool {
        matches!(self.phase, Phase::AwaitingFinal | Phase::ListingOver)
    }

    pub(super) fn take_result(&mut self, code: ResultCode, line: &[u8]) {
        self.result.get_or_insert(code);
        self.keep(line);
    }

    /// Takes a result that may be a timed-out operation's. Returns the one taken before, which so is that one's.
    pub(super) fn take_ambiguous(&mut self, code: ResultCode, line: &[u8]) -> Option<AmbiguousResult> {
        if code == ResultCode::CLIENT_IS_BUSY || self.ambiguous_result.is_some() {
            self.take_result(code, line);
            return self.ambiguous_result.take();
        }
        self.ambiguous_result = Some(AmbiguousResult { code, line: line.to_vec() });
        None
    }

    pub(super) fn take_ambiguous_result(&mut self) -> Option<AmbiguousResult> {
        self.ambiguous_result.take()
    }

    /// The result that came though the final result code did not. A success is not the command's own before its data was
    /// entered.
    pub(super) fn lone_result(&self) -> Option<ResultCode> {
        let is_entered = !matches!(self.phase, Phase::AwaitingPrompt | Phase::Prompted);
        self.result.filter(|code| !code.is_success() || is_entered)
    }

    /// The result code of a refusal: the result that came, or a line `+CMQTT…: <client_index>,<err>` in the answer.
    pub(super) fn refusal_code(&self) -> Option<ResultCode> {
        if let Some(code) = self.result.filter(|code| !code.is_success()) {
            return Some(code);
        }
        let name = self.command().line.name();
        let own = self.lines.iter().rev().find_map(|line| Parameters::of_information(line, name))?;
        client_and_code(own).map(|(_, code)| code)
    }

    /// The number of data bytes that the module may still wait for.
    pub(super) fn owed_data(&self) -> usize {
        self.command().data.as_ref().map_or(0, |data| data.bytes.len())
    }

    pub(super) fn awaited(&self) -> Awaited {
        match self.phase {
            Phase::Ready => Awaited::Channel,
            Phase::AwaitingPrompt | Phase::Prompted => Awaited::Prompt,
            _ => Awaited::FinalResult,
        }
    }

    /// A boot banner came: the module owes no answer to what was asked before it, if it was one.
    pub(super) fn handle_boot_banner(&mut self, now: Instant) {
        if self.is_begun() {
            self.limit = self.limit.min(now + BOOT_GRACE);
            self.has_met_banner = true;
        }
    }

    fn is_begun(&self) -> bool {
        self.phase != Phase::Ready
    }

    fn keep(&mut self, line: &[u8]) {
        if self.lines.len() < MOST_LINES {
            self.lines.push(line.to_vec());
        }
    }
}
