use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::late::LateResult;
use super::ticket::{Completion, Slot};
use crate::protocol::{Transaction, TransactionId};

/// What other threads leave for the I/O thread.
pub(super) enum Request {
    Submit {
        id: TransactionId,
        transaction: Transaction,
        completion: Completion,
        late: Option<Arc<LateResult>>,
    },
    Abandon(TransactionId),
    /// Takes a transaction back if nothing of it was written.
    Withdraw(TransactionId, Arc<Slot>),
    Trace(bool),
    Close,
}

#[derive(Default)]
pub(super) struct Mailbox {
    requests: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    waiting: VecDeque<Request>,
    /// The I/O thread is gone: nobody would take what is put in.
    shut: bool,
}

impl Mailbox {
    /// Gives the request back if nobody will take it any more.
    pub(super) fn put(&self, request: Request) -> Result<(), Request> {
        let mut contents = self.requests.lock();
        if contents.shut {
            return Err(request);
        }
        contents.waiting.push_back(request);
        Ok(())
    }

    pub(super) fn take(&self) -> VecDeque<Request> {
        std::mem::take(&mut self.requests.lock().waiting)
    }

    /// Takes what is left, and refuses what comes after.
    pub(super) fn shut(&self) -> VecDeque<Request> {
        let mut contents = self.requests.lock();
        contents.shut = true;
        std::mem::take(&mut contents.waiting)
    }
}
