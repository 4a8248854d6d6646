//! The module's half of the driver, as a pure state machine.
//!
//! Theory of operation. Bytes come in through [`Engine::handle_input`], are cut into elements by the framer, and go to the
//! reassembly (received messages), to a pending operation (results), to the command on the channel, or become events.
//! One command is on the channel at a time and `OK` frees it; what the network owes after that is a pending operation of
//! its client, while other lanes go on. After every input the caller writes what [`Engine::unwritten`] gives, takes all
//! events, calls [`Engine::go_on`], and sleeps until [`Engine::poll_timeout`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::channel_state::Channel;
use super::event::{Counters, Event, TransactionId};
use super::job::{Job, Lane, Owner, Pending, Queues};
use super::lane_barrier::Halts;
use super::recovery::{Fences, Recovery};
use super::running::Running;
use super::staged_payload::Staging;
use super::tracing::Tracer;
use crate::at::framer::{Element, Framer};
use crate::at::transmit_buffer::Outbox;
use crate::at::urc::{OperationResult, Urc};
use crate::at::{Command, TraceKind};
use crate::channel::{Failure, LostBy, Transaction, UnknownReason};
use crate::inbound::LONGEST_PAYLOAD;
use crate::inbound::damaged_header::HeaderLine;
use crate::inbound::output::Output;
use crate::inbound::reassembly::{Reassembly, Trust};

/// How long an ambiguous echo of entered data is waited for.
const ECHO_TIME: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For commands with no documented limit of their own.
    pub command_timeout: Duration,
    /// Bits a second, from which the time on the wire is reckoned.
    pub baudrate: u32,
}

#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) framer: Framer,
    pub(crate) reassembly: Reassembly,
    pub(crate) queues: Queues,
    pub(crate) halts: Halts,
    pub(crate) channel: Channel,
    pub(crate) fences: Fences,
    pub(crate) pending: [Option<Pending>; Lane::COUNT],
    pub(crate) outbox: Outbox,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
    pub(crate) tracer: Tracer,
    pub(crate) staging: Staging,
    pub(crate) gone: Option<Gone>,
    pub(crate) restart_confirmed: bool,
    /// Commands without an answer since a boot banner, until it is known whether it was one.
    pub(crate) perhaps_restarted: Vec<(Job, Failure)>,
    /// So many bytes are held back until then, for they may be an echo or an answer.
    held_echo: Option<(usize, Instant)>,
    scratch: Vec<u8>,
}

/// The reason why nothing can be sent.
#[derive(Debug)]
pub(crate) enum Gone {
    PortLost(String),
    Closed,
}

impl Gone {
    fn failure(&self, job: &Job) -> Failure {
        match self {
            Self::Closed => Failure::Closed,
            Self::PortLost(reason) => {
                Failure::ConnectionLost { command: job.named(), cause: LostBy::Port(reason.clone()) }
            }
        }
    }
}

