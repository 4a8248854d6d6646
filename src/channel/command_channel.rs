//! The AT channel: one command at a time, from its line to its final result code.

use std::time::{Duration, Instant};

use super::command_in_flight::{
    AmbiguousResult, Answered, CommandInFlight, LISTING_PROBE, LISTING_PROBE_NAME,
};
use super::command_in_flight::{Prompt, Taken};
use super::event::{Event, TransactionId};
use super::failure::{Awaited, FailedCommand, Failure, LostBy, Refusal, UnknownReason};
use super::pending_results::lane_of;
use super::queued_transaction::{Lane, Owner, QueuedTransaction};
use super::recovery::{Progress, Recovery};
use super::staged_payload::padding_for;
use super::surroundings::Surroundings;
use super::sync_probe::SyncProbes;
use super::transactions::Transactions;
use super::wire::{Echoes, Wire};
use crate::at::client_index::ClientIndex;
use crate::at::command_kind::Operation;
use crate::at::final_result::is_final_result;
use crate::at::result_code::ResultCode;
use crate::at::urc::{OperationResult, Urc};
use crate::inbound::LONGEST_PAYLOAD;

#[derive(Debug)]
pub(super) struct CommandChannel {
    state: State,
    transactions: Transactions,
    probes: SyncProbes,
    /// For commands without a documented limit.
    command_timeout: Duration,
    /// The last line is part of the answer of the command in flight. Text that the line opens is, too.
    is_last_line_answer: bool,
}

#[derive(Debug)]
enum State {
    Idle,
    InFlight(Box<CommandInFlight>),
    Recovering(Recovery),
    /// The module answers nothing. It is asked again when there is something to do.
    Mute,
}

impl CommandChannel {
    pub(super) fn new(command_timeout: Duration) -> Self {
        Self {
            state: State::Idle,
            transactions: Transactions::default(),
            probes: SyncProbes::default(),
            command_timeout,
            is_last_line_answer: false,
        }
    }

    pub(super) fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    pub(super) fn transactions_mut(&mut self) -> &mut Transactions {
        &mut self.transactions
    }

    /// Finds the module, and runs `first` then.
    pub(super) fn open(&mut self, first: QueuedTransaction, at: &mut Surroundings<'_>) {
        self.transactions.submit_first(first);
        self.state = State::Recovering(Recovery::opening(at.wire, at.now));
    }

    /// The port was replaced: nothing is known of the module behind it.
    pub(super) fn attach_port(&mut self) {
        self.state = State::Idle;
    }

    /// The caller of `id` no longer waits.
    pub(super) fn cancel(&mut self, id: TransactionId, at: &mut Surroundings<'_>) {
        self.transactions.cancel(id, at);
        if let Some(command) = self.in_flight_mut().filter(|command| command.transaction().is_for(id)) {
            command.transaction_mut().detach();
        }
    }

    // Starting commands.

    /// Starts what can be started.
    pub(super) fn advance(&mut self, at: &mut Surroundings<'_>) {
        if matches!(self.state, State::Mute) && self.transactions.has_queued() {
            // The module may be waiting for data, from before this driver.
            self.recover(&[b'\r'; LONGEST_PAYLOAD], at);
        }
        while at.wire.may_write() {
            match &mut self.state {
                State::Idle => {
                    at.wire.end_command();
                    let Some(next) = self.transactions.take_next(at) else { return };
                    self.state = State::InFlight(Box::new(CommandInFlight::new(next)));
                }
                State::InFlight(command) if command.is_ready() => {
                    if let Some(cause) = command.transaction_mut().take_preemption() {
                        let failure =
                            Failure::ConnectionLost { command: command.transaction().named(), cause };
                        self.end_command(failure, at);
                        continue;
                    }
                    at.wire.push_command(command.command());
                    at.events.counters_mut().commands += 1;
                    let limit = command.command().limit.unwrap_or(self.command_timeout);
                    command.begin(at.now + limit);
                }
                State::InFlight(command) if command.is_prompted() => {
                    let limit = command.command().limit.unwrap_or(self.command_timeout);
                    let Some(data) = &command.command().data else { return };
                    at.wire.push_data(data);
                    let limit = at.now + limit + at.wire.time_of(data.bytes.len());
                    self.transactions.handle_data_entry(&command.command().line);
                    command.enter_data(limit);
                }
                _ => return,
            }
        }
    }

