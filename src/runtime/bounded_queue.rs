use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::wait::{Cancellation, WaitError, wait_until};

/// A queue between the I/O thread, which must never wait, and a reader that may: a full queue refuses new items.
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
        self.push_within(item, size, self.most_items, self.most_bytes)
    }

    /// As [`BoundedQueue::push`], for what is rare and must not be lost among what is frequent: there is always some room.
    #[must_use]
    pub(super) fn push_rare(&self, item: T, size: usize) -> bool {
        const MORE_ITEMS: usize = 1_000;
        const MORE_BYTES: usize = 1 << 20;
        self.push_within(
            item,
            size,
            self.most_items.saturating_add(MORE_ITEMS),
            self.most_bytes.saturating_add(MORE_BYTES),
        )
    }

    fn push_within(&self, item: T, size: usize, most_items: usize, most_bytes: usize) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return true;
        }
        if state.items.len() >= most_items || state.bytes + size > most_bytes {
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

    /// No more items; readers get those left and then [`WaitError::Closed`].
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    pub fn peak(&self) -> usize {
        self.state.lock().peak
    }

    /// The next item, if there is one.
    ///
    /// # Errors
    ///
    /// [`WaitError::Closed`] at the end.
    pub fn try_pop(&self) -> Result<Option<T>, WaitError> {
        let mut state = self.state.lock();
        match state.pop() {
            None if state.closed => Err(WaitError::Closed),
            item => Ok(item),
        }
    }

    /// The next of the wanted items, if there is one; the others stay.
    pub fn try_pop_if(&self, wanted: impl Fn(&T) -> bool) -> Option<T> {
        let mut state = self.state.lock();
        let place = state.items.iter().position(|(item, _)| wanted(item))?;
        let (item, size) = state.items.remove(place)?;
        state.bytes -= size;
        Some(item)
    }

    /// The next item, waited for.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn pop(&self, cancellation: &dyn Cancellation) -> Result<T, WaitError> {
        let mut state = self.state.lock();
        wait_until(&self.changed, &mut state, None, cancellation, |state| {
            let item = state.pop();
            state.waiting = item.is_none();
            item.map(Ok).or_else(|| state.closed.then_some(Err(WaitError::Closed)))
        })?
    }

    /// Closes the queue, and takes the items that no reader gets any more.
    pub(super) fn close_and_take(&self) -> impl Iterator<Item = T> + use<T> {
        self.close();
        let mut state = self.state.lock();
        state.bytes = 0;
        std::mem::take(&mut state.items).into_iter().map(|(item, _)| item)
    }
}

impl<T> State<T> {
    fn pop(&mut self) -> Option<T> {
        let (item, size) = self.items.pop_front()?;
        self.bytes -= size;
        Some(item)
    }
}
