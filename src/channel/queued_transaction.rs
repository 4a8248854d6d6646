//! A transaction on its way through a lane and the channel.

use std::time::Instant;

use super::event::TransactionId;
use super::failure::{Answers, Awaited, FailedCommand, Failure, LostBy, Refusal};
use super::transaction::Transaction;
use crate::at::client_index::ClientIndex;
use crate::at::command::Command;
use crate::at::result_code::ResultCode;

#[derive(Debug)]
pub(super) struct QueuedTransaction {
    owner: Owner,
    lane: Lane,
    transaction: Transaction,
    /// The command that comes next, or is on the channel.
    position: usize,
    answers: Answers,
    deadline: Instant,
    is_started: bool,
    /// The client was busy: not again before this.
    not_before: Option<Instant>,
    /// The connection was lost after a command was written: the next command is not written.
    preempted_by: Option<LostBy>,
    /// The number of its arrival, so that lanes take turns fairly.
    arrival: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Caller(TransactionId),
    /// The driver itself, or a caller that has cancelled: the outcome is not reported.
    Driver,
    /// Opens the driver: finds the module and turns its echo off.
    Opening(TransactionId),
    /// Asks whether the module restarted, after a boot banner.
    RestartCheck,
}

/// Transactions of a lane run one behind the other. Lanes take turns on the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Client(ClientIndex),
    /// START and STOP.
    Service,
    /// Read forms whose lines look like an owed result, and so wait until none is owed.
    Reading,
    Module,
}

impl Lane {
    pub(super) const COUNT: usize = 5;

    pub(super) fn slot(self) -> usize {
        match self {
            Self::Client(client) => client.slot(),
            Self::Service => 2,
            Self::Reading => 3,
            Self::Module => 4,
        }
    }

    fn of(commands: &[Command]) -> Self {
        if let Some(client) = commands.iter().find_map(Command::client) {
            return Self::Client(client);
        }
        if commands.iter().any(|command| command.kind().operation().is_some()) {
            return Self::Service;
        }
        if commands.iter().any(|command| command.kind().resembled_operation().is_some()) {
            return Self::Reading;
        }
        Self::Module
    }
}

impl QueuedTransaction {
    pub(super) fn new(owner: Owner, transaction: Transaction, now: Instant) -> Self {
        Self {
            owner,
            lane: Lane::of(transaction.commands()),
            position: 0,
            answers: Vec::with_capacity(transaction.commands().len()),
            deadline: transaction.deadline(now),
            is_started: false,
            not_before: None,
            preempted_by: None,
            arrival: 0,
            transaction,
        }
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    pub(super) fn is_for(&self, id: TransactionId) -> bool {
        self.owner == Owner::Caller(id)
    }

    /// The caller has cancelled. The transaction goes on, and its outcome is not reported.
    pub(super) fn detach(&mut self) {
        self.owner = Owner::Driver;
    }

    pub(super) fn lane(&self) -> Lane {
        self.lane
    }

    pub(super) fn arrival(&self) -> u64 {
        self.arrival
    }

    pub(super) fn set_arrival(&mut self, arrival: u64) {
        self.arrival = arrival;
    }

    pub(super) fn commands(&self) -> &[Command] {
        self.transaction.commands()
    }

    /// The command that comes next, or is on the channel.
    pub(super) fn command(&self) -> &Command {
        &self.transaction.commands()[self.position]
    }

    pub(super) fn is_at_last_command(&self) -> bool {
        self.position + 1 == self.commands().len()
    }

    pub(super) fn go_to_next_command(&mut self) {
        self.position += 1;
    }

    pub(super) fn add_answer(&mut self, lines: Vec<Vec<u8>>) {
        self.answers.push(lines);
    }

    pub(super) fn take_answers(&mut self) -> Answers {
        std::mem::take(&mut self.answers)
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The transaction leaves the queue.
    pub(super) fn start(&mut self, now: Instant) {
        if self.transaction.is_timed_from_start() && !self.is_started {
            self.deadline = now + self.transaction.timeout();
        }
        self.is_started = true;
    }

    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|time| time <= now)
    }

    /// Ends the wait of a transaction whose client was busy, if its time has come.
    pub(super) fn wake(&mut self, now: Instant) {
        self.not_before = self.not_before.filter(|time| *time > now);
    }

    pub(super) fn may_retry(&self, time: Instant) -> bool {
        self.transaction.retries_while_busy() && time < self.deadline
    }

    /// The same transaction, from its first command on.
    pub(super) fn rewound(mut self, not_before: Option<Instant>) -> Self {
        self.position = 0;
        self.answers.clear();
        self.not_before = not_before;
        self
    }

    pub(super) fn keeps_order(&self) -> bool {
        self.transaction.keeps_order()
    }

    /// The transaction carries something to the broker, which a lost connection makes impossible.
    pub(super) fn needs_connection(&self) -> bool {
        self.commands().iter().any(|command| command.kind().needs_connection())
    }

    pub(super) fn preempt(&mut self, cause: LostBy) {
        self.preempted_by = Some(cause);
    }

    pub(super) fn take_preemption(&mut self) -> Option<LostBy> {
        self.preempted_by.take()
    }

    /// The command that names the whole in an error: the last, which is what the caller asked for.
    pub(super) fn named(&self) -> FailedCommand {
        self.transaction.named()
    }

    /// The command that comes next or is on the channel, for an error.
    pub(super) fn current(&self) -> FailedCommand {
        FailedCommand::from(&self.command().line)
    }

    /// The failure of the current command, which the module refused.
    pub(super) fn refused(&self, refusal: Refusal, code: Option<ResultCode>) -> Failure {
        Failure::Refused { command: self.current(), refusal, code }
    }

    /// The failure of a transaction that never started.
    pub(super) fn not_started(&self) -> Failure {
        Failure::NoAnswer { command: self.named(), awaited: Awaited::Channel }
    }
}
