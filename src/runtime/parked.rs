//! One transaction of a client that somebody reconnects: whether it may go out again, and what its caller hears if not.

use std::time::Instant;

use super::keeping::ResendPolicy;
use crate::at::{CommandName, ResultCode};
use crate::channel::{Awaited, FailedCommand, Failure, Transaction, TransactionId, UnknownReason};

/// Result codes that say that there is no connection, client or service: `no connection`, `client not acquired`.
const NOTHING_THERE: [ResultCode; 2] = [ResultCode::NO_CONNECTION, ResultCode::CLIENT_NOT_ACQUIRED];
/// Result codes that say that the connection broke: `message receive fail`, `network not opened`, `sock sending fail`,
/// `socket closed by server`.
const BROKEN: [ResultCode; 4] = [
    ResultCode::MESSAGE_RECEIVE_FAIL,
    ResultCode::NETWORK_NOT_OPENED,
    ResultCode::SOCK_SENDING_FAIL,
    ResultCode::SOCKET_CLOSED_BY_SERVER,
];
/// A message that a broker hangs up on must not go out for ever.
const MOST_REFUSALS: u8 = 3;

/// A transaction that needs the connection, from its submission to its end.
#[derive(Debug)]
pub(super) struct Parked {
    id: TransactionId,
    transaction: Transaction,
    deadline: Instant,
    /// PUB had been written and no result was read: nobody knows what became of that, whatever comes after.
    unknown: Option<UnknownReason>,
    refusals: u8,
    /// What the module said last.
    refusal: Option<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Over,
    /// Until the connection is back.
    Waits,
    /// Until it is known whether there is a connection.
    Doubted,
}

impl Parked {
    pub(super) fn new(id: TransactionId, transaction: Transaction, now: Instant) -> Self {
        let deadline = transaction.deadline(now);
        Self { id, transaction, deadline, unknown: None, refusals: 0, refusal: None }
    }

    pub(super) fn id(&self) -> TransactionId {
        self.id
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn was_written(&self) -> bool {
        self.unknown.is_some()
    }

    /// With what is left of its time.
    pub(super) fn transaction(&self, now: Instant) -> Transaction {
        self.transaction.clone().within(self.deadline.saturating_duration_since(now))
    }

    /// What becomes of it after such a failure.
    pub(super) fn fate(&mut self, failure: &Failure, policy: ResendPolicy, now: Instant) -> Fate {
        match failure {
            Failure::ConnectionLost { .. } | Failure::Mute { .. } => Fate::Waits,
            Failure::ResultUnknown { reason: reason @ UnknownReason::Lost(_), .. } => {
                self.unknown = Some(reason.clone());
                if self.may_go_again(policy) { Fate::Waits } else { Fate::Over }
            }
            Failure::Refused { code: None, .. } => self.refused(failure),
            Failure::Refused { code: Some(code), .. } if NOTHING_THERE.contains(code) => {
                self.refused(failure)
            }
            Failure::Refused { code: Some(code), command, .. } if BROKEN.contains(code) => {
                // What the module said to SUB or to entering a topic can be asked of it again.
                let was_handed_over = command.kind().name == CommandName::Publish;
                if was_handed_over && !self.may_go_again(policy) {
                    return Fate::Over;
                }
                self.refused(failure)
            }
            Failure::NoAnswer { awaited: Awaited::Prompt | Awaited::FinalResult, .. }
                if now < self.deadline =>
            {
                self.refused(failure)
            }
            _ => Fate::Over,
        }
    }

    /// What its caller hears of a failure.
    pub(super) fn told(self, failure: Failure) -> Failure {
        match (self.unknown, failure) {
            (_, failure @ Failure::ResultUnknown { .. }) | (None, failure) => failure,
            (Some(reason), _) => Failure::ResultUnknown { command: self.transaction.named(), reason },
        }
    }

    /// What its caller hears if it does not go out any more: `absence` is for one that nothing was heard of.
    pub(super) fn abandoned(self, absence: impl FnOnce(FailedCommand) -> Failure) -> Failure {
        let failure = match &self.refusal {
            Some(refusal) => refusal.clone(),
            None => absence(self.transaction.named()),
        };
        self.told(failure)
    }

    fn refused(&mut self, failure: &Failure) -> Fate {
        self.refusal = Some(failure.clone());
        self.refusals += 1;
        if self.refusals > MOST_REFUSALS { Fate::Over } else { Fate::Doubted }
    }

    fn may_go_again(&mut self, policy: ResendPolicy) -> bool {
        self.transaction.prepare_resend(policy.resend_qos2)
    }
}
