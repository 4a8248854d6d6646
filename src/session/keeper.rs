//! The thread that brings kept clients back, and what wakes it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};

use super::modem::Modem;

/// When and how to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconnectPolicy {
    pub min_delay: Duration,
    pub max_delay: Duration,
    pub give_up_after: Option<Duration>,
    pub resend_qos2: bool,
}

/// What happened, from the least to look at to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// A refusal that may mean a restart nobody told of.
    Doubt,
    /// A client lost its connection, or the module its network.
    Connection,
    /// The module answers nothing.
    Mute,
    Port,
}

/// Wakes the keeper.
#[derive(Debug, Default)]
pub(super) struct KeeperSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    stopped: bool,
    trouble: Option<Trouble>,
}

impl KeeperSignal {
    pub(super) fn notify(&self, trouble: Trouble) {
        let mut state = self.state.lock();
        state.trouble = state.trouble.max(Some(trouble));
        self.changed.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Whether the caller is to start the thread.
    fn begin(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().running, true)
    }

    /// The trouble there is; `None` at the end.
    fn wait(&self) -> Option<Trouble> {
        let mut state = self.state.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(trouble) = state.trouble.take() {
                return Some(trouble);
            }
            self.changed.wait(&mut state);
        }
    }

    /// Lets time pass; false at the end. New trouble is kept, and no reason to hurry.
    fn pause(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.stopped {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return !state.stopped;
            }
        }
        false
    }
}

impl Modem {
    /// Starts the keeper with the first client that is to be kept.
    pub(super) fn start_keeper(self: &Arc<Self>) {
        let signal = self.hub().keeper().clone();
        if !signal.begin() {
            return;
        }
        let modem = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("simcom-mqtt-reconnect".to_owned());
        // Without a thread left in the system nothing is reconnected, which every publish will tell.
        let _ = thread.spawn(move || keep(&modem, &signal));
    }
}

fn keep(modem: &Weak<Modem>, signal: &KeeperSignal) {
    while let Some(mut trouble) = signal.wait() {
        let began = Instant::now();
        let mut delay: Option<Duration> = None;
        loop {
            let Some(modem) = modem.upgrade() else { return };
            let Some(policy) = modem.most_patient_policy() else { break };
            let next = delay.map_or(policy.min_delay, |delay| (delay * 2).min(policy.max_delay));
            match modem.restore(trouble) {
                Ok(()) => break,
                Err(error) => modem.hub().reconnect_failed(&error, next),
            }
            if policy.give_up_after.is_some_and(|limit| began.elapsed() + next > limit) {
                modem.give_up_reconnecting();
                break;
            }
            drop(modem);
            if !signal.pause(jittered(next)) {
                return;
            }
            delay = Some(next);
            trouble = trouble.max(signal.state.lock().trouble.take().unwrap_or(trouble));
        }
    }
}

/// Between half and all of it, so that a rig full of modules does not come back in one moment.
fn jittered(delay: Duration) -> Duration {
    let noise =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    delay / 2 + (delay / 2).mul_f64(f64::from(noise % 1000) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_the_delay() {
        for _ in 0..100 {
            let delay = jittered(Duration::from_secs(2));
            assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn the_worst_trouble_counts() {
        let signal = KeeperSignal::default();
        signal.notify(Trouble::Port);
        signal.notify(Trouble::Doubt);
        assert_eq!(signal.wait(), Some(Trouble::Port));
        signal.stop();
        assert_eq!(signal.wait(), None);
    }
}
