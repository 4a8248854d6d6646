//! Keeps the order within a lane: what stands behind a failure waits until the caller has said what becomes of it.

use super::failure::Outcome;
use super::queued_transaction::{Lane, QueuedTransaction};

/// The lanes in which a transaction that keeps its order has failed, and the caller has not decided yet.
#[derive(Debug, Default)]
pub(super) struct LaneBarrier {
    is_closed: [bool; Lane::COUNT],
}

impl LaneBarrier {
    pub(super) fn handle_outcome(&mut self, transaction: &QueuedTransaction, outcome: &Outcome) {
        self.is_closed[transaction.lane().slot()] |= transaction.keeps_order() && outcome.is_err();
    }

    pub(super) fn blocks(&self, lane: Lane) -> bool {
        self.is_closed[lane.slot()]
    }

    /// Opens all lanes. Returns `true` if one was closed.
    pub(super) fn lift(&mut self) -> bool {
        std::mem::take(&mut self.is_closed).contains(&true)
    }
}