impl Engine {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            framer: Framer::new(),
            reassembly: Reassembly::new(settings.baudrate),
            queues: Queues::default(),
            halts: Halts::default(),
            channel: Channel::Idle,
            fences: Fences::default(),
            pending: Default::default(),
            outbox: Outbox::default(),
            events: VecDeque::new(),
            counters: Counters::default(),
            tracer: Tracer::default(),
            staging: Staging::default(),
            gone: None,
            restart_confirmed: false,
            perhaps_restarted: Vec::new(),
            held_echo: None,
            scratch: Vec::new(),
        }
    }

    /// Finds the module and turns its echo off; [`Event::Completed`] tells how it went.
    pub fn open(&mut self, id: TransactionId, now: Instant) {
        self.fail_running(&UnknownReason::Timeout, |command| Failure::Mute { command });
        self.outbox.give_up();
        // Three seconds of AT, the filling, and some for the rest.
        let time = Duration::from_secs(10) + 2 * self.wire_time(LONGEST_PAYLOAD);
        let echo_off = Transaction::single(Command::new("ATE0"), time);
        let job = Job::new(Owner::Opening(id), echo_off, now);
        if let Some(gone) = &self.gone {
            let failure = gone.failure(&job);
            self.finish(job, Err(failure));
            return;
        }
        self.queues.push_front(job);
        self.channel = Channel::Recovering(Recovery::opening(self.wire_time(1), &mut self.outbox, now));
        self.show_written();
    }

    pub fn submit(&mut self, id: TransactionId, transaction: Transaction, now: Instant) {
        let job = Job::new(Owner::Caller(id), transaction, now);
        if let Some(gone) = &self.gone {
            let failure = gone.failure(&job);
            self.finish(job, Err(failure));
            return;
        }
        self.queues.push(job);
        self.advance(now);
    }

    /// The caller no longer waits. What has not begun is not begun; what has goes on.
    pub fn cancel(&mut self, id: TransactionId, now: Instant) {
        for job in self.queues.take_where(|job| job.is_for(id)) {
            self.finish(job, Err(Failure::Cancelled));
        }
        if let Some(running) = self.running().filter(|running| running.job.is_for(id)) {
            running.job.owner = Owner::Nobody;
        }
        for pending in self.pending.iter_mut().flatten().filter(|pending| pending.job.is_for(id)) {
            pending.job.owner = Owner::Nobody;
        }
        self.advance(now);
    }

    /// Whether it could be taken back: nothing of it had been written.
    pub fn cancel_queued(&mut self, id: TransactionId) -> bool {
        let taken = self.queues.take_where(|job| job.is_for(id));
        let was_there = !taken.is_empty();
        for job in taken {
            self.finish(job, Err(Failure::Cancelled));
        }
        was_there
    }

    /// Whether the result of this publish may still come, or is told of already.
    pub fn may_be_deferred(&self, id: TransactionId) -> bool {
        let is_told = |event: &Event| matches!(event, Event::DeferredResult { id: late, .. } if *late == id);
        self.pending.iter().flatten().any(|pending| pending.job.is_for(id)) || self.events.iter().any(is_told)
    }

    /// The module was found restarted, though no banner told of it.
    pub fn confirm_restart(&mut self, now: Instant) {
        self.restart_confirmed = true;
        self.advance(now);
    }

    pub fn set_tracing(&mut self, on: bool) {
        self.tracer.set(on);
        self.outbox.show(on);
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.counters.bytes_in += bytes.len() as u64;
        let mut input = bytes;
        loop {
            let unread = input;
            let element = self.framer.next(&mut input);
            self.tracer.arrived(&unread[..unread.len() - input.len()], &mut self.events);
            match element {
                None => break,
                Some(Element::Counted(bytes)) => {
                    self.reassembly.counted(bytes);
                    continue;
                }
                Some(Element::CountedEnd { intact }) => {
                    self.tracer.element_over(&mut self.events, TraceKind::Data);
                    let tail = self.reassembly.counted_end(intact);
                    if !tail.is_empty() {
                        self.framer.resume_with(&tail);
                    }
                }
                Some(Element::Blank) => {
                    self.reassembly.blank_line();
                    continue;
                }
                Some(Element::Line(line)) => {
                    self.tracer.element_over(&mut self.events, TraceKind::Line);
                    let line = match self.channel.without_echo(line) {
                        Some(rest) => {
                            self.reassembly.unspaced();
                            rest
                        }
                        None => line,
                    };
                    if let Some(header) = HeaderLine::parse(line) {
                        let is_line_end_intact = self.framer.line_end_is_intact();
                        let position = self.framer.position();
                        let count = self.reassembly.header(header, is_line_end_intact, position, now);
                        if count > 0 {
                            self.framer.take(count);
                        }
                    } else {
                        let mut copy = std::mem::take(&mut self.scratch);
                        copy.clear();
                        copy.extend_from_slice(line);
                        self.handle_line(&copy, now);
                        self.scratch = copy;
                    }
                }
                Some(Element::Overlong(line)) => {
                    self.tracer.element_over(&mut self.events, TraceKind::Line);
                    let line = self.tracer.without_secrets(line);
                    self.reassembly.unspaced();
                    self.unknown_line(line);
                }
                Some(Element::Prompt) => {
                    self.tracer.element_over(&mut self.events, TraceKind::Prompt);
                    if self.reassembly.prompt() == Trust::Trusted {
                        self.handle_prompt(now);
                    }
                }
                Some(Element::DataEcho) => {
                    self.tracer.element_over(&mut self.events, TraceKind::Data);
                    self.reassembly.unspaced();
                }
            }
            if self.reassembly.has_output() {
                self.take_from_reassembly(now);
            }
            self.show_written();
        }
        self.held_echo = match (self.framer.held_back(), self.held_echo) {
            (Some(length), Some((before, until))) if length == before => Some((length, until)),
            (held, _) => held.map(|length| (length, now + ECHO_TIME)),
        };
        self.advance(now);
    }

    /// Handles input of which some bytes may be wrong or missing. Drops every message that has bytes in it.
    pub fn handle_damaged_input(&mut self, bytes: &[u8], now: Instant) {
        self.reassembly.begin_damaged_input();
        self.handle_input(bytes, now);
        self.reassembly.end_damaged_input();
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(timed_out) = self.reassembly.handle_timeout(now) {
            self.framer.forget_header_begun();
            if let Some(tail) = timed_out.read_again {
                self.framer.resume_with(&tail);
            }
        }
        self.take_from_reassembly(now);
        if self.held_echo.is_some_and(|(_, until)| until <= now) {
            self.held_echo = None;
            self.framer.release_held_echo();
            self.handle_input(b"", now);
        }
        for job in self.queues.take_expired(now) {
            let failure = job.not_started();
            self.finish(job, Err(failure));
        }
        self.queues.wake(now);
        self.give_up_pending(now);
        self.give_up_on_channel(now);
        self.advance(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let pending = self.pending.iter().flatten().map(Pending::deadline);
        let times = [
            self.reassembly.poll_timeout(),
            self.held_echo.map(|(_, until)| until),
            self.queues.poll_timeout(),
            self.channel.poll_timeout(),
        ];
        times.into_iter().flatten().chain(pending).min()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub fn unwritten(&self) -> &[u8] {
        if !self.outbox.is_begun() && !self.line_is_free() {
            return &[];
        }
        self.outbox.unwritten()
    }

    /// What [`Engine::unwritten`] gives may be written only after all before it has left the line.
    pub fn must_drain(&self) -> bool {
        self.outbox.must_drain()
    }

    pub fn handle_written(&mut self, count: usize, now: Instant) {
        self.counters.bytes_out += count as u64;
        self.outbox.written(count);
        if self.outbox.is_empty() {
            self.note_written();
        }
        self.advance(now);
    }

    /// The port is gone: nothing that is under way can end any more.
    pub fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.reassembly.reset("the port is gone");
        self.take_from_reassembly(now);
        let cause = LostBy::Port(reason.clone());
        self.fail_everything(&UnknownReason::Lost(cause.clone()), |command| Failure::ConnectionLost {
            command,
            cause: cause.clone(),
        });
        self.gone = Some(Gone::PortLost(reason.clone()));
        self.events.push_back(Event::PortLost(reason));
    }

    /// There is a port again, and nothing is known of what is behind it. [`Engine::open`] finds out.
    pub fn handle_port_attached(&mut self) {
        self.framer = Framer::new();
        self.outbox.clear();
        self.channel = Channel::Idle;
        self.held_echo = None;
        self.gone = None;
    }

    /// The driver is being closed.
    pub fn close(&mut self) {
        self.fail_everything(&UnknownReason::Closed, |_| Failure::Closed);
        self.gone = Some(Gone::Closed);
    }

    fn handle_line(&mut self, line: &[u8], now: Instant) {
        let is_echo = self.channel.owns_echo(line);
        let is_known = is_echo || self.expects(line);
        if self.reassembly.line(line, is_known, is_echo) == Trust::Held {
            return;
        }
        match &mut self.channel {
            Channel::Recovering(recovery) if is_echo => recovery.note_echo(),
            _ if is_echo => {}
            _ => self.route(line, now),
        }
    }

    pub(crate) fn take_from_reassembly(&mut self, now: Instant) {
        while let Some(output) = self.reassembly.poll_output() {
            match output {
                Output::Message(message) => {
                    self.counters.messages += 1;
                    self.events.push_back(Event::Message(message));
                }
                Output::Lost { client, why } => {
                    self.counters.damaged_messages += 1;
                    self.events.push_back(Event::MessageLost { client, why });
                }
                Output::LossSuspected => self.events.push_back(Event::ConnectionLossSuspected),
                Output::RestartSuspected => self.ask_once_whether_it_restarted(now),
                Output::Line(line) if self.channel.owns_echo(&line) => {}
                Output::Line(line) => self.route(&line, now),
                Output::Prompt => self.handle_prompt(now),
                Output::LineDropped => self.counters.unknown_lines += 1,
            }
        }
    }

    /// Whether this line has a meaning now, so that it may be believed inside a sound message block.
    fn expects(&self, line: &[u8]) -> bool {
        Urc::parse(line).is_some() || OperationResult::parse(line).is_some() || self.channel.expects(line)
    }

    /// Finds whose a believed line is, in the order of the rules of the line.
    fn route(&mut self, line: &[u8], now: Instant) {
        if let Some(urc) = Urc::parse(line) {
            self.handle_urc(urc, line, now);
            return;
        }
        let result = OperationResult::parse(line);
        let is_owed = result.is_some_and(|result| self.owes(result));
        if self.running().is_some_and(|running| running.takes_before_results(line, result.is_some(), is_owed))
        {
            self.handle_information(line, now);
            return;
        }
        if let Some(result) = result {
            self.handle_result(result, line, now);
            return;
        }
        let consumed = match &mut self.channel {
            Channel::Running(running) if running.awaits_answer() => self.handle_answer(line, now),
            Channel::Recovering(_) => self.handle_recovery_line(line, now),
            _ => false,
        };
        if !consumed {
            let line = self.tracer.without_secrets(line);
            self.unknown_line(line);
        }
    }

    pub(crate) fn known_line(&mut self, line: &[u8]) {
        let line = self.tracer.without_secrets(line);
        self.events.push_back(Event::Urc { line, known: true });
    }

    pub(crate) fn unknown_line(&mut self, line: Vec<u8>) {
        self.counters.unknown_lines += 1;
        self.events.push_back(Event::Urc { line, known: false });
    }

    /// Nothing is written between RXSTART and RXEND, nor before all that was to be written is.
    pub(crate) fn may_write(&self) -> bool {
        self.outbox.is_empty() && self.line_is_free()
    }

    fn line_is_free(&self) -> bool {
        self.reassembly.may_write() && !self.framer.is_counting()
    }

    pub(crate) fn wire_time(&self, bytes: usize) -> Duration {
        #[allow(clippy::cast_precision_loss)] // bounded by the longest data entry
        Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(self.settings.baudrate.max(1)))
    }

    /// In its place among what arrived.
    pub(crate) fn show_written(&mut self) {
        if self.outbox.has_unshown() {
            self.trace_written();
        }
    }

    #[cold]
    fn trace_written(&mut self) {
        for written in self.outbox.take_unshown() {
            self.tracer.written(&mut self.events, written.kind, written.bytes, written.secret);
        }
    }

    pub(crate) fn running(&mut self) -> Option<&mut Running> {
        match &mut self.channel {
            Channel::Running(running) => Some(running),
            _ => None,
        }
    }
}
