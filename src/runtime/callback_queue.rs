use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::bounded_queue::BoundedQueue;
use super::callback_event::CallbackEvent;
use super::inbox::QueueLimits;
use crate::at::ClientIndex;
use crate::inbound::ReceivedMessage;

/// The events that wait for the callback thread. A full queue drops new messages and lines, and reports that.
pub struct CallbackQueue {
    events: BoundedQueue<CallbackEvent>,
    /// The callback thread runs; without it, events are not kept.
    is_served: AtomicBool,
    dropped_messages: AtomicU64,
    unreported: Mutex<Drops>,
}

/// Items that a full queue had no room for, since the last report.
#[derive(Debug, Default)]
struct Drops {
    messages: [u64; 2],
    lines: u64,
}

/// A report of dropped items, for the log.
pub(super) struct DropReport {
    pub(super) client: Option<ClientIndex>,
    pub(super) why: String,
}

impl CallbackQueue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            events: BoundedQueue::new(limits.items, limits.bytes),
            is_served: AtomicBool::new(false),
            dropped_messages: AtomicU64::new(0),
            unreported: Mutex::default(),
        }
    }

    pub fn events(&self) -> &BoundedQueue<CallbackEvent> {
        &self.events
    }

    /// From now on events are kept. Returns whether the caller has to start the thread that takes them.
    pub fn begin_service(&self) -> bool {
        !self.is_served.swap(true, Ordering::AcqRel)
    }

    /// The callback thread could not be started.
    pub fn end_service(&self) {
        self.is_served.store(false, Ordering::Release);
    }

    /// Marks the end of the events that are for the callbacks of a client that was released. Returns false if no thread takes
    /// events.
    pub fn mark_released(&self, client: ClientIndex) -> bool {
        self.is_served() && self.events.push_always(CallbackEvent::Released(client)).is_ok()
    }

    pub fn dropped_messages(&self) -> u64 {
        self.dropped_messages.load(Ordering::Relaxed)
    }

    /// Takes no further events. Returns how many messages were still waiting; they count as dropped.
    pub fn close_and_drop(&self) -> u64 {
        let left = self.events.close_and_take();
        let messages = left.filter(|event| matches!(event, CallbackEvent::Message(_))).count() as u64;
        self.dropped_messages.fetch_add(messages, Ordering::Relaxed);
        messages
    }

    /// Queues a message for the callbacks. Returns false if there was no room.
    pub(super) fn offer_message(&self, message: Arc<ReceivedMessage>) -> bool {
        if !self.is_served() {
            return true;
        }
        let event = CallbackEvent::Message(message);
        let size = event.size();
        self.events.push(event, size)
    }

    pub(super) fn count_dropped_message(&self, client: ClientIndex) {
        self.dropped_messages.fetch_add(1, Ordering::Relaxed);
        self.unreported.lock().messages[client.slot()] += 1;
    }

    /// Queues any other event. Rare ones always find some room.
    pub(super) fn push(&self, event: CallbackEvent) {
        if !self.is_served() {
            return;
        }
        let size = event.size();
        let is_taken = match event {
            CallbackEvent::Message(_) | CallbackEvent::MessageLost { .. } | CallbackEvent::Urc(_) => {
                self.events.push(event, size)
            }
            _ => self.events.push_rare(event, size),
        };
        if !is_taken {
            self.dropped_messages.fetch_add(1, Ordering::Relaxed);
            self.unreported.lock().lines += 1;
        }
    }

    /// Queues reports of dropped items as soon as there is room, and returns them for the log.
    pub(super) fn report_drops(&self) -> Vec<DropReport> {
        let mut drops = self.unreported.lock();
        if drops.lines == 0 && drops.messages == [0, 0] {
            return Vec::new();
        }
        let mut reports = Vec::new();
        for client in ClientIndex::ALL {
            reports.extend(self.report(&mut drops.messages[client.slot()], Some(client), "messages"));
        }
        reports.extend(self.report(&mut drops.lines, None, "unsolicited lines"));
        reports
    }

    fn report(&self, count: &mut u64, client: Option<ClientIndex>, what: &str) -> Option<DropReport> {
        if *count == 0 {
            return None;
        }
        let why = format!(
            "the queue was full, {count} {what} dropped: the callbacks take too long, or queue_size is too small"
        );
        let event = CallbackEvent::MessageLost { client, why: why.clone() };
        let size = event.size();
        let is_told = !self.is_served() || self.events.push(event, size);
        is_told.then(|| {
            *count = 0;
            DropReport { client, why }
        })
    }

    fn is_served(&self) -> bool {
        self.is_served.load(Ordering::Acquire)
    }
}
