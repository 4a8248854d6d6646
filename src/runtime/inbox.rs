use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::error::Error;
use super::wait::{Cancellation, WaitError, wait_until};
use crate::at::ClientIndex;
use crate::channel::LostBy;
use crate::inbound::{ReceivedMessage, matches_filter};

/// Collects the messages of one client that a filter selects, from its making to its end. Fed by the I/O thread, so it
/// works inside a callback too.
pub struct Inbox {
    client: ClientIndex,
    filter: Option<Vec<u8>>,
    limits: QueueLimits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: Vec<Arc<ReceivedMessage>>,
    /// How many of them were handed out.
    read: usize,
    bytes: usize,
    /// Why no more are taken.
    end: Option<WaitError>,
    /// How often the client lost its connection for good, and why it did last.
    losses: u64,
    cause: Option<LostBy>,
    /// The waits that have no thread.
    announcements: Vec<(Arrival, Announcement)>,
}

/// The condition that ends a wait without a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A message that was not handed out yet.
    Next,
    /// So many since the beginning.
    Count(usize),
}

/// Told that it is there, or why it cannot come. Called on any thread, and must not wait.
type Announcement = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A wait as it began: what was lost before does not end it.
#[derive(Clone, Copy, Debug)]
pub struct InboxWait {
    deadline: Option<Instant>,
    losses: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub items: usize,
    pub bytes: usize,
}

impl Inbox {
    /// Without a filter it takes whatever the client gets.
    pub(super) fn new(client: ClientIndex, filter: Option<Vec<u8>>, limits: QueueLimits) -> Self {
        Self { client, filter, limits, state: Mutex::default(), changed: Condvar::new() }
    }

    /// False if it is full, and the message not taken.
    #[must_use]
    pub(super) fn offer(&self, message: &Arc<ReceivedMessage>) -> bool {
        let selects = |filter: &Vec<u8>| matches_filter(filter, message.topic());
        if message.client() != self.client || !self.filter.as_ref().is_none_or(selects) {
            return true;
        }
        let mut state = self.state.lock();
        if state.end.is_some() {
            return true;
        }
        if state.messages.len() - state.read >= self.limits.items
            || state.bytes + message.size() > self.limits.bytes
        {
            return false;
        }
        state.bytes += message.size();
        state.messages.push(message.clone());
        let announced = state.take_announced();
        drop(state);
        self.changed.notify_all();
        for announcement in announced {
            announcement(Ok(()));
        }
        true
    }

    /// Returns the end of a wait if the arrival is there, cannot come, or the inbox has ended; else calls `announcement` with it
    /// later, once.
    pub fn known_or_announced(
        &self,
        arrival: Arrival,
        announcement: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Option<Result<(), Error>> {
        let mut state = self.state.lock();
        match &state.end {
            _ if state.has(arrival) => Some(Ok(())),
            None => {
                state.announcements.push((arrival, Box::new(announcement)));
                None
            }
            Some(WaitError::Closed) => Some(Err(Error::closed())),
            Some(_) => Some(Ok(())),
        }
    }

    /// Returns true if the program has ended the inbox, which takes no more messages.
    pub fn has_ended(&self) -> bool {
        self.state.lock().end == Some(WaitError::Ended)
    }

    /// A wait that begins now, and ends at `deadline`.
    pub fn begin_wait(&self, deadline: Option<Instant>) -> InboxWait {
        InboxWait { deadline, losses: self.state.lock().losses }
    }

    /// The next one, and kept.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn next(
        &self,
        wait: InboxWait,
        cancellation: &dyn Cancellation,
    ) -> Result<Arc<ReceivedMessage>, WaitError> {
        self.next_where(|_| true, wait, cancellation)
    }

