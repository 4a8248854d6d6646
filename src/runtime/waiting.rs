use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::patience::{Interrupted, Patience, Sleeper};
use crate::channel::LostBy;

/// Why a wait ended with nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    TimedOut,
    /// The driver was closed.
    Closed,
    /// The capture has ended.
    Ended,
    Interrupted,
    /// The connection that it was to come over is gone.
    Lost(LostBy),
}

impl From<Interrupted> for Nothing {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// The end of the driver, to be waited for.
#[derive(Debug, Default)]
pub(super) struct Closing {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Closing {
    pub(super) fn close(&self) {
        *self.closed.lock() = true;
        self.changed.notify_all();
    }

    pub(super) fn is_over(&self) -> bool {
        *self.closed.lock()
    }

    pub(super) fn wait(self: &Arc<Self>, deadline: Instant, patience: &dyn Patience) -> Nothing {
        watch(self, patience);
        let mut closed = self.closed.lock();
        let end =
            wait_until(&self.changed, &mut closed, Some(deadline), patience, |closed| closed.then_some(()));
        end.err().unwrap_or(Nothing::Closed)
    }
}

impl Sleeper for Closing {
    fn wake(&self) {
        rouse(&self.closed, &self.changed);
    }
}

/// Has `patience` know what to wake, before the wait takes its lock.
pub(super) fn watch<S: Sleeper + 'static>(sleeper: &Arc<S>, patience: &dyn Patience) {
    let sleeper: Arc<dyn Sleeper> = sleeper.clone();
    patience.watch(&sleeper);
}

/// Wakes a wait on `changed`. Under the lock, so that it does not fall between the wait's last question and its sleep.
pub(super) fn rouse<S>(state: &Mutex<S>, changed: &Condvar) {
    drop(state.lock());
    changed.notify_all();
}

/// Waits on `changed` until `ready` has an answer, `deadline` has passed or patience is at an end.
pub(super) fn wait_until<S, T>(
    changed: &Condvar,
    state: &mut MutexGuard<'_, S>,
    deadline: Option<Instant>,
    patience: &dyn Patience,
    mut ready: impl FnMut(&mut S) -> Option<T>,
) -> Result<T, Nothing> {
    let mut asked = Instant::now();
    loop {
        if let Some(answer) = ready(state) {
            return Ok(answer);
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Nothing::TimedOut);
        }
        if patience.interval().is_none() {
            patience.go_on()?;
        }
        let until_asking = patience.interval().map(|interval| interval.saturating_sub(now - asked));
        if until_asking.is_some_and(|left| left.is_zero()) {
            // By the clock: what changes all the time without being ready must not keep a signal waiting.
            MutexGuard::unlocked(state, || patience.go_on())?;
            asked = Instant::now();
            continue;
        }
        match shorter(deadline.map(|deadline| deadline - now), until_asking) {
            None => changed.wait(state),
            Some(slice) => drop(changed.wait_for(state, slice)),
        }
    }
}

fn shorter(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use parking_lot::Mutex;

    use super::*;

    struct Short;

    impl Patience for Short {
        fn interval(&self) -> Option<Duration> {
            Some(Duration::from_millis(5))
        }

        fn go_on(&self) -> Result<(), Interrupted> {
            Err(Interrupted)
        }
    }

    /// Ends when it is told to, and is asked by no clock.
    #[derive(Default)]
    struct Told {
        is_over: AtomicBool,
        sleeper: Mutex<Option<Arc<dyn Sleeper>>>,
    }

    impl Patience for Told {
        fn interval(&self) -> Option<Duration> {
            None
        }

        fn go_on(&self) -> Result<(), Interrupted> {
            if self.is_over.load(Ordering::Acquire) { Err(Interrupted) } else { Ok(()) }
        }

        fn watch(&self, sleeper: &Arc<dyn Sleeper>) {
            *self.sleeper.lock() = Some(sleeper.clone());
        }
    }

    #[test]
    fn a_wait_without_a_clock_ends_when_it_is_woken() {
        for _ in 0..200 {
            let (closing, told) = (Arc::new(Closing::default()), Arc::new(Told::default()));
            let waiting = thread::spawn({
                let (closing, told) = (closing.clone(), told.clone());
                move || closing.wait(Instant::now() + Duration::from_secs(60), &*told)
            });
            // Wherever the wait is by now, it must not miss it.
            told.is_over.store(true, Ordering::Release);
            let sleeper = told.sleeper.lock().clone();
            if let Some(sleeper) = sleeper {
                sleeper.wake();
            }
            assert_eq!(waiting.join().unwrap(), Nothing::Interrupted);
        }
    }

    #[test]
    fn changes_that_make_nothing_ready_do_not_keep_patience_from_ending() {
        let shared = Arc::new((Mutex::new(()), Condvar::new(), AtomicBool::new(false)));
        let changing = thread::spawn({
            let shared = shared.clone();
            move || {
                while !shared.2.load(Ordering::Relaxed) {
                    shared.1.notify_all();
                    thread::yield_now();
                }
            }
        });
        let end = wait_until::<_, ()>(&shared.1, &mut shared.0.lock(), None, &Short, |()| None);
        shared.2.store(true, Ordering::Relaxed);
        changing.join().unwrap();
        assert_eq!(end, Err(Nothing::Interrupted));
    }
}
