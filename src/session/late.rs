use std::sync::Arc;

use parking_lot::Mutex;

use super::hub::Hub;
use crate::protocol::Failure;

type Listener = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// The result of a publish that was given up as unknown: it may still come, or cannot any more.
pub struct LateResult {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

enum State {
    Open(Vec<Listener>),
    Known(Result<(), Failure>),
}

impl LateResult {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, state: Mutex::new(State::Open(Vec::new())) }
    }

    /// Calls `listener` on the reporting thread once the result is known.
    pub fn when_known(&self, listener: impl FnOnce(Result<(), Failure>) + Send + 'static) {
        let mut state = self.state.lock();
        match &mut *state {
            State::Open(listeners) => listeners.push(Box::new(listener)),
            State::Known(result) => {
                let result = result.clone();
                drop(state);
                self.hub.run_later(Box::new(move || listener(result)));
            }
        }
    }

    pub(super) fn resolve(&self, result: &Result<(), Failure>) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Known(result.clone()));
        let State::Open(listeners) = state else { return };
        for listener in listeners {
            let result = result.clone();
            self.hub.run_later(Box::new(move || listener(result)));
        }
    }
}

impl std::fmt::Debug for LateResult {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LateResult")
    }
}
