//! Operations whose command was accepted, and whose result the network still owes.

use std::time::{Duration, Instant};

use super::event::TransactionId;
use super::event_queue::EventQueue;
use super::failure::{Awaited, Failure, Refusal, UnknownReason};
use super::queued_transaction::{Lane, QueuedTransaction};
use crate::at::command_kind::Operation;
use crate::at::result_code::ResultCode;
use crate::at::urc::OperationResult;

/// At most one pending result a lane: the module begins no operation of a client before the last one is over.
#[derive(Debug, Default)]
pub(super) struct PendingResults {
    by_lane: [Option<PendingResult>; Lane::COUNT],
}

#[derive(Debug)]
pub(super) struct PendingResult {
    transaction: QueuedTransaction,
    operation: Operation,
    state: PendingState,
    /// The data entry was padded with so many bytes, and holds nothing else.
    padding: Option<usize>,
    /// After this, no result is expected.
    expires: Instant,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PendingState {
    AwaitingResult,
    /// `ERROR` came, and some firmware sends the reason after it.
    AwaitingReason {
        refusal: Refusal,
        until: Instant,
    },
    /// The caller was told that the time is over. A result that comes now is a deferred one.
    TimedOut,
    /// A result came before `OK`. It belongs to the timed-out operation, or to this one, where the firmware prints it
    /// first. Without another result in time, it is assumed to be this one's.
    Assumed {
        code: ResultCode,
        until: Instant,
    },
}

impl PendingResult {
    /// The module ends an operation by itself within its own timeout, at most 180 s.
    const LONGEST: Duration = Duration::from_secs(185);

    pub(super) fn new(
        transaction: QueuedTransaction,
        operation: Operation,
        state: PendingState,
        now: Instant,
    ) -> Self {
        Self { transaction, operation, state, padding: None, expires: now + Self::LONGEST }
    }

    #[must_use]
    pub(super) fn padded(mut self, padding: Option<usize>) -> Self {
        self.padding = padding;
        self
    }

    pub(super) fn transaction(&self) -> &QueuedTransaction {
        &self.transaction
    }

    pub(super) fn operation(&self) -> Operation {
        self.operation
    }

    pub(super) fn padding(&self) -> Option<usize> {
        self.padding
    }

    pub(super) fn expires(&self) -> Instant {
        self.expires
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.state == PendingState::TimedOut
    }

    /// The module accepted the command, and nothing has come since.
    pub(super) fn is_awaited(&self) -> bool {
        self.state == PendingState::AwaitingResult
    }

    /// The module refused the command; a result can only tell why.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.state, PendingState::AwaitingReason { .. })
    }

    /// The same, now that its caller was told.
    pub(super) fn timed_out(self) -> Self {
        Self { state: PendingState::TimedOut, ..self }
    }

    pub(super) fn report_no_deferred_result(&self, events: &mut EventQueue) {
        let failure = Failure::NoAnswer { command: self.transaction.current(), awaited: Awaited::Result };
        events.complete_deferred(&self.transaction, Err(failure));
    }

    pub(super) fn into_parts(self) -> (QueuedTransaction, Operation, PendingState) {
        (self.transaction, self.operation, self.state)
    }

    fn deadline(&self) -> Instant {
        match &self.state {
            PendingState::AwaitingResult => self.transaction.deadline(),
            PendingState::AwaitingReason { until, .. } | PendingState::Assumed { until, .. } => *until,
            PendingState::TimedOut => self.expires,
        }
    }
}

impl PendingResults {
    pub(super) fn insert(&mut self, pending: PendingResult) {
        let slot = pending.transaction.lane().slot();
        self.by_lane[slot] = Some(pending);
    }

    /// The operation that waits for `result`.
    pub(super) fn find(&self, result: OperationResult) -> Option<&PendingResult> {
        let pending = self.by_lane[lane_of(result).slot()].as_ref();
        pending.filter(|pending| pending.operation == result.operation)
    }

