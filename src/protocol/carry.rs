/// The longest line a module prints is the echo of the longest command, 3071 characters.
pub(super) const LONGEST_LINE: usize = 4096;

/// The beginning of a line whose end has not come, or a copy of the element handed out last.
#[derive(Debug, Default)]
pub(super) struct Carry {
    bytes: Vec<u8>,
    handed_out: bool,
    overlong: bool,
}

impl Carry {
    /// What was handed out is no longer looked at.
    pub(super) fn reclaim(&mut self) {
        if self.handed_out {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::default() };
        self.bytes.clear();
    }

    /// No line has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty() || self.handed_out
    }

    pub(super) fn begins_with(&self, beginning: &[u8]) -> bool {
        !self.handed_out && self.bytes.starts_with(beginning)
    }

    /// What no line is long enough for is dropped.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.bytes.len());
        self.overlong |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(super) fn is_overlong(&self) -> bool {
        self.overlong
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn hand_out(&mut self) -> &[u8] {
        self.handed_out = true;
        &self.bytes
    }

    pub(super) fn hand_out_copy(&mut self, bytes: &[u8]) -> &[u8] {
        self.clear();
        self.bytes.extend_from_slice(bytes);
        self.hand_out()
    }
}
