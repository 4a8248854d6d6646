use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// The rules by which a client reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    pub min_delay: Duration,
    pub max_delay: Duration,
    pub give_up_after: Option<Duration>,
    pub resend_qos2: bool,
}

/// The delay before each attempt: none before the first, then twice as long each time.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    longest: Option<Duration>,
    back_since: Option<Instant>,
}

impl BackOff {
    /// The delay before the first attempt after a loss. A connection that did not last counts as one more failure.
    pub(super) fn before_first(&mut self, policy: &ReconnectPolicy, now: Instant) -> Duration {
        let proven_after = self.longest.unwrap_or(policy.min_delay);
        if self.back_since.is_some_and(|since| now.duration_since(since) < proven_after) {
            return self.before_next(policy);
        }
        self.longest = None;
        Duration::ZERO
    }

    pub(super) fn before_next(&mut self, policy: &ReconnectPolicy) -> Duration {
        let longest = (self.longest.unwrap_or(policy.min_delay) * 2).min(policy.max_delay);
        self.longest = Some(longest);
        jittered((longest / 2).max(policy.min_delay), longest)
    }

    pub(super) fn succeeded(&mut self, now: Instant) {
        self.back_since = Some(now);
    }
}

/// A random delay in between, so that the modules of a rig do not all reconnect at the same moment.
fn jittered(shortest: Duration, longest: Duration) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "it is noise")]
    let noise = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    shortest + longest.saturating_sub(shortest).mul_f64(noise)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: ReconnectPolicy = ReconnectPolicy {
        min_delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(10),
        give_up_after: None,
        resend_qos2: false,
    };

    fn assert_between(delay: Duration, shortest: u64, longest: u64) {
        let range = Duration::from_secs(shortest)..=Duration::from_secs(longest);
        assert!(range.contains(&delay), "{delay:?} is not in {range:?}");
    }

    #[test]
    fn delays_double_up_to_max_delay() {
        for _ in 0..100 {
            let mut back_off = BackOff::default();
            assert_eq!(back_off.before_first(&POLICY, Instant::now()), Duration::ZERO);
            assert_between(back_off.before_next(&POLICY), 1, 2);
            assert_between(back_off.before_next(&POLICY), 2, 4);
            assert_between(back_off.before_next(&POLICY), 4, 8);
            assert_between(back_off.before_next(&POLICY), 5, 10);
            assert_between(back_off.before_next(&POLICY), 5, 10);
        }
    }

    #[test]
    fn delays_are_random() {
        let mut delays = (0..20).map(|_| BackOff::default().before_next(&POLICY));
        let first = delays.next().unwrap();
        assert!(delays.any(|delay| delay != first), "all were {first:?}");
    }

    #[test]
    fn min_delay_may_equal_max_delay() {
        let policy = ReconnectPolicy { max_delay: POLICY.min_delay, ..POLICY };
        assert_between(BackOff::default().before_next(&policy), 1, 1);
    }

    #[test]
    fn a_connection_that_does_not_last_counts_as_a_failure() {
        let now = Instant::now();
        let mut back_off = BackOff::default();
        back_off.succeeded(now);
        assert_between(back_off.before_first(&POLICY, now), 1, 2);
        back_off.succeeded(now);
        assert_between(back_off.before_first(&POLICY, now + Duration::from_secs(1)), 2, 4);
        back_off.succeeded(now);
        assert_eq!(back_off.before_first(&POLICY, now + Duration::from_secs(5)), Duration::ZERO);
        assert_between(back_off.before_next(&POLICY), 1, 2);
    }
}
