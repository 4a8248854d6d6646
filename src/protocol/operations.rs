//! What the network owes: results of pending operations, and the URCs that end them early.

use std::time::{Duration, Instant};

use super::channel::{Channel, code_line, refused_job};
use super::engine::Engine;
use super::event::Event;
use super::job::{Job, Lane, Owner, Pending, PendingState};
use super::urc::{OperationResult, Urc};
use super::{Awaited, ClientIndex, Command, Failure, LostBy, Operation, Transaction, UnknownReason};

const CLIENT_IS_BUSY: u16 = 14;

impl Engine {
    /// Results are attributed by order: one that comes before the next operation's `OK` belongs to the old one.
    pub(super) fn handle_result(&mut self, result: OperationResult, line: &[u8], now: Instant) {
        let lane = result.client.map_or(Lane::Service, Lane::Client);
        let running = matches!(&self.channel, Channel::Running(running)
            if running.operation() == Some((result.operation, result.client)));
        let pending = self.pending[lane.slot()].take_if(|pending| pending.operation == result.operation);
        match pending {
            Some(pending) if running && pending.is_given_up() && result.code == CLIENT_IS_BUSY => {
                self.pending[lane.slot()] = Some(pending);
                self.note_early_result(result.code, line);
            }
            Some(pending) => self.resolve(pending, result.code, line),
            None if running => self.note_early_result(result.code, line),
            None => {
                self.counters.late_results += 1;
                self.events.push_back(Event::Urc { line: line.to_vec(), known: true });
            }
        }
        self.advance(now);
    }

    fn note_early_result(&mut self, code: u16, line: &[u8]) {
        if let Some(running) = self.running() {
            running.note_result(code, line);
        }
    }

    fn resolve(&mut self, mut pending: Pending, code: u16, line: &[u8]) {
        if let Some(answer) = pending.job.answers.last_mut() {
            answer.push(line.to_vec());
        }
        let refusal = |job: &Job| refused_job(job, &code_line(job, code), Some(code));
        if pending.is_given_up() {
            self.counters.late_results += 1;
            if code == 0 {
                self.events.push_back(Event::Succeeded(pending.job.command().line.clone()));
            }
            let result = if code == 0 { Ok(()) } else { Err(refusal(&pending.job)) };
            self.report_late(&pending, result);
            return;
        }
        if code == 0 && pending.state == PendingState::AwaitingResult {
            self.complete_operation(pending.job, pending.operation);
        } else {
            let failure = refusal(&pending.job);
            self.finish(pending.job, Err(failure));
        }
    }

    /// The result of an operation that was given up cannot come any more.
    pub(super) fn forget_given_up(&mut self, lane: Lane) {
        let Some(pending) = self.pending[lane.slot()].take_if(|pending| pending.is_given_up()) else {
            return;
        };
        let command = pending.job.command().line.shown();
        let failure = Failure::NoAnswer { command, awaited: Awaited::Result };
        self.report_late(&pending, Err(failure));
    }

    fn report_late(&mut self, pending: &Pending, result: Result<(), Failure>) {
        if pending.operation != Operation::Publish {
            return;
        }
        if let Owner::Caller(id) = pending.job.owner {
            self.events.push_back(Event::Late { id, result });
        }
    }

    pub(super) fn give_up_pending(&mut self, now: Instant) {
        for slot in 0..Lane::COUNT {
            let due = |pending: &mut Pending| pending.deadline().is_some_and(|deadline| deadline <= now);
            let Some(mut pending) = self.pending[slot].take_if(due) else { continue };
            if let PendingState::AwaitingReason { response, .. } = &pending.state {
                let failure = refused_job(&pending.job, response, None);
                self.finish(pending.job, Err(failure));
                continue;
            }
            let command = pending.job.command().line.shown();
            let failure = match pending.operation {
                Operation::Publish => Failure::ResultUnknown { command, reason: UnknownReason::Timeout },
                _ => Failure::NoAnswer { command, awaited: Awaited::Result },
            };
            self.report(&pending.job, Err(failure));
            pending.state = PendingState::GivenUp;
            self.pending[slot] = Some(pending);
        }
    }

