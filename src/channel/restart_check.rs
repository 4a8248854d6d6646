//! Finds out whether a boot banner was one. The banner alone proves nothing; a stopped service does, and the driver asks
//! for it with `AT+CMQTTREL?`.

use super::failure::{Failure, Outcome};
use super::queued_transaction::QueuedTransaction;

#[derive(Debug, Default)]
pub(super) struct RestartCheck {
    is_confirmed: bool,
    /// Transactions without an answer since the banner. Each fails with its failure if the module did not restart.
    unanswered: Vec<(QueuedTransaction, Failure)>,
}

impl RestartCheck {
    /// The module has restarted.
    pub(super) fn confirm(&mut self) {
        self.is_confirmed = true;
    }

    /// Takes the outcome of the question. Returns `true` if the module has restarted: it refused.
    pub(super) fn handle_outcome(&mut self, outcome: &Outcome) -> bool {
        self.is_confirmed |= matches!(outcome, Err(Failure::Refused { .. }));
        self.is_confirmed
    }

    pub(super) fn take_confirmed(&mut self) -> bool {
        std::mem::take(&mut self.is_confirmed)
    }

    pub(super) fn hold(&mut self, transaction: QueuedTransaction, failure: Failure) {
        self.unanswered.push((transaction, failure));
    }

    pub(super) fn take_unanswered(&mut self) -> Vec<(QueuedTransaction, Failure)> {
        std::mem::take(&mut self.unanswered)
    }
}
