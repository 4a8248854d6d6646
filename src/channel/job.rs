use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::at::{ClientIndex, Command, Operation, ResultCode};
use crate::channel::{Answers, Awaited, FailedCommand, Failure, LostBy, Refusal, Transaction, TransactionId};

/// A transaction on its way through a lane and the channel.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) owner: Owner,
    pub(crate) lane: Lane,
    pub(crate) commands: Vec<Command>,
    /// Which of the commands comes next, or is on the channel.
    pub(crate) at: usize,
    pub(crate) answers: Answers,
    pub(crate) deadline: Instant,
    /// From its turn on, where its time does not run before.
    timeout_from_turn: Option<Duration>,
    /// The module said that the client is busy: not again before this.
    pub(crate) not_before: Option<Instant>,
    pub(crate) retries_while_busy: bool,
    /// If it fails, what is behind it in its lane does not begin before that was judged.
    pub(crate) keeps_order: bool,
    /// The connection was lost since its last command was written, so that the next one is not.
    pub(crate) overtaken: Option<LostBy>,
    /// Arrival, so that lanes take turns fairly.
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Caller(TransactionId),
    /// Its caller no longer waits (Ctrl-C).
    Nobody,
    /// Opens the driver: finds the module and turns its echo off.
    Opening(TransactionId),
    /// Asks whether a boot banner was one.
    RestartCheck,
}

/// What runs one behind the other. Lanes take turns on the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Client(ClientIndex),
    /// START and STOP.
    Service,
    /// Read forms that look like an owed result, and so wait until none is.
    Reading,
    Module,
}

impl Lane {
    pub(crate) const COUNT: usize = 5;

    pub(crate) fn slot(self) -> usize {
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

impl Job {
    pub(crate) fn new(owner: Owner, transaction: Transaction, now: Instant) -> Self {
        Self {
            owner,
            lane: Lane::of(&transaction.commands),
            at: 0,
            answers: Vec::with_capacity(transaction.commands.len()),
            deadline: transaction.deadline(now),
            timeout_from_turn: transaction.timed_from_start.then_some(transaction.timeout),
            commands: transaction.commands,
            not_before: None,
            retries_while_busy: transaction.retries_while_busy,
            keeps_order: transaction.keeps_order,
            overtaken: None,
            sequence: 0,
        }
    }

    pub(crate) fn command(&self) -> &Command {
        &self.commands[self.at]
    }

    pub(crate) fn is_last(&self) -> bool {
        self.at + 1 == self.commands.len()
    }

    pub(crate) fn is_for(&self, id: TransactionId) -> bool {
        self.owner == Owner::Caller(id)
    }

    /// Whether it carries something to the broker, which a lost connection makes impossible.
    pub(crate) fn needs_connection(&self) -> bool {
        self.commands.iter().any(|command| command.kind().needs_connection())
    }

    pub(crate) fn not_started(&self) -> Failure {
        Failure::NoAnswer { command: self.named(), awaited: Awaited::Channel }
    }

    /// The command that names the whole in an error: the last, which is what the caller asked for.
    pub(crate) fn named(&self) -> FailedCommand {
        FailedCommand::from(&self.commands[self.commands.len() - 1].line)
    }

    /// The command whose turn it is, for an error.
    pub(crate) fn current(&self) -> FailedCommand {
        FailedCommand::from(&self.command().line)
    }

    /// From the first command again, once the client is no longer busy.
    pub(crate) fn again(mut self, not_before: Option<Instant>) -> Self {
        self.at = 0;
        self.answers.clear();
        self.not_before = not_before;
        self
    }
}

/// Jobs that have not begun, first in first out in each lane.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    lanes: [VecDeque<Job>; Lane::COUNT],
    arrivals: u64,
    /// Not later than the earliest deadline; exact again after it fired.
    earliest: Option<Instant>,
}

impl Queues {
    pub(crate) fn push(&mut self, mut job: Job) {
        self.arrivals += 1;
        job.sequence = self.arrivals;
        self.note(&job);
        self.lanes[job.lane.slot()].push_back(job);
    }

