//! Transactions that have not started, first in first out in each lane.

use std::collections::VecDeque;
use std::time::Instant;

use super::queued_transaction::{Lane, QueuedTransaction};

#[derive(Debug, Default)]
pub(super) struct TransactionQueue {
    lanes: [VecDeque<QueuedTransaction>; Lane::COUNT],
    arrivals: u64,
    /// Not later than the earliest deadline; exact again after it fired.
    earliest: Option<Instant>,
}

impl TransactionQueue {
    pub(super) fn push_back(&mut self, mut transaction: QueuedTransaction) {
        self.arrivals += 1;
        transaction.set_arrival(self.arrivals);
        self.note_deadline(&transaction);
        self.lanes[transaction.lane().slot()].push_back(transaction);
    }

    /// Puts a transaction before everything else in its lane; among the lanes it keeps its old turn.
    pub(super) fn push_front(&mut self, transaction: QueuedTransaction) {
        self.note_deadline(&transaction);
        self.lanes[transaction.lane().slot()].push_front(transaction);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    /// The transaction whose turn it is, of those at the head of a lane that `may_run`.
    pub(super) fn pop(
        &mut self,
        now: Instant,
        may_run: impl Fn(&QueuedTransaction) -> bool,
    ) -> Option<QueuedTransaction> {
        let is_ready = |head: &&QueuedTransaction| head.may_start(now) && may_run(head);
        let next = self.heads().filter(is_ready).min_by_key(|head| head.arrival())?;
        let slot = next.lane().slot();
        let mut transaction = self.lanes[slot].pop_front()?;
        transaction.start(now);
        if self.is_empty() {
            self.earliest = None;
        }
        Some(transaction)
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = &QueuedTransaction> {
        self.lanes.iter().filter_map(VecDeque::front)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.heads().filter_map(QueuedTransaction::not_before).chain(self.earliest).min()
    }

    /// Ends the waits that have lasted until now.
    pub(super) fn wake(&mut self, now: Instant) {
        for head in self.lanes.iter_mut().filter_map(VecDeque::front_mut) {
            head.wake(now);
        }
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<QueuedTransaction> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        self.take_where(|transaction| transaction.deadline() <= now)
    }

    pub(super) fn take_where(
        &mut self,
        mut selects: impl FnMut(&QueuedTransaction) -> bool,
    ) -> Vec<QueuedTransaction> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            let (out, kept) = std::mem::take(lane).into_iter().partition::<VecDeque<_>, _>(&mut selects);
            *lane = kept;
            taken.extend(out);
        }
        self.earliest = self.lanes.iter().flatten().map(QueuedTransaction::deadline).min();
        taken
    }

    fn note_deadline(&mut self, transaction: &QueuedTransaction) {
        let deadline = transaction.deadline();
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
    }
}
