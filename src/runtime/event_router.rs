use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use parking_lot::{Mutex, RwLock};

use super::background_queue::BackgroundQueue;
use super::callback_event::CallbackEvent;
use super::callback_queue::CallbackQueue;
use super::inbox::{Inbox, QueueLimits};
use super::log_record::LogRecord;
use super::transcript::Transcript;
use crate::at::{ClientIndex, Direction, TraceKind};
use crate::channel::{Counters, Event, LostBy};
use crate::inbound::ReceivedMessage;
use crate::mqtt::{ModuleState, Output};

/// Passes the events of the I/O thread on: to inboxes, the callback queue, the log, the transcript, and to the copies of
/// state and counters that other threads read.
pub struct EventRouter {
    state: Mutex<ModuleState>,
    counters: Mutex<Counters>,
    reconnects: AtomicU64,
    inboxes: RwLock<Vec<Weak<Inbox>>>,
    limits: QueueLimits,
    is_closed: AtomicBool,
    callbacks: CallbackQueue,
    background: BackgroundQueue,
    transcript: Option<Transcript>,
    is_logging_lines: AtomicBool,
}

impl EventRouter {
    pub(super) fn new(limits: QueueLimits, transcript: Option<Transcript>) -> Self {
        Self {
            state: Mutex::default(),
            counters: Mutex::default(),
            reconnects: AtomicU64::new(0),
            inboxes: RwLock::default(),
            limits,
            is_closed: AtomicBool::new(false),
            callbacks: CallbackQueue::new(limits),
            background: BackgroundQueue::new(),
            transcript,
            is_logging_lines: AtomicBool::new(false),
        }
    }

    /// A copy of the module's state.
    pub fn state(&self) -> ModuleState {
        self.state.lock().clone()
    }

    pub fn counters(&self) -> Counters {
        *self.counters.lock()
    }

    pub fn reconnects(&self) -> u64 {
        self.reconnects.load(Ordering::Relaxed)
    }

    pub fn callbacks(&self) -> &CallbackQueue {
        &self.callbacks
    }

    pub fn background(&self) -> &BackgroundQueue {
        &self.background
    }

    /// Switches the log of lines on or off. Returns whether the AT channel has to trace them.
    pub(super) fn log_lines(&self, on: bool) -> bool {
        self.is_logging_lines.store(on, Ordering::Relaxed);
        on || self.transcript.is_some()
    }

    /// Collects the messages of a client from now on; without a filter, all of them.
    pub fn inbox(&self, client: ClientIndex, filter: Option<Vec<u8>>) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::new(client, filter, self.limits));
        let mut inboxes = self.inboxes.write();
        inboxes.retain(|known| known.strong_count() > 0);
        inboxes.push(Arc::downgrade(&inbox));
        if self.is_closed.load(Ordering::Acquire) {
            inbox.close();
        }
        inbox
    }

    /// Reports dropped messages as soon as there is room for the report.
    pub fn report_drops(&self) {
        for drops in self.callbacks.report_drops() {
            self.background.log(LogRecord::queue_full(drops.client, &drops.why));
        }
    }

    /// Logs a warning about the port.
    pub(super) fn warn(&self, text: String) {
        self.background.log(LogRecord::warning(text));
    }

    pub(super) fn set_counters(&self, counters: Counters) {
        *self.counters.lock() = counters;
    }

    pub(super) fn handle(&self, output: Output, received_at: SystemTime) {
        match output {
            Output::Event(event) => self.handle_event(event, received_at),
            Output::State(state) => *self.state.lock() = state,
            Output::MessagesEnded(client, cause) => self.end_waits(client, &cause),
            Output::Warning(text) => self.warn(text),
            Output::Reconnected(client) => {
                self.reconnects.fetch_add(1, Ordering::Relaxed);
                self.background.log(LogRecord::reconnected(client));
                self.callbacks.push(CallbackEvent::Reconnected(client));
            }
            Output::ReconnectFailed { client, error, delay } => {
                self.background.log(LogRecord::reconnect_failed(client, &error.to_string(), delay));
            }
            Output::ReconnectEnded { client, error } => {
                self.background.log(LogRecord::gave_up_reconnecting(client, &error.to_string()));
            }
            Output::NotSubscribedAgain { client, topic, error } => {
                self.background.log(LogRecord::not_subscribed_again(client, &topic, &error.to_string()));
            }
            // The driver carries these out itself.
            Output::Result(_) | Output::OpenPort => {}
        }
    }

    fn handle_event(&self, event: Event, received_at: SystemTime) {
        let (record, callback) = match event {
            Event::Message(mut message) => {
                message.stamp(received_at);
                return self.deliver(Arc::new(message));
            }
            Event::Trace { direction, kind, bytes, redacted } => {
                return self.trace(direction, kind, &bytes, &redacted);
            }
            Event::Urc { line, .. } => return self.callbacks.push(CallbackEvent::Urc(line)),
            Event::MessageLost { client, why } => {
                (LogRecord::message_lost(client, &why), CallbackEvent::MessageLost { client, why })
            }
            Event::ConnectionLost { client, cause } => {
                (LogRecord::connection_lost(client, cause), CallbackEvent::ConnectionLost { client, cause })
            }
            Event::NetworkLost => (LogRecord::network_lost(), CallbackEvent::NetworkLost),
            Event::Restarted => (LogRecord::restarted(), CallbackEvent::Restarted),
            Event::PortLost(reason) => (LogRecord::port_lost(&reason), CallbackEvent::PortLost(reason)),
            Event::Mute => return self.background.log(LogRecord::mute()),
            // These concern the service alone.
            Event::ConnectionLossSuspected
            | Event::Completed { .. }
            | Event::DeferredResult { .. }
            | Event::CommandSucceeded(_)
            | Event::DataEntryAborted(_) => return,
        };
        self.background.log(record);
        self.callbacks.push(callback);
    }

    /// No more events come: waits for messages end.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.callbacks.events().close();
        // They may have futures to end.
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            inbox.close();
        }
        if let Some(transcript) = &self.transcript
            && let Err(error) = transcript.close()
        {
            self.background.log(LogRecord::transcript_ended(&error));
        }
        self.background.tasks().close();
    }

    /// The connection does not come back by itself: waits for the client's messages end.
    fn end_waits(&self, client: ClientIndex, cause: &LostBy) {
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            inbox.lose(client, cause);
        }
    }

    fn deliver(&self, message: Arc<ReceivedMessage>) {
        let client = message.client();
        let mut is_dropped = false;
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            is_dropped |= !inbox.offer(&message);
        }
        is_dropped |= !self.callbacks.offer_message(message);
        if is_dropped {
            self.callbacks.count_dropped_message(client);
        }
        self.report_drops();
    }

    fn trace(&self, direction: Direction, kind: TraceKind, bytes: &[u8], masked: &[std::ops::Range<usize>]) {
        if let Some(transcript) = &self.transcript
            && let Err(error) = transcript.write(direction, kind, bytes, masked)
        {
            self.background.log(LogRecord::transcript_ended(&error));
        }
        if self.is_logging_lines.load(Ordering::Relaxed) {
            self.background.log(LogRecord::trace(direction, kind, bytes));
        }
    }
}
