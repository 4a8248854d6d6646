//! What waits for a lost connection to come back. Lives on the I/O thread, so it needs no lock.

use std::collections::VecDeque;
use std::time::Instant;

use crate::protocol::{
    Awaited, ClientIndex, Event, Failure, LostBy, Outcome, Transaction, TransactionId, UnknownReason,
};

/// Which publishes in flight go out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResendPolicy {
    pub(super) resend_qos2: bool,
}

/// The clients that somebody reconnects, and what was to be sent by them meanwhile.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    clients: [Option<Kept>; 2],
}

#[derive(Debug)]
struct Kept {
    policy: ResendPolicy,
    away: bool,
    parked: VecDeque<Parked>,
}

/// A transaction that needs the connection, from its submission to its end.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) id: TransactionId,
    pub(super) transaction: Transaction,
    deadline: Instant,
    /// PUB had been written: if it does not go out again in time, nobody knows what became of it.
    written: bool,
    /// The module refused it without a reason, which once may be because it had restarted.
    refused: bool,
}

impl Parked {
    pub(super) fn new(id: TransactionId, transaction: Transaction, now: Instant) -> Self {
        let deadline = transaction.deadline(now);
        Self { id, transaction, deadline, written: false, refused: false }
    }

    /// With what is left of its time.
    pub(super) fn transaction(&self, now: Instant) -> Transaction {
        self.transaction.clone().within(self.deadline.saturating_duration_since(now))
    }

    fn expired(&self) -> Failure {
        let command = self.transaction.shown();
        if self.written {
            return Failure::ResultUnknown { command, reason: UnknownReason::Timeout };
        }
        Failure::NoAnswer { command, awaited: Awaited::Turn }
    }

    fn abandoned(&self, cause: LostBy) -> Failure {
        let command = self.transaction.shown();
        if self.written {
            return Failure::ResultUnknown { command, reason: UnknownReason::Lost(cause) };
        }
        Failure::ConnectionLost { command, cause }
    }
}

/// What becomes of a transaction that ended.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Tell whoever waits.
    Over(Outcome),
    /// It waits for the connection.
    Parked,
    /// As parked, and the module has to be asked whether it is still what it was.
    Doubted,
}

impl Keeping {
    pub(super) fn keep(&mut self, client: ClientIndex, policy: ResendPolicy) {
        self.clients[client.slot()] = Some(Kept { policy, away: false, parked: VecDeque::new() });
    }

    /// Nobody reconnects this client any more: what waited ends.
    pub(super) fn forget(&mut self, client: ClientIndex) -> Vec<(TransactionId, Failure)> {
        let Some(kept) = self.clients[client.slot()].take() else { return Vec::new() };
        let fail = |parked: &Parked| (parked.id, parked.abandoned(LostBy::Network));
        kept.parked.iter().map(fail).collect()
    }

    pub(super) fn is_kept(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].is_some()
    }

    pub(super) fn is_away(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].as_ref().is_some_and(|kept| kept.away)
    }

    pub(super) fn park(&mut self, client: ClientIndex, parked: Parked) {
        if let Some(kept) = &mut self.clients[client.slot()] {
            kept.parked.push_back(parked);
        }
    }

    /// Whether it was still waiting.
    pub(super) fn withdraw(&mut self, id: TransactionId) -> bool {
        let mut found = false;
        for kept in self.clients.iter_mut().flatten() {
            kept.parked.retain(|parked| {
                let is_it = parked.id == id && !parked.written;
                found |= is_it;
                !is_it
            });
        }
        found
    }

    /// Whether it waited to go out once more.
    pub(super) fn withdraw_written(&mut self, id: TransactionId) -> bool {
        let mut found = false;
        for kept in self.clients.iter_mut().flatten() {
            kept.parked.retain(|parked| {
                found |= parked.id == id;
                parked.id != id
            });
        }
        found
    }

    /// Which clients a URC takes away.
    pub(super) fn observe(&mut self, event: &Event) {
        match event {
            Event::ConnectionLost { client, .. } => self.go_away(*client),
            Event::NetworkLost | Event::Restarted | Event::PortLost(_) | Event::Mute => {
                for client in ClientIndex::ALL {
                    self.go_away(client);
                }
            }
            _ => {}
        }
    }

    fn go_away(&mut self, client: ClientIndex) {
        if let Some(kept) = &mut self.clients[client.slot()] {
            kept.away = true;
        }
    }

    /// The connection is back: what waited goes out, in its order.
    pub(super) fn come_back(&mut self, client: ClientIndex) -> VecDeque<Parked> {
        let Some(kept) = &mut self.clients[client.slot()] else { return VecDeque::new() };
        kept.away = false;
        std::mem::take(&mut kept.parked)
    }

    /// Whether a transaction that ended this way waits for the connection instead.
    pub(super) fn judge(&mut self, client: ClientIndex, mut parked: Parked, outcome: Outcome) -> Verdict {
        /// `no connection`, chapter 4.1.
        const NO_CONNECTION: u16 = 11;
        let Some(kept) = &mut self.clients[client.slot()] else { return Verdict::Over(outcome) };
        let doubted = match &outcome {
            Err(Failure::ConnectionLost { .. } | Failure::Mute { .. }) => false,
            Err(Failure::Refused { code: None | Some(NO_CONNECTION), .. }) if !parked.refused => true,
            Err(Failure::ResultUnknown { reason: UnknownReason::Lost(_), .. })
                if parked.transaction.prepare_again(kept.policy.resend_qos2) =>
            {
                parked.written = true;
                false
            }
            _ => return Verdict::Over(outcome),
        };
        parked.refused |= doubted;
        kept.away |= doubted;
        kept.parked.push_back(parked);
        if doubted { Verdict::Doubted } else { Verdict::Parked }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let parked = self.clients.iter().flatten().flat_map(|kept| &kept.parked);
        parked.map(|parked| parked.deadline).min()
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<(TransactionId, Failure)> {
        let mut expired = Vec::new();
        for kept in self.clients.iter_mut().flatten() {
            kept.parked.retain(|parked| {
                let over = parked.deadline <= now;
                if over {
                    expired.push((parked.id, parked.expired()));
                }
                !over
            });
        }
        expired
    }
}
