use std::sync::Arc;

use parking_lot::Mutex;

use super::error::Error;
use super::hub::Hub;
use super::report::Promise;
use crate::at::ResultCode;
use crate::channel::{FailedCommand, Failure, UnknownReason};

/// The result of a publish that was given up as unknown: it may still come, or cannot any more.
pub struct LateResult {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

enum State {
    Open(Vec<Promise>),
    Known(Result<(), Failure>),
}

impl LateResult {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, state: Mutex::new(State::Open(Vec::new())) }
    }

    /// The result if it is known. Else the promise that `promise` makes is ended on the reporting thread once it is.
    pub fn known_or_promised(&self, promise: impl FnOnce() -> Promise) -> Option<Result<(), Error>> {
        let mut state = self.state.lock();
        match &mut *state {
            State::Open(promises) => {
                promises.push(promise());
                None
            }
            State::Known(result) => Some(explained(result)),
        }
    }

    pub(super) fn resolve(&self, result: &Result<(), Failure>) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Known(result.clone()));
        let State::Open(promises) = state else { return };
        for promise in promises {
            self.hub.end_later(promise, explained(result));
        }
    }
}

/// Why a late result is a failure: the module's own words, or that none can come.
fn explained(result: &Result<(), Failure>) -> Result<(), Error> {
    let unknown = |command: FailedCommand, reason| Error::OutcomeUnknown {
        command: command.into_text(),
        reason,
        late: None,
    };
    result.clone().map_err(|failure| match failure {
        Failure::Refused { command, refusal, code } => Error::Refused {
            response: refusal.text(command.kind()),
            code: code.map(ResultCode::number),
            client: command.client(),
            command: command.into_text(),
        },
        Failure::ResultUnknown { command, reason } => unknown(command, reason),
        Failure::NoAnswer { command, .. } | Failure::Mute { command, .. } => {
            unknown(command, UnknownReason::Timeout)
        }
        Failure::ConnectionLost { command, cause } => unknown(command, UnknownReason::Lost(cause)),
        Failure::Closed | Failure::Cancelled | Failure::PayloadHeld { .. } => Error::Closed,
    })
}

impl std::fmt::Debug for LateResult {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LateResult")
    }
}
