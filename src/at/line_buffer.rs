//! The beginning of a line whose end has not come, or a copy of the element that was returned last.

/// The longest line that is kept. A module prints nothing longer than the echo of the longest command, 3071 characters.
pub(crate) const LONGEST_KEPT_LINE: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    /// The bytes were returned, and may be overwritten.
    is_returned: bool,
    is_overlong: bool,
}

impl LineBuffer {
    /// Clears what was returned last. Called before the next element is read.
    pub(crate) fn reclaim(&mut self) {
        if self.is_returned {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.is_returned = false;
        self.is_overlong = false;
    }

    /// No line has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() || self.is_returned
    }

    pub(crate) fn begins_with(&self, beginning: &[u8]) -> bool {
        !self.is_returned && self.bytes.starts_with(beginning)
    }

    /// Appends `bytes`. Those beyond the longest line are dropped.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let room = LONGEST_KEPT_LINE.saturating_sub(self.bytes.len());
        self.is_overlong |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(crate) fn is_overlong(&self) -> bool {
        self.is_overlong
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn take(&mut self) -> &[u8] {
        self.is_returned = true;
        &self.bytes
    }

    pub(crate) fn take_copy_of(&mut self, bytes: &[u8]) -> &[u8] {
        self.clear();
        self.bytes.extend_from_slice(bytes);
        self.take()
    }
}
