//! Bytes on their way to the port, in pieces that the module can take at once.

use std::collections::VecDeque;

/// `current` is being written; each of `pieces` follows only after everything before it has left the line.
#[derive(Debug, Default)]
pub(crate) struct TransmitBuffer {
    current: Vec<u8>,
    written: usize,
    pieces: VecDeque<Vec<u8>>,
    must_drain: bool,
    /// A part of `current` is on the line.
    is_begun: bool,
    is_data: bool,
}

impl TransmitBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_empty() && self.pieces.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.current.len() - self.written + self.pieces.iter().map(Vec::len).sum::<usize>()
    }

    /// Appends a line and its CR.
    pub(crate) fn push_line(&mut self, line: &[u8]) {
        self.current.reserve(line.len() + 1);
        self.current.extend_from_slice(line);
        self.current.push(b'\r');
    }

    /// Appends data for a prompt, in pieces of at most `piece` bytes.
    pub(crate) fn push_data(&mut self, data: &[u8], piece: usize) {
        let (first, rest) = data.split_at(data.len().min(piece));
        self.is_data = true;
        self.current.extend_from_slice(first);
        self.pieces.extend(rest.chunks(piece).map(<[u8]>::to_vec));
    }

    /// Appends bytes that are neither a command nor the data of one.
    pub(crate) fn push_raw(&mut self, bytes: &[u8]) {
        self.current.extend_from_slice(bytes);
    }

    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.current[self.written..]
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// All that was written before must have left the line before `unwritten` is written.
    pub(crate) fn must_drain(&self) -> bool {
        self.must_drain
    }

    pub(crate) fn handle_written(&mut self, count: usize) {
        self.must_drain = false;
        self.is_begun = true;
        self.written += count;
        if self.written < self.current.len() {
            return;
        }
        self.written = 0;
        self.current.clear();
        if let Some(piece) = self.pieces.pop_front() {
            self.current = piece;
            self.must_drain = true;
        } else {
            self.is_begun = false;
            self.is_data = false;
        }
    }

    /// Drops everything but the rest of a line that is begun: the beginning of a line might be a command as well.
    pub(crate) fn cancel(&mut self) {
        let unwritten = &self.current[self.written..];
        let end_of_line = memchr::memchr(b'\r', unwritten).filter(|_| self.is_begun && !self.is_data);
        match end_of_line {
            Some(end) => self.current.truncate(self.written + end + 1),
            None => self.clear(),
        }
    }

    pub(crate) fn clear(&mut self) {
        let mut current = std::mem::take(&mut self.current);
        current.clear();
        *self = Self { current, ..Self::default() };
    }
}
