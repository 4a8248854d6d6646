//! The AT channel: one command at a time, from its line to its final result code.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::event::Event;
use super::framer::is_final_result;
use super::job::{Job, Owner, Pending, PendingState, lane_is_busy, resembles_owed};
use super::reassembly::LONGEST_PAYLOAD;
use super::recovery::{Progress, Recovery};
use super::urc::client_and_code;
use super::{Awaited, ClientIndex, Failure, Form, Operation, Outcome, UnknownReason};

/// `client is busy`, chapter 4.1.
const CLIENT_IS_BUSY: u16 = 14;
const BUSY_RETRY: Duration = Duration::from_millis(250);
/// How long a reason may follow `ERROR`.
const REASON_TIME: Duration = Duration::from_millis(500);
/// A module that has just rebooted does not answer what was asked before.
const BOOT_GRACE: Duration = Duration::from_millis(500);
/// Information lines of one answer; more is not an answer but noise.
const MOST_LINES: usize = 4096;
/// `AT+CMQTTSUB?` lists bare topics, so its end is the `OK` before the answer to this.
const LISTING_FENCE_NAME: &[u8] = b"CMQTTDISC";
const LISTING_FENCE: &str = "AT+CMQTTDISC=?";
const LISTING_FENCE_ANSWER: &[u8] = b"+CMQTTDISC: (";

#[derive(Debug)]
pub(crate) enum Channel {
    Idle,
    Running(Box<Running>),
    Recovering(Recovery),
    /// The module answers nothing. Asked again when there is something to do.
    Mute,
}

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) job: Job,
    phase: Phase,
    lines: Vec<Vec<u8>>,
    /// The operation's result, where it came before the final result code.
    result: Option<u16>,
    /// A result that came while one given up before was still owed: the final result code tells whose it is.
    contested: Option<(u16, Vec<u8>)>,
    limit: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its line is yet to be written.
    Ready,
    AwaitingPrompt,
    /// The prompt came; the data is yet to be written.
    Prompted,
    AwaitingFinal,
    /// The topics of `AT+CMQTTSUB?`, until the fence answers.
    Listing {
        fenced: bool,
    },
    /// The fence answered: its own `OK` is left.
    ListingOver,
}

impl Channel {
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Running(running) => Some(running.limit),
            Self::Recovering(recovery) => Some(recovery.poll_timeout()),
            Self::Idle | Self::Mute => None,
        }
    }

    pub(crate) fn owns_echo(&self, line: &[u8]) -> bool {
        match self {
            Self::Running(running) => running.owns_echo(line),
            Self::Recovering(_) => Recovery::owns_echo(line),
            Self::Idle | Self::Mute => false,
        }
    }

    /// What stands behind an echo: parts of a message and satellite sentences have no line end before them, and an echo has
    /// none behind it.
    pub(crate) fn without_echo<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\r', line)?;
        self.owns_echo(&line[..end]).then(|| line[end..].trim_ascii_start())
    }

    /// Whether something waits for a line like this.
    pub(crate) fn expects(&self, line: &[u8]) -> bool {
        match self {
            Self::Running(running) => {
                running.awaits_answer() && (is_final_result(line) || running.job.command().line.owns(line))
            }
            Self::Recovering(_) => is_final_result(line),
            Self::Idle | Self::Mute => false,
        }
    }
}

impl Running {
    fn new(job: Job) -> Self {
        let limit = job.deadline;
        Self { job, phase: Phase::Ready, lines: Vec::new(), result: None, contested: None, limit }
    }

    pub(crate) fn awaits_answer(&self) -> bool {
        self.phase != Phase::Ready
    }

    /// Read and test forms own what carries their prefix, though it may look like a result.
    pub(crate) fn takes_before_results(&self, line: &[u8]) -> bool {
        let command = self.job.command();
        match self.phase {
            Phase::Ready => false,
            Phase::Listing { .. } => true,
            _ => matches!(command.form(), Form::Read | Form::Test) && command.line.owns(line),
        }
    }

    pub(crate) fn operation(&self) -> Option<(Operation, Option<ClientIndex>)> {
        self.awaits_answer()
            .then(|| self.job.command().line.operation())?
            .map(|operation| (operation, self.job.command().client()))
    }

    pub(crate) fn note_result(&mut self, code: u16, line: &[u8]) {
        self.result.get_or_insert(code);
        self.lines.push(line.to_vec());
    }

