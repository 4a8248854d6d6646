//! The module's half of the driver, as a pure state machine.
//!
//! ```text
//!  bytes ──► wire: framer ──► reassembly ──► messages ───────────────────────────┐
//!                                │ lines, prompts                                │
//!                                ▼                                               ▼
//!            channel: the command in flight · transactions: queue, ─────────► events
//!                     recovery                 pending results
//!                                │ commands, data
//!  bytes ◄── wire: transmit buffer
//! ```
//!
//! One command is on the channel at a time, and `OK` frees it. What the network owes after that is a pending result of its
//! client, while other lanes go on.

use std::time::{Duration, Instant};

use super::command_channel::CommandChannel;
use super::event::{Counters, Event, TransactionId};
use super::event_queue::EventQueue;
use super::failure::{Failure, LostBy, UnknownReason};
use super::queued_transaction::{Owner, QueuedTransaction};
use super::surroundings::Surroundings;
use super::transaction::Transaction;
use super::wire::{Arrival, Echoes, Wire};
use crate::at::client_index::ClientIndex;
use crate::at::command::Command;
use crate::inbound::LONGEST_PAYLOAD;
use crate::inbound::output::Output;

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For commands with no documented limit of their own.
    pub command_timeout: Duration,
    /// Bits a second, from which the time on the wire is reckoned.
    pub baudrate: u32,
}

/// The engine does nothing by itself. Its caller does, in this order:
///
/// 1. Call one of the methods that take something in: `handle_input`, `handle_timeout`, `handle_written`, `submit`, `open`,
///    `cancel`, ….
/// 2. Take all events, with [`poll_event`](Self::poll_event).
/// 3. Decide about each failure of a transaction that keeps its order, then call
///    [`lift_lane_barriers`](Self::lift_lane_barriers). If it returns `true`, go back to 2.
/// 4. Write what [`unwritten`](Self::unwritten) returns, as far as the port takes it, and report that to
///    [`handle_written`](Self::handle_written). If [`must_drain`](Self::must_drain), wait first until all before it has
///    left the line.
/// 5. Wait for input, for the port to take more, or until [`poll_timeout`](Self::poll_timeout).
///
/// After each method that takes something in, this holds:
///
/// - Everything that could start has started: its bytes are in `unwritten`.
/// - Every transaction has been completed by one event, is queued, is on the channel, or has a pending result.
/// - Between the first header of a message and its end, `unwritten` holds no beginning of a command.
/// - `poll_timeout` is later than the `now` of the last `handle_timeout`.
#[derive(Debug)]
pub struct Engine {
    wire: Wire,
    channel: CommandChannel,
    events: EventQueue,
    unavailable: Option<Unavailable>,
    /// The line that arrived last. Kept for its memory.
    line: Vec<u8>,
}

/// The reason why nothing can be sent.
#[derive(Debug)]
enum Unavailable {
    PortLost(String),
    Closed,
}

impl Unavailable {
    fn failure(&self, transaction: &QueuedTransaction) -> Failure {
        match self {
            Self::Closed => Failure::Closed,
            Self::PortLost(reason) => {
                let cause = LostBy::Port(reason.clone());
                Failure::ConnectionLost { command: transaction.named(), cause }
            }
        }
    }
}

impl Engine {
    pub fn new(settings: Settings) -> Self {
        Self {
            wire: Wire::new(settings.baudrate),
            channel: CommandChannel::new(settings.command_timeout),
            events: EventQueue::default(),
            unavailable: None,
            line: Vec::new(),
        }
    }

    // Transactions.

    /// Finds the module and turns its echo off; [`Event::Completed`] tells how it went.
    pub fn open(&mut self, id: TransactionId, now: Instant) {
        let mute = |command| Failure::Mute { command };
        let (channel, mut at) = self.split(now);
        channel.fail_in_flight(&UnknownReason::Timeout, mute, &mut at);
        self.wire.cancel_unwritten();
        // Three seconds of AT, the padding, and some for the rest.
        let time = Duration::from_secs(10) + 2 * self.wire.time_of(LONGEST_PAYLOAD);
        let echo_off = Transaction::single(Command::new("ATE0"), time);
        let echo_off = QueuedTransaction::new(Owner::Opening(id), echo_off, now);
        if let Some(echo_off) = self.if_available(echo_off) {
            let (channel, mut at) = self.split(now);
            channel.open(echo_off, &mut at);
            self.wire.show_pushed(&mut self.events);
        }
    }