    /// The next one that is wanted; all are kept.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn next_where(
        &self,
        is_wanted: impl Fn(&ReceivedMessage) -> bool,
        wait: InboxWait,
        cancellation: &dyn Cancellation,
    ) -> Result<Arc<ReceivedMessage>, WaitError> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, cancellation, |state| {
            let wanted = state.messages[state.read..].iter().position(|message| is_wanted(message));
            let Some(offset) = wanted else {
                state.read = state.messages.len();
                return state.end_of(wait).map(Err);
            };
            state.read += offset + 1;
            Some(Ok(state.messages[state.read - 1].clone()))
        })?
    }

    /// The next one, and forgotten.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn take(
        &self,
        wait: InboxWait,
        cancellation: &dyn Cancellation,
    ) -> Result<Arc<ReceivedMessage>, WaitError> {
        /// How many read messages are forgotten at once.
        const TIDY: usize = 64;
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, cancellation, |state| {
            let Some(message) = state.messages.get(state.read).cloned() else {
                return state.end_of(wait).map(Err);
            };
            state.read += 1;
            state.bytes -= message.size();
            if state.read >= TIDY.max(state.messages.len() / 2) {
                state.messages.drain(..state.read);
                state.read = 0;
            }
            Some(Ok(message))
        })?
    }

    /// All that came since the beginning, once there are `count`.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn wait_count(
        &self,
        count: usize,
        wait: InboxWait,
        cancellation: &dyn Cancellation,
    ) -> Result<Vec<Arc<ReceivedMessage>>, WaitError> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, cancellation, |state| {
            if state.messages.len() >= count {
                return Some(Ok(state.messages.clone()));
            }
            state.end_of(wait).map(Err)
        })?
    }

    /// How many came since the beginning, the forgotten ones aside.
    pub fn count(&self) -> usize {
        self.state.lock().messages.len()
    }

    /// All that came since the beginning.
    pub fn messages(&self) -> Vec<Arc<ReceivedMessage>> {
        self.state.lock().messages.clone()
    }

    /// No more are collected; what was collected can be read.
    pub fn end(&self) {
        self.finish(WaitError::Ended);
    }

    pub(super) fn close(&self) {
        self.finish(WaitError::Closed);
    }

    /// Lets the waits of now take what has arrived, and then end.
    pub(super) fn lose(&self, client: ClientIndex, cause: &LostBy) {
        if client != self.client {
            return;
        }
        let mut state = self.state.lock();
        state.losses += 1;
        state.cause = Some(cause.clone());
        let announced = std::mem::take(&mut state.announcements);
        drop(state);
        self.changed.notify_all();
        for (_, announcement) in announced {
            announcement(Err(crate::mqtt::Error::NoMoreMessages(cause.clone()).into()));
        }
    }

    fn finish(&self, why: WaitError) {
        let is_closed = why == WaitError::Closed;
        let mut state = self.state.lock();
        state.end = Some(why);
        let announced = std::mem::take(&mut state.announcements);
        drop(state);
        self.changed.notify_all();
        for (_, announcement) in announced {
            announcement(if is_closed { Err(Error::closed()) } else { Ok(()) });
        }
    }
}

impl State {
    fn has(&self, arrival: Arrival) -> bool {
        match arrival {
            Arrival::Next => self.read < self.messages.len(),
            Arrival::Count(count) => self.messages.len() >= count,
        }
    }

    /// Takes the announcements whose arrival is there now.
    fn take_announced(&mut self) -> Vec<Announcement> {
        let (announced, waiting) =
            std::mem::take(&mut self.announcements).into_iter().partition(|(arrival, _)| self.has(*arrival));
        self.announcements = waiting;
        let announced: Vec<(Arrival, Announcement)> = announced;
        announced.into_iter().map(|(_, announcement)| announcement).collect()
    }

    /// Why a wait goes on no longer, if so.
    fn end_of(&self, wait: InboxWait) -> Option<WaitError> {
        if self.end.is_some() {
            return self.end.clone();
        }
        self.cause.clone().filter(|_| self.losses > wait.losses).map(WaitError::Lost)
    }
}