    /// All that was pushed has left: what comes from now on may be the answer of the command in flight.
    pub(super) fn handle_all_written(&mut self, wire: &mut Wire) {
        if let Some(may_prompt) = self.in_flight_mut().and_then(CommandInFlight::handle_written) {
            wire.expect_prompt(may_prompt);
        }
    }

    // Input.

    pub(super) fn handle_echo(&mut self) {
        if let State::Recovering(recovery) = &mut self.state {
            recovery.handle_echo();
        }
    }

    /// `line` has a meaning now, so it may be trusted inside a sound message block.
    pub(super) fn expects(&self, line: &[u8]) -> bool {
        let is_answer = match &self.state {
            State::InFlight(command) => command.expects(line),
            State::Recovering(_) => is_final_result(line),
            State::Idle | State::Mute => false,
        };
        is_answer || Urc::parse(line).is_some() || OperationResult::parse(line).is_some()
    }

    /// Gives a trusted line to whom it belongs, in the order of the rules of the line: URCs, answers that look like
    /// results, results, other answers.
    pub(super) fn handle_line(&mut self, line: &[u8], at: &mut Surroundings<'_>) {
        self.is_last_line_answer = false;
        if let Some(urc) = Urc::parse(line) {
            let is_answer = |command: &mut CommandInFlight| command.names(line);
            if urc != Urc::Other || !self.in_flight_mut().is_some_and(is_answer) {
                self.handle_urc(urc, line, at);
                return;
            }
        }
        let result = OperationResult::parse(line);
        let is_owed = result.is_some_and(|result| self.transactions.pending().find(result).is_some());
        let taken = match &mut self.state {
            State::InFlight(command) if command.owns_before_results(line, result.is_some(), is_owed) => {
                command.take_information(line)
            }
            _ if result.is_some() => Taken::No,
            State::InFlight(command) if command.awaits_answer() => {
                command.take_answer(line, at.wire.blank_lines_before())
            }
            State::Recovering(recovery) => {
                let progress = recovery.handle_line(line, &mut self.probes, at.wire, at.now);
                if let Some(progress) = progress {
                    self.handle_recovery(progress, at);
                    return;
                }
                Taken::No
            }
            _ => Taken::No,
        };
        match (taken, result) {
            (Taken::Yes, _) => self.is_last_line_answer = true,
            (Taken::ListingMayBeOver, _) => at.wire.push_line(LISTING_PROBE),
            (Taken::Final, _) => self.handle_final(line, at),
            (Taken::No, Some(result)) => self.handle_result(result, line, at),
            (Taken::No, None) => {
                let line = at.wire.shown(line);
                at.events.push(Event::Urc { line, is_known: false });
            }
        }
    }

    /// Takes a line of text of another feature. It belongs to the same reader as the line before.
    pub(super) fn handle_text(&mut self, line: &[u8], at: &mut Surroundings<'_>) {
        match &mut self.state {
            State::InFlight(command) if self.is_last_line_answer => command.take_text(line),
            _ => at.events.push(Event::Urc { line: at.wire.shown(line), is_known: true }),
        }
    }

    pub(super) fn handle_prompt(&mut self, at: &mut Surroundings<'_>) {
        at.wire.expect_prompt(false);
        let Some(command) = self.in_flight_mut() else { return };
        if command.handle_prompt() != Prompt::Unexpected {
            return;
        }
        // The caller did not know that this command asks for data: nothing half-entered may stay behind.
        let line = command.command().line.clone();
        let owed = line.announced_length().unwrap_or(LONGEST_PAYLOAD).min(LONGEST_PAYLOAD);
        let refusal = Refusal::UnexpectedPrompt;
        let failure = Failure::Refused { command: FailedCommand::from(&line), refusal, code: None };
        self.transactions.undo_padding(&line, at);
        self.end_command(failure, at);
        self.recover(&padding_for(&line, owed), at);
    }

    /// Results are attributed by order: one that comes before the next operation's `OK` belongs to the timed-out one.
    fn handle_result(&mut self, result: OperationResult, line: &[u8], at: &mut Surroundings<'_>) {
        let own = match &mut self.state {
            State::InFlight(command)
                if command.awaits_answer()
                    && command.operation() == Some(result.operation)
                    && command.client() == result.client =>
            {
                Some(command)
            }
            _ => None,
        };
        match (own, self.transactions.pending().find(result)) {
            (Some(command), Some(pending)) if pending.is_timed_out() => {
                let earlier = command.take_ambiguous(result.code, line);
                self.handle_deferred_result(lane_of(result), earlier, at);
            }
            (_, Some(_)) => self.transactions.handle_result(result, at),
            (Some(command), None) => command.take_result(result.code, line),
            (None, None) => Transactions::report_stray_result(line, at),
        }
    }