    pub fn submit(&mut self, id: TransactionId, transaction: Transaction, now: Instant) {
        let transaction = QueuedTransaction::new(Owner::Caller(id), transaction, now);
        if let Some(transaction) = self.if_available(transaction) {
            self.channel.transactions_mut().submit(transaction);
            self.advance(now);
        }
    }

    /// Cancels the transaction if it is queued. One that has started runs to its end, and its outcome is not reported.
    pub fn cancel(&mut self, id: TransactionId, now: Instant) {
        let (channel, mut at) = self.split(now);
        channel.cancel(id, &mut at);
        self.advance(now);
    }

    /// Cancels the transaction if it is queued. Returns `true` if it was: nothing of it has been written.
    pub fn cancel_queued(&mut self, id: TransactionId, now: Instant) -> bool {
        let (channel, mut at) = self.split(now);
        channel.transactions_mut().cancel_queued(id, &mut at)
    }

    /// Cancels the queued transactions of `client` that keep their order, and returns them in it. No event tells of them.
    pub fn cancel_queued_of(&mut self, client: ClientIndex) -> Vec<TransactionId> {
        self.channel.transactions_mut().cancel_queued_of(client)
    }

    /// The result of this publish may still come, or is among the events.
    pub fn may_be_deferred(&self, id: TransactionId) -> bool {
        self.channel.transactions().pending().has(id) || self.events.has_deferred_result_of(id)
    }

    /// Starts what failures have held back: the caller has taken all events and decided about each failure. Returns `true`
    /// if a lane was held back; then there may be more events.
    pub fn lift_lane_barriers(&mut self, now: Instant) -> bool {
        let was_closed = self.events.lift_lane_barriers();
        if was_closed {
            self.advance(now);
        }
        was_closed
    }

    /// The caller found that the module has restarted, though no banner told of it.
    pub fn confirm_restart(&mut self, now: Instant) {
        self.channel.transactions_mut().confirm_restart();
        self.advance(now);
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    pub fn counters(&self) -> Counters {
        self.events.counters()
    }

    pub fn set_tracing(&mut self, is_on: bool) {
        self.wire.set_tracing(is_on);
    }

    // Bytes and time.

    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.events.counters_mut().bytes_in += bytes.len() as u64;
        let mut input = bytes;
        let mut line = std::mem::take(&mut self.line);
        loop {
            let Self { wire, channel, events, .. } = self;
            let Some(arrival) = wire.next(&mut input, &mut line, channel, events, now) else { break };
            match arrival {
                Arrival::Line => self.handle_line(&line, now),
                Arrival::Text => {
                    let (channel, mut at) = self.split(now);
                    channel.handle_text(&line, &mut at);
                }
                Arrival::OverlongLine => {
                    let line = self.wire.shown(&line);
                    self.events.push(Event::Urc { line, is_known: false });
                }
                Arrival::Prompt => self.handle_prompt(now),
                Arrival::Output => {}
            }
            self.take_outputs(now);
        }
        self.line = line;
        self.wire.end_input(now);
        self.advance(now);
    }

    /// Handles input of which some bytes may be wrong or missing. Drops every message that has bytes in it.
    pub fn handle_damaged_input(&mut self, bytes: &[u8], now: Instant) {
        self.wire.begin_damaged_input();
        self.handle_input(bytes, now);
        self.wire.end_damaged_input();
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.wire.handle_message_timeout(now);
        self.take_outputs(now);
        if self.wire.handle_echo_timeout(now) {
            self.handle_input(b"", now);
        }
        let (channel, mut at) = self.split(now);
        channel.handle_timeout(&mut at);
        self.advance(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wire.poll_timeout().into_iter().chain(self.channel.poll_timeout()).min()
    }

    pub fn unwritten(&self) -> &[u8] {
        self.wire.unwritten()
    }

    /// All that was written before must have left the line before `unwritten` is written.
    pub fn must_drain(&self) -> bool {
        self.wire.must_drain()
    }

    pub fn handle_written(&mut self, count: usize, now: Instant) {
        self.events.counters_mut().bytes_out += count as u64;
        self.wire.handle_written(count);
        if !self.wire.has_unwritten() {
            self.channel.handle_all_written(&mut self.wire);
        }
        self.advance(now);
    }

    // The port.

    /// The port is gone: nothing that is under way can end any more.
    pub fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.wire.drop_messages("the port is gone");
        self.take_outputs(now);
        let cause = LostBy::Port(reason.clone());
        let lost = |command| Failure::ConnectionLost { command, cause: cause.clone() };
        let (channel, mut at) = self.split(now);
        channel.fail_all(&UnknownReason::Lost(cause.clone()), lost, &mut at);
        self.wire.clear_unwritten();
        self.unavailable = Some(Unavailable::PortLost(reason.clone()));
        self.events.push(Event::PortLost(reason));
    }

