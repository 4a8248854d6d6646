use std::collections::VecDeque;

/// Bytes on their way to the port, in pieces the module can take at once.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    current: Vec<u8>,
    written: usize,
    /// Each is written only after everything before it has left the line.
    pieces: VecDeque<Vec<u8>>,
    draining: bool,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_empty() && self.pieces.is_empty()
    }

    pub(crate) fn push_line(&mut self, line: &[u8]) {
        self.current.reserve(line.len() + 1);
        self.current.extend_from_slice(line);
        self.current.push(b'\r');
    }

    pub(crate) fn push_data(&mut self, data: &[u8], piece: usize) {
        let first = data.len().min(piece);
        self.current.extend_from_slice(&data[..first]);
        self.pieces.extend(data[first..].chunks(piece).map(<[u8]>::to_vec));
    }

    pub(crate) fn push_carriage_returns(&mut self, count: usize) {
        self.current.resize(self.current.len() + count, b'\r');
    }

    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.current[self.written..]
    }

    pub(crate) fn must_drain(&self) -> bool {
        self.draining
    }

    pub(crate) fn written(&mut self, count: usize) {
        self.draining = false;
        self.written += count;
        if self.written < self.current.len() {
            return;
        }
        self.written = 0;
        self.current.clear();
        if let Some(piece) = self.pieces.pop_front() {
            self.current = piece;
            self.draining = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
