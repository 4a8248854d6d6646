use parking_lot::Mutex;

use crate::protocol::Failure;

type Listener = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// The result of a publish that was given up as unknown: it may still come, or cannot any more.
pub struct LateResult(Mutex<State>);

enum State {
    Open(Vec<Listener>),
    Known(Result<(), Failure>),
}

impl LateResult {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::Open(Vec::new())))
    }

    /// Calls `listener` once the result is known, on the thread that learns it, or at once.
    pub fn when_known(&self, listener: impl FnOnce(Result<(), Failure>) + Send + 'static) {
        let mut state = self.0.lock();
        match &mut *state {
            State::Open(listeners) => listeners.push(Box::new(listener)),
            State::Known(result) => {
                let result = result.clone();
                drop(state);
                listener(result);
            }
        }
    }

    pub(super) fn resolve(&self, result: &Result<(), Failure>) {
        let state = std::mem::replace(&mut *self.0.lock(), State::Known(result.clone()));
        if let State::Open(listeners) = state {
            for listener in listeners {
                listener(result.clone());
            }
        }
    }
}

impl std::fmt::Debug for LateResult {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LateResult")
    }
}