    /// Returns the one noted before, which so belongs to the operation given up.
    pub(crate) fn note_contested_result(&mut self, code: u16, line: &[u8]) -> Option<(u16, Vec<u8>)> {
        if code == CLIENT_IS_BUSY || self.contested.is_some() {
            self.note_result(code, line);
            return self.contested.take();
        }
        self.contested = Some((code, line.to_vec()));
        None
    }

    fn owns_echo(&self, line: &[u8]) -> bool {
        match self.phase {
            Phase::Ready => false,
            Phase::Listing { .. } | Phase::ListingOver => {
                line == LISTING_FENCE.as_bytes()
                    || (self.lines.is_empty() && line == self.job.command().line.bytes())
            }
            _ => line == self.job.command().line.bytes().trim_ascii_end(),
        }
    }

    /// The result code that a refused command carries on a line of its own, `+CMQTT…: <client_index>,<err>`.
    fn refusal_code(&self) -> Option<u16> {
        let name_length = self.job.command().line.name().len();
        let own = self.lines.iter().rev().find(|line| self.job.command().line.owns(line))?;
        let values = own.get(name_length + 2..)?;
        client_and_code(values).map(|(_, code)| code)
    }

    /// Bytes of data that the module may still be waiting for.
    fn owed_data(&self) -> usize {
        match &self.job.command().data {
            Some(data) => data.bytes.len(),
            None => 0,
        }
    }

    fn awaited(&self) -> Awaited {
        match self.phase {
            Phase::Ready => Awaited::Turn,
            Phase::AwaitingPrompt | Phase::Prompted => Awaited::Prompt,
            _ => Awaited::FinalResult,
        }
    }

    /// No answer is owed before this any longer.
    pub(crate) fn shorten(&mut self, now: Instant) {
        if self.awaits_answer() {
            self.limit = self.limit.min(now + BOOT_GRACE);
        }
    }
}

impl Engine {
    /// Starts whatever can be started. Called after everything that may have made room.
    pub(super) fn advance(&mut self, now: Instant) {
        if self.gone.is_none() {
            self.start_next(now);
        }
        self.show_written();
    }

    fn start_next(&mut self, now: Instant) {
        if std::mem::take(&mut self.restart_confirmed) {
            self.restarted(now);
        }
        if matches!(self.channel, Channel::Mute) && !self.queues.is_empty() {
            self.recover(0, now);
        }
        if matches!(self.channel, Channel::Idle) && self.may_write() {
            let next = self.queues.pop(now, |job| {
                !lane_is_busy(&self.pending, job.lane) && !resembles_owed(&self.pending, job)
            });
            if let Some(job) = next {
                if self.staging.spoils(&job) {
                    self.refuse_spoiled(job);
                    self.start_next(now);
                    return;
                }
                self.channel = Channel::Running(Box::new(Running::new(job)));
            }
        }
        if !self.may_write() {
            return;
        }
        match &self.channel {
            Channel::Running(running) if running.phase == Phase::Ready => self.write_command(now),
            Channel::Running(running) if running.phase == Phase::Prompted => self.write_data(now),
            _ => {}
        }
    }

    fn write_command(&mut self, now: Instant) {
        let default_limit = self.settings.command_timeout;
        let Some(running) = self.running() else { return };
        if let Some(cause) = running.job.overtaken.take() {
            let command = running.job.shown();
            self.end_running(Err(Failure::ConnectionLost { command, cause }));
            self.advance(now);
            return;
        }
        let command = running.job.command();
        let line = command.line.bytes().to_vec();
        let limit = command.limit.unwrap_or(default_limit);
        let asks_for_data = command.data.is_some();
        let may_prompt = matches!(command.form(), Form::Write | Form::Execute);
        running.phase = match () {
            () if asks_for_data => Phase::AwaitingPrompt,
            () if command.line.lists_topics() => Phase::Listing { fenced: false },
            () => Phase::AwaitingFinal,
        };
        running.lines.clear();
        running.result = None;
        running.limit = (now + limit).min(running.job.deadline);
        self.tracer.remember_secrets_of(&line);
        self.framer.owe_prompt(may_prompt);
        self.outbox.push_line(&line);
        self.counters.commands += 1;
    }