    pub(super) fn take(&mut self, result: OperationResult) -> Option<PendingResult> {
        self.by_lane[lane_of(result).slot()].take_if(|pending| pending.operation == result.operation)
    }

    /// One that its caller still waits for.
    pub(super) fn take_awaited(&mut self, lane: Lane) -> Option<PendingResult> {
        self.by_lane[lane.slot()].take_if(|pending| !pending.is_timed_out())
    }

    pub(super) fn take_timed_out(&mut self, lane: Lane) -> Option<PendingResult> {
        self.by_lane[lane.slot()].take_if(|pending| pending.is_timed_out())
    }

    /// Expects the result of a timed-out operation no longer than until `time`.
    pub(super) fn expire_timed_out_by(&mut self, lane: Lane, time: Instant) {
        if let Some(pending) = self.by_lane[lane.slot()].as_mut().filter(|pending| pending.is_timed_out()) {
            pending.expires = pending.expires.min(time);
        }
    }

    /// The result of the timed-out operation of a lane cannot come any more.
    pub(super) fn drop_timed_out(&mut self, lane: Lane, events: &mut EventQueue) {
        if let Some(pending) = self.take_timed_out(lane) {
            pending.report_no_deferred_result(events);
        }
    }

    /// The module shows by its answer to the next operation that the timed-out one succeeded.
    pub(super) fn conclude_timed_out(&mut self, lane: Lane, operation: Operation, events: &mut EventQueue) {
        let is_it = |pending: &mut PendingResult| pending.is_timed_out() && pending.operation == operation;
        if let Some(pending) = self.by_lane[lane.slot()].take_if(is_it) {
            events.note_success(&pending.transaction.command().line);
        }
    }

    /// Tells the caller that the time is over, and keeps the operation: its result may still come.
    pub(super) fn report_timeout(
        &mut self,
        pending: PendingResult,
        awaited: Awaited,
        events: &mut EventQueue,
    ) {
        let command = pending.transaction.current();
        let failure = match pending.operation {
            Operation::Publish => Failure::ResultUnknown { command, reason: UnknownReason::Timeout },
            _ => Failure::NoAnswer { command, awaited },
        };
        events.complete(&pending.transaction, Err(failure));
        self.insert(pending.timed_out());
    }

    /// One whose time is over.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<PendingResult> {
        let slot = self
            .by_lane
            .iter()
            .position(|pending| pending.as_ref().is_some_and(|pending| pending.deadline() <= now))?;
        self.by_lane[slot].take()
    }

    pub(super) fn take_all(&mut self) -> impl Iterator<Item = PendingResult> + use<> {
        std::mem::take(&mut self.by_lane).into_iter().flatten()
    }

    /// The caller of `id` has cancelled.
    pub(super) fn detach(&mut self, id: TransactionId) {
        for pending in self.by_lane.iter_mut().flatten().filter(|pending| pending.transaction.is_for(id)) {
            pending.transaction.detach();
        }
    }

    pub(super) fn has(&self, id: TransactionId) -> bool {
        self.by_lane.iter().flatten().any(|pending| pending.transaction.is_for(id))
    }

    /// An operation of the lane is under way. A timed-out one does not hold up the next: the module says whether the
    /// client is busy.
    pub(super) fn is_lane_busy(&self, lane: Lane) -> bool {
        self.by_lane[lane.slot()].as_ref().is_some_and(|pending| !pending.is_timed_out())
    }

    /// A result is owed that looks like the answer of a read form in `transaction`.
    pub(super) fn resemble_answer_of(&self, transaction: &QueuedTransaction) -> bool {
        let mut resembled =
            transaction.commands().iter().filter_map(|command| command.kind().resembled_operation());
        resembled.any(|operation| self.by_lane.iter().flatten().any(|pending| pending.operation == operation))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.by_lane.iter().flatten().map(PendingResult::deadline).min()
    }
}

pub(super) fn lane_of(result: OperationResult) -> Lane {
    result.client.map_or(Lane::Service, Lane::Client)
}
