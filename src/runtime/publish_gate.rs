use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::error::Error;
use super::wait::{Cancellation, wait_until};

/// Bounds how many publishes of a client may wait.
#[derive(Debug, Default)]
pub(super) struct PublishGate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    is_closed: bool,
}

const MOST_WAITING: usize = 1000;

impl PublishGate {
    /// Waits until fewer than 1,000 publishes wait.
    pub(super) fn enter(self: &Arc<Self>, cancellation: &dyn Cancellation) -> Result<Place, Error> {
        let mut state = self.state.lock();
        let take_place = |state: &mut State| {
            if state.is_closed {
                return Some(Err(Error::closed()));
            }
            (state.waiting < MOST_WAITING).then(|| {
                state.waiting += 1;
                Ok(())
            })
        };
        wait_until(&self.changed, &mut state, None, cancellation, take_place)
            .map_err(|_| Error::interrupted())??;
        Ok(Place(self.clone()))
    }

    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
    }
}

/// The place of a publish that waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<PublishGate>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state.lock().waiting -= 1;
        self.0.changed.notify_one();
    }
}