    fn write_data(&mut self, now: Instant) {
        let default_limit = self.settings.command_timeout;
        let Channel::Running(running) = &mut self.channel else { return };
        let Some(data) = running.job.command().data.clone() else { return };
        let limit = running.job.command().limit.unwrap_or(default_limit);
        running.phase = Phase::AwaitingFinal;
        let deadline = running.job.deadline;
        self.staging.data_entered(&running.job.command().line);
        self.framer.expect_echo_of(&data.bytes);
        if data.secret {
            self.tracer.remember_secret_data(&data.bytes);
        }
        self.outbox.push_data(&data.bytes, data.piece, data.secret);
        let limit = (now + limit + self.wire_time(data.bytes.len())).min(deadline);
        if let Some(running) = self.running() {
            running.limit = limit;
        }
    }

    pub(super) fn handle_prompt(&mut self, now: Instant) {
        self.framer.owe_prompt(false);
        let Some(running) = self.running() else { return };
        if running.job.command().data.is_some() {
            if running.phase == Phase::AwaitingPrompt {
                running.phase = Phase::Prompted;
                self.advance(now);
            }
            return;
        }
        // The caller did not know that this command asks for data: nothing half-entered may stay behind.
        let line = &running.job.command().line;
        let owed = line.announced_length().unwrap_or(LONGEST_PAYLOAD).min(LONGEST_PAYLOAD);
        let failure = Failure::Refused {
            command: line.shown(),
            response: "> (it asks for data, and none was given)".to_owned(),
            code: None,
            client: line.client(),
        };
        let command = running.job.command().clone();
        self.undo_filling(&command, now);
        self.end_running(Err(failure));
        self.recover(owed, now);
    }

    pub(super) fn handle_information(&mut self, line: &[u8], now: Instant) {
        let Some(running) = self.running() else { return };
        match running.phase {
            Phase::Listing { fenced: true } if line.starts_with(LISTING_FENCE_ANSWER) => {
                running.phase = Phase::ListingOver;
                // All lines up to the last `OK` before the fence are topics.
                if let Some(last) = running.lines.iter().rposition(|line| line == b"OK") {
                    running.lines.truncate(last);
                }
            }
            Phase::Listing { .. } if running.lines.is_empty() && is_final_result(line) && line != b"OK" => {
                self.handle_final(line, now);
            }
            Phase::Listing { fenced } => {
                if running.lines.len() < MOST_LINES {
                    running.lines.push(line.to_vec());
                }
                if line == b"OK" && !fenced {
                    running.phase = Phase::Listing { fenced: true };
                    self.outbox.push_line(LISTING_FENCE.as_bytes());
                }
            }
            _ if running.lines.len() < MOST_LINES => running.lines.push(line.to_vec()),
            _ => {}
        }
    }

    /// A line for the command on the channel; `false` if it is none of its own.
    pub(super) fn handle_answer(&mut self, line: &[u8], now: Instant) -> bool {
        let Some(running) = self.running() else { return false };
        if is_final_result(line) {
            self.handle_final(line, now);
            return true;
        }
        let command = &running.job.command().line;
        let takes = command.owns(line) || (command.takes_bare_lines() && !line.starts_with(b"+"));
        if takes {
            self.handle_information(line, now);
        }
        takes
    }

    fn handle_final(&mut self, line: &[u8], now: Instant) {
        self.framer.data_entry_over(line == b"OK");
        let Channel::Running(mut running) = std::mem::replace(&mut self.channel, Channel::Idle) else {
            return;
        };
        if running.phase != Phase::AwaitingFinal && line == b"OK" && running.phase != Phase::ListingOver {
            let failure = refused_job(&running.job, "OK without a prompt", None);
            self.finish(running.job, Err(failure));
        } else if line == b"OK" {
            let presumed = running.contested.take().map(|(code, line)| {
                self.resolve_given_up(running.job.lane, code, &line);
                code
            });
            self.handle_ok(*running, presumed, now);
        } else {
            match running.contested.take() {
                // A refusal stands right before its `ERROR`.
                Some((code, line)) if code != 0 => running.note_result(code, &line),
                Some((code, line)) => self.resolve_given_up(running.job.lane, code, &line),
                None => {}
            }
            let code = running.result.take().filter(|code| *code != 0).or_else(|| running.refusal_code());
            self.handle_error(*running, String::from_utf8_lossy(line).into_owned(), code, now);
        }
        self.advance(now);
    }

