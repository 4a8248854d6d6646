use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::patience::Patience;
use super::waiting::{Nothing, wait_until};
use crate::protocol::{ClientIndex, LostBy, ReceivedMessage, matches_filter};

/// Collects the messages of one client that a filter selects, from its making to its end. Fed by the I/O thread, so it
/// works inside a callback too.
#[derive(Debug)]
pub struct Inbox {
    client: ClientIndex,
    filter: Option<Vec<u8>>,
    limits: QueueLimits,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Arc<ReceivedMessage>>,
    /// How many of them were handed out.
    read: usize,
    bytes: usize,
    /// Why no more are taken.
    end: Option<Nothing>,
    /// How often the client lost its connection for good, and why it did last.
    losses: u64,
    cause: Option<LostBy>,
}

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
        drop(state);
        self.changed.notify_all();
        true
    }

    /// A wait that begins now, and ends at `deadline`.
    pub fn begin_wait(&self, deadline: Option<Instant>) -> InboxWait {
        InboxWait { deadline, losses: self.state.lock().losses }
    }

    /// The next one, and kept.
    ///
    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn next(&self, wait: InboxWait, patience: &dyn Patience) -> Result<Arc<ReceivedMessage>, Nothing> {
        self.next_where(|_| true, wait, patience)
    }

    /// The next one that is wanted; all are kept.
    ///
    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn next_where(
        &self,
        is_wanted: impl Fn(&ReceivedMessage) -> bool,
        wait: InboxWait,
        patience: &dyn Patience,
    ) -> Result<Arc<ReceivedMessage>, Nothing> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, patience, |state| {
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
    /// See [`Nothing`].
    pub fn take(&self, wait: InboxWait, patience: &dyn Patience) -> Result<Arc<ReceivedMessage>, Nothing> {
        /// How many read messages are forgotten at once.
        const TIDY: usize = 64;
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, patience, |state| {
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
    /// See [`Nothing`].
    pub fn wait_count(
        &self,
        count: usize,
        wait: InboxWait,
        patience: &dyn Patience,
    ) -> Result<Vec<Arc<ReceivedMessage>>, Nothing> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, wait.deadline, patience, |state| {
            if state.messages.len() >= count {
                return Some(Ok(state.messages.clone()));
            }
            state.end_of(wait).map(Err)
        })?
    }

    /// All that came since the beginning.
    pub fn messages(&self) -> Vec<Arc<ReceivedMessage>> {
        self.state.lock().messages.clone()
    }

    /// No more are collected; what was collected can be read.
    pub fn end(&self) {
        self.finish(Nothing::Ended);
    }

    pub(super) fn close(&self) {
        self.finish(Nothing::Closed);
    }

    /// Whoever waits now gets what has arrived, and then nothing.
    pub(super) fn lose(&self, client: ClientIndex, cause: &LostBy) {
        if client != self.client {
            return;
        }
        let mut state = self.state.lock();
        state.losses += 1;
        state.cause = Some(cause.clone());
        drop(state);
        self.changed.notify_all();
    }

    fn finish(&self, why: Nothing) {
        self.state.lock().end = Some(why);
        self.changed.notify_all();
    }
}

impl State {
    /// Why a wait goes on no longer, if so.
    fn end_of(&self, wait: InboxWait) -> Option<Nothing> {
        if self.end.is_some() {
            return self.end.clone();
        }
        self.cause.clone().filter(|_| self.losses > wait.losses).map(Nothing::Lost)
    }
}
