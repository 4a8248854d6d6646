//! Cuts the byte stream into lines, prompts, counted bytes and echoes of entered data.
//!
//! ```text
//!      line              prompt      data echo            line
//! ┌─────┴──────┐         ┌┴┐   ┌────────┴────────┐   ┌─────┴────┐
//! +CSQ: 23,0 CR LF CR LF >     what was entered  CR LF OK CR LF
//!
//!      line (a header)            counted           counted end
//! ┌───────────┴───────────┐   ┌──────┴──────┐   ┌────┴────┐
//! +CMQTTRXPAYLOAD: 0,12 CR LF twelve bytes … CR LF
//! ```
//!
//! Between two elements the framer is told what to expect: a prompt, an echo, or a number of counted bytes. So what it
//! does with a byte depends on the elements before that byte alone, never on how the bytes were grouped into reads.

use memchr::memchr;

use super::data_echo::{Comparison, DataEcho};
use super::line_buffer::{LONGEST_KEPT_LINE, LineBuffer};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A line without CR and LF, never empty.
    Line(&'a [u8]),
    Blank,
    /// A line that began with `>` while a prompt was expected.
    Prompt,
    /// Some of the bytes asked for with [`Framer::take`].
    Counted(&'a [u8]),
    /// All counted bytes have come. `intact`: CR LF followed them.
    CountedEnd {
        intact: bool,
    },
    /// The entered data, sent back by the firmware.
    DataEcho,
    /// The beginning of something longer than any line; the rest was dropped.
    Overlong(&'a [u8]),
}

#[derive(Debug)]
enum State {
    Line,
    /// One space or CR LF behind the `>` is dropped.
    AfterPrompt {
        seen_cr: bool,
    },
    /// The bytes are compared with the entered data and held back while they agree. Right behind a prompt, white space at
    /// the beginning of the data may belong to the prompt.
    DataEcho {
        matched: usize,
        after_prompt: bool,
    },
    /// All bytes agreed. The next byte decides: an answer that begins with the data would go on otherwise.
    DataEchoEnd {
        after_prompt: bool,
    },
    Counted {
        remaining: usize,
    },
    CountedEnd {
        seen_cr: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Framer {
    state: State,
    is_prompt_expected: bool,
    /// The next line may be text, so no prompt begins there.
    is_text_possible: bool,
    /// The next line is text, so no echo begins there either.
    is_text_certain: bool,
    echo: DataEcho,
    line: LineBuffer,
    /// CR LF, and nothing else, stood behind the last line.
    line_end_intact: bool,
    /// Bytes to read again before the input goes on.
    replay: Vec<u8>,
    /// The number of bytes read since the beginning.
    position: u64,
}

/// Says where an element's bytes are, so that they are borrowed at the very end.
enum Found {
    Nothing,
    Silent,
    Blank,
    Prompt,
    DataEcho,
    LineInSource { from: usize, to: usize },
    LineInBuffer,
    Overlong,
    Counted { to: usize },
    CountedEnd { intact: bool },
}

impl Framer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Line,
            is_prompt_expected: false,
            is_text_possible: false,
            is_text_certain: false,
            echo: DataEcho::new(),
            line: LineBuffer::default(),
            line_end_intact: false,
            replay: Vec::new(),
            position: 0,
        }
    }

    pub(crate) fn expect_prompt(&mut self, is_expected: bool) {
        self.is_prompt_expected = is_expected;
    }

    /// The line that follows is possibly or certainly text. To be called right after a line.
    pub(crate) fn expect_text(&mut self, is_possible: bool, is_certain: bool) {
        self.is_text_possible = is_possible;
        self.is_text_certain = is_certain;
    }

    /// Takes the next `count` bytes as data, whatever they look like. To be called right after a line.
    pub(crate) fn take(&mut self, count: usize) {
        self.state = State::Counted { remaining: count };
    }

    /// Expects `data`, about to be entered at the prompt that was just read, to come back.
    pub(crate) fn expect_echo_of(&mut self, data: &[u8]) {
        self.echo.expect(data);
    }

    /// Ends the wait for an echo: the command that entered data is over.
    pub(crate) fn end_data_entry(&mut self, accepted: bool) {
        if accepted {
            self.echo.note_accepted();
        }
        self.is_prompt_expected = false;
        self.release_held_echo();
        self.echo.end();
    }

    /// Forgets whether this firmware echoes data: after a power cycle or a change of ATE.
    pub(crate) fn reset_echo_habit(&mut self) {
        self.echo.reset_habit();
    }

    /// The number of bytes held back because they may be the answer to the entered data as well as its echo.
    pub(crate) fn held_back(&self) -> Option<usize> {
        let held = match self.state {
            State::DataEcho { matched, .. } => matched,
            State::DataEchoEnd { .. } => self.echo.length(),
            _ if self.echo.is_ambiguous() => return Some(self.echo.length()),
            _ => return None,
        };
        self.echo.may_be_answer(held).then_some(held)
    }

    /// Reads what was held back as an answer. Returns `false` if nothing was held back.
    pub(crate) fn release_held_echo(&mut self) -> bool {
        let held = match self.state {
            State::DataEcho { matched, .. } => matched,
            State::DataEchoEnd { .. } => self.echo.length(),
            State::Line if self.echo.is_ambiguous() && self.line.is_empty() => self.echo.length(),
            _ => return false,
        };
        let mut bytes = self.echo.beginning(held).to_vec();
        if self.echo.is_ambiguous() && !bytes.ends_with(b"\n") {
            // Its line end was read as a blank line.
            bytes.extend_from_slice(b"\r\n");
        }
        self.read_again(&bytes);
        self.echo.end();
        self.state = State::Line;
        true
    }

    pub(crate) fn line_end_is_intact(&self) -> bool {
        self.line_end_intact
    }

    /// The place in the stream where the last element ended.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Counted bytes are being read.
    pub(crate) fn is_counting(&self) -> bool {
        matches!(self.state, State::Counted { .. } | State::CountedEnd { .. })
    }

    /// Stops counting and reads `tail` again as the beginning of a line.
    pub(crate) fn resume_with(&mut self, tail: &[u8]) {
        self.state = State::Line;
        self.line.clear();
        self.read_again(tail);
    }

    /// Drops the beginning of a header: its message has timed out.
    pub(crate) fn drop_header_begun(&mut self) {
        if matches!(self.state, State::Line) && self.line.begins_with(b"+CMQTTRX") {
            self.line.clear();
        }
    }

    fn read_again(&mut self, bytes: &[u8]) {
        self.replay.splice(0..0, bytes.iter().copied());
        self.position = self.position.saturating_sub(bytes.len() as u64);
    }

    /// Returns the next element, or `None` once `input` is used up.
    pub(crate) fn next<'x, 'a: 'x>(&'x mut self, input: &mut &'a [u8]) -> Option<Element<'x>> {
        self.line.reclaim();
        while !self.replay.is_empty() {
            let source = std::mem::take(&mut self.replay);
            let (consumed, found) = self.step(&source);
            self.position += consumed as u64;
            // A step may itself have put bytes back, which come before the rest.
            self.replay.extend_from_slice(&source[consumed..]);
            let (from, to) = match found {
                Found::Nothing | Found::Silent => continue,
                Found::LineInSource { from, to } => (from, to),
                Found::Counted { to } => (0, to),
                other => return Some(self.element_of(other)),
            };
            let bytes = self.line.take_copy_of(&source[from..to]);
            return Some(match found {
                Found::Counted { .. } => Element::Counted(bytes),
                _ => Element::Line(bytes),
            });
        }
        loop {
            let source: &'a [u8] = input;
            let (consumed, found) = self.step(source);
            self.position += consumed as u64;
            *input = &source[consumed..];
            match found {
                Found::Nothing => return None,
                Found::Silent if self.replay.is_empty() => {}
                Found::Silent => return self.next(input),
                Found::LineInSource { from, to } => return Some(Element::Line(&source[from..to])),
                Found::Counted { to } => return Some(Element::Counted(&source[..to])),
                found => return Some(self.element_of(found)),
            }
        }
    }

    /// Returns an element whose bytes do not lie in the source.
    fn element_of(&mut self, found: Found) -> Element<'_> {
        match found {
            Found::LineInBuffer => Element::Line(trim_cr(self.line.take())),
            Found::Overlong => Element::Overlong(trim_cr(self.line.take())),
            Found::Prompt => Element::Prompt,
            Found::DataEcho => Element::DataEcho,
            Found::CountedEnd { intact } => Element::CountedEnd { intact },
            _ => Element::Blank,
        }
    }

    /// Reads one element or less. Returns how many bytes of `source` it used, and what they were.
    fn step(&mut self, source: &[u8]) -> (usize, Found) {
        match self.state {
            State::Line => self.step_line(source),
            State::Counted { remaining } => self.step_counted(source, remaining),
            State::CountedEnd { seen_cr } => self.step_counted_end(source, seen_cr),
            State::AfterPrompt { seen_cr } => self.step_after_prompt(source, seen_cr),
            State::DataEcho { matched, after_prompt } => self.step_data_echo(source, matched, after_prompt),
            State::DataEchoEnd { after_prompt } => self.step_data_echo_end(source, after_prompt),
        }
    }

    fn step_line(&mut self, source: &[u8]) -> (usize, Found) {
        let mut start = 0;
        if self.line.is_empty() && !self.is_text_certain && self.echo.may_begin() {
            self.state = State::DataEcho { matched: 0, after_prompt: false };
            return (0, Found::Silent);
        }
        if self.line.is_empty() {
            while source.get(start) == Some(&b'\r') {
                start += 1;
            }
            match source.get(start) {
                None if start == 0 => return (0, Found::Nothing),
                None => return (start, Found::Silent),
                Some(b'\n') => return (start + 1, Found::Blank),
                Some(b'>') if self.is_prompt_expected && !self.is_text_possible => {
                    self.state = State::AfterPrompt { seen_cr: false };
                    return (start + 1, Found::Prompt);
                }
                Some(_) => {}
            }
        } else if source.is_empty() {
            return (0, Found::Nothing);
        }
        let Some(length) = memchr(b'\n', &source[start..]) else {
            self.line.append(&source[start..]);
            return (source.len(), Found::Silent);
        };
        let end = start + length;
        if !self.line.is_empty() {
            self.line.append(&source[start..end]);
            return (end + 1, self.end_buffered_line());
        }
        if length > LONGEST_KEPT_LINE {
            self.line.append(&source[start..end]);
            return (end + 1, self.end_buffered_line());
        }
        let line = trim_cr(&source[start..end]);
        if line.is_empty() {
            return (end + 1, Found::Blank);
        }
        self.line_end_intact = length == line.len() + 1;
        self.echo.handle_line(line);
        (end + 1, Found::LineInSource { from: start, to: start + line.len() })
    }

    fn end_buffered_line(&mut self) -> Found {
        let line = trim_cr(self.line.bytes());
        if line.is_empty() {
            self.line.clear();
            return Found::Blank;
        }
        self.line_end_intact = self.line.bytes().len() == line.len() + 1;
        self.echo.handle_line(line);
        if self.line.is_overlong() {
            return Found::Overlong;
        }
        Found::LineInBuffer
    }

    fn step_counted(&mut self, source: &[u8], remaining: usize) -> (usize, Found) {
        if remaining == 0 {
            self.state = State::CountedEnd { seen_cr: false };
            return (0, Found::Silent);
        }
        if source.is_empty() {
            return (0, Found::Nothing);
        }
        let length = remaining.min(source.len());
        self.state = if length == remaining {
            State::CountedEnd { seen_cr: false }
        } else {
            State::Counted { remaining: remaining - length }
        };
        (length, Found::Counted { to: length })
    }

    fn step_counted_end(&mut self, source: &[u8], seen_cr: bool) -> (usize, Found) {
        if !seen_cr && source.starts_with(b"\r\n") {
            self.state = State::Line;
            return (2, Found::CountedEnd { intact: true });
        }
        let wanted = if seen_cr { b'\n' } else { b'\r' };
        let Some(byte) = source.first() else { return (0, Found::Nothing) };
        if *byte != wanted {
            self.state = State::Line;
            return (0, Found::CountedEnd { intact: false });
        }
        if !seen_cr {
            self.state = State::CountedEnd { seen_cr: true };
            return (1, Found::Silent);
        }
        self.state = State::Line;
        (1, Found::CountedEnd { intact: true })
    }

    fn step_after_prompt(&mut self, source: &[u8], seen_cr: bool) -> (usize, Found) {
        let Some(byte) = source.first() else { return (0, Found::Nothing) };
        if !seen_cr && matches!(*byte, b' ' | b'\r') && self.echo.may_begin_with(*byte) {
            self.state = State::DataEcho { matched: 0, after_prompt: true };
            return (0, Found::Silent);
        }
        let dropped = match (*byte, seen_cr) {
            (b'\r', false) => {
                self.state = State::AfterPrompt { seen_cr: true };
                return (1, Found::Silent);
            }
            (b' ', false) | (b'\n', true) => 1,
            _ => 0,
        };
        self.state = State::Line;
        (dropped, Found::Silent)
    }

    fn step_data_echo(&mut self, source: &[u8], matched: usize, after_prompt: bool) -> (usize, Found) {
        let Some(next) = source.first() else { return (0, Found::Nothing) };
        match self.echo.compare(matched, source) {
            Comparison::Whole(agreed) => {
                self.state = State::DataEchoEnd { after_prompt };
                (agreed, Found::Silent)
            }
            // Byte by byte, so that what is compared last does not depend on the reads.
            Comparison::Differs(0) => self.echo_differs(matched, *next, after_prompt),
            Comparison::SoFar(agreed) | Comparison::Differs(agreed) => {
                self.state = State::DataEcho { matched: matched + agreed, after_prompt };
                (agreed, Found::Silent)
            }
        }
    }

    fn step_data_echo_end(&mut self, source: &[u8], after_prompt: bool) -> (usize, Found) {
        let Some(next) = source.first() else { return (0, Found::Nothing) };
        // All that can follow it: a line, or one of those that have no line end before them.
        if !matches!(next, b'\r' | b'$' | b'+') {
            return self.echo_differs(self.echo.length(), *next, after_prompt);
        }
        self.echo.complete();
        self.state = State::Line;
        (0, Found::DataEcho)
    }

    /// Reads the bytes that agreed again. Without the white space of the prompt they may be the echo after all; else they are
    /// lines.
    fn echo_differs(&mut self, matched: usize, next: u8, after_prompt: bool) -> (usize, Found) {
        let seen = self.echo.beginning(matched);
        let (of_prompt, used) = match seen {
            _ if !after_prompt => (0, 0),
            [b' ', ..] => (1, 0),
            [b'\r', b'\n', ..] => (2, 0),
            [b'\r'] if next == b'\n' => (1, 1),
            _ => (0, 0),
        };
        let again = seen[of_prompt..].to_vec();
        if of_prompt == 0 {
            self.echo.rule_out();
        }
        self.read_again(&again);
        self.state = State::Line;
        (used, Found::Silent)
    }
}

fn trim_cr(line: &[u8]) -> &[u8] {
    let from = line.iter().position(|byte| *byte != b'\r').unwrap_or(line.len());
    let to = line.iter().rposition(|byte| *byte != b'\r').map_or(from, |last| last + 1);
    &line[from..to]
}