    fn handle_deferred_result(
        &mut self,
        lane: Lane,
        result: Option<AmbiguousResult>,
        at: &mut Surroundings<'_>,
    ) {
        if let Some(AmbiguousResult { code, line }) = result {
            self.transactions.handle_deferred_result(lane, code, &line, at);
        }
    }

    fn handle_urc(&mut self, urc: Urc, line: &[u8], at: &mut Surroundings<'_>) {
        match urc {
            Urc::ConnectionLost { client, cause } => {
                at.events.push(Event::ConnectionLost { client, cause });
                self.handle_connection_lost(client, &LostBy::Connection(cause), at);
            }
            Urc::NoNetwork => {
                at.events.push(Event::NetworkLost);
                for client in ClientIndex::ALL {
                    self.handle_connection_lost(client, &LostBy::Network, at);
                }
            }
            Urc::Boot => {
                at.events.push(Event::Urc { line: line.to_vec(), is_known: true });
                if let Some(command) = self.in_flight_mut() {
                    command.handle_boot_banner(at.now);
                }
                self.check_for_restart_once(at);
            }
            Urc::Other => at.events.push(Event::Urc { line: at.wire.shown(line), is_known: true }),
        }
    }

    fn handle_connection_lost(&mut self, client: ClientIndex, cause: &LostBy, at: &mut Surroundings<'_>) {
        self.transactions.handle_connection_lost(client, cause, at);
        let is_concerned = |command: &&mut CommandInFlight| {
            let transaction = command.transaction();
            transaction.lane() == Lane::Client(client) && transaction.needs_connection()
        };
        if let Some(command) = self.in_flight_mut().filter(is_concerned) {
            command.transaction_mut().preempt(cause.clone());
        }
    }

    /// Asks whether the module restarted, unless that is being asked already.
    pub(super) fn check_for_restart_once(&mut self, at: &mut Surroundings<'_>) {
        let is_asked =
            self.in_flight_mut().is_some_and(|command| command.transaction().owner() == Owner::RestartCheck);
        if !is_asked && !self.transactions.is_restart_check_queued() {
            self.transactions.check_for_restart(at);
        }
    }

    // How a command ends.

    fn handle_final(&mut self, line: &[u8], at: &mut Surroundings<'_>) {
        let is_ok = line == b"OK";
        at.wire.end_data_entry(is_ok);
        let Some(mut command) = self.take_in_flight() else { return };
        let lane = command.transaction().lane();
        let ambiguous = command.take_ambiguous_result();
        if is_ok && !command.may_end_with_ok() {
            let refusal = Refusal::NoPrompt;
            let failure = Failure::Refused { command: command.transaction().current(), refusal, code: None };
            self.transactions.finish(command.into_answered().transaction, Err(failure), at);
        } else if is_ok {
            let assumed = ambiguous.as_ref().map(|result| result.code);
            self.handle_deferred_result(lane, ambiguous, at);
            self.handle_ok(command.into_answered(), assumed, at);
        } else {
            match ambiguous {
                // A refusal stands right before its `ERROR`.
                Some(result) if !result.code.is_success() => command.take_result(result.code, &result.line),
                result => self.handle_deferred_result(lane, result, at),
            }
            let code = command.refusal_code();
            let refusal = Refusal::FinalResult(String::from_utf8_lossy(&at.wire.shown(line)).into_owned());
            self.handle_error(command.into_answered().transaction, refusal, code, at);
        }
    }

