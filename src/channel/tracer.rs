//! Shows what goes over the line, element by element, and never a secret.
//!
//! Written bytes are redacted by construction: a command knows where its secrets stand. Bytes that arrive may be an echo of
//! it that lost bytes, or an answer that repeats a secret, and no syntax tells where in a damaged line a secret stands.
//! So there is one rule: **from before the first byte of a command with a secret is written until its answer has ended
//! and the line is in command mode again, a line is shown only if it is known.** Known are the exact echo of the command,
//! final result codes, results, message headers, and URCs. Of all other bytes only their number is shown.
//!
//! `tests/protocol/secrets.rs` holds the rule against damaged echoes and answers.

use std::ops::Range;

use super::event::Event;
use super::event_queue::EventQueue;
use crate::at::command::Command;
use crate::at::command_line::CommandLine;
use crate::at::final_result::{is_bare_final_result, is_final_result};
use crate::at::redaction::{not_shown, redacted, secret_spans};
use crate::at::trace::{Direction, TraceKind};
use crate::at::urc::{OperationResult, Urc};
use crate::inbound::damaged_header::HeaderLine;

/// More than any part of a message with its line end.
const LONGEST_ELEMENT: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct Tracer {
    is_on: bool,
    /// Bytes of an element whose end has not come.
    arriving: Vec<u8>,
    /// Elements pushed for writing, and not shown yet.
    pushed: Vec<Event>,
    secret: Option<SecretInFlight>,
}

/// A command with a secret, while something of that may come back.
#[derive(Debug)]
struct SecretInFlight {
    line: CommandLine,
    data: Vec<u8>,
}

/// The part of a line that may be shown.
enum Shown {
    Whole,
    /// All but these bytes.
    Without(Vec<Range<usize>>),
    Nothing,
}

impl Tracer {
    pub(super) fn set(&mut self, is_on: bool) {
        self.is_on = is_on;
        self.arriving.clear();
        self.pushed.clear();
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// `command` is about to be written. The rule holds from here on if it has a secret.
    pub(super) fn begin_command(&mut self, command: &Command) {
        let secret_data = command.data.as_ref().filter(|data| data.secret);
        let line = &command.line;
        let has_secret =
            secret_data.is_some() || !line.secrets().is_empty() || line.is_answered_with_secret();
        self.secret = has_secret.then(|| SecretInFlight {
            line: line.clone(),
            data: secret_data.map_or_else(Vec::new, |data| data.bytes.clone()),
        });
    }

    /// The line is in command mode again, and no command is in flight.
    pub(super) fn end_command(&mut self) {
        self.secret = None;
    }

    /// `line` as it may be shown to people.
    pub(super) fn shown(&self, line: &[u8]) -> Vec<u8> {
        let Some(secret) = &self.secret else { return redacted(line).into_owned() };
        match secret.shown(line) {
            Shown::Whole => line.to_vec(),
            Shown::Nothing => not_shown(line),
            Shown::Without(spans) => {
                let mut shown = line.to_vec();
                for span in spans {
                    shown[span].fill(b'*');
                }
                shown
            }
        }
    }

    /// `bytes` arrived, and end an element of a `kind`, if it is over. One that does not end is shown in pieces.
    #[cold]
    pub(super) fn handle_input(&mut self, bytes: &[u8], kind: Option<TraceKind>, events: &mut EventQueue) {
        for piece in bytes.chunks(LONGEST_ELEMENT) {
            if self.arriving.len() + piece.len() > LONGEST_ELEMENT {
                self.show_arrived(TraceKind::Line, events);
            }
            self.arriving.extend_from_slice(piece);
        }
        if let Some(kind) = kind {
            self.show_arrived(kind, events);
        }
    }

    fn show_arrived(&mut self, kind: TraceKind, events: &mut EventQueue) {
        let bytes = std::mem::take(&mut self.arriving);
        let spans = self.hidden_in(&bytes, kind);
        events.push(trace(Direction::FromModule, kind, bytes, spans));
    }

    /// `bytes` were pushed for writing; `secrets` are not shown.
    pub(super) fn handle_push(&mut self, kind: TraceKind, bytes: &[u8], secrets: &[Range<usize>]) {
        if self.is_on {
            self.pushed.push(trace(Direction::ToModule, kind, bytes.to_vec(), secrets.to_vec()));
        }
    }

    pub(super) fn handle_line_push(&mut self, line: &[u8], secrets: &[Range<usize>]) {
        if self.is_on {
            self.handle_push(TraceKind::Line, &[line, b"\r"].concat(), secrets);
        }
    }

    /// Shows what was pushed, in its place among what arrived.
    pub(super) fn show_pushed(&mut self, events: &mut EventQueue) {
        for event in self.pushed.drain(..) {
            events.push(event);
        }
    }

    fn hidden_in(&self, bytes: &[u8], kind: TraceKind) -> Vec<Range<usize>> {
        match &self.secret {
            None if kind == TraceKind::Data => Vec::new(),
            None => {
                let start = bytes.len() - bytes.trim_ascii_start().len();
                let spans = secret_spans(&bytes[start..]);
                spans.into_iter().map(|span| start + span.start..start + span.end).collect()
            }
            // Whole: a count that is wrong takes an echo for data.
            Some(_) if kind == TraceKind::Data => std::iter::once(0..bytes.len()).collect(),
            Some(secret) => secret.hidden_in(bytes),
        }
    }
}

impl SecretInFlight {
    fn hidden_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        let mut start = 0;
        for piece in bytes.split(|byte| matches!(byte, b'\r' | b'\n')) {
            match self.shown(piece) {
                Shown::Whole => {}
                Shown::Nothing => hidden.push(start..start + piece.len()),
                Shown::Without(spans) => {
                    hidden.extend(spans.into_iter().map(|span| start + span.start..start + span.end));
                }
            }
            start += piece.len() + 1;
        }
        hidden
    }

