//! Received messages, one behind the other or at an interval.

use std::time::{Duration, Instant};

use crate::message_block::message_block;

pub const TOPIC: &[u8] = b"bench/flood";
/// Position of the time stamp in a payload: nanoseconds of the monotonic clock, in decimal.
const NO_STAMP: &[u8; 20] = b"00000000000000000000";
const SMALLEST_WRITE: usize = 4096;

/// Repeats the same message.
#[derive(Debug)]
pub struct Flood {
    /// Some messages, at least 4 KiB of them.
    block: Vec<u8>,
    at: usize,
    remaining: u64,
}

impl Flood {
    pub fn new(payload_size: usize, count: u64) -> Self {
        let message = message_block(0, TOPIC, &vec![b'x'; payload_size]);
        let remaining = message.len() as u64 * count;
        // Large enough that the kernel, not the number of writes, sets the pace.
        let block = message.repeat((16 * SMALLEST_WRITE).div_ceil(message.len()));
        Self { block, at: 0, remaining }
    }

    pub fn length(&self) -> u64 {
        self.remaining
    }

    /// Returns the next bytes to write, at most `most`; empty when all are written.
    pub fn next(&mut self, most: usize) -> &[u8] {
        let from = self.at;
        let left = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let count = most.min(self.block.len() - from).min(left);
        self.at = (from + count) % self.block.len();
        self.remaining -= count as u64;
        &self.block[from..from + count]
    }

    /// Takes back the last `count` bytes, which were not written.
    pub fn give_back(&mut self, count: usize) {
        self.at = (self.at + self.block.len() - count) % self.block.len();
        self.remaining += count as u64;
    }
}

/// One message after each interval, with the time at which its writing began.
#[derive(Debug)]
pub struct Ticker {
    message: Vec<u8>,
    stamp_at: usize,
    remaining: u64,
    interval: Duration,
    pub due: Instant,
}

impl Ticker {
    pub fn new(payload_size: usize, count: u64, interval: Duration, now: Instant) -> Self {
        let mut payload = NO_STAMP.to_vec();
        payload.resize(payload_size.max(NO_STAMP.len()), b'x');
        let message = message_block(0, TOPIC, &payload);
        let stamp_at = message
            .windows(NO_STAMP.len())
            .position(|window| window == NO_STAMP)
            .expect("the payload begins with it");
        Self { message, stamp_at, remaining: count, interval, due: now + interval }
    }

    /// Returns the message and when the next is due; `None` after the last.
    pub fn tick(&mut self) -> Option<(Vec<u8>, usize)> {
        self.remaining = self.remaining.checked_sub(1)?;
        self.due += self.interval;
        Some((self.message.clone(), self.stamp_at))
    }

    pub fn stamp(bytes: &mut [u8], at: usize, nanoseconds: u64) {
        bytes[at..at + NO_STAMP.len()].copy_from_slice(format!("{nanoseconds:020}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_many_messages_as_asked_for() {
        let mut flood = Flood::new(100, 1000);
        let mut stream = Vec::new();
        loop {
            let piece = flood.next(5000).to_vec();
            if piece.is_empty() {
                break;
            }
            let refused = piece.len() / 3;
            stream.extend_from_slice(&piece[..piece.len() - refused]);
            flood.give_back(refused);
        }
        assert_eq!(stream, message_block(0, TOPIC, &[b'x'; 100]).repeat(1000));
    }
}
