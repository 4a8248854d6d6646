use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::patience::{Interrupted, Patience, Sleeper};
use super::waiting::{Nothing, rouse, wait_until, watch};
use crate::at::ClientIndex;

/// Bounds how many publishes of each client may wait.
#[derive(Debug, Default)]
pub(super) struct PublishGates([Arc<Gate>; 2]);

/// Bounds how many may be in at once.
#[derive(Debug, Default)]
pub(super) struct Gate {
    inside: Mutex<usize>,
    room: Condvar,
}

const MOST_WAITING: usize = 1000;

impl PublishGates {
    /// Waits until fewer than 1,000 are waiting.
    pub(super) fn enter(&self, client: ClientIndex, patience: &dyn Patience) -> Result<Entry, Interrupted> {
        self.0[client.slot()].enter(MOST_WAITING, None, patience).map_err(|_| Interrupted)
    }
}

impl Gate {
    /// Waits until fewer than `most` are in.
    pub(super) fn enter(
        self: &Arc<Self>,
        most: usize,
        deadline: Option<Instant>,
        patience: &dyn Patience,
    ) -> Result<Entry, Nothing> {
        watch(self, patience);
        let mut inside = self.inside.lock();
        let has_room = |inside: &mut usize| (*inside < most).then(|| *inside += 1);
        wait_until(&self.room, &mut inside, deadline, patience, has_room)?;
        Ok(Entry(self.clone()))
    }
}

impl Sleeper for Gate {
    fn wake(&self) {
        rouse(&self.inside, &self.room);
    }
}

/// One that is in, until it is dropped: for a publish, with its result.
#[derive(Debug)]
pub(super) struct Entry(Arc<Gate>);

impl Drop for Entry {
    fn drop(&mut self) {
        *self.0.inside.lock() -= 1;
        self.0.room.notify_one();
    }
}
