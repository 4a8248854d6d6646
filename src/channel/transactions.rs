//! All transactions but the one on the channel: those that have not started, and those whose result the network owes.

use std::time::{Duration, Instant};

use super::event::{Event, TransactionId};
use super::failure::{Awaited, FailedCommand, Failure, LostBy, Outcome, Refusal, UnknownReason};
use super::pending_results::{PendingResult, PendingResults, PendingState};
use super::queued_transaction::{Lane, Owner, QueuedTransaction};
use super::restart_check::RestartCheck;
use super::staged_payload::{REFUSED, StagedPayloads};
use super::surroundings::Surroundings;
use super::transaction::Transaction;
use super::transaction_queue::TransactionQueue;
use crate::at::client_index::ClientIndex;
use crate::at::command::Command;
use crate::at::command_kind::{CommandName, Operation};
use crate::at::command_line::CommandLine;
use crate::at::parameters::Value;
use crate::at::result_code::ResultCode;
use crate::at::urc::OperationResult;

const BUSY_RETRY: Duration = Duration::from_millis(250);
/// How long a reason may follow `ERROR`.
const REASON_TIME: Duration = Duration::from_millis(500);
/// A result may be printed right behind the loss of its connection, and not much later.
const LAST_RESULT_TIME: Duration = Duration::from_secs(2);
/// How long a command that undoes something may wait for its turn and its answer.
const UNDO_TIME: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Transactions {
    queue: TransactionQueue,
    pending: PendingResults,
    staged: StagedPayloads,
    restart: RestartCheck,
}

impl Transactions {
    // The queue.

    pub(super) fn submit(&mut self, transaction: QueuedTransaction) {
        self.queue.push_back(transaction);
    }

    pub(super) fn submit_first(&mut self, transaction: QueuedTransaction) {
        self.queue.push_front(transaction);
    }

    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next transaction that may start.
    pub(super) fn take_next(&mut self, at: &mut Surroundings<'_>) -> Option<QueuedTransaction> {
        loop {
            let pending = &self.pending;
            let next = self.queue.pop(at.now, |transaction| {
                !at.events.is_lane_blocked(transaction.lane())
                    && !pending.is_lane_busy(transaction.lane())
                    && !pending.resemble_answer_of(transaction)
            })?;
            if !self.staged.would_be_sent_by(&next) {
                return Some(next);
            }
            let failure = Failure::PayloadHeld { command: next.named() };
            self.finish(next, Err(failure), at);
        }
    }

    /// The caller no longer waits: what is queued is cancelled, and a pending result is not reported.
    pub(super) fn cancel(&mut self, id: TransactionId, at: &mut Surroundings<'_>) {
        self.cancel_queued(id, at);
        self.pending.detach(id);
    }

    /// Returns `true` if the transaction was still queued.
    pub(super) fn cancel_queued(&mut self, id: TransactionId, at: &mut Surroundings<'_>) -> bool {
        let cancelled = self.queue.take_where(|transaction| transaction.is_for(id));
        let was_queued = !cancelled.is_empty();
        for transaction in cancelled {
            self.finish(transaction, Err(Failure::Cancelled), at);
        }
        was_queued
    }

