use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::bounded_queue::{BoundedQueue, Nothing};
use super::patience::Patience;
use crate::protocol::{ClientIndex, ReceivedMessage, matches_filter};

/// Collects the messages of one client that a filter selects, from its making to its end. Fed by the I/O thread, so it
/// works inside a callback too.
#[derive(Debug)]
pub struct Inbox {
    client: ClientIndex,
    filter: Vec<u8>,
    queue: BoundedQueue<Arc<ReceivedMessage>>,
    /// Messages handed out already, for those that want to see all that came.
    taken: Mutex<Vec<Arc<ReceivedMessage>>>,
    keeps_taken: bool,
}

impl Inbox {
    pub(super) fn new(client: ClientIndex, filter: Vec<u8>, keeps_taken: bool, limits: QueueLimits) -> Self {
        let queue = BoundedQueue::new(limits.items, limits.bytes);
        Self { client, filter, queue, taken: Mutex::default(), keeps_taken }
    }

    /// False if it is full.
    #[must_use]
    pub(super) fn offer(&self, message: &Arc<ReceivedMessage>) -> bool {
        if message.client() != self.client || !matches_filter(&self.filter, message.topic()) {
            return true;
        }
        self.queue.push(message.clone(), message.size())
    }

    pub fn filter(&self) -> &[u8] {
        &self.filter
    }

    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn next(
        &self,
        deadline: Option<Instant>,
        patience: &dyn Patience,
    ) -> Result<Arc<ReceivedMessage>, Nothing> {
        let message = self.queue.pop(deadline, patience)?;
        if self.keeps_taken {
            self.taken.lock().push(message.clone());
        }
        Ok(message)
    }

    /// All that came, whether handed out or not.
    pub fn all(&self) -> Vec<Arc<ReceivedMessage>> {
        let mut all = self.taken.lock().clone();
        all.extend(self.queue.peek_all());
        all
    }

    pub fn close(&self) {
        self.queue.close();
    }
}

#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub items: usize,
    pub bytes: usize,
}
