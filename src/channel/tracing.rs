use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use super::event::Event;
use crate::at::redaction::secrets_in;
use crate::at::{Direction, TraceKind};

/// Shows what goes over the line, element by element and with every secret redacted; nothing at all unless asked to.
///
/// What is shown of the module's side is, put together, byte for byte what came.
#[derive(Debug, Default)]
pub(crate) struct Tracer {
    on: bool,
    /// Bytes of an element whose end has not come.
    arriving: Vec<u8>,
    /// Passwords that were sent: they can come back in an echo cut short, where no syntax tells.
    passwords: VecDeque<Secret>,
    /// Key material that was entered last, which some firmware sends back.
    secret_data: Secret,
}

/// Something that must not be shown, and its pieces, since bytes of it may be lost or altered on the way.
#[derive(Default)]
struct Secret {
    whole: Vec<u8>,
    pieces: HashSet<[u8; PIECE]>,
}

/// More than any part of a message, with the line end behind it.
const LONGEST_ELEMENT: usize = 16 * 1024;
/// A shorter text would hide what is not a secret.
const SHORTEST_SECRET: usize = 4;
/// So many bytes in a row of a secret do not stand in a line by chance.
const PIECE: usize = 6;

impl Tracer {
    pub(crate) fn set(&mut self, on: bool) {
        self.on = on;
        self.arriving.clear();
    }

    pub(crate) fn remember_secrets_of(&mut self, line: &[u8]) {
        const MOST: usize = 16;
        for (from, to) in secrets_in(line) {
            let password = &line[from..to];
            let is_known = self.passwords.iter().any(|known| known.whole == password);
            if password.len() < SHORTEST_SECRET || is_known {
                continue;
            }
            if self.passwords.len() == MOST {
                self.passwords.pop_front();
            }
            self.passwords.push_back(Secret::new(password));
        }
    }

    pub(crate) fn remember_secret_data(&mut self, data: &[u8]) {
        self.secret_data = Secret::new(data);
    }

    pub(crate) fn without_secrets(&self, line: &[u8]) -> Vec<u8> {
        let mut shown = line.to_vec();
        for range in self.secret_ranges(line) {
            shown[range].fill(b'*');
        }
        shown
    }

    /// Bytes as they were read, of an element that is not over. One that does not end is shown in pieces.
    pub(crate) fn arrived(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        if !self.on {
            return;
        }
        for piece in bytes.chunks(LONGEST_ELEMENT) {
            if self.arriving.len() + piece.len() > LONGEST_ELEMENT {
                self.element_over(events, TraceKind::Line);
            }
            self.arriving.extend_from_slice(piece);
        }
    }

    /// The element is over: all that arrived since the last one is part of it.
    pub(crate) fn element_over(&mut self, events: &mut VecDeque<Event>, kind: TraceKind) {
        if self.on {
            let bytes = std::mem::take(&mut self.arriving);
            events.push_back(self.trace(Direction::FromModule, kind, bytes, false));
        }
    }

    pub(crate) fn written(
        &self,
        events: &mut VecDeque<Event>,
        kind: TraceKind,
        bytes: Vec<u8>,
        secret: bool,
    ) {
        if self.on {
            events.push_back(self.trace(Direction::ToModule, kind, bytes, secret));
        }
    }

    fn trace(&self, direction: Direction, kind: TraceKind, mut bytes: Vec<u8>, secret: bool) -> Event {
        let whole = 0..bytes.len();
        let redacted = if secret { Vec::from([whole]) } else { self.secret_ranges(&bytes) };
        for range in &redacted {
            bytes[range.clone()].fill(b'*');
        }
        Event::Trace { direction, kind, bytes, redacted }
    }

    fn secret_ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let start = bytes.len() - bytes.trim_ascii_start().len();
        let mut ranges: Vec<_> =
            secrets_in(&bytes[start..]).map(|(from, to)| start + from..start + to).collect();
        for secret in self.passwords.iter().chain([&self.secret_data]) {
            ranges.extend(secret.found_in(bytes));
        }
        let text = bytes.trim_ascii();
        if text.len() >= SHORTEST_SECRET && memchr::memmem::find(&self.secret_data.whole, text).is_some() {
            ranges.push(start..start + text.len());
        }
        merged(ranges)
    }
}

impl Secret {
    fn new(whole: &[u8]) -> Self {
        let pieces = whole.windows(PIECE).filter_map(|piece| piece.try_into().ok()).collect();
        Self { whole: whole.to_vec(), pieces }
    }

    /// Where it is, or a piece of it.
    fn found_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.whole.is_empty() {
            return Vec::new();
        }
        if self.pieces.is_empty() {
            let length = self.whole.len();
            return memchr::memmem::find_iter(bytes, &self.whole).map(|at| at..at + length).collect();
        }
        let pieces = bytes.windows(PIECE).enumerate();
        pieces.filter(|(_, piece)| self.pieces.contains(*piece)).map(|(at, _)| at..at + PIECE).collect()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Secret({} bytes)", self.whole.len())
    }
}

/// The same bytes in as few ranges as can be, in order.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
