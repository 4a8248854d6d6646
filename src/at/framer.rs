//! Cuts the byte stream into lines, prompts, counted bytes and echoes of entered data.
//!
//! The framer is told what to expect between two elements, so what it does with a byte depends on the elements before
//! it alone, never on how the bytes were grouped into reads.

use memchr::memchr;

use super::data_echo::{Comparison, DataEcho};
use super::line_buffer::{Carry, LONGEST_LINE};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A line without CR and LF, never empty.
    Line(&'a [u8]),
    Blank,
    /// A line that began with `>` while a prompt was owed.
    Prompt,
    /// Some of the bytes asked for with [`Framer::take`].
    Counted(&'a [u8]),
    /// All of them have come, and CR LF followed (`intact`) or something else did.
    CountedEnd {
        intact: bool,
    },
    /// The firmware sent the entered data back.
    DataEcho,
    /// More than any line can be, cut off; its rest was dropped.
    Overlong(&'a [u8]),
}

#[derive(Debug)]
enum State {
    Line,
    /// Drops one optional space or CR LF behind the `>`.
    AfterPrompt {
        seen_cr: bool,
    },
    /// Compares with what was entered, and holds back while it agrees. Right behind a prompt, the white space that it
    /// begins with may belong to the prompt.
    DataEcho {
        matched: usize,
        after_prompt: bool,
    },
    /// All of it agreed; no answer that it is the beginning of goes on with a line end.
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
    prompt_owed: bool,
    echo: DataEcho,
    carry: Carry,
    /// Exactly CR LF stood behind the last line.
    line_end_intact: bool,
    /// Bytes that were held back and have to be read again before the input goes on.
    replay: Vec<u8>,
    /// Bytes that elements were made of, since the beginning.
    position: u64,
}

/// Where an element's bytes are, so that the borrow can be taken at the very end.
enum Found {
    Nothing,
    Silent,
    Blank,
    Prompt,
    DataEcho,
    LineInSource { from: usize, to: usize },
    LineInCarry,
    Overlong,
    Counted { to: usize },
    CountedEnd { intact: bool },
}

impl Framer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Line,
            prompt_owed: false,
            echo: DataEcho::new(),
            carry: Carry::default(),
            line_end_intact: false,
            replay: Vec::new(),
            position: 0,
        }
    }

    pub(crate) fn owe_prompt(&mut self, owed: bool) {
        self.prompt_owed = owed;
    }

    /// The next `count` bytes are data, whatever they look like. Valid right after a line.
    pub(crate) fn take(&mut self, count: usize) {
        self.state = State::Counted { remaining: count };
    }

    /// `data` is about to be entered at the prompt that was just read.
    pub(crate) fn expect_echo_of(&mut self, data: &[u8]) {
        self.echo.expect(data);
    }

    /// The command that entered data is over: no echo can come any more.
    pub(crate) fn data_entry_over(&mut self, accepted: bool) {
        if accepted {
            self.echo.learn_from_acceptance();
        }
        self.prompt_owed = false;
        self.release_held_echo();
        self.echo.over();
    }

    /// After a power cycle or a change of ATE.
    pub(crate) fn forget_echo_habit(&mut self) {
        self.echo.forget_habit();
    }

    /// How many bytes are held back that may be the answer to the entered data as well as its echo.
    pub(crate) fn held_back(&self) -> Option<usize> {
        let held = match self.state {
            State::DataEcho { matched, .. } => matched,
            State::DataEchoEnd { .. } => self.echo.length(),
            _ if self.echo.is_in_doubt() => return Some(self.echo.length()),
            _ => return None,
        };
        self.echo.answers_by(held).then_some(held)
    }

    /// Nothing followed in time: what was held back was an answer, not an echo. `false` in the middle of something else.
    pub(crate) fn release_held_echo(&mut self) -> bool {
        let held = match self.state {
            State::DataEcho { matched, .. } => matched,
            State::DataEchoEnd { .. } => self.echo.length(),
            State::Line if self.echo.is_in_doubt() && self.carry.is_empty() => self.echo.length(),
            _ => return false,
        };
        let mut bytes = self.echo.beginning(held).to_vec();
        if self.echo.is_in_doubt() && !bytes.ends_with(b"\n") {
            // Its line end was read as a blank line.
            bytes.extend_from_slice(b"\r\n");
        }
        self.read_again(&bytes);
        self.echo.over();
        self.state = State::Line;
        true
    }

    pub(crate) fn line_end_is_intact(&self) -> bool {
        self.line_end_intact
    }

    /// Where in the stream the last element ended.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Whether a counted part is being read.
    pub(crate) fn is_counting(&self) -> bool {
        matches!(self.state, State::Counted { .. } | State::CountedEnd { .. })
    }

    /// Gives up counting and reads `tail` again as the beginning of a line.
    pub(crate) fn resume_with(&mut self, tail: &[u8]) {
        self.state = State::Line;
        self.carry.clear();
        self.read_again(tail);
    }

    /// What came of a header belongs to a message that was given up.
    pub(crate) fn forget_header_begun(&mut self) {
        if matches!(self.state, State::Line) && self.carry.begins_with(b"+CMQTTRX") {
            self.carry.clear();
        }
    }

    fn read_again(&mut self, bytes: &[u8]) {
        self.replay.splice(0..0, bytes.iter().copied());
        self.position = self.position.saturating_sub(bytes.len() as u64);
    }

    /// The next element, or `None` once `input` is used up.
    pub(crate) fn next<'x, 'a: 'x>(&'x mut self, input: &mut &'a [u8]) -> Option<Element<'x>> {
        self.carry.reclaim();
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
                other => return Some(self.hand_out(other)),
            };
            let bytes = self.carry.hand_out_copy(&source[from..to]);
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
                found => return Some(self.hand_out(found)),
            }
        }
    }

    /// What does not lie in the source.
    fn hand_out(&mut self, found: Found) -> Element<'_> {
        match found {
            Found::LineInCarry => Element::Line(trim_cr(self.carry.hand_out())),
            Found::Overlong => Element::Overlong(trim_cr(self.carry.hand_out())),
            Found::Prompt => Element::Prompt,
            Found::DataEcho => Element::DataEcho,
            Found::CountedEnd { intact } => Element::CountedEnd { intact },
            _ => Element::Blank,
        }
    }

    /// One element or less: how many bytes of `source` were used, and what they were.
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
        if self.carry.is_empty() && self.echo.may_begin() {
            self.state = State::DataEcho { matched: 0, after_prompt: false };
            return (0, Found::Silent);
        }
        if self.carry.is_empty() {
            while source.get(start) == Some(&b'\r') {
                start += 1;
            }
            match source.get(start) {
                None if start == 0 => return (0, Found::Nothing),
                None => return (start, Found::Silent),
                Some(b'\n') => return (start + 1, Found::Blank),
                Some(b'>') if self.prompt_owed => {
                    self.state = State::AfterPrompt { seen_cr: false };
                    return (start + 1, Found::Prompt);
                }
                Some(_) => {}
            }
        } else if source.is_empty() {
            return (0, Found::Nothing);
        }
        let Some(length) = memchr(b'\n', &source[start..]) else {
            self.carry.keep(&source[start..]);
            return (source.len(), Found::Silent);
        };
        let end = start + length;
        if !self.carry.is_empty() {
            self.carry.keep(&source[start..end]);
            return (end + 1, self.end_carried_line());
        }
        if length > LONGEST_LINE {
            self.carry.keep(&source[start..end]);
            return (end + 1, self.end_carried_line());
        }
        let line = trim_cr(&source[start..end]);
        if line.is_empty() {
            return (end + 1, Found::Blank);
        }
        self.line_end_intact = length == line.len() + 1;
        self.echo.line_came(line);
        (end + 1, Found::LineInSource { from: start, to: start + line.len() })
    }

    fn end_carried_line(&mut self) -> Found {
        let line = trim_cr(self.carry.bytes());
        if line.is_empty() {
            self.carry.clear();
            return Found::Blank;
        }
        self.line_end_intact = self.carry.bytes().len() == line.len() + 1;
        self.echo.line_came(line);
        if self.carry.is_overlong() {
            return Found::Overlong;
        }
        Found::LineInCarry
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
        self.echo.came_whole();
        self.state = State::Line;
        (0, Found::DataEcho)
    }

    /// What agreed is read again: without the white space of the prompt it may be the echo after all, else it is lines.
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
            self.echo.refute();
        }
        self.read_again(&again);
        self.state = State::Line;
        (used, Found::Silent)
    }
}

pub(crate) fn is_final_result(line: &[u8]) -> bool {
    line == b"OK" || line == b"ERROR" || line.starts_with(b"+CME ERROR") || line.starts_with(b"+CMS ERROR")
}

fn trim_cr(line: &[u8]) -> &[u8] {
    let from = line.iter().position(|byte| *byte != b'\r').unwrap_or(line.len());
    let to = line.iter().rposition(|byte| *byte != b'\r').map_or(from, |last| last + 1);
    &line[from..to]
}
