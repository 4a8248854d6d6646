use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::late::LateResult;
use super::patience::{Interrupted, Patience};
use crate::protocol::{Outcome, TransactionId};

/// A claim to the outcome of a transaction.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) id: TransactionId,
    pub(super) slot: Arc<Slot>,
    pub(super) late: Option<Arc<LateResult>>,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    outcome: Mutex<Option<Outcome>>,
    ready: Condvar,
}

impl Slot {
    pub(super) fn fill(&self, outcome: Outcome) {
        *self.outcome.lock() = Some(outcome);
        self.ready.notify_all();
    }

    /// The engine ends every transaction by its own deadline, so this needs none.
    pub(super) fn wait(&self, patience: &dyn Patience) -> Result<Outcome, Interrupted> {
        let mut outcome = self.outcome.lock();
        loop {
            if let Some(outcome) = outcome.take() {
                return Ok(outcome);
            }
            match patience.interval() {
                None => self.ready.wait(&mut outcome),
                Some(interval) => {
                    if self.ready.wait_for(&mut outcome, interval).timed_out() && outcome.is_none() {
                        parking_lot::MutexGuard::unlocked(&mut outcome, || patience.go_on())?;
                    }
                }
            }
        }
    }
}

/// Who hears of an outcome.
pub(super) enum Completion {
    Waiting(Arc<Slot>),
    Calling(Box<dyn FnOnce(Outcome) + Send>),
}

impl Completion {
    pub(super) fn complete(self, outcome: Outcome) {
        match self {
            Self::Waiting(slot) => slot.fill(outcome),
            Self::Calling(call) => call(outcome),
        }
    }
}
