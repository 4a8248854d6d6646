//! The time that bytes take on a UART, by absolute deadlines: late bytes do not delay the following ones.

use std::time::{Duration, Instant};

/// Start bit, eight data bits, stop bit.
const BITS_PER_BYTE: u64 = 10;

/// One direction of the line.
#[derive(Debug)]
pub struct Pace {
    baudrate: Option<u32>,
    free_from: Instant,
    busy: Duration,
}

impl Pace {
    /// Without a `baudrate`, bytes take no time.
    pub fn new(baudrate: Option<u32>) -> Self {
        Self { baudrate, free_from: Instant::now(), busy: Duration::ZERO }
    }

    pub fn wire_time(&self, bytes: usize) -> Duration {
        let Some(baudrate) = self.baudrate else { return Duration::ZERO };
        Duration::from_nanos(bytes as u64 * BITS_PER_BYTE * 1_000_000_000 / u64::from(baudrate))
    }

    /// Returns when the last of `bytes` that are ready at `ready` has passed.
    pub fn pass(&mut self, bytes: usize, ready: Instant) -> Instant {
        let time = self.wire_time(bytes);
        self.free_from = self.free_from.max(ready) + time;
        self.busy += time;
        self.free_from
    }

    /// Nothing passes before `start`.
    pub fn begin(&mut self, start: Instant) {
        self.free_from = self.free_from.max(start);
    }

    /// Returns when the last of `bytes` that were ready long ago has passed.
    pub fn pass_next(&mut self, bytes: usize) -> Instant {
        self.pass(bytes, self.free_from)
    }

    /// Returns the time that all bytes together took on the line.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    pub fn forget_busy(&mut self) {
        self.busy = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_piece_does_not_delay_the_next() {
        let mut pace = Pace::new(Some(115_200));
        let start = Instant::now();
        let ends: Vec<_> = (0..180).map(|_| pace.pass(64, start)).collect();
        let ideal = Duration::from_secs_f64(180.0 * 640.0 / 115_200.0);
        let drift = (ends[179] - start).abs_diff(ideal);
        assert!(drift < Duration::from_micros(1), "{drift:?}");
        let idle = start + Duration::from_secs(10);
        assert_eq!(pace.pass(64, idle), idle + pace.wire_time(64));
    }
}
