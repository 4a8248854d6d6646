//! The AT channel: one command at a time, from its line to its final result code.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::event::Event;
use super::job::{Job, Owner, Pending, PendingState, lane_is_busy, resembles_owed};
use super::recovery::Recovery;
use super::running::{LISTING_FENCE, Phase, Running};
use super::staged_payload::filling_for;
use crate::at::framer::is_final_result;
use crate::at::{Form, Operation, ResultCode};
use crate::channel::{Failure, Outcome, Refusal};
use crate::inbound::LONGEST_PAYLOAD;

const BUSY_RETRY: Duration = Duration::from_millis(250);
/// How long a reason may follow `ERROR`.
const REASON_TIME: Duration = Duration::from_millis(500);
/// Information lines of one answer; more is not an answer but noise.
pub(crate) const MOST_LINES: usize = 4096;
const LISTING_FENCE_ANSWER: &[u8] = b"+CMQTTDISC: (";

#[derive(Debug)]
pub(crate) enum Channel {
    Idle,
    Running(Box<Running>),
    Recovering(Recovery),
    /// The module answers nothing. Asked again when there is something to do.
    Mute,
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
        if matches!(self, Self::Idle | Self::Mute) {
            return None;
        }
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

impl Engine {
    /// Starts whatever can be started. Called after everything that may have made room.
    pub(crate) fn advance(&mut self, now: Instant) {
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
            // It may be waiting for data that nobody knows of.
            self.recover(&[b'\r'; LONGEST_PAYLOAD], now);
        }
        if matches!(self.channel, Channel::Idle) && self.may_write() {
            let next = self.queues.pop(now, |job| {
                !self.halts.concern(job)
                    && !lane_is_busy(&self.pending, job.lane)
                    && !resembles_owed(&self.pending, job)
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
            let command = running.job.named();
            self.end_running(Err(Failure::ConnectionLost { command, cause }));
            self.advance(now);
            return;
        }
        let command = running.job.command();
        let line = command.line.bytes().to_vec();
        let limit = command.limit.unwrap_or(default_limit);
        let asks_for_data = command.data.is_some();
        running.phase = match () {
            () if asks_for_data => Phase::AwaitingPrompt,
            () if command.kind().lists_topics() => Phase::Listing { fenced: false },
            () => Phase::AwaitingFinal,
        };
        running.is_written = false;
        running.lines.clear();
        running.result = None;
        running.limit = (now + limit).min(running.job.deadline);
        self.tracer.remember_secrets_of(&line);
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

    /// What comes from now on may be the answer of the command on the channel.
    pub(crate) fn note_written(&mut self) {
        let Some(running) = self.running().filter(|running| !running.is_written) else { return };
        running.is_written = true;
        let may_prompt = matches!(running.job.command().form(), Form::Write | Form::Execute);
        self.framer.owe_prompt(may_prompt);
    }

    pub(crate) fn handle_prompt(&mut self, now: Instant) {
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
        let failure = refused_job(&running.job, Refusal::UnexpectedPrompt, None);
        let command = running.job.command().clone();
        self.undo_filling(&command, now);
        self.end_running(Err(failure));
        self.recover(&filling_for(&command.line, owed), now);
    }

    pub(crate) fn handle_information(&mut self, line: &[u8], now: Instant) {
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
    pub(crate) fn handle_answer(&mut self, line: &[u8], now: Instant) -> bool {
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
            let failure = refused_job(&running.job, Refusal::NoPrompt, None);
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
                Some((code, line)) if !code.is_success() => running.note_result(code, &line),
                Some((code, line)) => self.resolve_given_up(running.job.lane, code, &line),
                None => {}
            }
            let code =
                running.result.take().filter(|code| !code.is_success()).or_else(|| running.refusal_code());
            let line = String::from_utf8_lossy(&self.tracer.without_secrets(line)).into_owned();
            self.handle_error(*running, Refusal::FinalResult(line), code, now);
        }
        self.advance(now);
    }

    fn handle_ok(&mut self, mut running: Running, presumed: Option<ResultCode>, now: Instant) {
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
        if running.result != Some(ResultCode::CLIENT_IS_BUSY) {
            self.forget_given_up(running.job.lane);
        }
        running.job.answers.push(running.lines);
        match running.result {
            None => self.await_result(running.job, operation, presumed, now),
            Some(code) if code.is_success() => self.complete_operation(running.job, operation),
            Some(code) => self.refuse(running.job, Refusal::Result(code), Some(code), now),
        }
    }

    fn await_result(
        &mut self,
        mut job: Job,
        operation: Operation,
        presumed: Option<ResultCode>,
        now: Instant,
    ) {
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
    pub(crate) fn refuse(&mut self, job: Job, refusal: Refusal, code: Option<ResultCode>, now: Instant) {
        let again = now + BUSY_RETRY;
        if code == Some(ResultCode::CLIENT_IS_BUSY) && job.retries_while_busy && again < job.deadline {
            self.queues.push_front(job.again(Some(again)));
            return;
        }
        let failure = refused_job(&job, refusal, code);
        self.finish(job, Err(failure));
    }

    fn handle_error(&mut self, running: Running, refusal: Refusal, code: Option<ResultCode>, now: Instant) {
        if let Some((operation, _)) =
            running.operation().filter(|(operation, _)| proves_end(*operation, code))
        {
            self.conclude_given_up(running.job.lane, operation);
        }
        let may_explain =
            running.operation().is_some_and(|(operation, _)| operation.result_may_follow_error());
        if may_explain && code.is_none() {
            let state = PendingState::AwaitingReason { refusal, until: now + REASON_TIME };
            let slot = running.job.lane.slot();
            self.forget_given_up(running.job.lane);
            self.pending[slot] = Some(Pending::new(running.job, Operation::Connect, state, now));
            return;
        }
        self.refuse(running.job, refusal, code, now);
    }

    fn end_running(&mut self, outcome: Outcome) {
        if let Channel::Running(running) = std::mem::replace(&mut self.channel, Channel::Idle) {
            self.finish(running.job, outcome);
        }
    }

    /// Tells whoever waits, and whoever keeps account of the module's state.
    pub(crate) fn finish(&mut self, job: Job, outcome: Outcome) {
        if job.owner == Owner::RestartCheck {
            self.restart_confirmed |= matches!(outcome, Err(Failure::Refused { .. }));
            if !self.restart_confirmed {
                self.did_not_restart();
            }
            return;
        }
        self.report(&job, outcome);
    }

    pub(crate) fn report(&mut self, job: &Job, outcome: Outcome) {
        if let Owner::Caller(id) | Owner::Opening(id) = job.owner {
            self.halts.note(job, &outcome);
            self.events.push_back(Event::Completed { id, outcome });
        }
    }

    fn succeed(&mut self, job: &Job) {
        let line = &job.command().line;
        if line.kind().acts() && line.kind().name.is_mqtt() {
            self.events.push_back(Event::CommandSucceeded(line.clone()));
        }
    }

    pub(crate) fn complete_operation(&mut self, mut job: Job, operation: Operation) {
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

/// What CONNECT is refused with while connected, and DISC while not: the one given up before came to its end.
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

pub(crate) fn refused_job(job: &Job, refusal: Refusal, code: Option<ResultCode>) -> Failure {
    Failure::Refused { command: job.current(), refusal, code }
}
