/// The longest line a module prints is the echo of the longest command, 3071 characters.
pub(crate) const LONGEST_LINE: usize = 4096;

/// The beginning of a line whose end has not come, or a copy of the element handed out last.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    bytes: Vec<u8>,
    handed_out: bool,
    overlong: bool,
}

impl Carry {
    /// What was handed out is no longer looked at.
    pub(crate) fn reclaim(&mut self) {
        if self.handed_out {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { bytes: std::mem::take(&mut self.bytes), ..Self::default() };
        self.bytes.clear();
    }

    /// No line has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() || self.handed_out
    }

    pub(crate) fn begins_with(&self, beginning: &[u8]) -> bool {
        !self.handed_out && self.bytes.starts_with(beginning)
    }

    /// What no line is long enough for is dropped.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.bytes.len());
        self.overlong |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(crate) fn is_overlong(&self) -> bool {
        self.overlong
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn hand_out(&mut self) -> &[u8] {
        self.handed_out = true;
        &self.bytes
    }

    pub(crate) fn hand_out_copy(&mut self, bytes: &[u8]) -> &[u8] {
        self.clear();
        self.bytes.extend_from_slice(bytes);
        self.hand_out()
    }
}
