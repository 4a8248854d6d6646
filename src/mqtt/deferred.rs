use std::sync::Arc;

use parking_lot::Mutex;

use super::error::Error;
use crate::channel::Failure;

/// The result of a publish whose outcome was told as unknown: it may still come, or be known never to come.
#[derive(Clone, Default)]
pub struct Deferred(Arc<Mutex<DeferredState>>);

enum DeferredState {
    Open(Vec<Receiver>),
    Known(Result<(), Error>),
}

/// Called with the result, on the I/O thread; must not block.
type Receiver = Box<dyn FnOnce(Result<(), Error>) + Send>;

impl Default for DeferredState {
    fn default() -> Self {
        Self::Open(Vec::new())
    }
}

impl Deferred {
    /// Returns the result if it is known; else calls `receiver` with the result later, on the I/O thread.
    pub fn result_or_notify(
        &self,
        receiver: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Option<Result<(), Error>> {
        match &mut *self.0.lock() {
            DeferredState::Open(receivers) => {
                receivers.push(Box::new(receiver));
                None
            }
            DeferredState::Known(result) => Some(result.clone()),
        }
    }

    pub(super) fn resolve(&self, result: Result<(), Failure>) {
        let result = result.map_err(Error::from_deferred);
        let state = std::mem::replace(&mut *self.0.lock(), DeferredState::Known(result.clone()));
        let DeferredState::Open(receivers) = state else { return };
        for receiver in receivers {
            receiver(result.clone());
        }
    }
}

impl std::fmt::Debug for Deferred {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Deferred")
    }
}
