use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::patience::{Interrupted, Patience};

/// Why a wait ended with nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    TimedOut,
    Closed,
    Interrupted,
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

    pub(super) fn wait(&self, deadline: Instant, patience: &dyn Patience) -> Nothing {
        let mut closed = self.closed.lock();
        let end =
            wait_until(&self.changed, &mut closed, Some(deadline), patience, |closed| closed.then_some(()));
        end.err().unwrap_or(Nothing::Closed)
    }
}

/// Waits on `changed` until `ready` has an answer, `deadline` has passed or patience is at an end.
pub(super) fn wait_until<S, T>(
    changed: &Condvar,
    state: &mut MutexGuard<'_, S>,
    deadline: Option<Instant>,
    patience: &dyn Patience,
    mut ready: impl FnMut(&mut S) -> Option<T>,
) -> Result<T, Nothing> {
    loop {
        if let Some(answer) = ready(state) {
            return Ok(answer);
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Nothing::TimedOut);
        }
        match shorter(deadline.map(|deadline| deadline - now), patience.interval()) {
            None => changed.wait(state),
            Some(slice) => {
                if changed.wait_for(state, slice).timed_out() {
                    MutexGuard::unlocked(state, || patience.go_on())?;
                }
            }
        }
    }
}

fn shorter(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}
