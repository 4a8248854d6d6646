use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::port::Port;

/// Requests of other threads to the I/O thread, and the fact that it has ended.
#[derive(Default)]
pub(super) struct ThreadControl {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    attached: Option<Box<dyn Port>>,
    is_stopped: bool,
    has_ended: bool,
}

pub(super) enum ThreadRequest {
    Attach(Box<dyn Port>),
    Stop,
}

impl ThreadControl {
    /// Leaves a port for the thread. A thread that has ended closes the port instead.
    pub(super) fn attach(&self, port: Box<dyn Port>) {
        let mut state = self.state();
        if !state.has_ended {
            state.attached = Some(port);
        }
    }

    pub(super) fn stop(&self) {
        self.state().is_stopped = true;
    }

    pub(super) fn take(&self) -> Option<ThreadRequest> {
        let mut state = self.state();
        if state.is_stopped {
            return Some(ThreadRequest::Stop);
        }
        state.attached.take().map(ThreadRequest::Attach)
    }

    /// Records that the thread has ended, and closes a port that it did not take any more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        state.attached = None;
        self.ended.notify_all();
    }

    /// Returns true if the thread has ended or ends within `timeout`.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state();
        while !state.has_ended {
            let Some(left) = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
            else {
                state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if left.is_zero() {
                return false;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// No code panics while it holds this lock, so a poisoned state is still consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
