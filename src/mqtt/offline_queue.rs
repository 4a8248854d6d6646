//! The requests of one client that need its connection. They stay here from submission to result, and wait here while the
//! client reconnects.

use std::collections::VecDeque;
use std::time::Instant;

use super::retry_decision::RetryDecision;
use crate::channel::{Failure, LostBy, Outcome, Transaction, TransactionId, UnknownReason};

/// Limits resends: some messages make the broker close the connection.
const MOST_REFUSALS: u8 = 3;

#[derive(Debug, Default)]
pub(super) struct OfflineQueue {
    /// In the order of their submission.
    requests: VecDeque<QueuedRequest>,
}

#[derive(Debug)]
struct QueuedRequest {
    id: TransactionId,
    transaction: Transaction,
    deadline: Instant,
    /// The AT channel has it.
    is_submitted: bool,
    /// PUB was written and its result was not read: the outcome stays unknown, whatever comes after.
    unknown: Option<UnknownReason>,
    refusals: u8,
    /// The module's last refusal.
    refusal: Option<Failure>,
}

/// The consequence of the outcome of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// The caller gets this.
    Done(Outcome),
    /// The request waits for the connection, and so does what is behind it.
    Waits,
    /// As `Waits`, and the module has to be asked whether the connection still stands.
    WaitsForCheck,
}

impl OfflineQueue {
    /// Adds a request that waits.
    pub(super) fn push(&mut self, id: TransactionId, transaction: Transaction, now: Instant) {
        let deadline = transaction.deadline(now);
        self.requests.push_back(QueuedRequest {
            id,
            transaction,
            deadline,
            is_submitted: false,
            unknown: None,
            refusals: 0,
            refusal: None,
        });
    }

    /// The requests that wait, in order, with what is left of their time. From now on the AT channel has them.
    pub(super) fn submit_all(&mut self, now: Instant) -> Vec<(TransactionId, Transaction)> {
        let waiting = self.requests.iter_mut().filter(|request| !request.is_submitted);
        waiting.map(|request| request.submit(now)).collect()
    }

    /// The AT channel gave these back before a byte of them was written.
    pub(super) fn hold(&mut self, ids: &[TransactionId]) {
        for request in self.requests.iter_mut().filter(|request| ids.contains(&request.id)) {
            request.is_submitted = false;
        }
    }

    /// Decides about a request that the AT channel is done with. `resend_qos2`: `None` without a reconnect policy.
    pub(super) fn settle(
        &mut self,
        id: TransactionId,
        outcome: Outcome,
        resend_qos2: Option<bool>,
        now: Instant,
    ) -> Settled {
        let Some(at) = self.requests.iter().position(|request| request.id == id) else {
            return Settled::Done(outcome);
        };
        let failure = match (outcome, resend_qos2) {
            (Err(failure), Some(resend_qos2)) => {
                let request = &mut self.requests[at];
                if let Some(settled) = request.retry(&failure, resend_qos2, now) {
                    request.is_submitted = false;
                    return settled;
                }
                failure
            }
            (Err(failure), None) => failure,
            (done, _) => {
                self.requests.remove(at);
                return Settled::Done(done);
            }
        };
        let request = self.requests.remove(at);
        Settled::Done(Err(request.map_or(failure.clone(), |request| request.explain(failure))))
    }

    /// Cancels a request that waits, if no byte of it was ever written.
    pub(super) fn cancel(&mut self, id: TransactionId) -> bool {
        self.remove(|request| request.id == id && !request.is_submitted && request.unknown.is_none())
    }

    /// Returns true if PUB of this request was written before.
    pub(super) fn was_written(&self, id: TransactionId) -> bool {
        self.requests.iter().any(|request| request.id == id && request.unknown.is_some())
    }

    /// A deferred result says that a request, which waits to go out again, was carried out.
    pub(super) fn remove_waiting(&mut self, id: TransactionId) -> bool {
        self.remove(|request| request.id == id && !request.is_submitted)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.requests.iter().filter(|request| !request.is_submitted).map(|request| request.deadline).min()
    }

    /// Takes the waiting requests whose time is over.
    pub(super) fn take_expired(
        &mut self,
        reason: Option<&LostBy>,
        now: Instant,
    ) -> Vec<(TransactionId, Failure)> {
        self.take_waiting(reason, |request| request.deadline <= now)
    }

    /// Takes all that wait: the client does not reconnect any more.
    pub(super) fn fail_waiting(&mut self, reason: Option<&LostBy>) -> Vec<(TransactionId, Failure)> {
        self.take_waiting(reason, |_| true)
    }

    /// Takes everything: the driver closes.
    pub(super) fn close(&mut self) -> Vec<(TransactionId, Outcome)> {
        let requests = std::mem::take(&mut self.requests);
        requests.into_iter().map(|request| (request.id, Err(request.explain(Failure::Closed)))).collect()
    }

    fn take_waiting(
        &mut self,
        reason: Option<&LostBy>,
        selects: impl Fn(&QueuedRequest) -> bool,
    ) -> Vec<(TransactionId, Failure)> {
        let requests = std::mem::take(&mut self.requests).into_iter();
        let (taken, kept) = requests.partition(|request| !request.is_submitted && selects(request));
        self.requests = kept;
        let taken: VecDeque<QueuedRequest> = taken;
        taken.into_iter().map(|request| (request.id, request.give_up(reason))).collect()
    }

    fn remove(&mut self, selects: impl Fn(&QueuedRequest) -> bool) -> bool {
        let before = self.requests.len();
        self.requests.retain(|request| !selects(request));
        self.requests.len() < before
    }
}

impl QueuedRequest {
    fn submit(&mut self, now: Instant) -> (TransactionId, Transaction) {
        self.is_submitted = true;
        let left = self.deadline.saturating_duration_since(now);
        (self.id, self.transaction.clone().within(left))
    }

    /// `None`: the caller gets the failure.
    fn retry(&mut self, failure: &Failure, resend_qos2: bool, now: Instant) -> Option<Settled> {
        match RetryDecision::after(failure, self.deadline, now) {
            RetryDecision::Fail => None,
            RetryDecision::Retry => Some(Settled::Waits),
            RetryDecision::Resend => {
                if let Failure::ResultUnknown { reason, .. } = failure {
                    self.unknown = Some(reason.clone());
                }
                self.transaction.prepare_resend(resend_qos2).then_some(Settled::Waits)
            }
            RetryDecision::ResendIfLost if !self.transaction.prepare_resend(resend_qos2) => None,
            RetryDecision::RetryIfLost | RetryDecision::ResendIfLost => {
                self.refusal = Some(failure.clone());
                self.refusals += 1;
                (self.refusals <= MOST_REFUSALS).then_some(Settled::WaitsForCheck)
            }
        }
    }

    /// A failure for the caller: a publish whose result was lost once stays unknown.
    fn explain(self, failure: Failure) -> Failure {
        match (self.unknown, failure) {
            (_, failure @ Failure::ResultUnknown { .. }) | (None, failure) => failure,
            (Some(reason), _) => Failure::ResultUnknown { command: self.transaction.named(), reason },
        }
    }

    /// The failure of a request that does not go out any more.
    fn give_up(self, reason: Option<&LostBy>) -> Failure {
        let command = self.transaction.named();
        let failure = match (&self.refusal, reason) {
            (Some(refusal), _) => refusal.clone(),
            (None, Some(cause)) => Failure::ConnectionLost { command, cause: cause.clone() },
            (None, None) => Failure::Mute { command },
        };
        self.explain(failure)
    }
}
