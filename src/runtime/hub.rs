use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock};

use super::bounded_queue::BoundedQueue;
use super::capture::{Inbox, QueueLimits};
use super::error::Error;
use super::facts::Facts;
use super::keeper::Keeper;
use super::notice::Notice;
use super::record::Record;
use super::report::{Promise, Report};
use super::transcript::Transcript;
use super::waiting::Closing;
use crate::at::ClientIndex;
use crate::channel::{Counters, Event, LostBy};
use crate::inbound::ReceivedMessage;

/// Where events of the I/O thread meet everybody else: facts, captures, the callback queue and the log.
pub struct Hub {
    facts: Mutex<Facts>,
    inboxes: RwLock<Vec<Weak<Inbox>>>,
    limits: QueueLimits,
    notices: BoundedQueue<Notice>,
    /// Somebody takes notices; without, they are not kept.
    dispatching: AtomicBool,
    reports: BoundedQueue<Report>,
    closing: Arc<Closing>,
    keepers: [Arc<Keeper>; 2],
    port_lost: AtomicBool,
    reconnects: AtomicU64,
    transcript: Option<Transcript>,
    logging_lines: AtomicBool,
    dropped_messages: AtomicU64,
    counters: Mutex<Counters>,
    /// What the next notice about a full queue has to tell.
    unreported_drops: Mutex<Drops>,
    missing_records: AtomicU64,
}

/// What a full queue had no room for.
#[derive(Debug, Default)]
struct Drops {
    messages: [u64; 2],
    lines: u64,
}

/// Log records waiting for Python. A log that is full is no reason to stop reading.
const MOST_RECORDS: usize = 10_000;
const MOST_RECORD_BYTES: usize = 16 << 20;

impl Hub {
    pub(super) fn new(limits: QueueLimits, transcript: Option<Transcript>) -> Self {
        Self {
            facts: Mutex::default(),
            inboxes: RwLock::default(),
            limits,
            notices: BoundedQueue::new(limits.items, limits.bytes),
            dispatching: AtomicBool::new(false),
            closing: Arc::default(),
            keepers: Default::default(),
            port_lost: AtomicBool::new(false),
            reconnects: AtomicU64::new(0),
            transcript,
            logging_lines: AtomicBool::new(false),
            reports: BoundedQueue::new(MOST_RECORDS, MOST_RECORD_BYTES),
            dropped_messages: AtomicU64::new(0),
            counters: Mutex::default(),
            unreported_drops: Mutex::default(),
            missing_records: AtomicU64::new(0),
        }
    }

    pub fn facts(&self) -> Facts {
        self.facts.lock().clone()
    }

