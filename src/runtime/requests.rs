//! Requests of other threads to the I/O thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::link::Waker;
use crate::mqtt::{Procedure, TaskId};

pub(super) enum Request {
    Start(TaskId, Procedure),
    /// The caller no longer waits.
    Cancel(TaskId),
    /// Cancels a publish if no byte of it was written, and tells whether.
    CancelUnwritten(TaskId, Box<dyn FnOnce(bool) + Send>),
    /// A port that was lost could not be opened again.
    PortNotOpened(String),
    Trace(bool),
    Close,
}

/// The queue of requests. Every thread of a modem has a handle.
#[derive(Clone)]
pub(super) struct Requests(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    waker: Waker,
    next_id: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Request>,
    /// The I/O thread is gone, and takes nothing any more.
    is_shut: bool,
}

/// The ids of tasks that the I/O thread starts by itself are below.
const FIRST_ID: u64 = 1 << 63;

impl Requests {
    pub(super) fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), waker, next_id: AtomicU64::new(FIRST_ID) }))
    }

    /// Puts a request, or drops it if the I/O thread is gone.
    pub(super) fn put(&self, request: Request) {
        let mut queue = self.0.queue.lock();
        if queue.is_shut {
            drop(queue);
            drop(request);
            return;
        }
        queue.waiting.push_back(request);
        drop(queue);
        self.0.waker.wake();
    }

    /// Starts a procedure. Returns its id.
    pub(super) fn start(&self, procedure: Procedure) -> TaskId {
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        self.put(Request::Start(id, procedure));
        id
    }

    pub(super) fn take(&self) -> VecDeque<Request> {
        std::mem::take(&mut self.0.queue.lock().waiting)
    }

    /// Takes what is left, and drops what comes after.
    pub(super) fn shut(&self) -> VecDeque<Request> {
        let mut queue = self.0.queue.lock();
        queue.is_shut = true;
        std::mem::take(&mut queue.waiting)
    }
}
