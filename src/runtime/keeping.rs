//! What waits for a lost connection to come back. Lives on the I/O thread, so it needs no lock.

use std::collections::VecDeque;
use std::time::Instant;

use super::parked::{Fate, Parked};
use crate::at::ClientIndex;
use crate::channel::{Event, FailedCommand, Failure, LostBy, Outcome, TransactionId};

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
    absence: Option<Absence>,
    /// In the order of their submission.
    parked: VecDeque<Parked>,
}

/// Why a kept client can send nothing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// A refusal or silence that may mean a loss that nobody told of.
    Doubted,
    /// The module answers nothing.
    Mute,
    Lost(LostBy),
}

impl Absence {
    fn weight(&self) -> u8 {
        match self {
            Self::Doubted => 0,
            Self::Mute => 1,
            Self::Lost(_) => 2,
        }
    }

    fn failure(&self, command: FailedCommand) -> Failure {
        match self {
            Self::Lost(cause) => Failure::ConnectionLost { command, cause: cause.clone() },
            Self::Doubted | Self::Mute => Failure::Mute { command },
        }
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
    /// `absence`: why it is away from the beginning.
    pub(super) fn keep(&mut self, client: ClientIndex, policy: ResendPolicy, absence: Option<Absence>) {
        self.clients[client.slot()] = Some(Kept { policy, absence, parked: VecDeque::new() });
    }

    /// Nobody reconnects this client any more: what waited ends. Says why it was away, if it was.
    pub(super) fn forget(&mut self, client: ClientIndex) -> (Option<Absence>, Vec<(TransactionId, Failure)>) {
        let Some(kept) = self.clients[client.slot()].take() else { return (None, Vec::new()) };
        let absence = kept.absence.clone().unwrap_or(Absence::Doubted);
        let fail = |parked: Parked| (parked.id(), parked.abandoned(|command| absence.failure(command)));
        (kept.absence, kept.parked.into_iter().map(fail).collect())
    }

    /// Nobody is left waiting.
    pub(super) fn close(&mut self) -> Vec<(TransactionId, Failure)> {
        let kept = self.clients.iter_mut().filter_map(Option::take);
        let tell = |parked: Parked| (parked.id(), parked.told(Failure::Closed));
        kept.flat_map(|kept| kept.parked).map(tell).collect()
    }

    pub(super) fn is_kept(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].is_some()
    }

    pub(super) fn is_away(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].as_ref().is_some_and(|kept| kept.absence.is_some())
    }

    /// Whether nothing but a doubt keeps it from sending.
    pub(super) fn is_doubted(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].as_ref().is_some_and(|kept| kept.absence == Some(Absence::Doubted))
    }

    pub(super) fn park(&mut self, client: ClientIndex, parked: Parked) {
        if let Some(kept) = &mut self.clients[client.slot()] {
            kept.park(parked);
        }
    }

    /// Whether it was still waiting, and nothing of it had ever been written.
    pub(super) fn withdraw(&mut self, id: TransactionId) -> bool {
        self.remove(|parked| parked.id() == id && !parked.was_written())
    }

    /// Whether it waited to go out once more.
    pub(super) fn withdraw_written(&mut self, id: TransactionId) -> bool {
        self.remove(|parked| parked.id() == id)
    }

    /// Which clients a URC takes away.
    pub(super) fn observe(&mut self, event: &Event) {
        match event {
            Event::ConnectionLost { client, cause } => {
                self.go_away(*client, &Absence::Lost(LostBy::Connection(*cause)));
            }
            Event::NetworkLost => self.all_go_away(&Absence::Lost(LostBy::Network)),
            Event::Restarted => self.all_go_away(&Absence::Lost(LostBy::Restart)),
            Event::PortLost(reason) => self.all_go_away(&Absence::Lost(LostBy::Port(reason.clone()))),
            Event::Mute => self.all_go_away(&Absence::Mute),
            _ => {}
        }
    }

    /// The connection is back. Says why it was away, and gives what waited, in its order.
    pub(super) fn come_back(&mut self, client: ClientIndex) -> (Option<Absence>, VecDeque<Parked>) {
        let Some(kept) = &mut self.clients[client.slot()] else { return (None, VecDeque::new()) };
        (kept.absence.take(), std::mem::take(&mut kept.parked))
    }

    /// Whether a transaction that ended this way waits for the connection instead.
    pub(super) fn judge(
        &mut self,
        client: ClientIndex,
        mut parked: Parked,
        outcome: Outcome,
        now: Instant,
    ) -> Verdict {
        let failure = match outcome {
            Ok(answers) => return Verdict::Over(Ok(answers)),
            Err(failure) => failure,
        };
        let Some(kept) = &mut self.clients[client.slot()] else {
            return Verdict::Over(Err(parked.told(failure)));
        };
        match parked.fate(&failure, kept.policy, now) {
            Fate::Over => Verdict::Over(Err(parked.told(failure))),
            Fate::Waits => {
                kept.park(parked);
                Verdict::Parked
            }
            Fate::Doubted => {
                kept.go_away(&Absence::Doubted);
                kept.park(parked);
                Verdict::Doubted
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let parked = self.clients.iter().flatten().flat_map(|kept| &kept.parked);
        parked.map(Parked::deadline).min()
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<(TransactionId, Failure)> {
        let mut expired = Vec::new();
        for kept in self.clients.iter_mut().flatten() {
            let absence = kept.absence.clone().unwrap_or(Absence::Doubted);
            let parked = std::mem::take(&mut kept.parked).into_iter();
            let (over, waiting): (VecDeque<_>, _) = parked.partition(|parked| parked.deadline() <= now);
            kept.parked = waiting;
            let fail = |parked: Parked| (parked.id(), parked.abandoned(|command| absence.failure(command)));
            expired.extend(over.into_iter().map(fail));
        }
        expired
    }

    fn all_go_away(&mut self, absence: &Absence) {
        for client in ClientIndex::ALL {
            self.go_away(client, absence);
        }
    }

    fn go_away(&mut self, client: ClientIndex, absence: &Absence) {
        if let Some(kept) = &mut self.clients[client.slot()] {
            kept.go_away(absence);
        }
    }

    fn remove(&mut self, selects: impl Fn(&Parked) -> bool) -> bool {
        let waiting = |keeping: &Self| keeping.clients.iter().flatten().map(|kept| kept.parked.len()).sum();
        let before: usize = waiting(self);
        for kept in self.clients.iter_mut().flatten() {
            kept.parked.retain(|parked| !selects(parked));
        }
        waiting(self) < before
    }
}

impl Kept {
    /// What is certain is not replaced by what is less so.
    fn go_away(&mut self, absence: &Absence) {
        if self.absence.as_ref().is_none_or(|known| known.weight() <= absence.weight()) {
            self.absence = Some(absence.clone());
        }
    }

    /// One that was on the line ends after those that had waited behind it.
    fn park(&mut self, parked: Parked) {
        let at = self.parked.partition_point(|waiting| waiting.id() < parked.id());
        self.parked.insert(at, parked);
    }
}
