use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::patience::Patience;
use super::waiting::{Nothing, wait_until};

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

    /// All items there are, at most `most`, waited for until there is one.
    ///
    /// # Errors
    ///
    /// See [`Nothing`].
    pub fn pop_batch(&self, batch: &mut Vec<T>, most: usize, patience: &dyn Patience) -> Result<(), Nothing> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, None, patience, |state| {
            let answer = match state {
                State { items, .. } if !items.is_empty() => Ok(()),
                State { closed: true, .. } => Err(Nothing::Closed),
                _ => {
                    state.waiting = true;
                    return None;
                }
            };
            Some(answer)
        })??;
        let count = state.items.len().min(most);
        let mut bytes = 0;
        batch.extend(state.items.drain(..count).map(|(item, size)| {
            bytes += size;
            item
        }));
        state.bytes -= bytes;
        Ok(())
    }
}
