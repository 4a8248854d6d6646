use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::port::Port;

/// What other threads leave for the I/O thread, and what it tells them in return.
#[derive(Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    attached: Option<Box<dyn Port>>,
    is_stopped: bool,
    has_ended: bool,
}

/// What the I/O thread found.
pub(super) enum Letter {
    Nothing,
    Attach(Box<dyn Port>),
    Stop,
}

impl Mailbox {
    pub(super) fn attach(&self, port: Box<dyn Port>) {
        let mut state = self.state.lock();
        if !state.has_ended {
            state.attached = Some(port);
        }
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopped = true;
    }

    pub(super) fn take(&self) -> Letter {
        let mut state = self.state.lock();
        if state.is_stopped {
            return Letter::Stop;
        }
        state.attached.take().map_or(Letter::Nothing, Letter::Attach)
    }

    /// The thread's last word: a port left here is closed, since nobody comes for it any more.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.has_ended = true;
        state.attached = None;
        self.ended.notify_all();
    }

    /// Whether the thread ended within that time.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.state.lock();
        while !state.has_ended {
            if self.ended.wait_until(&mut state, deadline).timed_out() {
                return state.has_ended;
            }
        }
        true
    }
}
