use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Counts the calls that are under way in Rust.
///
/// An interpreter that goes down ends the threads that wait for it; where one of them is in Rust, the process aborts. So
/// the end waits for them.
#[derive(Default)]
pub(super) struct CallsInFlight {
    count: Mutex<usize>,
    left: Condvar,
}

impl CallsInFlight {
    pub(super) fn enter(&self) -> Call<'_> {
        *self.count.lock() += 1;
        Call(self)
    }

    /// Waits until no call is under way, or until `deadline`.
    pub(super) fn wait_for_end(&self, deadline: Instant) {
        let mut count = self.count.lock();
        while *count > 0 && !self.left.wait_until(&mut count, deadline).timed_out() {}
    }
}

/// A call that is under way.
pub(super) struct Call<'a>(&'a CallsInFlight);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        *self.0.count.lock() -= 1;
        self.0.left.notify_all();
    }
}
