//! The threads that bring kept clients back, one a client, and what wakes them.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::modem::Modem;
use crate::at::ClientIndex;

/// When and how to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    pub min_delay: Duration,
    pub max_delay: Duration,
    pub give_up_after: Option<Duration>,
    pub resend_qos2: bool,
}

/// Wakes the thread that keeps one client, and knows how often that client was lost.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    is_stopped: bool,
    /// There is something to look after.
    trouble: bool,
    /// The client is kept in another way, or no longer: what was waited for before does not count.
    is_changed: bool,
    losses: u64,
}

impl Keeper {
    /// The connection, or all there was on the way to it, is gone.
    pub(super) fn lost(&self) {
        self.state.lock().losses += 1;
        self.look();
    }

    /// Something may be wrong.
    pub(super) fn look(&self) {
        self.state.lock().trouble = true;
        self.changed.notify_all();
    }

    pub(super) fn losses(&self) -> u64 {
        self.state.lock().losses
    }

    pub(super) fn policy_changed(&self) {
        self.state.lock().is_changed = true;
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopped = true;
        self.changed.notify_all();
    }

    /// Whether the caller is to start the thread.
    fn begin(&self) -> bool {
        let mut state = self.state.lock();
        if state.is_running {
            return false;
        }
        // What happened to clients that nobody kept is of no interest.
        (state.is_running, state.trouble, state.is_changed) = (true, false, false);
        true
    }

    /// Waits for trouble; false at the end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        loop {
            if state.is_stopped {
                return false;
            }
            if std::mem::take(&mut state.trouble) {
                state.is_changed = false;
                return true;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Lets time pass; false if what is being done is of no use any more. New trouble is no reason to hurry.
    fn pause(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.is_stopped && !state.is_changed {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        !state.is_stopped && !state.is_changed
    }
}

/// How long to wait before an attempt: at first not at all, then twice as long each time.
#[derive(Debug, Default)]
struct BackOff {
    longest: Option<Duration>,
    back_since: Option<Instant>,
}

impl BackOff {
    /// A connection that was gone as soon as it had come back is one more failure.
    fn before_first(&mut self, policy: &ReconnectPolicy, now: Instant) -> Duration {
        let proven_after = self.longest.unwrap_or(policy.min_delay);
        if self.back_since.is_some_and(|since| now.duration_since(since) < proven_after) {
            return self.before_next(policy);
        }
        self.longest = None;
        Duration::ZERO
    }

    fn before_next(&mut self, policy: &ReconnectPolicy) -> Duration {
        let longest = (self.longest.unwrap_or(policy.min_delay) * 2).min(policy.max_delay);
        self.longest = Some(longest);
        jittered((longest / 2).max(policy.min_delay), longest)
    }

    fn succeeded(&mut self, now: Instant) {
        self.back_since = Some(now);
    }
}

/// Somewhere in between, so that a rig full of modules does not come back in one moment.
fn jittered(shortest: Duration, longest: Duration) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "it is noise")]
    let noise = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    shortest + longest.saturating_sub(shortest).mul_f64(noise)
}

impl Modem {
    /// Starts the thread with the first time that a client is kept.
    pub(super) fn start_keeper(self: &Arc<Self>, index: ClientIndex) {
        let keeper = self.hub().keeper(index).clone();
        if !keeper.begin() {
            return;
        }
        let modem = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name(format!("simcom-mqtt-reconnect-{index}"));
        // Without a thread left in the system nothing is reconnected, which every publish will tell.
        let _ = thread.spawn(move || keep(&modem, index, &keeper));
    }
}

fn keep(modem: &Weak<Modem>, index: ClientIndex, keeper: &Keeper) {
    let mut back_off = BackOff::default();
    while keeper.wait() {
        bring_back(modem, index, keeper, &mut back_off);
    }
}

/// Tries until the client is back, nobody wants it back, or its policy gives up.
fn bring_back(modem: &Weak<Modem>, index: ClientIndex, keeper: &Keeper, back_off: &mut BackOff) {
    let policy_of = |modem: &Arc<Modem>| modem.reconnect_policy(index);
    let Some(policy) = modem.upgrade().as_ref().and_then(policy_of) else { return };
    let began = Instant::now();
    let give_up_at = policy.give_up_after.map(|time| began + time);
    let mut delay = back_off.before_first(&policy, began);
    loop {
        if !keeper.pause(delay) {
            return;
        }
        let Some(modem) = modem.upgrade() else { return };
        let Err(error) = modem.restore(index, give_up_at) else {
            back_off.succeeded(Instant::now());
            return;
        };
        if modem.reconnect_policy(index).is_none() {
            return;
        }
        let left = give_up_at.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            modem.give_up_reconnecting(index, &error);
            return;
        }
        delay = back_off.before_next(&policy);
        delay = left.map_or(delay, |left| left.min(delay));
        modem.hub().reconnect_failed(index, &error, delay);
    }
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
    fn delays_grow_up_to_the_longest() {
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
    fn delays_differ() {
        let mut delays = (0..20).map(|_| BackOff::default().before_next(&POLICY));
        let first = delays.next().unwrap();
        assert!(delays.any(|delay| delay != first), "all were {first:?}");
    }

    #[test]
    fn a_shortest_delay_that_is_the_longest() {
        let policy = ReconnectPolicy { max_delay: POLICY.min_delay, ..POLICY };
        assert_between(BackOff::default().before_next(&policy), 1, 1);
    }

    #[test]
    fn a_connection_that_does_not_last_is_a_failure() {
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

    #[test]
    fn trouble_is_kept_until_somebody_looks() {
        let keeper = Keeper::default();
        assert!(keeper.begin());
        assert!(!keeper.begin(), "the thread runs already");
        keeper.lost();
        keeper.look();
        assert_eq!(keeper.losses(), 1);
        assert!(keeper.wait());
        keeper.stop();
        assert!(!keeper.wait());
    }

    #[test]
    fn a_pause_ends_with_its_reason() {
        let keeper = Keeper::default();
        assert!(keeper.pause(Duration::from_millis(1)));
        keeper.policy_changed();
        assert!(!keeper.pause(Duration::from_secs(100)));
    }
}
