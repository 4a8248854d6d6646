//! How long a block may take.

use std::time::{Duration, Instant};

use super::byte_span::FRAMING_BYTES;

/// From RXSTART to RXEND, beside twice the time that the bytes take on the wire.
const BLOCK_TIME: Duration = Duration::from_secs(2);
/// Bounds the time at absurdly low baud rates.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(crate) struct BlockTime {
    nanoseconds_per_byte: u64,
}

impl BlockTime {
    pub(crate) fn new(baudrate: u32) -> Self {
        // Start bit, eight bits, stop bit.
        Self { nanoseconds_per_byte: 10_000_000_000 / u64::from(baudrate.max(1)) }
    }

    /// When a block of so much content must have come, if it begins now.
    pub(crate) fn deadline(&self, content: usize, now: Instant) -> Instant {
        now + BLOCK_TIME + self.twice_on_the_wire(content)
    }

    pub(crate) fn twice_on_the_wire(&self, content: usize) -> Duration {
        let bytes = (content + FRAMING_BYTES) as u64;
        Duration::from_nanos(2 * self.nanoseconds_per_byte * bytes).min(LONGEST)
    }
}
