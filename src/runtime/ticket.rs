use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::late::LateResult;
use super::patience::{Interrupted, Patience, Sleeper};
use super::waiting::{rouse, wait_until, watch};
use crate::channel::{Outcome, TransactionId};

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
    pub(super) fn wait(self: &Arc<Self>, patience: &dyn Patience) -> Result<Outcome, Interrupted> {
        watch(self, patience);
        let mut outcome = self.outcome.lock();
        wait_until(&self.ready, &mut outcome, None, patience, Option::take).map_err(|_| Interrupted)
    }
}

impl Sleeper for Slot {
    fn wake(&self) {
        rouse(&self.outcome, &self.ready);
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