    /// Takes the queued transactions of a client that keep their order out of the queue.
    pub(super) fn cancel_queued_of(&mut self, client: ClientIndex) -> Vec<TransactionId> {
        let lane = Lane::Client(client);
        let is_it = |transaction: &QueuedTransaction| {
            transaction.lane() == lane
                && transaction.keeps_order()
                && matches!(transaction.owner(), Owner::Caller(_))
        };
        let id = |transaction: QueuedTransaction| match transaction.owner() {
            Owner::Caller(id) => Some(id),
            _ => None,
        };
        self.queue.take_where(is_it).into_iter().filter_map(id).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.queue.poll_timeout().into_iter().chain(self.pending.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, at: &mut Surroundings<'_>) {
        for transaction in self.queue.take_expired(at.now) {
            let failure = transaction.not_started();
            self.finish(transaction, Err(failure), at);
        }
        self.queue.wake(at.now);
        while let Some(pending) = self.pending.take_due(at.now) {
            self.time_out_pending(pending, at);
        }
    }

    // How transactions end.

    /// Reports the outcome. The driver's question whether the module restarted is answered by it.
    pub(super) fn finish(
        &mut self,
        transaction: QueuedTransaction,
        outcome: Outcome,
        at: &mut Surroundings<'_>,
    ) {
        if transaction.owner() != Owner::RestartCheck {
            at.events.complete(&transaction, outcome);
            return;
        }
        if !self.restart.handle_outcome(&outcome) {
            self.fail_unanswered(at);
        }
    }

    /// The module refused the command. Where the client is busy, the transaction may be tried again.
    pub(super) fn refuse(
        &mut self,
        transaction: QueuedTransaction,
        refusal: Refusal,
        code: Option<ResultCode>,
        at: &mut Surroundings<'_>,
    ) {
        let again = at.now + BUSY_RETRY;
        if code == Some(ResultCode::CLIENT_IS_BUSY) && transaction.may_retry(again) {
            self.queue.push_front(transaction.rewound(Some(again)));
            return;
        }
        let failure = transaction.refused(refusal, code);
        self.finish(transaction, Err(failure), at);
    }

    /// The operation, which is the last command of its transaction, succeeded.
    pub(super) fn complete_operation(
        &mut self,
        mut transaction: QueuedTransaction,
        at: &mut Surroundings<'_>,
    ) {
        let line = &transaction.command().line;
        at.events.note_success(line);
        if line.kind().operation() == Some(Operation::Publish) {
            at.events.counters_mut().publishes += 1;
        }
        let mut answers = transaction.take_answers();
        // The result of an operation is no information response.
        if let Some(lines) = answers.last_mut() {
            lines.retain(|line| !transaction.command().line.owns(line));
        }
        self.finish(transaction, Ok(answers), at);
    }

    /// The result came, and the final result code did not.
    pub(super) fn end_by_result(
        &mut self,
        mut transaction: QueuedTransaction,
        lines: Vec<Vec<u8>>,
        code: ResultCode,
        at: &mut Surroundings<'_>,
    ) {
        if !code.is_success() {
            let failure = transaction.refused(Refusal::Result(code), Some(code));
            self.finish(transaction, Err(failure), at);
            return;
        }
        self.pending.drop_timed_out(transaction.lane(), at.events);
        self.staged.handle_accepted(&transaction.command().line);
        transaction.add_answer(lines);
        self.complete_operation(transaction, at);
    }

    // Pending results.

    pub(super) fn pending(&self) -> &PendingResults {
        &self.pending
    }

    pub(super) fn pending_mut(&mut self) -> &mut PendingResults {
        &mut self.pending
    }

    /// The module accepted `operation`, and its result is to come. `assumed` is a result that came before `OK`.
    pub(super) fn await_result(
        &mut self,
        mut transaction: QueuedTransaction,
        operation: Operation,
        assumed: Option<ResultCode>,
        at: &mut Surroundings<'_>,
    ) {
        let preemption = transaction.take_preemption();
        let state = match assumed.filter(|_| operation.result_may_precede_ok()) {
            Some(code) => PendingState::Assumed { code, until: at.now + REASON_TIME },
            None => PendingState::AwaitingResult,
        };
        let pending = PendingResult::new(transaction, operation, state, at.now);
        match preemption {
            Some(cause) => self.lose_pending(pending, &cause, at),
            None => self.pending.insert(pending),
        }
    }

    /// `ERROR` came, and the reason may follow.
    pub(super) fn await_reason(
        &mut self,
        transaction: QueuedTransaction,
        operation: Operation,
        refusal: Refusal,
        at: &mut Surroundings<'_>,
    ) {
        self.pending.drop_timed_out(transaction.lane(), at.events);
        let state = PendingState::AwaitingReason { refusal, until: at.now + REASON_TIME };
        self.pending.insert(PendingResult::new(transaction, operation, state, at.now));
    }

    /// Reports that the time of an operation is over. Its result may still come. `padding` is the number of bytes that its
    /// data entry was padded with.
    pub(super) fn time_out_operation(
        &mut self,
        transaction: QueuedTransaction,
        operation: Operation,
        awaited: Awaited,
        padding: Option<usize>,
        at: &mut Surroundings<'_>,
    ) {
        self.pending.drop_timed_out(transaction.lane(), at.events);
        let pending = PendingResult::new(transaction, operation, PendingState::TimedOut, at.now);
        self.pending.report_timeout(pending.padded(padding), awaited, at.events);
    }

    /// Gives a result to the operation that waits for it.
    pub(super) fn handle_result(&mut self, result: OperationResult, at: &mut Surroundings<'_>) {
        let Some(pending) = self.pending.take(result) else { return };
        let code = result.code;
        if pending.is_timed_out() {
            self.complete_deferred(pending, code, at);
            return;
        }
        let is_success = code.is_success() && !pending.is_refused();
        let (transaction, ..) = pending.into_parts();
        if is_success {
            self.complete_operation(transaction, at);
        } else {
            self.refuse(transaction, Refusal::Result(code), Some(code), at);
        }
    }

    /// The result belongs to the timed-out operation of its lane, or to none.
    pub(super) fn handle_deferred_result(
        &mut self,
        lane: Lane,
        code: ResultCode,
        line: &[u8],
        at: &mut Surroundings<'_>,
    ) {
        match self.pending.take_timed_out(lane) {
            Some(pending) => self.complete_deferred(pending, code, at),
            None => Self::report_stray_result(line, at),
        }
    }

    /// No operation waits for this result.
    pub(super) fn report_stray_result(line: &[u8], at: &mut Surroundings<'_>) {
        at.events.counters_mut().deferred_results += 1;
        at.events.push(Event::Urc { line: line.to_vec(), is_known: true });
    }

    fn complete_deferred(&mut self, pending: PendingResult, code: ResultCode, at: &mut Surroundings<'_>) {
        at.events.counters_mut().deferred_results += 1;
        let transaction = pending.transaction();
        if !code.is_success() {
            let failure = transaction.refused(Refusal::Result(code), Some(code));
            at.events.complete_deferred(transaction, Err(failure));
            return;
        }
        at.events.counters_mut().publishes += u64::from(pending.operation() == Operation::Publish);
        at.events.note_success(&transaction.command().line);
        self.staged.handle_accepted(&transaction.command().line);
        at.events.complete_deferred(transaction, Ok(()));
        self.undo_padded_subscription(&pending, at);
    }

    fn time_out_pending(&mut self, pending: PendingResult, at: &mut Surroundings<'_>) {
        if pending.is_timed_out() {
            pending.report_no_deferred_result(at.events);
            return;
        }
        let is_expired = pending.expires() <= at.now;
        let lane = pending.transaction().lane();
        if pending.is_awaited() {
            self.pending.report_timeout(pending, Awaited::Result, at.events);
            if is_expired {
                self.pending.drop_timed_out(lane, at.events);
            }
            return;
        }
        match pending.into_parts() {
            (transaction, _, PendingState::AwaitingReason { refusal, .. }) => {
                let failure = transaction.refused(refusal, None);
                self.finish(transaction, Err(failure), at);
            }
            (transaction, _, PendingState::Assumed { code, .. }) if !code.is_success() => {
                self.refuse(transaction, Refusal::Result(code), Some(code), at);
            }
            (transaction, ..) => self.complete_operation(transaction, at),
        }
    }

    // Lost connections, restarts, and the end.

    /// Ends what waits for the connection of `client`, and keeps what is queued from being sent.
    pub(super) fn handle_connection_lost(
        &mut self,
        client: ClientIndex,
        cause: &LostBy,
        at: &mut Surroundings<'_>,
    ) {
        let lane = Lane::Client(client);
        if let Some(pending) = self.pending.take_awaited(lane) {
            self.lose_pending(pending, cause, at);
        }
        self.pending.expire_timed_out_by(lane, at.now + LAST_RESULT_TIME);
        let needs_it =
            |transaction: &QueuedTransaction| transaction.lane() == lane && transaction.needs_connection();
        for transaction in self.queue.take_where(needs_it) {
            let failure = Failure::ConnectionLost { command: transaction.named(), cause: cause.clone() };
            self.finish(transaction, Err(failure), at);
        }
    }

    fn lose_pending(&mut self, pending: PendingResult, cause: &LostBy, at: &mut Surroundings<'_>) {
        let command = pending.transaction().current();
        match pending.operation() {
            Operation::Disconnect => self.complete_operation(pending.into_parts().0, at),
            Operation::Publish => {
                let reason = UnknownReason::Lost(cause.clone());
                at.events.complete(pending.transaction(), Err(Failure::ResultUnknown { command, reason }));
                self.pending.insert(pending.timed_out());
            }
            Operation::Subscribe | Operation::Unsubscribe => {
                let failure = Failure::ConnectionLost { command, cause: cause.clone() };
                self.finish(pending.into_parts().0, Err(failure), at);
            }
            // Their own result says more, and is still to come.
            Operation::Connect | Operation::Start | Operation::Stop => self.pending.insert(pending),
        }
    }

    pub(super) fn confirm_restart(&mut self) {
        self.restart.confirm();
    }

    pub(super) fn take_confirmed_restart(&mut self) -> bool {
        self.restart.take_confirmed()
    }

    pub(super) fn is_restart_check_queued(&self) -> bool {
        self.queue.heads().any(|head| head.owner() == Owner::RestartCheck)
    }

    pub(super) fn check_for_restart(&mut self, at: &mut Surroundings<'_>) {
        let check = Transaction::single(Command::new("AT+CMQTTREL?"), Duration::from_secs(20));
        self.queue.push_front(QueuedTransaction::new(Owner::RestartCheck, check, at.now));
    }

    /// The transaction has no answer since a boot banner. `failure` is for the case that the module did not restart.
    pub(super) fn await_restart_check(&mut self, transaction: QueuedTransaction, failure: Failure) {
        self.restart.hold(transaction, failure);
    }

    /// Nothing on the module is as it was, its echo included.
    pub(super) fn handle_restart(&mut self, at: &mut Surroundings<'_>) {
        self.staged.handle_restart();
        let lost = |command| Failure::ConnectionLost { command, cause: LostBy::Restart };
        self.fail_pending(&UnknownReason::Lost(LostBy::Restart), lost, at);
        let unanswered = self.restart.take_unanswered().into_iter().map(|(transaction, _)| transaction);
        for transaction in
            self.queue.take_where(QueuedTransaction::needs_connection).into_iter().chain(unanswered)
        {
            let failure = lost(transaction.named());
            self.finish(transaction, Err(failure), at);
        }
        let echo_off = Transaction::single(Command::new("ATE0"), Duration::from_secs(20));
        self.queue.push_front(QueuedTransaction::new(Owner::Driver, echo_off, at.now));
        at.events.push(Event::Restarted);
    }

    pub(super) fn fail_pending(
        &mut self,
        reason: &UnknownReason,
        failure: impl Fn(FailedCommand) -> Failure,
        at: &mut Surroundings<'_>,
    ) {
        for pending in self.pending.take_all() {
            let command = pending.transaction().current();
            if pending.is_timed_out() {
                let unknown = Failure::ResultUnknown { command, reason: reason.clone() };
                at.events.complete_deferred(pending.transaction(), Err(unknown));
            } else if pending.operation() == Operation::Publish {
                Self::lose_result(pending.transaction(), reason, at);
            } else {
                self.finish(pending.into_parts().0, Err(failure(command)), at);
            }
        }
    }

    /// Fails what is queued, and what waits to be known a victim of a restart.
    pub(super) fn fail_queued(
        &mut self,
        selects: impl Fn(&QueuedTransaction) -> bool,
        failure: impl Fn(FailedCommand) -> Failure,
        at: &mut Surroundings<'_>,
    ) {
        for transaction in self.queue.take_where(selects) {
            let outcome = failure(transaction.named());
            self.finish(transaction, Err(outcome), at);
        }
    }

    /// The module did not restart, so what had no answer had none for another reason.
    pub(super) fn fail_unanswered(&mut self, at: &mut Surroundings<'_>) {
        for (transaction, failure) in self.restart.take_unanswered() {
            self.finish(transaction, Err(failure), at);
        }
    }

    /// A publish was written, and its result cannot come any more.
    pub(super) fn lose_result(
        transaction: &QueuedTransaction,
        reason: &UnknownReason,
        at: &mut Surroundings<'_>,
    ) {
        let unknown = Failure::ResultUnknown { command: transaction.current(), reason: reason.clone() };
        at.events.complete(transaction, Err(unknown.clone()));
        at.events.complete_deferred(transaction, Err(unknown));
    }

    // The state of the module.

    pub(super) fn handle_accepted(&mut self, line: &CommandLine) {
        self.staged.handle_accepted(line);
    }

    pub(super) fn handle_data_entry(&mut self, line: &CommandLine) {
        self.staged.handle_data_entry(line);
    }

    /// A data entry is being padded: what that leaves on the module must have no effect.
    pub(super) fn undo_padding(&mut self, line: &CommandLine, at: &mut Surroundings<'_>) {
        self.staged.handle_data_entry(line);
        at.events.push(Event::DataEntryAborted(line.clone()));
        if line.kind().name == CommandName::UploadCertificate {
            let name = line.parameters().get(0).map(Value::bytes).unwrap_or_default();
            self.undo(Command::new([b"AT+CCERTDELE=\"", name, b"\""].concat()), at);
        }
    }

    /// The module subscribed after all, to the padding of its topic.
    fn undo_padded_subscription(&mut self, pending: &PendingResult, at: &mut Surroundings<'_>) {
        let padding = pending.padding().filter(|_| pending.operation() == Operation::Subscribe);
        let (Some(length), Some(client)) = (padding, pending.transaction().command().client()) else {
            return;
        };
        let line = format!("AT+CMQTTUNSUB={client},{length},0");
        self.undo(Command::new(line).with_data(vec![REFUSED; length]), at);
    }

    fn undo(&mut self, command: Command, at: &mut Surroundings<'_>) {
        let transaction = Transaction::single(command, UNDO_TIME).retrying_while_busy().timed_from_start();
        self.queue.push_front(QueuedTransaction::new(Owner::Driver, transaction, at.now));
    }
}
