//! Reaction times, and their statistics for a table.

use std::time::Duration;

#[derive(Debug, Default)]
pub struct Reactions(Vec<u64>);

impl Reactions {
    pub fn push(&mut self, time: Duration) {
        self.0.push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.iter().sum())
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn as_nanoseconds(&self) -> &[u64] {
        &self.0
    }

    /// Returns `{"count": 3, "p50_ns": 1, "p99_ns": 2, "max_ns": 2}`
    pub fn to_json(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |share: usize| {
            sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1))).copied()
        };
        let [p50, p99, max] = [50, 99, 100].map(|share| at(share).unwrap_or(0));
        format!("{{\"count\": {}, \"p50_ns\": {p50}, \"p99_ns\": {p99}, \"max_ns\": {max}}}", sorted.len())
    }
}
