use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::patience::{Interrupted, Patience};
use crate::protocol::ClientIndex;

/// Bounds how many publishes of a client may wait.
#[derive(Debug, Default)]
pub(super) struct PublishGate {
    waiting: Mutex<[usize; 2]>,
    room: Condvar,
}

const MOST_WAITING: usize = 1000;

impl PublishGate {
    /// Waits until fewer than 1,000 are waiting.
    pub(super) fn enter(
        self: &Arc<Self>,
        client: ClientIndex,
        patience: &dyn Patience,
    ) -> Result<Entry, Interrupted> {
        let mut waiting = self.waiting.lock();
        while waiting[client.slot()] >= MOST_WAITING {
            match patience.interval() {
                None => self.room.wait(&mut waiting),
                Some(interval) => {
                    if self.room.wait_for(&mut waiting, interval).timed_out() {
                        MutexGuard::unlocked(&mut waiting, || patience.go_on())?;
                    }
                }
            }
        }
        waiting[client.slot()] += 1;
        Ok(Entry { gate: self.clone(), client })
    }
}

/// One publish that waits; dropped with its result.
#[derive(Debug)]
pub(super) struct Entry {
    gate: Arc<PublishGate>,
    client: ClientIndex,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.gate.waiting.lock()[self.client.slot()] -= 1;
        self.gate.room.notify_one();
    }
}
