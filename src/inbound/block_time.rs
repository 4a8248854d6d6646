//! How long a block may take.

use std::time::{Duration, Instant};

use super::byte_span::FRAMING_BYTES;

/// From RXSTART to RXEND, beside twice the time that the bytes take on the wire.
const BLOCK_TIME: Duration = Duration::from_secs(2);
/// Bounds the time at absurdly low baud rates.
const MOST_SECONDS: f64 = 600.0;

#[derive(Debug)]
pub(crate) struct BlockTime {
    seconds_per_byte: f64,
}

impl BlockTime {
    pub(crate) fn new(baudrate: u32) -> Self {
        // Start bit, eight bits, stop bit.
        Self { seconds_per_byte: 10.0 / f64::from(baudrate.max(1)) }
    }

    /// When a block of so much content must have come, if it begins now.
    pub(crate) fn deadline(&self, content: usize, now: Instant) -> Instant {
        now + BLOCK_TIME + self.twice_on_the_wire(content)
    }

    pub(crate) fn twice_on_the_wire(&self, content: usize) -> Duration {
        #[allow(clippy::cast_precision_loss)] // at most 11,520
        let seconds = 2.0 * self.seconds_per_byte * (content + FRAMING_BYTES) as f64;
        Duration::from_secs_f64(seconds.min(MOST_SECONDS))
    }
}
