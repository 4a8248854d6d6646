//! Where in the stream a damaged block lies.

/// Positions count the bytes of the stream. The bytes that a block announced are its content: topic and payload.
///
/// ```text
///                         beginning                                     earliest_end
///                         v                                             v
///   +CMQTTRXSTART: 0,3,5␍␊+CMQTTRXTOPIC: 0,3␍␊abc␍␊+CMQTTRXPAYLOAD: 0,5␍␊hello␍␊+CMQTTRXEND: 0␍␊
///                         |<-- 8 bytes: -->|   before any part came, the headers are not counted
///                                                                      |<-5->|  now the part tells where it ends
/// ```
///
/// The block's own RXEND cannot stand before `earliest_end` unless bytes are lost. So a `+CMQTTRXEND` before it may be
/// payload, and so may a whole message that ends before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteSpan {
    beginning: u64,
    earliest_end: u64,
    /// The RXSTART came, so the length of the whole block is known. Else it is that of the parts that came so far.
    is_announced: bool,
    /// The topic came whole, so that another RXTOPIC of this client belongs to another message.
    topic_is_complete: bool,
}

/// Headers, line ends and other lines of a block are at most as long.
pub(crate) const FRAMING_BYTES: usize = 256;

impl ByteSpan {
    /// The RXSTART ends at `beginning`, and announced `content` bytes.
    pub(crate) fn announced(beginning: u64, content: usize) -> Self {
        let earliest_end = beginning + content as u64;
        Self { beginning, earliest_end, is_announced: true, topic_is_complete: false }
    }

    /// The RXSTART is lost. The header of a part ends at `beginning`, and announced `length` bytes.
    pub(crate) fn of_part(beginning: u64, length: usize) -> Self {
        let earliest_end = beginning + length as u64;
        Self { beginning, earliest_end, is_announced: false, topic_is_complete: false }
    }

    pub(crate) fn beginning(&self) -> u64 {
        self.beginning
    }

    pub(crate) fn earliest_end(&self) -> u64 {
        self.earliest_end
    }

    pub(crate) fn is_announced(&self) -> bool {
        self.is_announced
    }

    pub(crate) fn topic_is_complete(&self) -> bool {
        self.topic_is_complete
    }

    /// A sound header ends at `position`, and `missing` bytes of content have not come.
    pub(crate) fn content_follows(&mut self, position: u64, missing: usize) {
        self.earliest_end = position + missing as u64;
    }

    pub(crate) fn complete_topic(&mut self) {
        self.topic_is_complete = true;
    }

    /// The block does not end before `position`.
    pub(crate) fn extend_to(&mut self, position: u64) {
        self.earliest_end = self.earliest_end.max(position);
    }

    /// Adds what is known already of the same block.
    pub(crate) fn with(mut self, known: &Self) -> Self {
        self.extend_to(known.earliest_end);
        self.is_announced |= known.is_announced;
        self.topic_is_complete |= known.topic_is_complete;
        self
    }

    pub(crate) fn is_over_at(&self, position: u64) -> bool {
        position >= self.earliest_end
    }

    /// A part that ends at `end` can be one of this block. With a few bytes to spare, for the headers between parts.
    pub(crate) fn has_room_until(&self, end: u64) -> bool {
        end <= self.earliest_end + FRAMING_BYTES as u64
    }
}