    fn handle_ok(&mut self, mut running: Running, presumed: Option<u16>, now: Instant) {
        self.staging.accepted(&running.job.command().line);
        let Some((operation, _)) = running.operation() else {
            self.succeed(&running.job);
            if running.job.command().line.may_change_echo() {
                self.framer.forget_echo_habit();
            }
            running.job.answers.push(running.lines);
            if running.job.is_last() {
                let answers = std::mem::take(&mut running.job.answers);
                self.finish(running.job, Ok(answers));
                return;
            }
            running.job.at += 1;
            self.channel = Channel::Running(Box::new(Running::new(running.job)));
            return;
        };
        // The module accepts a new operation of a client only when the old one is over: its result was lost.
        if running.result != Some(CLIENT_IS_BUSY) {
            self.forget_given_up(running.job.lane);
        }
        running.job.answers.push(running.lines);
        match running.result {
            None => self.await_result(running.job, operation, presumed, now),
            Some(0) => self.complete_operation(running.job, operation),
            Some(code) => {
                let response = code_line(&running.job, code);
                self.refuse(running.job, response, Some(code), now);
            }
        }
    }

    fn await_result(&mut self, mut job: Job, operation: Operation, presumed: Option<u16>, now: Instant) {
        let overtaken = job.overtaken.take();
        let state = match presumed.filter(|_| operation.result_may_precede_ok()) {
            Some(code) => PendingState::Presumed { code, until: now + REASON_TIME },
            None => PendingState::AwaitingResult,
        };
        let slot = job.lane.slot();
        let pending = Pending::new(job, operation, state, now);
        match overtaken {
            Some(cause) => self.lose_pending(pending, &cause),
            None => self.pending[slot] = Some(pending),
        }
    }

    /// The module said no; where that was because the client is busy, the transaction may have another try.
    pub(super) fn refuse(&mut self, job: Job, response: String, code: Option<u16>, now: Instant) {
        let again = now + BUSY_RETRY;
        if code == Some(CLIENT_IS_BUSY) && job.retries_while_busy && again < job.deadline {
            self.queues.push_front(job.again(again));
            return;
        }
        let failure = refused_job(&job, &response, code);
        self.finish(job, Err(failure));
    }

    fn handle_error(&mut self, running: Running, response: String, code: Option<u16>, now: Instant) {
        let may_explain =
            running.operation().is_some_and(|(operation, _)| operation.result_may_follow_error());
        if may_explain && code.is_none() {
            let state = PendingState::AwaitingReason { response, until: now + REASON_TIME };
            let slot = running.job.lane.slot();
            self.forget_given_up(running.job.lane);
            self.pending[slot] = Some(Pending::new(running.job, Operation::Connect, state, now));
            return;
        }
        self.refuse(running.job, response, code, now);
    }

    pub(super) fn give_up_on_channel(&mut self, now: Instant) {
        match &mut self.channel {
            Channel::Recovering(recovery) => {
                let progress = recovery.handle_timeout(&mut self.fences, &mut self.outbox, now);
                self.recovery_went(progress, now);
            }
            Channel::Running(running) if running.limit <= now => self.give_up_running(now),
            _ => {}
        }
    }

    fn give_up_running(&mut self, now: Instant) {
        let Channel::Running(mut running) = std::mem::replace(&mut self.channel, Channel::Idle) else {
            return;
        };
        if let Some((code, line)) = running.contested.take() {
            self.resolve_given_up(running.job.lane, code, &line);
        }
        let line = &running.job.command().line;
        self.fences.avoided =
            if line.lists_topics() { LISTING_FENCE_NAME.to_vec() } else { line.name().to_vec() };
        let awaited = running.awaited();
        if awaited == Awaited::Turn {
            let failure = running.job.not_started();
            self.finish(running.job, Err(failure));
            return;
        }
        let owed = running.owed_data();
        if owed > 0 {
            let command = running.job.command().clone();
            self.undo_filling(&command, now);
        }
        let shown = running.job.command().line.shown();
        if running.job.owner == Owner::RestartCheck {
            // Written before the module had come up.
            self.ask_whether_it_restarted(now);
            self.recover(owed, now);
            return;
        }
        let Some((operation, _)) = running.operation() else {
            self.finish(running.job, Err(Failure::NoAnswer { command: shown, awaited }));
            self.recover(owed, now);
            return;
        };
        // It was written, or will be filled up if it asks for data after all: its result may still come.
        let failure = match operation {
            Operation::Publish => Failure::ResultUnknown { command: shown, reason: UnknownReason::Timeout },
            _ => Failure::NoAnswer { command: shown, awaited },
        };
        self.forget_given_up(running.job.lane);
        let slot = running.job.lane.slot();
        self.report(&running.job, Err(failure));
        let mut pending = Pending::new(running.job, operation, PendingState::GivenUp, now);
        pending.filled = (awaited == Awaited::Prompt && owed > 0).then_some(owed);
        self.pending[slot] = Some(pending);
        self.recover(owed, now);
    }