    fn handle_ok(&mut self, answered: Answered, assumed: Option<ResultCode>, at: &mut Surroundings<'_>) {
        let Answered { mut transaction, lines, result } = answered;
        let line = &transaction.command().line;
        self.transactions.handle_accepted(line);
        let Some(operation) = line.kind().operation() else {
            at.events.note_success(line);
            if line.may_change_echo() {
                at.wire.handle_echo_change();
            }
            transaction.add_answer(lines);
            if transaction.is_at_last_command() {
                let answers = transaction.take_answers();
                self.transactions.finish(transaction, Ok(answers), at);
            } else {
                transaction.go_to_next_command();
                self.state = State::InFlight(Box::new(CommandInFlight::new(transaction)));
            }
            return;
        };
        // The module accepts a new operation of a client only when the old one is over: its result was lost.
        if result != Some(ResultCode::CLIENT_IS_BUSY) {
            self.transactions.pending_mut().drop_timed_out(transaction.lane(), at.events);
        }
        transaction.add_answer(lines);
        match result {
            None => self.transactions.await_result(transaction, operation, assumed, at),
            Some(code) if code.is_success() => self.transactions.complete_operation(transaction, at),
            Some(code) => {
                self.transactions.refuse(transaction, Refusal::Result(code), Some(code), at);
            }
        }
    }

    fn handle_error(
        &mut self,
        transaction: QueuedTransaction,
        refusal: Refusal,
        code: Option<ResultCode>,
        at: &mut Surroundings<'_>,
    ) {
        if let Some(operation) = transaction.command().kind().operation() {
            if proves_end(operation, code) {
                self.transactions.pending_mut().conclude_timed_out(transaction.lane(), operation, at.events);
            }
            if operation.result_may_follow_error() && code.is_none() {
                self.transactions.await_reason(transaction, operation, refusal, at);
                return;
            }
        }
        self.transactions.refuse(transaction, refusal, code, at);
    }

    fn end_command(&mut self, failure: Failure, at: &mut Surroundings<'_>) {
        if let Some(command) = self.take_in_flight() {
            self.transactions.finish(command.into_answered().transaction, Err(failure), at);
        }
    }

    /// Ends the command in flight: nothing more will come of it.
    pub(super) fn fail_in_flight(
        &mut self,
        reason: &UnknownReason,
        failure: impl Fn(FailedCommand) -> Failure,
        at: &mut Surroundings<'_>,
    ) {
        let Some(command) = self.take_in_flight() else { return };
        let (code, operation) = (command.lone_result(), command.operation());
        let Answered { transaction, lines, .. } = command.into_answered();
        match (code, operation) {
            (Some(code), Some(_)) => self.transactions.end_by_result(transaction, lines, code, at),
            (_, Some(Operation::Publish)) => Transactions::lose_result(&transaction, reason, at),
            _ => {
                let failure = failure(transaction.named());
                self.transactions.finish(transaction, Err(failure), at);
            }
        }
    }

    /// Ends everything.
    pub(super) fn fail_all(
        &mut self,
        reason: &UnknownReason,
        failure: impl Fn(FailedCommand) -> Failure,
        at: &mut Surroundings<'_>,
    ) {
        self.transactions.fail_pending(reason, &failure, at);
        self.fail_in_flight(reason, &failure, at);
        self.state = State::Idle;
        self.transactions.fail_unanswered(at);
        self.transactions.fail_queued(|_| true, &failure, at);
    }

    // Timeouts and recovery.

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let own = match &self.state {
            State::InFlight(command) => Some(command.limit()),
            State::Recovering(recovery) => Some(recovery.poll_timeout()),
            State::Idle | State::Mute => None,
        };
        own.into_iter().chain(self.transactions.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, at: &mut Surroundings<'_>) {
        self.transactions.handle_timeout(at);
        match &mut self.state {
            State::Recovering(recovery) => {
                let progress = recovery.handle_timeout(&mut self.probes, at.wire, at.now);
                self.handle_recovery(progress, at);
            }
            State::InFlight(command) if command.limit() <= at.now => self.time_out_command(at),
            _ => {}
        }
    }

