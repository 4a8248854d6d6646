use std::collections::VecDeque;

use super::trace::TraceKind;

/// Bytes on their way to the port, in pieces the module can take at once.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    current: Vec<u8>,
    written: usize,
    /// Each is written only after everything before it has left the line.
    pieces: VecDeque<Vec<u8>>,
    draining: bool,
    /// Some of it is on the line already.
    begun: bool,
    is_data: bool,
    shown: bool,
    unshown: Vec<Written>,
}

/// One element of what is written, for the trace.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) kind: TraceKind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) secret: bool,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_empty() && self.pieces.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.current.len() - self.written + self.pieces.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether what is pushed is kept for the trace too.
    pub(crate) fn show(&mut self, shown: bool) {
        self.shown = shown;
    }

    pub(crate) fn has_unshown(&self) -> bool {
        !self.unshown.is_empty()
    }

    pub(crate) fn take_unshown(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.unshown)
    }

    pub(crate) fn push_line(&mut self, line: &[u8]) {
        let from = self.current.len();
        self.current.reserve(line.len() + 1);
        self.current.extend_from_slice(line);
        self.current.push(b'\r');
        self.keep_for_trace(TraceKind::Line, from, false);
    }

    pub(crate) fn push_data(&mut self, data: &[u8], piece: usize, secret: bool) {
        let first = data.len().min(piece);
        self.is_data = true;
        self.current.extend_from_slice(&data[..first]);
        self.pieces.extend(data[first..].chunks(piece).map(<[u8]>::to_vec));
        if self.shown {
            self.unshown.push(Written { kind: TraceKind::Data, bytes: data.to_vec(), secret });
        }
    }

    pub(crate) fn push_carriage_returns(&mut self, count: usize) {
        self.push_raw(&vec![b'\r'; count]);
    }

    pub(crate) fn push_raw(&mut self, bytes: &[u8]) {
        let from = self.current.len();
        self.current.extend_from_slice(bytes);
        if !bytes.is_empty() {
            self.keep_for_trace(TraceKind::Raw, from, false);
        }
    }

    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.current[self.written..]
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.begun
    }

    pub(crate) fn must_drain(&self) -> bool {
        self.draining
    }

    pub(crate) fn written(&mut self, count: usize) {
        self.draining = false;
        self.begun = true;
        self.written += count;
        if self.written < self.current.len() {
            return;
        }
        self.written = 0;
        self.current.clear();
        if let Some(piece) = self.pieces.pop_front() {
            self.current = piece;
            self.draining = true;
        } else {
            self.begun = false;
            self.is_data = false;
        }
    }

    /// What was not begun will not be written. A line that was is ended: its beginning might be a command as well.
    pub(crate) fn give_up(&mut self) {
        let unwritten = &self.current[self.written..];
        let end_of_line = memchr::memchr(b'\r', unwritten).filter(|_| self.begun && !self.is_data);
        match end_of_line {
            Some(end) => self.current.truncate(self.written + end + 1),
            None => self.clear(),
        }
    }

    /// What was not written will not be.
    pub(crate) fn clear(&mut self) {
        self.current.clear();
        self.written = 0;
        self.pieces.clear();
        self.draining = false;
        self.begun = false;
        self.is_data = false;
    }

    fn keep_for_trace(&mut self, kind: TraceKind, from: usize, secret: bool) {
        if self.shown {
            self.unshown.push(Written { kind, bytes: self.current[from..].to_vec(), secret });
        }
    }
}
