//! Blocking waits of callers' threads.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, MutexGuard};

use crate::channel::LostBy;

/// Lets a wait end early: asked regularly while a caller waits.
pub trait Cancellation {
    /// Returns whether to stop waiting. Called without any lock held.
    fn is_cancelled(&self) -> bool;

    /// The time between two questions; `None` if the answer is always no.
    fn interval(&self) -> Option<Duration>;
}

/// Never cancels.
pub struct Never;

impl Cancellation for Never {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn interval(&self) -> Option<Duration> {
        None
    }
}

/// The end of a wait without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitError {
    TimedOut,
    /// The driver was closed.
    Closed,
    /// The capture has ended.
    Ended,
    Cancelled,
    /// The connection is lost over which the messages come.
    Lost(LostBy),
}

/// Waits on `changed` until `ready` has an answer, `deadline` has passed or the wait is cancelled.
pub(super) fn wait_until<S, T>(
    changed: &Condvar,
    state: &mut MutexGuard<'_, S>,
    deadline: Option<Instant>,
    cancellation: &dyn Cancellation,
    mut ready: impl FnMut(&mut S) -> Option<T>,
) -> Result<T, WaitError> {
    let mut asked = Instant::now();
    loop {
        if let Some(answer) = ready(state) {
            return Ok(answer);
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(WaitError::TimedOut);
        }
        let until_asking = cancellation.interval().map(|interval| interval.saturating_sub(now - asked));
        if until_asking.is_some_and(|left| left.is_zero()) {
            // By the clock: changes that make nothing ready must not keep Ctrl-C waiting.
            if MutexGuard::unlocked(state, || cancellation.is_cancelled()) {
                return Err(WaitError::Cancelled);
            }
            asked = Instant::now();
            continue;
        }
        let left = deadline.map(|deadline| deadline - now);
        match left.into_iter().chain(until_asking).min() {
            None => changed.wait(state),
            Some(time) => drop(changed.wait_for(state, time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use parking_lot::Mutex;

    use super::*;

    struct Cancelled;

    impl Cancellation for Cancelled {
        fn is_cancelled(&self) -> bool {
            true
        }

        fn interval(&self) -> Option<Duration> {
            Some(Duration::from_millis(5))
        }
    }

    #[test]
    fn wait_is_cancelled_though_changes_never_stop() {
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
        let end = wait_until::<_, ()>(&shared.1, &mut shared.0.lock(), None, &Cancelled, |()| None);
        shared.2.store(true, Ordering::Relaxed);
        changing.join().unwrap();
        assert_eq!(end, Err(WaitError::Cancelled));
    }
}