    pub(super) fn change_facts(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts.lock());
    }

    pub fn notices(&self) -> &BoundedQueue<Notice> {
        &self.notices
    }

    pub fn reports(&self) -> &BoundedQueue<Report> {
        &self.reports
    }

    /// Whether lines both ways go to the log. Returns whether the engine has to show them.
    pub(super) fn log_lines(&self, on: bool) -> bool {
        self.logging_lines.store(on, Ordering::Relaxed);
        on || self.transcript.is_some()
    }

    /// For waits that nothing but the end of the driver cuts short.
    pub(super) fn closing(&self) -> &Arc<Closing> {
        &self.closing
    }

    /// Ends a promise on the reporting thread.
    pub fn end_later(&self, promise: Promise, result: Result<(), Error>) {
        // Cannot fail: the last promise is ended before the queue is closed.
        let _ = self.reports.push_always(Report::Ended(promise, result));
    }

    /// From now on notices are kept, and somebody has to take them: whoever is told `true`.
    pub fn begin_dispatching(&self) -> bool {
        !self.dispatching.swap(true, Ordering::AcqRel)
    }

    /// Nobody takes them after all.
    pub fn end_dispatching(&self) {
        self.dispatching.store(false, Ordering::Release);
    }

    /// Behind all that came for a client while it had its callbacks. False if nobody takes notices.
    pub fn tell_released(&self, client: ClientIndex) -> bool {
        self.dispatching.load(Ordering::Acquire) && self.notices.push_always(Notice::Released(client)).is_ok()
    }

    /// No further notice is taken. Returns how many messages were still waiting, which counts them as dropped.
    pub fn abandon_notices(&self) -> u64 {
        let abandoned =
            self.notices.abandon().filter(|notice| matches!(notice, Notice::Message(_))).count() as u64;
        self.dropped_messages.fetch_add(abandoned, Ordering::Relaxed);
        abandoned
    }

    /// No further record is taken, and no future ended.
    pub fn abandon_reports(&self) {
        drop(self.reports.abandon());
    }

    /// What a client gets from now on; without a filter, all of it.
    pub fn inbox(&self, client: ClientIndex, filter: Option<Vec<u8>>) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::new(client, filter, self.limits));
        let mut inboxes = self.inboxes.write();
        inboxes.retain(|known| known.strong_count() > 0);
        inboxes.push(Arc::downgrade(&inbox));
        if self.closing.is_over() {
            inbox.close();
        }
        inbox
    }

    /// Nobody brings this client's connection back: whoever waits for its messages now waits in vain.
    pub(super) fn end_waits(&self, client: ClientIndex, cause: &LostBy) {
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            inbox.lose(client, cause);
        }
    }

    pub fn counters(&self) -> Counters {
        *self.counters.lock()
    }

    pub fn dropped_messages(&self) -> u64 {
        self.dropped_messages.load(Ordering::Relaxed)
    }

    pub fn reconnects(&self) -> u64 {
        self.reconnects.load(Ordering::Relaxed)
    }

    pub(super) fn keeper(&self, client: ClientIndex) -> &Arc<Keeper> {
        &self.keepers[client.slot()]
    }

    pub(super) fn is_port_lost(&self) -> bool {
        self.port_lost.load(Ordering::Acquire)
    }

    pub(super) fn port_is_back(&self) {
        self.port_lost.store(false, Ordering::Release);
    }

    pub(super) fn reconnected(&self, client: ClientIndex) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
        self.log(Record::reconnected(client));
        self.notify(Notice::Reconnected(client));
    }

    pub(super) fn reconnect_failed(&self, client: ClientIndex, error: &Error, delay: Duration) {
        self.log(Record::reconnect_failed(client, &error.to_string(), delay));
    }

    pub(super) fn not_subscribed_again(&self, client: ClientIndex, topic: &[u8], error: &Error) {
        self.log(Record::not_subscribed_again(client, topic, &error.to_string()));
    }

    pub(super) fn gave_up_reconnecting(&self, client: ClientIndex, error: &Error) {
        self.log(Record::gave_up_reconnecting(client, &error.to_string()));
    }

    fn all_look(&self) {
        for keeper in &self.keepers {
            keeper.look();
        }
    }

    fn all_lost(&self) {
        for keeper in &self.keepers {
            keeper.lost();
        }
    }

    pub(super) fn set_counters(&self, counters: Counters) {
        *self.counters.lock() = counters;
    }

    pub(super) fn handle(&self, event: Event, received_at: SystemTime) {
        match event {
            Event::Message(mut message) => {
                message.stamp(received_at);
                self.deliver(Arc::new(message));
            }
            Event::MessageLost { client, why } => {
                self.log(Record::message_lost(client, &why));
                self.notify(Notice::MessageLost { client, why });
            }
            Event::CommandSucceeded(line) => self.facts.lock().succeeded(&line),
            Event::DataEntryAborted(line) => self.facts.lock().half_entered(&line),
            Event::ConnectionLost { client, cause } => {
                self.facts.lock().connection_lost(client);
                self.log(Record::connection_lost(client, cause));
                self.notify(Notice::ConnectionLost { client, cause });
                self.keeper(client).lost();
            }
            Event::NetworkLost => {
                self.facts.lock().network_lost();
                self.log(Record::network_lost());
                self.notify(Notice::NetworkLost);
                self.all_lost();
            }
            Event::Restarted => {
                self.facts.lock().restarted();
                self.log(Record::restarted());
                self.notify(Notice::Restarted);
                self.all_lost();
            }
            Event::PortLost(reason) => {
                self.port_lost.store(true, Ordering::Release);
                self.facts.lock().port_lost();
                self.log(Record::port_lost(&reason));
                self.notify(Notice::PortLost(reason));
                self.all_lost();
            }
            Event::Mute => {
                self.log(Record::mute());
                self.all_look();
            }
            Event::ConnectionLossSuspected => self.all_look(),
            Event::Urc { line, .. } => self.notify(Notice::Urc(line)),
            Event::Trace { direction, kind, bytes, redacted } => {
                if let Some(transcript) = &self.transcript
                    && let Err(error) = transcript.write(direction, kind, &bytes, &redacted)
                {
                    self.log(Record::transcript_ended(&error));
                }
                if self.logging_lines.load(Ordering::Relaxed) {
                    self.log(Record::trace(direction, kind, &bytes));
                }
            }
            Event::Completed { .. } | Event::DeferredResult { .. } => {}
        }
    }

    /// No more events: whoever waits for a message gets none.
    pub(super) fn close(&self) {
        self.closing.close();
        for keeper in &self.keepers {
            keeper.stop();
        }
        self.notices.close();
        // They may have promises to end.
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            inbox.close();
        }
        if let Some(transcript) = &self.transcript
            && let Err(error) = transcript.close()
        {
            self.log(Record::transcript_ended(&error));
        }
        self.reports.close();
    }

    fn deliver(&self, message: Arc<ReceivedMessage>) {
        let mut dropped = false;
        for inbox in self.inboxes.read().iter().filter_map(Weak::upgrade) {
            dropped |= !inbox.offer(&message);
        }
        let client = message.client();
        if self.dispatching.load(Ordering::Acquire) {
            let notice = Notice::Message(message);
            let size = notice.size();
            if self.notices.push(notice, size) {
                self.report_drops();
            } else {
                dropped = true;
            }
        }
        if dropped {
            self.dropped_messages.fetch_add(1, Ordering::Relaxed);
            self.unreported_drops.lock().messages[client.slot()] += 1;
            self.report_drops();
        }
    }

    /// Told as soon as there is room: a full queue has none for the notice that it is full.
    pub fn report_drops(&self) {
        let mut drops = self.unreported_drops.lock();
        for client in ClientIndex::ALL {
            self.report_dropped(&mut drops.messages[client.slot()], Some(client), "messages");
        }
        self.report_dropped(&mut drops.lines, None, "unsolicited lines");
    }

    fn report_dropped(&self, count: &mut u64, client: Option<ClientIndex>, what: &str) {
        if *count == 0 {
            return;
        }
        let why = format!(
            "the queue was full, {count} {what} dropped: the callbacks take too long, or queue_size is too small"
        );
        let notice = Notice::MessageLost { client, why: why.clone() };
        let size = notice.size();
        if !self.dispatching.load(Ordering::Acquire) || self.notices.push(notice, size) {
            *count = 0;
            self.log(Record::queue_full(client, &why));
        }
    }

    fn notify(&self, notice: Notice) {
        if !self.dispatching.load(Ordering::Acquire) {
            return;
        }
        let size = notice.size();
        let taken = match notice {
            Notice::Message(_) | Notice::MessageLost { .. } | Notice::Urc(_) => {
                self.notices.push(notice, size)
            }
            _ => self.notices.push_rare(notice, size),
        };
        if !taken {
            self.dropped_messages.fetch_add(1, Ordering::Relaxed);
            self.unreported_drops.lock().lines += 1;
        }
    }

    /// Logs a warning about the port.
    pub(super) fn warn(&self, text: String) {
        self.log(Record::warning(text));
    }

    fn log(&self, record: Record) {
        let missing = self.missing_records.swap(0, Ordering::Relaxed);
        if missing > 0 && !self.push_record(Record::missing(missing)) {
            self.missing_records.fetch_add(missing + 1, Ordering::Relaxed);
            return;
        }
        if !self.push_record(record) {
            self.missing_records.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn push_record(&self, record: Record) -> bool {
        let size = record.size();
        self.reports.push(Report::Record(record), size)
    }
}
