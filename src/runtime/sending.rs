//! What goes to the broker: publishes at once or later, and what needs the connection.

use std::sync::Arc;
use std::time::Instant;

use super::error::Error;
use super::late::LateResult;
use super::mailbox::Request;
use super::modem::Modem;
use super::patience::{Interrupted, Patience};
use super::report::Promise;
use super::ticket::{Completion, Slot};
use crate::at::ClientIndex;
use crate::channel::{Outcome, Transaction, TransactionId};
use crate::commands::{LongestPayload, Payload, PayloadLimit};

impl Modem {
    /// As [`Modem::execute`], for what needs the connection: while it is being rebuilt, it waits.
    pub(super) fn execute_connected(
        &self,
        transaction: Transaction,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let ticket = self.submit_connected(transaction, None)?;
        self.wait(&ticket, patience).map(drop)
    }

    /// As [`Modem::execute`], for a publish: its result can still be had if it is late.
    ///
    /// # Errors
    ///
    /// Whatever the module, the line or time says.
    pub fn publish(&self, transaction: Transaction, patience: &dyn Patience) -> Result<(), Error> {
        let late = Arc::new(LateResult::new(self.hub().clone()));
        let ticket = self.submit_connected(transaction, Some(late))?;
        self.wait(&ticket, patience).map(drop)
    }

    /// Queues a publish, waiting while too many wait already; `promise` is ended on the reporting thread.
    ///
    /// # Errors
    ///
    /// The driver is closed, or the wait was interrupted.
    pub fn publish_later(
        &self,
        client: ClientIndex,
        transaction: Transaction,
        promise: Promise,
        patience: &dyn Patience,
    ) -> Result<TransactionId, Error> {
        let began = Instant::now();
        let entry = self.gates.enter(client, patience).map_err(|_| Error::Interrupted)?;
        let late = Arc::new(LateResult::new(self.hub().clone()));
        let completion = Completion::Calling(Box::new({
            let (late, hub, port) = (late.clone(), self.hub().clone(), self.port().to_owned());
            move |outcome: Outcome| {
                drop(entry);
                let error = |failure| {
                    let seconds = began.elapsed().as_secs_f64();
                    Error::from_failure(failure, &hub.facts(), &port, seconds, Some(late))
                };
                let result = outcome.map(drop).map_err(error);
                hub.end_later(promise, result);
            }
        }));
        self.put(transaction, completion, Some(late), true)
    }

    /// Whether the transaction was taken back before its first byte was written.
    ///
    /// # Errors
    ///
    /// The wait was interrupted.
    pub fn withdraw(&self, id: TransactionId, patience: &dyn Patience) -> Result<bool, Interrupted> {
        let slot = Arc::new(Slot::default());
        if self.is_forked() || !self.request(Request::Withdraw(id, slot.clone())) {
            return Ok(false);
        }
        Ok(slot.wait(patience)?.is_err())
    }

    /// Takes a transaction back if nothing of it was written; else nobody waits for it any more.
    pub fn abandon(&self, id: TransactionId) {
        self.request(Request::Abandon(id));
    }

    /// Asked once, when first needed. A module that does not say is asked by sending.
    ///
    /// # Errors
    ///
    /// The payload is longer than the module takes, or asking failed.
    pub fn payload(
        &self,
        bytes: Vec<u8>,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<Payload, Error> {
        self.check_flow_control(&bytes)?;
        let limit = if bytes.is_empty() {
            PayloadLimit::LONGEST
        } else {
            self.known_payload_limit(deadline, patience)?
        };
        Ok(Payload::parse(bytes, limit)?)
    }

    pub(super) fn known_payload_limit(
        &self,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<PayloadLimit, Error> {
        let known = *self.payload_limit.lock();
        if let Some(limit) = known {
            return Ok(limit);
        }
        let limit = match self.ask_by(&LongestPayload, deadline, patience) {
            Err(Error::Refused { .. } | Error::UnexpectedAnswer(_)) => PayloadLimit::LONGEST,
            asked => asked?,
        };
        *self.payload_limit.lock() = Some(limit);
        Ok(limit)
    }
}
