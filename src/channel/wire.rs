//! The line to the module, as bytes: what arrives is cut into lines and messages, what is written is kept in order.

use std::time::{Duration, Instant};

use super::event_queue::EventQueue;
use super::tracer::Tracer;
use crate::at::command::{Command, Data};
use crate::at::foreign_text::ForeignText;
use crate::at::framer::{Element, Framer};
use crate::at::trace::TraceKind;
use crate::at::transmit_buffer::TransmitBuffer;
use crate::inbound::damaged_header::HeaderLine;
use crate::inbound::output::Output;
use crate::inbound::reassembly::{Reassembly, Trust};

/// How long an echo that may be an answer as well is held back.
const ECHO_TIME: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct Wire {
    framer: Framer,
    reassembly: Reassembly,
    transmit: TransmitBuffer,
    tracer: Tracer,
    held_echo: Option<HeldEcho>,
    text: ForeignText,
    /// Blank lines since the last line, and before that line.
    blank_lines: usize,
    blank_lines_before: usize,
    baudrate: u32,
}

#[derive(Clone, Copy, Debug)]
struct HeldEcho {
    length: usize,
    until: Instant,
}

/// Something that arrived, apart from messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A line that is no header of a message.
    Line,
    /// A line of text of another feature.
    Text,
    /// The beginning of a line that is longer than any.
    OverlongLine,
    /// A prompt that is part of no message.
    Prompt,
    /// There is something to take with [`Wire::poll_output`].
    Output,
}

/// Knows what the module may echo.
pub(super) trait Echoes {
    fn may_come(&self) -> bool;

    fn owns_echo(&self, line: &[u8]) -> bool;
}

impl Wire {
    pub(super) fn new(baudrate: u32) -> Self {
        Self {
            framer: Framer::new(),
            reassembly: Reassembly::new(baudrate),
            transmit: TransmitBuffer::default(),
            tracer: Tracer::default(),
            held_echo: None,
            text: ForeignText::default(),
            blank_lines: 0,
            blank_lines_before: 0,
            baudrate,
        }
    }

    /// There is a new port: what was read or pushed on the old one, and is not complete, is void.
    pub(super) fn attach_port(&mut self) {
        self.framer = Framer::new();
        self.transmit.clear();
        self.text.reset();
        self.held_echo = None;
    }

    /// Returns the next arrival in `input`, or `None` once `input` is used up. A line is put into `line`.
    pub(super) fn next(
        &mut self,
        input: &mut &[u8],
        line: &mut Vec<u8>,
        echoes: &impl Echoes,
        events: &mut EventQueue,
        now: Instant,
    ) -> Option<Arrival> {
        loop {
            let unread = *input;
            let element = self.framer.next(input);
            if self.tracer.is_on() {
                let bytes = &unread[..unread.len() - input.len()];
                self.tracer.handle_input(bytes, element.as_ref().and_then(kind_of), events);
            }
            match element? {
                Element::Counted(bytes) => {
                    self.reassembly.counted(bytes);
                    continue;
                }
                Element::Blank => {
                    self.reassembly.blank_line();
                    self.blank_lines += 1;
                    if self.text.is_open() {
                        self.text.handle_blank_line();
                        self.framer.expect_text(self.text.is_open(), self.text.is_certain());
                    }
                    continue;
                }
                Element::Line(found) => {
                    let mut text = found;
                    if let Some(rest) = without_echo(found, echoes) {
                        self.reassembly.unspaced();
                        text = rest;
                    }
                    self.blank_lines_before = std::mem::take(&mut self.blank_lines);
                    let ends_text = self.text.is_open() && !self.text.is_certain() && ends_text(text, echoes);
                    let is_text = self.text.is_open() && !ends_text;
                    let header = if is_text { None } else { HeaderLine::parse(text) };
                    if header.is_none() {
                        line.clear();
                        line.extend_from_slice(text);
                    }
                    if ends_text {
                        self.end_text();
                    }
                    let Some(header) = header else {
                        let is_text = self.is_text(line, now);
                        return Some(if is_text { Arrival::Text } else { Arrival::Line });
                    };
                    self.handle_header(header, now);
                }
                Element::CountedEnd { intact } => {
                    let tail = self.reassembly.counted_end(intact);
                    if !tail.is_empty() {
                        self.framer.resume_with(&tail);
                    }
                }
                Element::Overlong(found) => {
                    self.reassembly.unspaced();
                    line.clear();
                    line.extend_from_slice(found);
                    return Some(Arrival::OverlongLine);
                }
                Element::Prompt => {
                    if self.reassembly.prompt() == Trust::Trusted {
                        return Some(Arrival::Prompt);
                    }
                }
                Element::DataEcho => {
                    self.reassembly.unspaced();
                }
            }
            if self.reassembly.has_output() {
                return Some(Arrival::Output);
            }
        }
    }

