//! Whether the bytes that follow a prompt are the entered data coming back, or the answer to it.

use super::framer::is_final_result;

/// Whether this firmware sends entered data back. Learned from data that no answer looks like, once a power cycle.
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
    /// At this place in the stream the echo has been looked for and was not there.
    refuted: bool,
    /// Some of what was entered has come back, so that this firmware cannot be called silent.
    seen_in_part: bool,
    /// All of it came, but it could have been an answer: a final result code behind it tells.
    in_doubt: bool,
}

/// How the bytes that came compare with what was entered.
pub(crate) enum Comparison {
    /// So many agree, and all that came are used up.
    SoFar(usize),
    /// So many agree, and with them the whole.
    Whole(usize),
    /// So many agree, and the next byte does not.
    Differs(usize),
}

impl DataEcho {
    pub(crate) fn new() -> Self {
        Self {
            habit: Habit::Unknown,
            entered: Vec::new(),
            refuted: false,
            seen_in_part: false,
            in_doubt: false,
        }
    }

    /// `data` is about to be entered.
    pub(crate) fn expect(&mut self, data: &[u8]) {
        self.over();
        if self.habit != Habit::Silent {
            self.entered.extend_from_slice(data);
        }
    }

    /// No echo can come any more.
    pub(crate) fn over(&mut self) {
        self.entered.clear();
        self.refuted = false;
        self.seen_in_part = false;
        self.in_doubt = false;
    }

    /// The data was accepted, and what came before that is known.
    pub(crate) fn learn_from_acceptance(&mut self) {
        if self.habit == Habit::Unknown && !self.entered.is_empty() && !self.seen_in_part {
            self.habit = Habit::Silent;
        }
    }

    pub(crate) fn forget_habit(&mut self) {
        self.habit = Habit::Unknown;
    }

    /// Whether the echo may begin at this place.
    pub(crate) fn may_begin(&self) -> bool {
        !self.entered.is_empty() && !self.refuted && !self.in_doubt
    }

    pub(crate) fn may_begin_with(&self, byte: u8) -> bool {
        self.may_begin() && self.entered[0] == byte
    }

    pub(crate) fn compare(&mut self, matched: usize, source: &[u8]) -> Comparison {
        let wanted = &self.entered[matched..];
        let agreed = source.iter().zip(wanted).take_while(|(left, right)| left == right).count();
        self.seen_in_part |= agreed > 0;
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

    /// It is not here; it may still come behind the next line.
    pub(crate) fn refute(&mut self) {
        self.refuted = true;
    }

    /// A line is over.
    pub(crate) fn line_came(&mut self, line: &[u8]) {
        self.refuted = false;
        if self.in_doubt && is_final_result(line) {
            self.habit = Habit::Echoes;
            self.over();
        }
    }

    /// The whole came, with a line end behind it.
    pub(crate) fn came_whole(&mut self) {
        if self.habit == Habit::Unknown && self.answers_by(self.entered.len()) {
            self.in_doubt = true;
            return;
        }
        // White space alone is what the module prints anyway.
        if !self.entered.trim_ascii().is_empty() {
            self.habit = Habit::Echoes;
        }
        self.over();
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Whether the first `length` bytes could be the whole answer of the module.
    pub(crate) fn answers_by(&self, length: usize) -> bool {
        self.entered[..length].split(|byte| *byte == b'\n').any(|line| is_final_result(line.trim_ascii()))
    }
}