    /// Before everything else in its lane, and in its old turn among the lanes.
    pub(crate) fn push_front(&mut self, job: Job) {
        self.note(&job);
        self.lanes[job.lane.slot()].push_front(job);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    /// The job whose turn it is, of those at the head of a lane that `may_run`.
    pub(crate) fn pop(&mut self, now: Instant, may_run: impl Fn(&Job) -> bool) -> Option<Job> {
        let ready = |job: &&Job| job.not_before.is_none_or(|time| time <= now) && may_run(job);
        let next =
            self.lanes.iter().filter_map(VecDeque::front).filter(ready).min_by_key(|job| job.sequence)?;
        let slot = next.lane.slot();
        let mut job = self.lanes[slot].pop_front()?;
        if let Some(timeout) = job.timeout_from_turn.take() {
            job.deadline = now + timeout;
        }
        if self.is_empty() {
            self.earliest = None;
        }
        Some(job)
    }

    pub(crate) fn heads(&self) -> impl Iterator<Item = &Job> {
        self.lanes.iter().filter_map(VecDeque::front)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.heads().filter_map(|job| job.not_before).chain(self.earliest).min()
    }

    /// What had to wait until now waits no longer.
    pub(crate) fn wake(&mut self, now: Instant) {
        for job in self.lanes.iter_mut().filter_map(VecDeque::front_mut) {
            job.not_before = job.not_before.filter(|time| *time > now);
        }
    }

    pub(crate) fn take_expired(&mut self, now: Instant) -> Vec<Job> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        self.take_where(|job| job.deadline <= now)
    }

    pub(crate) fn take_where(&mut self, mut selects: impl FnMut(&Job) -> bool) -> Vec<Job> {
        let mut taken = Vec::new();
        for lane in &mut self.lanes {
            let (out, kept) = std::mem::take(lane).into_iter().partition::<VecDeque<_>, _>(&mut selects);
            *lane = kept;
            taken.extend(out);
        }
        self.earliest = self.lanes.iter().flatten().map(|job| job.deadline).min();
        taken
    }

    fn note(&mut self, job: &Job) {
        self.earliest = Some(self.earliest.map_or(job.deadline, |earliest| earliest.min(job.deadline)));
    }
}

/// An operation whose command was accepted and whose result the network still owes.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) job: Job,
    pub(crate) operation: Operation,
    pub(crate) state: PendingState,
    /// Its data entry was filled up with so many bytes, and nothing else.
    pub(crate) filled: Option<usize>,
    /// After this its result is no longer to be expected.
    pub(crate) expires: Instant,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PendingState {
    AwaitingResult,
    /// `ERROR` came, and some firmware sends the reason after it.
    AwaitingReason {
        refusal: Refusal,
        until: Instant,
    },
    /// Its caller was told that the time is over. A late result is still its own.
    GivenUp,
    /// A result came before `OK`: that of the one given up before, or its own, where the firmware prints it first.
    Presumed {
        code: ResultCode,
        until: Instant,
    },
}

impl Pending {
    /// The module ends an operation by itself within its own time-out, at most 180 s.
    const LONGEST: Duration = Duration::from_secs(185);

    pub(crate) fn new(job: Job, operation: Operation, state: PendingState, now: Instant) -> Self {
        Self { job, operation, state, filled: None, expires: now + Self::LONGEST }
    }

    pub(crate) fn deadline(&self) -> Instant {
        match &self.state {
            PendingState::AwaitingResult => self.job.deadline,
            PendingState::AwaitingReason { until, .. } | PendingState::Presumed { until, .. } => *until,
            PendingState::GivenUp => self.expires,
        }
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.state == PendingState::GivenUp
    }
}

/// One operation of a client at a time. A given-up one does not hold the next: the module says whether it is busy.
pub(crate) fn lane_is_busy(pending: &[Option<Pending>], lane: Lane) -> bool {
    pending[lane.slot()].as_ref().is_some_and(|pending| !pending.is_given_up())
}

/// Whether a result is owed that looks like the lines of this read form.
pub(crate) fn resembles_owed(pending: &[Option<Pending>], job: &Job) -> bool {
    let mut resembled = job.commands.iter().filter_map(|command| command.kind().resembled_operation());
    resembled.any(|operation| pending.iter().flatten().any(|pending| pending.operation == operation))
}