    /// There is a port again, and nothing is known of the module behind it. [`Engine::open`] finds out.
    pub fn handle_port_attached(&mut self) {
        self.wire.attach_port();
        self.channel.attach_port();
        self.unavailable = None;
    }

    /// Ends everything: the driver is being closed.
    pub fn close(&mut self, now: Instant) {
        let (channel, mut at) = self.split(now);
        channel.fail_all(&UnknownReason::Closed, |_| Failure::Closed, &mut at);
        self.wire.clear_unwritten();
        self.unavailable = Some(Unavailable::Closed);
    }

    fn handle_line(&mut self, line: &[u8], now: Instant) {
        let is_echo = self.channel.owns_echo(line);
        let is_known = is_echo || self.channel.expects(line);
        if self.wire.trusts(line, is_known, is_echo) {
            self.handle_trusted_line(line, is_echo, now);
        }
    }

    fn handle_trusted_line(&mut self, line: &[u8], is_echo: bool, now: Instant) {
        let (channel, mut at) = self.split(now);
        if is_echo {
            channel.handle_echo();
        } else {
            channel.handle_line(line, &mut at);
            self.advance(now);
        }
    }

    fn handle_prompt(&mut self, now: Instant) {
        let (channel, mut at) = self.split(now);
        channel.handle_prompt(&mut at);
        self.advance(now);
    }

    fn take_outputs(&mut self, now: Instant) {
        while let Some(output) = self.wire.poll_output() {
            match output {
                Output::Message(message) => self.events.push(Event::Message(message)),
                Output::Lost { client, why } => self.events.push(Event::MessageLost { client, why }),
                Output::LossSuspected => self.events.push(Event::ConnectionLossSuspected),
                Output::RestartSuspected => {
                    let (channel, mut at) = self.split(now);
                    channel.check_for_restart_once(&mut at);
                }
                Output::Line(line) if self.channel.owns_echo(&line) => {}
                Output::Line(line) => self.handle_trusted_line(&line, false, now),
                Output::Prompt => self.handle_prompt(now),
                Output::LineDropped => self.events.counters_mut().unknown_lines += 1,
            }
        }
    }

    /// Starts what can be started. Called after everything that may have made room.
    fn advance(&mut self, now: Instant) {
        if self.unavailable.is_none() {
            if self.channel.transactions_mut().take_confirmed_restart() {
                self.handle_restart(now);
            }
            let (channel, mut at) = self.split(now);
            channel.advance(&mut at);
        }
        self.wire.show_pushed(&mut self.events);
    }

    fn handle_restart(&mut self, now: Instant) {
        self.wire.handle_restart();
        self.take_outputs(now);
        let (channel, mut at) = self.split(now);
        channel.transactions_mut().handle_restart(&mut at);
    }

    /// Returns the transaction if it can be sent. Else it has failed.
    fn if_available(&mut self, transaction: QueuedTransaction) -> Option<QueuedTransaction> {
        let Some(unavailable) = &self.unavailable else { return Some(transaction) };
        let failure = unavailable.failure(&transaction);
        self.events.complete(&transaction, Err(failure));
        None
    }

    fn split(&mut self, now: Instant) -> (&mut CommandChannel, Surroundings<'_>) {
        (&mut self.channel, Surroundings { wire: &mut self.wire, events: &mut self.events, now })
    }
}