    fn recover(&mut self, owed: usize, now: Instant) {
        self.framer.data_entry_over(false);
        self.outbox.clear();
        let byte_time = self.wire_time(1);
        let recovery = Recovery::after_silence(owed, byte_time, &mut self.fences, &mut self.outbox, now);
        self.channel = Channel::Recovering(recovery);
    }

    pub(super) fn handle_recovery_line(&mut self, line: &[u8], now: Instant) -> bool {
        let Channel::Recovering(recovery) = &mut self.channel else { return false };
        let progress = recovery.handle_line(line, &mut self.fences, &mut self.outbox, now);
        if let Some(progress) = progress {
            self.recovery_went(progress, now);
        }
        progress.is_some()
    }

    fn recovery_went(&mut self, progress: Progress, now: Instant) {
        let Channel::Recovering(recovery) = &self.channel else { return };
        let was_opening = recovery.is_opening();
        match progress {
            Progress::Ongoing => return,
            Progress::Recovered => self.channel = Channel::Idle,
            Progress::Mute => {
                self.channel = Channel::Mute;
                if !was_opening {
                    self.events.push_back(Event::Mute);
                }
                let waiting =
                    self.queues.take_where(|job| !was_opening || matches!(job.owner, Owner::Opening(_)));
                for job in waiting {
                    let failure = Failure::Mute { command: job.shown() };
                    self.finish(job, Err(failure));
                }
            }
        }
        self.advance(now);
    }

    fn end_running(&mut self, outcome: Outcome) {
        if let Channel::Running(running) = std::mem::replace(&mut self.channel, Channel::Idle) {
            self.finish(running.job, outcome);
        }
    }

    /// Tells whoever waits, and whoever keeps account of the module's state.
    pub(super) fn finish(&mut self, job: Job, outcome: Outcome) {
        if job.owner == Owner::RestartCheck {
            self.restart_confirmed |= matches!(outcome, Err(Failure::Refused { .. }));
            return;
        }
        self.report(&job, outcome);
    }

    pub(super) fn report(&mut self, job: &Job, outcome: Outcome) {
        if let Owner::Caller(id) | Owner::Opening(id) = job.owner {
            self.events.push_back(Event::Completed { id, outcome });
        }
    }

    fn succeed(&mut self, job: &Job) {
        let line = &job.command().line;
        let acts = matches!(line.form(), Form::Write | Form::Execute);
        if acts && line.name().starts_with(b"CMQTT") {
            self.events.push_back(Event::Succeeded(line.clone()));
        }
    }

    pub(super) fn complete_operation(&mut self, mut job: Job, operation: Operation) {
        self.succeed(&job);
        if operation == Operation::Publish {
            self.counters.publishes += 1;
        }
        let mut answers = std::mem::take(&mut job.answers);
        // Its result is no information response.
        if let Some(lines) = answers.last_mut() {
            lines.retain(|line| !job.command().line.owns(line));
        }
        self.finish(job, Ok(answers));
    }
}

pub(super) fn refused_job(job: &Job, response: &str, code: Option<u16>) -> Failure {
    let line = &job.command().line;
    Failure::Refused { command: line.shown(), response: response.to_owned(), code, client: line.client() }
}

/// The result URC as the module printed it.
pub(super) fn code_line(job: &Job, code: u16) -> String {
    let line = &job.command().line;
    let name = String::from_utf8_lossy(line.name()).into_owned();
    match line.client() {
        Some(client) => format!("+{name}: {client},{code}"),
        None => format!("+{name}: {code}"),
    }
}
