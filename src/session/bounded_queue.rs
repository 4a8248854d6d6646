use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::patience::{Interrupted, Patience};

/// A queue between the I/O thread, which must never wait, and a reader that may: full, it refuses what is new.
#[derive(Debug)]
pub struct BoundedQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    most_items: usize,
    most_bytes: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    peak: usize,
    waiting: bool,
    closed: bool,
}

/// Why a reader got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    TimedOut,
    Closed,
    Interrupted,
}

impl From<Interrupted> for Nothing {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl<T> BoundedQueue<T> {
    pub(super) fn new(most_items: usize, most_bytes: usize) -> Self {
        let state = State { items: VecDeque::new(), bytes: 0, peak: 0, waiting: false, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), most_items, most_bytes }
    }

    /// False if it is full: the item is dropped, and the caller accounts for it.
    #[must_use]
    pub(super) fn push(&self, item: T, size: usize) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return true;
        }
        if state.items.len() >= self.most_items || state.bytes + size > self.most_bytes {
            return false;
        }
        state.items.push_back((item, size));
        state.bytes += size;
        state.peak = state.peak.max(state.items.len());
        let wake = std::mem::take(&mut state.waiting);
        drop(state);
        if wake {
            self.changed.notify_all();
        }
        true
    }

    /// For what must not be dropped and bounds itself. Gives the item back once the queue is closed.
    pub(super) fn push_always(&self, item: T) -> Result<(), T> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(item);
        }
        state.items.push_back((item, 0));
        state.waiting = false;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// No more items; readers get those left and then [`Nothing::Closed`].
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    pub fn peak(&self) -> usize {
        self.state.lock().peak
    }

    /// The next item, waited for until `deadline`.
    ///
    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn pop(&self, deadline: Option<Instant>, patience: &dyn Patience) -> Result<T, Nothing> {
        let mut state = self.wait_for_item(deadline, patience)?;
        let (item, size) = state.items.pop_front().ok_or(Nothing::Closed)?;
        state.bytes -= size;
        Ok(item)
    }

    /// All items there are, at most `most`, waited for until there is one.
    ///
    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn pop_batch(&self, batch: &mut Vec<T>, most: usize, patience: &dyn Patience) -> Result<(), Nothing> {
        let mut state = self.wait_for_item(None, patience)?;
        let count = state.items.len().min(most);
        let mut bytes = 0;
        batch.extend(state.items.drain(..count).map(|(item, size)| {
            bytes += size;
            item
        }));
        state.bytes -= bytes;
        Ok(())
    }

    /// Everything there is, without waiting and without taking it.
    pub fn peek_all(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.state.lock().items.iter().map(|(item, _)| item.clone()).collect()
    }

    fn wait_for_item(
        &self,
        deadline: Option<Instant>,
        patience: &dyn Patience,
    ) -> Result<MutexGuard<'_, State<T>>, Nothing> {
        let mut state = self.state.lock();
        loop {
            if !state.items.is_empty() {
                return Ok(state);
            }
            if state.closed {
                return Err(Nothing::Closed);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(Nothing::TimedOut);
            }
            let left = deadline.map(|deadline| deadline - now);
            state.waiting = true;
            match shorter(left, patience.interval()) {
                None => self.changed.wait(&mut state),
                Some(slice) => {
                    if self.changed.wait_for(&mut state, slice).timed_out() && state.items.is_empty() {
                        MutexGuard::unlocked(&mut state, || patience.go_on())?;
                    }
                }
            }
        }
    }
}

fn shorter(left: Option<Duration>, right: Option<Duration>) -> Option<Duration> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (one, other) => one.or(other),
    }
}
