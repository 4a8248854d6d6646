//! Tells the entered data that comes back from the answer to it.
//!
//! Data may look like an answer: who publishes `OK` may read `OK` as an echo, as the answer, or as the beginning of
//! `OK` CR LF `OK`. Such an echo is ambiguous until a final result code behind it decides, or a timeout.

use super::final_result::is_final_result;

/// The firmware sends entered data back, or does not. Learned once a power cycle, from data that no answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Unknown,
    Echoes,
    Silent,
}

#[derive(Debug)]
pub(crate) struct DataEcho {
    habit: Habit,
    entered: Vec<u8>,
    /// The echo does not begin at this place in the stream.
    is_ruled_out: bool,
    /// A part of the data has come back, so this firmware is not silent.
    has_begun: bool,
    /// All data has come back, but it may be an answer: a final result code behind it decides.
    is_ambiguous: bool,
}

/// How bytes compare with the entered data. Each variant holds the number of bytes that agree.
pub(crate) enum Comparison {
    /// All bytes agree, and more of the data may follow.
    SoFar(usize),
    /// The data has come back as a whole.
    Whole(usize),
    /// The next byte does not agree.
    Differs(usize),
}

impl DataEcho {
    pub(crate) fn new() -> Self {
        Self {
            habit: Habit::Unknown,
            entered: Vec::new(),
            is_ruled_out: false,
            has_begun: false,
            is_ambiguous: false,
        }
    }

    /// Expects `data`, about to be entered.
    pub(crate) fn expect(&mut self, data: &[u8]) {
        self.end();
        if self.habit != Habit::Silent {
            self.entered.extend_from_slice(data);
        }
    }

    /// Expects no echo any more.
    pub(crate) fn end(&mut self) {
        self.entered.clear();
        self.is_ruled_out = false;
        self.has_begun = false;
        self.is_ambiguous = false;
    }

    /// Learns from an accepted entry: if nothing came back, this firmware is silent.
    pub(crate) fn note_accepted(&mut self) {
        if self.habit == Habit::Unknown && !self.entered.is_empty() && !self.has_begun {
            self.habit = Habit::Silent;
        }
    }

    pub(crate) fn reset_habit(&mut self) {
        self.habit = Habit::Unknown;
    }

    /// The echo may begin at this place.
    pub(crate) fn may_begin(&self) -> bool {
        !self.entered.is_empty() && !self.is_ruled_out && !self.is_ambiguous
    }

    pub(crate) fn may_begin_with(&self, byte: u8) -> bool {
        self.may_begin() && self.entered[0] == byte
    }

    pub(crate) fn compare(&mut self, matched: usize, source: &[u8]) -> Comparison {
        let wanted = &self.entered[matched..];
        let agreed = source.iter().zip(wanted).take_while(|(left, right)| left == right).count();
        self.has_begun |= agreed > 0;
        match () {
            () if agreed == wanted.len() => Comparison::Whole(agreed),
            () if agreed == source.len() => Comparison::SoFar(agreed),
            () => Comparison::Differs(agreed),
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.entered.len()
    }

    pub(crate) fn beginning(&self, length: usize) -> &[u8] {
        &self.entered[..length]
    }

    /// Notes that the echo does not begin here; it may still begin behind the next line.
    pub(crate) fn rule_out(&mut self) {
        self.is_ruled_out = true;
    }

    /// Takes a line into account. A final result code settles an ambiguous echo.
    pub(crate) fn handle_line(&mut self, line: &[u8]) {
        self.is_ruled_out = false;
        if self.is_ambiguous && is_final_result(line) {
            self.habit = Habit::Echoes;
            self.end();
        }
    }

    /// All data came back, with a line end behind it.
    pub(crate) fn complete(&mut self) {
        if self.habit == Habit::Unknown && self.may_be_answer(self.entered.len()) {
            self.is_ambiguous = true;
            return;
        }
        // The module prints white space in any case, so white space teaches nothing.
        if !self.entered.trim_ascii().is_empty() {
            self.habit = Habit::Echoes;
        }
        self.end();
    }

    pub(crate) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// The first `length` bytes of the data could be the whole answer of the module.
    pub(crate) fn may_be_answer(&self, length: usize) -> bool {
        self.entered[..length].split(|byte| *byte == b'\n').any(|line| is_final_result(line.trim_ascii()))
    }
}