    fn handle_header(&mut self, header: HeaderLine, now: Instant) {
        let is_line_end_intact = self.framer.line_end_is_intact();
        let count = self.reassembly.header(header, is_line_end_intact, self.framer.position(), now);
        if count > 0 {
            self.framer.take(count);
        }
    }

    /// Returns `true` if a line is text of another feature. Among the rest of a damaged message nothing opens a text.
    fn is_text(&mut self, line: &[u8], now: Instant) -> bool {
        if self.reassembly.is_resyncing() {
            self.end_text();
            return false;
        }
        let was_open = self.text.is_open();
        let is_text = self.text.handle_line(line, now);
        if is_text {
            // Within a block the text is no evidence of damage.
            self.reassembly.line(line, true, false);
        }
        if was_open || self.text.is_open() {
            self.framer.expect_text(self.text.is_open(), self.text.is_certain());
        }
        is_text
    }

    fn end_text(&mut self) {
        if self.text.is_open() {
            self.text.reset();
            self.framer.expect_text(false, false);
        }
    }

    /// The number of blank lines before the line that arrived last.
    pub(super) fn blank_lines_before(&self) -> usize {
        self.blank_lines_before
    }

    /// Returns `true` if a line that is no header may be trusted now. Else it is held, and may be an output later.
    pub(super) fn trusts(&mut self, line: &[u8], is_known: bool, is_echo: bool) -> bool {
        self.reassembly.line(line, is_known, is_echo) == Trust::Trusted
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.reassembly.poll_output()
    }

    /// The input that was read together is used up.
    pub(super) fn end_input(&mut self, now: Instant) {
        self.held_echo = match (self.framer.held_back(), self.held_echo) {
            (Some(length), Some(held)) if length == held.length => Some(held),
            (held, _) => held.map(|length| HeldEcho { length, until: now + ECHO_TIME }),
        };
    }

    /// Some bytes of the input that follows may be wrong or missing.
    pub(super) fn begin_damaged_input(&mut self) {
        self.reassembly.begin_damaged_input();
    }

    pub(super) fn end_damaged_input(&mut self) {
        self.reassembly.end_damaged_input();
    }

    /// Ends the messages whose time is over.
    pub(super) fn handle_message_timeout(&mut self, now: Instant) {
        if let Some(timed_out) = self.reassembly.handle_timeout(now) {
            self.framer.drop_header_begun();
            if let Some(tail) = timed_out.read_again {
                self.framer.resume_with(&tail);
            }
        }
    }

    /// Returns `true` if an echo was held back too long: it is read again, as an answer.
    pub(super) fn handle_echo_timeout(&mut self, now: Instant) -> bool {
        let is_over = self.held_echo.is_some_and(|held| held.until <= now);
        if is_over {
            self.held_echo = None;
            self.framer.release_held_echo();
        }
        is_over
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.reassembly.poll_timeout().into_iter().chain(self.held_echo.map(|held| held.until)).min()
    }

    /// The messages that are coming in are lost.
    pub(super) fn drop_messages(&mut self, why: &str) {
        self.reassembly.reset(why);
    }

    /// Nothing on the module is as it was, its echo of data included.
    pub(super) fn handle_restart(&mut self) {
        self.framer.reset_echo_habit();
        self.reassembly.reset("the module restarted");
        if self.framer.is_counting() {
            self.framer.resume_with(b"");
        }
    }

    /// The module may change whether it echoes.
    pub(super) fn handle_echo_change(&mut self) {
        self.framer.reset_echo_habit();
    }

    pub(super) fn expect_prompt(&mut self, is_expected: bool) {
        self.framer.expect_prompt(is_expected);
    }

    pub(super) fn end_data_entry(&mut self, is_accepted: bool) {
        self.framer.end_data_entry(is_accepted);
    }

    // Output.

