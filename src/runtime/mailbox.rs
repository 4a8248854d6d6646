use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::keeping::ResendPolicy;
use super::late::LateResult;
use super::ticket::{Completion, Slot};
use crate::at::ClientIndex;
use crate::channel::{Transaction, TransactionId};

/// What other threads leave for the I/O thread.
pub(super) enum Request {
    Submit(Submission),
    /// Finds the module on a port that was attached again, or on one that had gone silent.
    Open(TransactionId, Completion),
    Abandon(TransactionId),
    /// Takes a transaction back if nothing of it was written.
    Withdraw(TransactionId, Arc<Slot>),
    /// Somebody reconnects this client.
    Keep(ClientIndex, ResendPolicy),
    Forget(ClientIndex),
    /// As [`Request::Forget`], and there is no hope for what waits.
    GiveUp(ClientIndex),
    /// It is connected and subscribed again. `found_after`: found connected after so many losses, else connected just now.
    /// `is_new`: the connection is not the one of before.
    ComeBack {
        client: ClientIndex,
        found_after: Option<u64>,
        is_new: bool,
    },
    /// The module restarted, and no banner told of it.
    Restarted,
    Trace(bool),
    Close,
}

pub(super) struct Submission {
    pub(super) id: TransactionId,
    pub(super) transaction: Transaction,
    pub(super) completion: Completion,
    pub(super) late: Option<Arc<LateResult>>,
    /// While its client is being reconnected, it waits.
    pub(super) waits_for_connection: bool,
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