    /// The command in flight has no answer: ends it, and brings the module back to command mode.
    fn time_out_command(&mut self, at: &mut Surroundings<'_>) {
        let Some(mut command) = self.take_in_flight() else { return };
        let ambiguous = command.take_ambiguous_result();
        self.handle_deferred_result(command.transaction().lane(), ambiguous, at);
        let line = command.command().line.clone();
        self.probes.avoid(if line.kind().lists_topics() { LISTING_PROBE_NAME } else { line.name() });
        let awaited = command.awaited();
        if awaited == Awaited::Channel {
            let transaction = command.into_answered().transaction;
            let failure = transaction.not_started();
            self.transactions.finish(transaction, Err(failure), at);
            return;
        }
        let operation = command.operation();
        if let (Some(code), Some(_)) = (command.lone_result(), operation) {
            let Answered { transaction, lines, .. } = command.into_answered();
            self.transactions.end_by_result(transaction, lines, code, at);
            self.recover(&[], at);
            return;
        }
        let owed = command.owed_data();
        if owed > 0 {
            self.transactions.undo_padding(&line, at);
        }
        let has_met_banner = command.has_met_banner();
        let transaction = command.into_answered().transaction;
        if transaction.owner() == Owner::RestartCheck {
            // The question was written before the module had come up.
            self.transactions.check_for_restart(at);
            self.recover(&[], at);
            return;
        }
        if has_met_banner {
            self.await_restart_check(transaction, operation, awaited, at);
        } else if let Some(operation) = operation {
            // The command was written, or will be padded if it asks for data after all: its result may still come.
            let padding = (awaited == Awaited::Prompt && owed > 0).then_some(owed);
            self.transactions.time_out_operation(transaction, operation, awaited, padding, at);
        } else {
            let failure = Failure::NoAnswer { command: transaction.current(), awaited };
            self.transactions.finish(transaction, Err(failure), at);
        }
        self.recover(&padding_for(&line, owed), at);
    }

    /// Unless the module restarted, the result may still come. If nothing reached the broker yet, the transaction begins
    /// again.
    fn await_restart_check(
        &mut self,
        transaction: QueuedTransaction,
        operation: Option<Operation>,
        awaited: Awaited,
        at: &mut Surroundings<'_>,
    ) {
        if let Some(operation) = operation.filter(|_| awaited == Awaited::FinalResult) {
            self.transactions.pending_mut().drop_timed_out(transaction.lane(), at.events);
            self.transactions.await_result(transaction, operation, None, at);
        } else if transaction.needs_connection() {
            self.transactions.submit_first(transaction.rewound(None));
        } else {
            let failure = Failure::NoAnswer { command: transaction.current(), awaited };
            self.transactions.await_restart_check(transaction, failure);
        }
    }

    fn recover(&mut self, padding: &[u8], at: &mut Surroundings<'_>) {
        at.wire.end_data_entry(false);
        at.wire.cancel_unwritten();
        let recovery = Recovery::after_timeout(padding, &mut self.probes, at.wire, at.now);
        self.state = State::Recovering(recovery);
    }

    fn handle_recovery(&mut self, progress: Progress, at: &mut Surroundings<'_>) {
        let State::Recovering(recovery) = &self.state else { return };
        let was_opening = recovery.is_opening();
        match progress {
            Progress::Ongoing => {}
            Progress::Recovered => self.state = State::Idle,
            Progress::Mute => {
                self.state = State::Mute;
                if !was_opening {
                    at.events.push(Event::Mute);
                }
                let waits = |transaction: &QueuedTransaction| {
                    !was_opening || matches!(transaction.owner(), Owner::Opening(_))
                };
                self.transactions.fail_queued(waits, |command| Failure::Mute { command }, at);
            }
        }
    }

    fn in_flight_mut(&mut self) -> Option<&mut CommandInFlight> {
        match &mut self.state {
            State::InFlight(command) => Some(command),
            _ => None,
        }
    }

    /// Takes the command off the channel.
    fn take_in_flight(&mut self) -> Option<CommandInFlight> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::InFlight(command) => Some(*command),
            other => {
                self.state = other;
                None
            }
        }
    }
}

impl Echoes for CommandChannel {
    fn may_come(&self) -> bool {
        !matches!(self.state, State::Idle | State::Mute)
    }

    fn owns_echo(&self, line: &[u8]) -> bool {
        match &self.state {
            State::InFlight(command) => command.owns_echo(line),
            State::Recovering(_) => Recovery::owns_echo(line),
            State::Idle | State::Mute => false,
        }
    }
}

/// CONNECT is refused like this while connected, and DISC while not: the timed-out operation before it succeeded.
fn proves_end(operation: Operation, code: Option<ResultCode>) -> bool {
    let Some(code) = code else { return false };
    match operation {
        Operation::Connect => {
            matches!(code, ResultCode::NOT_SUPPORTED_OPERATION | ResultCode::CLIENT_IS_USED)
        }
        Operation::Disconnect => code == ResultCode::NO_CONNECTION,
        _ => false,
    }
}