    pub(super) fn handle_urc(&mut self, urc: Urc, line: &[u8], now: Instant) {
        match urc {
            Urc::ConnectionLost { client, cause } => {
                self.events.push_back(Event::ConnectionLost { client, cause });
                self.connection_lost(client, &LostBy::Connection(cause));
            }
            Urc::NoNetwork => {
                self.events.push_back(Event::NetworkLost);
                for client in ClientIndex::ALL {
                    self.connection_lost(client, &LostBy::Network);
                }
            }
            Urc::Boot => {
                self.events.push_back(Event::Urc { line: line.to_vec(), known: true });
                self.check_for_restart(now);
            }
            Urc::Other => self.events.push_back(Event::Urc { line: line.to_vec(), known: true }),
        }
        self.advance(now);
    }

    /// Ends what waits for this connection with the error that fits, and keeps what was only queued from being sent.
    fn connection_lost(&mut self, client: ClientIndex, cause: &LostBy) {
        let lane = Lane::Client(client);
        if let Some(pending) = self.pending[lane.slot()].take_if(|pending| !pending.is_given_up()) {
            self.lose_pending(pending, cause);
        }
        for job in self.queues.take_where(|job| job.lane == lane && job.needs_connection()) {
            let failure = Failure::ConnectionLost { command: job.shown(), cause: cause.clone() };
            self.finish(job, Err(failure));
        }
        if let Some(running) = self.running() {
            if running.job.lane == lane && running.job.needs_connection() {
                let command = running.job.shown();
                running.job.overtaken = Some(Failure::ConnectionLost { command, cause: cause.clone() });
            }
        }
    }

    fn lose_pending(&mut self, mut pending: Pending, cause: &LostBy) {
        let slot = pending.job.lane.slot();
        let command = pending.job.command().line.shown();
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
        let already = self.queues.heads().any(|job| job.owner == Owner::RestartCheck);
        if !already {
            let check = Transaction::single(Command::new("AT+CMQTTREL?"), Duration::from_secs(20));
            self.queues.push_front(Job::new(Owner::RestartCheck, check, now));
        }
    }

    /// Nothing on the module is as it was, its echo included.
    pub(super) fn restarted(&mut self, now: Instant) {
        self.framer.forget_echo_habit();
        self.reassembly.reset("the module restarted");
        self.take_from_reassembly(now);
        self.fail_operations(&UnknownReason::Lost(LostBy::Restart), |command| Failure::ConnectionLost {
            command,
            cause: LostBy::Restart,
        });
        for job in self.queues.take_where(Job::needs_connection) {
            let failure = Failure::ConnectionLost { command: job.shown(), cause: LostBy::Restart };
            self.finish(job, Err(failure));
        }
        let echo_off = Transaction::single(Command::new("ATE0"), Duration::from_secs(20));
        self.queues.push_front(Job::new(Owner::Nobody, echo_off, now));
        self.events.push_back(Event::Restarted);
    }

    pub(super) fn fail_everything(&mut self, reason: &UnknownReason, failure: impl Fn(String) -> Failure) {
        self.fail_operations(reason, &failure);
        if let Channel::Running(running) = std::mem::replace(&mut self.channel, Channel::Idle) {
            let publishing =
                running.operation().is_some_and(|(operation, _)| operation == Operation::Publish);
            let command = running.job.shown();
            let outcome = if publishing {
                Failure::ResultUnknown { command, reason: reason.clone() }
            } else {
                failure(command)
            };
            self.finish(running.job, Err(outcome));
        }
        for job in self.queues.take_where(|_| true) {
            let outcome = failure(job.shown());
            self.finish(job, Err(outcome));
        }
        self.outbox.clear();
    }

    fn fail_operations(&mut self, reason: &UnknownReason, failure: impl Fn(String) -> Failure) {
        for slot in 0..Lane::COUNT {
            let Some(pending) = self.pending[slot].take() else { continue };
            let command = pending.job.command().line.shown();
            let late = Failure::ResultUnknown { command: command.clone(), reason: reason.clone() };
            if pending.is_given_up() {
                self.report_late(&pending, Err(late));
            } else if pending.operation == Operation::Publish {
                self.report(&pending.job, Err(late.clone()));
                self.report_late(&pending, Err(late));
            } else {
                self.finish(pending.job, Err(failure(command)));
            }
        }
    }
}
