use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::patience::{Interrupted, Patience};
use super::waiting::wait_until;
use crate::protocol::ClientIndex;

/// Bounds how many publishes of each client may wait.
#[derive(Debug, Default)]
pub(super) struct PublishGates([Arc<Gate>; 2]);

#[derive(Debug, Default)]
struct Gate {
    waiting: Mutex<usize>,
    room: Condvar,
}

const MOST_WAITING: usize = 1000;

impl PublishGates {
    /// Waits until fewer than 1,000 are waiting.
    pub(super) fn enter(&self, client: ClientIndex, patience: &dyn Patience) -> Result<Entry, Interrupted> {
        let gate = &self.0[client.slot()];
        let mut waiting = gate.waiting.lock();
        let has_room = |waiting: &mut usize| (*waiting < MOST_WAITING).then(|| *waiting += 1);
        wait_until(&gate.room, &mut waiting, None, patience, has_room).map_err(|_| Interrupted)?;
        Ok(Entry(gate.clone()))
    }
}

/// One publish that waits; dropped with its result.
#[derive(Debug)]
pub(super) struct Entry(Arc<Gate>);

impl Drop for Entry {
    fn drop(&mut self) {
        *self.0.waiting.lock() -= 1;
        self.0.room.notify_one();
    }
}