    fn shown(&self, line: &[u8]) -> Shown {
        if line == self.line.bytes() {
            return Shown::Without(self.line.secrets().to_vec());
        }
        if is_known(line) {
            return Shown::Whole;
        }
        if self.line.is_answered_with_secret() {
            return if self.line.is_sound_answer(line) {
                Shown::Without(secret_spans(line))
            } else {
                Shown::Nothing
            };
        }
        if is_known_by_its_beginning(line) && !self.may_be_in(line) {
            return Shown::Whole;
        }
        Shown::Nothing
    }

    /// A piece of a secret is in `line`.
    fn may_be_in(&self, line: &[u8]) -> bool {
        const PIECE: usize = 4;
        let bytes = self.line.bytes();
        let secrets = self.line.secrets().iter().map(|span| &bytes[span.clone()]);
        let holds = |piece: &[u8]| memchr::memmem::find(line, piece).is_some();
        secrets
            .chain([&self.data[..]])
            .filter(|secret| !secret.is_empty())
            .any(|secret| secret.windows(PIECE.min(secret.len())).any(holds))
    }
}

/// The whole line is one that the driver knows.
fn is_known(line: &[u8]) -> bool {
    let is_urc = Urc::parse(line).is_some_and(|urc| urc != Urc::Other);
    let is_header = || matches!(HeaderLine::parse(line), Some(HeaderLine::Sound(_)));
    matches!(line.trim_ascii(), b"" | b">")
        || is_bare_final_result(line)
        || is_urc
        || OperationResult::parse(line).is_some()
        || is_header()
}

/// The line begins as one that the driver knows and goes on with any text.
fn is_known_by_its_beginning(line: &[u8]) -> bool {
    is_final_result(line) || Urc::parse(line).is_some() || is_range(line)
}

/// The answer to a sync probe: `+CMQTTDISC: (0-1),(0, 60-180)`.
fn is_range(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"+CMQTT") else { return false };
    let name = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let is_of_range = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'(' | b')' | b',' | b'-' | b' ');
    rest[name..].strip_prefix(b": (").is_some_and(|range| range.iter().all(is_of_range))
}

/// The trace of an element. The bytes of `spans` are replaced by asterisks.
fn trace(direction: Direction, kind: TraceKind, mut bytes: Vec<u8>, redacted: Vec<Range<usize>>) -> Event {
    for span in &redacted {
        bytes[span.clone()].fill(b'*');
    }
    Event::Trace { direction, kind, bytes, redacted }
}
