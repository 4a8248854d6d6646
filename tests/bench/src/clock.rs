//! The clock that Python reads as `time.clock_gettime_ns(time.CLOCK_MONOTONIC)`.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds.
pub fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |value: i64| u64::try_from(value).expect("a monotonic clock is never negative");
    part(now.tv_sec) * 1_000_000_000 + part(now.tv_nsec)
}