    /// Nothing is being written, and no message is coming in: a command may begin.
    pub(super) fn may_write(&self) -> bool {
        self.transmit.is_empty() && self.is_free()
    }

    /// Bytes to write next. While a message is coming in, only what is begun goes on.
    pub(super) fn unwritten(&self) -> &[u8] {
        if self.transmit.is_begun() || self.is_free() { self.transmit.unwritten() } else { &[] }
    }

    pub(super) fn must_drain(&self) -> bool {
        self.transmit.must_drain()
    }

    pub(super) fn has_unwritten(&self) -> bool {
        !self.transmit.is_empty()
    }

    pub(super) fn handle_written(&mut self, count: usize) {
        self.transmit.handle_written(count);
    }

    pub(super) fn push_command(&mut self, command: &Command) {
        let line = &command.line;
        self.tracer.begin_command(command);
        self.transmit.push_line(line.bytes());
        self.tracer.handle_line_push(line.bytes(), line.secrets());
    }

    /// Pushes a line without a secret.
    pub(super) fn push_line(&mut self, line: &[u8]) {
        self.transmit.push_line(line);
        self.tracer.handle_line_push(line, &[]);
    }

    pub(super) fn push_data(&mut self, data: &Data) {
        self.framer.expect_echo_of(&data.bytes);
        self.transmit.push_data(&data.bytes, data.piece);
        let whole = 0..data.bytes.len();
        let secrets = if data.secret { std::slice::from_ref(&whole) } else { &[] };
        self.tracer.handle_push(TraceKind::Data, &data.bytes, secrets);
    }

    pub(super) fn push_padding(&mut self, padding: &[u8]) {
        if !padding.is_empty() {
            self.transmit.push_raw(padding);
            self.tracer.handle_push(TraceKind::Raw, padding, &[]);
        }
    }

    /// Drops what is not written, apart from the rest of a line that is begun.
    pub(super) fn cancel_unwritten(&mut self) {
        self.transmit.cancel();
    }

    pub(super) fn clear_unwritten(&mut self) {
        self.transmit.clear();
    }

    /// The time that so many bytes take on the line.
    pub(super) fn time_of(&self, bytes: usize) -> Duration {
        #[allow(clippy::cast_precision_loss)] // bounded by the longest data entry
        Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(self.baudrate.max(1)))
    }

    pub(super) fn time_of_unwritten(&self) -> Duration {
        self.time_of(self.transmit.len())
    }

    fn is_free(&self) -> bool {
        self.reassembly.may_write() && !self.framer.is_counting()
    }

    // Traces.

    pub(super) fn set_tracing(&mut self, is_on: bool) {
        self.tracer.set(is_on);
    }

    pub(super) fn show_pushed(&mut self, events: &mut EventQueue) {
        self.tracer.show_pushed(events);
    }

    /// `line` as it may be shown to people.
    pub(super) fn shown(&self, line: &[u8]) -> Vec<u8> {
        self.tracer.shown(line)
    }

    /// No command is in flight, and the module reads commands.
    pub(super) fn end_command(&mut self) {
        self.tracer.end_command();
    }
}

/// The kind of a trace that an element ends. Those that may go on end none.
fn kind_of(element: &Element<'_>) -> Option<TraceKind> {
    match element {
        Element::Line(_) | Element::Overlong(_) => Some(TraceKind::Line),
        Element::Prompt => Some(TraceKind::Prompt),
        Element::CountedEnd { .. } | Element::DataEcho => Some(TraceKind::Data),
        Element::Counted(_) | Element::Blank => None,
    }
}

/// Text of other features does not go on with this line: it is an echo or the header of a part of a message, which may
/// have no blank line before them.
#[cold]
fn ends_text(line: &[u8], echoes: &impl Echoes) -> bool {
    echoes.owns_echo(line) || matches!(HeaderLine::parse(line), Some(HeaderLine::Sound(_)))
}

/// Returns the rest of a line behind an echo, if there is an echo. Headers of messages and satellite sentences have no line end
/// before them, and an echo has none behind it.
fn without_echo<'l>(line: &'l [u8], echoes: &impl Echoes) -> Option<&'l [u8]> {
    if !echoes.may_come() {
        return None;
    }
    let end = memchr::memchr(b'\r', line)?;
    echoes.owns_echo(&line[..end]).then(|| line[end..].trim_ascii_start())
}
