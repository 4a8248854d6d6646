//! What the network owes: results of pending operations, and the URCs that end them early.

use std::time::{Duration, Instant};

use super::channel_state::{Channel, refused_job};
use super::engine::Engine;
use super::event::Event;
use super::job::{Job, Lane, Owner, Pending, PendingState};
use super::running::Running;
use crate::at::urc::{OperationResult, Urc};
use crate::at::{ClientIndex, Command, Operation, ResultCode};
use crate::channel::{Awaited, FailedCommand, Failure, LostBy, Refusal, Transaction, UnknownReason};

/// A result may be printed right behind the loss of its connection, and not much later.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Engine {
    /// Results are attributed by order: one that comes before the next operation's `OK` belongs to the old one.
    pub(crate) fn handle_result(&mut self, result: OperationResult, line: &[u8], now: Instant) {
        let lane = result.client.map_or(Lane::Service, Lane::Client);
        let running = matches!(&self.channel, Channel::Running(running)
            if running.awaits_answer() && running.operation() == Some((result.operation, result.client)));
        let pending = self.pending[lane.slot()].take_if(|pending| pending.operation == result.operation);
        match pending {
            Some(pending) if running && pending.is_given_up() => {
                self.pending[lane.slot()] = Some(pending);
                let old = self.running().and_then(|running| running.note_contested_result(result.code, line));
                if let Some((code, line)) = old {
                    self.resolve_given_up(lane, code, &line);
                }
            }
            Some(pending) => self.resolve(pending, result.code, now),
            None if running => {
                if let Some(running) = self.running() {
                    running.note_result(result.code, line);
                }
            }
            None => {
                self.counters.deferred_results += 1;
                self.known_line(line);
            }
        }
        self.advance(now);
    }

    /// Whether an operation waits for such a result.
    pub(crate) fn owes(&self, result: OperationResult) -> bool {
        let lane = result.client.map_or(Lane::Service, Lane::Client);
        self.pending[lane.slot()].as_ref().is_some_and(|pending| pending.operation == result.operation)
    }

    fn resolve(&mut self, pending: Pending, code: ResultCode, now: Instant) {
        if pending.is_given_up() {
            self.resolve_late(&pending, code);
            return;
        }
        let accepted = !matches!(pending.state, PendingState::AwaitingReason { .. });
        if code.is_success() && accepted {
            self.complete_operation(pending.job, pending.operation);
        } else {
            self.refuse(pending.job, Refusal::Result(code), Some(code), now);
        }
    }

    /// The result of the operation that was given up came after all.
    pub(crate) fn resolve_given_up(&mut self, lane: Lane, code: ResultCode, line: &[u8]) {
        if let Some(pending) = self.pending[lane.slot()].take_if(|pending| pending.is_given_up()) {
            self.resolve_late(&pending, code);
            return;
        }
        self.counters.deferred_results += 1;
        self.known_line(line);
    }

    /// Its final result code was lost, but the result tells how it ended.
    pub(crate) fn end_by_result(&mut self, running: Running, code: ResultCode) {
        let Some((operation, _)) = running.operation() else { return };
        let mut job = running.job;
        if !code.is_success() {
            let refusal = refused_job(&job, Refusal::Result(code), Some(code));
            self.finish(job, Err(refusal));
            return;
        }
        self.forget_given_up(job.lane);
        self.staging.accepted(&job.command().line);
        job.answers.push(running.lines);
        self.complete_operation(job, operation);
    }

    fn resolve_late(&mut self, pending: &Pending, code: ResultCode) {
        self.counters.deferred_results += 1;
        if code.is_success() {
            self.counters.publishes += u64::from(pending.operation == Operation::Publish);
            self.events.push_back(Event::CommandSucceeded(pending.job.command().line.clone()));
            self.staging.accepted(&pending.job.command().line);
            self.report_late(&pending.job, Ok(()));
            self.undo_subscription(pending);
            return;
        }
        let refusal = refused_job(&pending.job, Refusal::Result(code), Some(code));
        self.report_late(&pending.job, Err(refusal));
    }

    /// Its result was lost, and the module has said since that it succeeded.
    pub(crate) fn conclude_given_up(&mut self, lane: Lane, operation: Operation) {
        let is_it = |pending: &mut Pending| pending.is_given_up() && pending.operation == operation;
        if let Some(pending) = self.pending[lane.slot()].take_if(is_it) {
            self.events.push_back(Event::CommandSucceeded(pending.job.command().line.clone()));
        }
    }

    /// The result of an operation that was given up cannot come any more.
    pub(crate) fn forget_given_up(&mut self, lane: Lane) {
        let Some(pending) = self.pending[lane.slot()].take_if(|pending| pending.is_given_up()) else {
            return;
        };
        let command = pending.job.current();
        let failure = Failure::NoAnswer { command, awaited: Awaited::Result };
        self.report_late(&pending.job, Err(failure));
    }

    fn report_late(&mut self, job: &Job, result: Result<(), Failure>) {
        if job.command().kind().operation() != Some(Operation::Publish) {
            return;
        }
        if let Owner::Caller(id) = job.owner {
            self.events.push_back(Event::DeferredResult { id, result });
        }
    }

    pub(crate) fn give_up_pending(&mut self, now: Instant) {
        for slot in 0..Lane::COUNT {
            let Some(pending) = self.pending[slot].take_if(|pending| pending.deadline() <= now) else {
                continue;
            };
            match pending.state {
                PendingState::AwaitingReason { refusal, .. } => {
                    let failure = refused_job(&pending.job, refusal, None);
                    self.finish(pending.job, Err(failure));
                }
                PendingState::Presumed { code, .. } if code.is_success() => {
                    self.complete_operation(pending.job, pending.operation);
                }
                PendingState::Presumed { code, .. } => {
                    self.refuse(pending.job, Refusal::Result(code), Some(code), now);
                }
                PendingState::AwaitingResult => self.give_up(pending),
                PendingState::GivenUp => self.pending[slot] = Some(pending),
            }
            let expired =
                self.pending[slot].as_ref().filter(|pending| pending.is_given_up() && pending.expires <= now);
            if let Some(lane) = expired.map(|pending| pending.job.lane) {
                self.forget_given_up(lane);
            }
        }
    }

    /// Its caller waits no longer, but its result may still come.
    fn give_up(&mut self, mut pending: Pending) {
        let command = pending.job.current();
        let failure = match pending.operation {
            Operation::Publish => Failure::ResultUnknown { command, reason: UnknownReason::Timeout },
            _ => Failure::NoAnswer { command, awaited: Awaited::Result },
        };
        self.report(&pending.job, Err(failure));
        pending.state = PendingState::GivenUp;
        let slot = pending.job.lane.slot();
        self.pending[slot] = Some(pending);
    }

    pub(crate) fn handle_urc(&mut self, urc: Urc, line: &[u8], now: Instant) {
        match urc {
            Urc::ConnectionLost { client, cause } => {
                self.events.push_back(Event::ConnectionLost { client, cause });
                self.connection_lost(client, &LostBy::Connection(cause), now);
            }
            Urc::NoNetwork => {
                self.events.push_back(Event::NetworkLost);
                for client in ClientIndex::ALL {
                    self.connection_lost(client, &LostBy::Network, now);
                }
            }
            Urc::Boot => {
                self.known_line(line);
                self.check_for_restart(now);
            }
            Urc::Other => self.known_line(line),
        }
        self.advance(now);
    }

    /// Ends what waits for this connection with the error that fits, and keeps what was only queued from being sent.
    fn connection_lost(&mut self, client: ClientIndex, cause: &LostBy, now: Instant) {
        let lane = Lane::Client(client);
        if let Some(pending) = self.pending[lane.slot()].take_if(|pending| !pending.is_given_up()) {
            self.lose_pending(pending, cause);
        }
        if let Some(given_up) = self.pending[lane.slot()].as_mut().filter(|pending| pending.is_given_up()) {
            given_up.expires = given_up.expires.min(now + LAST_WORDS);
        }
        for job in self.queues.take_where(|job| job.lane == lane && job.needs_connection()) {
            let failure = Failure::ConnectionLost { command: job.named(), cause: cause.clone() };
            self.finish(job, Err(failure));
        }
        let concerned = |running: &&mut Running| running.job.lane == lane && running.job.needs_connection();
        if let Some(running) = self.running().filter(concerned) {
            running.job.overtaken = Some(cause.clone());
        }
    }

    pub(crate) fn lose_pending(&mut self, mut pending: Pending, cause: &LostBy) {
        let slot = pending.job.lane.slot();
        let command = pending.job.current();
        match pending.operation {
            Operation::Disconnect => self.complete_operation(pending.job, Operation::Disconnect),
            Operation::Publish => {
                let reason = UnknownReason::Lost(cause.clone());
                self.report(&pending.job, Err(Failure::ResultUnknown { command, reason }));
                pending.state = PendingState::GivenUp;
                self.pending[slot] = Some(pending);
            }
            Operation::Subscribe | Operation::Unsubscribe => {
                self.finish(pending.job, Err(Failure::ConnectionLost { command, cause: cause.clone() }));
            }
            // Its own result says more, and is still to come.
            Operation::Connect | Operation::Start | Operation::Stop => self.pending[slot] = Some(pending),
        }
    }

    /// A boot banner alone proves nothing: only a stopped service does.
    fn check_for_restart(&mut self, now: Instant) {
        if let Some(running) = self.running() {
            running.shorten(now);
        }
        self.ask_once_whether_it_restarted(now);
    }

    pub(crate) fn ask_once_whether_it_restarted(&mut self, now: Instant) {
        let running = self.running().is_some_and(|running| running.job.owner == Owner::RestartCheck);
        let queued = self.queues.heads().any(|job| job.owner == Owner::RestartCheck);
        if !running && !queued {
            self.ask_whether_it_restarted(now);
        }
    }

    pub(crate) fn ask_whether_it_restarted(&mut self, now: Instant) {
        let check = Transaction::single(Command::new("AT+CMQTTREL?"), Duration::from_secs(20));
        self.queues.push_front(Job::new(Owner::RestartCheck, check, now));
    }

    /// The banner was none, so what had no answer had none for another reason.
    pub(crate) fn did_not_restart(&mut self) {
        for (job, failure) in std::mem::take(&mut self.perhaps_restarted) {
            self.finish(job, Err(failure));
        }
    }

    /// Nothing on the module is as it was, its echo included.
    pub(crate) fn restarted(&mut self, now: Instant) {
        self.staging.module_restarted();
        self.framer.forget_echo_habit();
        self.reassembly.reset("the module restarted");
        if self.framer.is_counting() {
            self.framer.resume_with(b"");
        }
        self.take_from_reassembly(now);
        self.fail_operations(&UnknownReason::Lost(LostBy::Restart), |command| Failure::ConnectionLost {
            command,
            cause: LostBy::Restart,
        });
        let swallowed = std::mem::take(&mut self.perhaps_restarted).into_iter().map(|(job, _)| job);
        for job in self.queues.take_where(Job::needs_connection).into_iter().chain(swallowed) {
            let failure = Failure::ConnectionLost { command: job.named(), cause: LostBy::Restart };
            self.finish(job, Err(failure));
        }
        let echo_off = Transaction::single(Command::new("ATE0"), Duration::from_secs(20));
        self.queues.push_front(Job::new(Owner::Nobody, echo_off, now));
        self.events.push_back(Event::Restarted);
    }

    pub(crate) fn fail_everything(
        &mut self,
        reason: &UnknownReason,
        failure: impl Fn(FailedCommand) -> Failure,
    ) {
        self.fail_operations(reason, &failure);
        self.fail_running(reason, &failure);
        self.did_not_restart();
        for job in self.queues.take_where(|_| true) {
            let outcome = failure(job.named());
            self.finish(job, Err(outcome));
        }
        self.outbox.clear();
    }

    /// Takes the command off the channel.
    pub(crate) fn fail_running(
        &mut self,
        reason: &UnknownReason,
        failure: impl Fn(FailedCommand) -> Failure,
    ) {
        let Channel::Running(running) = std::mem::replace(&mut self.channel, Channel::Idle) else { return };
        if let Some(code) = running.lone_result() {
            self.end_by_result(*running, code);
            return;
        }
        let command = running.job.named();
        match running.operation() {
            Some((Operation::Publish, _)) => self.lose_result(&running.job, reason),
            _ => self.finish(running.job, Err(failure(command))),
        }
    }

    fn fail_operations(&mut self, reason: &UnknownReason, failure: impl Fn(FailedCommand) -> Failure) {
        for slot in 0..Lane::COUNT {
            let Some(pending) = self.pending[slot].take() else { continue };
            let command = pending.job.current();
            if pending.is_given_up() {
                let late = Failure::ResultUnknown { command, reason: reason.clone() };
                self.report_late(&pending.job, Err(late));
            } else if pending.operation == Operation::Publish {
                self.lose_result(&pending.job, reason);
            } else {
                self.finish(pending.job, Err(failure(command)));
            }
        }
    }

    /// A publish was written, and its result cannot come any more.
    fn lose_result(&mut self, job: &Job, reason: &UnknownReason) {
        let command = job.current();
        let unknown = Failure::ResultUnknown { command, reason: reason.clone() };
        self.report(job, Err(unknown.clone()));
        self.report_late(job, Err(unknown));
    }
}
